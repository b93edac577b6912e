//! Where logs are: what was named, and the usual places; rotated files after one another, the oldest first.
//!
//! It opens nothing, and follows links anywhere but into `/proc`, `/sys` and `/dev`.

use std::collections::HashSet;
use std::fs::Metadata;
use std::io;
use std::os::unix::fs::{FileTypeExt, MetadataExt};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use super::wanted::{Span, Wanted};

/// The most files that are looked at.
const MOST_FILES: usize = 2000;

/// The most that is looked at of a folder.
const MOST_ENTRIES: usize = 20_000;

/// How deep folders are followed.
const DEPTH: u8 = 6;

/// How much earlier than the window a file may have been written last and still be read: clocks differ.
const LATE: Duration = Duration::from_secs(600);

/// The usual places: servers, runtimes, databases, the system's log. A `*` stands for any part of one name.
const USUAL: &[&str] = &[
    "/var/log/nginx",
    "/var/log/openresty",
    "/usr/local/openresty/nginx/logs",
    "/var/log/apache2",
    "/var/log/httpd",
    "/var/log/php*",
    "/var/log/caddy",
    "/var/log/haproxy*",
    "/var/log/gunicorn*",
    "/var/log/uwsgi*",
    "/var/log/tomcat*",
    "/opt/tomcat/logs",
    // The administrator's home is right below the root.
    "/*/.pm2/logs",
    "/home/*/.pm2/logs",
    "/var/log/mysql*",
    "/var/log/mariadb",
    "/var/lib/mysql/*.err",
    "/var/log/postgresql",
    "/var/lib/pgsql/data/log",
    "/var/log/redis*",
    "/var/log/valkey*",
    "/var/log/syslog*",
    "/var/log/messages*",
    "/var/log/kern.log*",
    "/var/lib/docker/containers/*",
];

/// A file to read.
#[derive(Clone, Debug)]
pub(super) struct Log {
    pub(super) path: PathBuf,
    /// When it was written last.
    pub(super) modified: Option<SystemTime>,
}

/// What was found.
#[derive(Debug, Default)]
pub(super) struct Found {
    /// The files to read, the parts of a rotated log after one another.
    pub(super) logs: Vec<Log>,
    /// What cannot be read, and why.
    pub(super) troubles: Vec<(PathBuf, String)>,
    /// How many files were left alone for having been written last before the window.
    pub(super) older: usize,
}

/// Looks for the logs that are wanted.
pub(super) fn find(wanted: &Wanted) -> Found {
    let mut search = Search { span: wanted.span(), found: Found::default(), seen: HashSet::new() };
    for path in &wanted.paths {
        search.named(path);
    }
    if wanted.paths.is_empty() && wanted.here {
        for place in USUAL {
            for path in places(Path::new(place)) {
                search.visit(&path, DEPTH, false);
            }
        }
    }
    let mut found = search.found;
    found.logs.sort_by_cached_key(|log| rotation(&log.path));
    found
}

struct Search {
    span: Option<Span>,
    found: Found,
    seen: HashSet<PathBuf>,
}

impl Search {
    /// What a person named: it is read whatever it is called and however old.
    fn named(&mut self, path: &Path) {
        self.visit(path, DEPTH, true);
    }

    fn visit(&mut self, path: &Path, depth: u8, named: bool) {
        let (real, metadata) = match path.canonicalize().and_then(|real| Ok((real.metadata()?, real))) {
            Ok((metadata, real)) => (real, metadata),
            Err(error) => return self.trouble(path, &error, None),
        };
        if ["/proc", "/sys", "/dev"].iter().any(|outside| real.starts_with(outside)) {
            return self.refuse(path, "it leads into the system's own files, which hold no logs", named);
        }
        if !self.seen.insert(real) {
            return;
        }
        if metadata.is_dir() {
            self.folder(path, depth);
        } else if !metadata.is_file() {
            let kind = metadata.file_type();
            let what = if kind.is_fifo() {
                "a pipe"
            } else if kind.is_socket() {
                "a socket"
            } else {
                "a device"
            };
            self.refuse(path, &format!("it is {what}, and was not opened"), named);
        } else if named || is_log(path) {
            self.file(path, &metadata, named);
        }
    }

    fn folder(&mut self, path: &Path, depth: u8) {
        let Some(depth) = depth.checked_sub(1) else { return };
        let entries = match path.read_dir() {
            Ok(entries) => entries,
            Err(error) => return self.trouble(path, &error, path.metadata().ok().as_ref()),
        };
        let mut inside: Vec<PathBuf> =
            entries.take(MOST_ENTRIES).filter_map(|entry| Some(entry.ok()?.path())).collect();
        inside.sort_unstable();
        for path in inside {
            self.visit(&path, depth, false);
        }
    }

    fn file(&mut self, path: &Path, metadata: &Metadata, named: bool) {
        let modified = metadata.modified().ok();
        let start = self.span.and_then(|span| span.start.checked_sub(LATE));
        if !named && start.zip(modified).is_some_and(|(start, modified)| modified < start) {
            self.found.older += 1;
        } else if self.found.logs.len() < MOST_FILES {
            self.found.logs.push(Log { path: path.to_owned(), modified });
        } else if self.found.logs.len() == MOST_FILES {
            let why = format!("there are more than {MOST_FILES} files: name the ones to read");
            if self.found.troubles.last().is_none_or(|(_, last)| *last != why) {
                self.found.troubles.push((path.to_owned(), why));
            }
        }
    }

    fn trouble(&mut self, path: &Path, error: &io::Error, metadata: Option<&Metadata>) {
        self.found.troubles.push((path.to_owned(), why(error, metadata)));
    }

    fn refuse(&mut self, path: &Path, why: &str, named: bool) {
        if named {
            self.found.troubles.push((path.to_owned(), why.to_owned()));
        }
    }
}

/// Why a file cannot be read, and what would help.
pub(super) fn why(error: &io::Error, metadata: Option<&Metadata>) -> String {
    match error.kind() {
        io::ErrorKind::NotFound => "there is no such file or folder".to_owned(),
        io::ErrorKind::PermissionDenied => {
            let readers = metadata.filter(|metadata| metadata.mode() & 0o040 != 0);
            match readers.and_then(|metadata| name_of_group(metadata.gid())) {
                Some(group) => format!("permission denied: run it with `sudo`, or as a member of the group `{group}`"),
                None => "permission denied: run it with `sudo`".to_owned(),
            }
        }
        _ => error.to_string(),
    }
}

fn name_of_group(id: u32) -> Option<String> {
    let groups = std::fs::read_to_string("/etc/group").ok()?;
    groups.lines().find_map(|line| {
        let mut fields = line.split(':');
        let (name, _, found) = (fields.next()?, fields.next()?, fields.next()?);
        (found.parse() == Ok(id)).then(|| name.to_owned())
    })
}

/// The paths that a usual place stands for; those that are not there stand for nothing.
fn places(place: &Path) -> Vec<PathBuf> {
    let mut paths = vec![PathBuf::new()];
    for part in place.components() {
        let pattern = part.as_os_str().to_string_lossy().into_owned();
        paths = paths.into_iter().flat_map(|path| inside(&path, &pattern)).take(MOST_FILES).collect();
    }
    paths.retain(|path| path.exists());
    paths
}

/// What of a folder fits the pattern.
fn inside(path: &Path, pattern: &str) -> Vec<PathBuf> {
    let Some((begin, end)) = pattern.split_once('*') else { return vec![path.join(pattern)] };
    let names = path.read_dir().into_iter().flatten().filter_map(|entry| Some(entry.ok()?.file_name()));
    let fits = |name: &std::ffi::OsString| {
        let name = name.to_string_lossy();
        name.len() >= begin.len() + end.len() && name.starts_with(begin) && name.ends_with(end)
    };
    names.filter(fits).map(|name| path.join(name)).collect()
}

/// Whether a file in a folder is a log, going by its name: folders of programs hold much else.
fn is_log(path: &Path) -> bool {
    const PARTS: &[&str] = &["log", "access", "error", "messages", "dmesg", "stdout", "stderr", ".err", ".out"];
    const NOT: &[&str] = &[".journal", ".php", ".js", ".py", ".rb", ".java", ".class", ".conf", ".so", ".html", ".css"];
    let name = path.file_name().unwrap_or_default().to_string_lossy().to_ascii_lowercase();
    PARTS.iter().any(|part| name.contains(part)) && !NOT.iter().any(|end| name.ends_with(end))
}

/// Which log a file is a part of, and which part: the parts of a log sort from the oldest to the one still written.
fn rotation(path: &Path) -> (PathBuf, i64, PathBuf) {
    /// Above any date of eight digits: a part with a date is older than the log without.
    const NOW: i64 = 100_000_000;
    let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let bare = [".gz", ".zst", ".bz2", ".xz"].iter().find_map(|end| name.strip_suffix(end)).unwrap_or(&name);
    let numbered = bare.rsplit_once('.').and_then(|(base, number)| {
        (number.len() <= 3)
            .then(|| Some((base.to_owned(), -number.parse::<i64>().ok().filter(|number| *number >= 0)?)))?
    });
    let (base, age) =
        numbered.or_else(|| dated(bare).map(|(base, date)| (base, date - NOW))).unwrap_or((bare.to_owned(), 0));
    (path.with_file_name(base), age, path.to_owned())
}

/// A date in a name, `-20261121`, `.2026-11-21`, and the name without it.
fn dated(name: &str) -> Option<(String, i64)> {
    let starts = name.match_indices(['-', '.', '_']).map(|(at, _)| at);
    starts.into_iter().find_map(|at| {
        let behind = name.get(at + 1..)?;
        let length = behind.bytes().take_while(|byte| byte.is_ascii_digit() || *byte == b'-').count();
        let written = behind.get(..length)?;
        let digits: String = written.chars().filter(char::is_ascii_digit).take(8).collect();
        let fits = digits.len() == 8 && digits.starts_with("20");
        fits.then(|| Some((format!("{}{}", name.get(..at)?, behind.get(length..)?), digits.parse().ok()?)))?
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_parts_of_a_log_are_read_from_the_oldest_on() {
        let order = |names: &[&str]| {
            let mut paths: Vec<PathBuf> = names.iter().map(PathBuf::from).collect();
            paths.sort_by_cached_key(|path| rotation(path));
            paths.iter().map(|path| path.to_string_lossy().into_owned()).collect::<Vec<_>>()
        };
        assert_eq!(
            order(&["/l/a.log", "/l/a.log.10.gz", "/l/a.log.1", "/l/a.log.2.gz", "/l/b.log"]),
            ["/l/a.log.10.gz", "/l/a.log.2.gz", "/l/a.log.1", "/l/a.log", "/l/b.log"]
        );
        assert_eq!(
            order(&["a.log", "a.log-20261121", "a.log-20261120.zst", "c.2026-11-21.log", "c.2026-11-20.log"]),
            ["a.log-20261120.zst", "a.log-20261121", "a.log", "c.2026-11-20.log", "c.2026-11-21.log"]
        );
    }

    #[test]
    fn what_would_help_is_said() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("error.log");
        std::fs::write(&path, "").unwrap();
        let denied = io::Error::from(io::ErrorKind::PermissionDenied);
        let with = |mode| {
            std::fs::set_permissions(&path, std::os::unix::fs::PermissionsExt::from_mode(mode)).unwrap();
            why(&denied, path.metadata().ok().as_ref())
        };
        assert_eq!(with(0o600), "permission denied: run it with `sudo`");
        let group = name_of_group(path.metadata().unwrap().gid());
        let wanted = group.map_or_else(
            || "permission denied: run it with `sudo`".to_owned(),
            |group| format!("permission denied: run it with `sudo`, or as a member of the group `{group}`"),
        );
        assert_eq!(with(0o640), wanted);
    }

    #[test]
    fn a_log_is_known_by_its_name() {
        for (name, is) in [
            ("error.log", true),
            ("access.log.2.gz", true),
            ("catalina.out", true),
            ("localhost_access_log.2026-11-21.txt", true),
            ("host.err", true),
            ("0f-json.log", true),
            ("system.journal", false),
            ("login.php", false),
            ("wtmp", false),
            ("config.v2.json", false),
        ] {
            assert_eq!(is_log(Path::new(name)), is, "{name}");
        }
    }
}
