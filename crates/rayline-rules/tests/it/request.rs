//! A request as it would come over the wire, and what is known of it: for tests, the fuzzer and the measuring.

use std::ops::ControlFlow;

use rayline_rules::Field;
use rayline_rules::facts::{Each, Fact, Facts};
use rayline_rules::waf::Body;

/// A request. Names and values are as they came.
#[derive(Debug, Clone, Default)]
pub(crate) struct Request {
    pub(crate) method: Vec<u8>,
    /// Path and query.
    pub(crate) target: Vec<u8>,
    pub(crate) headers: Vec<(Vec<u8>, Vec<u8>)>,
    pub(crate) body: Vec<u8>,
}

impl Request {
    /// A request that no rule minds.
    pub(crate) fn get(target: impl Into<Vec<u8>>) -> Self {
        Self { method: b"GET".to_vec(), target: target.into(), ..Self::default() }
            .header("Host", "www.example.com")
            .header("User-Agent", "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0")
            .header("Accept", "*/*")
    }

    /// One with a body.
    pub(crate) fn post(target: impl Into<Vec<u8>>, content_type: &str, body: impl Into<Vec<u8>>) -> Self {
        let get = Self::get(target).header("Content-Type", content_type);
        Self { method: b"POST".to_vec(), body: body.into(), ..get }
    }

    /// With this header field, in place of one that there was.
    pub(crate) fn header(mut self, name: &str, value: impl Into<Vec<u8>>) -> Self {
        self.headers.retain(|(other, _)| !other.eq_ignore_ascii_case(name.as_bytes()));
        self.headers.push((name.as_bytes().to_vec(), value.into()));
        self
    }

    /// The body as rules are given it.
    pub(crate) fn body(&self) -> Option<Body<'_>> {
        let content_type = self.value(b"content-type");
        (!self.body.is_empty()).then_some(Body { bytes: &self.body, truncated: false, content_type })
    }

    fn value(&self, name: &[u8]) -> Option<&[u8]> {
        self.headers.iter().find(|(other, _)| other.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_slice())
    }

    fn query_at(&self) -> usize {
        self.target.iter().position(|byte| *byte == b'?').unwrap_or(self.target.len())
    }
}

impl Facts for Request {
    fn fact(&self, field: Field) -> Fact<'_> {
        match field {
            Field::Method => Fact::Bytes(&self.method),
            Field::RawUriPath => Fact::Bytes(self.target.split_at(self.query_at()).0),
            Field::RawUriQuery => Fact::Bytes(self.target.get(self.query_at() + 1..).unwrap_or_default()),
            _ => Fact::Nothing,
        }
    }

    fn entries(&self, field: Field, each: &mut Each<'_>) {
        match field {
            Field::Headers => {
                _ = self.headers.iter().try_for_each(|(name, value)| each(name, value));
            }
            Field::Cookies => {
                for pair in self.value(b"cookie").unwrap_or_default().split(|byte| *byte == b';') {
                    let pair = pair.trim_ascii();
                    let cut = pair.iter().position(|byte| *byte == b'=').unwrap_or(pair.len());
                    if each(pair.split_at(cut).0, pair.get(cut + 1..).unwrap_or_default()) == ControlFlow::Break(()) {
                        return;
                    }
                }
            }
            _ => {}
        }
    }
}
