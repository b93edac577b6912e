//! One edge and one origin with a network between, and requests to hosts that are each broken in a way of their own.

use std::fmt::Write as _;

use rayline_lab::net::{Network, Origin, or_skip};
use rayline_lab::program::{Curl, Rayline, Reply, Setup};
use serde_json::Value;

/// Timers short enough to wait for. A lost connection is known after three seconds.
const LIMITS: &str = "connect_timeout = \"2s\"\nack_timeout = \"2s\"\nwrite_timeout = \"2s\"\ntls_timeout = \"2s\"\n\
                      tcp_keepalive = \"1s\"";
/// What the origin may take between two reads.
const READ: &str = "proxy_read_timeout = \"5s\"";

/// A network with an origin in it; `None` where this cannot be, which has been said.
#[track_caller]
pub(super) fn network() -> Option<(Origin, Network)> {
    let made = Network::new().and_then(|network| Ok((Origin::start(&network.origin)?, network)));
    or_skip("faults in network namespaces", made).unwrap()
}

/// Host names, each with the addresses of its origin.
#[derive(Default)]
pub(super) struct Hosts {
    records: String,
    count: usize,
}

impl Hosts {
    /// A host with these addresses.
    pub(super) fn add(&mut self, addresses: &[impl AsRef<str>]) -> String {
        self.count += 1;
        for address in addresses {
            let address = address.as_ref();
            let kind = if address.contains(':') { "AAAA" } else { "A" };
            let _ = writeln!(
                self.records,
                "[[zone.dns_records]]\ntype = \"{kind}\"\nname = \"host-{}\"\ncontent = \"{address}\"",
                self.count
            );
        }
        format!("host-{}.example.com", self.count)
    }

    /// The edge that serves them, in this network.
    #[track_caller]
    pub(super) fn edge(&self, network: &Network) -> Rayline {
        let zone = format!(
            "name = \"example.com\"\n[zone.settings]\nssl = \"full\"\norigin_http_port = 80\norigin_https_port = 443\n\
             {READ}\n{}",
            self.records
        );
        let setup = Setup::new().server("threads = 1").limits(LIMITS).zone(&zone);
        setup.behind(network.edge.behind()).start().unwrap()
    }
}

/// What a request must come to.
pub(super) struct Case {
    /// What is broken, for those who read that it is not told.
    what: String,
    host: String,
    status: u16,
    code: &'static str,
    errno: Option<&'static str>,
    icmp: Option<(u8, u8, String)>,
}

impl Case {
    /// A request to this host is answered with `status`, for this code.
    pub(super) fn new(what: impl Into<String>, host: String, status: u16, code: &'static str) -> Self {
        Self { what: what.into(), host, status, code, errno: None, icmp: None }
    }

    /// With this error of a system call among the evidence.
    pub(super) fn errno(mut self, errno: &'static str) -> Self {
        self.errno = Some(errno);
        self
    }

    /// With this ICMP message among the evidence: its type, its code, and who sent it.
    pub(super) fn icmp(mut self, kind: u8, code: u8, from: impl Into<String>) -> Self {
        self.icmp = Some((kind, code, from.into()));
        self
    }

    /// Asks, and says what is not as it must be.
    fn wrong(&self, edge: &Rayline) -> Option<String> {
        let (reply, record) = match edge.curl("/").host(&self.host).recorded() {
            Ok(both) => both,
            Err(error) => return Some(format!("{}: {error}", self.what)),
        };
        let evidence = &record["VerdictEvidence"];
        let icmp = self.icmp.as_ref().map(|(kind, code, from)| {
            let message = &evidence["icmp"];
            message["type"] == *kind && message["code"] == *code && message["from"] == *from
        });
        let attempt = record["VerdictAttempts"].as_array().and_then(|attempts| attempts.last());
        let right = [
            record["VerdictCode"] == self.code,
            reply.status == self.status && record["EdgeResponseStatus"] == self.status,
            record["OriginResponseStatus"] == 0,
            self.errno.is_none_or(|errno| evidence["errno"]["name"] == errno),
            icmp.unwrap_or_else(|| evidence["icmp"].is_null()),
            !evidence["origin_address"].is_null(),
            attempt.is_some_and(|attempt| attempt["code"] == self.code),
            record["VerdictReached"] == "no",
        ];
        (right != [true; 8]).then(|| format!("{}: {right:?} {} {record:#}", self.what, reply.status))
    }
}

/// Asks for all of them at once, and fails if one is not told as it must be, after naming all that are not.
#[track_caller]
pub(super) fn all_told(edge: &Rayline, cases: &[Case]) {
    let wrong: Vec<String> = std::thread::scope(|scope| {
        let asked: Vec<_> = cases.iter().map(|case| scope.spawn(|| case.wrong(edge))).collect();
        asked.into_iter().filter_map(|asked| asked.join().unwrap()).collect()
    });
    assert!(wrong.is_empty(), "{} of {} are wrong:\n{}", wrong.len(), cases.len(), wrong.join("\n"));
}

/// The answer with its record, when this is to blame.
#[track_caller]
pub(super) fn blamed(request: Curl<'_>, status: u16, code: &str) -> (Reply, Value) {
    let (reply, record) = request.recorded().unwrap();
    assert_eq!(record["VerdictCode"], code, "{}\n{record:#}", reply.said);
    assert_eq!((reply.status, &record["EdgeResponseStatus"]), (status, &status.into()), "{record:#}");
    (reply, record)
}

/// The answer with its record, when nobody is to be blamed.
#[track_caller]
pub(super) fn fine(request: Curl<'_>) -> (Reply, Value) {
    let (reply, record) = request.recorded().unwrap();
    assert_eq!((reply.exit, reply.status), (0, 200), "{}\n{record:#}", reply.said);
    assert_eq!(record.get("VerdictCode"), None, "{record:#}");
    (reply, record)
}
