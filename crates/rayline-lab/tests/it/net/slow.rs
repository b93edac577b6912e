//! Networks that are bad and work: nobody is to be blamed for them, whatever the timers are.

use std::time::Duration;

use rayline_lab::net::origin::BIG;
use rayline_lab::net::{Delay, Hook, delay, or_skip, origin_v4, origin_v6};

use super::scene::{Hosts, fine, network};

/// One packet of twenty is lost, both ways: what is sent comes through all the same. (The first packet of a connection is
/// spared: after two lost ones the time to connect would be over.)
#[test]
fn lost_packets_are_sent_again() {
    let Some((_origin, network)) = network() else { return };
    let mut hosts = Hosts::default();
    let host = hosts.add(&[origin_v4(1)]);
    network.router.rule(Hook::Forward, "tcp flags & syn == 0 numgen random mod 100 < 5 drop").unwrap();
    let edge = hosts.edge(&network);
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                let (reply, _) = fine(edge.curl("/big").host(&host));
                assert_eq!(reply.body.len() as u64, BIG);
            });
        }
    });
}

/// A megabyte takes eight seconds to come and to go, longer than the two to six that each timer allows for silence.
#[test]
fn a_narrow_link_is_slow_and_no_fault() {
    let Some((_origin, network)) = network() else { return };
    let mut hosts = Hosts::default();
    let host = hosts.add(&[origin_v4(1)]);
    let narrow = |device: &str| format!("tc qdisc add dev {device} root tbf rate 1mbit burst 16kb latency 1s\n");
    network.router.run(&(narrow("edge0") + &narrow("origin0"))).unwrap();
    let edge = hosts.edge(&network);
    let file = edge.folder().join("upload");
    std::fs::write(&file, vec![b'x'; 1 << 20]).unwrap();
    let download = edge.curl("/big").host(&host).arg("--range").arg("0-1048575");
    let upload = edge.curl("/upload").host(&host).arg("--data-binary").arg(format!("@{}", file.display()));
    std::thread::scope(|scope| {
        let download = scope.spawn(|| download.recorded().unwrap());
        let (sent, _) = fine(upload);
        assert!(sent.took_s > 6.0, "{sent:?}");
        let (received, record) = download.join().unwrap();
        assert_eq!((received.exit, received.status, received.body.len()), (0, 206, 1 << 20), "{record:#}");
        assert!(received.took_s > 6.0 && record.get("VerdictCode").is_none(), "{record:#}");
    });
}

/// What [`a_long_way_is_slow_and_no_fault`] runs in the router; by itself it does nothing.
#[test]
fn packets_are_held() {
    delay::serve().unwrap();
}

/// Half a second there and back: each round trip of the edge's costs that, and the log says where it went.
#[test]
fn a_long_way_is_slow_and_no_fault() {
    let Some((_origin, network)) = network() else { return };
    let made = Delay::start(&network.router, Duration::from_millis(250), "net::slow::packets_are_held");
    let Some(_delay) = or_skip("a long way between edge and origin", made).unwrap() else { return };
    let mut hosts = Hosts::default();
    let ways = [origin_v4(1), origin_v6(1)].map(|address| hosts.add(&[address]));
    let edge = hosts.edge(&network);
    for host in &ways {
        let (reply, record) = fine(edge.curl("/").host(host));
        assert!(reply.took_s >= 1.0, "{reply:?}");
        for part in ["OriginTCPHandshakeDurationMs", "OriginResponseHeaderReceiveDurationMs"] {
            assert!(record[part].as_u64().unwrap() >= 500, "{part}: {record:#}");
        }
    }
}
