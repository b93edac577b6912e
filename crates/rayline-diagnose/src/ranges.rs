//! The addresses of known edges, as they publish them: whose an address is, and who may connect to an origin.
//!
//! The lists are shipped and dated, and never fetched: a list grows old, and what it does not have may still be an edge's.
//! Edges whose lists cannot be vouched for (addresses that change weekly, or are not published) are left out.

use std::net::IpAddr;
use std::sync::LazyLock;

use ipnet::{IpNet, Ipv4Net, Ipv6Net};

mod print;

pub use print::{Format, print};

/// An edge and its addresses: those that visitors connect to, and those that it connects to origins from, where they are
/// published.
#[derive(Clone, Debug)]
pub struct Edge {
    /// As it calls itself, and as in [`Mark`](crate::author::Mark)s: `Cloudflare`.
    pub name: &'static str,
    /// The page that the list was taken from.
    pub source: &'static str,
    /// The day as of which the list is right: `2026-09-23`.
    pub dated: &'static str,
    /// Its IPv4 networks.
    pub v4: Vec<Ipv4Net>,
    /// Its IPv6 networks.
    pub v6: Vec<Ipv6Net>,
    /// The field in which it sends the visitor's address to the origin; `None`: it asks no origin elsewhere.
    pub real_ip_header: Option<&'static str>,
}

/// All edges whose addresses are known.
pub static EDGES: LazyLock<Vec<Edge>> = LazyLock::new(|| FILES.iter().map(|file| Edge::read(file)).collect());

const FILES: [&str; 10] = [
    include_str!("ranges/akamai.txt"),
    include_str!("ranges/cloudflare.txt"),
    include_str!("ranges/cloudfront.txt"),
    include_str!("ranges/fastly.txt"),
    include_str!("ranges/github-pages.txt"),
    include_str!("ranges/google.txt"),
    include_str!("ranges/imperva.txt"),
    include_str!("ranges/netlify.txt"),
    include_str!("ranges/sucuri.txt"),
    include_str!("ranges/vercel.txt"),
];

/// The edge whose address this is; an IPv4 address may be mapped into IPv6.
pub fn edge_of(address: IpAddr) -> Option<&'static Edge> {
    EDGES.iter().find(|edge| edge.has(address))
}

/// The edge of that name, whatever the case of its letters.
pub fn find(name: &str) -> Option<&'static Edge> {
    EDGES.iter().find(|edge| edge.name.eq_ignore_ascii_case(name))
}

impl Edge {
    /// Whether the address is one of this edge's.
    pub fn has(&self, address: IpAddr) -> bool {
        match address.to_canonical() {
            IpAddr::V4(address) => self.v4.iter().any(|net| net.contains(&address)),
            IpAddr::V6(address) => self.v6.iter().any(|net| net.contains(&address)),
        }
    }

    /// Its networks, IPv4 first.
    pub fn nets(&self) -> Vec<IpNet> {
        self.v4.iter().copied().map(IpNet::V4).chain(self.v6.iter().copied().map(IpNet::V6)).collect()
    }

    /// A file: `# key: value` lines, then one network a line.
    fn read(file: &'static str) -> Self {
        let key =
            |key: &str| file.lines().find_map(|line| line.strip_prefix("# ")?.strip_prefix(key)?.strip_prefix(": "));
        Self {
            name: key("name").unwrap_or_default(),
            source: key("source").unwrap_or_default(),
            dated: key("dated").unwrap_or_default(),
            v4: file.lines().filter_map(|line| line.parse().ok()).collect(),
            v6: file.lines().filter_map(|line| line.parse().ok()).collect(),
            real_ip_header: key("real_ip_header"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_line_of_every_file_is_read() {
        for (file, edge) in FILES.iter().zip(EDGES.iter()) {
            let nets = file.lines().filter(|line| !line.starts_with('#')).count();
            assert_eq!(edge.v4.len() + edge.v6.len(), nets, "{}", edge.name);
            assert!(!edge.name.is_empty() && !edge.source.is_empty() && edge.dated.len() == 10, "{edge:?}");
            assert!(edge.nets().iter().all(|net| net.addr() == net.network()), "{}", edge.name);
        }
    }

    #[test]
    fn no_address_belongs_to_two() {
        for (place, one) in EDGES.iter().enumerate() {
            for other in &EDGES[place + 1..] {
                let clash = one.nets().into_iter().find(|net| {
                    other.nets().iter().any(|also| also.contains(&net.network()) || net.contains(&also.network()))
                });
                assert_eq!(clash, None, "{} and {}", one.name, other.name);
            }
        }
    }

    #[test]
    fn an_address_leads_to_its_edge() {
        let of = |address: &str| edge_of(address.parse().unwrap()).map(|edge| edge.name);
        assert_eq!(of("104.16.1.1"), Some("Cloudflare"));
        assert_eq!(of("::ffff:104.16.1.1"), Some("Cloudflare"));
        assert_eq!(of("2606:4700::6810:1"), Some("Cloudflare"));
        assert_eq!(of("151.101.1.69"), Some("Fastly"));
        assert_eq!(of("13.32.0.1"), Some("CloudFront"));
        assert_eq!(of("185.199.108.153"), Some("GitHub Pages"));
        assert_eq!(of("127.0.0.1"), None);
        assert_eq!(of("203.0.113.7"), None);
        assert_eq!(find("cloudflare").and_then(|edge| edge.real_ip_header), Some("CF-Connecting-IP"));
    }
}
