//! Work, counted in bytes read instead of in time: it grows with the size of a body and not faster, and inputs that make
//! other engines explode stop at limits whose outcome is known.

use rayline_rules::waf::{Action, BODY_LIMIT_BYTES, Managed, Outcome, signatures};

use super::{execute, names, outcome};
use crate::request::Request;

/// How often a byte may be read: by each rule once in each of its guises, and on the way there. A guise is at most
/// four thirds of what it is made of.
fn most_often() -> u64 {
    let rules = signatures().unwrap().len() as u64;
    3 * rules
}

fn of(content_type: &str, body: impl Into<Vec<u8>>) -> Outcome {
    outcome(&Managed::compile(&execute(4)).unwrap(), &Request::post("/", content_type, body))
}

/// A body of a type, of about so many bytes.
type Make = Box<dyn Fn(usize) -> Vec<u8>>;

const FORM: &str = "application/x-www-form-urlencoded";
const JSON: &str = "application/json";
const MULTIPART: &str = "multipart/form-data; boundary=b";
const TEXT: &str = "text/plain";

/// Texts that make patterns with nested quantifiers backtrack, hit every literal, or change with every transformation.
const PIECES: &[&str] = &[
    "a",
    "aaaaaaaaaaaaaaaa!",
    "'",
    "\"",
    "\\",
    "\\\\",
    "%",
    "%25",
    "%2525",
    "%u0025",
    "&#x26;",
    "&amp;",
    "/*",
    "*/",
    "/**/",
    "<",
    "<a ",
    "<a onx=",
    "((((",
    "))))",
    "{{",
    "${",
    "${jndi:${lower:",
    "../",
    "..\\",
    "|",
    ";",
    "`",
    "$(",
    "-- ",
    "#",
    "' or ",
    "' or 'a'='a",
    "union ",
    "select ",
    "union select ",
    "sleep(",
    "1=1 ",
    "=",
    "==",
    "x=x&",
    "&&",
    "||",
    "\t",
    "\n",
    "\r\n",
    "\0",
    "\u{ff1c}",
    "a.b.c.",
    "[[",
    "]]",
    "\\u003c",
    "\\x3c",
    "base64,",
    "AAAA",
    "eval(",
    "system(",
    "' *r 11=1",
    "' 1 ' 1 ",
];

/// Each piece over and over: as one long argument, as many short ones, as text.
fn bodies() -> Vec<(String, &'static str, Make)> {
    let mut all: Vec<(String, &'static str, Make)> = Vec::new();
    for piece in PIECES {
        let fill = move |size: usize| piece.repeat(size / piece.len()).into_bytes();
        all.push((format!("text of {piece:?}"), TEXT, Box::new(fill)));
        all.push((
            format!("an argument of {piece:?}"),
            FORM,
            Box::new(move |size| [b"a=".as_slice(), &fill(size)].concat()),
        ));
        let text = serde_json::to_string(&piece.repeat(4)).unwrap();
        let entry =
            move |size: usize| format!("[{}0]", format!("{text},").repeat(size / (text.len() + 1))).into_bytes();
        all.push((format!("JSON of {piece:?}"), JSON, Box::new(entry)));
    }
    let repeated = |text: &'static str| -> Make { Box::new(move |size| text.repeat(size / text.len()).into_bytes()) };
    all.push(("arrays in arrays".to_owned(), JSON, repeated("[")));
    all.push(("objects in objects".to_owned(), JSON, repeated("{\"a\":")));
    all.push(("form fields".to_owned(), FORM, repeated("a='%27&")));
    all.push(("boundaries".to_owned(), MULTIPART, repeated("\r\n--b")));
    all.push((
        "parts".to_owned(),
        MULTIPART,
        repeated("--b\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\n'<\\%25\r\n"),
    ));
    all.push(("tags".to_owned(), "text/xml", repeated("<a b='<'>&lt;</a>")));
    all
}

#[test]
fn twice_the_bytes_are_no_more_than_twice_the_work() {
    const SIZE: usize = 8 * 1024;
    for (what, content_type, make) in bodies() {
        let [once, twice] = [SIZE, 2 * SIZE].map(|size| of(content_type, make(size)).examined);
        assert!(twice <= once * 2 + once / 50 + 4096, "{what}: {once}, and {twice} for twice the bytes");
    }
}

#[test]
fn no_byte_is_read_more_often_than_there_are_ways_to_read_it() {
    for (what, content_type, make) in bodies() {
        let body = make(BODY_LIMIT_BYTES / 4);
        // the head of the request is the same for all
        let most = (body.len() as u64 + 512) * most_often();
        let found = of(content_type, body);
        assert!(found.examined <= most, "{what}: {} of {most}", found.examined);
    }
}

#[test]
fn ordinary_texts_are_read_a_few_times_only() {
    let words = "the quick brown fox jumps over seven lazy dogs and runs home. ";
    for (content_type, body) in [
        (FORM, format!("a={}", words.repeat(100).replace(' ', "+"))),
        (JSON, format!("[{}0]", format!("{{\"title\":\"{words}\",\"number\":4711}},").repeat(100))),
        (TEXT, words.repeat(100)),
    ] {
        let size = body.len() as u64;
        let found = outcome(&Managed::compile(&execute(1)).unwrap(), &Request::post("/", content_type, body));
        assert!(found.matches.is_empty(), "{:?}", names(&found));
        assert!(found.examined < 10 * size, "{content_type}: {} for {size} bytes", found.examined);
    }
}

#[test]
fn what_is_too_deep_or_too_many_is_a_finding() {
    let many_parts = "--b\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\n1\r\n".repeat(4097) + "--b--\r\n";
    for (content_type, body, rule) in [
        (JSON, format!("{}{}", "[".repeat(64), "]".repeat(64)), None),
        (JSON, format!("{}{}", "[".repeat(65), "]".repeat(65)), Some("rl.protocol.003")),
        (JSON, "[".repeat(BODY_LIMIT_BYTES), Some("rl.protocol.003")),
        (FORM, "a=1&".repeat(4096), None),
        (FORM, "a=1&".repeat(4097), Some("rl.protocol.004")),
        (MULTIPART, many_parts, Some("rl.protocol.004")),
        (JSON, format!("[{}0]", "\"aaaaaaaaaaaa!\",".repeat(4097)), None),
    ] {
        let managed = Managed::compile(&execute(1)).unwrap();
        let found = outcome(&managed, &Request::post("/", content_type, body));
        assert_eq!(names(&found).first().copied(), rule, "{content_type}: {:?}", names(&found));
        if rule.is_some() {
            assert_ne!(found.action, Action::Pass);
        }
    }
}
