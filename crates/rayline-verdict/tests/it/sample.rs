//! Verdicts, notices and facts to render.

use rayline_verdict::evidence::{CertificateFacts, DnsFacts, End, TcpState};
use rayline_verdict::surface::{Format, Notice, page_headers, render};
use rayline_verdict::{
    Attempt, Certainty, Code, Colo, Entry, Evidence, Fact, Moment, Outcome, RayId, Reached, Sent, Snippet, Verdict,
};

/// A word that stands in every text of the owner's, and a number that begins every number of the owner's.
pub(crate) const OWNERS_WORD: &str = "sesame";
pub(crate) const OWNERS_NUMBER: u32 = 731_731;
/// An address of the owner's.
pub(crate) const OWNERS_ADDRESS: &str = "198.51.100.99";

/// A verdict as the table has it, with no fact but the origin's status where the code is about it.
pub(crate) fn verdict(entry: &Entry) -> Verdict {
    let mut evidence = Evidence::default();
    let number = match entry.sent {
        Sent::Origin => {
            evidence.add(Fact::OriginStatus(502));
            502
        }
        Sent::Page(number) | Sent::Cut(number) | Sent::Nothing(number) => number,
        Sent::Outside => 0,
    };
    Verdict {
        code: entry.code,
        number,
        certainty: if entry.rivals.is_empty() { Certainty::Proven } else { Certainty::Inferred },
        rivals: entry.rivals.to_vec(),
        reached: entry.reached,
        evidence,
        attempts: Vec::new(),
    }
}

/// The same with every fact there is, and an attempt.
pub(crate) fn full_verdict(entry: &Entry) -> Verdict {
    let mut verdict = verdict(entry);
    for fact in every_fact() {
        verdict.evidence.add(fact);
    }
    verdict.attempts.push(Attempt {
        address: format!("{OWNERS_ADDRESS}:443").parse().unwrap(),
        reused: false,
        outcome: Outcome::Failed { code: Code::OriginConnectRefused, reached: Reached::No },
        took_ms: u64::from(OWNERS_NUMBER),
    });
    verdict
}

pub(crate) fn notice(verdict: &Verdict) -> Notice<'_> {
    Notice {
        verdict,
        ray: RayId(0x230b_0300_23ae_2822),
        colo: Colo::new("LHR").unwrap(),
        host: "shop.example",
        at: Moment(1_795_237_169_123_456_789),
        client_ip: "203.0.113.7".parse().unwrap(),
        country: rayline_verdict::Country::new(*b"LU"),
        brand: "Rayline",
        preview: false,
    }
}

pub(crate) fn rendered(notice: &Notice<'_>, format: Format) -> String {
    let mut out = Vec::new();
    render(notice, format, &mut out);
    String::from_utf8(out).unwrap()
}

pub(crate) fn header_list(notice: &Notice<'_>, format: Format) -> Vec<(&'static str, String)> {
    let mut list = Vec::new();
    page_headers(notice, format, |name, value| list.push((name, String::from_utf8(value.to_vec()).unwrap())));
    list
}

pub(crate) fn every_fact() -> Vec<Fact> {
    let mut facts: Vec<Fact> = Vec::new();
    while let Some(fact) = after(facts.last()) {
        facts.push(fact);
    }
    facts
}

/// One fact leads to the next. A new kind of fact does not compile until it has its place in the chain.
fn after(fact: Option<&Fact>) -> Option<Fact> {
    let word = || format!("open {OWNERS_WORD}");
    let long = u64::from(OWNERS_NUMBER);
    let seconds = i64::from(OWNERS_NUMBER) * 1000;
    let ip = || OWNERS_ADDRESS.parse().unwrap();
    let address = || format!("{OWNERS_ADDRESS}:443").parse().unwrap();
    let bytes = || Snippet::first(word().as_bytes());
    Some(match fact {
        None => Fact::OriginAddress(address()),
        Some(Fact::OriginAddress(_)) => Fact::OriginName(word()),
        Some(Fact::OriginName(_)) => Fact::Errno { number: OWNERS_NUMBER as i32, name: OWNERS_WORD },
        Some(Fact::Errno { .. }) => Fact::Icmp { kind: 3, code: 13, meaning: OWNERS_WORD, from: Some(ip()) },
        Some(Fact::Icmp { .. }) => Fact::Timer { setting: OWNERS_WORD, limit_ms: long },
        Some(Fact::Timer { .. }) => Fact::BytesSent(long),
        Some(Fact::BytesSent(_)) => Fact::BytesReceived(long),
        Some(Fact::BytesReceived(_)) => Fact::Body { received: long, expected: Some(long) },
        Some(Fact::Body { .. }) => Fact::FirstBytes(bytes()),
        Some(Fact::FirstBytes(_)) => Fact::LastBytes(bytes()),
        Some(Fact::LastBytes(_)) => {
            Fact::Violation { rule: word(), clause: OWNERS_WORD, offset: OWNERS_NUMBER as usize, bytes: bytes() }
        }
        Some(Fact::Violation { .. }) => Fact::Limit { what: "request headers", seen: 140_000, limit: 131_072 },
        Some(Fact::Limit { .. }) => Fact::Connection { age_ms: long, idle_ms: long, served: OWNERS_NUMBER },
        Some(Fact::Connection { .. }) => Fact::Tcp(TcpState {
            state: OWNERS_WORD,
            unacked_segments: OWNERS_NUMBER,
            unsent_bytes: OWNERS_NUMBER,
            retransmits: OWNERS_NUMBER,
            timeouts: OWNERS_NUMBER,
            rtt_us: OWNERS_NUMBER,
            last_received_ms: OWNERS_NUMBER,
            peer_window: OWNERS_NUMBER,
        }),
        Some(Fact::Tcp(_)) => Fact::TlsAlert { name: word(), number: 80, sent_by: End::Theirs },
        Some(Fact::TlsAlert { .. }) => Fact::TlsError(word()),
        Some(Fact::TlsError(_)) => Fact::Http2Error {
            frame: OWNERS_WORD,
            code: OWNERS_NUMBER,
            name: OWNERS_WORD,
            sent_by: End::Theirs,
            debug: Some(bytes()),
        },
        Some(Fact::Http2Error { .. }) => {
            Fact::Http2Connection { streams: OWNERS_NUMBER, served: long, most: OWNERS_NUMBER }
        }
        Some(Fact::Http2Connection { .. }) => Fact::Frames { kind: OWNERS_WORD, count: long, limit: long },
        Some(Fact::Frames { .. }) => Fact::Upgrade { asked: word(), got: word() },
        Some(Fact::Upgrade { .. }) => Fact::Protocol(OWNERS_WORD),
        Some(Fact::Protocol(_)) => Fact::SslMode(OWNERS_WORD),
        Some(Fact::SslMode(_)) => Fact::ServerName(word()),
        Some(Fact::ServerName(_)) => Fact::TlsOffered { versions: vec!["TLSv1.0".to_owned()] },
        Some(Fact::TlsOffered { .. }) => Fact::Certificate(CertificateFacts {
            subject: word(),
            issuer: word(),
            names: vec![word()],
            not_before: seconds,
            not_after: seconds,
            serial: word(),
            chain_length: 1,
        }),
        Some(Fact::Certificate(_)) => Fact::ExpectedName(word()),
        Some(Fact::ExpectedName(_)) => Fact::CheckedAt(seconds),
        Some(Fact::CheckedAt(_)) => Fact::RevokedBy(OWNERS_WORD),
        Some(Fact::RevokedBy(_)) => Fact::Dns(DnsFacts {
            name: word(),
            response_code: word(),
            aliases: vec![word()],
            addresses: vec![ip()],
            servers: vec![address()],
            took_ms: long,
        }),
        Some(Fact::Dns(_)) => Fact::ProhibitedAddress(ip()),
        Some(Fact::ProhibitedAddress(_)) => Fact::OriginStatus(502),
        Some(Fact::OriginStatus(_)) => Fact::Informational(OWNERS_NUMBER),
        Some(Fact::Informational(_)) => Fact::RequestHeader { name: "x", value: word() },
        Some(Fact::RequestHeader { .. }) => {
            Fact::Rule { id: word(), description: word(), phase: "http_request_transform" }
        }
        Some(Fact::Rule { .. }) => Fact::Made { what: word(), value: word() },
        Some(Fact::Made { .. }) => {
            Fact::Host { host: "shop.example".to_owned(), server_name: Some("other.example".to_owned()) }
        }
        Some(Fact::Host { .. }) => Fact::RetryAfter(30),
        Some(Fact::RetryAfter(_)) => Fact::Elapsed(long),
        Some(Fact::Elapsed(_)) => Fact::Internal(word()),
        Some(Fact::Internal(_)) => return None,
    })
}
