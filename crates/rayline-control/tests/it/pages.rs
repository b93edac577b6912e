//! Every page: with a store full of failures, with an empty one, with none; and with what attackers would write.

use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use bytes::Bytes;
use rayline_control::Seats;
use rayline_verdict::record::OriginFacts;
use rayline_verdict::{Moment, RayId, Record};
use serde_json::json;

use crate::login::Browser;
use crate::shelf::Shelf;
use crate::{Running, records};

const PAGES: [&str; 9] =
    ["/", "/errors", "/ray", "/tail", "/origins", "/diagnose", "/explain", "/configuration", "/system"];

fn now() -> i64 {
    i64::try_from(SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_nanos()).unwrap()
}

/// The record, of so many seconds ago.
fn ago(record: Record, seconds: i64, ray: u64) -> Record {
    let start = Moment(now() - seconds * 1_000_000_000);
    Record { ray: RayId(ray), start, end: Moment(start.0 + 25_000_000), ..record }
}

pub(crate) fn fill(shelf: &Shelf) {
    for place in 0..40 {
        shelf.add(&ago(records::fine("/fine"), 10 + place * 60, 0x1000 + place as u64));
    }
    for place in 0..12 {
        let record = Record {
            origin: records::fine("/").origin.map(|origin| OriginFacts { status: 0, ..origin }),
            ..records::refused("/cart?id=1")
        };
        shelf.add(&ago(record, 60 + place * 30, 0x2000 + place as u64));
    }
    for place in 0..3 {
        shelf.add(&ago(records::nowhere("/nowhere"), 120 + place * 30, 0x3000 + place as u64));
    }
}

#[test]
fn pages_show_what_failed_and_whose_fault_it_is() {
    let running = Running::start();
    fill(&running.shelf);
    let browser = Browser::logged_in(&running, running.token.as_str());
    for (path, expected) in [
        (
            "/",
            vec![
                "shop.example",
                "origin.connect.refused",
                "owner.resolve.nxdomain",
                "Mostly the fault of",
                "Error budget",
            ],
        ),
        ("/errors", vec!["/cart", "127.0.0.1:8081", "521", "Visitor got", "none came", "Failed requests over time"]),
        ("/errors?split=code", vec!["origin.connect.refused"]),
        ("/errors?code=owner.resolve.nxdomain", vec!["/nowhere", "take this filter away", "How it is known"]),
        ("/ray", vec!["/cart?id=1"]),
        ("/origins", vec!["127.0.0.1:8081", "failing", "last failed", "Reused"]),
        (
            "/system",
            vec![
                "to &lt;clickhouse&gt;",
                "12\u{202f}345",
                "1.2 MiB",
                "origin errors",
                "2.0 KiB",
                "2 spans are too old",
            ],
        ),
        ("/configuration?version=2", vec!["What version 2 changed", "origin_http_port = 8081"]),
        ("/explain", vec!["origin.connect.refused"]),
        ("/explain/origin.connect.refused", vec!["What happened", "ECONNREFUSED"]),
        ("/tail?failures=true&zone=shop.example", vec!["/live/tail?zone=shop.example&amp;failures=true"]),
        ("/diagnose?url=https://shop.example/", vec!["value=\"https://shop.example/\""]),
    ] {
        let answer = browser.get(path);
        assert_eq!(answer.status, 200, "{path}");
        for text in expected {
            assert!(answer.body.contains(text), "{path}: no {text:?} in {}", answer.body);
        }
    }
    let newest = browser.get("/ray/newest?code=owner.resolve.nxdomain");
    assert_eq!((newest.status, newest.header("location")), (303, Some("/ray/0000000000003000")));
    assert_eq!(browser.get("/ray/newest?host=nothing").header("location"), Some("/errors?from=-1h&host=nothing"));
    let without = browser.get("/errors?code=owner.resolve.nxdomain").body;
    assert!(!without.contains("/cart"), "{without}");
}

#[test]
fn a_rays_page_tells_its_whole_life() {
    let running = Running::start();
    fill(&running.shelf);
    let browser = Browser::logged_in(&running, running.token.as_str());
    let found = browser.get("/ray?id=0000000000002003-DEV");
    assert_eq!((found.status, found.header("location")), (303, Some("/ray/0000000000002003")));
    let page = browser.get("/ray/0000000000002003").body;
    for text in [
        "Where the time went",
        "ECONNREFUSED",
        "repeating it is safe",
        "What to do",
        "CF-Connecting-IP",
        "Neighbours",
        "curl -v --connect-to ::127.0.0.1:8081",
        "Download as HAR",
        "Configuration that decided",
        "/cart?id=1",
    ] {
        assert!(page.contains(text), "no {text:?} in {page}");
    }
    let body = browser.get("/api/ray/0000000000002003").json();
    assert_eq!(body["result"]["line"]["VerdictCode"], "origin.connect.refused");
    assert_eq!(body["result"]["neighbours"].as_array().map(Vec::len), Some(11));
    assert_eq!(body["result"]["explain"]["party"], "origin");
    let har = browser.get("/api/ray/0000000000002003/har").json();
    assert_eq!(har["log"]["entries"][0]["response"]["status"], 521);
    assert_eq!(browser.get("/api/ray/0000000000009999").failure(), 7000);
    assert_eq!(browser.get("/api/ray/zzz").failure(), 10400);
    assert!(browser.get("/ray/0000000000009999").body.contains("No request of that ID is kept"));
    assert!(browser.get("/ray?id=zzz").body.contains("That is no Ray ID"));
}

#[test]
fn analytics_answer_what_the_pages_show() {
    let running = Running::start();
    fill(&running.shelf);
    let result = &running.call("GET", "/api/analytics?by=party&party!=").json()["result"];
    assert_eq!(result["total"]["failed"], 15);
    assert_eq!(result["groups"][0]["key"], json!({ "party": "origin" }));
    assert_eq!(result["groups"][0]["failed"], 12);
    let wrong = running.call("GET", "/api/analytics?by=colour&top=x");
    assert_eq!(wrong.status, 400);
    assert_eq!(wrong.json()["errors"].as_array().map(Vec::len), Some(2));
    assert!(running.call("GET", "/api/approaching?host=shop.example").json()["result"].is_array());
    assert_eq!(running.call("GET", "/api/approaching?hots=shop.example").failure(), 10400);
    assert!(running.call("GET", "/api/dimensions").json()["result"]["dimensions"].as_array().unwrap().len() > 20);
    assert_eq!(running.call("GET", "/api/config/versions").json()["result"][2]["version"], 1);
    let none = Running::with(Arc::default(), Seats::default());
    assert_eq!(none.call("GET", "/api/analytics").failure(), 10503);
}

#[test]
fn what_is_empty_says_what_to_do() {
    let empty = Running::start();
    let browser = Browser::logged_in(&empty, empty.token.as_str());
    for (path, text) in [
        ("/", "No requests in this span"),
        ("/errors", "No requests in this span"),
        ("/errors?host=a", "Take one away"),
        ("/ray", "No failure in the last 24 hours"),
        ("/origins", "No origin was asked"),
        ("/errors?from=tomorrow", "This link cannot be read"),
        ("/tail?status=banana", "This filter cannot be read"),
        ("/configuration?version=99", "is not known"),
        ("/configuration?version=99", "over restarts too"),
        ("/diagnose/0123456789abcdef", "no longer kept"),
    ] {
        assert!(browser.get(path).body.contains(text), "{path}");
    }
    let none = Running::with(Arc::default(), Seats::default());
    let browser = Browser::logged_in(&none, none.token.as_str());
    for (path, text) in [
        ("/", "Nothing is stored here"),
        ("/errors", "Nothing is stored here"),
        ("/ray/230b030023ae2822", "Nothing is stored here"),
        ("/diagnose", "Diagnoses are not to be had here"),
        ("/configuration", "has no configuration file"),
    ] {
        assert!(browser.get(path).body.contains(text), "{path}");
    }
    for path in PAGES {
        assert_eq!(browser.get(path).status, 200, "{path}");
    }
}

#[test]
fn a_filter_is_added_by_a_form() {
    let running = Running::start();
    let browser = Browser::logged_in(&running, running.token.as_str());
    let added = browser.get("/errors?view=from%3D-6h&add=path&how=%5E%3D&value=%2Fshop%26x");
    assert_eq!(added.header("location"), Some("/errors?from=-6h&path%5E=%2Fshop%26x"));
    let one_more = browser.get("/errors?view=from%3D-6h%26path%255E%3D%252Fshop&add=host&how=%3D&value=a");
    assert_eq!(one_more.header("location"), Some("/errors?from=-6h&path%5E=%2Fshop&host=a"));
}

#[test]
fn a_diagnosis_is_started_watched_and_kept() {
    let running = Running::start();
    let browser = Browser::logged_in(&running, running.token.as_str());
    let refused = browser.submit("/diagnose", "url=ftp%3A%2F%2Fshop.example");
    assert!(refused.body.contains("begins with `http://`"), "{}", refused.body);
    let started = browser.submit("/diagnose", "url=http%3A%2F%2Fshop.example%2F&origins=192.0.2.7+192.0.2.8");
    assert_eq!(started.status, 303);
    let path = started.header("location").unwrap().to_owned();
    let events = browser.get(&format!("{path}/events")).body;
    assert!(events.contains("event: line") && events.contains("event: done"), "{events}");
    assert!(!events.contains("<script>") && !events.contains('\u{202e}'), "{events}");
    let page = browser.get(&path).body;
    assert!(page.contains("the origin refuses &lt;connections&gt;") && page.contains("start the server"), "{page}");
    assert_eq!(browser.get(&format!("{path}/result")).json()["result"]["verdict"]["party"], "origin");
    assert!(browser.get("/diagnose").body.contains(&path));
    for _ in 0..2 {
        assert_eq!(browser.submit("/diagnose", "url=http%3A%2F%2Fslow.example%2F").status, 303);
    }
    assert!(browser.submit("/diagnose", "url=http%3A%2F%2Fslow.example%2F").body.contains("two diagnoses are running"));
}

/// Markup, quotes, control characters, characters that turn lines around, and a great many of them.
fn hostile() -> Vec<Vec<u8>> {
    vec![
        b"<script>alert(1)</script>".to_vec(),
        b"\"><img src=x onerror=alert(1)>".to_vec(),
        b"'\"`${alert(1)}<!--".to_vec(),
        "\u{202e}\u{2066}gnp.exe\u{200b}\u{feff}".as_bytes().to_vec(),
        b"\x1b[31m\x00\x07\r\n\r\nHTTP/1.1 200 OK".to_vec(),
        b"\xff\xfe\xc3\x28".to_vec(),
        "</pre></title></style></textarea><svg onload=alert(1)>".repeat(40).into_bytes(),
        b"javascript:alert(1)".to_vec(),
        b"a".repeat(60_000),
    ]
}

#[test]
fn attackers_words_stay_words_on_every_page() {
    let running = Running::start();
    for (place, words) in hostile().into_iter().enumerate() {
        let ray = 0x4000 + place as u64;
        let uri: Vec<u8> = [b"/".as_slice(), &words].concat();
        let record = Record {
            host: Bytes::from(words.clone()),
            uri: Bytes::from(uri),
            user_agent: Bytes::from(words.clone()),
            method: Bytes::from(words),
            ..records::refused("/")
        };
        running.shelf.add(&ago(record, 60, ray));
    }
    let browser = Browser::logged_in(&running, running.token.as_str());
    let rays = (0..hostile().len()).map(|place| format!("/ray/{:016x}", 0x4000 + place));
    let splits = ["host", "code", "edge_status"].map(|split| format!("/errors?split={split}"));
    let asked = hostile().into_iter().flat_map(|words| {
        let word: String = url::form_urlencoded::byte_serialize(&words[..words.len().min(3_000)]).collect();
        [
            format!("/errors?host={word}"),
            format!("/errors?from={word}"),
            format!("/errors?{word}=1"),
            format!("/ray?id={word}"),
            format!("/tail?zone={word}"),
            format!("/tail?{word}=1"),
            format!("/explain?q={word}"),
            format!("/diagnose?url={word}"),
            format!("/login?next={word}"),
            format!("/origins?origin={word}"),
            format!("/?user_agent*={word}"),
        ]
    });
    for path in PAGES.map(str::to_owned).into_iter().chain(rays).chain(splits).chain(asked) {
        let answer = browser.get(&path);
        assert!(matches!(answer.status, 200 | 303), "{path}: {}", answer.status);
        let page = answer.body.replace("<script src=\"/assets/dashboard.js?", "");
        for bad in ["<script", "<img", "<svg onload", "onerror=alert(1)>", "<!--", "</textarea", "href=\"javascript"] {
            assert!(!page.contains(bad), "{path}: {bad} in {page}");
        }
        let hidden = |c: &char| {
            (c.is_control() && !matches!(c, '\n' | '\t'))
                || matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{200b}' | '\u{feff}')
        };
        assert_eq!(page.chars().find(hidden), None, "{path}");
        assert!(page.len() < 1_500_000, "{path}: {} bytes", page.len());
    }
}
