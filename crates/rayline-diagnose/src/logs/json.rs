//! A reading as JSON.

use std::path::Path;
use std::time::{SystemTime, UNIX_EPOCH};

use rayline_verdict::moment::rfc3339_seconds;
use serde_json::{Value, json};

use super::{File, Joined, Named, Reading};

impl Reading {
    /// What `rayline logs --json` and `rayline ray --json` print: `named`, `joined`, `files`, `skew_seconds`, `format_hint`.
    pub fn to_json(&self) -> Value {
        json!({
            "named": self.named.iter().map(dated).collect::<Vec<_>>(),
            "joined": self.joined.iter().map(Joined::to_json).collect::<Vec<_>>(),
            "files": self.files.iter().map(File::to_json).collect::<Vec<_>>(),
            "skew_seconds": self.skew_seconds,
            "format_hint": self.format_hint,
        })
    }
}

/// A trouble as everywhere, and when it was written down.
fn dated(named: &Named) -> Value {
    let mut object = named.to_json();
    if let Value::Object(fields) = &mut object {
        fields.insert("first_at".to_owned(), named.between.map(|(first, _)| moment(first)).into());
        fields.insert("last_at".to_owned(), named.between.map(|(_, last)| moment(last)).into());
    }
    object
}

impl Joined {
    /// One line of a request.
    pub fn to_json(&self) -> Value {
        let (path, number) = &self.found;
        json!({
            "file": text(path),
            "line_number": Some(number).filter(|number| **number > 0),
            "line": self.line,
            "status": self.status,
            "by": self.by,
            "likelihood": rounded(self.likelihood),
        })
    }
}

impl File {
    /// One file.
    pub fn to_json(&self) -> Value {
        json!({
            "path": text(&self.path),
            "format": self.format,
            "lines": self.lines,
            "bytes": self.bytes,
            "assumed": self.assumed,
            "trouble": self.trouble,
        })
    }
}

fn text(path: &Path) -> String {
    path.to_string_lossy().into_owned()
}

fn moment(at: SystemTime) -> String {
    let seconds = at.duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs());
    rfc3339_seconds(i64::try_from(seconds).unwrap_or(i64::MAX))
}

/// Two places are more than the weighing is good for.
fn rounded(likelihood: f64) -> f64 {
    (likelihood * 100.0).round() / 100.0
}
