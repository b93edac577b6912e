//! Honest requests, written for this project: what people and programs send that looks like an attack and is none.

use std::fs;
use std::io;
use std::path::Path;

use serde::Deserialize;

use crate::request::Request;

/// An honest request.
#[derive(Debug)]
pub(crate) struct Honest {
    /// What kind of it: the name of its file.
    pub(crate) kind: String,
    pub(crate) row: Row,
    pub(crate) request: Request,
}

/// A line of a file in `managed/corpus`.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Row {
    /// Whence it is: `own` for what was made up for this.
    #[serde(rename = "source")]
    _source: String,
    /// Path and query.
    pub(crate) target: String,
    /// `POST` where there is a body.
    method: Option<String>,
    /// `Content-Type`.
    #[serde(rename = "type")]
    content_type: Option<String>,
    pub(crate) body: Option<String>,
    /// Further header fields.
    #[serde(default)]
    headers: Vec<(String, String)>,
}

/// Every row of every file in `folder`.
pub(crate) fn read(folder: &Path) -> io::Result<Vec<Honest>> {
    let mut files: Vec<_> = fs::read_dir(folder)?.filter_map(|file| file.ok().map(|file| file.path())).collect();
    files.retain(|path| path.extension().is_some_and(|extension| extension == "jsonl"));
    files.sort();
    let mut all = Vec::new();
    for path in files {
        let kind = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        for line in fs::read_to_string(&path)?.lines() {
            let row: Row =
                serde_json::from_str(line).map_err(|error| io::Error::other(format!("{kind}: {error}: {line}")))?;
            all.push(Honest { kind: kind.clone(), request: request(row.clone()), row });
        }
    }
    Ok(all)
}

fn request(row: Row) -> Request {
    let mut request = match row.body {
        Some(body) => Request::post(row.target, row.content_type.as_deref().unwrap_or("text/plain"), body),
        None => Request::get(row.target),
    };
    if let Some(method) = row.method {
        request.method = method.into_bytes();
    }
    row.headers.iter().fold(request, |request, (name, value)| request.header(name, value.as_str()))
}
