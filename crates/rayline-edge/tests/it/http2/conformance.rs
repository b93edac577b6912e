//! What RFC 9113 and RFC 7541 ask of a server, row by row, with frames made by hand.
//!
//! A row is a connection of its own: what the visitor says on it, and what must come back. The rows cover at least what the
//! public suite of conformance tests for HTTP/2 covers, under the sections of RFC 9113, and are stricter in two points: an
//! error of the connection has to be a GOAWAY and a close, not just a close; and after an error of a stream the connection
//! has to go on. Each module holds the rows of some sections.

use std::fmt::Write as _;
use std::net::SocketAddr;
use std::time::Duration;

use rayline_testkit::http2::{Code, Ending, Frame, Heard, MAX_FRAME_SIZE, Response, Visitor, setting};
use rayline_testkit::{End, Script, TlsVisitor};

use crate::scene::{HOST, Scene};

mod compression;
mod connection;
mod fields;
mod flow;
mod frames;
mod messages;
mod requests;
mod streams;

/// How long an answer may take; only rows that fail wait for it.
const PATIENCE: Duration = Duration::from_secs(3);
/// The payload of the PING that asks whether a connection still works.
const STILL_THERE: [u8; 8] = *b"alive???";
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
    /// The next DATA on the stream has so many bytes.
    Data(u32, usize),
    /// The edge's first frame is SETTINGS.
    SettingsFirst,
    /// The edge acknowledges so many SETTINGS.
    Acknowledged(usize),
}

fn row(section: &'static str, what: &'static str, says: impl IntoIterator<Item = Say>, expected: Expected) -> Row {
    Row { section, what, greeting: Some(Vec::new()), says: says.into_iter().collect(), expected, unread: false }
}

impl Row {
    /// The same behind a greeting with these settings.
    fn greeting(mut self, settings: &[(u16, u32)]) -> Self {
        self.greeting = Some(settings.to_vec());
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

    /// Plays a row; says what came instead of what was expected.
    async fn play(&self, row: &Row) -> Result<(), String> {
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
        play.expect(&row.expected).await
    }
}

/// A row being played.
struct Play {
    visitor: Visitor,
    /// To be sent in one piece.
    unsent: Vec<u8>,
    /// All that was heard, for the report.
    heard: Vec<Heard>,
    last_stream: u32,
}

impl Play {
    fn new(visitor: Visitor) -> Self {
        Self { visitor, unsent: Vec::new(), heard: Vec::new(), last_stream: 0 }
    }

    async fn say(&mut self, say: &Say) -> Result<(), String> {
        match say {
            Say::Frame(frame) => self.unsent.extend_from_slice(&frame.encode()),
            Say::Bytes(bytes) => self.unsent.extend_from_slice(bytes),
            Say::Sized(make) => {
                let largest = self.announced(setting::MAX_FRAME_SIZE).map_or(MAX_FRAME_SIZE, |size| size as usize);
                self.unsent.extend_from_slice(&make(largest).encode());
            }
            Say::TooManyStreams => {
                let allowed = self.announced(setting::MAX_CONCURRENT_STREAMS).ok_or("no limit on streams is announced")?;
                for number in 0..=allowed {
                    self.last_stream = number * 2 + 1;
                    self.unsent.extend_from_slice(&Frame::headers(self.last_stream, request("POST"), false).encode());
                }
            }
            Say::UntilHead(wanted) => {
                self.until(|heard| matches!(heard, Heard::Headers { stream, .. } if stream == wanted)).await?;
            }
            Say::UntilEnd(wanted) => {
                self.until(|heard| match heard {
                    Heard::Headers { stream, end_stream: true, .. } | Heard::Data { stream, end_stream: true, .. } => {
                        stream == wanted
                    }
                    _ => false,
                })
                .await?;
            }
            Say::Body(stream, bytes) => {
                self.flush().await;
                let sent = self.visitor.send_body(*stream, &vec![b'x'; *bytes], true).await;
                sent.map_err(|error| format!("the body does not go through: {error}"))?;
            }
            Say::UntilData(wanted, bytes) => {
                let mut left = *bytes;
                while left > 0 {
                    let heard = self.until(|heard| is_data(heard, *wanted)).await?;
                    let Heard::Data { bytes, .. } = heard else { continue };
                    left = left.checked_sub(bytes.len()).ok_or("more data than the window allows")?;
                }
            }
        }
        Ok(())
    }

    /// The value of a setting that the edge has announced.
    fn announced(&self, wanted: u16) -> Option<u32> {
        let settings = self.heard.iter().filter_map(|heard| match heard {
            Heard::Settings(values) => Some(values),
            _ => None,
        });
        settings.flatten().filter(|(identifier, _)| *identifier == wanted).map(|(_, value)| *value).last()
    }

    /// Sends what is unsent. Errors are what the edge has closed for: that shows in what is heard.
    async fn flush(&mut self) {
        let unsent = std::mem::take(&mut self.unsent);
        let _closed = self.visitor.wire().send(unsent).await;
    }

    async fn next(&mut self) -> Heard {
        let next = self.visitor.next().await;
        self.heard.push(next.clone());
        next
    }

    /// The first thing heard that is `wanted`; an error if the connection ends before.
    async fn until(&mut self, wanted: impl Fn(&Heard) -> bool) -> Result<Heard, String> {
        self.flush().await;
        loop {
            let next = self.next().await;
            if wanted(&next) {
                return Ok(next);
            }
            if matches!(next, Heard::Closed(_)) {
                return Err(self.report());
            }
        }
    }

    async fn expect(&mut self, expected: &Expected) -> Result<(), String> {
        match expected {
            Expected::ConnectionError(codes) => {
                let goaway = self.until(|heard| matches!(heard, Heard::GoAway { .. })).await?;
                self.connection_error(&goaway, codes).await
            }
            Expected::StreamError(stream, codes) => self.stream_error(*stream, codes).await,
            Expected::LastStreamError(codes) => self.stream_error(self.last_stream, codes).await,
            Expected::End => {
                let end = self.until(|heard| matches!(heard, Heard::Closed(end) if *end != End::Silent)).await;
                end.map(|_| ())
            }
            Expected::Alive => self.alive(true).await,
            Expected::AliveOrEnd => match self.alive(true).await {
                Err(_) if matches!(self.heard.last(), Some(Heard::Closed(End::Closed | End::Cut | End::Reset))) => {
                    let error = |heard: &Heard| matches!(heard, Heard::GoAway { code, .. } if *code != Code::NO_ERROR);
                    if self.heard.iter().any(error) { Err(self.report()) } else { Ok(()) }
                }
                other => other,
            },
            Expected::Answer(stream, statuses) => {
                let response = self.response(*stream).await?;
                let status = response.status().unwrap_or_default();
                if statuses.contains(&status) { Ok(()) } else { Err(format!("the status is {status}")) }
            }
            Expected::Shown(stream, text) => {
                let response = self.response(*stream).await?;
                let shown = response.text();
                if shown.contains(text) { Ok(()) } else { Err(format!("{:?}: {shown:?}", response.status())) }
            }
            Expected::Data(stream, length) => {
                let heard = self.until(|heard| is_data(heard, *stream)).await?;
                match heard {
                    Heard::Data { bytes, .. } if bytes.len() == *length => Ok(()),
                    _ => Err(self.report()),
                }
            }
            Expected::SettingsFirst => match self.next().await {
                Heard::Settings(_) => Ok(()),
                _ => Err(self.report()),
            },
            Expected::Acknowledged(times) => {
                for _ in 0..*times {
                    self.until(|heard| matches!(heard, Heard::SettingsAck)).await?;
                }
                Ok(())
            }
        }
    }

    async fn connection_error(&mut self, goaway: &Heard, codes: &[Code]) -> Result<(), String> {
        match goaway {
            Heard::GoAway { code, .. } if codes.contains(code) => {}
            _ => return Err(self.report()),
        }
        let end = self.until(|heard| matches!(heard, Heard::Closed(end) if *end != End::Silent)).await;
        end.map(|_| ()).map_err(|heard| format!("the connection stays open: {heard}"))
    }

    async fn stream_error(&mut self, wanted: u32, codes: &[Code]) -> Result<(), String> {
        let heard = self
            .until(|heard| match heard {
                Heard::RstStream { stream, .. } => *stream == wanted,
                Heard::GoAway { .. } => true,
                _ => false,
            })
            .await?;
        match &heard {
            Heard::RstStream { code, .. } if codes.contains(code) => self.alive(false).await,
            Heard::GoAway { .. } => self.connection_error(&heard, codes).await,
            _ => Err(self.report()),
        }
    }

    /// Whether the connection goes on, and nothing on it has been given up, if it is to be `unharmed`.
    async fn alive(&mut self, unharmed: bool) -> Result<(), String> {
        let sent = self.visitor.send(&Frame::ping(STILL_THERE)).await;
        sent.map_err(|error| format!("the connection is over: {error}"))?;
        self.until(|heard| *heard == Heard::PingAck(STILL_THERE)).await?;
        let harm = |heard: &Heard| matches!(heard, Heard::GoAway { .. } | Heard::RstStream { .. });
        let harmed = unharmed && self.heard.iter().any(harm);
        if harmed { Err(self.report()) } else { Ok(()) }
    }

    /// A whole response, whose fields are such as HTTP/2 has (section 8.2).
    async fn response(&mut self, stream: u32) -> Result<Response, String> {
        let response = self.visitor.read_response(stream).await;
        let names = || response.fields.iter().chain(&response.trailers).map(|(name, _)| name.as_str());
        let is_wrong = |name: &str| {
            name.chars().any(|c| c.is_ascii_uppercase())
                || ["connection", "keep-alive", "proxy-connection", "transfer-encoding", "upgrade"].contains(&name)
        };
        let pseudo = names().filter(|name| name.starts_with(':')).count();
        let is_fine = pseudo == 1 && names().next() == Some(":status") && !names().any(is_wrong);
        if is_fine && response.end == Ending::Whole {
            Ok(response)
        } else {
            Err(format!("{:?} after {:?}: {response:?}", response.end, self.report()))
        }
    }

    fn report(&self) -> String {
        self.heard.iter().filter(|heard| !matches!(heard, Heard::WindowUpdate { .. })).fold(
            String::new(),
            |mut report, heard| {
                let text = format!("{heard:?}");
                let _infallible = write!(report, "{}{text:.120}", if report.is_empty() { "" } else { ", " });
                report
            },
        )
    }
}

fn is_data(heard: &Heard, wanted: u32) -> bool {
    matches!(heard, Heard::Data { stream, bytes, .. } if *stream == wanted && !bytes.is_empty())
}

#[tokio::test]
async fn the_edge_conforms_to_rfc_9113_and_rfc_7541() {
    let reads = Scene::with(Script::ok()).https().start();
    let leaves_unread = Scene::with(Script::never_read()).https().start();
    let (reads, leaves_unread) = (Server::of(&reads), Server::of(&leaves_unread));
    let rows = all();
    let mut failures = Vec::new();
    for row in &rows {
        let server = if row.unread { &leaves_unread } else { &reads };
        if let Err(instead) = server.play(row).await {
            failures.push(format!("section {}: {}\n    {instead}", row.section, row.what));
        }
    }
    println!("{} of {}", rows.len() - failures.len(), rows.len());
    assert!(failures.is_empty(), "{} of {} rows fail:\n{}", failures.len(), rows.len(), failures.join("\n"));
    assert!(rows.len() >= AT_LEAST, "only {} rows are left", rows.len());
}
