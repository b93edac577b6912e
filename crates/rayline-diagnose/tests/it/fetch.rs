//! What the client makes of origins that answer well, badly and not at all.

use std::net::SocketAddr;
use std::time::Duration;

use rayline_diagnose::fetch::{Answer, Ask, BodyEnd, Exchange, Obstacle, dialer, fetch, fetch_again};
use rayline_diagnose::trust::Trust;
use rayline_dial::{Dialer, Protocols, Tls};
use rayline_testkit::http2::{Act, Code as Http2Code, Serving};
use rayline_testkit::{Authority, Flaw, Origin, Script, Step, Tls as ScriptTls, can_vanish};
use rayline_verdict::{Code, Fact};

const HOST: &str = "shop.test";
/// Enough on loopback for what answers.
const PATIENCE: Duration = Duration::from_secs(10);
/// For what does not.
const BRIEF: Duration = Duration::from_millis(400);

fn ask(scheme: &str, timeout: Duration) -> Ask {
    Ask {
        url: format!("{scheme}://{HOST}/cart?item=1").parse().unwrap(),
        method: "GET".to_owned(),
        fields: Vec::new(),
        protocols: Protocols::Http1,
        tls: if scheme == "https" { Tls::Strict } else { Tls::Off },
        timeout,
        body_bytes: 64,
    }
}

fn trusting(authority: &Authority) -> Dialer {
    dialer(&Trust { named: vec![authority.root_der()], system: Vec::new() }).unwrap()
}

async fn over_http1(script: Script, timeout: Duration) -> Exchange {
    let origin = Origin::start(script).unwrap();
    fetch(&ask("http", timeout), &[origin.addr()], &dialer(&Trust::default()).unwrap()).await
}

/// Over plain TCP, by prior knowledge.
async fn over_http2(script: Script, timeout: Duration) -> Exchange {
    let origin = Origin::start(script).unwrap();
    let ask = Ask { protocols: Protocols::Http2, ..ask("http", timeout) };
    fetch(&ask, &[origin.addr()], &dialer(&Trust::default()).unwrap()).await
}

fn answer(exchange: &Exchange) -> &Answer {
    exchange.outcome.as_ref().unwrap()
}

/// The code of what went wrong, before the head or in the body.
fn code(exchange: &Exchange) -> Option<Code> {
    match &exchange.outcome {
        Err(Obstacle::Fault(verdict)) => Some(verdict.code),
        Ok(Answer { end: BodyEnd::Broken(verdict), .. }) => Some(verdict.code),
        Ok(_) | Err(Obstacle::Silent { .. }) => None,
    }
}

#[tokio::test]
async fn a_good_answer_is_whole_over_both_versions_and_every_phase_is_timed() {
    let authority = Authority::new("Test").unwrap();
    let issued = authority.issue(Flaw::None, &[HOST]).unwrap();
    let script = Script::http2_or_http1().over_tls(ScriptTls::new(&issued).speaking(&["h2", "http/1.1"]));
    let origin = Origin::start(script).unwrap();
    for (protocols, protocol) in [(Protocols::Http1, "HTTP/1.1"), (Protocols::Http2OrHttp1, "HTTP/2")] {
        let ask = Ask { protocols, ..ask("https", PATIENCE) };
        let exchange = fetch(&ask, &[origin.addr()], &trusting(&authority)).await;
        let answer = answer(&exchange);
        assert_eq!((answer.status, exchange.protocol), (200, Some(protocol)));
        assert!(matches!(answer.end, BodyEnd::Whole), "{answer:?}");
        assert_eq!(answer.body.len() as u64, answer.body_bytes.min(64));
        assert!(answer.field("content-type").is_some());
        assert_eq!(
            (exchange.address, exchange.tls.as_ref().map(|tls| tls.0.as_str())),
            (Some(origin.addr()), Some("TLSv1.3"))
        );
        let timings = exchange.timings;
        assert!(
            timings.connect.is_some() && timings.tls.is_some() && timings.wait.is_some() && timings.receive.is_some()
        );
        let seen = origin.last().unwrap();
        let raw = String::from_utf8_lossy(&seen.raw);
        assert!(raw.starts_with("GET /cart?item=1 HTTP/"), "{raw}");
        assert!(raw.contains("Rayline-Diagnose/") && raw.contains(HOST), "{raw}");
        assert_eq!(seen.tls.and_then(|tls| tls.server_name).as_deref(), Some(HOST));
    }
}

#[tokio::test]
async fn a_long_body_is_counted_and_not_kept_and_an_endless_one_is_left() {
    let exchange = over_http1(Script::ok_chunked(100_000), PATIENCE).await;
    assert_eq!((answer(&exchange).body.len(), answer(&exchange).body_bytes), (64, 100_000));
    assert!(matches!(answer(&exchange).end, BodyEnd::Whole));
    for script in [Script::ok_length(100 << 20), Script::events(Duration::from_millis(20))] {
        let exchange = over_http1(script, BRIEF).await;
        assert!(matches!(answer(&exchange).end, BodyEnd::Left), "{exchange:?}");
        assert!(answer(&exchange).body_bytes < 8 << 20);
    }
}

#[tokio::test]
async fn interim_responses_are_passed_over_but_not_without_end() {
    for exchange in [
        over_http1(Script::interim_then_ok(), PATIENCE).await,
        over_http2(Script::http2_interim_then_ok(), PATIENCE).await,
    ] {
        assert_eq!(answer(&exchange).status, 200);
    }
    assert_eq!(code(&over_http1(Script::interim_flood(), PATIENCE).await), Some(Code::OriginWaitInformationalFlood));
    assert_eq!(
        code(&over_http2(Script::http2_interim_flood(), PATIENCE).await),
        Some(Code::OriginWaitInformationalFlood)
    );
}

#[tokio::test]
async fn each_fault_before_the_head_is_the_one_an_edge_would_see() {
    for (script, expected) in [
        (Script::refuse(), Code::OriginConnectRefused),
        (Script::close_empty(), Code::OriginWaitClosedEmpty),
        (Script::reset_after_request(), Code::OriginWaitReset),
        (Script::half_header(), Code::OriginWaitHalfHead),
        (Script::garbage(), Code::OriginWaitNotHttp),
        (Script::two_lengths(), Code::OriginWaitConflictingLengths),
        (Script::huge_head(), Code::OriginWaitHeaderTooLarge),
        (Script::unasked_upgrade(), Code::OriginWaitUnexpectedUpgrade),
    ] {
        let name = script.name();
        assert_eq!(code(&over_http1(script, PATIENCE).await), Some(expected), "{name}");
    }
    for (script, expected) in [
        (Script::http2_garbage(), Code::OriginWaitHttp2NotSpoken),
        (Script::http2_close_before_head(), Code::OriginWaitClosedEmpty),
        (Script::http2_goaway(Http2Code::INTERNAL_ERROR), Code::OriginWaitHttp2Goaway),
        (Script::http2_reset(Http2Code::INTERNAL_ERROR), Code::OriginWaitHttp2Reset),
        (Script::http2_uppercase_name(), Code::OriginWaitHttp2ProtocolError),
        (Script::http2_huge_head(200_000), Code::OriginWaitHeaderTooLarge),
    ] {
        let name = script.name();
        assert_eq!(code(&over_http2(script, PATIENCE).await), Some(expected), "{name}");
    }
}

#[tokio::test]
async fn a_body_that_breaks_keeps_the_status_and_says_how() {
    for (script, expected) in [
        (Script::truncated_body(1000, 100), Code::OriginReceiveTruncated),
        (Script::truncated_chunked(), Code::OriginReceiveTruncated),
        (Script::reset_in_body(1000, 100), Code::OriginReceiveReset),
        (Script::bad_chunk(), Code::OriginReceiveBadChunk),
        (Script::bad_trailers(), Code::OriginReceiveBadTrailers),
        (Script::stall_in_body(100), Code::OriginReceiveTimedOut),
    ] {
        let name = script.name();
        let exchange = over_http1(script, BRIEF).await;
        assert_eq!((answer(&exchange).status, code(&exchange)), (200, Some(expected)), "{name}");
    }
    for (script, expected) in [
        (Script::http2_close_in_body(), Code::OriginReceiveTruncated),
        (Script::http2_reset_in_body(Http2Code::INTERNAL_ERROR), Code::OriginReceiveHttp2Reset),
        (Script::http2_stall_in_body(100), Code::OriginReceiveTimedOut),
    ] {
        let name = script.name();
        let exchange = over_http2(script, BRIEF).await;
        assert_eq!((answer(&exchange).status, code(&exchange)), (200, Some(expected)), "{name}");
    }
}

#[tokio::test]
async fn silence_is_no_fault_yet_unless_nothing_is_acknowledged() {
    for exchange in [
        over_http1(Script::stall_before_head(), BRIEF).await,
        over_http1(Script::drip_head(Duration::from_millis(10)), BRIEF).await,
        over_http2(Script::http2_stall_before_head(), BRIEF).await,
    ] {
        assert!(matches!(exchange.outcome, Err(Obstacle::Silent { waited }) if waited == BRIEF), "{exchange:?}");
    }
    if let Err(error) = can_vanish() {
        eprintln!("skipped: {error}");
        return;
    }
    let exchange = over_http1(Script::vanish_after_accept(), Duration::from_secs(1)).await;
    assert_eq!(code(&exchange), Some(Code::NetworkSendUnacknowledged));
}

#[tokio::test]
async fn a_bad_certificate_is_a_fault_only_where_it_is_checked() {
    let authority = Authority::new("Test").unwrap();
    let origin = Origin::start(Script::certificate(&authority.issue(Flaw::Expired, &[HOST]).unwrap())).unwrap();
    let strict = ask("https", PATIENCE);
    let exchange = fetch(&strict, &[origin.addr()], &trusting(&authority)).await;
    assert_eq!(code(&exchange), Some(Code::OriginTlsCertificateExpired));
    assert_eq!(exchange.address, Some(origin.addr()));
    let full = Ask { tls: Tls::Full, ..strict };
    assert_eq!(answer(&fetch(&full, &[origin.addr()], &trusting(&authority)).await).status, 200);
}

#[tokio::test]
async fn a_second_request_on_the_connection_meets_what_an_edge_would() {
    let rest = Duration::from_millis(50);
    let again = async |script: Script| {
        let origin = Origin::start(script).unwrap();
        let dialer = dialer(&Trust::default()).unwrap();
        let both = fetch_again(&ask("http", PATIENCE), &[origin.addr()], &dialer, rest).await;
        (both, origin.connections())
    };
    let ((first, second), connections) = again(Script::ok()).await;
    let second = second.unwrap();
    assert_eq!((answer(&first).status, answer(&second).status, connections), (200, 200, 1));
    assert_eq!((second.timings.connect, second.timings.tls), (None, None));
    let ((first, second), _) = again(Script::close_idle_under_request()).await;
    assert_eq!((answer(&first).status, code(&second.unwrap())), (200, Some(Code::OriginSendStaleConnection)));
    let ((_, second), _) = again(Script::keep_alive_off()).await;
    assert!(second.is_none(), "{second:?}");
}

#[tokio::test]
async fn what_cannot_be_sent_is_said_and_not_sent() {
    let origin = Origin::start(Script::ok()).unwrap();
    let fields = vec![("X-Bad".to_owned(), "a\r\nInjected: yes".to_owned())];
    let ask = Ask { fields, ..ask("http", PATIENCE) };
    let exchange = fetch(&ask, &[origin.addr()], &dialer(&Trust::default()).unwrap()).await;
    let Err(Obstacle::Fault(verdict)) = &exchange.outcome else { panic!("{exchange:?}") };
    let told = verdict.evidence.facts().iter().any(|fact| matches!(fact, Fact::Internal(_)));
    assert!(told && verdict.code == Code::VisitorRequestMalformed);
    assert_eq!(origin.requests(), 0);
}

#[tokio::test]
async fn a_head_over_http2_may_end_the_stream_or_have_a_status_that_there_is_not() {
    let bare = Script::http2("bare", "sends a head alone", Serving::new([Act::only_head(204, &[])]));
    let exchange = over_http2(bare, PATIENCE).await;
    assert_eq!((answer(&exchange).status, answer(&exchange).body_bytes), (204, 0));
    let odd = Script::http2("odd", "has a status of its own", Serving::new([Act::only_head(799, &[])]));
    assert_eq!(code(&over_http2(odd, PATIENCE).await), Some(Code::OriginWaitBadStatus));
}

#[tokio::test]
async fn head_has_no_body_to_wait_for() {
    let origin = Origin::start(Script::new(
        "head",
        "answers HEAD",
        [Step::ReadHead, Step::send("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n"), Step::Hold],
    ))
    .unwrap();
    let ask = Ask { method: "HEAD".to_owned(), ..ask("http", PATIENCE) };
    let addresses: [SocketAddr; 1] = [origin.addr()];
    let exchange = fetch(&ask, &addresses, &dialer(&Trust::default()).unwrap()).await;
    assert!(matches!(answer(&exchange).end, BodyEnd::Whole));
}
