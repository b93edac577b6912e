//! What is sent to measure how long the rules take: forms, JSON and multipart of a size, honest and hostile.

use rayline_rules::waf::Scratch;

use crate::honest::Honest;
use crate::managed;
use crate::request::Request;

/// How a body is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Form,
    Json,
    Multipart,
}

/// Short texts that make the rules work: they open many gates, look different after every transformation, and match little.
/// The worst two of them together are found by trying.
const PIECES: &[&str] = &[
    "' *r 11=1",
    "' or 'a",
    "union select ",
    "<a onx=",
    "<b x=\"{{",
    "((1)),(",
    "%2527%253c",
    "&#x26;lt;",
    "\\u003c\\x27",
    "/*!0*/ /**/",
    "../;/..\\",
    "${lower:",
    ";id |ls `x`",
    "$(cat x) && ",
    "c'a't $IFS",
    "exec eval( ",
    "a=b&c==d",
    ".a.b() ->c",
    "[$x] => {1}",
    "java\tscript:",
    "\u{ff1c}\u{e9}\u{0}",
    "http://[::]@x/",
    "and 1 or 2 is ",
    "if(1,2) like ",
];

/// Bytes of a hostile text.
const HOSTILE_BYTES: usize = 40;

impl Kind {
    pub(crate) const ALL: [Self; 3] = [Self::Form, Self::Json, Self::Multipart];

    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Form => "form",
            Self::Json => "JSON",
            Self::Multipart => "multipart",
        }
    }

    /// A request whose body says these texts one after the other, from the beginning again, until it has so many bytes.
    pub(crate) fn request(self, texts: &[String], size: usize) -> Request {
        const NAMES: [&str; 6] = ["title", "text", "author.name", "city", "comment", "tags"];
        let (content_type, mut body) = match self {
            Self::Form => ("application/x-www-form-urlencoded", String::new()),
            Self::Json => ("application/json", "[".to_owned()),
            Self::Multipart => ("multipart/form-data; boundary=----FormBoundary7MA4YWxk", String::new()),
        };
        for ((text, name), number) in texts.iter().cycle().zip(NAMES.iter().cycle()).zip(1000..) {
            if body.len() + text.len() >= size && number > 1000 {
                break;
            }
            body += &match self {
                Self::Form => format!("{name}={}&id={number}&", escaped(text)),
                Self::Json => format!("{{\"id\":{number},\"{name}\":{}}},", serde_json::json!(text)),
                Self::Multipart => format!(
                    "------FormBoundary7MA4YWxk\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{text}\r\n"
                ),
            };
        }
        body += match self {
            Self::Form => "end=1",
            Self::Json => "0]",
            Self::Multipart => "------FormBoundary7MA4YWxk--\r\n",
        };
        Request::post("/cms/save", content_type, body)
    }
}

/// As browsers write a form's texts.
fn escaped(text: &str) -> String {
    let one = |byte: u8| match byte {
        b' ' => "+".to_owned(),
        byte if byte.is_ascii_alphanumeric() || b"-._*".contains(&byte) => char::from(byte).to_string(),
        byte => format!("%{byte:02X}"),
    };
    text.bytes().map(one).collect()
}

/// Every text of the honest requests' queries and forms, decoded: searches, posts, names.
pub(crate) fn honest_texts(honest: &[Honest]) -> Vec<String> {
    let mut texts = Vec::new();
    for row in honest {
        let is_form = row.request.headers.iter().any(|(_, value)| value.ends_with(b"x-www-form-urlencoded"));
        let body = is_form.then(|| String::from_utf8_lossy(&row.request.body).into_owned());
        let query = row.row.target.split_once('?').map(|(_, query)| query.to_owned());
        for pair in [query, body].iter().flatten().flat_map(|text| text.split('&')) {
            texts.extend(pair.split_once('=').map(|(_, value)| decoded(value)));
        }
    }
    texts.retain(|text| text.len() > 2);
    texts
}

fn decoded(text: &str) -> String {
    let mut bytes = Vec::new();
    let mut rest = text.as_bytes();
    while let Some((first, after)) = rest.split_first() {
        let digits = after.get(..2).and_then(|digits| std::str::from_utf8(digits).ok());
        let byte = digits.filter(|_| *first == b'%').and_then(|digits| u8::from_str_radix(digits, 16).ok());
        bytes.push(byte.unwrap_or(if *first == b'+' { b' ' } else { *first }));
        rest = if byte.is_some() { after.get(2..).unwrap_or_default() } else { after };
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

/// Of all pairs of [`PIECES`], the one of which a body of this kind has the most bytes examined.
pub(crate) fn hostile_texts(kind: Kind) -> Vec<String> {
    let (managed, mut scratch) = (managed(1), Scratch::default());
    let mut worst = (0, String::new());
    for (one, other) in PIECES.iter().flat_map(|one| PIECES.iter().map(move |other| (one, other))) {
        let pair = format!("{one} {other}");
        let text = format!("{pair} ").repeat(HOSTILE_BYTES.div_ceil(pair.len() + 1));
        let request = kind.request(std::slice::from_ref(&text), 4096);
        let examined = managed.inspect(&request, request.body(), &[], &mut scratch).examined;
        if examined > worst.0 {
            worst = (examined, text);
        }
    }
    vec![worst.1]
}
