//! Where a job's lines go, read from `destination_conf`, the one text that says it as in Logpush.
//!
//! It holds secrets: no `Debug` or `Display` shows more than scheme, host and bucket, folder or table, and
//! [`Destination::mask`] takes the rest out of what receivers say.

use std::fmt;

use http::{HeaderMap, HeaderName, HeaderValue};
use rusty_s3::{Bucket, Credentials, UrlStyle};
use url::Url;

/// Secrets that are shorter are not looked for in texts: they would tear up words.
const SHORTEST_SECRET: usize = 4;

/// A receiver of batches.
#[derive(Clone)]
pub struct Destination {
    pub(super) kind: Kind,
    shown: String,
    secrets: Vec<String>,
}

#[derive(Clone)]
pub(super) enum Kind {
    /// One file per batch in a folder.
    File { folder: String },
    /// One object per batch.
    S3 { bucket: Box<Bucket>, credentials: Credentials, prefix: String },
    /// One request per batch.
    Http { url: Url, headers: HeaderMap, body: Body },
}

/// What a request's body is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Body {
    /// The lines.
    Lines,
    /// The lines, for an `INSERT` into this table.
    ClickHouse { table: String },
    /// Loki's JSON, with these labels.
    Loki { labels: Vec<(String, String)> },
    /// Traces in OTLP's protocol buffers.
    Otlp,
}

impl Destination {
    /// Reads a destination:
    ///
    /// - `file:///folder`
    /// - `http(s)://host/path?header_NAME=value`
    /// - `s3://bucket/prefix?region=…&access-key-id=…&secret-access-key=…`, with `&endpoint=https://host` where it is not
    ///   Amazon's, and `&session-token=…`
    /// - `clickhouse+http(s)://host:8123/?database=…&table=…&user=…&password=…`
    /// - `loki+http(s)://host/loki/api/v1/push?label_NAME=value`
    /// - `otlp+http(s)://host:4318/v1/traces`
    ///
    /// `header_NAME` sets a field of the request wherever there is one. Values are percent-encoded. `{DATE}` in a folder or
    /// prefix stands for the day, such as `20260301`.
    ///
    /// # Errors
    ///
    /// One sentence, which repeats no value.
    pub fn parse(conf: &str) -> Result<Self, String> {
        let (scheme, rest) =
            conf.split_once("://").ok_or("a destination begins with its scheme, such as `https://`")?;
        match scheme {
            "file" => Self::file(rest),
            "s3" => Self::s3(conf),
            "http" | "https" => Self::http(scheme, conf, |_| Ok(Body::Lines)),
            "clickhouse+http" | "clickhouse+https" => Self::http(scheme, strip(conf), Pairs::clickhouse),
            "loki+http" | "loki+https" => Self::http(scheme, strip(conf), Pairs::loki),
            "otlp+http" | "otlp+https" => Self::http(scheme, strip(conf), |_| Ok(Body::Otlp)),
            _ => Err(
                "the scheme is none of `file`, `http`, `https`, `s3`, `clickhouse+https`, `loki+https`, `otlp+https`"
                    .to_owned(),
            ),
        }
    }

    fn file(folder: &str) -> Result<Self, String> {
        let folder = folder.to_owned();
        if !folder.starts_with('/') || folder.contains('?') {
            return Err("a file destination is `file:///`, the path of a folder and nothing else".to_owned());
        }
        Ok(Self { shown: format!("file://{folder}"), kind: Kind::File { folder }, secrets: Vec::new() })
    }

    fn s3(conf: &str) -> Result<Self, String> {
        let url = Url::parse(conf).map_err(|error| error.to_string())?;
        let name = url
            .host_str()
            .filter(|name| !name.is_empty())
            .ok_or("an S3 destination names its bucket: `s3://bucket/`")?;
        let mut pairs = Pairs::of(&url);
        // keys have no spaces, but `+`, which few people encode
        let mut key = |name: &str| pairs.take(name).map(|value| value.replace(' ', "+"));
        let id = key("access-key-id").ok_or("`access-key-id` is missing")?;
        let secret = key("secret-access-key").ok_or("`secret-access-key` is missing")?;
        let token = key("session-token");
        let region = pairs.take("region").ok_or("`region` is missing")?;
        let endpoint = pairs.take("endpoint");
        pairs.end()?;
        let style = if endpoint.is_some() { UrlStyle::Path } else { UrlStyle::VirtualHost };
        let endpoint = endpoint.unwrap_or_else(|| format!("https://s3.{region}.amazonaws.com"));
        let endpoint = if endpoint.contains("://") { endpoint } else { format!("https://{endpoint}") };
        let endpoint = Url::parse(&endpoint).map_err(|error| format!("`endpoint`: {error}"))?;
        let bucket =
            Bucket::new(endpoint, style, name.to_owned(), region).map_err(|error| format!("`endpoint`: {error}"))?;
        // as it is written: the signature is made over the name of the object, not over an encoding of it
        let path = conf.split(['?', '#']).next().and_then(|place| place.splitn(4, '/').nth(3));
        let prefix = path.unwrap_or_default().trim_matches('/').to_owned();
        let shown = format!("s3://{name}/{prefix}");
        let secrets = [&id, &secret].into_iter().chain(&token).cloned().collect();
        let credentials = match token {
            Some(token) => Credentials::new_with_token(id, secret, token),
            None => Credentials::new(id, secret),
        };
        Ok(Self { kind: Kind::S3 { bucket: Box::new(bucket), credentials, prefix }, shown, secrets })
    }

    fn http(scheme: &str, url: &str, body: impl FnOnce(&mut Pairs) -> Result<Body, String>) -> Result<Self, String> {
        let mut url = Url::parse(url).map_err(|error| error.to_string())?;
        if !url.username().is_empty() || url.password().is_some() {
            return Err("name and password do not stand before the host: use `header_Authorization`".to_owned());
        }
        let mut pairs = Pairs::of(&url);
        let headers = pairs.headers()?;
        let body = body(&mut pairs)?;
        let values = headers.values().filter_map(|value| value.to_str().ok()).flat_map(|value| {
            // receivers that repeat a field's value mostly do so without its scheme
            std::iter::once(value).chain(value.split_once(' ').map(|(_, token)| token))
        });
        let path = url.path().trim_matches('/');
        let secrets = values.map(str::to_owned).chain(pairs.0.iter().map(|(_, value)| value.clone()));
        let secrets = secrets.chain(matches!(body, Body::Lines).then(|| path.to_owned())).collect();
        let place = url.host_str().unwrap_or_default();
        let port = url.port().map(|port| format!(":{port}")).unwrap_or_default();
        let shown = match &body {
            Body::ClickHouse { table } => format!("{scheme}://{place}{port}, table {table}"),
            Body::Lines | Body::Loki { .. } | Body::Otlp => format!("{scheme}://{place}{port}"),
        };
        pairs.put_into(&mut url);
        Ok(Self { kind: Kind::Http { url, headers, body }, shown, secrets })
    }

    /// A text without the secrets of this destination.
    pub(super) fn mask(&self, text: &str) -> String {
        let long = self.secrets.iter().filter(|secret| secret.len() >= SHORTEST_SECRET);
        long.fold(text.to_owned(), |text, secret| text.replace(secret.as_str(), "***"))
    }
}

impl fmt::Display for Destination {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.shown)
    }
}

impl fmt::Debug for Destination {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Destination({})", self.shown)
    }
}

/// Without the word before the `+`.
fn strip(conf: &str) -> &str {
    conf.split_once('+').map_or(conf, |(_, url)| url)
}

/// The parameters of a query that nobody has taken yet.
struct Pairs(Vec<(String, String)>);

impl Pairs {
    fn of(url: &Url) -> Self {
        Self(url.query_pairs().map(|(name, value)| (name.into_owned(), value.into_owned())).collect())
    }

    fn take(&mut self, name: &str) -> Option<String> {
        let place = self.0.iter().position(|(known, _)| known == name)?;
        Some(self.0.remove(place).1)
    }

    /// Takes all that begin so, without the beginning.
    fn take_all(&mut self, prefix: &str) -> Vec<(String, String)> {
        let (taken, left) = std::mem::take(&mut self.0).into_iter().partition(|(name, _)| name.starts_with(prefix));
        self.0 = left;
        let taken: Vec<(String, String)> = taken;
        taken.into_iter().map(|(name, value)| (name.trim_start_matches(prefix).to_owned(), value)).collect()
    }

    fn headers(&mut self) -> Result<HeaderMap, String> {
        let mut headers = HeaderMap::new();
        for (name, value) in self.take_all("header_") {
            let wrong = || format!("`header_{}` is no field that can be sent", name.escape_default());
            let known = HeaderName::try_from(&name).map_err(|_| wrong())?;
            let mut value = HeaderValue::try_from(value).map_err(|_| wrong())?;
            value.set_sensitive(true);
            headers.append(known, value);
        }
        for (parameter, field) in [("user", "x-clickhouse-user"), ("password", "x-clickhouse-key")] {
            if let Some(value) = self.0.iter().any(|(name, _)| name == "table").then(|| self.take(parameter)).flatten()
            {
                let value = HeaderValue::try_from(value).map_err(|_| format!("`{parameter}` cannot be sent"))?;
                headers.insert(HeaderName::from_static(field), value);
            }
        }
        Ok(headers)
    }

    fn clickhouse(&mut self) -> Result<Body, String> {
        let database = self.take("database").unwrap_or_else(|| "default".to_owned());
        let table = self.take("table").ok_or("`table` is missing")?;
        for name in [&database, &table] {
            if !is_word(name) {
                return Err("`database` and `table` are letters, digits and `_`".to_owned());
            }
        }
        Ok(Body::ClickHouse { table: format!("{database}.{table}") })
    }

    fn loki(&mut self) -> Result<Body, String> {
        let mut labels = self.take_all("label_");
        if labels.iter().any(|(name, _)| !is_word(name)) {
            return Err("the name of a label is letters, digits and `_`, no digit first".to_owned());
        }
        if labels.is_empty() {
            labels.push(("job".to_owned(), "rayline".to_owned()));
        }
        Ok(Body::Loki { labels })
    }

    /// What is left goes with every request.
    fn put_into(self, url: &mut Url) {
        url.set_query(None);
        if !self.0.is_empty() {
            url.query_pairs_mut().extend_pairs(self.0);
        }
    }

    fn end(self) -> Result<(), String> {
        match self.0.first() {
            Some((name, _)) => Err(format!("there is no parameter `{}` here", name.escape_default())),
            None => Ok(()),
        }
    }
}

fn is_word(name: &str) -> bool {
    let mut letters = name.bytes();
    letters.next().is_some_and(|first| first.is_ascii_alphabetic() || first == b'_')
        && letters.all(|letter| letter.is_ascii_alphanumeric() || letter == b'_')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_is_read_and_shows_no_secret() {
        for (conf, shown) in [
            ("file:///var/log/push/{DATE}", "file:///var/log/push/{DATE}"),
            ("https://logs.example/s3cret?header_Authorization=Bearer%20s3cret&tag=s3cret", "https://logs.example"),
            (
                "s3://logs/edge/{DATE}?region=auto&endpoint=https://s3.example&access-key-id=s3cret&secret-access-key=s3c+ret/s3cret",
                "s3://logs/edge/{DATE}",
            ),
            ("s3://logs?region=eu-west-1&access-key-id=a&secret-access-key=b&session-token=c", "s3://logs/"),
            (
                "clickhouse+https://ch.example:8443/?database=edge&table=requests&user=u&password=s3cret",
                "clickhouse+https://ch.example:8443, table edge.requests",
            ),
            (
                "loki+http://loki.example:3100/loki/api/v1/push?label_job=edge&header_X-Scope-OrgID=s3cret",
                "loki+http://loki.example:3100",
            ),
            ("otlp+https://otel.example:4318/v1/traces?header_api-key=s3cret", "otlp+https://otel.example:4318"),
        ] {
            let destination = Destination::parse(conf).unwrap();
            assert_eq!(destination.to_string(), shown);
            assert!(!format!("{destination:?}").contains("s3cret"));
            assert!(
                !destination.mask("they said s3cret, s3c+ret/s3cret").contains("they said s3cret")
                    || !conf.contains("s3cret")
            );
        }
    }

    #[test]
    fn parameters_are_taken_and_the_others_stay() {
        let destination = Destination::parse("loki+https://l.example/push?label_a=b&x=y&header_x-a=c%20d").unwrap();
        let Kind::Http { url, headers, body } = destination.kind else { panic!("it is another kind") };
        assert_eq!((url.as_str(), headers["x-a"].to_str().unwrap()), ("https://l.example/push?x=y", "c d"));
        assert_eq!(body, Body::Loki { labels: vec![("a".to_owned(), "b".to_owned())] });
    }

    #[test]
    fn what_is_wrong_is_said_without_values() {
        for conf in [
            "logs.example",
            "ftp://s3cret",
            "file://relative",
            "https://user:s3cret@logs.example/",
            "https://logs.example/?header_a%20b=s3cret",
            "https://logs.example/?header_a=s3cret%0Ax",
            "https://",
            "s3://logs?region=r&access-key-id=s3cret",
            "s3://logs?region=r&access-key-id=s3cret&secret-access-key=s3cret&acl=s3cret",
            "clickhouse+http://ch.example/?database=a",
            "clickhouse+http://ch.example/?table=s3cret%60",
            "loki+http://l.example/?label_1=s3cret",
        ] {
            let wrong = Destination::parse(conf).unwrap_err();
            assert!(!wrong.contains("s3cret"), "{wrong}");
        }
    }
}
