//! The path to an address, router by router, with loss and latency.
//!
//! The probes are connections to the very port, each allowed one hop further than the last: what lets the site's
//! visitors through lets them through too, which is not so for ping, and Linux tells any program which router ended a
//! connection of its own (`IP_RECVERR`). Tracing libraries build their packets themselves, for which they want raw
//! sockets and thus privileges. What this costs: each probe leaves from another port, so that two of them may take
//! different ways where routers share load; and it works on Linux only.

mod icmp;

use std::collections::BTreeMap;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::time::{Duration, Instant};

use futures_util::future::join_all;
use futures_util::stream::{FuturesUnordered, StreamExt as _};
use serde_json::{Value, json};
use socket2::{Domain, Protocol, Socket, Type};
use tokio::net::TcpStream;
use tokio::time::{interval, sleep, timeout};

use super::{Hop, Path};
use crate::probe::{Probe, Watcher};

/// The most hops that are looked at.
const MOST_HOPS: u8 = 30;
/// Probes for each hop.
const ROUNDS: u32 = 3;
/// More of them where packets to the end are lost: one of three may be by chance.
const MORE_ROUNDS: u32 = 7;
/// The share of lost packets below which it may be chance.
const NOTABLE: f64 = 0.15;
/// How long a hop may take to answer: less than after which the kernel would repeat the probe by itself.
const PATIENCE: Duration = Duration::from_millis(950);
/// Between two probes of the first round. Where the path ends shows meanwhile, and no more probes are sent than that.
const FIRST_PACE: Duration = Duration::from_millis(20);
/// Between two probes of the later rounds.
const PACE: Duration = Duration::from_millis(5);

/// What a probe met.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Reply {
    /// A router where it ended.
    Hop(IpAddr),
    /// The end of the path, which took or refused the connection.
    End,
    /// Somebody on the way who turned it away.
    Barred(IpAddr),
}

/// What a probe that was allowed so many hops met, and after how long; `None`: nobody answered.
type Heard = (u8, Option<(Reply, Duration)>);

/// Whose end a path has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum End {
    /// A server's, that takes connections.
    Server,
    /// One that need not answer, such as an address that an edge comes from.
    Silent,
}

/// Traces the path to `to`, in about two seconds.
pub(super) async fn look(to: SocketAddr, end: End, limit: Duration, watcher: &dyn Watcher) -> (Option<Path>, Probe) {
    let name = format!("network.path.{to}");
    watcher.began(&name, &format!("tracing the path to {to}"));
    let began = Instant::now();
    let traced = trace(to, PATIENCE.min(limit / 2)).await;
    let took = began.elapsed();
    let (path, probe) = match traced {
        Ok(heard) => {
            let path = path(to, &heard);
            let probe = told(&name, &path, took);
            (Some(path), if end == End::Silent { excused(probe) } else { probe })
        }
        Err(error) => {
            (None, Probe::new(name, None, took, format!("the path to {to} cannot be traced from here: {error}")))
        }
    };
    watcher.ended(&probe);
    (path, probe)
}

async fn trace(to: SocketAddr, patience: Duration) -> io::Result<Vec<Heard>> {
    let (mut heard, end) = find_end(to, patience).await?;
    // Beyond the last that answers there is nobody to ask again.
    let answered = heard.iter().filter(|(_, reply)| reply.is_some()).map(|(ttl, _)| *ttl).max();
    let last = end.or(answered).unwrap_or(0);
    again(to, last, ROUNDS - 1, patience, &mut heard).await?;
    // The first probe that was allowed as far as the end may have been lost.
    let end = heard.iter().filter(|(_, reply)| matches!(reply, Some((Reply::End, _)))).map(|(ttl, _)| *ttl).min();
    if heard.iter().any(|(ttl, reply)| Some(*ttl) == end && reply.is_none()) {
        again(to, end.unwrap_or(last), MORE_ROUNDS, patience, &mut heard).await?;
    }
    Ok(heard)
}

/// The first round: the probes' replies, and after how many hops the path ends.
async fn find_end(to: SocketAddr, patience: Duration) -> io::Result<(Vec<Heard>, Option<u8>)> {
    let (mut heard, mut end, mut next) = (Vec::new(), None, 1);
    let mut running = FuturesUnordered::new();
    let mut pace = interval(FIRST_PACE);
    loop {
        let more = next <= end.unwrap_or(MOST_HOPS);
        if !more && running.is_empty() {
            return Ok((heard, end));
        }
        tokio::select! {
            _ = pace.tick(), if more => {
                running.push(probe(to, next, patience));
                next += 1;
            }
            Some(outcome) = running.next(), if !running.is_empty() => {
                let (ttl, reply) = outcome?;
                if let Some((Reply::End | Reply::Barred(_), _)) = reply {
                    end = Some(end.map_or(ttl, |end: u8| end.min(ttl)));
                }
                heard.push((ttl, reply));
            }
        }
    }
}

/// Some more rounds to all hops up to the last.
async fn again(to: SocketAddr, last: u8, rounds: u32, patience: Duration, heard: &mut Vec<Heard>) -> io::Result<()> {
    let hops = (0..rounds).flat_map(|_| 1..=last);
    let probes = hops.zip(0_u32..).map(|(ttl, place)| async move {
        sleep(PACE * place).await;
        probe(to, ttl, patience).await
    });
    heard.extend(join_all(probes).await.into_iter().collect::<io::Result<Vec<_>>>()?);
    Ok(())
}

/// Connects, allowed so many hops.
async fn probe(to: SocketAddr, ttl: u8, patience: Duration) -> io::Result<Heard> {
    let socket = Socket::new(Domain::for_address(to), Type::STREAM, Some(Protocol::TCP))?;
    socket.set_nonblocking(true)?;
    if to.is_ipv6() {
        socket.set_unicast_hops_v6(u32::from(ttl))?;
    } else {
        socket.set_ttl_v4(u32::from(ttl))?;
    }
    icmp::listen(&socket, to.is_ipv6())?;
    let began = Instant::now();
    match socket.connect(&to.into()) {
        Err(error) if error.raw_os_error() != Some(libc::EINPROGRESS) => return Err(error),
        Ok(()) | Err(_) => {}
    }
    let stream = TcpStream::from_std(socket.into())?;
    if timeout(patience, stream.writable()).await.is_err() {
        return Ok((ttl, None));
    }
    let took = began.elapsed();
    let reply = match stream.take_error()? {
        None => Some(Reply::End),
        Some(error) => match icmp::heard(&stream) {
            Some(icmp) if icmp.from == to.ip() => Some(Reply::End),
            Some(icmp) if icmp.expired => Some(Reply::Hop(icmp.from)),
            Some(icmp) => Some(Reply::Barred(icmp.from)),
            None if error.kind() == io::ErrorKind::ConnectionRefused => Some(Reply::End),
            None => None,
        },
    };
    Ok((ttl, reply.map(|reply| (reply, took))))
}

/// What the probes' replies come to.
fn path(to: SocketAddr, heard: &[Heard]) -> Path {
    let with = |wanted: fn(Reply) -> bool| {
        let found = heard.iter().filter(|(_, heard)| heard.is_some_and(|(reply, _)| wanted(reply)));
        found.map(|(ttl, _)| *ttl).min()
    };
    let end = with(|reply| reply == Reply::End);
    let bar = with(|reply| matches!(reply, Reply::Barred(_)));
    let last_router = || heard.iter().filter(|(_, heard)| heard.is_some()).map(|(ttl, _)| *ttl).max();
    let last = end.or(bar).or_else(last_router).unwrap_or(0);
    let hops = (1..=last).map(|ttl| hop(to, heard.iter().filter(|(of, _)| *of == ttl).map(|(_, heard)| *heard)));
    let barred = heard.iter().find_map(|(_, heard)| match heard {
        Some((Reply::Barred(from), _)) => Some(*from),
        Some((Reply::Hop(_) | Reply::End, _)) | None => None,
    });
    let (mut hops, barred) = (hops.collect::<Vec<_>>(), barred.filter(|_| end.is_none()));
    // Who turns away what it should pass on lets packets expire like every router: it is one hop, not two.
    if let [.., Some(at), Some(beyond)] = &hops[..]
        && barred == Some(at.address)
        && at.address == beyond.address
    {
        hops.pop();
    }
    Path { to, hops, reached: end.is_some(), barred }
}

/// What the probes that were allowed the same number of hops say of who is there.
fn hop(to: SocketAddr, heard: impl Iterator<Item = Option<(Reply, Duration)>>) -> Option<Hop> {
    let (mut sent, mut times, mut addresses) = (0_u32, Vec::new(), BTreeMap::<IpAddr, u32>::new());
    for heard in heard {
        sent += 1;
        let Some((reply, took)) = heard else { continue };
        let address = match reply {
            Reply::Hop(from) | Reply::Barred(from) => from,
            Reply::End => to.ip(),
        };
        *addresses.entry(address).or_default() += 1;
        times.push(took);
    }
    times.sort_unstable();
    let address = addresses.into_iter().max_by_key(|(_, count)| *count).map(|(address, _)| address)?;
    let round_trip = *times.get(times.len() / 2)?;
    let answered = u32::try_from(times.len()).unwrap_or(u32::MAX);
    Some(Hop { address, round_trip, lost: 1.0 - f64::from(answered) / f64::from(sent.max(1)) })
}

impl Path {
    /// The place of the hop from which on packets are lost, from 0, and the share that is lost on the whole way. Routers
    /// answer when they like: only where all that follow, the end among them, lose as much is it their packets that are.
    pub fn loss(&self) -> Option<(usize, f64)> {
        let end = self.hops.last().filter(|_| self.reached)?.as_ref()?.lost;
        if end < NOTABLE {
            return None;
        }
        let clean = |hop: &Option<Hop>| hop.as_ref().is_some_and(|hop| hop.lost < end / 2.0);
        let from = self.hops.iter().rposition(clean).map_or(0, |last_clean| last_clean + 1);
        Some((from, end))
    }
}

fn told(name: &str, path: &Path, took: Duration) -> Probe {
    let to = path.to;
    let last = path.hops.iter().enumerate().rev().find_map(|(place, hop)| Some((place + 1, hop.as_ref()?)));
    let (ok, said) = match (path.barred, last, path.loss()) {
        (Some(from), _, _) => (Some(false), format!("{from} on the way to {to} turns connections away")),
        (None, Some((hops, end)), Some((from, lost))) if path.reached => {
            let where_from = path.hops.get(from).and_then(Option::as_ref).map_or(end, |hop| hop).address;
            let said = format!(
                "{:.0} % of the packets to {to} are lost, from hop {} of {hops} on ({where_from})",
                lost * 100.0,
                from + 1
            );
            (Some(false), said)
        }
        (None, Some((hops, end)), _) if path.reached => {
            (Some(true), format!("{to} is {hops} hops away, {} ms and back", in_ms(end.round_trip)))
        }
        (None, Some((hops, hop)), _) => {
            let said = format!("{to} is not reached: behind hop {hops}, {}, nobody answers", hop.address);
            (Some(false), said)
        }
        (None, None, _) => (None, format!("nobody on the way to {to} answers")),
    };
    let hops: Vec<Value> = path.hops.iter().map(|hop| hop.as_ref().map_or(Value::Null, in_json)).collect();
    Probe::new(name, ok, took, said).with("hops", hops).with("reached", path.reached)
}

/// The same of an end that need not answer: that it is not reached says nothing, and what is lost far from here is not to be
/// laid on anybody.
fn excused(mut probe: Probe) -> Probe {
    if probe.ok == Some(false) {
        probe.ok = None;
        probe.said.push_str(", which may be so for probes alone");
    }
    probe
}

fn in_json(hop: &Hop) -> Value {
    let lost = (hop.lost * 1000.0).round() / 1000.0;
    json!({"address": hop.address.to_string(), "round_trip_ms": in_ms(hop.round_trip), "lost": lost})
}

/// Milliseconds, to a tenth.
fn in_ms(duration: Duration) -> f64 {
    (duration.as_secs_f64() * 10_000.0).round() / 10.0
}

#[cfg(test)]
mod tests {
    use super::*;

    fn to() -> SocketAddr {
        "192.0.2.7:443".parse().unwrap()
    }

    fn router(number: u8) -> IpAddr {
        IpAddr::from([198, 51, 100, number])
    }

    fn heard(ttl: u8, replies: [Option<Reply>; 3]) -> impl Iterator<Item = Heard> {
        let times = [30, 10, 20].map(Duration::from_millis);
        replies.into_iter().zip(times).map(move |(reply, time)| (ttl, reply.map(|reply| (reply, time))))
    }

    fn all(ttl: u8, reply: Reply) -> impl Iterator<Item = Heard> {
        heard(ttl, [Some(reply); 3])
    }

    #[test]
    fn a_router_that_answers_seldom_loses_nothing() {
        let (one, two) = (Reply::Hop(router(1)), Reply::Hop(router(2)));
        let seldom = heard(2, [Some(two), None, None]);
        let path = path(
            to(),
            &all(1, one).chain(seldom).chain(heard(3, [None; 3])).chain(all(4, Reply::End)).collect::<Vec<_>>(),
        );
        assert!(path.reached);
        let addresses: Vec<_> = path.hops.iter().map(|hop| hop.as_ref().map(|hop| hop.address)).collect();
        assert_eq!(addresses, [Some(router(1)), Some(router(2)), None, Some(to().ip())]);
        assert_eq!(path.hops[0].as_ref().unwrap().round_trip, Duration::from_millis(20));
        assert_eq!(path.loss(), None);
    }

    #[test]
    fn loss_begins_where_all_that_follow_lose_as_much() {
        let lossy = |ttl, reply| heard(ttl, [Some(reply), None, None]);
        let replies = all(1, Reply::Hop(router(1))).chain(lossy(2, Reply::Hop(router(2)))).chain(lossy(3, Reply::End));
        let path = path(to(), &replies.collect::<Vec<_>>());
        let (from, lost) = path.loss().unwrap();
        assert_eq!((from, (lost * 3.0).round()), (1, 2.0));
        assert_eq!(told("network.path", &path, PATIENCE).ok, Some(false));
    }

    #[test]
    fn where_it_ends_is_told() {
        let one = Reply::Hop(router(1));
        let silent = path(to(), &all(1, one).chain(heard(2, [None; 3])).collect::<Vec<_>>());
        assert_eq!((silent.reached, silent.hops.len()), (false, 1));
        let at_once = path(to(), &all(1, one).chain(all(2, Reply::Barred(router(1)))).collect::<Vec<_>>());
        assert_eq!((at_once.hops.len(), at_once.barred), (1, Some(router(1))));
        let barred = path(to(), &all(1, one).chain(all(2, Reply::Barred(router(9)))).collect::<Vec<_>>());
        assert_eq!((barred.reached, barred.barred), (false, Some(router(9))));
        assert!(told("network.path", &barred, PATIENCE).said.contains("198.51.100.9"));
        assert_eq!(told("network.path", &path(to(), &[]), PATIENCE).ok, None);
        let excused = excused(told("network.path", &silent, PATIENCE));
        assert_eq!(excused.ok, None, "a far router that is silent is nobody's fault");
        assert!(excused.said.ends_with("for probes alone"), "{}", excused.said);
    }

    #[tokio::test]
    async fn this_machine_is_one_hop_away() {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let refused = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        for address in [listener.local_addr().unwrap(), refused] {
            let (path, probe) = look(address, End::Server, PATIENCE * 2, &crate::probe::Unwatched).await;
            let path = path.unwrap();
            assert_eq!((path.reached, path.hops.len(), probe.ok), (true, 1, Some(true)), "{}", probe.said);
        }
    }
}
