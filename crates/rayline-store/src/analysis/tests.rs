//! Every analysis against histories whose truth is known, because it was written into them.

mod files;
mod history;

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use history::{HOUR, History, MINUTE, SECOND, START};
use rayline_verdict::Moment;

use super::approaching::{Kind, Limits, approaching};
use super::budget::{Budget, budget};
use super::changes::changes;
use super::impact::impact;
use super::incidents::incidents;
use super::only;
use super::origins::origins;
use crate::chunk::{Chunk, Source, Span, Table, Wanted};
use crate::dimension::{Dimension, Number};
use crate::memory::{Line, Memory};
use crate::query::{Filter, Matching, Query, run};

const SEEDS: std::ops::Range<u64> = 1..4;
const REFUSED: &str = "origin.connect.refused";
const TIMED_OUT: &str = "origin.wait.timed_out";

fn span(from: i64, to: i64) -> Span {
    Span { from: Moment(START + from), to: Moment(START + to) }
}

fn limits() -> Limits {
    Limits {
        read_timeout: Duration::from_secs(10),
        connect_timeout: Duration::from_secs(19),
        tls_timeout: Duration::from_secs(19),
        request_body_bytes: 100_000,
        memory: Duration::from_secs(2 * 3_600),
    }
}

#[test]
fn an_empty_store_has_nothing_to_tell() {
    let (store, hour) = (Memory::default(), span(0, HOUR));
    assert_eq!(budget(&store, hour, &[], 0.999).unwrap(), []);
    assert_eq!(origins(&store, hour, &[], Duration::from_secs(125)).unwrap(), []);
    assert_eq!(incidents(&store, hour, &[]).unwrap().incidents, []);
    assert_eq!(impact(&store, hour, &[]).unwrap().addresses, 0);
    assert_eq!(approaching(&store, hour, &[], &limits()).unwrap(), []);
    let nothing = changes(&store, hour, span(-HOUR, 0), &[]).unwrap();
    assert!(!nothing.risen && nothing.explanations.is_empty() && nothing.rate_before.is_none());
}

#[test]
fn a_quiet_hour_has_no_rise() {
    for seed in SEEDS {
        let store = History::new(seed).store(0, 2 * HOUR);
        let quiet = changes(&store, span(HOUR, 2 * HOUR), span(0, HOUR), &[]).unwrap();
        assert!(!quiet.risen, "seed {seed}: {quiet:?}");
        let growing = approaching(&store, span(0, 2 * HOUR), &[], &limits()).unwrap();
        assert_eq!(growing, [], "seed {seed}");
    }
}

#[test]
fn a_broken_origin_explains_the_rise_first() {
    for seed in SEEDS {
        let mut history = History::new(seed);
        history.fail(HOUR + 10 * MINUTE, 2 * HOUR, 1.0, REFUSED, |line| line.text(Dimension::Origin) == "10.0.0.2:80");
        let found = changes(&history.store(0, 2 * HOUR), span(HOUR, 2 * HOUR), span(0, HOUR), &[]).unwrap();
        assert!(found.risen);
        assert_eq!(found.kinds[0].code, REFUSED);
        let first = &found.explanations[0];
        assert_eq!(
            (first.dimension, first.value.as_str()),
            (Dimension::Origin, "10.0.0.2:80"),
            "seed {seed}: {found:#?}"
        );
        assert!(first.share > 0.9 && first.rate_inside > 10.0 * first.rate_outside, "{first:?}");
        assert!(first.sentence.contains("of the rise is at origin `10.0.0.2:80`"), "{}", first.sentence);
        assert_eq!(found.explanations.len(), 1, "seed {seed}: {found:#?}");
    }
}

#[test]
fn a_broken_page_is_told_from_its_host() {
    for seed in SEEDS {
        let mut history = History::new(seed);
        history.fail(HOUR, 2 * HOUR, 0.9, "origin.wait.error_status", |line| {
            line.text(Dimension::Path) == "/cart" && line.text(Dimension::Host) == "shop.example"
        });
        let found = changes(&history.store(0, 2 * HOUR), span(HOUR, 2 * HOUR), span(0, HOUR), &[]).unwrap();
        let first = &found.explanations[0];
        assert_eq!((first.dimension, first.value.as_str()), (Dimension::Path, "/cart"), "seed {seed}: {found:#?}");
        assert_eq!(found.explanations.len(), 1, "seed {seed}: {found:#?}");
        assert!(first.also.contains(&(Dimension::Host, "shop.example".to_owned())), "{first:?}");
    }
}

#[test]
fn two_causes_are_two_explanations() {
    for seed in SEEDS {
        let mut history = History::new(seed);
        history.fail(HOUR, 2 * HOUR, 1.0, REFUSED, |line| line.text(Dimension::Origin) == "10.0.0.1:80");
        history
            .fail(HOUR, 2 * HOUR, 1.0, "edge.reply.unclassified", |line| line.text(Dimension::UserAgent) == "old app");
        let found = changes(&history.store(0, 2 * HOUR), span(HOUR, 2 * HOUR), span(0, HOUR), &[]).unwrap();
        let named: Vec<&str> = found.explanations.iter().take(2).map(|found| found.value.as_str()).collect();
        assert!(named.contains(&"10.0.0.1:80"), "seed {seed}: {found:#?}");
        assert!(found.explanations.iter().any(|found| found.value == "old app"), "seed {seed}: {found:#?}");
    }
}

#[test]
fn the_version_under_which_it_began_is_named() {
    for seed in SEEDS {
        let mut history = History::new(seed);
        history.plan(HOUR + 20 * MINUTE, "8");
        history.fail(HOUR + 20 * MINUTE, 2 * HOUR, 1.0, "owner.resolve.nxdomain", |line| {
            line.text(Dimension::Host) == "api.example"
        });
        let store = history.store(0, 2 * HOUR);
        let found = changes(&store, span(HOUR, 2 * HOUR), span(0, HOUR), &[]).unwrap();
        let plan = found.plan.unwrap();
        assert_eq!((plan.version.as_str(), plan.since), ("8", Moment(START + HOUR + 20 * MINUTE)));
        assert_eq!(found.explanations[0].value, "api.example", "seed {seed}");
        let incident = &incidents(&store, span(0, 2 * HOUR), &[]).unwrap().incidents[0];
        assert_eq!(incident.plan.as_ref().map(|plan| plan.version.as_str()), Some("8"), "seed {seed}: {incident:?}");
    }
}

#[test]
fn a_budget_says_who_lost_what() {
    let lines = |code: &str, count: i64| -> Vec<Line> {
        let status = if code.is_empty() { "200" } else { "502" };
        let party = code.split('.').next().unwrap_or_default().to_owned();
        let line = |nth| {
            let line =
                Line::new(START + nth * SECOND).with(Dimension::Zone, "shop.example").with(Dimension::Code, code);
            line.with(Dimension::Party, &party).with(Dimension::EdgeStatus, status)
        };
        (0..count).map(line).collect()
    };
    let mut store = Memory::default();
    for (code, count) in [("", 889), (REFUSED, 6), ("network.connect.timed_out", 4), ("visitor.reply.gone", 101)] {
        let lines: Vec<Line> = lines(code, count).into_iter().map(|line| Line { at: START, ..line }).collect();
        store.add(crate::Table::Minutes, &lines, 100);
    }
    let found = budget(&store, span(0, HOUR), &[only(Dimension::Zone, "shop.example")], 0.99).unwrap();
    assert_eq!(found.len(), 1);
    let losses: Vec<(&str, u64, bool)> =
        found[0].losses.iter().map(|loss| (loss.party.as_str(), loss.failed, loss.against_site)).collect();
    assert_eq!(losses, [("visitor", 101, false), ("origin", 6, true), ("network", 4, true)]);
    assert!((found[0].success - 889.0 / 899.0).abs() < 1e-9);
    assert!((found[0].burn - 10.0 / 899.0 / 0.01).abs() < 1e-9);
    assert_eq!(found[0].error, 0.0);
    let all = Budget::together(&[found[0].clone(), found[0].clone()], 0.99);
    assert_eq!((all.requests, all.lost(), all.failed(), all.losses.len()), (2000.0, 20, 222, 3));
    assert!((all.success - found[0].success).abs() < 1e-9 && (all.burn - found[0].burn).abs() < 1e-9);
    assert!(budget(&store, span(0, HOUR), &[], 1.5).is_err());
}

#[test]
fn origins_are_seen_as_they_are() {
    let mut history = History::new(3);
    history.fail(20 * MINUTE, 40 * MINUTE, 1.0, REFUSED, |line| line.text(Dimension::Origin) == "10.0.0.3:80");
    history.slow(0, HOUR, 0.05, 9_500_000, |line| line.text(Dimension::Origin) == "10.0.0.1:80");
    let store = history.store(0, HOUR);
    let found = origins(&store, span(0, HOUR), &[], Duration::from_secs(10)).unwrap();
    assert_eq!(found[0].address, "10.0.0.3:80");
    assert_eq!(found[0].codes[0].0, REFUSED);
    let last = found[0].last_failure.unwrap();
    assert!(last > Moment(START + 39 * MINUTE));
    assert!(found[0].last_success.unwrap() > Moment(START + 59 * MINUTE));
    assert!(found[0].reused.is_some_and(|reused| reused > 0.7 && reused < 0.9), "{:?}", found[0].reused);
    let slow: Vec<&str> = found.iter().filter(|origin| origin.slow).map(|origin| origin.address.as_str()).collect();
    assert_eq!(slow, ["10.0.0.1:80"]);
    let warnings = approaching(&store, span(0, HOUR), &[], &limits()).unwrap();
    assert_eq!((warnings[0].kind, warnings[0].subject.as_str()), (Kind::Wait, "10.0.0.1:80"));
    let of = |origin: &str| approaching(&store, span(0, HOUR), &[only(Dimension::Origin, origin)], &limits()).unwrap();
    assert_eq!(of("10.0.0.1:80")[0], warnings[0]);
    assert!(of("10.0.0.2:80").iter().all(|warning| warning.kind != Kind::Wait));
}

#[test]
fn an_outage_has_its_begin_end_and_scope_in_spite_of_noise() {
    for seed in SEEDS {
        let mut history = History::new(seed);
        history.fail(0, 3 * HOUR, 0.002, "origin.wait.error_status", |_| true);
        history.fail(HOUR, HOUR + 12 * MINUTE, 0.8, REFUSED, |line| line.text(Dimension::Origin) == "10.0.0.2:80");
        let found = incidents(&history.store(0, 3 * HOUR), span(0, 3 * HOUR), &[]).unwrap();
        let first = &found.incidents[0];
        assert_eq!((first.code(), first.party.as_str()), (REFUSED, "origin"), "seed {seed}");
        assert_eq!(first.origins, ["10.0.0.2:80"], "seed {seed}");
        assert!((first.begin.0 - START - HOUR).abs() < 20 * SECOND, "seed {seed}: {first:?}");
        let end = first.end.unwrap();
        assert!((end.0 - START - HOUR - 12 * MINUTE).abs() < 20 * SECOND, "seed {seed}: {first:?}");
        assert!((0.6..0.95).contains(&first.share), "seed {seed}: {first:?}");
        assert!(first.consequences.is_empty(), "seed {seed}: {first:?}");
        assert_eq!(first.plan, None);
    }
}

#[test]
fn an_incident_that_goes_on_has_no_end() {
    let mut history = History::new(2);
    history.fail(50 * MINUTE, HOUR, 1.0, REFUSED, |line| line.text(Dimension::Zone) == "shop.example");
    let found = incidents(&history.store(0, HOUR), span(0, HOUR), &[]).unwrap();
    assert_eq!(found.incidents[0].end, None);
    // all origins at once: one incident, not three
    assert_eq!(found.incidents[0].origins.len(), 3, "{found:#?}");
}

/// A store that counts how often its rows are read.
struct Counted(Memory, AtomicUsize);

impl Source for Counted {
    fn chunks(&self, table: Table, span: Span, wanted: &Wanted) -> io::Result<Vec<Arc<Chunk>>> {
        self.1.fetch_add(1, Ordering::Relaxed);
        self.0.chunks(table, span, wanted)
    }
}

#[test]
fn many_incidents_are_measured_as_one_is_and_with_no_more_passes() {
    const CODES: [&str; 4] =
        ["owner.resolve.nxdomain", "owner.resolve.loop", "owner.plan.mode", "owner.route.no_record"];
    let measured = |troubles: usize| {
        let mut history = History::new(1);
        for (nth, code) in (0..).zip(CODES).take(troubles) {
            // one begins after the other, and all go on together
            let begin = HOUR + nth * 7 * MINUTE;
            history.fail(begin, 2 * HOUR, 0.2, code, |line| line.text(Dimension::Zone) == "shop.example");
        }
        let store = Counted(history.store(0, 3 * HOUR), AtomicUsize::new(0));
        let owner = [only(Dimension::Party, "owner")];
        let found = incidents(&store, span(HOUR - MINUTE, 3 * HOUR), &owner).unwrap();
        let passes = store.1.load(Ordering::Relaxed);
        for incident in &found.incidents {
            let during = Span { from: incident.begin, to: Moment(incident.last.0 + 1) };
            let filters = vec![only(Dimension::Zone, "shop.example")];
            let alone = run(&store, &Query { filters, ..Query::new(during) }).unwrap().total.requests;
            assert_eq!(incident.requests, alone, "{incident:?}");
        }
        (found.incidents.len(), passes)
    };
    let (one, four) = (measured(1), measured(4));
    assert_eq!((one.0, four.0), (1, 4));
    assert_eq!(one.1, four.1);
}

#[test]
fn incidents_are_of_the_failures_asked_for_and_say_when_the_last_one_was() {
    let mut history = History::new(4);
    history.fail(20 * MINUTE, 30 * MINUTE, 1.0, REFUSED, |line| line.text(Dimension::Origin) == "10.0.0.1:80");
    history.fail(50 * MINUTE, 57 * MINUTE, 1.0, TIMED_OUT, |line| line.text(Dimension::Origin) == "10.0.0.2:80");
    let store = history.store(0, HOUR);
    let of = |code: &str| incidents(&store, span(0, HOUR), &[only(Dimension::Code, code)]).unwrap().incidents;
    let (over, quiet) = (of(REFUSED), of(TIMED_OUT));
    assert_eq!((over.len(), quiet.len()), (1, 1));
    assert_eq!((over[0].code(), over[0].end), (REFUSED, Some(over[0].last)));
    assert!(over[0].share > 0.9, "of all requests there: {over:?}");
    // three minutes of silence are not enough to call it over
    assert_eq!((quiet[0].code(), quiet[0].end), (TIMED_OUT, None));
    assert!((quiet[0].last.0 - START - 57 * MINUTE).abs() < 20 * SECOND, "{quiet:?}");
}

#[test]
fn a_cascade_is_folded_under_its_root() {
    for seed in SEEDS {
        let mut history = History::new(seed);
        history.fail(30 * MINUTE, 50 * MINUTE, 1.0, REFUSED, |line| line.text(Dimension::Origin) == "10.0.0.1:80");
        history.divert(30 * MINUTE, 50 * MINUTE, "10.0.0.1:80", "10.0.0.2:80");
        history.fail(30 * MINUTE + 40 * SECOND, 50 * MINUTE, 0.9, TIMED_OUT, |line| {
            line.text(Dimension::Origin) == "10.0.0.2:80"
        });
        let found = incidents(&history.store(0, HOUR), span(0, HOUR), &[]).unwrap();
        let root = &found.incidents[0];
        assert_eq!(
            (root.code(), root.origins.as_slice()),
            (REFUSED, &["10.0.0.1:80".to_owned()][..]),
            "seed {seed}: {found:#?}"
        );
        assert_eq!(root.consequences.len(), 1, "seed {seed}: {found:#?}");
        let followed = &root.consequences[0];
        assert_eq!((followed.incident.code(), followed.incident.origins[0].as_str()), (TIMED_OUT, "10.0.0.2:80"));
        assert!(followed.reason.contains("times the requests"), "{}", followed.reason);
    }
}

#[test]
fn two_that_have_nothing_to_do_with_each_other_stay_apart() {
    for seed in SEEDS {
        let mut history = History::new(seed);
        history.fail(30 * MINUTE, 50 * MINUTE, 1.0, REFUSED, |line| line.text(Dimension::Origin) == "10.0.0.1:80");
        history.fail(31 * MINUTE, 50 * MINUTE, 0.9, TIMED_OUT, |line| line.text(Dimension::Origin) == "10.0.0.2:80");
        let found = incidents(&history.store(0, HOUR), span(0, HOUR), &[]).unwrap();
        assert!(found.incidents.iter().all(|incident| incident.consequences.is_empty()), "seed {seed}: {found:#?}");
        assert!(found.incidents.len() >= 2);
    }
}

#[test]
fn what_visitors_bring_about_is_no_incident() {
    let mut history = History::new(1);
    history.fail(0, HOUR, 0.5, "visitor.reply.gone", |_| true);
    let found = incidents(&history.store(0, HOUR), span(0, HOUR), &[]).unwrap();
    assert!(found.incidents.iter().all(|incident| incident.party != "visitor"), "{found:#?}");
}

#[test]
fn impact_counts_addresses_and_pages() {
    let request = |at: i64, client: &str, agent: &str, path: &str, code: &str| {
        let line = Line::new(START + at * SECOND).with(Dimension::Client, client).with(Dimension::Agent, agent);
        let line = line.with(Dimension::Path, path).with(Dimension::Code, code).with(Dimension::Method, "GET");
        line.with(Dimension::UserAgent, &format!("{agent}/1")).with(Dimension::Host, "shop.example")
    };
    let lines = [
        request(0, "192.0.2.1", "browser", "/", REFUSED),
        request(1, "192.0.2.2", "browser", "/", REFUSED),
        request(2, "192.0.2.2", "browser", "/", REFUSED),
        request(3, "192.0.2.2", "browser", "/other", ""),
        request(4, "192.0.2.3", "crawler", "/list", REFUSED),
        request(5, "192.0.2.4", "api", "/orders", TIMED_OUT),
        request(6, "192.0.2.1", "browser", "/", ""),
        request(130, "192.0.2.5", "monitor", "/", REFUSED),
    ];
    let mut store = Memory::default();
    store.add(crate::Table::Requests, &lines, 3);
    let found = impact(&store, span(0, HOUR), &[]).unwrap();
    assert_eq!((found.failed, found.visitors, found.api_clients, found.addresses), (6, 2, 1, 5));
    assert_eq!((found.crawlers, found.monitors), (vec!["crawler/1".to_owned()], vec!["monitor/1".to_owned()]));
    assert_eq!(found.came_through, 1);
    assert_eq!(found.minutes, Duration::from_secs(120));
    let pages: Vec<(&str, u64, u64)> =
        found.pages.iter().map(|page| (page.path.as_str(), page.addresses, page.failed)).collect();
    assert_eq!(pages, [("/", 2, 3), ("/list", 1, 1)]);
    let filters = [Filter { dimension: Dimension::Code, matching: Matching::Is, values: vec![REFUSED.to_owned()] }];
    let refused = impact(&store, span(0, HOUR), &filters).unwrap();
    assert_eq!((refused.failed, refused.api_clients, refused.came_through), (5, 0, 1));
}

#[test]
fn growing_failures_new_codes_and_large_bodies_are_announced() {
    for seed in SEEDS {
        let mut history = History::new(seed);
        history.fail(2 * HOUR + 45 * MINUTE, 3 * HOUR, 0.05, "origin.wait.half_head", |line| {
            line.text(Dimension::Zone) == "shop.example"
        });
        history.change(3 * HOUR - MINUTE, 3 * HOUR, |line| {
            if line.text(Dimension::Host) == "api.example" {
                line.numbers.insert(Number::RequestBytes, 80_000);
            }
        });
        let found = approaching(&history.store(0, 3 * HOUR), span(2 * HOUR, 3 * HOUR), &[], &limits()).unwrap();
        let told: Vec<(Kind, &str)> = found.iter().map(|warning| (warning.kind, warning.subject.as_str())).collect();
        let expected = [
            (Kind::RequestBody, "api.example"),
            (Kind::Growing, "shop.example"),
            (Kind::NewCode, "origin.wait.half_head"),
        ];
        assert_eq!(told, expected, "seed {seed}: {found:#?}");
    }
}
