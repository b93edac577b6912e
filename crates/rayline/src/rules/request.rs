//! A request as a person describes it, for `rayline rules test`: what is not said of it is not there.

use std::collections::BTreeMap;
use std::io::{self, Read as _};
use std::net::IpAddr;
use std::ops::ControlFlow;
use std::time::{SystemTime, UNIX_EPOCH};

use rayline_rules::facts::{Each, Fact};
use rayline_rules::networks::Networks;
use rayline_rules::places::{continent, is_in_european_union};
use rayline_rules::run::{each_argument, normalize};
use rayline_rules::{Facts, Field};
use serde::Deserialize;
use url::Url;

/// The description, as it is written.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Description {
    #[serde(default = "get")]
    method: String,
    url: String,
    #[serde(default)]
    headers: BTreeMap<String, Values>,
    client_ip: Option<IpAddr>,
    country: Option<String>,
    asn: Option<u32>,
    body: Option<String>,
    response: Option<Answer>,
}

fn get() -> String {
    "GET".to_owned()
}

/// What the request was answered with.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Answer {
    status: u16,
    #[serde(default)]
    headers: BTreeMap<String, Values>,
}

/// One value of a header field, or several.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum Values {
    One(String),
    Several(Vec<String>),
}

/// A request, ready to be asked.
#[derive(Debug)]
pub(crate) struct Request {
    method: String,
    host: String,
    tls: bool,
    port: Option<u16>,
    /// As it came.
    raw: Target,
    /// As rules see it.
    normal: Target,
    headers: Headers,
    client_ip: Option<IpAddr>,
    country: Option<String>,
    asn: Option<u32>,
    body: Option<String>,
    response: Option<(u16, Headers)>,
    now: SystemTime,
}

/// Where a request goes to, in the ways of which expressions speak.
#[derive(Debug)]
struct Target {
    full: String,
    path_and_query: String,
    path: String,
    query: String,
}

/// Header fields; what stands in one line, or would, is joined.
#[derive(Debug)]
struct Headers {
    fields: Vec<(String, String)>,
    joined: BTreeMap<String, String>,
}

/// Reads what `--request` names.
///
/// # Errors
///
/// If the file cannot be read, or is no description of a request.
pub(crate) fn read(named: &str) -> io::Result<Request> {
    let wrong = |reason: String| io::Error::new(io::ErrorKind::InvalidData, reason);
    if named.starts_with("http://") || named.starts_with("https://") {
        let description = Description {
            method: get(),
            url: named.to_owned(),
            headers: BTreeMap::new(),
            client_ip: None,
            country: None,
            asn: None,
            body: None,
            response: None,
        };
        return Request::new(description).map_err(wrong);
    }
    let unreadable = |error: io::Error| {
        let hint =
            if error.kind() == io::ErrorKind::NotFound { "; a URL begins with `http://` or `https://`" } else { "" };
        io::Error::new(error.kind(), format!("cannot read `{named}`: {error}{hint}"))
    };
    let text = match named {
        "-" => {
            let mut text = String::new();
            io::stdin().read_to_string(&mut text).map(|_| text)
        }
        file => std::fs::read_to_string(file),
    }
    .map_err(unreadable)?;
    let description =
        serde_json::from_str(&text).map_err(|error| wrong(format!("`{named}` describes no request: {error}")))?;
    Request::new(description).map_err(|reason| wrong(format!("`{named}` describes no request: {reason}")))
}

impl Request {
    fn new(description: Description) -> Result<Self, String> {
        let url = Url::parse(&description.url).map_err(|error| format!("`{}` is no URL: {error}", description.url))?;
        let tls = match url.scheme() {
            "https" => true,
            "http" => false,
            other => return Err(format!("`{other}://` is neither `http://` nor `https://`")),
        };
        let mut headers = Headers::new(description.headers);
        let in_url = url.host_str().unwrap_or_default().to_owned();
        let host = headers.joined.get("host").map_or(in_url, |host| without_port(host).to_ascii_lowercase());
        if !headers.joined.contains_key("host") {
            headers.push("host".to_owned(), host.clone());
        }
        let prefix = format!("{}://{host}", url.scheme());
        let (path, query) = written_path(&description.url);
        let mut normal = Vec::new();
        normalize(path.as_bytes(), &mut normal);
        let looked_up = || description.client_ip.map(|address| iptocc::country_code(address).unwrap_or("XX"));
        let country = description.country.clone().or_else(|| looked_up().map(str::to_owned));
        Ok(Self {
            method: description.method,
            tls,
            port: url.port_or_known_default(),
            raw: Target::new(&prefix, path, query),
            normal: Target::new(&prefix, &String::from_utf8_lossy(&normal), query),
            host,
            headers,
            client_ip: description.client_ip,
            country: country.map(|country| country.to_ascii_uppercase()),
            asn: description.asn,
            body: description.body,
            response: description.response.map(|answer| (answer.status, Headers::new(answer.headers))),
            now: SystemTime::now(),
        })
    }

    /// Looks the visitor's network up, if the description does not name it.
    pub(crate) fn find_network(&mut self, networks: &Networks) {
        let known = self.client_ip.and_then(|address| networks.find(address));
        self.asn = self.asn.or(known).or(Some(0));
    }

    /// The host name that is asked for, lower case.
    pub(crate) fn host(&self) -> &str {
        &self.host
    }

    /// The body, if it has one.
    pub(crate) fn body_bytes(&self) -> Option<&[u8]> {
        self.body.as_deref().map(str::as_bytes)
    }

    /// `Content-Type`, if there is one.
    pub(crate) fn content_type(&self) -> Option<&[u8]> {
        self.headers.joined.get("content-type").map(String::as_bytes)
    }

    /// Whether there is an answer.
    pub(crate) fn is_answered(&self) -> bool {
        self.response.is_some()
    }

    fn since_1970(&self) -> std::time::Duration {
        self.now.duration_since(UNIX_EPOCH).unwrap_or_default()
    }

    /// The body, where it is a form.
    fn form(&self) -> Option<&str> {
        let of_type = self.headers.media_type()?;
        let is_form = of_type.eq_ignore_ascii_case("application/x-www-form-urlencoded");
        self.body.as_deref().filter(|_| is_form)
    }
}

/// Path and query as they were written; without a path, `/`.
fn written_path(url: &str) -> (&str, &str) {
    let behind_scheme = url.split_once("://").map_or(url, |(_, rest)| rest);
    let target = behind_scheme.find(['/', '?', '#']).and_then(|at| behind_scheme.get(at..)).unwrap_or_default();
    let target = target.split('#').next().unwrap_or_default();
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    (if path.is_empty() { "/" } else { path }, query)
}

fn without_port(host: &str) -> &str {
    match host.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => name,
        _ => host,
    }
}

impl Target {
    fn new(prefix: &str, path: &str, query: &str) -> Self {
        let path_and_query = match query {
            "" => path.to_owned(),
            query => format!("{path}?{query}"),
        };
        Self {
            full: format!("{prefix}{path_and_query}"),
            path_and_query,
            path: path.to_owned(),
            query: query.to_owned(),
        }
    }
}

impl Headers {
    fn new(written: BTreeMap<String, Values>) -> Self {
        let mut headers = Self { fields: Vec::new(), joined: BTreeMap::new() };
        for (name, values) in written {
            let values = match values {
                Values::One(value) => vec![value],
                Values::Several(values) => values,
            };
            values.into_iter().for_each(|value| headers.push(name.clone(), value));
        }
        headers
    }

    fn push(&mut self, name: String, value: String) {
        let key = name.to_ascii_lowercase();
        // RFC 6265 section 5.4 for cookies, RFC 9110 section 5.3 for the others
        let separator = if key == "cookie" { "; " } else { ", " };
        match self.joined.get_mut(&key) {
            Some(joined) => {
                joined.push_str(separator);
                joined.push_str(&value);
            }
            None => {
                self.joined.insert(key, value.clone());
            }
        }
        self.fields.push((name, value));
    }

    /// A field that has one line; nothing of it is an empty text.
    fn line(&self, name: &str) -> &str {
        self.joined.get(name).map(String::as_str).unwrap_or_default()
    }

    fn media_type(&self) -> Option<&str> {
        let content_type = self.joined.get("content-type")?;
        Some(content_type.split(';').next().unwrap_or_default().trim())
    }

    fn each(&self, each: &mut Each<'_>) {
        show(self.fields.iter().map(|(name, value)| (name.as_str(), value.as_str())), each);
    }
}

fn show<'a>(entries: impl IntoIterator<Item = (&'a str, &'a str)>, each: &mut Each<'_>) {
    for (key, value) in entries {
        if each(key.as_bytes(), value.as_bytes()) == ControlFlow::Break(()) {
            return;
        }
    }
}

fn bytes(text: &str) -> Fact<'_> {
    Fact::Bytes(text.as_bytes())
}

fn int(number: impl TryInto<i64>) -> Fact<'static> {
    number.try_into().map_or(Fact::Nothing, Fact::Int)
}

impl Facts for Request {
    fn fact(&self, field: Field) -> Fact<'_> {
        let country = self.country.as_deref();
        let answer = self.response.as_ref();
        match field {
            Field::HttpHost => bytes(&self.host),
            Field::HttpCookie => bytes(self.headers.line("cookie")),
            Field::HttpReferer => bytes(self.headers.line("referer")),
            Field::HttpUserAgent => bytes(self.headers.line("user-agent")),
            Field::HttpXForwardedFor => bytes(self.headers.line("x-forwarded-for")),
            Field::Method => bytes(&self.method),
            Field::Uri => bytes(&self.normal.path_and_query),
            Field::UriPath => bytes(&self.normal.path),
            Field::UriQuery => bytes(&self.normal.query),
            Field::FullUri => bytes(&self.normal.full),
            Field::RawUri => bytes(&self.raw.path_and_query),
            Field::RawUriPath => bytes(&self.raw.path),
            Field::RawUriQuery => bytes(&self.raw.query),
            Field::RawFullUri => bytes(&self.raw.full),
            Field::Version => bytes("HTTP/1.1"),
            Field::HeadersTruncated => Fact::Bool(false),
            Field::BodyTruncated => Fact::Bool(false),
            Field::TimestampSec => int(self.since_1970().as_secs()),
            Field::TimestampMsec => int(self.since_1970().subsec_millis()),
            Field::BodyRaw => bytes(self.body.as_deref().unwrap_or_default()),
            Field::BodySize => int(self.body.as_ref().map_or(0, String::len)),
            Field::BodyMime => bytes(self.headers.media_type().unwrap_or_default()),
            Field::IpSrc => self.client_ip.map_or(Fact::Nothing, Fact::Ip),
            Field::IpSrcAsnum => self.asn.map_or(Fact::Nothing, |asn| Fact::Int(asn.into())),
            Field::IpSrcCountry => country.map_or(Fact::Nothing, bytes),
            Field::IpSrcContinent => country.map_or(Fact::Nothing, |code| bytes(continent(code))),
            Field::IpSrcIsInEuropeanUnion => {
                country.map_or(Fact::Nothing, |code| Fact::Bool(is_in_european_union(code)))
            }
            Field::Ssl => Fact::Bool(self.tls),
            Field::CfEdgeServerPort => self.port.map_or(Fact::Nothing, int),
            Field::WafAnomalyScore => Fact::Int(0),
            Field::ResponseCode => answer.map_or(Fact::Nothing, |(status, _)| int(*status)),
            Field::ResponseMediaType => {
                answer.map_or(Fact::Nothing, |(_, headers)| bytes(headers.media_type().unwrap_or_default()))
            }
            // what a description does not say, what is made of other fields, and what has entries
            _ => Fact::Nothing,
        }
    }

    fn entries(&self, field: Field, each: &mut Each<'_>) {
        match field {
            Field::UriArgs => each_argument(self.normal.query.as_bytes(), each),
            Field::RawUriArgs => each_argument(self.raw.query.as_bytes(), each),
            Field::Headers => self.headers.each(each),
            Field::Cookies => show(cookies(self.headers.line("cookie")), each),
            Field::AcceptedLanguages => {
                show(languages(self.headers.line("accept-language")).into_iter().map(|language| ("", language)), each);
            }
            Field::BodyForm => each_argument(self.form().unwrap_or_default().as_bytes(), each),
            Field::ResponseHeaders => {
                if let Some((_, headers)) = &self.response {
                    headers.each(each);
                }
            }
            // as above
            _ => {}
        }
    }
}

fn cookies(line: &str) -> impl Iterator<Item = (&str, &str)> {
    line.split(';').filter_map(|cookie| cookie.trim().split_once('='))
}

/// The languages of an `Accept-Language`, those of more weight first (RFC 9110 section 12.5.4).
fn languages(line: &str) -> Vec<&str> {
    let mut weighted: Vec<(u32, &str)> = line
        .split(',')
        .filter_map(|range| {
            let mut parts = range.split(';').map(str::trim);
            let language = parts.next().filter(|language| !language.is_empty())?;
            let weight = parts.find_map(|part| part.strip_prefix("q=")).map_or(Some(1.0), |weight| weight.parse().ok());
            Some((thousandths(weight.unwrap_or(0.0)), language))
        })
        .collect();
    weighted.sort_by_key(|(weight, _)| std::cmp::Reverse(*weight));
    weighted.into_iter().map(|(_, language)| language).collect()
}

/// A weight from 0 to 1, which has three decimals at most.
fn thousandths(weight: f32) -> u32 {
    (weight.clamp(0.0, 1.0) * 1000.0) as u32
}
