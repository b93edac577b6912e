//! Requests that are replayed without parts of the plan, as `rayline bisect` sends them.

use std::time::SystemTime;

use rayline_edge::replay::{Copy, FIELD, Replay};
use rayline_testkit::Script;
use rayline_verdict::Moment;

use crate::scene::{HOST, Scene, ruleset};

/// What is replayed.
const COPY: Copy<'_> = Copy { method: "GET", host: HOST, target: b"/" };

fn now() -> Moment {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap();
    Moment(i64::try_from(since.as_nanos()).unwrap())
}

#[tokio::test]
async fn one_request_goes_without_a_rule_and_its_origin_hears_nothing_of_it() {
    let rule = "id = \"shut\"\nexpression = 'true'\naction = \"block\"";
    let ban = "[[zone.access_rules]]\nid = \"ban\"\nmode = \"block\"\nconfiguration = { target = \"ip\", value = \"127.0.0.1\" }\n";
    let scene = Scene::with(Script::ok()).also(&ruleset("http_request_firewall_custom", &[rule])).also(ban).start();
    let sign = |off: &[&str]| scene.edge.sign(&Replay::new(off.iter().copied(), None), COPY, now()).unwrap();
    let (both, one) = (sign(&["shut", "ban"]), sign(&["shut"]));
    for (value, expected) in [(both.as_str(), 200), (&one, 403), (&both[1..], 403), ("", 403)] {
        let response = scene.get("/", &format!("{FIELD}: {value}\r\n")).await;
        assert_eq!(response.status(), Some(expected), "{value}");
    }
    // the origin echoes what it was asked
    for name in [FIELD.to_owned(), FIELD.to_uppercase()] {
        let response = scene.get("/", &format!("{name}: {both}\r\n")).await;
        assert_eq!(response.status(), Some(200));
        assert!(!response.text().to_ascii_lowercase().contains(FIELD), "{}", response.text());
    }
    // carried off to another request it is nothing
    assert_eq!(scene.get("/other", &format!("{FIELD}: {both}\r\n")).await.status(), Some(403));
    // of another edge's signatures nothing follows
    let other = Scene::with(Script::ok()).start();
    let foreign = other.edge.sign(&Replay::new(["shut", "ban"], None), COPY, now()).unwrap();
    assert_eq!(scene.get("/", &format!("{FIELD}: {foreign}\r\n")).await.status(), Some(403));
    assert_eq!(scene.get("/", "").await.status(), Some(403), "everybody else meets the rules");
}
