//! Sets of addresses, all asked at once: which of them hold an address.
//!
//! Networks nest like the nodes of a radix tree, so each stretch of addresses between two borders has one innermost
//! network, and the sets that hold it are those of that network and of the ones around it. The borders stand in order, in
//! an array with an entry for each 16 leading bits: a look-up is one step into that and a short search. Against tries
//! (`prefix-trie`, `ip_network_table`) this needs no walk down through scattered nodes, and no copy of an outer network's
//! sets in every inner one.

use std::collections::HashMap;
use std::net::IpAddr;

use ipnet::{IpNet, Ipv4Subnets, Ipv6Subnets};

use crate::ast::IpMember;

/// Borders from which on the leading bits have a table of their own.
const TABLE_FROM: usize = 256;

/// Which of many sets hold an address.
#[derive(Debug, Default)]
pub(crate) struct Radix {
    v4: Family<u32>,
    v6: Family<u128>,
    nests: Vec<Nest>,
}

/// Networks that lie within the same networks and are in the same sets: nobody needs to tell them apart.
#[derive(Debug, PartialEq, Eq, Hash, Clone)]
struct Nest {
    /// The sets, in order.
    sets: Box<[u32]>,
    /// The place, from 1, of the nest around it; 0 for none.
    around: u32,
}

/// The borders of one family.
#[derive(Debug)]
struct Family<N> {
    /// Where stretches begin, in order.
    starts: Vec<N>,
    /// The nest of each, from 1; 0 for none.
    nests: Vec<u32>,
    /// For each 16 leading bits, how many stretches begin before the first such address; or nothing.
    table: Vec<u32>,
}

impl<N> Default for Family<N> {
    fn default() -> Self {
        Self { starts: Vec::new(), nests: Vec::new(), table: Vec::new() }
    }
}

/// An address as a number.
trait Number: Copy + Ord {
    fn leading(self) -> usize;
    fn next(self) -> Option<Self>;
}

impl Number for u32 {
    fn leading(self) -> usize {
        usize::try_from(self >> 16).unwrap_or(usize::MAX)
    }

    fn next(self) -> Option<Self> {
        self.checked_add(1)
    }
}

impl Number for u128 {
    fn leading(self) -> usize {
        usize::try_from(self >> 112).unwrap_or(usize::MAX)
    }

    fn next(self) -> Option<Self> {
        self.checked_add(1)
    }
}

/// The networks that a member of a set stands for.
pub(crate) fn networks(member: &IpMember) -> Vec<IpNet> {
    match member {
        IpMember::Network(network) => vec![network.trunc()],
        IpMember::Range(IpAddr::V4(first), IpAddr::V4(last)) if first <= last => {
            Ipv4Subnets::new(*first, *last, 0).map(IpNet::V4).collect()
        }
        IpMember::Range(IpAddr::V6(first), IpAddr::V6(last)) if first <= last => {
            Ipv6Subnets::new(*first, *last, 0).map(IpNet::V6).collect()
        }
        IpMember::Range(_, _) => Vec::new(),
    }
}

impl Radix {
    /// From networks and the set that each is in.
    pub(crate) fn new(members: impl Iterator<Item = (IpNet, u32)>) -> Self {
        let (mut v4, mut v6) = (Vec::new(), Vec::new());
        for (network, set) in members {
            match network {
                IpNet::V4(it) => v4.push((it.network().to_bits(), it.broadcast().to_bits(), set)),
                IpNet::V6(it) => v6.push((it.network().to_bits(), it.broadcast().to_bits(), set)),
            }
        }
        let mut nests = Nests::default();
        let (v4, v6) = (Family::new(v4, &mut nests), Family::new(v6, &mut nests));
        Self { v4, v6, nests: nests.all }
    }

    /// Tells each set that holds the address. One may be told twice.
    pub(crate) fn sets_of(&self, address: IpAddr, mut each: impl FnMut(u32)) {
        let mut place = match address {
            IpAddr::V4(address) => self.v4.nest_of(address.to_bits()),
            IpAddr::V6(address) => self.v6.nest_of(address.to_bits()),
        };
        while let Some(nest) = place.checked_sub(1).and_then(|place| self.nests.get(usize::try_from(place).ok()?)) {
            nest.sets.iter().copied().for_each(&mut each);
            place = nest.around;
        }
    }
}

#[derive(Default)]
struct Nests {
    all: Vec<Nest>,
    places: HashMap<Nest, u32>,
}

impl Nests {
    /// The place, from 1, of a nest.
    fn place(&mut self, sets: &[u32], around: u32) -> u32 {
        if around
            .checked_sub(1)
            .and_then(|it| self.all.get(usize::try_from(it).ok()?))
            .is_some_and(|it| *it.sets == *sets)
        {
            return around;
        }
        let nest = Nest { sets: sets.into(), around };
        *self.places.entry(nest).or_insert_with_key(|nest| {
            self.all.push(nest.clone());
            u32::try_from(self.all.len()).unwrap_or(0)
        })
    }
}

impl<N: Number> Family<N> {
    /// From first address, last address and set of each network.
    fn new(mut networks: Vec<(N, N, u32)>, nests: &mut Nests) -> Self {
        // an outer network before those within it
        networks.sort_unstable_by(|(first, last, set), (other, other_last, other_set)| {
            first.cmp(other).then(other_last.cmp(last)).then(set.cmp(other_set))
        });
        networks.dedup();
        let mut family = Self::default();
        let mut around: Vec<(N, u32)> = Vec::new();
        for same in networks.chunk_by(|left, right| (left.0, left.1) == (right.0, right.1)) {
            let Some(&(first, last, _)) = same.first() else { continue };
            while let Some(&(end, _)) = around.last().filter(|(end, _)| *end < first) {
                around.pop();
                family.close(end, &around);
            }
            let sets: Vec<u32> = same.iter().map(|(_, _, set)| *set).collect();
            let nest = nests.place(&sets, around.last().map_or(0, |(_, nest)| *nest));
            around.push((last, nest));
            family.border(first, nest);
        }
        while let Some((end, _)) = around.pop() {
            family.close(end, &around);
        }
        family.starts.shrink_to_fit();
        family.nests.shrink_to_fit();
        if family.starts.len() >= TABLE_FROM {
            let before = |leading| family.starts.partition_point(|start| start.leading() < leading);
            family.table = (0..=1 << 16).map(|leading| u32::try_from(before(leading)).unwrap_or(0)).collect();
        }
        family
    }

    /// What follows the end of a network is in the one around it.
    fn close(&mut self, end: N, around: &[(N, u32)]) {
        if let Some(start) = end.next() {
            self.border(start, around.last().map_or(0, |(_, nest)| *nest));
        }
    }

    fn border(&mut self, start: N, nest: u32) {
        if self.starts.last() == Some(&start) {
            self.starts.pop();
            self.nests.pop();
        }
        if self.nests.last().copied().unwrap_or(0) != nest {
            self.starts.push(start);
            self.nests.push(nest);
        }
    }

    /// The place, from 1, of the nest that an address is in.
    fn nest_of(&self, address: N) -> u32 {
        let leading = address.leading();
        let bound = |place: usize| self.table.get(place).and_then(|bound| usize::try_from(*bound).ok());
        let from = bound(leading).unwrap_or(0);
        let to = bound(leading + 1).unwrap_or(self.starts.len());
        let begun =
            from + self.starts.get(from..to).map_or(0, |starts| starts.partition_point(|start| *start <= address));
        begun.checked_sub(1).and_then(|place| self.nests.get(place)).copied().unwrap_or(0)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn sets(radix: &Radix, address: IpAddr) -> Vec<u32> {
        let mut sets = Vec::new();
        radix.sets_of(address, |set| sets.push(set));
        sets.sort_unstable();
        sets.dedup();
        sets
    }

    fn network() -> impl Strategy<Value = IpNet> {
        prop_oneof![
            // few distinct bits, so that networks nest and touch
            (0u32..8, 0u8..=32)
                .prop_map(|(bits, len)| IpNet::new(IpAddr::V4((bits << 29 | bits).into()), len).unwrap()),
            (any::<u32>(), 0u8..=32).prop_map(|(bits, len)| IpNet::new(IpAddr::V4(bits.into()), len).unwrap()),
            (0u128..8, 0u8..=128)
                .prop_map(|(bits, len)| { IpNet::new(IpAddr::V6((bits << 125 | bits).into()), len).unwrap() }),
        ]
    }

    proptest! {
        #[test]
        fn an_address_is_in_the_sets_whose_networks_hold_it(
            members in prop::collection::vec((network(), 0u32..6), 0..400),
            asked in prop::collection::vec(network(), 1..40),
        ) {
            let radix = Radix::new(members.iter().map(|(network, set)| (network.trunc(), *set)));
            for asked in asked {
                for address in [asked.addr(), asked.network(), asked.broadcast()] {
                    let mut expected: Vec<u32> =
                        members.iter().filter(|(network, _)| network.contains(&address)).map(|(_, set)| *set).collect();
                    expected.sort_unstable();
                    expected.dedup();
                    prop_assert_eq!(sets(&radix, address), expected);
                }
            }
        }
    }

    #[test]
    fn ranges_are_networks() {
        let range = IpMember::Range("192.0.2.1".parse().unwrap(), "192.0.2.9".parse().unwrap());
        let radix = Radix::new(networks(&range).into_iter().map(|network| (network, 7)));
        for (address, expected) in
            [("192.0.2.0", &[][..]), ("192.0.2.1", &[7]), ("192.0.2.9", &[7]), ("192.0.2.10", &[])]
        {
            assert_eq!(sets(&radix, address.parse().unwrap()), expected, "{address}");
        }
    }

    #[test]
    fn addresses_of_one_list_are_one_nest() {
        let all = (0..100_000u32).map(|bits| (IpNet::from(IpAddr::V4((bits * 40_000).into())), 0));
        let radix = Radix::new(all);
        assert_eq!(radix.nests.len(), 1);
        assert_eq!(sets(&radix, IpAddr::V4(80_000.into())), [0]);
        assert!(sets(&radix, IpAddr::V4(80_001.into())).is_empty());
    }
}
