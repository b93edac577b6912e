//! The TLS handshake with the visitor.

use std::sync::Arc;

use rayline_testkit::{Authority, End, Script, TlsVisitor, Versions, Visitor};
use rustls::pki_types::ServerName;
use rustls::{ClientConfig, ClientConnection, RootCertStore};
use serde_json::json;

use crate::scene::{Blame, HOST, Scene, Setup};

const TLS12: u16 = 0x0303;
const TLS11: u16 = 0x0302;

fn setup() -> Setup {
    Scene::with(Script::ok()).https()
}

impl Scene {
    async fn tcp_to_https(&self) -> Visitor {
        Visitor::connect(self.https.expect("a scene with https()")).await.expect("the edge accepts")
    }
}

/// The ClientHello that a current client sends for this name.
fn current_hello(name: &str) -> Vec<u8> {
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(RootCertStore::empty())
        .with_no_client_auth();
    let name = ServerName::try_from(name.to_owned()).unwrap();
    let mut hello = Vec::new();
    ClientConnection::new(Arc::new(config), name).unwrap().write_tls(&mut hello).unwrap();
    hello
}

/// A ClientHello by hand, for the scene's host.
struct Hello {
    version: u16,
    ciphers: &'static [u16],
    groups: &'static [u16],
    signatures: &'static [u16],
}

/// ECDHE with AES-GCM, P-256, ECDSA: what the edge has too.
const SOUND: Hello = Hello { version: TLS12, ciphers: &[0xc02b], groups: &[0x0017], signatures: &[0x0403] };

impl Hello {
    fn bytes(&self) -> Vec<u8> {
        let list = |values: &[u16]| values.iter().flat_map(|value| value.to_be_bytes()).collect::<Vec<u8>>();
        let prefixed = |bytes: Vec<u8>| [&u16::try_from(bytes.len()).unwrap().to_be_bytes()[..], &bytes].concat();
        let extension = |kind: u16, bytes: Vec<u8>| [&kind.to_be_bytes()[..], &prefixed(bytes)].concat();
        let name = prefixed([&[0][..], &prefixed(HOST.into())].concat());
        let mut extensions = extension(0, name);
        extensions.extend(extension(10, prefixed(list(self.groups))));
        extensions.extend(extension(11, vec![1, 0]));
        extensions.extend(extension(23, Vec::new()));
        if !self.signatures.is_empty() {
            extensions.extend(extension(13, prefixed(list(self.signatures))));
        }
        let mut hello = self.version.to_be_bytes().to_vec();
        hello.extend([7; 32]);
        hello.push(0);
        hello.extend(prefixed(list(self.ciphers)));
        hello.extend([1, 0]);
        hello.extend(prefixed(extensions));
        let length = u32::try_from(hello.len()).unwrap().to_be_bytes();
        let handshake = [&[1][..], &length[1..], &hello].concat();
        [&[0x16, 0x03, 0x01][..], &prefixed(handshake)].concat()
    }

    /// Sends it alone, and returns the number of the alert that comes back.
    async fn alert(&self, scene: &Scene) -> u8 {
        let mut visitor = scene.tcp_to_https().await;
        visitor.send(self.bytes()).await.unwrap();
        let received = visitor.read_to_end().await;
        assert_eq!(received.end, End::Closed, "an alert, then an orderly end");
        let [0x15, 3, 3, 0, 2, 2, number] = received.bytes[..] else { panic!("no alert: {received:?}") };
        number
    }
}

#[tokio::test]
async fn plain_http_gets_an_answer_in_plain_http() {
    let scene = setup().start();
    let blame = Blame::page("visitor.client_tls.plain_http", 400).evidence(&["first_bytes"]);
    let long = format!("GET /{} HTTP/1.1\r\n\r\n", "x".repeat(8000));
    for request in ["GET / HTTP/1.1\r\nHost: shop.test\r\n\r\n", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", long.as_str()] {
        let (response, record) = scene.refuses_on(scene.tcp_to_https().await, &blame, request).await;
        assert!(response.text().contains("https://"), "the page says what to do");
        assert_eq!(record["VerdictReached"], "no");
    }
    assert_eq!(scene.origin.as_ref().unwrap().connections(), 0);
}

#[tokio::test]
async fn malformed() {
    let rows: [(&[u8], &str); 6] = [
        (b"SSH-2.0-OpenSSH_9.9\r\n", "first_bytes"),
        (b"PROXY TCP4 192.0.2.1 192.0.2.2 40000 443\r\n", "first_bytes"),
        (b"\r\n\r\n\0\r\nQUIT\n", "first_bytes"),
        (b"\x03\x00\x00\x13\x0e\xe0\0\0", "first_bytes"),
        (b"\x16\x03\x01\x00\x05hello", "tls_error"),
        (b"\x16\xff\xff\xff\xffhello", "tls_error"),
    ];
    for (bytes, key) in rows {
        let scene = setup().start();
        let mut visitor = scene.tcp_to_https().await;
        visitor.send(bytes).await.unwrap();
        let received = visitor.read_to_end().await;
        assert!(!received.bytes.starts_with(b"HTTP"), "{received:?}");
        let blame = Blame::no_page("visitor.client_tls.malformed", 0).evidence(&["first_bytes", key]);
        scene.recorded(blame).await;
    }
}

#[tokio::test]
async fn no_common_version() {
    const CODE: &str = "visitor.client_tls.no_common_version";
    // Before TLS 1.2 there were no signature algorithms to offer; some clients name some all the same.
    for signatures in [&[][..], &[0x0403]] {
        let scene = setup().start();
        let hello = Hello { version: TLS11, signatures, ..SOUND };
        assert_eq!(hello.alert(&scene).await, 70, "protocol_version");
        let blame = Blame::no_page(CODE, 0).evidence(&["tls_offered", "first_bytes"]);
        let record = scene.recorded(blame).await;
        assert_eq!(record["VerdictEvidence"]["tls_offered"]["versions"], json!(["TLSv1.1"]));
        assert_eq!(record["VerdictEvidence"]["host"]["server_name"], HOST);
    }
}

#[tokio::test]
async fn no_common_version_with_a_zone_that_asks_for_more() {
    let scene = setup().setting("min_tls_version", "1.3").start();
    let address = scene.https.unwrap();
    let visitor = TlsVisitor::new(HOST);
    assert!(Visitor::connect_tls(address, &visitor.clone().versions(Versions::Tls12)).await.is_err());
    let blame = Blame::no_page("visitor.client_tls.no_common_version", 0).evidence(&["tls_offered", "tls_error"]);
    let record = scene.recorded(blame).await;
    assert_eq!(record["VerdictEvidence"]["tls_offered"]["versions"], json!(["TLSv1.2"]));
    assert!(Visitor::connect_tls(address, &visitor.versions(Versions::Tls13)).await.is_ok());
}

#[tokio::test]
async fn no_common_cipher() {
    let rows = [
        (Hello { ciphers: &[0x0005, 0x000a], ..SOUND }, "NoCipherSuitesInCommon"),
        (Hello { groups: &[0x0001], ..SOUND }, "NoKxGroupsInCommon"),
        (Hello { signatures: &[0x0203], ..SOUND }, "NoSignatureSchemesInCommon"),
    ];
    for (hello, error) in rows {
        let scene = setup().start();
        assert_eq!(hello.alert(&scene).await, 40, "handshake_failure for {error}");
        let blame = Blame::no_page("visitor.client_tls.no_common_cipher", 0).evidence(&[
            "tls_error",
            "tls_offered",
            "first_bytes",
        ]);
        let record = scene.recorded(blame).await;
        let said = record["VerdictEvidence"]["tls_error"].as_str().unwrap();
        assert!(said.contains(error), "{said}");
        assert_eq!(record["VerdictEvidence"]["tls_offered"]["versions"], json!(["TLSv1.2"]));
        assert_eq!(record["VerdictEvidence"]["host"]["server_name"], HOST);
    }
}

#[tokio::test]
async fn no_certificate_for_the_name() {
    let scene = setup().start();
    let refused = Visitor::connect_tls(scene.https.unwrap(), &TlsVisitor::new("elsewhere.test")).await;
    let error = refused.expect_err("no certificate");
    assert!(error.to_string().contains("UnrecognisedName"), "{error}");
    let blame = Blame::no_page("owner.client_tls.no_certificate", 0).evidence(&["host", "first_bytes"]);
    let record = scene.recorded(blame).await;
    assert_eq!(record["VerdictEvidence"]["host"]["server_name"], "elsewhere.test");
    assert_eq!(record["VerdictRivals"], json!(["visitor.route.direct_ip"]));
}

#[tokio::test]
async fn a_hello_in_pieces_is_read_to_its_end() {
    let scene = setup().start();
    let hello = current_hello("elsewhere.test");
    let mut visitor = scene.tcp_to_https().await;
    for piece in hello.chunks(hello.len().div_ceil(8)) {
        visitor.send(piece).await.unwrap();
        tokio::task::yield_now().await;
    }
    let received = visitor.read_to_end().await;
    assert_eq!((&received.bytes[..], received.end), (&[0x15, 3, 3, 0, 2, 2, 112][..], End::Closed));
    let blame = Blame::no_page("owner.client_tls.no_certificate", 0).evidence(&["host", "tls_offered"]);
    let record = scene.recorded(blame).await;
    assert_eq!(record["VerdictEvidence"]["host"]["server_name"], "elsewhere.test");
}

#[tokio::test]
async fn alert() {
    for versions in [Versions::Tls12, Versions::Tls13] {
        let scene = setup().start();
        let stranger = Authority::new("Somebody Else's CA").unwrap();
        let visitor = TlsVisitor::new(HOST).trusting(&stranger).versions(versions);
        assert!(Visitor::connect_tls(scene.https.unwrap(), &visitor).await.is_err());
        let blame = Blame::no_page("visitor.client_tls.alert", 0).evidence(&["tls_alert", "tls_offered", "host"]);
        let record = scene.recorded(blame).await;
        let alert = json!({ "name": "unknown_ca", "number": 48, "sent_by": "peer" });
        assert_eq!(record["VerdictEvidence"]["tls_alert"], alert);
        assert_eq!(record["VerdictRivals"], json!(["owner.client_tls.no_certificate"]));
    }
}

#[tokio::test]
async fn closed() {
    let hello = current_hello(HOST);
    for (sent, whole) in [(&hello[..], true), (&hello[..40], false)] {
        let scene = setup().start();
        let mut visitor = scene.tcp_to_https().await;
        visitor.send(sent).await.unwrap();
        visitor.finish().await.unwrap();
        let blame = Blame::no_page("visitor.client_tls.closed", 0).evidence(&["first_bytes"]);
        let record = scene.recorded(blame).await;
        assert_eq!(record["VerdictEvidence"]["tls_offered"].is_null(), !whole);
        if whole {
            assert_eq!(record["VerdictEvidence"]["tls_offered"]["versions"], json!(["TLSv1.3", "TLSv1.2"]));
        }
    }
}

#[tokio::test]
async fn reset() {
    let scene = setup().start();
    let mut visitor = scene.tcp_to_https().await.patience(std::time::Duration::from_millis(200));
    visitor.send(current_hello(HOST)).await.unwrap();
    let answer = visitor.read_to_end().await;
    assert_eq!(answer.bytes.first(), Some(&0x16), "the edge has answered with its part of the handshake");
    visitor.reset().unwrap();
    scene.recorded(Blame::no_page("visitor.client_tls.reset", 0).evidence(&["first_bytes", "host"])).await;
}

#[tokio::test]
async fn timed_out() {
    let scene = setup().server("client_head_timeout", "\"300ms\"").start();
    let mut visitor = scene.tcp_to_https().await;
    visitor.send(current_hello(HOST)).await.unwrap();
    let received = visitor.read_to_end().await;
    assert_eq!(received.end, End::Closed);
    let blame = Blame::no_page("visitor.client_tls.timed_out", 0).evidence(&["timer", "first_bytes", "tls_offered"]);
    let record = scene.recorded(blame).await;
    assert_eq!(record["VerdictEvidence"]["timer"], json!({ "setting": "client_head_timeout", "limit_ms": 300 }));
}

#[tokio::test]
async fn a_visitor_that_never_says_a_word_is_no_request() {
    let scene = setup().server("client_head_timeout", "\"200ms\"").start();
    let mut spare = scene.tcp_to_https().await;
    spare.finish().await.unwrap();
    assert_eq!(spare.read_to_end().await.bytes, b"");
    let mut silent = scene.tcp_to_https().await;
    assert_eq!(silent.read_to_end().await.end, End::Closed);
    let response = scene.get("/", "").await;
    scene.record_of(&response).await;
    assert_eq!(scene.records().len(), 1, "{:#?}", scene.records());
}

#[tokio::test]
async fn a_visitor_without_a_server_name_gets_the_first_certificate() {
    let scene = setup().start();
    let mut visitor = scene.tls_visitor_as(HOST).await;
    visitor.send(Scene::request("GET", "/", "")).await.unwrap();
    assert_eq!(visitor.read_response("GET").await.status(), Some(200));
    // An address is no server name: none is sent.
    let mut visitor = Visitor::connect_tls(scene.https.unwrap(), &TlsVisitor::new("127.0.0.1")).await.unwrap();
    visitor.send(Scene::request("GET", "/", "")).await.unwrap();
    let response = visitor.read_response("GET").await;
    assert_eq!(response.status(), Some(200));
    assert_eq!(scene.record_of(&response).await["ClientSSLProtocol"], "TLSv1.3");
}
