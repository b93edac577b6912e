//! What RFC 9113 and RFC 7541 ask of a server, row by row, with frames made by hand.
//!
//! A row is a connection of its own: what the visitor says on it, and what must come back. The rows cover at least what the
//! public suite of conformance tests for HTTP/2 covers, under the sections of RFC 9113, and are stricter in two points: an
//! error of the connection has to be a GOAWAY with the right code and a close, not just a close; and after an error of a
//! stream the connection has to go on. Where the HTTP/2 library does something else that we cannot change from outside, the
//! row says what, and fails as soon as that is mended. Each module holds the rows of some sections.

use std::net::SocketAddr;
use std::time::Duration;

use rayline_testkit::http2::{Code, Frame, Heard, Visitor};
use rayline_testkit::{Script, TlsVisitor};
use tokio::time::timeout;

use crate::scene::{HOST, Scene};
use play::Play;

mod compression;
mod connection;
mod fields;
mod flow;
mod frames;
mod messages;
mod play;
mod requests;
mod streams;

/// How long an answer may take; only rows that fail wait for it.
const PATIENCE: Duration = Duration::from_secs(3);
/// How long a whole row may take.
const AT_MOST: Duration = Duration::from_secs(10);
/// How many rows there are at least: as many as the public suite has cases.
const AT_LEAST: usize = 146;

const PROTOCOL: &[Code] = &[Code::PROTOCOL_ERROR];
const CLOSED: &[Code] = &[Code::STREAM_CLOSED];
const CLOSED_OR_PROTOCOL: &[Code] = &[Code::STREAM_CLOSED, Code::PROTOCOL_ERROR];
const SIZE: &[Code] = &[Code::FRAME_SIZE_ERROR];
const FLOW: &[Code] = &[Code::FLOW_CONTROL_ERROR];
const COMPRESSION: &[Code] = &[Code::COMPRESSION_ERROR];

/// One requirement.
struct Row {
    section: &'static str,
    what: &'static str,
    /// The visitor's first SETTINGS; `None` if it does not even send the preface by itself.
    greeting: Option<Vec<(u16, u32)>>,
    says: Vec<Say>,
    expected: Expected,
    /// Whether it needs an origin that takes no body.
    unread: bool,
    /// What the HTTP/2 library is known to do instead, out of our reach.
    instead: Option<Expected>,
}

/// One thing that the visitor does.
enum Say {
    /// Sends a frame; what is sent without a pause between goes in one piece.
    Frame(Frame),
    /// Sends bytes.
    Bytes(Vec<u8>),
    /// Sends the frame that this makes of the largest payload that the edge takes.
    Sized(fn(usize) -> Frame),
    /// Opens as many streams as the edge allows, and one more, none of which ends.
    TooManyStreams,
    /// Waits for the head of a response.
    UntilHead(u32),
    /// Waits until a response is whole.
    UntilEnd(u32),
    /// Waits for so many bytes of a body.
    UntilData(u32, usize),
    /// Sends a body of so many bytes and ends the stream, as the edge gives windows for it.
    Body(u32, usize),
}

/// What must come of it.
enum Expected {
    /// GOAWAY with one of these codes, and the end of the connection.
    ConnectionError(&'static [Code]),
    /// RST_STREAM with one of these codes on a connection that goes on; or an error of the connection, as section 5.4 allows.
    StreamError(u32, &'static [Code]),
    /// The same for the stream that [`Say::TooManyStreams`] has opened last.
    LastStreamError(&'static [Code]),
    /// The end of the connection, with or without GOAWAY.
    End,
    /// A PING that follows is answered, and nothing has been reset or ended.
    Alive,
    /// The same, or the end of the connection without an error.
    AliveOrEnd,
    /// A whole response with one of these statuses.
    Answer(u32, &'static [u16]),
    /// A whole response whose body contains this: the origin shows the request in it.
    Shown(u32, &'static str),
    /// RST_STREAM with `PROTOCOL_ERROR`, or a whole 400, which section 8.1.1 allows as well.
    Refused(u32),
    /// The next DATA on the stream has so many bytes.
    Data(u32, usize),
    /// The edge's first frame is SETTINGS.
    SettingsFirst,
    /// The edge acknowledges so many SETTINGS.
    Acknowledged(usize),
}

fn row(section: &'static str, what: &'static str, says: impl IntoIterator<Item = Say>, expected: Expected) -> Row {
    Row {
        section,
        what,
        greeting: Some(Vec::new()),
        says: says.into_iter().collect(),
        expected,
        unread: false,
        instead: None,
    }
}

impl Row {
    /// The same behind a greeting with these settings.
    fn greeting(mut self, settings: &[(u16, u32)]) -> Self {
        self.greeting = Some(settings.to_vec());
        self
    }

    /// The same, but the library says `PROTOCOL_ERROR`, where the RFC has a code of its own for what is wrong.
    fn unspecific(self) -> Self {
        self.but(Expected::ConnectionError(PROTOCOL))
    }

    /// The same, but the library does this.
    fn but(mut self, instead: Expected) -> Self {
        self.instead = Some(instead);
        self
    }

    /// The same in front of an origin that does not read.
    fn unread(mut self) -> Self {
        self.unread = true;
        self
    }

    /// The same without any greeting.
    fn raw(mut self) -> Self {
        self.greeting = None;
        self
    }
}

fn frame(frame: Frame) -> Say {
    Say::Frame(frame)
}

/// HEADERS with these fields.
fn headers<'a>(stream: u32, fields: impl IntoIterator<Item = (&'a str, &'a str)>, end_stream: bool) -> Say {
    Say::Frame(Frame::headers(stream, fields, end_stream))
}

fn data(stream: u32, bytes: &[u8], end_stream: bool) -> Say {
    Say::Frame(Frame::data(stream, bytes.to_vec(), end_stream))
}

/// A whole GET.
fn get(stream: u32) -> Say {
    headers(stream, request("GET"), true)
}

/// The head of a POST whose body follows.
fn post(stream: u32) -> Say {
    headers(stream, request("POST"), false)
}

/// The pseudo-header fields of a request.
fn request(method: &str) -> [(&str, &str); 4] {
    [(":method", method), (":scheme", "https"), (":path", "/"), (":authority", HOST)]
}

/// The same with more fields behind them.
fn request_with<'a>(method: &'a str, more: &[(&'a str, &'a str)]) -> Vec<(&'a str, &'a str)> {
    request(method).into_iter().chain(more.iter().copied()).collect()
}

fn all() -> Vec<Row> {
    [
        connection::rows(),
        frames::rows(),
        streams::rows(),
        flow::rows(),
        messages::rows(),
        requests::rows(),
        fields::rows(),
        compression::rows(),
    ]
    .into_iter()
    .flatten()
    .collect()
}

/// Where the rows are played.
struct Server {
    addr: SocketAddr,
    tls: TlsVisitor,
}

impl Server {
    fn of(scene: &Scene) -> Self {
        let root = std::fs::read_to_string(scene.folder.path().join("data/development-ca.pem")).expect("the CA's root");
        Self {
            addr: scene.https.expect("a scene with https()"),
            tls: TlsVisitor::new(HOST).trusting_pem(&root).expect("a root"),
        }
    }

    /// Plays a row until that is seen; says what came instead.
    async fn play(&self, row: &Row, expected: &Expected) -> Result<(), String> {
        let played = timeout(AT_MOST, self.play_on(row, expected)).await;
        played.unwrap_or_else(|_| Err("it takes too long".to_owned()))
    }

    async fn play_on(&self, row: &Row, expected: &Expected) -> Result<(), String> {
        let tls = self.tls.clone().offering(&["h2"]);
        let wire = rayline_testkit::Visitor::connect_tls(self.addr, &tls).await.map_err(|error| error.to_string())?;
        if wire.protocol().as_deref() != Some("h2") {
            return Err("`h2` was not agreed on".to_owned());
        }
        let mut play = Play::new(Visitor::from(wire).patience(PATIENCE).without_windows());
        if let Some(settings) = &row.greeting {
            play.visitor.greet(settings).await.map_err(|error| error.to_string())?;
            play.until(|heard| matches!(heard, Heard::SettingsAck)).await?;
        }
        for say in &row.says {
            play.say(say).await?;
        }
        play.flush().await;
        play.expect(expected).await
    }
}

#[tokio::test]
async fn the_edge_conforms_to_rfc_9113_and_rfc_7541() {
    let reads = Scene::with(Script::ok()).https().start();
    let leaves_unread = Scene::with(Script::never_read()).https().start();
    let (reads, leaves_unread) = (Server::of(&reads), Server::of(&leaves_unread));
    let rows = all();
    let (mut exact, mut noted, mut failures) = (0, Vec::new(), Vec::new());
    for row in &rows {
        let server = if row.unread { &leaves_unread } else { &reads };
        let name = format!("section {}: {}", row.section, row.what);
        let played = server.play(row, &row.expected).await;
        match (&row.instead, played) {
            (None, Ok(())) => exact += 1,
            (None, Err(instead)) => failures.push(format!("{name}\n    {instead}")),
            (Some(_), Ok(())) => failures.push(format!("{name}\n    is as it should be: its note can go")),
            (Some(known), Err(_)) => match server.play(row, known).await {
                Ok(()) => noted.push(name),
                Err(instead) => failures.push(format!("{name}\n    {instead}")),
            },
        }
    }
    println!("{exact} of {} as the RFC has them, {} as noted:\n{}", rows.len(), noted.len(), noted.join("\n"));
    assert!(failures.is_empty(), "{} of {} rows fail:\n{}", failures.len(), rows.len(), failures.join("\n"));
    assert!(rows.len() >= AT_LEAST, "only {} rows are left", rows.len());
}
