//! What works: requests and answers that nothing is wrong with.

mod bodies;
mod connections;
mod headers;
mod https;
mod interim;
mod proxied;
mod routing;
pub(crate) mod websocket;

use rayline_testkit::Script;

use crate::scene::{HOST, Scene};

#[tokio::test]
async fn passes_a_request_on_and_its_answer_back() {
    let scene = Scene::with(Script::ok()).start();
    let response = scene.get("/hello?x=1", "User-Agent: tester\r\n").await;
    assert_eq!(response.status(), Some(200), "{response:?}");
    assert!(response.whole);
    let text = response.text();
    for wanted in ["CF-Connecting-IP: 127.0.0.1", "X-Forwarded-Proto: http", "CDN-Loop: rayline; loops=1", HOST] {
        assert!(text.contains(wanted), "no {wanted} in {text}");
    }
    let record = scene.record_of(&response).await;
    assert_eq!(record["EdgeResponseStatus"], 200);
    assert_eq!(record["OriginResponseStatus"], 200);
    assert_eq!(record["ClientRequestURI"], "/hello?x=1");
    assert_eq!(record["ClientRequestUserAgent"], "tester");
    assert_eq!(record["ZoneName"], HOST);
    assert!(record["VerdictCode"].is_null(), "{record:#}");
}
