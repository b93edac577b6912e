//! Certificates toward visitors, and which of them answers to a server name.
//!
//! It does not issue certificates and does not pick a signature scheme: the TLS stack's resolver does, from what is found here.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::SystemTime;

use rustls::sign::CertifiedKey;

/// A certificate chain with its private key.
#[derive(Debug)]
pub struct Certificate {
    /// Chain and key as rustls takes them.
    pub key: Arc<CertifiedKey>,
    /// The DNS names it is for, lower case, wildcards as `*.name`.
    pub names: Vec<String>,
    /// When it expires.
    pub not_after: SystemTime,
}

impl Certificate {
    /// Whether it is valid for `host` (lower case, no final dot): a wildcard stands for exactly one label (RFC 9525 section 6.3).
    pub fn covers(&self, host: &str) -> bool {
        let above = host.split_once('.').map(|(_, above)| above);
        self.names.iter().any(|name| match name.strip_prefix("*.") {
            Some(base) => above == Some(base),
            None => name == host,
        })
    }
}

/// Which certificates answer to a server name.
#[derive(Debug, Default)]
pub struct CertificateTable {
    first: Option<Arc<Certificate>>,
    by_name: HashMap<Box<str>, Vec<Arc<Certificate>>>,
    /// By what follows the `*.`.
    wildcards: HashMap<Box<str>, Vec<Arc<Certificate>>>,
}

impl CertificateTable {
    /// A table of these certificates.
    pub fn new<'a>(certificates: impl IntoIterator<Item = &'a Arc<Certificate>>) -> Self {
        let mut table = Self::default();
        for certificate in certificates {
            table.first.get_or_insert_with(|| Arc::clone(certificate));
            for name in &certificate.names {
                let (map, name) = match name.strip_prefix("*.") {
                    Some(base) => (&mut table.wildcards, base),
                    None => (&mut table.by_name, name.as_str()),
                };
                map.entry(name.into()).or_default().push(Arc::clone(certificate));
            }
        }
        table
    }

    /// The certificates for `name` (lower case, no final dot) in the order they were written: those that name it,
    /// else those with a wildcard for it. There may be several of different key types.
    pub fn find(&self, name: &str) -> &[Arc<Certificate>] {
        let exact = self.by_name.get(name);
        let found = exact.or_else(|| {
            let (_, above) = name.split_once('.')?;
            self.wildcards.get(above)
        });
        found.map_or(&[], Vec::as_slice)
    }

    /// The certificate written first, for visitors who name no server or one that has none.
    pub fn first(&self) -> Option<&Arc<Certificate>> {
        self.first.as_ref()
    }

    /// Whether there is no certificate at all.
    pub fn is_empty(&self) -> bool {
        self.first.is_none()
    }
}
