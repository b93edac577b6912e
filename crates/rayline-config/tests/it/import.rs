//! Configurations of others: what they become compiles, and what is left out is said.

use std::fmt::Write as _;
use std::path::PathBuf;

use expect_test::expect_file;
use proptest::prelude::*;
use rayline_config::{Import, ImportFrom, ImportText, import};

use crate::support::{Folder, Pair, compile_text, has_error, render};

const ALL: [ImportFrom; 4] = [ImportFrom::Cloudflare, ImportFrom::Terraform, ImportFrom::Nginx, ImportFrom::Caddy];

const ZONE: &str = include_str!("import/zone.json");
const TERRAFORM: &str = include_str!("import/main.tf");
const NGINX: &str = include_str!("import/nginx.conf");
const CADDY: &str = include_str!("import/Caddyfile");

fn imported(from: ImportFrom, name: &str, text: &str, base: PathBuf) -> Import {
    import(from, &[ImportText { name: name.to_owned(), text: text.to_owned() }], base)
}

/// The configuration, and below it what is not in it, one on each line.
fn shown(import: &Import) -> String {
    let mut shown = import.toml.clone();
    shown.push_str("\n=== not translated ===\n");
    for left in &import.untranslated {
        writeln!(shown, "{}: {}: {}", left.place, left.what, left.why).unwrap();
    }
    shown
}

fn compiles(import: &Import) {
    let (plan, problems) = compile_text(&import.toml);
    assert!(plan.is_some() && !has_error(&problems), "{}\n{}", render(&import.toml, &problems), import.toml);
}

#[test]
fn cloudflare() {
    let import = imported(ImportFrom::Cloudflare, "zone.json", ZONE, PathBuf::from("/nowhere"));
    compiles(&import);
    expect_file!["import/zone.txt"].assert_eq(&shown(&import));
}

#[test]
fn cloudflare_in_several_texts() {
    let text = |name: &str, text: &str| ImportText { name: name.to_owned(), text: text.to_owned() };
    let texts = [
        text(
            "dns_records.json",
            r#"[{"type":"A","name":"a.test","content":"192.0.2.1","proxied":true},{"type":"A","name":"b.a.test","content":"192.0.2.1"}]"#,
        ),
        text("lists.json", r#"{"result":[{"id":"l1","name":"office","kind":"ip"}],"success":true}"#),
        text("list_items_l1.json", r#"{"success":true,"result":[{"id":"1","ip":"192.0.2.1"}]}"#),
        text("list_items_l2.json", r#"[{"ip":"192.0.2.1"}]"#),
        text("broken.json", "{"),
    ];
    let import = import(ImportFrom::Cloudflare, &texts, PathBuf::from("/nowhere"));
    compiles(&import);
    assert!(
        import.toml.contains("name = \"a.test\"") && import.toml.contains("items = [\"192.0.2.1\"]"),
        "{}",
        import.toml
    );
    let places: Vec<&str> = import.untranslated.iter().map(|left| left.place.as_str()).collect();
    assert_eq!(places, ["broken.json", "list_items_l2.json"]);
}

#[test]
fn terraform() {
    let import = imported(ImportFrom::Terraform, "main.tf", TERRAFORM, PathBuf::from("/nowhere"));
    compiles(&import);
    expect_file!["import/main.tf.txt"].assert_eq(&shown(&import));
}

#[test]
fn nginx() {
    let import = imported(ImportFrom::Nginx, "nginx.conf", NGINX, PathBuf::from("/nowhere"));
    compiles(&import);
    expect_file!["import/nginx.txt"].assert_eq(&shown(&import));
}

#[test]
fn caddy() {
    let import = imported(ImportFrom::Caddy, "Caddyfile", CADDY, PathBuf::from("/nowhere"));
    compiles(&import);
    expect_file!["import/caddy.txt"].assert_eq(&shown(&import));
}

#[test]
fn certificates_that_are_there_stay() {
    let folder = Folder::new();
    let pair = Pair::new(&["shop.example", "www.shop.example"]);
    folder.write("shop.pem", pair.pem());
    folder.write("shop.key", pair.key_pem());
    let text = NGINX.replace("/etc/ssl/", "");
    let import = imported(ImportFrom::Nginx, "nginx.conf", &text, folder.path().to_owned());
    let (plan, problems) = folder.compile(&import.toml);
    assert!(plan.is_some(), "{}", render(&import.toml, &problems));
    assert!(import.toml.contains("https = [\"0.0.0.0:443\"]") && import.toml.contains("certificate = \"shop.pem\""));
}

/// Pieces that turn up in such texts.
const PIECES: [&str; 30] = [
    "{",
    "}",
    "[",
    "]",
    "\"",
    "'",
    ";",
    "\n",
    "#",
    "\\",
    "$",
    "${",
    "server ",
    "location / ",
    "proxy_pass http://a",
    "server_name a.example",
    "listen ",
    "return 301 ",
    "a.example ",
    "reverse_proxy ",
    "@x ",
    "handle ",
    "resource \"cloudflare_ruleset\" \"a\" ",
    "rules ",
    "<<EOT\n",
    "{\"result\":",
    "\"phase\":\"http_ratelimit\"",
    ",",
    "é",
    "\0",
];

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, cases: 192, ..ProptestConfig::default() })]

    #[test]
    fn no_text_is_too_much(pieces in proptest::collection::vec(0..PIECES.len(), 0..40)) {
        let text: String = pieces.iter().map(|piece| PIECES[*piece]).collect();
        for from in ALL {
            compiles_or_is_empty(&imported(from, "text", &text, PathBuf::from("/nowhere")));
        }
    }

    #[test]
    fn nor_a_damaged_one(from in 0..4_usize, at in 0..4000_usize, length in 0..60_usize, piece in 0..PIECES.len()) {
        let text = [ZONE, TERRAFORM, NGINX, CADDY][from];
        let mut characters: Vec<char> = text.chars().collect();
        let start = at.min(characters.len());
        let end = (at + length).min(characters.len());
        characters.splice(start..end, PIECES[piece].chars());
        let text: String = characters.into_iter().collect();
        compiles_or_is_empty(&imported(ALL[from], "text", &text, PathBuf::from("/nowhere")));
    }
}

/// Nothing to serve is not a configuration that runs, and is said; all else is.
fn compiles_or_is_empty(import: &Import) {
    if import.toml.contains("[[zone]]") {
        compiles(import);
    } else {
        assert!(import.untranslated.iter().any(|left| left.what == "zones"), "{}", import.toml);
    }
}
