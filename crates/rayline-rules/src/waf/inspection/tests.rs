//! The short ways against the long way: every rule that looks at a place, tried on its own, with its own transformations, on
//! every text there. What gates, literals and shared guises leave out must be nothing.

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::LazyLock;

use proptest::prelude::*;

use super::*;
use crate::ruleset::{Execute, Sensitivity};
use crate::waf::{Example, RULESET};

static EVERYTHING: LazyLock<Managed> = LazyLock::new(|| {
    Managed::compile(&Execute {
        id: RULESET.into(),
        action: None,
        enabled: None,
        sensitivity: Sensitivity::High,
        paranoia_level: 4,
        anomaly_threshold: None,
        overrides: Vec::new(),
    })
    .unwrap()
});

/// Texts of attacks and of honest people: the rules' own examples, and whatever stands between quotes in the corpus.
static TEXTS: LazyLock<Vec<Vec<u8>>> = LazyLock::new(|| {
    let mut texts = BTreeSet::new();
    for rule in EVERYTHING.library.signatures.iter() {
        for example in rule.positive.iter().chain(&rule.negative) {
            match example {
                Example::Value(value) => _ = texts.insert(value.as_bytes().to_vec()),
                Example::Request { uri, body, headers, .. } => {
                    texts.extend([uri, body].into_iter().flatten().map(|text| text.as_bytes().to_vec()));
                    texts.extend(headers.iter().map(|line| line.as_bytes().to_vec()));
                }
            }
        }
    }
    let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("managed/corpus");
    for file in std::fs::read_dir(corpus).unwrap() {
        for line in std::fs::read_to_string(file.unwrap().path()).unwrap().lines() {
            let row: serde_json::Value = serde_json::from_str(line).unwrap();
            let values = row.as_object().unwrap().values().filter_map(serde_json::Value::as_str);
            texts.extend(values.map(|value| value.as_bytes().to_vec()));
        }
    }
    texts.into_iter().collect()
});

/// Places with a header field's name, where rules look at one.
const PLACES: [(Place, &str); 14] = [
    (Place::Argument, "a"),
    (Place::ArgumentName, ""),
    (Place::Path, ""),
    (Place::Query, ""),
    (Place::Header, "x-other"),
    (Place::Header, "User-Agent"),
    (Place::Header, "content-type"),
    (Place::Cookie, "a"),
    (Place::CookieName, ""),
    (Place::FileName, "a"),
    (Place::FileContent, "a"),
    (Place::Body, ""),
    (Place::Method, ""),
    (Place::Request, ""),
];

fn by_short_ways(place: Place, name: &str, bytes: &[u8], scratch: &mut Scratch) -> BTreeSet<String> {
    let mut inspection = Inspection::new(&EVERYTHING, EVERYTHING.enabled, scratch);
    inspection.text(place, name.as_bytes(), bytes);
    let left = inspection.pending;
    inspection.end();
    EVERYTHING.enabled.without(&left).iter().map(id).collect()
}

fn by_the_long_way(place: Place, name: &str, bytes: &[u8]) -> BTreeSet<String> {
    let library = EVERYTHING.library;
    let matches = |rule: &usize| {
        let mut text = bytes.to_vec();
        for transform in &library.signatures[*rule].transforms {
            let mut out = Vec::new();
            if transform.apply(&text, &mut out) {
                text = out;
            }
        }
        match &library.tests[*rule] {
            Test::Pattern(pattern) => pattern.is_match(&text),
            Test::Unlike(pattern) => !pattern.is_match(&text),
            Test::Detector(Detector::Sql) => {
                let start = text.get(..512).unwrap_or(&text);
                let is_worth_it = start.iter().any(|byte| b"'\"`()=<>;#-/*|&@0123456789".contains(byte));
                is_worth_it && libinjectionrs::detect_sqli(start).is_injection()
            }
            Test::Detector(detector) => detector.find(&text, &mut 0).is_some(),
            Test::Signal(_) => false,
        }
    };
    library.looking_at(place, name.as_bytes()).and(&EVERYTHING.enabled).iter().filter(matches).map(id).collect()
}

fn id(rule: usize) -> String {
    EVERYTHING.library.signatures[rule].id.to_string()
}

fn assert_same(bytes: &[u8], places: &[(Place, &str)], scratch: &mut Scratch) {
    for (place, name) in places {
        let (short, long) = (by_short_ways(*place, name, bytes, scratch), by_the_long_way(*place, name, bytes));
        assert_eq!(short, long, "{} {name}: {:?}", place.name(), String::from_utf8_lossy(bytes));
    }
}

#[test]
fn no_text_that_is_known_is_judged_otherwise() {
    let mut scratch = Scratch::default();
    assert!(TEXTS.len() > 1000, "{}", TEXTS.len());
    for text in TEXTS.iter() {
        assert_same(text, &PLACES, &mut scratch);
    }
}

/// What is put between pieces of texts: what rules wait for, and what disguises it.
const JOINTS: &[&[u8]] = &[
    b"",
    b" ",
    b"'",
    b"\"",
    b"`",
    b"<",
    b">",
    b"(",
    b")",
    b";",
    b"|",
    b"&",
    b"$",
    b"{",
    b"}",
    b"\\",
    b"/",
    b"../",
    b"%27",
    b"%2527",
    b"&lt;",
    b"&#x28;",
    b"\\x3c",
    b"\\u003c",
    b"/**/",
    b"\0",
    b"\t",
    b"\n",
    b"=",
    b"#",
    b"--",
    b"@",
    b"\xc0\xae",
    b"\xef\xbc\x9c",
    b"base64,",
    b"c'a't",
    b"$IFS",
    b"%",
    b"*",
    b"+",
    b",",
    b".",
    b":",
    b"?",
];

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn no_mixture_of_texts_is_judged_otherwise(
        pieces in prop::collection::vec((any::<prop::sample::Index>(), 0..400_usize, 1..80_usize, prop::sample::select(JOINTS)), 1..4),
        places in prop::sample::subsequence(&PLACES[..], 3),
        upper: bool,
    ) {
        let mut text = Vec::new();
        for (which, from, length, joint) in pieces {
            let piece = which.get(&TEXTS);
            let from = from.min(piece.len());
            text.extend_from_slice(&piece[from..(from + length).min(piece.len())]);
            text.extend_from_slice(joint);
        }
        if upper {
            text.make_ascii_uppercase();
        }
        assert_same(&text, &places, &mut Scratch::default());
    }
}

#[test]
fn every_set_of_bytes_that_something_asks_for_has_a_mark() {
    let alphabet = &EVERYTHING.library.alphabet;
    assert!(!alphabet.is_full());
}
