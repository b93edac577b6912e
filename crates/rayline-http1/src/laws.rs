//! What must hold for any bytes at all, as functions that panic where it does not.
//!
//! The property tests and the fuzz targets call the same laws; nothing else does.

use bytes::BytesMut;

use crate::body::{BodyDecoder, Decoded};
use crate::encode;
use crate::fields::Fields;
use crate::framing::Framing;
use crate::limits::{Limits, Parsed, Version};
use crate::refusal::{Part, Refusal, RefusalKind};
use crate::request::{RequestHead, RequestParser};
use crate::response::{RequestKind, ResponseHead, ResponseParser};

mod connection;
#[cfg(test)]
mod tests;

use connection::Connection;

/// Limits so low that short inputs meet each of them.
pub const TIGHT: Limits = Limits { uri: 24, head: 256, headers: 6, trailers: 64, chunk_line: 32 };

/// What one direction of a connection turned out to carry, free of how it was cut.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// A request head.
    Request(RequestHead),
    /// A response head.
    Response(ResponseHead),
    /// The whole of a body as far as it came.
    Body(Vec<u8>),
    /// The trailers of a body.
    Trailers(Fields),
    /// A refusal: cause, part and place. Its evidence depends on what had arrived.
    Refused(RefusalKind, Part, usize),
    /// A clean end, with the bytes that belong to no message.
    Rest(Vec<u8>),
}

impl Event {
    fn refused(refusal: &Refusal) -> Self {
        assert!(refusal.bytes.len() <= 64, "evidence is bounded");
        assert!(!refusal.to_string().is_empty() && refusal.kind.clause().starts_with("RFC 91"));
        let kind = match refusal.kind {
            // How much had come is how it was cut.
            RefusalKind::HeadTooLarge { limit, seen } => {
                assert!(seen > limit, "{seen} bytes are not more than {limit}");
                RefusalKind::HeadTooLarge { limit, seen: limit }
            }
            kind => kind,
        };
        Self::Refused(kind, refusal.part, refusal.offset)
    }
}

/// A refusal stands, whatever comes behind the bytes that earned it.
fn refusal_stands(found: &[Event], bytes: &[u8], run: impl Fn(&[u8]) -> Vec<Event>) {
    match found.last() {
        None
        | Some(Event::Rest(_))
        | Some(Event::Refused(RefusalKind::HalfHead { .. } | RefusalKind::Empty | RefusalKind::Truncated { .. }, ..)) =>
            {}
        Some(_) => assert_eq!(run(&[bytes, b"\r\nHost: a\r\n\r\n"].concat()), found, "more bytes came"),
    }
}

/// `bytes` cut into pieces of these lengths, over and over; zero counts as one.
pub fn cut<'a>(mut bytes: &'a [u8], lengths: &'a [u8]) -> impl Iterator<Item = &'a [u8]> {
    let mut lengths = lengths.iter().cycle();
    std::iter::from_fn(move || {
        let wanted = lengths.next().map_or(1, |length| usize::from(*length).max(1));
        let (piece, rest) = bytes.split_at_checked(wanted).unwrap_or((bytes, &[]));
        bytes = rest;
        (!piece.is_empty()).then_some(piece)
    })
}

/// Requests come out the same however they are cut and whatever follows a refusal, and keep what a head promises.
pub fn requests(limits: Limits, bytes: &[u8], lengths: &[u8]) -> Vec<Event> {
    let whole = Connection::client(limits).run([bytes]);
    let pieces = Connection::client(limits).run(cut(bytes, lengths));
    assert_eq!(whole, pieces, "cut into {lengths:?}");
    refusal_stands(&whole, bytes, |more| Connection::client(limits).run([more]));
    for event in &whole {
        if let Event::Request(head) = event {
            sound_section(head.raw(), &head.fields, limits);
            assert!(head.target().len() <= limits.uri && head.framing() != Framing::Close);
            request_survives(head);
        }
    }
    whole
}

/// Responses come out the same however they are cut and whatever follows a refusal, and keep what a head promises.
pub fn responses(limits: Limits, request: RequestKind, bytes: &[u8], lengths: &[u8]) -> Vec<Event> {
    let whole = Connection::server(limits, request).run([bytes]);
    let pieces = Connection::server(limits, request).run(cut(bytes, lengths));
    assert_eq!(whole, pieces, "cut into {lengths:?}");
    refusal_stands(&whole, bytes, |more| Connection::server(limits, request).run([more]));
    for event in &whole {
        if let Event::Response(head) = event {
            sound_section(head.raw(), &head.fields, limits);
            assert!((100..600).contains(&head.status));
            response_survives(head, request);
        }
    }
    whole
}

/// A body comes out the same however it is cut, takes no byte too many, and survives framing it
/// anew.
pub fn body(framing: Framing, limits: Limits, bytes: &[u8], lengths: &[u8]) -> Vec<Event> {
    let whole = decode(framing, limits, [bytes]);
    let pieces = decode(framing, limits, cut(bytes, lengths));
    assert_eq!(whole, pieces, "cut into {lengths:?}");
    refusal_stands(&whole, bytes, |more| decode(framing, limits, [more]));
    let content: &[u8] = match whole.first() {
        Some(Event::Body(content)) => content,
        _ => &[],
    };
    let ended = matches!(whole.last(), Some(Event::Rest(_)));
    match framing {
        Framing::None => assert!(content.is_empty() && ended),
        Framing::Close => assert!(content == bytes && ended),
        Framing::Length(length) => {
            let length = usize::try_from(length).unwrap_or(usize::MAX);
            assert_eq!(content, bytes.get(..length).unwrap_or(bytes));
            assert_eq!(ended, bytes.len() >= length);
        }
        Framing::Chunked if ended => chunks_survive(&whole, content, bytes),
        Framing::Chunked => {}
    }
    whole
}

fn decode<'a>(framing: Framing, limits: Limits, pieces: impl IntoIterator<Item = &'a [u8]>) -> Vec<Event> {
    let mut decoder = BodyDecoder::new(framing, &limits);
    let mut buf = BytesMut::new();
    let mut content = Vec::new();
    let mut events = Vec::new();
    for piece in pieces {
        buf.extend_from_slice(piece);
        loop {
            match decoder.decode(&mut buf) {
                Ok(Decoded::Data(data)) => {
                    assert!(!data.is_empty(), "data is never empty");
                    content.extend_from_slice(&data);
                }
                Ok(Decoded::Trailers(trailers)) => {
                    sound_section(&trailers.bytes, &trailers, limits);
                    events.push(Event::Trailers(trailers));
                }
                Ok(Decoded::NeedMore | Decoded::End) => break,
                Err(refusal) => {
                    events.push(Event::refused(&refusal));
                    events.insert(0, Event::Body(content));
                    return events;
                }
            }
            assert_eq!(decoder.received(), content.len() as u64);
        }
    }
    let was_done = decoder.is_done();
    match decoder.eof() {
        Ok(()) => {
            assert!(decoder.is_done() && decoder.remaining_hint() == Some(0));
            assert_eq!(decoder.decode(&mut BytesMut::from(&b"0\r\n"[..])), Ok(Decoded::End));
            events.push(Event::Rest(buf.to_vec()));
        }
        Err(refusal) => {
            assert!(!was_done, "a whole body is never truncated");
            events.push(Event::refused(&refusal));
        }
    }
    events.insert(0, Event::Body(content));
    events
}

/// A section that was accepted holds nothing that another reader could see another line in.
fn sound_section(raw: &[u8], fields: &Fields, limits: Limits) {
    assert!(raw.len() <= limits.head.max(limits.trailers));
    assert!(fields.len() <= limits.headers);
    let ends = raw.windows(2).filter(|pair| pair == b"\r\n").count();
    let count = |wanted: u8| raw.iter().filter(|byte| **byte == wanted).count();
    assert_eq!((ends, ends), (count(b'\r'), count(b'\n')), "no bare CR or LF in {raw:?}");
    assert_eq!(count(0), 0);
    assert_eq!(raw.windows(4).position(|four| four == b"\r\n\r\n"), raw.len().checked_sub(4));
    let has_start_line = raw.windows(6).any(|six| six == b"HTTP/1") && ends == fields.len() + 2;
    assert!(has_start_line || ends == fields.len() + 1, "each line is one field");
    for (name, value) in fields {
        assert!(!name.is_empty() && fields.contains(name));
        assert!(!value.first().is_some_and(u8::is_ascii_whitespace));
        assert!(!value.last().is_some_and(u8::is_ascii_whitespace));
    }
}

/// Copying the fields and writing them one by one mean the same.
fn write_fields(out: &mut BytesMut, fields: &Fields) {
    let start = out.len();
    encode::copy_fields(out, fields, |_, _| true);
    encode::end(out);
    let mut one_by_one = BytesMut::new();
    for (name, value) in fields {
        assert_eq!(encode::field(&mut one_by_one, name, value), Ok(()), "what was read can be written");
    }
    encode::end(&mut one_by_one);
    assert_eq!(out.get(start..), Some(&one_by_one[..]));
}

fn request_survives(head: &RequestHead) {
    let mut out = BytesMut::new();
    assert_eq!(encode::request_line(&mut out, head.method(), head.target()), Ok(()));
    write_fields(&mut out, &head.fields);
    let again = RequestParser::new(Limits::default()).parse(&mut out);
    if head.version == Version::Http10 && head.fields.get("host").is_none() {
        assert_eq!(again.map_err(|refusal| refusal.kind), Err(RefusalKind::MissingHost));
        return;
    }
    let Ok(Parsed::Complete(again)) = again else {
        unreachable!("{again:?} of {head:?}");
    };
    assert!(out.is_empty());
    assert_eq!((again.method(), again.target(), &again.fields), (head.method(), head.target(), &head.fields));
    assert_eq!((again.form(), again.host(), again.framing()), (head.form(), head.host(), head.framing()));
    if head.version == Version::Http11 {
        assert_eq!(again.keep_alive(), head.keep_alive());
        assert_eq!((again.expects_continue(), again.upgrade()), (head.expects_continue(), head.upgrade()));
    }
}

fn response_survives(head: &ResponseHead, request: RequestKind) {
    let mut out = BytesMut::new();
    assert_eq!(encode::status_line(&mut out, head.status, Some(head.reason())), Ok(()));
    write_fields(&mut out, &head.fields);
    let again = ResponseParser::new(Limits::default()).parse(&mut out, request);
    let Ok(Parsed::Complete(again)) = again else {
        unreachable!("{again:?} of {head:?}");
    };
    assert!(out.is_empty());
    assert_eq!((again.status, again.reason(), &again.fields), (head.status, head.reason(), &head.fields));
    assert_eq!((again.framing(), again.ignores_framing()), (head.framing(), head.ignores_framing()));
    if head.version == Version::Http11 {
        assert_eq!((again.keep_alive(), again.upgrade()), (head.keep_alive(), head.upgrade()));
    }
}

/// A whole chunked body, read with another reader of chunk sizes and framed anew.
fn chunks_survive(events: &[Event], content: &[u8], bytes: &[u8]) {
    let mut seen = Vec::new();
    let mut rest = bytes;
    while let Ok(httparse::Status::Complete((line, size))) = httparse::parse_chunk_size(rest)
        && size > 0
    {
        let data = rest.get(line..line + size as usize).unwrap_or_default();
        seen.extend_from_slice(data);
        rest = rest.get(line + size as usize + 2..).unwrap_or_default();
    }
    assert_eq!(seen, content, "another reader sees the same chunks");

    let mut out = BytesMut::new();
    let (front, back) = content.split_at(content.len() / 2);
    encode::chunk(&mut out, front);
    encode::chunk(&mut out, back);
    match events {
        [_, Event::Trailers(trailers), _] => encode::trailers(&mut out, trailers),
        _ => out.extend_from_slice(encode::LAST_CHUNK),
    }
    let again = decode(Framing::Chunked, Limits::default(), [&out[..]]);
    assert_eq!(again.get(..again.len() - 1), events.get(..events.len() - 1));
    assert_eq!(again.last(), Some(&Event::Rest(Vec::new())));
}

/// Whatever is given to the writer, a line stays a line, and a refusal leaves no trace.
pub fn writer(first: &[u8], second: &[u8], status: u16) {
    let wrote = |write: &dyn Fn(&mut BytesMut) -> Result<(), encode::IllegalField>| {
        let mut out = BytesMut::from(&b"before"[..]);
        let result = write(&mut out);
        let line = out.split_off(b"before".len());
        assert_eq!(result.is_err(), line.is_empty());
        let ends = line.iter().filter(|byte| matches!(byte, b'\r' | b'\n')).count();
        assert!(line.is_empty() || (ends == 2 && line.ends_with(b"\r\n")), "{line:?}");
    };
    wrote(&|out| encode::request_line(out, first, second));
    wrote(&|out| encode::status_line(out, status, Some(first)));
    wrote(&|out| encode::status_line(out, status, None));
    wrote(&|out| encode::field(out, first, second));
}
