//! Connecting: what firewalls and routers on the way say, and what they do not say.

use rayline_lab::net::{Hook, Namespace, Network, ROUTER, origin_v4, origin_v6};

use super::scene::{Case, Hosts, all_told, network};

const PROHIBITED: (u16, &str) = (523, "network.connect.prohibited");
const UNREACHABLE: (u16, &str) = (523, "network.connect.unreachable");
const REFUSED: (u16, &str) = (521, "origin.connect.refused");

/// A `reject with icmp …`: its type and code, what `connect()` says, and the verdict if a router says it, and if the
/// origin's machine does.
struct Reject {
    words: &'static str,
    message: (u8, u8),
    errno: &'static str,
    router: (u16, &'static str),
    origin: (u16, &'static str),
}

const fn reject(
    words: &'static str,
    message: (u8, u8),
    errno: &'static str,
    router: (u16, &'static str),
    origin: (u16, &'static str),
) -> Reject {
    Reject { words, message, errno, router, origin }
}

/// All that nftables has for IPv4.
const V4: [Reject; 7] = [
    reject("icmp net-unreachable", (3, 0), "ENETUNREACH", UNREACHABLE, UNREACHABLE),
    reject("icmp host-unreachable", (3, 1), "EHOSTUNREACH", UNREACHABLE, UNREACHABLE),
    reject("icmp prot-unreachable", (3, 2), "ENOPROTOOPT", PROHIBITED, REFUSED),
    reject("icmp port-unreachable", (3, 3), "ECONNREFUSED", PROHIBITED, REFUSED),
    reject("icmp net-prohibited", (3, 9), "ENETUNREACH", PROHIBITED, PROHIBITED),
    reject("icmp host-prohibited", (3, 10), "EHOSTUNREACH", PROHIBITED, PROHIBITED),
    reject("icmp admin-prohibited", (3, 13), "EHOSTUNREACH", PROHIBITED, PROHIBITED),
];

/// And for IPv6.
const V6: [Reject; 6] = [
    reject("icmpv6 no-route", (1, 0), "ENETUNREACH", UNREACHABLE, UNREACHABLE),
    reject("icmpv6 admin-prohibited", (1, 1), "EACCES", PROHIBITED, PROHIBITED),
    reject("icmpv6 addr-unreachable", (1, 3), "EHOSTUNREACH", UNREACHABLE, UNREACHABLE),
    reject("icmpv6 port-unreachable", (1, 4), "ECONNREFUSED", PROHIBITED, REFUSED),
    reject("icmpv6 policy-fail", (1, 5), "EACCES", PROHIBITED, PROHIBITED),
    reject("icmpv6 reject-route", (1, 6), "EACCES", PROHIBITED, PROHIBITED),
];

#[test]
fn every_icmp_answer_is_told_by_who_sent_it() {
    let Some((_origin, network)) = network() else { return };
    let (mut hosts, mut cases) = (Hosts::default(), Vec::new());
    let families = [(&V4[..], "ip", origin_v4 as fn(u8) -> String, ROUTER[0]), (&V6, "ip6", origin_v6, ROUTER[1])];
    for (rejects, family, address, router) in families {
        let (mut by_router, mut by_origin) = (Vec::new(), Vec::new());
        for (number, reject) in (1..).zip(rejects) {
            let (near, far) = (address(number), address(number + 20));
            let ((status, code), (kind, number)) = (reject.router, reject.message);
            let case = Case::new(format!("router: {}", reject.words), hosts.add(&[&near]), status, code);
            cases.push(case.errno(reject.errno).icmp(kind, number, router));
            by_router.push(format!("{family} daddr {near} tcp dport 80 reject with {}", reject.words));
            let (status, code) = reject.origin;
            let case = Case::new(format!("origin: {}", reject.words), hosts.add(&[&far]), status, code);
            cases.push(case.errno(reject.errno).icmp(kind, number, &far));
            by_origin.push(format!("{family} daddr {far} tcp dport 80 reject with {}", reject.words));
        }
        network.router.rules(Hook::Forward, &by_router).unwrap();
        network.origin.rules(Hook::Input, &by_origin).unwrap();
    }
    all_told(&hosts.edge(&network), &cases);
}

/// The SYN is lost on its way, at its end, or its answer is lost: nobody can tell these apart, and silence is all that is
/// claimed. A reset is a reset, whoever made it.
#[test]
fn silence_is_silence_and_a_reset_a_reset() {
    let Some((_origin, network)) = network() else { return };
    let (mut hosts, mut cases) = (Hosts::default(), Vec::new());
    for (family, address) in [("ip", origin_v4 as fn(u8) -> String), ("ip6", origin_v6)] {
        let rows: [(u8, &str, &Namespace, Hook, &str); 5] = [
            (1, "daddr", &network.router, Hook::Forward, "tcp flags syn drop"),
            (2, "daddr", &network.origin, Hook::Input, "drop"),
            (3, "saddr", &network.router, Hook::Forward, "drop"),
            (4, "daddr", &network.router, Hook::Forward, "reject with tcp reset"),
            (5, "daddr", &network.origin, Hook::Input, "reject with tcp reset"),
        ];
        for (number, end, place, hook, action) in rows {
            let address = address(number);
            let host = hosts.add(&[&address]);
            place.rule(hook, &format!("{family} {end} {address} meta l4proto tcp {action}")).unwrap();
            cases.push(if action.contains("reset") {
                Case::new(action, host, 521, "origin.connect.refused").errno("ECONNREFUSED")
            } else {
                Case::new(action, host, 522, "network.connect.timed_out")
            });
        }
    }
    all_told(&hosts.edge(&network), &cases);
}

/// What a router answers by its routes alone, and when the way ends at it.
#[test]
fn a_routers_own_trouble_is_told() {
    let Some((_origin, network)) = network() else { return };
    let (mut hosts, mut cases) = (Hosts::default(), Vec::new());
    let lead = |kind: &str, number: u8| {
        let (v4, v6) = (format!("10.88.{number}.0/24"), format!("fd88:{number}::/64"));
        network.edge.run(&format!("ip route add {v4} via {}; ip route add {v6} via {}", ROUTER[0], ROUTER[1])).unwrap();
        if kind != "none" {
            network.router.run(&format!("ip route add {kind} {v4}; ip route add {kind} {v6}")).unwrap();
        }
        [format!("10.88.{number}.1"), format!("fd88:{number}::1")]
    };
    let rows = [
        ("none", UNREACHABLE, [Some((3, 0)), Some((1, 0))]),
        ("unreachable", UNREACHABLE, [Some((3, 1)), Some((1, 0))]),
        ("prohibit", PROHIBITED, [Some((3, 13)), Some((1, 1))]),
        ("blackhole", (522, "network.connect.timed_out"), [None, None]),
    ];
    for (number, (kind, (status, code), messages)) in (1..).zip(rows) {
        for ((address, message), router) in lead(kind, number).into_iter().zip(messages).zip(ROUTER) {
            let case = Case::new(format!("{kind} {address}"), hosts.add(&[address]), status, code);
            cases.push(match message {
                Some((kind, code)) => case.icmp(kind, code, router),
                None => case,
            });
        }
    }
    cases.extend(ends_at_the_router(&network, &mut hosts));
    all_told(&hosts.edge(&network), &cases);
}

/// The router meets nobody at the address; and packets that went round so often that they expire there.
fn ends_at_the_router(network: &Network, hosts: &mut Hosts) -> Vec<Case> {
    let (status, code) = UNREACHABLE;
    let expire =
        [format!("ip daddr {} ip ttl set 1", origin_v4(1)), format!("ip6 daddr {} ip6 hoplimit set 1", origin_v6(1))];
    network.router.rules(Hook::Prerouting, &expire).unwrap();
    let rows = [
        (origin_v4(100), (3, 1), ROUTER[0]),
        (origin_v6(100), (1, 3), ROUTER[1]),
        (origin_v4(1), (11, 0), ROUTER[0]),
        (origin_v6(1), (3, 0), ROUTER[1]),
    ];
    let cases = rows.into_iter().map(|(address, (kind, number), router)| {
        let case = Case::new(format!("ends at the router: {address}"), hosts.add(&[address]), status, code);
        case.errno("EHOSTUNREACH").icmp(kind, number, router)
    });
    cases.collect()
}

/// One dead address of several costs a moment, and nobody is blamed; if all are dead, the most telling one speaks.
#[test]
fn one_dead_address_of_several_is_no_fault() {
    let Some((_origin, network)) = network() else { return };
    let mut hosts = Hosts::default();
    network
        .router
        .rules(
            Hook::Forward,
            &[
                format!("ip daddr {} drop", origin_v4(1)),
                format!("ip6 daddr {} drop", origin_v6(1)),
                format!("ip daddr {} reject with icmp admin-prohibited", origin_v4(2)),
            ],
        )
        .unwrap();
    let alive = [
        hosts.add(&[origin_v4(1), origin_v4(10)]),
        hosts.add(&[origin_v6(1), origin_v6(10)]),
        hosts.add(&[origin_v6(1), origin_v4(10)]),
        hosts.add(&[origin_v4(2), origin_v4(10)]),
        hosts.add(&[origin_v4(100), origin_v4(10)]),
    ];
    let dead = hosts.add(&[origin_v4(1), origin_v4(2), "192.0.2.1".to_owned()]);
    let edge = hosts.edge(&network);
    for host in &alive {
        let (_, record) = super::scene::fine(edge.curl("/").host(host));
        assert!(record["OriginIP"] == origin_v4(10) || record["OriginIP"] == origin_v6(10), "{record:#}");
        assert!(record["OriginTCPHandshakeDurationMs"].as_u64().unwrap() < 1_000, "{record:#}");
    }
    let (_, record) = super::scene::blamed(edge.curl("/").host(&dead), 523, "network.connect.prohibited");
    let mut codes: Vec<_> = record["VerdictAttempts"].as_array().unwrap().iter().map(|a| &a["code"]).collect();
    codes.sort_by_key(|code| code.to_string());
    assert_eq!(codes, ["edge.connect.no_route", "network.connect.prohibited", "network.connect.timed_out"]);
}
