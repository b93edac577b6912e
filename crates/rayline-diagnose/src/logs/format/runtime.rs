//! What applications and their runtimes write: PHP, Python, Java, Ruby, Go, and the patterns of common logging libraries.

use super::{Format, bracketed, event, number};
use crate::logs::entry::{Entry, Facts, Level};
use crate::logs::format::web;
use crate::logs::source::Source;
use crate::logs::stamp;

/// How many words a level is looked for in.
const WORDS: usize = 8;

/// Lines that begin with a time in brackets: PHP, PHP-FPM and its slow log, Gunicorn, Monolog.
pub(super) fn in_brackets(line: &str) -> Option<(Format, Entry)> {
    let (inner, rest) = bracketed(line)?;
    let (at, zone) = stamp::leading(inner)?;
    let text = rest.trim_start();
    if text.starts_with('"') {
        return None;
    }
    let (format, entry) = if inner.as_bytes().get(2) == Some(&b'-') {
        php(rest)
    } else if let Some(entry) = gunicorn(text) {
        (Format::Gunicorn, entry)
    } else if let Some(entry) = monolog(text) {
        (Format::Monolog, entry)
    } else if zone.is_empty() {
        leveled(text)
    } else {
        return None;
    };
    Some((format, Entry { at: Some(at), ..entry }))
}

/// Behind the time: ` PHP Fatal error:  ...`, ` WARNING: [pool www] ...`, `  [pool www] pid 12`.
fn php(rest: &str) -> (Format, Entry) {
    let text = rest.trim_start();
    if text.starts_with("[pool ") {
        let process = text.rsplit_once("pid ").and_then(|(_, process)| process.trim_end().parse().ok());
        return (Format::PhpSlow, Entry { level: Some(Level::Warning), process, ..event(text) });
    }
    let word = text.split(':').next().unwrap_or_default();
    if let Some(level) = Level::of(word).filter(|_| word.bytes().all(|byte| byte.is_ascii_uppercase())) {
        let process = text.split_once("child ").and_then(|(_, rest)| number(rest)).map(|(process, _)| process);
        let message = text.get(word.len() + 1..).unwrap_or_default().trim_start();
        return (Format::PhpFpm, Entry { level: Some(level), process, ..event(message) });
    }
    let kind = text.strip_prefix("PHP ").unwrap_or(text).split(':').next().unwrap_or_default();
    let level = match kind.trim() {
        "Fatal error" | "Parse error" | "Recoverable fatal error" | "Core error" | "Compile error" => Level::Error,
        "Warning" | "Core warning" | "Compile warning" => Level::Warning,
        "Notice" | "Deprecated" | "Strict Standards" => Level::Notice,
        _ => return (Format::PhpError, Entry { level: loudness(text), ..event(text) }),
    };
    (Format::PhpError, Entry { level: Some(level), ..event(text) })
}

/// `[32294] [INFO] Starting gunicorn`.
fn gunicorn(text: &str) -> Option<Entry> {
    let (process, rest) = bracketed(text)?;
    let (level, message) = bracketed(rest.trim_start())?;
    let (process, level) = (process.parse().ok()?, Level::of(level)?);
    let mut entry = Entry { process: Some(process), level: Some(level), ..event(message.trim_start()) };
    entry.request.target =
        entry.message.strip_prefix("Error handling request ").map(|target| target.trim_end().to_owned());
    Some(entry)
}

/// `app.CRITICAL: Uncaught PHP Exception ...`.
fn monolog(text: &str) -> Option<Entry> {
    let (channel, message) = text.split_once(": ")?;
    let (_, level) = channel.split_once('.').filter(|(name, _)| !name.contains(' '))?;
    Some(Entry { level: Some(Level::of(level)?), ..event(message) })
}

/// Lines of programs that begin with a time: which library wrote them shows in what surrounds the level.
pub(super) fn after_time(line: &str, rest: &str) -> (Format, Entry) {
    let text = rest.trim_start_matches([' ', ':', '-', '|']);
    if let Some(message) = rest.strip_prefix(" - ") {
        let uwsgi = line.starts_with(|first: char| first.is_ascii_alphabetic());
        let mut parts = message.splitn(3, " - ");
        let (_name, level, said) = (parts.next(), parts.next(), parts.next());
        if let (Some(level), Some(said)) = (level.and_then(Level::of), said) {
            return (Format::Python, Entry { level: Some(level), ..event(said) });
        }
        if uwsgi {
            return (Format::Uwsgi, Entry { level: loudness(message), ..event(message) });
        }
    }
    let (format, entry) = leveled(text);
    let format = match line.as_bytes() {
        [_, _, b'-', b'A'..=b'Z', ..] => Format::Tomcat,
        // `Nov 21, 2026 10:00:00 AM org.apache...`: the level stands in the next line.
        [b'A'..=b'Z', ..] if text.starts_with("org.") || text.starts_with("com.") => Format::Java,
        _ if text.contains(" --- [") => Format::Java,
        [_, _, _, _, b'/', ..] => Format::Go,
        _ => format,
    };
    (format, entry)
}

/// A message with a level in its first words: `ERROR 1 --- [main] c.x.Y : ...`, `[main] ERROR c.x.Y - ...`, `SEVERE [main] ...`.
fn leveled(text: &str) -> (Format, Entry) {
    let mut seen = 0;
    for word in text.split(' ').take(WORDS) {
        let bare = word.trim_matches(['[', ']', ':', '(', ')', '|', ',', '"']);
        let bare = bare.strip_prefix("level=").unwrap_or(bare);
        seen += word.len() + 1;
        if let Some(level) = Level::of(bare).filter(|_| {
            !bare.starts_with(|first: char| first.is_ascii_lowercase()) || bare != word || seen <= word.len() + 1
        }) {
            let message = text.get(seen..).unwrap_or_default();
            return (
                Format::Timed,
                Entry { level: Some(level), ..event(message.trim_start_matches([' ', '-', ':', '|'])) },
            );
        }
    }
    (Format::Timed, Entry { level: loudness(text), ..event(text) })
}

/// Lines that do not begin with their time, or have none.
pub(super) fn without_time(line: &str) -> Option<(Format, Entry)> {
    rails(line).or_else(|| level_first(line)).or_else(|| logfmt(line)).or_else(|| known_start(line))
}

/// `E, [2026-11-21T10:00:00.123456 #123] ERROR -- : ...`, `Started GET "/x" for 192.0.2.1 at 2026-11-21 10:00:00 +0000`.
fn rails(line: &str) -> Option<(Format, Entry)> {
    if let Some(rest) = line.strip_prefix("Started ") {
        let (method, rest) = rest.split_once(" \"")?;
        let (target, rest) = rest.split_once("\" for ")?;
        let (client, at) = rest.split_once(" at ")?;
        let (at, _) = stamp::leading(at)?;
        let request = Facts {
            method: Some(method.to_owned()),
            target: Some(target.to_owned()),
            client: web::address(client),
            ..Facts::default()
        };
        return Some((Format::Rails, Entry { at: Some(at), level: Some(Level::Info), request, ..event(line) }));
    }
    let rest = line.get(1..)?.strip_prefix(", ")?;
    let (inner, rest) = bracketed(rest)?;
    let (at, process) = stamp::leading(inner)?;
    let process = process.trim_start().strip_prefix('#').and_then(|process| process.parse().ok());
    let (level, message) = rest.trim_start().split_once(" -- ")?;
    let message = message.split_once(": ").map_or(message, |(_program, message)| message);
    Some((Format::Rails, Entry { at: Some(at), level: Level::of(level), process, ..event(message) }))
}

/// `ERROR:root:...` of Python's basic configuration, `ERROR 2026-11-21 10:00:00,123 ...`, `[ERROR] 2026-11-21 ...`.
fn level_first(line: &str) -> Option<(Format, Entry)> {
    let (word, rest) = line.split_at_checked(line.find([' ', ':', ']'])?)?;
    let bare = word.trim_start_matches('[');
    let level = Level::of(bare).filter(|_| bare.bytes().all(|byte| byte.is_ascii_uppercase()))?;
    let rest = rest.strip_prefix(']').unwrap_or(rest);
    if let Some((name, message)) = rest.strip_prefix(':').and_then(|rest| rest.split_once(':'))
        && !name.contains(' ')
        && !name.is_empty()
    {
        return Some((Format::Python, Entry { level: Some(level), ..event(message) }));
    }
    let (at, message) = stamp::leading(rest.trim_start_matches([' ', '[']))?;
    let message = message.trim_start_matches([' ', ']', '-', ':', '|']);
    Some((Format::Timed, Entry { at: Some(at), level: Some(level), ..event(message) }))
}

/// `time="2026-11-21T10:00:00Z" level=error msg="..." error="..."`.
fn logfmt(line: &str) -> Option<(Format, Entry)> {
    let value = |names: &[&str]| {
        names.iter().find_map(|name| {
            let starts = line
                .match_indices(name)
                .map(|(at, _)| at)
                .find(|&at| at == 0 || line.as_bytes().get(at - 1) == Some(&b' '))?;
            let text = line.get(starts + name.len()..)?;
            Some(match text.strip_prefix('"') {
                Some(quoted) => {
                    quoted.split_once("\" ").map_or_else(|| quoted.trim_end_matches('"'), |(inner, _)| inner)
                }
                None => text.split(' ').next().unwrap_or(text),
            })
        })
    };
    let level = Level::of(value(&["level=", "lvl=", "severity="])?)?;
    let message = value(&["msg=", "message="])?;
    let at = value(&["time=", "ts=", "t=", "timestamp="]).and_then(stamp::leading).map(|(at, _)| at);
    let error = value(&["error=", "err="]);
    let message = error.map_or_else(|| message.to_owned(), |error| format!("{message}: {error}"));
    Some((Format::Logfmt, Entry { at, level: Some(level), message, ..Entry::default() }))
}

/// Lines whose first words tell who wrote them.
fn known_start(line: &str) -> Option<(Format, Entry)> {
    let numbered = |text: &str| text.bytes().take_while(u8::is_ascii_digit).count() == 5;
    let (format, source) = if line.strip_prefix("AH").is_some_and(numbered) {
        (Format::ApacheError, Source::Apache)
    } else if let Some(rest) = line.strip_prefix("nginx: ") {
        let (level, message) = bracketed(rest)?;
        let entry = Entry { level: Level::of(level), ..event(message.trim_start()) };
        return Some((Format::NginxError, entry));
    } else if line.starts_with("PHP Fatal error:")
        || line.starts_with("PHP Parse error:")
        || line.starts_with("PHP Warning:")
    {
        let (format, entry) = php(line);
        return Some((format, entry));
    } else if line.starts_with("java.") || line.starts_with("Exception in thread ") {
        (Format::Java, Source::Java)
    } else if line.starts_with("Traceback (most recent call last)") {
        (Format::Python, Source::Python)
    } else if line.starts_with("panic: ") || line.starts_with("fatal error: ") {
        (Format::Go, Source::Go)
    } else {
        return None;
    };
    Some((format, Entry { source, level: Some(Level::Error), ..event(line) }))
}

/// How grave a message sounds that does not say it: by words that nobody writes when all is well.
pub(in crate::logs) fn loudness(text: &str) -> Option<Level> {
    const LOUD: &[&str] =
        &["error", "exception", "fatal", "panic", "traceback", "failed", "cannot ", "killed", "segfault"];
    let begin = crate::logs::mask::begin(text, 400).to_ascii_lowercase();
    if LOUD.iter().any(|word| begin.contains(word)) {
        Some(Level::Error)
    } else if begin.contains("warn") {
        Some(Level::Warning)
    } else {
        None
    }
}
