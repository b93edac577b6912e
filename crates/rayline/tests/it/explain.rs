//! `rayline explain`.

use rayline_verdict::{TABLE, explain};

use crate::{Dir, Outcome, run};

#[test]
fn without_an_argument_every_code_is_listed() {
    let list = run(&["explain"]).fine();
    for entry in &TABLE {
        let line = list.lines().find(|line| line.split_whitespace().nth(1) == Some(entry.name));
        assert!(line.is_some_and(|line| line.ends_with(entry.sentence)), "{}", entry.name);
    }
    let json = run(&["explain", "--json"]).json();
    assert_eq!(json.as_array().map(Vec::len), Some(TABLE.len()));
}

#[test]
fn every_code_has_its_page() {
    for entry in &TABLE {
        assert_eq!(run(&["explain", entry.name]).fine(), explain::page(entry.code), "{}", entry.name);
    }
}

#[test]
fn a_number_leads_to_its_page_or_to_a_list() {
    let page = |name: &str| run(&["explain", name]).fine();
    assert_eq!(page("521"), page("origin.connect.refused"));
    let list = page("522");
    assert!(list.starts_with("522 · Connection timed out\n"), "{list}");
    assert!(list.contains(" network.connect.timed_out "), "{list}");
    assert!(list.contains(" network.send.unacknowledged "), "{list}");
    // a status that several numbers travel as
    let list = page("403");
    for (number, code) in
        [(1000, "owner.route.loop"), (1002, "owner.resolve.prohibited_address"), (1020, "policy.rules.custom_rule")]
    {
        assert!(list.contains(&format!("  {number}  {code} ")), "{number}: {list}");
    }
    // the origin's own
    assert_eq!(page("502"), page("origin.wait.error_status"));
    // either of them
    let list = page("504");
    assert!(list.contains(" origin.wait.error_status ") && list.contains(" origin.wait.deadline_exceeded "), "{list}");
}

#[test]
fn a_number_that_is_never_sent_is_explained_all_the_same() {
    assert_eq!(run(&["explain", "1005"]).fine(), run(&["explain", "policy.rules.asn_banned"]).fine());
    let text = run(&["explain", "1007"]).fine();
    assert!(text.starts_with("1007 · Access denied") && text.contains(" policy.rules.address_banned "), "{text}");
    let json = run(&["explain", "1012", "--json"]).json();
    assert_eq!((&json["number"], &json["sent"]), (&1012.into(), &false.into()));
    assert_eq!(json["instead"][0], "policy.rules.managed_rule");
}

#[test]
fn a_part_of_a_name_is_enough() {
    assert_eq!(run(&["explain", "nxdomain"]).fine(), run(&["explain", "owner.resolve.nxdomain"]).fine());
    let list = run(&["explain", "revoked"]).fine();
    assert!(list.starts_with("# origin.origin_tls.revoked\n"), "{list}");
    let list = run(&["explain", "refused"]).fine();
    assert!(list.contains("origin.connect.refused") && list.contains("network.resolve.refused"), "{list}");
}

#[test]
fn json_has_everything_there_is() {
    let one = run(&["--json", "explain", "network.connect.timed_out"]).json();
    assert_eq!(one["code"], "network.connect.timed_out");
    assert_eq!(one["party"], "network");
    assert_eq!(one["phase"], "connect");
    assert_eq!(one["number"], 522);
    assert_eq!(one["title"], "Connection timed out");
    assert_eq!(one["certainty"], "inferred");
    assert_eq!(one["reached"], "no");
    assert_eq!(one["retry"], "later");
    assert!(!one["rivals"].as_array().unwrap().is_empty());
    assert!(!one["fix"].as_array().unwrap().is_empty());
    assert!(one["page"].as_str().unwrap().starts_with("# network.connect.timed_out\n"));
    let keys: Vec<&str> = one.as_object().unwrap().keys().map(String::as_str).collect();
    let expected = [
        "code",
        "party",
        "phase",
        "number",
        "title",
        "sentence",
        "certainty",
        "rivals",
        "reached",
        "retry",
        "proxy_error",
        "fix",
        "page",
    ];
    assert_eq!(keys, expected);
    assert_eq!(run(&["explain", "522", "--json"]).json().as_array().map(Vec::len), Some(2));
}

#[test]
fn what_is_unknown_leads_to_what_is_near() {
    let outcome = run(&["explain", "origin.connect.refusd"]);
    assert_eq!((outcome.code, outcome.stdout.as_str()), (2, ""));
    assert!(outcome.stderr.contains("there is no code `origin.connect.refusd`"), "{}", outcome.stderr);
    assert!(outcome.stderr.contains("`origin.connect.refused`"), "{}", outcome.stderr);
    let hostile = run(&["explain", "\x1b[2J"]);
    assert_eq!(hostile.code, 2);
    assert!(!hostile.stderr.contains('\x1b'), "{:?}", hostile.stderr);
}

#[test]
fn colours_come_and_go_as_asked() {
    let dir = Dir::new();
    let args = ["explain", "521"];
    let with = |name: &str, value: &str, args: &[&str]| {
        Outcome::of(dir.rayline(args).env(name, value).output().unwrap()).fine()
    };
    let coloured = dir.run(&["explain", "521", "--color", "always"]).fine();
    assert!(coloured.starts_with("\x1b[1morigin.connect.refused\x1b[0m\n"), "{coloured:?}");
    assert!(!coloured.contains("```") && !coloured.contains("## "), "{coloured}");
    assert!(!dir.run(&args).fine().contains('\x1b'));
    assert_eq!(with("CLICOLOR_FORCE", "1", &args), coloured);
    assert!(!with("NO_COLOR", "1", &args).contains('\x1b'));
    assert!(!with("CLICOLOR_FORCE", "1", &["explain", "521", "--color", "never"]).contains('\x1b'));
    assert_eq!(with("NO_COLOR", "1", &["explain", "521", "--color=always"]), coloured);
}
