//! `origin_ca` and `origin_crl`: whom the edge believes of an origin besides the public authorities.

use std::time::SystemTime;

use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, CertificateRevocationListDer};
use x509_parser::prelude::FromDer;
use x509_parser::revocation_list::CertificateRevocationList;

use super::file::read_file;
use super::pem::{check_dates, day, parse_certificate, read_certificates, refuse_damaged, refuse_kind, system_time};
use crate::document::{At, Fields, Report, shown};

/// The longest revocation list, in bytes: public ones reach some ten million.
const LONGEST_LIST: u64 = 64 << 20;

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
        let Some(bytes) = read_file(&written, LONGEST_LIST, report) else { continue };
        let found = if bytes.starts_with(&[0x30]) {
            Ok(vec![CertificateRevocationListDer::from(bytes.clone())])
        } else {
            CertificateRevocationListDer::pem_slice_iter(&bytes).collect::<Result<Vec<_>, _>>()
        };
        match found {
            Ok(found) if found.is_empty() => refuse_kind(&written, "revocation list", &bytes, report),
            Ok(found) => lists.extend(found.into_iter().filter(|list| check_list(list, &written, now, report))),
            Err(_) => refuse_damaged(&written, report),
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
