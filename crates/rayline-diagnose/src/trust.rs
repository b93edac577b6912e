//! Which CAs a probe trusts beside the public ones built in.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use rustls::RootCertStore;
use rustls_pki_types::CertificateDer;
use rustls_pki_types::pem::PemObject as _;

/// Where systems keep the CAs they trust: Debian and Alpine, Red Hat, SUSE, BSD and macOS.
const SYSTEM_FILES: [&str; 5] = [
    "/etc/ssl/certs/ca-certificates.crt",
    "/etc/pki/tls/certs/ca-bundle.crt",
    "/etc/ssl/ca-bundle.pem",
    "/usr/local/share/certs/ca-root-nss.crt",
    "/etc/ssl/cert.pem",
];

/// The CAs that a person names, and those of the machine.
#[derive(Clone, Debug, Default)]
pub struct Trust {
    /// Named by the person, as an edge's `origin_ca` does.
    pub named: Vec<CertificateDer<'static>>,
    /// The machine's own, or those of `SSL_CERT_FILE`. Most of them are among the public ones built in.
    pub system: Vec<CertificateDer<'static>>,
}

impl Trust {
    /// The CAs in these files, and the machine's, for which the file of `SSL_CERT_FILE` may stand.
    ///
    /// # Errors
    /// A named file that cannot be read or has no certificate in it, in words. The machine's may be missing.
    pub fn load(files: &[PathBuf], ssl_cert_file: Option<OsString>) -> Result<Self, String> {
        let mut trust = Self::default();
        for file in files {
            trust.named.extend(read(file)?);
        }
        trust.system = match ssl_cert_file.filter(|path| !path.is_empty()) {
            Some(path) => read(Path::new(&path)).map_err(|why| format!("SSL_CERT_FILE: {why}"))?,
            None => SYSTEM_FILES.iter().find_map(|path| read(Path::new(path)).ok()).unwrap_or_default(),
        };
        Ok(trust)
    }
}

/// The certificates in a PEM file that can be trust anchors. A bundle may hold some that cannot.
fn read(path: &Path) -> Result<Vec<CertificateDer<'static>>, String> {
    let shown = path.display();
    let certificates =
        CertificateDer::pem_file_iter(path).map_err(|error| format!("cannot read `{shown}`: {error}"))?;
    let certificates: Vec<_> = certificates
        .collect::<Result<_, _>>()
        .map_err(|error| format!("`{shown}` is no file of certificates (PEM): {error}"))?;
    let usable = |certificate: &CertificateDer<'static>| RootCertStore::empty().add(certificate.clone()).is_ok();
    let anchors: Vec<_> = certificates.into_iter().filter(usable).collect();
    if anchors.is_empty() { Err(format!("there is no certificate in `{shown}`")) } else { Ok(anchors) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_named_file_must_be_one() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("ca.pem");
        assert!(Trust::load(std::slice::from_ref(&path), None).unwrap_err().contains("ca.pem"));
        std::fs::write(&path, "rubbish").unwrap();
        assert!(Trust::load(std::slice::from_ref(&path), None).is_err());
        assert!(Trust::load(&[], Some(path.clone().into())).unwrap_err().starts_with("SSL_CERT_FILE"));
        let authority = rayline_testkit::Authority::new("Test").unwrap();
        std::fs::write(&path, authority.root_pem() + &authority.intermediate_pem()).unwrap();
        let trust = Trust::load(std::slice::from_ref(&path), Some(path.clone().into())).unwrap();
        assert_eq!((trust.named.len(), trust.system.len()), (2, 2));
    }
}
