//! The origin's logs: found, read as they stream by, named, and joined to the request that failed.
//!
//! However long a log is, little of it is read, and less is kept: where a time is wanted it is sought, and what streams by
//! is counted in groups. It changes nothing, and opens nothing but files, and the journal through its own program.

use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::net::IpAddr;
use std::path::PathBuf;
use std::rc::Rc;
use std::time::{Duration, Instant, SystemTime};

use crate::probe::{Probe, Watcher};

mod assemble;
pub mod cause;
pub mod entry;
mod find;
mod format;
mod gather;
mod hint;
mod join;
mod json;
mod lines;
pub(crate) mod mask;
pub mod names;
mod profile;
mod rank;
mod read;
pub mod source;
pub mod stamp;
mod wanted;

pub use cause::Cause;
pub use source::Source;
pub use wanted::{Request, Wanted, Window};

use find::Log;
use gather::Gathered;
use read::How;
use stamp::Zone;

/// What the logs say.
#[derive(Clone, Debug, Default)]
pub struct Reading {
    /// What is wrong, the most telling first.
    pub named: Vec<Named>,
    /// The lines that belong to the request that failed, the likeliest first.
    pub joined: Vec<Joined>,
    /// The files that were read.
    pub files: Vec<File>,
    /// How far the origin's clock is ahead of ours, in seconds, if joined lines tell.
    pub skew_seconds: Option<f64>,
    /// The line for the server's configuration that adds the Ray ID to its log, where it is not there yet.
    pub format_hint: Option<String>,
    /// Who asked, by the access logs, and how often; the most frequent first.
    pub clients: Vec<(IpAddr, u64)>,
    /// What a person reads of all that.
    pub probes: Vec<Probe>,
}

/// A log file.
#[derive(Clone, Debug, Default)]
pub struct File {
    /// Where it is.
    pub path: PathBuf,
    /// What it was read as: `nginx error log`; `None`: nothing known.
    pub format: Option<&'static str>,
    /// Who writes it, as far as its lines or its name tell.
    pub source: Source,
    /// Lines read.
    pub lines: u64,
    /// Bytes read, of the file as it lies there.
    pub bytes: u64,
    /// What was taken for granted of it, such as the zone of its times.
    pub assumed: Option<String>,
    /// Why it was not read, or not to its end.
    pub trouble: Option<String>,
}

/// A trouble that the logs or the machine name: all lines of one cause that say the same of the same.
#[derive(Clone, Debug)]
pub struct Named {
    /// What.
    pub cause: Cause,
    /// What was seen of it, in one sentence with its particulars: `PHP ran into a fatal error: Call to undefined function x()`.
    pub sentence: String,
    /// Where in the code, `file:line`, if it says so.
    pub place: Option<String>,
    /// Who wrote it: `nginx`, `PHP-FPM`, `kernel`.
    pub source: &'static str,
    /// One such line, masked, at most 512 bytes.
    pub line: String,
    /// The file, and the line's number, from 1; 0 where counting would have meant reading a long file from its start.
    pub found: Option<(PathBuf, u64)>,
    /// How many lines say so.
    pub count: u64,
    /// When the first and the last of them were written.
    pub between: Option<(SystemTime, SystemTime)>,
    /// How likely it is that it is what failed the request, from 0 to 1: by Ray ID, time, path and kind.
    pub likelihood: f64,
}

/// A line of an access or error log that belongs to a request.
#[derive(Clone, Debug)]
pub struct Joined {
    /// The file, and the line's number, from 1; 0 where counting would have meant reading a long file from its start.
    pub found: (PathBuf, u64),
    /// The line, masked, at most 512 bytes.
    pub line: String,
    /// The status that the server wrote down.
    pub status: Option<u16>,
    /// By what it was joined: `Ray ID`, or `time, method, path`.
    pub by: &'static str,
    /// How likely it is the one, from 0 to 1.
    pub likelihood: f64,
}

/// Reads the logs that are wanted. It blocks while it reads: seconds at most, however long they are.
pub fn read(wanted: &Wanted, watcher: &dyn Watcher) -> Reading {
    let found = find::find(wanted);
    let starts: Vec<SystemTime> = wanted.requests.iter().map(|request| request.at).collect();
    let how = How {
        span: wanted.span(),
        zone: if wanted.here { Zone::machine() } else { Zone::UTC },
        requests: &starts,
        most_bytes: wanted.most_bytes,
    };
    watcher.began("logs", &format!("reading {} log files", found.logs.len()));
    let mut work = Work { gathered: Gathered::new(&wanted.requests), families: BTreeMap::new(), files: Vec::new() };
    for (done, log) in found.logs.iter().enumerate() {
        watcher.went_on("logs", done as u64, Some(found.logs.len() as u64));
        work.read(log, &how);
    }
    if wanted.here && wanted.paths.is_empty() {
        work.read_journal(&how);
    }
    for (path, trouble) in found.troubles {
        let source = format::source_of(&path);
        work.done(File { path, source, trouble: Some(trouble), ..File::default() }, 0, Duration::ZERO);
    }
    let mut reading = work.conclude(wanted, found.older);
    reading.probes.iter().for_each(|probe| watcher.ended(probe));
    reading.files.sort_by(|one, other| one.path.cmp(&other.path));
    reading
}

/// The logs while they are read.
struct Work<'a> {
    gathered: Gathered<'a>,
    families: BTreeMap<&'static str, Family>,
    files: Vec<File>,
}

/// What the files of one writer came to.
#[derive(Default)]
struct Family {
    files: u64,
    lines: u64,
    bytes: u64,
    /// Entries that name a trouble.
    named: u64,
    troubles: Vec<String>,
    took: Duration,
}

impl Work<'_> {
    fn read(&mut self, log: &Log, how: &How<'_>) {
        let began = Instant::now();
        let path = Rc::new(log.path.clone());
        let (gathered, mut named) = (&mut self.gathered, 0);
        let file = read::read(log, how, &mut |taken| named += u64::from(gathered.take(&path, taken)));
        self.done(file, named, began.elapsed());
    }

    fn read_journal(&mut self, how: &How<'_>) {
        let began = Instant::now();
        let path = Rc::new(PathBuf::from("journalctl"));
        let (gathered, mut named) = (&mut self.gathered, 0);
        let read = read::read_journal(how, &mut |taken| named += u64::from(gathered.take(&path, taken)));
        // A machine without a journal lacks nothing, nor does one whose journal is empty.
        if let Some(file) = read.filter(|file| file.lines > 0 || file.trouble.is_some()) {
            self.done(file, named, began.elapsed());
        }
    }

    fn done(&mut self, file: File, named: u64, took: Duration) {
        let family = self.families.entry(family(file.source)).or_default();
        family.files += 1;
        family.lines += file.lines;
        family.bytes += file.bytes;
        family.named += named;
        family.took += took;
        if let Some(trouble) = &file.trouble {
            family.troubles.push(format!("`{}`: {trouble}", file.path.display()));
        }
        self.files.push(file);
    }

    /// What follows from all of them.
    fn conclude(self, wanted: &Wanted, older: usize) -> Reading {
        let Self { gathered, families, files } = self;
        let requests = &wanted.requests;
        let skew = join::skew(&gathered.lines, requests);
        let by = skew.unwrap_or(0.0);
        let joined = join::join(&gathered.lines, requests, by);
        let part = join::Part::new(&gathered.lines, &joined);
        let shown = join::shown_lines(&gathered.lines, &joined);
        let mut named = rank::rank(&gathered, requests, by, &part);
        named.truncate(MOST_NAMED);
        let written: Vec<Source> = files.iter().map(|file| file.source).collect();
        let asked = requests.is_empty() || requests.iter().any(|request| request.ray_id.is_some());
        let format_hint = if asked { hint::hint(&gathered.access, &written) } else { None };
        let mut probes: Vec<Probe> = families.into_iter().map(|(name, family)| family.probe(name)).collect();
        if files.is_empty() {
            let said = match (older, wanted.here) {
                (0, true) => "no log was found in the usual places: name them with `--logs`".to_owned(),
                (0, false) => "there is no log file in what was named".to_owned(),
                (older, _) => format!("{older} log files were last written long before the request"),
            };
            probes.push(Probe::new("logs", None, Duration::ZERO, said));
        }
        if !requests.is_empty() && !files.is_empty() {
            probes.push(join_probe(&shown, skew, format_hint.as_deref()));
        }
        let mut clients: Vec<(IpAddr, u64)> = gathered.clients.into_iter().collect();
        clients.sort_by_key(|(client, count)| (Reverse(*count), *client));
        Reading { named, joined: shown, files, skew_seconds: skew, format_hint, clients, probes }
    }
}

/// The most troubles that are told.
const MOST_NAMED: usize = 100;

/// The name of a writer as a part of a probe's.
const fn family(source: Source) -> &'static str {
    match source {
        Source::Nginx => "logs.nginx",
        Source::Apache => "logs.apache",
        Source::PhpFpm | Source::Php => "logs.php",
        Source::Caddy => "logs.caddy",
        Source::HaProxy => "logs.haproxy",
        Source::Node => "logs.node",
        Source::Python | Source::Gunicorn | Source::Uwsgi => "logs.python",
        Source::Java | Source::Tomcat => "logs.java",
        Source::Ruby => "logs.ruby",
        Source::Go => "logs.go",
        Source::DotNet => "logs.dotnet",
        Source::MySql => "logs.mysql",
        Source::PostgreSql => "logs.postgresql",
        Source::Redis => "logs.redis",
        Source::Kernel => "logs.kernel",
        Source::Systemd => "logs.system",
        Source::Docker => "logs.docker",
        Source::Rayline => "logs.rayline",
        Source::Unknown => "logs.other",
    }
}

impl Family {
    fn probe(self, name: &'static str) -> Probe {
        let counted = |count: u64, what: &str| format!("{count} {what}{}", if count == 1 { "" } else { "s" });
        let read = format!("{} in {}", counted(self.lines, "line"), counted(self.files, "file"));
        let ok = if self.named > 0 {
            Some(false)
        } else if self.lines == 0 && !self.troubles.is_empty() {
            None
        } else {
            Some(true)
        };
        let mut said = match self.named {
            0 => format!("{read}: nothing names a trouble"),
            1 => format!("{read}: one entry names a trouble"),
            named => format!("{read}: {named} entries name a trouble"),
        };
        if let Some(trouble) = self.troubles.first() {
            said = if ok.is_none() { trouble.clone() } else { format!("{said}; {trouble}") };
        }
        Probe::new(name, ok, self.took, said)
            .with("files", self.files)
            .with("lines", self.lines)
            .with("bytes", self.bytes)
            .with("named", self.named)
            .with("troubles", self.troubles)
    }
}

/// What joining came to.
fn join_probe(joined: &[Joined], skew: Option<f64>, hint: Option<&str>) -> Probe {
    let said = match joined.first() {
        None => "no line belongs to the request".to_owned(),
        Some(first) => {
            let likely = joined.iter().filter(|line| line.likelihood >= 0.5).count();
            format!("{likely} lines belong to the request, by {}", first.by)
        }
    };
    let found = joined.first().is_some_and(|first| first.likelihood >= 0.5);
    Probe::new("logs.join", found.then_some(true), Duration::ZERO, said)
        .with("lines", joined.len())
        .with("skew_seconds", skew)
        .with("format_hint", hint)
}
