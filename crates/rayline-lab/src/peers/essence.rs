//! What is said, without what differs from one request to the next: two failures that are then the same to the letter
//! were not told apart.

use std::net::{Ipv4Addr, SocketAddrV4};

/// The text without numbers and identifiers.
///
/// A number stays only if it is one of three digits, as statuses and most of what systems call their errors are. With a
/// dot in it, it is a time, an address or a version, and is replaced by `#`; so is every other number, and whatever is
/// made of eight or more hexadecimal digits, at least one of them no letter. Space is one blank.
pub(crate) fn essence(text: &str) -> String {
    let mut out = String::new();
    let mut rest = text.trim();
    while let Some(first) = rest.chars().next() {
        let part = |wanted: fn(char) -> bool| rest.find(|letter| !wanted(letter)).unwrap_or(rest.len());
        let end = if is_word(first) {
            part(is_word)
        } else if first.is_whitespace() {
            part(char::is_whitespace)
        } else {
            first.len_utf8()
        };
        let (piece, behind) = rest.split_at(end);
        if first.is_whitespace() {
            out.push(' ');
        } else if is_word(first) {
            // A full stop behind a number is the sentence's.
            let number = piece.trim_end_matches('.');
            out += &masked(number);
            out += piece.get(number.len()..).unwrap_or_default();
        } else {
            out += piece;
        }
        rest = behind;
    }
    out
}

/// Every IPv4 address in `text` replaced by `ADDRESS`, with its port if it has one.
pub(crate) fn without_addresses(text: &str) -> String {
    let mut out = String::new();
    for piece in text.split_inclusive(|letter: char| !is_word(letter) && letter != ':') {
        let word = piece.trim_end_matches(|letter: char| !letter.is_ascii_digit());
        let rest = piece.get(word.len()..).unwrap_or_default();
        let is_address = word.parse::<Ipv4Addr>().is_ok() || word.parse::<SocketAddrV4>().is_ok();
        out += if is_address { "ADDRESS" } else { word };
        out += rest;
    }
    out
}

/// Every number in `text` replaced by `#`.
pub(crate) fn without_numbers(text: &str) -> String {
    let mut out = String::new();
    for letter in text.chars() {
        match letter {
            '0'..='9' if out.ends_with('#') => {}
            '0'..='9' => out.push('#'),
            other => out.push(other),
        }
    }
    out
}

fn is_word(letter: char) -> bool {
    letter.is_ascii_alphanumeric() || letter == '.'
}

fn masked(word: &str) -> String {
    let digits = word.bytes().filter(u8::is_ascii_digit).count();
    let is_hexadecimal = word.bytes().all(|byte| byte.is_ascii_hexdigit());
    if digits == 0 || (digits == 3 && word.len() == 3) {
        word.to_owned()
    } else if is_hexadecimal && word.len() >= 8 {
        "#".to_owned()
    } else if word.bytes().any(|byte| byte.is_ascii_alphabetic()) {
        without_numbers(word)
    } else {
        "#".to_owned()
    }
}

/// The text of an HTML page: no tags, no styles, no scripts. Anything else comes back as it is.
pub(crate) fn text_of(page: &str) -> String {
    if !page.trim_start().starts_with('<') {
        return page.to_owned();
    }
    let mut out = String::new();
    let mut rest = page;
    while let Some((text, tag)) = rest.split_once('<') {
        out += text;
        out.push(' ');
        let hidden = ["style", "script", "svg", "title"].into_iter().find(|name| tag.starts_with(name));
        let end = hidden.map_or_else(|| ">".to_owned(), |name| format!("</{name}>"));
        rest = tag.split_once(end.as_str()).map_or("", |(_, behind)| behind);
    }
    out += rest;
    let plain = out.replace("&#39;", "'").replace("&quot;", "\"").replace("&amp;", "&");
    plain.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_differs_between_requests_is_gone_and_causes_stay() {
        for (text, wanted) in [
            ("connect() failed (111: Connection refused)", "connect() failed (111: Connection refused)"),
            ("502 - connect=0.003  header=-", "502 - connect=# header=-"),
            ("dial tcp 127.0.0.1:38551: i/o timeout.", "dial tcp #:#: i/o timeout."),
            ("Ray ID 8f2e0c11aa77bb90, 2026-11-21 08:00:09", "Ray ID #, #-#-# #:#:#"),
            ("TLS_error:|268435581:SSL", "TLS_error:|#:SSL"),
            ("HTC eof (-1)", "HTC eof (-#)"),
            ("feedface", "feedface"),
            ("http2 and x509", "http# and x#"),
        ] {
            assert_eq!(essence(text), wanted);
        }
    }

    #[test]
    fn addresses_are_gone() {
        assert_eq!(
            without_addresses("lookup on 192.0.2.53:53: 1.2.3 from 10.0.0.1."),
            "lookup on ADDRESS: 1.2.3 from ADDRESS."
        );
    }

    #[test]
    fn pages_are_read_as_people_read_them() {
        let page = "<!doctype html><style>p { color: red }</style>\n<h1>502</h1><p>Bad <b>gateway</b>.";
        assert_eq!(text_of(page), "502 Bad gateway .");
        assert_eq!(text_of("upstream < 3"), "upstream < 3");
    }
}
