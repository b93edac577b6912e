//! Who listens on the ports that the edge connects to, on which addresses, and how full the queues are.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{Read, Write};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::time::Duration;

use super::{Listener, Part, trouble};
use crate::logs::Cause;
use crate::probe::Probe;

/// The most processes whose files are looked at.
const PROCESSES: usize = 32_768;

/// A socket in the state LISTEN, as `/proc/net/tcp` has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Socket {
    pub(super) address: SocketAddr,
    pub(super) inode: u64,
}

pub(super) fn look(ports: &[u16]) -> Part {
    let before = overflows();
    let mut sockets = Vec::new();
    let mut is_read = false;
    for file in ["/proc/net/tcp", "/proc/net/tcp6"] {
        if let Ok(text) = std::fs::read_to_string(file) {
            is_read = true;
            sockets.extend(parse(&text).into_iter().filter(|socket| ports.contains(&socket.address.port())));
        }
    }
    if !is_read {
        let unseen = "who listens: run `ss -ltnp`".to_owned();
        let probe = Probe::new("host.listeners", None, Duration::ZERO, "`/proc/net/tcp` could not be read");
        return Part { unseen: vec![unseen], probes: vec![probe], ..Part::default() };
    }
    let wanted: BTreeSet<u64> = sockets.iter().map(|socket| socket.inode).collect();
    let owners = owners(&wanted);
    let backlogs = backlogs().unwrap_or_default();
    let listeners: Vec<Listener> = sockets
        .iter()
        .map(|socket| Listener {
            address: socket.address,
            program: owners.get(&socket.inode).and_then(|owners| owners.first().cloned()),
            backlog: backlogs.get(&socket.inode).copied(),
        })
        .collect();
    let mut part = judge(ports, listeners);
    if !wanted.is_empty() && owners.is_empty() {
        part.unseen.push("which program listens: run `sudo ss -ltnp`, or this program as root".to_owned());
    }
    part.troubles.extend(overflowing(before, overflows()));
    part
}

/// What follows from who listens.
pub(super) fn judge(ports: &[u16], listeners: Vec<Listener>) -> Part {
    let mut part = Part::default();
    let mut said = Vec::new();
    // With one of several ports served, the edge may well use that one.
    let is_any = listeners.iter().any(|listener| !listener.address.ip().is_loopback());
    for &port in ports {
        let here: Vec<&Listener> = listeners.iter().filter(|listener| listener.address.port() == port).collect();
        let program = here.iter().find_map(|listener| listener.program.as_ref());
        let by = program.map_or_else(String::new, |(name, pid)| format!(" by `{name}` ({pid})"));
        if here.is_empty() {
            said.push(format!("port {port}: nobody"));
            let likelihood = if is_any { 0.3 } else { 0.9 };
            part.troubles.push(trouble(
                Cause::HostNotListening,
                likelihood,
                format!("nobody listens on port {port}"),
                &format!("port {port}"),
            ));
        } else if here.iter().all(|listener| listener.address.ip().to_canonical().is_loopback()) {
            let addresses: Vec<String> = here.iter().map(|listener| listener.address.to_string()).collect();
            said.push(format!("port {port}: on loopback alone{by}"));
            let likelihood = if is_any { 0.3 } else { 0.85 };
            let sentence = format!("port {port} is open to the machine itself alone: {}{by}", addresses.join(", "));
            part.troubles.push(trouble(Cause::HostListensOnLoopback, likelihood, sentence, &addresses.join(", ")));
        } else {
            said.push(format!("port {port}: open{by}"));
        }
        for listener in here {
            let Some((waiting, most)) = listener.backlog.filter(|(waiting, most)| *most > 0 && waiting >= most) else {
                continue;
            };
            let sentence = format!(
                "{waiting} connections to {} wait to be accepted, and no more than {most} may: the server is too busy",
                listener.address
            );
            part.troubles.push(trouble(Cause::ServerPoolExhausted, 0.8, sentence, &listener.address.to_string()));
        }
    }
    let facts: Vec<serde_json::Value> = listeners
        .iter()
        .map(|listener| {
            serde_json::json!({
                "address": listener.address.to_string(),
                "program": listener.program.as_ref().map(|(name, _)| name),
                "pid": listener.program.as_ref().map(|(_, pid)| pid),
                "waiting": listener.backlog.map(|(waiting, _)| waiting),
                "most_waiting": listener.backlog.map(|(_, most)| most),
            })
        })
        .collect();
    let ok = part.troubles.iter().all(|named| named.likelihood < 0.5);
    let probe = Probe::new("host.listeners", Some(ok), Duration::ZERO, said.join(", ")).with("listeners", facts);
    part.probes.push(probe);
    part.listeners = listeners;
    part
}

/// The listening sockets in the text of `/proc/net/tcp` or `/proc/net/tcp6`.
pub(super) fn parse(text: &str) -> Vec<Socket> {
    text.lines()
        .filter_map(|line| {
            let mut fields = line.split_whitespace();
            let (_slot, local, _remote, state) = (fields.next()?, fields.next()?, fields.next()?, fields.next()?);
            let inode = fields.nth(5)?.parse().ok()?;
            (state == "0A").then_some(Socket { address: address(local)?, inode })
        })
        .collect()
}

/// An address as the kernel prints it: words of 32 bits in the machine's byte order, and the port.
fn address(text: &str) -> Option<SocketAddr> {
    let (ip, port) = text.split_once(':')?;
    let port = u16::from_str_radix(port, 16).ok()?;
    let word = |at: usize| Some(u32::from_str_radix(ip.get(at * 8..at * 8 + 8)?, 16).ok()?.to_ne_bytes());
    let ip = match ip.len() {
        8 => IpAddr::V4(Ipv4Addr::from(word(0)?)),
        32 => {
            let bytes = [word(0)?, word(1)?, word(2)?, word(3)?].concat();
            IpAddr::V6(Ipv6Addr::from(<[u8; 16]>::try_from(bytes).ok()?))
        }
        _ => return None,
    };
    Some(SocketAddr::new(ip, port))
}

/// The processes that have these sockets, as far as they may be seen: name and process id.
fn owners(inodes: &BTreeSet<u64>) -> BTreeMap<u64, Vec<(String, u32)>> {
    let mut owners: BTreeMap<u64, Vec<(String, u32)>> = BTreeMap::new();
    if inodes.is_empty() {
        return owners;
    }
    let processes = std::fs::read_dir("/proc").into_iter().flatten().flatten();
    let pids = processes.filter_map(|entry| entry.file_name().to_str()?.parse::<u32>().ok());
    for pid in pids.take(PROCESSES) {
        let files = std::fs::read_dir(format!("/proc/{pid}/fd")).into_iter().flatten().flatten();
        for link in files.filter_map(|file| std::fs::read_link(file.path()).ok()) {
            let inode = link.to_str().and_then(|link| link.strip_prefix("socket:[")?.strip_suffix(']')?.parse().ok());
            if let Some(inode) = inode.filter(|inode| inodes.contains(inode)) {
                let name = std::fs::read_to_string(format!("/proc/{pid}/comm")).unwrap_or_default();
                let owner = (name.trim().to_owned(), pid);
                let known = owners.entry(inode).or_default();
                if !known.contains(&owner) {
                    known.push(owner);
                }
            }
        }
    }
    owners
}

/// The processes that listen on these ports.
pub(super) fn processes(ports: &[u16]) -> BTreeSet<(String, u32)> {
    let texts = ["/proc/net/tcp", "/proc/net/tcp6"].map(|file| std::fs::read_to_string(file).unwrap_or_default());
    let sockets = texts.iter().flat_map(|text| parse(text)).filter(|socket| ports.contains(&socket.address.port()));
    owners(&sockets.map(|socket| socket.inode).collect()).into_values().flatten().collect()
}

/// How many connections wait at each listening socket, and how many may: by the kernel's socket monitor.
fn backlogs() -> std::io::Result<BTreeMap<u64, (u32, u32)>> {
    let mut found = BTreeMap::new();
    for family in [libc::AF_INET, libc::AF_INET6] {
        let kind = socket2::Type::from(libc::SOCK_RAW);
        let mut monitor = socket2::Socket::new(libc::AF_NETLINK.into(), kind, Some(libc::NETLINK_SOCK_DIAG.into()))?;
        monitor.set_read_timeout(Some(Duration::from_millis(500)))?;
        monitor.write_all(&question(u8::try_from(family).unwrap_or_default()))?;
        let mut buffer = vec![0_u8; 64 * 1024];
        loop {
            let length = monitor.read(&mut buffer)?;
            let (answers, is_last) = answers(buffer.get(..length).unwrap_or_default());
            found.extend(answers);
            if is_last || length == 0 {
                break;
            }
        }
    }
    Ok(found)
}

/// The request for all listening TCP sockets of a family: `inet_diag_req_v2` behind a netlink header (sock_diag(7)).
fn question(family: u8) -> Vec<u8> {
    const LENGTH: u32 = 72;
    const SOCK_DIAG_BY_FAMILY: u16 = 20;
    const REQUEST_AND_DUMP: u16 = 0x301;
    const TCP: u8 = 6;
    const LISTEN: u32 = 1 << 10;
    let mut bytes = Vec::with_capacity(LENGTH as usize);
    bytes.extend(LENGTH.to_ne_bytes());
    bytes.extend(SOCK_DIAG_BY_FAMILY.to_ne_bytes());
    bytes.extend(REQUEST_AND_DUMP.to_ne_bytes());
    bytes.extend([0; 8]);
    bytes.extend([family, TCP, 0, 0]);
    bytes.extend(LISTEN.to_ne_bytes());
    bytes.resize(LENGTH as usize, 0);
    bytes
}

/// An inode, the connections that wait at its socket, and how many may.
type Backlog = (u64, (u32, u32));

/// The sockets of an answer: inode, connections that wait, and how many may; and whether it is the last one.
fn answers(mut bytes: &[u8]) -> (Vec<Backlog>, bool) {
    const ERROR: u16 = 2;
    const DONE: u16 = 3;
    let mut found = Vec::new();
    loop {
        let word = |at: usize| Some(u32::from_ne_bytes(bytes.get(at..at + 4)?.try_into().ok()?));
        let kind = bytes.get(4..6).and_then(|kind| kind.try_into().ok()).map(u16::from_ne_bytes);
        let (Some(length), Some(kind)) = (word(0), kind) else { return (found, false) };
        if kind == DONE || kind == ERROR || length < 16 {
            return (found, true);
        }
        // Behind the header of 16 bytes: 4 bytes, the socket's identity of 48, its expiry, and then the two queues.
        if let (Some(waiting), Some(most), Some(inode)) = (word(16 + 56), word(16 + 60), word(16 + 68)) {
            found.push((u64::from(inode), (waiting, most)));
        }
        let next = (length as usize).next_multiple_of(4);
        bytes = bytes.get(next..).unwrap_or_default();
    }
}

/// How many connections the machine turned away since it started, because a listener's queue was full.
fn overflows() -> Option<u64> {
    counter(&std::fs::read_to_string("/proc/net/netstat").ok()?, "TcpExt", "ListenOverflows")
}

/// A counter in the text of `/proc/net/netstat`: a line of names, and below it one of numbers.
pub(super) fn counter(text: &str, group: &str, name: &str) -> Option<u64> {
    let mut lines = text.lines().filter_map(|line| line.strip_prefix(group)?.strip_prefix(':'));
    let (names, numbers) = (lines.next()?, lines.next()?);
    names.split_whitespace().zip(numbers.split_whitespace()).find(|(other, _)| *other == name)?.1.parse().ok()
}

pub(super) fn overflowing(before: Option<u64>, after: Option<u64>) -> Option<crate::logs::Named> {
    let (before, after) = (before?, after?);
    let grown = after.saturating_sub(before);
    if after == 0 {
        return None;
    }
    let (likelihood, sentence) = if grown > 0 {
        (0.8, format!("{grown} connections were turned away just now, because a listener's queue was full"))
    } else {
        (
            0.1,
            format!(
                "{after} connections were turned away since the machine started, because a listener's queue was full"
            ),
        )
    };
    let mut named = trouble(Cause::ServerPoolExhausted, likelihood, sentence, &format!("ListenOverflows {after}"));
    named.count = if grown > 0 { grown } else { after };
    Some(named)
}
