//! What every command has in common, and those that print what they are made of.

use std::io::Read as _;
use std::process::Stdio;

use crate::{Dir, run};

const COMMANDS: [&str; 21] = [
    "demo",
    "serve",
    "check",
    "import",
    "config",
    "maintenance",
    "explain",
    "tail",
    "diagnose",
    "ray",
    "logs",
    "probe",
    "ips",
    "tls",
    "origin-ca",
    "rules",
    "bisect",
    "trace",
    "version",
    "completions",
    "man",
];

#[test]
fn help_is_there_with_examples() {
    let help = run(&["--help"]).fine();
    for command in COMMANDS {
        assert!(help.lines().any(|line| line.trim_start().starts_with(command)), "{command}");
        let help = run(&[command, "--help"]).fine();
        assert!(help.contains("\nExamples:\n"), "{command}");
        assert!(help.contains(&format!("rayline {command}")), "{command}");
    }
}

#[test]
fn a_wrong_command_line_is_refused_with_2() {
    for args in [
        &[][..],
        &["serv"],
        &["explain", "--colour"],
        &["explain", "a", "b"],
        &["serve", "--zone", "shop.example"],
        &["serve", "--origin", "http://127.0.0.1:3000"],
        &["serve", "--config", "a.toml", "--zone", "shop.example", "--origin", "http://127.0.0.1:3000"],
        &["serve", "--admin", "nowhere"],
        &["serve", "--log", ""],
        &["demo", "--listen", "8080"],
        &["tail", "--status", "6xx"],
        &["tail", "--party", "nobody"],
        &["tail", "--code", "orgin."],
        &["tail", "--admin", "http://192.0.2.1:8787"],
        &["tail", "--no-follow"],
        &["bisect", "123"],
        &["bisect", "ftp://shop.example/"],
        &["bisect", "shop.example/", "--admin", "nowhere"],
        &["maintenance", "on", "--for", "soon"],
        &["import", "apache", "httpd.conf"],
        &["completions", "tcsh"],
        &["version", "--color", "sometimes"],
    ] {
        let outcome = run(args);
        assert_eq!((outcome.code, outcome.stdout.as_str()), (2, ""), "{args:?}: {}", outcome.stderr);
        assert!(!outcome.stderr.is_empty(), "{args:?}");
    }
}

#[test]
fn the_version_says_what_this_is() {
    let text = run(&["version"]).fine();
    assert!(text.starts_with(&format!("rayline {} (", env!("CARGO_PKG_VERSION"))), "{text}");
    let json = run(&["version", "--json"]).json();
    assert_eq!(json["version"], env!("CARGO_PKG_VERSION"));
    assert!(json["target"].as_str().is_some_and(|target| target.split('-').count() >= 3), "{json}");
    assert!(json["features"].as_array().is_some_and(|features| features.iter().any(|one| one == "http/1.1")), "{json}");
    assert_eq!(run(&["--version"]).fine(), format!("rayline {}\n", env!("CARGO_PKG_VERSION")));
}

#[test]
fn every_shell_gets_completions() {
    for shell in ["bash", "elvish", "fish", "powershell", "zsh"] {
        let script = run(&["completions", shell]).fine();
        for command in COMMANDS {
            assert!(script.contains(command), "{shell}: {command}");
        }
    }
}

#[test]
fn the_manual_is_one_page_or_many() {
    let page = run(&["man"]).fine();
    assert!(page.contains(".TH rayline 1"), "{page}");
    let dir = Dir::new();
    dir.run(&["man", "--dir", "made/man1"]).fine();
    for command in COMMANDS {
        let page = std::fs::read_to_string(dir.path().join(format!("made/man1/rayline-{command}.1"))).unwrap();
        assert!(page.contains("Examples:"), "{command}");
    }
    assert!(dir.path().join("made/man1/rayline.1").exists());
}

#[test]
fn a_reader_that_leaves_early_is_no_error() {
    let dir = Dir::new();
    for args in [&["explain", "--json"][..], &["completions", "bash"], &["man"], &["--help"]] {
        let mut child = dir.rayline(args).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        drop(child.stdout.take());
        let mut stderr = String::new();
        child.stderr.take().unwrap().read_to_string(&mut stderr).unwrap();
        assert_eq!((child.wait().unwrap().code(), stderr.as_str()), (Some(0), ""), "{args:?}");
    }
}
