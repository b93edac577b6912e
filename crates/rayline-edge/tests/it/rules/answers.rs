//! What rules make of answers.

use std::io::Read;

use rayline_testkit::{Answer, Script};

use super::{Got, answering, ask};
use crate::scene::{HOST, Scene, ruleset};

const RESPONSE: &str = "http_response_headers_transform";
const COMPRESSION: &str = "http_response_compression";
const ERRORS: &str = "http_custom_errors";

#[tokio::test]
async fn fields_of_answers() {
    let rule = "id = \"fields\"\nexpression = 'http.response.code eq 200'\naction = \"rewrite\"\naction_parameters = { headers = { \
        X-A = { operation = \"set\", expression = 'http.response.headers[\"x-powered-by\"][0]' }, \
        X-Powered-By = { operation = \"remove\" }, Set-Cookie = { operation = \"add\", value = \"a=1\" } } }";
    let answer = Answer::ok().field("X-Powered-By", "PHP").text("hello");
    let scene = Scene::with(answering(answer)).also(&ruleset(RESPONSE, &[rule])).start();
    for (version, got, record) in ask(&scene, "/", &[]).await {
        assert_eq!((got.status, got.text().as_str()), (Some(200), "hello"), "{version}");
        assert_eq!((got.field("x-a"), got.field("x-powered-by")), (Some("PHP"), None), "{version}");
        assert_eq!(got.field("set-cookie"), Some("a=1"), "{version}");
        assert_eq!(record["Rules"][0]["changes"].as_array().unwrap().len(), 3);
    }
}

#[tokio::test]
async fn fields_of_the_edges_own_pages() {
    let rule = "expression = 'cf.response.1xxx_code eq 1020 and cf.response.error_type eq \"waf\"'\naction = \"rewrite\"\n\
        action_parameters = { headers = { X-A = { operation = \"set\", expression = 'rayline.verdict.code' } } }";
    let block = "expression = 'true'\naction = \"block\"";
    let setup = Scene::with(Script::ok()).also(&ruleset(RESPONSE, &[rule]));
    let scene = setup.also(&ruleset("http_request_firewall_custom", &[block])).start();
    for (version, got, _) in ask(&scene, "/", &[]).await {
        assert_eq!((got.status, got.field("x-a")), (Some(403), Some("policy.rules.custom_rule")), "{version}");
    }
}

#[tokio::test]
async fn another_page_for_an_error() {
    let rule = "id = \"sorry\"\nexpression = 'http.response.code ge 500'\naction = \"serve_error\"\n\
        action_parameters = { content = \"<p>sorry</p>\", content_type = \"text/html\", status_code = 503 }";
    for (script, code, is_passed) in [
        (
            answering(Answer::status(500).field("X-A", "kept").text("a long page of the application's")),
            "origin.wait.error_status",
            true,
        ),
        (answering(Answer::status(502).text("a gateway's")), "origin.wait.error_status", false),
        (Script::close_empty(), "origin.wait.closed_empty", false),
    ] {
        let scene = Scene::with(script).also(&ruleset(ERRORS, &[rule])).start();
        for (version, got, record) in ask(&scene, "/", &[]).await {
            assert_eq!((got.status, got.text().as_str()), (Some(503), "<p>sorry</p>"), "{version} {code}");
            assert_eq!(got.field("content-type"), Some("text/html"), "{version}");
            assert_eq!(got.field("x-a").is_some(), is_passed, "{version}");
            assert_eq!(record["VerdictCode"], code, "the verdict is the same: {version}");
            assert_eq!(record["Rules"][0]["id"], "sorry");
        }
    }
}

#[tokio::test]
async fn what_a_rule_refuses_keeps_its_page() {
    let rule = "expression = 'true'\naction = \"serve_error\"\naction_parameters = { content = \"sorry\", content_type = \"text/plain\" }";
    let block = "expression = 'true'\naction = \"block\"";
    let setup = Scene::with(Script::ok()).also(&ruleset("http_request_firewall_custom", &[block]));
    let scene = setup.also(&ruleset(ERRORS, &[rule])).start();
    assert!(scene.get("/", "").await.text().contains("1020"));
}

fn decoded(got: &Got) -> String {
    let mut text = String::new();
    match got.field("content-encoding") {
        Some("gzip") => flate2::read::GzDecoder::new(got.body.as_slice()).read_to_string(&mut text).unwrap(),
        Some("br") => brotli::Decompressor::new(got.body.as_slice(), 4096).read_to_string(&mut text).unwrap(),
        Some("zstd") => zstd::Decoder::new(got.body.as_slice()).unwrap().read_to_string(&mut text).unwrap(),
        other => panic!("{other:?}"),
    };
    text
}

#[tokio::test]
async fn compression() {
    let rule = "id = \"small\"\nexpression = 'http.response.content_type.media_type eq \"text/plain\"'\naction = \"compress_response\"\n\
        action_parameters = { algorithms = [{ name = \"zstd\" }, { name = \"brotli\" }, { name = \"gzip\" }] }";
    let page = "<p>over and over again</p>".repeat(2000);
    let answer = Answer::ok().field("ETag", "\"one\"").field("Accept-Ranges", "bytes").text(&page);
    let scene = Scene::with(answering(answer)).also(&ruleset(COMPRESSION, &[rule])).start();
    for (accepted, coding) in [
        ("gzip", Some("gzip")),
        ("gzip, deflate, br", Some("br")),
        ("gzip, br, zstd", Some("zstd")),
        ("zstd;q=0, *", Some("br")),
        ("identity", None),
        ("gzip;q=0", None),
    ] {
        for (version, got, record) in ask(&scene, "/", &[("Accept-Encoding", accepted)]).await {
            assert_eq!(got.field("content-encoding"), coding, "{version} {accepted}");
            assert_eq!(got.field("vary"), Some("accept-encoding"), "{version} {accepted}");
            if coding.is_none() {
                assert_eq!((got.text(), got.field("etag")), (page.clone(), Some("\"one\"")));
                continue;
            }
            assert_eq!(decoded(&got), page, "{version} {accepted}");
            assert!(got.body.len() < page.len() / 10, "{version} {accepted}: {}", got.body.len());
            assert_eq!(got.field("etag"), Some("W/\"one\""), "{version}");
            assert_eq!((got.field("content-length"), got.field("accept-ranges")), (None, None), "{version}");
            assert_eq!(record["Rules"][0]["changes"][0]["after"], "zstd, br, gzip");
        }
    }
    let head = {
        let mut visitor = scene.visitor().await;
        visitor.send(Scene::request("HEAD", "/", "Accept-Encoding: gzip\r\n")).await.unwrap();
        visitor.read_response("HEAD").await
    };
    assert_eq!((head.status(), head.field("content-encoding")), (Some(200), None));
}

#[tokio::test]
async fn what_is_not_to_be_compressed() {
    let rule = "expression = 'true'\naction = \"compress_response\"\naction_parameters = { algorithms = [{ name = \"gzip\" }] }";
    let long = "a".repeat(500);
    for (what, answer) in [
        ("encoded already", Answer::ok().field("Content-Encoding", "br").text(&long)),
        ("forbidden", Answer::ok().field("Cache-Control", "public, no-transform").text(&long)),
        ("a part", Answer::status(206).field("Content-Range", "bytes 0-499/900").text(&long)),
        ("small", Answer::ok().text("a")),
    ] {
        let scene = Scene::with(answering(answer)).also(&ruleset(COMPRESSION, &[rule])).start();
        let response = scene.get("/", "Accept-Encoding: gzip\r\n").await;
        assert_ne!(response.field("content-encoding"), Some("gzip"), "{what}");
        assert!(response.text().starts_with('a'), "{what}");
    }
}

#[tokio::test]
async fn fields_for_the_log() {
    let rule = "expression = 'true'\naction = \"log_custom_field\"\naction_parameters = { request_fields = [{ name = \"x-a\" }, { name = \"authorization\" }], \
        response_fields = [{ name = \"x-b\" }], cookie_fields = [{ name = \"lang\" }] }";
    let answer = Answer::ok().field("X-B", "two").text("hello");
    let scene = Scene::with(answering(answer)).also(&ruleset("http_log_custom_fields", &[rule])).start();
    let fields = [("X-A", "one"), ("Authorization", "Bearer hush"), ("Cookie", "session=hush; lang=de")];
    for (version, _, record) in ask(&scene, "/", &fields).await {
        assert_eq!(record["RequestHeaders"]["x-a"], "one", "{version}");
        assert_eq!(record["RequestHeaders"]["authorization"], "(masked)", "{version}");
        assert_eq!(record["ResponseHeaders"]["x-b"], "two", "{version}");
        assert_eq!(record["Cookies"], serde_json::json!({ "lang": "de" }), "{version}");
        assert!(!record.to_string().contains("hush"), "{version}");
    }
    assert_eq!(HOST, "shop.test");
}
