//! Requests that are written so as not to look like what they are: rules see through it, as Cloudflare's do.

use rayline_testkit::{Script, http2};

use super::ask;
use crate::scene::{HOST, Scene, ruleset};

const CUSTOM: &str = "http_request_firewall_custom";

async fn status(scene: &Scene, request: &str) -> Option<u16> {
    let mut visitor = scene.visitor().await;
    visitor.send(request).await.unwrap();
    visitor.read_response("GET").await.status()
}

#[tokio::test]
async fn a_path_is_the_same_whatever_way_it_is_written() {
    let rule = "expression = 'http.request.uri.path eq \"/admin\" or starts_with(http.request.uri.path, \"/admin/\")'\naction = \"block\"";
    let scene = Scene::with(Script::ok()).also(&ruleset(CUSTOM, &[rule])).start();
    for target in [
        "/admin",
        "//admin",
        "/./admin",
        "/x/../admin",
        "/../admin",
        "/%61dmin",
        "/%61%64%6d%69%6e",
        "/%2e/admin",
        "/x/%2E%2e/admin",
        "/admin/",
        "/admin//x",
        "/x/..//admin/.",
        "/admin?x=1",
        "/admin/?/../y",
    ] {
        for (version, got, _) in ask(&scene, target, &[]).await {
            assert_eq!(got.status, Some(403), "{version} {target}");
        }
    }
    // a backslash is a slash, where it is let in at all
    let backslash = scene.get("/x\\..\\admin", "").await.status();
    assert!(matches!(backslash, Some(400 | 403)), "{backslash:?}");
    // these are other paths: an escaped slash is none, and no server decodes twice
    for target in ["/%2Fadmin", "/x%2f..%2fadmin", "/%2561dmin", "/Admin", "/administration"] {
        for (version, got, _) in ask(&scene, target, &[]).await {
            assert_eq!(got.status, Some(200), "{version} {target}");
        }
    }
    let absolute = format!("GET http://{HOST}/x/../%61dmin HTTP/1.1\r\nHost: {HOST}\r\n\r\n");
    assert_eq!(status(&scene, &absolute).await, Some(403), "absolute form");
}

#[tokio::test]
async fn the_raw_path_is_as_it_came() {
    let rule = "expression = 'raw.http.request.uri.path eq \"//x/../%61\" and http.request.uri.path eq \"/a\"'\naction = \"block\"";
    let scene = Scene::with(Script::ok()).also(&ruleset(CUSTOM, &[rule])).start();
    for (version, got, _) in ask(&scene, "//x/../%61", &[]).await {
        assert_eq!(got.status, Some(403), "{version}");
    }
}

#[tokio::test]
async fn a_media_type_is_the_same_in_any_case() {
    let rule = "expression = 'http.request.body.mime eq \"text/xml\"'\naction = \"block\"";
    let scene = Scene::with(Script::ok()).also(&ruleset(CUSTOM, &[rule])).start();
    for (kind, expected) in [("text/xml", 403), ("Text/XML; charset=UTF-8", 403), ("text/xml2", 200)] {
        assert_eq!(scene.get("/", &format!("Content-Type: {kind}\r\n")).await.status(), Some(expected), "{kind}");
    }
}

#[tokio::test]
async fn a_host_is_the_same_in_any_case_with_a_dot_and_a_port() {
    let rule = format!("expression = 'http.host eq \"{HOST}\"'\naction = \"block\"");
    let scene = Scene::with(Script::ok()).also(&ruleset(CUSTOM, &[&rule])).start();
    for host in [HOST.to_owned(), HOST.to_uppercase(), format!("{HOST}."), format!("{HOST}:80"), format!("{HOST}.:80")]
    {
        let request = format!("GET / HTTP/1.1\r\nHost: {host}\r\n\r\n");
        assert_eq!(status(&scene, &request).await, Some(403), "{host}");
        let absolute = format!("GET http://{host}/ HTTP/1.1\r\nHost: {host}\r\n\r\n");
        assert_eq!(status(&scene, &absolute).await, Some(403), "{host}, absolute form");
        let mut visitor = http2::Visitor::connect(scene.http).await.unwrap();
        assert_eq!(visitor.request("GET", "/", &host).await.unwrap().status(), Some(403), "{host}, HTTP/2");
    }
}

/// Which of several lines an application reads is its own affair, so rules look at all.
#[tokio::test]
async fn a_field_that_comes_twice_hides_nothing() {
    let custom = "expression = 'http.user_agent contains \"BadBot\" or http.cookie contains \"role=admin\" or http.referer contains \"thief\" or http.x_forwarded_for contains \"192.0.2.66\" or any(http.request.uri.args[\"q\"][*] eq \"bad\")'\naction = \"block\"";
    let named =
        "[[zone.user_agent_rules]]\nmode = \"block\"\nconfiguration = { target = \"ua\", value = \"Worse/1\" }\n";
    let scene = Scene::with(Script::ok()).also(&ruleset(CUSTOM, &[custom])).also(named).start();
    for (fields, expected) in [
        ("User-Agent: Mozilla/5.0\r\nUser-Agent: BadBot/1\r\n", 403),
        ("User-Agent: Mozilla/5.0\r\nUser-Agent: Worse/1\r\n", 403),
        ("User-Agent: Mozilla/5.0\r\nUser-Agent: Good/1\r\n", 200),
        ("Cookie: a=b\r\nCookie: role=admin\r\n", 403),
        ("Referer: https://shop.test/\r\nReferer: https://thief.test/\r\n", 403),
        ("X-Forwarded-For: 192.0.2.1\r\nX-Forwarded-For: 192.0.2.66\r\n", 403),
    ] {
        assert_eq!(scene.get("/", fields).await.status(), Some(expected), "{fields}");
    }
    for (target, expected) in [("/?q=good&q=bad", 403), ("/?q=good;q=bad", 200), ("/?q=good", 200)] {
        assert_eq!(scene.get(target, "").await.status(), Some(expected), "{target}");
    }
}
