//! Origins whose response head is broken: each in one way, everything else about it right.

use std::time::Duration;

use super::{Script, Step};

/// The length of the header section of [`Script::huge_head`], in bytes.
const HUGE: usize = 2 << 20;

pub(super) fn all() -> Vec<Script> {
    vec![
        Script::half_header(),
        Script::garbage(),
        Script::http09(),
        Script::space_in_field_name(),
        Script::control_in_field_value(),
        Script::obs_fold(),
        Script::missing_colon(),
        Script::status_not_a_number(),
        Script::status_too_short(),
        Script::unsupported_version(),
        Script::two_lengths(),
        Script::length_and_chunked(),
        Script::negative_length(),
        Script::unknown_coding(),
        Script::huge_head(),
        Script::interim_flood(),
        Script::unasked_upgrade(),
    ]
}

/// Reads the request, sends `response` as it is, and closes in good order.
fn sends(name: &'static str, what: &'static str, response: impl Into<bytes::Bytes>) -> Script {
    Script::new(name, what, [Step::ReadHead, Step::send(response), Step::Fin])
}

impl Script {
    /// Half a header section, then a close.
    pub fn half_header() -> Self {
        sends(
            "half-header",
            "sends half of a response header, then closes the connection",
            "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Le",
        )
    }

    /// Bytes that are no text at all.
    pub fn garbage() -> Self {
        sends(
            "garbage",
            "answers with bytes that are not HTTP",
            b"\x00\x01\x02\xfe\xff\x80rayline\x00\x7f\xc3\x28\r\n\x05\x06\r\n\r\n".as_slice(),
        )
    }

    /// A page without status line and header section.
    pub fn http09() -> Self {
        sends(
            "http09",
            "sends a page without status line and header, as HTTP/0.9 did",
            "<!doctype html>\n<title>hello</title>\n<p>hello from 1991\n",
        )
    }

    /// A space inside a field name.
    pub fn space_in_field_name() -> Self {
        sends(
            "space-in-field-name",
            "sends a header field whose name has a space in it",
            "HTTP/1.1 200 OK\r\nX Powered By: spaces\r\nContent-Length: 3\r\n\r\nok\n",
        )
    }

    /// A control character inside a field value.
    pub fn control_in_field_value() -> Self {
        sends(
            "control-in-field-value",
            "sends a header field whose value has a control character in it",
            "HTTP/1.1 200 OK\r\nX-Note: one\x01two\r\nContent-Length: 3\r\n\r\nok\n",
        )
    }

    /// A field value that goes on in the next line (RFC 9112 section 5.2).
    pub fn obs_fold() -> Self {
        sends(
            "obs-fold",
            "folds a header field over two lines, which HTTP no longer allows",
            "HTTP/1.1 200 OK\r\nX-Long: one\r\n two\r\nContent-Length: 3\r\n\r\nok\n",
        )
    }

    /// A field line without a colon.
    pub fn missing_colon() -> Self {
        sends(
            "missing-colon",
            "sends a header line without a colon",
            "HTTP/1.1 200 OK\r\nthis is no field\r\nContent-Length: 3\r\n\r\nok\n",
        )
    }

    /// Letters in place of the status.
    pub fn status_not_a_number() -> Self {
        sends(
            "status-not-a-number",
            "sends a status line with letters in place of the number",
            "HTTP/1.1 abc Great\r\nContent-Length: 3\r\n\r\nok\n",
        )
    }

    /// A status of two digits.
    pub fn status_too_short() -> Self {
        sends(
            "status-too-short",
            "sends a status line with the number 99, which is no status",
            "HTTP/1.1 99 Low\r\nContent-Length: 3\r\n\r\nok\n",
        )
    }

    /// A version that does not exist.
    pub fn unsupported_version() -> Self {
        sends(
            "unsupported-version",
            "answers in HTTP/3.7, a version that nobody speaks",
            "HTTP/3.7 200 OK\r\nContent-Length: 3\r\n\r\nok\n",
        )
    }

    /// Two different values of `Content-Length`.
    pub fn two_lengths() -> Self {
        sends(
            "two-lengths",
            "announces two different lengths for one body",
            "HTTP/1.1 200 OK\r\nContent-Length: 3\r\nContent-Length: 5\r\n\r\nok\n++",
        )
    }

    /// `Content-Length` beside `Transfer-Encoding`.
    pub fn length_and_chunked() -> Self {
        sends(
            "length-and-chunked",
            "announces a length and chunks at once",
            "HTTP/1.1 200 OK\r\nContent-Length: 13\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nok\n\r\n0\r\n\r\n",
        )
    }

    /// A `Content-Length` below zero.
    pub fn negative_length() -> Self {
        sends(
            "negative-length",
            "announces a body of less than no bytes",
            "HTTP/1.1 200 OK\r\nContent-Length: -3\r\n\r\nok\n",
        )
    }

    /// A transfer coding that does not exist.
    pub fn unknown_coding() -> Self {
        sends(
            "unknown-coding",
            "wraps the body in a transfer coding that nobody knows",
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: origami\r\n\r\nok\n",
        )
    }

    /// A header section of 2 MiB.
    pub fn huge_head() -> Self {
        let value = "x".repeat(HUGE);
        sends(
            "huge-head",
            "sends a response header of two megabytes",
            format!("HTTP/1.1 200 OK\r\nX-Huge: {value}\r\nContent-Length: 3\r\n\r\nok\n"),
        )
    }

    /// Interim responses without an end.
    pub fn interim_flood() -> Self {
        let interim = "HTTP/1.1 103 Early Hints\r\nLink: </style.css>; rel=preload\r\n\r\n";
        Self::new(
            "interim-flood",
            "sends one interim response after another, but never an answer",
            [Step::ReadHead, Step::Repeat(interim.into(), Duration::ZERO)],
        )
    }

    /// 101 to a request that asked for no upgrade.
    pub fn unasked_upgrade() -> Self {
        sends(
            "unasked-upgrade",
            "switches to another protocol that nobody asked for",
            "HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: teapot\r\n\r\n",
        )
    }
}
