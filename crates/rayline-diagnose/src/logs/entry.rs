//! What a line of a log says, whatever its format: who wrote it, when, how grave, of which request.

use std::net::IpAddr;

use super::source::Source;
use super::stamp::Stamp;

/// A record of a log: a line, with those that go on with it.
#[derive(Clone, Debug, Default)]
pub struct Entry {
    /// Who wrote it.
    pub source: Source,
    /// Whether it counts a request, or tells of something.
    pub kind: Kind,
    /// When it was written, as it says itself.
    pub at: Option<Stamp>,
    /// How grave its writer finds it; `None`: it does not say.
    pub level: Option<Level>,
    /// What it says, without time, level and process; following lines after a line feed each.
    pub message: String,
    /// What it says of a request.
    pub request: Facts,
    /// The process that wrote it.
    pub process: Option<u64>,
    /// The process that handed it to the system's log, which may be another than the one that it names.
    pub handed_in_by: Option<u64>,
    /// The number of the connection, in nginx's error log.
    pub connection: Option<u64>,
}

/// What sort of record it is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Kind {
    /// One per request: an access log's.
    Access,
    /// Something that happened: an error log's.
    #[default]
    Event,
}

/// How grave, the least first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// For developers.
    Debug,
    /// As it should be.
    Info,
    /// Worth a look.
    Notice,
    /// Something may be wrong.
    Warning,
    /// Something is wrong.
    Error,
    /// It cannot go on.
    Critical,
}

/// What a line says of a request; `None` where it does not.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Facts {
    /// The method.
    pub method: Option<String>,
    /// Path and query as they were sent.
    pub target: Option<String>,
    /// The site's name.
    pub host: Option<String>,
    /// The status of the answer.
    pub status: Option<u16>,
    /// Who asked: the edge's address, unless the server looks through it.
    pub client: Option<IpAddr>,
    /// Bytes of the answer, with or without its head.
    pub bytes: Option<u64>,
    /// The Ray ID's 16 digits, in lower case.
    pub ray: Option<String>,
}

impl Level {
    /// The level that a word stands for, in any of the usual vocabularies.
    pub fn of(word: &str) -> Option<Self> {
        const WORDS: &[(&str, Level)] = &[
            ("trace", Level::Debug),
            ("debug", Level::Debug),
            ("fine", Level::Debug),
            ("finer", Level::Debug),
            ("finest", Level::Debug),
            ("config", Level::Debug),
            ("info", Level::Info),
            ("information", Level::Info),
            ("system", Level::Info),
            ("log", Level::Info),
            ("note", Level::Info),
            ("notice", Level::Notice),
            ("warn", Level::Warning),
            ("warning", Level::Warning),
            ("err", Level::Error),
            ("error", Level::Error),
            ("severe", Level::Error),
            ("crit", Level::Critical),
            ("critical", Level::Critical),
            ("alert", Level::Critical),
            ("emerg", Level::Critical),
            ("emergency", Level::Critical),
            ("fatal", Level::Critical),
            ("panic", Level::Critical),
        ];
        WORDS.iter().find(|(known, _)| known.eq_ignore_ascii_case(word)).map(|&(_, level)| level)
    }

    /// The level of a number as syslog counts: 0 is the gravest.
    pub const fn of_severity(severity: u64) -> Self {
        match severity {
            0..=2 => Self::Critical,
            3 => Self::Error,
            4 => Self::Warning,
            5 => Self::Notice,
            6 => Self::Info,
            _ => Self::Debug,
        }
    }

    /// The level of a number as pino and bunyan count: 60 is the gravest.
    pub const fn of_tens(number: u64) -> Self {
        match number {
            0..30 => Self::Debug,
            30..40 => Self::Info,
            40..50 => Self::Warning,
            50..60 => Self::Error,
            _ => Self::Critical,
        }
    }
}

/// The digits of a Ray ID that may have its data centre behind it: `8f1d2c3b4a596877`, `8f1d2c3b4a596877-FRA`.
pub fn ray(token: &str) -> Option<String> {
    let (digits, colo) = token.split_once('-').map_or((token, None), |(digits, colo)| (digits, Some(colo)));
    let in_capitals = |colo: &str| colo.len() == 3 && colo.bytes().all(|byte| byte.is_ascii_uppercase());
    let fits = digits.len() == 16
        && digits.bytes().all(|byte| byte.is_ascii_digit() || matches!(byte, b'a'..=b'f'))
        // Sixteen decimal digits are a time in microseconds, unless a data centre follows.
        && (colo.is_some() || digits.bytes().any(|byte| byte.is_ascii_lowercase()))
        && colo.is_none_or(in_capitals);
    fits.then(|| digits.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_ray_id_is_told_from_other_numbers() {
        for (token, found) in [
            ("8f1d2c3b4a596877", true),
            ("8f1d2c3b4a596877-FRA", true),
            ("1795258899976035-FRA", true),
            ("1795258899976035", false),
            ("8F1D2C3B4A596877", false),
            ("8f1d2c3b4a596877-fra", false),
            ("8f1d2c3b4a59687", false),
            ("", false),
            ("-", false),
        ] {
            assert_eq!(ray(token).is_some(), found, "{token}");
        }
    }
}
