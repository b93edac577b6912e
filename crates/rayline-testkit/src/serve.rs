//! A well-behaved HTTP/1.1 server's side of one request: framing, HEAD, conditions and ranges.
//!
//! It follows RFC 9110 and RFC 9112 where they bind an origin, and does nothing clever.

use std::io;
use std::time::Duration;

use bytes::Bytes;

use crate::conn::{Conn, Framed};
use crate::origin::Seen;
use crate::script::answer::{Answer, Body, Framing, pattern, reason};

/// How much of a generated body is sent at once.
const PIECE: usize = 16 << 10;

/// What a body turns out to be for one request.
enum Source {
    Bytes(Bytes),
    Pattern { from: u64, length: u64 },
    Request,
    Events { every: Duration, count: Option<u64> },
}

impl Source {
    fn length(&self, conn: &Conn) -> Option<u64> {
        match self {
            Self::Bytes(bytes) => Some(bytes.len() as u64),
            Self::Pattern { length, .. } => Some(*length),
            Self::Request => match conn.body_framing() {
                Framed::Length(length) => Some(length),
                Framed::Chunked | Framed::Chunk(_) => None,
            },
            Self::Events { .. } => None,
        }
    }
}

/// Reads the rest of the request and answers it. `true` if the connection has to end now.
pub(crate) async fn answer(answer: &Answer, request: &Seen, conn: &mut Conn) -> io::Result<bool> {
    conn.invite_body().await?;
    let mut body_length = 0;
    if !matches!(answer.body, Body::Request) {
        while let Some(piece) = conn.read_body().await? {
            body_length += piece.len() as u64;
        }
    }

    let mut status = answer.status;
    let mut head = String::new();
    for (name, value) in &answer.fields {
        head += &format!("{name}: {value}\r\n");
    }
    let source = match &answer.body {
        Body::None => None,
        Body::Bytes(bytes) => Some(Source::Bytes(bytes.clone())),
        Body::Echo => Some(Source::Bytes(echo(request, body_length))),
        Body::Request => Some(Source::Request),
        Body::Pattern(length) => Some(Source::Pattern { from: 0, length: *length }),
        Body::Events(every, count) => Some(Source::Events { every: *every, count: *count }),
        Body::Ranges(whole) => Some(match range(request.head.field("range"), *whole) {
            Range::Whole => Source::Pattern { from: 0, length: *whole },
            Range::Part(from, length) => {
                status = 206;
                let last = from + length - 1;
                head += &format!("Content-Range: bytes {from}-{last}/{whole}\r\n");
                Source::Pattern { from, length }
            }
            Range::Outside => {
                status = 416;
                head += &format!("Content-Range: bytes */{whole}\r\n");
                Source::Bytes(Bytes::new())
            }
        }),
    };
    let source = if is_unchanged(answer, request) {
        status = 304;
        None
    } else {
        source
    };

    let http10 = request.head.word(2).is_some_and(|version| version == "HTTP/1.0");
    let length = source.as_ref().and_then(|source| source.length(conn));
    let framing = match (answer.framing, length) {
        _ if source.is_none() => Framing::Length,
        (Framing::Close, _) => Framing::Close,
        (Framing::Length, Some(_)) => Framing::Length,
        (Framing::Length, None) | (Framing::Chunked, _) if http10 => Framing::Close,
        (Framing::Length, None) | (Framing::Chunked, _) => Framing::Chunked,
    };
    let ends = answer.close || framing == Framing::Close || http10 || request.head.has_token("connection", "close");
    match framing {
        Framing::Chunked => head += "Transfer-Encoding: chunked\r\n",
        Framing::Length => {
            if let Some(length) = length {
                head += &format!("Content-Length: {length}\r\n");
            }
        }
        Framing::Close => {}
    }
    if ends {
        head += "Connection: close\r\n";
    }
    let start = format!("HTTP/1.1 {status} {}\r\n", reason(status));
    conn.send(format!("{start}{head}\r\n").as_bytes()).await?;

    match source {
        Some(source) if request.head.word(0) != Some("HEAD") => {
            send_body(source, framing == Framing::Chunked, conn).await?;
        }
        // the request's body is not in the way of the next request, whoever was to send it back
        Some(_) | None => while conn.read_body().await?.is_some() {},
    }
    Ok(ends)
}

async fn send_body(source: Source, chunked: bool, conn: &mut Conn) -> io::Result<()> {
    match source {
        Source::Bytes(bytes) => send_piece(&bytes, chunked, conn).await?,
        Source::Pattern { mut from, length } => {
            let end = from + length;
            while from < end {
                let count = usize::try_from(end - from).unwrap_or(PIECE).min(PIECE);
                send_piece(&pattern(from, count), chunked, conn).await?;
                from += count as u64;
            }
        }
        Source::Request => {
            while let Some(piece) = conn.read_body().await? {
                send_piece(&piece, chunked, conn).await?;
            }
        }
        Source::Events { every, count } => {
            let mut number = 0;
            while count.is_none_or(|count| number < count) {
                number += 1;
                let event = format!("id: {number}\ndata: event {number}\n\n");
                send_piece(event.as_bytes(), chunked, conn).await?;
                tokio::time::sleep(every).await;
            }
        }
    }
    if chunked {
        conn.send(b"0\r\n\r\n").await?;
    }
    Ok(())
}

async fn send_piece(piece: &[u8], chunked: bool, conn: &mut Conn) -> io::Result<()> {
    if !chunked {
        return conn.send(piece).await;
    }
    if piece.is_empty() {
        // a chunk of no bytes would be the last one
        return Ok(());
    }
    let mut chunk = format!("{:x}\r\n", piece.len()).into_bytes();
    chunk.extend_from_slice(piece);
    chunk.extend_from_slice(b"\r\n");
    conn.send(&chunk).await
}

/// The head of the request as it arrived, and the length of its body.
pub(crate) fn echo(request: &Seen, body_length: u64) -> Bytes {
    let mut text = request.raw.to_vec();
    text.extend_from_slice(format!("({body_length} bytes of body)\n").as_bytes());
    text.into()
}

/// RFC 9110 section 13.1.2, for one tag or `*`.
fn is_unchanged(answer: &Answer, request: &Seen) -> bool {
    let tag = answer.fields.iter().find(|(name, _)| name.eq_ignore_ascii_case("etag"));
    tag.is_some_and(|(_, tag)| {
        let head = &request.head;
        let wanted = matches!(head.word(0), Some("GET" | "HEAD"));
        wanted && (head.has_token("if-none-match", tag) || head.has_token("if-none-match", "*"))
    })
}

#[derive(Debug, PartialEq, Eq)]
enum Range {
    Whole,
    /// The first byte and how many.
    Part(u64, u64),
    Outside,
}

/// RFC 9110 section 14.1.2. Several ranges at once, and what is malformed, are answered with the whole.
fn range(field: Option<&str>, whole: u64) -> Range {
    let Some((first, last)) =
        field.and_then(|field| field.strip_prefix("bytes=")).and_then(|range| range.split_once('-'))
    else {
        return Range::Whole;
    };
    match (first.parse::<u64>().ok(), last.parse::<u64>().ok()) {
        (Some(first), _) if first >= whole && (last.is_empty() || last.parse::<u64>().is_ok()) => Range::Outside,
        (Some(first), Some(last)) if last >= first => Range::Part(first, last.min(whole - 1) - first + 1),
        (Some(first), None) if last.is_empty() => Range::Part(first, whole - first),
        (None, Some(0)) if first.is_empty() => Range::Outside,
        (None, Some(count)) if first.is_empty() && whole > 0 => {
            let count = count.min(whole);
            Range::Part(whole - count, count)
        }
        (Some(_) | None, Some(_) | None) => Range::Whole,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn understands_ranges() {
        for (field, expected) in [
            ("bytes=0-9", Range::Part(0, 10)),
            ("bytes=90-", Range::Part(90, 10)),
            ("bytes=90-200", Range::Part(90, 10)),
            ("bytes=-10", Range::Part(90, 10)),
            ("bytes=-1000", Range::Part(0, 100)),
            ("bytes=100-", Range::Outside),
            ("bytes=100-110", Range::Outside),
            ("bytes=-0", Range::Outside),
            ("bytes=9-0", Range::Whole),
            ("bytes=0-1,5-6", Range::Whole),
            ("bytes=x-", Range::Whole),
            ("lines=0-9", Range::Whole),
        ] {
            assert_eq!(range(Some(field), 100), expected, "{field}");
        }
        assert_eq!(range(None, 100), Range::Whole);
        assert_eq!(range(Some("bytes=-5"), 0), Range::Whole);
    }
}
