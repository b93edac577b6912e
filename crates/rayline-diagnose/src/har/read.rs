//! A browser's HAR: what failed in it, and whose answers the failures are.
//!
//! It works offline, and takes what browsers really write: missing members, members of the wrong kind, dates in any zone.
//! What a browser says of a request without an answer (`net::ERR_…`) is read where it is written down.

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use rayline_verdict::Code;
use serde::Deserialize;
use serde_json::{Value, json};
use url::Url;

use crate::author::{Recognition, recognise};
use crate::fetch::{Answer, BodyEnd};
use crate::mask::{self, Masking};

/// Failures that are kept; more are counted.
const MOST: usize = 200;

/// What a HAR shows.
#[derive(Clone, Debug, Default)]
pub struct Examination {
    /// Requests in it.
    pub requests: usize,
    /// Those that failed, in order, at most 200.
    pub failures: Vec<Failure>,
    /// Failures beyond those.
    pub more: usize,
    /// Requests that an extension of the browser blocked: no fault of the site, and not among the failures.
    pub blocked: usize,
}

/// A request that failed.
#[derive(Clone, Debug)]
pub struct Failure {
    /// When it began, as the browser wrote it.
    pub started: String,
    /// Its method.
    pub method: String,
    /// Its URL, without values in the query.
    pub url: String,
    /// The status; 0: no answer.
    pub status: u16,
    /// What the browser says of a request without an answer.
    pub error: Option<String>,
    /// Milliseconds from its start to its end.
    pub took_ms: f64,
    /// Whose answer it is.
    pub recognition: Recognition,
    /// The codes that fit, the likeliest first.
    pub codes: Vec<Code>,
    /// In one sentence.
    pub sentence: String,
}

/// Reads a HAR.
///
/// # Errors
/// It is none; in words.
pub fn examine(bytes: &[u8]) -> Result<Examination, String> {
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    let har: Har = serde_json::from_slice(bytes).map_err(|error| format!("it is no HAR: {error}"))?;
    let mut examination = Examination { requests: har.log.entries.len(), ..Examination::default() };
    for entry in har.log.entries {
        // an entry that is no object is a browser's slip, and says nothing
        let Ok(entry) = serde_json::from_value::<Entry>(entry) else { continue };
        if entry.is_blocked() {
            examination.blocked += 1;
            continue;
        }
        let Some(failure) = failure(entry) else { continue };
        if examination.failures.len() < MOST {
            examination.failures.push(failure);
        } else {
            examination.more += 1;
        }
    }
    Ok(examination)
}

#[derive(Deserialize)]
struct Har {
    log: Log,
}

#[derive(Deserialize)]
struct Log {
    #[serde(default)]
    entries: Vec<Value>,
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Entry {
    started_date_time: String,
    time: Option<f64>,
    request: Request,
    response: Response,
    comment: String,
}

impl Entry {
    /// Whether the browser itself, or something in it, kept the request from being made.
    fn is_blocked(&self) -> bool {
        const BLOCKED: &str = "ERR_BLOCKED_BY_CLIENT";
        self.response.error.as_deref().unwrap_or(&self.comment).contains(BLOCKED)
    }
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Request {
    method: String,
    url: String,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Response {
    status: Option<f64>,
    headers: Vec<Field>,
    content: Content,
    /// What Chromium says of a request without an answer.
    #[serde(rename = "_error")]
    error: Option<String>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Field {
    name: String,
    value: String,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Content {
    size: Option<f64>,
    text: Option<String>,
    encoding: Option<String>,
}

fn failure(entry: Entry) -> Option<Failure> {
    let Entry { started_date_time: started, time, request, response, comment } = entry;
    let status = response.status.filter(|status| (0.0..1000.0).contains(status)).map_or(0, |status| status as u16);
    let error = response.error.clone().filter(|error| !error.is_empty());
    let error = error.or_else(|| (status == 0 && !comment.is_empty()).then_some(comment));
    let answer = answer(status, response);
    let recognition = recognise(&answer);
    let told = recognition.told.as_ref();
    let is_refused = matches!(status, 403 | 409 | 429) && told.is_some_and(|told| told.number.is_some());
    if !(status >= 500 || status == 0 || is_refused || error.is_some()) {
        return None;
    }
    let codes = match &error {
        Some(error) => of_browser(error).to_vec(),
        None => told.map(|told| told.codes.clone()).unwrap_or_default(),
    };
    let sentence = sentence(status, error.as_deref(), &recognition, &codes);
    let url = Url::parse(&request.url).map_or_else(|_| mask::MASK.to_owned(), |url| mask::url(&url, Masking::On));
    let took_ms = time.unwrap_or_default();
    Some(Failure { started, method: request.method, url, status, error, took_ms, recognition, codes, sentence })
}

/// The answer as if it had come over the wire.
fn answer(status: u16, response: Response) -> Answer {
    let Content { size, text, encoding } = response.content;
    let text = text.unwrap_or_default();
    let body = match encoding.as_deref() {
        Some("base64") => BASE64_STANDARD.decode(text.as_bytes()).unwrap_or_default(),
        Some(_) | None => text.into_bytes(),
    };
    let fields = response.headers.into_iter();
    Answer {
        status,
        fields: fields.map(|Field { name, value }| (name.to_ascii_lowercase(), value.into_bytes())).collect(),
        body_bytes: size.filter(|size| *size >= 0.0).map_or(body.len() as u64, |size| size as u64),
        body,
        end: BodyEnd::Whole,
    }
}

/// What browsers call it, and the code: Chromium's names, and what Firefox and Safari write.
const BROWSERS: [(&str, &[Code]); 20] = [
    ("ERR_NAME_NOT_RESOLVED", &[Code::OwnerResolveNxdomain]),
    ("NS_ERROR_UNKNOWN_HOST", &[Code::OwnerResolveNxdomain]),
    ("ERR_CONNECTION_REFUSED", REFUSED),
    ("NS_ERROR_CONNECTION_REFUSED", REFUSED),
    ("ERR_CONNECTION_TIMED_OUT", UNREACHED),
    ("NS_ERROR_NET_TIMEOUT", UNREACHED),
    ("ERR_ADDRESS_UNREACHABLE", UNREACHED),
    ("ERR_CERT_DATE_INVALID", &[Code::OwnerClientTlsCertificateExpired]),
    ("SEC_ERROR_EXPIRED_CERTIFICATE", &[Code::OwnerClientTlsCertificateExpired]),
    ("ERR_CERT_COMMON_NAME_INVALID", &[Code::OwnerClientTlsNameMismatch]),
    ("SSL_ERROR_BAD_CERT_DOMAIN", &[Code::OwnerClientTlsNameMismatch]),
    ("ERR_CERT_AUTHORITY_INVALID", &[Code::OwnerClientTlsUntrusted]),
    ("SEC_ERROR_UNKNOWN_ISSUER", &[Code::OwnerClientTlsUntrusted]),
    ("ERR_TOO_MANY_REDIRECTS", &[Code::OwnerRouteRedirectLoop]),
    ("NS_ERROR_REDIRECT_LOOP", &[Code::OwnerRouteRedirectLoop]),
    ("ERR_INCOMPLETE_CHUNKED_ENCODING", &[Code::OriginReceiveTruncated]),
    ("ERR_CONTENT_LENGTH_MISMATCH", &[Code::OriginReceiveTruncated]),
    ("NS_ERROR_NET_PARTIAL_TRANSFER", &[Code::OriginReceiveTruncated]),
    ("ERR_ABORTED", &[Code::VisitorReplyGone]),
    ("NS_BINDING_ABORTED", &[Code::VisitorReplyGone]),
];

/// A browser does not know whether it was an edge or the site's own server that did not take its connection.
const REFUSED: &[Code] = &[Code::OriginConnectRefused, Code::EdgeAcceptRefused];
const UNREACHED: &[Code] = &[Code::NetworkConnectTimedOut, Code::EdgeAcceptTimedOut];

fn of_browser(error: &str) -> &'static [Code] {
    BROWSERS.iter().find(|(name, _)| error.contains(name)).map_or(&[], |(_, codes)| codes)
}

fn sentence(status: u16, error: Option<&str>, recognition: &Recognition, codes: &[Code]) -> String {
    if let Some(error) = error {
        let what = match codes {
            [] => String::new(),
            [code] => format!(": {}", code.entry().sentence),
            [_, ..] => {
                ": its connection was not taken, by the site's server or by an edge in front of it, if there is one"
                    .to_owned()
            }
        };
        return format!("no answer: the browser says `{error}`{what}");
    }
    if status == 0 {
        return "no answer, and the browser does not say why".to_owned();
    }
    let author = recognition.author.as_ref().map_or("nobody known", |author| author.name);
    match &recognition.told {
        Some(told) if !told.words.is_empty() => format!("{status}, written by {author}: {}", told.words),
        Some(_) | None => format!("{status}, written by {author}"),
    }
}

impl Examination {
    /// Requests that failed.
    pub fn failed(&self) -> usize {
        self.failures.len() + self.more
    }

    /// The object that `rayline diagnose --har FILE --json` prints.
    pub fn to_json(&self) -> Value {
        json!({
            "requests": self.requests,
            "failed": self.failed(),
            "blocked": self.blocked,
            "failures": self.failures.iter().map(Failure::to_json).collect::<Vec<_>>(),
        })
    }
}

impl Failure {
    /// The id under which the edge's log has it.
    pub fn request_id(&self) -> Option<&str> {
        self.recognition.request_id.as_deref()
    }

    fn to_json(&self) -> Value {
        let author = self.recognition.author.as_ref();
        json!({
            "started": self.started,
            "method": self.method,
            "url": self.url,
            "status": self.status,
            "error": self.error,
            "took_ms": self.took_ms,
            "author": author.map(|author| author.name),
            "rule": author.map(|author| author.rule),
            "request_id": self.request_id(),
            "codes": self.codes.iter().map(|code| code.name()).collect::<Vec<_>>(),
            "sentence": self.sentence,
        })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn what_failed_is_found() {
        let har = json!({"log": {"entries": [
            {"startedDateTime": "2026-11-21T10:00:00.000+01:00", "time": 12.5,
             "request": {"method": "GET", "url": "https://shop.example/cart?token=s3cret"},
             "response": {"status": 502, "headers": [{"name": "Server", "value": "nginx"}],
                          "content": {"size": 3, "text": "PGgx", "encoding": "base64"}}},
            {"request": {"url": "https://shop.example/ok"}, "response": {"status": 200}},
            {"request": {"url": "https://shop.example/old"},
             "response": {"status": 0, "_error": "net::ERR_CERT_DATE_INVALID"}},
            "nonsense",
            {"response": {"status": "strange"}},
        ]}});
        let examination = examine(&serde_json::to_vec(&har).unwrap()).unwrap();
        assert_eq!((examination.requests, examination.failures.len()), (5, 2));
        let [first, second] = examination.failures.as_slice() else { unreachable!() };
        assert_eq!((first.status, first.url.as_str()), (502, "https://shop.example/cart?token=(masked)"));
        assert_eq!(second.codes, [Code::OwnerClientTlsCertificateExpired]);
        assert!(!examination.to_json().to_string().contains("s3cret"));
    }

    #[test]
    fn a_browser_does_not_know_who_refused_and_blames_no_site_for_its_extensions() {
        let entry = |error: &str| json!({"request": {"url": "https://shop.example/"}, "response": {"status": 0, "_error": error}});
        let har =
            json!({"log": {"entries": [entry("net::ERR_CONNECTION_REFUSED"), entry("net::ERR_BLOCKED_BY_CLIENT")]}});
        let examination = examine(&serde_json::to_vec(&har).unwrap()).unwrap();
        assert_eq!((examination.failed(), examination.blocked), (1, 1));
        let refused = examination.failures.first().unwrap();
        assert_eq!(refused.codes, [Code::OriginConnectRefused, Code::EdgeAcceptRefused]);
        assert!(refused.sentence.contains("if there is one"), "{}", refused.sentence);
    }

    #[test]
    fn what_is_no_har_is_refused_in_words() {
        for bytes in [&b""[..], b"{}", b"[]", b"\x00\xff", b"{\"log\": 3}", b"{\"log\": {\"entries\": {}}}"] {
            assert!(examine(bytes).unwrap_err().starts_with("it is no HAR: "), "{}", bytes.escape_ascii());
        }
        assert_eq!(examine(b"\xef\xbb\xbf{\"log\": {}}").unwrap().requests, 0);
    }

    proptest! {
        #[test]
        fn no_bytes_are_too_strange(bytes in proptest::collection::vec(any::<u8>(), 0..300), text in ".{0,80}") {
            let _ = examine(&bytes);
            let har = json!({"log": {"entries": [{"request": {"url": text}, "response": {"status": 500,
                "headers": [{"name": text, "value": text}], "content": {"text": text, "encoding": "base64"}}}]}});
            let _ = examine(&serde_json::to_vec(&har).unwrap());
        }
    }
}
