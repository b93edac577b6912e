//! Lines of the request log, as the edge writes them.

use std::net::{Ipv4Addr, SocketAddr};

use bytes::Bytes;
use rayline_verdict::record::{CacheStatus, OriginFacts};
use rayline_verdict::{
    Attempt, Cause, Code, Colo, Evidence, Fact, Fault, Moment, Outcome, RayId, Reached, Record, attribute, fault,
    log_line,
};

/// 2026-11-21 12:00:00 UTC.
pub(crate) const NOON: i64 = 1_795_262_400_000_000_000;

/// A request that went well: 30 ms, of which the origin took 22 until its answer began.
pub(crate) fn fine(number: u64) -> Record {
    Record {
        ray: RayId(number),
        colo: Colo::default(),
        start: Moment(NOON),
        end: Moment(NOON + 30_000_000),
        plan_version: 7,
        zone: "shop.example".into(),
        client: SocketAddr::from((Ipv4Addr::LOCALHOST, 50_000)),
        client_ip: Ipv4Addr::LOCALHOST.into(),
        country: None,
        host: Bytes::from_static(b"www.shop.example:8443"),
        method: Bytes::from_static(b"GET"),
        uri: Bytes::from(format!("/{number}?token=s3cret")),
        user_agent: Bytes::from_static(b"a \"quoted\" agent"),
        protocol: "HTTP/1.1",
        scheme: "https",
        client_ssl_protocol: "TLSv1.3",
        edge_status: 200,
        edge_bytes: 1200,
        edge_body_bytes: 1000,
        client_body_bytes: 0,
        first_byte_us: 25_000,
        grpc_status: None,
        trace: None,
        cache: CacheStatus::Dynamic,
        origin: Some(OriginFacts {
            address: Some(SocketAddr::from(([192, 0, 2, 10], 8081))),
            status: 200,
            reused: false,
            protocol: "HTTP/1.1",
            ssl_protocol: "none",
            dns_us: 3_000,
            tcp_us: 2_000,
            tls_us: 0,
            send_us: 100,
            header_us: 15_000,
            response_us: 22_000,
        }),
        rules: None,
        verdict: None,
    }
}

/// A request whose origin refused the connection, at two addresses: 521.
pub(crate) fn refused(number: u64) -> Record {
    let mut evidence = Evidence::default();
    evidence.add(Fact::Errno { number: 111, name: "ECONNREFUSED" });
    let cause = Cause::Connect(fault::ConnectCause::Refused);
    let failed = Outcome::Failed { code: Code::OriginConnectRefused, reached: Reached::No };
    let attempt = |last, took_ms| Attempt {
        address: SocketAddr::from(([192, 0, 2, last], 8081)),
        reused: false,
        outcome: failed,
        took_ms,
    };
    let verdict = attribute(Fault { cause, evidence: Box::new(evidence) }, vec![attempt(10, 4), attempt(11, 2)]);
    let origin = OriginFacts {
        address: Some(SocketAddr::from(([192, 0, 2, 11], 8081))),
        dns_us: 3_000,
        tcp_us: 2_000,
        response_us: 9_000,
        ..OriginFacts::default()
    };
    Record {
        edge_status: 521,
        first_byte_us: 12_000,
        origin: Some(origin),
        verdict: Some(Box::new(verdict)),
        ..fine(number)
    }
}

pub(crate) fn line(record: &Record) -> Vec<u8> {
    let mut out = Vec::new();
    log_line::write(record, &mut out);
    out
}

pub(crate) fn lines(records: impl IntoIterator<Item = Record>) -> Vec<u8> {
    records.into_iter().flat_map(|record| line(&record)).collect()
}

/// The numbers of the requests in a body of lines, in their order.
pub(crate) fn numbers(body: &[u8]) -> Vec<u64> {
    let lines = std::str::from_utf8(body).unwrap().lines();
    let values = lines.map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap());
    values.map(|line| u64::from_str_radix(line["RayID"].as_str().unwrap(), 16).unwrap()).collect()
}
