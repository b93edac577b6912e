//! A plan with its number and with what it takes to run that is not in it: certificates issued for development.

use std::io;
use std::sync::Arc;

use rayline_config::{Certificate, CertificateTable, Plan, TlsVersion};
use rustls::pki_types::CertificateDer;

use crate::{development, origin_ca};

/// One version of the configuration, the same for every worker.
#[derive(Debug)]
pub(crate) struct Edition {
    pub(crate) plan: Plan,
    pub(crate) version: u64,
    /// What origins' certificates are trusted by beside the public CAs: the plan's own, and the Origin CA's root.
    pub(crate) origin_roots: Vec<CertificateDer<'static>>,
    /// The version that last changed what origins are trusted by: kept connections outlive the others.
    pub(crate) trust: u64,
    /// Every certificate with the least TLS version of its zone.
    pub(crate) certificates: Vec<(Arc<Certificate>, TlsVersion)>,
    /// Which of them answers to a server name.
    pub(crate) by_name: CertificateTable,
}

impl Edition {
    /// Makes a plan ready to follow `previous`.
    ///
    /// # Errors
    /// A development CA that cannot be read or made in `data_dir`.
    pub(crate) fn new(plan: Plan, previous: Option<&Self>) -> io::Result<Self> {
        let version = previous.map_or(1, |previous| previous.version + 1);
        let mut origin_roots = plan.server.origin_ca.clone();
        origin_roots.extend(origin_ca::roots(&plan.server.data_dir));
        let crls = &plan.server.origin_crl;
        let trust = match previous {
            Some(previous) if previous.origin_roots == origin_roots && previous.plan.server.origin_crl == *crls => {
                previous.trust
            }
            Some(_) | None => version,
        };
        let mut certificates = Vec::new();
        for zone in &plan.zones {
            let least = zone.settings.min_tls_version;
            certificates.extend(zone.certificates.iter().map(|certificate| (Arc::clone(certificate), least)));
        }
        if plan.server.development_ca && !plan.server.https.is_empty() {
            let authority = development::Authority::open(&plan.server.data_dir)?;
            for zone in plan.zones.iter().filter(|zone| zone.certificates.is_empty()) {
                let certificate = authority.issue(development::names(zone))?;
                certificates.push((Arc::new(certificate), zone.settings.min_tls_version));
            }
        }
        let by_name = CertificateTable::new(certificates.iter().map(|(certificate, _)| certificate));
        Ok(Self { plan, version, origin_roots, trust, certificates, by_name })
    }
}
