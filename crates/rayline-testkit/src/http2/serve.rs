//! Playing an origin's side of an HTTP/2 connection: one loop that reads frames and gets the streams on with their acts.
//!
//! It keeps to the client's windows and frame sizes in what an [`Act`] sends as a body, and to nothing in what it sends as
//! frames.

use std::collections::BTreeMap;
use std::io;
use std::net::SocketAddr;

use tokio::time::{Instant, sleep_until};

use super::act::{Act, Last, Serving};
use super::code::Code;
use super::ear::{Ear, Heard};
use super::fields::{self, Fields};
use super::frame::{Frame, MAX_FRAME_SIZE, PREFACE, flag, kind};
use super::stream::Stream;
use super::windows::Windows;
use crate::conn::Conn;
use crate::head::Head;
use crate::origin::{Seen, SeenTls, Ticket};
use crate::script::answer::pattern;

/// How a connection is to end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Ended {
    Fin,
    Reset,
}

/// What has become of an act.
enum Progress {
    Done,
    /// It goes on when something arrives, or when the stream wakes.
    Waiting,
    Over(Ended),
}

/// Speaks HTTP/2 until a script or the client ends it.
pub(crate) async fn serve(
    serving: &Serving,
    conn: &mut Conn,
    peer: SocketAddr,
    tls: Option<&SeenTls>,
    ticket: &Ticket,
) -> io::Result<Ended> {
    conn.send(&Frame::settings(&serving.settings).encode()).await?;
    if !conn.read_exactly(PREFACE).await? {
        conn.send(&Frame::goaway(0, Code::PROTOCOL_ERROR, b"no preface").encode()).await?;
        return Ok(Ended::Fin);
    }
    for frame in &serving.before {
        conn.send(&frame.encode()).await?;
    }
    let mut session = Session {
        serving,
        conn,
        peer,
        tls,
        ticket,
        ear: Ear::new(),
        windows: Windows::new(),
        streams: BTreeMap::new(),
        requests: 0,
        last: None,
    };
    loop {
        if let Some(ended) = session.advance().await? {
            return Ok(ended);
        }
        let wakes = session.streams.values().filter_map(|stream| stream.wakes).min();
        let frame = match wakes {
            None => session.conn.read_frame().await?,
            Some(at) => tokio::select! {
                frame = session.conn.read_frame() => frame?,
                () = sleep_until(at) => continue,
            },
        };
        let Some(frame) = frame else {
            return Ok(Ended::Fin);
        };
        if let Some(heard) = session.ear.hear(frame)
            && let Some(ended) = session.heed(heard).await?
        {
            return Ok(ended);
        }
    }
}

struct Session<'a> {
    serving: &'a Serving,
    conn: &'a mut Conn,
    peer: SocketAddr,
    tls: Option<&'a SeenTls>,
    ticket: &'a Ticket,
    ear: Ear,
    windows: Windows,
    streams: BTreeMap<u32, Stream<'a>>,
    requests: u64,
    /// The last stream that is taken, once that is decided.
    last: Option<u32>,
}

impl<'a> Session<'a> {
    async fn heed(&mut self, heard: Heard) -> io::Result<Option<Ended>> {
        match heard {
            Heard::Settings(values) => {
                self.windows.apply(&values);
                self.send(&Frame::settings_ack()).await?;
            }
            Heard::Ping(payload) => self.send(&Frame::ping_ack(payload)).await?,
            Heard::WindowUpdate { stream, increment } => self.windows.give(stream, increment),
            Heard::Headers { stream, fields, end_stream } => match self.streams.get_mut(&stream) {
                Some(open) => open.received |= end_stream,
                None => self.open(stream, &fields, end_stream).await?,
            },
            Heard::Data { stream, bytes, end_stream, flow } => match self.streams.get_mut(&stream) {
                Some(open) => open.receive(bytes, flow, end_stream),
                None => self.give_window(0, flow).await?,
            },
            Heard::RstStream { stream, .. } => {
                if self.streams.remove(&stream).is_some() {
                    self.windows.forget(stream);
                    self.ticket.ledger.count(|counts| counts.resets += 1);
                }
            }
            Heard::Undecodable { stream } => {
                self.send(&Frame::goaway(stream, Code::COMPRESSION_ERROR, b"")).await?;
                return Ok(Some(Ended::Fin));
            }
            Heard::SettingsAck | Heard::GoAway { .. } | Heard::PingAck(_) | Heard::Other(_) | Heard::Closed(_) => {}
        }
        Ok(None)
    }

    async fn open(&mut self, stream: u32, fields: &Fields, end_stream: bool) -> io::Result<()> {
        if self.last.is_some_and(|last| stream > last) {
            return Ok(());
        }
        let open = self.streams.len() as u64 + 1;
        self.ticket.ledger.count(|counts| counts.peak_streams = counts.peak_streams.max(open));
        if self.serving.cap().is_some_and(|cap| open > cap.into()) {
            return self.send(&Frame::rst_stream(stream, Code::REFUSED_STREAM)).await;
        }
        let seen = self.seen(stream, fields);
        let number = self.ticket.ledger.record(seen.clone());
        let acts = match &self.serving.first {
            Some(first) if number == 1 => first,
            Some(_) | None => &self.serving.acts,
        };
        self.streams.insert(stream, Stream::new(acts, seen, end_stream));
        self.requests += 1;
        if self.serving.retires_after == Some(self.requests) {
            self.last = Some(stream);
            self.send(&Frame::goaway(stream, Code::NO_ERROR, b"")).await?;
        }
        Ok(())
    }

    fn seen(&self, stream: u32, fields: &Fields) -> Seen {
        let pseudo = |name| fields::value(fields, name);
        let target = pseudo(":path").or(pseudo(":authority")).unwrap_or_default();
        let start = format!("{} {target} HTTP/2", pseudo(":method").unwrap_or_default());
        let lines: String = fields.iter().map(|(name, value)| format!("{name}: {value}\r\n")).collect();
        Seen {
            connection: self.ticket.number,
            stream: Some(stream),
            peer: self.peer,
            raw: format!("{start}\r\n{lines}\r\n").into(),
            head: Head { start, fields: fields.clone() },
            tls: self.tls.cloned(),
        }
    }

    /// Gets every stream on as far as it goes.
    async fn advance(&mut self) -> io::Result<Option<Ended>> {
        let open: Vec<u32> = self.streams.keys().copied().collect();
        for id in open {
            // its place stays taken for those who count
            let Some(mut stream) = self.streams.get_mut(&id).map(std::mem::take) else { continue };
            let ended = self.advance_stream(id, &mut stream).await?;
            if stream.sent_all && stream.received {
                self.streams.remove(&id);
                self.windows.forget(id);
            } else {
                self.streams.insert(id, stream);
            }
            if ended.is_some() {
                return Ok(ended);
            }
        }
        Ok((self.last.is_some() && self.streams.is_empty()).then_some(Ended::Fin))
    }

    async fn advance_stream(&mut self, id: u32, stream: &mut Stream<'a>) -> io::Result<Option<Ended>> {
        while let Some(act) = stream.act() {
            match self.perform(act, id, stream).await? {
                Progress::Done => stream.next_act(),
                Progress::Waiting => return Ok(None),
                Progress::Over(ended) => return Ok(Some(ended)),
            }
        }
        if !stream.sent_all {
            stream.sent_all = true;
            self.send(&Frame::data(id, "", true)).await?;
        }
        self.discard(id, stream).await?;
        Ok(None)
    }

    async fn perform(&mut self, act: &Act, id: u32, stream: &mut Stream<'a>) -> io::Result<Progress> {
        let done = match act {
            Act::ReadBody => {
                self.discard(id, stream).await?;
                stream.received
            }
            Act::KeepBody => {
                let flow = stream.keep();
                self.give(id, stream, flow).await?;
                stream.received
            }
            Act::Pause(time) => {
                let until = *stream.wakes.get_or_insert_with(|| Instant::now() + *time);
                Instant::now() >= until
            }
            Act::AwaitStreams(count) => self.streams.len() >= *count,
            Act::Fields(fields) => {
                self.send(&Frame::headers(id, fields::borrowed(fields), false)).await?;
                true
            }
            Act::LastFields(fields) => {
                stream.sent_all = true;
                self.send(&Frame::headers(id, fields::borrowed(fields), true)).await?;
                true
            }
            Act::Body(bytes) => {
                self.send_body(id, stream, bytes.len() as u64, |from, count| {
                    let from = usize::try_from(from).unwrap_or(usize::MAX);
                    bytes.slice(from..from.saturating_add(count))
                })
                .await?
            }
            Act::Pattern(length) => self.send_body(id, stream, *length, pattern).await?,
            Act::Show => {
                let text = stream.shown();
                self.send_body(id, stream, text.len() as u64, |from, count| {
                    let from = usize::try_from(from).unwrap_or(usize::MAX);
                    text.slice(from..from.saturating_add(count))
                })
                .await?
            }
            Act::Echo => self.echo(id, stream).await?,
            Act::Send(frames) => {
                for frame in frames {
                    let frame = here(frame, id);
                    if frame.stream == id && frame.kind == kind::RST_STREAM {
                        (stream.sent_all, stream.received) = (true, true);
                    }
                    stream.sent_all |= frame.stream == id && ends(&frame);
                    self.send(&frame).await?;
                }
                true
            }
            Act::Repeat(frames) => {
                let bytes: Vec<u8> = frames.iter().flat_map(|frame| here(frame, id).encode()).collect();
                loop {
                    self.conn.send(&bytes).await?;
                }
            }
            Act::GoAway(last, code, debug) => {
                let last = match last {
                    Last::This => id,
                    Last::Before => id.saturating_sub(2),
                    Last::None => 0,
                };
                self.send(&Frame::goaway(last, *code, debug.as_bytes())).await?;
                true
            }
            Act::Hold => false,
            Act::Fin => return Ok(Progress::Over(Ended::Fin)),
            Act::ResetConnection => return Ok(Progress::Over(Ended::Reset)),
        };
        Ok(if done { Progress::Done } else { Progress::Waiting })
    }

    /// Sends what the windows allow of a body that is made piece by piece, from an offset and a length; `true` at its end.
    async fn send_body(
        &mut self,
        id: u32,
        stream: &mut Stream<'a>,
        length: u64,
        piece: impl Fn(u64, usize) -> bytes::Bytes,
    ) -> io::Result<bool> {
        while stream.sent < length && !stream.is_head() {
            let left = usize::try_from(length.saturating_sub(stream.sent)).unwrap_or(usize::MAX);
            let count = left.min(self.windows.left(id)).min(MAX_FRAME_SIZE);
            if count == 0 {
                return Ok(false);
            }
            self.windows.take(id, count);
            self.send(&Frame::data(id, piece(stream.sent, count), false)).await?;
            stream.sent += count as u64;
        }
        Ok(true)
    }

    async fn echo(&mut self, id: u32, stream: &mut Stream<'a>) -> io::Result<bool> {
        loop {
            let window = self.windows.left(id).min(MAX_FRAME_SIZE);
            let Some((bytes, flow)) = stream.take(window) else { break };
            if !bytes.is_empty() {
                self.windows.take(id, bytes.len());
                self.send(&Frame::data(id, bytes, false)).await?;
            }
            self.give(id, stream, flow).await?;
        }
        Ok(stream.received && stream.is_read())
    }

    async fn discard(&mut self, id: u32, stream: &mut Stream<'a>) -> io::Result<()> {
        let flow = stream.discard();
        self.give(id, stream, flow).await
    }

    /// Gives both windows back what was taken off a stream.
    async fn give(&mut self, id: u32, stream: &Stream<'a>, flow: u32) -> io::Result<()> {
        self.give_window(0, flow).await?;
        if stream.received { Ok(()) } else { self.give_window(id, flow).await }
    }

    async fn give_window(&mut self, stream: u32, flow: u32) -> io::Result<()> {
        if flow == 0 || !self.serving.gives_window {
            return Ok(());
        }
        self.send(&Frame::window_update(stream, flow)).await
    }

    async fn send(&mut self, frame: &Frame) -> io::Result<()> {
        self.conn.send(&frame.encode()).await
    }
}

fn here(frame: &Frame, id: u32) -> Frame {
    if frame.stream == Frame::HERE { frame.clone().on(id) } else { frame.clone() }
}

/// Whether nothing may follow this frame on its stream.
fn ends(frame: &Frame) -> bool {
    matches!(frame.kind, kind::DATA | kind::HEADERS) && frame.has(flag::END_STREAM)
}
