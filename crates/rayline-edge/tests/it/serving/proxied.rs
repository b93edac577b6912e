//! Visitors behind a load balancer that says whose connection it passes on, and where on earth they are.

use rayline_testkit::{Head, Script};
use tokio::io::AsyncReadExt;

use crate::by_hand::ByHand;
use crate::curl::curl;
use crate::scene::{Blame, Scene, Setup};

const MISSING: &str = "owner.accept.proxy_header_missing";
const MALFORMED: &str = "owner.accept.proxy_header_malformed";
const TIMED_OUT: &str = "owner.accept.proxy_header_timed_out";

/// Documentation addresses are nobody's; this one has been Google's for long.
const VISITOR: &str = "8.8.8.8";
const V1: &str = "PROXY TCP4 8.8.8.8 203.0.113.9 51234 80\r\n";

fn setup(versions: &str) -> Setup {
    Scene::with(Script::ok()).server("proxy_protocol", &format!("\"{versions}\""))
}

/// Version 2 by hand (§2.2 of the specification): command, family, the addresses and what may follow them.
fn v2(command: u8, family: u8, payload: &[u8]) -> Vec<u8> {
    let length = u16::try_from(payload.len()).unwrap().to_be_bytes();
    [b"\r\n\r\n\0\r\nQUIT\n".as_slice(), &[0x20 | command, family], &length, payload].concat()
}

fn v2_tcp4() -> Vec<u8> {
    let addresses = [8, 8, 8, 8, 203, 0, 113, 9, 0xc8, 0x22, 0, 80];
    // An addition that nobody needs: PP2_TYPE_NOOP.
    v2(1, 0x11, &[&addresses[..], &[4, 0, 3, 0, 0, 0]].concat())
}

fn v2_tcp6() -> Vec<u8> {
    let source: std::net::Ipv6Addr = "2001:4860:4860::8888".parse().unwrap();
    let destination: std::net::Ipv6Addr = "2001:db8::9".parse().unwrap();
    v2(1, 0x21, &[&source.octets()[..], &destination.octets(), &[0xc8, 0x22, 0, 80]].concat())
}

/// The request as the origin got it.
fn seen(scene: &Scene) -> Head {
    scene.origin.as_ref().unwrap().last().expect("a request").head
}

/// Sends these pieces one after the other, then a request, and returns the answer's head.
async fn answered(scene: &Scene, pieces: &[&[u8]]) -> String {
    let mut visitor = ByHand::connect(scene.http).await;
    for piece in pieces {
        visitor.send(piece).await;
        tokio::task::yield_now().await;
    }
    visitor.send(Scene::request("GET", "/", "")).await;
    visitor.head().await
}

#[tokio::test]
async fn both_versions_name_the_visitor() {
    let named = "2001:4860:4860::8888";
    let rows = [
        ("v1", V1.as_bytes().to_vec(), VISITOR),
        ("v1", format!("PROXY TCP6 {named} 2001:db8::9 51234 80\r\n").into_bytes(), named),
        ("v2", v2_tcp4(), VISITOR),
        ("any", v2_tcp6(), named),
        ("any", V1.as_bytes().to_vec(), VISITOR),
    ];
    for (versions, header, client) in rows {
        let scene = setup(versions).start();
        assert!(answered(&scene, &[&header]).await.starts_with("HTTP/1.1 200 "), "{versions}");
        let record = scene.record_where(|record| record["EdgeResponseStatus"] == 200).await;
        assert_eq!((record["ClientIP"].as_str(), record["ClientCountry"].as_str()), (Some(client), Some("us")));
        let request = seen(&scene);
        let field = |name: &str| request.field(name).map(str::to_owned);
        assert_eq!(field("cf-connecting-ip").as_deref(), Some(client));
        assert_eq!(field("x-forwarded-for").as_deref(), Some(client));
        assert_eq!(field("cf-ipcountry").as_deref(), Some("US"));
    }
}

#[tokio::test]
async fn a_header_may_come_in_pieces() {
    let scene = setup("any").start();
    let (begin, rest) = V1.as_bytes().split_at(3);
    let (middle, end) = rest.split_at(rest.len() - 1);
    assert!(answered(&scene, &[begin, middle, end]).await.starts_with("HTTP/1.1 200 "));
    let header = v2_tcp4();
    assert!(answered(&scene, &[&header[..5], &header[5..14], &header[14..]]).await.starts_with("HTTP/1.1 200 "));
}

#[tokio::test]
async fn a_proxy_that_speaks_for_itself_is_the_visitor() {
    let scene = setup("any").start();
    for header in [b"PROXY UNKNOWN\r\n".to_vec(), v2(0, 0, &[]), v2(1, 0, &[])] {
        assert!(answered(&scene, &[&header]).await.starts_with("HTTP/1.1 200 "), "{header:?}");
    }
    let records = scene.records();
    assert!(records.iter().all(|record| record["ClientIP"] == "127.0.0.1"), "{records:#?}");
    let request = seen(&scene);
    assert_eq!(request.field("cf-ipcountry"), Some("XX"), "loopback is in no country");
}

#[tokio::test]
async fn tls_follows_the_header() {
    let scene = setup("v1").https().start();
    let arguments = ["/", "--insecure", "--http1.1", "--haproxy-protocol"];
    let Some(output) = curl(&scene, "https", &arguments).await else { return };
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    scene.record_where(|record| record["EdgeResponseStatus"] == 200).await;
}

#[tokio::test]
async fn what_is_no_header_is_not_served() {
    let rows: [(&str, Vec<u8>, &str); 8] = [
        ("any", Scene::request("GET", "/", "").into_bytes(), MISSING),
        ("v1", b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\x00\x00\x00\x00".to_vec(), MISSING),
        ("v1", v2_tcp4(), MALFORMED),
        ("v2", V1.as_bytes().to_vec(), MALFORMED),
        ("v1", b"PROXY TCP4 8.8.8.8.8 203.0.113.9 51234 80\r\n".to_vec(), MALFORMED),
        ("v1", [b"PROXY TCP4 ".as_slice(), &[b'1'; 120]].concat(), MALFORMED),
        ("v2", v2(1, 0x11, &[8, 8, 8]), MALFORMED),
        ("v2", [&v2(1, 0x11, &[])[..14], &[0xff, 0xff]].concat(), MALFORMED),
    ];
    for (versions, bytes, code) in rows {
        let scene = setup(versions).start();
        let mut visitor = ByHand::connect(scene.http).await;
        visitor.send(&bytes).await;
        // Reset where some of it was not read, but closed in any case, and without a word.
        assert!(matches!(visitor.stream.read(&mut [0]).await, Ok(0) | Err(_)));
        scene.recorded(Blame::no_page(code, 0).evidence(&["first_bytes"])).await;
        assert_eq!(scene.origin.as_ref().unwrap().requests(), 0);
    }
}

#[tokio::test]
async fn a_header_that_does_not_end() {
    let scene = setup("any").server("client_head_timeout", "\"300ms\"").start();
    let mut visitor = ByHand::connect(scene.http).await;
    visitor.send("PROXY TCP4 8.8.8.8 ").await;
    assert_eq!(visitor.rest().await, b"");
    let record = scene.recorded(Blame::no_page(TIMED_OUT, 0).evidence(&["first_bytes", "timer"])).await;
    assert_eq!(record["VerdictEvidence"]["timer"]["setting"], "client_head_timeout");
    // A health check that connects and leaves has said nothing, and is no request.
    drop(ByHand::connect(scene.http).await);
    assert!(answered(&scene, &[V1.as_bytes()]).await.starts_with("HTTP/1.1 200 "));
    assert_eq!(scene.records().iter().filter(|record| record["EdgeResponseStatus"] != 200).count(), 1);
}

#[tokio::test]
async fn only_named_proxies_pass_connections_on() {
    let near = setup("any").server("trusted_proxies", "[\"127.0.0.0/8\"]").start();
    assert!(answered(&near, &[V1.as_bytes()]).await.starts_with("HTTP/1.1 200 "));
    let far = setup("any").server("trusted_proxies", "[\"192.0.2.0/24\"]").start();
    assert!(answered(&far, &[]).await.starts_with("HTTP/1.1 200 "), "a visitor that comes directly");
    let head = answered(&far, &[V1.as_bytes()]).await;
    assert!(head.starts_with("HTTP/1.1 400 "), "it is no proxy, and this is no request: {head}");
}

#[tokio::test]
async fn countries_can_be_switched_off() {
    let scene = setup("v1").setting("ip_geolocation", "off").start();
    assert!(answered(&scene, &[V1.as_bytes()]).await.starts_with("HTTP/1.1 200 "));
    let record = scene.record_where(|record| record["EdgeResponseStatus"] == 200).await;
    assert_eq!(record.get("ClientCountry"), None);
    let request = seen(&scene);
    assert_eq!(request.field("cf-ipcountry"), None);
}

#[tokio::test]
async fn a_trusted_proxy_names_whose_country_it_is() {
    let scene = Scene::with(Script::ok()).server("trusted_proxies", "[\"127.0.0.0/8\"]").start();
    let response = scene.get("/", &format!("CF-Connecting-IP: {VISITOR}\r\nCF-IPCountry: ZZ\r\n")).await;
    assert_eq!(scene.record_of(&response).await["ClientCountry"], "us");
    let request = seen(&scene);
    assert_eq!(request.field("cf-ipcountry"), Some("US"), "what arrives under this name is not believed");
    let trace = scene.get("/cdn-cgi/trace", &format!("CF-Connecting-IP: {VISITOR}\r\n")).await;
    assert!(String::from_utf8_lossy(&trace.body).contains("\nloc=US\n"));
}
