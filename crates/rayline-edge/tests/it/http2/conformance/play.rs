//! One row being played: what is said, what is heard, and whether that is what was expected.

use rayline_testkit::End;
use rayline_testkit::http2::{Code, Ending, Frame, Heard, MAX_FRAME_SIZE, Response, Visitor, setting};

use super::{Expected, Say, request};

/// The payload of the PING that asks whether a connection still works.
const STILL_THERE: [u8; 8] = *b"alive???";
/// Fields that are of a connection of HTTP/1.1, not of a message (section 8.2.2).
const OF_THE_CONNECTION: [&str; 5] = ["connection", "keep-alive", "proxy-connection", "transfer-encoding", "upgrade"];

/// A row being played.
pub(super) struct Play {
    pub(super) visitor: Visitor,
    /// To be sent in one piece.
    unsent: Vec<u8>,
    /// All that was heard, for the report.
    heard: Vec<Heard>,
    last_stream: u32,
}

impl Play {
    pub(super) fn new(visitor: Visitor) -> Self {
        Self { visitor, unsent: Vec::new(), heard: Vec::new(), last_stream: 0 }
    }

    pub(super) async fn say(&mut self, say: &Say) -> Result<(), String> {
        match say {
            Say::Frame(frame) => self.unsent.extend_from_slice(&frame.encode()),
            Say::Bytes(bytes) => self.unsent.extend_from_slice(bytes),
            Say::Sized(make) => {
                let largest = self.announced(setting::MAX_FRAME_SIZE).map_or(MAX_FRAME_SIZE, |size| size as usize);
                self.unsent.extend_from_slice(&make(largest).encode());
            }
            Say::TooManyStreams => {
                let allowed =
                    self.announced(setting::MAX_CONCURRENT_STREAMS).ok_or("no limit on streams is announced")?;
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
    pub(super) async fn flush(&mut self) {
        let unsent = std::mem::take(&mut self.unsent);
        let _closed = self.visitor.wire().send(unsent).await;
    }

    async fn next(&mut self) -> Heard {
        let next = self.visitor.next().await;
        self.heard.push(next.clone());
        next
    }

    /// The first thing heard that is `wanted`; an error if the connection ends before.
    pub(super) async fn until(&mut self, wanted: impl Fn(&Heard) -> bool) -> Result<Heard, String> {
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

    pub(super) async fn expect(&mut self, expected: &Expected) -> Result<(), String> {
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
            Expected::Refused(stream) => {
                let response = self.visitor.read_response(*stream).await;
                match (response.end, response.status()) {
                    (Ending::Whole, Some(400)) | (Ending::Reset(Code::PROTOCOL_ERROR), None) => self.alive(false).await,
                    (end, status) => Err(format!("{status:?} and {end:?}")),
                }
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
        if !is_goaway(goaway, codes) {
            return Err(self.report());
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
            Heard::RstStream { code, .. } if codes.contains(code) => match self.alive(false).await {
                // what followed may have been wrong for the connection as well
                Err(_) if self.heard.iter().any(|heard| is_goaway(heard, codes)) => Ok(()),
                alive => alive,
            },
            Heard::GoAway { .. } => self.connection_error(&heard, codes).await,
            _ => Err(self.report()),
        }
    }

    /// Whether the connection goes on, and nothing on it has been given up, if it is to be `unharmed`.
    async fn alive(&mut self, unharmed: bool) -> Result<(), String> {
        self.unsent.extend_from_slice(&Frame::ping(STILL_THERE).encode());
        self.until(|heard| *heard == Heard::PingAck(STILL_THERE)).await?;
        let harm = |heard: &Heard| matches!(heard, Heard::GoAway { .. } | Heard::RstStream { .. });
        let harmed = unharmed && self.heard.iter().any(harm);
        if harmed { Err(self.report()) } else { Ok(()) }
    }

    /// A whole response, whose fields are such as HTTP/2 has (section 8.2).
    async fn response(&mut self, stream: u32) -> Result<Response, String> {
        let response = self.visitor.read_response(stream).await;
        let names = || response.fields.iter().chain(&response.trailers).map(|(name, _)| name.as_str());
        let is_wrong = |name: &str| name.chars().any(|c| c.is_ascii_uppercase()) || OF_THE_CONNECTION.contains(&name);
        let pseudo = names().filter(|name| name.starts_with(':')).count();
        let is_fine = pseudo == 1 && names().next() == Some(":status") && !names().any(is_wrong);
        if is_fine && response.end == Ending::Whole {
            Ok(response)
        } else {
            Err(format!("{:?}, {:?} after {}", response.fields, response.end, self.report()))
        }
    }

    /// The last of what was heard, in short.
    fn report(&self) -> String {
        const LAST: usize = 6;
        let told: Vec<_> = self.heard.iter().filter(|heard| !matches!(heard, Heard::WindowUpdate { .. })).collect();
        let last = told.iter().skip(told.len().saturating_sub(LAST));
        last.map(|heard| format!("{:.120}", format!("{heard:?}"))).collect::<Vec<_>>().join(", ")
    }
}

fn is_goaway(heard: &Heard, codes: &[Code]) -> bool {
    matches!(heard, Heard::GoAway { code, .. } if codes.contains(code))
}

fn is_data(heard: &Heard, wanted: u32) -> bool {
    matches!(heard, Heard::Data { stream, bytes, .. } if *stream == wanted && !bytes.is_empty())
}
