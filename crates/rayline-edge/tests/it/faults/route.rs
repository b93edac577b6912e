//! Which zone and record a request belongs to.

use rayline_testkit::{Response, Script};
use serde_json::json;

use crate::scene::{Blame, HOST, Scene, Setup};

/// A request for this host, on a connection that ends with it.
fn request_for(host: &str, more: &str) -> String {
    format!("GET / HTTP/1.1\r\nHost: {host}\r\n{more}Connection: close\r\n\r\n")
}

impl Scene {
    async fn get_from(&self, host: &str, more: &str) -> Response {
        let mut visitor = self.visitor().await;
        visitor.send(request_for(host, more)).await.expect("the edge reads");
        visitor.read_response("GET").await
    }

    fn untouched(&self) {
        assert_eq!(self.origin.as_ref().map_or(0, |origin| origin.connections()), 0, "the origin was not asked");
    }
}

fn record(name: &str, content: &str, proxied: bool) -> String {
    format!("[[zone.dns_records]]\ntype = \"A\"\nname = \"{name}\"\ncontent = \"{content}\"\nproxied = {proxied}\n")
}

fn setup() -> Setup {
    Scene::with(Script::ok()).also(&record("grey", "127.0.0.1", false)).also(&record("a.deep", "127.0.0.1", true))
}

#[tokio::test]
async fn unknown_host() {
    let scene = setup().start();
    for host in ["elsewhere.test", "shop.test.br", "notshop.test", "test", "elsewhere.test:8080"] {
        let blame = Blame::page("owner.route.unknown_host", 409).evidence(&["host"]);
        let seen = scene.blames_on(blame, |accept| request_for(host, accept)).await;
        assert_eq!(seen["VerdictEvidence"]["host"]["host"], host.trim_end_matches(":8080"));
        assert_eq!(seen["VerdictRivals"], json!(["visitor.route.direct_ip"]));
        assert_eq!(seen["VerdictReached"], "no");
        assert_eq!((&seen["ZoneName"], &seen["ClientRequestHost"]), (&json!(""), &json!(host)));
    }
    let seen = scene.blames_on(Blame::page("owner.route.unknown_host", 409), |accept| {
        // HTTP/1.0 needs no host, and without one there is no zone.
        format!("GET / HTTP/1.0\r\n{accept}\r\n")
    });
    assert_eq!(seen.await["ClientRequestProtocol"], "HTTP/1.0");
    scene.untouched();
}

#[tokio::test]
async fn no_record() {
    let scene = setup().start();
    for host in ["nosuch.shop.test", "deep.shop.test", "b.deep.shop.test"] {
        let blame = Blame::page("owner.route.no_record", 409).evidence(&["host"]);
        let seen = scene.blames_on(blame, |accept| request_for(host, accept)).await;
        assert_eq!((&seen["ZoneName"], &seen["VerdictReached"]), (&json!(HOST), &json!("no")));
    }
    scene.untouched();
}

#[tokio::test]
async fn dns_only() {
    let scene = setup().start();
    let blame = Blame::page("owner.route.dns_only", 409).evidence(&["host"]);
    let seen = scene.blames_on(blame, |accept| request_for("grey.shop.test", accept)).await;
    assert_eq!(seen["VerdictRivals"], json!(["visitor.route.direct_ip"]));
    assert_eq!(seen["ZoneName"], HOST);
    scene.untouched();
}

#[tokio::test]
async fn direct_ip() {
    let scene = setup().start();
    for host in [scene.http.to_string(), "127.0.0.1".to_owned(), "[::1]".to_owned(), "[2001:db8::1]:8080".to_owned()] {
        let blame = Blame::page("visitor.route.direct_ip", 403).evidence(&["host"]);
        let seen = scene.blames_on(blame, |accept| request_for(&host, accept)).await;
        assert_eq!(seen["VerdictStatus"], 1003);
    }
    scene.untouched();
}

#[tokio::test]
async fn sni_mismatch() {
    let other = "[[zone]]\nname = \"other.test\"\n";
    let scene = setup().also(&format!("{other}{}", record("@", "127.0.0.1", true))).https().start();
    let mut visitor = scene.tls_visitor().await;
    let blame = Blame::page("visitor.route.sni_mismatch", 421).evidence(&["host"]);
    visitor.send("GET / HTTP/1.1\r\nHost: other.test\r\n\r\n").await.unwrap();
    let response = visitor.read_response("GET").await;
    let seen = scene.sees(&blame, "", &response).await;
    assert_eq!(seen["VerdictEvidence"]["host"], json!({ "host": "other.test", "server_name": HOST }));
    assert_eq!((&seen["VerdictStatus"], &seen["ClientRequestScheme"]), (&json!(1013), &json!("https")));
    scene.untouched();
    // The connection is sound, and so is another request on it.
    visitor.send(request_for(HOST, "")).await.unwrap();
    assert_eq!(visitor.read_response("GET").await.status(), Some(200));
}

#[tokio::test]
async fn a_host_may_be_written_differently_than_the_server_name() {
    let scene = setup().https().start();
    for host in ["SHOP.Test", "shop.test.", "shop.test:443", "a.deep.shop.test"] {
        let mut visitor = scene.tls_visitor().await;
        visitor.send(request_for(host, "")).await.unwrap();
        let response = visitor.read_response("GET").await;
        assert_eq!(response.status(), Some(200), "{host}: {response:?}");
    }
}

#[tokio::test]
async fn forged_header() {
    let scene = setup().start();
    let blame = Blame::page("visitor.route.forged_header", 403).evidence(&["request_header"]);
    let seen =
        scene.blames_on(blame, |accept| request_for(HOST, &format!("{accept}CF-Connecting-IP: 192.0.2.9\r\n"))).await;
    let header = json!({ "name": "CF-Connecting-IP", "value": "192.0.2.9" });
    assert_eq!(seen["VerdictEvidence"]["request_header"], header);
    assert_eq!((&seen["VerdictStatus"], &seen["ClientIP"]), (&json!(1000), &json!("127.0.0.1")));
    assert_eq!(seen["VerdictRivals"], json!(["owner.route.loop"]));
    scene.untouched();
}

#[tokio::test]
async fn a_loop() {
    let scene = setup().start();
    for value in ["rayline", "RayLine; loops=1", "cloudflare; loops=1, rayline", "a,rayline ;x=y,b"] {
        let blame = Blame::page("owner.route.loop", 403).evidence(&["request_header"]);
        let seen = scene.blames_on(blame, |accept| request_for(HOST, &format!("{accept}CDN-Loop: {value}\r\n"))).await;
        assert_eq!(seen["VerdictEvidence"]["request_header"], json!({ "name": "CDN-Loop", "value": value }));
        assert_eq!(seen["VerdictStatus"], 1000);
    }
    // What comes round bears the address that the edge itself wrote.
    let blame = Blame::page("owner.route.loop", 403).evidence(&["request_header"]);
    let round = "CDN-Loop: rayline\r\nCF-Connecting-IP: 192.0.2.1\r\n";
    scene.blames_on(blame, |accept| request_for(HOST, &format!("{accept}{round}"))).await;
    scene.untouched();
}

#[tokio::test]
async fn another_edges_token_is_no_loop() {
    let scene = setup().start();
    let rows = [
        ("CDN-Loop: cloudflare; loops=1\r\n", "CDN-Loop: cloudflare; loops=1, rayline; loops=1\r\n"),
        ("CDN-Loop: raylines\r\n", "CDN-Loop: raylines, rayline; loops=1\r\n"),
        ("", "CDN-Loop: rayline; loops=1\r\n"),
        ("CDN-Loop: a\r\nCDN-Loop: b\r\n", "CDN-Loop: a, b, rayline; loops=1\r\n"),
    ];
    for (sent, forwarded) in rows {
        let response = scene.get_from(HOST, sent).await;
        assert_eq!(response.status(), Some(200), "{sent}");
        assert!(response.text().contains(forwarded), "{sent} became {}", response.text());
    }
}

#[tokio::test]
async fn hosts_are_found_however_they_are_written() {
    let scene = setup().also(&record("*", "127.0.0.1", true)).start();
    let address = scene.http;
    for host in [
        "shop.test".to_owned(),
        format!("shop.test:{}", address.port()),
        "SHOP.Test".to_owned(),
        "shop.test.".to_owned(),
        "Shop.Test.:8080".to_owned(),
        "any.shop.test".to_owned(),
        "one.two.shop.test".to_owned(),
        "a.deep.shop.test".to_owned(),
    ] {
        let response = scene.get_from(&host, "").await;
        assert_eq!(response.status(), Some(200), "{host}");
        let seen = scene.record_of(&response).await;
        assert_eq!((&seen["ZoneName"], &seen["ClientRequestHost"]), (&json!(HOST), &json!(host)));
    }
    // A wildcard does not reach below a name that is there, as in the DNS.
    let response = scene.get_from("b.deep.shop.test", "").await;
    assert_eq!(response.field("cf-error-type"), Some("1001"));
}

#[tokio::test]
async fn the_absolute_form_wins_over_host() {
    let scene = setup().start();
    for (target, host, path) in [
        ("http://shop.test/path?x=1", "elsewhere.test", "/path?x=1"),
        ("http://SHOP.test:8080", "elsewhere.test", "/"),
        ("http://shop.test?x=1", "shop.test", "/?x=1"),
    ] {
        let mut visitor = scene.visitor().await;
        visitor.send(format!("GET {target} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n")).await.unwrap();
        let response = visitor.read_response("GET").await;
        assert_eq!(response.status(), Some(200), "{target}");
        let seen = scene.origin.as_ref().unwrap().last().unwrap();
        assert_eq!(seen.head.word(1), Some(path), "the origin gets the origin form");
        let authority = target.trim_start_matches("http://").split(['/', '?']).next();
        assert_eq!(seen.head.field("host"), authority);
    }
    let mut visitor = scene.visitor().await;
    visitor.send("GET http://elsewhere.test/ HTTP/1.1\r\nHost: shop.test\r\n\r\n").await.unwrap();
    assert_eq!(visitor.read_response("GET").await.field("cf-error-type"), Some("1001"));
}

#[tokio::test]
async fn a_trusted_proxy_is_believed() {
    let scene = setup().server("trusted_proxies", "[\"127.0.0.0/8\"]").start();
    let rows = [
        ("CF-Connecting-IP: 192.0.2.9\r\n", "192.0.2.9", "X-Forwarded-For: 127.0.0.1\r\n"),
        (
            "X-Forwarded-For: 192.0.2.1, 192.0.2.9\r\n",
            "192.0.2.9",
            "X-Forwarded-For: 192.0.2.1, 192.0.2.9, 127.0.0.1\r\n",
        ),
        (
            "X-Forwarded-For: 192.0.2.1\r\nX-Forwarded-For: 2001:db8::9\r\n",
            "2001:db8::9",
            "X-Forwarded-For: 192.0.2.1, 2001:db8::9, 127.0.0.1\r\n",
        ),
        ("X-Forwarded-For: nonsense\r\n", "127.0.0.1", "X-Forwarded-For: nonsense, 127.0.0.1\r\n"),
        ("", "127.0.0.1", "X-Forwarded-For: 127.0.0.1\r\n"),
    ];
    for (sent, client, forwarded) in rows {
        let response = scene.get_from(HOST, sent).await;
        assert_eq!(response.status(), Some(200), "{sent}");
        let text = response.text();
        assert!(text.contains(forwarded), "{sent} became {text}");
        assert!(text.contains(&format!("CF-Connecting-IP: {client}\r\n")), "{sent} became {text}");
        assert_eq!(scene.record_of(&response).await["ClientIP"], client);
    }
}

#[tokio::test]
async fn a_stranger_is_not_believed() {
    let scene = setup().server("trusted_proxies", "[\"192.0.2.0/24\"]").start();
    let sent =
        "X-Forwarded-For: 192.0.2.1\r\nX-Forwarded-Proto: https\r\nTrue-Client-IP: 192.0.2.1\r\nCF-Ray: forged\r\n";
    let response = scene.get_from(HOST, sent).await;
    let text = response.text();
    assert!(text.contains("X-Forwarded-For: 192.0.2.1, 127.0.0.1\r\n"), "{text}");
    assert!(text.contains("CF-Connecting-IP: 127.0.0.1\r\n"), "{text}");
    for forged in ["forged", "X-Forwarded-Proto: https", "True-Client-IP"] {
        assert!(!text.contains(forged), "{forged} in {text}");
    }
    assert_eq!(scene.record_of(&response).await["ClientIP"], "127.0.0.1");
    let blame = Blame::page("visitor.route.forged_header", 403);
    scene.blames_on(blame, |accept| request_for(HOST, &format!("{accept}CF-Connecting-IP: 192.0.2.1\r\n"))).await;
}
