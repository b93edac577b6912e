use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::time::{Duration, Instant};

use rayline_dial::{Timeouts, Tls};
use rayline_testkit::{Origin, Reserved, Script};
use rayline_verdict::fault::{Cause, ConnectCause};
use rayline_verdict::{Code, Fact, Outcome, Reached};

use crate::kit::{BRIEF, PATIENCE, connected, dialer, exchange, fact, failed, keys, target};

/// A multicast group: TCP has no way there, and nothing is sent.
const NOWHERE: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::new(239, 255, 0, 1)), 80);

#[tokio::test]
async fn a_closed_port_refuses() {
    let port = Reserved::new().unwrap();
    let (fault, attempts) = failed(&dialer(), &[port.addr()], Tls::Off, &PATIENCE).await;
    assert_eq!(fault.cause, Cause::Connect(ConnectCause::Refused));
    assert_eq!(fact(&fault, "origin_address"), &Fact::OriginAddress(port.addr()));
    assert_eq!(fact(&fault, "errno"), &Fact::Errno { number: libc::ECONNREFUSED, name: "ECONNREFUSED" });
    assert!(!keys(&fault).contains(&"icmp"), "a reset is no ICMP message");
    assert_eq!(attempts.len(), 1);
    assert_eq!(attempts[0].address, port.addr());
    assert_eq!(attempts[0].outcome, Outcome::Failed { code: Code::OriginConnectRefused, reached: Reached::No });
}

#[tokio::test]
async fn a_full_queue_times_out() {
    let origin = Origin::start(Script::backlog_full()).unwrap();
    let (fault, attempts) = failed(&dialer(), &[origin.addr()], Tls::Off, &BRIEF).await;
    assert_eq!(fault.cause, Cause::Connect(ConnectCause::TimedOut));
    assert_eq!(fact(&fault, "timer"), &Fact::Timer { setting: "connect_timeout", limit_ms: 300 });
    let Fact::Tcp(tcp) = fact(&fault, "tcp") else { unreachable!() };
    assert_eq!(tcp.state, "SYN_SENT");
    assert_eq!(attempts[0].outcome, Outcome::Failed { code: Code::NetworkConnectTimedOut, reached: Reached::No });
    assert!(attempts[0].took_ms >= 300);
}

#[tokio::test]
async fn no_route_is_this_machines_word() {
    let (fault, attempts) = failed(&dialer(), &[NOWHERE], Tls::Off, &PATIENCE).await;
    assert_eq!(fault.cause, Cause::Connect(ConnectCause::NoRoute));
    assert_eq!(fact(&fault, "errno"), &Fact::Errno { number: libc::ENETUNREACH, name: "ENETUNREACH" });
    assert_eq!(attempts[0].outcome, Outcome::Failed { code: Code::EdgeConnectNoRoute, reached: Reached::No });
}

#[tokio::test]
async fn a_good_origin_is_connected_and_timed() {
    let origin = Origin::start(Script::ok()).unwrap();
    let mut connection = connected(&dialer(), &origin, Tls::Off).await;
    assert_eq!(connection.address(), origin.addr());
    assert_eq!(connection.timings().tls_us, 0);
    assert_eq!(connection.tls(), None);
    assert!(!connection.is_reused());
    let answer = exchange(&mut connection).await.unwrap();
    assert!(answer.starts_with(b"HTTP/1.1 200"));
    let (sent, received) = connection.request_bytes();
    assert_eq!(sent, crate::kit::GET.len() as u64);
    assert!(received >= answer.len() as u64);
    assert_eq!(connection.wire_bytes(), (sent, received), "without TLS both taps count the same");
    let state = connection.tcp_state().unwrap();
    assert_eq!((state.state, state.unacked_segments), ("ESTABLISHED", 0));
    assert!(connection.socket_error().is_none());
}

#[tokio::test]
async fn a_refusing_address_costs_nothing_when_another_answers() {
    let ports: Vec<_> = (0..8).map(|_| Reserved::new().unwrap()).collect();
    let origin = Origin::start(Script::ok()).unwrap();
    let mut attempts = Vec::new();
    let addresses: Vec<_> = ports.iter().map(Reserved::addr).chain([origin.addr()]).collect();
    let started = Instant::now();
    let connection = dialer().dial(&target(&addresses, Tls::Off), &PATIENCE, &mut attempts).await.unwrap();
    assert!(started.elapsed() < PATIENCE.connect, "a failure starts the next address at once");
    assert_eq!(connection.address(), origin.addr());
    assert_eq!(attempts.len(), 8);
    assert!(
        attempts.iter().all(
            |attempt| attempt.outcome == Outcome::Failed { code: Code::OriginConnectRefused, reached: Reached::No }
        )
    );
}

#[tokio::test]
async fn a_silent_address_costs_its_delay_when_another_answers() {
    let silent = Origin::start(Script::backlog_full()).unwrap();
    let origin = Origin::start(Script::ok()).unwrap();
    let mut attempts = Vec::new();
    let addresses = [silent.addr(), origin.addr()];
    let started = Instant::now();
    let connection = dialer().dial(&target(&addresses, Tls::Off), &PATIENCE, &mut attempts).await.unwrap();
    let took = started.elapsed();
    assert!(took >= Duration::from_millis(250) && took < PATIENCE.connect, "{took:?}");
    assert_eq!(connection.address(), origin.addr());
    assert!(Duration::from_micros(connection.timings().tcp_us.into()) < took, "the winner's own handshake is timed");
    assert_eq!(attempts.len(), 1);
    assert_eq!((attempts[0].address, attempts[0].outcome), (silent.addr(), Outcome::Abandoned));
}

#[tokio::test]
async fn when_all_fail_the_most_telling_one_speaks() {
    let (port, silent) = (Reserved::new().unwrap(), Origin::start(Script::backlog_full()).unwrap());
    let timeouts = Timeouts { connect: Duration::from_millis(600), ..BRIEF };
    let addresses = [NOWHERE, silent.addr(), port.addr()];
    let (fault, attempts) = failed(&dialer(), &addresses, Tls::Off, &timeouts).await;
    assert_eq!(fault.cause, Cause::Connect(ConnectCause::Refused));
    assert_eq!(fact(&fault, "origin_address"), &Fact::OriginAddress(port.addr()));
    let outcomes: Vec<_> = attempts.iter().map(|attempt| (attempt.address, attempt.outcome)).collect();
    assert_eq!(
        outcomes,
        [
            (NOWHERE, Outcome::Failed { code: Code::EdgeConnectNoRoute, reached: Reached::No }),
            (port.addr(), Outcome::Failed { code: Code::OriginConnectRefused, reached: Reached::No }),
            (silent.addr(), Outcome::Failed { code: Code::NetworkConnectTimedOut, reached: Reached::No }),
        ]
    );

    let (fault, _) = failed(&dialer(), &[NOWHERE, silent.addr()], Tls::Off, &BRIEF).await;
    assert_eq!(fault.cause, Cause::Connect(ConnectCause::TimedOut), "an edge without a route says little");
}

#[tokio::test]
async fn the_budget_is_for_all_addresses_together() {
    let silent: Vec<_> = (0..4).map(|_| Origin::start(Script::backlog_full()).unwrap()).collect();
    let addresses: Vec<_> = silent.iter().map(Origin::addr).collect();
    let (fault, attempts) = failed(&dialer(), &addresses, Tls::Off, &BRIEF).await;
    assert_eq!(fault.cause, Cause::Connect(ConnectCause::TimedOut));
    assert!(attempts.len() < addresses.len(), "in 300 ms two addresses have their turn: {}", attempts.len());
}

#[tokio::test]
async fn dialling_may_move_between_threads() {
    let origin = Origin::start(Script::ok()).unwrap();
    let moved = tokio::spawn(async move {
        let dialer = dialer();
        connected(&dialer, &origin, Tls::Off).await
    });
    assert_eq!(moved.await.unwrap().served(), 0);
}
