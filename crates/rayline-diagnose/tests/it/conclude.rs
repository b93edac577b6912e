//! What follows from what was seen: a table of cases, and what holds in all of them.

mod properties;
mod stage;

use rayline_diagnose::author::Role;
use rayline_diagnose::conclude::{Conclusion, Outcome, Seen, conclude};
use rayline_diagnose::direct::RivalKind;
use rayline_diagnose::logs::Cause;
use rayline_diagnose::tls::Scheme;
use rayline_diagnose::visit::Way;
use rayline_verdict::Code::*;
use rayline_verdict::fault::{ConnectCause, OriginTlsCause, ReceiveCause, ResolveCause, WaitCause};
use rayline_verdict::{Code, Verdict};

use stage::{Ends as E, NEAR, ORIGIN, Stage, by, case, mark, met, told};

/// nginx's and everybody's 502.
const GATEWAY: &[Code] = &[
    OriginConnectRefused,
    OriginWaitClosedEmpty,
    OriginWaitReset,
    OriginTlsClosed,
    OriginTlsUnknownIssuer,
    OriginWaitNotHttp,
    OriginWaitHeaderTooLarge,
    NetworkConnectUnreachable,
];
const TIME: &[Code] = &[OriginWaitTimedOut, NetworkConnectTimedOut];

fn refused() -> Verdict {
    met(ConnectCause::Refused)
}

fn silent() -> Verdict {
    met(ConnectCause::TimedOut)
}

fn closed() -> Verdict {
    met(WaitCause::ClosedEmpty)
}

/// nginx as an edge, with another address named as the origin.
fn nginx(status: u16) -> Stage {
    Stage::server("nginx", status, if status == 504 { TIME } else { GATEWAY })
}

/// In one line: outcome, code, certainty, hop, cause; `-` for none.
fn in_short(conclusion: &Conclusion) -> String {
    let outcome = match conclusion.outcome {
        Outcome::Fine => "fine",
        Outcome::Fault => "fault",
        Outcome::CannotTell => "open",
    };
    let verdict = conclusion.verdict.as_ref();
    let code = verdict.map_or("-", |verdict| verdict.code.name());
    let certainty = verdict.map_or("-", |verdict| verdict.certainty.name());
    let hop = conclusion.hop.map_or("-".to_owned(), |hop| format!("{hop:?}").to_ascii_lowercase());
    let cause = conclusion.cause.as_ref().map_or("-", |named| named.cause.name());
    format!("{outcome} {code} {certainty} {hop} {cause}")
}

#[track_caller]
fn all(rows: Vec<(&str, Stage, &str)>) {
    let mut wrong = String::new();
    for (name, Stage(seen), wanted) in &rows {
        let conclusion = conclude(&case(), seen);
        properties::hold(seen, &conclusion);
        let got = in_short(&conclusion);
        if got != *wanted {
            let open: Vec<String> =
                conclusion.hypotheses.iter().map(|each| format!("{} {:.2}", each.code, each.likelihood)).collect();
            wrong.push_str(&format!(
                "{name}\n  wanted {wanted}\n  got    {got}\n  {}\n  {open:?}\n",
                conclusion.sentence
            ));
        }
    }
    assert!(wrong.is_empty(), "\n{wrong}");
}

#[test]
fn where_nothing_fails_or_nothing_was_asked() {
    all(vec![
        ("all is well", Stage::bare(E::Answered(200)), "fine - - - -"),
        ("not found is the visitor's affair", Stage::bare(E::Answered(404)), "fine - - - -"),
        (
            "well behind an edge",
            Stage::through_cloudflare(E::Answered(200), None).direct(E::Answered(200)),
            "fine - - - -",
        ),
        (
            "well from the edge's cache",
            Stage::through_cloudflare(E::Answered(200), None).direct(E::Failed(refused())),
            "fine - - - -",
        ),
        ("well, with old lines in the log", Stage::bare(E::Answered(200)).log(Cause::AppPhpFatal, 0.9), "fine - - - -"),
        ("nothing asked", Stage::default(), "open - - you -"),
        (
            "no IPv6 on this machine, and IPv4 works",
            Stage::bare(E::Answered(200)).sample(
                &E::Failed(met(ConnectCause::NoRoute)),
                Default::default(),
                Way { ipv6: true, http2: false },
            ),
            "fine - - - -",
        ),
        ("this machine has no way out", Stage::bare(E::Failed(met(ConnectCause::NoRoute))), "open - - you -"),
        ("nor to an edge", Stage::through_cloudflare(E::Failed(met(ConnectCause::Forbidden)), None), "open - - you -"),
    ]);
}

#[test]
fn where_the_name_leads_nowhere() {
    let unresolved = |cause| {
        let mut stage = Stage::default();
        stage.0.visit.unresolved = Some(Box::new(met(cause)));
        stage
    };
    all(vec![
        ("no such name", unresolved(ResolveCause::NxDomain), "fault owner.resolve.nxdomain proven edge -"),
        ("no address", unresolved(ResolveCause::NoAddress), "fault owner.resolve.no_address proven edge -"),
        ("name servers fail", unresolved(ResolveCause::ServFail), "fault network.resolve.servfail inferred network -"),
        ("nobody to ask", unresolved(ResolveCause::Unreachable), "fault network.resolve.unreachable proven you -"),
    ]);
}

#[test]
fn where_visitors_ask_the_server_itself() {
    let php = || by(Some(mark("PHP", Role::Application)), &[], None);
    all(vec![
        ("refused", Stage::bare(E::Failed(refused())), "fault origin.connect.refused proven origin -"),
        (
            "refused, and nobody listens",
            Stage::bare(E::Failed(refused())).host(Cause::HostNotListening, 0.9),
            "fault origin.connect.refused proven origin host.not_listening",
        ),
        (
            "refused, and the log says why it does not start",
            Stage::bare(E::Failed(refused())).log(Cause::ServerStopped, 0.8),
            "fault origin.connect.refused proven origin server.stopped",
        ),
        ("silence", Stage::bare(E::Failed(silent())), "fault network.connect.timed_out inferred network -"),
        (
            "unreachable",
            Stage::bare(E::Failed(met(ConnectCause::Unreachable))),
            "fault network.connect.unreachable proven network -",
        ),
        (
            "certificate expired",
            Stage::bare(E::Failed(met(OriginTlsCause::CertificateExpired))),
            "fault origin.origin_tls.certificate_expired proven origin -",
        ),
        (
            "certificate of another name",
            Stage::bare(E::Failed(met(OriginTlsCause::NameMismatch))),
            "fault origin.origin_tls.name_mismatch proven origin -",
        ),
        ("closed without a word", Stage::bare(E::Failed(closed())), "fault origin.wait.closed_empty proven origin -"),
        (
            "closed, and a worker crashed",
            Stage::bare(E::Failed(closed())).log(Cause::ServerWorkerCrashed, 0.7),
            "fault origin.wait.closed_empty proven origin server.worker_crashed",
        ),
        (
            "killed for want of memory",
            Stage::bare(E::Failed(closed())).host(Cause::HostOutOfMemory, 0.7),
            "fault origin.wait.closed_empty proven origin host.out_of_memory",
        ),
        ("500, unsigned", Stage::bare(E::Answered(500)), "fault origin.wait.error_status proven origin -"),
        ("500 by PHP", Stage::visit(E::Answered(500), php()), "fault origin.wait.error_status proven app -"),
        (
            "500, and the database is full",
            Stage::bare(E::Answered(500)).log(Cause::DatabaseTooManyConnections, 0.9),
            "fault origin.wait.error_status proven app database.too_many_connections",
        ),
        (
            "500, and a full disk",
            Stage::bare(E::Answered(500)).host(Cause::HostDiskFull, 0.9),
            "fault origin.wait.error_status proven origin host.disk_full",
        ),
        (
            "a trouble that has nothing to do with it",
            Stage::bare(E::Answered(500)).log(Cause::HostConntrackFull, 0.9),
            "fault origin.wait.error_status proven origin -",
        ),
        (
            "the likelier of two",
            Stage::bare(E::Answered(500)).log(Cause::AppPhpFatal, 0.4).log(Cause::CacheRefused, 0.8),
            "fault origin.wait.error_status proven app cache.refused",
        ),
        (
            "an unlikely one",
            Stage::bare(E::Answered(500)).log(Cause::AppPhpFatal, 0.1),
            "fault origin.wait.error_status proven origin -",
        ),
        ("nginx without its application", nginx(502), "fault origin.wait.error_status proven app -"),
        (
            "nginx without its application, by its log",
            nginx(502).log(Cause::ServerUpstreamRefused, 0.9),
            "fault origin.wait.error_status proven app server.upstream_refused",
        ),
        (
            "nginx whose application is slow",
            nginx(504).log(Cause::ServerUpstreamTimedOut, 0.9),
            "fault origin.wait.error_status proven app server.upstream_timed_out",
        ),
        (
            "the origin that was named is the very server",
            nginx(502).direct_at(stage::VISITED, Scheme::Https, E::Answered(502)),
            "fault origin.wait.error_status proven app -",
        ),
        ("blank", Stage::bare(E::Blank(200)), "fault origin.wait.blank proven app -"),
        (
            "blank by a fatal error",
            Stage::bare(E::Blank(200)).log(Cause::AppPhpFatal, 0.9),
            "fault origin.wait.blank proven app app.php_fatal",
        ),
        (
            "cut short",
            Stage::bare(E::Broken(met(ReceiveCause::Truncated))),
            "fault origin.receive.truncated proven origin -",
        ),
        ("slow", Stage::bare(E::Silent(5)), "fault origin.wait.timed_out inferred origin -"),
        ("slower than any edge waits", Stage::bare(E::Silent(125)), "fault origin.wait.timed_out proven origin -"),
        (
            "slow for a lock",
            Stage::bare(E::Silent(10)).log(Cause::DatabaseLocked, 0.8),
            "fault origin.wait.timed_out inferred app database.locked",
        ),
        (
            "now and then",
            Stage::bare(E::Answered(500))
                .sample(&E::Answered(200), Default::default(), Way { ipv6: false, http2: true })
                .rate(2, 3),
            "fault origin.wait.error_status proven origin -",
        ),
    ]);
}

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
fn where_browsers_do_not_take_the_certificate() {
    use OriginTlsCause::{CertificateExpired, NameMismatch, UnknownIssuer};
    let edge = |cause| Stage::through_cloudflare(E::Answered(200), None).certificate(cause);
    let server = |cause| Stage::bare(E::Answered(200)).certificate(cause);
    all(vec![
        ("expired", edge(CertificateExpired), "fault owner.client_tls.certificate_expired proven edge -"),
        ("another name", edge(NameMismatch), "fault owner.client_tls.name_mismatch proven edge -"),
        ("nobody's", edge(UnknownIssuer), "fault owner.client_tls.untrusted proven edge -"),
        ("of the server", server(NameMismatch), "fault origin.origin_tls.name_mismatch proven origin -"),
        (
            "what fails behind it comes first",
            Stage::bare(E::Answered(500)).certificate(CertificateExpired),
            "fault origin.wait.error_status proven origin -",
        ),
    ]);
}

#[test]
fn where_redirects_go_in_a_circle() {
    all(vec![
        ("of the mode", Stage::circle(true).flexible_loops(), "fault owner.route.redirect_loop proven edge -"),
        ("of the mode, as it seems", Stage::circle(true), "fault owner.route.redirect_loop inferred edge -"),
        ("of another kind", Stage::circle(false), "fault owner.route.redirect_loop inferred edge -"),
        ("of the server alone", Stage::circle(false).unmarked(), "fault owner.route.redirect_loop proven origin -"),
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
            "524, slow past it",
            Stage::cloudflare(524, 524).direct(E::Silent(5)),
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
        ("slow", Stage::through_cloudflare(E::Silent(30), None), "fault origin.wait.timed_out inferred origin -"),
        (
            "slow past it too",
            Stage::through_cloudflare(E::Silent(30), None).direct(E::Silent(5)),
            "fault origin.wait.timed_out inferred origin -",
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
fn the_sentence_says_whose_fault_it_is_and_how_often() {
    let sentence = |stage: &Stage| conclude(&case(), &stage.0).sentence;
    let database = Stage::bare(E::Answered(500)).log(Cause::DatabaseTooManyConnections, 0.9);
    assert_eq!(
        sentence(&database),
        "The application on the site's server is at fault: the database takes no more connections \
         (PHP at /srv/www/cart.php:12)."
    );
    let seldom = Stage::bare(E::Answered(500)).rate(7, 20);
    assert_eq!(
        sentence(&seldom),
        "The site's server is at fault: it answers with 500 itself; it fails in 7 of 20 requests (18 to 57 %)."
    );
    let blocked = Stage::cloudflare(522, 522).direct(E::Answered(200));
    assert_eq!(
        sentence(&blocked),
        "The site's server is probably at fault: it lets others in, and keeps the edge out."
    );
    let port = Stage::cloudflare(521, 521).direct(E::Failed(refused())).direct_at(
        "198.51.100.7:80",
        Scheme::Http,
        E::Answered(200),
    );
    assert_eq!(
        sentence(&port),
        "The site's settings at Cloudflare are probably at fault: the edge connects to a port on which the site's server \
         does not serve."
    );
    let rule = Stage::cloudflare(403, 1020);
    assert_eq!(sentence(&rule), "Nothing is broken: a rule of the site turned this request away (Cloudflare 1020).");
    let open = Stage::cloudflare(520, 520).direct(E::Answered(200)).rivals_hold();
    assert!(sentence(&open).starts_with("It fails with 520, and what was seen does not tell whose fault it is"));
    assert_eq!(sentence(&Stage::bare(E::Answered(200))), "Nothing fails: all 2 requests were answered (200).");
}

#[test]
fn clues_are_what_was_seen_the_strongest_first() {
    let blocked = conclude(&case(), &Stage::cloudflare(522, 522).direct(E::Answered(200)).0);
    assert_eq!(
        blocked.clues,
        [
            "Cloudflare gets no connection to the origin, and others do",
            "Cloudflare says 522 (error code: 522)",
            "past the edge, at 198.51.100.7:443 (https), it works (200)",
        ]
    );
    let expired = Stage::cloudflare(526, 526).tls(None, Some(met(OriginTlsCause::CertificateExpired)));
    let expired = conclude(&case(), &expired.0);
    assert!(expired.clues.first().is_some_and(|clue| clue.contains("has expired")), "{:?}", expired.clues);
    assert!(expired.next.is_empty(), "no log says more: {:?}", expired.next);
}

#[test]
fn query_values_are_not_repeated() {
    let mut stage = Stage::circle(true);
    if let Some(looping) = &mut stage.0.visit.looping {
        looping.urls = vec!["https://shop.example/cart?token=sesame".parse().unwrap()];
    }
    let conclusion = conclude(&case(), &stage.0);
    assert!(!format!("{conclusion:?}").contains("sesame"), "{:?}", conclusion.clues);
    assert!(conclusion.clues.iter().any(|clue| clue.contains("https://shop.example/cart?…")), "{:?}", conclusion.clues);
}

#[test]
fn what_would_help_is_asked_for() {
    let conclusion = conclude(&case(), &nginx_alone());
    assert!(conclusion.next.iter().any(|step| step.contains("--origin ADDR")), "{:?}", conclusion.next);
    assert!(conclusion.next.iter().any(|step| step.contains("--logs PATH")), "{:?}", conclusion.next);
    assert!(conclusion.hypotheses.iter().all(|each| !each.decide.is_empty() && !each.sentence.is_empty()));
    assert_eq!(conclusion.hypotheses.first().map(|first| first.code), Some(OriginConnectRefused));
}

/// A gateway's page that passed a known edge, without more.
fn nginx_alone() -> Seen {
    let edge = mark("Fastly", Role::Edge);
    Stage::visit(E::Answered(502), by(Some(edge.clone()), &[edge], told(None, GATEWAY))).0
}
