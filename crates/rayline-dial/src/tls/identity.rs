//! The edge's own certificate, and the knowledge whether an origin asked for one.

use std::sync::Arc;

use rustls::SignatureScheme;
use rustls::client::ResolvesClientCert;
use rustls::crypto::CryptoProvider;
use rustls::sign::CertifiedKey;

use crate::dial::{Identity, TrustError};
use crate::tls::witness;

/// Shows the edge's certificate, if it has one, and notes that it was asked for.
#[derive(Debug)]
pub(crate) struct Asked {
    identity: Option<Arc<CertifiedKey>>,
}

impl Asked {
    pub(crate) fn new(identity: Option<Identity>, provider: &CryptoProvider) -> Result<Self, TrustError> {
        let load = |identity: Identity| {
            let key = CertifiedKey::from_der(identity.chain, identity.key, provider);
            key.map(Arc::new).map_err(|_| TrustError::Identity)
        };
        Ok(Self { identity: identity.map(load).transpose()? })
    }
}

impl ResolvesClientCert for Asked {
    fn resolve(&self, _root_hint_subjects: &[&[u8]], schemes: &[SignatureScheme]) -> Option<Arc<CertifiedKey>> {
        witness::asked();
        // The hints are not heeded: whether the certificate will do is for the origin to say, and then known.
        self.identity.clone().filter(|identity| identity.key.choose_scheme(schemes).is_some())
    }

    fn has_certs(&self) -> bool {
        self.identity.is_some()
    }
}
