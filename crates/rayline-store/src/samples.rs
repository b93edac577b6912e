//! Records as the edge makes them, for tests.

use std::net::{Ipv4Addr, SocketAddr};
use std::num::NonZeroU32;

use bytes::Bytes;
use rayline_verdict::record::{CacheStatus, OriginFacts};
use rayline_verdict::{Cause, Colo, Evidence, Fact, Fault, Moment, RayId, Record, Snippet, attribute, fault, log_line};

use crate::intake::{Intake, Take};

/// 2026-11-21 12:00:00 UTC.
pub(crate) const NOON: i64 = 1_795_262_400_000_000_000;

/// A Ray ID as the edge makes them: milliseconds, worker, a sequence.
pub(crate) fn ray(start: Moment, sequence: u64) -> RayId {
    RayId(((start.0 / 1_000_000) as u64) << 22 | 3 << 16 | (sequence & 0xffff))
}

/// The `sequence`th request that went well, `start` nanoseconds after noon: 25 ms, of which the origin took 20.
pub(crate) fn fine(start: i64, sequence: u64) -> Record {
    let start = Moment(NOON + start);
    Record {
        ray: ray(start, sequence),
        colo: Colo::default(),
        start,
        end: Moment(start.0 + 25_000_000),
        plan_version: 7,
        zone: "shop.example".into(),
        client: SocketAddr::from((Ipv4Addr::new(192, 0, 2, 77), 50_000)),
        client_ip: Ipv4Addr::new(192, 0, 2, 77).into(),
        country: None,
        host: Bytes::from_static(b"WWW.shop.example:8080"),
        method: Bytes::from_static(b"GET"),
        uri: Bytes::from(format!("/item/{sequence}?token=s3cret")),
        user_agent: Bytes::from_static(b"Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"),
        protocol: "HTTP/1.1",
        scheme: "http",
        client_ssl_protocol: "none",
        edge_status: 200,
        edge_bytes: 1200,
        edge_body_bytes: 1000,
        client_body_bytes: 30,
        first_byte_us: 24_500,
        grpc_status: None,
        trace: None,
        cache: CacheStatus::Dynamic,
        origin: Some(OriginFacts {
            address: Some(SocketAddr::from((Ipv4Addr::LOCALHOST, 8081))),
            status: 200,
            reused: false,
            protocol: "HTTP/1.1",
            ssl_protocol: "none",
            dns_us: 0,
            tcp_us: 2_000,
            tls_us: 0,
            send_us: 100,
            header_us: 20_000,
            response_us: 22_500,
        }),
        rules: None,
        verdict: None,
    }
}

/// The same whose origin refused the connection: 521.
pub(crate) fn refused(start: i64, sequence: u64) -> Record {
    let mut evidence = Evidence::default();
    evidence.add(Fact::Errno { number: 111, name: "ECONNREFUSED" });
    evidence.add(Fact::FirstBytes(Snippet::first(b"GET /?token=s3cret HTTP/1.1\r\n192.0.2.77")));
    let cause = Cause::Connect(fault::ConnectCause::Refused);
    let verdict = attribute(Fault { cause, evidence: Box::new(evidence) }, Vec::new());
    Record { edge_status: 521, verdict: Some(Box::new(verdict)), ..fine(start, sequence) }
}

/// Counts a record and keeps its line if it is to be kept, as a lane does. Its weight then.
pub(crate) fn take_in(record: &Record, intake: &mut Intake, take: &mut Take) -> Option<NonZeroU32> {
    let weight = intake.count(record, take)?;
    let mut line = Vec::new();
    log_line::write(record, &mut line);
    take.keep(record, weight, &line);
    Some(weight)
}
