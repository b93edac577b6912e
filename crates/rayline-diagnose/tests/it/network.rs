//! Names and addresses, with a name server and origins on loopback.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::time::Duration;

use rayline_diagnose::case::Case;
use rayline_diagnose::network::{Network, Source, look, toward};
use rayline_diagnose::probe::{Probe, Unwatched};
use rayline_testkit::{Dns, DnsAnswer, Origin, Script};
use rayline_verdict::Code;

const PATIENCE: Duration = Duration::from_secs(10);
const V4: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);
const V6: IpAddr = IpAddr::V6(Ipv6Addr::LOCALHOST);

fn case(url: &str, name_servers: &[SocketAddr]) -> Case {
    let url = url.parse().unwrap();
    Case { name_servers: name_servers.to_vec(), timeout: PATIENCE, ..Case::new(url) }
}

async fn look_up(host: &str, dns: &Dns) -> Network {
    look(&case(&format!("http://{host}/"), &[dns.addr()]), &[], &[], &Unwatched).await
}

fn probe<'a>(network: &'a Network, name: &str) -> &'a Probe {
    network.probes.iter().find(|probe| probe.name == name).unwrap()
}

#[tokio::test]
async fn a_name_that_leads_somewhere() {
    let dns = Dns::start([
        ("www.shop.test", DnsAnswer::Alias("host.test".to_owned())),
        ("host.test", DnsAnswer::Addresses(vec![V6, V4])),
    ])
    .unwrap();
    let network = look_up("www.shop.test", &dns).await;
    let answered = network.dns.resolver.as_ref().unwrap();
    assert_eq!((&answered.addresses, &answered.aliases), (&vec![V4, V6], &vec!["host.test".to_owned()]));
    assert_eq!((answered.ttl, &answered.failed), (Some(1), &None));
    // On a network of one's own they may be right.
    assert_eq!(network.dns.prohibited, [V4, V6]);
    let probe = probe(&network, "network.dns");
    assert_eq!((probe.ok, probe.facts["source"].as_str()), (Some(true), Some("dns")));
    assert!(probe.said.contains("127.0.0.1") && probe.said.contains("host.test"), "{}", probe.said);
}

#[tokio::test]
async fn each_failure_of_the_resolver_has_its_verdict() {
    let alias = |to: &str| DnsAnswer::Alias(to.to_owned());
    let dns = Dns::start([
        ("gone.test", DnsAnswer::NxDomain),
        ("empty.test", DnsAnswer::Empty),
        ("servfail.test", DnsAnswer::ServFail),
        ("refused.test", DnsAnswer::Refused),
        ("one.test", alias("two.test")),
        ("two.test", alias("one.test")),
        ("lost.test", alias("gone.test")),
    ])
    .unwrap();
    for (name, code, word) in [
        ("gone.test", Code::OwnerResolveNxdomain, "does not exist"),
        ("empty.test", Code::OwnerResolveNoAddress, "no address"),
        ("servfail.test", Code::NetworkResolveServfail, "SERVFAIL"),
        ("refused.test", Code::NetworkResolveRefused, "REFUSED"),
        ("one.test", Code::OwnerResolveAliasLoop, "circle"),
        ("lost.test", Code::OwnerResolveNxdomain, "`gone.test`: NXDOMAIN"),
    ] {
        let network = look_up(name, &dns).await;
        assert_eq!(network.dns.verdict.as_ref().map(|verdict| verdict.code), Some(code), "{name}");
        assert!(network.dns.resolver.as_ref().unwrap().failed.is_some(), "{name}");
        let probe = probe(&network, "network.dns");
        assert_eq!(probe.ok, Some(false), "{name}");
        assert!(probe.said.contains(word), "{name}: {}", probe.said);
    }
}

#[tokio::test]
async fn a_name_server_that_is_silent_or_not_there() {
    let dns = Dns::start([("silent.test", DnsAnswer::Silent)]).unwrap();
    let mut silent = case("http://silent.test/", &[dns.addr()]);
    silent.timeout = Duration::from_millis(600);
    let network = look(&silent, &[], &[], &Unwatched).await;
    assert_eq!(network.dns.verdict.unwrap().code, Code::NetworkResolveTimedOut);
    assert_eq!(network.dns.resolver.unwrap().failed.as_deref(), Some("timed out"));

    // Connected to itself, the socket takes from nobody else, and keeps the port from others.
    let nobody = std::net::UdpSocket::bind("127.0.0.1:0").unwrap();
    nobody.connect(nobody.local_addr().unwrap()).unwrap();
    let network = look(&case("http://any.test/", &[nobody.local_addr().unwrap()]), &[], &[], &Unwatched).await;
    assert_eq!(network.dns.verdict.unwrap().code, Code::NetworkResolveUnreachable);
}

#[tokio::test]
async fn a_truncated_answer_is_fetched_over_tcp() {
    let dns = Dns::start([("large.test", DnsAnswer::Truncated(vec![V4]))]).unwrap();
    assert_eq!(look_up("large.test", &dns).await.dns.resolver.unwrap().addresses, [V4]);
}

#[tokio::test]
async fn what_needs_no_name_server_asks_none() {
    let dns = Dns::start([("unused.test", DnsAnswer::Empty)]).unwrap();
    let mut given = case("http://shop.test/", &[dns.addr()]);
    given.resolved = vec!["shop.test:80:127.0.0.1".parse().unwrap()];
    for (case, source) in [
        (case("http://127.0.0.1:8080/", &[dns.addr()]), Source::Address),
        (case("http://[::1]/", &[dns.addr()]), Source::Address),
        (case("http://shop.demo.localhost/", &[dns.addr()]), Source::Localhost),
        (given, Source::Given),
    ] {
        let network = look(&case, &[], &[], &Unwatched).await;
        assert_eq!((network.dns.source, network.dns.verdict.is_none()), (source, true));
        assert_eq!(probe(&network, "network.dns").ok, None);
    }
    assert_eq!(dns.questions(), []);
}

#[tokio::test]
async fn the_machine_knows_its_own_addresses() {
    let dns = Dns::start([
        ("here.test", DnsAnswer::address(V4)),
        ("there.test", DnsAnswer::address(Ipv4Addr::new(192, 0, 2, 1))),
    ])
    .unwrap();
    for (name, ours) in [("here.test", Some(true)), ("there.test", Some(false))] {
        let here = Case { here: true, ..case(&format!("http://{name}/"), &[dns.addr()]) };
        assert_eq!(look(&here, &[], &[], &Unwatched).await.dns.ours, ours);
    }
    assert_eq!(look_up("here.test", &dns).await.dns.ours, None);
}

#[tokio::test]
async fn each_address_is_connected_to() {
    let origin = Origin::start(Script::ok()).unwrap();
    let refuses = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let case = case("http://127.0.0.1/", &[]);
    let network = look(&case, &[origin.addr()], &[refuses], &Unwatched).await;
    let of = |address| network.tcp.iter().find(|tcp| tcp.address == address).unwrap();
    assert!(of(origin.addr()).is_site && of(origin.addr()).outcome.is_ok());
    let refused = of(refuses);
    assert_eq!((refused.is_site, refused.named), (false, true));
    assert_eq!(refused.outcome.as_ref().unwrap_err().code, Code::OriginConnectRefused);
    assert_eq!(probe(&network, &format!("network.tcp.{refuses}")).ok, Some(false));
    let usual: Vec<_> = network.tcp.iter().filter(|tcp| !tcp.named).map(|tcp| tcp.address.port()).collect();
    assert_eq!(usual, [80, 443]);
}

#[tokio::test]
async fn from_the_origin_the_ways_toward_the_edge_are_looked_at() {
    let edge = Origin::start(Script::ok()).unwrap();
    let case = case("http://shop.test/", &[]);
    let ways = toward(&case, &[edge.addr()], &Unwatched).await;
    assert_eq!(ways.paths.iter().map(|path| (path.to, path.reached)).collect::<Vec<_>>(), [(edge.addr(), true)]);
    assert!(ways.black_holes.is_empty(), "{:?}", ways.probes);
    let mtu = ways.probes.iter().find(|probe| probe.name == "network.mtu").unwrap();
    assert_eq!(mtu.ok, Some(true), "{}", mtu.said);
    assert!(mtu.facts["mss_bytes"].as_i64().unwrap() > 500, "{:?}", mtu.facts);
    assert_eq!(edge.requests(), 0, "no application hears of it");

    let nowhere = toward(&case, &[], &Unwatched).await;
    let [probe] = nowhere.probes.as_slice() else { unreachable!() };
    assert_eq!((probe.ok, probe.name.as_str()), (None, "network.toward"));
    assert!(probe.said.contains("no access log"), "{}", probe.said);
}
