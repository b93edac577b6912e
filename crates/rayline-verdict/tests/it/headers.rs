//! The header fields beside a page, and beside an answer that is passed through.

use expect_test::expect;
use rayline_verdict::record::{CacheStatus, OriginFacts};
use rayline_verdict::surface::headers::{cache_status, proxy_status, retry_after, server_timing};
use rayline_verdict::surface::{Format, Notice};
use rayline_verdict::{Code, TABLE, Verdict};
use sfv::{BareItem, List, ListEntry, Parser};

use crate::log_line;
use crate::sample::{header_list, notice, verdict};

fn shown(code: Code, format: Format) -> String {
    let verdict = verdict(code.entry());
    let list = header_list(&notice(&verdict), format);
    list.iter().map(|(name, value)| format!("{name}: {value}\n")).collect()
}

#[test]
fn fields_of_a_refused_connection() {
    expect![[r#"
        content-type: text/html; charset=UTF-8
        cache-control: private, max-age=0, no-store, no-cache, must-revalidate, post-check=0, pre-check=0
        expires: Thu, 01 Jan 1970 00:00:01 GMT
        vary: accept
        referrer-policy: same-origin
        x-frame-options: SAMEORIGIN
        x-content-type-options: nosniff
        cf-error-type: 521
        proxy-status: rayline; error=connection_refused; details="origin.connect.refused"
        retry-after: 120
    "#]]
    .assert_eq(&shown(Code::OriginConnectRefused, Format::Html));
}

#[test]
fn fields_of_an_origins_own_error() {
    expect![[r#"
        content-type: application/json; charset=utf-8
        cache-control: private, max-age=0, no-store, no-cache, must-revalidate, post-check=0, pre-check=0
        expires: Thu, 01 Jan 1970 00:00:01 GMT
        vary: accept
        referrer-policy: same-origin
        x-frame-options: SAMEORIGIN
        x-content-type-options: nosniff
        cf-error-type: 502
        proxy-status: rayline; received-status=502; details="origin.wait.error_status"
        retry-after: 60
    "#]]
    .assert_eq(&shown(Code::OriginWaitErrorStatus, Format::Json));
}

#[test]
fn fields_of_a_method_that_is_not_served() {
    expect![[r#"
        content-type: text/plain; charset=utf-8
        cache-control: private, max-age=0, no-store, no-cache, must-revalidate, post-check=0, pre-check=0
        expires: Thu, 01 Jan 1970 00:00:01 GMT
        vary: accept
        referrer-policy: same-origin
        x-frame-options: SAMEORIGIN
        x-content-type-options: nosniff
        cf-error-type: 405
        proxy-status: rayline; error=http_request_denied; details="visitor.request.method_not_allowed"
        allow: GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS
    "#]]
    .assert_eq(&shown(Code::VisitorRequestMethodNotAllowed, Format::Text));
}

#[test]
fn a_preview_says_nothing_of_a_failure() {
    for entry in &TABLE {
        let verdict = verdict(entry);
        let list = header_list(&Notice { preview: true, ..notice(&verdict) }, Format::Html);
        assert!(list.iter().all(|(name, _)| !matches!(*name, "cf-error-type" | "proxy-status" | "retry-after")));
    }
}

#[test]
fn every_field_is_fit_to_be_sent() {
    for entry in &TABLE {
        let verdict = verdict(entry);
        for format in Format::ALL {
            let list = header_list(&notice(&verdict), format);
            for (place, (name, value)) in list.iter().enumerate() {
                assert!(name.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'-'), "{name}");
                assert!(value.bytes().all(|byte| matches!(byte, b' '..=b'~')), "{name}: {value}");
                assert!(list.iter().skip(place + 1).all(|(other, _)| other != name), "{name} stands twice");
            }
            let value = |wanted| list.iter().find(|(name, _)| *name == wanted).map(|(_, value)| value.as_str());
            assert_eq!(value("content-type"), Some(format.content_type()));
            assert_eq!(value("cf-error-type").is_some(), verdict.page_status().is_some(), "{}", entry.name);
            assert_eq!(
                value("retry-after").map(str::to_owned),
                retry_after(&verdict).map(|seconds| seconds.to_string())
            );
        }
    }
}

/// What `Proxy-Status` says: the name, the error, the received status and the details.
fn read(value: &str) -> (String, Option<String>, Option<i64>, Option<String>) {
    let list = Parser::new(value).parse::<List>().unwrap();
    let [ListEntry::Item(item)] = list.as_slice() else { panic!("one member: {value}") };
    let parameter = |name: &str| item.params.iter().find(|(key, _)| key.as_str() == name).map(|(_, value)| value);
    let token = |value: &BareItem| value.as_token().unwrap().as_str().to_owned();
    (
        token(&item.bare_item),
        parameter("error").map(token),
        parameter("received-status").map(|value| i64::from(value.as_integer().unwrap())),
        parameter("details").map(|value| value.as_string().unwrap().as_str().to_owned()),
    )
}

#[test]
fn proxy_status_is_a_structured_field() {
    for entry in &TABLE {
        let verdict = verdict(entry);
        for received in [0, 200, 502] {
            let mut out = Vec::new();
            proxy_status(&verdict, received, &mut out);
            let (name, error, status, details) = read(std::str::from_utf8(&out).unwrap());
            assert_eq!(name, "rayline");
            assert_eq!(error.as_deref(), entry.proxy_error);
            assert_eq!(status, (received != 0).then_some(i64::from(received)));
            assert_eq!(details.as_deref(), Some(entry.name));
        }
    }
}

#[test]
fn cache_status_is_a_structured_field() {
    let value = cache_status(CacheStatus::Dynamic).unwrap();
    assert_eq!(value, "rayline; fwd=bypass");
    Parser::new(value).parse::<List>().unwrap();
    assert_eq!(cache_status(CacheStatus::None), None);
}

#[test]
fn retry_after_is_the_codes_word_before_the_numbers() {
    let seconds = |code: Code| retry_after(&verdict(code.entry()));
    assert_eq!(seconds(Code::OriginConnectRefused), Some(120));
    assert_eq!(seconds(Code::OriginWaitErrorStatus), Some(60));
    // 520 has a time, this cause of it does not go away; 1016 has none, this cause of it may.
    assert_eq!(seconds(Code::OriginWaitNotHttp), None);
    assert_eq!(seconds(Code::NetworkResolveTimedOut), Some(120));
    assert_eq!(seconds(Code::VisitorRequestHeadTimedOut), None);
}

#[test]
fn an_origins_5xx_other_than_502_and_504_is_not_ours() {
    for number in [500, 501, 503, 505, 520, 522, 530, 599] {
        let verdict = Verdict { number, ..verdict(Code::OriginWaitErrorStatus.entry()) };
        assert_eq!(rayline_verdict::surface::headers::cf_error_type(&verdict), None, "{number}");
    }
}

#[test]
fn server_timing_names_the_phases_that_took_time() {
    let timing = |origin: Option<OriginFacts>| {
        let mut out = Vec::new();
        server_timing(&rayline_verdict::Record { origin, ..log_line::record() }, &mut out);
        String::from_utf8(out).unwrap()
    };
    assert_eq!(timing(None), "");
    assert_eq!(timing(Some(OriginFacts::default())), "");
    let fresh = OriginFacts {
        dns_us: 1,
        tcp_us: 1_234,
        tls_us: 20_000,
        send_us: 15,
        header_us: 1_500_000,
        ..Default::default()
    };
    assert_eq!(
        timing(Some(fresh)),
        "resolve;dur=0.001, connect;dur=1.234, origin_tls;dur=20.000, send;dur=0.015, wait;dur=1500.000"
    );
    Parser::new(&timing(Some(OriginFacts { header_us: 2_500, ..Default::default() }))).parse::<List>().unwrap();
}
