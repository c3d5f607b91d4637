//! A network between the functions and PostgreSQL that can fail.
use std::io::{Read, Write};
use std::net::{Ipv4Addr, Shutdown, TcpListener, TcpStream};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, OnceLock, PoisonError};
use std::thread;
use std::time::Duration;

use rustix::net::sockopt::set_socket_linger;

/// A direction of bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Way {
    /// From the functions to PostgreSQL.
    Up,
    /// From PostgreSQL to the functions.
    Down,
}

/// How a connection ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum End {
    /// Both sides see an orderly close.
    Closed,
    /// Both sides see a reset.
    Reset,
    /// Nothing arrives any more, and neither side is told.
    Vanished,
}

/// A proxy on loopback that forwards everything until told otherwise.
pub struct Proxy {
    port: u16,
    network: Arc<Network>,
}

struct Network {
    server: (String, u16),
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Default)]
struct State {
    delay: Duration,
    held: bool,
    refused: bool,
    listening: bool,
    /// For the next connection.
    cut: Option<Cut>,
    links: Vec<Arc<Link>>,
    round_trips: usize,
    last: Option<Way>,
    /// The bytes forwarded up and down.
    passed: [Vec<u8>; 2],
}

/// A function's connection, and the proxy's to the server.
struct Link {
    function: TcpStream,
    server: TcpStream,
    cut: Mutex<Option<Cut>>,
    end: OnceLock<End>,
}

/// The direction, how many more bytes are forwarded, and how the connection then ends.
type Cut = (Way, usize, End);

impl Proxy {
    /// A proxy in front of the server in a `postgres://` URL.
    pub fn before(url: &str) -> Self {
        let (host, port) = address(url).rsplit_once(':').unwrap();
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let port_here = listener.local_addr().unwrap().port();
        let network = Arc::new(Network {
            server: (host.to_owned(), port.parse().unwrap()),
            state: Mutex::new(State { listening: true, ..State::default() }),
            changed: Condvar::new(),
        });
        let listening = network.clone();
        thread::spawn(move || listening.listen(listener, port_here));
        Self { port: port_here, network }
    }

    /// The same URL, through the proxy.
    pub fn url(&self, url: &str) -> String {
        url.replacen(address(url), &format!("127.0.0.1:{}", self.port), 1)
    }

    /// Forwards everything again.
    pub fn pass(&self) {
        let mut state = self.network.state();
        (state.delay, state.held, state.refused, state.cut) = (Duration::ZERO, false, false, None);
        state.links.iter().for_each(|link| *link.cut.lock().unwrap() = None);
        self.network.changed.notify_all();
        drop(self.network.wait(state, |state| !state.listening));
    }

    /// Adds a delay in each direction.
    pub fn delay(&self, delay: Duration) {
        self.network.state().delay = delay;
    }

    /// Holds back all bytes, on open and new connections, until [`Proxy::pass`].
    pub fn hold(&self) {
        self.network.state().held = true;
    }

    /// Refuses new connections.
    pub fn refuse(&self) {
        self.network.state().refused = true;
        // Wakes the listener, which waits for a connection.
        let _ = TcpStream::connect((Ipv4Addr::LOCALHOST, self.port));
        drop(self.network.wait(self.network.state(), |state| state.listening));
    }

    /// Ends every open connection.
    pub fn end(&self, end: End) {
        self.network.state().links.iter().for_each(|link| link.end(end));
        self.network.changed.notify_all();
    }

    /// Ends each open connection after this many more bytes in this direction.
    pub fn cut(&self, way: Way, bytes: usize, end: End) {
        for link in &self.network.state().links {
            *link.cut.lock().unwrap() = Some((way, bytes, end));
        }
    }

    /// Ends the next connection after this many bytes in this direction.
    pub fn cut_next(&self, way: Way, bytes: usize, end: End) {
        self.network.state().cut = Some((way, bytes, end));
    }

    /// How often bytes went up after bytes came down, or first.
    pub fn round_trips(&self) -> usize {
        self.network.state().round_trips
    }

    /// The bytes forwarded up and down since the last call.
    pub fn passed(&self) -> [Vec<u8>; 2] {
        std::mem::take(&mut self.network.state().passed)
    }
}

/// Host and port.
pub(crate) fn address(url: &str) -> &str {
    url.split(['@', '/']).nth(3).unwrap()
}

impl Network {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn wait<'a>(
        &self,
        state: MutexGuard<'a, State>,
        while_so: impl FnMut(&mut State) -> bool,
    ) -> MutexGuard<'a, State> {
        self.changed.wait_while(state, while_so).unwrap_or_else(PoisonError::into_inner)
    }

    fn listen(self: Arc<Self>, mut listener: TcpListener, port: u16) {
        loop {
            let function = listener.accept().unwrap().0;
            let mut state = self.state();
            if state.refused {
                drop((function, listener));
                state.listening = false;
                self.changed.notify_all();
                let mut state = self.wait(state, |state| state.refused);
                listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).unwrap();
                state.listening = true;
                self.changed.notify_all();
                continue;
            }
            // Without the server, the function's connection ends, too.
            let Ok(server) = TcpStream::connect(self.server.clone()) else { continue };
            for stream in [&function, &server] {
                stream.set_nodelay(true).unwrap();
            }
            let cut = Mutex::new(state.cut.take());
            let link = Arc::new(Link { function, server, cut, end: OnceLock::new() });
            state.links.push(link.clone());
            drop(state);
            let network = self.clone();
            thread::spawn(move || network.serve(&link));
        }
    }

    fn serve(&self, link: &Arc<Link>) {
        thread::scope(|both| {
            both.spawn(|| self.pump(link, Way::Up));
            self.pump(link, Way::Down);
        });
        // A vanished connection stays open.
        if link.end.get() != Some(&End::Vanished) {
            self.state().links.retain(|other| !Arc::ptr_eq(link, other));
        }
    }

    fn pump(&self, link: &Link, way: Way) {
        let (mut from, mut to) = match way {
            Way::Up => (&link.function, &link.server),
            Way::Down => (&link.server, &link.function),
        };
        let mut buffer = vec![0; 16 * 1024];
        loop {
            // Bytes that come during the delay of the first one arrive with it.
            let _ = from.peek(&mut [0]);
            let delay = self.state().delay;
            thread::sleep(delay);
            let read = from.read(&mut buffer).unwrap_or(0);
            let mut state = self.wait(self.state(), |s| s.held && link.end.get().is_none());
            if link.end.get().is_some() {
                return;
            }
            if read == 0 {
                let _ = to.shutdown(Shutdown::Write);
                return;
            }
            let (bytes, end) = link.share(way, read);
            if state.last.replace(way) != Some(way) && way == Way::Up {
                state.round_trips += 1;
            }
            state.passed[way as usize].extend(&buffer[..bytes]);
            drop(state);
            // If the other side is gone, reading from it reports that.
            let _ = to.write_all(&buffer[..bytes]);
            if let Some(end) = end {
                return link.end(end);
            }
        }
    }
}

impl Link {
    /// How many of the received bytes may be forwarded, and how the connection then ends.
    fn share(&self, way: Way, came: usize) -> (usize, Option<End>) {
        match &mut *self.cut.lock().unwrap() {
            Some((cut, left, _)) if *cut == way && came < *left => *left -= came,
            Some((cut, left, end)) if *cut == way => return (*left, Some(*end)),
            _ => {}
        }
        (came, None)
    }

    fn end(&self, end: End) {
        let _ = self.end.set(end);
        for stream in [&self.function, &self.server] {
            // Each fails only if the connection has ended already.
            let _ = match end {
                End::Closed => stream.shutdown(Shutdown::Both),
                // Without a FIN: dropping the socket later sends a reset.
                End::Reset => set_socket_linger(stream, Some(Duration::ZERO))
                    .map_err(Into::into)
                    .and_then(|()| stream.shutdown(Shutdown::Read)),
                End::Vanished => Ok(()),
            };
        }
    }
}
