//! Against name servers on loopback that play resolver and zone.

use std::net::{IpAddr, SocketAddr, UdpSocket as StdUdpSocket};
use std::time::Duration;

use hickory_proto::op::{Message, ResponseCode};
use hickory_proto::rr::rdata::{A, CNAME, NS, SOA};
use hickory_proto::rr::{Name, RData, Record, RecordType};
use rayline_verdict::Code;
use tokio::net::UdpSocket;
use tokio::task::JoinHandle;

use super::{Resolver, look_by};
use crate::case::Case;
use crate::network::{Dns, Source};
use crate::probe::{Probe, Unwatched};

const PATIENCE: Duration = Duration::from_secs(5);
const OLD: &str = "192.0.2.1";
const NEW: &str = "192.0.2.2";

/// A name server. Dropping it closes its port.
struct Server {
    address: SocketAddr,
    task: JoinHandle<()>,
}

impl Drop for Server {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// What a server makes of a question: its answer, filled; `false` to say nothing.
type Play = fn(&mut Message, &Name, RecordType, bool) -> bool;

/// A server at this address that plays so.
fn serve(address: SocketAddr, play: Play) -> Server {
    let socket = StdUdpSocket::bind(address).unwrap();
    socket.set_nonblocking(true).unwrap();
    let address = socket.local_addr().unwrap();
    let socket = UdpSocket::from_std(socket).unwrap();
    let task = tokio::spawn(async move {
        let mut bytes = [0; 4096];
        while let Ok((length, peer)) = socket.recv_from(&mut bytes).await {
            let query = Message::from_vec(&bytes[..length]).unwrap();
            let mut answer = Message::response(query.metadata.id, query.metadata.op_code);
            let question = query.queries[0].clone();
            answer.add_query(question.clone());
            if play(&mut answer, question.name(), question.query_type(), query.metadata.checking_disabled) {
                socket.send_to(&answer.to_vec().unwrap(), peer).await.unwrap();
            }
        }
    });
    Server { address, task }
}

fn name(text: &str) -> Name {
    Name::from_ascii(text).unwrap()
}

fn add(answer: &mut Message, owner: &str, data: RData) {
    answer.add_answer(Record::from_rdata(name(owner), 300, data));
}

fn address(answer: &mut Message, owner: &Name, kind: RecordType, ip: &str) {
    if kind == RecordType::A {
        answer.add_answer(Record::from_rdata(owner.clone(), 300, RData::A(A(ip.parse().unwrap()))));
    }
}

/// A resolver that knows `www.shop.test.` at the old address, in a zone with two servers.
fn resolver_with_two_servers(answer: &mut Message, asked: &Name, kind: RecordType, _unchecked: bool) -> bool {
    match (asked.to_ascii().as_str(), kind) {
        ("shop.test.", RecordType::NS) => {
            add(answer, "shop.test.", RData::NS(NS(name("a.ns.test."))));
            add(answer, "shop.test.", RData::NS(NS(name("b.ns.test."))));
        }
        ("a.ns.test.", kind) => address(answer, asked, kind, "127.0.0.2"),
        ("b.ns.test.", kind) => address(answer, asked, kind, "127.0.0.3"),
        ("www.shop.test.", RecordType::NS) => {
            let soa = SOA::new(name("a.ns.test."), name("admin.shop.test."), 1, 1, 1, 1, 1);
            answer.add_authority(Record::from_rdata(name("shop.test."), 1, RData::SOA(soa)));
        }
        ("www.shop.test.", kind) => address(answer, asked, kind, OLD),
        _ => answer.metadata.response_code = ResponseCode::NXDomain,
    }
    true
}

fn says_old(answer: &mut Message, asked: &Name, kind: RecordType, _unchecked: bool) -> bool {
    answer.metadata.authoritative = true;
    address(answer, asked, kind, OLD);
    true
}

fn says_new(answer: &mut Message, asked: &Name, kind: RecordType, _unchecked: bool) -> bool {
    answer.metadata.authoritative = true;
    address(answer, asked, kind, NEW);
    true
}

fn denies(answer: &mut Message, _asked: &Name, _kind: RecordType, _unchecked: bool) -> bool {
    answer.metadata.authoritative = true;
    answer.metadata.response_code = ResponseCode::NXDomain;
    true
}

fn refuses(answer: &mut Message, _asked: &Name, _kind: RecordType, _unchecked: bool) -> bool {
    answer.metadata.response_code = ResponseCode::Refused;
    true
}

fn case(host: &str, name_servers: &[SocketAddr]) -> Case {
    let url = format!("http://{host}/").parse().unwrap();
    Case { name_servers: name_servers.to_vec(), timeout: PATIENCE, ..Case::new(url) }
}

/// What is seen of `www.shop.test` by such a resolver and such servers of the zone.
async fn seen(resolver: Play, zone: [Play; 2]) -> (Dns, Vec<Probe>) {
    let resolver = serve("127.0.0.1:0".parse().unwrap(), resolver);
    // The zone's servers have a port in common.
    let (one, two) = loop {
        let one = serve("127.0.0.2:0".parse().unwrap(), zone[0]);
        let beside = SocketAddr::new("127.0.0.3".parse().unwrap(), one.address.port());
        if StdUdpSocket::bind(beside).is_ok() {
            break (one, serve(beside, zone[1]));
        }
    };
    let case = case("www.shop.test", &[resolver.address]);
    let asked = Resolver { authority_port: one.address.port(), ..Resolver::new(&case) };
    let seen = look_by(&asked, &case, &Unwatched).await;
    drop(two);
    seen
}

fn ip(text: &str) -> IpAddr {
    text.parse().unwrap()
}

#[tokio::test]
async fn the_zones_servers_are_found_and_asked() {
    let (dns, probes) = seen(resolver_with_two_servers, [says_old, says_old]).await;
    assert_eq!((dns.zone.as_deref(), dns.source), (Some("shop.test"), Source::Asked));
    let resolver = dns.resolver.unwrap();
    assert_eq!((resolver.addresses, resolver.ttl, resolver.failed), (vec![ip(OLD)], Some(300), None));
    let servers: Vec<_> = dns.authoritative.iter().map(|(server, _)| server.as_str()).collect();
    assert_eq!(servers, ["a.ns.test (127.0.0.2)", "b.ns.test (127.0.0.3)"]);
    assert!(dns.differences.is_empty(), "{:?}", dns.differences);
    assert_eq!(probes.iter().map(|probe| probe.ok).collect::<Vec<_>>(), [Some(true), Some(true)]);
}

#[tokio::test]
async fn a_move_that_the_resolver_has_not_heard_of_is_told() {
    let (dns, probes) = seen(resolver_with_two_servers, [says_new, says_new]).await;
    assert_eq!(dns.differences.len(), 1, "{:?}", dns.differences);
    assert!(dns.differences[0].contains(OLD) && dns.differences[0].contains(NEW), "{:?}", dns.differences);
    // Many zones do so on purpose.
    assert_eq!(probes[1].ok, None);
}

#[tokio::test]
async fn servers_of_a_zone_that_do_not_agree_are_told() {
    let (dns, _) = seen(resolver_with_two_servers, [says_old, says_new]).await;
    assert_eq!(dns.differences.len(), 1, "{:?}", dns.differences);
    assert!(dns.differences[0].starts_with("its servers do not agree"), "{:?}", dns.differences);
    let (dns, probes) = seen(resolver_with_two_servers, [says_old, denies]).await;
    assert_eq!((dns.differences.len(), probes[1].ok), (1, Some(false)), "{:?}", dns.differences);
    let (dns, probes) = seen(resolver_with_two_servers, [refuses, says_old]).await;
    assert_eq!((dns.differences.len(), probes[1].ok), (1, Some(false)), "{:?}", dns.differences);
    assert!(dns.differences[0].contains("REFUSED"), "{:?}", dns.differences);
}

#[tokio::test]
async fn a_server_above_the_zone_sends_to_those_of_the_zone() {
    fn sends_on(answer: &mut Message, asked: &Name, kind: RecordType, _unchecked: bool) -> bool {
        let ns = RData::NS(NS(name("b.ns.test.")));
        answer.add_authority(Record::from_rdata(name("www.shop.test."), 300, ns));
        let glue = RData::A(A("127.0.0.3".parse().unwrap()));
        answer.add_additional(Record::from_rdata(name("b.ns.test."), 300, glue));
        let _ = (asked, kind);
        true
    }
    let (dns, _) = seen(resolver_with_two_servers, [sends_on, says_old]).await;
    assert_eq!(dns.zone.as_deref(), Some("www.shop.test"));
    assert_eq!(dns.authoritative.len(), 1);
    assert!(dns.differences.is_empty(), "{:?}", dns.differences);
}

#[tokio::test]
async fn an_alias_into_another_zone_is_no_difference() {
    fn resolver(answer: &mut Message, asked: &Name, kind: RecordType, unchecked: bool) -> bool {
        if asked == &name("www.shop.test.") && kind == RecordType::A {
            add(answer, "www.shop.test.", RData::CNAME(CNAME(name("cdn.test."))));
            address(answer, &name("cdn.test."), kind, NEW);
            return true;
        }
        resolver_with_two_servers(answer, asked, kind, unchecked)
    }
    fn alias(answer: &mut Message, _asked: &Name, _kind: RecordType, _unchecked: bool) -> bool {
        answer.metadata.authoritative = true;
        add(answer, "www.shop.test.", RData::CNAME(CNAME(name("cdn.test."))));
        true
    }
    let (dns, probes) = seen(resolver, [alias, alias]).await;
    assert_eq!(dns.resolver.unwrap().aliases, ["cdn.test"]);
    assert!(dns.differences.is_empty(), "{:?}", dns.differences);
    assert_eq!(dns.authoritative[0].1.failed, None);
    assert_eq!(probes[1].ok, Some(true));
}

#[tokio::test]
async fn broken_signatures_are_told_from_other_failures() {
    fn validating(answer: &mut Message, asked: &Name, kind: RecordType, unchecked: bool) -> bool {
        if kind == RecordType::A && !unchecked {
            answer.metadata.response_code = ResponseCode::ServFail;
        } else {
            address(answer, asked, kind, OLD);
        }
        true
    }
    let server = serve("127.0.0.1:0".parse().unwrap(), validating);
    let case = case("www.shop.test", &[server.address]);
    let (dns, probes) = look_by(&Resolver::new(&case), &case, &Unwatched).await;
    assert!(dns.dnssec);
    assert_eq!(dns.verdict.unwrap().code, Code::NetworkResolveServfail);
    assert!(probes[0].said.contains("DNSSEC"), "{}", probes[0].said);
}

#[tokio::test]
async fn silence_convicts_no_server_of_a_zone_and_a_refusal_does() {
    fn silent(_answer: &mut Message, _asked: &Name, _kind: RecordType, _unchecked: bool) -> bool {
        false
    }
    let (dns, probes) = seen(resolver_with_two_servers, [refuses, refuses]).await;
    assert_eq!((dns.differences.len(), probes[1].ok), (1, Some(false)), "{:?}", dns.differences);
    let resolver = serve("127.0.0.1:0".parse().unwrap(), resolver_with_two_servers);
    let zone = serve("127.0.0.2:0".parse().unwrap(), silent);
    let case = Case { timeout: Duration::from_millis(600), ..case("www.shop.test", &[resolver.address]) };
    // Its other server is not there at all.
    let patience = Duration::from_millis(200);
    let asked = Resolver { authority_port: zone.address.port(), patience, ..Resolver::new(&case) };
    let (dns, probes) = look_by(&asked, &case, &Unwatched).await;
    assert!(dns.differences.len() <= 1, "{:?}", dns.differences);
    assert_eq!(probes[1].ok, None, "{}", probes[1].said);
}

#[tokio::test]
async fn a_resolver_that_fails_alone_is_told_from_a_zone_that_does() {
    fn fails(answer: &mut Message, asked: &Name, kind: RecordType, unchecked: bool) -> bool {
        let asks_for_it = asked == &name("www.shop.test.") && kind != RecordType::NS;
        if asks_for_it {
            answer.metadata.response_code = ResponseCode::ServFail;
            return true;
        }
        resolver_with_two_servers(answer, asked, kind, unchecked)
    }
    let (dns, probes) = seen(fails, [says_old, says_old]).await;
    assert!(!dns.dnssec);
    assert_eq!(dns.verdict.unwrap().code, Code::NetworkResolveServfail);
    assert_eq!((dns.differences.len(), probes[1].ok), (1, None), "{:?}", dns.differences);
}
