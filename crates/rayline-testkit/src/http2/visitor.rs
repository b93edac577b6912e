//! A raw HTTP/2 client: sends the frames it is given, whatever they are, and says what it hears.
//!
//! Of its own it does three things: it answers SETTINGS and PING, it gives the windows back that a body takes, and it numbers
//! its streams. The first two stop when it is told to. It refuses nothing that a server sends.

use std::collections::VecDeque;
use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use bytes::Bytes;

use super::ear::{Ear, Heard};
use super::fields::Fields;
use super::frame::{Frame, MAX_FRAME_SIZE, PREFACE};
use super::response::Response;
use super::windows::Windows;
use crate::visitor::End;
use crate::visitor::tls::TlsVisitor;

/// A connection to a server.
#[derive(Debug)]
pub struct Visitor {
    wire: crate::Visitor,
    ear: Ear,
    /// Heard while something else was waited for.
    backlog: VecDeque<Heard>,
    next_stream: u32,
    windows: Windows,
    answers: bool,
    gives_window: bool,
    /// Our own sending has met a reset, which the kernel tells only once.
    was_reset: bool,
}

impl From<crate::Visitor> for Visitor {
    /// A visitor on this connection, on which nothing has been said yet, the preface included.
    fn from(wire: crate::Visitor) -> Self {
        Self {
            wire,
            ear: Ear::new(),
            backlog: VecDeque::new(),
            next_stream: 1,
            windows: Windows::new(),
            answers: true,
            gives_window: true,
            was_reset: false,
        }
    }
}

impl Visitor {
    /// Connects over TCP and begins with prior knowledge: preface and empty SETTINGS.
    ///
    /// # Errors
    /// Those of connecting and sending.
    pub async fn connect(addr: SocketAddr) -> io::Result<Self> {
        let mut visitor = Self::from(crate::Visitor::connect(addr).await?);
        visitor.greet(&[]).await?;
        Ok(visitor)
    }

    /// Connects over TLS with `h2` as the only protocol offered, and sends preface and empty SETTINGS.
    ///
    /// # Errors
    /// Those of connecting and sending; `Unsupported` if the server did not agree on `h2`.
    pub async fn connect_tls(addr: SocketAddr, tls: &TlsVisitor) -> io::Result<Self> {
        let wire = crate::Visitor::connect_tls(addr, &tls.clone().offering(&["h2"])).await?;
        if wire.protocol().as_deref() != Some("h2") {
            return Err(io::Error::new(io::ErrorKind::Unsupported, "the server did not agree on `h2`"));
        }
        let mut visitor = Self::from(wire);
        visitor.greet(&[]).await?;
        Ok(visitor)
    }

    /// How long to wait for the next byte, or for room to send one; ten seconds unless set.
    #[must_use]
    pub fn patience(mut self, patience: Duration) -> Self {
        self.wire = self.wire.patience(patience);
        self
    }

    /// From now on neither SETTINGS nor PING are answered.
    #[must_use]
    pub fn without_answers(mut self) -> Self {
        self.answers = false;
        self
    }

    /// From now on no window is given back for DATA.
    #[must_use]
    pub fn without_windows(mut self) -> Self {
        self.gives_window = false;
        self
    }

    /// The connection below, to end it by hand.
    pub fn into_wire(self) -> crate::Visitor {
        self.wire
    }

    /// The connection below, to send bytes or end its direction.
    pub fn wire(&mut self) -> &mut crate::Visitor {
        &mut self.wire
    }

    /// Sends the preface and SETTINGS with these values.
    ///
    /// # Errors
    /// Those of sending.
    pub async fn greet(&mut self, settings: &[(u16, u32)]) -> io::Result<()> {
        let mut bytes = PREFACE.to_vec();
        bytes.extend_from_slice(&Frame::settings(settings).encode());
        self.wire.send(bytes).await
    }

    /// Sends this frame.
    ///
    /// # Errors
    /// Those of sending.
    pub async fn send(&mut self, frame: &Frame) -> io::Result<()> {
        self.wire.send(frame.encode()).await
    }

    /// Sends these frames in one go.
    ///
    /// # Errors
    /// Those of sending.
    pub async fn send_all(&mut self, frames: &[Frame]) -> io::Result<()> {
        let bytes: Vec<u8> = frames.iter().flat_map(Frame::encode).collect();
        self.wire.send(bytes).await
    }

    /// Opens the next stream with these fields and returns its number.
    ///
    /// # Errors
    /// Those of sending.
    pub async fn open(&mut self, fields: &[(&str, &str)], end_stream: bool) -> io::Result<u32> {
        let stream = self.next_stream();
        self.send(&Frame::headers(stream, fields.iter().copied(), end_stream)).await?;
        Ok(stream)
    }

    /// Takes a number for a stream that is opened by hand.
    pub fn next_stream(&mut self) -> u32 {
        let stream = self.next_stream;
        self.next_stream = stream.saturating_add(2);
        stream
    }

    /// Sends these bytes as DATA of at most 16 KiB, as fast as the server's windows allow.
    ///
    /// # Errors
    /// Those of sending; `TimedOut` if no window is given for as long as patience lasts; `ConnectionAborted` if the server
    /// ends the stream or the connection. What was heard meanwhile is heard again.
    pub async fn send_body(&mut self, stream: u32, body: &[u8], end_stream: bool) -> io::Result<()> {
        let mut rest = Bytes::copy_from_slice(body);
        let mut aside = VecDeque::new();
        let sent = loop {
            let window = self.windows.left(stream).min(MAX_FRAME_SIZE);
            if rest.is_empty() || window > 0 {
                let piece = rest.split_to(rest.len().min(window));
                self.windows.take(stream, piece.len());
                let last = rest.is_empty();
                if let Err(error) = self.send(&Frame::data(stream, piece, last && end_stream)).await {
                    break Err(error);
                }
                if last {
                    break Ok(());
                }
                continue;
            }
            let heard = self.next().await;
            let ended = match &heard {
                Heard::Closed(End::Silent) => Some(io::ErrorKind::TimedOut),
                Heard::Closed(_) => Some(io::ErrorKind::ConnectionAborted),
                Heard::RstStream { stream: ended, .. }
                | Heard::Headers { stream: ended, end_stream: true, .. }
                | Heard::Data { stream: ended, end_stream: true, .. }
                    if *ended == stream =>
                {
                    Some(io::ErrorKind::ConnectionAborted)
                }
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
                | Heard::Other(_) => None,
            };
            aside.push_back(heard);
            if let Some(kind) = ended {
                break Err(kind.into());
            }
        };
        self.put_back(aside);
        sent
    }

    /// What the server says next.
    pub async fn next(&mut self) -> Heard {
        match self.backlog.pop_front() {
            Some(heard) => heard,
            None => self.hear().await,
        }
    }

    /// The first of what the server says that is `wanted`, or how the connection ended before. What comes before it is lost.
    pub async fn until(&mut self, wanted: impl Fn(&Heard) -> bool) -> Heard {
        loop {
            let heard = self.next().await;
            if wanted(&heard) || matches!(heard, Heard::Closed(_)) {
                return heard;
            }
        }
    }

    /// Reads the response on this stream. What concerns others is heard later.
    pub async fn read_response(&mut self, stream: u32) -> Response {
        let mut response = Response::on(stream);
        let mut aside = VecDeque::new();
        loop {
            match response.take(self.next().await) {
                Ok(true) => break,
                Ok(false) => {}
                Err(other) => aside.push_back(other),
            }
        }
        self.put_back(aside);
        response
    }

    /// Asks on a new stream without a body, and reads the response.
    ///
    /// # Errors
    /// Those of sending.
    pub async fn request(&mut self, method: &str, path: &str, authority: &str) -> io::Result<Response> {
        let fields = request_fields(method, path, authority);
        let fields: Vec<_> = super::fields::borrowed(&fields).collect();
        let stream = self.open(&fields, true).await?;
        Ok(self.read_response(stream).await)
    }

    /// Asks on a new stream with this body, and reads the response.
    ///
    /// # Errors
    /// Those of [`Visitor::send_body`], except where the server has ended the stream: that is the response.
    pub async fn post(&mut self, path: &str, authority: &str, body: &[u8]) -> io::Result<Response> {
        let fields = request_fields("POST", path, authority);
        let fields: Vec<_> = super::fields::borrowed(&fields).collect();
        let stream = self.open(&fields, false).await?;
        match self.send_body(stream, body, true).await {
            Err(error) if error.kind() != io::ErrorKind::ConnectionAborted => Err(error),
            Ok(()) | Err(_) => Ok(self.read_response(stream).await),
        }
    }

    fn put_back(&mut self, mut aside: VecDeque<Heard>) {
        aside.append(&mut self.backlog);
        self.backlog = aside;
    }

    async fn hear(&mut self) -> Heard {
        loop {
            let frame = match self.wire.read_frame().await {
                Ok(frame) => frame,
                Err(End::Closed) if self.was_reset => return Heard::Closed(End::Reset),
                Err(end) => return Heard::Closed(end),
            };
            if let Some(heard) = self.ear.hear(frame) {
                // the end is told in its turn, behind what can still be read
                let reacted = self.react(&heard).await;
                self.was_reset |= reacted.is_err_and(|error| error.kind() == io::ErrorKind::ConnectionReset);
                return heard;
            }
        }
    }

    async fn react(&mut self, heard: &Heard) -> io::Result<()> {
        match heard {
            Heard::Settings(values) => {
                self.windows.apply(values);
                if self.answers {
                    self.send(&Frame::settings_ack()).await?;
                }
            }
            Heard::Ping(payload) if self.answers => self.send(&Frame::ping_ack(*payload)).await?,
            Heard::WindowUpdate { stream, increment } => self.windows.give(*stream, *increment),
            Heard::Data { stream, end_stream, flow, .. } if self.gives_window && *flow > 0 => {
                self.send(&Frame::window_update(0, *flow)).await?;
                if !end_stream {
                    self.send(&Frame::window_update(*stream, *flow)).await?;
                }
            }
            Heard::SettingsAck
            | Heard::Headers { .. }
            | Heard::Undecodable { .. }
            | Heard::Data { .. }
            | Heard::RstStream { .. }
            | Heard::GoAway { .. }
            | Heard::Ping(_)
            | Heard::PingAck(_)
            | Heard::Other(_)
            | Heard::Closed(_) => {}
        }
        Ok(())
    }
}

/// The pseudo-header fields of a request for `https`.
fn request_fields(method: &str, path: &str, authority: &str) -> Fields {
    [(":method", method), (":scheme", "https"), (":path", path), (":authority", authority)]
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .to_vec()
}
