//! What requests let the edge see on their way and no record has: the certificates that origins show, and header sections
//! that come near their limits. It is for whoever warns of what is about to fail; nothing is decided by it.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::SystemTime;

use rayline_dial::Presented;

/// Bytes of a host's name that are kept.
const LONGEST: usize = 255;

/// Everything that is looked out for. One for all workers and all versions of the configuration.
#[derive(Debug, Default)]
pub struct Lookout {
    /// Certificates of origins.
    pub presented: Arc<Presented>,
    /// By the zone, which the configuration bounds: the largest of either side.
    sections: Mutex<BTreeMap<(Arc<str>, Side), Section>>,
}

/// Whose header section it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Side {
    /// A visitor's request.
    Request,
    /// An origin's response.
    Response,
}

/// A header section near its limit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Section {
    /// Whose.
    pub side: Side,
    /// The zone.
    pub zone: String,
    /// The host that the largest was of, as it was sent, in UTF-8 as far as it is.
    pub host: String,
    /// Bytes of the largest, its first line included.
    pub bytes: usize,
    /// Bytes that are allowed.
    pub limit: usize,
    /// When one was near the limit last.
    pub seen: SystemTime,
}

impl Lookout {
    /// Takes note of a header section, if it is near its limit: 70 % of it and more. For all others this is a comparison.
    pub(crate) fn section(&self, side: Side, zone: &Arc<str>, host: &[u8], bytes: usize, limit: usize) {
        if bytes < limit / 10 * 7 {
            return;
        }
        let seen = SystemTime::now();
        let mut sections = self.sections.lock().unwrap_or_else(PoisonError::into_inner);
        match sections.get_mut(&(Arc::clone(zone), side)).filter(|known| known.bytes >= bytes && known.limit == limit) {
            Some(known) => known.seen = seen,
            None => {
                let host = String::from_utf8_lossy(host.get(..LONGEST).unwrap_or(host)).into_owned();
                let section = Section { side, zone: zone.to_string(), host, bytes, limit, seen };
                sections.insert((Arc::clone(zone), side), section);
            }
        }
    }

    /// The largest header sections near their limits since the start, by zone.
    pub fn sections(&self) -> Vec<Section> {
        self.sections.lock().unwrap_or_else(PoisonError::into_inner).values().cloned().collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_largest_of_each_side_is_kept_and_small_ones_are_not() {
        let (lookout, zone) = (Lookout::default(), Arc::from("shop.example"));
        lookout.section(Side::Request, &zone, b"a", 699, 1000);
        assert_eq!(lookout.sections(), []);
        for (host, bytes) in [("a", 700), ("b", 950), ("c", 800)] {
            lookout.section(Side::Response, &zone, host.as_bytes(), bytes, 1000);
        }
        lookout.section(Side::Request, &zone, &[b'x'; 1000], 1000, 1000);
        let seen: Vec<_> = lookout.sections().into_iter().map(|one| (one.side, one.host.len(), one.bytes)).collect();
        assert_eq!(seen, [(Side::Request, 255, 1000), (Side::Response, 1, 950)]);
        // a limit that was raised makes the old ones small
        lookout.section(Side::Response, &zone, b"d", 1500, 2000);
        assert_eq!(lookout.sections()[1].host, "d");
    }
}
