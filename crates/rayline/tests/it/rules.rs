//! `rayline rules`.

use std::fmt::Write as _;
use std::process::Command;

use expect_test::expect_file;
use serde_json::{Value, json};

use crate::{Dir, Outcome, run};

const REQUEST: &str = r#"{
    "method": "POST",
    "url": "https://Shop.example:8443/a/../b%2Fc//d.PHP?x=1&y&x=2#top",
    "headers": {
        "Cookie": ["a=1; b=2", "c=3"],
        "Accept-Language": "en;q=0.5, de, fr;q=0.9",
        "Content-Type": "application/x-www-form-urlencoded; charset=utf-8",
        "X-Two": ["one", "two"]
    },
    "client_ip": "192.0.2.7",
    "country": "de",
    "asn": 64496,
    "body": "name=ann&mail=a%40b"
}"#;

/// What an expression is, of the request above.
fn result(dir: &Dir, expression: &str) -> Value {
    dir.run(&["rules", "test", expression, "--request", "request.json", "--json"])
        .json()
        .get("result")
        .cloned()
        .unwrap_or_default()
}

#[test]
fn a_request_is_what_its_description_says() {
    let dir = Dir::new();
    dir.file("request.json", REQUEST);
    for expression in [
        "http.host eq \"shop.example\"",
        "http.request.method eq \"POST\"",
        "http.request.uri eq \"/b%2Fc/d.PHP?x=1&y&x=2\"",
        "http.request.uri.path eq \"/b%2Fc/d.PHP\"",
        "http.request.uri.path.extension eq \"php\"",
        "http.request.uri.query eq \"x=1&y&x=2\"",
        "http.request.full_uri eq \"https://shop.example/b%2Fc/d.PHP?x=1&y&x=2\"",
        "raw.http.request.uri eq \"/a/../b%2Fc//d.PHP?x=1&y&x=2\"",
        "len(http.request.uri.args[\"x\"]) eq 2 and http.request.uri.args[\"y\"][0] eq \"\"",
        "http.cookie eq \"a=1; b=2; c=3\" and http.request.cookies[\"c\"][0] eq \"3\"",
        "http.request.accepted_languages[0] eq \"de\" and http.request.accepted_languages[2] eq \"en\"",
        "http.user_agent eq \"\"",
        "http.request.headers[\"x-two\"][1] eq \"two\" and http.request.headers[\"host\"][0] eq \"shop.example\"",
        "http.request.body.mime eq \"application/x-www-form-urlencoded\"",
        "http.request.body.form[\"name\"][0] eq \"ann\" and http.request.body.size eq 19",
        "ip.src in {192.0.2.0/24} and ip.src.country eq \"DE\" and ip.src.is_in_european_union",
        "ssl and cf.edge.server_port eq 8443",
        "http.request.timestamp.sec gt 1700000000",
    ] {
        assert_eq!(result(&dir, expression), true, "{expression}");
        assert_eq!(result(&dir, &format!("not ({expression})")), false, "{expression}");
    }
}

#[test]
fn an_answer_can_be_asked_for_where_there_is_one() {
    let dir = Dir::new();
    let answered = r#"{"url": "http://a.example", "response": {"status": 502, "headers": {"Server": "x"}}}"#;
    dir.file("answered.json", answered);
    let test = |expression: &str, more: &[&str]| {
        dir.run(&[&["rules", "test", expression, "--request", "answered.json"], more].concat())
    };
    let outcome = test("http.response.code ge 500 and http.response.headers[\"server\"][0] eq \"x\"", &[]);
    assert!(outcome.fine().starts_with("true "));
    let refused = test("http.response.code ge 500", &["--phase", "http_request_transform"]);
    assert_eq!(refused.code, 1);
    assert!(
        refused.stdout.contains("`http.response.code` is known only once there is an answer"),
        "{}",
        refused.stdout
    );
    let refused = test("http.request.body.size gt 1", &["--phase", "http_request_origin"]);
    assert_eq!(refused.code, 1);
    assert!(test("http.request.body.size gt 1", &["--phase", "http_ratelimit"]).fine().starts_with("false"));
}

#[test]
fn json_is_a_result_and_its_trace() {
    let outcome = run(&["rules", "test", "--json", "ssl and http.host eq \"b\"", "--request", "http://a.example/"]);
    let expected = json!({
        "result": false,
        "trace": [{
            "text": "ssl and http.host eq \"b\"",
            "reached": true,
            "value": false,
            "parts": [
                { "text": "ssl", "reached": true, "value": false, "parts": [] },
                { "text": "http.host eq \"b\"", "reached": false, "value": null, "parts": [] },
            ],
        }],
    });
    assert_eq!(outcome.json(), expected);
    let outcome = run(&["rules", "test", "--json", "ssl nd ssl", "--request", "http://a.example/"]);
    assert_eq!(outcome.code, 1);
    let told: Value = serde_json::from_str(&outcome.stdout).unwrap();
    assert_eq!(told["problem"]["message"], "`nd` is no operator");
    assert_eq!(told["problem"]["start"]["column"], 5);
}

#[test]
fn what_cannot_be_read_is_said() {
    let dir = Dir::new();
    dir.file("bad.json", r#"{"url": "http://a.example/", "mehtod": "GET"}"#);
    dir.file("ftp.json", r#"{"url": "ftp://a.example/"}"#);
    dir.file("empty.txt", "# nothing\n");
    for (args, code, told) in [
        (&["ssl", "--request", "nowhere.json"][..], 3, "cannot read `nowhere.json`"),
        (&["ssl", "--request", "bad.json"], 3, "unknown field `mehtod`"),
        (&["ssl", "--request", "ftp.json"], 3, "`ftp://` is neither"),
        (&["ssl", "--request", "http://"], 3, "is no URL"),
        (&["ssl", "--request", "http://a.example/", "--list", "a=empty.txt"], 3, "`empty.txt` has no items"),
        (&["ssl", "--request", "http://a.example/", "--list", "a=gone.txt"], 3, "cannot read `gone.txt`"),
        (&["ssl", "--request", "http://a.example/", "--list", "a"], 2, "a list is NAME=FILE"),
        (&["ssl", "--request", "http://a.example/", "--list", "A=b"], 2, "lower-case letters"),
        (&["ssl", "--request", "http://a.example/", "--phase", "http_request"], 2, "http_request_transform"),
        (&["ssl"], 2, "--request"),
    ] {
        let outcome = dir.run(&[&["rules", "test"], args].concat());
        assert_eq!((outcome.code, outcome.stdout.as_str()), (code, ""), "{args:?}: {}", outcome.stderr);
        assert!(outcome.stderr.contains(told), "{args:?}: {}", outcome.stderr);
    }
}

#[test]
fn nothing_hostile_reaches_the_terminal() {
    let dir = Dir::new();
    dir.file("request.json", "{\"url\": \"http://a.example/\", \"headers\": {\"User-Agent\": \"\\u001b[2J\\u202e\"}}");
    for args in
        [&["http.user_agent eq \"a\""][..], &["http.user_agent eq \"\u{202e}\u{1b}\""], &["http.user_agent \u{1b} 1"]]
    {
        let outcome = dir.run(&[&["rules", "test", "--request", "request.json"], args].concat());
        assert!(!outcome.stdout.contains(['\x1b', '\u{202e}']), "{:?}", outcome.stdout);
    }
}

#[test]
fn fields_are_listed_with_what_is_not_known() {
    let text = run(&["rules", "fields"]).fine();
    for part in
        ["  http.host String", "Of the body", "Not known here", "  cf.threat_score Integer", "Functions", "  lower("]
    {
        assert!(text.contains(part), "{part}");
    }
    let few = run(&["rules", "fields", "threat"]).fine();
    assert!(few.contains("cf.threat_score") && !few.contains("http.host"), "{few}");
    let listed = run(&["rules", "fields", "--json"]).json();
    let of = |kind: &str, name: &str| {
        listed[kind].as_array().and_then(|all| all.iter().find(|one| one["name"] == name)).cloned().unwrap()
    };
    assert_eq!(of("fields", "http.request.headers")["type"], "Map<Array<String>>");
    assert_eq!(of("fields", "http.response.code")["known"], "response");
    assert_eq!(of("fields", "cf.threat_score")["known"], Value::Null);
    assert_eq!(of("functions", "regex_replace")["only_in_values"], true);
    let outcome = run(&["rules", "fields", "nothing.like.it"]);
    assert_eq!((outcome.code, outcome.stdout.as_str()), (2, ""));
}

/// The guide with each command's real output behind it.
fn with_outputs(guide: &str, dir: &Dir) -> String {
    let mut page = String::new();
    let mut lines = guide.lines();
    let mut named = String::new();
    while let Some(line) = lines.next() {
        let _ = writeln!(page, "{line}");
        // a block is the file that the sentence before it names last
        if let Some(name) = line.split('`').rfind(|word| word.ends_with(".json") || word.ends_with(".txt")) {
            named = name.to_owned();
        }
        if line == "```json" || line == "```text" {
            let content: Vec<&str> = lines.by_ref().take_while(|line| *line != "```").collect();
            dir.file(&named, &content.join("\n"));
            let _ = writeln!(page, "{}\n```", content.join("\n"));
        }
        if line == "```console" {
            let command = lines.next().unwrap();
            lines.by_ref().find(|line| *line == "```");
            let _ = writeln!(page, "{command}\n{}\n```", output(command, dir).trim_end());
        }
    }
    page
}

/// What a line behind a prompt prints.
fn output(line: &str, dir: &Dir) -> String {
    let program = std::path::Path::new(env!("CARGO_BIN_EXE_rayline")).parent().unwrap();
    let path = format!("{}:{}", program.display(), std::env::var("PATH").unwrap_or_default());
    let mut shell = Command::new("sh");
    shell.args(["-c", line.strip_prefix("$ ").unwrap()]).current_dir(dir.path()).env("PATH", path);
    Outcome::of(shell.env("NO_COLOR", "1").output().unwrap()).stdout
}

#[test]
fn the_guide_is_current() {
    let guide = include_str!("../../../../docs/guide/rules.md");
    let dir = Dir::new();
    expect_file!["../../../../docs/guide/rules.md"].assert_eq(&with_outputs(guide, &dir));
}
