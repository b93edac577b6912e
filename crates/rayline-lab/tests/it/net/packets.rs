//! Connections that stand, and then lose packets or are cut by somebody on the way.

use rayline_lab::net::origin::BIG;
use rayline_lab::net::{Hook, origin_v4, origin_v6};
use rayline_lab::program::{Curl, Rayline};
use serde_json::Value;

use super::scene::{Hosts, blamed, fine, network};

/// How much is sent in the tests of large requests.
const UPLOAD: usize = 4 << 20;

/// A request with a body of [`UPLOAD`] bytes.
fn upload<'a>(edge: &'a Rayline, host: &'a str) -> Curl<'a> {
    let file = edge.folder().join("upload");
    std::fs::write(&file, vec![b'x'; UPLOAD]).unwrap();
    edge.curl("/upload").host(host).arg("--data-binary").arg(format!("@{}", file.display()))
}

/// What was sent is not acknowledged: from the first byte on, or after the first megabyte. The machine is up, and has
/// just shaken hands: only the way can be at fault.
#[test]
fn what_is_never_acknowledged_is_the_networks() {
    let Some((_origin, network)) = network() else { return };
    let mut hosts = Hosts::default();
    let first = [origin_v4(1), origin_v6(1)].map(|address| hosts.add(&[address]));
    let (later, answered) = (hosts.add(&[origin_v4(2)]), hosts.add(&[origin_v4(3)]));
    network
        .router
        .rules(
            Hook::Forward,
            &[
                format!("ip daddr {} tcp flags & psh == psh drop", origin_v4(1)),
                format!("ip6 daddr {} tcp flags & psh == psh drop", origin_v6(1)),
                format!("ip daddr {} quota over 1 mbytes drop", origin_v4(2)),
                format!("ip daddr {} tcp flags & psh == psh reject with icmp host-unreachable", origin_v4(3)),
            ],
        )
        .unwrap();
    let edge = hosts.edge(&network);
    std::thread::scope(|scope| {
        for host in &first {
            scope.spawn(|| {
                let (_, record) = blamed(edge.curl("/").host(host), 522, "network.send.unacknowledged");
                unacknowledged(&record);
                assert_eq!(record["VerdictReached"], "maybe", "{record:#}");
            });
        }
        scope.spawn(|| {
            let (_, record) = blamed(upload(&edge, &later), 522, "network.send.unacknowledged");
            unacknowledged(&record);
            let sent = record["VerdictEvidence"]["bytes_sent"].as_u64().unwrap();
            assert!(sent >= 1 << 20 && sent < UPLOAD as u64, "{record:#}");
        });
        // A router that says so while the connection stands breaks nothing (RFC 1122 §4.2.3.9); it is evidence.
        scope.spawn(|| {
            let (_, record) = blamed(edge.curl("/").host(&answered), 522, "network.send.unacknowledged");
            assert_eq!(record["VerdictEvidence"]["errno"]["name"], "EHOSTUNREACH", "{record:#}");
        });
    });
}

#[track_caller]
fn unacknowledged(record: &Value) {
    let tcp = &record["VerdictEvidence"]["tcp"];
    assert_eq!(tcp["state"], "ESTABLISHED", "{record:#}");
    assert!(tcp["unacked_segments"].as_u64().unwrap() > 0 && tcp["timeouts"].as_u64().unwrap() > 0, "{record:#}");
    assert_eq!(record["VerdictCertainty"], "proven", "{record:#}");
}

/// Packets too big for a link vanish, because the message that says so does: small requests pass, large ones stall.
#[test]
fn a_black_hole_for_large_packets_is_the_networks() {
    let Some((_origin, network)) = network() else { return };
    let mut hosts = Hosts::default();
    let (well, hole) = (hosts.add(&[origin_v4(1)]), hosts.add(&[origin_v4(2)]));
    network.router.run("ip link set origin0 mtu 1300").unwrap();
    // The message quotes the packet's header: the destination stands 24 bytes in.
    let quoted = "@th,192,32 0x0a4d0202";
    let rule = format!("icmp type destination-unreachable icmp code frag-needed {quoted} drop");
    network.edge.rule(Hook::Input, &rule).unwrap();
    let edge = hosts.edge(&network);
    fine(edge.curl("/").host(&hole));
    std::thread::scope(|scope| {
        scope.spawn(|| fine(upload(&edge, &well)));
        scope.spawn(|| {
            let (_, record) = blamed(upload(&edge, &hole), 522, "network.send.unacknowledged");
            unacknowledged(&record);
        });
    });
}

/// The answer's packets vanish after the first megabyte, and so does everything else from there: nobody answers the
/// kernel's probes any more.
#[test]
fn an_answer_that_vanishes_is_the_networks() {
    let Some((_origin, network)) = network() else { return };
    let mut hosts = Hosts::default();
    let lost = [origin_v4(1), origin_v6(1)].map(|address| hosts.add(&[address]));
    network
        .router
        .rules(
            Hook::Forward,
            &[
                format!("ip saddr {} quota over 1 mbytes drop", origin_v4(1)),
                format!("ip6 saddr {} quota over 1 mbytes drop", origin_v6(1)),
            ],
        )
        .unwrap();
    let edge = hosts.edge(&network);
    std::thread::scope(|scope| {
        for host in &lost {
            scope.spawn(|| {
                let (reply, record) = blamed(edge.curl("/big").host(host), 200, "network.receive.lost");
                cut(reply.exit, reply.body.len(), &record);
            });
        }
    });
}

/// The origin has acknowledged the request and thinks about it when the way to it is cut: it would answer the kernel's
/// probes, were it only slow.
#[test]
fn an_origin_that_vanishes_while_it_thinks_is_the_networks() {
    let Some((origin, network)) = network() else { return };
    let mut hosts = Hosts::default();
    let (lost, slow) = (hosts.add(&[origin_v4(1)]), hosts.add(&[origin_v4(2)]));
    // A SYN and an acknowledgement are 112 bytes.
    network.router.rule(Hook::Forward, &format!("ip saddr {} quota over 115 bytes drop", origin_v4(1))).unwrap();
    let edge = hosts.edge(&network);
    origin.pause().unwrap();
    std::thread::scope(|scope| {
        scope.spawn(|| {
            let (_, record) = blamed(edge.curl("/").host(&lost), 520, "network.wait.lost");
            assert_eq!(record["VerdictReached"], "maybe", "{record:#}");
        });
        scope.spawn(|| blamed(edge.curl("/").host(&slow), 524, "origin.wait.timed_out"));
    });
}

/// The first message of the TLS handshake is lost: the origin never saw it, so it is not to blame for the handshake.
#[test]
fn a_handshake_that_is_never_acknowledged() {
    let Some((_origin, network)) = network() else { return };
    let mut hosts = Hosts::default();
    let host = hosts.add(&[origin_v4(1)]);
    network.router.rule(Hook::Forward, &format!("ip daddr {} tcp flags & psh == psh drop", origin_v4(1))).unwrap();
    let edge = hosts.edge(&network);
    let (_, record) = blamed(edge.curl("/").host(&host).tls(), 522, "network.send.unacknowledged");
    unacknowledged(&record);
    assert_eq!(record["VerdictReached"], "no", "{record:#}");
}

/// A firewall that cuts: with the request, and in the middle of the answer.
#[test]
fn a_reset_from_the_way_looks_like_the_origins() {
    let Some((_origin, network)) = network() else { return };
    let mut hosts = Hosts::default();
    let (request, answer) = (hosts.add(&[origin_v4(1)]), hosts.add(&[origin_v4(2)]));
    network
        .router
        .rules(
            Hook::Forward,
            &[
                format!("ip daddr {} tcp flags & psh == psh reject with tcp reset", origin_v4(1)),
                // Only acknowledgements go that way.
                format!("ip daddr {} quota over 2000 bytes reject with tcp reset", origin_v4(2)),
            ],
        )
        .unwrap();
    let edge = hosts.edge(&network);
    let (_, record) = blamed(edge.curl("/").host(&request), 520, "origin.wait.reset");
    assert_eq!(record["VerdictEvidence"]["errno"]["name"], "ECONNRESET", "{record:#}");
    let (reply, record) = blamed(edge.curl("/big").host(&answer), 200, "origin.receive.reset");
    cut(reply.exit, reply.body.len(), &record);
}

#[track_caller]
fn cut(exit: i32, received: usize, record: &Value) {
    assert_eq!((exit, &record["OriginResponseStatus"]), (18, &200.into()), "{record:#}");
    assert!(received > 0 && (received as u64) < BIG, "{received}");
    assert_eq!(record["VerdictEvidence"]["body"]["expected"], BIG, "{record:#}");
    assert_eq!((&record["VerdictStatus"], &record["VerdictReached"]), (&520.into(), &"yes".into()), "{record:#}");
}
