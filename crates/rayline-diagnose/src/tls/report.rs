//! What was found, as data and as JSON.

use std::net::SocketAddr;
use std::time::{Duration, SystemTime};

use rayline_verdict::moment::rfc3339_seconds;
use rayline_verdict::{Audience, Verdict};
use serde_json::{Value, json};

use super::modes::{End, Mode, ModeReport};
use super::offer::Offer;
use super::revocation::{Revocation, Standing};
use crate::certificate::Certificate;
use crate::target::Target;

/// A certificate that ends sooner is worth a word: renewal should have happened by then.
const SOON: Duration = Duration::from_secs(14 * 24 * 60 * 60);

/// Everything that was found about an origin's TLS.
#[derive(Clone, Debug)]
pub struct Report {
    /// What was looked at.
    pub target: Target,
    /// The name asked for; `None` for an address without a name.
    pub name: Option<String>,
    /// The origin's addresses, with the port of TLS.
    pub addresses: Vec<SocketAddr>,
    /// What each mode makes of it, in the order of [`Mode::ALL`].
    pub modes: [ModeReport; 5],
    /// What it presents, leaf first; empty if it got not that far.
    pub chain: Vec<Certificate>,
    /// Whether an OCSP response is stapled to it.
    pub stapled: bool,
    /// What the revocation lists say that its certificates name; empty if they name none by HTTP.
    pub revocation: Vec<Revocation>,
    /// The verdict on a certificate that stands in one.
    pub revoked: Option<Box<Verdict>>,
    /// What it does with each version; empty if it was not reached.
    pub offers: Vec<Offer>,
    /// What it does when no name is asked for; `None` if there is no name, or the handshake fails with it too.
    pub without_name: Option<WithoutName>,
    /// What comes over TLS to those who have no client certificate; `None` if none was shown anyway.
    pub without_client: Option<End>,
    /// What it agrees on by ALPN, offered `h2` and `http/1.1`.
    pub alpn: Option<String>,
    /// What becomes of HTTP/2.
    pub http2: Http2,
    /// Its certificate is trusted by this machine's CAs alone: an edge needs the CA in `origin_ca`.
    pub system_only: bool,
}

/// A handshake without a server name.
#[derive(Clone, Debug)]
pub enum WithoutName {
    /// The same certificate.
    Same,
    /// Another one.
    Another(Option<Box<Certificate>>),
    /// It fails, with these words of the TLS library.
    Refused(String),
}

/// What becomes of HTTP/2.
#[derive(Clone, Debug)]
pub enum Http2 {
    /// ALPN does not agree on it, or it could not be tried.
    NotOffered,
    /// Agreed on, and spoken.
    Spoken,
    /// Agreed on, and not spoken.
    Broken(Box<Verdict>),
}

/// Something worth saying.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// Whether it is a fault; else it is good to know.
    pub is_fault: bool,
    /// The sentence.
    pub text: String,
}

impl Report {
    /// What a mode makes of the origin.
    pub fn mode(&self, mode: Mode) -> Option<&ModeReport> {
        self.modes.iter().find(|report| report.mode == mode)
    }

    /// The verdict on what should work and does not: `strict` for visitors by HTTPS, a certificate that is revoked, then
    /// HTTP/2 where it is agreed on.
    pub fn verdict(&self) -> Option<&Verdict> {
        let strict = self.mode(Mode::Strict).and_then(|strict| strict.https.end.verdict());
        strict.or(self.revoked.as_deref()).or(match &self.http2 {
            Http2::Broken(verdict) => Some(verdict),
            Http2::NotOffered | Http2::Spoken => None,
        })
    }

    /// Whether nothing that should work fails.
    pub fn is_fine(&self) -> bool {
        !self.findings(SystemTime::now()).iter().any(|finding| finding.is_fault)
    }

    /// What is worth saying at `now`, faults first.
    pub fn findings(&self, now: SystemTime) -> Vec<Finding> {
        let mut all = Vec::new();
        let mut say = |is_fault, text: String| all.push(Finding { is_fault, text });
        match self.mode(Mode::Strict).map(|strict| &strict.https.end) {
            Some(End::Fails(verdict)) => say(true, format!("`strict` fails: {}", verdict.sentence())),
            Some(End::RedirectLoop) => {
                say(true, "`strict` never ends: the origin sends visitors in a circle".to_owned())
            }
            Some(End::Works { .. }) | None => {}
        }
        for looked in self.revocation.iter().filter(|looked| matches!(looked.standing, Standing::Revoked { .. })) {
            say(true, format!("the certificate of `{}` is {}", looked.subject, looked.in_words()));
        }
        if let Http2::Broken(verdict) = &self.http2 {
            say(true, format!("HTTP/2 fails: {}", verdict.sentence()));
        }
        self.add_notes(now, &mut say);
        all
    }

    fn add_notes(&self, now: SystemTime, say: &mut impl FnMut(bool, String)) {
        let looping: Vec<_> =
            self.modes.iter().filter(|report| matches!(report.https.end, End::RedirectLoop)).collect();
        if looping.iter().any(|report| matches!(report.mode, Mode::Off | Mode::Flexible)) {
            let names: Vec<_> = looping.iter().map(|report| format!("`{}`", report.mode.name())).collect();
            say(false, format!("{} would loop: the origin sends plain HTTP to HTTPS", names.join(" and ")));
        }
        if self.system_only {
            say(false, "this machine trusts the CA, edges do not by themselves: name it in `origin_ca`".to_owned());
        }
        if self.name.is_none() {
            say(false, "an address has no name to check: `--host NAME` asks as visitors do".to_owned());
        }
        let at = |time: SystemTime| {
            let since = time.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
            i64::try_from(since.as_secs()).unwrap_or(i64::MAX)
        };
        if let Some(leaf) = self.chain.first()
            && (at(now)..at(now + SOON)).contains(&leaf.not_after)
        {
            say(false, format!("the certificate ends soon, at {}", rfc3339_seconds(leaf.not_after)));
        }
        for offer in self.offers.iter().filter(|offer| offer.offered == Some(true) && !offer.version.is_spoken()) {
            say(false, format!("{} is retired (RFC 8996), and still spoken", offer.version.name()));
        }
        if let Some(End::Works { .. }) = self.without_client {
            say(
                false,
                "it answers those without a client certificate too: who knows its address comes past the edge"
                    .to_owned(),
            );
        }
        match &self.without_name {
            Some(WithoutName::Another(_)) => {
                say(false, "without a server name another certificate is presented".to_owned());
            }
            Some(WithoutName::Refused(_)) => say(false, "without a server name the handshake fails".to_owned()),
            Some(WithoutName::Same) | None => {}
        }
    }

    /// As JSON. Times are RFC 3339 in UTC.
    pub fn to_json(&self, now: SystemTime) -> Value {
        let findings = self.findings(now);
        let http2 = match &self.http2 {
            Http2::NotOffered => "not_offered",
            Http2::Spoken => "spoken",
            Http2::Broken(_) => "broken",
        };
        json!({
            "target": self.target.to_string(),
            "name": self.name,
            "addresses": self.addresses.iter().map(ToString::to_string).collect::<Vec<_>>(),
            "fine": self.is_fine(),
            "verdict": self.verdict().map(|verdict| verdict.to_json(Audience::Owner)),
            "modes": self.modes.iter().map(ModeReport::to_json).collect::<Vec<_>>(),
            "chain": self.chain.iter().map(Certificate::to_json).collect::<Vec<_>>(),
            "stapled": self.stapled,
            "revocation": self.revocation.iter().map(Revocation::to_json).collect::<Vec<_>>(),
            "system_only": self.system_only,
            "versions": self.offers.iter().map(Offer::to_json).collect::<Vec<_>>(),
            "without_name": self.without_name.as_ref().map(WithoutName::to_json),
            "without_client": self.without_client.as_ref().map(End::to_json),
            "alpn": self.alpn,
            "http2": http2,
            "findings": findings.iter().map(Finding::to_json).collect::<Vec<_>>(),
        })
    }
}

impl WithoutName {
    fn to_json(&self) -> Value {
        match self {
            Self::Same => json!({ "outcome": "same", "certificate": null, "why": null }),
            Self::Another(leaf) => {
                json!({ "outcome": "another", "certificate": leaf.as_deref().map(Certificate::to_json), "why": null })
            }
            Self::Refused(why) => json!({ "outcome": "refused", "certificate": null, "why": why }),
        }
    }
}

impl Finding {
    fn to_json(&self) -> Value {
        json!({ "fault": self.is_fault, "text": self.text })
    }
}
