//! Against origins on loopback, where large packets get through, or none do.

use rayline_dial::TrustSettings;
use rayline_testkit::{Origin, Script, can_vanish};
use tls_parser::parse_tls_plaintext;

use super::*;
use crate::probe::Unwatched;

fn case(url: &str) -> Case {
    Case { timeout: Duration::from_millis(1500), ..Case::new(url.parse().unwrap()) }
}

async fn found(script: Script) -> Found {
    let (origin, dialer) = (Origin::start(script).unwrap(), Dialer::new(TrustSettings::default()).unwrap());
    look(&case("http://shop.test/"), origin.addr(), &dialer, &Unwatched).await
}

#[tokio::test]
async fn large_packets_get_through_on_loopback() {
    let found = found(Script::ok()).await;
    assert_eq!((found.black_hole, found.probe.ok), (false, Some(true)), "{}", found.probe.said);
    assert!(found.probe.facts["path_mtu_bytes"].as_i64().unwrap() >= 1280);
    assert!(found.probe.facts["mss_bytes"].as_i64().unwrap() > 500);
}

#[tokio::test]
async fn where_nothing_gets_through_size_is_not_to_blame() {
    if can_vanish().is_err() {
        return;
    }
    let found = found(Script::vanish_after_accept()).await;
    assert_eq!((found.black_hole, found.probe.ok), (false, None), "{}", found.probe.said);
}

#[test]
fn the_messages_are_what_a_server_understands() {
    let plain = message(&case("http://shop.test/"), 8080, PADDING).unwrap();
    assert!(plain.starts_with(b"HEAD / HTTP/1.1\r\nHost: shop.test\r\n") && plain.len() > PADDING);
    let hello = message(&case("https://shop.test/"), 8443, PADDING).unwrap();
    let (_, record) = parse_tls_plaintext(&hello).unwrap();
    assert!(usize::from(record.hdr.len) > PADDING);
    assert!(message(&case("http://shop.test/"), 443, 0).unwrap().starts_with(&[22, 3, 1]));
}
