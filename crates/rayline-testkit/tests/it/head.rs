//! Origins with a broken response head.

use rayline_testkit::{End, Head, Origin, Received, Script, Visitor};

use crate::ask::{GET, received, text};

type Check = fn(&str, &Head) -> bool;

#[tokio::test]
async fn each_head_is_broken_in_its_way_and_the_close_is_orderly() {
    let rows: [(Script, Check); 15] = [
        (Script::half_header(), |all, _| all.ends_with("Content-Le") && !all.contains("\r\n\r\n")),
        (Script::garbage(), |all, _| all.starts_with("\0\u{1}") && !all.contains("HTTP")),
        (Script::http09(), |all, _| all.starts_with("<!doctype html>") && !all.contains("HTTP/")),
        (Script::space_in_field_name(), |_, head| head.fields.iter().any(|(name, _)| name.contains(' '))),
        (Script::control_in_field_value(), |_, head| head.fields.iter().any(|(_, value)| value.contains('\u{1}'))),
        (Script::obs_fold(), |all, _| all.contains("\r\n two\r\n")),
        (Script::missing_colon(), |_, head| head.fields.iter().any(|(name, _)| name.is_empty())),
        (Script::status_not_a_number(), |_, head| head.word(1) == Some("abc")),
        (Script::status_too_short(), |_, head| head.word(1) == Some("99")),
        (Script::unsupported_version(), |_, head| head.word(0) == Some("HTTP/3.7")),
        (Script::two_lengths(), |_, head| head.values("content-length").collect::<Vec<_>>() == ["3", "5"]),
        (Script::length_and_chunked(), |_, head| {
            head.has_token("transfer-encoding", "chunked") && head.field("content-length").is_some()
        }),
        (Script::negative_length(), |_, head| head.field("content-length") == Some("-3")),
        (Script::unknown_coding(), |_, head| head.has_token("transfer-encoding", "origami")),
        (Script::unasked_upgrade(), |_, head| head.word(1) == Some("101") && head.field("upgrade").is_some()),
    ];
    for (script, is_broken) in rows {
        let name = script.name();
        let Received { bytes, end } = received(script).await;
        assert!(is_broken(&text(&bytes), &Head::split(&bytes)), "{name}: {}", text(&bytes));
        assert_eq!(end, End::Closed, "{name}");
    }
}

#[tokio::test]
async fn a_huge_head_is_whole_and_two_megabytes_long() {
    let received = received(Script::huge_head()).await;
    let head = Head::split(&received.bytes);
    assert!(head.field("x-huge").unwrap().len() >= 2 << 20);
    assert!(received.bytes.ends_with(b"\r\n\r\nok\n"));
}

#[tokio::test]
async fn interim_responses_flood_until_the_client_leaves() {
    let origin = Origin::start(Script::interim_flood()).unwrap();
    let mut visitor = Visitor::connect(origin.addr()).await.unwrap();
    visitor.send(GET).await.unwrap();
    let flood = tokio::time::timeout(std::time::Duration::from_millis(50), visitor.read_response("GET")).await;
    assert!(flood.is_err(), "the flood ended");
    drop(visitor);
    origin.until(|counts| counts.open == 0).await.unwrap();
}
