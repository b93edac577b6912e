//! A response over HTTP/2, as far as it came.

use super::code::Code;
use super::ear::Heard;
use super::fields::{self, Fields};
use crate::visitor::End;

/// The most that is kept of one body, in bytes.
const LIMIT: usize = 64 << 20;

/// A response, as far as it came.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Response {
    /// The stream it came on.
    pub stream: u32,
    /// The interim responses (1xx) before it.
    pub interim: Vec<Fields>,
    /// Its fields, `:status` among them; empty if no head came.
    pub fields: Fields,
    /// Its body.
    pub body: Vec<u8>,
    /// Its trailers; empty if none came.
    pub trailers: Fields,
    /// How it ended.
    pub end: Ending,
}

/// How a stream ended for who reads it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ending {
    /// With END_STREAM: the response is whole.
    Whole,
    /// With RST_STREAM.
    Reset(Code),
    /// With a GOAWAY that does not cover it.
    GoAway(Code),
    /// With a header block that cannot be decoded.
    Undecodable,
    /// With the connection, or in silence.
    Closed(End),
}

impl Response {
    pub(super) fn on(stream: u32) -> Self {
        Self {
            stream,
            interim: Vec::new(),
            fields: Vec::new(),
            body: Vec::new(),
            trailers: Vec::new(),
            end: Ending::Whole,
        }
    }

    /// The status, if there is one.
    pub fn status(&self) -> Option<u16> {
        self.field(":status")?.parse().ok()
    }

    /// The value of the first field of that name, in any case.
    pub fn field(&self, name: &str) -> Option<&str> {
        fields::value(&self.fields, name)
    }

    /// The value of the first trailer of that name, in any case.
    pub fn trailer(&self, name: &str) -> Option<&str> {
        fields::value(&self.trailers, name)
    }

    /// The body as text; bytes that are not UTF-8 become U+FFFD.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// Whether it ended as it should.
    pub fn whole(&self) -> bool {
        self.end == Ending::Whole
    }

    /// Takes what belongs to this response and gives the rest back; `Ok(true)` at its end.
    pub(super) fn take(&mut self, heard: Heard) -> Result<bool, Heard> {
        let end = match heard {
            Heard::Headers { stream, fields, end_stream } if stream == self.stream => {
                self.take_fields(fields);
                end_stream.then_some(Ending::Whole)
            }
            Heard::Data { stream, bytes, end_stream, .. } if stream == self.stream => {
                self.body.extend_from_slice(&bytes);
                let too_long = (self.body.len() > LIMIT).then_some(Ending::Closed(End::TooLong));
                too_long.or(end_stream.then_some(Ending::Whole))
            }
            Heard::RstStream { stream, code } if stream == self.stream => Some(Ending::Reset(code)),
            Heard::Undecodable { stream } if stream == self.stream => Some(Ending::Undecodable),
            Heard::GoAway { last, code, .. } if last < self.stream => Some(Ending::GoAway(code)),
            Heard::Closed(end) => Some(Ending::Closed(end)),
            Heard::Settings(_)
            | Heard::SettingsAck
            | Heard::Headers { .. }
            | Heard::Undecodable { .. }
            | Heard::Data { .. }
            | Heard::RstStream { .. }
            | Heard::GoAway { .. }
            | Heard::Ping(_)
            | Heard::PingAck(_)
            | Heard::WindowUpdate { .. }
            | Heard::Other(_) => return Err(heard),
        };
        if let Some(end) = end {
            self.end = end;
        }
        Ok(end.is_some())
    }

    fn take_fields(&mut self, fields: Fields) {
        let status = fields::value(&fields, ":status");
        if !self.fields.is_empty() {
            self.trailers = fields;
        } else if status.is_some_and(|status| status.starts_with('1')) {
            self.interim.push(fields);
        } else {
            self.fields = fields;
        }
    }
}
