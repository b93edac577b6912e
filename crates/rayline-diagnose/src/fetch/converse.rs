//! The phases of one request on a connection: sending, waiting, receiving; each with its limit.

use std::time::{Duration, Instant};

use rayline_dial::Connection;
use rayline_http1::RequestKind;
use rayline_verdict::attribute::outcome_of;
use rayline_verdict::fault::{ReceiveCause, SendCause, WaitCause};
use rayline_verdict::{Attempt, Fact, Fault, Verdict, attribute};
use tokio::task::LocalSet;
use tokio::time::timeout;

use super::link::{Head, Link};
use super::{Answer, Ask, BodyEnd, Obstacle, Request, Timings, http1, http2};

/// Interim responses after which the final one is no longer waited for.
const MOST_INTERIM: u32 = 32;
/// Bytes of a body that are read at most.
const MOST_BODY: u64 = 4 << 20;
/// How long a stream of events is listened to: it has no end.
const STREAM: Duration = Duration::from_secs(1);

/// How long a request may take, and how much of the answer is wanted.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Measure {
    /// For connecting, for the TLS handshake and for each wait.
    pub(crate) timeout: Duration,
    /// The bytes of the body to keep; `None`: it is not read.
    pub(crate) body_bytes: Option<usize>,
}

impl Measure {
    pub(super) fn of(ask: &Ask) -> Self {
        Self { timeout: ask.timeout, body_bytes: Some(ask.body_bytes) }
    }
}

/// Sends `request` and reads the answer. Gives the connection too, if it can take another request.
pub(super) async fn converse(
    connection: Connection,
    attempts: Vec<Attempt>,
    request: &Request,
    measure: Measure,
    timings: &mut Timings,
) -> (Result<Answer, Obstacle>, Option<Connection>) {
    let attempt = (connection.address(), connection.is_reused());
    let mut talk = Talk { attempt, attempts, began: Instant::now(), measure, timings };
    if !connection.is_http2() {
        let mut link = Link::Http1(Box::new(http1::Link::new(connection)));
        let outcome = talk.run(&mut link, request).await;
        let rested = match (&outcome, link) {
            (Ok(_), Link::Http1(link)) => link.into_rested(),
            (Ok(_) | Err(_), Link::Http1(_) | Link::Http2(_)) => None,
        };
        return (outcome, rested);
    }
    let spoken = async {
        match http2::Link::begin(connection).await {
            Ok(link) => talk.run(&mut Link::Http2(Box::new(link)), request).await,
            Err(fault) => Err(Obstacle::Fault(talk.judge(fault))),
        }
    };
    // The connection is driven by a task of its own, which ends with this one.
    (LocalSet::new().run_until(spoken).await, None)
}

/// A request under way.
struct Talk<'a> {
    attempt: (std::net::SocketAddr, bool),
    attempts: Vec<Attempt>,
    began: Instant,
    measure: Measure,
    timings: &'a mut Timings,
}

impl Talk<'_> {
    async fn run(&mut self, link: &mut Link, request: &Request) -> Result<Answer, Obstacle> {
        let limit = self.measure.timeout;
        match timeout(limit, link.send(request)).await {
            Ok(Ok(())) => {}
            Ok(Err(fault)) => return Err(Obstacle::Fault(self.judge(fault))),
            Err(_late) => {
                let fault = link.testify(Fault::new(SendCause::TimedOut)).with(timer(limit));
                return Err(Obstacle::Fault(self.judge(fault)));
            }
        }
        let sent_at = Instant::now();
        let head = match timeout(limit, final_head(link, RequestKind::of(&request.method))).await {
            Ok(Ok(head)) => head,
            Ok(Err(fault)) => return Err(Obstacle::Fault(self.judge(fault))),
            Err(_late) => return Err(self.silence(link)),
        };
        self.timings.wait = Some(sent_at.elapsed());
        let received_at = Instant::now();
        let answer = self.receive(link, head).await;
        self.timings.receive = self.measure.body_bytes.map(|_| received_at.elapsed());
        Ok(answer)
    }

    /// Nothing came in time: what is not acknowledged, nobody thinks about.
    fn silence(&mut self, link: &Link) -> Obstacle {
        let waited = self.measure.timeout;
        if !link.tcp_state().is_unacknowledged() {
            return Obstacle::Silent { waited };
        }
        let fault = link.testify(Fault::new(SendCause::Unacknowledged)).with(timer(waited));
        Obstacle::Fault(self.judge(fault))
    }

    async fn receive(&mut self, link: &mut Link, head: Head) -> Answer {
        let Head { status, fields, length } = head;
        let mut answer = Answer { status, fields, body: Vec::new(), body_bytes: 0, end: BodyEnd::Left };
        let Some(keep) = self.measure.body_bytes else { return answer };
        let (began, is_stream) = (Instant::now(), answer.is_stream());
        let limit = if is_stream { self.measure.timeout.min(STREAM) } else { self.measure.timeout };
        let broken = loop {
            let patience = if is_stream { limit.saturating_sub(began.elapsed()) } else { limit };
            match timeout(patience, link.piece()).await {
                Ok(Ok(Some(data))) => {
                    let room = keep.saturating_sub(answer.body.len()).min(data.len());
                    answer.body.extend_from_slice(data.get(..room).unwrap_or_default());
                    answer.body_bytes += data.len() as u64;
                    if answer.body_bytes > MOST_BODY || began.elapsed() > limit {
                        return answer;
                    }
                }
                Ok(Ok(None)) => {
                    answer.end = BodyEnd::Whole;
                    return answer;
                }
                Ok(Err(fault)) => break fault,
                Err(_silent) if is_stream => return answer,
                Err(_late) => break link.testify(Fault::new(ReceiveCause::TimedOut)).with(timer(limit)),
            }
        };
        let body = Fact::Body { received: answer.body_bytes, expected: length };
        answer.end = BodyEnd::Broken(self.judge(broken.with(Fact::OriginStatus(status)).with(body)));
        answer
    }

    /// The verdict of a fault that ended this attempt.
    fn judge(&mut self, fault: Fault) -> Box<Verdict> {
        let (address, reused) = self.attempt;
        let took_ms = u64::try_from(self.began.elapsed().as_millis()).unwrap_or(u64::MAX);
        self.attempts.push(Attempt { address, reused, outcome: outcome_of(&fault), took_ms });
        Box::new(attribute(fault, std::mem::take(&mut self.attempts)))
    }
}

/// The head of the final response. Interim ones are passed over.
async fn final_head(link: &mut Link, kind: RequestKind) -> Result<Head, Fault> {
    for _ in 0..MOST_INTERIM {
        let head = link.head(kind).await?;
        match head.status {
            101 => {
                let switched = Fault::new(WaitCause::UnexpectedUpgrade).with(Fact::OriginStatus(101));
                return Err(link.testify(switched));
            }
            100..200 => {}
            _ => return Ok(head),
        }
    }
    let head = link.head(kind).await?;
    if head.status >= 200 {
        return Ok(head);
    }
    Err(link.testify(Fault::new(WaitCause::InformationalFlood).with(Fact::Informational(MOST_INTERIM + 1))))
}

/// The limit that ran out.
fn timer(limit: Duration) -> Fact {
    Fact::Timer { setting: "timeout", limit_ms: u64::try_from(limit.as_millis()).unwrap_or(u64::MAX) }
}
