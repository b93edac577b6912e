//! Visitors over TLS.

use rayline_testkit::{End, Script, TlsVisitor, Versions, Visitor};

use crate::scene::{HOST, Scene};

async fn over(scene: &Scene, versions: Versions) -> Visitor {
    let root = std::fs::read_to_string(scene.folder.path().join("data/development-ca.pem")).expect("the CA's root");
    let tls = TlsVisitor::new(HOST).trusting_pem(&root).expect("a root").versions(versions);
    Visitor::connect_tls(scene.https.expect("a scene with https()"), &tls).await.expect("a handshake")
}

#[tokio::test]
async fn both_versions_are_served_and_recorded() {
    let scene = Scene::with(Script::ok()).https().start();
    for (versions, name) in [(Versions::Tls12, "TLSv1.2"), (Versions::Tls13, "TLSv1.3")] {
        let mut visitor = over(&scene, versions).await;
        for _ in 0..3 {
            visitor.send(format!("GET / HTTP/1.1\r\nHost: {HOST}\r\n\r\n")).await.expect("the edge reads");
            let response = visitor.read_response("GET").await;
            assert_eq!(response.status(), Some(200), "{response:?}");
            let text = response.text();
            assert!(text.contains("X-Forwarded-Proto: https\r\n"), "{text}");
            assert!(text.contains("CF-Visitor: {\"scheme\":\"https\"}\r\n"), "{text}");
            let record = scene.record_of(&response).await;
            assert_eq!((&record["ClientSSLProtocol"], &record["ClientRequestScheme"]), (&name.into(), &"https".into()));
        }
        visitor.send(format!("GET /cdn-cgi/trace HTTP/1.1\r\nHost: {HOST}\r\n\r\n")).await.expect("the edge reads");
        let trace = visitor.read_response("GET").await.text();
        assert!(trace.contains(&format!("tls={name}\nsni=plaintext\n")), "{trace}");
    }
    let response = scene.get("/", "").await;
    assert_eq!(scene.record_of(&response).await["ClientSSLProtocol"], "none");
    assert_eq!(scene.origin.as_ref().expect("an origin").connections(), 1);
}

#[tokio::test]
async fn large_bodies_pass_both_ways() {
    let scene = Scene::with(Script::ok_chunked(20 << 20)).https().start();
    let mut visitor = scene.tls_visitor().await;
    visitor.send(Scene::request("GET", "/", "")).await.expect("the edge reads");
    let response = visitor.read_response("GET").await;
    assert!(response.whole, "{:?}", response.end);
    assert_eq!(response.body.len(), 20 << 20);
    assert!(response.body.iter().zip(0_usize..).all(|(byte, at)| usize::from(byte - b'a') == at % 26));
    assert_eq!(visitor.read_to_end().await.end, End::Closed, "with a word of goodbye");
    let scene = Scene::with(Script::ok()).https().start();
    let mut visitor = scene.tls_visitor().await;
    let length = 20 << 20;
    visitor
        .send(format!("POST / HTTP/1.1\r\nHost: {HOST}\r\nContent-Length: {length}\r\n\r\n"))
        .await
        .expect("the edge reads");
    visitor.send(vec![b'x'; length]).await.expect("the edge reads");
    let response = visitor.read_response("POST").await;
    assert!(response.text().ends_with(&format!("({length} bytes of body)\n")), "{}", response.text());
}

#[tokio::test]
async fn an_upload_ends_at_an_origin_over_tls() {
    // What TLS holds back of the end of the request is written too while the answer is under way.
    let authority = rayline_testkit::Authority::new("Origin CA").expect("an authority");
    let issued = authority.issue(rayline_testkit::Flaw::None, &[HOST]).expect("a certificate");
    let script = Script::echo_body().over_tls(rayline_testkit::Tls::new(&issued));
    let scene = Scene::with(script).trusting(&authority).start();
    for length in [100_000, 3 << 20] {
        let mut visitor = scene.visitor().await;
        let head = format!("POST / HTTP/1.1\r\nHost: {HOST}\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n");
        visitor.send(head).await.expect("the edge reads");
        visitor.send(vec![b'x'; length]).await.expect("the edge reads");
        let response = visitor.read_response("POST").await;
        assert_eq!((response.status(), response.body.len(), response.whole), (Some(200), length, true));
    }
}
