//! A connection in use by one request, whatever version of HTTP is spoken on it.
//!
//! What a broken connection comes to says the dialler, as to the edge; the versions' own happenings are in their files.

use bytes::Bytes;
use rayline_http1::{Framing, RequestKind, ResponseHead};
use rayline_verdict::evidence::TcpState;
use rayline_verdict::fault::RequestCause;
use rayline_verdict::{Fact, Fault};

use super::request::Request;
use super::{http1, http2};

/// A connection in use.
#[derive(Debug)]
pub(super) enum Link {
    /// HTTP/1.1, with the connection to itself.
    Http1(Box<http1::Link>),
    /// A stream on a connection of HTTP/2.
    Http2(Box<http2::Link>),
}

/// The head of a response.
#[derive(Debug)]
pub(super) struct Head {
    pub(super) status: u16,
    /// With names in lower case.
    pub(super) fields: Vec<(String, Vec<u8>)>,
    /// The length that was announced.
    pub(super) length: Option<u64>,
}

impl Head {
    pub(super) fn of(head: &ResponseHead) -> Self {
        let field =
            |(name, value): (&[u8], &[u8])| (String::from_utf8_lossy(name).to_ascii_lowercase(), value.to_vec());
        let length = match head.framing() {
            Framing::Length(length) => Some(length),
            Framing::None | Framing::Chunked | Framing::Close => None,
        };
        Self { status: head.status, fields: head.fields.iter().map(field).collect(), length }
    }
}

/// How much of a request the connection took.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Sent {
    Whole,
    /// The origin takes no more. It may have answered before: reading decides what that means.
    Partly,
}

impl Link {
    /// Sends a request.
    ///
    /// # Errors
    /// One that cannot be expressed.
    pub(super) async fn send(&mut self, request: &Request) -> Result<(), Fault> {
        match self {
            Self::Http1(link) => link.send(request).await,
            Self::Http2(link) => link.send(request),
        }
    }

    /// The next head of the response: an interim one, or the final one.
    pub(super) async fn head(&mut self, kind: RequestKind) -> Result<Head, Fault> {
        match self {
            Self::Http1(link) => link.head(kind).await,
            Self::Http2(link) => link.head(kind).await,
        }
    }

    /// The next piece of the body, after the final head; `None` at its end.
    pub(super) async fn piece(&mut self) -> Result<Option<Bytes>, Fault> {
        match self {
            Self::Http1(link) => link.piece().await,
            Self::Http2(link) => link.piece().await,
        }
    }

    /// What the kernel knows of the connection.
    pub(super) fn tcp_state(&self) -> TcpState {
        let state = match self {
            Self::Http1(link) => link.tcp_state(),
            Self::Http2(link) => link.tcp_state(),
        };
        state.unwrap_or_default()
    }

    /// The fault with what the connection knows.
    pub(super) fn testify(&self, fault: Fault) -> Fault {
        match self {
            Self::Http1(link) => link.testify(fault),
            Self::Http2(link) => link.testify(fault),
        }
    }
}

/// A request that cannot be sent as it was asked for.
pub(super) fn unspeakable(why: String) -> Fault {
    Fault::new(RequestCause::Malformed).with(Fact::Internal(why))
}
