//! Maintenance: who is told to come back, when, and how, and who is served all the same.

use rayline_testkit::Script;

use crate::scene::{Blame, Scene, Setup};

fn scene(keys: &str) -> Setup {
    let setup = Scene::with(Script::ok()).server("trusted_proxies", "[\"127.0.0.1\"]");
    setup.also(&format!("[zone.maintenance]\nenabled = true\n{keys}"))
}

#[tokio::test]
async fn visitors_are_told_when_to_come_back_and_nobody_asks_the_origin() {
    let scene = scene("retry_after = \"90s\"").start();
    scene.blames(Blame::page("policy.rules.maintenance", 503).evidence(&["retry_after"])).await;
    let response = scene.get("/", "").await;
    assert_eq!((response.status(), response.field("retry-after")), (Some(503), Some("90")));
    let json = scene.get("/", "Accept: application/json\r\n").await;
    assert!(json.text().contains("\"retry_after\":90"), "{}", json.text());
    assert_eq!(scene.origin.as_ref().expect("an origin").requests(), 0);
    assert_eq!(scene.get("/cdn-cgi/trace", "").await.status(), Some(200), "what the edge itself answers");
}

#[tokio::test]
async fn who_is_allowed_is_served_and_other_paths_are() {
    let scene = scene("allow = [\"192.0.2.0/24\", \"2001:db8::7\"]\npaths = [\"/shop/\", \"/cart\"]").start();
    for (visitor, path, status) in [
        ("192.0.2.9", "/shop/a", 200),
        ("2001:db8::7", "/cart", 200),
        ("2001:db8::8", "/cart?id=1", 503),
        ("198.51.100.1", "/shop/", 503),
        ("198.51.100.1", "/shop", 200),
        ("198.51.100.1", "/", 200),
    ] {
        let response = scene.get(path, &format!("CF-Connecting-IP: {visitor}\r\n")).await;
        assert_eq!(response.status(), Some(status), "{visitor} {path}");
    }
}

#[tokio::test]
async fn people_see_the_zones_own_page_and_programs_do_not() {
    let setup = scene("page = \"closed.html\"");
    std::fs::write(setup.folder().join("closed.html"), "<h1>Back at nine</h1> ::RAY_ID::").expect("a file");
    let scene = setup.start();
    let page = scene.get("/", "Accept: text/html\r\n").await;
    let ray = page.field("cf-ray").expect("a Ray ID").split('-').next().expect("digits").to_owned();
    assert_eq!((page.status(), page.text()), (Some(503), format!("<h1>Back at nine</h1> {ray}")));
    assert!(scene.get("/", "Accept: application/problem+json\r\n").await.text().contains("policy.rules.maintenance"));
}

#[tokio::test]
async fn a_zone_that_is_paused_or_open_is_served() {
    for toml in ["enabled = false", "enabled = true\n"] {
        let setup = Scene::with(Script::ok()).also(&format!("[zone.maintenance]\n{toml}"));
        let setup = if toml.contains("true") { setup.zone("paused", "true") } else { setup };
        assert_eq!(setup.start().get("/", "").await.status(), Some(200), "{toml}");
    }
}
