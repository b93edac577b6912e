//! The Core Rule Set's regression tests, as its source package has them (`tests/regression/tests`, version 3).
//!
//! A test sends a request and says which rule must, or must not, match. The rule's paranoia level is in its own file.

use std::collections::HashMap;
use std::fs;
use std::io;
use std::path::Path;

use serde::Deserialize;

use crate::request::Request;

/// One request with what the Core Rule Set says of it.
#[derive(Debug)]
pub(crate) struct Case {
    /// The test's title.
    pub(crate) title: String,
    /// The rule, by its number.
    pub(crate) rule: String,
    /// The rule's paranoia level.
    pub(crate) paranoia: u8,
    /// Whether the rule must match.
    pub(crate) positive: bool,
    /// Whether rules were mended for missing it.
    pub(crate) seen: bool,
    pub(crate) request: Request,
}

#[derive(Deserialize)]
struct File {
    tests: Vec<Test>,
}

#[derive(Deserialize)]
struct Test {
    test_title: serde_yaml_ng::Value,
    stages: Vec<Stage>,
}

#[derive(Deserialize)]
struct Stage {
    stage: Exchange,
}

#[derive(Deserialize)]
struct Exchange {
    input: Input,
    output: Output,
}

#[derive(Deserialize)]
struct Input {
    method: Option<String>,
    uri: Option<String>,
    #[serde(default)]
    headers: Option<serde_yaml_ng::Mapping>,
    data: Option<serde_yaml_ng::Value>,
    encoded_request: Option<String>,
    raw_request: Option<String>,
    stop_magic: Option<bool>,
}

#[derive(Deserialize)]
struct Output {
    log_contains: Option<String>,
    no_log_contains: Option<String>,
}

/// Every case in `folder` that is about requests and can be put into one.
pub(crate) fn read(folder: &Path) -> io::Result<Vec<Case>> {
    let levels = levels(&folder.join("rules"))?;
    let mut files: Vec<_> = Vec::new();
    for group in fs::read_dir(folder.join("tests/regression/tests"))? {
        let group = group?.path();
        if group.is_dir() {
            files.extend(fs::read_dir(group)?.filter_map(|file| file.ok().map(|file| file.path())));
        }
    }
    files.sort();
    let mut cases = Vec::new();
    for path in files.iter().filter(|path| path.extension().is_some_and(|extension| extension == "yaml")) {
        // a file that is not of this form has nothing for us
        let Ok(file) = serde_yaml_ng::from_slice::<File>(&fs::read(path)?) else { continue };
        for test in file.tests {
            let title = text(&test.test_title);
            let seen = hash(&title).is_multiple_of(2);
            for Stage { stage } in test.stages {
                let (wanted, positive) = match (&stage.output.log_contains, &stage.output.no_log_contains) {
                    (Some(wanted), _) => (wanted, true),
                    (None, Some(unwanted)) => (unwanted, false),
                    (None, None) => continue,
                };
                let rule: String = wanted.chars().filter(char::is_ascii_digit).take(6).collect();
                let Some(paranoia) = levels.get(&rule).copied() else { continue };
                if let Some(request) = request(stage.input) {
                    cases.push(Case { title: title.clone(), rule, paranoia, positive, seen, request });
                }
            }
        }
    }
    Ok(cases)
}

/// The paranoia level of each rule, by its number.
fn levels(folder: &Path) -> io::Result<HashMap<String, u8>> {
    let mut levels = HashMap::new();
    for file in fs::read_dir(folder)? {
        let path = file?.path();
        let is_of_requests = path.file_name().is_some_and(|name| name.to_string_lossy().starts_with("REQUEST-9"));
        if !is_of_requests || path.extension().is_none_or(|extension| extension != "conf") {
            continue;
        }
        let mut rule = None;
        for line in String::from_utf8_lossy(&fs::read(path)?).lines() {
            if let Some((_, id)) = line.split_once("id:") {
                rule = Some(id.chars().take_while(char::is_ascii_digit).collect::<String>());
            }
            if let Some((_, level)) = line.split_once("paranoia-level/")
                && let (Some(rule), Some(level)) = (&rule, level.bytes().next())
            {
                levels.insert(rule.clone(), level.saturating_sub(b'0'));
            }
        }
    }
    Ok(levels)
}

fn text(value: &serde_yaml_ng::Value) -> String {
    match value {
        serde_yaml_ng::Value::String(text) => text.clone(),
        serde_yaml_ng::Value::Sequence(lines) => lines.iter().map(text).collect::<Vec<_>>().join("\r\n"),
        other => serde_yaml_ng::to_string(other).unwrap_or_default().trim().to_owned(),
    }
}

/// The request as the tests' own runner would send it. Whole requests in bytes are left out: most are no HTTP.
fn request(input: Input) -> Option<Request> {
    if input.encoded_request.is_some() || input.raw_request.is_some() {
        return None;
    }
    let headers = input.headers.unwrap_or_default();
    let headers = headers.iter().map(|(name, value)| (text(name).into_bytes(), text(value).trim().as_bytes().to_vec()));
    let body = input.data.as_ref().map(text).unwrap_or_default().into_bytes();
    let mut request = Request {
        method: input.method.unwrap_or_else(|| "GET".to_owned()).into_bytes(),
        target: input.uri.unwrap_or_else(|| "/".to_owned()).into_bytes(),
        headers: headers.collect(),
        body,
    };
    let is_typed = request.headers.iter().any(|(name, _)| name.eq_ignore_ascii_case(b"content-type"));
    if !request.body.is_empty() && !is_typed && input.stop_magic != Some(true) {
        request = request.header("Content-Type", "application/x-www-form-urlencoded");
    }
    Some(request)
}

/// FNV-1a: which half a case is in must not change from one run to the next.
fn hash(text: &str) -> u32 {
    text.bytes().fold(0x811c_9dc5, |hash, byte| (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193))
}
