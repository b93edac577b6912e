//! How one written value becomes one of ours.
//!
//! It looks at the value alone: what depends on other keys, or on files, is checked by [`crate::compile`].

use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use ipnet::IpNet;
use rayline_verdict::Colo;
use toml::de::DeValue;

use crate::document::{At, Item, shown};
use crate::keys::{Kind, nearest, show_duration};
use crate::plan::{AlertKind, HttpVersion, LogLevel, ProxyProtocol, ReceiverKind, RecordKind, SslMode, TlsVersion};

/// A type that can be read from a value. A value that does not fit leaves a problem behind.
pub(crate) trait Read: Sized {
    fn read(item: &Item<'_>) -> Option<Self>;
}

impl<T: Read> Read for At<T> {
    fn read(item: &Item<'_>) -> Option<Self> {
        Some(Self { value: T::read(item)?, place: item.place.clone() })
    }
}

impl<T: Read> Read for Vec<T> {
    /// What can be read of it; the rest has left its problems.
    fn read(item: &Item<'_>) -> Option<Self> {
        Some(item.items()?.iter().filter_map(T::read).collect())
    }
}

impl Read for String {
    fn read(item: &Item<'_>) -> Option<Self> {
        match item.text()? {
            "" => item.refuse(item.place.error(format!("expected {}, found an empty string", item.kind))),
            text => Some(text.to_owned()),
        }
    }
}

/// A text that may be empty.
#[derive(Debug, Clone, Default)]
pub(crate) struct AnyText(pub(crate) String);

impl Read for AnyText {
    fn read(item: &Item<'_>) -> Option<Self> {
        Some(Self(item.text()?.to_owned()))
    }
}

impl Read for bool {
    fn read(item: &Item<'_>) -> Option<Self> {
        match (item.value, item.kind) {
            (DeValue::Boolean(value), _) => Some(*value),
            (DeValue::String(text), Kind::Switch) if matches!(text.as_ref(), "on" | "off") => Some(text == "on"),
            (DeValue::String(text), Kind::Switch) => {
                item.refuse(item.place.error(format!("`{}` is neither `\"on\"` nor `\"off\"`", shown(text))))
            }
            _ => item.refuse(item.expected()),
        }
    }
}

// === numbers ===

impl Read for u64 {
    fn read(item: &Item<'_>) -> Option<Self> {
        let Kind::Whole { min, max, .. } = item.kind else { return None };
        let DeValue::Integer(number) = item.value else { return item.refuse(item.expected()) };
        match Self::from_str_radix(number.as_str().trim_start_matches('+'), number.radix()) {
            Ok(value) if (*min..=*max).contains(&value) => Some(value),
            _ => item.refuse(item.place.error(format!("{} is not {}", shown(number.as_str()), item.kind))),
        }
    }
}

impl Read for i64 {
    fn read(item: &Item<'_>) -> Option<Self> {
        let Kind::Number { min, max } = item.kind else { return None };
        let DeValue::Integer(number) = item.value else { return item.refuse(item.expected()) };
        match Self::from_str_radix(number.as_str().trim_start_matches('+'), number.radix()) {
            Ok(value) if (*min..=*max).contains(&value) => Some(value),
            _ => item.refuse(item.place.error(format!("{} is not {}", shown(number.as_str()), item.kind))),
        }
    }
}

/// The smaller whole numbers: the bounds of their keys keep them within the type.
macro_rules! read_whole {
    ($($type:ty),*) => {$(
        impl Read for $type {
            fn read(item: &Item<'_>) -> Option<Self> {
                u64::read(item)?.try_into().ok()
            }
        }
    )*};
}

read_whole!(u16, u32, usize);

impl Read for f64 {
    fn read(item: &Item<'_>) -> Option<Self> {
        let (min, max) = match item.kind {
            Kind::Decimal { min, max } => (*min, *max),
            Kind::Share => (0.0, 1.0),
            _ => return None,
        };
        let text = match item.value {
            DeValue::Float(number) => number.as_str(),
            DeValue::Integer(number) => number.as_str(),
            _ => return item.refuse(item.expected()),
        };
        match text.trim_start_matches('+').replace('_', "").parse::<Self>() {
            Ok(value) if (min..=max).contains(&value) => Some(value),
            _ => item.refuse(item.place.error(format!("{} is not {}", shown(text), item.kind))),
        }
    }
}

impl Read for Duration {
    fn read(item: &Item<'_>) -> Option<Self> {
        let Kind::Time { min, max } = item.kind else { return None };
        let parsed = match item.value {
            DeValue::Integer(number) => number.as_str().parse().ok().map(Self::from_secs),
            DeValue::String(text) => parse_duration(text),
            _ => {
                return item.refuse(
                    item.expected().hint("write a number with a unit, such as `\"19s\"`, `\"500ms\"` or `\"2m\"`"),
                );
            }
        };
        match parsed {
            Some(duration) if (*min..=*max).contains(&duration) => Some(duration),
            Some(duration) => item.refuse(item.place.error(format!("`{}` is not {}", show_duration(duration), item.kind))),
            None => item.refuse(
                item.place
                    .error(format!("`{}` is not a duration", shown(&plain(item.value))))
                    .hint("write a whole number with a unit (`ms`, `s`, `m`, `h` or `d`), such as `\"19s\"`; without a unit it is seconds"),
            ),
        }
    }
}

/// `19s`, `500ms`, `2m`, `1h`, `30d`.
fn parse_duration(text: &str) -> Option<Duration> {
    let digits = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let (number, unit) = text.split_at(digits);
    let millis: u64 = match unit.trim_start() {
        "ms" => 1,
        "s" | "" => 1000,
        "m" => 60_000,
        "h" => 3_600_000,
        "d" => 86_400_000,
        _ => return None,
    };
    Some(Duration::from_millis(number.parse::<u64>().ok()?.checked_mul(millis)?))
}

/// A scalar as it was written, without quotes.
fn plain(value: &DeValue<'_>) -> String {
    match value {
        DeValue::String(text) => text.to_string(),
        DeValue::Integer(number) => number.as_str().to_owned(),
        DeValue::Float(_) | DeValue::Boolean(_) | DeValue::Datetime(_) | DeValue::Array(_) | DeValue::Table(_) => {
            value.type_str().to_owned()
        }
    }
}

// === addresses ===

impl Read for SocketAddr {
    fn read(item: &Item<'_>) -> Option<Self> {
        let text = item.text()?;
        text.parse().ok().or_else(|| {
            let problem = item.place.error(format!("`{}` is not an address and port", shown(text)));
            item.refuse(match (text.parse::<IpAddr>(), text.rsplit_once(':')) {
                (Ok(address), _) => problem.hint(format!("add a port: `{}`", Self::new(address, 80))),
                (Err(_), Some(("", port))) => {
                    problem.hint(format!("write `0.0.0.0:{}` for every address of this machine", shown(port)))
                }
                (Err(_), Some(("localhost", port))) => {
                    problem.hint(format!("write the address: `127.0.0.1:{}`", shown(port)))
                }
                (Err(_), _) if !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit()) => {
                    problem.hint(format!("write `0.0.0.0:{text}` for every address of this machine"))
                }
                (Err(_), _) => problem.hint("write it as `0.0.0.0:80` or `[::]:80`; names are not taken here"),
            })
        })
    }
}

/// A name server: an address, with a port if it is not 53.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Resolver(pub(crate) SocketAddr);

impl Read for Resolver {
    fn read(item: &Item<'_>) -> Option<Self> {
        let text = item.text()?;
        let address = text.parse::<IpAddr>().map(|address| SocketAddr::new(address, 53));
        address.ok().or_else(|| text.parse().ok()).map(Self).or_else(|| {
            let problem = item.place.error(format!("`{}` is not the address of a name server", shown(text)));
            item.refuse(problem.hint("write it as `9.9.9.9` or `127.0.0.1:5353`"))
        })
    }
}

impl Read for IpNet {
    fn read(item: &Item<'_>) -> Option<Self> {
        let text = item.text()?;
        let network = text.parse::<IpAddr>().map(Self::from).ok().or_else(|| text.parse().ok());
        network.map(|network: Self| network.trunc()).or_else(|| {
            let problem = item.place.error(format!("`{}` is not an address or a network", shown(text)));
            item.refuse(problem.hint("write it as `192.0.2.1`, `10.0.0.0/8` or `fd00::/8`"))
        })
    }
}

impl Read for Colo {
    fn read(item: &Item<'_>) -> Option<Self> {
        let text = item.text()?;
        Self::new(text).or_else(|| {
            let problem = item.place.error(format!("`{}` is not three letters from `A` to `Z`", shown(text)));
            item.refuse(match Self::new(&text.to_ascii_uppercase()) {
                Some(colo) => problem.hint(format!("write `{colo}`")),
                None => problem.hint("an airport's IATA code is usual, such as `LHR`"),
            })
        })
    }
}

// === one of several words ===

/// A type with one word for each of its values.
pub(crate) trait Choice: Copy + 'static {
    const CHOICES: &'static [(&'static str, Self)];
    /// Words that are understood but refused, each with the reason and with what to do.
    const REFUSED: &'static [(&'static str, &'static str, &'static str)] = &[];
}

/// The words of a [`Choice`], for the table of keys.
pub(crate) fn names<T: Choice>() -> Vec<&'static str> {
    T::CHOICES.iter().map(|(name, _)| *name).collect()
}

impl<T: Choice> Read for T {
    fn read(item: &Item<'_>) -> Option<Self> {
        let text = item.text()?;
        if let Some((_, value)) = T::CHOICES.iter().find(|(name, _)| *name == text) {
            return Some(*value);
        }
        if let Some((name, reason, hint)) = T::REFUSED.iter().find(|(name, ..)| *name == text) {
            return item.refuse(item.place.error(format!("`{name}` {reason}")).hint(*hint));
        }
        let problem = item.place.error(format!("expected {}, found `{}`", item.kind, shown(text)));
        item.refuse(match nearest(text, T::CHOICES.iter().map(|(name, _)| *name)) {
            Some(near) => problem.hint(format!("did you mean `{near}`?")),
            None => problem,
        })
    }
}

const NOT_YET: &str = "is not available in this version";

impl Choice for LogLevel {
    const CHOICES: &'static [(&'static str, Self)] = &[
        ("error", Self::Error),
        ("warn", Self::Warn),
        ("info", Self::Info),
        ("debug", Self::Debug),
        ("trace", Self::Trace),
    ];
}

impl Choice for SslMode {
    const CHOICES: &'static [(&'static str, Self)] = &[
        ("off", Self::Off),
        ("flexible", Self::Flexible),
        ("full", Self::Full),
        ("strict", Self::Strict),
        ("origin_pull", Self::OriginPull),
    ];
}

impl Choice for TlsVersion {
    const CHOICES: &'static [(&'static str, Self)] = &[("1.2", Self::V12), ("1.3", Self::V13)];
    const REFUSED: &'static [(&'static str, &'static str, &'static str)] = &[
        ("1.0", "is no TLS version this edge speaks", "the lowest is `1.2`"),
        ("1.1", "is no TLS version this edge speaks", "the lowest is `1.2`"),
    ];
}

impl Choice for HttpVersion {
    const CHOICES: &'static [(&'static str, Self)] = &[("1", Self::V1), ("2", Self::V2)];
}

impl Choice for RecordKind {
    const CHOICES: &'static [(&'static str, Self)] = &[("A", Self::A), ("AAAA", Self::Aaaa), ("CNAME", Self::Cname)];
    const REFUSED: &'static [(&'static str, &'static str, &'static str)] = &[
        ("CAA", NOT_YET, OTHER_RECORD),
        ("HTTPS", NOT_YET, OTHER_RECORD),
        ("MX", NOT_YET, OTHER_RECORD),
        ("NS", NOT_YET, OTHER_RECORD),
        ("PTR", NOT_YET, OTHER_RECORD),
        ("SOA", NOT_YET, OTHER_RECORD),
        ("SRV", NOT_YET, OTHER_RECORD),
        ("SVCB", NOT_YET, OTHER_RECORD),
        ("TLSA", NOT_YET, OTHER_RECORD),
        ("TXT", NOT_YET, OTHER_RECORD),
        ("URI", NOT_YET, OTHER_RECORD),
    ];
}

const OTHER_RECORD: &str =
    "leave it out: the edge answers no DNS queries yet, and only `A`, `AAAA` and `CNAME` lead to an origin";

impl Choice for ProxyProtocol {
    const CHOICES: &'static [(&'static str, Self)] =
        &[("off", Self::Off), ("v1", Self::V1), ("v2", Self::V2), ("any", Self::Any)];
}

impl Choice for AlertKind {
    const CHOICES: &'static [(&'static str, Self)] = &[
        ("failure_rate", Self::FailureRate),
        ("new_code", Self::NewCode),
        ("burn_rate", Self::BurnRate),
        ("certificate", Self::Certificate),
        ("near_timeout", Self::NearTimeout),
        ("rollback", Self::Rollback),
    ];
}

impl Choice for ReceiverKind {
    const CHOICES: &'static [(&'static str, Self)] = &[
        ("webhook", Self::Webhook),
        ("slack", Self::Slack),
        ("discord", Self::Discord),
        ("teams", Self::Teams),
        ("pagerduty", Self::PagerDuty),
        ("email", Self::Email),
        ("command", Self::Command),
    ];
}

impl SslMode {
    /// The setting's value as it is written.
    pub fn as_str(self) -> &'static str {
        word(self)
    }
}

/// The word of a value.
pub(crate) fn word<T: Choice + PartialEq>(value: T) -> &'static str {
    T::CHOICES.iter().find(|(_, of)| *of == value).map_or("", |(name, _)| *name)
}
