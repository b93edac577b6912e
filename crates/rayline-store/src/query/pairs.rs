//! Questions as they stand in links: from pairs of key and value, and back. It knows no percent-encoding.

use std::fmt::Display;
use std::time::Duration;

use rayline_verdict::Moment;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use super::{Filter, Matching, Query};
use crate::chunk::Span;
use crate::dimension::{Dimension, Number};

const SECOND: i64 = 1_000_000_000;
/// What a duration's last letter means, in nanoseconds; the largest first.
const UNITS: [(&str, i64); 7] = [
    ("w", 7 * 24 * 3_600 * SECOND),
    ("d", 24 * 3_600 * SECOND),
    ("h", 3_600 * SECOND),
    ("m", 60 * SECOND),
    ("s", SECOND),
    ("ms", SECOND / 1_000),
    ("ns", 1),
];

impl Matching {
    /// How it stands between a dimension and a value.
    pub const fn sign(self) -> &'static str {
        match self {
            Self::Is => "=",
            Self::IsNot => "!=",
            Self::StartsWith => "^=",
            Self::Contains => "*=",
        }
    }

    /// What stands at the end of a key whose value is split off at `=`.
    const fn suffix(self) -> &'static str {
        match self {
            Self::Is => "",
            Self::IsNot => "!",
            Self::StartsWith => "^",
            Self::Contains => "*",
        }
    }
}

impl Query {
    /// All requests of a span, as one group.
    pub fn new(span: Span) -> Self {
        Self { span, filters: Vec::new(), by: Vec::new(), step: None, top: 0, quantiles: Vec::new() }
    }

    /// Reads a question from the pairs of a link, decoded: `from` and `to` (RFC 3339, `now`, or relative to it as `-1h`;
    /// without them: the last hour), `by` (a dimension; repeatable), `step` (`1m`), `top`, `q` (`wait:0.99`; repeatable), and
    /// filters: a dimension's name as the key, with `!`, `^` or `*` at its end for `!=`, `^=` and `*=`. Filters of the same
    /// dimension and comparison become one with several values.
    ///
    /// # Errors
    ///
    /// Everything that is wrong, a sentence each.
    pub fn from_pairs<K, V>(pairs: impl IntoIterator<Item = (K, V)>, now: Moment) -> Result<Self, Vec<String>>
    where
        K: AsRef<str>,
        V: AsRef<str>,
    {
        let mut query = Self::new(Span { from: Moment(now.0.saturating_sub(3_600 * SECOND)), to: now });
        let mut wrong = Vec::new();
        for (key, value) in pairs {
            if let Err(why) = query.set(key.as_ref(), value.as_ref(), now) {
                wrong.push(why);
            }
        }
        if wrong.is_empty() { Ok(query) } else { Err(wrong) }
    }

    fn set(&mut self, key: &str, value: &str, now: Moment) -> Result<(), String> {
        match key {
            "from" => self.span.from = moment(key, value, now)?,
            "to" => self.span.to = moment(key, value, now)?,
            "by" => self.by.push(dimension(value)?),
            "step" => self.step = Some(step(value)?),
            "top" => {
                self.top =
                    value.parse().map_err(|_| format!("`top` is a number of groups, and {} is none", quote(value)))?
            }
            "q" => self.quantiles.push(quantile(value)?),
            _ => self.filter(key, value)?,
        }
        Ok(())
    }

    fn filter(&mut self, key: &str, value: &str) -> Result<(), String> {
        let suffixed = [Matching::IsNot, Matching::StartsWith, Matching::Contains];
        let split = suffixed.into_iter().find_map(|matching| Some((key.strip_suffix(matching.suffix())?, matching)));
        let (name, matching) = split.unwrap_or((key, Matching::Is));
        let dimension = Dimension::named(name).ok_or_else(|| unknown(name))?;
        let same = |filter: &&mut Filter| filter.dimension == dimension && filter.matching == matching;
        match self.filters.iter_mut().find(same) {
            Some(filter) => filter.values.push(value.to_owned()),
            None => self.filters.push(Filter { dimension, matching, values: vec![value.to_owned()] }),
        }
        Ok(())
    }

    /// The pairs that [`from_pairs`](Self::from_pairs) reads as this question. They name absolute times, so that a link
    /// shows tomorrow what it shows now.
    pub fn to_pairs(&self) -> Vec<(String, String)> {
        let mut pairs = vec![
            ("from".to_owned(), self.span.from.to_nanoseconds()),
            ("to".to_owned(), self.span.to.to_nanoseconds()),
        ];
        pairs.extend(self.by.iter().map(|by| ("by".to_owned(), by.name().to_owned())));
        pairs.extend(self.step.map(|step| ("step".to_owned(), duration(step))));
        if self.top > 0 {
            pairs.push(("top".to_owned(), self.top.to_string()));
        }
        pairs.extend(
            self.quantiles.iter().map(|(number, share)| ("q".to_owned(), format!("{}:{share}", number.name()))),
        );
        for filter in &self.filters {
            let key = format!("{}{}", filter.dimension.name(), filter.matching.suffix());
            pairs.extend(filter.values.iter().map(|value| (key.clone(), value.clone())));
        }
        pairs
    }
}

/// RFC 3339, `now`, or a duration before or after it.
fn moment(key: &str, value: &str, now: Moment) -> Result<Moment, String> {
    let wrong =
        || format!("`{key}` is a time such as `2026-01-31T12:00:00Z`, `-1h` or `now`, and {} is none", quote(value));
    if value == "now" {
        return Ok(now);
    }
    if let Some(ago) = value.strip_prefix('-') {
        return Ok(Moment(now.0.saturating_sub(nanoseconds(ago).ok_or_else(wrong)?)));
    }
    let moment = OffsetDateTime::parse(value, &Rfc3339).map_err(|_| wrong())?;
    Ok(Moment(i64::try_from(moment.unix_timestamp_nanos()).map_err(|_| wrong())?))
}

fn step(value: &str) -> Result<Duration, String> {
    let length = nanoseconds(value).and_then(|nanoseconds| u64::try_from(nanoseconds).ok());
    length
        .map(Duration::from_nanos)
        .ok_or_else(|| format!("`step` is a duration such as `1m` or `1h`, and {} is none", quote(value)))
}

fn quantile(value: &str) -> Result<(Number, f64), String> {
    let wrong = || format!("`q` is a number and a quantile such as `wait:0.99`, and {} is none", quote(value));
    let (name, share) = value.split_once(':').ok_or_else(wrong)?;
    let number = Number::named(name).ok_or_else(|| {
        let names = Number::ALL.map(Number::name);
        format!("{} is not measured{}", quote(name), hint(name, &names))
    })?;
    Ok((number, share.parse().map_err(|_| wrong())?))
}

fn dimension(name: &str) -> Result<Dimension, String> {
    let names = Dimension::ALL.map(Dimension::name);
    Dimension::named(name).ok_or_else(|| format!("{} is no dimension{}", quote(name), hint(name, &names)))
}

fn unknown(name: &str) -> String {
    let mut names = vec!["from", "to", "by", "step", "top", "q"];
    names.extend(Dimension::ALL.map(Dimension::name));
    format!(
        "{} is neither a dimension nor one of `from`, `to`, `by`, `step`, `top` and `q`{}",
        quote(name),
        hint(name, &names)
    )
}

/// What was probably meant.
fn hint(name: &str, names: &[&str]) -> String {
    let near = names.iter().map(|known| (strsim::damerau_levenshtein(name, known), known)).min();
    near.filter(|(distance, known)| *distance <= known.len().div_ceil(3))
        .map_or_else(String::new, |(_, known)| format!("; did you mean `{known}`?"))
}

/// What somebody typed, cut and without control characters.
fn quote(value: &str) -> impl Display {
    let shown: String = value.chars().take(60).flat_map(char::escape_debug).collect();
    format!("`{shown}`")
}

/// A whole number and a unit, in nanoseconds.
fn nanoseconds(text: &str) -> Option<i64> {
    let digits = text.find(|c: char| !c.is_ascii_digit())?;
    let (count, unit) = text.split_at_checked(digits)?;
    let (_, unit) = UNITS.into_iter().find(|(name, _)| *name == unit)?;
    count.parse::<i64>().ok()?.checked_mul(unit)
}

/// The largest unit of which it is a whole number.
fn duration(length: Duration) -> String {
    let length = i64::try_from(length.as_nanos()).unwrap_or(i64::MAX);
    let unit = UNITS.into_iter().find(|(_, unit)| length >= *unit && length % unit == 0);
    unit.map_or_else(|| format!("{length}ns"), |(name, unit)| format!("{}{name}", length / unit))
}
