//! Compression of answers, where a rule says so: which coding, what the head says of it, and the body as it streams.

use std::cell::RefCell;
use std::io::{self, Write};
use std::rc::Rc;
use std::task::{Context, Poll};

use bytes::Bytes;
use rayline_http1::{Fields, Framing};
use rayline_rules::ruleset::Compression;
use rayline_verdict::Fault;
use rayline_verdict::evidence::Fact;
use rayline_verdict::fault::ReplyCause;

use crate::answer::AnswerBody;
use crate::exchange::Exchange;
use crate::phase::receive::OriginBody;
use crate::phase::reply::Answered;
use crate::visitor::body::Piece;

/// Bytes of compressed content that are gathered before they are sent on, while more comes by itself.
const GATHERED: usize = 16 * 1024;
/// Smaller bodies grow by it.
const LEAST: u64 = 48;

/// Compresses an answer, if a rule offers a coding that the visitor takes.
pub(super) fn compress(exchange: &Exchange<'_>, answered: &mut Answered) {
    let Some(offered) = exchange.changes().and_then(|changes| changes.compression.as_deref()) else { return };
    if exchange.head.method() == "HEAD" || exchange.is_call() || !is_compressible(answered) {
        return;
    }
    // A cache must know that another visitor may get it otherwise, whatever this one gets.
    if !answered.has_member("vary", "accept-encoding") && !answered.has_member("vary", "*") {
        answered.amend().put("vary", b"accept-encoding");
    }
    let Some(coding) = choose(offered, &exchange.head.fields) else { return };
    let Ok(encoder) = Encoder::new(coding) else { return };
    let weak = answered.field("etag").filter(|tag| !tag.starts_with(b"W/")).map(|tag| [b"W/", tag].concat());
    let amended = answered.amend();
    amended.set("content-encoding", coding.name().as_bytes());
    // Both speak of the bytes as they were.
    amended.drop_field("content-length");
    amended.drop_field("accept-ranges");
    if let Some(weak) = weak {
        amended.set("etag", &weak);
    }
    answered.wrap(|body| AnswerBody::Compressed(Box::new(Compressed::new(body, encoder))));
}

/// Whether an answer has a body that may be encoded: whole, not encoded yet, and its sender does not forbid it (RFC 9110
/// §7.7).
fn is_compressible(answered: &Answered) -> bool {
    let is_worth = match answered.framing() {
        Framing::Length(length) => length >= LEAST,
        Framing::Chunked | Framing::Close => true,
        Framing::None => false,
    };
    is_worth
        && !matches!(answered.status(), 0..200 | 204 | 205 | 206 | 304)
        && answered.field("content-encoding").is_none_or(|coding| coding.eq_ignore_ascii_case(b"identity"))
        && !answered.has_member("cache-control", "no-transform")
}

/// The first coding offered that the visitor takes (RFC 9110 §12.5.3). `none` before it means that none is wanted.
fn choose(offered: &[Compression], fields: &Fields) -> Option<Compression> {
    offered
        .iter()
        .copied()
        .find(|coding| *coding == Compression::None || accepts(fields, coding.name().as_bytes()))
        .filter(|coding| *coding != Compression::None)
}

fn accepts(fields: &Fields, coding: &[u8]) -> bool {
    let mut wildcard = false;
    for member in fields.all("accept-encoding").flat_map(|value| value.split(|byte| *byte == b',')) {
        let mut parts = member.split(|byte| *byte == b';').map(<[u8]>::trim_ascii);
        let name = parts.next().unwrap_or_default();
        let refused = parts.any(|weight| weight.strip_prefix(b"q=").is_some_and(is_zero));
        if name.eq_ignore_ascii_case(coding) {
            return !refused;
        }
        wildcard |= name == b"*" && !refused;
    }
    wildcard
}

/// Whether a weight is zero: `0`, `0.`, `0.000`.
fn is_zero(weight: &[u8]) -> bool {
    weight.first() == Some(&b'0') && weight.iter().all(|byte| matches!(byte, b'0' | b'.'))
}

/// Where an encoder writes to, and what it has written is taken from.
#[derive(Clone, Debug, Default)]
struct Out(Rc<RefCell<Vec<u8>>>);

impl Write for Out {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.borrow_mut().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// One coding at work.
enum Coder {
    Gzip(flate2::write::GzEncoder<Out>),
    Brotli(Box<brotli::CompressorWriter<Out>>),
    Zstd(zstd::stream::write::Encoder<'static, Out>),
}

/// An encoder with what it has made.
struct Encoder {
    /// `None` once its end is written.
    coder: Option<Coder>,
    out: Out,
    /// Something went in that may not have come out.
    holds: bool,
}

impl Encoder {
    /// The levels are those at which an edge has time for it: Cloudflare's own are of that kind.
    fn new(coding: Compression) -> io::Result<Self> {
        let out = Out::default();
        let coder = match coding {
            Compression::Gzip => Coder::Gzip(flate2::write::GzEncoder::new(out.clone(), flate2::Compression::new(5))),
            Compression::Brotli => Coder::Brotli(Box::new(brotli::CompressorWriter::new(out.clone(), 4096, 4, 19))),
            Compression::Zstd => Coder::Zstd(zstd::stream::write::Encoder::new(out.clone(), 3)?),
            Compression::None => return Err(io::ErrorKind::Unsupported.into()),
        };
        Ok(Self { coder: Some(coder), out, holds: false })
    }

    fn with(&mut self, work: impl FnOnce(&mut dyn Write) -> io::Result<()>) -> io::Result<()> {
        match &mut self.coder {
            Some(Coder::Gzip(coder)) => work(coder),
            Some(Coder::Brotli(coder)) => work(coder),
            Some(Coder::Zstd(coder)) => work(coder),
            None => Ok(()),
        }
    }

    fn put(&mut self, data: &[u8]) -> io::Result<()> {
        self.holds = true;
        self.with(|coder| coder.write_all(data))
    }

    /// Everything that went in can be read by the other side.
    fn flush(&mut self) -> io::Result<()> {
        self.holds = false;
        self.with(|coder| coder.flush())
    }

    fn finish(&mut self) -> io::Result<()> {
        self.holds = false;
        match self.coder.take() {
            Some(Coder::Gzip(coder)) => coder.finish().map(drop),
            Some(Coder::Brotli(coder)) => {
                drop(coder.into_inner());
                Ok(())
            }
            Some(Coder::Zstd(coder)) => coder.finish().map(drop),
            None => Ok(()),
        }
    }

    fn made(&self) -> usize {
        self.out.0.borrow().len()
    }

    fn take(&self) -> Bytes {
        std::mem::take(&mut *self.out.0.borrow_mut()).into()
    }
}

/// A body that is compressed as it passes. Where its source pauses, what has passed is made readable: events and pages that
/// come in parts are not held up.
pub(crate) struct Compressed {
    body: AnswerBody,
    encoder: Encoder,
    /// What stands behind the data.
    last: Option<Piece>,
}

impl std::fmt::Debug for Compressed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Compressed").field("body", &self.body).finish_non_exhaustive()
    }
}

impl Compressed {
    fn new(body: AnswerBody, encoder: Encoder) -> Self {
        Self { body, encoder, last: None }
    }

    /// The next piece. After `End` always `End`.
    ///
    /// # Errors
    /// The origin's faults, in the middle of its body.
    pub(crate) fn poll_next(&mut self, cx: &mut Context<'_>) -> Poll<Result<Piece, Fault>> {
        loop {
            if self.last.is_some() || self.encoder.made() >= GATHERED {
                if self.encoder.made() > 0 {
                    return Poll::Ready(Ok(Piece::Data(self.encoder.take())));
                }
                return Poll::Ready(Ok(match self.last.replace(Piece::End) {
                    Some(Piece::Trailers(fields)) => Piece::Trailers(fields),
                    Some(Piece::Data(_) | Piece::End) | None => Piece::End,
                }));
            }
            let done = match self.body.poll_next(None, cx) {
                Poll::Pending => {
                    if self.encoder.holds && self.encoder.flush().is_err() {
                        return Poll::Ready(Err(broken()));
                    }
                    return match self.encoder.made() {
                        0 => Poll::Pending,
                        _ => Poll::Ready(Ok(Piece::Data(self.encoder.take()))),
                    };
                }
                Poll::Ready(Err(fault)) => return Poll::Ready(Err(fault)),
                Poll::Ready(Ok(Piece::Data(data))) => self.encoder.put(&data),
                Poll::Ready(Ok(last)) => {
                    self.last = Some(last);
                    self.encoder.finish()
                }
            };
            if done.is_err() {
                return Poll::Ready(Err(broken()));
            }
        }
    }

    /// The end, if nothing stands before it any more.
    pub(crate) fn next_buffered(&mut self) -> Option<Result<Piece, Fault>> {
        let is_over = matches!(self.last, Some(Piece::End)) && self.encoder.made() == 0;
        is_over.then_some(Ok(Piece::End))
    }

    /// Gives the body up.
    pub(crate) fn discard(&mut self) {
        self.body.discard();
    }

    /// Where it comes from, if that is an origin.
    pub(crate) fn origin(&mut self) -> Option<&mut OriginBody> {
        self.body.origin()
    }
}

/// Nothing that goes into an encoder is wrong, and it writes to memory.
fn broken() -> Fault {
    Fault::new(ReplyCause::Unclassified).with(Fact::Internal("an encoder failed".to_owned()))
}
