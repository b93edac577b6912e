//! Zones and records: which origin a host name leads to, and what a zone's state does to it.

use rayline_testkit::{Origin, Response, Script, Visitor};

use crate::scene::{Blame, HOST, Scene};

async fn get_host(scene: &Scene, host: &str) -> Response {
    let mut visitor = scene.visitor().await;
    visitor.send(format!("GET / HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n")).await.expect("the edge reads");
    visitor.read_response("GET").await
}

#[tokio::test]
async fn the_good_one_of_several_addresses_answers() {
    // The first refuses, for nobody listens there on the origin's port.
    for (script, status) in [(Script::ok(), 200), (Script::status(500), 500)] {
        let origin = Origin::start(script).expect("an origin");
        let record = "[[zone.dns_records]]\ntype = \"A\"\nname = \"@\"\ncontent = \"127.0.0.1\"\nproxied = true";
        let scene = Scene::before(([127, 0, 0, 2], origin.addr().port()).into()).also(record).start();
        let response = scene.get("/", "").await;
        assert_eq!(response.status(), Some(status), "{response:?}");
        let record = scene.record_of(&response).await;
        assert_eq!(record["OriginIP"], "127.0.0.1", "{record:#}");
        // Where there is a verdict it tells of both.
        if status == 500 {
            let attempts = record["VerdictAttempts"].as_array().expect("attempts");
            assert_eq!(attempts.len(), 2, "{record:#}");
            assert!(attempts[0].to_string().contains("origin.connect.refused"), "{record:#}");
            assert!(attempts[0].to_string().contains("127.0.0.2"), "{record:#}");
        }
    }
}

#[tokio::test]
async fn the_attempts_at_several_addresses_are_recorded() {
    // All refuse, so that there is a verdict to record them with.
    let record = "[[zone.dns_records]]\ntype = \"A\"\nname = \"@\"\ncontent = \"127.0.0.2\"\nproxied = true";
    let scene = Scene::with(Script::refuse()).also(record).start();
    let record = scene.blames(Blame::page("origin.connect.refused", 521)).await;
    let attempts = record["VerdictAttempts"].as_array().expect("attempts");
    assert_eq!(attempts.len(), 2, "{record:#}");
    let text = record["VerdictAttempts"].to_string();
    assert!(text.contains("127.0.0.1") && text.contains("127.0.0.2"), "{text}");
}

#[tokio::test]
async fn each_zone_and_record_has_its_origin() {
    let other = Origin::start(Script::status(404)).expect("an origin");
    let port = other.addr().port();
    let scene = Scene::with(Script::ok())
        .also("[[zone.dns_records]]\ntype = \"A\"\nname = \"*\"\ncontent = \"127.0.0.1\"\nproxied = true")
        .also("[[zone.dns_records]]\ntype = \"A\"\nname = \"grey\"\ncontent = \"127.0.0.1\"\nproxied = false")
        .also(&format!(
            "[[zone]]\nname = \"other.test\"\n[zone.settings]\nssl = \"flexible\"\norigin_http_port = {port}"
        ))
        .also("[[zone.dns_records]]\ntype = \"A\"\nname = \"www\"\ncontent = \"127.0.0.1\"\nproxied = true")
        .start();
    for (host, status, zone) in [
        (HOST, 200, HOST),
        ("any.shop.test", 200, HOST),
        ("deep.any.shop.test", 200, HOST),
        ("ANY.Shop.Test", 200, HOST),
        ("any.shop.test:8080", 200, HOST),
        ("grey.shop.test", 409, HOST),
        ("www.other.test", 404, "other.test"),
        ("other.test", 409, "other.test"),
        ("ashop.test", 409, ""),
    ] {
        let response = get_host(&scene, host).await;
        assert_eq!(response.status(), Some(status), "{host}");
        let record = scene.record_of(&response).await;
        assert_eq!(record["ZoneName"].as_str().unwrap_or_default(), zone, "{host}");
    }
    assert_eq!(other.requests(), 1);
}

#[tokio::test]
async fn a_paused_zone_is_proxied_and_attributed_and_no_more() {
    let setup = Scene::with(Script::status(502))
        .zone("paused", "true")
        .setting("always_use_https", "on")
        .setting("server_timing", "on")
        .also("[zone.error_pages]\n500_errors = \"500.html\"")
        .https();
    std::fs::write(setup.folder().join("500.html"), "<head></head>OWN PAGE ::CLOUDFLARE_ERROR_500S_BOX::")
        .expect("a file");
    let scene = setup.start();
    // No redirect, no page in the place of the origin's own, no timings; a verdict all the same.
    let response = scene.get("/", "").await;
    assert_eq!((response.status(), response.field("server-timing")), (Some(502), None));
    assert!(response.text().contains("this is the origin's own page"), "{}", response.text());
    let record = scene.record_of(&response).await;
    assert_eq!((&record["VerdictCode"], &record["ZoneName"]), (&"origin.wait.error_status".into(), &HOST.into()));
    // Where there is nothing to pass the page is the edge's, not the zone's.
    let toml = scene.toml.replace("content = \"127.0.0.1\"", "content = \"127.0.0.2\"");
    scene.edge.reload(scene.plan(&toml)).expect("a reload");
    let response = scene.get("/", "").await;
    assert_eq!(response.status(), Some(521));
    assert!(!response.text().contains("OWN PAGE"), "{}", response.text());
}

#[tokio::test]
async fn always_use_https_names_the_port_of_the_listener() {
    let scene = Scene::with(Script::ok()).setting("always_use_https", "on").https().start();
    let port = scene.https.expect("a listener").port();
    for (target, host) in [("/a?b=c", HOST), ("/", "shop.test:8080"), (&format!("http://{HOST}/x"), "y.test")] {
        let mut visitor = scene.visitor().await;
        let request = format!("GET {target} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n");
        visitor.send(request).await.expect("the edge reads");
        let response = visitor.read_response("GET").await;
        let path = target.strip_prefix(&format!("http://{HOST}")).unwrap_or(target);
        let location = format!("https://{HOST}:{port}{path}");
        assert_eq!((response.status(), response.field("location")), (Some(301), Some(location.as_str())));
        assert!(scene.record_of(&response).await["VerdictCode"].is_null());
    }
    let mut visitor = scene.tls_visitor().await;
    visitor.send(Scene::request("GET", "/", "")).await.expect("the edge reads");
    assert_eq!(visitor.read_response("GET").await.status(), Some(200));
    assert_eq!(scene.origin.as_ref().expect("an origin").requests(), 1);
}

#[tokio::test]
async fn ssl_off_sends_https_to_http() {
    let scene = Scene::with(Script::ok()).setting("ssl", "off").https().start();
    let mut visitor: Visitor = scene.tls_visitor().await;
    visitor.send(Scene::request("GET", "/a?b", "")).await.expect("the edge reads");
    let response = visitor.read_response("GET").await;
    let location = format!("http://{HOST}:{}/a?b", scene.http.port());
    assert_eq!((response.status(), response.field("location")), (Some(301), Some(location.as_str())));
    assert_eq!(scene.get("/", "").await.status(), Some(200));
}
