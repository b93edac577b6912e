//! An OCSP response that says "revoked", ready to staple (RFC 6960 section 4.2).
//!
//! It writes this one response and reads none.

use std::io;

use rcgen::SigningKey as _;
use rustls::crypto::aws_lc_rs::cipher_suite::TLS13_AES_128_GCM_SHA256;
use rustls_pki_types::CertificateDer;
use time::{Duration, OffsetDateTime};
use x509_parser::prelude::{FromDer as _, X509Certificate};

use super::Issuer;

const INTEGER: u8 = 0x02;
const BIT_STRING: u8 = 0x03;
const OCTET_STRING: u8 = 0x04;
const OID: u8 = 0x06;
const ENUMERATED: u8 = 0x0a;
const GENERALIZED_TIME: u8 = 0x18;
const SEQUENCE: u8 = 0x30;
/// `[n]` around a value, or in place of the tag of a constructed one.
const CONTEXT: u8 = 0xa0;

/// 1.3.6.1.5.5.7.48.1.1
const ID_PKIX_OCSP_BASIC: &[u8] = b"\x2b\x06\x01\x05\x05\x07\x30\x01\x01";
/// 2.16.840.1.101.3.4.2.1
const SHA256: &[u8] = b"\x60\x86\x48\x01\x65\x03\x04\x02\x01";
/// 1.2.840.10045.4.3.2
const ECDSA_WITH_SHA256: &[u8] = b"\x2a\x86\x48\xce\x3d\x04\x03\x02";
/// `CRLReason` of RFC 5280 section 5.3.1.
const KEY_COMPROMISE: u8 = 1;

/// The response of `issuer` that the first certificate of `chain` is revoked since `at`, because its key was compromised.
pub(super) fn revoked(issuer: &Issuer, chain: &[CertificateDer<'static>], at: OffsetDateTime) -> io::Result<Vec<u8>> {
    let leaf = chain.first().ok_or_else(|| io::Error::other("the chain is empty"))?;
    let (_, leaf) = X509Certificate::from_der(leaf).map_err(io::Error::other)?;
    let (_, parent) = X509Certificate::from_der(issuer.der()).map_err(io::Error::other)?;

    let certificate_id = sequence(&[
        &sequence(&[&tlv(OID, &[SHA256])]),
        &tlv(OCTET_STRING, &[&sha256(leaf.issuer().as_raw())?]),
        &tlv(OCTET_STRING, &[&sha256(&parent.public_key().subject_public_key.data)?]),
        &tlv(INTEGER, &[leaf.raw_serial()]),
    ]);
    let reason = tlv(CONTEXT, &[&tlv(ENUMERATED, &[&[KEY_COMPROMISE]])]);
    let status = tlv(CONTEXT + 1, &[&generalized_time(at), &reason]);
    let next_update = generalized_time(at + Duration::days(7));
    let single = sequence(&[&certificate_id, &status, &generalized_time(at), &tlv(CONTEXT, &[&next_update])]);
    let data =
        sequence(&[&tlv(CONTEXT + 1, &[parent.subject().as_raw()]), &generalized_time(at), &sequence(&[&single])]);
    let signature = issuer.key().sign(&data).map_err(io::Error::other)?;
    let basic =
        sequence(&[&data, &sequence(&[&tlv(OID, &[ECDSA_WITH_SHA256])]), &tlv(BIT_STRING, &[&[0], &signature])]);
    let bytes = sequence(&[&tlv(OID, &[ID_PKIX_OCSP_BASIC]), &tlv(OCTET_STRING, &[&basic])]);
    Ok(sequence(&[&tlv(ENUMERATED, &[&[0]]), &tlv(CONTEXT, &[&bytes])]))
}

fn sequence(parts: &[&[u8]]) -> Vec<u8> {
    tlv(SEQUENCE, parts)
}

/// One DER value: tag, length, and `parts` one after the other.
fn tlv(tag: u8, parts: &[&[u8]]) -> Vec<u8> {
    let content = parts.concat();
    let length = content.len().to_be_bytes();
    let significant = length.iter().copied().skip_while(|byte| *byte == 0);
    let mut value = vec![tag];
    if content.len() < 0x80 {
        value.push(content.len() as u8);
    } else {
        value.push(0x80 | significant.clone().count() as u8);
        value.extend(significant);
    }
    value.extend(content);
    value
}

fn generalized_time(at: OffsetDateTime) -> Vec<u8> {
    let (year, month, day) = at.to_calendar_date();
    let (hour, minute, second) = at.to_hms();
    let month = u8::from(month);
    let text = format!("{year:04}{month:02}{day:02}{hour:02}{minute:02}{second:02}Z");
    tlv(GENERALIZED_TIME, &[text.as_bytes()])
}

/// The usual SHA-1 is not among what rustls offers; RFC 9654 moves to SHA-256 anyway.
fn sha256(bytes: &[u8]) -> io::Result<Vec<u8>> {
    let suite = TLS13_AES_128_GCM_SHA256.tls13().ok_or_else(|| io::Error::other("no SHA-256"))?;
    Ok(suite.common.hash_provider.hash(bytes).as_ref().to_vec())
}
