//! A client that says what happened: one request, over HTTP/1.1 or HTTP/2, with every phase timed.
//!
//! It follows nothing, keeps nothing and repeats nothing. What it meets is a fault of the vocabulary, worded as for an
//! origin; whether it was one is for its callers to know.

use std::net::SocketAddr;
use std::time::{Duration, Instant, SystemTime};

use rayline_dial::{
    Connection, Dialer, Key, Pool, PoolLimits, Protocols, Target, Timeouts, Tls, TrustError, TrustSettings,
};
use rayline_verdict::evidence::End;
use rayline_verdict::{Attempt, Fact, Outcome, Phase, Verdict, attribute};
use url::Url;

use crate::trust::Trust;

mod converse;
mod http1;
mod http2;
mod link;
mod request;

pub(crate) use self::converse::Measure;
pub(crate) use self::request::Request;

/// The silence after which the kernel asks whether the other end is still there.
const KEEPALIVE: Duration = Duration::from_secs(30);

/// A request.
#[derive(Clone, Debug)]
pub struct Ask {
    /// What for. Its host and port stand in `Host` and in the TLS handshake, wherever the request goes.
    pub url: Url,
    /// The method.
    pub method: String,
    /// Fields beside `Host`, `User-Agent`, `Accept` and the framing.
    pub fields: Vec<(String, String)>,
    /// The versions of HTTP that will do.
    pub protocols: Protocols,
    /// Whether the certificate must be good.
    pub tls: Tls,
    /// How long connecting, the TLS handshake and each wait may take.
    pub timeout: Duration,
    /// The most of the body that is kept, in bytes.
    pub body_bytes: usize,
}

/// What came of it.
#[derive(Clone, Debug)]
pub struct Exchange {
    /// When it began.
    pub at: SystemTime,
    /// The address that took the connection.
    pub address: Option<SocketAddr>,
    /// `HTTP/1.1` or `HTTP/2`, once it is known.
    pub protocol: Option<&'static str>,
    /// Version and cipher of TLS, if it came to that.
    pub tls: Option<(String, String)>,
    /// How long the phases took.
    pub timings: Timings,
    /// The answer, or what was in its way.
    pub outcome: Result<Answer, Obstacle>,
}

/// How long the phases of a request took; `None` where it did not come to one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Timings {
    /// TCP.
    pub connect: Option<Duration>,
    /// The TLS handshake.
    pub tls: Option<Duration>,
    /// From the request's end to the end of the final answer's head.
    pub wait: Option<Duration>,
    /// The body.
    pub receive: Option<Duration>,
    /// All of it.
    pub total: Duration,
}

/// Why there is no answer.
#[derive(Clone, Debug)]
pub enum Obstacle {
    /// A fault.
    Fault(Box<Verdict>),
    /// The connection stands, the request is sent and acknowledged, and nothing came in time. No fault yet: an edge
    /// waits longer.
    Silent {
        /// How long was waited.
        waited: Duration,
    },
}

/// An answer.
#[derive(Clone, Debug)]
pub struct Answer {
    /// Its status.
    pub status: u16,
    /// Its fields in their order, with names in lower case.
    pub fields: Vec<(String, Vec<u8>)>,
    /// As much of the body as was kept.
    pub body: Vec<u8>,
    /// Bytes of the body that came, kept or not.
    pub body_bytes: u64,
    /// How the body ended.
    pub end: BodyEnd,
}

/// How a body ended.
#[derive(Clone, Debug)]
pub enum BodyEnd {
    /// As it should.
    Whole,
    /// It did not: it was cut, broken or stalled.
    Broken(Box<Verdict>),
    /// It was not read to its end: it is longer than 4 MB, takes longer than a wait may, is a stream of events, or nobody
    /// wanted it.
    Left,
}

impl Answer {
    /// The value of the first field of this name (in lower case), as text.
    pub fn field(&self, name: &str) -> Option<std::borrow::Cow<'_, str>> {
        let found = self.fields.iter().find(|(field, _)| field == name);
        found.map(|(_, value)| String::from_utf8_lossy(value))
    }

    /// Whether it is a stream of events: silent for as long as nothing happens, and without an end (HTML, "Server-sent
    /// events").
    pub(crate) fn is_stream(&self) -> bool {
        self.field("content-type").is_some_and(|kind| kind.to_ascii_lowercase().starts_with("text/event-stream"))
    }
}

/// A dialler that judges certificates as a visitor's browser on this machine would: by the public CAs, those that a person
/// named, and the machine's own.
///
/// # Errors
/// CAs that cannot be used.
pub fn dialer(trust: &Trust) -> Result<Dialer, TrustError> {
    let extra_roots = trust.named.iter().chain(&trust.system).cloned().collect();
    Dialer::new(TrustSettings { extra_roots, ..TrustSettings::default() })
}

/// Asks, over a new connection to the first of these addresses that takes it.
pub async fn fetch(ask: &Ask, addresses: &[SocketAddr], dialer: &Dialer) -> Exchange {
    // A dialler's state is large, and callers hold several of these at once.
    Box::pin(carry(&Request::of(ask), &target(ask, addresses), Measure::of(ask), dialer)).await
}

/// Whether HTTP/1.1 is not spoken there: the TLS handshake ended with `no_application_protocol` (RFC 7301 §3.2).
pub(crate) fn wants_http2(ask: &Ask, exchange: &Exchange) -> bool {
    let Err(Obstacle::Fault(verdict)) = &exchange.outcome else { return false };
    let is_it = |fact: &Fact| matches!(fact, Fact::TlsAlert { number: 120, sent_by: End::Theirs, .. });
    ask.protocols == Protocols::Http1 && verdict.evidence.facts().iter().any(is_it)
}

/// Asks twice over one connection of HTTP/1.1, with a rest between. The second is `None` if the connection was not there
/// any more: that an edge sees, and takes another.
pub async fn fetch_again(
    ask: &Ask,
    addresses: &[SocketAddr],
    dialer: &Dialer,
    rest: Duration,
) -> (Exchange, Option<Exchange>) {
    let (request, measure) = (Request::of(ask), Measure::of(ask));
    let target = Target { protocols: Protocols::Http1, ..target(ask, addresses) };
    let (first, connection) = Box::pin(carry_first(&request, &target, measure, dialer)).await;
    let Some(connection) = connection else { return (first, None) };
    let key = Key {
        address: connection.address(),
        tls: target.tls,
        server_name: target.server_name.into(),
        identity: None,
        generation: connection.generation(),
    };
    let mut pool = Pool::new(PoolLimits::default(), connection.generation());
    pool.put(&key, connection, Instant::now());
    tokio::time::sleep(rest).await;
    let Some(connection) = pool.take(&key, Instant::now()) else { return (first, None) };
    let began = (SystemTime::now(), Instant::now());
    let (second, _) = Box::pin(talk(connection, Vec::new(), &request, measure, began)).await;
    (first, Some(second))
}

pub(crate) fn target<'a>(ask: &'a Ask, addresses: &'a [SocketAddr]) -> Target<'a> {
    let host = ask.url.host_str().unwrap_or_default();
    let ssl_mode = match ask.tls {
        Tls::Off => "off",
        Tls::Full => "full",
        Tls::Strict => "strict",
    };
    Target { addresses, tls: ask.tls, protocols: ask.protocols, server_name: bare(host), ssl_mode, identity: None }
}

/// A URL's host without the brackets of an address.
pub(crate) fn bare(host: &str) -> &str {
    host.strip_prefix('[').and_then(|inner| inner.strip_suffix(']')).unwrap_or(host)
}

/// Carries a request to a target.
pub(crate) async fn carry(request: &Request, target: &Target<'_>, measure: Measure, dialer: &Dialer) -> Exchange {
    carry_first(request, target, measure, dialer).await.0
}

/// The same; the connection too, if it can take another request.
pub(crate) async fn carry_first(
    request: &Request,
    target: &Target<'_>,
    measure: Measure,
    dialer: &Dialer,
) -> (Exchange, Option<Connection>) {
    let began = (SystemTime::now(), Instant::now());
    let limit = measure.timeout;
    let timeouts = Timeouts { connect: limit, tls: limit, keepalive: KEEPALIVE };
    let mut attempts = Vec::new();
    match dialer.dial(target, &timeouts, &mut attempts).await {
        Ok(connection) => talk(connection, attempts, request, measure, began).await,
        Err(fault) => {
            let exchange = Exchange {
                at: began.0,
                address: taken_by(&attempts),
                protocol: None,
                tls: None,
                timings: Timings { total: began.1.elapsed(), ..Timings::default() },
                outcome: Err(Obstacle::Fault(Box::new(attribute(fault, attempts)))),
            };
            (exchange, None)
        }
    }
}

/// The address that took the connection, of those that were tried in vain.
pub(crate) fn taken_by(attempts: &[Attempt]) -> Option<SocketAddr> {
    let got_further = |attempt: &&Attempt| match attempt.outcome {
        Outcome::Failed { code, .. } => code.entry().phase != Phase::Connect,
        Outcome::Answered(_) => true,
        Outcome::Abandoned => false,
    };
    attempts.iter().find(got_further).map(|attempt| attempt.address)
}

/// Sends the request on a connection and reads the answer.
pub(crate) async fn talk(
    connection: Connection,
    attempts: Vec<Attempt>,
    request: &Request,
    measure: Measure,
    began: (SystemTime, Instant),
) -> (Exchange, Option<Connection>) {
    let (address, fresh, dialled) = (connection.address(), !connection.is_reused(), connection.timings());
    let tls = connection.tls().map(|(version, cipher)| (version.to_owned(), cipher.to_owned()));
    let protocol = if connection.is_http2() { "HTTP/2" } else { "HTTP/1.1" };
    let took = |micros: u32| Duration::from_micros(micros.into());
    let mut timings = Timings {
        connect: fresh.then(|| took(dialled.tcp_us)),
        tls: (fresh && tls.is_some()).then(|| took(dialled.tls_us)),
        ..Timings::default()
    };
    let (outcome, connection) = converse::converse(connection, attempts, request, measure, &mut timings).await;
    timings.total = began.1.elapsed();
    (Exchange { at: began.0, address: Some(address), protocol: Some(protocol), tls, timings, outcome }, connection)
}
