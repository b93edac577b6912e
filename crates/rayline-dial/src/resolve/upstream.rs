//! The name servers, asked through the resolver library.

use std::fmt;
use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::pin::pin;
use std::time::{Duration, Instant};

use hickory_resolver::config::{ConnectionConfig, NameServerConfig, ResolveHosts, ResolverConfig};
use hickory_resolver::lookup::Lookup;
use hickory_resolver::net::NetError;
use hickory_resolver::proto::rr::{Name, RData, RecordType};
use hickory_resolver::{Resolver, system_conf};
use rayline_verdict::fault::ResolveCause;
use tokio::time::sleep;

use crate::errno::errno;
use crate::resolve::Answer;
use crate::resolve::cache::{LONGEST, PARTIAL};
use crate::resolve::failure::Failure;
use crate::resolve::socket::Connected;

/// The Resolution Delay of RFC 8305 §3.
const RESOLUTION_DELAY: Duration = Duration::from_millis(50);

/// The longest chain of aliases that is followed, which is also the library's.
const MOST_ALIASES: usize = 8;

/// The port of the DNS.
const PORT: u16 = 53;

/// The name servers.
pub(crate) struct Upstream {
    resolver: Resolver<Connected>,
    sockets: Connected,
    servers: Vec<SocketAddr>,
    timeout: Duration,
}

impl fmt::Debug for Upstream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Upstream").field("servers", &self.servers).field("timeout", &self.timeout).finish()
    }
}

impl Upstream {
    pub(crate) fn new(servers: &[SocketAddr], timeout: Duration) -> io::Result<Self> {
        let servers = if servers.is_empty() { system_servers()? } else { servers.to_vec() };
        let name_servers = servers.iter().map(|server| {
            let mut connections = vec![ConnectionConfig::udp(), ConnectionConfig::tcp()];
            connections.iter_mut().for_each(|connection| connection.port = server.port());
            let mut config = NameServerConfig::udp_and_tcp(server.ip());
            config.connections = connections;
            config
        });
        let config = ResolverConfig::from_parts(None, Vec::new(), name_servers.collect());
        let sockets = Connected::default();
        let mut builder = Resolver::builder_with_config(config, sockets.clone());
        let options = builder.options_mut();
        // Two rounds within the time for the name; inside a round, lost packets are sent again.
        options.timeout = timeout / 2;
        options.attempts = 1;
        // Answers are kept per name, with both families and the aliases, one floor up.
        options.cache_size = 0;
        options.use_hosts_file = ResolveHosts::Never;
        options.preserve_intermediates = true;
        let resolver = builder.build().map_err(io::Error::other)?;
        Ok(Self { resolver, sockets, servers, timeout })
    }

    pub(crate) fn servers(&self) -> &[SocketAddr] {
        &self.servers
    }

    /// The addresses of both families, and how long they hold.
    pub(crate) async fn addresses(&self, name: &Name) -> Result<(Answer, Duration), Failure> {
        let mut v6 = pin!(self.resolver.lookup(name.clone(), RecordType::AAAA));
        let mut v4 = pin!(self.resolver.lookup(name.clone(), RecordType::A));
        let (mut six, mut four) = (None, None);
        let mut patience = pin!(sleep(self.timeout));
        while six.is_none() || four.is_none() {
            tokio::select! {
                outcome = &mut v6, if six.is_none() => six = Some(outcome),
                outcome = &mut v4, if four.is_none() => four = Some(outcome),
                () = &mut patience => break,
            }
            if matches!((&six, &four), (Some(Ok(_)), None) | (None, Some(Ok(_)))) {
                patience.as_mut().reset(tokio::time::Instant::now() + RESOLUTION_DELAY);
            }
        }
        self.conclude(six, four)
    }

    /// What two outcomes come to; one of them may be missing, for the other was good enough or time is up.
    fn conclude(&self, six: Query, four: Query) -> Result<(Answer, Duration), Failure> {
        let partial = six.is_none() || four.is_none();
        let found: Vec<&Lookup> = [&six, &four].into_iter().filter_map(|query| query.as_ref()?.as_ref().ok()).collect();
        let addresses: Vec<_> = found.iter().flat_map(|lookup| addresses(lookup)).collect();
        if addresses.is_empty() {
            return Err(Failure::of_both(self.failure(six), self.failure(four)));
        }
        let now = Instant::now();
        let life = found.iter().map(|lookup| lookup.valid_until().saturating_duration_since(now)).min();
        let life = life.unwrap_or_default().min(if partial { PARTIAL } else { LONGEST });
        let aliases: Vec<_> = found.iter().map(|lookup| aliases(lookup)).max_by_key(Vec::len).unwrap_or_default();
        Ok((Answer { addresses: addresses.into(), aliases: aliases.into() }, life))
    }

    fn failure(&self, query: Query) -> Failure {
        let failure = match query {
            Some(Err(error)) => Failure::of_query(&error, self.timeout),
            // An answer without a record of the family asked for.
            Some(Ok(_)) => Failure::none(),
            None => Failure::timed_out(self.timeout),
        };
        match self.sockets.last_error() {
            Some(error) if failure.cause == ResolveCause::Unreachable => failure.with(errno(&error)),
            Some(_) | None => failure,
        }
    }

    /// Follows the aliases of `name` one by one into `trail`, and says whether they lead in a circle, or on and on.
    pub(crate) async fn follow_aliases(&self, mut name: Name, trail: &mut Vec<String>) -> bool {
        let first = text(&name);
        while trail.len() < MOST_ALIASES {
            let Ok(lookup) = self.resolver.lookup(name, RecordType::CNAME).await else { return false };
            let target = lookup.answers().iter().find_map(|record| match &record.data {
                RData::CNAME(target) => Some(target.0.clone()),
                _ => None,
            });
            let Some(target) = target else { return false };
            let alias = text(&target);
            let circle = alias == first || trail.contains(&alias);
            trail.push(alias);
            if circle {
                return true;
            }
            name = target;
        }
        true
    }
}

type Query = Option<Result<Lookup, NetError>>;

/// The addresses in an answer.
pub(crate) fn addresses(lookup: &Lookup) -> impl Iterator<Item = IpAddr> + '_ {
    lookup.answers().iter().filter_map(|record| record.data.ip_addr())
}

/// The aliases in an answer, in its order, which is that of the chain.
fn aliases(lookup: &Lookup) -> Vec<String> {
    let records = lookup.answers().iter();
    records
        .filter_map(|record| match &record.data {
            RData::CNAME(target) => Some(text(target)),
            _ => None,
        })
        .collect()
}

/// A name as people write it.
fn text(name: &Name) -> String {
    let mut text = name.to_lowercase().to_utf8();
    if text.ends_with('.') && text.len() > 1 {
        text.pop();
    }
    text
}

/// The name servers of `/etc/resolv.conf`; the one on this machine if it names none or does not exist, as resolv.conf(5)
/// has it.
fn system_servers() -> io::Result<Vec<SocketAddr>> {
    let servers: Vec<_> = match system_conf::read_system_conf() {
        Ok((config, _)) => config.name_servers.iter().map(|server| SocketAddr::new(server.ip, PORT)).collect(),
        Err(NetError::Io(error)) if error.kind() == io::ErrorKind::NotFound => Vec::new(),
        Err(error) => return Err(io::Error::other(error)),
    };
    Ok(if servers.is_empty() { vec![SocketAddr::new(Ipv4Addr::LOCALHOST.into(), PORT)] } else { servers })
}
