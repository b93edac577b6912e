//! What is kept of the entries that stream by: groups of those that name a trouble, and the lines that may belong to a
//! request. Both are bounded, however long the logs.

use std::cmp::Reverse;
use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::net::IpAddr;
use std::path::PathBuf;
use std::rc::Rc;
use std::time::SystemTime;

use super::Cause;
use super::entry::{Entry, Facts, Kind, Level};
use super::format::Format;
use super::mask::{begin, masked, shown};
use super::names::{self, Meaning};
use super::profile::seconds_between;
use super::read::Taken;
use super::source::Source;
use super::wanted::{Request, path_of};

/// The most groups; what would be one more is counted with the last of its cause.
const MOST_GROUPS: usize = 512;

/// The most occurrences that are kept of a group; those near a request are kept before others.
const MOST_TIMES: usize = 256;

/// The most lines that are kept for joining.
const MOST_LINES: usize = 4096;

/// The most addresses that are counted.
const MOST_CLIENTS: usize = 16_384;

/// The most kinds of messages whose meaning is remembered.
const MOST_KNOWN: usize = 8192;

/// How near to a request an entry is at the same time as it, in seconds.
const NEAR: u64 = 2;

/// How near it may still be thought of together with it, in seconds.
const ABOUT: u64 = 60;

/// How much is kept of a line that may be shown.
const KEPT_BYTES: usize = 4096;

/// What came of all files.
#[derive(Debug)]
pub(super) struct Gathered<'a> {
    requests: &'a [Request],
    rays: Vec<Option<String>>,
    groups: Vec<Group>,
    index: HashMap<(Cause, String, Option<String>), usize>,
    /// Which group a message belongs to, by a hash of what is alike in such messages; `None`: it names nothing.
    known: HashMap<u64, Option<usize>>,
    /// The files so far, and how many entries each has.
    files: Vec<(Rc<PathBuf>, u64)>,
    /// Lines that may belong to a request.
    pub(super) lines: Vec<Line>,
    /// The access logs: how many lines, and how many of them with a Ray ID, by writer.
    pub(super) access: HashMap<Source, Access>,
    /// Who asked, by the access logs, and how often.
    pub(super) clients: HashMap<IpAddr, u64>,
}

/// The access log of a server.
#[derive(Debug, Default)]
pub(super) struct Access {
    /// One of its files.
    pub(super) path: PathBuf,
    pub(super) lines: u64,
    /// Lines with a Ray ID.
    pub(super) rays: u64,
}

/// Entries of one cause that say the same of the same.
#[derive(Debug)]
pub(super) struct Group {
    pub(super) meaning: Meaning,
    pub(super) source: Source,
    pub(super) line: String,
    pub(super) found: Option<(Rc<PathBuf>, u64)>,
    pub(super) count: u64,
    pub(super) between: Option<(SystemTime, SystemTime)>,
    pub(super) times: Vec<Occurrence>,
    /// How much the entry that is shown has to do with a request.
    telling: u8,
}

/// When a trouble was written down.
#[derive(Clone, Copy, Debug)]
pub(super) struct Occurrence {
    pub(super) at: Option<SystemTime>,
    /// When its file was written last, if that is all that is known.
    pub(super) written: Option<SystemTime>,
    pub(super) level: Level,
    pub(super) process: Option<u64>,
    /// Whose request it was about.
    pub(super) client: Option<IpAddr>,
    /// What ties it to a request.
    pub(super) tie: Option<Tie>,
    /// Whether it names a path that none of the requests asked for.
    pub(super) is_of_another_path: bool,
    /// The number of its file, and its own in that file.
    pub(super) place: (usize, u64),
}

/// What ties an entry to a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Tie {
    /// It names the request's Ray ID.
    Ray(usize),
    /// It names its method and path, or its path alone.
    Line(usize),
}

/// A line that may belong to a request.
#[derive(Debug)]
pub(super) struct Line {
    pub(super) found: (Rc<PathBuf>, u64),
    pub(super) line: String,
    pub(super) at: Option<SystemTime>,
    pub(super) kind: Kind,
    pub(super) process: Option<u64>,
    pub(super) facts: Facts,
    pub(super) tie: Tie,
}

impl<'a> Gathered<'a> {
    /// For the sake of these requests.
    pub(super) fn new(requests: &'a [Request]) -> Self {
        let rays = requests.iter().map(Request::ray).collect();
        Self {
            requests,
            rays,
            groups: Vec::new(),
            index: HashMap::new(),
            known: HashMap::new(),
            files: Vec::new(),
            lines: Vec::new(),
            access: HashMap::new(),
            clients: HashMap::new(),
        }
    }

    /// Takes an entry of the file; says whether it names a trouble.
    pub(super) fn take(&mut self, path: &Rc<PathBuf>, taken: Taken) -> bool {
        let Taken { piece, at, written, number } = taken;
        let (entry, format) = (piece.entry, piece.format);
        let found = (Rc::clone(path), number);
        let place = self.place(path);
        if entry.kind == Kind::Access && format != Some(Format::Rayline) {
            let access = self
                .access
                .entry(entry.source)
                .or_insert_with(|| Access { path: path.to_path_buf(), ..Access::default() });
            access.lines += 1;
            access.rays += u64::from(entry.request.ray.is_some());
            self.count_client(entry.request.client);
        }
        let tie = self.tie(&entry);
        // Of access logs HAProxy's alone says why.
        let speaks = entry.kind == Kind::Event || entry.source == Source::HaProxy;
        let index = if speaks { self.group(&entry) } else { None };
        if let Some(index) = index {
            let (level, written) = (entry.level.unwrap_or(Level::Error), taken_by(at, written));
            let (process, client) = (entry.process, entry.request.client);
            let is_of_another_path = tie.is_none() && self.is_of_another_path(&entry);
            let occurrence = Occurrence { at, written, level, process, client, tie, is_of_another_path, place };
            self.count(index, &entry, &piece.line, found.clone(), occurrence);
        }
        if let Some(tie) = tie {
            let line = cut(&piece.line);
            self.keep(Line { found, line, at, kind: entry.kind, process: entry.process, facts: entry.request, tie });
        }
        index.is_some()
    }

    /// Counts who asked. Of very many those that come late are left out: an edge asks often.
    fn count_client(&mut self, client: Option<IpAddr>) {
        let Some(client) = client.map(|client| client.to_canonical()) else { return };
        if self.clients.len() < MOST_CLIENTS || self.clients.contains_key(&client) {
            *self.clients.entry(client).or_default() += 1;
        }
    }

    /// Where the next entry of a file stands: files are read one after the other.
    fn place(&mut self, path: &Rc<PathBuf>) -> (usize, u64) {
        match self.files.last_mut() {
            Some((file, entries)) if Rc::ptr_eq(file, path) => *entries += 1,
            Some(_) | None => self.files.push((Rc::clone(path), 1)),
        }
        (self.files.len().saturating_sub(1), self.files.last().map_or(0, |(_, entries)| *entries))
    }

    /// Whether an entry tells of a path that nobody asked for.
    fn is_of_another_path(&self, entry: &Entry) -> bool {
        let target = entry.request.target.as_deref();
        target.is_some_and(|target| self.requests.iter().all(|request| path_of(target) != request.path()))
    }

    /// How many entries stand behind an occurrence in its file.
    pub(super) fn behind(&self, occurrence: &Occurrence) -> u64 {
        let (file, entry) = occurrence.place;
        self.files.get(file).map_or(0, |(_, entries)| entries.saturating_sub(entry))
    }

    /// What ties an entry to one of the requests: the nearest in what they share is as good as any.
    fn tie(&self, entry: &Entry) -> Option<Tie> {
        let facts = &entry.request;
        let named = |ray: &String| {
            facts.ray.as_ref() == Some(ray) || entry.kind == Kind::Event && entry.message.contains(ray.as_str())
        };
        let by_ray = self.rays.iter().position(|ray| ray.as_ref().is_some_and(named));
        if let Some(request) = by_ray {
            return Some(Tie::Ray(request));
        }
        // Two Ray IDs are two requests.
        if facts.ray.is_some() && self.rays.iter().any(Option::is_some) && entry.kind == Kind::Access {
            return None;
        }
        self.requests.iter().position(|request| says_request(entry, request)).map(Tie::Line)
    }

    /// The group of what the entry names; none if it names nothing.
    fn group(&mut self, entry: &Entry) -> Option<usize> {
        let kind = kind_of(entry);
        if let Some(known) = self.known.get(&kind) {
            return *known;
        }
        let index = names::name(entry.source, &entry.message).map(|meaning| self.group_of(meaning, entry.source));
        if self.known.len() < MOST_KNOWN {
            self.known.insert(kind, index);
        }
        index
    }

    fn group_of(&mut self, meaning: Meaning, source: Source) -> usize {
        let key = (meaning.cause, normalised(&meaning.sentence), meaning.place.clone());
        let full = self.groups.len() >= MOST_GROUPS;
        let known = self.index.get(&key).copied();
        let known = known.or_else(|| self.groups.iter().rposition(|group| full && group.meaning.cause == key.0));
        known.unwrap_or_else(|| {
            self.groups.push(Group::new(meaning, source));
            self.index.insert(key, self.groups.len() - 1);
            self.groups.len() - 1
        })
    }

    fn count(&mut self, index: usize, entry: &Entry, line: &str, found: (Rc<PathBuf>, u64), occurrence: Occurrence) {
        let requests = self.requests;
        let Some(group) = self.groups.get_mut(index) else { return };
        group.count += 1;
        if let Some(at) = occurrence.at {
            let (first, last) = group.between.unwrap_or((at, at));
            group.between = Some((first.min(at), last.max(at)));
        }
        // What is shown of a group is the entry that has most to do with a request.
        let telling = telling(&occurrence, requests);
        if group.count == 1 || telling > group.telling {
            (group.telling, group.line, group.found) = (telling, cut(line), Some(found));
            if let Some(meaning) = names::name(entry.source, &entry.message) {
                group.meaning = Meaning { sentence: masked(&meaning.sentence), ..meaning };
            }
        }
        group.times.push(occurrence);
        if group.times.len() > MOST_TIMES {
            // Where no time tells, what was written last is nearest.
            group.times.sort_by_key(|time| (time.tie.is_none(), distance(time.at, requests), Reverse(time.place)));
            group.times.truncate(MOST_TIMES / 2);
        }
    }

    fn keep(&mut self, line: Line) {
        self.lines.push(line);
        if self.lines.len() > MOST_LINES {
            let requests = self.requests;
            self.lines.sort_by_key(|line| (matches!(line.tie, Tie::Line(_)), distance(line.at, requests)));
            self.lines.truncate(MOST_LINES / 2);
        }
    }

    /// The groups.
    pub(super) fn groups(&self) -> &[Group] {
        &self.groups
    }
}

/// Whether an entry tells of such a request: by method and path, or, where it is no access log's, by the path in its text.
fn says_request(entry: &Entry, request: &Request) -> bool {
    match (&entry.request.method, &entry.request.target) {
        (Some(method), Some(target)) => *method == request.method && path_of(target) == request.path(),
        (None, Some(target)) => path_of(target) == request.path(),
        _ => entry.kind == Kind::Event && mentions(&entry.message, request.path()),
    }
}

/// Whether a text has the path as a word of its own; short ones are in every text.
fn mentions(text: &str, path: &str) -> bool {
    let outside = |byte: Option<u8>| {
        byte.is_none_or(|byte| !byte.is_ascii_alphanumeric() && !matches!(byte, b'/' | b'.' | b'_' | b'-'))
    };
    path.len() > 3
        && text.match_indices(path).any(|(at, _)| {
            let bytes = text.as_bytes();
            // A sentence may end behind it.
            let end = bytes.get(at + path.len()).copied().filter(|byte| *byte != b'.');
            outside(at.checked_sub(1).and_then(|at| bytes.get(at).copied())) && outside(end)
        })
}

/// Seconds from a moment to the nearest request; what has no time is far.
fn distance(at: Option<SystemTime>, requests: &[Request]) -> u64 {
    let to = |request: &Request| at.map(|at| seconds_between(request.at, at).unsigned_abs());
    requests.iter().filter_map(to).min().unwrap_or(u64::MAX)
}

/// A sentence without what differs from one time to the next: numbers, addresses, identifiers.
fn normalised(sentence: &str) -> String {
    let mut out = String::with_capacity(sentence.len());
    for word in sentence.split_inclusive(|at: char| !(at.is_ascii_alphanumeric())) {
        let digits = word.bytes().filter(u8::is_ascii_digit).count();
        let hexadecimal = word.trim_end_matches(|at: char| !at.is_ascii_hexdigit());
        let identifier =
            hexadecimal.len() >= 8 && digits > 0 && hexadecimal.bytes().all(|byte| byte.is_ascii_hexdigit());
        if digits == 0 {
            out.push_str(word);
        } else if identifier {
            out.push('#');
        } else {
            let mut number = false;
            for at in word.chars() {
                if !at.is_ascii_digit() {
                    out.push(at);
                } else if !number {
                    out.push('#');
                }
                number = at.is_ascii_digit();
            }
        }
    }
    out
}

fn cut(line: &str) -> String {
    begin(line, KEPT_BYTES).to_owned()
}

impl Group {
    fn new(meaning: Meaning, source: Source) -> Self {
        let (line, times) = (String::new(), Vec::new());
        Self { meaning, source, line, found: None, count: 0, between: None, times, telling: 0 }
    }

    /// Its line as it may be shown.
    pub(super) fn shown(&self) -> String {
        shown(&self.line)
    }
}

/// When the file was written last, where the entry itself has no time.
fn taken_by(at: Option<SystemTime>, written: Option<SystemTime>) -> Option<SystemTime> {
    if at.is_some() { None } else { written }
}

/// How much an occurrence has to do with a request.
fn telling(occurrence: &Occurrence, requests: &[Request]) -> u8 {
    let near = distance(occurrence.at, requests);
    match occurrence.tie {
        Some(Tie::Ray(_)) => 5,
        Some(Tie::Line(_)) if near <= NEAR => 4,
        Some(Tie::Line(_)) => 3,
        None if near <= NEAR => 2,
        None if near <= ABOUT => 1,
        None => 0,
    }
}

/// What messages of one meaning have in common: all but long numbers, and but what nginx adds of a request. Messages come by
/// the million, and naming one costs as much as reading ten.
fn kind_of(entry: &Entry) -> u64 {
    /// Shorter numbers may be what matters: signals, statuses, error codes.
    const LONG: usize = 5;
    let mut hasher = DefaultHasher::new();
    entry.source.hash(&mut hasher);
    let mut message = entry.message.as_str();
    if entry.source == Source::Nginx
        && let Some((said, added)) = message.rsplit_once(", client: ")
    {
        message = said;
        let upstream = added.split_once(", upstream: \"").map(|(_, upstream)| upstream.splitn(4, '/').take(3));
        upstream.into_iter().flatten().for_each(|part| part.hash(&mut hasher));
    }
    let mut rest = message.as_bytes();
    while let [first, tail @ ..] = rest {
        let digits = rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
        if digits >= LONG {
            rest = rest.get(digits..).unwrap_or_default();
            hasher.write_u8(b'#');
        } else if digits > 0 {
            hasher.write(rest.get(..digits).unwrap_or_default());
            rest = rest.get(digits..).unwrap_or_default();
        } else {
            hasher.write_u8(*first);
            rest = tail;
        }
    }
    hasher.finish()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sentences_differ_in_their_numbers_alone() {
        assert_eq!(normalised("child 12 (127.0.0.1:3000) of 0af31b2c9d"), "child # (#.#.#.#:#) of #");
        assert_eq!(normalised("Call to undefined function md5x()"), "Call to undefined function md#x()");
    }

    #[test]
    fn a_path_is_mentioned_as_a_word() {
        for (text, is) in [
            ("Internal Server Error: /cart", true),
            ("Exception on /cart [GET]", true),
            ("see /cart.", true),
            ("/cart?x=1", true),
            ("/shop/cart", false),
            ("/carts", false),
            ("/cart/items", false),
        ] {
            assert_eq!(mentions(text, "/cart"), is, "{text}");
        }
        assert!(!mentions("GET / failed", "/"));
    }
}
