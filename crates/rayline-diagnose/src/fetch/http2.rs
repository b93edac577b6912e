//! One request over HTTP/2, on a connection of its own.

use std::cell::Cell;
use std::future::poll_fn;
use std::pin::Pin;
use std::rc::Rc;

use bytes::{Bytes, BytesMut};
use h2::RecvStream;
use h2::client::ResponseFuture;
use http::HeaderMap;
use rayline_dial::Connection;
use rayline_dial::http1::response_fault;
use rayline_dial::http2::{Http2, Http2Limits, Lease, StreamFault, release};
use rayline_http1::{Limits, Parsed, RequestKind, ResponseParser, encode};
use rayline_verdict::evidence::TcpState;
use rayline_verdict::fault::{ReplyCause, WaitCause};
use rayline_verdict::{Fact, Fault};

use super::link::{Head, unspeakable};
use super::request::Request;

/// A stream in use. Dropping it ends the stream, and with it the connection.
pub(super) struct Link {
    state: State,
    lease: Lease,
    secured: bool,
    sent: u64,
    received: u64,
}

impl std::fmt::Debug for Link {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Link").field("lease", &self.lease).finish_non_exhaustive()
    }
}

enum State {
    Idle,
    /// The library or the connection did not take the request.
    Failed(h2::Error),
    Waiting(ResponseFuture),
    Body(RecvStream),
    Over,
}

impl Link {
    /// Begins to speak HTTP/2. It must be inside a [`LocalSet`](tokio::task::LocalSet), where the connection is driven.
    pub(super) async fn begin(connection: Connection) -> Result<Self, Fault> {
        let secured = connection.tls().is_some();
        let limits = Http2Limits { streams: 1, header_bytes: Limits::default().head };
        let begun = Http2::begin(connection, limits, &Rc::new(Cell::new(0)), None).await;
        let unknown = |error: h2::Error| Fault::new(ReplyCause::Unclassified).with(Fact::Internal(error.to_string()));
        let lease = begun.map_err(unknown)?.lease();
        Ok(Self { state: State::Idle, lease, secured, sent: 0, received: 0 })
    }

    pub(super) fn send(&mut self, request: &Request) -> Result<(), Fault> {
        let head = request.http2(self.secured).map_err(unspeakable)?;
        self.sent = size(head.headers());
        self.state = match self.lease.send(head, true) {
            Ok((response, _no_body)) => State::Waiting(response),
            Err(error) => State::Failed(error),
        };
        Ok(())
    }

    pub(super) async fn head(&mut self, kind: RequestKind) -> Result<Head, Fault> {
        let response = match &mut self.state {
            State::Waiting(response) => response,
            State::Failed(error) => {
                let fault = failed(self.lease.fault(error, None));
                return Err(self.testify(fault));
            }
            State::Idle | State::Body(_) | State::Over => return Err(Fault::new(ReplyCause::Unclassified)),
        };
        let stream = response.stream_id();
        let met = match poll_fn(|cx| response.poll_informational(cx)).await {
            Some(Ok(head)) => Ok((head.into_parts().0, None)),
            Some(Err(error)) => Err(error),
            None => Pin::new(response).await.map(|response| {
                let (parts, body) = response.into_parts();
                (parts, Some(body))
            }),
        };
        let (parts, body) = match met {
            Ok(met) => met,
            Err(error) => return Err(self.testify(failed(self.lease.fault(&error, Some(stream))))),
        };
        if let Some(body) = body {
            self.state = State::Body(body);
        }
        self.received += size(&parts.headers);
        examine(&parts, kind).map_err(|fault| self.testify(fault))
    }

    pub(super) async fn piece(&mut self) -> Result<Option<Bytes>, Fault> {
        let State::Body(body) = &mut self.state else { return Ok(None) };
        let stream = body.stream_id();
        let error = loop {
            match poll_fn(|cx| body.poll_data(cx)).await {
                Some(Ok(data)) => {
                    release(body, &data);
                    self.received += data.len() as u64;
                    if !data.is_empty() {
                        return Ok(Some(data));
                    }
                }
                Some(Err(error)) => break error,
                None => match poll_fn(|cx| body.poll_trailers(cx)).await {
                    Ok(_trailers) => {
                        self.state = State::Over;
                        return Ok(None);
                    }
                    Err(error) => break error,
                },
            }
        };
        self.state = State::Over;
        // All that came before the error has been handed up.
        if !error.is_reset() && self.lease.is_ended(stream) {
            return Ok(None);
        }
        let StreamFault { how, evidence, .. } = self.lease.fault(&error, Some(stream));
        Err(self.testify(Fault { cause: how.in_body(), evidence }))
    }

    pub(super) fn tcp_state(&self) -> Option<TcpState> {
        self.lease.tcp_state()
    }

    pub(super) fn testify(&self, mut fault: Fault) -> Fault {
        let sent = if self.lease.has_sent() { self.sent } else { 0 };
        self.lease.testify((sent, self.received), &mut fault.evidence);
        fault
    }
}

/// About the bytes of a head before compression.
fn size(fields: &HeaderMap) -> u64 {
    fields.iter().map(|(name, value)| (name.as_str().len() + value.len() + 4) as u64).sum()
}

/// Writes a head as HTTP/1.1 would have brought it, and has the codec examine it: with its limits, and its refusals.
fn examine(parts: &http::response::Parts, kind: RequestKind) -> Result<Head, Fault> {
    let mut text = BytesMut::new();
    // The library takes statuses up to 999, and the codec refuses those there are not.
    text.extend_from_slice(format!("HTTP/1.1 {} \r\n", parts.status.as_str()).as_bytes());
    for (name, value) in &parts.headers {
        for piece in [name.as_str().as_bytes(), b": ", value.as_bytes(), b"\r\n"] {
            text.extend_from_slice(piece);
        }
    }
    encode::end(&mut text);
    match ResponseParser::new(Limits::default()).parse(&mut text, kind) {
        Ok(Parsed::Complete(head)) => Ok(Head::of(&head)),
        Ok(Parsed::Partial) => Err(Fault::new(WaitCause::HalfHead)),
        Err(refusal) => Err(response_fault(&refusal)),
    }
}

/// What a stream that failed before the head of its response is. The request has no body: it is sent as soon as it is begun.
fn failed(failed: StreamFault) -> Fault {
    Fault { cause: failed.how.before_head(true), evidence: failed.evidence }
}
