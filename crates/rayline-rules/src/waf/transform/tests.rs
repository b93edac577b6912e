use super::*;

/// What the text becomes; itself if nothing changes.
fn becomes(transform: Transform, text: &[u8]) -> String {
    let mut out = Vec::new();
    let changed = transform.apply(text, &mut out);
    assert_eq!(changed, changed && out != text, "a change is a change");
    String::from_utf8_lossy(if changed { &out } else { text }).into_owned()
}

#[test]
fn each_disguise_is_taken_off() {
    for (transform, text, plain) in [
        (Transform::Url, &b"%2e%2E/%u0027%zz%"[..], "../'%zz%"),
        (Transform::Url, b"%25252e", "."),
        (Transform::Url, b"%2525252e", "%2e"),
        (Transform::Url, b"\xc0\xae\xc0\xaf\xe0\x80\xae", "./."),
        (Transform::Url, "％ｕnion＜".as_bytes(), "%union<"),
        (Transform::Html, b"&lt;a&#x3a;&#58&#0000058;&colon;&amp&unknown;&#;", "<a::::&&unknown;&#;"),
        (Transform::Js, b"\\x61\\u0062\\u{63}\\144\\n\\'\\", "abcd '\\"),
        (Transform::Css, b"\\65 xpr\\000065ssion\\", "expression"),
        (Transform::Css, b"b\\ackground", "b\u{ac}kground"),
        (Transform::Controls, b"java\tscr\0ipt:", "javascript:"),
        (Transform::Comments, b"union/**/select/* x", "union select "),
        (Transform::Comments, b"/*!50000union*/ select 1*2", " union  select 1*2"),
        (Transform::Path, b"a\\..\\.//./b", "a/../b"),
        (Transform::Shell, b"c'a'\"t\"${IFS}/e\\tc/pass$@wd", "cat /etc/passwd"),
        (Transform::Base64, b"PD9waHAgc3lzdGVtKCdpZCcpOw==", "<?php system('id');"),
        (Transform::Base64, b"data:text/html;base64,PHNjcmlwdD5hbGVydCgxKTwvc2NyaXB0Pg", "<script>alert(1)</script>"),
        (Transform::Base64, b"an ordinary sentence", ""),
    ] {
        assert_eq!(becomes(transform, text), plain, "{transform:?} of {}", String::from_utf8_lossy(text));
    }
}

#[test]
fn ordinary_text_stays_as_it_is() {
    let text = "Grüße, 100 % & more: a/b (c) – it is 5 > 4".as_bytes();
    for transform in [Transform::Url, Transform::Html, Transform::Js, Transform::Css, Transform::Controls] {
        assert!(!transform.apply(text, &mut Vec::new()), "{transform:?}");
    }
}

proptest::proptest! {
    #[test]
    fn no_transformation_fails_or_swells(bytes: Vec<u8>, which in 0..9_usize) {
        let all = [
            Transform::Url, Transform::Html, Transform::Js, Transform::Css, Transform::Controls, Transform::Comments,
            Transform::Path, Transform::Shell, Transform::Base64,
        ];
        let mut out = Vec::new();
        all[which].apply(&bytes, &mut out);
        proptest::prop_assert!(out.len() <= bytes.len() * 4 / 3 + 4, "{} of {}", out.len(), bytes.len());
    }
}
