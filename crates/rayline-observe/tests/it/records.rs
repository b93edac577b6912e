//! Records as the edge makes them, for tests of whatever comes after it.

use std::net::{Ipv4Addr, SocketAddr};

use bytes::Bytes;
use rayline_verdict::record::{CacheStatus, OriginFacts};
use rayline_verdict::{Cause, Colo, Evidence, Fact, Fault, Moment, RayId, Record, attribute, fault};

/// 2026-11-21 12:00:00 UTC.
const NOON: i64 = 1_795_262_400_000_000_000;

/// A request for `uri` that went well: 25 ms, of which the origin took 20.
pub(crate) fn fine(uri: &str) -> Record {
    Record {
        ray: RayId(0x230b_0300_23ae_2822),
        colo: Colo::default(),
        start: Moment(NOON),
        end: Moment(NOON + 25_000_000),
        plan_version: 7,
        zone: "shop.example".into(),
        client: SocketAddr::from((Ipv4Addr::LOCALHOST, 50_000)),
        client_ip: Ipv4Addr::LOCALHOST.into(),
        country: None,
        host: Bytes::from_static(b"www.shop.example"),
        method: Bytes::from_static(b"GET"),
        uri: Bytes::copy_from_slice(uri.as_bytes()),
        user_agent: Bytes::from_static(b"test"),
        protocol: "HTTP/1.1",
        scheme: "http",
        client_ssl_protocol: "none",
        edge_status: 200,
        edge_bytes: 1200,
        edge_body_bytes: 1000,
        client_body_bytes: 30,
        first_byte_us: 24_000,
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

/// A request for `uri` whose origin refused the connection: 521.
pub(crate) fn refused(uri: &str) -> Record {
    let mut evidence = Evidence::default();
    evidence.add(Fact::Errno { number: 111, name: "ECONNREFUSED" });
    failed(uri, 521, Cause::Connect(fault::ConnectCause::Refused), evidence)
}

/// A request for `uri` whose origin's name does not exist: 530 with 1016.
pub(crate) fn nowhere(uri: &str) -> Record {
    failed(uri, 530, Cause::Resolve(fault::ResolveCause::NxDomain), Evidence::default())
}

fn failed(uri: &str, status: u16, cause: Cause, evidence: Evidence) -> Record {
    let verdict = attribute(Fault { cause, evidence: Box::new(evidence) }, Vec::new());
    Record { edge_status: status, origin: None, verdict: Some(Box::new(verdict)), ..fine(uri) }
}
