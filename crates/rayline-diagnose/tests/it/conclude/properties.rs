//! What holds whatever was seen.

use proptest::prelude::*;
use proptest::sample::select;
use rayline_diagnose::author::Role;
use rayline_diagnose::conclude::{Conclusion, Outcome, Seen, conclude};
use rayline_diagnose::direct::RivalKind;
use rayline_diagnose::logs::Cause;
use rayline_diagnose::tls::Scheme;
use rayline_diagnose::visit::Way;
use rayline_verdict::fault::{ConnectCause, OriginTlsCause, ReceiveCause, WaitCause};
use rayline_verdict::{Certainty, Code, Party, TABLE};

use super::stage::{Ends as E, Stage, by, case, mark, met, told};

/// What holds of every conclusion.
#[track_caller]
pub(super) fn hold(seen: &Seen, conclusion: &Conclusion) {
    assert_eq!(conclusion.outcome == Outcome::Fault, conclusion.verdict.is_some());
    assert!(!conclusion.sentence.is_empty() && conclusion.sentence.ends_with('.'), "{}", conclusion.sentence);
    let whole: f64 = conclusion.hypotheses.iter().map(|each| each.likelihood).sum();
    assert!((0.0..=1.0 + 1e-9).contains(&whole), "{whole}");
    assert!(conclusion.hypotheses.iter().all(|each| (0.0..=1.0).contains(&each.likelihood)));
    let Some(verdict) = &conclusion.verdict else { return };
    assert!(conclusion.hop.is_some() && !conclusion.fix.is_empty() && !conclusion.clues.is_empty(), "{conclusion:#?}");
    match verdict.certainty {
        Certainty::Proven => assert!(verdict.rivals.is_empty()),
        Certainty::Inferred => {
            assert!(!verdict.rivals.is_empty() && !verdict.rivals.contains(&verdict.code));
            assert_eq!(conclusion.hypotheses.first().map(|first| first.code), Some(verdict.code));
        }
    }
    if verdict.party() == Party::Edge {
        assert!(the_edge_speaks(seen), "{verdict:#?}");
    }
    assert!(conclusion.cause.is_none() || matches!(verdict.party(), Party::Origin | Party::Network), "{verdict:#?}");
}

/// Whether the edge itself said or showed that it is at fault.
fn the_edge_speaks(seen: &Seen) -> bool {
    let recorded = seen.edge.as_ref().is_some_and(|side| side.record.is_some());
    recorded
        || seen.visit.samples.iter().any(|sample| {
            let recognition = &sample.recognition;
            let wrote = recognition.author.as_ref().is_some_and(|author| author.role == Role::Edge);
            let named = recognition.told.is_some() && recognition.passed.iter().any(|mark| mark.name == "Rayline");
            wrote || named || sample.exchange.outcome.is_err()
        })
}

fn end() -> impl Strategy<Value = E> {
    prop_oneof![
        prop_oneof![
            Just(200u16),
            Just(301),
            Just(403),
            Just(500),
            Just(502),
            Just(503),
            Just(504),
            Just(520),
            Just(522)
        ]
        .prop_map(E::Answered),
        (0usize..300_000).prop_map(|bytes| E::Large(200, bytes)),
        Just(E::Blank(200)),
        Just(E::Broken(met(ReceiveCause::Truncated))),
        (0u64..200).prop_map(E::Silent),
        prop_oneof![Just(ConnectCause::Refused), Just(ConnectCause::TimedOut), Just(ConnectCause::NoRoute)]
            .prop_map(|cause| E::Failed(met(cause))),
        prop_oneof![Just(OriginTlsCause::CertificateExpired), Just(OriginTlsCause::Alert)]
            .prop_map(|cause| E::Failed(met(cause))),
        prop_oneof![Just(WaitCause::Reset), Just(WaitCause::HeaderTooLarge)].prop_map(|cause| E::Failed(met(cause))),
    ]
}

fn code() -> impl Strategy<Value = Code> {
    select(TABLE.iter().map(|entry| entry.code).collect::<Vec<_>>())
}

fn cause() -> impl Strategy<Value = Cause> {
    select(Cause::ALL)
}

fn rival() -> impl Strategy<Value = (RivalKind, Option<bool>)> {
    use RivalKind::{Concurrency, EdgeFields, Firewall, HeaderSize, Http2, Port, Reuse};
    let kinds = [Firewall, Concurrency, EdgeFields, Http2, Port, Reuse, HeaderSize];
    (select(kinds.to_vec()), any::<Option<bool>>())
}

prop_compose! {
    fn recognition()(
        name in prop_oneof![Just("Cloudflare"), Just("nginx"), Just("Rayline"), Just("PHP")],
        signed in any::<bool>(),
        number in proptest::option::of(prop_oneof![Just(520u16), Just(522), Just(1016), Just(1020), Just(9)]),
        codes in proptest::collection::vec(code(), 0..4),
        says in any::<bool>(),
    ) -> rayline_diagnose::author::Recognition {
        let role = match name { "nginx" => Role::Server, "PHP" => Role::Application, _ => Role::Edge };
        let mark = mark(name, role);
        let told = says.then(|| told(number, &codes)).flatten();
        by(signed.then(|| mark.clone()), &[mark], told)
    }
}

prop_compose! {
    fn stage()(
        samples in proptest::collection::vec((end(), recognition(), any::<bool>(), any::<bool>()), 0..5),
        direct in proptest::collection::vec((end(), any::<bool>()), 0..4),
        rivals in proptest::collection::vec(rival(), 0..4),
        tls in proptest::option::of(any::<bool>()),
        logs in proptest::collection::vec((cause(), -1.0f64..2.0), 0..4),
        logged in proptest::option::of(200u16..600),
        rate in proptest::option::of((0u32..20, 0u32..20)),
        record in proptest::option::of(code()),
    ) -> Stage {
        let mut stage = samples.into_iter().fold(Stage::default(), |stage, (end, recognition, ipv6, http2)| {
            stage.sample(&end, recognition, Way { ipv6, http2 })
        });
        for (end, near) in direct {
            let at = if near { super::NEAR } else { super::ORIGIN };
            stage = stage.direct_at(at, if near { Scheme::Http } else { Scheme::Https }, end);
        }
        for (kind, fails) in rivals {
            stage = stage.rival(kind, fails);
        }
        if let Some(works) = tls {
            let verdict = (!works).then(|| met(OriginTlsCause::CertificateExpired));
            stage = stage.tls(None, verdict);
        }
        for (cause, likelihood) in logs {
            stage = stage.log(cause, likelihood);
        }
        if let Some(status) = logged {
            stage = stage.logged(status);
        }
        if let Some((failed, of)) = rate {
            stage = stage.rate(failed, of);
        }
        if let Some(code) = record {
            stage = stage.record(code, "proven");
        }
        stage
    }
}

proptest! {
    #[test]
    fn whatever_was_seen(stage in stage()) {
        hold(&stage.0, &conclude(&case(), &stage.0));
    }

    /// The origin works in every way that was tried, and no log says otherwise: it is not blamed for what an edge says.
    #[test]
    fn an_origin_that_works_in_every_way_is_not_blamed(
        status in prop_oneof![Just(500u16), Just(502), Just(503), Just(504)],
        name in prop_oneof![Just("nginx"), Just("HAProxy"), Just("Caddy")],
        codes in proptest::collection::vec(code(), 0..4),
    ) {
        let stage = Stage::server(name, status, &codes).direct(E::Answered(200)).rivals_hold();
        let conclusion = conclude(&case(), &stage.0);
        prop_assert!(conclusion.verdict.is_none_or(|verdict| !matches!(verdict.party(), Party::Origin | Party::Edge)));
    }
}
