//! A TCP connection to each address: how long it takes, or what is in the way.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use futures_util::future::join_all;
use rayline_dial::{Dialer, Target, Timeouts};
use rayline_verdict::{Code, Fault, attribute};

use super::Tcp;
use crate::case::Case;
use crate::probe::{Probe, Watcher};

/// The most addresses that are tried of the site, and of the origin.
const MOST: usize = 8;
/// The ports where an origin is looked for, whatever port was named.
const USUAL: [u16; 2] = [80, 443];

/// An address to try.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Spot {
    pub(super) address: SocketAddr,
    pub(super) is_site: bool,
    pub(super) named: bool,
}

/// Where to look: the site's addresses as they are, the origin's on the usual ports too.
pub(super) fn spots(site: &[SocketAddr], origins: &[SocketAddr]) -> Vec<Spot> {
    let named = origins.iter().take(MOST).map(|address| Spot { address: *address, is_site: false, named: true });
    let of_site = site.iter().take(MOST).map(|address| Spot { address: *address, is_site: true, named: true });
    let usual = origins.iter().take(MOST).flat_map(|address| {
        USUAL.map(|port| Spot { address: SocketAddr::new(address.ip(), port), is_site: false, named: false })
    });
    let mut spots: Vec<Spot> = Vec::new();
    for spot in of_site.chain(named).chain(usual) {
        let known = |other: &Spot| other.address == spot.address && other.is_site == spot.is_site;
        if !spots.iter().any(known) {
            spots.push(spot);
        }
    }
    spots
}

/// Tries them all at once.
pub(super) async fn look(
    case: &Case,
    spots: &[Spot],
    dialer: &Dialer,
    watcher: &dyn Watcher,
) -> (Vec<Tcp>, Vec<Probe>) {
    join_all(spots.iter().map(|spot| async {
        let name = format!("network.tcp.{}", spot.address);
        watcher.began(&name, &format!("connecting to {}", spot.address));
        let began = Instant::now();
        let outcome =
            connect(spot.address, dialer, case.timeout).await.map_err(|fault| Box::new(attribute(fault, Vec::new())));
        let tcp = Tcp { address: spot.address, is_site: spot.is_site, named: spot.named, outcome };
        let probe = probe(&name, &tcp, began.elapsed());
        watcher.ended(&probe);
        (tcp, probe)
    }))
    .await
    .into_iter()
    .unzip()
}

/// Connects, and closes at once.
async fn connect(address: SocketAddr, dialer: &Dialer, limit: Duration) -> Result<Duration, Fault> {
    let timeouts = Timeouts { connect: limit, tls: limit, keepalive: Duration::from_secs(30) };
    let connection = dialer.dial(&Target::plain(&[address]), &timeouts, &mut Vec::new()).await?;
    Ok(Duration::from_micros(u64::from(connection.timings().tcp_us)))
}

fn probe(name: &str, tcp: &Tcp, took: Duration) -> Probe {
    let address = tcp.address;
    let whose = if tcp.is_site { "the site" } else { "the origin" };
    let probe = match &tcp.outcome {
        Ok(time) => {
            let ms = time.as_secs_f64() * 1000.0;
            Probe::new(name, Some(true), took, format!("{whose} takes connections at {address}, in {ms:.1} ms"))
                .with("connect_ms", (ms * 1000.0).round() / 1000.0)
        }
        Err(verdict) => {
            let (ok, hint) = match verdict.code {
                Code::EdgeConnectNoRoute if address.is_ipv6() => (None, ": this machine has no IPv6"),
                Code::EdgeConnectNoRoute => (None, ": this machine has no way there"),
                Code::EdgeConnectForbidden => (None, ": this machine's own firewall or routing forbids it"),
                // What listens on one port only is not amiss on the other.
                _ if !tcp.named => (None, ", which matters only if the edge connects there"),
                _ => (Some(false), ""),
            };
            let said = format!("{whose} at {address}: {}{hint}", verdict.sentence().trim_end_matches('.'));
            Probe::new(name, ok, took, said).judged(Some(verdict.clone()))
        }
    };
    probe.with("address", address.to_string()).with("is_site", tcp.is_site).with("named", tcp.named)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_origin_is_looked_for_on_the_usual_ports_too_and_nowhere_twice() {
        let address = |text: &str| text.parse::<SocketAddr>().unwrap();
        let (site, named) = (address("192.0.2.1:443"), address("192.0.2.7:8080"));
        let found: Vec<_> = spots(&[site, site], &[named, address("192.0.2.7:443")])
            .iter()
            .map(|spot| (spot.address.to_string(), spot.is_site, spot.named))
            .collect();
        let spot = |text: &str, is_site, named| (text.to_owned(), is_site, named);
        assert_eq!(
            found,
            [
                spot("192.0.2.1:443", true, true),
                spot("192.0.2.7:8080", false, true),
                spot("192.0.2.7:443", false, true),
                spot("192.0.2.7:80", false, false),
            ]
        );
    }
}
