//! Addresses that a public name must not lead to.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// Whether a name in the DNS that leads here is refused: the address is no public unicast address, so a name that
/// resolves to it reaches into the edge's own network (or nowhere).
///
/// The ranges are those of the IANA special-purpose registries (RFC 6890) that are not globally reachable: this
/// network, private (RFC 1918), shared for carrier-grade NAT (RFC 6598: an address there belongs to the edge's own
/// provider), loopback, link-local (where clouds serve machine credentials), protocol assignments, documentation,
/// benchmarking, multicast, reserved and broadcast; for IPv6 unspecified, loopback, unique local, link-local, the old
/// site-local, documentation, discard-only and multicast. Transition forms that carry an IPv4 address (mapped,
/// compatible, NAT64, 6to4) are judged by that address, else each would be a way around.
pub fn prohibited(ip: IpAddr) -> bool {
    match ip {
        IpAddr::V4(ip) => prohibited_v4(ip),
        IpAddr::V6(ip) => prohibited_v6(ip),
    }
}

fn prohibited_v4(ip: Ipv4Addr) -> bool {
    let [a, b, c, _] = ip.octets();
    match (a, b, c) {
        // This network; private; loopback.
        (0 | 10 | 127, _, _) => true,
        (172, 16..=31, _) | (192, 168, _) => true,
        // Carrier-grade NAT, 100.64.0.0/10.
        (100, 64..=127, _) => true,
        // Link-local.
        (169, 254, _) => true,
        // IETF protocol assignments; documentation; the dead 6to4 relay anycast.
        (192, 0, 0 | 2) | (198, 51, 100) | (203, 0, 113) | (192, 88, 99) => true,
        // Benchmarking, 198.18.0.0/15.
        (198, 18..=19, _) => true,
        // Multicast, reserved, broadcast.
        (224..=255, _, _) => true,
        _ => false,
    }
}

fn prohibited_v6(ip: Ipv6Addr) -> bool {
    if let Some(carried) = carried_v4(ip) {
        return prohibited_v4(carried);
    }
    match ip.segments() {
        // Unspecified and loopback fall under `carried_v4`. Local-use NAT64, 64:ff9b:1::/48 (RFC 8215).
        [0x64, 0xff9b, 1, ..] => true,
        // Discard-only, 100::/64 (RFC 6666).
        [0x100, 0, 0, 0, ..] => true,
        // IETF protocol assignments, 2001::/23 (Teredo and ORCHID among them), and documentation (RFC 3849, RFC 9637).
        [0x2001, 0..=0x1ff, ..] | [0x2001, 0xdb8, ..] | [0x3fff, 0..=0x0fff, ..] => true,
        // Segment routing identifiers (RFC 9602).
        [0x5f00, ..] => true,
        // Unique local, link-local, site-local, multicast.
        [0xfc00..=0xfdff, ..] | [0xfe80..=0xfeff, ..] | [0xff00..=0xffff, ..] => true,
        _ => false,
    }
}

/// The IPv4 address inside a mapped (`::ffff:0:0/96`), compatible (`::/96`, which holds `::` and `::1` too), NAT64
/// (`64:ff9b::/96`, RFC 6052) or 6to4 (`2002::/16`, RFC 3056) address.
fn carried_v4(ip: Ipv6Addr) -> Option<Ipv4Addr> {
    let [a, b, c, d, e, f, high, low] = ip.segments();
    let [h0, h1] = high.to_be_bytes();
    let [l0, l1] = low.to_be_bytes();
    match (a, b, c, d, e, f) {
        (0, 0, 0, 0, 0, 0 | 0xffff) | (0x64, 0xff9b, 0, 0, 0, 0) => Some(Ipv4Addr::new(h0, h1, l0, l1)),
        (0x2002, ..) => {
            let [b0, b1] = b.to_be_bytes();
            let [c0, c1] = c.to_be_bytes();
            Some(Ipv4Addr::new(b0, b1, c0, c1))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn special_addresses_are_prohibited() {
        for text in [
            "0.0.0.0",
            "0.1.2.3",
            "10.0.0.1",
            "100.64.0.1",
            "100.127.255.255",
            "127.0.0.1",
            "127.255.0.1",
            "169.254.169.254",
            "172.16.0.1",
            "172.31.255.255",
            "192.0.0.8",
            "192.0.2.1",
            "192.168.1.1",
            "198.18.0.1",
            "198.19.255.255",
            "198.51.100.4",
            "203.0.113.9",
            "224.0.0.1",
            "240.0.0.1",
            "255.255.255.255",
            "::",
            "::1",
            "::ffff:10.0.0.1",
            "::10.0.0.1",
            "64:ff9b::7f00:1",
            "64:ff9b:1::1",
            "100::1",
            "2001:db8::1",
            "2001::1",
            "2002:7f00:1::1",
            "3fff::1",
            "fc00::1",
            "fd12:3456::1",
            "fe80::1",
            "fec0::1",
            "ff02::1",
        ] {
            assert!(prohibited(text.parse().unwrap()), "{text}");
        }
    }

    #[test]
    fn public_addresses_are_not() {
        for text in [
            "1.1.1.1",
            "8.8.8.8",
            "100.63.255.255",
            "100.128.0.1",
            "172.15.0.1",
            "172.32.0.1",
            "192.0.1.1",
            "192.169.0.1",
            "198.17.0.1",
            "198.20.0.1",
            "223.255.255.255",
            "2606:4700::1111",
            "2001:4860:4860::8888",
            "2a00::1",
            "::ffff:8.8.8.8",
            "64:ff9b::808:808",
            "2002:808:808::1",
        ] {
            assert!(!prohibited(text.parse().unwrap()), "{text}");
        }
    }
}
