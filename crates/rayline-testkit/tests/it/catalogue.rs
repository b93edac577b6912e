//! The catalogue as people see it.

use std::collections::BTreeSet;
use std::net::SocketAddr;

use rayline_testkit::{Authority, DnsAnswer, Origin, Script};

#[tokio::test]
async fn every_script_has_a_name_of_its_own_a_sentence_and_a_start() {
    let authority = Authority::new("Rayline Test").unwrap();
    let all = Script::catalogue(&authority, &["origin.test"]).unwrap();
    let names: BTreeSet<_> = all.iter().map(Script::name).collect();
    assert_eq!(names.len(), all.len(), "a name stands twice");
    assert!(all.len() >= 80, "{}", all.len());
    for script in all {
        is_presentable(script.name(), script.what());
        assert!(["http", "https"].contains(&script.scheme()));
        let vanishes = script.vanishes();
        let origin = match Origin::start(script) {
            Err(error) if vanishes && error.kind() == std::io::ErrorKind::PermissionDenied => continue,
            started => started.unwrap(),
        };
        assert!(origin.addr().ip().is_loopback() && origin.addr().port() != 0);
    }
}

#[test]
fn dns_answers_have_names_and_sentences_too() {
    let address: SocketAddr = ([127, 0, 0, 1], 0).into();
    for answer in [
        DnsAnswer::address(address.ip()),
        DnsAnswer::Alias("b.test".to_owned()),
        DnsAnswer::NxDomain,
        DnsAnswer::ServFail,
        DnsAnswer::Refused,
        DnsAnswer::Empty,
        DnsAnswer::Silent,
        DnsAnswer::Truncated(Vec::new()),
    ] {
        is_presentable(answer.name(), answer.what());
    }
}

fn is_presentable(name: &str, what: &str) {
    assert!(name.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-'), "{name}");
    assert!(what.starts_with(|c: char| c.is_ascii_lowercase()) && !what.ends_with('.'), "{name}: {what}");
    assert!((20..=110).contains(&what.len()), "{name}: {what}");
}
