//! A plan with its number and with what it takes to run that is not in it: certificates issued for development.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use rayline_config::{Certificate, CertificateTable, Plan, TlsVersion, Zone};
use rustls::pki_types::CertificateDer;

use crate::lookout::Lookout;
use crate::{development, origin_ca};

/// How often what origins are trusted by has changed in this process.
static TRUSTS: AtomicU64 = AtomicU64::new(0);

/// One version of the configuration, the same for every worker.
#[derive(Debug)]
pub(crate) struct Edition {
    pub(crate) plan: Plan,
    pub(crate) version: u64,
    /// What origins' certificates are trusted by beside the public CAs: the plan's own, and the Origin CA's root.
    pub(crate) origin_roots: Vec<CertificateDer<'static>>,
    /// Another number whenever what origins are trusted by has changed: kept connections outlive all else.
    pub(crate) trust: u64,
    /// What is looked out for, whichever version runs.
    pub(crate) lookout: Arc<Lookout>,
    /// Every certificate, and how it is served.
    pub(crate) certificates: Vec<Served>,
    /// Which of them answers to a server name.
    pub(crate) by_name: CertificateTable,
}

/// A certificate with what its zone's settings say of handshakes.
#[derive(Debug)]
pub(crate) struct Served {
    pub(crate) certificate: Arc<Certificate>,
    /// The least TLS version.
    pub(crate) least: TlsVersion,
    /// Whether HTTP/2 is offered.
    pub(crate) http2: bool,
}

impl Served {
    fn new(certificate: Arc<Certificate>, zone: &Zone) -> Self {
        Self { certificate, least: zone.settings.min_tls_version, http2: zone.settings.http2 }
    }
}

impl Edition {
    /// Makes the plan ready that an edge starts with.
    ///
    /// # Errors
    /// A development CA that cannot be read or made in `data_dir`.
    pub(crate) fn first(plan: Plan, version: u64) -> io::Result<Self> {
        Self::new(plan, version, None)
    }

    /// Makes a plan ready to follow another, or to be tried beside it.
    ///
    /// # Errors
    /// A development CA that cannot be read or made in `data_dir`.
    pub(crate) fn after(previous: &Self, plan: Plan, version: u64) -> io::Result<Self> {
        Self::new(plan, version, Some(previous))
    }

    fn new(plan: Plan, version: u64, previous: Option<&Self>) -> io::Result<Self> {
        let mut origin_roots = plan.server.origin_ca.clone();
        origin_roots.extend(origin_ca::roots(&plan.server.data_dir));
        let crls = &plan.server.origin_crl;
        let trust = match previous {
            Some(previous) if previous.origin_roots == origin_roots && previous.plan.server.origin_crl == *crls => {
                previous.trust
            }
            // a version may come twice, with other files that it names, or be tried and withdrawn
            Some(_) | None => TRUSTS.fetch_add(1, Ordering::Relaxed),
        };
        let mut certificates = Vec::new();
        for zone in &plan.zones {
            certificates.extend(zone.certificates.iter().map(|own| Served::new(Arc::clone(own), zone)));
        }
        if plan.server.development_ca && !plan.server.https.is_empty() {
            let authority = development::Authority::open(&plan.server.data_dir)?;
            for zone in plan.zones.iter().filter(|zone| zone.certificates.is_empty()) {
                let certificate = authority.issue(development::names(zone))?;
                certificates.push(Served::new(Arc::new(certificate), zone));
            }
        }
        let lookout = previous.map(|previous| Arc::clone(&previous.lookout)).unwrap_or_default();
        let by_name = CertificateTable::new(certificates.iter().map(|served| &served.certificate));
        Ok(Self { plan, version, origin_roots, trust, lookout, certificates, by_name })
    }
}
