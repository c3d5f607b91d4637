//! A server that answers a client that connects as Neon's proxy does, before a real PostgreSQL (`throw_error`
//! in `proxy/src/stream.rs` of neondatabase/neon): every error is `XX000`, and the key to cancel by is a random one.
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
use crate::sandbox::runtime;

const SSL_REQUEST: u32 = 80_877_103;
const CANCEL_REQUEST: u32 = 80_877_102;
/// How a TLS handshake starts, where the client does not ask first.
const TLS_HANDSHAKE: u8 = 0x16;

/// A proxy on loopback that lets everybody in until it is told otherwise.
pub struct Neon {
    port: u16,
    state: Arc<State>,
}

/// What a user is told instead of being let in.
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
    /// A proxy before the server of a URL of the tests, whose certificate it shows.
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

    /// The same URL, through the proxy. Neon's proxy binds SCRAM to its own channel; this one passes it on.
    pub fn url(&self, url: &str) -> String {
        let url: DatabaseUrl = url.parse().unwrap();
        let url = url.with_address("127.0.0.1", self.port).unwrap();
        url.with_parameter("channel_binding", "disable").unwrap().expose().to_owned()
    }

    /// What it tells a user from now on; none lets it in.
    pub fn refuse(&self, message: impl Fn(&str) -> Option<String> + Send + Sync + 'static) {
        *lock(&self.state.refuse) = Box::new(message);
    }

    /// Ends every connection that there is.
    pub fn end(&self) {
        lock(&self.state.connections).drain(..).for_each(|connection| connection.abort());
    }

    /// How often somebody has tried to connect.
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
        // It ends in an error where one side leaves.
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

/// TLS, after the question or at once.
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

/// Passes on what both sides say until the session begins, with the server's errors and its key replaced.
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

/// How long the first message is, if all of it is there.
fn message_length(said: &[u8]) -> Option<usize> {
    let length: [u8; 4] = said.get(1..5)?.try_into().ok()?;
    let length = 1 + u32::from_be_bytes(length) as usize;
    (said.len() >= length).then_some(length)
}

/// The message of a server's error, as the proxy puts it.
fn hidden(error: &[u8]) -> String {
    let mut fields = error[5..].split(|byte| *byte == 0);
    let message = fields.find_map(|field| field.strip_prefix(b"M")).unwrap_or_default();
    let message = String::from_utf8_lossy(message);
    // The proxy checks passwords by itself.
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

/// Who connects, by the parameters of a startup message.
fn user(startup: &[u8]) -> Result<String> {
    let mut parameters = startup.get(4..).context("no parameters")?.split(|byte| *byte == 0);
    parameters.find(|name| *name == b"user").context("no user")?;
    Ok(String::from_utf8(parameters.next().context("no user")?.to_vec())?)
}
