//! What a certificate says of itself. Whether that is true is for the verifier to find.

use rayline_verdict::moment::rfc3339_seconds;
use serde_json::{Value, json};
use x509_parser::certificate::X509Certificate;
use x509_parser::extensions::GeneralName;
use x509_parser::oid_registry::{OID_EC_P256, OID_NIST_EC_P384, OID_NIST_EC_P521, OID_SIG_ED25519};
use x509_parser::parse_x509_certificate;
use x509_parser::public_key::PublicKey;
use x509_parser::x509::SubjectPublicKeyInfo;

/// The most names of one certificate that are told.
const MOST_NAMES: usize = 100;

/// A certificate as it was presented.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Certificate {
    /// Distinguished name of the subject.
    pub subject: String,
    /// Distinguished name of the issuer.
    pub issuer: String,
    /// Subject alternative names: host names and addresses, at most 100.
    pub names: Vec<String>,
    /// Start of validity, seconds since 1970-01-01 UTC.
    pub not_before: i64,
    /// End of validity, seconds since 1970-01-01 UTC.
    pub not_after: i64,
    /// The key's kind and size.
    pub key: String,
    /// Subject and issuer are the same.
    pub self_issued: bool,
    /// SHA-256 of the whole certificate, as [`fingerprint`] writes it.
    pub sha256: String,
}

impl Certificate {
    /// Reads a certificate in DER; `None` if it cannot be read.
    pub fn read(der: &[u8]) -> Option<Self> {
        let (_, parsed) = parse_x509_certificate(der).ok()?;
        Some(Self {
            subject: parsed.subject().to_string(),
            issuer: parsed.issuer().to_string(),
            names: names(&parsed),
            not_before: parsed.validity().not_before.timestamp(),
            not_after: parsed.validity().not_after.timestamp(),
            key: key_in_words(parsed.public_key()),
            self_issued: parsed.subject() == parsed.issuer(),
            sha256: fingerprint(der),
        })
    }

    /// As JSON; times are RFC 3339 in UTC.
    pub fn to_json(&self) -> Value {
        json!({
            "subject": self.subject,
            "issuer": self.issuer,
            "names": self.names,
            "not_before": rfc3339_seconds(self.not_before),
            "not_after": rfc3339_seconds(self.not_after),
            "key": self.key,
            "self_issued": self.self_issued,
            "sha256": self.sha256,
        })
    }
}

/// The SHA-256 of these bytes in pairs of hexadecimal digits, as browsers and `openssl x509 -fingerprint` show it.
pub fn fingerprint(bytes: &[u8]) -> String {
    let digest = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, bytes);
    digest.as_ref().iter().map(|byte| format!("{byte:02X}")).collect::<Vec<_>>().join(":")
}

/// A key's kind and size, such as `RSA 2048 bits` or `ECDSA P-256`.
pub fn key_in_words(key: &SubjectPublicKeyInfo<'_>) -> String {
    match key.parsed() {
        Ok(PublicKey::RSA(rsa)) => format!("RSA {} bits", rsa.key_size()),
        Ok(PublicKey::EC(point)) => {
            let curve = key.algorithm.parameters.as_ref().and_then(|parameters| parameters.as_oid().ok());
            match curve {
                Some(curve) if curve == OID_EC_P256 => "ECDSA P-256".to_owned(),
                Some(curve) if curve == OID_NIST_EC_P384 => "ECDSA P-384".to_owned(),
                Some(curve) if curve == OID_NIST_EC_P521 => "ECDSA P-521".to_owned(),
                Some(_) | None => format!("ECDSA {} bits", point.key_size()),
            }
        }
        Ok(_) | Err(_) if key.algorithm.algorithm == OID_SIG_ED25519 => "Ed25519".to_owned(),
        Ok(_) | Err(_) => format!("of another kind ({})", key.algorithm.algorithm),
    }
}

fn names(certificate: &X509Certificate<'_>) -> Vec<String> {
    let names = certificate.subject_alternative_name().ok().flatten();
    let names = names.into_iter().flat_map(|names| &names.value.general_names);
    names.filter_map(name).take(MOST_NAMES).collect()
}

fn name(name: &GeneralName<'_>) -> Option<String> {
    match name {
        GeneralName::DNSName(name) => Some((*name).to_owned()),
        GeneralName::IPAddress(bytes) => match bytes.len() {
            4 => bytes.first_chunk::<4>().map(|bytes| std::net::IpAddr::from(*bytes).to_string()),
            16 => bytes.first_chunk::<16>().map(|bytes| std::net::IpAddr::from(*bytes).to_string()),
            _ => None,
        },
        _ => None,
    }
}
