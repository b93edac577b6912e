//! Error pages of a zone's own, and the brand on the edge's.

use rayline_testkit::{Response, Script};

use crate::scene::{HOST, Scene, Setup};

const PAGE_500: &str = "<html><head></head><body>OWN 500 ::CLOUDFLARE_ERROR_500S_BOX:: ip=::CLIENT_IP:: ray=::RAY_ID:: geo=::GEO:: ::OTHER::</body></html>";
const PAGE_1000: &str = "<html><head></head><body>OWN 1000 ::RAYLINE_ERROR_1000S_BOX::</body></html>";

fn with_pages(setup: Setup) -> Setup {
    std::fs::write(setup.folder().join("500.html"), PAGE_500).expect("a file");
    std::fs::write(setup.folder().join("1000.html"), PAGE_1000).expect("a file");
    setup.also("[zone.error_pages]\n500_errors = \"500.html\"\n1000_errors = \"1000.html\"")
}

async fn get_host(scene: &Scene, host: &str) -> Response {
    let mut visitor = scene.visitor().await;
    visitor.send(format!("GET / HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n")).await.expect("the edge reads");
    visitor.read_response("GET").await
}

#[tokio::test]
async fn a_zone_has_pages_of_its_own() {
    let scene = with_pages(Scene::with(Script::refuse())).start();
    let response = scene.get("/", "Accept: text/html\r\n").await;
    let (text, ray) = (response.text(), response.field("cf-ray").expect("a Ray ID")[..16].to_owned());
    assert_eq!((response.status(), response.field("cf-error-type")), (Some(521), Some("521")));
    assert!(response.field("content-type").is_some_and(|kind| kind.starts_with("text/html")));
    assert!(text.contains("OWN 500 ") && text.contains("521") && text.contains("origin.connect.refused"), "{text}");
    assert!(text.contains(&format!("ip=127.0.0.1 ray={ray} geo=XX ::OTHER::")), "{text}");
    assert!(!text.contains("ERROR_500S_BOX"), "{text}");
    // A zone that has no such record still has its page.
    let response = get_host(&scene, &format!("missing.{HOST}")).await;
    assert!(response.text().contains("OWN 1000 ") && response.text().contains("1001"), "{}", response.text());
    // One that is nobody's has the edge's.
    let response = get_host(&scene, "unknown.test").await;
    assert!(!response.text().contains("OWN") && response.text().contains("1001"), "{}", response.text());
}

#[tokio::test]
async fn they_are_for_people_only() {
    let scene = with_pages(Scene::with(Script::refuse())).start();
    for kind in ["application/json", "application/problem+json", "text/markdown", "text/plain"] {
        let response = scene.get("/", &format!("Accept: {kind}\r\n")).await;
        assert!(response.field("content-type").is_some_and(|given| given.starts_with(kind)), "{response:?}");
        assert!(!response.text().contains("OWN"), "{}", response.text());
    }
}

#[tokio::test]
async fn they_stand_for_the_errors_of_the_edge_and_for_502_and_504() {
    for (status, own) in [(500, false), (501, false), (502, true), (503, false), (504, true), (520, false)] {
        let scene = with_pages(Scene::with(Script::status(status))).start();
        let response = scene.get("/", "").await;
        assert_eq!(response.status(), Some(status));
        assert_eq!(response.text().contains("OWN 500 "), own, "{status}: {}", response.text());
        assert_eq!(response.text().contains("the origin's own page"), !own, "{status}: {}", response.text());
    }
    let setup = Scene::with(Script::status(502)).setting("origin_error_page_pass_thru", "on");
    let response = with_pages(setup).start().get("/", "").await;
    assert!(response.text().contains("the origin's own page"), "{}", response.text());
}

#[tokio::test]
async fn a_preview_shows_them() {
    let scene = with_pages(Scene::with(Script::ok())).start();
    for (path, own) in [("522", "OWN 500 "), ("1016", "OWN 1000 "), ("origin.wait.error_status", "OWN 500 ")] {
        let response = scene.get(&format!("/cdn-cgi/error/{path}"), "").await;
        assert!(response.text().contains(own), "{path}: {}", response.text());
    }
}

#[tokio::test]
async fn the_brand_is_the_owners() {
    let scene = Scene::with(Script::refuse()).server("brand", "\"Acme <Edge>\"").start();
    let response = scene.get("/", "").await;
    assert!(
        response.text().contains("Acme &lt;Edge&gt;") && !response.text().contains("<Edge>"),
        "{}",
        response.text()
    );
    let response = Scene::with(Script::refuse()).start().get("/", "").await;
    assert!(response.text().contains("Rayline"), "{}", response.text());
}
