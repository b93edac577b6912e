//! `rayline check`.

use std::io::Write as _;
use std::process::Stdio;

use crate::{Dir, Outcome, run};

const GOOD: &str = r#"
[server]
http = ["127.0.0.1:8080"]

[[zone]]
name = "shop.example"
settings.ssl = "flexible"
dns_records = [{ type = "A", name = "@", content = "192.0.2.10" }]
"#;

#[test]
fn a_good_file_is_fine() {
    let dir = Dir::new();
    dir.file("rayline.toml", GOOD);
    assert_eq!(dir.run(&["check"]).fine(), "rayline.toml: no problems\n");
    assert_eq!(dir.run(&["check", "--json", "rayline.toml"]).json(), serde_json::json!([]));
}

#[test]
fn every_problem_is_shown_with_its_place() {
    let dir = Dir::new();
    dir.file("bad.toml", &GOOD.replace("flexible", "flexibel").replace("[server]", "[server]\nthread = 2"));
    let outcome = dir.run(&["check", "bad.toml"]);
    assert_eq!(outcome.code, 1);
    assert!(outcome.stdout.contains("--> bad.toml:3:1"), "{}", outcome.stdout);
    assert!(outcome.stdout.contains("`thread"), "{}", outcome.stdout);
    assert!(outcome.stdout.contains("flexibel"), "{}", outcome.stdout);
    assert!(outcome.stdout.ends_with("bad.toml: 2 errors, 0 warnings\n"), "{}", outcome.stdout);
    assert!(!outcome.stdout.contains('\x1b'));

    let outcome = dir.run(&["check", "bad.toml", "--json"]);
    assert_eq!(outcome.code, 1);
    let problems: serde_json::Value = serde_json::from_str(&outcome.stdout).unwrap();
    assert_eq!(problems.as_array().map(Vec::len), Some(2));
    assert_eq!(problems[0]["severity"], "error");
    assert_eq!(problems[0]["file"], "bad.toml");
    assert_eq!(problems[0]["start"]["line"], 3);
}

#[test]
fn standard_input_is_read_too() {
    let dir = Dir::new();
    let mut child = dir.rayline(&["check", "-"]).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(GOOD.as_bytes()).unwrap();
    assert_eq!(Outcome::of(child.wait_with_output().unwrap()).fine(), "-: no problems\n");
}

#[test]
fn a_file_that_is_not_there_cannot_be_checked() {
    let outcome = run(&["check", "nowhere.toml"]);
    assert_eq!((outcome.code, outcome.stdout.as_str()), (3, ""));
    assert!(outcome.stderr.starts_with("error: cannot read `nowhere.toml`: No such file"), "{}", outcome.stderr);
}
