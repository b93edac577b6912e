//! Whether certificates are revoked, by the lists that they name themselves.
//!
//! A list is asked for once, by plain HTTP, and believed only if the certificate's issuer signed it (RFC 5280 section 6.3).
//! OCSP servers are not asked: they would learn who asks for which site. Lists in parts by another issuer than the
//! certificate's, changes to a list, and lists in directories (LDAP) are not read.

use std::net::{IpAddr, SocketAddr};
use std::time::{Duration, SystemTime};

use futures_util::future::join_all;
use rayline_dial::{Dialer, Protocols, Tls, prohibited};
use rayline_verdict::moment::rfc3339_seconds;
use rustls_pki_types::pem::PemObject as _;
use rustls_pki_types::{CertificateDer, CertificateRevocationListDer};
use serde_json::{Value, json};
use tokio::net::lookup_host;
use tokio::time::timeout;
use url::Url;
use x509_parser::certificate::X509Certificate;
use x509_parser::extensions::{DistributionPointName, GeneralName, IssuingDistributionPoint, ParsedExtension};
use x509_parser::parse_x509_certificate;
use x509_parser::prelude::FromDer as _;
use x509_parser::revocation_list::CertificateRevocationList;

use crate::fetch::{Ask, BodyEnd, Obstacle, bare, fetch};
use crate::visit::show::sentence;

/// How long a list may take in all.
const PATIENCE: Duration = Duration::from_secs(5);
/// The most bytes of a list.
const MOST_BYTES: usize = 4 << 20;
/// The most certificates of a chain that are looked up.
const MOST: usize = 4;

/// What became of looking a certificate up.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Revocation {
    /// The certificate's subject.
    pub subject: String,
    /// Where its list is, as it says.
    pub list: String,
    /// What the list says.
    pub standing: Standing,
}

/// What a list says of a certificate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Standing {
    /// It does not stand in it.
    Good {
        /// When the next list is due, seconds since 1970-01-01 UTC, if it says so.
        until: Option<i64>,
    },
    /// It is revoked.
    Revoked {
        /// Since when, seconds since 1970-01-01 UTC.
        since: i64,
        /// Why, if it says so, as RFC 5280 calls it.
        reason: Option<String>,
    },
    /// The list could not be had, or not be believed; why.
    Unknown(String),
}

impl Revocation {
    /// In words, without the certificate's name.
    pub fn in_words(&self) -> String {
        let list = &self.list;
        match &self.standing {
            Standing::Good { until: Some(until) } => {
                format!("not revoked, says {list} (good until {})", rfc3339_seconds(*until))
            }
            Standing::Good { until: None } => format!("not revoked, says {list}"),
            Standing::Revoked { since, reason } => {
                let reason = reason.as_ref().map(|reason| format!(", {reason}")).unwrap_or_default();
                format!("revoked since {}{reason}, says {list}", rfc3339_seconds(*since))
            }
            Standing::Unknown(why) => format!("not known: {list} could not be used: {why}"),
        }
    }

    pub(super) fn to_json(&self) -> Value {
        let (outcome, until, since, reason, why) = match &self.standing {
            Standing::Good { until } => ("not_revoked", *until, None, None, None),
            Standing::Revoked { since, reason } => ("revoked", None, Some(*since), reason.as_deref(), None),
            Standing::Unknown(why) => ("unknown", None, None, None, Some(why.as_str())),
        };
        json!({
            "subject": self.subject,
            "list": self.list,
            "outcome": outcome,
            "until": until.map(rfc3339_seconds),
            "since": since.map(rfc3339_seconds),
            "reason": reason,
            "why": why,
        })
    }
}

/// Looks up each certificate of a chain that names a list by HTTP. `origin` is where the chain was presented: lists at
/// addresses that are nobody's on the internet are asked for only where the origin is at such an address, too. `others` are
/// certificates beside the chain's among which an issuer may be.
pub(super) async fn look(
    chain: &[CertificateDer<'_>],
    others: &[&CertificateDer<'_>],
    origin: IpAddr,
    now: SystemTime,
    dialer: &Dialer,
) -> Vec<Revocation> {
    let now = now.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    let now = i64::try_from(now.as_secs()).unwrap_or(i64::MAX);
    let sent: Vec<X509Certificate<'_>> = chain.iter().filter_map(read).collect();
    let named = sent.iter().filter_map(|certificate| Some((certificate, list(certificate)?))).take(MOST);
    let looked = named.map(|(certificate, list)| {
        let sent = &sent;
        async move {
            let standing = match had(&list, origin, dialer).await {
                Ok(bytes) => {
                    let all = sent.iter().cloned().chain(others.iter().filter_map(|der| read(der)));
                    let is_issuer =
                        |other: &X509Certificate<'_>| other.subject().as_raw() == certificate.issuer().as_raw();
                    let issuers: Vec<X509Certificate<'_>> = all.filter(is_issuer).collect();
                    standing(&bytes, certificate, &issuers, now)
                }
                Err(why) => Standing::Unknown(why),
            };
            Revocation { subject: certificate.subject().to_string(), list, standing }
        }
    });
    join_all(looked).await
}

fn read<'a>(der: &'a CertificateDer<'_>) -> Option<X509Certificate<'a>> {
    parse_x509_certificate(der).ok().map(|(_, certificate)| certificate)
}

/// Where a certificate says that its list is.
fn list(certificate: &X509Certificate<'_>) -> Option<String> {
    let points = certificate.extensions().iter().find_map(|extension| match extension.parsed_extension() {
        ParsedExtension::CRLDistributionPoints(points) => Some(&points.points),
        _ => None,
    })?;
    let names = points.iter().filter(|point| point.crl_issuer.is_none()).filter_map(|point| {
        let DistributionPointName::FullName(names) = point.distribution_point.as_ref()? else { return None };
        Some(names)
    });
    names.flatten().find_map(|name| match name {
        GeneralName::URI(uri) if uri.get(..7).is_some_and(|start| start.eq_ignore_ascii_case("http://")) => {
            Some((*uri).to_owned())
        }
        _ => None,
    })
}

/// The list at this URL.
///
/// # Errors
/// Why it could not be had.
async fn had(list: &str, origin: IpAddr, dialer: &Dialer) -> Result<Vec<u8>, String> {
    let url = Url::parse(list).map_err(|error| error.to_string())?;
    let asked = async {
        let addresses = addresses(&url, origin).await?;
        let ask = Ask {
            url,
            method: "GET".to_owned(),
            fields: Vec::new(),
            protocols: Protocols::Http1,
            tls: Tls::Off,
            timeout: PATIENCE,
            body_bytes: MOST_BYTES,
        };
        let answer = fetch(&ask, &addresses, dialer).await.outcome.map_err(|obstacle| match obstacle {
            Obstacle::Fault(verdict) => sentence(&verdict).replace("the site's server", "the list's server"),
            Obstacle::Silent { .. } => "no answer in time".to_owned(),
        })?;
        match (answer.status, answer.end) {
            (200, BodyEnd::Whole) => Ok(answer.body),
            (200, BodyEnd::Broken(verdict)) => Err(sentence(&verdict)),
            (200, BodyEnd::Left) => Err(format!("it is longer than {} MB, or too slow", MOST_BYTES >> 20)),
            (status, _) => Err(format!("it is answered with {status}")),
        }
    };
    timeout(PATIENCE, asked).await.unwrap_or_else(|_late| Err(format!("it takes longer than {} s", PATIENCE.as_secs())))
}

/// Where the list's server is. An origin's certificate may name whatever it likes: that gets nobody into a network that the
/// origin itself is not in.
async fn addresses(url: &Url, origin: IpAddr) -> Result<Vec<SocketAddr>, String> {
    let host = bare(url.host_str().unwrap_or_default());
    let port = url.port_or_known_default().unwrap_or(80);
    let found: Vec<SocketAddr> = lookup_host((host, port)).await.map_err(|error| error.to_string())?.collect();
    let may_be_asked = |address: &&SocketAddr| !prohibited(address.ip()) || is_near(address.ip(), origin);
    let allowed: Vec<SocketAddr> = found.iter().filter(may_be_asked).copied().collect();
    match (allowed.is_empty(), found.first()) {
        (false, _) => Ok(allowed),
        (true, Some(first)) => Err(format!("{} is no public address, and not asked", first.ip())),
        (true, None) => Err("its name has no address".to_owned()),
    }
}

/// Whether an address that is none of the internet's is of a network like the origin's. Link-local ones never are: clouds
/// keep their machines' credentials there.
fn is_near(ip: IpAddr, origin: IpAddr) -> bool {
    let is_local = match ip {
        IpAddr::V4(ip) => ip.is_loopback() || ip.is_private(),
        IpAddr::V6(ip) => ip.is_loopback() || ip.is_unique_local(),
    };
    // What is this machine's own is for those who look at this machine.
    prohibited(origin) && is_local && (!ip.is_loopback() || origin.is_loopback())
}

/// What a list says of a certificate that one of these seems to have issued.
fn standing(bytes: &[u8], certificate: &X509Certificate<'_>, issuers: &[X509Certificate<'_>], now: i64) -> Standing {
    let unpacked = CertificateRevocationListDer::from_pem_slice(bytes);
    let der = unpacked.as_ref().map_or(bytes, |der| der.as_ref());
    let Ok((_, list)) = CertificateRevocationList::from_der(der) else {
        return Standing::Unknown("it is no revocation list".to_owned());
    };
    if let Err(why) = fits(&list, certificate, issuers) {
        return Standing::Unknown(why.to_owned());
    }
    if let Some(entry) = list.iter_revoked_certificates().find(|entry| entry.serial() == &certificate.serial) {
        let reason = entry.reason_code().map(|(_, reason)| reason.to_string());
        return Standing::Revoked { since: entry.revocation_date.timestamp(), reason };
    }
    match list.next_update().map(|next| next.timestamp()) {
        Some(until) if until < now => Standing::Unknown(format!("it is good until {} only", rfc3339_seconds(until))),
        until => Standing::Good { until },
    }
}

/// Whether the list speaks of this certificate, and its issuer signed both.
fn fits(
    list: &CertificateRevocationList<'_>,
    certificate: &X509Certificate<'_>,
    issuers: &[X509Certificate<'_>],
) -> Result<(), &'static str> {
    if list.issuer().as_raw() != certificate.issuer().as_raw() {
        return Err("it is another issuer's");
    }
    for extension in list.extensions().iter().filter(|extension| extension.critical) {
        match extension.parsed_extension() {
            ParsedExtension::IssuingDistributionPoint(part) if covers(part, certificate) => {}
            ParsedExtension::IssuingDistributionPoint(_) => return Err("it is for other certificates"),
            _ => return Err("it has a part that is not understood"),
        }
    }
    if issuers.is_empty() {
        return Err("the issuer's certificate is not known here, so that nobody can tell who signed it");
    }
    let signs = |issuer: &X509Certificate<'_>| {
        let may_sign = issuer.key_usage().is_ok_and(|usage| usage.is_none_or(|usage| usage.value.crl_sign()));
        let key = issuer.public_key();
        may_sign && certificate.verify_signature(Some(key)).is_ok() && list.verify_signature(key).is_ok()
    };
    if issuers.iter().any(signs) { Ok(()) } else { Err("it is not signed by the certificate's issuer") }
}

/// Whether a list that says what it is for is for this certificate, whatever it was revoked for.
fn covers(part: &IssuingDistributionPoint<'_>, certificate: &X509Certificate<'_>) -> bool {
    let is_of_others = part.indirect_crl || part.only_contains_attribute_certs || part.only_some_reasons.is_some();
    let is_of_kind = if certificate.is_ca() { !part.only_contains_user_certs } else { !part.only_contains_ca_certs };
    !is_of_others && is_of_kind
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_certificate_leads_nobody_into_a_network_that_the_origin_is_not_in() {
        let near = |ip: &str, origin: &str| is_near(ip.parse().unwrap(), origin.parse().unwrap());
        for (ip, origin, is) in [
            ("127.0.0.1", "127.0.0.1", true),
            ("::1", "127.0.0.1", true),
            ("10.0.0.9", "10.0.0.7", true),
            ("10.0.0.9", "127.0.0.1", true),
            ("127.0.0.1", "10.0.0.7", false),
            ("10.0.0.9", "1.1.1.1", false),
            ("127.0.0.1", "1.1.1.1", false),
            ("169.254.169.254", "10.0.0.7", false),
            ("169.254.169.254", "169.254.169.1", false),
            ("fe80::1", "fe80::2", false),
        ] {
            assert_eq!(near(ip, origin), is, "{ip} {origin}");
        }
    }

    #[tokio::test]
    async fn what_is_no_public_address_is_not_asked() {
        let dialer = Dialer::new(rayline_dial::TrustSettings::default()).unwrap();
        for list in ["http://127.0.0.1:1/x.crl", "http://169.254.169.254/x.crl", "http://[::1]:1/x.crl"] {
            let why = had(list, "1.1.1.1".parse().unwrap(), &dialer).await.unwrap_err();
            assert!(why.contains("no public address"), "{why}");
        }
    }

    #[test]
    fn rubbish_is_no_list() {
        let authority = rayline_testkit::Authority::new("Test").unwrap();
        let root = authority.root_der();
        let (_, root) = parse_x509_certificate(&root).unwrap();
        for bytes in [&b""[..], b"rubbish", b"-----BEGIN X509 CRL-----\nAAAA\n-----END X509 CRL-----\n"] {
            assert!(matches!(standing(bytes, &root, &[], 0), Standing::Unknown(_)));
        }
        assert_eq!(list(&root), None);
    }
}
