//! What an origin does on HTTP/2 streams: a list of acts, the same for every request.
//!
//! As with [`Step`](crate::Step)s there is no choice in it, but for the very first request and for a connection's last one.

use std::time::Duration;

use bytes::Bytes;

use super::code::Code;
use super::fields::Fields;
use super::frame::{Frame, setting};

/// One thing that an origin does on a stream, after the request's head has come. Behind the last one the stream is ended with
/// an empty DATA frame, unless it has ended already.
#[derive(Debug, Clone)]
pub enum Act {
    /// Reads the body of the request to its end and forgets it.
    ReadBody,
    /// Reads the body of the request to its end, for [`Act::Echo`].
    KeepBody,
    /// Does nothing on this stream for a while.
    Pause(Duration),
    /// Waits until so many streams are open on the connection.
    AwaitStreams(usize),
    /// HEADERS with these fields.
    Fields(Fields),
    /// HEADERS with these fields, and the end of the stream.
    LastFields(Fields),
    /// DATA with these bytes, as the windows allow; nothing for HEAD.
    Body(Bytes),
    /// DATA with so many bytes of the alphabet again and again, as the windows allow; nothing for HEAD.
    Pattern(u64),
    /// DATA with the head of the request as it arrived, and the length of its body so far.
    Show,
    /// DATA with the body of the request, sent back while it arrives.
    Echo,
    /// These frames as they are; [`Frame::HERE`] stands for the stream.
    Send(Vec<Frame>),
    /// These frames again and again, until the client leaves.
    Repeat(Vec<Frame>),
    /// GOAWAY.
    GoAway(Last, Code, &'static str),
    /// Keeps the stream as it is from now on, and goes on with others.
    Hold,
    /// Closes the connection in good order (over TLS with `close_notify`).
    Fin,
    /// Resets the connection.
    ResetConnection,
}

/// Which stream a GOAWAY calls the last one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Last {
    /// The one it is sent for.
    This,
    /// The one before that, so that this one may be repeated elsewhere.
    Before,
    /// None at all.
    None,
}

impl Act {
    /// [`Act::Fields`] with this status and these fields.
    pub fn head(status: u16, fields: &[(&str, &str)]) -> Self {
        Self::Fields(with_status(status, fields))
    }

    /// [`Act::LastFields`] with this status and these fields.
    pub fn only_head(status: u16, fields: &[(&str, &str)]) -> Self {
        Self::LastFields(with_status(status, fields))
    }

    /// [`Act::LastFields`] with these trailers.
    pub fn trailers(fields: &[(&str, &str)]) -> Self {
        Self::LastFields(owned(fields))
    }

    /// RST_STREAM on the stream.
    pub fn reset(code: Code) -> Self {
        Self::Send(vec![Frame::rst_stream(Frame::HERE, code)])
    }
}

fn with_status(status: u16, fields: &[(&str, &str)]) -> Fields {
    let mut all = vec![(":status".to_owned(), status.to_string())];
    all.extend(owned(fields));
    all
}

fn owned(fields: &[(&str, &str)]) -> Fields {
    fields.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}

/// How an origin speaks HTTP/2.
#[derive(Debug, Clone)]
pub struct Serving {
    pub(super) settings: Vec<(u16, u32)>,
    pub(super) before: Vec<Frame>,
    pub(super) acts: Vec<Act>,
    pub(super) first: Option<Vec<Act>>,
    pub(super) retires_after: Option<u64>,
    pub(super) gives_window: bool,
}

impl Serving {
    /// Does this for every request.
    pub fn new(acts: impl IntoIterator<Item = Act>) -> Self {
        Self {
            settings: Vec::new(),
            before: Vec::new(),
            acts: acts.into_iter().collect(),
            first: None,
            retires_after: None,
            gives_window: true,
        }
    }

    /// Does that instead for the first request that the origin gets, whatever connection it comes on.
    #[must_use]
    pub fn at_first(mut self, acts: impl IntoIterator<Item = Act>) -> Self {
        self.first = Some(acts.into_iter().collect());
        self
    }

    /// Announces this setting, see [`setting`]; of `MAX_CONCURRENT_STREAMS` it refuses what is beyond it.
    #[must_use]
    pub fn setting(mut self, identifier: u16, value: u32) -> Self {
        self.settings.push((identifier, value));
        self
    }

    /// Sends this frame behind its SETTINGS, before any request.
    #[must_use]
    pub fn before(mut self, frame: Frame) -> Self {
        self.before.push(frame);
        self
    }

    /// Takes so many requests on a connection and says so with GOAWAY and `NO_ERROR` when it gets the last of them; closes
    /// when they are answered.
    #[must_use]
    pub fn retiring_after(mut self, requests: u64) -> Self {
        self.retires_after = Some(requests);
        self
    }

    /// Lets nobody send a body: no window to begin with, and none later.
    #[must_use]
    pub fn without_windows(mut self) -> Self {
        self.gives_window = false;
        self.setting(setting::INITIAL_WINDOW_SIZE, 0)
    }

    /// The most streams that it allows at once.
    pub(super) fn cap(&self) -> Option<u32> {
        let mut settings = self.settings.iter();
        settings.find(|(identifier, _)| *identifier == setting::MAX_CONCURRENT_STREAMS).map(|(_, value)| *value)
    }
}
