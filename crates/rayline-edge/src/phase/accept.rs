//! Taking a visitor's connection, and opening the record of each request on it.

use std::cell::RefCell;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Instant;

use bytes::Bytes;
use rayline_http1::Version;
use rayline_verdict::evidence::Fact;
use rayline_verdict::fault::AcceptCause;
use rayline_verdict::record::CacheStatus;
use rayline_verdict::{Fault, Moment, Record};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

mod proxy_header;

use super::client_tls;
use crate::record::OpenRecord;
use crate::running::Running;
use crate::visitor::{Protocol, Stream, Visitor, VisitorIo, http1, http2};
use crate::worker::{Seat, Worker};

/// Visitors beyond `max_connections` who are told so at once, per worker: an answer and its close take seconds where the
/// visitor takes its time, and a flood must not hold a descriptor for each. Who comes on top is closed without a word.
const MOST_REFUSALS: usize = 256;

/// Whether a listener's visitors speak TLS.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Door {
    Http,
    Https,
}

/// Accepts visitors until told to close, and then as many as wait in the queue.
/// `version` is that of the plan that opened the listener.
pub(crate) async fn run(
    worker: Rc<Worker>,
    listener: TcpListener,
    door: Door,
    version: u64,
    mut closed: watch::Receiver<bool>,
) {
    // Where it is one address, visitors have connected to that; else each has to be asked for.
    let address = listener.local_addr().ok().filter(|address| !address.ip().is_unspecified());
    loop {
        let accepted = tokio::select! {
            biased;
            accepted = listener.accept() => accepted,
            _ = closed.changed() => return,
        };
        match accepted {
            Ok((tcp, peer)) => {
                if let Some(local) = address.or_else(|| tcp.local_addr().ok()) {
                    take(&worker, tcp, Visitor::new(peer, local, version), door);
                }
            }
            // A connection that died in the queue is its visitor's affair. Anything else is a shortage of ours (files,
            // memory): the connections wait in the queue until it is over.
            Err(error) if is_visitors(&error) => {}
            Err(error) => {
                eprintln!("rayline: cannot accept connections: {error}");
                tokio::time::sleep(std::time::Duration::from_millis(100)).await;
            }
        }
    }
}

fn is_visitors(error: &std::io::Error) -> bool {
    use std::io::ErrorKind::{ConnectionAborted, ConnectionReset, Interrupted};
    matches!(error.kind(), ConnectionAborted | ConnectionReset | Interrupted)
}

fn take(worker: &Rc<Worker>, tcp: TcpStream, visitor: Visitor, door: Door) {
    let admitted = worker.counts.admit(worker.running().server().max_connections);
    if !admitted && worker.refusals() >= MOST_REFUSALS {
        record_only(worker, &visitor, Instant::now(), too_many(worker));
        return;
    }
    let server = Rc::clone(worker);
    if admitted {
        worker.spawn(admitted, |seat| serve(server, tcp, visitor, door, seat));
    } else {
        worker.spawn(admitted, |seat| turn_away(server, tcp, visitor, door, seat));
    }
}

/// Tells a visitor that there are too many.
async fn turn_away(worker: Rc<Worker>, tcp: TcpStream, visitor: Visitor, door: Door, _seat: Seat) {
    let fault = too_many(&worker);
    match door {
        Door::Http => http1::refuse(&worker, &visitor, Stream::Plain(tcp), Instant::now(), fault).await,
        Door::Https => record_only(&worker, &visitor, Instant::now(), fault),
    }
}

/// Serves an admitted visitor, in whatever they speak.
#[expect(
    clippy::manual_async_fn,
    reason = "a future has room for a function's parameters twice, but for captures once"
)]
fn serve(
    worker: Rc<Worker>,
    mut tcp: TcpStream,
    mut visitor: Visitor,
    door: Door,
    seat: Seat,
) -> impl Future<Output = ()> {
    async move {
        let running = worker.running_for(&visitor, None);
        if proxy_header::is_due(running.server(), &visitor) {
            let started = Instant::now();
            match Box::pin(proxy_header::read(&mut tcp, running.server(), &mut visitor)).await {
                Ok(true) => {}
                Ok(false) => return,
                Err(fault) => return record_only(&worker, &visitor, started, fault),
            }
        }
        drop(running);
        let busy = Rc::clone(&seat.busy);
        match door {
            Door::Http => http1::serve(worker, visitor, Stream::Plain(tcp), busy).await,
            Door::Https => {
                let accepted = Box::pin(client_tls::accept(&worker, tcp, visitor)).await;
                let Some((visitor, stream)) = accepted else { return };
                match visitor.protocol {
                    Protocol::Http1 => Box::pin(http1::serve(worker, visitor, stream, busy)).await,
                    Protocol::Http2 => {
                        let io = Rc::new(RefCell::new(VisitorIo::new(stream)));
                        Box::pin(http2::serve(worker, visitor, io, busy)).await;
                    }
                }
            }
        }
    }
}

fn too_many(worker: &Worker) -> Fault {
    let limit = worker.running().server().max_connections as u64;
    Fault::new(AcceptCause::TooManyConnections).with(Fact::Limit { what: "connections", seen: limit + 1, limit })
}

/// Opens the record of a request that began at `started`; it is `now`.
pub(crate) fn open_record(
    worker: &Rc<Worker>,
    running: &Running,
    visitor: &Visitor,
    started: Instant,
    now: Instant,
) -> OpenRecord {
    let (ray, moment) = worker.ray();
    let waited = i64::try_from(now.saturating_duration_since(started).as_nanos()).unwrap_or_default();
    let start = Moment(moment.0.saturating_sub(waited));
    let record = Record {
        ray,
        colo: running.server().colo,
        start,
        end: start,
        plan_version: running.edition.version,
        zone: Arc::clone(&running.no_zone),
        client: visitor.peer,
        client_ip: visitor.ip(),
        country: None,
        host: Bytes::new(),
        method: Bytes::new(),
        uri: Bytes::new(),
        user_agent: Bytes::new(),
        protocol: visitor.protocol.name(Version::Http11),
        scheme: visitor.scheme(),
        client_ssl_protocol: visitor.tls.as_ref().map_or("none", |tls| tls.protocol),
        edge_status: 0,
        edge_bytes: 0,
        edge_body_bytes: 0,
        client_body_bytes: 0,
        first_byte_us: 0,
        grpc_status: None,
        trace: None,
        cache: CacheStatus::None,
        origin: None,
        rules: None,
        verdict: None,
    };
    OpenRecord::new(record, started, Rc::clone(worker))
}

/// Records a connection that ended before there could be an answer.
pub(crate) fn record_only(worker: &Rc<Worker>, visitor: &Visitor, started: Instant, fault: Fault) {
    let running = worker.running_for(visitor, None);
    open_record(worker, &running, visitor, started, Instant::now()).close_with(fault);
}
