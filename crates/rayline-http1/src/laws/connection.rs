//! One direction of a connection, driven as its owner drives it: heads and bodies in turn.

use bytes::BytesMut;

use super::Event;
use crate::body::{BodyDecoder, Decoded};
use crate::framing::Framing;
use crate::limits::{Limits, Parsed};
use crate::refusal::Refusal;
use crate::request::RequestParser;
use crate::response::{RequestKind, ResponseParser};

enum Side {
    Client(RequestParser),
    Server(ResponseParser, RequestKind),
}

pub(super) struct Connection {
    limits: Limits,
    side: Side,
    body: Option<(BodyDecoder, Vec<u8>)>,
    /// Another protocol took over.
    switched: bool,
    buf: BytesMut,
    events: Vec<Event>,
}

impl Connection {
    pub(super) fn client(limits: Limits) -> Self {
        Self::new(limits, Side::Client(RequestParser::new(limits)))
    }

    pub(super) fn server(limits: Limits, request: RequestKind) -> Self {
        Self::new(limits, Side::Server(ResponseParser::new(limits), request))
    }

    fn new(limits: Limits, side: Side) -> Self {
        Self { limits, side, body: None, switched: false, buf: BytesMut::new(), events: Vec::new() }
    }

    pub(super) fn run<'a>(mut self, pieces: impl IntoIterator<Item = &'a [u8]>) -> Vec<Event> {
        for piece in pieces {
            self.buf.extend_from_slice(piece);
            if let Err(refusal) = self.advance() {
                return self.end(Some(refusal));
            }
        }
        let refusal = match (&mut self.body, &self.side) {
            (Some((decoder, _)), _) => decoder.eof().err(),
            (None, _) if self.switched => None,
            (None, Side::Client(parser)) => parser.eof(&self.buf),
            (None, Side::Server(parser, _)) => Some(parser.eof(&self.buf)),
        };
        self.end(refusal)
    }

    fn end(mut self, refusal: Option<Refusal>) -> Vec<Event> {
        if let Some((_, content)) = self.body {
            self.events.push(Event::Body(content));
        }
        self.events.push(match refusal {
            Some(refusal) => Event::refused(&refusal),
            None => Event::Rest(self.buf.to_vec()),
        });
        self.events
    }

    /// Takes all out of the buffer that can be taken.
    fn advance(&mut self) -> Result<(), Refusal> {
        while !self.switched {
            let go_on = match self.body {
                Some(_) => self.read_body()?,
                None => self.read_head()?,
            };
            if !go_on {
                break;
            }
        }
        Ok(())
    }

    fn read_head(&mut self) -> Result<bool, Refusal> {
        let framing = match &mut self.side {
            Side::Client(parser) => match parser.parse(&mut self.buf)? {
                Parsed::Partial => return Ok(false),
                Parsed::Complete(head) => {
                    parser.recycle(head.clone());
                    let framing = head.framing();
                    self.events.push(Event::Request(head));
                    framing
                }
            },
            Side::Server(parser, request) => match parser.parse(&mut self.buf, *request)? {
                Parsed::Partial => return Ok(false),
                Parsed::Complete(head) => {
                    parser.recycle(head.clone());
                    let framing = head.framing();
                    self.switched = head.status == 101;
                    self.events.push(Event::Response(head));
                    framing
                }
            },
        };
        if framing != Framing::None {
            self.body = Some((BodyDecoder::new(framing, &self.limits), Vec::new()));
        }
        Ok(true)
    }

    fn read_body(&mut self) -> Result<bool, Refusal> {
        let Some((decoder, content)) = &mut self.body else {
            return Ok(true);
        };
        match decoder.decode(&mut self.buf)? {
            Decoded::Data(data) => content.extend_from_slice(&data),
            Decoded::Trailers(trailers) => self.events.push(Event::Trailers(trailers)),
            Decoded::NeedMore => return Ok(false),
            Decoded::End => {
                let content = std::mem::take(content);
                self.events.push(Event::Body(content));
                self.body = None;
            }
        }
        Ok(true)
    }
}
