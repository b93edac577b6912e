//! Which autonomous system an address belongs to, by a table that the edge's owner brings: who announces what changes by
//! the day, so none is built in.
//!
//! It opens no file, and knows no names of networks: numbers are what rules compare.

use std::cmp::Reverse;
use std::net::IpAddr;

use ipnet::IpNet;

/// Addresses and the systems that they belong to, 12 bytes for each range of IPv4 and 48 for one of IPv6.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct Networks {
    v4: Vec<Span<u32>>,
    v6: Vec<Span<u128>>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Span<T> {
    first: T,
    last: T,
    number: u32,
}

/// What is wrong with a table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NoTable {
    /// On which line, counted from 1.
    pub line: usize,
    /// In one sentence.
    pub reason: String,
}

impl Networks {
    /// Reads a table with a range on each line, in whatever order: `first last number`, as iptoasn.com has it, or
    /// `network number`, as GeoLite2's CSV, with tabs or commas between. What follows the number does not matter, nor do
    /// empty lines, those that begin with `#`, a line of headings, and ranges of the number 0, which nobody announces. Of
    /// two ranges that hold an address, the one that begins later counts, and of those that begin together the shorter.
    ///
    /// # Errors
    /// The first line that is none of this.
    pub fn read(text: &str) -> Result<Self, NoTable> {
        let (mut v4, mut v6) = (Vec::new(), Vec::new());
        for (index, line) in text.lines().enumerate() {
            if line.trim().is_empty() || line.starts_with('#') {
                continue;
            }
            match range(line) {
                Ok((IpAddr::V4(first), IpAddr::V4(last), number)) if number != 0 => {
                    v4.push(Span { first: u32::from(first).into(), last: u32::from(last).into(), number });
                }
                Ok((IpAddr::V6(first), IpAddr::V6(last), number)) if number != 0 => {
                    v6.push(Span { first: first.into(), last: last.into(), number });
                }
                Ok(_) => {}
                // what the columns are called
                Err(_) if index == 0 && !line.starts_with(|first: char| first.is_ascii_digit()) => {}
                Err(reason) => return Err(NoTable { line: index + 1, reason }),
            }
        }
        let narrow = |Span { first, last, number }| Some(Span { first: narrow(first)?, last: narrow(last)?, number });
        Ok(Self { v4: apart(v4).into_iter().filter_map(narrow).collect(), v6: apart(v6) })
    }

    /// How many ranges there are.
    pub fn len(&self) -> usize {
        self.v4.len() + self.v6.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.v4.is_empty() && self.v6.is_empty()
    }

    /// The system that an address belongs to, if the table has it. An IPv4 address may be written as one of IPv6.
    pub fn find(&self, address: IpAddr) -> Option<u32> {
        match address.to_canonical() {
            IpAddr::V4(address) => find(&self.v4, address.into()),
            IpAddr::V6(address) => find(&self.v6, address.into()),
        }
    }
}

/// The first and the last address of a line, of one family, and the number.
fn range(line: &str) -> Result<(IpAddr, IpAddr, u32), String> {
    let mut fields = line.split(['\t', ',']).map(|field| field.trim().trim_matches('"'));
    let mut next = |what: &str| fields.next().filter(|field| !field.is_empty()).ok_or_else(|| format!("no {what}"));
    let first = next("address")?;
    let (first, last) = match first.parse::<IpNet>() {
        Ok(network) => (network.network(), network.broadcast()),
        Err(_) => (address(first)?, address(next("last address")?)?),
    };
    if first > last || first.is_ipv4() != last.is_ipv4() {
        return Err(format!("`{first}` to `{last}` is no range"));
    }
    Ok((first, last, number(next("number of a network")?)?))
}

fn address(text: &str) -> Result<IpAddr, String> {
    text.parse().map_err(|_| format!("`{}` is no address", text.escape_debug()))
}

/// The number of an autonomous system, with or without `AS` before it.
///
/// # Errors
/// In one sentence, that it is none.
pub fn number(text: &str) -> Result<u32, String> {
    let digits = text.get(..2).filter(|start| start.eq_ignore_ascii_case("as")).and_then(|_| text.get(2..));
    let digits = digits.unwrap_or(text);
    let is_number = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
    let parsed = is_number.then(|| digits.parse().ok()).flatten();
    parsed.ok_or_else(|| format!("`{}` is no number of a network", text.escape_debug()))
}

fn narrow(address: u128) -> Option<u32> {
    u32::try_from(address).ok()
}

/// The same ranges in order, none over another: where two lie over each other, the inner one has the place.
fn apart(mut spans: Vec<Span<u128>>) -> Vec<Span<u128>> {
    spans.sort_by_key(|span| (span.first, Reverse(span.last)));
    let mut apart: Vec<Span<u128>> = Vec::with_capacity(spans.len());
    let mut put = |first, last, number| {
        if first <= last {
            apart.push(Span { first, last, number });
        }
    };
    // those that hold the place `at`, the innermost last
    let mut around: Vec<Span<u128>> = Vec::new();
    let mut at = 0_u128;
    for span in spans {
        while let Some(inner) = around.pop_if(|inner| inner.last < span.first) {
            put(at, inner.last, inner.number);
            at = at.max(inner.last.saturating_add(1));
        }
        if let (Some(outer), Some(before)) = (around.last(), span.first.checked_sub(1)) {
            put(at, before, outer.number);
        }
        at = span.first;
        around.push(span);
    }
    while let Some(inner) = around.pop() {
        put(at, inner.last, inner.number);
        let Some(next) = inner.last.checked_add(1) else { break };
        at = at.max(next);
    }
    apart
}

fn find<T: Copy + Ord>(spans: &[Span<T>], address: T) -> Option<u32> {
    let after = spans.partition_point(|span| span.first <= address);
    let span = spans.get(after.checked_sub(1)?)?;
    (address <= span.last).then_some(span.number)
}

#[cfg(test)]
mod tests {
    use super::*;

    const IPTOASN: &str = "192.0.2.0\t192.0.2.127\t64496\tZZ\tONE, a network\n\
                           192.0.2.128\t192.0.2.255\t0\tNone\tNot routed\n\
                           2001:db8::\t2001:db8:0:ffff:ffff:ffff:ffff:ffff\t64497\tZZ\tTWO\n";
    const GEOLITE: &str = "network,autonomous_system_number,autonomous_system_organization\n\
                           198.51.100.0/24,64498,\"Three, Inc.\"\n\n# a note\n203.0.113.7/32,\"AS4200000000\",Four\n";

    #[test]
    fn an_address_has_the_number_of_its_range() {
        let table = Networks::read(&format!("{GEOLITE}{IPTOASN}")).unwrap();
        let of = |address: &str| table.find(address.parse().unwrap());
        assert_eq!((table.len(), table.is_empty()), (4, false));
        assert_eq!(["192.0.2.0", "192.0.2.127", "::ffff:192.0.2.5"].map(of), [Some(64_496); 3]);
        assert_eq!(["198.51.100.255", "203.0.113.7"].map(of), [Some(64_498), Some(4_200_000_000)]);
        assert_eq!(["2001:db8::", "2001:db8:0:ffff::1"].map(of), [Some(64_497); 2]);
        let outside = ["192.0.2.128", "203.0.113.6", "203.0.113.8", "2001:db8:1::", "0.0.0.0", "255.255.255.255", "::"];
        assert_eq!(outside.map(of), [None; 7]);
    }

    #[test]
    fn what_is_no_table_is_said_with_its_line() {
        let wrong = |text: &str| {
            let wrong = Networks::read(text).unwrap_err();
            (wrong.line, wrong.reason)
        };
        let said = |line: usize, reason: &str| (line, reason.to_owned());
        assert_eq!(wrong("192.0.2.0/24\n"), said(1, "no number of a network"));
        assert_eq!(wrong("\n192.0.2.0,x\n"), said(2, "`x` is no address"));
        assert_eq!(wrong("a,b\nc,d\n"), said(2, "`c` is no address"));
        assert_eq!(wrong("192.0.2.0/24,+1"), said(1, "`+1` is no number of a network"));
        assert_eq!(wrong("192.0.2.0/24,4294967296"), said(1, "`4294967296` is no number of a network"));
        assert_eq!(wrong("192.0.2.9,192.0.2.1,1"), said(1, "`192.0.2.9` to `192.0.2.1` is no range"));
        assert_eq!(wrong("192.0.2.9,2001:db8::,1"), said(1, "`192.0.2.9` to `2001:db8::` is no range"));
    }

    #[test]
    fn of_ranges_over_each_other_the_inner_one_counts() {
        let table = "10.0.0.0/8,1\n10.0.0.0/24,2\n10.0.1.0,10.0.3.255,3\n10.0.2.0,10.0.5.255,4\n10.0.5.0/24,0\n\
                     255.255.255.0/24,5\n255.255.255.255/32,6\n10.0.0.7/32,7\n11.0.0.0/32,8\n0.0.0.0/32,9\n";
        let table = Networks::read(table).unwrap();
        for (address, number) in [
            ("0.0.0.0", Some(9)),
            ("0.0.0.1", None),
            ("10.0.0.0", Some(2)),
            ("10.0.0.7", Some(7)),
            ("10.0.0.8", Some(2)),
            ("10.0.1.255", Some(3)),
            ("10.0.2.0", Some(4)),
            ("10.0.3.255", Some(4)),
            ("10.0.4.0", Some(4)),
            ("10.0.6.0", Some(1)),
            ("10.255.255.255", Some(1)),
            ("11.0.0.0", Some(8)),
            ("11.0.0.1", None),
            ("255.255.255.254", Some(5)),
            ("255.255.255.255", Some(6)),
        ] {
            assert_eq!(table.find(address.parse().unwrap()), number, "{address}");
        }
        let whole = Networks::read("::/0,1\nffff::/16,2\n").unwrap();
        let of = |address: &str| whole.find(address.parse().unwrap());
        assert_eq!(
            ["::1", "fffe::", "ffff::", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"].map(of),
            [1, 1, 2, 2].map(Some)
        );
    }
}
