//! Which requests a page is about: a span of time and filters, as they stand in its link.

use std::time::Duration;

use rayline_store::{Dimension, Filter, Matching, Query, Span};
use rayline_verdict::Moment;
use url::form_urlencoded::Serializer;

/// Spans that are offered, from now back: what they are called, and how they are written.
pub(crate) const SPANS: [(&str, &str); 6] =
    [("15 min", "-15m"), ("1 h", "-1h"), ("6 h", "-6h"), ("24 h", "-24h"), ("7 d", "-7d"), ("30 d", "-30d")];

/// What is shown if nothing is said.
const DEFAULT_FROM: &str = "-1h";

/// Bars in a time line at most.
const BARS: u64 = 72;

/// Lengths of a bar, in seconds.
const STEPS: [u64; 13] = [1, 5, 10, 30, 60, 300, 600, 1_800, 3_600, 10_800, 21_600, 43_200, 86_400];

/// Spans that end in the future or begin before anything are cut to this.
const LONGEST: i64 = 400 * 86_400 * SECOND;
const SECOND: i64 = 1_000_000_000;

/// A page's span and filters, and what else its link says.
#[derive(Clone, Debug)]
pub(crate) struct Scope {
    /// As written: relative to now where they can be.
    from: String,
    to: Option<String>,
    pub(crate) span: Span,
    pub(crate) filters: Vec<Filter>,
    /// Other keys of the page, with their values.
    own: Vec<(&'static str, String)>,
}

impl Scope {
    /// Reads a page's query. `own` are the keys that the page has besides; empty values count for nothing.
    ///
    /// # Errors
    ///
    /// Everything that is wrong, a sentence each.
    pub(crate) fn read(pairs: &[(String, String)], own: &[&'static str], now: Moment) -> Result<Self, Vec<String>> {
        let mut asked = Vec::new();
        let (mut from, mut to) = (DEFAULT_FROM.to_owned(), None);
        let mut kept = Vec::new();
        for (key, value) in pairs.iter().filter(|(key, value)| !value.is_empty() || Dimension::named(key).is_some()) {
            match key.as_str() {
                "from" => value.clone_into(&mut from),
                "to" => to = Some(value.clone()),
                key => match own.iter().find(|own| **own == key) {
                    Some(own) => kept.push((*own, value.clone())),
                    None => asked.push((key.to_owned(), value.clone())),
                },
            }
        }
        asked.push(("from".to_owned(), from.clone()));
        asked.extend(to.iter().map(|to| ("to".to_owned(), to.clone())));
        let Query { mut span, filters, .. } = Query::from_pairs(asked, now)?;
        if span.to <= span.from {
            return Err(vec!["the span ends before it begins: `from` must be earlier than `to`".to_owned()]);
        }
        span.from = span.from.max(Moment(span.to.0.saturating_sub(LONGEST)));
        Ok(Self { from, to, span, filters, own: kept })
    }

    /// The same as nothing but a span that ends now.
    pub(crate) fn last(from: &str, now: Moment) -> Self {
        let query = Query::from_pairs([("from", from)], now)
            .unwrap_or_else(|_| Query::new(Span { from: Moment(now.0.saturating_sub(3_600 * SECOND)), to: now }));
        Self { from: from.to_owned(), to: None, span: query.span, filters: Vec::new(), own: Vec::new() }
    }

    /// A query about these requests.
    pub(crate) fn query(&self, by: &[Dimension]) -> Query {
        Query { filters: self.filters.clone(), by: by.to_vec(), ..Query::new(self.span) }
    }

    /// What the page's own key says.
    pub(crate) fn own(&self, key: &str) -> Option<&str> {
        self.own.iter().find(|(own, _)| *own == key).map(|(_, value)| value.as_str())
    }

    /// Whether the page shows a span that ends now.
    pub(crate) fn is_live(&self) -> bool {
        self.to.as_deref().is_none_or(|to| to == "now")
    }

    /// Whether this offer of [`SPANS`] is the one shown.
    pub(crate) fn is_last(&self, from: &str) -> bool {
        self.is_live() && self.from == from
    }

    pub(crate) fn length(&self) -> Duration {
        Duration::from_nanos(u64::try_from(self.span.to.0.saturating_sub(self.span.from.0)).unwrap_or_default())
    }

    /// The period of the same length before.
    pub(crate) fn before(&self) -> Span {
        let length = self.span.to.0.saturating_sub(self.span.from.0);
        Span { from: Moment(self.span.from.0.saturating_sub(length)), to: self.span.from }
    }

    /// How long a bar of a time line is.
    pub(crate) fn step(&self) -> Duration {
        let seconds = self.length().as_secs();
        let step = STEPS.into_iter().find(|step| seconds.div_ceil(*step) <= BARS);
        Duration::from_secs(step.unwrap_or(7 * 86_400))
    }

    /// The beginnings of all bars.
    pub(crate) fn steps(&self) -> impl Iterator<Item = Moment> + use<> {
        let step = i64::try_from(self.step().as_nanos()).unwrap_or(i64::MAX).max(1);
        let first = self.span.from.0.div_euclid(step) * step;
        let end = self.span.to.0;
        std::iter::successors(Some(first), move |at| at.checked_add(step)).take_while(move |at| *at < end).map(Moment)
    }

    /// The query of a link to the same requests, percent-encoded.
    pub(crate) fn to_query(&self) -> String {
        self.encode(&self.from, self.to.as_deref(), true)
    }

    /// A link of the page `path` to the same requests.
    pub(crate) fn link(&self, path: &str) -> String {
        format!("{path}?{}", self.to_query())
    }

    /// The same with its times fixed: it shows tomorrow what it shows now.
    pub(crate) fn permalink(&self, path: &str) -> String {
        format!("{path}?{}", self.encode(&self.span.from.to_seconds(), Some(&self.span.to.to_seconds()), true))
    }

    /// The query of a call of the API about the same requests, without the page's own keys.
    pub(crate) fn api_query(&self) -> String {
        self.encode(&self.from, self.to.as_deref(), false)
    }

    /// The same with a value of a dimension as its only one.
    pub(crate) fn with(&self, dimension: Dimension, value: &str) -> Self {
        let mut other = self.clone();
        other.filters.retain(|filter| filter.dimension != dimension || filter.matching != Matching::Is);
        other.filters.push(Filter { dimension, matching: Matching::Is, values: vec![value.to_owned()] });
        other
    }

    /// The same without the filter of that number.
    pub(crate) fn without(&self, place: usize) -> Self {
        let mut other = self.clone();
        if place < other.filters.len() {
            other.filters.remove(place);
        }
        other
    }

    /// The same at another time, as [`SPANS`] writes it.
    pub(crate) fn since(&self, from: &str, now: Moment) -> Self {
        Self { filters: self.filters.clone(), own: self.own.clone(), ..Self::last(from, now) }
    }

    /// The same within a span.
    pub(crate) fn within(&self, span: Span) -> Self {
        Self { from: span.from.to_seconds(), to: Some(span.to.to_seconds()), span, ..self.clone() }
    }

    /// The same from a moment on; it ends when it did, so one that ends now goes on doing so.
    pub(crate) fn onwards(&self, from: Moment) -> Self {
        Self { from: from.to_seconds(), span: Span { from, to: self.span.to }, ..self.clone() }
    }

    /// The same with another value of a key of the page's own.
    pub(crate) fn with_own(&self, key: &'static str, value: &str) -> Self {
        let mut other = self.clone();
        other.own.retain(|(own, _)| *own != key);
        other.own.push((key, value.to_owned()));
        other
    }

    fn encode(&self, from: &str, to: Option<&str>, with_own: bool) -> String {
        let mut out = Serializer::new(String::new());
        out.append_pair("from", from);
        if let Some(to) = to {
            out.append_pair("to", to);
        }
        for filter in &self.filters {
            // a dimension's name and what stands before the `=` of the comparison
            let key = format!("{}{}", filter.dimension.name(), filter.matching.sign().trim_end_matches('='));
            for value in &filter.values {
                out.append_pair(&key, value);
            }
        }
        if with_own {
            self.own.iter().for_each(|(key, value)| {
                out.append_pair(key, value);
            });
        }
        out.finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOON: Moment = Moment(1_795_262_400_000_000_000);

    fn read(query: &str) -> Result<Scope, Vec<String>> {
        let pairs: Vec<(String, String)> = url::form_urlencoded::parse(query.as_bytes()).into_owned().collect();
        Scope::read(&pairs, &["split"], NOON)
    }

    #[test]
    fn a_link_reads_what_it_writes() {
        for query in [
            "from=-1h",
            "from=-7d&host=a.example&host=b.example&path%5E=%2Fshop%3Fa%3D1&split=code",
            "from=2026-11-21T11%3A00%3A00Z&to=2026-11-21T12%3A00%3A00Z&code%21=a&user_agent*=%3Cb%3E",
            "from=-1h&origin=",
        ] {
            assert_eq!(read(query).unwrap().to_query(), query);
        }
        assert_eq!(read("host=&split=").unwrap().to_query(), "from=-1h&host=");
        assert_eq!(read("split=code").unwrap().own("split"), Some("code"));
        assert_eq!(read("split=code").unwrap().api_query(), "from=-1h");
        assert!(read("").unwrap().is_live());
    }

    #[test]
    fn what_goes_on_is_followed_and_what_is_over_is_not() {
        let (live, begin) = (read("host=a").unwrap(), Moment(NOON.0 - 60 * SECOND));
        assert_eq!(live.onwards(begin).to_query(), "from=2026-11-21T11%3A59%3A00Z&host=a");
        assert!(live.onwards(begin).is_live());
        assert!(!live.within(Span { from: begin, to: NOON }).is_live());
        let over = read("from=-2h&to=2026-11-21T12%3A00%3A00Z").unwrap();
        assert_eq!(over.onwards(begin).to_query(), "from=2026-11-21T11%3A59%3A00Z&to=2026-11-21T12%3A00%3A00Z");
    }

    #[test]
    fn what_cannot_be_read_is_said() {
        assert!(read("from=yesterday").is_err());
        assert!(read("colour=red").is_err());
        assert!(read("from=2026-11-21T12:00:00Z&to=2026-11-21T11:00:00Z").is_err());
    }

    #[test]
    fn steps_cover_the_span_and_are_few() {
        for from in ["-1s", "-15m", "-1h", "-6h", "-24h", "-7d", "-30d", "-399d"] {
            let scope = Scope::last(from, NOON);
            let steps: Vec<Moment> = scope.steps().collect();
            assert!(steps.len() as u64 <= BARS + 1, "{from}: {}", steps.len());
            assert!(steps[0] <= scope.span.from && *steps.last().unwrap() < scope.span.to, "{from}");
        }
        assert_eq!(Scope::last("-1h", NOON).before().to, Scope::last("-1h", NOON).span.from);
    }
}
