//! What rules make of requests.

use rayline_testkit::{Answer, Flaw, Script};

use super::{answering, ask};
use crate::scene::{HOST, Scene, ruleset};

const TRANSFORM: &str = "http_request_transform";
const LATE: &str = "http_request_late_transform";

#[tokio::test]
async fn a_redirect() {
    let rule = "id = \"to-www\"\nexpression = 'http.request.uri.path eq \"/old\"'\naction = \"redirect\"\n\
        action_parameters = { from_value = { target_url = { expression = 'concat(\"https://www.\", http.host, http.request.uri.path)' }, status_code = 301, preserve_query_string = true } }";
    let scene = Scene::with(Script::ok()).also(&ruleset("http_request_dynamic_redirect", &[rule])).start();
    for (version, got, record) in ask(&scene, "/old?a=1&b", &[]).await {
        assert_eq!(
            (got.status, got.field("location")),
            (Some(301), Some("https://www.shop.test/old?a=1&b")),
            "{version}"
        );
        assert_eq!(record["Rules"][0]["id"], "to-www", "{version}");
        assert_eq!(record["Rules"][0]["changes"][0]["after"], "https://www.shop.test/old?a=1&b");
        assert_eq!(record["VerdictCode"], serde_json::Value::Null);
    }
    assert_eq!(scene.origin.as_ref().unwrap().requests(), 0);
    assert_eq!(scene.get("/new", "").await.status(), Some(200));
}

#[tokio::test]
async fn a_bulk_redirect() {
    let list = "[[redirect_list]]\nname = \"moved\"\nitems = [\n\
        { source_url = \"shop.test/a\", target_url = \"https://b.test/\", status_code = 302 },\n\
        { source_url = \"shop.test/docs\", target_url = \"https://docs.test/v2\", subpath_matching = true, preserve_query_string = true, preserve_path_suffix = true },\n]\n";
    let rule = "id = \"bulk\"\nexpression = 'true'\naction = \"redirect\"\naction_parameters = { from_list = { name = \"moved\", key = \"http.request.full_uri\" } }";
    let scene = Scene::with(Script::ok()).also(&ruleset("http_request_redirect", &[rule])).also(list).start();
    for (target, location) in [
        ("/a", Some("https://b.test/")),
        ("/a/b", None),
        ("/docs/intro?x=1", Some("https://docs.test/v2/intro?x=1")),
        ("/docs", Some("https://docs.test/v2")),
        ("/docsother", None),
    ] {
        let response = scene.get(target, "").await;
        assert_eq!(response.field("location"), location, "{target}");
        assert_eq!(response.status().is_some_and(|status| status >= 300), location.is_some(), "{target}");
    }
}

#[tokio::test]
async fn a_rewrite() {
    let rule = "id = \"to-b\"\nexpression = 'starts_with(http.request.uri.path, \"/a/\")'\naction = \"rewrite\"\n\
        action_parameters = { uri = { path = { expression = 'regex_replace(http.request.uri.path, \"^/a/\", \"/b/\")' }, query = { value = \"x=1\" } } }";
    let scene = Scene::with(Script::ok()).also(&ruleset(TRANSFORM, &[rule])).start();
    for (version, got, record) in ask(&scene, "/a/page?old=2", &[]).await {
        assert_eq!(got.status, Some(200), "{version}");
        let seen = scene.origin.as_ref().unwrap().last().unwrap();
        assert_eq!(seen.head.word(1), Some("/b/page?x=1"), "{version}");
        assert_eq!(record["ClientRequestURI"], "/a/page?old=2", "as it was sent");
        let changes = &record["Rules"][0]["changes"];
        assert_eq!(
            (&changes[0]["what"], &changes[0]["before"], &changes[0]["after"]),
            (&"path".into(), &"/a/page".into(), &"/b/page".into())
        );
        assert_eq!((&changes[1]["before"], &changes[1]["after"]), (&"?old=2".into(), &"?x=1".into()));
    }
    // What no rule rewrites goes as it came, however it is normalised for rules.
    scene.get("/x/../a%2e//?q", "").await;
    assert_eq!(scene.origin.as_ref().unwrap().last().unwrap().head.word(1), Some("/x/../a%2e//?q"));
    scene.get("/x/..//%61/page", "").await;
    assert_eq!(scene.origin.as_ref().unwrap().last().unwrap().head.word(1), Some("/b/page?x=1"));
}

#[tokio::test]
async fn fields_of_requests() {
    let rule = "id = \"fields\"\nexpression = 'true'\naction = \"rewrite\"\naction_parameters = { headers = { \
        X-Country = { operation = \"set\", expression = 'ip.src.country' }, X-A = { operation = \"set\", value = \"new\" }, \
        Referer = { operation = \"remove\" }, X-Forwarded-For = { operation = \"remove\" }, Cookie = { operation = \"remove\" } } }";
    let scene = Scene::with(Script::ok()).also(&ruleset(LATE, &[rule])).start();
    let fields = [("X-A", "old"), ("Referer", "https://a.test/"), ("Cookie", "session=hush"), ("X-Stays", "1")];
    for (version, got, record) in ask(&scene, "/", &fields).await {
        assert_eq!(got.status, Some(200), "{version}");
        let seen = scene.origin.as_ref().unwrap().last().unwrap().head;
        assert_eq!(seen.values("x-a").collect::<Vec<_>>(), ["new"], "{version}");
        assert_eq!((seen.field("x-country"), seen.field("x-stays")), (Some("XX"), Some("1")), "{version}");
        for gone in ["referer", "cookie", "x-forwarded-for"] {
            assert_eq!(seen.field(gone), None, "{version}");
        }
        assert!(seen.field("cf-connecting-ip").is_some());
        let text = record["Rules"].to_string();
        assert!(text.contains("(masked)") && !text.contains("hush"), "{text}");
    }
}

#[tokio::test]
async fn settings() {
    let pass = "id = \"own-pages\"\nexpression = 'http.request.uri.path eq \"/pass\"'\naction = \"set_config\"\naction_parameters = { origin_error_page_pass_thru = true, server_timing = true }";
    let scene = Scene::with(answering(Answer::status(502).text("mine")))
        .also(&ruleset("http_config_settings", &[pass]))
        .start();
    for (version, got, record) in ask(&scene, "/pass", &[]).await {
        assert_eq!((got.status, got.text().as_str()), (Some(502), "mine"), "{version}");
        assert!(got.field("server-timing").is_some(), "{version}");
        assert_eq!(record["VerdictCode"], "origin.wait.error_status");
    }
    let page = scene.get("/other", "").await;
    assert!(page.text().contains("origin.wait.error_status") && page.field("server-timing").is_none());
}

#[tokio::test]
async fn https_for_some() {
    let plain = "expression = 'starts_with(http.request.uri.path, \"/.well-known/\")'\naction = \"set_config\"\naction_parameters = { always_use_https = false }";
    let setup = Scene::with(Script::ok()).https().setting("always_use_https", "on");
    let scene = setup.also(&ruleset("http_config_settings", &[plain])).start();
    assert_eq!(scene.get("/", "").await.status(), Some(301));
    assert_eq!(scene.get("/.well-known/acme-challenge/a", "").await.status(), Some(200));
}

#[tokio::test]
async fn uploads() {
    let rule = "expression = 'http.request.uri.path eq \"/upload\"'\naction = \"set_config\"\naction_parameters = { max_upload = 2 }";
    let setup = Scene::with(Script::ok()).setting("max_upload", "1");
    let scene = setup.also(&ruleset("http_config_settings", &[rule])).start();
    let body = vec![b'a'; 1_500_000];
    for (target, status) in [("/upload", 200), ("/", 413)] {
        let mut visitor = scene.visitor().await;
        let length = body.len();
        let head =
            format!("POST {target} HTTP/1.1\r\nHost: {HOST}\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n");
        visitor.send(&head).await.unwrap();
        // Whoever is refused may find that nobody reads.
        let sent = visitor.send(&body).await;
        assert!(sent.is_ok() || status == 413);
        assert_eq!(visitor.read_response("POST").await.status(), Some(status), "{target}");
    }
}

#[tokio::test]
async fn another_origin() {
    let other = rayline_testkit::Origin::start(answering(Answer::ok().text("the other"))).unwrap();
    let rule = format!(
        "id = \"other\"\nexpression = 'http.request.uri.path eq \"/other\"'\naction = \"route\"\n\
         action_parameters = {{ host_header = \"inner.test\", origin = {{ host = \"127.0.0.1\", port = {} }} }}",
        other.addr().port()
    );
    let scene = Scene::with(Script::ok()).also(&ruleset("http_request_origin", &[&rule])).start();
    for (version, got, record) in ask(&scene, "/other", &[]).await {
        assert_eq!((got.status, got.text().as_str()), (Some(200), "the other"), "{version}");
        assert_eq!(other.last().unwrap().head.field("host"), Some("inner.test"), "{version}");
        assert_eq!(record["OriginPort"], other.addr().port());
        assert_eq!(record["Rules"][0]["changes"][0]["after"], "inner.test");
    }
    scene.get("/", "").await;
    assert_eq!(scene.origin.as_ref().unwrap().last().unwrap().head.field("host"), Some(HOST));
}

#[tokio::test]
async fn another_name_in_the_handshake() {
    let authority = rayline_testkit::Authority::new("A CA").unwrap();
    let tls = rayline_testkit::Tls::new(&authority.issue(Flaw::None, &["inner.test"]).unwrap());
    let rule = "expression = 'true'\naction = \"route\"\naction_parameters = { host_header = \"inner.test\" }";
    let setup = Scene::with(Script::ok().over_tls(tls)).also(&ruleset("http_request_origin", &[rule]));
    let scene = setup.trusting(&authority).start();
    assert_eq!(scene.get("/", "").await.status(), Some(200), "the certificate is for the host header's name");
    let seen = scene.origin.as_ref().unwrap().last().unwrap();
    assert_eq!(seen.tls.unwrap().server_name.as_deref(), Some("inner.test"));
}
