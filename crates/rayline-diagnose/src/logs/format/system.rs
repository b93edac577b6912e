//! What the system writes: syslog in its two forms, the journal as text, the kernel.

use super::{Format, event, number, source_of_program, wrapped};
use crate::logs::entry::{Entry, Level};
use crate::logs::source::Source;
use crate::logs::stamp;

/// `<34>Nov 21 10:00:00 host app[12]: ...` and `<34>1 2026-11-21T10:00:00Z host app 12 ID - ...`.
pub(super) fn syslog(line: &str, depth: u8) -> Option<(Format, Entry)> {
    let (priority, rest) = number(line.strip_prefix('<')?)?;
    let rest = rest.strip_prefix('>')?;
    if priority > 191 {
        return None;
    }
    let (at, (format, mut entry)) = if let Some(rest) = rest.strip_prefix("1 ") {
        let (at, rest) = stamp::leading(rest)?;
        (at, structured(rest, depth)?)
    } else {
        let (at, rest) = stamp::leading(rest)?;
        (at, after_time(rest, depth)?)
    };
    entry.at = entry.at.or(Some(at));
    entry.level = entry.level.or_else(|| Some(Level::of_severity(priority % 8)));
    Some((format, entry))
}

/// Behind RFC 5424's time: ` host app procid msgid [structured data] message`.
fn structured(rest: &str, depth: u8) -> Option<(Format, Entry)> {
    let mut words = rest.strip_prefix(' ')?.splitn(5, ' ');
    let (_host, program, process, _id) = (words.next()?, words.next()?, words.next()?, words.next()?);
    let message = without_data(words.next().unwrap_or_default());
    Some(of_program(program, process.parse().ok(), message, depth))
}

/// The message behind structured data: `-`, or elements in brackets, whose values may hold a `]` behind a backslash.
fn without_data(text: &str) -> &str {
    if let Some(message) = text.strip_prefix('-') {
        return message.trim_start();
    }
    let mut rest = text;
    while rest.starts_with('[') {
        let mut escaped = false;
        let end = rest.bytes().position(|byte| {
            let ends = byte == b']' && !escaped;
            escaped = byte == b'\\' && !escaped;
            ends
        });
        rest = end.and_then(|end| rest.get(end + 1..)).unwrap_or_default();
    }
    rest.trim_start().trim_start_matches('\u{feff}')
}

/// Behind the time: ` host app[12]: message`, ` host kernel: [ 12.3] message`.
pub(super) fn after_time(rest: &str, depth: u8) -> Option<(Format, Entry)> {
    let (host, rest) = rest.strip_prefix(' ')?.split_once(' ')?;
    let is_name = |word: &str| {
        let known =
            |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.' | b'@' | b'/' | b'\\' | b':');
        !word.is_empty() && word.bytes().all(known) && Level::of(word).is_none()
    };
    let (tag, message) = rest.split_once(": ").or_else(|| rest.strip_suffix(':').map(|tag| (tag, "")))?;
    let (program, process) = match tag.split_once('[') {
        None => (tag, None),
        Some((program, process)) => (program, Some(process.strip_suffix(']')?.parse().ok()?)),
    };
    let fits = is_name(host) && is_name(program) && host.bytes().any(|byte| byte.is_ascii_alphabetic());
    (fits && !program.ends_with(':')).then(|| of_program(program, process, message, depth))
}

/// What a program wrote through the system's log.
pub(super) fn of_program(program: &str, process: Option<u64>, message: &str, depth: u8) -> (Format, Entry) {
    let source = source_of_program(program);
    if source == Source::Kernel {
        let (_, entry) = kernel(message).unwrap_or_else(|| (Format::Kernel, event(message)));
        return (Format::Syslog, Entry { source, ..entry });
    }
    match wrapped(message, source, depth) {
        Some((format, entry)) => (format, Entry { process: entry.process.or(process), handed_in_by: process, ..entry }),
        None => (Format::Syslog, Entry { source, process, handed_in_by: process, ..event(message) }),
    }
}

/// `[23272.135262] Out of memory: ...`, `[Sat Nov 21 11:01:55 2026] ...`: since the machine started, or as `dmesg -T` has it.
pub(super) fn kernel(line: &str) -> Option<(Format, Entry)> {
    let (inner, message) = super::bracketed(line)?;
    let message = message.strip_prefix(' ')?;
    let inner = inner.trim_start();
    let at = match stamp::leading(inner) {
        Some((at, "")) if inner.starts_with(|first: char| first.is_ascii_alphabetic()) => Some(at),
        Some(_) => return None,
        None => {
            let (seconds, fraction) = inner.split_once('.')?;
            let counts = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
            if !counts(seconds) || !counts(fraction) {
                return None;
            }
            None
        }
    };
    Some((Format::Kernel, Entry { at, ..event(message) }))
}
