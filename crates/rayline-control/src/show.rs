//! How texts, numbers and times are shown. Texts may be an attacker's words: markup is escaped by whoever renders, and what
//! a reader could not see, or what would turn a line around, is spelt out here.

use std::fmt::Write as _;
use std::time::Duration;

use maud::{Escaper, Markup, Render, html};
use rayline_store::Sum;
use rayline_verdict::Moment;
use time::OffsetDateTime;
use time::macros::format_description;

/// Characters of a text that are shown where it stands among others.
const SHORT: usize = 96;

/// A text from outside.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Text<'a> {
    text: &'a str,
    limit: usize,
    /// Line breaks and tabs stay.
    has_lines: bool,
}

/// A text among others, cut after 96 characters.
pub(crate) const fn short(text: &str) -> Text<'_> {
    Text { text, limit: SHORT, has_lines: false }
}

/// A text by itself, cut after so many characters.
pub(crate) const fn long(text: &str, limit: usize) -> Text<'_> {
    Text { text, limit, has_lines: false }
}

impl Text<'_> {
    /// The same with its line breaks, for texts of several lines.
    pub(crate) const fn lines(self) -> Self {
        Self { has_lines: true, ..self }
    }
}

impl Render for Text<'_> {
    fn render_to(&self, out: &mut String) {
        out.push_str("<bdi>");
        for (place, character) in self.text.chars().enumerate() {
            if place == self.limit {
                out.push_str("<span class=\"cut\" title=\"cut here\">…</span>");
                break;
            }
            if is_hidden(character) && !(self.has_lines && matches!(character, '\n' | '\t')) {
                // a string takes every write
                let _ = write!(out, "<span class=\"esc\">{}</span>", character.escape_default());
            } else {
                let _ = Escaper::new(out).write_char(character);
            }
        }
        out.push_str("</bdi>");
    }
}

/// The same for where no markup can be: titles, attributes, texts to copy.
pub(crate) fn plain(text: &str, limit: usize) -> String {
    let mut out = String::new();
    for (place, character) in text.chars().enumerate() {
        if place == limit {
            out.push('…');
            break;
        }
        if is_hidden(character) { out.extend(character.escape_default()) } else { out.push(character) }
    }
    out
}

/// Control characters, and those of Unicode that have no shape or change the direction of what follows.
fn is_hidden(character: char) -> bool {
    character.is_control()
        || matches!(character,
            '\u{ad}' | '\u{61c}' | '\u{115f}' | '\u{1160}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}' | '\u{3164}' | '\u{feff}' | '\u{ffa0}' | '\u{fff9}'..='\u{fffb}'
            | '\u{e0000}'..='\u{e0fff}')
}

/// A whole number, its digits in groups of three.
pub(crate) fn count(number: u64) -> String {
    let digits = number.to_string();
    let mut out = String::with_capacity(digits.len() + digits.len() / 3 * 3);
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            out.push('\u{202f}');
        }
        out.push(digit);
    }
    out
}

/// The same of what is a sum of floats.
pub(crate) fn rounded(number: f64) -> String {
    count(number.max(0.0).round() as u64)
}

/// How many requests: marked and with its error where it is an estimate.
pub(crate) fn requests(sum: &Sum) -> Markup {
    estimate(sum.requests, sum.error)
}

/// The same of a number with its standard error.
pub(crate) fn estimate(number: f64, error: f64) -> Markup {
    html! {
        @if error >= 0.5 {
            span.about title="estimated from a sample; the error is one standard error" {
                "≈ " (rounded(number)) " ± " (rounded(error))
            }
        } @else {
            (rounded(number))
        }
    }
}

/// A part of a whole, with as many digits as say something.
pub(crate) fn percent(part: f64, whole: f64) -> String {
    if whole <= 0.0 {
        return "–".to_owned();
    }
    let percent = part / whole * 100.0;
    match percent {
        percent if percent <= 0.0 => "0 %".to_owned(),
        percent if percent < 0.01 => "< 0.01 %".to_owned(),
        percent if percent < 1.0 || (99.0..100.0).contains(&percent) => format!("{:.2} %", floor_below(percent)),
        percent if percent < 10.0 => format!("{percent:.1} %"),
        percent => format!("{percent:.0} %"),
    }
}

/// What is short of 100 is not rounded up to it.
fn floor_below(percent: f64) -> f64 {
    if percent > 99.0 { (percent * 100.0).floor() / 100.0 } else { percent }
}

/// Microseconds as people say them.
pub(crate) fn micros(us: f64) -> String {
    match us {
        us if us < 0.0 => "–".to_owned(),
        us if us < 1_000.0 => format!("{us:.0} µs"),
        us if us < 10_000.0 => format!("{:.1} ms", us / 1e3),
        us if us < 1_000_000.0 => format!("{:.0} ms", us / 1e3),
        us if us < 120_000_000.0 => format!("{:.1} s", us / 1e6),
        us => duration(Duration::from_micros(us as u64)),
    }
}

/// Bytes as people say them.
pub(crate) fn bytes(number: f64) -> String {
    const UNITS: [&str; 5] = ["B", "KiB", "MiB", "GiB", "TiB"];
    let mut number = number.max(0.0);
    let mut unit = UNITS.iter();
    let mut name = unit.next();
    while number >= 1024.0 {
        match unit.next() {
            Some(larger) => {
                number /= 1024.0;
                name = Some(larger);
            }
            None => break,
        }
    }
    let name = name.unwrap_or(&"B");
    if *name == "B" || number >= 100.0 { format!("{number:.0} {name}") } else { format!("{number:.1} {name}") }
}

/// A time span in its two largest units.
pub(crate) fn duration(span: Duration) -> String {
    const UNITS: [(u64, &str); 4] = [(86_400, "d"), (3_600, "h"), (60, "min"), (1, "s")];
    let seconds = span.as_secs();
    let mut rest = seconds;
    let mut parts = Vec::new();
    for (size, name) in UNITS {
        let number = rest / size;
        rest %= size;
        if number > 0 {
            parts.push(format!("{number} {name}"));
        }
    }
    parts.truncate(2);
    if parts.is_empty() { "0 s".to_owned() } else { parts.join(" ") }
}

/// A moment, in UTC to the second.
pub(crate) fn when(at: Moment) -> Markup {
    html! { time datetime=(at.to_seconds()) { (text(at, Precision::Second)) " UTC" } }
}

/// The same without its zone, for tables whose heading says it.
pub(crate) fn when_short(at: Moment) -> Markup {
    html! { time datetime=(at.to_seconds()) { (text(at, Precision::Second)) } }
}

/// How exactly a time is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Precision {
    Second,
    Minute,
    /// Of the day alone.
    Clock,
    Day,
}

/// A moment as text, in UTC.
pub(crate) fn text(at: Moment, precision: Precision) -> String {
    let Ok(moment) = OffsetDateTime::from_unix_timestamp_nanos(i128::from(at.0)) else { return "–".to_owned() };
    let formatted = match precision {
        Precision::Second => moment.format(format_description!("[year]-[month]-[day] [hour]:[minute]:[second]")),
        Precision::Minute => moment.format(format_description!("[year]-[month]-[day] [hour]:[minute]")),
        Precision::Clock => moment.format(format_description!("[hour]:[minute]")),
        Precision::Day => moment.format(format_description!("[month]-[day]")),
    };
    formatted.unwrap_or_else(|_| "–".to_owned())
}

/// How long ago, in words.
pub(crate) fn ago(at: Moment, now: Moment) -> String {
    let seconds = now.0.saturating_sub(at.0) / 1_000_000_000;
    match u64::try_from(seconds) {
        Ok(seconds) if seconds >= 1 => format!("{} ago", duration(Duration::from_secs(seconds))),
        Ok(_) | Err(_) => "just now".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_cannot_be_seen_is_spelt_out() {
        assert_eq!(short("<b>&\"").render().into_string(), "<bdi>&lt;b&gt;&amp;&quot;</bdi>");
        let shown = short("a\u{202e}b\x1b[31m\u{200b}\0").render().into_string();
        for hidden in ['\u{202e}', '\x1b', '\u{200b}', '\0'] {
            assert!(!shown.contains(hidden), "{shown}");
        }
        assert!(shown.contains(r"\u{202e}"), "{shown}");
        assert_eq!(plain("a\nb\u{2066}", 9), r"a\nb\u{2066}");
        assert_eq!(long("äöüß", 2).render().into_string().matches('ä').count(), 1);
        assert!(long("äöüß", 2).render().into_string().contains('…'));
        assert_eq!(plain("äöüß", 2), "äö…");
        assert_eq!(plain("äö", 2), "äö");
    }

    #[test]
    fn numbers_are_grouped_and_rounded_honestly() {
        assert_eq!(count(0), "0");
        assert_eq!(count(999), "999");
        assert_eq!(count(1_234_567), "1\u{202f}234\u{202f}567");
        assert_eq!(percent(1.0, 3.0), "33 %");
        assert_eq!(percent(999_999.0, 1_000_000.0), "99.99 %");
        assert_eq!(percent(5.0, 1000.0), "0.50 %");
        assert_eq!(percent(1.0, 1e9), "< 0.01 %");
        assert_eq!(percent(0.0, 5.0), "0 %");
        assert_eq!(percent(0.0, 0.0), "–");
        assert_eq!(percent(5.0, 5.0), "100 %");
        assert_eq!(micros(1_500.0), "1.5 ms");
        assert_eq!(micros(125e6), "2 min 5 s");
        assert_eq!(bytes(1536.0), "1.5 KiB");
        assert_eq!(duration(Duration::from_secs(90_061)), "1 d 1 h");
        let sampled = Sum { requests: 12_340.0, error: 120.4, ..Sum::default() };
        assert!(requests(&sampled).into_string().contains("≈ 12\u{202f}340 ± 120"));
        assert_eq!(requests(&Sum { requests: 3.0, ..Sum::default() }).into_string(), "3");
    }
}
