//! Which lines belong together: stack traces, the details of a database's error, what a program wrote in several lines.

use super::entry::{Entry, Kind, Level};
use super::format::{self, Format};
use super::source::Source;
use super::stamp::Stamp;

/// The most that is kept of what one entry says, in bytes.
const MESSAGE_BYTES: usize = 64 << 10;

/// The most lines that go on with one.
const LINES: u32 = 400;

/// An entry with where it stands.
#[derive(Debug)]
pub(super) struct Piece {
    pub(super) entry: Entry,
    /// What its first line was read as.
    pub(super) format: Option<Format>,
    /// Its first line.
    pub(super) line: String,
    /// That line's number, counted from where reading began, from 1.
    pub(super) number: u64,
    /// Lines that go on with it.
    following: u32,
    /// Its last line.
    last: String,
}

/// Puts lines together to entries.
#[derive(Debug)]
pub(super) struct Assembler {
    /// Who writes the file.
    source: Source,
    pending: Option<Piece>,
    /// The last time that was seen: whatever has none of its own was written about then.
    at: Option<Stamp>,
}

impl Assembler {
    /// For a file of this writer.
    pub(super) const fn new(source: Source) -> Self {
        Self { source, pending: None, at: None }
    }

    /// Takes a line; gives the entry that it ends, if it begins another one.
    pub(super) fn push(&mut self, line: &str, number: u64) -> Option<Piece> {
        let read = format::read(line, self.source);
        if let Some(pending) = &mut self.pending
            && let Some(part) = pending.goes_on(line, read.as_ref())
        {
            pending.add(&part);
            return None;
        }
        if read.is_none() && line.trim().is_empty() {
            return None;
        }
        let (format, mut entry) =
            read.map_or_else(|| (None, self.plain(line)), |(format, entry)| (Some(format), entry));
        entry.at = entry.at.or(self.at);
        self.at = entry.at;
        let piece = Piece { entry, format, line: line.to_owned(), number, following: 0, last: line.to_owned() };
        self.pending.replace(piece).map(Piece::complete)
    }

    /// The last entry.
    pub(super) fn finish(self) -> Option<Piece> {
        self.pending.map(Piece::complete)
    }

    /// An entry of a line that nothing is known of.
    fn plain(&self, line: &str) -> Entry {
        let level = format::loudness(line);
        Entry { source: self.source, level, message: line.to_owned(), ..Entry::default() }
    }
}

impl Piece {
    /// What of the line goes on with this entry; `None`: it begins another one.
    fn goes_on(&self, line: &str, read: Option<&(Format, Entry)>) -> Option<String> {
        if let Some((format, entry)) = read {
            return self.goes_on_read(*format, entry);
        }
        if self.entry.kind == Kind::Access {
            return line.starts_with([' ', '\t']).then(|| line.to_owned());
        }
        // A crash that begins behind a line of peace is a matter of its own.
        let calm = self.entry.level.is_none_or(|level| level < Level::Warning);
        if calm && self.following == 0 && begins_crash(line) {
            return None;
        }
        let timed =
            self.format.is_some_and(|format| !matches!(format, Format::Docker | Format::Syslog | Format::Journal));
        (timed && self.entry.at.is_some() && self.has_time_of_its_own() || self.is_unfinished(line))
            .then(|| line.to_owned())
    }

    /// Whether lines of its kind carry times, so that a line without one is no entry by itself.
    fn has_time_of_its_own(&self) -> bool {
        // HAProxy writes to standard error what it writes to its log, without a time.
        !matches!(self.format, None | Some(Format::HaProxy))
    }

    /// What of a line of a known format goes on with this entry.
    fn goes_on_read(&self, format: Format, entry: &Entry) -> Option<String> {
        let same_writer = self.format == Some(format) && self.entry.process == entry.process;
        match format {
            Format::PostgreSql if same_writer && entry.level.is_none() => Some(entry.message.clone()),
            Format::PhpFpm if same_writer => {
                let part = said_into(&entry.message)?;
                let goes_on = said_into(&self.entry.message).is_some() && !part.starts_with("NOTICE: ");
                (goes_on && !part.starts_with("ERROR: ")).then(|| part.to_owned())
            }
            // What a container or a unit wrote in several lines comes wrapped line by line.
            Format::Docker | Format::Syslog | Format::Journal => {
                let same = entry.process.is_none()
                    || self.entry.process == entry.process
                    || entry.handed_in_by.is_some() && self.entry.handed_in_by == entry.handed_in_by;
                (same && self.is_unfinished(&entry.message)).then(|| entry.message.clone())
            }
            // The trace of an error that was told of in the line before.
            Format::Python | Format::Java | Format::Go if begins_crash(&entry.message) => {
                let grave = self.entry.level.is_some_and(|level| level >= Level::Warning);
                let told = self.format.is_some() && self.following == 0 && self.entry.at.is_some();
                (grave && told).then(|| entry.message.clone())
            }
            _ => None,
        }
    }

    /// Whether a line goes on with what this entry began to tell, by its looks alone.
    fn is_unfinished(&self, line: &str) -> bool {
        let begins = self.entry.message.as_str();
        let starts = |any: &[&str]| any.iter().any(|start| line.starts_with(start));
        if line.starts_with([' ', '\t'])
            || starts(&[
                "Caused by:",
                "Traceback (most",
                "#0 ",
                "Stack trace:",
                "} ",
                "}",
                "During handling",
                "The above exception",
            ])
        {
            return true;
        }
        if begins.contains("\n#") && starts(&["#"]) {
            return true;
        }
        // Python names the exception in the first line that stands to the left again.
        let traced = begins.starts_with("Traceback (most") || begins.contains("\nTraceback (most");
        if traced && (self.last.starts_with(' ') || self.last.is_empty()) {
            return true;
        }
        // Node.js shows the place and the line of code first, a caret under it, and then what was thrown.
        let shown = begins.lines().count() <= 6 && is_place(begins.lines().next().unwrap_or_default());
        shown && !begins.contains("\n    at ")
    }

    fn add(&mut self, part: &str) {
        self.following += 1;
        part.clone_into(&mut self.last);
        let message = &mut self.entry.message;
        if self.following > LINES || message.len() + part.len() >= MESSAGE_BYTES {
            return;
        }
        message.push('\n');
        message.push_str(part);
        if self.entry.level.is_none() || self.format == Some(Format::Java) {
            self.entry.level = self.entry.level.max(format::loudness(part));
        }
    }

    /// The same, with what only shows in all of it.
    fn complete(mut self) -> Self {
        let trimmed = self.entry.message.trim_end().len();
        self.entry.message.truncate(trimmed);
        format::complete(&mut self.entry);
        // What a file is called says less of who wrote an entry than a trace in it does.
        if self.format.is_none() && is_trace_of_node(&self.entry.message) {
            self.entry.source = Source::Node;
        }
        self
    }
}

/// What a child of PHP-FPM wrote to its standard error: `[pool www] child 12 said into stderr: "..."`.
fn said_into(message: &str) -> Option<&str> {
    let (_, said) = message.split('\n').next()?.split_once("said into stderr: \"")?;
    Some(said.trim_end_matches("\", pipe is closed").trim_end_matches('"'))
}

/// Whether a line begins the report of a crash.
fn begins_crash(line: &str) -> bool {
    line.starts_with("Traceback (most") || line.starts_with("Exception in thread") || is_place(line)
}

/// Whether a message is a trace of Node.js: its frames are `at total (/srv/shop/server.js:2:22)`.
fn is_trace_of_node(message: &str) -> bool {
    message.contains("\n    at ")
        && ["node:internal/", ".js:", ".mjs:", ".cjs:", ".ts:"].iter().any(|part| message.contains(part))
}

/// `/srv/shop/server.js:6`, `node:internal/modules/cjs/loader:1215`.
fn is_place(line: &str) -> bool {
    let Some((path, number)) = line.rsplit_once(':') else { return false };
    let known = path.starts_with('/') || path.starts_with("node:") || path.starts_with("file://");
    known && !path.contains(' ') && !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit())
}

#[cfg(test)]
mod tests;
