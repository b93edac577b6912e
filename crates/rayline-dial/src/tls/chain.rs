//! What a presented chain says of itself, and the causes that a verifier merges, told apart by it.

use std::net::IpAddr;

use rayline_verdict::evidence::CertificateFacts;
use rayline_verdict::fault::OriginTlsCause;
use rustls::CertificateError;
use rustls_pki_types::{CertificateDer, SubjectPublicKeyInfoDer};
use webpki::RawPublicKeyEntity;
use x509_parser::certificate::X509Certificate;
use x509_parser::extensions::{GeneralName, ParsedExtension};
use x509_parser::oid_registry::OID_PKIX_ACCESS_DESCRIPTOR_CA_ISSUERS;
use x509_parser::parse_x509_certificate;
use x509_parser::public_key::PublicKey;

/// The most names of a certificate that are kept as evidence.
const MOST_NAMES: usize = 100;

/// The smallest RSA key whose signatures the cryptographic library judges, in bits.
const SMALLEST_RSA: usize = 2048;

/// The most certificates of a chain that are looked at.
const MOST_CERTIFICATES: usize = 16;

/// A presented chain that could be read as far as its leaf.
pub(crate) struct Chain<'a> {
    leaf: X509Certificate<'a>,
    others: Vec<X509Certificate<'a>>,
    length: usize,
}

impl<'a> Chain<'a> {
    /// Reads a chain, leaf first; `None` when the leaf cannot be read.
    pub(crate) fn read(chain: &'a [CertificateDer<'_>]) -> Option<Self> {
        let mut parsed =
            chain.iter().take(MOST_CERTIFICATES).filter_map(|der| Some(parse_x509_certificate(der).ok()?.1));
        // The leaf itself must be readable, or another would be taken for it.
        parse_x509_certificate(chain.first()?).ok()?;
        Some(Self { leaf: parsed.next()?, others: parsed.collect(), length: chain.len() })
    }

    /// What the leaf states of itself.
    pub(crate) fn facts(&self) -> CertificateFacts {
        CertificateFacts {
            subject: self.leaf.subject().to_string(),
            issuer: self.leaf.issuer().to_string(),
            names: names(&self.leaf),
            not_before: self.leaf.validity().not_before.timestamp(),
            not_after: self.leaf.validity().not_after.timestamp(),
            serial: self.leaf.raw_serial_as_string(),
            chain_length: self.length,
        }
    }

    /// Whether the leaf is signed by its own key, in name and in fact: a leaf that merely has the same name as its CA is
    /// not. Where the library will not judge the signature, the name alone decides.
    fn is_self_signed(&self) -> bool {
        self.leaf.issuer() == self.leaf.subject() && (self.verifies_itself() || !self.can_be_judged())
    }

    fn verifies_itself(&self) -> bool {
        let spki = SubjectPublicKeyInfoDer::from(self.leaf.public_key().raw);
        let Ok(key) = RawPublicKeyEntity::try_from(&spki) else { return false };
        let (signed, signature) = (self.leaf.tbs_certificate.as_ref(), &self.leaf.signature_value.data);
        // Those of another key or hash fail; there are few.
        webpki::ALL_VERIFICATION_ALGS
            .iter()
            .any(|algorithm| key.verify_signature(*algorithm, signed, signature).is_ok())
    }

    /// Whether the library judges signatures like the leaf's: not of a weak key, and not with SHA-1 or MD5.
    fn can_be_judged(&self) -> bool {
        const OLD: [&str; 3] = ["1.2.840.113549.1.1.4", "1.2.840.113549.1.1.5", "1.2.840.10045.4.1"];
        let algorithm = self.leaf.signature_algorithm.algorithm.to_id_string();
        !is_weak(&self.leaf) && !OLD.contains(&algorithm.as_str())
    }

    /// Whether the certificate of the leaf's issuer was sent along.
    fn has_issuer(&self) -> bool {
        self.others.iter().any(|other| other.subject() == self.leaf.issuer())
    }

    /// Whether the leaf says where its issuer's certificate is to be had (RFC 5280 §4.2.2.1).
    fn says_where_issuer_is(&self) -> bool {
        extension(&self.leaf, |extension| match extension {
            ParsedExtension::AuthorityInfoAccess(access) => Some(
                access.accessdescs.iter().any(|access| access.access_method == OID_PKIX_ACCESS_DESCRIPTOR_CA_ISSUERS),
            ),
            _ => None,
        })
        .unwrap_or(false)
    }

    /// Whether the leaf names nothing but its common name, and that is `host`.
    fn names_host_in_common_name(&self, host: &str) -> bool {
        let has_names = extension(&self.leaf, |extension| {
            matches!(extension, ParsedExtension::SubjectAlternativeName(_)).then_some(())
        });
        let mut common_names = self.leaf.subject().iter_common_name().filter_map(|name| name.as_str().ok());
        has_names.is_none() && common_names.any(|name| covers(name, host))
    }
}

/// The cause, where a strict verifier refused a chain with `error`.
///
/// The verifier stops at the first thing that is wrong: dates and usage of the leaf, then the chain, revocation, the
/// name. Two departures from that order. A leaf signed by itself is named so, whatever else is wrong with it, for renewing
/// it would not help; unless the owner trusts this very certificate. And of a chain to no known root, the issuer's
/// certificate is said to be *missing* when it was not sent and there is reason to think that it leads to a trusted root:
/// the leaf says where it is to be had, as those of public CAs do, or the owner trusts CAs of their own. Otherwise the
/// issuer is *unknown*. Nobody can know which without having the missing one, so either is the other's rival.
pub(crate) fn cause(error: &CertificateError, chain: Option<&Chain<'_>>, trust: Trust, host: &str) -> OriginTlsCause {
    let self_signed = !trust.leaf && chain.is_some_and(Chain::is_self_signed);
    match error {
        CertificateError::Expired
        | CertificateError::ExpiredContext { .. }
        | CertificateError::NotValidYet
        | CertificateError::NotValidYetContext { .. }
        | CertificateError::UnknownIssuer
        | CertificateError::InvalidPurpose
        | CertificateError::InvalidPurposeContext { .. }
        | CertificateError::NotValidForName
        | CertificateError::NotValidForNameContext { .. }
        | CertificateError::Other(_)
            if self_signed =>
        {
            OriginTlsCause::SelfSigned
        }
        CertificateError::Expired | CertificateError::ExpiredContext { .. } => OriginTlsCause::CertificateExpired,
        CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => {
            OriginTlsCause::CertificateNotYetValid
        }
        CertificateError::Revoked => OriginTlsCause::Revoked,
        CertificateError::UnknownIssuer => match chain {
            Some(chain) if !chain.has_issuer() && (trust.own_roots || chain.says_where_issuer_is()) => {
                OriginTlsCause::MissingIntermediate
            }
            Some(_) | None => OriginTlsCause::UnknownIssuer,
        },
        CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => match chain {
            Some(chain) if chain.names_host_in_common_name(host) => OriginTlsCause::NameOnlyInCommonName,
            Some(_) | None => OriginTlsCause::NameMismatch,
        },
        CertificateError::InvalidPurpose | CertificateError::InvalidPurposeContext { .. } => OriginTlsCause::WrongUsage,
        CertificateError::Other(other) => match other.0.downcast_ref::<webpki::Error>() {
            // A CA's certificate is for signing others.
            Some(webpki::Error::CaUsedAsEndEntity) => OriginTlsCause::WrongUsage,
            Some(_) | None => OriginTlsCause::CertificateInvalid,
        },
        CertificateError::BadEncoding
        | CertificateError::BadSignature
        | CertificateError::UnhandledCriticalExtension
        | CertificateError::UnknownRevocationStatus
        | CertificateError::ExpiredRevocationList
        | CertificateError::ExpiredRevocationListContext { .. }
        | CertificateError::UnsupportedSignatureAlgorithmContext { .. }
        | CertificateError::UnsupportedSignatureAlgorithmForPublicKeyContext { .. }
        | CertificateError::InvalidOcspResponse
        | CertificateError::ApplicationVerificationFailure => OriginTlsCause::CertificateInvalid,
        // rustls may add reasons: its own words stand in the evidence.
        _ => OriginTlsCause::CertificateInvalid,
    }
}

/// What is trusted beside the public roots.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Trust {
    /// The owner trusts CAs of their own.
    pub(crate) own_roots: bool,
    /// The owner trusts the presented leaf itself.
    pub(crate) leaf: bool,
}

/// Whether the key is one of RSA that the library refuses to judge signatures of.
pub(crate) fn is_weak(certificate: &X509Certificate<'_>) -> bool {
    matches!(certificate.public_key().parsed(), Ok(PublicKey::RSA(key)) if key.key_size() < SMALLEST_RSA)
}

fn extension<'a, T>(
    certificate: &'a X509Certificate<'_>,
    pick: impl Fn(&'a ParsedExtension<'a>) -> Option<T>,
) -> Option<T> {
    certificate.extensions().iter().find_map(|extension| pick(extension.parsed_extension()))
}

fn names(certificate: &X509Certificate<'_>) -> Vec<String> {
    let general = extension(certificate, |extension| match extension {
        ParsedExtension::SubjectAlternativeName(names) => Some(&names.general_names),
        _ => None,
    });
    general.into_iter().flatten().filter_map(name).take(MOST_NAMES).collect()
}

fn name(name: &GeneralName<'_>) -> Option<String> {
    match name {
        GeneralName::DNSName(name) => Some((*name).to_owned()),
        GeneralName::IPAddress(bytes) => match bytes.len() {
            4 => bytes.first_chunk::<4>().map(|bytes| IpAddr::from(*bytes).to_string()),
            16 => bytes.first_chunk::<16>().map(|bytes| IpAddr::from(*bytes).to_string()),
            _ => None,
        },
        _ => None,
    }
}

/// Whether a name of a certificate covers `host`: equal, or with `*` for the first label (RFC 9525 §6.3).
fn covers(name: &str, host: &str) -> bool {
    match name.strip_prefix("*.") {
        Some(parent) => host.split_once('.').is_some_and(|(_, rest)| rest.eq_ignore_ascii_case(parent)),
        None => name.eq_ignore_ascii_case(host),
    }
}

#[cfg(test)]
mod tests;
