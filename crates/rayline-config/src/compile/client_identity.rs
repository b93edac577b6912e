//! `[zone.origin_tls_client_auth]`: the certificate by which origins know the edge (authenticated origin pulls).
//!
//! Which authority an origin trusts for it is the origin's affair and cannot be seen from here.

use std::sync::Arc;
use std::time::SystemTime;

use rustls_pki_types::CertificateDer;

use super::certificates::read_pair;
use super::pem::parse_certificate;
use crate::document::{At, Fields, Report, shown};
use crate::plan::ClientIdentity;

/// The identity that a zone's `tls_client_auth` calls for, if it is on and there is one.
///
/// Files are read where it is off, too: who prepares them wants to know what is wrong before switching it on.
pub(super) fn read(zone: &Fields<'_>, tls_client_auth: &At<bool>, now: SystemTime) -> Option<Arc<ClientIdentity>> {
    let report = zone.report;
    let fields = zone.optional_table("origin_tls_client_auth");
    let identity = fields.as_ref().and_then(|fields| read_identity(fields, now));
    match (tls_client_auth.value, fields) {
        (true, Some(_)) => identity,
        (true, None) => {
            // a table that cannot be read has left its own problem
            if zone.written("origin_tls_client_auth").is_none() {
                let problem = tls_client_auth.place.error("there is no certificate to show to origins");
                report.push(
                    problem
                        .hint("add `[zone.origin_tls_client_auth]` to the zone, with `certificate` and `private_key`"),
                );
            }
            None
        }
        (false, Some(fields)) => {
            // a switch that cannot be read has left its own problem
            if tls_client_auth.place.span.is_none() || !report.failed(|path| path == tls_client_auth.place.path) {
                let problem =
                    fields.place.warning("this certificate is not shown to origins: `tls_client_auth` is off");
                report.push(problem.hint("set `tls_client_auth = \"on\"` in `[zone.settings]`"));
            }
            None
        }
        (false, None) => None,
    }
}

fn read_identity(fields: &Fields<'_>, now: SystemTime) -> Option<Arc<ClientIdentity>> {
    let pair = read_pair(fields, now)?;
    check_purpose(pair.certified.cert.first()?, &pair.chain_at, fields.report);
    Some(Arc::new(ClientIdentity { chain: pair.certified.cert, key: pair.key }))
}

/// A certificate that lists purposes must list this one, or servers refuse it (RFC 5280 section 4.2.1.12).
fn check_purpose(leaf: &CertificateDer<'_>, written: &At<String>, report: &Report<'_>) {
    let Some(leaf) = parse_certificate(leaf, written, report) else { return };
    let Ok(Some(purposes)) = leaf.extended_key_usage() else { return };
    if !purposes.value.client_auth && !purposes.value.any {
        let file = shown(&written.value);
        let problem = written
            .place
            .warning(format!("the certificate in `{file}` is not for client authentication (`clientAuth`)"));
        report.push(problem.hint("most servers refuse it: get one whose extended key usage lists `clientAuth`"));
    }
}
