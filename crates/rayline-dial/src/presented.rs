//! The certificates that origins have shown, the newest of each address and name, for whoever watches over their ends. It
//! judges none, and forgets what was not met for longest when there are too many.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::SystemTime;

use rustls_pki_types::CertificateDer;

use crate::tls::chain::Chain;

/// Addresses with names whose certificates are kept.
const MOST: usize = 4096;

/// What was shown where. One for all dialers; looked at once per handshake, never per request.
#[derive(Debug, Default)]
pub struct Presented(Mutex<BTreeMap<(SocketAddr, Box<str>), Shown>>);

/// A certificate that an origin has shown.
#[derive(Clone, Debug)]
pub struct Shown {
    /// Where.
    pub address: SocketAddr,
    /// The name that was asked for.
    pub server_name: String,
    /// What it says it is.
    pub subject: String,
    /// The names it is for.
    pub names: Vec<String>,
    /// Its end, in seconds since 1970.
    pub not_after: i64,
    /// When a handshake was last made under it.
    pub seen: SystemTime,
    leaf: CertificateDer<'static>,
}

impl Presented {
    /// Notes what was shown in a handshake. A certificate that is known already is not read again.
    pub(crate) fn note(&self, address: SocketAddr, server_name: &str, chain: &[CertificateDer<'_>]) {
        let Some(leaf) = chain.first() else { return };
        let seen = SystemTime::now();
        let mut all = self.all();
        let key = (address, Box::from(server_name));
        if let Some(known) = all.get_mut(&key).filter(|known| known.leaf == *leaf) {
            known.seen = seen;
            return;
        }
        let Some(facts) = Chain::read(chain).map(|chain| chain.facts()) else { return };
        if all.len() >= MOST
            && !all.contains_key(&key)
            && let Some(oldest) = all.iter().min_by_key(|(_, shown)| shown.seen).map(|(key, _)| key.clone())
        {
            all.remove(&oldest);
        }
        let (server_name, leaf) = (server_name.to_owned(), leaf.clone().into_owned());
        let (subject, names, not_after) = (facts.subject, facts.names, facts.not_after);
        all.insert(key, Shown { address, server_name, subject, names, not_after, seen, leaf });
    }

    /// All of them, by address, then by name.
    pub fn list(&self) -> Vec<Shown> {
        self.all().values().cloned().collect()
    }

    fn all(&self) -> MutexGuard<'_, BTreeMap<(SocketAddr, Box<str>), Shown>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
