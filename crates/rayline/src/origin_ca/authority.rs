//! The Origin CA in the data directory: made on first use, and what it issues.

use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use rayline_diagnose::fingerprint;
use rayline_edge::ORIGIN_CA_ROOT;
use rcgen::{
    BasicConstraints, CertificateParams, DistinguishedName, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
    KeyUsagePurpose, PublicKeyData as _, SerialNumber, SubjectPublicKeyInfo,
};
use serde_json::{Value, json};
use time::format_description::well_known::Rfc3339;
use time::{Duration, OffsetDateTime};
use x509_parser::parse_x509_certificate;
use x509_parser::pem::Pem;

use super::names::Names;
use super::{Trouble, absolute, write_over, write_secret};

/// Beside the root certificate.
const KEY_FILE: &str = "ca.key";
/// Twice the longest certificate's time.
const ROOT_DAYS: i64 = 2 * 5475;
/// Clocks of origins and edges differ.
const HEAD_START: Duration = Duration::hours(1);

/// A root certificate with its key.
pub(super) struct Authority {
    issuer: Issuer<'static, KeyPair>,
    root_file: PathBuf,
    root_pem: String,
    root_der: Vec<u8>,
    not_before: OffsetDateTime,
    not_after: OffsetDateTime,
}

/// A certificate that was issued.
pub(super) struct Leaf {
    pub(super) pem: String,
    pub(super) der: Vec<u8>,
    /// Hexadecimal.
    pub(super) serial: String,
    pub(super) not_before: OffsetDateTime,
    pub(super) not_after: OffsetDateTime,
}

impl Authority {
    /// Opens the CA of a data directory, if there is one.
    ///
    /// # Errors
    /// Files that are no CA, of which one is missing, or that cannot be read.
    pub(super) fn open(data_dir: &Path) -> Result<Option<Self>, Trouble> {
        let root_file = data_dir.join(ORIGIN_CA_ROOT);
        let key_file = root_file.with_file_name(KEY_FILE);
        let read = |path: &Path| match std::fs::read_to_string(path) {
            Ok(text) => Ok(Some(text)),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
            Err(error) => Err(Trouble::file("read", path, &error)),
        };
        let (root_pem, key_pem) = match (read(&root_file)?, read(&key_file)?) {
            (Some(root), Some(key)) => (root, key),
            (None, None) => return Ok(None),
            (root, _) => {
                let (there, missing) = if root.is_some() { (root_file, key_file) } else { (key_file, root_file) };
                return Err(Trouble::cannot(
                    format!("there is `{}` without `{}`", there.display(), missing.display()),
                    Some("bring the missing file back, or move the other away to have a new CA made"),
                ));
            }
        };
        let broken = |path: &Path, why: &dyn std::fmt::Display| {
            Trouble::cannot(
                format!("`{}` cannot be used: {why}", path.display()),
                Some("bring the file back from a copy, or move both away to have a new CA made"),
            )
        };
        let key = KeyPair::from_pem(&key_pem).map_err(|error| broken(&key_file, &error))?;
        let root_der = match Pem::iter_from_buffer(root_pem.as_bytes()).next() {
            Some(Ok(pem)) if pem.label == "CERTIFICATE" => pem.contents,
            Some(_) | None => return Err(broken(&root_file, &"there is no certificate in it")),
        };
        let (_, parsed) = parse_x509_certificate(&root_der).map_err(|error| broken(&root_file, &error))?;
        if parsed.public_key().raw != key.subject_public_key_info() {
            return Err(broken(&key_file, &"it is not the key of the certificate beside it"));
        }
        let (not_before, not_after) =
            (parsed.validity().not_before.to_datetime(), parsed.validity().not_after.to_datetime());
        let issuer = Issuer::from_ca_cert_pem(&root_pem, key).map_err(|error| broken(&root_file, &error))?;
        Ok(Some(Self { issuer, root_file: absolute(&root_file), root_pem, root_der, not_before, not_after }))
    }

    /// The same, or a new one if there is none; the flag says so.
    pub(super) fn open_or_make(data_dir: &Path) -> Result<(Self, bool), Trouble> {
        if let Some(authority) = Self::open(data_dir)? {
            return Ok((authority, false));
        }
        make(data_dir)?;
        let made = Self::open(data_dir)?.ok_or_else(|| Trouble::cannot("the new Origin CA has vanished", None))?;
        Ok((made, true))
    }

    /// Certifies a key for these names, from an hour ago until `days` from now.
    ///
    /// # Errors
    /// A certificate that would outlive the CA.
    pub(super) fn issue(&self, key: &SubjectPublicKeyInfo, names: &Names, days: u32) -> Result<Leaf, Trouble> {
        let failed = |error: rcgen::Error| Trouble::cannot(format!("cannot issue the certificate: {error}"), None);
        let now = now();
        let mut params = CertificateParams::new(names.as_slice().to_vec()).map_err(failed)?;
        params.not_before = now - HEAD_START;
        params.not_after = now + Duration::days(days.into());
        if params.not_after > self.not_after {
            return Err(Trouble::cannot(
                format!("the Origin CA ends on {}, before a certificate of {days} days would", self.not_after.date()),
                Some("choose fewer `--days`, or move the CA's files away to have a new one made"),
            ));
        }
        params.distinguished_name = DistinguishedName::new();
        params.distinguished_name.push(DnType::CommonName, "Rayline Origin Certificate");
        params.is_ca = IsCa::ExplicitNoCa;
        // Key encipherment is for RSA key exchange, which some servers still want to see allowed.
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature, KeyUsagePurpose::KeyEncipherment];
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        params.use_authority_key_identifier_extension = true;
        let serial = serial_number()?;
        params.serial_number = Some(SerialNumber::from_slice(&serial));
        let (not_before, not_after) = (params.not_before, params.not_after);
        let certificate = params.signed_by(key, &self.issuer).map_err(failed)?;
        let serial = serial.iter().map(|byte| format!("{byte:02x}")).collect();
        Ok(Leaf { pem: certificate.pem(), der: certificate.der().to_vec(), serial, not_before, not_after })
    }

    pub(super) fn root_pem(&self) -> &str {
        &self.root_pem
    }

    pub(super) fn root_file(&self) -> &Path {
        &self.root_file
    }

    /// With the certificate itself.
    pub(super) fn to_json_with_pem(&self) -> Value {
        let mut object = self.to_json();
        object.as_object_mut().map(|object| object.insert("pem".to_owned(), json!(self.root_pem)));
        object
    }

    pub(super) fn to_json(&self) -> Value {
        json!({
            "certificate": self.root_file.display().to_string(),
            "not_before": rfc3339(self.not_before),
            "not_after": rfc3339(self.not_after),
            "sha256": fingerprint(&self.root_der),
        })
    }
}

/// Makes a CA. The key comes first and must be new: of two that make one at once, one fails.
fn make(data_dir: &Path) -> Result<(), Trouble> {
    let failed = |error: rcgen::Error| Trouble::cannot(format!("cannot make the Origin CA: {error}"), None);
    let root_file = data_dir.join(ORIGIN_CA_ROOT);
    if let Some(folder) = root_file.parent() {
        std::fs::create_dir_all(folder).map_err(|error| Trouble::file("make", folder, &error))?;
    }
    let mut params = CertificateParams::default();
    params.not_before = now() - HEAD_START;
    params.not_after = now() + Duration::days(ROOT_DAYS);
    params.distinguished_name = DistinguishedName::new();
    // Its own name, or two of them would be taken for each other.
    let serial = serial_number()?;
    let mark: String = serial.iter().take(4).map(|byte| format!("{byte:02x}")).collect();
    params.distinguished_name.push(DnType::CommonName, format!("Rayline Origin CA {mark}"));
    params.serial_number = Some(SerialNumber::from_slice(&serial));
    params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    let key = KeyPair::generate().map_err(failed)?;
    let certificate = params.self_signed(&key).map_err(failed)?;
    write_secret(&root_file.with_file_name(KEY_FILE), &key.serialize_pem(), false)?;
    write_over(&root_file, &certificate.pem())
}

/// A random serial number: two certificates of one key, as renewals are, must not share theirs (RFC 5280 section 4.1.2.2).
fn serial_number() -> Result<[u8; 16], Trouble> {
    let mut bytes = [0; 16];
    getrandom::fill(&mut bytes).map_err(|error| Trouble::cannot(format!("no random numbers: {error}"), None))?;
    // Positive, and of full length.
    let [first, ..] = &mut bytes;
    *first = *first & 0x3f | 0x40;
    Ok(bytes)
}

/// The present, to the second, as certificates know it.
fn now() -> OffsetDateTime {
    let now = OffsetDateTime::now_utc();
    now.replace_nanosecond(0).unwrap_or(now)
}

/// A time as JSON has it.
pub(super) fn rfc3339(time: OffsetDateTime) -> String {
    time.format(&Rfc3339).unwrap_or_default()
}
