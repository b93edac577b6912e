//! A black hole for large packets: what is small gets through, what fills a packet vanishes without a word (RFC 2923
//! section 2.1).
//!
//! Connections tell: a small message that is acknowledged, a large one that never is, and small ones again, none of which
//! had to be repeated: where packets of any size are lost, this says nothing. What acknowledges is the other end's kernel,
//! so that no request need have an end, and no answer of a server is waited for. Only packets on their way there are looked at, not those of the
//! answer.

use std::net::{Ipv4Addr, SocketAddr};
use std::time::{Duration, Instant};

use rayline_dial::{Connection, Dialer, Target, Timeouts};
use rayline_verdict::evidence::TcpState;
use rayline_verdict::fault::SendCause;
use rayline_verdict::{Fact, Fault, Verdict, attribute};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::time::{interval, timeout};

use crate::case::Case;
use crate::probe::{Probe, Watcher};
use crate::tls::{Scheme, hello_of_size};

const NAME: &str = "network.mtu";
/// How much larger the large message is, in bytes: several packets, and less than servers take of a header section.
const PADDING: usize = 7 * 1024;
/// How long the large message may stay unacknowledged: the kernel has then sent it again three times.
const PATIENCE: Duration = Duration::from_secs(3);
/// How often it must have done so at least.
const REPEATED: u32 = 2;
/// How long a small message may take: one loss is survived.
const BRIEF: Duration = Duration::from_millis(1500);
/// How often the kernel is asked, since it does not tell by itself.
const TICK: Duration = Duration::from_millis(10);

/// What became of a message.
#[derive(Debug)]
enum Fate {
    /// The other end has it all, and nothing had to be repeated on the way.
    Acknowledged,
    /// The other end has it all, after repetitions.
    Repeated,
    /// Something of it was sent again and again, and is not acknowledged.
    Vanished(TcpState),
    /// It could not be sent, or nothing can be told.
    Unknown,
}

/// What was found at an address.
#[derive(Debug)]
pub(super) struct Found {
    pub(super) address: SocketAddr,
    pub(super) black_hole: bool,
    pub(super) probe: Probe,
}

/// Looks for a black hole on the way to `address`.
pub(super) async fn look(case: &Case, address: SocketAddr, dialer: &Dialer, watcher: &dyn Watcher) -> Found {
    watcher.began(NAME, &format!("sending large packets to {address}"));
    let began = Instant::now();
    let small = || send(case, address, 0, dialer, BRIEF.min(case.timeout));
    let large = || send(case, address, PADDING, dialer, PATIENCE.min(case.timeout));
    let first = match small().await {
        // The first packets to a neighbour that was not known yet may be dropped.
        Fate::Repeated => small().await,
        first @ (Fate::Acknowledged | Fate::Vanished(_) | Fate::Unknown) => first,
    };
    let first_came = matches!(first, Fate::Acknowledged | Fate::Repeated);
    let (ok, said, state) = match first {
        Fate::Vanished(_) | Fate::Unknown => {
            (None, format!("nothing got through to {address} in time, large or small"), None)
        }
        Fate::Repeated => (None, format!("packets to {address} are lost, whatever their size"), None),
        Fate::Acknowledged => match large().await {
            Fate::Acknowledged | Fate::Repeated => {
                (Some(true), format!("large packets get through to {address}"), None)
            }
            Fate::Unknown => (None, format!("what becomes of large packets to {address} cannot be told"), None),
            Fate::Vanished(state) => match tokio::join!(small(), small(), small()) {
                (Fate::Acknowledged, Fate::Acknowledged, Fate::Acknowledged) => {
                    let said = format!("small packets get through to {address}, large ones vanish without a word");
                    (Some(false), said, Some(state))
                }
                _ => (None, format!("packets to {address} are lost, small ones too"), None),
            },
        },
    };
    let mss = if first_came { mss(address, BRIEF.min(case.timeout)).await } else { None };
    let probe = Probe::new(NAME, ok, began.elapsed(), said).with("address", address.to_string()).with("mss_bytes", mss);
    let probe =
        probe.with("path_mtu_bytes", path_mtu(address)).judged(state.map(|state| Box::new(judge(address, state))));
    watcher.ended(&probe);
    Found { address, black_hole: ok == Some(false), probe }
}

fn judge(address: SocketAddr, state: TcpState) -> Verdict {
    let fault = Fault::new(SendCause::Unacknowledged).with(Fact::OriginAddress(address)).with(Fact::Tcp(state));
    attribute(fault, Vec::new())
}

async fn send(case: &Case, address: SocketAddr, padding: usize, dialer: &Dialer, limit: Duration) -> Fate {
    let timeouts = Timeouts { connect: limit, tls: limit, keepalive: Duration::from_secs(30) };
    let Ok(mut connection) = dialer.dial(&Target::plain(&[address]), &timeouts, &mut Vec::new()).await else {
        return Fate::Unknown;
    };
    let Some(message) = message(case, address.port(), padding) else { return Fate::Unknown };
    match timeout(limit, deliver(&mut connection, &message)).await {
        Ok(fate) => fate,
        Err(_late) => match connection.tcp_state() {
            Some(state) if state.is_unacknowledged() && state.retransmits >= REPEATED => Fate::Vanished(state),
            Some(_) | None => Fate::Unknown,
        },
    }
}

/// Sends it, and waits until the other end has it.
async fn deliver(connection: &mut Connection, message: &[u8]) -> Fate {
    if connection.write_all(message).await.is_err() {
        return Fate::Unknown;
    }
    let mut ticks = interval(TICK);
    let mut answer = [0; 1024];
    loop {
        tokio::select! {
            // A server answers when it has read enough: then that much came through.
            read = connection.read(&mut answer) => {
                if !read.is_ok_and(|length| length > 0) {
                    return Fate::Unknown;
                }
                let repeated = connection.tcp_state().is_some_and(|state| state.retransmits > 0);
                return if repeated { Fate::Repeated } else { Fate::Acknowledged };
            }
            _ = ticks.tick() => {}
        }
        if let Some(state) =
            connection.tcp_state().filter(|state| state.unacked_segments == 0 && state.unsent_bytes == 0)
        {
            return if state.retransmits == 0 { Fate::Acknowledged } else { Fate::Repeated };
        }
    }
}

/// What a server at this port understands: the beginning of a request, or of a TLS handshake.
fn message(case: &Case, port: u16, padding: usize) -> Option<Vec<u8>> {
    let secured = match port {
        80 => false,
        443 => true,
        _ => case.scheme() == Scheme::Https,
    };
    let host = case.host();
    if secured {
        let name = Some(host).filter(|host| host.parse::<std::net::IpAddr>().is_err());
        return hello_of_size(name, padding);
    }
    let host = case.url.host_str().unwrap_or(host);
    let version = env!("CARGO_PKG_VERSION");
    let mut request = format!("HEAD / HTTP/1.1\r\nHost: {host}\r\nUser-Agent: Rayline-Diagnose/{version}\r\n");
    for number in 0..padding / 1024 {
        request.push_str(&format!("X-Padding-{number}: {}\r\n", "x".repeat(1024)));
    }
    // It has no end: the other end's kernel takes it, and no application hears of it.
    Some(request.into_bytes())
}

/// The most bytes of a segment that both ends agreed on (RFC 9293 section 3.7.1): a small one tells of a tunnel.
#[cfg(target_os = "linux")]
async fn mss(address: SocketAddr, limit: Duration) -> Option<u32> {
    let stream = timeout(limit, tokio::net::TcpStream::connect(address)).await.ok()?.ok()?;
    nix::sys::socket::getsockopt(&stream, nix::sys::socket::sockopt::TcpMaxSeg).ok()
}

#[cfg(not(target_os = "linux"))]
async fn mss(_: SocketAddr, _: Duration) -> Option<u32> {
    None
}

/// The largest packet that this machine thinks gets there, in bytes. A datagram socket knows, and sends nothing.
#[cfg(target_os = "linux")]
fn path_mtu(address: SocketAddr) -> Option<i32> {
    let socket = std::net::UdpSocket::bind((Ipv4Addr::UNSPECIFIED, 0)).ok()?;
    socket.connect(address).ok()?;
    nix::sys::socket::getsockopt(&socket, nix::sys::socket::sockopt::IpMtu).ok()
}

#[cfg(not(target_os = "linux"))]
fn path_mtu(_: SocketAddr) -> Option<i32> {
    None
}

#[cfg(test)]
mod tests;
