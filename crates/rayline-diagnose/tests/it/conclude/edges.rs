//! What follows where somebody stands in front of the origin.

use rayline_diagnose::author::Role;
use rayline_diagnose::case::Case;
use rayline_diagnose::conclude::conclude;
use rayline_diagnose::direct::RivalKind;
use rayline_diagnose::logs::Cause;
use rayline_diagnose::tls::Scheme;
use rayline_verdict::Code::*;
use rayline_verdict::Verdict;
use rayline_verdict::fault::{ConnectCause, OriginTlsCause, ReceiveCause, WaitCause};

use super::stage::{Ends as E, NEAR, ORIGIN, Stage, case, mark, met};
use super::{all, closed, in_short, nginx, refused, silent};

#[test]
fn where_the_connection_to_the_edge_fails() {
    let at_edge = |cause: Verdict| {
        let mut stage = Stage::bare(E::Failed(cause));
        let mut network = rayline_diagnose::network::Network::default();
        network.dns.edge = Some("Cloudflare");
        stage.0.network = Some(network);
        stage
    };
    all(vec![
        ("refused", at_edge(refused()), "fault edge.accept.refused inferred edge -"),
        ("silent", at_edge(silent()), "fault edge.accept.timed_out inferred edge -"),
        (
            "a router speaks",
            at_edge(met(ConnectCause::Unreachable)),
            "fault network.connect.unreachable proven network -",
        ),
        (
            "expired",
            at_edge(met(OriginTlsCause::CertificateExpired)),
            "fault owner.client_tls.certificate_expired proven edge -",
        ),
        (
            "another name",
            at_edge(met(OriginTlsCause::NameMismatch)),
            "fault owner.client_tls.name_mismatch proven edge -",
        ),
        ("self-signed", at_edge(met(OriginTlsCause::SelfSigned)), "fault owner.client_tls.untrusted proven edge -"),
        (
            "no certificate",
            at_edge(met(OriginTlsCause::SniRefused)),
            "fault owner.client_tls.no_certificate proven edge -",
        ),
        ("an alert", at_edge(met(OriginTlsCause::Alert)), "fault owner.client_tls.no_certificate inferred edge -"),
        ("closed after the request convicts nobody", at_edge(closed()), "open - - - -"),
        (
            "closed after the request, past the edge as well",
            at_edge(closed()).direct(E::Failed(closed())),
            "fault origin.wait.closed_empty proven origin -",
        ),
    ]);
}

#[test]
fn where_cloudflare_tells() {
    let tls = |cause: OriginTlsCause| met(cause);
    all(vec![
        ("521 alone", Stage::cloudflare(521, 521), "fault origin.connect.refused inferred origin -"),
        (
            "521, refused past it",
            Stage::cloudflare(521, 521).direct(E::Failed(refused())),
            "fault origin.connect.refused proven origin -",
        ),
        (
            "521, one port serves",
            Stage::cloudflare(521, 521).direct(E::Failed(refused())).direct_at(
                "198.51.100.7:80",
                Scheme::Http,
                E::Answered(200),
            ),
            "fault owner.route.wrong_port inferred edge -",
        ),
        (
            "521, works past it",
            Stage::cloudflare(521, 521).direct(E::Answered(200)),
            "fault origin.connect.edge_blocked inferred origin -",
        ),
        ("522 alone", Stage::cloudflare(522, 522), "fault network.connect.timed_out inferred network -"),
        (
            "522, works past it",
            Stage::cloudflare(522, 522).direct(E::Answered(200)),
            "fault origin.connect.edge_blocked inferred origin -",
        ),
        (
            "522, a rule of the machine",
            Stage::cloudflare(522, 522).host(Cause::HostFirewallBlocksEdge, 0.9),
            "fault origin.connect.edge_blocked proven origin host.firewall_blocks_edge",
        ),
        (
            "522, a firewall that was tried",
            Stage::cloudflare(522, 522).direct(E::Answered(200)).rival(RivalKind::Firewall, Some(true)),
            "fault origin.connect.edge_blocked inferred origin -",
        ),
        (
            "522, and everything works past it",
            Stage::cloudflare(522, 522).direct(E::Answered(200)).rivals_hold(),
            "fault network.connect.timed_out inferred network -",
        ),
        (
            "522, silent past it",
            Stage::cloudflare(522, 522).direct(E::Failed(silent())),
            "fault network.connect.timed_out inferred network -",
        ),
        (
            "522, the firewall's table is full",
            Stage::cloudflare(522, 522).log(Cause::HostConntrackFull, 0.9),
            "fault network.connect.timed_out inferred network host.conntrack_full",
        ),
        ("523", Stage::cloudflare(523, 523), "fault network.connect.unreachable inferred network -"),
        ("524 alone", Stage::cloudflare(524, 524), "fault origin.wait.timed_out inferred origin -"),
        (
            "524, slow past it, as far as we waited",
            Stage::cloudflare(524, 524).direct(E::Silent(5)),
            "fault origin.wait.timed_out inferred origin -",
        ),
        (
            "524, as slow past it",
            Stage::cloudflare(524, 524).direct(E::Silent(120)),
            "fault origin.wait.timed_out proven origin -",
        ),
        (
            "524, and the origin admits the edge alone",
            Stage::cloudflare(524, 524).direct(E::Failed(silent())),
            "fault origin.wait.timed_out inferred origin -",
        ),
        (
            "524, workers exhausted",
            Stage::cloudflare(524, 524).log(Cause::ServerPoolExhausted, 0.9),
            "fault origin.wait.timed_out inferred origin server.pool_exhausted",
        ),
        ("520 alone", Stage::cloudflare(520, 520), "fault origin.wait.closed_empty inferred origin -"),
        (
            "520, a large header past it",
            Stage::cloudflare(520, 520).direct(E::Large(200, 200_000)),
            "fault origin.wait.header_too_large inferred origin -",
        ),
        (
            "520, reset past it",
            Stage::cloudflare(520, 520).direct(E::Failed(met(WaitCause::Reset))),
            "fault origin.wait.reset proven origin -",
        ),
        (
            "520, HTTP/2 is broken",
            Stage::cloudflare(520, 520)
                .direct(E::Answered(200))
                .direct_h2(E::Failed(met(WaitCause::Http2NotSpoken)))
                .rival(RivalKind::Http2, Some(true)),
            "fault origin.wait.http2_not_spoken inferred origin -",
        ),
        (
            "520, and everything works past it",
            Stage::cloudflare(520, 520).direct(E::Answered(200)).rivals_hold(),
            "open - - - -",
        ),
        (
            "525, by the handshake",
            Stage::cloudflare(525, 525)
                .tls(Some(tls(OriginTlsCause::NoCommonVersion)), Some(tls(OriginTlsCause::NoCommonVersion))),
            "fault origin.origin_tls.no_common_version proven origin -",
        ),
        (
            "525, plain HTTP on the port",
            Stage::cloudflare(525, 525).tls(Some(tls(OriginTlsCause::PlainHttp)), Some(tls(OriginTlsCause::PlainHttp))),
            "fault origin.origin_tls.plain_http proven origin -",
        ),
        ("525 alone", Stage::cloudflare(525, 525), "fault origin.origin_tls.plain_http inferred origin -"),
        (
            "526, expired",
            Stage::cloudflare(526, 526)
                .tls(None, Some(tls(OriginTlsCause::CertificateExpired)))
                .direct(E::Answered(200)),
            "fault origin.origin_tls.certificate_expired proven origin -",
        ),
        (
            "526, self-signed",
            Stage::cloudflare(526, 526).tls(None, Some(tls(OriginTlsCause::SelfSigned))),
            "fault origin.origin_tls.self_signed proven origin -",
        ),
        (
            "526, another name",
            Stage::cloudflare(526, 526).tls(None, Some(tls(OriginTlsCause::NameMismatch))),
            "fault origin.origin_tls.name_mismatch proven origin -",
        ),
        (
            "526, and works past it, where nobody checks",
            Stage::cloudflare(526, 526).direct(E::Answered(200)),
            "fault origin.origin_tls.self_signed inferred origin -",
        ),
        (
            "521, and nobody listens",
            Stage::cloudflare(521, 521).host(Cause::HostNotListening, 0.9),
            "fault origin.connect.refused proven origin host.not_listening",
        ),
        ("1016", Stage::cloudflare(530, 1016), "fault owner.resolve.nxdomain inferred edge -"),
        ("1001", Stage::cloudflare(409, 1001), "fault owner.resolve.nxdomain inferred edge -"),
        ("1033", Stage::cloudflare(530, 1033), "fault owner.connect.tunnel_down proven edge -"),
        ("1101", Stage::cloudflare(500, 1101), "fault owner.worker.failed proven edge -"),
        ("1020", Stage::cloudflare(403, 1020), "fault policy.rules.refused proven edge -"),
        ("1015", Stage::cloudflare(429, 1015), "fault policy.rules.refused proven edge -"),
        ("its own 500", Stage::cloudflare(500, 500), "fault edge.reply.error_status inferred edge -"),
        (
            "its own 500, and the origin says so itself",
            Stage::cloudflare(500, 500).direct(E::Answered(500)),
            "fault origin.wait.error_status inferred origin -",
        ),
        (
            "the origin's 502",
            Stage::cloudflare_says(502, 502, &[OriginWaitErrorStatus]),
            "fault origin.wait.error_status inferred origin -",
        ),
        (
            "the origin's 502, seen past it",
            Stage::cloudflare_says(502, 502, &[OriginWaitErrorStatus]).direct(E::Answered(502)),
            "fault origin.wait.error_status proven app -",
        ),
    ]);
}

#[test]
fn where_an_edge_passes_on_what_it_got() {
    let wordpress = || Some(mark("WordPress", Role::Application));
    let server = || Some(mark("nginx", Role::Server));
    all(vec![
        (
            "an application's page",
            Stage::through_cloudflare(E::Answered(500), wordpress()),
            "fault origin.wait.error_status proven app -",
        ),
        (
            "an application's page, with its database",
            Stage::through_cloudflare(E::Answered(500), wordpress()).log(Cause::DatabaseRefused, 0.9),
            "fault origin.wait.error_status proven app database.refused",
        ),
        (
            "a server's 500",
            Stage::through_cloudflare(E::Answered(500), server()),
            "fault origin.wait.error_status proven origin -",
        ),
        (
            "a server's 504",
            Stage::through_cloudflare(E::Answered(504), server()),
            "fault origin.wait.error_status proven app -",
        ),
        (
            "unsigned",
            Stage::through_cloudflare(E::Answered(503), None),
            "fault origin.wait.error_status inferred origin -",
        ),
        (
            "unsigned, the same past it",
            Stage::through_cloudflare(E::Answered(503), None).direct(E::Answered(503)),
            "fault origin.wait.error_status proven origin -",
        ),
        (
            "unsigned, and well past it",
            Stage::through_cloudflare(E::Answered(500), None).direct(E::Answered(200)),
            "open - - - -",
        ),
        (
            "unsigned, well past it, and the log has it",
            Stage::through_cloudflare(E::Answered(500), None)
                .direct(E::Answered(200))
                .logged(500)
                .log(Cause::AppException, 0.9),
            "fault origin.wait.error_status proven app app.exception",
        ),
        (
            "unsigned, and the log has it by its Ray ID",
            Stage::through_cloudflare(E::Answered(500), None).logged(500).log(Cause::AppException, 0.9),
            "fault origin.wait.error_status proven app app.exception",
        ),
        (
            "unsigned, and the log has it as well done",
            Stage::through_cloudflare(E::Answered(500), None).logged(200),
            "open - - - -",
        ),
        ("blank", Stage::through_cloudflare(E::Blank(200), None), "fault origin.wait.blank inferred origin -"),
        (
            "blank past it too",
            Stage::through_cloudflare(E::Blank(200), None).direct(E::Blank(200)),
            "fault origin.wait.blank proven origin -",
        ),
        (
            "blank, well past it",
            Stage::through_cloudflare(E::Blank(200), None).direct(E::Answered(200)),
            "open - - - -",
        ),
        (
            "cut short",
            Stage::through_cloudflare(E::Broken(met(ReceiveCause::Truncated)), None),
            "fault origin.receive.truncated inferred origin -",
        ),
        (
            "cut short past it too",
            Stage::through_cloudflare(E::Broken(met(ReceiveCause::Truncated)), None)
                .direct(E::Broken(met(ReceiveCause::Truncated))),
            "fault origin.receive.truncated proven origin -",
        ),
        (
            "cut short, whole past it",
            Stage::through_cloudflare(E::Broken(met(ReceiveCause::Truncated)), None).direct(E::Answered(200)),
            "open - - - -",
        ),
        ("slow, as far as we waited", Stage::through_cloudflare(E::Silent(30), None), "open - - - -"),
        ("slow past it too", Stage::through_cloudflare(E::Silent(30), None).direct(E::Silent(5)), "open - - - -"),
        (
            "slow for longer than any edge waits",
            Stage::through_cloudflare(E::Silent(125), None),
            "fault origin.wait.timed_out inferred origin -",
        ),
        (
            "slow, and the log says why",
            Stage::through_cloudflare(E::Silent(5), None).log(Cause::DatabaseLocked, 0.9),
            "fault origin.wait.timed_out inferred app database.locked",
        ),
    ]);
}

#[test]
fn where_a_server_stands_in_for_an_edge() {
    all(vec![
        (
            "502, refused past it",
            nginx(502).direct_at(NEAR, Scheme::Https, E::Failed(refused())),
            "fault origin.connect.refused proven origin -",
        ),
        (
            "502, refused past it, perhaps to strangers alone",
            nginx(502).direct(E::Failed(refused())),
            "fault origin.connect.refused inferred origin -",
        ),
        (
            "502, closed past it",
            nginx(502).direct(E::Failed(closed())),
            "fault origin.wait.closed_empty proven origin -",
        ),
        (
            "502, reset past it",
            nginx(502).direct(E::Failed(met(WaitCause::Reset))),
            "fault origin.wait.reset proven origin -",
        ),
        (
            "502, no HTTP past it",
            nginx(502).direct(E::Failed(met(WaitCause::NotHttp))),
            "fault origin.wait.not_http proven origin -",
        ),
        (
            "502, no TLS past it",
            nginx(502).direct(E::Failed(met(OriginTlsCause::PlainHttp))),
            "fault origin.origin_tls.plain_http proven origin -",
        ),
        ("502, the same past it", nginx(502).direct(E::Answered(502)), "fault origin.wait.error_status proven app -"),
        (
            "502, the same past it, by its log",
            nginx(502).direct(E::Answered(502)).log(Cause::ServerUpstreamRefused, 0.9),
            "fault origin.wait.error_status proven app server.upstream_refused",
        ),
        ("502, well past it", nginx(502).direct(E::Answered(200)), "open - - - -"),
        ("502, well past it in every way", nginx(502).direct(E::Answered(200)).rivals_hold(), "open - - - -"),
        (
            "502, a large header past it",
            nginx(502).direct(E::Large(200, 9000)),
            "fault origin.wait.header_too_large inferred origin -",
        ),
        (
            "502, the edge blocked",
            nginx(502).direct(E::Answered(200)).host(Cause::HostFirewallBlocksEdge, 0.9),
            "fault origin.connect.edge_blocked proven origin host.firewall_blocks_edge",
        ),
        (
            "502, stale connections",
            nginx(502).direct(E::Answered(200)).rival(RivalKind::Reuse, Some(true)),
            "fault origin.send.stale_connection inferred origin -",
        ),
        (
            "502, another port",
            nginx(502).direct(E::Answered(200)).rival(RivalKind::Port, Some(true)),
            "fault owner.route.wrong_port inferred edge -",
        ),
        (
            "502, another port than the one that was named",
            nginx(502).direct_at(NEAR, Scheme::Http, E::Answered(200)).rival(RivalKind::Port, Some(true)),
            "open - - - -",
        ),
        (
            "503, many at once",
            Stage::server("HAProxy", 503, &[OriginConnectRefused])
                .direct(E::Answered(200))
                .rival(RivalKind::Concurrency, Some(true)),
            "fault origin.wait.error_status inferred origin -",
        ),
        (
            "502 at once, and slow past it",
            nginx(502).direct(E::Silent(5)),
            "fault origin.connect.refused inferred origin -",
        ),
        ("504, slow past it", nginx(504).direct(E::Silent(5)), "fault origin.wait.timed_out inferred origin -"),
        (
            "504, silent past it",
            nginx(504).direct(E::Failed(silent())),
            "fault network.connect.timed_out inferred network -",
        ),
        (
            "504, silent past it, here",
            nginx(504).direct_at(NEAR, Scheme::Https, E::Failed(silent())),
            "fault network.connect.timed_out inferred network -",
        ),
        (
            "500, well past it",
            Stage::server("nginx", 500, &[OriginWaitErrorStatus]).direct(E::Answered(200)),
            "open - - - -",
        ),
        (
            "HAProxy, nobody there",
            Stage::server("HAProxy", 503, &[OriginConnectRefused, NetworkConnectTimedOut]).direct_at(
                NEAR,
                Scheme::Http,
                E::Failed(refused()),
            ),
            "fault origin.connect.refused proven origin -",
        ),
        (
            "502, TCP refused",
            nginx(502).direct(E::Failed(refused())).tcp(ORIGIN, false, Some(refused())),
            "fault origin.connect.refused inferred origin -",
        ),
        (
            "502, well now and then",
            nginx(502).direct(E::Answered(200)).rate(1, 10),
            "fault origin.connect.refused inferred origin -",
        ),
    ]);
}

#[test]
fn where_there_are_two_origins() {
    let other = "127.0.0.2:8443";
    all(vec![(
        "one of them refuses",
        nginx(502)
            .direct_at(NEAR, Scheme::Https, E::Failed(refused()))
            .direct_at(other, Scheme::Https, E::Answered(200))
            .rate(5, 10),
        "fault origin.connect.refused proven origin -",
    )]);
}

#[test]
fn where_rayline_tells() {
    all(vec![
        ("refused", Stage::rayline(521, OriginConnectRefused), "fault origin.connect.refused proven origin -"),
        (
            "expired",
            Stage::rayline(526, OriginTlsCertificateExpired),
            "fault origin.origin_tls.certificate_expired proven origin -",
        ),
        (
            "timed out",
            Stage::rayline(522, NetworkConnectTimedOut),
            "fault network.connect.timed_out inferred network -",
        ),
        (
            "timed out, well past it",
            Stage::rayline(522, NetworkConnectTimedOut).direct(E::Answered(200)),
            "fault origin.connect.edge_blocked inferred origin -",
        ),
        (
            "the origin's own",
            Stage::rayline(500, OriginWaitErrorStatus),
            "fault origin.wait.error_status proven origin -",
        ),
        (
            "the origin's own, with a cause",
            Stage::rayline(500, OriginWaitErrorStatus).log(Cause::AppPhpFatal, 0.9),
            "fault origin.wait.error_status proven app app.php_fatal",
        ),
        ("its own", Stage::rayline(503, EdgeConnectExhausted), "fault edge.connect.exhausted proven edge -"),
        (
            "cut short, by the record",
            Stage::through_cloudflare(E::Broken(met(ReceiveCause::Truncated)), None)
                .record(OriginReceiveTruncated, "proven"),
            "fault origin.receive.truncated proven origin -",
        ),
        (
            "silent, by the record",
            Stage::bare(E::Answered(522)).record(NetworkConnectTimedOut, "inferred"),
            "fault network.connect.timed_out inferred network -",
        ),
    ]);
}

#[test]
fn what_the_origin_explains_does_not_change_what_was_seen() {
    let php = || Some(mark("PHP", Role::Application));
    let truncated = || E::Broken(met(ReceiveCause::Truncated));
    all(vec![
        (
            "blank by PHP",
            Stage::through_cloudflare(E::Blank(200), php()).direct(E::Blank(200)).log(Cause::AppPhpFatal, 0.95),
            "fault origin.wait.blank proven app app.php_fatal",
        ),
        (
            "cut short, and the log is full of what explains an error",
            Stage::through_cloudflare(truncated(), php())
                .direct(truncated())
                .log(Cause::ServerUpstreamClosed, 0.9)
                .log(Cause::ServerWorkerKilled, 0.95),
            "fault origin.receive.truncated proven origin server.worker_killed",
        ),
        (
            "silent to the edge alone, on a machine that killed others",
            Stage::rayline(522, NetworkConnectTimedOut)
                .direct(E::Answered(200))
                .host(Cause::HostOutOfMemory, 0.7)
                .host(Cause::HostOutOfMemory, 0.7)
                .host(Cause::HostFirewallBlocksEdge, 0.9),
            "fault origin.connect.edge_blocked proven origin host.firewall_blocks_edge",
        ),
    ]);
}

#[test]
fn where_the_edge_is_refused_and_others_are_not() {
    let refused = || Stage::rayline(521, OriginConnectRefused);
    let unusual = "198.51.100.7:8081";
    let configured = |origin: &str| Case { edge_origins: vec![origin.parse().unwrap()], ..case() };
    let rows = [
        (case(), refused().direct(E::Answered(200)), "fault origin.connect.edge_blocked inferred origin -"),
        (
            case(),
            refused().direct_at(unusual, Scheme::Http, E::Answered(200)),
            "fault owner.route.wrong_port inferred edge -",
        ),
        (
            configured("http://198.51.100.7:8080"),
            refused().direct_at(unusual, Scheme::Http, E::Answered(200)),
            "fault owner.route.wrong_port proven edge -",
        ),
        (
            configured("http://198.51.100.7:8081"),
            refused().direct_at(unusual, Scheme::Http, E::Answered(200)),
            "fault origin.connect.edge_blocked inferred origin -",
        ),
        // Another machine's port says nothing of this one's.
        (
            configured("http://198.51.100.9:8080"),
            refused().direct(E::Answered(200)),
            "fault origin.connect.edge_blocked inferred origin -",
        ),
    ];
    for (case, stage, wanted) in rows {
        assert_eq!(in_short(&conclude(&case, &stage.0)), wanted, "{:?}", case.edge_origins);
    }
}
