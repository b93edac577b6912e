//! An origin server that plays a script to everyone who connects.
//!
//! It needs a tokio runtime to live in, of any flavour, and spawns one task that owns all of its connections.

use std::collections::VecDeque;
use std::io;
use std::net::{Ipv4Addr, Shutdown, SocketAddr};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use rustls_pki_types::CertificateDer;
use socket2::{SockRef, Socket};
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::Handle;
use tokio::sync::watch;
use tokio::task::{JoinHandle, JoinSet};
use tokio_rustls::{TlsAcceptor, TlsStream};

use crate::conn::Conn;
use crate::head::Head;
use crate::loss::{can_vanish, lose};
use crate::ports::{Reserved, local_addr, tcp_socket};
use crate::script::{Door, Script};
use crate::stream::Stream;
use crate::{play, tls};

/// How many requests an origin remembers; older ones are forgotten first.
const MEMORY: usize = 256;
/// How long [`Origin::until`] waits.
const PATIENCE: Duration = Duration::from_secs(10);
/// The pause after a failed `accept`, which mostly means that file descriptors ran out.
const BREATH: Duration = Duration::from_millis(50);
/// How many connections try to fill an accept queue of length one.
const FILLERS: usize = 4;

/// A running origin. Dropping it closes its port and its connections.
#[derive(Debug)]
pub struct Origin {
    addr: SocketAddr,
    script: Arc<Script>,
    ledger: Arc<Ledger>,
    behind: Behind,
}

/// What is behind the port.
#[derive(Debug)]
enum Behind {
    Server(Arc<TcpListener>, JoinHandle<()>),
    Nobody { _port: Reserved },
    FullQueue { _listener: Socket, _fillers: Vec<Socket> },
}

/// What has happened at an origin until now.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counts {
    /// Connections accepted.
    pub connections: u64,
    /// Of these, the ones that the origin has not finished with.
    pub open: u64,
    /// Request heads read.
    pub requests: u64,
    /// The most HTTP/2 streams that a client had open at once on one connection, those refused among them.
    pub peak_streams: u64,
    /// HTTP/2 streams that a client has reset while they were open.
    pub resets: u64,
}

/// A request head that an origin has read.
#[derive(Debug, Clone)]
pub struct Seen {
    /// The number of the connection it came on, counted from 1.
    pub connection: u64,
    /// The number of the HTTP/2 stream it came on; `None` over HTTP/1.1.
    pub stream: Option<u32>,
    /// Who sent it.
    pub peer: SocketAddr,
    /// The head as it arrived, with its empty line; over HTTP/2 written down as if it had arrived over HTTP/1.1, with the
    /// pseudo-header fields among the others.
    pub raw: Bytes,
    /// The same, taken apart.
    pub head: Head,
    /// What the client has shown of itself in the TLS handshake; `None` without TLS.
    pub tls: Option<SeenTls>,
}

/// What a client has shown of itself in a TLS handshake.
#[derive(Debug, Clone)]
pub struct SeenTls {
    /// The server name it asked for (SNI).
    pub server_name: Option<String>,
    /// The version agreed on, in the words of rustls: `TLSv1_3`.
    pub version: String,
    /// The certificate it presented.
    pub certificate: Option<CertificateDer<'static>>,
    /// The protocol agreed on by ALPN.
    pub protocol: Option<String>,
}

impl SeenTls {
    pub(crate) fn of(tls: &TlsStream<TcpStream>) -> Option<Self> {
        let TlsStream::Server(tls) = tls else {
            return None;
        };
        let session = tls.get_ref().1;
        let version = session.protocol_version();
        let chain = session.peer_certificates().unwrap_or_default();
        Some(Self {
            server_name: session.server_name().map(str::to_owned),
            version: version.map_or_else(String::new, |version| format!("{version:?}")),
            certificate: chain.first().map(|certificate| certificate.clone().into_owned()),
            protocol: session.alpn_protocol().map(|name| String::from_utf8_lossy(name).into_owned()),
        })
    }
}

/// The memory of an origin, shared with its connections.
#[derive(Debug, Default)]
pub(crate) struct Ledger {
    counts: watch::Sender<Counts>,
    seen: Mutex<VecDeque<Seen>>,
}

impl Ledger {
    /// Keeps a request and says how many there have been.
    pub(crate) fn record(&self, seen: Seen) -> u64 {
        let mut memory = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        if memory.len() == MEMORY {
            memory.pop_front();
        }
        memory.push_back(seen);
        drop(memory);
        let mut number = 0;
        self.counts.send_modify(|counts| {
            counts.requests += 1;
            number = counts.requests;
        });
        number
    }

    pub(crate) fn count(&self, change: impl FnOnce(&mut Counts)) {
        self.counts.send_modify(change);
    }

    /// Counts a connection and gives it its number.
    fn open(self: &Arc<Self>) -> Ticket {
        let mut number = 0;
        self.counts.send_modify(|counts| {
            counts.connections += 1;
            counts.open += 1;
            number = counts.connections;
        });
        Ticket { ledger: Arc::clone(self), number }
    }
}

/// A connection's place in the ledger; dropping it says that the connection is over, however it ended.
#[derive(Debug)]
pub(crate) struct Ticket {
    pub(crate) ledger: Arc<Ledger>,
    pub(crate) number: u64,
}

impl Drop for Ticket {
    fn drop(&mut self) {
        self.ledger.counts.send_modify(|counts| counts.open = counts.open.saturating_sub(1));
    }
}

impl Origin {
    /// Starts an origin on a free port of 127.0.0.1.
    ///
    /// # Errors
    /// Those of [`Origin::start_on`].
    pub fn start(script: Script) -> io::Result<Self> {
        Self::start_on((Ipv4Addr::LOCALHOST, 0).into(), script)
    }

    /// Starts an origin on `addr`; port 0 stands for any free port.
    ///
    /// # Errors
    /// Outside of a tokio runtime; when the port cannot be had; when the script's certificate is of no use to rustls;
    /// `Unsupported` for [`Script::backlog_full`] and for scripts that drop packets on systems other than Linux;
    /// `PermissionDenied` for the latter where [`can_vanish`](crate::can_vanish) says so.
    pub fn start_on(addr: SocketAddr, script: Script) -> io::Result<Self> {
        if script.vanishes() {
            can_vanish()?;
        }
        let script = Arc::new(script);
        let ledger = Arc::<Ledger>::default();
        let (addr, behind) = match script.door {
            Door::Closed => {
                let port = Reserved::on(addr)?;
                (port.addr(), Behind::Nobody { _port: port })
            }
            Door::Full => full_queue(addr)?,
            Door::Open => serve(addr, &script, &ledger)?,
        };
        Ok(Self { addr, script, ledger, behind })
    }

    /// Where it listens, or where it does not.
    pub fn addr(&self) -> SocketAddr {
        self.addr
    }

    /// The script it plays.
    pub fn script(&self) -> &Script {
        &self.script
    }

    /// What has happened until now.
    pub fn counts(&self) -> Counts {
        *self.ledger.counts.borrow()
    }

    /// How many connections it has accepted.
    pub fn connections(&self) -> u64 {
        self.counts().connections
    }

    /// How many request heads it has read.
    pub fn requests(&self) -> u64 {
        self.counts().requests
    }

    /// The requests it has read, in order: the latest 256.
    pub fn seen(&self) -> Vec<Seen> {
        let memory = self.ledger.seen.lock().unwrap_or_else(PoisonError::into_inner);
        memory.iter().cloned().collect()
    }

    /// The request it has read last.
    pub fn last(&self) -> Option<Seen> {
        let memory = self.ledger.seen.lock().unwrap_or_else(PoisonError::into_inner);
        memory.back().cloned()
    }

    /// Waits until its counts are as `wanted`.
    ///
    /// # Errors
    /// `TimedOut` after ten seconds.
    pub async fn until(&self, wanted: impl Fn(&Counts) -> bool) -> io::Result<Counts> {
        let mut counts = self.ledger.counts.subscribe();
        let reached = tokio::time::timeout(PATIENCE, counts.wait_for(|counts| wanted(counts)));
        match reached.await {
            Ok(Ok(counts)) => Ok(*counts),
            Ok(Err(closed)) => Err(io::Error::other(closed)),
            Err(_) => Err(io::Error::new(
                io::ErrorKind::TimedOut,
                format!("the origin `{}` has {:?}", self.script.name(), self.counts()),
            )),
        }
    }

    /// Stops it and waits until all of its sockets are closed, so that its port is free. (Dropping it refuses connections at
    /// once too, but closes what is open only when the runtime gets to it.)
    pub async fn stop(mut self) {
        if let Behind::Server(listener, task) = &mut self.behind {
            close_listener(listener);
            task.abort();
            // an aborted task ends with an error, and that is what is wanted
            let _aborted = task.await;
        }
    }
}

impl Drop for Origin {
    fn drop(&mut self) {
        if let Behind::Server(listener, task) = &self.behind {
            close_listener(listener);
            task.abort();
        }
    }
}

/// Ends the listening state now, whoever still holds the socket.
fn close_listener(listener: &TcpListener) {
    // fails only where it has ended already
    let _ended = SockRef::from(listener).shutdown(Shutdown::Both);
}

fn serve(addr: SocketAddr, script: &Arc<Script>, ledger: &Arc<Ledger>) -> io::Result<(SocketAddr, Behind)> {
    let runtime = Handle::try_current().map_err(io::Error::other)?;
    let acceptor = script.tls.as_ref().map(tls::Tls::acceptor).transpose()?;
    let socket = tcp_socket(addr)?;
    // its connections inherit this, so that those of a stopped origin do not keep the port from the next one
    socket.set_reuse_address(true)?;
    if let Some(bytes) = script.receive_buffer {
        // before listening: accepted sockets inherit it, and announce their window from it
        socket.set_recv_buffer_size(bytes)?;
    }
    if let Some(loss) = script.loss {
        lose(SockRef::from(&socket), loss)?;
    }
    socket.listen(1024)?;
    socket.set_nonblocking(true)?;
    let addr = local_addr(&socket)?;
    let listener = Arc::new(TcpListener::from_std(socket.into())?);
    let task = accept_all(Arc::clone(&listener), acceptor, Arc::clone(script), Arc::clone(ledger));
    Ok((addr, Behind::Server(listener, runtime.spawn(task))))
}

async fn accept_all(
    listener: Arc<TcpListener>,
    acceptor: Option<TlsAcceptor>,
    script: Arc<Script>,
    ledger: Arc<Ledger>,
) {
    // owned by this task: when it is aborted, so are they
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            accepted = listener.accept() => match accepted {
                Ok((tcp, peer)) => {
                    let ticket = ledger.open();
                    connections.spawn(attend(tcp, peer, acceptor.clone(), Arc::clone(&script), ticket));
                }
                Err(_) => tokio::time::sleep(BREATH).await,
            },
            Some(_) = connections.join_next() => {}
        }
    }
}

/// One connection, from its beginning to its end. Its errors are the client's affair.
async fn attend(
    tcp: TcpStream,
    peer: SocketAddr,
    acceptor: Option<TlsAcceptor>,
    script: Arc<Script>,
    ticket: Ticket,
) -> io::Result<()> {
    // each step is to be on the wire before the next one
    tcp.set_nodelay(true)?;
    let stream = match acceptor {
        None => Stream::Plain(tcp),
        Some(acceptor) => Stream::tls(tls::accept(&acceptor, tcp).await?),
    };
    play::play(&script, Conn::new(stream), peer, &ticket).await
}

/// Listens with a queue of one, fills it and never accepts.
fn full_queue(addr: SocketAddr) -> io::Result<(SocketAddr, Behind)> {
    if !cfg!(target_os = "linux") {
        return Err(io::Error::new(io::ErrorKind::Unsupported, "a full accept queue drops connections on Linux only"));
    }
    let listener = tcp_socket(addr)?;
    listener.listen(0)?;
    let addr = local_addr(&listener)?;
    let mut fillers = Vec::new();
    for _ in 0..FILLERS {
        let filler = tcp_socket(SocketAddr::new(addr.ip(), 0))?;
        filler.set_nonblocking(true)?;
        match filler.connect(&addr.into()) {
            Ok(()) => {}
            // it is on its way: it takes the place in the queue, or waits for ever like everyone else
            Err(error) if error.raw_os_error() == Some(libc::EINPROGRESS) => {}
            Err(error) => return Err(error),
        }
        fillers.push(filler);
    }
    Ok((addr, Behind::FullQueue { _listener: listener, _fillers: fillers }))
}
