//! The formats of logs, told apart by the shape of a line, and what a line of each says.
//!
//! It looks at one line at a time: which lines belong together is [`assemble`](super::assemble)'s matter. Every parser
//! looks at the first bytes before it does any work, so that lines of other formats cost next to nothing.

mod json;
mod runtime;
mod store;
mod system;
mod web;

use std::path::Path;

use super::entry::{Entry, Kind};
use super::source::Source;

pub(super) use runtime::loudness;
pub(super) use web::complete;

/// How deep a line may be wrapped: what a program wrote, in the journal, in Docker's file.
const DEPTH: u8 = 3;

macro_rules! formats {
    ($($variant:ident = $name:literal by $source:ident)+) => {
        /// A format.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub(super) enum Format { $($variant),+ }

        impl Format {
            /// What people call it.
            const fn plain_name(self) -> &'static str {
                match self { $(Self::$variant => $name),+ }
            }

            /// Who writes it.
            pub(super) const fn source(self) -> Source {
                match self { $(Self::$variant => Source::$source),+ }
            }
        }
    };
}

formats! {
    NginxError = "nginx error log" by Nginx
    ApacheError = "Apache error log" by Apache
    Access = "access log" by Unknown
    JsonAccess = "JSON access log" by Unknown
    Caddy = "Caddy log" by Caddy
    HaProxy = "HAProxy log" by HaProxy
    PhpError = "PHP error log" by Php
    PhpFpm = "PHP-FPM log" by PhpFpm
    PhpSlow = "PHP-FPM slow log" by PhpFpm
    Monolog = "Monolog log" by Php
    NodeJson = "Node.js JSON log" by Node
    Gunicorn = "Gunicorn log" by Gunicorn
    Uwsgi = "uWSGI log" by Uwsgi
    Python = "Python log" by Python
    Tomcat = "Tomcat log" by Tomcat
    Java = "Java log" by Java
    Rails = "Rails log" by Ruby
    Go = "Go log" by Go
    MySql = "MySQL error log" by MySql
    PostgreSql = "PostgreSQL log" by PostgreSql
    Redis = "Redis log" by Redis
    Kernel = "kernel log" by Kernel
    Journal = "journal" by Systemd
    Syslog = "syslog" by Unknown
    Docker = "Docker log" by Docker
    Rayline = "Rayline request log" by Rayline
    Json = "JSON log" by Unknown
    Logfmt = "logfmt log" by Unknown
    Timed = "log with times" by Unknown
}

impl Format {
    /// What people call it, when its lines come from there.
    pub(super) const fn name(self, source: Source) -> &'static str {
        match (self, source) {
            (Self::Access, Source::Nginx) => "nginx access log",
            (Self::Access, Source::Apache) => "Apache access log",
            (Self::Access, Source::Gunicorn) => "Gunicorn access log",
            (Self::Access, Source::Tomcat) => "Tomcat access log",
            (Self::JsonAccess, Source::Nginx) => "nginx JSON access log",
            (other, _) => other.plain_name(),
        }
    }
}

/// What a line says, if it is of a known format; `source` is who writes the file, for what its lines do not tell.
pub(super) fn read(line: &str, source: Source) -> Option<(Format, Entry)> {
    wrapped(line, source, DEPTH)
}

fn wrapped(line: &str, source: Source, depth: u8) -> Option<(Format, Entry)> {
    let depth = depth.checked_sub(1)?;
    let (format, mut entry) = match line.as_bytes() {
        [b'{', ..] => json::read(line, source, depth),
        [b'<', ..] => system::syslog(line, depth),
        [b'[', ..] => web::in_brackets(line).or_else(|| system::kernel(line)).or_else(|| runtime::in_brackets(line)),
        _ => None,
    }
    .or_else(|| web::nginx_error(line))
    .or_else(|| web::haproxy(line))
    .or_else(|| web::access(line))
    .or_else(|| store::redis(line))
    .or_else(|| timed(line, source, depth))
    .or_else(|| runtime::without_time(line))?;
    if entry.source == Source::Unknown {
        entry.source = if format.source() == Source::Unknown { source } else { format.source() };
    }
    Some((format, entry))
}

/// Lines that begin with a time.
fn timed(line: &str, source: Source, depth: u8) -> Option<(Format, Entry)> {
    let (at, rest) = super::stamp::leading(line)?;
    let (format, mut entry) = store::mysql(rest, source)
        .or_else(|| store::postgresql(rest))
        .or_else(|| system::after_time(rest, depth))
        .unwrap_or_else(|| runtime::after_time(line, rest));
    entry.at = entry.at.or(Some(at));
    Some((format, entry))
}

/// Who writes a file of this name, as far as the name or its folder's tells.
pub(super) fn source_of(path: &Path) -> Source {
    const NAMES: &[(&str, Source)] = &[
        ("nginx", Source::Nginx),
        ("openresty", Source::Nginx),
        ("apache", Source::Apache),
        ("httpd", Source::Apache),
        ("other_vhosts", Source::Apache),
        ("php", Source::Php),
        ("caddy", Source::Caddy),
        ("haproxy", Source::HaProxy),
        ("pm2", Source::Node),
        ("node", Source::Node),
        ("gunicorn", Source::Gunicorn),
        ("uwsgi", Source::Uwsgi),
        ("tomcat", Source::Tomcat),
        ("catalina", Source::Tomcat),
        ("mysql", Source::MySql),
        ("mariadb", Source::MySql),
        ("postgres", Source::PostgreSql),
        ("pgsql", Source::PostgreSql),
        ("redis", Source::Redis),
        ("valkey", Source::Redis),
        ("kern", Source::Kernel),
        ("dmesg", Source::Kernel),
        ("puma", Source::Ruby),
        ("rails", Source::Ruby),
        ("django", Source::Python),
        ("python", Source::Python),
        ("rayline", Source::Rayline),
    ];
    let text = |part: &std::ffi::OsStr| part.to_string_lossy().to_ascii_lowercase();
    let found = |fits: &dyn Fn(&str) -> bool| NAMES.iter().find(|(name, _)| fits(name)).map(|&(_, source)| source);
    let by_name = path.file_name().map(text).and_then(|name| found(&|known| name.contains(known)));
    by_name
        .or_else(|| {
            // A folder tells if it is a package's own (`nginx`, `php8.2-fpm`): a project's may be called anything.
            let folder = path.parent().and_then(Path::file_name).map(text)?;
            let mut words = folder.split(|at: char| !at.is_ascii_alphabetic()).filter(|word| !word.is_empty());
            let source = words.next().and_then(|word| found(&|known| word.starts_with(known)))?;
            words.all(|word| word == "fpm").then_some(source)
        })
        .unwrap_or_default()
}

/// Who a program of this name is, as syslog and the journal name programs.
fn source_of_program(program: &str) -> Source {
    match program {
        "kernel" => Source::Kernel,
        "systemd" | "init" => Source::Systemd,
        "docker" | "dockerd" | "containerd" => Source::Docker,
        program if program.starts_with("php") && program.contains("fpm") => Source::PhpFpm,
        program if program.starts_with("mysqld") => Source::MySql,
        program => source_of(Path::new(program)),
    }
}

/// An event of this message.
fn event(message: &str) -> Entry {
    Entry { kind: Kind::Event, message: message.to_owned(), ..Entry::default() }
}

/// The inside of brackets that the text begins with, and what is behind them.
fn bracketed(text: &str) -> Option<(&str, &str)> {
    text.strip_prefix('[')?.split_once(']')
}

/// The number that the text begins with, and what is behind it.
fn number(text: &str) -> Option<(u64, &str)> {
    let count = text.bytes().take_while(u8::is_ascii_digit).count();
    Some((text.get(..count)?.parse().ok()?, text.get(count..)?))
}

#[cfg(test)]
mod tests;
