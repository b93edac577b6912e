//! What the edge shows to an origin that asks for a client certificate, and the knowledge that it was asked for.

use std::hash::{BuildHasher, BuildHasherDefault, DefaultHasher, Hash, Hasher};
use std::sync::Arc;

use rustls::SignatureScheme;
use rustls::client::ResolvesClientCert;
use rustls::crypto::aws_lc_rs;
use rustls::sign::CertifiedKey;
use rustls_pki_types::{CertificateDer, PrivateKeyDer};

use crate::dial::TrustError;
use crate::tls::witness;

/// A client certificate with its chain, and its key.
///
/// Two of them are the same if their chains are: the leaf determines the key.
#[derive(Debug)]
pub struct Identity {
    certified: Arc<CertifiedKey>,
    /// Of the chain, made once: identities are looked up for every request.
    hash: u64,
}

impl Identity {
    /// An identity of this chain, leaf first, and the leaf's key.
    ///
    /// # Errors
    /// [`TrustError::Identity`]: the certificate cannot be read, or the key is of no known kind or not the leaf's.
    pub fn new(chain: Vec<CertificateDer<'static>>, key: PrivateKeyDer<'static>) -> Result<Self, TrustError> {
        let certified = CertifiedKey::from_der(chain, key, &aws_lc_rs::default_provider());
        let certified = certified.map_err(|_| TrustError::Identity)?;
        let hash = BuildHasherDefault::<DefaultHasher>::new().hash_one(&certified.cert);
        Ok(Self { certified: Arc::new(certified), hash })
    }

    /// Whether it can sign with one of these.
    fn suits(&self, schemes: &[SignatureScheme]) -> bool {
        self.certified.key.choose_scheme(schemes).is_some()
    }
}

impl PartialEq for Identity {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.certified, &other.certified)
            || self.hash == other.hash && self.certified.cert == other.certified.cert
    }
}

impl Eq for Identity {}

impl Hash for Identity {
    fn hash<H: Hasher>(&self, state: &mut H) {
        state.write_u64(self.hash);
    }
}

/// Shows the identity, if there is one, and notes that it was asked for.
#[derive(Debug, Default)]
pub(crate) struct Asked {
    identity: Option<Arc<Identity>>,
}

impl Asked {
    pub(crate) fn with(identity: &Arc<Identity>) -> Self {
        Self { identity: Some(Arc::clone(identity)) }
    }
}

impl ResolvesClientCert for Asked {
    fn resolve(&self, _root_hint_subjects: &[&[u8]], schemes: &[SignatureScheme]) -> Option<Arc<CertifiedKey>> {
        witness::asked();
        // The hints are not heeded: whether the certificate will do is for the origin to say, and then known.
        let identity = self.identity.as_ref().filter(|identity| identity.suits(schemes));
        identity.map(|identity| Arc::clone(&identity.certified))
    }

    fn has_certs(&self) -> bool {
        self.identity.is_some()
    }
}
