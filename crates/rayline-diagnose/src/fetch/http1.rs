//! One request over HTTP/1.1.

use std::io;

use bytes::{Bytes, BytesMut};
use rayline_dial::http1::response_fault;
use rayline_dial::{Break, Connection, session_fault};
use rayline_http1::{BodyDecoder, Decoded, Framing, Limits, Parsed, RequestKind, ResponseHead, ResponseParser};
use rayline_verdict::evidence::TcpState;
use rayline_verdict::fault::{ReceiveCause, SendCause, WaitCause};
use rayline_verdict::{Fact, Fault, Snippet};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

use super::link::{Head, Sent, unspeakable};
use super::request::Request;

/// Room for what is read at once.
const READ: usize = 16 * 1024;

/// A connection in use.
#[derive(Debug)]
pub(super) struct Link {
    connection: Connection,
    input: BytesMut,
    parser: ResponseParser,
    sent: Sent,
    /// From the final head on.
    body: Option<BodyDecoder>,
    framing: Framing,
    keep_alive: bool,
}

impl Link {
    pub(super) fn new(connection: Connection) -> Self {
        Self {
            connection,
            input: BytesMut::new(),
            parser: ResponseParser::new(Limits::default()),
            sent: Sent::Partly,
            body: None,
            framing: Framing::None,
            keep_alive: false,
        }
    }

    pub(super) async fn send(&mut self, request: &Request) -> Result<(), Fault> {
        let head = request.http1().map_err(unspeakable)?;
        let connection = &mut self.connection;
        let written = async {
            connection.write_all(&head).await?;
            connection.flush().await
        };
        if written.await.is_ok() {
            self.sent = Sent::Whole;
        }
        Ok(())
    }

    pub(super) async fn head(&mut self, kind: RequestKind) -> Result<Head, Fault> {
        loop {
            match self.parser.parse(&mut self.input, kind) {
                Ok(Parsed::Complete(head)) => return Ok(self.taken(&head)),
                Ok(Parsed::Partial) => {}
                Err(refusal) => return Err(self.told_of_head(response_fault(&refusal))),
            }
            match self.read().await {
                Ok(1..) => {}
                Ok(0) => return Err(self.ended_before_head(None)),
                Err(error) => return Err(self.ended_before_head(Some(&error))),
            }
        }
    }

    fn taken(&mut self, head: &ResponseHead) -> Head {
        if !head.is_informational() {
            self.framing = head.framing();
            self.keep_alive = head.keep_alive();
            self.body = Some(BodyDecoder::new(self.framing, &Limits::default()));
        }
        Head::of(head)
    }

    async fn read(&mut self) -> io::Result<usize> {
        self.input.reserve(READ);
        self.connection.read_buf(&mut self.input).await
    }

    fn ended_before_head(&self, error: Option<&io::Error>) -> Fault {
        let broken = error.map(|error| session_fault(&self.connection, error));
        let how = broken.as_ref().map_or(Break::Closed, |broken| broken.how);
        let (begun, fresh) = (!self.input.is_empty(), !self.connection.is_reused());
        let cause = match how {
            Break::Closed | Break::Reset | Break::TlsBroken if begun => WaitCause::HalfHead.into(),
            Break::Closed | Break::Reset | Break::TlsBroken if !fresh => SendCause::StaleConnection.into(),
            other => other.before_head(self.sent == Sent::Whole),
        };
        self.told_of_head(Fault { cause, evidence: broken.map(|broken| broken.evidence).unwrap_or_default() })
    }

    pub(super) async fn piece(&mut self) -> Result<Option<Bytes>, Fault> {
        loop {
            let Some(body) = &mut self.body else { return Ok(None) };
            match body.decode(&mut self.input) {
                Ok(Decoded::Data(data)) => return Ok(Some(data)),
                Ok(Decoded::Trailers(_)) => continue,
                Ok(Decoded::End) => return Ok(None),
                Ok(Decoded::NeedMore) => {}
                Err(refusal) => return Err(self.testify(response_fault(&refusal))),
            }
            match self.read().await {
                Ok(1..) => {}
                Ok(0) => {
                    self.keep_alive = false;
                    let end = self.body.as_mut().map_or(Ok(()), BodyDecoder::eof);
                    return end.map(|()| None).map_err(|refusal| self.testify(response_fault(&refusal)));
                }
                Err(error) => return Err(self.ended_in_body(&error)),
            }
        }
    }

    fn ended_in_body(&self, error: &io::Error) -> Fault {
        let broken = session_fault(&self.connection, error);
        let cause = match broken.how {
            // Under TLS, where the close is the body's only end: it may have been whole.
            Break::Closed if self.framing == Framing::Close => ReceiveCause::TlsBroken.into(),
            other => other.in_body(),
        };
        let fault = self.testify(Fault { cause, evidence: broken.evidence });
        let unsaid = || Fact::TlsError("closed without close_notify".to_owned());
        if broken.how == Break::Closed { fault.with(unsaid()) } else { fault }
    }

    /// The connection, if it can take another request.
    pub(super) fn into_rested(self) -> Option<Connection> {
        let is_done = self.body.as_ref().is_some_and(BodyDecoder::is_done);
        let rests = is_done && self.keep_alive && self.sent == Sent::Whole && self.input.is_empty();
        rests.then_some(self.connection)
    }

    pub(super) fn tcp_state(&self) -> Option<TcpState> {
        self.connection.tcp_state()
    }

    pub(super) fn testify(&self, mut fault: Fault) -> Fault {
        self.connection.testify(&mut fault.evidence);
        fault.with(Fact::Protocol("HTTP/1.1"))
    }

    /// The same with what came of a head.
    fn told_of_head(&self, fault: Fault) -> Fault {
        let fault = self.testify(fault);
        if self.input.is_empty() { fault } else { fault.with(Fact::FirstBytes(Snippet::first(&self.input))) }
    }
}
