//! Databases and caches: MySQL and MariaDB, PostgreSQL, Redis.

use super::{Format, bracketed, event, number};
use crate::logs::entry::{Entry, Level};
use crate::logs::source::Source;
use crate::logs::stamp;

/// Behind the time: ` 8 [ERROR] [MY-010119] [Server] ...`, or ` [ERROR] ...` where the file is MySQL's.
pub(super) fn mysql(rest: &str, source: Source) -> Option<(Format, Entry)> {
    let text = rest.trim_start();
    let threaded = number(text).map(|(_thread, rest)| rest.trim_start());
    let text = threaded.or_else(|| (source == Source::MySql).then_some(text))?;
    let (level, message) = bracketed(text)?;
    let level = Level::of(level)?;
    Some((Format::MySql, Entry { level: Some(level), ..event(message.trim_start()) }))
}

/// Behind the time: ` [4608] shop@shop FATAL:  ...`, whatever `log_line_prefix` puts between.
pub(super) fn postgresql(rest: &str) -> Option<(Format, Entry)> {
    /// The longest prefix that is looked through.
    const PREFIX_BYTES: usize = 240;
    let colon = rest.bytes().take(PREFIX_BYTES).zip(rest.bytes().skip(1)).zip(rest.bytes().skip(2));
    let colon = colon.into_iter().position(|pair| pair == ((b':', b' '), b' '))?;
    let before = rest.get(..colon)?;
    let word = before.rsplit([' ', ':']).next()?;
    let level = severity(word)?;
    let process = before.split_once('[').and_then(|(_, inside)| number(inside)).map(|(process, _)| process);
    let message = rest.get(colon + 3..)?;
    // What goes on with a message keeps its name, so that it can be seen as such.
    let message = if level.is_none() { format!("{word}:  {message}") } else { message.to_owned() };
    Some((Format::PostgreSql, Entry { level, process, message, ..Entry::default() }))
}

/// The level of PostgreSQL's word; `Some(None)` for the words of lines that go on with the one before.
#[expect(
    clippy::option_option,
    reason = "no word of PostgreSQL's, a word without a level, and a level are three things"
)]
fn severity(word: &str) -> Option<Option<Level>> {
    Some(match word {
        "LOG" | "INFO" => Some(Level::Info),
        "NOTICE" => Some(Level::Notice),
        "WARNING" => Some(Level::Warning),
        "ERROR" => Some(Level::Error),
        "FATAL" | "PANIC" => Some(Level::Critical),
        word if goes_on(word) => None,
        word if word.starts_with("DEBUG") => Some(Level::Debug),
        _ => return None,
    })
}

/// Whether a line that begins with this word goes on with the one before.
fn goes_on(word: &str) -> bool {
    matches!(word, "DETAIL" | "HINT" | "STATEMENT" | "CONTEXT" | "QUERY" | "LOCATION" | "BACKTRACE")
}

/// `4902:M 21 Nov 2026 11:01:52.036 # ...`.
pub(super) fn redis(line: &str) -> Option<(Format, Entry)> {
    let (process, rest) = number(line)?;
    let rest = rest.strip_prefix(':')?.strip_prefix(['M', 'S', 'C', 'X'])?;
    let (at, rest) = stamp::leading(rest.strip_prefix(' ')?)?;
    let rest = rest.strip_prefix(' ')?;
    let level = match rest.chars().next()? {
        '.' => Level::Debug,
        '-' => Level::Info,
        '*' => Level::Notice,
        '#' => Level::Warning,
        _ => return None,
    };
    let message = rest.get(1..)?.trim_start();
    Some((Format::Redis, Entry { at: Some(at), level: Some(level), process: Some(process), ..event(message) }))
}
