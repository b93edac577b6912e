//! A certificate signing request (RFC 2986), of which only the key and, if asked for, the names are taken.
//!
//! What else it wants (usages, being a CA) is not granted: an origin certificate is for servers.

use std::path::Path;

use rcgen::SubjectPublicKeyInfo;
use x509_parser::certification_request::X509CertificationRequest;
use x509_parser::extensions::{GeneralName, ParsedExtension};
use x509_parser::pem::Pem;
use x509_parser::prelude::FromDer as _;
use x509_parser::public_key::PublicKey;

use super::Trouble;
use super::names::Names;

/// A request has a key, a few names and a signature.
const MOST_BYTES: u64 = 256 * 1024;
/// The RSA keys whose signatures TLS libraries accept, in bits.
const RSA_BITS: std::ops::RangeInclusive<usize> = 2048..=8192;

/// A request whose signature is that of its key.
pub(super) struct Request {
    /// As the person named it.
    file: String,
    der: Vec<u8>,
}

impl Request {
    /// Reads a request in PEM.
    ///
    /// # Errors
    /// A file that is none, a signature that does not hold, or a key that `strict` would not accept.
    pub(super) fn read(path: &Path) -> Result<Self, Trouble> {
        let file = path.display().to_string();
        let size = std::fs::metadata(path).map_err(|error| Trouble::file("read", path, &error))?.len();
        if size > MOST_BYTES {
            return Err(Trouble::usage(format!("`{file}` is too large for a certificate request: {size} bytes"), None));
        }
        let bytes = std::fs::read(path).map_err(|error| Trouble::file("read", path, &error))?;
        let blocks: Vec<Pem> = Pem::iter_from_buffer(&bytes).filter_map(Result::ok).collect();
        let is_request = |pem: &&Pem| matches!(pem.label.as_str(), "CERTIFICATE REQUEST" | "NEW CERTIFICATE REQUEST");
        let Some(pem) = blocks.iter().find(is_request) else {
            let instead = blocks.first().map(|pem| format!(", but a `{}`", pem.label)).unwrap_or_default();
            let hint = "`openssl req -new -newkey rsa:2048 -nodes -keyout my.key -out my.csr -subj /CN=shop.example` makes one";
            return Err(Trouble::usage(format!("there is no certificate request in `{file}`{instead}"), Some(hint)));
        };
        let request = Self { file, der: pem.contents.clone() };
        request.check()?;
        Ok(request)
    }

    fn parsed(&self) -> Result<X509CertificationRequest<'_>, Trouble> {
        let parsed = X509CertificationRequest::from_der(&self.der);
        parsed.map(|(_, request)| request).map_err(|error| self.refused(&format!("it cannot be read ({error})")))
    }

    fn refused(&self, why: &str) -> Trouble {
        Trouble::usage(format!("the certificate request in `{}` is refused: {why}", self.file), None)
    }

    fn check(&self) -> Result<(), Trouble> {
        let parsed = self.parsed()?;
        let key = &parsed.certification_request_info.subject_pki;
        match key.parsed() {
            Ok(PublicKey::RSA(key)) if !RSA_BITS.contains(&key.key_size()) => {
                let (bits, least, most) = (key.key_size(), RSA_BITS.start(), RSA_BITS.end());
                return Err(self.refused(&format!("its RSA key has {bits} bits, and {least} to {most} are accepted")));
            }
            Ok(_) => {}
            Err(error) => return Err(self.refused(&format!("its key cannot be read ({error})"))),
        }
        self.public_key()?;
        parsed.verify_signature().map_err(|error| self.refused(&format!("its signature does not hold ({error})")))
    }

    /// The key to certify.
    ///
    /// # Errors
    /// A key of a kind that cannot be certified.
    pub(super) fn public_key(&self) -> Result<SubjectPublicKeyInfo, Trouble> {
        let parsed = self.parsed()?;
        SubjectPublicKeyInfo::from_der(parsed.certification_request_info.subject_pki.raw)
            .map_err(|_| self.refused("its key is of another kind than RSA, ECDSA (P-256, P-384, P-521) and Ed25519"))
    }

    /// What kind of key it has.
    pub(super) fn key_type(&self) -> String {
        let parsed = self.parsed().ok();
        parsed
            .map(|request| rayline_diagnose::key_in_words(&request.certification_request_info.subject_pki))
            .unwrap_or_default()
    }

    /// The names that it asks for: its alternative names, or its common name if it has none.
    ///
    /// # Errors
    /// Names that may not stand in an origin certificate, or none.
    pub(super) fn names(&self) -> Result<Names, Trouble> {
        let parsed = self.parsed()?;
        let mut names = Vec::new();
        for extension in parsed.requested_extensions().into_iter().flatten() {
            let ParsedExtension::SubjectAlternativeName(wanted) = extension else { continue };
            for name in &wanted.general_names {
                match name {
                    GeneralName::DNSName(name) => names.push((*name).to_owned()),
                    other => {
                        return Err(
                            self.refused(&format!("it asks for `{other}`, and only host names may be certified"))
                        );
                    }
                }
            }
        }
        if names.is_empty() {
            let subject = &parsed.certification_request_info.subject;
            names.extend(subject.iter_common_name().filter_map(|name| name.as_str().ok()).map(str::to_owned));
        }
        Names::new(&names)
    }
}
