//! A local CA for development: issues the certificates that a zone has none of, so that HTTPS works without a single
//! file. Browsers trust it once its root, `development-ca.pem` in `data_dir`, is added to them.

use std::collections::BTreeSet;
use std::fs::{self, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use rayline_config::{Certificate, Zone};
use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair, KeyUsagePurpose,
};
use rustls::crypto::aws_lc_rs::sign::any_supported_type;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use rustls::sign::CertifiedKey;

const ROOT_FILE: &str = "development-ca.pem";
const KEY_FILE: &str = "development-ca.key";
/// Browsers refuse certificates that are valid for longer than 398 days.
const LEAF_DAYS: u64 = 90;
const ROOT_DAYS: u64 = 3650;
const DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// The local CA.
pub(crate) struct Authority {
    issuer: Issuer<'static, KeyPair>,
}

/// The names that a zone's visitors use: the apex, everything one label below it, and each record's name.
pub(crate) fn names(zone: &Zone) -> Vec<String> {
    let mut names = BTreeSet::from([zone.name.clone(), format!("*.{}", zone.name)]);
    for record in &zone.records {
        names.insert(if record.wildcard { format!("*.{}", record.name) } else { record.name.clone() });
    }
    names.into_iter().collect()
}

impl Authority {
    /// Opens the CA in `folder`, or makes one there.
    ///
    /// # Errors
    /// A folder that cannot be written, or files in it that are no CA.
    pub(crate) fn open(folder: &Path) -> io::Result<Self> {
        let (root, key) = (folder.join(ROOT_FILE), folder.join(KEY_FILE));
        let issuer = if root.exists() && key.exists() {
            let key = KeyPair::from_pem(&fs::read_to_string(&key)?).map_err(|error| broken(&key, &error))?;
            Issuer::from_ca_cert_pem(&fs::read_to_string(&root)?, key).map_err(|error| broken(&root, &error))?
        } else {
            fs::create_dir_all(folder)?;
            create(&root, &key)?
        };
        Ok(Self { issuer })
    }

    /// Issues a certificate for these names.
    ///
    /// # Errors
    /// A name that no certificate can carry.
    pub(crate) fn issue(&self, names: Vec<String>) -> io::Result<Certificate> {
        let not_after = SystemTime::now() + DAY * u32::try_from(LEAF_DAYS).unwrap_or(u32::MAX);
        let mut params = CertificateParams::new(names.clone()).map_err(io::Error::other)?;
        valid_until(&mut params, not_after);
        let common_name = names.first().cloned().unwrap_or_default();
        params.distinguished_name.push(DnType::CommonName, common_name);
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        let key = KeyPair::generate().map_err(io::Error::other)?;
        let certificate = params.signed_by(&key, &self.issuer).map_err(io::Error::other)?;
        let der = PrivateKeyDer::from(PrivatePkcs8KeyDer::from(key.serialize_der()));
        let signing = any_supported_type(&der).map_err(io::Error::other)?;
        let chain: Vec<CertificateDer<'static>> = vec![certificate.der().clone()];
        Ok(Certificate { key: Arc::new(CertifiedKey::new(chain, signing)), names, not_after })
    }
}

fn create(root: &Path, key_file: &Path) -> io::Result<Issuer<'static, KeyPair>> {
    let mut params = CertificateParams::default();
    valid_until(&mut params, SystemTime::now() + DAY * u32::try_from(ROOT_DAYS).unwrap_or(u32::MAX));
    params.distinguished_name.push(DnType::CommonName, "Rayline development CA");
    params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    let key = KeyPair::generate().map_err(io::Error::other)?;
    let certificate = params.self_signed(&key).map_err(io::Error::other)?;
    let mut file = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(key_file)?;
    file.write_all(key.serialize_pem().as_bytes())?;
    fs::write(root, certificate.pem())?;
    Ok(Issuer::new(params, key))
}

/// From yesterday, for clocks that are slow.
fn valid_until(params: &mut CertificateParams, not_after: SystemTime) {
    params.not_before = (SystemTime::now() - DAY).into();
    params.not_after = not_after.into();
}

fn broken(path: &Path, error: &rcgen::Error) -> io::Error {
    io::Error::other(format!(
        "{} cannot be used: {error}; remove it together with its companion to have a new one made",
        path.display()
    ))
}
