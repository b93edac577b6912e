//! The Origin CA of the data directory, whose certificates `strict` trusts at origins without being told to.
//!
//! It issues nothing: `rayline origin-ca` does, and keeps the CA's key, which the edge has no use for.

use std::io::ErrorKind;
use std::path::Path;

use rustls::RootCertStore;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::{self, PemObject as _};

/// Where in `data_dir` the root certificate lies, as PEM.
pub const ORIGIN_CA_ROOT: &str = "origin-ca/ca.pem";

/// The roots in a data directory, if there is an Origin CA.
///
/// One that cannot be used is left out, and said so on standard error: only origins with its certificates suffer, and
/// each of their requests gets a verdict.
pub(crate) fn roots(data_dir: &Path) -> Vec<CertificateDer<'static>> {
    let path = data_dir.join(ORIGIN_CA_ROOT);
    read(&path).unwrap_or_else(|why| {
        eprintln!("rayline: the Origin CA `{}` is not trusted: {why}", path.display());
        Vec::new()
    })
}

fn read(path: &Path) -> Result<Vec<CertificateDer<'static>>, String> {
    let roots = match CertificateDer::pem_file_iter(path) {
        Ok(certificates) => certificates.collect::<Result<Vec<_>, _>>(),
        Err(pem::Error::Io(error)) if error.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => Err(error),
    };
    let roots = roots.map_err(|error| error.to_string())?;
    if roots.is_empty() {
        return Err("there is no certificate in it".to_owned());
    }
    let mut store = RootCertStore::empty();
    for root in &roots {
        store.add(root.clone()).map_err(|error| error.to_string())?;
    }
    Ok(roots)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_root_that_cannot_be_used_is_left_out() {
        let folder = tempfile::tempdir().unwrap();
        assert_eq!(roots(folder.path()), [], "no Origin CA is no mistake");
        let path = folder.path().join(ORIGIN_CA_ROOT);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        let authority = rayline_testkit::Authority::new("Origin CA").unwrap();
        for text in ["", "rubbish", "-----BEGIN CERTIFICATE-----\nMAA=\n-----END CERTIFICATE-----\n"] {
            std::fs::write(&path, text).unwrap();
            assert!(read(&path).is_err(), "{text}");
            assert_eq!(roots(folder.path()), [], "{text}");
        }
        std::fs::write(&path, authority.root_pem()).unwrap();
        assert_eq!(roots(folder.path()), [authority.root_der()]);
    }
}
