//! Alerts: what is found, when it is told, in which shape, and that it arrives.

mod history;
mod told;

use std::time::Duration;

use rayline_push::alert::{Address, Certificate, Finding, Kind, Known, Ledger, Notice, Policy, State, shape, watch};
use rayline_verdict::{Code, Moment, Party};

use history::{History, at};

const MINUTE: Duration = Duration::from_secs(60);

fn policy(kind: Kind) -> Policy {
    Policy {
        name: "p".to_owned(),
        kind,
        zones: Vec::new(),
        parties: vec![Party::Owner, Party::Edge, Party::Network, Party::Origin],
        codes: Vec::new(),
        window: 5 * MINUTE,
        min_requests: 20,
        receivers: vec!["ops".to_owned()],
        repeat: 60 * MINUTE,
        quiet_minutes: None,
    }
}

fn find(history: &History, policy: &Policy, now: Moment) -> Vec<Finding> {
    watch(history, policy, &Known::default(), now).unwrap()
}

const REFUSED: Code = Code::OriginConnectRefused;
const GONE: Code = Code::VisitorReplyGone;

#[test]
fn a_share_of_failures_is_found_with_its_verdict() {
    let history = History::default()
        .fine("shop.example", 0..280)
        .failed("shop.example", 250..300, REFUSED)
        .fine("a.example", 0..300);
    let [found] = &*find(&history, &policy(Kind::FailureRate { percent: 5.0 }), at(300)) else { panic!() };
    assert_eq!((found.key.as_str(), found.failed, found.requests), ("shop.example", 50, 330));
    assert_eq!(found.code, Some(REFUSED));
    assert_eq!(found.since, at(240), "the minute in which it began");
    assert!(found.headline.starts_with("shop.example: 15.2 % of requests fail: "), "{}", found.headline);
    assert!(found.evidence.iter().any(|fact| fact.value == "ECONNREFUSED"), "{:?}", found.evidence);
    assert!(found.evidence.iter().all(|fact| !fact.value.contains('\u{7}')));
    assert!(found.places.iter().any(|place| place == "host www.shop.example (50 failed)"), "{:?}", found.places);
    assert!(!found.ray_id.is_empty());
}

#[test]
fn what_does_not_count_is_not_found() {
    let visitors = History::default().fine("a.example", 0..200).failed("a.example", 0..200, GONE);
    let few = History::default().fine("a.example", 285..290).failed("a.example", 290..300, REFUSED);
    let past = History::default().fine("a.example", 0..900).failed("a.example", 0..300, REFUSED);
    let rate = policy(Kind::FailureRate { percent: 5.0 });
    assert_eq!(find(&visitors, &rate, at(300)), [], "visitors' own faults");
    assert_eq!(find(&few, &rate, at(300)), [], "fewer than the window must have");
    assert_eq!(find(&past, &rate, at(900)), [], "before the window");
    let failing = History::default().failed("a.example", 0..300, REFUSED);
    assert_eq!(find(&failing, &Policy { zones: vec!["b.example".into()], ..rate.clone() }, at(300)), []);
    assert_eq!(find(&failing, &Policy { codes: vec!["origin.wait.".into()], ..rate.clone() }, at(300)), []);
    assert_eq!(find(&failing, &Policy { codes: vec!["origin.connect.".into()], ..rate }, at(300)).len(), 1);
    assert_eq!(find(&History::default(), &policy(Kind::NewCode), at(300)), [], "an empty store");
}

#[test]
fn a_budget_burns_while_both_windows_say_so() {
    let burn = Policy { window: 60 * MINUTE, ..policy(Kind::BurnRate { objective: 99.0, times: 10.0 }) };
    let begun = History::default().fine("a.example", 0..3600).failed("a.example", 3000..3600, REFUSED);
    let over = History::default().fine("a.example", 0..3600).failed("a.example", 2000..2600, REFUSED);
    let [found] = &*find(&begun, &burn, at(3600)) else { panic!() };
    assert!((14.0..15.0).contains(&found.measured), "{}", found.measured);
    assert_eq!(find(&over, &burn, at(3600)), [], "it has ended");
}

#[test]
fn only_what_was_never_seen_is_new() {
    let history = History::default()
        .failed("a.example", 0..10, REFUSED)
        .failed("a.example", 5000..5010, REFUSED)
        .failed("a.example", 5010..5020, Code::OriginWaitTimedOut);
    let found = find(&history, &policy(Kind::NewCode), at(5100));
    let keys: Vec<&str> = found.iter().map(|found| found.key.as_str()).collect();
    assert_eq!(keys, ["a.example/origin.wait.timed_out"]);
}

#[test]
fn trouble_is_seen_before_it_comes() {
    let known = Known {
        certificates: vec![
            Certificate {
                subject: "a.example, shown to visitors".into(),
                zone: "a.example".into(),
                not_after: at(86_400),
                places: Vec::new(),
            },
            Certificate {
                subject: "b.example, shown to visitors".into(),
                zone: "b.example".into(),
                not_after: at(8_640_000),
                places: Vec::new(),
            },
            Certificate {
                subject: "c.example, of the origin".into(),
                zone: "c.example".into(),
                not_after: at(-3600),
                places: vec!["origin 192.0.2.1:443".into()],
            },
        ],
        read_timeouts: vec![
            ("a.example".into(), Duration::from_secs(100)),
            ("b.example".into(), Duration::from_secs(500)),
        ],
        ..Known::default()
    };
    let ends = watch(&History::default(), &policy(Kind::Certificate { before: 14 * 24 * 60 * MINUTE }), &known, at(0))
        .unwrap();
    let said: Vec<&str> = ends.iter().map(|found| found.headline.as_str()).collect();
    assert_eq!(
        said,
        [
            "the certificate of a.example, shown to visitors ends in 1.0 days, on 2026-11-22T10:00:00Z",
            "the certificate of c.example, of the origin ended on 2026-11-21T09:00:00Z"
        ]
    );
    assert_eq!(ends[1].places, ["origin 192.0.2.1:443"]);
    let history = History::default()
        .fine("a.example", 0..200)
        .slow("a.example", 200..280, 90_000_000)
        .fine("b.example", 0..200)
        .slow("b.example", 200..280, 90_000_000);
    let near = watch(&history, &policy(Kind::NearTimeout { percent: 80.0 }), &known, at(300)).unwrap();
    let [found] = &*near else { panic!("{near:?}") };
    assert!((85.0..95.0).contains(&found.measured), "{}", found.measured);
    assert!(found.headline.contains("192.0.2.10:443") && found.headline.contains("524"), "{}", found.headline);
}

/// What is told when a policy looks at these moments, each with whether it finds something.
fn told(policy: &Policy, looks: &[(i64, bool)]) -> Vec<(i64, State)> {
    let mut ledger = Ledger::default();
    let mut told = Vec::new();
    for (second, fails) in looks {
        let history = History::default().failed("a.example", second - 60..*second, REFUSED);
        let findings = if *fails { find(&history, policy, at(*second)) } else { Vec::new() };
        assert_eq!(findings.len(), usize::from(*fails));
        let outgoing = ledger.take(policy, findings, at(*second), |_| String::new());
        told.extend(outgoing.into_iter().map(|outgoing| (*second, outgoing.notice.state)));
        assert_eq!(ledger.open().len(), usize::from(*fails || policy.is_quiet(at(*second)) && !told.is_empty()));
        // it is the same when it has been on disk meanwhile
        ledger = serde_json::from_str(&serde_json::to_string(&ledger).unwrap()).unwrap();
    }
    told
}

#[test]
fn each_trouble_is_told_once_again_after_long_and_when_it_is_over() {
    use State::{Firing, Ongoing, Resolved};
    let rate = policy(Kind::FailureRate { percent: 5.0 });
    let looks =
        [(60, false), (70, true), (80, true), (3600, true), (3670, true), (3680, true), (3700, false), (3710, false)];
    assert_eq!(told(&rate, &looks), [(70, Firing), (3670, Ongoing), (3700, Resolved)]);
    assert_eq!(told(&rate, &[(70, true), (80, false), (90, true)]), [(70, Firing), (80, Resolved), (90, Firing)]);

    // from ten to eleven nobody is told
    let quiet = Policy { quiet_minutes: Some((600, 660)), ..rate };
    assert_eq!(told(&quiet, &[(70, true), (80, false), (3700, false)]), [], "it came and went");
    assert_eq!(told(&quiet, &[(70, true), (3600, true)]), [(3600, Firing)], "it still goes on");
    let night = Policy { quiet_minutes: Some((22 * 60, 6 * 60)), ..quiet };
    assert!(night.is_quiet(at(12 * 3600)) && night.is_quiet(at(-5 * 3600)) && !night.is_quiet(at(0)));
    assert_eq!(
        told(&night, &[(11 * 3600, true), (12 * 3600, false), (20 * 3600, false)]),
        [(11 * 3600, Firing), (20 * 3600, Resolved)],
        "its end is told in the morning"
    );
}

fn notice(state: State) -> Notice {
    let history =
        History::default().failed("a.example", 0..300, REFUSED).named("<!channel> @everyone [x](http://y) `z`");
    let rate = policy(Kind::FailureRate { percent: 5.0 });
    let findings = find(&history, &rate, at(300));
    let link = |_: &Finding| "http://127.0.0.1:8787/errors?zone=a.example".to_owned();
    let outgoing = Ledger::default().take(&rate, findings, at(300), link).into_iter().next().unwrap();
    Notice { state, ..outgoing.notice }
}

#[test]
fn every_service_gets_the_verdict_in_its_own_shape() {
    let url = || "https://hooks.example".to_owned();
    let addresses = [
        Address::Webhook { url: url(), secret: None },
        Address::Slack { url: url() },
        Address::Discord { url: url() },
        Address::Teams { url: url() },
        Address::PagerDuty { url: url(), routing_key: "key".to_owned() },
    ];
    for address in &addresses {
        let body = shape(address, &notice(State::Firing)).unwrap();
        let text = body.to_string();
        for part in ["origin.connect.refused", "ECONNREFUSED", "2026-11-21T10:00:00Z", "http://127.0.0.1:8787/errors"] {
            assert!(text.contains(part), "{}: {part} is not in {body:#}", address.kind());
        }
        let step = REFUSED.entry().fix[0];
        assert!(
            text.contains(
                &serde_json::to_string(step).unwrap().trim_matches('"').replace('<', "&lt;").replace('>', "&gt;")
            ) || text.contains(step),
            "{body:#}"
        );
    }
    let [webhook, slack, discord, teams, pagerduty] =
        addresses.map(|address| shape(&address, &notice(State::Resolved)).unwrap());
    assert_eq!((&webhook["state"], &webhook["failed"]), (&"resolved".into(), &300.into()));
    assert!(!slack.to_string().contains("<!channel>"), "{slack:#}");
    assert_eq!(discord["allowed_mentions"]["parse"], serde_json::json!([]));
    assert_eq!(teams["attachments"][0]["content"]["type"], "AdaptiveCard");
    assert!(!teams["attachments"][0]["content"]["body"].to_string().contains("[x](http"), "{teams:#}");
    assert_eq!((&pagerduty["event_action"], &pagerduty["payload"]["severity"]), (&"resolve".into(), &"error".into()));
    let begun = shape(&Address::PagerDuty { url: url(), routing_key: String::new() }, &notice(State::Firing)).unwrap();
    assert_eq!(begun["dedup_key"], pagerduty["dedup_key"], "the end belongs to the beginning");
    assert!(
        slack["blocks"].as_array().unwrap().iter().all(|block| block["text"]["text"]
            .as_str()
            .unwrap_or_default()
            .len()
            < 3000)
    );
}
