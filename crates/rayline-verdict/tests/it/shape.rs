//! The closed table: what every row must keep to.

use std::collections::HashSet;

use rayline_verdict::number::NUMBERS;
use rayline_verdict::{Code, Number, Party, Phase, Retry, Sent, TABLE};

/// The error types of RFC 9209 §2.3.
const PROXY_ERRORS: [&str; 32] = [
    "dns_timeout",
    "dns_error",
    "destination_not_found",
    "destination_unavailable",
    "destination_ip_prohibited",
    "destination_ip_unroutable",
    "connection_refused",
    "connection_terminated",
    "connection_timeout",
    "connection_read_timeout",
    "connection_write_timeout",
    "connection_limit_reached",
    "tls_protocol_error",
    "tls_certificate_error",
    "tls_alert_received",
    "http_request_error",
    "http_request_denied",
    "http_response_incomplete",
    "http_response_header_section_size",
    "http_response_header_size",
    "http_response_body_size",
    "http_response_trailer_section_size",
    "http_response_trailer_size",
    "http_response_transfer_coding",
    "http_response_content_coding",
    "http_response_timeout",
    "http_upgrade_failed",
    "http_protocol_error",
    "proxy_internal_response",
    "proxy_internal_error",
    "proxy_configuration_error",
    "proxy_loop_detected",
];

fn is_word(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'_'))
}

#[test]
fn a_name_is_party_phase_and_cause() {
    let mut names = HashSet::new();
    for entry in &TABLE {
        let parts: Vec<&str> = entry.name.split('.').collect();
        assert_eq!(parts, [entry.party.name(), entry.phase.name(), entry.cause], "{}", entry.name);
        assert!(parts.iter().all(|part| is_word(part)), "{}", entry.name);
        assert!(Party::ALL.contains(&entry.party) && Phase::ALL.contains(&entry.phase), "{}", entry.name);
        assert!(names.insert(entry.name), "{} stands twice", entry.name);
        assert_eq!(Code::find(entry.name), Some(entry.code));
        assert_eq!(entry.code.entry().name, entry.name);
    }
}

#[test]
fn a_sentence_may_be_read_by_a_visitor() {
    for entry in &TABLE {
        let sentence = entry.sentence;
        assert!(sentence.ends_with('.') && sentence.matches('.').count() <= 2, "{}: one sentence", entry.name);
        assert!(sentence.starts_with(|first: char| first.is_ascii_uppercase()), "{}", entry.name);
        assert!(sentence.is_ascii() && !sentence.contains(['`', '<', '>', '*', '_', '"']), "{}", entry.name);
    }
}

#[test]
fn every_code_has_a_remedy() {
    for entry in &TABLE {
        assert!(!entry.fix.is_empty(), "{}", entry.name);
        for step in entry.fix {
            assert!(!step.is_empty() && !step.ends_with('.') && step.is_ascii(), "{}: {step}", entry.name);
            assert_eq!(step.matches('`').count() % 2, 0, "{}: unpaired backtick in {step}", entry.name);
        }
    }
}

#[test]
fn rivals_are_others() {
    for entry in &TABLE {
        let rivals: HashSet<Code> = entry.rivals.iter().copied().collect();
        assert_eq!(rivals.len(), entry.rivals.len(), "{}: a rival stands twice", entry.name);
        assert!(!rivals.contains(&entry.code), "{}: its own rival", entry.name);
    }
}

#[test]
fn proxy_errors_are_registered() {
    for entry in &TABLE {
        match entry.proxy_error {
            Some(error) => assert!(PROXY_ERRORS.contains(&error), "{}: {error}", entry.name),
            // An origin's own answer, and a rule that did its work, are no error of the proxy's; outside, no proxy speaks.
            None => assert!(
                matches!(entry.sent, Sent::Origin | Sent::Outside) || entry.party == Party::Policy,
                "{}",
                entry.name
            ),
        }
    }
}

#[test]
fn every_number_shown_is_known() {
    for entry in &TABLE {
        match entry.sent {
            Sent::Page(number) | Sent::Cut(number) => {
                assert!(Number::find(number).is_some(), "{}: {number}", entry.name);
            }
            Sent::Nothing(0) => {
                let over = entry.code == Code::PolicyReplyIdle;
                assert!(over || entry.phase == Phase::ClientTls, "{}: there is HTTP to answer with", entry.name);
            }
            Sent::Nothing(number) => assert!(Number::find(number).is_some(), "{}: {number}", entry.name),
            Sent::Origin | Sent::Outside => assert_eq!(entry.number(), 0, "{}", entry.name),
        }
    }
}

#[test]
fn numbers_are_ordered_and_used() {
    assert!(NUMBERS.is_sorted_by(|one, other| one.number < other.number));
    for row in NUMBERS {
        assert!((400..600).contains(&row.status), "{}", row.number);
        assert!((400..600).contains(&row.number) || (1000..2000).contains(&row.number), "{}", row.number);
        assert!(row.number >= 1000 || row.number == row.status, "{}", row.number);
        assert!(is_word(row.name), "{}", row.name);
        assert!(!row.title.contains(['"', '\\', '<', '>', '&']) && row.title.is_ascii(), "{}", row.title);
        let used = TABLE.iter().any(|entry| entry.number() == row.number);
        assert!(used || matches!(row.number, 502 | 504), "{}: no code shows it", row.number);
    }
}

#[test]
fn what_may_have_reached_the_application_is_not_repeated_blindly() {
    for entry in TABLE.iter().filter(|entry| entry.retry == Retry::Now) {
        let ours = matches!(entry.party, Party::Visitor | Party::Policy | Party::Edge);
        let passing = matches!(entry.name, "origin.send.stale_connection" | "origin.wait.http2_refused_stream");
        assert!(ours || passing, "{}: repeating at once meets it again", entry.name);
    }
}
