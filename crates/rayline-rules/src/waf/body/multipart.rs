//! Multipart bodies (RFC 7578), strictly: what two readers could read differently is a finding.
//!
//! A part is an argument, or a file if it says a file name. Transfer encodings, which no form uses, are not undone.

use super::{Body, essence};
use crate::waf::Place;
use crate::waf::detector::Signal;
use crate::waf::inspection::Inspection;

/// Bytes of a boundary (RFC 2046 section 5.1.1).
const BOUNDARY_BYTES: usize = 70;

/// Bytes of the header fields of one part.
const HEAD_BYTES: usize = 4096;

/// Bytes of a file that are looked at.
const FILE_BYTES: usize = 4096;

/// Shows every part of the body; [`Signal::MalformedMultipart`] if it is not by the rules.
pub(super) fn read(body: &Body<'_>, inspection: &mut Inspection<'_, '_>) -> Option<Signal> {
    parts(body, inspection).is_none().then_some(Signal::MalformedMultipart)
}

/// Shows every part. `None` at the first thing that is wrong.
fn parts(body: &Body<'_>, inspection: &mut Inspection<'_, '_>) -> Option<()> {
    let boundary = boundary(body.content_type?)?;
    let delimiter = [b"\r\n--", boundary].concat();
    let finder = memchr::memmem::Finder::new(&delimiter);
    // what stands before the first boundary is nobody's, so there has to be nothing
    let mut rest = body.bytes.strip_prefix(delimiter.get(2..)?)?;
    loop {
        if rest.starts_with(b"--") {
            return matches!(rest, b"--" | b"--\r\n").then_some(());
        }
        rest = rest.strip_prefix(b"\r\n")?;
        let end = finder.find(rest);
        let part = match end {
            Some(end) => rest.get(..end)?,
            None if body.truncated => rest,
            None => return None,
        };
        let known = head_and_content(part);
        match (known, end) {
            (Some((head, content)), _) => show(head, content, inspection)?,
            // cut within the head
            (None, None) => return Some(()),
            (None, Some(_)) => return None,
        }
        let Some(end) = end else { return Some(()) };
        rest = rest.get(end + delimiter.len()..)?;
        if rest.len() < 2 && body.truncated {
            return Some(());
        }
    }
}

/// `boundary`, once, of characters that may stand there.
fn boundary(content_type: &[u8]) -> Option<&[u8]> {
    let mut found = None;
    for parameter in content_type.split(|byte| *byte == b';').skip(1) {
        let (name, value) = pair(parameter)?;
        if name.eq_ignore_ascii_case(b"boundary") {
            if found.is_some() {
                return None;
            }
            found = Some(value);
        }
    }
    let is_allowed = |byte: &u8| byte.is_ascii_alphanumeric() || b"'()+_,-./:=? ".contains(byte);
    found.filter(|boundary| (1..=BOUNDARY_BYTES).contains(&boundary.len()) && boundary.iter().all(is_allowed))
}

/// `name=value` or `name="value"`.
fn pair(parameter: &[u8]) -> Option<(&[u8], &[u8])> {
    let parameter = parameter.trim_ascii();
    let cut = memchr::memchr(b'=', parameter)?;
    let (name, value) = (parameter.get(..cut)?, parameter.get(cut + 1..)?);
    let value = match value.strip_prefix(b"\"") {
        Some(quoted) => quoted.strip_suffix(b"\"")?,
        None => value,
    };
    Some((name, value))
}

fn head_and_content(part: &[u8]) -> Option<(&[u8], &[u8])> {
    if let Some(content) = part.strip_prefix(b"\r\n") {
        return Some((b"", content));
    }
    let cut = memchr::memmem::find(part.get(..HEAD_BYTES).unwrap_or(part), b"\r\n\r\n")?;
    Some((part.get(..cut)?, part.get(cut + 4..)?))
}

/// Shows a part. `None` if its head is wrong.
fn show(head: &[u8], content: &[u8], inspection: &mut Inspection<'_, '_>) -> Option<()> {
    let mut disposition = None;
    for line in head.split(|byte| *byte == b'\n') {
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        let colon = memchr::memchr(b':', line)?;
        let (name, value) = (line.get(..colon)?, line.get(colon + 1..)?.trim_ascii());
        if name.is_empty() || !name.iter().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_')) {
            return None;
        }
        inspection.text(Place::Header, name, value);
        if name.eq_ignore_ascii_case(b"content-disposition") && disposition.replace(value).is_some() {
            return None;
        }
    }
    let Disposition { name, file_name } = parse(disposition?)?;
    match file_name {
        Some(file_name) => {
            if inspection.argument_name(&name).is_break() {
                return Some(());
            }
            inspection.text(Place::FileName, &name, &file_name);
            inspection.text(Place::FileContent, &name, content.get(..FILE_BYTES).unwrap_or(content));
        }
        None => _ = inspection.argument(&name, content),
    }
    Some(())
}

struct Disposition {
    name: Vec<u8>,
    file_name: Option<Vec<u8>>,
}

/// `form-data; name="a"; filename="b"`, each once. Quoted texts may hold semicolons and escaped quotes.
fn parse(value: &[u8]) -> Option<Disposition> {
    if !essence(value).eq_ignore_ascii_case(b"form-data") {
        return None;
    }
    let (mut name, mut file_name) = (None, None);
    let mut rest = value.get(memchr::memchr(b';', value)?..)?;
    while let Some(parameter) = rest.strip_prefix(b";").map(<[u8]>::trim_ascii_start).filter(|text| !text.is_empty()) {
        let cut = memchr::memchr(b'=', parameter)?;
        let key = parameter.get(..cut)?.trim_ascii();
        let (text, after) = value_of(parameter.get(cut + 1..)?)?;
        let place = match key.to_ascii_lowercase().as_slice() {
            b"name" => &mut name,
            b"filename" | b"filename*" => &mut file_name,
            _ => return None,
        };
        // two names are two names for two readers; `filename*` beside `filename` is what some clients send
        if place.is_some() && key.len() != b"filename*".len() {
            return None;
        }
        *place = Some(text);
        rest = after.trim_ascii_start();
    }
    rest.is_empty().then_some(())?;
    Some(Disposition { name: name?, file_name })
}

/// A token or a quoted text, and what follows it.
fn value_of(bytes: &[u8]) -> Option<(Vec<u8>, &[u8])> {
    let Some(quoted) = bytes.strip_prefix(b"\"") else {
        let end = memchr::memchr(b';', bytes).unwrap_or(bytes.len());
        return Some((bytes.get(..end)?.trim_ascii().to_vec(), bytes.get(end..)?));
    };
    let mut text = Vec::new();
    let mut at = 0;
    loop {
        match (quoted.get(at)?, quoted.get(at + 1)) {
            (b'"', _) => return Some((text, quoted.get(at + 1..)?)),
            // file names of Windows keep their backslashes
            (b'\\', Some(escaped @ (b'"' | b'\\'))) => {
                text.push(*escaped);
                at += 2;
            }
            (byte, _) => {
                text.push(*byte);
                at += 1;
            }
        }
    }
}
