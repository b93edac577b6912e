use super::*;
use proptest::prelude::*;

const BOTH: Masks = Masks { addresses: true, queries: true };

fn apply(masks: Masks, line: &str) -> String {
    let mut out = b"before".to_vec();
    masks.apply(line.as_bytes(), &mut out);
    String::from_utf8(out).unwrap().strip_prefix("before").unwrap().to_owned()
}

fn uri(uri: &str) -> String {
    let masked = apply(BOTH, &serde_json::json!({ "ClientRequestURI": uri, "Next": "a?b=c" }).to_string());
    let masked: serde_json::Value = serde_json::from_str(&masked).unwrap();
    assert_eq!(masked["Next"], "a?b=c");
    masked["ClientRequestURI"].as_str().unwrap().to_owned()
}

#[test]
fn values_of_queries_are_replaced_and_names_stay() {
    for (given, expected) in [
        ("/", "/"),
        ("/a=b&c=d", "/a=b&c=d"),
        ("/?", "/?"),
        ("/?a=", "/?a=*"),
        ("/?a=1&b=2=3&c", "/?a=*&b=*&*"),
        ("/?token", "/?*"),
        ("/?a=\"x\\y\"&b=ü", "/?a=*&b=*"),
        ("/?\"a=1", "/?\"a=*"),
        ("/?a=1&&b=2?c=3#d?e=f", "/?a=*&&b=*"),
    ] {
        assert_eq!(uri(given), expected, "{given}");
    }
}

#[test]
fn addresses_lose_their_end_wherever_they_stand() {
    let line = r#"{"ClientIP":"192.0.2.77","X":"192.0.2.7 192.0.2.77, 1192.0.2.77 192.0.2.778"}"#;
    let expected = r#"{"ClientIP":"192.0.2.0","X":"192.0.2.7 192.0.2.0, 1192.0.2.77 192.0.2.778"}"#;
    assert_eq!(apply(BOTH, line), expected);
    assert_eq!(apply(BOTH, r#"{"ClientIP":"2001:db8:1:2:3::4"}"#), r#"{"ClientIP":"2001:db8:1::"}"#);
    assert_eq!(apply(Masks { addresses: false, queries: true }, line), line);
}

#[test]
fn evidence_is_searched_for_queries() {
    let line = r#"{"A":"?a=b","VerdictEvidence":{"first_bytes":"GET /x?token=secret&b=c HTTP/1.1\\r\\nReferer: /?q=r\\r\\nHost: <?xml version=1>","n":1},"VerdictAttempts":[]}"#;
    let expected = r#"{"A":"?a=b","VerdictEvidence":{"first_bytes":"GET /x?token=*&b=* HTTP/1.1\\r\\nReferer: /?q=* <?xml version=1>","n":1},"VerdictAttempts":[]}"#;
    assert_eq!(apply(BOTH, line), expected);
    assert_eq!(apply(Masks { addresses: true, queries: false }, line), line);
}

proptest! {
    #[test]
    fn any_bytes_are_masked_without_panic(line: Vec<u8>) {
        BOTH.apply(&line, &mut Vec::new());
    }

    #[test]
    fn what_was_json_stays_json(uri: String, evidence: String) {
        let line = serde_json::json!({ "ClientRequestURI": uri, "VerdictEvidence": { "x": evidence }, "Z": 1 });
        let masked = apply(BOTH, &line.to_string());
        let masked: serde_json::Value = serde_json::from_str(&masked).unwrap();
        prop_assert_eq!(&masked["Z"], 1);
    }

    #[test]
    fn no_value_survives(name in "[a-z]{1,5}", value in "[a-zA-Z0-9\"\\\\/?=%ü]{1,20}") {
        let secret = format!("S3CRET{value}S3CRET");
        let line = serde_json::json!({
            "ClientRequestURI": format!("/?a=1&{name}={secret}&c=2"),
            "VerdictEvidence": { "x": format!("GET /?{name}={secret} HTTP/1.1") },
        });
        prop_assert!(!apply(BOTH, &line.to_string()).contains("S3CRET"));
    }
}
