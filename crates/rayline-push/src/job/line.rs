//! One line of the request log, read as far as a job needs it.
//!
//! What decides whether a line is taken is looked up by the text of its key, for every line pays for that. It may, for the
//! line's maker escapes every quotation mark inside a value: the key with its own cannot stand anywhere else.

use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;

use memchr::memmem::Finder;
use rayline_verdict::{Moment, RayId};
use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

/// The parts of a line that a filter looks at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Subject<'a> {
    /// `ZoneName`.
    pub zone: &'a str,
    /// `EdgeResponseStatus`.
    pub edge_status: u16,
    /// `VerdictCode` and `VerdictStatus`, where there is a verdict.
    pub verdict: Option<(&'a str, u16)>,
}

impl Subject<'_> {
    /// Whether the request has a verdict, or was answered with a status of a failed server.
    pub const fn is_failure(&self) -> bool {
        self.verdict.is_some() || self.edge_status >= 500
    }
}

/// Which lines are wanted. It is given by whoever knows the words for it, for the same are used elsewhere.
#[derive(Clone)]
pub struct Filter(Arc<dyn Fn(&Subject<'_>) -> bool + Send + Sync>);

impl Filter {
    /// A filter that admits what `admits` is true of.
    pub fn new(admits: impl Fn(&Subject<'_>) -> bool + Send + Sync + 'static) -> Self {
        Self(Arc::new(admits))
    }

    pub(crate) fn admits(&self, subject: &Subject<'_>) -> bool {
        (self.0)(subject)
    }
}

impl fmt::Debug for Filter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Filter(..)")
    }
}

/// Looks up fields by the text of their keys.
#[derive(Clone, Debug)]
pub(crate) struct Keys {
    ray: Finder<'static>,
    zone: Finder<'static>,
    edge_status: Finder<'static>,
    code: Finder<'static>,
    number: Finder<'static>,
}

impl Keys {
    pub(crate) fn new() -> Self {
        Self {
            ray: Finder::new("\"RayID\":\""),
            zone: Finder::new(",\"ZoneName\":\""),
            edge_status: Finder::new(",\"EdgeResponseStatus\":"),
            code: Finder::new(",\"VerdictCode\":\""),
            number: Finder::new(",\"VerdictStatus\":"),
        }
    }

    pub(crate) fn subject<'a>(&self, line: &'a [u8]) -> Subject<'a> {
        let verdict = text(&self.code, line).map(|code| (code, number(&self.number, line)));
        let zone = text(&self.zone, line).unwrap_or_default();
        Subject { zone, edge_status: number(&self.edge_status, line), verdict }
    }

    pub(crate) fn ray(&self, line: &[u8]) -> Option<RayId> {
        text(&self.ray, line)?.parse().ok()
    }
}

/// A value without escapes in it, such as codes and the names of zones are.
fn text<'a>(key: &Finder<'_>, line: &'a [u8]) -> Option<&'a str> {
    let rest = after(key, line)?;
    let end = memchr::memchr(b'"', rest)?;
    std::str::from_utf8(rest.get(..end)?).ok()
}

fn number(key: &Finder<'_>, line: &[u8]) -> u16 {
    let digits = after(key, line).unwrap_or_default().iter().take_while(|byte| byte.is_ascii_digit());
    digits.fold(0, |number: u16, digit| number.saturating_mul(10).saturating_add(u16::from(digit - b'0')))
}

fn after<'a>(key: &Finder<'_>, line: &'a [u8]) -> Option<&'a [u8]> {
    line.get(key.find(line)? + key.needle().len()..)
}

/// How times are written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum TimestampFormat {
    /// RFC 3339 with nanoseconds, as in the request log.
    #[default]
    Rfc3339Ns,
    /// RFC 3339 with milliseconds.
    Rfc3339Ms,
    /// RFC 3339 with whole seconds.
    Rfc3339,
    /// Seconds since 1970, a number.
    Unix,
    /// Nanoseconds since 1970, a number.
    UnixNano,
}

impl TimestampFormat {
    /// Every one, with the word for it in Logpush.
    pub const NAMES: [(&'static str, Self); 5] = [
        ("rfc3339ns", Self::Rfc3339Ns),
        ("rfc3339ms", Self::Rfc3339Ms),
        ("rfc3339", Self::Rfc3339),
        ("unix", Self::Unix),
        ("unixnano", Self::UnixNano),
    ];

    /// The format of that name.
    ///
    /// # Errors
    ///
    /// One sentence that lists the names.
    pub fn named(name: &str) -> Result<Self, String> {
        let found = Self::NAMES.iter().find(|(known, _)| *known == name);
        found.map(|(_, format)| *format).ok_or_else(|| {
            let names = Self::NAMES.map(|(name, _)| format!("`{name}`")).join(", ");
            format!("there is no time format `{}`; they are {names}", name.escape_default())
        })
    }

    fn write(self, time: OffsetDateTime) -> String {
        const MS: &[time::format_description::BorrowedFormatItem<'_>] =
            time::macros::format_description!("[year]-[month]-[day]T[hour]:[minute]:[second].[subsecond digits:3]Z");
        let quoted = |text: Result<String, time::error::Format>| format!("\"{}\"", text.unwrap_or_default());
        match self {
            Self::Rfc3339Ns => quoted(time.format(&Rfc3339)),
            Self::Rfc3339Ms => quoted(time.format(MS)),
            Self::Rfc3339 => quoted(time.replace_nanosecond(0).unwrap_or(time).format(&Rfc3339)),
            Self::Unix => time.unix_timestamp().to_string(),
            Self::UnixNano => time.unix_timestamp_nanos().to_string(),
        }
    }
}

/// A time as the request log writes it.
pub(crate) fn moment(text: &str) -> Option<Moment> {
    let time = OffsetDateTime::parse(text, &Rfc3339).ok()?;
    i64::try_from(time.unix_timestamp_nanos()).ok().map(Moment)
}

/// The fields of a line in their order, the values as they are written.
#[derive(Debug)]
struct Fields<'a>(Vec<(Cow<'a, str>, &'a RawValue)>);

impl<'de: 'a, 'a> Deserialize<'de> for Fields<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Take;

        impl<'de> Visitor<'de> for Take {
            type Value = Fields<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut fields = Vec::with_capacity(64);
                while let Some(field) = map.next_entry::<&str, &RawValue>()? {
                    fields.push((Cow::Borrowed(field.0), field.1));
                }
                Ok(Fields(fields))
            }
        }

        deserializer.deserialize_map(Take)
    }
}

/// What of each line goes out, and how times are written in it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct OutputOptions {
    /// The fields, in the order wanted; empty: all of them. One that a line does not have is left out.
    pub field_names: Vec<String>,
    /// How the fields that end in `Timestamp` are written.
    pub timestamp_format: TimestampFormat,
}

impl OutputOptions {
    /// Whether lines go out as they are.
    pub(crate) fn is_plain(&self) -> bool {
        self.field_names.is_empty() && self.timestamp_format == TimestampFormat::Rfc3339Ns
    }

    /// Appends a line as it is wanted, and its end. `false`: it is no object, and left out.
    pub(crate) fn write(&self, line: &[u8], out: &mut Vec<u8>) -> bool {
        let Ok(Fields(fields)) = serde_json::from_slice(line) else { return false };
        out.push(b'{');
        let start = out.len();
        let mut put = |(name, value): &(Cow<'_, str>, &RawValue)| {
            if out.len() > start {
                out.push(b',');
            }
            out.push(b'"');
            out.extend_from_slice(name.as_bytes());
            out.extend_from_slice(b"\":");
            match self.rewritten(name, value.get()) {
                Some(time) => out.extend_from_slice(time.as_bytes()),
                None => out.extend_from_slice(value.get().as_bytes()),
            }
        };
        if self.field_names.is_empty() {
            fields.iter().for_each(put);
        } else {
            let found = self.field_names.iter().filter_map(|name| fields.iter().find(|field| field.0 == *name));
            found.for_each(&mut put);
        }
        out.extend_from_slice(b"}\n");
        true
    }

    fn rewritten(&self, name: &str, value: &str) -> Option<String> {
        if self.timestamp_format == TimestampFormat::Rfc3339Ns || !name.ends_with("Timestamp") {
            return None;
        }
        let text = value.strip_prefix('"')?.strip_suffix('"')?;
        OffsetDateTime::parse(text, &Rfc3339).ok().map(|time| self.timestamp_format.write(time))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LINE: &[u8] = br#"{"RayID":"230b030023ae2822","EdgeStartTimestamp":"2026-03-01T10:00:00.123456789Z","ZoneName":"shop.example","ClientRequestUserAgent":"\",\"VerdictCode\":\"edge.","EdgeResponseStatus":521,"VerdictCode":"origin.connect.refused","VerdictStatus":521,"VerdictEvidence":{"errno":"ECONNREFUSED"}}"#;

    fn written(names: &[&str], timestamp_format: TimestampFormat) -> String {
        let field_names = names.iter().map(|name| (*name).to_owned()).collect();
        let mut out = Vec::new();
        assert!(OutputOptions { field_names, timestamp_format }.write(LINE, &mut out));
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn a_field_is_found_and_never_inside_another() {
        let keys = Keys::new();
        let subject = keys.subject(LINE);
        assert_eq!(
            subject,
            Subject { zone: "shop.example", edge_status: 521, verdict: Some(("origin.connect.refused", 521)) }
        );
        assert_eq!(keys.ray(LINE), Some(RayId(0x230b_0300_23ae_2822)));
        assert_eq!(keys.subject(b"garbage"), Subject { zone: "", edge_status: 0, verdict: None });
    }

    #[test]
    fn fields_are_chosen_and_times_rewritten() {
        assert_eq!(
            written(&["EdgeResponseStatus", "Nothing", "RayID"], TimestampFormat::Unix),
            "{\"EdgeResponseStatus\":521,\"RayID\":\"230b030023ae2822\"}\n"
        );
        for (format, expected) in [
            (TimestampFormat::Rfc3339Ns, "\"2026-03-01T10:00:00.123456789Z\""),
            (TimestampFormat::Rfc3339Ms, "\"2026-03-01T10:00:00.123Z\""),
            (TimestampFormat::Rfc3339, "\"2026-03-01T10:00:00Z\""),
            (TimestampFormat::Unix, "1772359200"),
            (TimestampFormat::UnixNano, "1772359200123456789"),
        ] {
            let line = format!("{{\"EdgeStartTimestamp\":{expected}}}\n");
            assert_eq!(written(&["EdgeStartTimestamp"], format), line);
        }
        let all = written(&[], TimestampFormat::Unix);
        assert_eq!(all.len(), LINE.len() + 1 - "\"2026-03-01T10:00:00.123456789Z\"".len() + "1772359200".len());
        assert!(!OutputOptions::default().write(b"{\"cut", &mut Vec::new()));
        assert!(TimestampFormat::named("iso").is_err());
    }
}
