//! Rows from the documentation of each function ("Functions").

use std::net::IpAddr;

use super::*;
use crate::matcher::{self, Replacement, Wildcard};

/// What a function writes.
fn written(write: impl FnOnce(&mut Vec<u8>)) -> String {
    let mut out = Vec::new();
    write(&mut out);
    String::from_utf8(out).unwrap()
}

fn decoded(text: &str, options: &str) -> String {
    written(|out| UrlDecode::new(options.as_bytes()).write(text.as_bytes(), out))
}

fn wildcard(text: &str, pattern: &str, replacement: &str, strict: bool) -> String {
    let wildcard = Wildcard::new(pattern.as_bytes(), strict).unwrap();
    let replacement = Replacement::new(replacement.as_bytes()).unwrap();
    written(|out| wildcard_replace(text.as_bytes(), &wildcard, &replacement, &mut Vec::new(), out))
}

fn regex(text: &str, pattern: &str, replacement: &str) -> String {
    let regex = matcher::regex(pattern.as_bytes()).unwrap();
    let replacement = Replacement::new(replacement.as_bytes()).unwrap();
    written(|out| regex_replace(text.as_bytes(), &regex, &replacement, out))
}

#[test]
fn lower_and_upper_change_ascii_only() {
    assert_eq!(written(|out| lower("WWW.cloudflare.com Ä".as_bytes(), out)), "www.cloudflare.com Ä");
    assert_eq!(written(|out| upper("www.cloudflare.com ä".as_bytes(), out)), "WWW.CLOUDFLARE.COM ä");
}

#[test]
fn url_decode_decodes_once_or_until_nothing_is_left() {
    let rows = [
        ("John%20Doe", "", "John Doe"),
        ("John+Doe", "", "John Doe"),
        ("%2520", "", "%20"),
        ("%2520", "r", " "),
        ("%252520", "r", " "),
        ("%2B", "", "+"),
        ("%2B", "r", " "),
        ("%%2541", "r", "%A"),
        ("%2%35", "r", "%"),
        ("%2%3541", "r", "A"),
        ("%u2601", "u", "☁"),
        ("%u2601", "", "%u2601"),
        ("%25u2601", "ur", "☁"),
        ("%u00e4", "u", "ä"),
        ("%ud800", "u", "%ud800"),
        ("%C3%A4", "", "ä"),
        ("100%", "", "100%"),
        ("%4", "r", "%4"),
        ("%zz%", "ru", "%zz%"),
    ];
    for (text, options, expected) in rows {
        assert_eq!(decoded(text, options), expected, "url_decode({text:?}, {options:?})");
    }
}

#[test]
fn base64_goes_both_ways() {
    let rows = [
        ("hello world", "", "aGVsbG8gd29ybGQ"),
        ("hello world", "p", "aGVsbG8gd29ybGQ="),
        ("hello world", "u", "aGVsbG8gd29ybGQ"),
        ("??>", "", "Pz8+"),
        ("??>", "u", "Pz8-"),
        ("a", "up", "YQ=="),
    ];
    for (text, flags, expected) in rows {
        assert_eq!(written(|out| encode_base64(text.as_bytes(), flags.as_bytes(), out)), expected);
    }
    let mut out = Vec::new();
    assert!(decode_base64(b"MTIzYWJj", &mut out));
    assert_eq!(out, b"123abc");
    assert!(!decode_base64(b"no base64!", &mut Vec::new()));
}

#[test]
fn sha256_is_32_bytes() {
    let mut out = Vec::new();
    sha256(b"abc", &mut out);
    assert_eq!(out.len(), 32);
    // FIPS 180-2, appendix B.1
    assert!(out.starts_with(&[0xba, 0x78, 0x16, 0xbf]));
}

#[test]
fn remove_bytes_takes_each_of_them_out() {
    assert_eq!(written(|out| remove_bytes(b"www.cloudflare.com", b"\x2e\x77", out)), "cloudflarecom");
}

#[test]
fn remove_query_args_keeps_the_order_of_the_others() {
    let rows = [
        ("order=asc&country=GB", "country", "order=asc"),
        ("order=asc&country=GB", "order", "country=GB"),
        ("order=asc&country=GB", "search", "order=asc&country=GB"),
        ("category=Foo&order=desc&category=Bar", "order", "category=Foo&category=Bar"),
        ("category=Foo&order=desc&category=Bar", "category", "order=desc"),
        ("a", "a", ""),
    ];
    for (query, name, expected) in rows {
        let removed = written(|out| remove_query_args(query.as_bytes(), |it| it == name.as_bytes(), out));
        assert_eq!(removed, expected, "remove_query_args({query:?}, {name:?})");
    }
}

#[test]
fn split_leaves_the_remainder_to_the_last() {
    let rows: [(&str, usize, &[&str]); 4] = [
        ("groceries,electronics,diy,auto", 64, &["groceries", "electronics", "diy", "auto"]),
        ("groceries,electronics,diy,auto", 3, &["groceries", "electronics", "diy,auto"]),
        ("groceries,,electronics", 64, &["groceries", "", "electronics"]),
        ("", 64, &[""]),
    ];
    for (text, limit, expected) in rows {
        let mut pieces = Vec::new();
        split(text.as_bytes(), b",", limit, |piece| pieces.push(String::from_utf8(piece.to_vec()).unwrap()));
        assert_eq!(pieces, expected);
    }
}

#[test]
fn substring_counts_from_either_end() {
    let rows = [
        (2, Some(5), "dfg"),
        (2, None, "dfghjk"),
        (-2, None, "jk"),
        (0, Some(-2), "asdfgh"),
        (100, None, ""),
        (-100, Some(3), "asd"),
        (5, Some(2), ""),
        (i64::MIN, Some(i64::MAX), "asdfghjk"),
    ];
    for (start, end, expected) in rows {
        assert_eq!(substring(b"asdfghjk", start, end), expected.as_bytes(), "substring(…, {start}, {end:?})");
    }
}

#[test]
fn uuids_are_of_version_4() {
    let uuid = |seed: &[u8]| {
        let mut out = Vec::new();
        uuidv4(seed, &mut out).then(|| String::from_utf8(out).unwrap())
    };
    assert_eq!(uuid(&[0xff; 32]).unwrap(), "ffffffff-ffff-4fff-bfff-ffffffffffff");
    assert_eq!(uuid(&[0; 16]).unwrap(), "00000000-0000-4000-8000-000000000000");
    assert_eq!(uuid(&[0; 15]), None);
}

#[test]
fn regex_replace_changes_the_first_match() {
    let rows = [
        ("/foo/bar", "/bar$", "/baz", "/foo/baz"),
        ("/x", "^/y$", "/mumble", "/x"),
        ("/foo", "^/FOO$", "/x", "/foo"),
        ("/a/a", "/a", "/b", "/b/a"),
        ("/b", "^/b$", "/b$$", "/b$"),
        ("/foo/a/path", "^/foo/([^/]*)/(.*)$", "/bar/${2}/${1}", "/bar/path/a"),
    ];
    for (text, pattern, replacement, expected) in rows {
        assert_eq!(regex(text, pattern, replacement), expected, "{pattern} in {text}");
    }
}

#[test]
fn wildcard_replace_changes_the_whole_text() {
    let rows = [
        (
            "https://apps.example.com/calendar/admin?expand=true",
            "https://*.example.com/*/*",
            "https://example.com/${1}/${2}/${3}",
            false,
            "https://example.com/apps/calendar/admin?expand=true",
        ),
        (
            "https://example.com/applications/app1",
            "/applications/*",
            "/apps/${1}",
            false,
            "https://example.com/applications/app1",
        ),
        ("/calendar", "/*", "/apps/${1}", false, "/apps/calendar"),
        ("/Apps/calendar", "/apps/*", "/${1}", false, "/calendar"),
        ("/Apps/calendar", "/apps/*", "/${1}", true, "/Apps/calendar"),
        ("/apps/calendar/login", "/apps/*/login", "/${1}/login", false, "/calendar/login"),
        ("a*b", r"a\*b", "x", false, "x"),
        ("a-b-c", "*-*", "${2}|${1}", false, "b-c|a"),
    ];
    for (text, pattern, replacement, strict, expected) in rows {
        assert_eq!(wildcard(text, pattern, replacement, strict), expected, "{pattern} in {text}");
    }
}

#[test]
fn wildcards_match_the_whole_text() {
    let rows = [
        ("https://example.com/a/*", "https://example.com/a/", true),
        ("https://example.com/a/*", "https://example.com/a/page.html", true),
        ("https://example.com/a/*", "https://EXAMPLE.com/a/sub/folder/?name=value", true),
        ("https://example.com/a/*", "https://example.com/ab/", false),
        ("*.example.com/*/page.html", "http://sub.example.com/folder/page.html", true),
        ("*.example.com/*/page.html", "https://admin.example.com/team/subteam/page.html", true),
        ("*.example.com/*/page.html", "https://example.com/ab/page.html", false),
        ("*.example.com/*/page.html", "https://sub.example.com/folder2/page.html?s=value", false),
        ("a*a", "a", false),
        ("a*a", "aa", true),
        ("", "", true),
        ("*", "", true),
    ];
    for (pattern, text, expected) in rows {
        let wildcard = Wildcard::new(pattern.as_bytes(), false).unwrap();
        assert_eq!(wildcard.is_match(text.as_bytes(), &mut Vec::new()), expected, "{pattern} for {text}");
    }
    for pattern in ["a**", r"a\b", r"\"] {
        assert!(Wildcard::new(pattern.as_bytes(), true).is_err(), "{pattern}");
    }
}

#[test]
fn cidr_keeps_the_bits_of_the_network() {
    let rows = [
        ("113.10.0.2", 24, 24, "113.10.0.0"),
        ("2001:0000:130F:0000:0000:09C0:876A:130B", 24, 24, "2001::"),
        ("113.10.0.2", 32, 24, "113.10.0.2"),
        ("255.255.255.255", 0, 0, "0.0.0.0"),
        ("ff::1", 0, 128, "ff::1"),
    ];
    for (address, v4, v6, expected) in rows {
        let address: IpAddr = address.parse().unwrap();
        assert_eq!(cidr(address, v4, v6), expected.parse::<IpAddr>().unwrap());
    }
}

#[test]
fn json_is_looked_up_along_the_keys() {
    use JsonKey::{Name, Place};
    let integers: [(&str, &[JsonKey<'_>], Option<i64>); 8] = [
        (r#"{ "record_id": "aed53a", "version": 2 }"#, &[Name(b"version")], Some(2)),
        (r#"{ "product": { "id": 356 } }"#, &[Name(b"product"), Name(b"id")], Some(356)),
        (r#"["first_item", -234]"#, &[Place(1)], Some(-234)),
        (r#"{ "network_ids": [123, 456] }"#, &[Name(b"network_ids"), Place(0)], Some(123)),
        (r#"[{ "product_id": 123 }, { "product_id": 456 }]"#, &[Place(1), Name(b"product_id")], Some(456)),
        (r#"{ "version": 42.0 }"#, &[Name(b"version")], None),
        (r#"{ "version": 2 "#, &[Name(b"version")], None),
        (r#"{ "version": 2 } x"#, &[Name(b"version")], None),
    ];
    for (document, keys, expected) in integers {
        assert_eq!(lookup_json_integer(document.as_bytes(), keys), expected, "{document}");
    }
    let texts: [(&str, &[JsonKey<'_>], Option<&str>); 7] = [
        (r#"{ "company": "cloudflare", "product": "rulesets" }"#, &[Name(b"company")], Some("cloudflare")),
        (r#"{ "network": { "name": "cloudflare" } }"#, &[Name(b"network"), Name(b"name")], Some("cloudflare")),
        (r#"["other_company", "cloudflare"]"#, &[Place(1)], Some("cloudflare")),
        (r#"{ "networks": ["other_company", "cloudflare"] }"#, &[Name(b"networks"), Place(1)], Some("cloudflare")),
        (
            r#"[{ "network": "other_company" }, { "network": "cloudflare" }]"#,
            &[Place(1), Name(b"network")],
            Some("cloudflare"),
        ),
        (r#"{ "a": "A\n" }"#, &[Name(b"a")], Some("A\n")),
        (r#"{ "a": 1 }"#, &[Name(b"a")], None),
    ];
    for (document, keys, expected) in texts {
        assert_eq!(lookup_json_string(document.as_bytes(), keys).as_deref(), expected, "{document}");
    }
}

#[test]
fn a_deep_document_is_no_document() {
    let deep = "[".repeat(100_000);
    assert_eq!(lookup_json_integer(deep.as_bytes(), &[JsonKey::Place(0)]), None);
}

#[test]
fn extensions_are_of_the_last_segment() {
    let rows = [
        ("/articles/index.html", "html"),
        ("/articles/index.", ""),
        ("/foo", ""),
        ("/foo.mp3", "mp3"),
        ("/.mp3", ""),
        ("/.foo.mp3", "mp3"),
        ("/foo.tar.bz2", "bz2"),
        ("/foo.", ""),
        ("/a.b/c", ""),
    ];
    for (path, expected) in rows {
        assert_eq!(extension(path.as_bytes()), expected.as_bytes(), "{path}");
    }
}

/// A token for `/download/cat.jpg` with the key `mysecretkey`, signed here as the documentation tells a site to do it.
#[test]
fn tokens_are_checked_for_key_message_and_time() {
    let key = aws_lc_rs::hmac::Key::new(aws_lc_rs::hmac::HMAC_SHA256, b"mysecretkey");
    let mac = aws_lc_rs::hmac::sign(&key, b"/download/cat.jpg1484063787");
    let standard = STANDARD.encode(mac.as_ref());
    let encoded = format!("{standard}=").replace('+', "%2B").replace('/', "%2F").replace('=', "%3D");
    let token = format!("/download/cat.jpg?verify=1484063787-{encoded}");
    let url_safe = format!("/download/cat.jpg?verify=1484063787-{}", URL_SAFE.encode(mac.as_ref()));
    let expected = TimedHmac { key: b"mysecretkey", ttl: 100_000, now: 1_484_063_787, separator: 8, flags: b"" };

    assert!(is_timed_hmac_valid(token.as_bytes(), expected));
    assert!(is_timed_hmac_valid(url_safe.as_bytes(), TimedHmac { flags: b"s", ..expected }));
    assert!(is_timed_hmac_valid(token.as_bytes(), TimedHmac { now: 1_484_163_787, ..expected }));

    assert!(!is_timed_hmac_valid(token.as_bytes(), TimedHmac { now: 1_484_163_788, ..expected }));
    assert!(!is_timed_hmac_valid(token.as_bytes(), TimedHmac { key: b"another", ..expected }));
    assert!(!is_timed_hmac_valid(token.as_bytes(), TimedHmac { separator: 0, ..expected }));
    assert!(!is_timed_hmac_valid(token.as_bytes(), TimedHmac { separator: -1, ..expected }));
    assert!(!is_timed_hmac_valid(token.replace("cat", "dog").as_bytes(), expected));
    for broken in ["", "-", "1484063787-", "x1484063787-YQ", "?"] {
        assert!(!is_timed_hmac_valid(broken.as_bytes(), expected), "{broken}");
        assert!(!is_timed_hmac_valid(broken.as_bytes(), TimedHmac { flags: b"s", ..expected }), "{broken}");
    }
}
