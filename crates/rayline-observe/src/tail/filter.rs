//! Which requests a follower wants to see, written the same way in a query string and on the command line.

use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;

use rayline_verdict::{Party, Record, TABLE};
use serde_json::Value;

/// What every request that is shown must be. The default shows all.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TailFilter {
    /// In this zone.
    pub zone: Option<String>,
    /// With this status.
    pub status: Option<StatusFilter>,
    /// Failed, and this party can act.
    pub party: Option<Party>,
    /// Failed with such a code.
    pub code: Option<CodeFilter>,
    /// With a verdict.
    pub failures_only: bool,
}

/// A status or a class of them: of what was sent, or of the verdict's number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StatusFilter {
    /// This one, such as 502 or 1016.
    Exactly(u16),
    /// Those that begin so: 5 for `5xx`.
    Class(u16),
}

/// The beginning of a code's name, such as `origin.` or `origin.connect.refused`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CodeFilter(String);

/// The parts of a record, or of its line, that a filter looks at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Subject<'a> {
    /// `ZoneName`.
    pub zone: Cow<'a, str>,
    /// `EdgeResponseStatus`.
    pub edge_status: u16,
    /// `VerdictCode` and `VerdictStatus`, where there is a verdict.
    pub verdict: Option<(Cow<'a, str>, u16)>,
}

impl<'a> From<&'a Record> for Subject<'a> {
    fn from(record: &'a Record) -> Self {
        Self {
            zone: Cow::Borrowed(&record.zone),
            edge_status: record.edge_status,
            verdict: record.verdict.as_ref().map(|verdict| (Cow::Borrowed(verdict.code.name()), verdict.number)),
        }
    }
}

impl<'a> Subject<'a> {
    /// Of one object of the request log; a field that is missing or of another type is taken as empty.
    pub fn of_line(line: &'a Value) -> Self {
        let text = |name: &str| line.get(name).and_then(Value::as_str).map(Cow::Borrowed);
        let number = |name: &str| line.get(name).and_then(Value::as_u64).and_then(|n| u16::try_from(n).ok());
        Self {
            zone: text("ZoneName").unwrap_or_default(),
            edge_status: number("EdgeResponseStatus").unwrap_or_default(),
            verdict: text("VerdictCode").map(|code| (code, number("VerdictStatus").unwrap_or_default())),
        }
    }
}

impl TailFilter {
    /// The keys of [`to_query`](Self::to_query) and [`from_pairs`](Self::from_pairs).
    pub const KEYS: [&'static str; 5] = ["zone", "status", "party", "code", "failures"];

    /// Whether it is to be shown.
    pub fn admits(&self, subject: &Subject<'_>) -> bool {
        let Self { zone, status, party, code, failures_only } = self;
        let verdict = subject.verdict.as_ref();
        let name = verdict.map(|(name, _)| &**name);
        zone.as_ref().is_none_or(|zone| *zone == subject.zone)
            && status.is_none_or(|status| {
                status.admits(subject.edge_status) || verdict.is_some_and(|(_, number)| status.admits(*number))
            })
            && party.is_none_or(|party| name.and_then(|name| name.split('.').next()) == Some(party.name()))
            && code.as_ref().is_none_or(|code| name.is_some_and(|name| name.starts_with(&code.0)))
            && (!failures_only || verdict.is_some())
    }

    /// Reads what a query string says. Every key at most once; `failures` is `true` or `false`.
    ///
    /// # Errors
    ///
    /// Everything that is wrong, each in one sentence.
    pub fn from_pairs<'a>(pairs: impl IntoIterator<Item = (&'a str, &'a str)>) -> Result<Self, Vec<String>> {
        let mut filter = Self::default();
        let mut wrong = Vec::new();
        for (key, value) in pairs {
            let outcome = match key {
                "zone" => put(&mut filter.zone, Ok(value.to_ascii_lowercase())),
                "status" => put(&mut filter.status, value.parse()),
                "party" => put(&mut filter.party, Self::party_named(value)),
                "code" => put(&mut filter.code, value.parse()),
                "failures" => match value {
                    "true" => {
                        filter.failures_only = true;
                        Ok(())
                    }
                    "false" => Ok(()),
                    _ => Err(format!("`{}` is neither `true` nor `false`", value.escape_default())),
                },
                _ => Err(format!(
                    "there is no such filter; known are {}",
                    Self::KEYS.map(|key| format!("`{key}`")).join(", ")
                )),
            };
            if let Err(why) = outcome {
                wrong.push(format!("`{}`: {why}", key.escape_default()));
            }
        }
        if wrong.is_empty() { Ok(filter) } else { Err(wrong) }
    }

    /// The query string that [`from_pairs`](Self::from_pairs) reads, percent-encoded, without `?`.
    pub fn to_query(&self) -> String {
        let Self { zone, status, party, code, failures_only } = self;
        let pairs = [
            ("zone", zone.clone()),
            ("status", status.map(|status| status.to_string())),
            ("party", party.map(|party| party.name().to_owned())),
            ("code", code.as_ref().map(|code| code.0.clone())),
            ("failures", failures_only.then(|| "true".to_owned())),
        ];
        let written = pairs.into_iter().filter_map(|(key, value)| Some(format!("{key}={}", percent_encode(&value?))));
        written.collect::<Vec<_>>().join("&")
    }

    /// The party of that name.
    ///
    /// # Errors
    ///
    /// One sentence that lists the names.
    pub fn party_named(name: &str) -> Result<Party, String> {
        Party::ALL.into_iter().find(|party| party.name() == name).ok_or_else(|| {
            format!(
                "there is no party `{}`; they are {}",
                name.escape_default(),
                Party::ALL.map(Party::name).join(", ")
            )
        })
    }
}

fn put<T>(place: &mut Option<T>, value: Result<T, String>) -> Result<(), String> {
    let value = value?;
    if place.replace(value).is_some() { Err("given twice".to_owned()) } else { Ok(()) }
}

fn percent_encode(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            out.push(char::from(byte));
        } else {
            out.push_str(&format!("%{byte:02X}"));
        }
    }
    out
}

impl StatusFilter {
    fn admits(self, status: u16) -> bool {
        match self {
            Self::Exactly(wanted) => status == wanted,
            Self::Class(first) => status / 100 == first,
        }
    }
}

impl FromStr for StatusFilter {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let class =
            text.strip_suffix("xx").and_then(|first| first.parse().ok()).filter(|first| (1..=5).contains(first));
        let exactly = || text.parse().ok().filter(|status| *status <= 1999);
        class.map(Self::Class).or_else(|| exactly().map(Self::Exactly)).ok_or_else(|| {
            format!("`{}` is neither a status such as `502` nor a class such as `5xx`", text.escape_default())
        })
    }
}

impl fmt::Display for StatusFilter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Exactly(status) => write!(f, "{status}"),
            Self::Class(first) => write!(f, "{first}xx"),
        }
    }
}

impl FromStr for CodeFilter {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if !text.is_empty() && TABLE.iter().any(|entry| entry.name.starts_with(text)) {
            return Ok(Self(text.to_owned()));
        }
        let hint = if text.parse::<u16>().is_ok() { "; filter numbers with `status`" } else { "" };
        Err(format!("no code begins with `{}`{hint}", text.escape_default()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn subject(edge_status: u16, verdict: Option<(&'static str, u16)>) -> Subject<'static> {
        let verdict = verdict.map(|(name, number)| (Cow::Borrowed(name), number));
        Subject { zone: Cow::Borrowed("shop.example"), edge_status, verdict }
    }

    fn admits(query: &str, subject: &Subject<'_>) -> bool {
        let pairs = query.split('&').filter_map(|pair| pair.split_once('='));
        TailFilter::from_pairs(pairs).unwrap().admits(subject)
    }

    #[test]
    fn each_condition_must_hold() {
        let fine = subject(200, None);
        let refused = subject(521, Some(("origin.connect.refused", 521)));
        let nowhere = subject(530, Some(("owner.resolve.nxdomain", 1016)));
        let cut = subject(200, Some(("origin.receive.truncated", 520)));
        for (query, expected) in [
            ("", [true, true, true, true]),
            ("zone=shop.example", [true, true, true, true]),
            ("zone=other.example", [false; 4]),
            ("status=200", [true, false, false, true]),
            ("status=2xx", [true, false, false, true]),
            ("status=5xx", [false, true, true, true]),
            ("status=1016", [false, false, true, false]),
            ("party=origin", [false, true, false, true]),
            ("code=o", [false, true, true, true]),
            ("code=origin.", [false, true, false, true]),
            ("code=origin.connect.refused", [false, true, false, false]),
            ("failures=true", [false, true, true, true]),
            ("failures=false", [true, true, true, true]),
            ("party=origin&status=521", [false, true, false, false]),
        ] {
            let seen = [&fine, &refused, &nowhere, &cut].map(|subject| admits(query, subject));
            assert_eq!(seen, expected, "{query}");
        }
    }

    #[test]
    fn a_query_reads_what_it_writes() {
        let filter = TailFilter {
            zone: Some("bücher.example".to_owned()),
            status: Some(StatusFilter::Class(5)),
            party: Some(Party::Origin),
            code: Some(CodeFilter("origin.".to_owned())),
            failures_only: true,
        };
        assert_eq!(filter.to_query(), "zone=b%C3%BCcher.example&status=5xx&party=origin&code=origin.&failures=true");
        let pairs = [
            ("zone", "bücher.example"),
            ("status", "5xx"),
            ("party", "origin"),
            ("code", "origin."),
            ("failures", "true"),
        ];
        assert_eq!(TailFilter::from_pairs(pairs), Ok(filter));
        assert_eq!(TailFilter::default().to_query(), "");
    }

    #[test]
    fn everything_wrong_is_said_at_once() {
        let wrong = TailFilter::from_pairs([
            ("status", "6xx"),
            ("party", "nobody"),
            ("code", "522"),
            ("zones", "a"),
            ("failures", "yes"),
            ("zone", "a"),
            ("zone", "b"),
        ])
        .unwrap_err();
        assert_eq!(
            wrong,
            [
                "`status`: `6xx` is neither a status such as `502` nor a class such as `5xx`",
                "`party`: there is no party `nobody`; they are visitor, policy, owner, edge, network, origin",
                "`code`: no code begins with `522`; filter numbers with `status`",
                "`zones`: there is no such filter; known are `zone`, `status`, `party`, `code`, `failures`",
                "`failures`: `yes` is neither `true` nor `false`",
                "`zone`: given twice",
            ]
        );
    }
}
