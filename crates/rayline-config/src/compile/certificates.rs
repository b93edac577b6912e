//! Certificates with their keys, and `[[zone.certificates]]`, those of them that visitors are shown.

use std::sync::Arc;
use std::time::SystemTime;

use rustls::sign::CertifiedKey;
use rustls::{Error as TlsError, InconsistentKeys};
use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, PrivateKeyDer};
use x509_parser::extensions::GeneralName;
use x509_parser::prelude::{FromDer, X509Certificate};

use super::file::read_file;
use super::pem::{
    LONGEST_PEM, check_dates, parse_certificate, read_certificates, refuse_damaged, refuse_kind, system_time,
};
use crate::certificate::Certificate;
use crate::document::{At, Fields, Report, shown};
use crate::name::parse_name;

/// A chain and the key of its first certificate, fit to be used together.
#[derive(Debug)]
pub(super) struct Pair {
    pub(super) certified: CertifiedKey,
    pub(super) key: PrivateKeyDer<'static>,
    /// The chain's file.
    pub(super) chain_at: At<String>,
}

/// A certificate toward visitors.
pub(super) fn read_certificate(fields: &Fields<'_>, now: SystemTime) -> Option<At<Arc<Certificate>>> {
    let report = fields.report;
    let Pair { certified, chain_at, .. } = read_pair(fields, now)?;
    let leaf = parse_certificate(certified.cert.first()?, &chain_at, report)?;
    let names = names_of(&leaf);
    if names.is_empty() {
        let message = format!("`{}` names no host (no subject alternative name)", shown(&chain_at.value));
        let hint = "visitors' browsers look only there: get a certificate that lists its host names";
        report.push(chain_at.place.warning(message).hint(hint));
    }
    let not_after = system_time(leaf.validity().not_after);
    Some(At { value: Arc::new(Certificate { key: Arc::new(certified), names, not_after }), place: chain_at.place })
}

/// The files under `certificate` and `private_key`, if both are there and belong together.
pub(super) fn read_pair(fields: &Fields<'_>, now: SystemTime) -> Option<Pair> {
    let report = fields.report;
    let chain_at: Option<At<String>> = fields.required("certificate");
    let key_at: Option<At<String>> = fields.required("private_key");
    let chain = chain_at.as_ref().and_then(|at| read_certificates(at, report));
    let key = key_at.as_ref().and_then(|at| read_key(at, report));
    let (chain_at, key_at, chain) = (chain_at?, key_at?, chain?);

    check_dates(&parse_certificate(chain.first()?, &chain_at, report)?, &chain_at, now, report);
    let key = key?;
    let certified = join(chain, &key, &chain_at, &key_at, report)?;
    check_order(&certified.cert, &chain_at, report);
    Some(Pair { certified, key, chain_at })
}

/// Chain and key as rustls takes them, if the key is that of the first certificate.
fn join(
    chain: Vec<CertificateDer<'static>>,
    key: &PrivateKeyDer<'static>,
    chain_at: &At<String>,
    key_at: &At<String>,
    report: &Report<'_>,
) -> Option<CertifiedKey> {
    let (chain_file, key_file) = (shown(&chain_at.value), shown(&key_at.value));
    let Ok(key) = rustls::crypto::aws_lc_rs::sign::any_supported_type(key) else {
        let problem = key_at.place.error(format!("the key in `{key_file}` cannot be used"));
        let hint = "RSA keys from 2048 bits, ECDSA keys on P-256, P-384 or P-521, and Ed25519 keys can";
        return report.refuse(problem.hint(hint));
    };
    let key = CertifiedKey::new(chain, key);
    match key.keys_match() {
        Ok(()) | Err(TlsError::InconsistentKeys(InconsistentKeys::Unknown)) => Some(key),
        Err(TlsError::InconsistentKeys(_)) => {
            let message = format!("the key in `{key_file}` is not that of the first certificate in `{chain_file}`");
            let hint =
                "the file must begin with the certificate that was issued for the key, intermediate ones after it";
            report.refuse(key_at.place.error(message).hint(hint).related(&chain_at.place, "this certificate"))
        }
        Err(error) => {
            let message = format!("the certificate in `{chain_file}` cannot be used: {error}");
            report.refuse(chain_at.place.error(message))
        }
    }
}

fn read_key(written: &At<String>, report: &Report<'_>) -> Option<PrivateKeyDer<'static>> {
    let bytes = read_file(written, LONGEST_PEM, report)?;
    let encrypted = [b"-----BEGIN ENCRYPTED PRIVATE KEY".as_slice(), b"Proc-Type: 4,ENCRYPTED"];
    if encrypted.iter().any(|mark| bytes.windows(mark.len()).any(|window| window == *mark)) {
        let file = shown(&written.value);
        let problem = written.place.error(format!("the key in `{file}` is encrypted"));
        report.push(problem.hint(format!("decrypt it, for example with `openssl pkey -in {file} -out decrypted.key`")));
        return None;
    }
    match PrivateKeyDer::from_pem_slice(&bytes) {
        Ok(key) => return Some(key),
        Err(rustls_pki_types::pem::Error::NoItemsFound) => refuse_kind(written, "private key", &bytes, report),
        Err(_) => refuse_damaged(written, report),
    }
    None
}

/// Each certificate should be followed by the one that issued it, or the other side may not find a path to an authority.
fn check_order(chain: &[CertificateDer<'_>], written: &At<String>, report: &Report<'_>) {
    let parsed: Vec<X509Certificate<'_>> =
        chain.iter().filter_map(|der| Some(X509Certificate::from_der(der).ok()?.1)).collect();
    for pair in parsed.windows(2) {
        if let [certificate, next] = pair
            && certificate.issuer().as_raw() != next.subject().as_raw()
        {
            let subject = shown(&certificate.subject().to_string());
            let problem = written.place.warning(format!(
                "in `{}` the certificate of `{subject}` is not followed by its issuer's",
                shown(&written.value)
            ));
            report.push(problem.hint(format!("its issuer is `{}`", shown(&certificate.issuer().to_string()))));
        }
    }
}

/// The DNS names of the subject alternative name; anything else in it cannot be asked for by a server name.
fn names_of(certificate: &X509Certificate<'_>) -> Vec<String> {
    let Ok(Some(extension)) = certificate.subject_alternative_name() else { return Vec::new() };
    let name = |general: &GeneralName<'_>| match general {
        GeneralName::DNSName(name) => match name.strip_prefix("*.") {
            Some(base) => Some(format!("*.{}", parse_name(base).ok()?)),
            None => parse_name(name).ok(),
        },
        _ => None,
    };
    extension.value.general_names.iter().filter_map(name).collect()
}
