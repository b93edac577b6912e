//! A request as a row: what is measured of a record, and the values that a line of the request log has for the dimensions.
//! How a line is written is the vocabulary's business; it is read here by its field names.

mod agent;
mod line;
mod mask;

use std::borrow::Cow;
use std::sync::LazyLock;

use rayline_verdict::record::OriginFacts;
use rayline_verdict::{Code, RayId, Record};

use crate::dimension::{Dimension, Number};
use line::Line;
pub(crate) use mask::Masks;

/// Nanoseconds.
pub(crate) const MINUTE: i64 = 60_000_000_000;

/// Longer values are cut: visitors choose them.
const VALUE_BYTES: usize = 2048;

/// Whether a request has a verdict, or a status that says that it failed.
pub(crate) fn has_failed(record: &Record) -> bool {
    record.verdict.is_some() || record.edge_status >= 500
}

/// What is measured of a request, in the order of [`Number::ALL`].
pub(crate) fn measure(record: &Record) -> [u64; Number::ALL.len()] {
    let origin = |pick: fn(&OriginFacts) -> u64| record.origin.as_ref().map_or(0, pick);
    let took = record.end.0.saturating_sub(record.start.0);
    Number::ALL.map(|number| match number {
        Number::ResponseBytes => record.edge_bytes,
        Number::RequestBytes => record.client_body_bytes,
        Number::FirstByte => record.first_byte_us,
        Number::Duration => u64::try_from(took).unwrap_or_default() / 1000,
        Number::Dns => origin(|origin| origin.dns_us),
        Number::Tcp => origin(|origin| origin.tcp_us),
        Number::Tls => origin(|origin| origin.tls_us),
        Number::Send => origin(|origin| origin.send_us),
        Number::Wait => origin(|origin| origin.header_us),
        Number::OriginTotal => origin(|origin| origin.response_us),
    })
}

/// The party of a code by its name; empty if there is no such code.
pub(crate) fn party(code: &str) -> &'static str {
    Code::find(code).map_or("", |code| code.entry().party.name())
}

/// A host without its port. The brackets of an address of IPv6 stay.
pub(crate) fn without_port(host: &[u8]) -> &[u8] {
    let name = if host.starts_with(b"[") {
        host.iter().position(|byte| *byte == b']').map(|end| end + 1)
    } else {
        host.iter().position(|byte| *byte == b':')
    };
    name.and_then(|end| host.get(..end)).unwrap_or(host)
}

/// What a line says.
pub(crate) struct Values<'a> {
    pub(crate) ray: RayId,
    /// By [`Dimension::index`].
    pub(crate) texts: [Cow<'a, str>; Dimension::ALL.len()],
}

impl<'a> Values<'a> {
    /// Reads a line of the request log; `None` if it is none.
    pub(crate) fn parse(line: &'a [u8]) -> Option<Self> {
        let line = Line::parse(line)?;
        let ray = line.ray.parse().ok()?;
        let agent = agent::class(&line.user_agent);
        let party = party(&line.code);
        let texts = Dimension::ALL.map(|dimension| {
            // Every field is the source of one text; the clones are of borrowed texts but for those with escapes.
            let text = match dimension {
                Dimension::Zone => line.zone.clone(),
                Dimension::Host => host(line.host.clone()),
                Dimension::Method => line.method.clone(),
                Dimension::EdgeStatus => decimal(line.edge_status),
                Dimension::OriginStatus => decimal(line.origin_status),
                Dimension::Code => line.code.clone(),
                Dimension::Party => party.into(),
                Dimension::Colo => line.colo.clone(),
                Dimension::Origin => origin(&line.origin_ip, line.origin_port).into(),
                Dimension::Cache => line.cache.clone(),
                Dimension::Country => line.country.clone(),
                Dimension::Plan => decimal(line.plan),
                Dimension::Worker => line.worker.clone(),
                Dimension::Rule => line.rule.clone(),
                Dimension::Path => path(line.uri.clone()),
                Dimension::Client => line.client.clone(),
                Dimension::UserAgent => line.user_agent.clone(),
                Dimension::Agent => agent.into(),
                Dimension::Protocol => line.protocol.clone(),
                Dimension::Scheme => line.scheme.clone(),
                Dimension::OriginProtocol => line.origin_protocol.clone(),
                Dimension::Phase | Dimension::Bucket => "".into(),
            };
            cut(text, VALUE_BYTES)
        });
        Some(Self { ray, texts })
    }
}

fn host(host: Cow<'_, str>) -> Cow<'_, str> {
    let host = cut(host, crate::intake::HOST_BYTES);
    let length = without_port(host.as_bytes()).len();
    let mut host = cut(host, length);
    if host.bytes().any(|byte| byte.is_ascii_uppercase()) {
        host.to_mut().make_ascii_lowercase();
    }
    host
}

fn path(uri: Cow<'_, str>) -> Cow<'_, str> {
    let length = uri.find(['?', '#']).unwrap_or(uri.len());
    cut(uri, length)
}

fn origin(ip: &str, port: u64) -> String {
    let port = decimal(port);
    match ip {
        "" => String::new(),
        ip if ip.contains(':') => ["[", ip, "]:", &port].concat(),
        ip => [ip, ":", &port].concat(),
    }
}

/// The smallest numbers as texts: every status, and the ports that are used most.
static DECIMALS: LazyLock<Vec<String>> = LazyLock::new(|| (0..10_000_u32).map(|number| number.to_string()).collect());

/// A number as a text.
fn decimal(number: u64) -> Cow<'static, str> {
    match usize::try_from(number).ok().and_then(|place| DECIMALS.get(place)) {
        Some(text) => Cow::Borrowed(text),
        None => Cow::Owned(number.to_string()),
    }
}

/// The beginning of a text: at most so many bytes, of whole characters.
#[inline]
fn cut(text: Cow<'_, str>, bytes: usize) -> Cow<'_, str> {
    if text.len() <= bytes { text } else { shortened(text, bytes) }
}

fn shortened(text: Cow<'_, str>, bytes: usize) -> Cow<'_, str> {
    let end = (0..=bytes).rev().find(|end| text.is_char_boundary(*end)).unwrap_or_default();
    match text {
        Cow::Borrowed(text) => Cow::Borrowed(text.get(..end).unwrap_or_default()),
        Cow::Owned(mut text) => {
            text.truncate(end);
            Cow::Owned(text)
        }
    }
}
