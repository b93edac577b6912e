//! A certificate authority of one's own, which issues good certificates and bad ones.
//!
//! Keys are ECDSA P-256. It makes no weak keys and no SHA-1 signatures: the cryptography library below refuses to.

use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use rcgen::{
    BasicConstraints, Certificate, CertificateParams, CertificateRevocationListParams, CertifiedIssuer, DnType,
    ExtendedKeyUsagePurpose, IsCa, KeyIdMethod, KeyPair, KeyUsagePurpose, RevocationReason, RevokedCertParams,
    SerialNumber,
};
use rustls_pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use time::{Duration, OffsetDateTime};

use crate::tls;
pub use flaw::Flaw;

mod flaw;
mod ocsp;

type Issuer = CertifiedIssuer<'static, KeyPair>;

/// A root certificate, an intermediate below it, and the certificates that this one issues.
#[derive(Debug)]
pub struct Authority {
    name: String,
    root: Issuer,
    intermediate: Issuer,
    revoked: Mutex<Vec<(SerialNumber, OffsetDateTime)>>,
}

/// A certificate with its chain and key.
#[derive(Debug, Clone)]
pub struct Issued {
    flaw: Flaw,
    chain: Vec<CertificateDer<'static>>,
    chain_pem: String,
    key: Arc<PrivateKeyDer<'static>>,
    key_pem: String,
    staple: Option<Vec<u8>>,
    not_before: OffsetDateTime,
    not_after: OffsetDateTime,
}

impl Authority {
    /// Makes an authority whose certificates are named after `name`.
    ///
    /// # Errors
    /// When keys or certificates cannot be made.
    pub fn new(name: &str) -> io::Result<Self> {
        let params = issuer_params(&format!("{name} Root"));
        let root = Issuer::self_signed(params, new_key()?).map_err(io::Error::other)?;
        let intermediate = intermediate(name, &root)?;
        Ok(Self { name: name.to_owned(), root, intermediate, revoked: Mutex::default() })
    }

    /// Issues a server certificate with this flaw to a server called `names`: DNS names, wildcards or IP addresses.
    ///
    /// # Errors
    /// When a name cannot stand in a certificate.
    pub fn issue(&self, flaw: Flaw, names: &[&str]) -> io::Result<Issued> {
        let usage = if flaw == Flaw::WrongUsage {
            ExtendedKeyUsagePurpose::ClientAuth
        } else {
            ExtendedKeyUsagePurpose::ServerAuth
        };
        self.sign(flaw, names, usage)
    }

    /// Issues a certificate for a client.
    ///
    /// # Errors
    /// When the name cannot stand in a certificate.
    pub fn issue_client(&self, name: &str) -> io::Result<Issued> {
        self.sign(Flaw::None, &[name], ExtendedKeyUsagePurpose::ClientAuth)
    }

    fn sign(&self, flaw: Flaw, names: &[&str], usage: ExtendedKeyUsagePurpose) -> io::Result<Issued> {
        let key = new_key()?;
        let params = leaf_params(flaw, names, usage)?;
        let (not_before, not_after) = (params.not_before, params.not_after);
        let by = |issuer: &Issuer| params.signed_by(&key, issuer).map_err(io::Error::other);
        let chain: Vec<Certificate> = match flaw {
            Flaw::SelfSigned => vec![params.self_signed(&key).map_err(io::Error::other)?],
            Flaw::UnknownIssuer => {
                let stranger = Self::new("Somebody Else's")?.intermediate;
                vec![by(&stranger)?, stranger.as_ref().clone()]
            }
            Flaw::MissingIntermediate => vec![by(&self.intermediate)?],
            Flaw::BadSignature => {
                let namesake = intermediate(&self.name, &self.root)?;
                vec![by(&namesake)?, self.intermediate.as_ref().clone()]
            }
            Flaw::None
            | Flaw::Expired
            | Flaw::NotYetValid
            | Flaw::WrongName
            | Flaw::CommonNameOnly
            | Flaw::WrongUsage
            | Flaw::Revoked
            | Flaw::RevokedStapled => {
                vec![by(&self.intermediate)?, self.intermediate.as_ref().clone()]
            }
        };
        let mut issued = Issued {
            flaw,
            chain_pem: chain.iter().map(Certificate::pem).collect(),
            chain: chain.iter().map(|certificate| certificate.der().clone()).collect(),
            key: Arc::new(PrivatePkcs8KeyDer::from(key.serialize_der()).into()),
            key_pem: key.serialize_pem(),
            staple: None,
            not_before,
            not_after,
        };
        if matches!(flaw, Flaw::Revoked | Flaw::RevokedStapled) {
            let now = now();
            let serial = params.serial_number.ok_or_else(|| io::Error::other("no serial number"))?;
            self.revoked.lock().unwrap_or_else(PoisonError::into_inner).push((serial, now));
            if flaw == Flaw::RevokedStapled {
                issued.staple = Some(ocsp::revoked(&self.intermediate, &issued.chain, now)?);
            }
        }
        Ok(issued)
    }

    /// The root certificate, the one to trust.
    pub fn root_der(&self) -> CertificateDer<'static> {
        self.root.der().clone()
    }

    /// The root certificate, the one to trust.
    pub fn root_pem(&self) -> String {
        self.root.pem()
    }

    /// The intermediate certificate, which servers send along.
    pub fn intermediate_pem(&self) -> String {
        self.intermediate.pem()
    }

    /// The revocation lists of both issuers, one after the other. They name what was issued with [`Flaw::Revoked`] or
    /// [`Flaw::RevokedStapled`] until now.
    ///
    /// # Errors
    /// When a list cannot be signed.
    pub fn crl_pem(&self) -> io::Result<String> {
        let revoked = self.revoked.lock().unwrap_or_else(PoisonError::into_inner);
        let revoked = revoked.iter().map(|(serial, at)| RevokedCertParams {
            serial_number: serial.clone(),
            revocation_time: *at,
            reason_code: Some(RevocationReason::KeyCompromise),
            invalidity_date: None,
        });
        let leaves = crl(&self.intermediate, revoked.collect())?;
        Ok(leaves + &crl(&self.root, Vec::new())?)
    }

    /// Writes `root.pem`, `intermediate.pem` and `crl.pem` into `dir` and returns the path of the first.
    ///
    /// # Errors
    /// Those of writing files.
    pub fn write_to(&self, dir: &Path) -> io::Result<PathBuf> {
        let root = dir.join("root.pem");
        std::fs::write(&root, self.root_pem())?;
        std::fs::write(dir.join("intermediate.pem"), self.intermediate_pem())?;
        std::fs::write(dir.join("crl.pem"), self.crl_pem()?)?;
        Ok(root)
    }
}

impl Issued {
    /// What is wrong with it.
    pub fn flaw(&self) -> Flaw {
        self.flaw
    }

    /// What a server sends: the certificate first, its issuer next.
    pub fn chain(&self) -> &[CertificateDer<'static>] {
        &self.chain
    }

    /// The private key.
    pub fn key(&self) -> PrivateKeyDer<'static> {
        self.key.clone_key()
    }

    /// The OCSP response to staple (RFC 6960), in DER.
    pub fn staple(&self) -> Option<&[u8]> {
        self.staple.as_deref()
    }

    /// When it begins to be valid.
    pub fn not_before(&self) -> OffsetDateTime {
        self.not_before
    }

    /// When it ceases to be valid.
    pub fn not_after(&self) -> OffsetDateTime {
        self.not_after
    }

    /// The chain as PEM.
    pub fn chain_pem(&self) -> &str {
        &self.chain_pem
    }

    /// The private key as PEM (PKCS #8).
    pub fn key_pem(&self) -> &str {
        &self.key_pem
    }

    /// Writes `<stem>.pem` (the chain) and `<stem>.key` into `dir` and returns both paths. Others may not read the key.
    ///
    /// # Errors
    /// Those of writing files.
    pub fn write_to(&self, dir: &Path, stem: &str) -> io::Result<(PathBuf, PathBuf)> {
        let chain = dir.join(format!("{stem}.pem"));
        std::fs::write(&chain, self.chain_pem())?;
        let key = dir.join(format!("{stem}.key"));
        let mut options = std::fs::OpenOptions::new();
        options.write(true).create(true).truncate(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        options.open(&key)?.write_all(self.key_pem.as_bytes())?;
        Ok((chain, key))
    }
}

/// An intermediate with a key of its own; all those of one authority have the same name.
fn intermediate(name: &str, root: &Issuer) -> io::Result<Issuer> {
    let params = issuer_params(&format!("{name} Intermediate"));
    Issuer::signed_by(params, new_key()?, root).map_err(io::Error::other)
}

fn new_key() -> io::Result<KeyPair> {
    KeyPair::generate().map_err(io::Error::other)
}

/// The present without its fraction of a second, as certificates know it.
fn now() -> OffsetDateTime {
    let now = OffsetDateTime::now_utc();
    now.replace_nanosecond(0).unwrap_or(now)
}

fn issuer_params(name: &str) -> CertificateParams {
    let mut params = CertificateParams::default();
    params.distinguished_name = rcgen::DistinguishedName::new();
    params.distinguished_name.push(DnType::CommonName, name);
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign, KeyUsagePurpose::DigitalSignature];
    params.use_authority_key_identifier_extension = true;
    params.not_before = now() - Duration::days(365);
    params.not_after = now() + Duration::days(3650);
    params
}

fn leaf_params(flaw: Flaw, names: &[&str], usage: ExtendedKeyUsagePurpose) -> io::Result<CertificateParams> {
    let names = if flaw == Flaw::WrongName { &["another-host.invalid"] } else { names };
    let sans = if flaw == Flaw::CommonNameOnly { &[] } else { names };
    let sans: Vec<String> = sans.iter().map(|&name| name.to_owned()).collect();
    let mut params = CertificateParams::new(sans).map_err(io::Error::other)?;
    params.distinguished_name = rcgen::DistinguishedName::new();
    let common_name = names.first().copied().unwrap_or("no name");
    params.distinguished_name.push(DnType::CommonName, common_name);
    params.is_ca = IsCa::ExplicitNoCa;
    params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    params.extended_key_usages = vec![usage];
    params.use_authority_key_identifier_extension = true;
    params.serial_number = Some(serial_number()?);
    let (from, to) = if flaw == Flaw::Expired {
        (-100, -10)
    } else if flaw == Flaw::NotYetValid {
        (10, 100)
    } else {
        (-1, 90)
    };
    params.not_before = now() + Duration::days(from);
    params.not_after = now() + Duration::days(to);
    Ok(params)
}

fn serial_number() -> io::Result<SerialNumber> {
    let mut bytes = [0; 16];
    tls::provider().secure_random.fill(&mut bytes).map_err(|_| io::Error::other("no random bytes"))?;
    // positive and of full length, so that its encoding is the same everywhere
    bytes[0] = bytes[0] & 0x3f | 0x40;
    Ok(SerialNumber::from_slice(&bytes))
}

fn crl(issuer: &Issuer, revoked_certs: Vec<RevokedCertParams>) -> io::Result<String> {
    let now = now();
    CertificateRevocationListParams {
        this_update: now - Duration::days(1),
        next_update: now + Duration::days(90),
        crl_number: SerialNumber::from(1),
        issuing_distribution_point: None,
        revoked_certs,
        key_identifier_method: KeyIdMethod::Sha256,
    }
    .signed_by(issuer)
    .and_then(|list| list.pem())
    .map_err(io::Error::other)
}
