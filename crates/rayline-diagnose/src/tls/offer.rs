//! Which TLS versions an origin speaks, and with which cipher suites.

use std::net::SocketAddr;
use std::time::Duration;

use rayline_dial::alert_name;
use serde_json::{Value, json};
use tls_parser::TlsCipherSuite;

use super::hello::{Answer, Hello};
use crate::certificate::Certificate;

/// The most suites that are asked out of an origin for one version: each costs a connection.
const MOST_SUITES: usize = 16;

/// Suites of TLS 1.3 (RFC 8446 appendix B.4).
const TLS_1_3: [u16; 5] = [0x1301, 0x1302, 0x1303, 0x1304, 0x1305];

/// Suites that came with TLS 1.2: AEAD, and CBC with SHA-2.
const TLS_1_2: [u16; 24] = [
    0xc02b, 0xc02f, 0xc02c, 0xc030, 0xcca9, 0xcca8, 0x009e, 0x009f, 0xccaa, 0xc0ac, 0xc0ad, 0x009c, 0x009d, 0xc09c,
    0xc09d, 0xc023, 0xc027, 0xc024, 0xc028, 0x0067, 0x006b, 0x003c, 0x003d, 0x00a2,
];

/// Suites that all versions before TLS 1.3 know: CBC with SHA-1, Triple DES, RC4.
const OLD: [u16; 20] = [
    0xc009, 0xc013, 0xc00a, 0xc014, 0x0033, 0x0039, 0x0032, 0x002f, 0x0035, 0x0045, 0x0088, 0x0041, 0x0084, 0xc008,
    0xc012, 0x0016, 0x000a, 0xc011, 0x0005, 0x0004,
];

/// A version of TLS.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Version {
    /// TLS 1.0 (RFC 2246), which RFC 8996 retired.
    Tls10,
    /// TLS 1.1 (RFC 4346), which RFC 8996 retired.
    Tls11,
    /// TLS 1.2 (RFC 5246).
    Tls12,
    /// TLS 1.3 (RFC 8446).
    Tls13,
}

impl Version {
    /// All of them, oldest first.
    pub const ALL: [Self; 4] = [Self::Tls10, Self::Tls11, Self::Tls12, Self::Tls13];

    /// The name in logs.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Tls10 => "TLSv1.0",
            Self::Tls11 => "TLSv1.1",
            Self::Tls12 => "TLSv1.2",
            Self::Tls13 => "TLSv1.3",
        }
    }

    /// Whether edges still offer it to origins: Rayline's library does not speak those before TLS 1.2.
    pub const fn is_spoken(self) -> bool {
        match self {
            Self::Tls10 | Self::Tls11 => false,
            Self::Tls12 | Self::Tls13 => true,
        }
    }

    const fn number(self) -> u16 {
        match self {
            Self::Tls10 => 0x0301,
            Self::Tls11 => 0x0302,
            Self::Tls12 => 0x0303,
            Self::Tls13 => 0x0304,
        }
    }

    /// The number in a ClientHello's old place, where TLS 1.3 says 1.2 (RFC 8446 section 4.1.2).
    pub(super) const fn legacy_number(self) -> u16 {
        match self {
            Self::Tls13 => 0x0303,
            Self::Tls10 | Self::Tls11 | Self::Tls12 => self.number(),
        }
    }

    fn suites(self) -> Vec<u16> {
        match self {
            Self::Tls10 | Self::Tls11 => OLD.to_vec(),
            Self::Tls12 => [&TLS_1_2[..], &OLD].concat(),
            Self::Tls13 => TLS_1_3.to_vec(),
        }
    }
}

/// What an origin does with one version.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Offer {
    /// The version.
    pub version: Version,
    /// Whether it is spoken; `None` if that could not be found out.
    pub offered: Option<bool>,
    /// Cipher suites by their IANA names, in the order in which the origin chose them.
    pub ciphers: Vec<String>,
    /// Whether these are all of those that were tried: asking stops after 16.
    pub complete: bool,
    /// Why it is not spoken, in words: an alert's name, or what happened.
    pub why: Option<String>,
}

impl Offer {
    /// As JSON.
    pub fn to_json(&self) -> Value {
        json!({
            "version": self.version.name(),
            "offered": self.offered,
            "ciphers": self.ciphers,
            "complete": self.complete,
            "why": self.why,
        })
    }
}

/// Asks one version out of an origin: a suite that it chose is left out of the next offer, until it refuses.
pub(super) async fn ask(address: SocketAddr, version: Version, server_name: Option<&str>, limit: Duration) -> Offer {
    let mut left = version.suites();
    let mut found = Offer { version, offered: None, ciphers: Vec::new(), complete: true, why: None };
    while !left.is_empty() {
        if found.ciphers.len() == MOST_SUITES {
            found.complete = false;
            break;
        }
        match (Hello { address, version, ciphers: &left, server_name }).offer(limit).await {
            Answer::Chose { version: number, cipher } if number == version.number() && left.contains(&cipher) => {
                found.offered = Some(true);
                found.ciphers.push(cipher_name(cipher));
                left.retain(|suite| *suite != cipher);
            }
            answer if found.offered == Some(true) => {
                found.complete = answer != Answer::Silent;
                break;
            }
            answer => {
                (found.offered, found.why) = refusal(&answer);
                break;
            }
        }
    }
    found
}

/// What an origin presents that speaks retired versions alone, to which the TLS library does not listen.
pub(super) async fn presented(
    address: SocketAddr,
    offers: &[Offer],
    server_name: Option<&str>,
    limit: Duration,
) -> Vec<Certificate> {
    let old = offers.iter().find(|offer| offer.offered == Some(true) && !offer.version.is_spoken());
    let Some(version) = old.map(|offer| offer.version) else { return Vec::new() };
    let chain = Hello { address, version, ciphers: &version.suites(), server_name }.certificates(limit).await;
    chain.iter().filter_map(|der| Certificate::read(der)).collect()
}

/// What it means that the first offer was not taken.
fn refusal(answer: &Answer) -> (Option<bool>, Option<String>) {
    match answer {
        Answer::Chose { .. } => (Some(false), Some("another version was chosen".to_owned())),
        Answer::Alert(number) => (Some(false), Some(format!("alert {}", alert_name(*number)))),
        Answer::Hung => (Some(false), Some("the connection was closed".to_owned())),
        Answer::NotTls => (Some(false), Some("the answer is not TLS".to_owned())),
        Answer::Silent => (None, Some("no answer".to_owned())),
    }
}

fn cipher_name(number: u16) -> String {
    TlsCipherSuite::from_id(number).map_or_else(|| format!("0x{number:04x}"), |suite| suite.name.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_suite_that_is_offered_has_a_name() {
        for version in Version::ALL {
            let suites = version.suites();
            for (place, suite) in suites.iter().enumerate() {
                assert!(cipher_name(*suite).starts_with("TLS_"), "0x{suite:04x}");
                assert!(!suites[..place].contains(suite), "0x{suite:04x} twice");
            }
        }
    }
}
