//! Turning an origin's name into addresses.
//!
//! Answers, good and bad, are kept for as long as their zone allows, in a cache of one worker's own: a name that was
//! asked for a moment ago costs one look into a table. It does not judge the addresses; see
//! [`prohibited`](crate::prohibited()).

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use hickory_resolver::Hosts;
use hickory_resolver::proto::op::Query;
use hickory_resolver::proto::rr::{Name, RecordType};
use rayline_verdict::evidence::DnsFacts;
use rayline_verdict::fault::ResolveCause;
use rayline_verdict::{Fact, Fault};

use crate::connect::milliseconds;

mod cache;
mod failure;
mod socket;
mod upstream;

use cache::Cache;
use failure::Failure;
use upstream::Upstream;

/// The addresses of a name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Resolved {
    /// At least one; IPv6 first, as RFC 6724 has it, except for `localhost`.
    pub addresses: Arc<[IpAddr]>,
    /// The aliases followed from the name, in order.
    pub aliases: Arc<[String]>,
    /// How long asking took; nothing when the answer was known.
    pub took: Duration,
    /// Whether the answer was known already: from the cache, the hosts file, or because the name is an address.
    pub cached: bool,
}

/// Resolves names. Meant for one worker: a query under way is driven by the runtime that began it.
#[derive(Debug)]
pub struct Resolver {
    upstream: Upstream,
    hosts: Option<Hosts>,
    timeout: Duration,
    cache: Mutex<Cache>,
}

/// An answer worth keeping.
#[derive(Clone, Debug)]
struct Answer {
    addresses: Arc<[IpAddr]>,
    aliases: Arc<[String]>,
}

/// A failure worth keeping, for a while.
#[derive(Debug)]
struct Failed {
    failure: Failure,
    facts: DnsFacts,
}

impl Resolver {
    /// A resolver that asks these name servers; those of `/etc/resolv.conf` if there are none here, and then it honours
    /// `/etc/hosts` too. Both files are read now, and not again. `timeout` is for one name with all its queries.
    ///
    /// # Errors
    /// When `/etc/resolv.conf` is there and cannot be read.
    pub fn new(servers: &[SocketAddr], timeout: Duration) -> io::Result<Self> {
        let upstream = Upstream::new(servers, timeout)?;
        // Without a hosts file there are no names in it.
        let hosts = if servers.is_empty() { Hosts::from_system().ok() } else { None };
        Ok(Self { upstream, hosts, timeout, cache: Mutex::default() })
    }

    /// The addresses of `name`, a host name without a final dot or an address.
    ///
    /// Both families are asked at once. When one has answered with addresses, the other gets the 50 ms of RFC 8305 §3.
    /// `localhost` and the names below it are this machine's loopback addresses and are never asked for (RFC 6761 §6.3).
    pub async fn resolve(&self, name: &str) -> Result<Resolved, Fault> {
        if let Some(answer) = self.known(name) {
            return answer.map(|answer| resolved(answer, None)).map_err(|failed| failed.fault(Duration::ZERO));
        }
        let asked = Instant::now();
        let (outcome, life) = self.ask(name).await;
        let took = asked.elapsed();
        self.cache().keep(name, outcome.clone(), Instant::now() + life);
        outcome.map(|answer| resolved(answer, Some(took))).map_err(|failed| failed.fault(took))
    }

    /// What can be said without asking.
    fn known(&self, name: &str) -> Option<Result<Answer, Arc<Failed>>> {
        if let Some(kept) = self.cache().find(name, Instant::now()) {
            return Some(kept);
        }
        let addresses = literal(name).or_else(|| loopback(name)).or_else(|| self.in_hosts_file(name))?;
        Some(Ok(Answer { addresses, aliases: Arc::default() }))
    }

    fn in_hosts_file(&self, name: &str) -> Option<Arc<[IpAddr]>> {
        let hosts = self.hosts.as_ref()?;
        let name = Name::from_utf8(name).ok()?.to_lowercase();
        let of_type = |kind| hosts.lookup_static_host(&Query::query(name.clone(), kind));
        let lookups = [RecordType::AAAA, RecordType::A].into_iter().filter_map(of_type);
        let addresses: Vec<_> = lookups.flat_map(|found| upstream::addresses(&found).collect::<Vec<_>>()).collect();
        (!addresses.is_empty()).then(|| addresses.into())
    }

    /// Asks the name servers. Gives the answer and how long it holds.
    async fn ask(&self, name: &str) -> (Result<Answer, Arc<Failed>>, Duration) {
        let Ok(mut fqdn) = Name::from_utf8(name) else {
            // A label of more than 63 bytes, a name of more than 255: no zone can hold it.
            let failure = Failure::new(ResolveCause::NxDomain, "none", cache::LONGEST_NEGATIVE);
            return self.failed(name, failure, Vec::new());
        };
        fqdn.set_fqdn(true);
        let budget = tokio::time::Instant::now() + self.timeout;
        let failure = match tokio::time::timeout_at(budget, self.upstream.addresses(&fqdn)).await {
            Ok(Ok((answer, life))) => return (Ok(answer), life),
            Ok(Err(failure)) => failure,
            Err(_) => return self.failed(name, Failure::timed_out(self.timeout), Vec::new()),
        };
        // Where the chain of aliases leads shows what is to be corrected, and a circle shows nowhere else.
        let mut aliases = Vec::new();
        let trail = self.upstream.follow_aliases(fqdn, &mut aliases);
        let circle = tokio::time::timeout_at(budget, trail).await.unwrap_or(false);
        let failure = if circle { failure.because(ResolveCause::AliasLoop) } else { failure };
        self.failed(name, failure, aliases)
    }

    fn failed(&self, name: &str, failure: Failure, aliases: Vec<String>) -> (Result<Answer, Arc<Failed>>, Duration) {
        let life = failure.life;
        let facts = DnsFacts {
            name: name.to_owned(),
            response_code: failure.response_code.clone(),
            aliases,
            servers: self.upstream.servers().to_vec(),
            ..DnsFacts::default()
        };
        (Err(Arc::new(Failed { failure, facts })), life)
    }

    fn cache(&self) -> std::sync::MutexGuard<'_, Cache> {
        // The cache is whole between two calls, whatever became of the caller.
        self.cache.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Failed {
    /// The fault of one request, which waited for it this long.
    fn fault(&self, took: Duration) -> Fault {
        let facts = DnsFacts { took_ms: milliseconds(took), ..self.facts.clone() };
        let fault = Fault::new(self.failure.cause).with(Fact::OriginName(facts.name.clone())).with(Fact::Dns(facts));
        self.failure.more.iter().cloned().fold(fault, Fault::with)
    }
}

fn resolved(answer: Answer, took: Option<Duration>) -> Resolved {
    let cached = took.is_none();
    Resolved { addresses: answer.addresses, aliases: answer.aliases, took: took.unwrap_or_default(), cached }
}

/// An address that stands where a name could, with the brackets of a URL or without.
fn literal(name: &str) -> Option<Arc<[IpAddr]>> {
    let bare = name.strip_prefix('[').and_then(|name| name.strip_suffix(']')).unwrap_or(name);
    bare.parse().ok().map(|ip| [ip].into())
}

/// IPv4 first: what is developed on a machine listens there more often.
fn loopback(name: &str) -> Option<Arc<[IpAddr]>> {
    let last = name.trim_end_matches('.').rsplit('.').next()?;
    let both: [IpAddr; 2] = [Ipv4Addr::LOCALHOST.into(), Ipv6Addr::LOCALHOST.into()];
    last.eq_ignore_ascii_case("localhost").then(|| both.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_and_localhost_need_no_name_server() {
        assert_eq!(*literal("192.0.2.1").unwrap(), ["192.0.2.1".parse::<IpAddr>().unwrap()]);
        assert_eq!(*literal("[2001:db8::1]").unwrap(), ["2001:db8::1".parse::<IpAddr>().unwrap()]);
        assert_eq!(literal("192.0.2.example"), None);
        for name in ["localhost", "a.b.LocalHost", "x.localhost."] {
            assert_eq!(loopback(name).unwrap().len(), 2, "{name}");
        }
        for name in ["localhost.example", "notlocalhost", ""] {
            assert_eq!(loopback(name), None, "{name}");
        }
    }
}
