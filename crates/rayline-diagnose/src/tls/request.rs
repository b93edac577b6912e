//! One request to an origin, as an edge would send it, up to the head of the answer.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use bytes::BytesMut;
use rayline_dial::http1::response_fault;
use rayline_dial::{Break, Connection, Dialer, Target, Timeouts, session_fault};
use rayline_http1::{Limits, Parsed, RequestKind, ResponseHead, ResponseParser};
use rayline_verdict::attribute::{attribute, outcome_of};
use rayline_verdict::fault::{Cause, OriginTlsCause, ReplyCause, WaitCause};
use rayline_verdict::{Attempt, Fact, Fault, Outcome, Phase, Snippet, Verdict};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::time::timeout;

use super::Scheme;

/// Interim responses after which the final one is no longer waited for.
const MOST_INTERIM: u32 = 32;

/// What came of a request.
#[derive(Clone, Debug)]
pub(super) enum Leg {
    /// An answer, whatever its status.
    Answered { address: SocketAddr, status: u16, location: Option<String> },
    /// The connection came about, and the answer not in time: applications may take longer than a probe waits.
    Silent { address: SocketAddr },
    /// What the edge would say.
    Failed(Box<Verdict>),
}

impl Leg {
    /// The address that took the connection, if one did.
    pub(super) fn reached(&self) -> Option<SocketAddr> {
        match self {
            Self::Answered { address, .. } | Self::Silent { address } => Some(*address),
            Self::Failed(verdict) => {
                let got_further = |attempt: &&Attempt| match attempt.outcome {
                    Outcome::Failed { code, .. } => code.entry().phase != Phase::Connect,
                    Outcome::Answered(_) => true,
                    Outcome::Abandoned => false,
                };
                verdict.attempts.iter().find(got_further).map(|attempt| attempt.address)
            }
        }
    }
}

/// Asks for `/` over a new connection, as for a visitor who came by `scheme`.
pub(super) async fn ask(dialer: &Dialer, target: &Target<'_>, host: &str, scheme: Scheme, limit: Duration) -> Leg {
    let timeouts = Timeouts { connect: limit, tls: limit, keepalive: Duration::from_secs(30) };
    let mut attempts = Vec::new();
    let mut connection = match dialer.dial(target, &timeouts, &mut attempts).await {
        Ok(connection) => connection,
        Err(fault) => return Leg::Failed(Box::new(attribute(fault, attempts))),
    };
    let (address, began) = (connection.address(), Instant::now());
    match timeout(limit, exchange(&mut connection, host, scheme)).await {
        Ok(Ok(head)) => {
            let location = head.fields.get("location").map(|value| String::from_utf8_lossy(value).into_owned());
            Leg::Answered { address, status: head.status, location }
        }
        Ok(Err(fault)) => {
            let took_ms = u64::try_from(began.elapsed().as_millis()).unwrap_or(u64::MAX);
            attempts.push(Attempt { address, reused: false, outcome: outcome_of(&fault), took_ms });
            let fault = fault.with(Fact::SslMode(target.ssl_mode));
            Leg::Failed(Box::new(attribute(fault, attempts)))
        }
        Err(_late) => Leg::Silent { address },
    }
}

async fn exchange(connection: &mut Connection, host: &str, scheme: Scheme) -> Result<ResponseHead, Fault> {
    let proto = scheme.name();
    let request = format!(
        "GET / HTTP/1.1\r\nHost: {host}\r\nUser-Agent: Rayline-Diagnose/{}\r\nAccept: */*\r\nX-Forwarded-Proto: {proto}\r\n\
         CF-Visitor: {{\"scheme\":\"{proto}\"}}\r\nConnection: close\r\n\r\n",
        env!("CARGO_PKG_VERSION")
    );
    // A server may answer and close before it has read the request: the reader's error tells more than the writer's.
    let sent = async {
        connection.write_all(request.as_bytes()).await?;
        connection.flush().await
    };
    let _unsent: std::io::Result<()> = sent.await;
    let (mut parser, mut input) = (ResponseParser::new(Limits::default()), BytesMut::with_capacity(8 * 1024));
    let mut interim = 0;
    loop {
        match parser.parse(&mut input, RequestKind::Other) {
            Ok(Parsed::Complete(head)) if !head.is_informational() => return Ok(head),
            Ok(Parsed::Complete(head)) if head.status == 101 => {
                return Err(told(connection, Fault::new(WaitCause::UnexpectedUpgrade), &input));
            }
            Ok(Parsed::Complete(_)) if interim < MOST_INTERIM => {
                interim += 1;
                continue;
            }
            Ok(Parsed::Complete(_)) => {
                let flood = Fault::new(WaitCause::InformationalFlood).with(Fact::Informational(interim + 1));
                return Err(told(connection, flood, &input));
            }
            Ok(Parsed::Partial) => {}
            Err(refusal) => return Err(told(connection, response_fault(&refusal), &input)),
        }
        match connection.read_buf(&mut input).await {
            Ok(0) => return Err(told(connection, response_fault(&parser.eof(&input)), &input)),
            Ok(_) => {}
            Err(error) => {
                let broken = session_fault(connection, &error);
                let cause = cause(broken.how, !input.is_empty());
                return Err(told(connection, Fault { cause, evidence: broken.evidence }, &input));
            }
        }
    }
}

/// What it means that the connection broke before the head was whole.
fn cause(how: Break, begun: bool) -> Cause {
    match how {
        Break::ClientCertificateRefused => OriginTlsCause::ClientCertificateRefused.into(),
        Break::Silent => WaitCause::Lost.into(),
        Break::Other => ReplyCause::Unclassified.into(),
        Break::Closed | Break::Reset | Break::TlsBroken if begun => WaitCause::HalfHead.into(),
        Break::TlsBroken => WaitCause::TlsBroken.into(),
        Break::Closed => WaitCause::ClosedEmpty.into(),
        Break::Reset => WaitCause::Reset.into(),
    }
}

/// The fault with what the connection knows, and what came.
fn told(connection: &Connection, mut fault: Fault, input: &BytesMut) -> Fault {
    connection.testify(&mut fault.evidence);
    if input.is_empty() { fault } else { fault.with(Fact::FirstBytes(Snippet::first(input))) }
}
