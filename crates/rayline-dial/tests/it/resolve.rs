use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, UdpSocket};
use std::time::Duration;

use rayline_dial::Resolver;
use rayline_testkit::{Dns, DnsAnswer};
use rayline_verdict::evidence::DnsFacts;
use rayline_verdict::fault::{Cause, ResolveCause};
use rayline_verdict::{Fact, Fault};

use crate::kit::{fact, keys};

const PATIENCE: Duration = Duration::from_secs(10);
const V4: IpAddr = IpAddr::V4(Ipv4Addr::new(192, 0, 2, 1));
const V6: IpAddr = IpAddr::V6(Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 1));

fn resolver(dns: &Dns) -> Resolver {
    Resolver::new(&[dns.addr()], PATIENCE).unwrap()
}

/// An address where nobody answers: the socket is connected to itself, so the kernel takes nothing from elsewhere for it,
/// and while it lives nobody else has the port.
fn nobody() -> (UdpSocket, SocketAddr) {
    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    let address = socket.local_addr().unwrap();
    socket.connect(address).unwrap();
    (socket, address)
}

fn facts(fault: &Fault) -> &DnsFacts {
    let Fact::Dns(facts) = fact(fault, "dns") else { unreachable!() };
    facts
}

#[tokio::test]
async fn both_families_are_asked_and_ipv6_comes_first() {
    let dns = Dns::start([("both.test", DnsAnswer::Addresses(vec![V4, V6]))]).unwrap();
    let resolved = resolver(&dns).resolve("both.test").await.unwrap();
    assert_eq!(*resolved.addresses, [V6, V4]);
    assert!(resolved.aliases.is_empty());
    assert!(!resolved.cached);
    let mut asked = dns.questions();
    asked.sort();
    assert_eq!(asked, [("both.test".to_owned(), "A".to_owned()), ("both.test".to_owned(), "AAAA".to_owned())]);
}

#[tokio::test]
async fn one_family_is_enough() {
    let dns = Dns::start([("four.test", DnsAnswer::address(V4)), ("six.test", DnsAnswer::address(V6))]).unwrap();
    let resolver = resolver(&dns);
    assert_eq!(*resolver.resolve("four.test").await.unwrap().addresses, [V4]);
    assert_eq!(*resolver.resolve("six.test").await.unwrap().addresses, [V6]);
}

#[tokio::test]
async fn a_known_name_is_not_asked_for_again() {
    let dns = Dns::start([("known.test", DnsAnswer::address(V4))]).unwrap();
    let resolver = resolver(&dns);
    resolver.resolve("known.test").await.unwrap();
    let asked = dns.questions().len();
    let again = resolver.resolve("known.test").await.unwrap();
    assert!(again.cached);
    assert_eq!((again.took, *again.addresses == [V4]), (Duration::ZERO, true));
    assert_eq!(dns.questions().len(), asked);
}

#[tokio::test]
async fn a_name_is_asked_for_again_when_its_time_is_over() {
    let dns = Dns::start([("moving.test", DnsAnswer::address(V4))]).unwrap();
    let resolver = resolver(&dns);
    assert_eq!(*resolver.resolve("moving.test").await.unwrap().addresses, [V4]);
    dns.set("moving.test", DnsAnswer::address(V6)).unwrap();
    let moved = async {
        // Its time to live is one second.
        let mut ticks = tokio::time::interval(Duration::from_millis(20));
        while *resolver.resolve("moving.test").await.unwrap().addresses != [V6] {
            ticks.tick().await;
        }
    };
    tokio::time::timeout(PATIENCE, moved).await.unwrap();
}

#[tokio::test]
async fn a_negative_answer_is_known_too() {
    let dns = Dns::start([("gone.test", DnsAnswer::NxDomain)]).unwrap();
    let resolver = resolver(&dns);
    resolver.resolve("gone.test").await.unwrap_err();
    let asked = dns.questions().len();
    let again = resolver.resolve("gone.test").await.unwrap_err();
    assert_eq!(again.cause, Cause::Resolve(ResolveCause::NxDomain));
    assert_eq!((facts(&again).response_code.as_str(), facts(&again).took_ms), ("NXDOMAIN", 0));
    assert_eq!(dns.questions().len(), asked);
}

#[tokio::test]
async fn aliases_are_followed_and_told() {
    let dns = Dns::start([
        ("www.test", DnsAnswer::Alias("cdn.test".to_owned())),
        ("cdn.test", DnsAnswer::Alias("host.test".to_owned())),
        ("host.test", DnsAnswer::address(V4)),
    ])
    .unwrap();
    let resolved = resolver(&dns).resolve("www.test").await.unwrap();
    assert_eq!(*resolved.addresses, [V4]);
    assert_eq!(*resolved.aliases, ["cdn.test", "host.test"]);
}

#[tokio::test]
async fn each_failure_has_its_cause() {
    let dns = Dns::start([
        ("nxdomain.test", DnsAnswer::NxDomain),
        ("empty.test", DnsAnswer::Empty),
        ("servfail.test", DnsAnswer::ServFail),
        ("refused.test", DnsAnswer::Refused),
    ])
    .unwrap();
    let resolver = resolver(&dns);
    for (name, cause, code) in [
        ("nxdomain.test", ResolveCause::NxDomain, "NXDOMAIN"),
        ("empty.test", ResolveCause::NoAddress, "NOERROR"),
        ("servfail.test", ResolveCause::ServFail, "SERVFAIL"),
        ("refused.test", ResolveCause::Refused, "REFUSED"),
    ] {
        let fault = resolver.resolve(name).await.unwrap_err();
        assert_eq!(fault.cause, Cause::Resolve(cause), "{name}");
        assert_eq!(fact(&fault, "origin_name"), &Fact::OriginName(name.to_owned()));
        let facts = facts(&fault);
        assert_eq!((facts.name.as_str(), facts.response_code.as_str()), (name, code));
        assert_eq!(facts.servers, [dns.addr()]);
        assert!(facts.aliases.is_empty() && facts.addresses.is_empty());
    }
}

#[tokio::test]
async fn an_alias_to_nowhere_is_shown() {
    let dns = Dns::start([
        ("www.test", DnsAnswer::Alias("gone.test".to_owned())),
        ("gone.test", DnsAnswer::NxDomain),
        ("bare.test", DnsAnswer::Alias("empty.test".to_owned())),
        ("empty.test", DnsAnswer::Empty),
    ])
    .unwrap();
    let resolver = resolver(&dns);
    for (name, cause, alias) in
        [("www.test", ResolveCause::NxDomain, "gone.test"), ("bare.test", ResolveCause::NoAddress, "empty.test")]
    {
        let fault = resolver.resolve(name).await.unwrap_err();
        assert_eq!(fault.cause, Cause::Resolve(cause), "{name}");
        assert_eq!(facts(&fault).aliases, [alias]);
    }
}

#[tokio::test]
async fn a_circle_of_aliases_is_one() {
    let dns = Dns::start([
        ("one.test", DnsAnswer::Alias("two.test".to_owned())),
        ("two.test", DnsAnswer::Alias("three.test".to_owned())),
        ("three.test", DnsAnswer::Alias("two.test".to_owned())),
        ("self.test", DnsAnswer::Alias("self.test".to_owned())),
    ])
    .unwrap();
    let resolver = resolver(&dns);
    let fault = resolver.resolve("one.test").await.unwrap_err();
    assert_eq!(fault.cause, Cause::Resolve(ResolveCause::AliasLoop));
    assert_eq!(facts(&fault).aliases, ["two.test", "three.test", "two.test"]);
    let fault = resolver.resolve("self.test").await.unwrap_err();
    assert_eq!(fault.cause, Cause::Resolve(ResolveCause::AliasLoop));
    assert_eq!(facts(&fault).aliases, ["self.test"]);
}

#[tokio::test]
async fn a_silent_name_server_times_out() {
    let dns = Dns::start([("silent.test", DnsAnswer::Silent)]).unwrap();
    let limit = Duration::from_millis(400);
    let resolver = Resolver::new(&[dns.addr()], limit).unwrap();
    let fault = resolver.resolve("silent.test").await.unwrap_err();
    assert_eq!(fault.cause, Cause::Resolve(ResolveCause::TimedOut));
    assert_eq!(fact(&fault, "timer"), &Fact::Timer { setting: "resolve_timeout", limit_ms: 400 });
    assert_eq!(facts(&fault).response_code, "none");
    assert!((350..2000).contains(&facts(&fault).took_ms), "{}", facts(&fault).took_ms);
}

#[tokio::test]
async fn no_name_server_at_its_address_is_unreachable() {
    let (_port, nobody) = nobody();
    let resolver = Resolver::new(&[nobody], PATIENCE).unwrap();
    let fault = resolver.resolve("any.test").await.unwrap_err();
    assert_eq!(fault.cause, Cause::Resolve(ResolveCause::Unreachable));
    assert_eq!(fact(&fault, "errno"), &Fact::Errno { number: libc::ECONNREFUSED, name: "ECONNREFUSED" });
    assert_eq!(facts(&fault).servers, [nobody]);
}

#[tokio::test]
async fn another_name_server_is_asked_when_one_is_not_there() {
    let (_port, nobody) = nobody();
    let dns = Dns::start([("there.test", DnsAnswer::address(V4))]).unwrap();
    let resolver = Resolver::new(&[nobody, dns.addr()], PATIENCE).unwrap();
    assert_eq!(*resolver.resolve("there.test").await.unwrap().addresses, [V4]);
}

#[tokio::test]
async fn a_truncated_answer_is_fetched_over_tcp() {
    let dns = Dns::start([("large.test", DnsAnswer::Truncated(vec![V4]))]).unwrap();
    assert_eq!(*resolver(&dns).resolve("large.test").await.unwrap().addresses, [V4]);
}

#[tokio::test]
async fn addresses_localhost_and_impossible_names_are_never_asked_for() {
    let dns = Dns::start([("unused.test", DnsAnswer::Empty)]).unwrap();
    let resolver = resolver(&dns);
    assert_eq!(*resolver.resolve("192.0.2.1").await.unwrap().addresses, [V4]);
    assert_eq!(*resolver.resolve("[2001:db8::1]").await.unwrap().addresses, [V6]);
    let local = resolver.resolve("refused.demo.localhost").await.unwrap();
    assert_eq!(*local.addresses, [IpAddr::from(Ipv4Addr::LOCALHOST), Ipv6Addr::LOCALHOST.into()]);
    assert!(local.cached);
    let fault = resolver.resolve(&"x".repeat(64)).await.unwrap_err();
    assert_eq!(fault.cause, Cause::Resolve(ResolveCause::NxDomain));
    assert!(!keys(&fault).contains(&"errno"));
    assert_eq!(dns.questions(), []);
}

#[tokio::test]
async fn the_system_resolver_starts_without_asking() {
    let resolver = Resolver::new(&[], PATIENCE).unwrap();
    assert!(!resolver.resolve("localhost").await.unwrap().addresses.is_empty());
    assert_eq!(*resolver.resolve("127.0.0.1").await.unwrap().addresses, [IpAddr::from(Ipv4Addr::LOCALHOST)]);
}

#[tokio::test]
async fn a_flood_of_requests_asks_once() {
    let dns = Dns::start([("busy.test", DnsAnswer::address(V4))]).unwrap();
    let resolver = resolver(&dns);
    let one = || resolver.resolve("busy.test");
    let (a, b, c, d) = tokio::join!(one(), one(), one(), one());
    assert!([a, b, c, d].into_iter().all(|outcome| outcome.is_ok()));
    assert_eq!(dns.questions().len(), 2);
}
