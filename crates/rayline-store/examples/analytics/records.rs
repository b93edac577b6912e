//! Records as an edge makes them, of generated requests: the lines that they get are the request log's own.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use bytes::Bytes;
use rayline_store::generate::{Requests, Shape};
use rayline_store::{Chunk, Dimension, Number};
use rayline_verdict::fault::{ConnectCause, WaitCause};
use rayline_verdict::record::{CacheStatus, OriginFacts};
use rayline_verdict::{Colo, Country, Evidence, Fact, Fault, Moment, RayId, Record, Verdict, attribute};

const SECOND: i64 = 1_000_000_000;

/// Different records, over and over, so many a second. They begin where the store's other measurements do.
pub(crate) struct Records {
    records: Vec<Record>,
    per_second: i64,
    made: i64,
    from: i64,
}

impl Records {
    pub(crate) fn new(from: Moment, failed: bool, per_second: i64) -> Self {
        const DIFFERENT: usize = 20_000;
        let to = Moment(from.0 + 3_600 * SECOND);
        let share = if failed { 1.0 } else { 0.0 };
        let shape = Shape { seed: 3, from, to, rows: DIFFERENT, weight: 1, failed: share };
        let chunk = Requests::new(shape).take(DIFFERENT);
        let wanted = |row: &usize| text(&chunk, Dimension::Code, *row).is_empty() != failed;
        let records = (0..DIFFERENT).filter(wanted).map(|row| record(&chunk, row)).collect();
        Self { records, per_second, made: 0, from: from.0 }
    }

    /// The next ones, with a time and a Ray ID of their own.
    pub(crate) fn take(&mut self, how_many: usize) -> Vec<Record> {
        (0..how_many).filter_map(|_| self.next()).collect()
    }

    fn next(&mut self) -> Option<Record> {
        let place = usize::try_from(self.made).ok()? % self.records.len().max(1);
        let record = self.records.get(place)?.clone();
        let start = self.from + self.made * SECOND / self.per_second;
        let took = record.end.0 - record.start.0;
        let milliseconds = (start / 1_000_000).cast_unsigned();
        let ray = RayId((milliseconds << 22) | (1 << 16) | (self.made.cast_unsigned() & 0xffff));
        self.made += 1;
        Some(Record { ray, start: Moment(start), end: Moment(start + took), ..record })
    }
}

fn record(chunk: &Chunk, row: usize) -> Record {
    let own = |dimension| Bytes::from(text(chunk, dimension, row).to_owned());
    let number = |number: Number| {
        let numbers = chunk.numbers.get(number.index()).and_then(Option::as_ref);
        numbers.and_then(|numbers| numbers.get(row)).copied().unwrap_or_default()
    };
    let status = |dimension| text(chunk, dimension, row).parse().unwrap_or_default();
    let start = Moment(chunk.at.get(row).copied().unwrap_or_default());
    let client_ip = text(chunk, Dimension::Client, row).parse().unwrap_or(IpAddr::V4(Ipv4Addr::LOCALHOST));
    let failed = !text(chunk, Dimension::Code, row).is_empty();
    let (verdict, edge_status) = if failed { verdict(row) } else { (None, status(Dimension::EdgeStatus)) };
    Record {
        ray: chunk.rays.get(row).copied().unwrap_or(RayId(0)),
        colo: Colo::default(),
        start,
        end: Moment(start.0.saturating_add_unsigned(number(Number::Duration) * 1_000)),
        plan_version: 7,
        zone: text(chunk, Dimension::Zone, row).into(),
        client: SocketAddr::from((client_ip, 50_000)),
        client_ip,
        country: text(chunk, Dimension::Country, row).as_bytes().try_into().ok().and_then(Country::new),
        host: own(Dimension::Host),
        method: own(Dimension::Method),
        uri: own(Dimension::Path),
        user_agent: own(Dimension::UserAgent),
        protocol: "HTTP/2",
        scheme: "https",
        client_ssl_protocol: "TLSv1.3",
        edge_status,
        edge_bytes: number(Number::ResponseBytes),
        edge_body_bytes: number(Number::ResponseBytes).saturating_sub(300),
        client_body_bytes: number(Number::RequestBytes),
        first_byte_us: number(Number::FirstByte),
        grpc_status: None,
        trace: None,
        rules: None,
        cache: CacheStatus::Dynamic,
        origin: Some(OriginFacts {
            address: text(chunk, Dimension::Origin, row).parse().ok(),
            status: if failed { 0 } else { status(Dimension::OriginStatus) },
            reused: number(Number::Tcp) == 0,
            protocol: "HTTP/1.1",
            ssl_protocol: "none",
            dns_us: number(Number::Dns),
            tcp_us: number(Number::Tcp),
            tls_us: 0,
            send_us: number(Number::Send),
            header_us: number(Number::Wait),
            response_us: number(Number::OriginTotal),
        }),
        verdict,
    }
}

/// Three failures in turn, each with the evidence that the edge gathers of it, and the status that the visitor gets.
fn verdict(row: usize) -> (Option<Box<Verdict>>, u16) {
    let mut evidence = Evidence::default();
    let (cause, status) = match row % 3 {
        0 => {
            evidence.add(Fact::Errno { number: 111, name: "ECONNREFUSED" });
            (ConnectCause::Refused.into(), 521)
        }
        1 => {
            evidence.add(Fact::Timer { setting: "origin_read_timeout", limit_ms: 100_000 });
            evidence.add(Fact::BytesSent(412 + row as u64 % 300));
            (WaitCause::TimedOut.into(), 524)
        }
        _ => {
            evidence.add(Fact::BytesReceived(0));
            evidence.add(Fact::Connection { age_ms: 61_000 + row as u64, idle_ms: 5_012, served: 17 });
            (WaitCause::ClosedEmpty.into(), 520)
        }
    };
    let verdict = attribute(Fault { cause, evidence: Box::new(evidence) }, Vec::new());
    (Some(Box::new(verdict)), status)
}

fn text(chunk: &Chunk, dimension: Dimension, row: usize) -> &str {
    let column = chunk.columns.get(dimension.index()).and_then(Option::as_ref);
    let value = column.and_then(|column| column.values.get(*column.codes.get(row)? as usize));
    value.map_or("", |value| value)
}
