//! What follows from what was seen: a table of cases, and what holds in all of them.

mod edges;
mod properties;
mod stage;

use std::net::SocketAddr;

use rayline_diagnose::author::Role;
use rayline_diagnose::conclude::{Conclusion, Outcome, Seen, conclude};
use rayline_diagnose::logs::Cause;
use rayline_diagnose::network::Network;
use rayline_diagnose::tls::Scheme;
use rayline_diagnose::visit::Way;
use rayline_verdict::Code::*;
use rayline_verdict::fault::{ConnectCause, OriginTlsCause, ReceiveCause, ResolveCause, WaitCause};
use rayline_verdict::{Code, Fact, Party, TABLE, Verdict};

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
        (
            "nginx without its application, as it seems: it may be an edge",
            nginx(502),
            "fault origin.wait.error_status inferred app -",
        ),
        (
            "nginx without its application, by its access log",
            nginx(502).logged(502),
            "fault origin.wait.error_status proven app -",
        ),
        (
            "a gateway that does not sign",
            Stage::bare(E::Answered(503)),
            "fault origin.wait.error_status inferred origin -",
        ),
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
        (
            "a body that stood still for as long as we waited",
            Stage::bare(E::Broken(met(ReceiveCause::TimedOut))),
            "fault origin.receive.timed_out inferred origin -",
        ),
        ("slow, as far as we waited", Stage::bare(E::Silent(5)), "open - - - -"),
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
fn the_status_told_is_the_one_that_the_origin_gave() {
    let other = conclude(&case(), &Stage::cloudflare(520, 520).direct(E::Answered(503)).0);
    assert!(other.sentence.ends_with("asked past Cloudflare, it answers with 503 itself."), "{}", other.sentence);
    let logged = conclude(&case(), &Stage::cloudflare(520, 520).logged(500).0);
    for (conclusion, status) in [(other, 503), (logged, 500)] {
        let verdict = conclusion.verdict.unwrap();
        assert!(verdict.evidence.facts().contains(&Fact::OriginStatus(status)), "{verdict:?}");
    }
}

#[test]
fn what_is_only_slow_is_to_be_waited_for() {
    let conclusion = conclude(&case(), &Stage::bare(E::Silent(5)).0);
    assert!(conclusion.sentence.starts_with("`shop.example` has not answered within 5 s"), "{}", conclusion.sentence);
    assert!(conclusion.next.first().is_some_and(|step| step.contains("--timeout 120s")), "{:?}", conclusion.next);
    let hasty = conclude(&case(), &Stage::bare(E::Silent(0)).0);
    assert!(hasty.sentence.contains("within 0 ms"), "{}", hasty.sentence);
}

#[test]
fn what_fails_after_a_redirect_is_named() {
    let mut stage = Stage::bare(E::Failed(refused()));
    for sample in &mut stage.0.visit.samples {
        sample.url = "https://pay.example:8443/x".parse().unwrap();
    }
    let conclusion = conclude(&case(), &stage.0);
    assert_eq!(
        conclusion.sentence,
        "After a redirect to `pay.example:8443`, the server there is at fault: it refused the connection."
    );
    assert!(conclusion.clues.first().is_some_and(|clue| clue.contains("`pay.example:8443`")), "{:?}", conclusion.clues);
    assert!(conclusion.fix.first().is_some_and(|step| step.contains("`pay.example:8443`")), "{:?}", conclusion.fix);
}

#[test]
fn a_redirect_to_a_name_that_does_not_exist_fails_on_the_visitors_side() {
    let mut stage = Stage::through_cloudflare(E::Failed(met(ResolveCause::NxDomain)), None);
    for sample in &mut stage.0.visit.samples {
        sample.url = "https://pay.example/x".parse().unwrap();
    }
    let conclusion = conclude(&case(), &stage.0);
    assert_eq!(in_short(&conclusion), "fault owner.resolve.nxdomain proven you -");
    assert!(conclusion.sentence.starts_with("A redirect leads nowhere: `pay.example` does not exist"));
    assert!(conclusion.edge_seen);
    assert!(!conclusion.clues.iter().any(|clue| clue.contains("Cloudflare itself")), "{:?}", conclusion.clues);
}

#[test]
fn an_edge_is_in_the_picture_where_one_was_seen() {
    use rayline_diagnose::report::{Part, picture};
    let boxes = |stage: &Stage| picture(&conclude(&case(), &stage.0)).collect::<Vec<_>>();
    let bare = boxes(&Stage::bare(E::Failed(refused())));
    assert_eq!(bare, [("You", Part::Well), ("Network", Part::Well), ("Origin", Part::Fails), ("App", Part::Open)]);
    assert!(boxes(&Stage::cloudflare(524, 524)).contains(&("Edge", Part::Well)));
    // What the owner has to mend is drawn there, though nobody came so far.
    let mut unresolved = Stage::default();
    unresolved.0.visit.unresolved = Some(Box::new(met(ResolveCause::NxDomain)));
    assert!(boxes(&unresolved).contains(&("Edge", Part::Fails)));
}

#[test]
fn a_black_hole_before_the_edge_is_no_fault_of_what_is_behind_it() {
    let hole = Some("192.0.2.1:443".parse().unwrap());
    let with = |mut stage: Stage, change: fn(&mut Network, Option<SocketAddr>)| {
        change(stage.0.network.get_or_insert_default(), hole);
        stage.0
    };
    let sees_it = |conclusion: &Conclusion| {
        let texts = conclusion.clues.iter().chain(&conclusion.next);
        texts.filter(|text| text.contains("large packets vanish between this machine and Cloudflare")).count()
    };
    let code = |conclusion: &Conclusion| conclusion.verdict.as_ref().map(|verdict| verdict.code);
    let well = conclude(
        &case(),
        &with(Stage::through_cloudflare(E::Answered(200), None), |network, hole| network.edge_black_hole = hole),
    );
    assert_eq!((well.outcome, sees_it(&well)), (Outcome::Fine, 1));
    // The site's address alone is known, and it is the edge's.
    let timed_out = conclude(&case(), &with(Stage::cloudflare(524, 524), |network, hole| network.black_hole = hole));
    assert_eq!((code(&timed_out), sees_it(&timed_out)), (Some(OriginWaitTimedOut), 1));
    assert!(timed_out.hypotheses.iter().all(|each| each.code != NetworkSendUnacknowledged));
    // Seen from the origin, it is on the very way that the answer goes.
    let toward = with(Stage::cloudflare(520, 520), |network, hole| network.toward_black_hole = hole);
    let toward = conclude(&case(), &toward);
    assert!(toward.hypotheses.iter().any(|each| each.code == NetworkReceiveLost), "{:?}", toward.hypotheses);
}

#[test]
fn a_revoked_certificate_is_why_an_edge_that_looks_does_not_take_it() {
    let mut stage = Stage::cloudflare(526, 526).tls(None, None);
    stage.0.tls.as_mut().unwrap().revoked = Some(Box::new(met(OriginTlsCause::Revoked)));
    assert_eq!(in_short(&conclude(&case(), &stage.0)), "fault origin.origin_tls.revoked proven origin -");
    let mut other = Stage::cloudflare(524, 524).tls(None, None);
    other.0.tls.as_mut().unwrap().revoked = Some(Box::new(met(OriginTlsCause::Revoked)));
    assert_eq!(in_short(&conclude(&case(), &other.0)), "fault origin.wait.timed_out inferred origin -");
}

#[test]
fn maintenance_is_told_with_its_end_and_steps_are_for_the_status_met() {
    let mut stage = Stage::bare(E::Answered(503));
    for sample in &mut stage.0.visit.samples {
        let answer = sample.exchange.outcome.as_mut().unwrap();
        answer.fields.push(("retry-after".to_owned(), b"3600".to_vec()));
    }
    let conclusion = conclude(&case(), &stage.0);
    assert!(conclusion.clues.iter().any(|clue| clue.contains("`Retry-After`: 3600 s")), "{:?}", conclusion.clues);
    assert!(conclusion.fix.iter().all(|step| !step.starts_with("For 502")), "{:?}", conclusion.fix);
    assert!(conclusion.fix.iter().any(|step| step.starts_with("For 503")), "{:?}", conclusion.fix);
}

#[test]
fn an_origin_that_was_named_in_vain_is_told_though_nothing_fails() {
    let conclusion = conclude(
        &case(),
        &Stage::bare(E::Answered(200)).direct_at(stage::VISITED, Scheme::Https, E::Failed(refused())).0,
    );
    assert!(conclusion.next.iter().any(|note| note.contains("does not answer well")), "{:?}", conclusion.next);
}

#[test]
fn settings_of_rayline_are_told_where_rayline_stands_in_front() {
    let steps = |stage: Stage| conclude(&case(), &stage.0).fix.join("; ");
    assert!(steps(Stage::rayline(524, OriginWaitTimedOut)).contains("`proxy_read_timeout`"));
    assert!(!steps(Stage::cloudflare(524, 524)).contains("`proxy_read_timeout`"));
    let mut unknown = Stage::default();
    unknown.0.visit.unresolved = Some(Box::new(met(ResolveCause::NxDomain)));
    let steps = steps(unknown);
    assert!(steps.contains("create the record of `shop.example`") && !steps.contains("CNAME"), "{steps}");
}

#[test]
fn every_sentence_about_the_origin_reads_well() {
    for entry in TABLE.iter().filter(|entry| entry.party == Party::Origin) {
        let conclusion = conclude(&case(), &Stage::rayline(520, entry.code).0);
        let Some((_, what)) = conclusion.sentence.split_once("at fault: ") else { continue };
        assert!(!what.contains("shows's") && !what.contains("the site's server"), "{}", conclusion.sentence);
    }
    let sentence = |code| conclude(&case(), &Stage::rayline(520, code).0).sentence;
    assert!(sentence(OriginWaitNotHttp).ends_with("at fault: what it answered is not HTTP."));
}

#[test]
fn a_port_that_answers_in_clear_need_not_speak_tls() {
    let plain = || Some(met(OriginTlsCause::PlainHttp));
    let clear = |end| Stage::cloudflare(520, 520).tls(plain(), plain()).direct_at(ORIGIN, Scheme::Http, end);
    let conclusion = conclude(&case(), &clear(E::Answered(200)).0);
    assert_eq!(conclusion.outcome, Outcome::CannotTell, "{}", conclusion.sentence);
    let fails = conclude(&case(), &clear(E::Answered(503)).0);
    assert_eq!(fails.verdict.map(|verdict| verdict.code), Some(OriginWaitErrorStatus));
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

#[test]
fn who_may_be_an_edge_is_said_to_be_one() {
    let conclusion = conclude(&case(), &nginx(502).0);
    let verdict = conclusion.verdict.as_ref().unwrap();
    assert_eq!(verdict.rivals.first(), Some(&OriginConnectRefused));
    let asked = "if another server stands behind nginx, give it as `--origin ADDR`";
    assert!(conclusion.next.iter().any(|step| step.starts_with(asked)), "{:?}", conclusion.next);
    let refused = conclusion.hypotheses.iter().find(|each| each.code == OriginConnectRefused).unwrap();
    assert!(refused.decide.contains("--origin ADDR"), "{}", refused.decide);
}
