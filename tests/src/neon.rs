//! A proxy in front of a real PostgreSQL that refuses clients as Neon's does (`throw_error` in
//! `proxy/src/stream.rs` of neondatabase/neon): every error is `XX000`, and the cancel key is
//! random.
use std::net::Ipv4Addr;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use anyhow::{Context, Result, bail};
use shared::DatabaseUrl;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, copy_bidirectional};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::AbortHandle;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;

use crate::https::acceptor;
use crate::proxy::address;
use crate::sandbox::runtime;

const SSL_REQUEST: u32 = 80_877_103;
const CANCEL_REQUEST: u32 = 80_877_102;
/// The first byte of a TLS handshake, if the client uses direct TLS.
const TLS_HANDSHAKE: u8 = 0x16;

/// A proxy on loopback that accepts every login until told otherwise.
pub struct Neon {
    port: u16,
    state: Arc<State>,
}

/// The message that refuses a user.
type Refuse = Box<dyn Fn(&str) -> Option<String> + Send + Sync>;

struct State {
    server: (String, u16),
    tls: TlsAcceptor,
    refuse: Mutex<Refuse>,
    connections: Mutex<Vec<AbortHandle>>,
    attempts: AtomicUsize,
    next_key: AtomicU64,
}

impl Neon {
    /// A proxy in front of the server in a test URL, with that server's certificate.
    pub fn before(url: &str) -> Self {
        let url: DatabaseUrl = url.parse().unwrap();
        let state = Arc::new(State {
            server: (url.host().unwrap().to_owned(), url.port()),
            tls: acceptor(&url, b"postgresql"),
            refuse: Mutex::new(Box::new(|_| None)),
            connections: Mutex::default(),
            attempts: AtomicUsize::new(0),
            next_key: AtomicU64::new(0x6e65_6f6e_0000_0001),
        });
        let listener = runtime().block_on(TcpListener::bind((Ipv4Addr::LOCALHOST, 0))).unwrap();
        let port = listener.local_addr().unwrap().port();
        runtime().spawn(listen(listener, state.clone()));
        Self { port, state }
    }

    /// The same URL through the proxy. Neon's proxy terminates SCRAM's channel binding; this one
    /// does not.
    pub fn url(&self, url: &str) -> String {
        let url = url.replacen(address(url), &format!("127.0.0.1:{}", self.port), 1);
        url.replace("channel_binding=require", "channel_binding=disable")
    }

    /// The message for a user from now on; `None` accepts them.
    pub fn refuse(&self, message: impl Fn(&str) -> Option<String> + Send + Sync + 'static) {
        *lock(&self.state.refuse) = Box::new(message);
    }

    /// Ends every open connection.
    pub fn end(&self) {
        lock(&self.state.connections).drain(..).for_each(|connection| connection.abort());
    }

    /// The number of connection attempts.
    pub fn attempts(&self) -> usize {
        self.state.attempts.load(Ordering::Relaxed)
    }
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

async fn listen(listener: TcpListener, state: Arc<State>) {
    while let Ok((client, _)) = listener.accept().await {
        let serving = state.clone();
        // Either side may disconnect.
        let connection = runtime().spawn(async move { serve(client, &serving).await.ok() });
        lock(&state.connections).push(connection.abort_handle());
    }
}

async fn serve(client: TcpStream, state: &State) -> Result<()> {
    client.set_nodelay(true)?;
    let mut client = secure(client, state).await?;
    let startup = packet(&mut client).await?;
    if startup.starts_with(&CANCEL_REQUEST.to_be_bytes()) {
        return Ok(());
    }
    state.attempts.fetch_add(1, Ordering::Relaxed);
    let user = user(&startup)?;
    let refusal = lock(&state.refuse)(&user);
    if let Some(message) = refusal {
        return throw_error(&mut client, &message).await;
    }
    let Ok(mut server) = TcpStream::connect(state.server.clone()).await else {
        return throw_error(&mut client, "Couldn't connect to compute node").await;
    };
    server.set_nodelay(true)?;
    server.write_all(&(u32::try_from(startup.len())? + 4).to_be_bytes()).await?;
    server.write_all(&startup).await?;
    connect(&mut client, &mut server, state).await?;
    copy_bidirectional(&mut client, &mut server).await?;
    Ok(())
}

/// Accepts TLS, after a request for it or directly.
async fn secure(mut client: TcpStream, state: &State) -> Result<TlsStream<TcpStream>> {
    let mut first = [0];
    client.peek(&mut first).await?;
    if first != [TLS_HANDSHAKE] {
        if packet(&mut client).await? != SSL_REQUEST.to_be_bytes() {
            bail!("a client without TLS");
        }
        client.write_all(b"S").await?;
    }
    Ok(state.tls.accept(client).await?)
}

/// Forwards both sides until the session begins, replacing the server's errors and its key.
async fn connect(
    client: &mut TlsStream<TcpStream>,
    server: &mut TcpStream,
    state: &State,
) -> Result<()> {
    let (mut said, mut buffer) = (Vec::new(), [0; 4096]);
    loop {
        tokio::select! {
            read = client.read(&mut buffer) => match read? {
                0 => bail!("the client has left"),
                read => server.write_all(buffer.get(..read).context("no bytes")?).await?,
            },
            read = server.read_buf(&mut said) => if read? == 0 { bail!("the server has left") },
        }
        while let Some(length) = message_length(&said) {
            let message: Vec<u8> = said.drain(..length).collect();
            match message[0] {
                b'E' => return throw_error(client, &hidden(&message)).await,
                b'K' => {
                    let key = state.next_key.fetch_add(0x9e37_79b9, Ordering::Relaxed);
                    client.write_all(&[&message[..5], &key.to_be_bytes()].concat()).await?;
                }
                _ => client.write_all(&message).await?,
            }
            if message[0] == b'Z' {
                return Ok(client.write_all(&said).await?);
            }
        }
    }
}

/// The length of the first message, if it is complete.
fn message_length(said: &[u8]) -> Option<usize> {
    let length: [u8; 4] = said.get(1..5)?.try_into().ok()?;
    let length = 1 + u32::from_be_bytes(length) as usize;
    (said.len() >= length).then_some(length)
}

/// The proxy's version of a server error's message.
fn hidden(error: &[u8]) -> String {
    let mut fields = error[5..].split(|byte| *byte == 0);
    let message = fields.find_map(|field| field.strip_prefix(b"M")).unwrap_or_default();
    let message = String::from_utf8_lossy(message);
    // The proxy checks passwords itself.
    if message.starts_with("password authentication failed") {
        return message.replace('"', "'");
    }
    message.into_owned()
}

async fn throw_error(client: &mut (impl AsyncWrite + Unpin), message: &str) -> Result<()> {
    let fields = format!("SERROR\0VERROR\0CXX000\0M{message}\0\0");
    let length = u32::try_from(fields.len())? + 4;
    client.write_all(&[b"E", &length.to_be_bytes()[..], fields.as_bytes()].concat()).await?;
    Ok(client.shutdown().await?)
}

/// A message without a type, after its length.
async fn packet(stream: &mut (impl AsyncRead + Unpin)) -> Result<Vec<u8>> {
    let length = stream.read_u32().await? as usize;
    let mut packet = vec![0; length.checked_sub(4).context("a length below its own")?];
    stream.read_exact(&mut packet).await?;
    Ok(packet)
}

/// The user, from the parameters of a startup message.
fn user(startup: &[u8]) -> Result<String> {
    let mut parameters = startup.get(4..).context("no parameters")?.split(|byte| *byte == 0);
    parameters.find(|name| *name == b"user").context("no user")?;
    Ok(String::from_utf8(parameters.next().context("no user")?.to_vec())?)
}
