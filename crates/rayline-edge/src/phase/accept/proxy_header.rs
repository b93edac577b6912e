//! The PROXY protocol: a load balancer in front says first whose connection it passes on ("The PROXY protocol", versions
//! 1 & 2, of HAProxy).
//!
//! Exactly the header is taken off the socket, so that whatever comes next finds what it expects. What a version 2
//! header says beside the addresses is not looked at.

use std::net::SocketAddr;

use bytes::BytesMut;
use rayline_config::{ProxyProtocol, Server};
use rayline_verdict::evidence::Fact;
use rayline_verdict::fault::AcceptCause;
use rayline_verdict::{Fault, Snippet};
use tokio::io::AsyncReadExt;
use tokio::net::TcpStream;

use crate::visitor::Visitor;

/// What each version begins with.
const V1: &[u8] = b"PROXY ";
const V2: &[u8] = b"\r\n\r\n\0\r\nQUIT\n";
/// The longest line of version 1, its end included.
const MOST_V1: usize = 107;
/// Version 2: signature, command, family and length.
const FIXED_V2: usize = 16;
/// The longest header of version 2 that is read: addresses and usual additions take some hundred bytes.
const MOST_V2: usize = 2048;

/// Whether a connection from this visitor begins with a header: from everybody while no proxy is named in
/// `trusted_proxies`, else from those alone.
pub(super) fn is_due(server: &Server, visitor: &Visitor) -> bool {
    let trusted = &server.trusted_proxies;
    server.proxy_protocol != ProxyProtocol::Off
        && (trusted.is_empty() || trusted.iter().any(|network| network.contains(&visitor.ip())))
}

/// Reads the header, and writes into `visitor` whom it names. `Ok(false)`: the connection ended without a word, as those
/// of health checks do.
///
/// # Errors
/// No header, a broken one, or none in time.
pub(super) async fn read(tcp: &mut TcpStream, server: &Server, visitor: &mut Visitor) -> Result<bool, Fault> {
    let mut header = BytesMut::with_capacity(FIXED_V2 + 64);
    let outcome = tokio::time::timeout(server.client_head_timeout, take(tcp, server.proxy_protocol, &mut header)).await;
    let limit_ms = u64::try_from(server.client_head_timeout.as_millis()).unwrap_or(u64::MAX);
    let fault = match outcome {
        Ok(Ok(named)) => {
            if let Some((peer, local)) = named {
                (visitor.peer, visitor.local) = (peer, local);
            }
            return Ok(true);
        }
        _ if header.is_empty() => return Ok(false),
        Ok(Err(fault)) => fault,
        Err(_) => {
            Fault::new(AcceptCause::ProxyHeaderTimedOut).with(Fact::Timer { setting: "client_head_timeout", limit_ms })
        }
    };
    Err(fault.with(Fact::FirstBytes(Snippet::first(&header))))
}

/// Source and destination; `None` where the proxy speaks for itself.
type Named = Option<(SocketAddr, SocketAddr)>;

async fn take(tcp: &mut TcpStream, accepted: ProxyProtocol, header: &mut BytesMut) -> Result<Named, Fault> {
    let (v1, v2) = match accepted {
        ProxyProtocol::Off => (false, false),
        ProxyProtocol::V1 => (true, false),
        ProxyProtocol::V2 => (false, true),
        ProxyProtocol::Any => (true, true),
    };
    fill(tcp, header, 1).await?;
    // Whoever says nothing like it is told apart at the first byte that differs.
    while header.len() < V2.len() && (V1.starts_with(header) || V2.starts_with(header)) {
        let most = if V1.starts_with(header) { V1.len() } else { V2.len() };
        if header.len() == most {
            break;
        }
        some(tcp, header, most - header.len()).await?;
    }
    if header.starts_with(V1) {
        line(tcp, header).await?;
        if v1 { named_v1(header) } else { Err(malformed("version 2 is expected", "§2.2", header)) }
    } else if header.starts_with(V2) {
        block(tcp, header).await?;
        if v2 { named_v2(header) } else { Err(malformed("version 1 is expected", "§2.1", header)) }
    } else {
        Err(Fault::new(AcceptCause::ProxyHeaderMissing))
    }
}

/// Reads a line of version 1 to its end, and nothing behind it.
async fn line(tcp: &mut TcpStream, header: &mut BytesMut) -> Result<(), Fault> {
    while !header.ends_with(b"\n") {
        let room = MOST_V1 - header.len();
        if room == 0 {
            return Err(malformed("the line is longer than 107 bytes", "§2.1", header));
        }
        let mut ahead = [0; MOST_V1];
        let ahead = ahead.get_mut(..room).unwrap_or_default();
        let seen = tcp.peek(ahead).await.unwrap_or_default();
        let end = ahead.iter().take(seen).position(|&byte| byte == b'\n').map_or(seen, |place| place + 1);
        fill(tcp, header, end.max(1)).await?;
    }
    Ok(())
}

/// Reads a block of version 2 to its end.
async fn block(tcp: &mut TcpStream, header: &mut BytesMut) -> Result<(), Fault> {
    fill(tcp, header, FIXED_V2 - header.len()).await?;
    let length = match header.get(14..16) {
        Some(&[high, low]) => usize::from(u16::from_be_bytes([high, low])),
        _ => 0,
    };
    if length > MOST_V2 {
        let limit = Fact::Limit { what: "PROXY header", seen: length as u64, limit: MOST_V2 as u64 };
        return Err(malformed("the header is too long", "§2.2", header).with(limit));
    }
    fill(tcp, header, length).await
}

/// Reads `count` bytes.
async fn fill(tcp: &mut TcpStream, header: &mut BytesMut, mut count: usize) -> Result<(), Fault> {
    while count > 0 {
        count -= some(tcp, header, count).await?;
    }
    Ok(())
}

/// Reads at least one and at most `most` bytes.
async fn some(tcp: &mut TcpStream, header: &mut BytesMut, most: usize) -> Result<usize, Fault> {
    match tcp.take(most as u64).read_buf(header).await {
        Ok(0) | Err(_) => Err(malformed("the connection ended inside it", "§2", header)),
        Ok(count) => Ok(count),
    }
}

fn named_v1(header: &[u8]) -> Result<Named, Fault> {
    let parsed = ppp::v1::Header::try_from(header);
    match parsed.map(|header| header.addresses) {
        Ok(ppp::v1::Addresses::Tcp4(ip)) => {
            Ok(Some(((ip.source_address, ip.source_port).into(), (ip.destination_address, ip.destination_port).into())))
        }
        Ok(ppp::v1::Addresses::Tcp6(ip)) => {
            Ok(Some(((ip.source_address, ip.source_port).into(), (ip.destination_address, ip.destination_port).into())))
        }
        Ok(ppp::v1::Addresses::Unknown) => Ok(None),
        Err(error) => Err(malformed(&error.to_string(), "§2.1", header)),
    }
}

fn named_v2(header: &[u8]) -> Result<Named, Fault> {
    let parsed = match ppp::v2::Header::try_from(header) {
        Ok(parsed) => parsed,
        Err(error) => return Err(malformed(&error.to_string(), "§2.2", header)),
    };
    Ok(match (parsed.command, parsed.addresses) {
        // A health check of the proxy's own, or a connection that it knows no addresses of.
        (ppp::v2::Command::Local, _) | (_, ppp::v2::Addresses::Unspecified | ppp::v2::Addresses::Unix(_)) => None,
        (ppp::v2::Command::Proxy, ppp::v2::Addresses::IPv4(ip)) => {
            Some(((ip.source_address, ip.source_port).into(), (ip.destination_address, ip.destination_port).into()))
        }
        (ppp::v2::Command::Proxy, ppp::v2::Addresses::IPv6(ip)) => {
            Some(((ip.source_address, ip.source_port).into(), (ip.destination_address, ip.destination_port).into()))
        }
    })
}

fn malformed(rule: &str, clause: &'static str, header: &[u8]) -> Fault {
    Fault::new(AcceptCause::ProxyHeaderMalformed).with(Fact::Violation {
        rule: rule.to_owned(),
        clause,
        offset: header.len(),
        bytes: Snippet::last(header),
    })
}
