//! Certificates in PEM files: what visitors' and origins' have in common.
//!
//! It checks that a file is what it should be, not whether anyone trusts it: browsers and the origin's verifier do that.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use rustls_pki_types::CertificateDer;
use rustls_pki_types::pem::PemObject;
use x509_parser::prelude::{FromDer, X509Certificate};
use x509_parser::time::ASN1Time;

use super::file::read_file;
use crate::document::{At, Report, shown};

/// The longest file of certificates or keys, in bytes.
pub(super) const LONGEST_PEM: u64 = 4 << 20;
/// How long before its end a certificate's expiry is a warning.
const EXPIRES_SOON: Duration = Duration::from_secs(14 * 86_400);

/// The certificates in a PEM file, at least one.
pub(super) fn read_certificates(written: &At<String>, report: &Report<'_>) -> Option<Vec<CertificateDer<'static>>> {
    let bytes = read_file(written, LONGEST_PEM, report)?;
    let certificates: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(&bytes).collect();
    match certificates {
        Ok(certificates) if !certificates.is_empty() => return Some(certificates),
        Ok(_) => refuse_kind(written, "certificate", &bytes, report),
        Err(_) => refuse_damaged(written, report),
    }
    None
}

/// Says what a file holds instead of what it should.
pub(super) fn refuse_kind(written: &At<String>, wanted: &str, bytes: &[u8], report: &Report<'_>) {
    let file = shown(&written.value);
    let text = String::from_utf8_lossy(bytes);
    let found: Vec<&str> =
        text.lines().filter_map(|line| line.trim().strip_prefix("-----BEGIN ")?.strip_suffix("-----")).collect();
    let problem = written.place.error(format!("`{file}` holds no {wanted}"));
    report.push(match found.first() {
        Some(label) if (wanted, *label) == ("private key", "CERTIFICATE") || (wanted == "certificate" && label.ends_with("PRIVATE KEY")) => {
            problem.hint(format!("it holds `{}`: were two files swapped?", shown(label)))
        }
        Some(label) => problem.hint(format!("it holds `{}`", shown(label))),
        // DER begins with a SEQUENCE longer than 127 bytes
        None if bytes.starts_with(&[0x30, 0x81]) || bytes.starts_with(&[0x30, 0x82]) => {
            problem.hint("it seems to be DER: turn it into PEM, for example with `openssl x509 -inform der` or `openssl pkey -inform der`")
        }
        None => problem.hint("a PEM file has lines such as `-----BEGIN CERTIFICATE-----`"),
    });
}

pub(super) fn refuse_damaged(written: &At<String>, report: &Report<'_>) {
    let problem = written.place.error(format!("`{}` is damaged: its PEM cannot be decoded", shown(&written.value)));
    report.push(problem.hint("copy the file again, whole"));
}

pub(super) fn parse_certificate<'a>(
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

pub(super) fn check_dates(
    certificate: &X509Certificate<'_>,
    written: &At<String>,
    now: SystemTime,
    report: &Report<'_>,
) {
    let file = shown(&written.value);
    let validity = certificate.validity();
    let (not_before, not_after) = (system_time(validity.not_before), system_time(validity.not_after));
    let (message, hint) = if not_after < now {
        (
            format!("the certificate in `{file}` expired on {}", day(validity.not_after)),
            "replace it; until then it is used as it is",
        )
    } else if now < not_before {
        let message = format!("the certificate in `{file}` is not valid before {}", day(validity.not_before));
        (message, "check this machine's clock; the certificate is used as it is")
    } else if now.checked_add(EXPIRES_SOON).is_some_and(|soon| not_after < soon) {
        (format!("the certificate in `{file}` expires on {}", day(validity.not_after)), "replace it in time")
    } else {
        return;
    };
    report.push(written.place.warning(message).hint(hint));
}

pub(super) fn system_time(time: ASN1Time) -> SystemTime {
    let seconds = time.timestamp();
    let distance = Duration::from_secs(seconds.unsigned_abs());
    let found = if seconds < 0 { UNIX_EPOCH.checked_sub(distance) } else { UNIX_EPOCH.checked_add(distance) };
    found.unwrap_or(UNIX_EPOCH)
}

/// The day in UTC, such as `2026-11-21`.
pub(super) fn day(time: ASN1Time) -> String {
    time.to_datetime().date().to_string()
}
