//! On the origin itself: who listens, what the firewall does, disk, memory, limits, clock. Read only, without root
//! where that is possible; what could not be read is said.
//!
//! It asks nobody outside the machine, and runs nothing but programs that print rules and states.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use ipnet::IpNet;

use crate::logs::{Cause, Named};
use crate::probe::{Probe, Watcher};

mod clock;
mod command;
mod disk;
mod firewall;
mod kernel;
mod limits;
mod listeners;
mod memory;
mod services;
#[allow(unsafe_code, reason = "the state of the kernel's clock has no safe interface")]
mod sys;

/// How long one look may take.
const LONGEST: Duration = Duration::from_secs(15);

/// The machine, as the origin.
#[derive(Clone, Debug, Default)]
pub struct Host {
    /// Who listens on the ports that matter.
    pub listeners: Vec<Listener>,
    /// What is wrong with the machine.
    pub troubles: Vec<Named>,
    /// What could not be looked at, and what would help, a sentence each.
    pub unseen: Vec<String>,
    /// What a person reads of all that.
    pub probes: Vec<Probe>,
}

/// A listening socket.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listener {
    /// Where.
    pub address: SocketAddr,
    /// The program and its process id, where they may be seen.
    pub program: Option<(String, u32)>,
    /// Connections that wait to be accepted, and how many may.
    pub backlog: Option<(u32, u32)>,
}

/// What one look at the machine showed.
#[derive(Default)]
struct Part {
    listeners: Vec<Listener>,
    troubles: Vec<Named>,
    unseen: Vec<String>,
    probes: Vec<Probe>,
}

/// Looks at the machine as the origin whose `ports` the addresses of `edges` connect to. With no edges given, the
/// firewall is asked about an address that nothing is known of.
///
/// The looks run on threads that may block, one after the other: none of them takes long, and none waits for the network.
pub async fn look(ports: &[u16], edges: &[IpNet], watcher: &dyn Watcher) -> Host {
    let mut host = Host::default();
    let wanted = ports.to_vec();
    take(&mut host, watcher, "host.listeners", "who listens", move || listeners::look(&wanted)).await;
    let (wanted, edges) = (ports.to_vec(), edges.to_vec());
    take(&mut host, watcher, "host.firewall", "what the firewall does", move || firewall::look(&wanted, &edges)).await;
    take(&mut host, watcher, "host.disk", "room on the disks", disk::look).await;
    take(&mut host, watcher, "host.memory", "memory, and what the kernel killed", memory::look).await;
    take(&mut host, watcher, "host.kernel", "what the kernel said", kernel::look).await;
    take(&mut host, watcher, "host.services", "services that failed or were restarted", services::look).await;
    let wanted = ports.to_vec();
    take(&mut host, watcher, "host.limits", "limits of processes and connections", move || limits::look(&wanted)).await;
    take(&mut host, watcher, "host.clock", "the clock", clock::look).await;
    host.troubles.sort_by(|a, b| b.likelihood.total_cmp(&a.likelihood));
    host
}

async fn take(
    host: &mut Host,
    watcher: &dyn Watcher,
    name: &str,
    doing: &str,
    look: impl FnOnce() -> Part + Send + 'static,
) {
    watcher.began(name, doing);
    let started = Instant::now();
    // A file system of the network that hangs must not keep the other looks from being made.
    let part = match tokio::time::timeout(LONGEST, tokio::task::spawn_blocking(look)).await {
        Ok(Ok(part)) => part,
        Ok(Err(_)) | Err(_) => Part { unseen: vec![format!("{doing}: this step did not end")], ..Part::default() },
    };
    for mut probe in part.probes {
        probe.took = started.elapsed();
        watcher.ended(&probe);
        host.probes.push(probe);
    }
    host.listeners.extend(part.listeners);
    host.troubles.extend(part.troubles);
    host.unseen.extend(part.unseen);
}

/// What is wrong, as the machine itself shows it: without file and time.
fn trouble(cause: Cause, likelihood: f64, sentence: String, line: &str) -> Named {
    Named {
        cause,
        sentence,
        place: None,
        source: "this machine",
        line: line.chars().take(400).collect::<String>().chars().filter(|c| !c.is_control()).collect(),
        found: None,
        count: 1,
        between: None,
        likelihood,
    }
}

#[cfg(test)]
mod tests;
