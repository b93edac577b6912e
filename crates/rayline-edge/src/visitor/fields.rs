//! The header fields of an answer, whatever protocol it is written in: which of the origin's pass, and what the edge says
//! in its own name. How a field is written is the protocol's affair.

use std::io::Write;

use rayline_http1::{Framing, ResponseHead};
use rayline_verdict::Record;
use rayline_verdict::record::CacheStatus;
use rayline_verdict::surface::headers::cache_status;

use crate::answer::{Amended, Answer, AnswerHead};
use crate::hop::{Hops, passes_to_visitor};
use crate::worker::Worker;

/// Whether an answer of this status never has a body (RFC 9110 §6.4.1). Behind a `101` comes another protocol.
pub(super) fn is_bodyless(status: u16) -> bool {
    matches!(status, 100..=199 | 204 | 304) && status != 101
}

/// Which fields of an origin's head pass.
#[derive(Debug)]
pub(super) struct Passing<'a> {
    hops: Hops<'a>,
    /// What rules took away.
    amended: Option<&'a Amended>,
    length: bool,
    /// The origin has said when it answered.
    pub(super) has_date: bool,
}

impl<'a> Passing<'a> {
    /// `length`: whether `Content-Length` says how the body ends, or would end. A 204 has none (RFC 9110 §8.6).
    pub(super) fn new(head: &'a ResponseHead, answer: &'a Answer, length: bool) -> Self {
        let amended = answer.amended.as_deref();
        Self { hops: Hops::of(&head.fields), amended, length: length && head.status != 204, has_date: false }
    }

    /// Whether this one does. To be asked of each, in order.
    pub(super) fn passes(&mut self, name: &[u8]) -> bool {
        if self.amended.is_some_and(|amended| amended.drops(name)) {
            return false;
        }
        match name.len() {
            4 if name.eq_ignore_ascii_case(b"date") => {
                self.has_date = true;
                true
            }
            14 if name.eq_ignore_ascii_case(b"content-length") => self.length,
            _ => passes_to_visitor(name, &self.hops),
        }
    }
}

/// What this one answer says: the fields of a head made here, and notes beside anybody's.
pub(super) fn put_own(answer: &Answer, mut put: impl FnMut(&'static str, &[u8])) {
    if let AnswerHead::Made { fields, .. } = &answer.head {
        for (name, value) in fields.iter().filter(|(name, _)| !answer.drops(name.as_bytes())) {
            put(name, value);
        }
        if let Framing::Length(length) = answer.body.framing()
            && !answer.drops(b"content-length")
        {
            let mut digits = [b'0'; 20];
            let mut rest = digits.as_mut_slice();
            // A number of 64 bits has at most 20 digits.
            let _ = write!(rest, "{length}");
            let left = rest.len();
            put("content-length", digits.get(..20 - left).unwrap_or_default());
        }
    }
    for (name, value) in &answer.notes {
        put(name, value);
    }
}

/// What rules put in.
pub(super) fn put_amended(answer: &Answer, put: impl FnMut((&str, &[u8]))) {
    answer.amended.iter().flat_map(|amended| amended.fields()).for_each(put);
}

/// What every answer says. Well formed by construction.
pub(super) fn put_usual(worker: &Worker, record: &Record, has_date: bool, mut put: impl FnMut(&'static str, &[u8])) {
    if !has_date {
        put("date", &worker.date.at(record.start));
    }
    put("server", b"rayline");
    put(
        "cf-cache-status",
        match record.cache {
            CacheStatus::Dynamic => b"DYNAMIC",
            CacheStatus::None => b"NONE",
        },
    );
    // A list: an origin's own cache has written its members before ours.
    if let Some(value) = cache_status(record.cache) {
        put("cache-status", value.as_bytes());
    }
    put("cf-ray", &record.ray.at(record.colo));
}
