//! Reading a log: opened with care, sought to the time that matters, streamed from there, stopped after it.

use std::cell::Cell;
use std::collections::HashMap;
use std::io::{self, BufRead, BufReader, Read, Seek, SeekFrom};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::process::{Command, Stdio};
use std::rc::Rc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use super::File;
use super::assemble::{Assembler, Piece};
use super::entry::Entry;
use super::find::{Log, why};
use super::format::{self, Format};
use super::lines::{Counted, Lines, count_before, search};
use super::profile::Profile;
use super::source::Source;
use super::stamp::Zone;
use super::wanted::Span;

/// How far behind the window a line must be to end the reading: lines are not quite in the order of their times.
const SLACK: Duration = Duration::from_secs(60);

/// How much of a file is looked at to tell its format, at either end.
const HEAD_BYTES: usize = 64 << 10;

/// How much of a file may be read for the sake of the numbers of its lines.
const NUMBERED_BYTES: u64 = 32 << 20;

/// How many times more text than bytes a compressed file may hold.
const PACKED: u64 = 4;

/// The most entries that are asked of the journal where no time bounds them.
const JOURNAL_ENTRIES: &str = "50000";

/// What is the same for all files.
#[derive(Debug)]
pub(super) struct How<'a> {
    pub(super) span: Option<Span>,
    /// The zone of times that carry none.
    pub(super) zone: Zone,
    /// When the requests were made: times without a zone should come near one.
    pub(super) requests: &'a [SystemTime],
    pub(super) most_bytes: u64,
}

/// An entry as it was read.
#[derive(Debug)]
pub(super) struct Taken {
    pub(super) piece: Piece,
    /// When it was written, where its lines tell.
    pub(super) at: Option<SystemTime>,
    /// When its file was written last.
    pub(super) written: Option<SystemTime>,
    /// The number of its line; 0 if that was not counted.
    pub(super) number: u64,
}

/// Reads a log, and gives every entry in the span to `take`.
pub(super) fn read(log: &Log, how: &How<'_>, take: &mut dyn FnMut(Taken)) -> File {
    let mut file = File { path: log.path.clone(), ..File::default() };
    let bytes = Rc::new(Cell::new(0));
    let mut reading = Reading { how, log, file: &mut file, take, formats: HashMap::new() };
    if let Err(error) = reading.open(&bytes) {
        let metadata = log.path.metadata().ok();
        let cut = reading.file.lines > 0;
        let trouble = match error.kind() {
            io::ErrorKind::InvalidInput
            | io::ErrorKind::UnexpectedEof
            | io::ErrorKind::InvalidData
            | io::ErrorKind::Other => {
                format!("it is damaged, and could not be unpacked any further: {error}")
            }
            _ => why(&error, metadata.as_ref()),
        };
        reading.trouble(if cut { format!("{trouble}; what stands before was read") } else { trouble });
    }
    reading.settle();
    file.bytes = bytes.get();
    file
}

/// Reads what the journal of this machine holds; `None`: there is no such program.
pub(super) fn read_journal(how: &How<'_>, take: &mut dyn FnMut(Taken)) -> Option<File> {
    let seconds = |at: SystemTime| at.duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs());
    let bounds = how.span.map_or_else(
        || vec![format!("--lines={JOURNAL_ENTRIES}")],
        |span| vec![format!("--since=@{}", seconds(span.start)), format!("--until=@{}", seconds(span.end) + 1)],
    );
    let mut command = Command::new("journalctl");
    command.args(["--output=json", "--no-pager", "--quiet"]).args(bounds);
    let mut child = command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().ok()?;
    let log = Log { path: "journalctl".into(), modified: None };
    let mut file =
        File { path: log.path.clone(), format: Some(Format::Journal.name(Source::Unknown)), ..File::default() };
    let bytes = Rc::new(Cell::new(0));
    if let Some(output) = child.stdout.take() {
        let mut reading = Reading { how, log: &log, file: &mut file, take, formats: HashMap::new() };
        let output = BufReader::new(Counted::new(output, Rc::clone(&bytes)));
        if let Err(error) = reading.stream(output, &Profile::default(), &Zone::UTC, Some(0), how.most_bytes) {
            reading.trouble(error.to_string());
        }
    }
    // What was not read on ends by itself; whether it had something to say against, its output has shown.
    let _ = child.kill();
    let _ = child.wait();
    file.bytes = bytes.get();
    Some(file)
}

struct Reading<'a> {
    how: &'a How<'a>,
    log: &'a Log,
    file: &'a mut File,
    take: &'a mut dyn FnMut(Taken),
    /// How many entries were of which format and source.
    formats: HashMap<(Format, Source), u64>,
}

impl Reading<'_> {
    fn open(&mut self, bytes: &Rc<Cell<u64>>) -> io::Result<()> {
        let path = &self.log.path;
        // A pipe that took the file's place would keep us waiting for its writer.
        let file = std::fs::OpenOptions::new().read(true).custom_flags(libc::O_NONBLOCK).open(path)?;
        let metadata = file.metadata()?;
        if !metadata.is_file() {
            self.trouble("it is no file, and was not read".to_owned());
            return Ok(());
        }
        let mut file = Counted::new(file, Rc::clone(bytes));
        let head = read_part(&mut file, HEAD_BYTES)?;
        file.seek(SeekFrom::Start(0))?;
        match head.as_slice() {
            [0x1f, 0x8b, ..] => self.packed(flate2::read::MultiGzDecoder::new(BufReader::new(file))),
            [0x28, 0xb5, 0x2f, 0xfd, ..] => self.packed(zstd::stream::read::Decoder::new(file)?),
            [b'B', b'Z', b'h', ..] => {
                self.trouble("it is packed with bzip2: unpack it with `bunzip2` first".to_owned());
                Ok(())
            }
            [0xfd, b'7', b'z', b'X', b'Z', ..] => {
                self.trouble("it is packed with xz: unpack it with `unxz` first".to_owned());
                Ok(())
            }
            head if !is_text(head) => {
                self.trouble("it is no text, and was not read".to_owned());
                Ok(())
            }
            _ => self.plain(file, &head, metadata.len()),
        }
    }

    /// A packed file is read from its beginning: there is no seeking in it.
    fn packed(&mut self, mut decoder: impl Read) -> io::Result<()> {
        let mut head = Vec::new();
        // What came before the damage is worth reading.
        let damage = decoder.by_ref().take(HEAD_BYTES as u64).read_to_end(&mut head).err();
        if !is_text(&head) {
            self.trouble("there is no text in it, and it was not read".to_owned());
            return damage.map_or(Ok(()), Err);
        }
        let profile = Profile::new(path_source(&self.log.path), &[&head]);
        let zone = self.zone(&profile);
        let limit = self.how.most_bytes.saturating_mul(PACKED);
        match damage {
            Some(error) => {
                self.stream(head.as_slice(), &profile, &zone, Some(0), limit)?;
                Err(error)
            }
            None => self.stream(BufReader::new(head.as_slice().chain(decoder)), &profile, &zone, Some(0), limit),
        }
    }

    fn plain(&mut self, mut file: Counted<std::fs::File>, head: &[u8], length: u64) -> io::Result<()> {
        let mut tail = Vec::new();
        if length > HEAD_BYTES as u64 {
            file.seek(SeekFrom::Start(length - HEAD_BYTES as u64))?;
            tail = read_part(&mut file, HEAD_BYTES)?;
        }
        let profile = Profile::new(path_source(&self.log.path), &[head, &tail]);
        let zone = self.zone(&profile);
        let (offset, cut) = self.offset(&mut file, &profile, &zone, length)?;
        let number = if offset <= NUMBERED_BYTES { Some(count_before(&mut file, offset)?) } else { None };
        file.seek(SeekFrom::Start(offset))?;
        let mut reader = BufReader::with_capacity(HEAD_BYTES, file);
        if cut {
            // It began in the middle of a line.
            Lines::new(&mut reader).next()?;
        }
        self.stream(reader, &profile, &zone, number.map(|number| number + u64::from(cut)), self.how.most_bytes)
    }

    /// Where to begin, and whether that is in the middle of a line.
    fn offset(
        &mut self,
        file: &mut Counted<std::fs::File>,
        profile: &Profile,
        zone: &Zone,
        length: u64,
    ) -> io::Result<(u64, bool)> {
        if let Some(span) = self.how.span.filter(|_| profile.first.is_some()) {
            let about = self.about();
            let dated = |line: &str| Some(read_entry(line, profile.source)?.at?.resolve(zone, about));
            if let Some(offset) = search(file, length, &span.start, dated)? {
                return Ok((offset, false));
            }
        }
        let offset = length.saturating_sub(self.how.most_bytes);
        if offset > 0 {
            self.trouble(format!("it is long: only its last {} MB were read", self.how.most_bytes >> 20));
        }
        Ok((offset, offset > 0))
    }

    /// A moment near which the file was written.
    fn about(&self) -> SystemTime {
        let written = self.log.modified.unwrap_or_else(SystemTime::now);
        self.how.span.map_or(written, |span| span.end)
    }

    /// The zone of the file's times, said where it is another than was to be expected.
    fn zone(&mut self, profile: &Profile) -> Zone {
        let (zone, said) = profile.zone(&self.how.zone, self.log.modified, self.how.requests, self.about());
        self.file.assumed = said;
        self.file.format = profile.format.map(|format| format.name(profile.source));
        zone
    }

    fn stream(
        &mut self,
        reader: impl BufRead,
        profile: &Profile,
        zone: &Zone,
        before: Option<u64>,
        limit: u64,
    ) -> io::Result<()> {
        let mut lines = Lines::new(reader);
        let mut assembler = Assembler::new(profile.source);
        let about = self.about();
        let outcome = loop {
            if lines.bytes > limit {
                self.trouble(format!("it is long: only {} MB of it were read", limit >> 20));
                break Ok(());
            }
            let number = lines.count + 1;
            let line = match lines.next() {
                Ok(Some(line)) => line,
                Ok(None) => break Ok(()),
                Err(error) => break Err(error),
            };
            let Some(piece) = assembler.push(&line, number) else { continue };
            let at = piece.entry.at.map(|at| at.resolve(zone, about));
            let past = self.how.span.and_then(|span| span.end.checked_add(SLACK));
            if at.zip(past).is_some_and(|(at, past)| at > past) {
                break Ok(());
            }
            self.hand_on(piece, at, before);
        };
        self.file.lines = lines.count;
        if let Some(piece) = assembler.finish() {
            let at = piece.entry.at.map(|at| at.resolve(zone, about));
            self.hand_on(piece, at, before);
        }
        outcome
    }

    fn hand_on(&mut self, piece: Piece, at: Option<SystemTime>, before: Option<u64>) {
        if let Some(format) = piece.format {
            *self.formats.entry((format, piece.entry.source)).or_default() += 1;
        }
        let is_outside = match (self.how.span, at, self.log.modified) {
            (Some(span), Some(at), _) => !span.holds(at),
            // A file without times that was not written to of late says nothing of now, but for what ended a program before
            // a request.
            (Some(span), None, Some(written)) => written < span.start && self.how.requests.is_empty(),
            (None, _, _) | (Some(_), None, None) => false,
        };
        if is_outside {
            return;
        }
        let number = before.map_or(0, |before| before + piece.number);
        (self.take)(Taken { piece, at, written: self.log.modified, number });
    }

    fn trouble(&mut self, trouble: String) {
        let before = self.file.trouble.take();
        self.file.trouble = Some(before.map_or_else(|| trouble.clone(), |before| format!("{before}; {trouble}")));
    }

    /// What the file is, now that it was read.
    fn settle(&mut self) {
        let most = self.formats.iter().max_by_key(|(format, count)| (**count, **format));
        if let Some((&(format, source), _)) = most {
            self.file.format = Some(format.name(source));
            self.file.source = if format.source() == Source::Unknown { source } else { format.source() };
        } else {
            self.file.source = path_source(&self.log.path);
        }
    }
}

fn read_entry(line: &str, source: Source) -> Option<Entry> {
    format::read(line, source).map(|(_, entry)| entry)
}

fn path_source(path: &Path) -> Source {
    format::source_of(path)
}

/// The shortest line that makes a file text, however much garbage lies around it.
const TELLING_LINE: usize = 20;

/// Whether a file that begins so may be text, in whatever encoding of ASCII's kind: one byte in twenty may be a control, or
/// there is garbage among lines of text.
fn is_text(head: &[u8]) -> bool {
    // A file that was emptied while its writer wrote on begins with a hole.
    let start = head.iter().position(|byte| *byte != 0).unwrap_or(head.len());
    let head = head.get(start..).unwrap_or_default();
    let is_strange = |byte: &&u8| byte.is_ascii_control() && !matches!(byte, b'\t' | b'\n' | b'\r' | 0x0c | 0x1b);
    let is_line = |line: &[u8]| {
        let is_long = line.len() >= TELLING_LINE;
        is_long && std::str::from_utf8(line).is_ok() && !line.iter().any(|byte| is_strange(&byte))
    };
    head.iter().filter(is_strange).count() * 20 <= head.len() || head.split(|byte| *byte == b'\n').any(is_line)
}

fn read_part(file: &mut impl Read, most: usize) -> io::Result<Vec<u8>> {
    let mut part = Vec::new();
    file.take(most as u64).read_to_end(&mut part)?;
    Ok(part)
}
