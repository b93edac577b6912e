//! Versions of the configuration: listed, compared, applied, rolled out, on pages and as data.

use serde_json::json;

use crate::login::Browser;
use crate::{Running, wire};

fn post(running: &Running, path: &str, body: &str) -> wire::Answer {
    let request = format!(
        "POST {path} HTTP/1.1\r\nConnection: close\r\nHost: localhost\r\nAuthorization: {}\r\nContent-Length: {}\r\n\r\n{body}",
        running.bearer(),
        body.len()
    );
    wire::send(running.control.addr(), request.as_bytes())
}

#[test]
fn versions_and_what_differs_are_data() {
    let running = Running::start();
    let versions = running.call("GET", "/api/config/versions").json();
    let third = &versions["result"][0];
    assert_eq!(
        (&third["version"], &third["state"], &third["running"]),
        (&json!(3), &json!("rolled_back"), &json!(false))
    );
    let evidence = &third["history"][0]["evidence"];
    assert_eq!(evidence["codes"][0], json!({ "code": "owner.resolve.nxdomain", "old": 0, "new": 200 }));
    assert_eq!((&evidence["confidence"], &evidence["new"]["requests"]), (&json!(99.997), &json!(400)));
    let second = running.call("GET", "/api/config/versions/2").json();
    assert!(second["result"]["text"].as_str().unwrap().contains("origin_http_port = 8081"));
    let diff = running.call("GET", "/api/config/diff?from=1&to=2").json();
    let diff = diff["result"]["diff"].as_str().unwrap();
    assert!(diff.starts_with("--- version 1\n+++ version 2\n@@"), "{diff}");
    assert!(diff.contains("\n-origin_http_port = 80\n+origin_http_port = 8081\n"), "{diff}");
    for missing in
        ["/api/config/versions/9", "/api/config/versions/x", "/api/config/diff?from=1&to=9", "/api/config/diff"]
    {
        let answer = running.call("GET", missing);
        assert_eq!((answer.status, answer.failure()), (404, 7000), "{missing}");
    }
}

#[test]
fn a_text_is_applied_rolled_out_promoted_and_aborted() {
    let running = Running::start();
    let none = running.call("GET", "/api/config/rollout").json();
    assert_eq!((&none["success"], &none["result"]), (&json!(true), &json!(null)));
    let refused = post(&running, "/api/config/versions", r#"{"text":"zzl"}"#);
    let messages = json!([
        { "code": 10400, "message": "unknown key `zzl`" },
        { "code": 10400, "message": "there is no zone" },
    ]);
    assert_eq!((refused.status, &refused.json()["errors"]), (400, &messages));
    for wrong in ["", "{}", "[", r#"{"text":"a","rolout":{}}"#, r#"{"text":"a","rollout":{"percent":"x"}}"#] {
        assert_eq!(post(&running, "/api/config/versions", wrong).status, 400, "{wrong}");
    }
    let text = format!("# {}\n", "long".repeat(20_000));
    let body =
        json!({ "text": text, "author": "maria", "comment": "why", "rollout": { "percent": 5, "dwell_seconds": 60 } });
    let applied = post(&running, "/api/config/versions", &body.to_string()).json();
    assert_eq!(applied["result"], json!({ "version": 4, "outcome": "rolled out", "messages": ["a warning"] }));
    let rollout = running.call("GET", "/api/config/rollout").json();
    assert_eq!((&rollout["result"]["percent"], &rollout["result"]["dwell"]), (&json!(5.0), &json!(600)));
    assert_eq!(post(&running, "/api/config/rollout/promote", r#"{"author":"maria"}"#).status, 200);
    assert_eq!(post(&running, "/api/config/rollout/abort", "").status, 200);
    assert_eq!(post(&running, "/api/config/rollout/abort", "").status, 400);
    assert_eq!(post(&running, "/api/config/rollback", r#"{"version":1}"#).json()["result"]["outcome"], "back");
}

#[test]
fn the_page_shows_who_why_and_the_evidence_and_has_buttons_for_administrators() {
    let running = Running::start();
    let browser = Browser::logged_in(&running, running.token.as_str());
    let page = browser.get("/configuration?version=3").body;
    for text in [
        "maria &lt;script&gt;",
        "rolled back by itself",
        "version 3 fails &lt;more&gt;",
        "99.997",
        "owner.resolve.nxdomain",
    ] {
        assert!(page.contains(text), "no {text:?} in {page}");
    }
    assert!(!page.contains("is being rolled out") && !page.contains("<script>maria"));
    let done = browser.submit("/configuration/rollback", "version=1");
    assert_eq!((done.status, done.header("location")), (303, Some("/configuration?done=4")));
    let page = browser.get("/configuration?done=4").body;
    for text in ["Version 4 is being rolled out", "Next step now", "Abort: everybody back", "the &lt;step&gt;"] {
        assert!(page.contains(text), "no {text:?} in {page}");
    }
    let viewer = Browser::logged_in(&running, running.viewer.as_str());
    let seen = viewer.get("/configuration").body;
    assert!(seen.contains("Version 4 is being rolled out") && !seen.contains("Abort: everybody back"));
    for path in ["/configuration/abort", "/configuration/promote", "/configuration/rollback"] {
        assert_eq!(viewer.submit(path, "").status, 403, "{path}");
        assert_eq!(browser.post(path, "", &[("Origin", "http://evil.example")]).status, 403, "{path}");
    }
    assert_eq!(browser.submit("/configuration/promote", "whole=true").status, 303);
    assert!(browser.submit("/configuration/abort", "").body.contains("no version is &lt;being&gt; rolled out"));
}
