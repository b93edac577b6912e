//! The engine: scores, levels, overrides, bodies, and requests made to hurt it.

use std::sync::Arc;

use rayline_rules::ruleset::{Execute, ManagedAction, ManagedOverride, ManagedTarget, Sensitivity};
use rayline_rules::waf::{Action, Body, Managed, Place, Scratch, Unknown};

use super::{execute, names, outcome};
use crate::request::Request;

/// What exactly one rule finds.
const LEAK: &str = "/.git/config";

fn with(change: impl FnOnce(&mut Execute)) -> Managed {
    let mut wanted = execute(1);
    change(&mut wanted);
    Managed::compile(&wanted).unwrap()
}

fn over(target: ManagedTarget, action: Option<ManagedAction>, enabled: Option<bool>) -> Vec<ManagedOverride> {
    vec![ManagedOverride { target, action, enabled }]
}

#[test]
fn a_critical_match_blocks_at_high_sensitivity_and_is_logged_below() {
    let request = Request::get(LEAK);
    let found = outcome(&with(|_| {}), &request);
    assert_eq!((found.score, found.threshold, found.action), (5, 5, Action::Block), "{:?}", names(&found));
    let evidence = &found.matches[0];
    assert_eq!((evidence.place, &*evidence.name, &*evidence.bytes), (Place::Path, &b""[..], &b"/.git/config"[..]));
    let found = outcome(&with(|wanted| wanted.sensitivity = Sensitivity::Medium), &request);
    assert_eq!((found.score, found.action), (5, Action::LogOnly));
    let found = outcome(&with(|wanted| wanted.anomaly_threshold = Some(5)), &request);
    assert_eq!(found.action, Action::Block);
    assert_eq!(outcome(&with(|_| {}), &Request::get("/?file=a.png")).action, Action::Pass);
}

#[test]
fn overrides_change_what_a_match_does() {
    let request = Request::get(LEAK);
    let category = || ManagedTarget::Category("leak".into());
    let rule = || ManagedTarget::Rule("rl.leak.001".into());
    for (action, overrides, expected) in [
        (Some(ManagedAction::Log), vec![], (5, Action::LogOnly)),
        (Some(ManagedAction::Challenge), vec![], (5, Action::Challenge)),
        (None, over(rule(), None, Some(false)), (0, Action::Pass)),
        (None, over(category(), Some(ManagedAction::Log), None), (0, Action::LogOnly)),
        (None, over(rule(), Some(ManagedAction::Challenge), None), (0, Action::Challenge)),
        // the later one wins
        (None, [over(category(), None, Some(false)), over(rule(), None, Some(true))].concat(), (5, Action::Block)),
    ] {
        let managed = with(|wanted| (wanted.action, wanted.overrides) = (action, overrides.clone()));
        let found = outcome(&managed, &request);
        assert_eq!((found.score, found.action), expected, "{action:?} {overrides:?}");
    }
    let skipped = [Arc::from("rl.leak.001"), Arc::from("of.another.ruleset")];
    let found = with(|_| {}).inspect(&request, None, &skipped, &mut Scratch::default());
    assert_eq!(found.action, Action::Pass);
}

#[test]
fn what_does_not_exist_is_refused() {
    let refused = |change: fn(&mut Execute)| {
        let mut wanted = execute(1);
        change(&mut wanted);
        Managed::compile(&wanted).unwrap_err()
    };
    assert_eq!(refused(|wanted| wanted.id = "owasp".into()), Unknown::Ruleset("owasp".into()));
    assert_eq!(refused(|wanted| wanted.paranoia_level = 5), Unknown::ParanoiaLevel(5));
    assert_eq!(
        refused(|wanted| wanted.overrides = over(ManagedTarget::Rule("rl.lfi.999".into()), None, None)).to_string(),
        "there is no managed rule `rl.lfi.999`"
    );
    assert_eq!(
        refused(|wanted| wanted.overrides = over(ManagedTarget::Category("lfl".into()), None, None)),
        Unknown::Category("lfl".into())
    );
}

#[test]
fn an_attack_is_found_wherever_a_body_hides_it() {
    let managed = with(|_| {});
    let part = |name: &str, content: &str| {
        format!("--b\r\nContent-Disposition: form-data; {name}\r\n\r\n{content}\r\n--b--\r\n")
    };
    for (content_type, body, place, name) in [
        ("application/x-www-form-urlencoded", "a=1&file=..%2f..%2fx".to_owned(), Place::Argument, "file"),
        (
            "application/json; charset=utf-8",
            r#"{"a":[1,{"file":"..\/..\/x"}]}"#.to_owned(),
            Place::Argument,
            "a.1.file",
        ),
        ("application/problem+json", r#"["../../x"]"#.to_owned(), Place::Argument, "0"),
        ("multipart/form-data; boundary=b", part("name=\"file\"", "../../x"), Place::Argument, "file"),
        ("multipart/form-data; boundary=\"b\"", part("name=\"f\"; filename=\"../../x\"", "1"), Place::FileName, "f"),
        ("text/xml", "<r><file id='1'>../../x</file></r>".to_owned(), Place::Argument, "file"),
        ("application/soap+xml", "<r><file id=\"../../x\"/></r>".to_owned(), Place::Argument, "file"),
        ("", "file=../../x".to_owned(), Place::Argument, "file"),
        ("", r#"{"file":"../../x"}"#.to_owned(), Place::Argument, "file"),
    ] {
        let found = outcome(&managed, &Request::post("/", content_type, body.clone()));
        let evidence: Vec<_> = found
            .matches
            .iter()
            .filter(|found| &*found.rule.id == "rl.lfi.001")
            .map(|found| (found.place, &*found.name))
            .collect();
        assert_eq!(evidence, [(place, name.as_bytes())], "{content_type}: {body}");
    }
    let picture = outcome(&managed, &Request::post("/", "image/png", "../../x"));
    assert_eq!(names(&picture), [""; 0]);
}

#[test]
fn a_body_that_was_cut_is_not_malformed_for_that() {
    let managed = Managed::compile(&execute(4)).unwrap();
    for (content_type, bytes) in [
        ("application/json", &br#"{"a":["b","c"#[..]),
        ("multipart/form-data; boundary=b", b"--b\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\nx"),
        ("multipart/form-data; boundary=b", b"--b\r\nContent-Dispo"),
    ] {
        let request = Request::post("/", content_type, bytes);
        for truncated in [true, false] {
            let body = Body { truncated, ..request.body().unwrap() };
            let found = managed.inspect(&request, Some(body), &[], &mut Scratch::default());
            assert_eq!(found.matches.is_empty(), truncated, "{content_type} {truncated}: {:?}", names(&found));
        }
    }
}

#[test]
fn the_same_buffers_do_for_another_request() {
    let (managed, mut scratch) = (with(|_| {}), Scratch::default());
    let attack = Request::get("/?file=%252e%252e%252f%252e%252e%252fx");
    let honest = Request::get("/?file=a%2520b");
    for _ in 0..2 {
        assert_eq!(managed.inspect(&attack, None, &[], &mut scratch).action, Action::Block);
        assert_eq!(managed.inspect(&honest, None, &[], &mut scratch).action, Action::Pass);
    }
}

#[test]
fn bodies_made_to_hurt_come_to_an_end() {
    let managed = Managed::compile(&execute(4)).unwrap();
    let size = 128 * 1024;
    let repeated = |text: &str| text.repeat(size / text.len());
    for (content_type, body) in [
        ("application/json", repeated("[")),
        ("application/json", repeated("{\"a\":")),
        ("application/json", format!("[{}1]", repeated("\"\","))),
        ("application/x-www-form-urlencoded", repeated("a=1&")),
        ("application/x-www-form-urlencoded", format!("a={}", repeated("%25"))),
        ("application/x-www-form-urlencoded", format!("a={}", repeated(".a"))),
        ("application/x-www-form-urlencoded", repeated("a=.b.c.d.e%27%22&")),
        ("multipart/form-data; boundary=b", repeated("--b\r\n\r\n")),
        ("multipart/form-data; boundary=b", repeated("\r\n--")),
        ("text/xml", repeated("<a b='")),
        ("text/xml", repeated("<")),
        ("text/plain", repeated("../")),
        ("text/plain", repeated("&#")),
        ("text/plain", repeated("/*")),
        ("text/plain", repeated("\\x4")),
        ("text/plain", repeated("<a onerror=")),
        ("text/plain", repeated("union select ")),
        ("text/plain", repeated("${jndi:${lower:")),
    ] {
        let found = outcome(&managed, &Request::post("/", content_type, body));
        assert!(found.matches.len() <= rayline_rules::waf::MATCHES);
    }
}

proptest::proptest! {
    #[test]
    fn no_bytes_make_it_fail(
        target: Vec<u8>,
        header: Vec<u8>,
        body: Vec<u8>,
        content_type in "(application/json|multipart/form-data; boundary=b|text/xml|text/plain|application/x-www-form-urlencoded)?",
    ) {
        let managed = Managed::compile(&execute(4)).unwrap();
        let request = Request::post(target, &content_type, body).header("Cookie", header.clone()).header("X", header);
        outcome(&managed, &request);
    }
}
