//! Reads a stream of messages as a server or a client would, and says in one line what came of it.

use std::fmt::Write;

use bytes::BytesMut;
use rayline_http1::{
    BodyDecoder, Decoded, Framing, Limits, Parsed, Refusal, RefusalKind, RequestKind, RequestParser, ResponseParser,
};

/// One row of a table: the clause, the bytes, what they mean.
pub(crate) type Row = (&'static str, &'static [u8], &'static str);

/// Checks rows that are requests.
#[track_caller]
pub(crate) fn check_requests(rows: &[Row]) {
    check(rows, requests);
}

/// Checks rows that are responses to a `GET`.
#[track_caller]
pub(crate) fn check_responses(rows: &[Row]) {
    check(rows, responses);
}

/// Checks rows that are chunked bodies.
#[track_caller]
pub(crate) fn check_chunked(rows: &[Row]) {
    check(rows, |bytes| body(Framing::Chunked, bytes));
}

#[track_caller]
fn check(rows: &[Row], read: impl Fn(&[u8]) -> String) {
    let wrong: Vec<String> = rows
        .iter()
        .filter_map(|(clause, bytes, expected)| {
            let found = read(bytes);
            let bytes = bytes.escape_ascii();
            (found != *expected).then(|| format!("{clause}: {bytes}\n  expected {expected}\n  found    {found}"))
        })
        .collect();
    assert!(wrong.is_empty(), "{} of {} rows:\n{}", wrong.len(), rows.len(), wrong.join("\n"));
}

pub(crate) fn requests(bytes: &[u8]) -> String {
    requests_within(Limits::default(), bytes)
}

pub(crate) fn requests_within(limits: Limits, bytes: &[u8]) -> String {
    every_way(bytes, |pieces| {
        let mut parser = RequestParser::new(limits);
        let mut out = String::new();
        let mut buf = BytesMut::new();
        let mut pieces = pieces.iter();
        loop {
            let head = match parser.parse(&mut buf) {
                Ok(Parsed::Complete(head)) => head,
                Ok(Parsed::Partial) => match pieces.next() {
                    Some(piece) => {
                        buf.extend_from_slice(piece);
                        continue;
                    }
                    None => return finish(out, parser.eof(&buf)),
                },
                Err(refusal) => return finish(out, Some(refusal)),
            };
            let host = head.host().unwrap_or("-");
            write!(out, "{} {} host={host}", head.method(), head.target()).unwrap();
            out.push_str(framing(head.framing()).as_str());
            out.push_str(if head.keep_alive() { "" } else { " close" });
            out.push_str(if head.expects_continue() { " 100-continue" } else { "" });
            if let Some(upgrade) = head.upgrade() {
                write!(out, " upgrade={}", upgrade.escape_ascii()).unwrap();
            }
            let decoder = BodyDecoder::new(head.framing(), &limits);
            if let Err(refusal) = read_body(&mut out, decoder, &mut buf, &mut pieces) {
                return finish(out, Some(refusal));
            }
            parser.recycle(head);
            out.push_str(" | ");
        }
    })
}

pub(crate) fn responses(bytes: &[u8]) -> String {
    responses_to(RequestKind::Other, bytes)
}

/// Reads one final response, and the informational ones before it.
pub(crate) fn responses_to(request: RequestKind, bytes: &[u8]) -> String {
    responses_within(Limits::default(), request, bytes)
}

pub(crate) fn responses_within(limits: Limits, request: RequestKind, bytes: &[u8]) -> String {
    every_way(bytes, |pieces| {
        let mut parser = ResponseParser::new(limits);
        let mut out = String::new();
        let mut buf = BytesMut::new();
        let mut pieces = pieces.iter();
        loop {
            let head = match parser.parse(&mut buf, request) {
                Ok(Parsed::Complete(head)) => head,
                Ok(Parsed::Partial) => match pieces.next() {
                    Some(piece) => {
                        buf.extend_from_slice(piece);
                        continue;
                    }
                    None => return finish(out, Some(parser.eof(&buf))),
                },
                Err(refusal) => return finish(out, Some(refusal)),
            };
            write!(out, "{} '{}'", head.status, head.reason().escape_ascii()).unwrap();
            out.push_str(framing(head.framing()).as_str());
            out.push_str(if head.keep_alive() { "" } else { " close" });
            out.push_str(if head.ignores_framing() { " ignored" } else { "" });
            if let Some(upgrade) = head.upgrade() {
                write!(out, " upgrade={}", upgrade.escape_ascii()).unwrap();
            }
            if head.is_informational() && head.status != 101 {
                out.push_str(" | ");
                continue;
            }
            let decoder = BodyDecoder::new(head.framing(), &limits);
            if let Err(refusal) = read_body(&mut out, decoder, &mut buf, &mut pieces) {
                return finish(out, Some(refusal));
            }
            let rest = pieces.fold(buf.to_vec(), |rest, piece| [&rest, *piece].concat());
            if !rest.is_empty() {
                write!(out, " rest={}", rest.escape_ascii()).unwrap();
            }
            return out;
        }
    })
}

pub(crate) fn body(framing: Framing, bytes: &[u8]) -> String {
    body_within(Limits::default(), framing, bytes)
}

pub(crate) fn body_within(limits: Limits, framing: Framing, bytes: &[u8]) -> String {
    every_way(bytes, |pieces| {
        let mut out = String::new();
        let mut buf = BytesMut::new();
        let mut pieces = pieces.iter();
        match read_body(&mut out, BodyDecoder::new(framing, &limits), &mut buf, &mut pieces) {
            Err(refusal) => finish(out, Some(refusal)).trim_start().to_owned(),
            Ok(()) => {
                let rest = pieces.fold(buf.to_vec(), |rest, piece| [&rest, *piece].concat());
                if !rest.is_empty() {
                    write!(out, " rest={}", rest.escape_ascii()).unwrap();
                }
                out.trim_start().to_owned()
            }
        }
    })
}

/// Appends the content and the trailers; a body that is there but empty shows as `body=`.
fn read_body(
    out: &mut String,
    mut decoder: BodyDecoder,
    buf: &mut BytesMut,
    pieces: &mut std::slice::Iter<'_, &[u8]>,
) -> Result<(), Refusal> {
    let mut content = Vec::new();
    let mut shown = String::new();
    let begins_done = decoder.is_done();
    let result = loop {
        match decoder.decode(buf) {
            Ok(Decoded::Data(data)) => content.extend_from_slice(&data),
            Ok(Decoded::Trailers(trailers)) => {
                for (name, value) in &trailers {
                    write!(shown, " {}:{}", name.escape_ascii(), value.escape_ascii()).unwrap();
                }
            }
            Ok(Decoded::End) => break Ok(()),
            Ok(Decoded::NeedMore) => match pieces.next() {
                Some(piece) => buf.extend_from_slice(piece),
                None => break decoder.eof(),
            },
            Err(refusal) => break Err(refusal),
        }
    };
    if !begins_done {
        write!(out, " body={}{shown}", content.escape_ascii()).unwrap();
    }
    result
}

fn framing(framing: Framing) -> String {
    match framing {
        Framing::None => String::new(),
        Framing::Length(length) => format!(" length={length}"),
        Framing::Chunked => " chunked".to_owned(),
        Framing::Close => " to-close".to_owned(),
    }
}

fn finish(mut out: String, refusal: Option<Refusal>) -> String {
    match refusal {
        None => {
            out.truncate(out.trim_end_matches(" | ").len());
            out
        }
        Some(refusal) => {
            let mut kind = format!("{:?}", refusal.kind);
            if let RefusalKind::HeadTooLarge { limit, seen } = refusal.kind {
                assert!(seen > limit);
                kind = format!("HeadTooLarge {{ limit: {limit} }}");
            }
            let space = if out.is_empty() || out.ends_with(' ') { "" } else { " " };
            out + space + &format!("{kind} in {} at {}", refusal.part.name(), refusal.offset)
        }
    }
}

/// In one piece, byte by byte, in two pieces cut anywhere and, if it was refused, with more behind it: all must come to the
/// same.
fn every_way(bytes: &[u8], read: impl Fn(&[&[u8]]) -> String) -> String {
    let whole = read(&[bytes]);
    let dribbled = read(&bytes.chunks(1).collect::<Vec<_>>());
    assert_eq!(whole, dribbled, "byte by byte: {}", bytes.escape_ascii());
    for at in 1..bytes.len().min(400) {
        let (front, back) = bytes.split_at(at);
        assert_eq!(whole, read(&[front, back]), "cut at {at}: {}", bytes.escape_ascii());
    }
    let at_the_end = ["HalfHead", "Empty in", "Truncated"].iter().any(|kind| whole.contains(kind));
    if whole.contains(" at ") && !at_the_end {
        let more = [bytes, b"\r\nHost: a\r\n\r\n"].concat();
        assert_eq!(whole, read(&[&more]), "with more behind it: {}", bytes.escape_ascii());
    }
    whole
}
