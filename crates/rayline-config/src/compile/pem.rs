//! The files of `[[zone.certificates]]`, `origin_ca` and `origin_crl`.
//!
//! It checks that each file is what it should be and fits its key, not whether anyone trusts it: visitors' browsers and
//! the origin's verifier do that.

use std::fs::File;
use std::io::{ErrorKind, Read as _};
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use rustls::sign::CertifiedKey;
use rustls::{Error as TlsError, InconsistentKeys};
use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, CertificateRevocationListDer, PrivateKeyDer};
use x509_parser::extensions::GeneralName;
use x509_parser::prelude::{FromDer, X509Certificate};
use x509_parser::revocation_list::CertificateRevocationList;
use x509_parser::time::ASN1Time;

use crate::certificate::Certificate;
use crate::document::{At, Fields, Place, Report, shown};
use crate::name::parse_name;

/// The longest file of certificates or keys, and of a revocation list, in bytes.
const LONGEST_PEM: u64 = 4 << 20;
const LONGEST_CRL: u64 = 64 << 20;
/// How long before its end a certificate's expiry is a warning.
const EXPIRES_SOON: Duration = Duration::from_secs(14 * 86_400);

/// A file named in the configuration, if it is one of `1..=longest` bytes.
pub(super) fn read_file(written: &At<String>, longest: u64, report: &Report<'_>) -> Option<Vec<u8>> {
    let path = report.source.path(&written.value);
    let file = shown(&written.value);
    let refuse = |message: String, hint: String| {
        report.push(written.place.error(message).hint(hint));
        None
    };
    let unreadable = |error: &std::io::Error| match error.kind() {
        ErrorKind::NotFound => (
            format!("there is no file `{file}`"),
            format!("relative paths start at the folder of the configuration: looked for `{}`", path.display()),
        ),
        ErrorKind::PermissionDenied => {
            (format!("`{file}` may not be read"), "let the user that runs the edge read it".to_owned())
        }
        _ => (format!("`{file}` cannot be read: {error}"), format!("looked for `{}`", path.display())),
    };
    let opened = File::open(&path).and_then(|open| Ok((open.metadata()?, open)));
    let (metadata, open) = match opened {
        Ok(opened) => opened,
        Err(error) => {
            let (message, hint) = unreadable(&error);
            return refuse(message, hint);
        }
    };
    if !metadata.is_file() {
        return refuse(format!("`{file}` is not a file"), format!("looked for `{}`", path.display()));
    }
    let mut bytes = Vec::new();
    if let Err(error) = open.take(longest + 1).read_to_end(&mut bytes) {
        let (message, hint) = unreadable(&error);
        return refuse(message, hint);
    }
    if bytes.is_empty() {
        return refuse(format!("`{file}` is empty"), format!("looked for `{}`", path.display()));
    }
    if bytes.len() as u64 > longest {
        return refuse(
            format!("`{file}` is longer than {longest} bytes"),
            "check that it is the right file".to_owned(),
        );
    }
    Some(bytes)
}

// === certificates toward visitors ===

/// One `[[zone.certificates]]`: chain and key, if they are there and belong together.
pub(super) fn read_certificate(fields: &Fields<'_>, now: SystemTime) -> Option<At<Arc<Certificate>>> {
    let report = fields.report;
    let chain_at: Option<At<String>> = fields.required("certificate");
    let key_at: Option<At<String>> = fields.required("private_key");
    let chain = chain_at.as_ref().and_then(|at| read_certificates(at, report));
    let key = key_at.as_ref().and_then(|at| read_key(at, report));
    let (chain_at, key_at, chain) = (chain_at?, key_at?, chain?);

    let leaf_der = chain.first()?.clone();
    let leaf = parse_certificate(&leaf_der, &chain_at, report)?;
    check_dates(&leaf, &chain_at, now, report);
    check_order(&chain, &chain_at, report);
    let names = names_of(&leaf);
    if names.is_empty() {
        let problem =
            chain_at.place.warning(format!("`{}` names no host (no subject alternative name)", shown(&chain_at.value)));
        report.push(problem.hint("visitors' browsers look only there: get a certificate that lists its host names"));
    }
    let not_after = system_time(leaf.validity().not_after);

    let signing = rustls::crypto::aws_lc_rs::sign::any_supported_type(&key?);
    let Ok(signing) = signing else {
        let problem = key_at.place.error(format!("the key in `{}` cannot be used", shown(&key_at.value)));
        report.push(problem.hint("RSA keys from 2048 bits, ECDSA keys on P-256, P-384 or P-521, and Ed25519 keys can"));
        return None;
    };
    let key = CertifiedKey::new(chain, signing);
    match key.keys_match() {
        Ok(()) | Err(TlsError::InconsistentKeys(InconsistentKeys::Unknown)) => {}
        Err(TlsError::InconsistentKeys(_)) => {
            let (chain, key) = (shown(&chain_at.value), shown(&key_at.value));
            let problem =
                key_at.place.error(format!("the key in `{key}` is not that of the first certificate in `{chain}`"));
            let problem = problem.hint(
                "the file must begin with the certificate that was issued for the key, intermediate ones after it",
            );
            report.push(problem.related(&chain_at.place, "this certificate"));
            return None;
        }
        Err(error) => {
            let problem = chain_at
                .place
                .error(format!("the certificate in `{}` cannot be used: {error}", shown(&chain_at.value)));
            report.push(problem);
            return None;
        }
    }
    Some(At { value: Arc::new(Certificate { key: Arc::new(key), names, not_after }), place: chain_at.place })
}

/// The certificates in a PEM file, at least one.
fn read_certificates(written: &At<String>, report: &Report<'_>) -> Option<Vec<CertificateDer<'static>>> {
    let bytes = read_file(written, LONGEST_PEM, report)?;
    let certificates: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(&bytes).collect();
    match certificates {
        Ok(certificates) if !certificates.is_empty() => return Some(certificates),
        Ok(_) => refuse_kind(written, "certificate", &bytes, report),
        Err(_) => refuse_damaged(&written.place, &written.value, report),
    }
    None
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
        Err(_) => refuse_damaged(&written.place, &written.value, report),
    }
    None
}

/// Says what a file holds instead of what it should.
fn refuse_kind(written: &At<String>, wanted: &str, bytes: &[u8], report: &Report<'_>) {
    let file = shown(&written.value);
    let text = String::from_utf8_lossy(bytes);
    let found: Vec<&str> =
        text.lines().filter_map(|line| line.trim().strip_prefix("-----BEGIN ")?.strip_suffix("-----")).collect();
    let problem = written.place.error(format!("`{file}` holds no {wanted}"));
    report.push(match found.first() {
        Some(label) if label.ends_with("PRIVATE KEY") => problem.hint("it holds a private key: are the two files swapped?"),
        Some(&"CERTIFICATE") => problem.hint("it holds a certificate: are the two files swapped?"),
        Some(label) => problem.hint(format!("it holds `{}`", shown(label))),
        // DER begins with a SEQUENCE longer than 127 bytes
        None if bytes.starts_with(&[0x30, 0x81]) || bytes.starts_with(&[0x30, 0x82]) => {
            problem.hint("it seems to be DER: turn it into PEM, for example with `openssl x509 -inform der` or `openssl pkey -inform der`")
        }
        None => problem.hint("a PEM file has lines such as `-----BEGIN CERTIFICATE-----`"),
    });
}

fn refuse_damaged(place: &Place, file: &str, report: &Report<'_>) {
    let problem = place.error(format!("`{}` is damaged: its PEM cannot be decoded", shown(file)));
    report.push(problem.hint("copy the file again, whole"));
}

fn parse_certificate<'a>(
    der: &'a CertificateDer<'_>,
    written: &At<String>,
    report: &Report<'_>,
) -> Option<X509Certificate<'a>> {
    match X509Certificate::from_der(der) {
        Ok((_, certificate)) => Some(certificate),
        Err(_) => {
            let problem = written
                .place
                .error(format!("`{}` holds something that is no X.509 certificate", shown(&written.value)));
            report.push(problem.hint("copy the file again, whole"));
            None
        }
    }
}

fn check_dates(certificate: &X509Certificate<'_>, written: &At<String>, now: SystemTime, report: &Report<'_>) {
    let file = shown(&written.value);
    let validity = certificate.validity();
    let (not_before, not_after) = (system_time(validity.not_before), system_time(validity.not_after));
    let message = if not_after < now {
        format!("the certificate in `{file}` expired on {}", day(validity.not_after))
    } else if now < not_before {
        format!("the certificate in `{file}` is not valid before {}", day(validity.not_before))
    } else if now.checked_add(EXPIRES_SOON).is_some_and(|soon| not_after < soon) {
        format!("the certificate in `{file}` expires on {}", day(validity.not_after))
    } else {
        return;
    };
    report.push(written.place.warning(message).hint("renew it; it is used as it is until then"));
}

/// Each certificate should be followed by the one that issued it, or visitors may not find a path to an authority.
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

// === trust toward origins ===

/// `origin_ca`: authorities, as many as the files hold.
pub(super) fn read_authorities(fields: &Fields<'_>, now: SystemTime) -> Vec<CertificateDer<'static>> {
    let report = fields.report;
    let mut authorities = Vec::new();
    for written in fields.take::<Vec<At<String>>>("origin_ca") {
        for der in read_certificates(&written, report).into_iter().flatten() {
            if check_authority(&der, &written, now, report) {
                authorities.push(der);
            }
        }
    }
    authorities
}

/// Whether the verifier will take the authority.
fn check_authority(der: &CertificateDer<'_>, written: &At<String>, now: SystemTime, report: &Report<'_>) -> bool {
    let Some(parsed) = parse_certificate(der, written, report) else { return false };
    check_dates(&parsed, written, now, report);
    let usable = webpki::anchor_from_trusted_cert(der).is_ok();
    if !usable {
        let problem =
            written.place.error(format!("`{}` holds a certificate that cannot be an authority", shown(&written.value)));
        report.push(problem.hint("leave it out: only certificates of authorities belong here"));
    }
    usable
}

/// `origin_crl`: revocation lists, PEM or DER.
pub(super) fn read_revocation_lists(
    fields: &Fields<'_>,
    now: SystemTime,
) -> Vec<CertificateRevocationListDer<'static>> {
    let report = fields.report;
    let mut lists = Vec::new();
    for written in fields.take::<Vec<At<String>>>("origin_crl") {
        let Some(bytes) = read_file(&written, LONGEST_CRL, report) else { continue };
        let found = if bytes.starts_with(&[0x30]) {
            Ok(vec![CertificateRevocationListDer::from(bytes.clone())])
        } else {
            CertificateRevocationListDer::pem_slice_iter(&bytes).collect::<Result<Vec<_>, _>>()
        };
        match found {
            Ok(found) if found.is_empty() => refuse_kind(&written, "revocation list", &bytes, report),
            Ok(found) => lists.extend(found.into_iter().filter(|list| check_list(list, &written, now, report))),
            Err(_) => refuse_damaged(&written.place, &written.value, report),
        }
    }
    lists
}

/// Whether the verifier will take the list.
fn check_list(
    list: &CertificateRevocationListDer<'_>,
    written: &At<String>,
    now: SystemTime,
    report: &Report<'_>,
) -> bool {
    let file = shown(&written.value);
    let parsed = CertificateRevocationList::from_der(list);
    let (Ok((_, parsed)), Ok(_)) = (parsed, webpki::BorrowedCertRevocationList::from_der(list)) else {
        let problem =
            written.place.error(format!("`{file}` holds something that is no X.509 revocation list of version 2"));
        report.push(problem.hint("download it again from the authority"));
        return false;
    };
    if let Some(next) = parsed.next_update().filter(|next| system_time(*next) < now) {
        let problem = written
            .place
            .warning(format!("the revocation list in `{file}` should have been replaced on {}", day(next)));
        report.push(problem.hint("download the current one; what it revokes stays revoked"));
    }
    true
}

fn system_time(time: ASN1Time) -> SystemTime {
    let seconds = time.timestamp();
    let distance = Duration::from_secs(seconds.unsigned_abs());
    let found = if seconds < 0 { UNIX_EPOCH.checked_sub(distance) } else { UNIX_EPOCH.checked_add(distance) };
    found.unwrap_or(UNIX_EPOCH)
}

/// The day in UTC, such as `2026-11-21`.
fn day(time: ASN1Time) -> String {
    time.to_datetime().date().to_string()
}
