//! Phases on requests that are written down: what the edge's own tests show over sockets, and what they cannot.

use std::ops::ControlFlow;
use std::sync::Arc;

use proptest::prelude::*;

use super::*;
use crate::facts::{Each, Fact, Facts};
use crate::ruleset::{HeaderChange, HeaderOperation, RedirectItem, Rewrite, Route, SetConfig, Skip, Text};
use crate::{Field, Lists, Memory, Stage, parse};

/// A request for `https://a.test/one?x=1`.
struct Request;

impl Facts for Request {
    fn fact(&self, field: Field) -> Fact<'_> {
        Fact::Bytes(match field {
            Field::HttpHost => b"a.test",
            Field::Uri => b"/one?x=1",
            Field::UriPath => b"/one",
            Field::UriQuery => b"x=1",
            Field::FullUri => b"https://a.test/one?x=1",
            _ => return Fact::Nothing,
        })
    }

    fn entries(&self, field: Field, each: &mut Each<'_>) {
        if field == Field::Headers {
            let _ = each(b"X-A", b"old");
        }
    }
}

/// The same request, which says that it stays as it is.
struct Steady;

impl Facts for Steady {
    fn fact(&self, field: Field) -> Fact<'_> {
        Request.fact(field)
    }

    fn entries(&self, field: Field, each: &mut Each<'_>) {
        Request.entries(field, each);
    }

    fn revision(&self) -> Option<u64> {
        Some(0)
    }
}

/// A zone with these rules: phase, condition, action. Their ids are their places.
fn zone(rules: Vec<(Phase, &str, Action)>) -> ZoneRules {
    let lists = Lists::default();
    let mut expressions = ProgramBuilder::new(&lists);
    let mut rulesets = Vec::new();
    for (place, (phase, condition, action)) in rules.into_iter().enumerate() {
        let parsed = parse(condition, Stage::Response, &lists).unwrap();
        let condition = expressions.condition_of(parsed).unwrap();
        let rule = Rule {
            id: place.to_string().into(),
            description: "".into(),
            expression: "".into(),
            condition,
            enabled: true,
            logging: true,
            action,
        };
        rulesets.push(Ruleset { phase, rules: vec![rule] });
    }
    ZoneRules::new(rulesets, Access::default(), expressions)
}

/// What the phases come to: the id of the rule that ended it, what changed, and every step.
fn run(rules: &ZoneRules, everything: bool) -> (Option<String>, Changes, Vec<Step>) {
    run_on(rules, &Request, everything)
}

fn run_on(rules: &ZoneRules, request: &dyn Facts, everything: bool) -> (Option<String>, Changes, Vec<Step>) {
    let (mut memory, mut changes) = (Memory::default(), Changes::default());
    let mut trail = Trail { everything, ..Trail::default() };
    let limits = Limits { uri: 64, fields: 64 };
    let mut ended = None;
    for phase in Phase::ALL {
        let mut run = Run { rules, limits, memory: &mut memory, changes: &mut changes, trail: &mut trail };
        match run.phase(phase, request, &mut NoGuards) {
            Ok(None) => {}
            Ok(Some(End::Block(rule, _) | End::Challenge(rule) | End::ServeError(rule, _))) => {
                ended = Some(rule.id.to_string());
                break;
            }
            Ok(Some(End::Redirect { status, location, .. })) => {
                ended = Some(format!("{status} {}", String::from_utf8(location).unwrap()));
                break;
            }
            Err(failure) => {
                ended = Some(format!("{:?} of {}", failure.kind, failure.what));
                break;
            }
        }
    }
    (ended, changes, trail.steps)
}

fn path(to: &str) -> Action {
    Action::Rewrite(Box::new(Rewrite { path: Some(Text::Value(to.into())), ..Rewrite::default() }))
}

fn header(name: &str, operation: HeaderOperation) -> Action {
    let headers = vec![HeaderChange { name: name.into(), operation }];
    Action::Rewrite(Box::new(Rewrite { headers, ..Rewrite::default() }))
}

fn set(value: &str) -> HeaderOperation {
    HeaderOperation::Set(Text::Value(value.into()))
}

#[test]
fn a_rewrite_is_seen_by_later_phases_and_not_by_its_own() {
    let rules = zone(vec![
        (Phase::FirewallCustom, "http.request.uri.path eq \"/two\"", Action::Block(None)),
        (Phase::RequestTransform, "http.request.uri.path eq \"/one\"", path("/two")),
        (Phase::RequestTransform, "http.request.uri.path eq \"/two\"", path("/three")),
    ]);
    let (ended, changes, steps) = run(&rules, true);
    assert_eq!(ended.as_deref(), Some("0"));
    let uri = changes.uri.unwrap();
    assert_eq!((uri.full(), uri.path_and_query()), (b"https://a.test/two?x=1".as_slice(), b"/two?x=1".as_slice()));
    assert_eq!((uri.path(), uri.query()), (b"/two".as_slice(), b"x=1".as_slice()));
    let told: Vec<_> = steps.iter().map(|step| (&*step.rule, step.reached)).collect();
    assert_eq!(told, [("1", Reached::Matched), ("2", Reached::NotMatched), ("0", Reached::Ended)]);
}

#[test]
fn what_cannot_be_done() {
    let long = "/".to_owned() + &"a".repeat(70);
    for (phase, action, expected) in [
        (Phase::RequestTransform, path(""), "InvalidPath of path"),
        (Phase::RequestTransform, path("two"), "InvalidPath of path"),
        (Phase::RequestTransform, path("/cdn-cgi/trace"), "InvalidPath of path"),
        (Phase::RequestTransform, path("/a\r\nb"), "InvalidPath of path"),
        (Phase::RequestTransform, path(&long), "TooLong of path"),
        (Phase::LateTransform, header("Host", set("a")), "FieldNotAllowed of Host"),
        (Phase::LateTransform, header("cf-ray", HeaderOperation::Remove), "FieldNotAllowed of cf-ray"),
        (Phase::LateTransform, header("Content-Length", set("1")), "FieldNotAllowed of Content-Length"),
        (Phase::LateTransform, header("Cookie", set("a=b")), "FieldNotAllowed of Cookie"),
        (Phase::LateTransform, header("X-B", set("a\nb")), "InvalidValue of X-B"),
        (Phase::LateTransform, header("X-B", set(&long)), "TooManyFields of X-B"),
        (Phase::ResponseHeadersTransform, header("Set-Cookie", set("a=b")), "FieldNotAllowed of Set-Cookie"),
        (Phase::ResponseHeadersTransform, header("Server", set("a")), "FieldNotAllowed of Server"),
    ] {
        assert_eq!(run(&zone(vec![(phase, "true", action)]), false).0.as_deref(), Some(expected));
    }
}

#[test]
fn of_fields_the_last_word_counts() {
    let rules = zone(vec![
        (Phase::LateTransform, "true", header("x-a", set("1"))),
        (Phase::LateTransform, "true", header("X-A", set("2"))),
        (Phase::LateTransform, "true", header("Cookie", HeaderOperation::Remove)),
        (Phase::LateTransform, "true", header("X-B", set(""))),
    ]);
    let (_, changes, steps) = run(&rules, false);
    assert_eq!(changes.request_fields.put().collect::<Vec<_>>(), [("X-A", b"2".as_slice())]);
    assert!(changes.request_fields.drops(b"COOKIE") && changes.request_fields.drops(b"x-b"));
    let of = |step: usize| (steps[step].changes[0].before.as_deref(), steps[step].changes[0].after.as_deref());
    assert_eq!(of(0), (Some(b"old".as_slice()), Some(b"1".as_slice())));
    assert_eq!(of(1), (Some(b"1".as_slice()), Some(b"2".as_slice())));
    assert_eq!(of(2), (None, None));
}

#[test]
fn of_settings_too_and_each_on_its_own() {
    let config = |ssl: Option<&str>, timing| {
        Action::SetConfig(Box::new(SetConfig {
            ssl: ssl.map(Into::into),
            server_timing: timing,
            ..SetConfig::default()
        }))
    };
    let port = |port| Action::Route(Box::new(Route { port: Some(port), ..Route::default() }));
    let host = Action::Route(Box::new(Route { host: Some("b.test".into()), ..Route::default() }));
    let rules = zone(vec![
        (Phase::ConfigSettings, "true", config(Some("full"), Some(true))),
        (Phase::ConfigSettings, "true", config(Some("strict"), None)),
        (Phase::ConfigSettings, "false", config(Some("off"), Some(false))),
        (Phase::Origin, "true", port(1)),
        (Phase::Origin, "true", host),
        (Phase::Origin, "true", port(2)),
    ]);
    assert_eq!(rules.overrides(), Overrides { scheme: true, upload: false });
    let (_, changes, _) = run(&rules, false);
    assert_eq!((changes.config.ssl.as_deref(), changes.config.server_timing), (Some("strict"), Some(true)));
    assert_eq!((changes.route.port, changes.route.host.as_deref()), (Some(2), Some("b.test")));
    assert_eq!(changes.route.by.unwrap().0.as_ref(), "5");
}

#[test]
fn what_is_skipped_does_not_run() {
    let skip = |skip: Skip| Action::Skip(skip);
    let rest = Skip { current_ruleset: true, ..Skip::default() };
    let phases = Skip { phases: vec![Phase::Ratelimit], ..Skip::default() };
    let rules = zone(vec![
        (Phase::FirewallCustom, "true", skip(phases)),
        (Phase::FirewallCustom, "true", skip(rest)),
        (Phase::FirewallCustom, "true", Action::Block(None)),
        (Phase::Ratelimit, "true", Action::Block(None)),
    ]);
    let (ended, changes, steps) = run(&rules, true);
    assert_eq!(ended, None);
    assert!(changes.skips.skips(Phase::Ratelimit) && !changes.skips.skips(Phase::FirewallManaged));
    assert_eq!(steps.iter().filter(|step| step.reached == Reached::Skipped).count(), 2);
}

#[test]
fn bulk_redirects_find_the_most_particular_source() {
    let item = |source: &str, target: &str, change: &dyn Fn(&mut RedirectItem)| {
        let mut item = RedirectItem {
            source_url: source.into(),
            target_url: target.into(),
            status_code: 301,
            preserve_query_string: false,
            include_subdomains: false,
            subpath_matching: false,
            preserve_path_suffix: false,
        };
        change(&mut item);
        item
    };
    let subpath = |item: &mut RedirectItem| (item.subpath_matching, item.preserve_path_suffix) = (true, true);
    let list = Arc::new(RedirectList {
        name: "list".into(),
        items: vec![
            item("a.test/", "root", &|_| {}),
            item("a.test/docs", "https://d.test/x?y#z", &subpath),
            item("a.test/docs/old", "old", &|_| {}),
            item("https://a.test/s", "secure", &|_| {}),
            item("a.test/s", "any", &|_| {}),
            item("b.test", "below", &|item| item.include_subdomains = true),
        ],
    });
    let index = RedirectIndex::new(list);
    let find = |url: &str| index.find(url.as_bytes()).map(|found| String::from_utf8(found.target()).unwrap());
    for (url, target) in [
        ("https://a.test/", Some("root")),
        ("https://a.test/?q", Some("root")),
        ("https://a.test/other", None),
        ("https://a.test/docs", Some("https://d.test/x?y#z")),
        ("http://a.test/docs/b/c?q", Some("https://d.test/x/b/c?y#z")),
        ("http://a.test/docsother", None),
        ("http://a.test/docs/old", Some("old")),
        ("http://a.test/docs/old/er", Some("https://d.test/x/old/er?y#z")),
        ("https://a.test/s", Some("secure")),
        ("http://a.test/s", Some("any")),
        ("http://www.b.test/", Some("below")),
        ("http://www.a.test/", None),
        ("http://c.test/", None),
        ("", None),
    ] {
        assert_eq!(find(url).as_deref(), target, "{url}");
    }
    let long = format!("https://a.test{}", "/x".repeat(20_000));
    assert_eq!(find(&long), None);
    assert_eq!(redirect::with_query(b"/a?b#c".to_vec(), b"d=e"), b"/a?b&d=e#c");
}

#[test]
fn paths_as_rules_see_them() {
    for (path, normal) in [
        ("/", "/"),
        ("/a/b", "/a/b"),
        ("/a//b///c", "/a/b/c"),
        ("/a\\b", "/a/b"),
        ("/%61%2f%7e%e9", "/a%2F~%E9"),
        ("/a/./b/../c", "/a/c"),
        ("/../../a", "/a"),
        ("/a/b/..", "/a/"),
        ("/a/.", "/a/"),
        ("/%2e%2e/a", "/a"),
        ("/a%", "/a%"),
        ("/a%zz", "/a%zz"),
        ("*", "*"),
        ("", ""),
    ] {
        let mut out = b"before".to_vec();
        normalize(path.as_bytes(), &mut out);
        assert_eq!(String::from_utf8_lossy(&out), format!("before{normal}"), "{path}");
    }
}

#[test]
fn arguments() {
    let mut found = Vec::new();
    each_argument(b"a=1&b&&=2&c=d=e&last", &mut |name, value| {
        found.push(format!("{}:{}", String::from_utf8_lossy(name), String::from_utf8_lossy(value)));
        if name == b"c" { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    });
    assert_eq!(found, ["a:1", "b:", ":2", "c:d=e"]);
}

/// Conditions that share what they look at, half of which rewrites decide.
const CONDITIONS: [&str; 9] = [
    "http.request.uri.path eq \"/one\"",
    "http.request.uri.path eq \"/two\"",
    "starts_with(lower(http.request.uri.path), \"/t\")",
    "http.request.uri.query contains \"x=\"",
    "http.request.full_uri wildcard \"*a.test/t*\"",
    "any(http.request.uri.args[\"x\"][*] eq \"1\")",
    "any(http.request.headers[\"x-a\"][*] eq \"old\")",
    "http.request.uri.path matches \"^/(two|three)$\"",
    "len(http.request.uri) gt 8 and http.host eq \"a.test\"",
];

/// What a rule may do, by number.
fn action(number: usize) -> Action {
    match number {
        0 => path("/two"),
        1 => path("/three"),
        2 => header("X-A", set("new")),
        3 => Action::Skip(Skip { current_ruleset: true, ..Skip::default() }),
        4 => Action::Block(None),
        _ => Action::Log,
    }
}

proptest! {
    #[test]
    fn what_one_phase_worked_out_serves_the_next(
        rules in prop::collection::vec((0..Phase::ALL.len(), 0..CONDITIONS.len(), 0_usize..9), 1..16),
    ) {
        let rules = rules.into_iter().map(|(phase, condition, number)| (Phase::ALL[phase], CONDITIONS[condition], action(number)));
        let rules = zone(rules.collect());
        let (anew_ended, anew, anew_steps) = run_on(&rules, &Request, true);
        let (ended, changes, steps) = run_on(&rules, &Steady, true);
        prop_assert_eq!(ended, anew_ended);
        prop_assert_eq!(format!("{steps:?}"), format!("{anew_steps:?}"));
        let without = |changes: Changes| format!("{:?}", Changes { known: None, ..changes });
        prop_assert_eq!(without(changes), without(anew));
    }
}

#[test]
fn a_memory_that_served_another_request_is_begun_anew() {
    let rules = zone(vec![
        (Phase::DynamicRedirect, "http.request.uri.path eq \"/one\"", Action::Log),
        (Phase::FirewallCustom, "http.request.uri.path eq \"/one\"", Action::Block(None)),
    ]);
    let (mut memory, mut changes, mut trail) = (Memory::default(), Changes::default(), Trail::default());
    let limits = Limits { uri: 64, fields: 64 };
    let mut phase = |phase, memory: &mut Memory| {
        let mut run = Run { rules: &rules, limits, memory, changes: &mut changes, trail: &mut trail };
        matches!(run.phase(phase, &Steady, &mut NoGuards), Ok(Some(End::Block(..))))
    };
    assert!(!phase(Phase::DynamicRedirect, &mut memory));
    // where nothing is known, `Nothing` is worked out
    struct Nobody;
    impl Facts for Nobody {
        fn fact(&self, _: Field) -> Fact<'_> {
            Fact::Nothing
        }

        fn entries(&self, _: Field, _: &mut Each<'_>) {}
    }
    assert!(!rules.program().begin(&Nobody, &mut memory).is_true(rules.of(Phase::FirewallCustom)[0].condition));
    assert!(phase(Phase::FirewallCustom, &mut memory));
}
