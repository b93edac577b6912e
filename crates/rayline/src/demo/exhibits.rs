//! What the demo shows: one row per origin, each broken in one way, and what the edge must make of it.

mod protocols;
mod rules;
mod visitors;

use std::time::Duration;

use rayline_testkit::{Authority, DnsAnswer, Flaw, Issued, Script, Step, Tls, Versions};
use rustls::AlertDescription;

pub(super) use rules::BROKEN_BY_A_RULE;
pub(super) use visitors::PROXY;

/// How often the slow origins send something.
const DRIP: Duration = Duration::from_millis(200);

/// One thing to see.
pub(super) struct Exhibit {
    /// The first label of its host name: `refused` in `refused.demo.localhost`.
    pub(super) name: &'static str,
    /// What the origin does, completing "the origin …"; or what the configuration or the visitor does.
    pub(super) what: String,
    /// The code that the edge must reach; `None` where all is well.
    pub(super) code: Option<&'static str>,
    pub(super) place: Place,
    /// The SSL mode of its zone.
    pub(super) ssl: &'static str,
    pub(super) visit: Visit,
}

/// Where the zone's record leads.
pub(super) enum Place {
    /// To an origin that plays this script.
    Origin(Box<Script>),
    /// To this content, an address or a name, which the demo's name server answers for so.
    Content(&'static str, Option<DnsAnswer>),
    /// To the edge itself.
    Edge,
    /// To an origin that works, under a record that is DNS-only.
    DnsOnly,
    /// To an origin that works; what is wrong is the request.
    Fine,
    /// To an origin that works; the zone has these rules, as they stand in a configuration.
    Ruled(String),
    /// To a WebSocket server that sends back what it gets.
    Echo,
}

/// How it is provoked.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Visit {
    /// By following a link.
    Link,
    /// By a command. In it `URL` stands for the address, and `HOST`, `PLAIN` and `SECURE` for the host name: alone, with the
    /// port for HTTP, and with that for HTTPS.
    Command(&'static str),
}

impl Exhibit {
    fn origin(name: &'static str, code: Option<&'static str>, script: Script) -> Self {
        let ssl = if script.scheme() == "https" { "origin_pull" } else { "flexible" };
        let what = format!("The origin {}", script.what());
        Self { name, what, code, place: Place::Origin(Box::new(script)), ssl, visit: Visit::Link }
    }

    fn fine(name: &'static str, code: impl Into<Option<&'static str>>, what: &str, command: &'static str) -> Self {
        Self {
            name,
            what: what.to_owned(),
            code: code.into(),
            place: Place::Fine,
            ssl: "flexible",
            visit: Visit::Command(command),
        }
    }

    fn dns(name: &'static str, code: &'static str, what: &str, origin: &'static str, answer: DnsAnswer) -> Self {
        Self {
            name,
            what: what.to_owned(),
            code: Some(code),
            place: Place::Content(origin, Some(answer)),
            ssl: "flexible",
            visit: Visit::Link,
        }
    }

    fn mode(mut self, ssl: &'static str) -> Self {
        self.ssl = ssl;
        self
    }

    fn called(mut self, what: &str) -> Self {
        self.what = what.to_owned();
        self
    }

    fn by(mut self, command: &'static str) -> Self {
        self.visit = Visit::Command(command);
        self
    }
}

/// All exhibits. Certificates are the authority's, for `names`.
///
/// # Errors
/// A certificate that cannot be made.
pub(super) fn all(authority: &Authority, names: &[&str]) -> std::io::Result<Vec<Exhibit>> {
    let good = authority.issue(Flaw::None, names)?;
    let mut all = working(&good, &authority.issue(Flaw::Expired, names)?);
    all.extend(connecting());
    all.extend(waiting());
    all.extend(odd_heads());
    all.extend(bodies(&good));
    all.extend(handshakes(&good, authority));
    for (flaw, code) in FLAWS {
        let issued = authority.issue(flaw, names)?;
        all.push(Exhibit::origin(flaw.name(), Some(code), Script::certificate(&issued)));
    }
    all.extend(statuses());
    all.extend(names_of_origins());
    all.extend(protocols::all(&good));
    all.extend(rules::all());
    all.extend(visitors::all());
    Ok(all)
}

fn working(good: &Issued, expired: &Issued) -> Vec<Exhibit> {
    vec![
        Exhibit::origin("ok", None, Script::ok()).called("The origin works, and shows what headers the edge sends it"),
        Exhibit::origin("ok-tls", None, Script::certificate(good))
            .called("The origin works over TLS, checked as `strict`"),
        Exhibit::origin("full-expired", None, Script::certificate(expired))
            .mode("full")
            .called("The origin's certificate has expired, and the zone's mode `full` does not look (over HTTPS)"),
        Exhibit::origin("events", None, Script::events(Duration::from_secs(1))),
        Exhibit::origin("early-hints", None, Script::interim_then_ok()).by("curl -i URL"),
        Exhibit::origin("many-headers", None, Script::many_fields()),
    ]
}

fn connecting() -> Vec<Exhibit> {
    vec![
        Exhibit::origin("refused", Some("origin.connect.refused"), Script::refuse()),
        Exhibit::origin("connect-timeout", Some("network.connect.timed_out"), Script::backlog_full())
            .called("The origin's accept queue is full, so its kernel does not answer"),
        Exhibit {
            name: "no-route",
            what: "The origin's address has no route (a multicast address: nothing is sent)".to_owned(),
            code: Some("edge.connect.no_route"),
            place: Place::Content("224.0.0.1", None),
            ssl: "flexible",
            visit: Visit::Link,
        },
        Exhibit::origin("unacknowledged", Some("network.send.unacknowledged"), Script::vanish_after_accept()),
    ]
}

fn waiting() -> Vec<Exhibit> {
    vec![
        Exhibit::origin("no-answer", Some("origin.wait.timed_out"), Script::stall_before_head()),
        Exhibit::origin("half-answer", Some("origin.wait.timed_out"), Script::stall_in_head()),
        Exhibit::origin("drip", Some("origin.wait.timed_out"), Script::drip_head(DRIP)),
        Exhibit::origin("never-reads", Some("origin.send.timed_out"), Script::never_read())
            .by("head -c 8M /dev/zero | curl -i --data-binary @- URL"),
        Exhibit::origin("reset", Some("origin.wait.reset"), Script::reset_after_request()),
        Exhibit::origin(
            "reset-in-upload",
            Some("origin.send.reset"),
            Script::new(
                "reset-in-upload",
                "resets the connection while an upload is on the way",
                [Step::ReadHead, Step::ReadBytes(64 << 10), Step::Reset],
            ),
        )
        .by("head -c 8M /dev/zero | curl -i --data-binary @- URL"),
        Exhibit::origin("empty-reply", Some("origin.wait.closed_empty"), Script::close_empty()),
        Exhibit::origin("half-header", Some("origin.wait.half_head"), Script::half_header()),
        Exhibit::origin("vanished", Some("network.wait.lost"), Script::vanish_after_request()),
        Exhibit::origin("stale", Some("origin.send.stale_connection"), Script::close_idle_under_request())
            .by("curl -s URL --next -i -d x=1 URL"),
    ]
}

fn odd_heads() -> Vec<Exhibit> {
    let illegal = Some("origin.wait.illegal_header");
    vec![
        Exhibit::origin("garbage", Some("origin.wait.not_http"), Script::garbage()),
        Exhibit::origin("http09", Some("origin.wait.http09"), Script::http09()),
        Exhibit::origin("space-in-header", illegal, Script::space_in_field_name()),
        Exhibit::origin("control-in-header", illegal, Script::control_in_field_value()),
        Exhibit::origin("folded-header", illegal, Script::obs_fold()),
        Exhibit::origin("missing-colon", illegal, Script::missing_colon()),
        Exhibit::origin("bad-status", Some("origin.wait.bad_status"), Script::status_not_a_number()),
        Exhibit::origin("http37", Some("origin.wait.unsupported_version"), Script::unsupported_version()),
        Exhibit::origin("two-lengths", Some("origin.wait.conflicting_lengths"), Script::two_lengths()),
        Exhibit::origin("negative-length", Some("origin.wait.conflicting_lengths"), Script::negative_length()),
        Exhibit::origin(
            "length-and-chunked",
            Some("origin.wait.length_with_transfer_encoding"),
            Script::length_and_chunked(),
        ),
        Exhibit::origin("unknown-coding", Some("origin.wait.unsupported_transfer_coding"), Script::unknown_coding()),
        Exhibit::origin("huge-header", Some("origin.wait.header_too_large"), Script::huge_head()),
        Exhibit::origin("interim-flood", Some("origin.wait.informational_flood"), Script::interim_flood()),
        Exhibit::origin("upgrade", Some("origin.wait.unexpected_upgrade"), Script::unasked_upgrade()),
    ]
}

fn bodies(good: &Issued) -> Vec<Exhibit> {
    vec![
        Exhibit::origin("truncated", Some("origin.receive.truncated"), Script::truncated_body(1000, 100)),
        Exhibit::origin("truncated-chunks", Some("origin.receive.truncated"), Script::truncated_chunked()),
        Exhibit::origin("reset-in-body", Some("origin.receive.reset"), Script::reset_in_body(1000, 100)),
        Exhibit::origin("bad-chunk", Some("origin.receive.bad_chunk"), Script::bad_chunk()),
        Exhibit::origin("bad-trailers", Some("origin.receive.bad_trailers"), Script::bad_trailers()),
        Exhibit::origin("stalled-body", Some("origin.receive.timed_out"), Script::stall_in_body(100)),
        Exhibit::origin("vanished-in-body", Some("network.receive.lost"), Script::vanish_in_body(100)),
        Exhibit::origin("cut-tls", Some("origin.receive.tls_broken"), Script::cut_without_close_notify(good)),
        Exhibit::origin("garbled-tls", Some("origin.wait.tls_broken"), Script::garbled_answer(good)),
    ]
}

fn handshakes(good: &Issued, authority: &Authority) -> Vec<Exhibit> {
    let alert = Script::tls_alert;
    vec![
        Exhibit::origin("plain-http", Some("origin.origin_tls.plain_http"), Script::tls_plain_http()),
        Exhibit::origin("not-tls", Some("origin.origin_tls.malformed"), Script::tls_garbage()),
        Exhibit::origin("tls-closed", Some("origin.origin_tls.closed"), Script::tls_close()),
        Exhibit::origin("tls-reset", Some("origin.origin_tls.reset"), Script::tls_reset()),
        Exhibit::origin("tls-silent", Some("origin.origin_tls.timed_out"), Script::tls_silent()),
        Exhibit::origin("tls-old", Some("origin.origin_tls.no_common_version"), Script::tls_old()),
        Exhibit::origin(
            "tls-no-cipher",
            Some("origin.origin_tls.no_common_cipher"),
            alert(AlertDescription::HandshakeFailure),
        ),
        Exhibit::origin(
            "sni-refused",
            Some("origin.origin_tls.sni_refused"),
            alert(AlertDescription::UnrecognisedName),
        ),
        Exhibit::origin("tls-alert", Some("origin.origin_tls.alert"), alert(AlertDescription::InternalError)),
        Exhibit::origin(
            "client-certificate",
            Some("origin.origin_tls.client_certificate_refused"),
            Script::ok().over_tls(Tls::new(good).require_client_certificate(authority).versions(Versions::Tls13)),
        )
        .called("The origin wants a certificate from the edge, and the zone has none to show"),
    ]
}

const FLAWS: [(Flaw, &str); 11] = [
    (Flaw::Expired, "origin.origin_tls.certificate_expired"),
    (Flaw::NotYetValid, "origin.origin_tls.certificate_not_yet_valid"),
    (Flaw::SelfSigned, "origin.origin_tls.self_signed"),
    (Flaw::UnknownIssuer, "origin.origin_tls.unknown_issuer"),
    (Flaw::MissingIntermediate, "origin.origin_tls.missing_intermediate"),
    (Flaw::WrongName, "origin.origin_tls.name_mismatch"),
    (Flaw::CommonNameOnly, "origin.origin_tls.name_only_in_common_name"),
    (Flaw::WrongUsage, "origin.origin_tls.wrong_usage"),
    (Flaw::Revoked, "origin.origin_tls.revoked"),
    (Flaw::RevokedStapled, "origin.origin_tls.revoked"),
    (Flaw::BadSignature, "origin.origin_tls.certificate_invalid"),
];

fn statuses() -> Vec<Exhibit> {
    let own = Some("origin.wait.error_status");
    [("own-500", 500), ("own-502", 502), ("own-503", 503), ("own-504", 504), ("own-522", 522)]
        .into_iter()
        .map(|(name, status)| {
            Exhibit::origin(name, own, Script::status(status))
                .called(&format!("The origin answers {status} itself: the edge says so, and blames nobody else"))
        })
        .collect()
}

fn names_of_origins() -> Vec<Exhibit> {
    let loopback = DnsAnswer::address([127, 0, 0, 1]);
    vec![
        Exhibit::dns(
            "nxdomain",
            "owner.resolve.nxdomain",
            "The record points to a name that does not exist",
            "nosuch.origin.test",
            DnsAnswer::NxDomain,
        ),
        Exhibit::dns(
            "no-address",
            "owner.resolve.no_address",
            "The record points to a name that has no address",
            "empty.origin.test",
            DnsAnswer::Empty,
        ),
        Exhibit::dns(
            "alias-loop",
            "owner.resolve.alias_loop",
            "The record points to an alias of itself",
            "loop.origin.test",
            DnsAnswer::Alias("loop.origin.test".to_owned()),
        ),
        Exhibit::dns(
            "servfail",
            "network.resolve.servfail",
            "The name server of the origin's name has failed",
            "broken.origin.test",
            DnsAnswer::ServFail,
        ),
        Exhibit::dns(
            "dns-refused",
            "network.resolve.refused",
            "The name server refuses to answer the edge",
            "refused.origin.test",
            DnsAnswer::Refused,
        ),
        Exhibit::dns(
            "dns-silent",
            "network.resolve.timed_out",
            "The name server does not answer",
            "silent.origin.test",
            DnsAnswer::Silent,
        ),
        Exhibit::dns(
            "private-address",
            "owner.resolve.prohibited_address",
            "The record points to a name with a private address, which is not allowed",
            "inside.origin.test",
            loopback,
        ),
        Exhibit {
            name: "points-to-edge",
            what: "The record points to the edge itself".to_owned(),
            code: Some("owner.resolve.points_to_edge"),
            place: Place::Edge,
            ssl: "flexible",
            visit: Visit::Link,
        },
        Exhibit {
            name: "dns-only",
            what: "The record is DNS-only, so the edge does not serve it".to_owned(),
            code: Some("owner.route.dns_only"),
            place: Place::DnsOnly,
            ssl: "flexible",
            visit: Visit::Link,
        },
    ]
}

/// What no exhibit can show, and why: the codes that are left.
pub(super) const NOT_SHOWN: [(&str, &str); 12] = [
    ("edge.accept.too_many_connections", "The connections that are too many would be those of all the others"),
    ("edge.connect.exhausted", "The edge would need to be without ports or descriptors, and nothing else would work"),
    ("edge.connect.forbidden", "It takes a firewall on this machine"),
    ("edge.reply.shutdown", "It takes the end of the demo: press Ctrl-C while `no-answer` loads"),
    ("edge.reply.unclassified", "Nothing is known that leads to it"),
    ("network.connect.no_neighbour", "It takes a machine on the local network that does not answer ARP"),
    ("network.connect.prohibited", "It takes a firewall on the way that rejects with ICMP"),
    ("network.connect.unreachable", "It takes a router on the way that says so with ICMP"),
    ("network.resolve.unreachable", "The demo has one name server, which the others need"),
    ("owner.client_tls.no_certificate", "The demo's local CA has a certificate for every name"),
    ("policy.rules.asn_banned", "It takes a table of who announces which network, which the edge's owner brings"),
    ("visitor.client_tls.reset", "No usual client resets a connection in the middle of a handshake on purpose"),
];
