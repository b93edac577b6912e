//! `rayline trace`: what rules make of a request, on paper.

use crate::Dir;

const CONFIG: &str = r#"
[server]
http = ["127.0.0.1:0"]

[[zone]]
name = "shop.test"
settings.ssl = "flexible"
dns_records = [{ type = "A", name = "@", content = "127.0.0.1" }]

[[zone.rulesets]]
phase = "http_request_dynamic_redirect"
[[zone.rulesets.rules]]
id = "old"
expression = 'http.request.uri.path eq "/old"'
action = "redirect"
action_parameters = { from_value = { target_url = { value = "https://shop.test/new" }, status_code = 301 } }

[[zone.rulesets]]
phase = "http_request_transform"
[[zone.rulesets.rules]]
id = "news"
description = "the blog has moved"
expression = 'starts_with(http.request.uri.path, "/blog/")'
action = "rewrite"
action_parameters = { uri = { path = { expression = 'concat("/news", substring(http.request.uri.path, 5))' } } }
[[zone.rulesets.rules]]
id = "broken"
expression = 'http.request.uri.path eq "/broken"'
action = "rewrite"
action_parameters = { uri = { path = { expression = 'http.request.headers["x-path"][0]' } } }

[[zone.rulesets]]
phase = "http_request_firewall_custom"
[[zone.rulesets.rules]]
id = "no-news-for-bots"
expression = 'http.request.uri.path contains "/news/" and http.user_agent contains "bot"'
action = "block"
"#;

fn dir() -> Dir {
    let dir = Dir::new();
    dir.file("rayline.toml", CONFIG);
    dir
}

#[test]
fn each_step_shows_what_changed() {
    let dir = dir();
    dir.file("bot.json", r#"{"url": "http://shop.test/blog/1", "headers": {"User-Agent": "a bot"}}"#);
    let blocked = dir.run(&["trace", "bot.json"]);
    assert_eq!(blocked.code, 0, "{}", blocked.stderr);
    for part in
        ["matched  news rewrite  the blog has moved", "path: /blog/1 → /news/1", "ended    no-news-for-bots block"]
    {
        assert!(blocked.stdout.contains(part), "{part}: {}", blocked.stdout);
    }
    let trace = dir.run(&["trace", "bot.json", "--json"]).json();
    assert_eq!(trace["outcome"]["rule"], "no-news-for-bots");
    assert_eq!(trace["changed"]["uri"], "/news/1");
    assert_eq!(trace["steps"][0]["changes"][0]["after"], "/news/1");
    let person = dir.run(&["trace", "http://shop.test/blog/1", "--json"]).json();
    assert_eq!(person["outcome"]["end"], "goes_on");
}

#[test]
fn all_rules_say_why() {
    let trace = dir().run(&["trace", "http://shop.test/blog/1", "--all", "--json"]).json();
    let steps = trace["steps"].as_array().unwrap();
    let reached: Vec<_> =
        steps.iter().map(|step| (step["rule"].as_str().unwrap(), step["reached"].as_str().unwrap())).collect();
    let expected =
        [("old", "not_matched"), ("news", "matched"), ("broken", "not_matched"), ("no-news-for-bots", "not_matched")];
    assert_eq!(reached, expected);
    // rules of later phases see what earlier ones made
    let why = &steps[3]["why"]["parts"];
    assert_eq!((&why[0]["value"], &why[1]["value"]), (&true.into(), &false.into()), "{why}");
}

#[test]
fn redirects_and_rules_that_cannot_work() {
    let dir = dir();
    let redirected = dir.run(&["trace", "http://shop.test/old", "--json"]).json();
    assert_eq!(redirected["outcome"]["how"], "redirected with 301 to https://shop.test/new");
    let failed = dir.run(&["trace", "http://shop.test/broken"]);
    assert_eq!(failed.code, 1, "{}", failed.stdout);
    assert!(failed.stdout.contains("fails with 1037: broken"), "{}", failed.stdout);
    for (request, why) in [
        ("http://elsewhere.test/", "hint: its zones: `shop.test`"),
        ("shop.test/old", "a URL begins with `http://` or `https://`"),
    ] {
        let outcome = dir.run(&["trace", request]);
        assert!(outcome.code == 3 && outcome.stderr.contains(why), "{request}: {}", outcome.stderr);
    }
}
