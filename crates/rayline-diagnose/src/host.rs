//! On the origin itself: who listens, what the firewall does, disk, memory, limits, clock. Read only, without root
//! where that is possible; what could not be read is said.

use std::net::SocketAddr;

use crate::logs::Named;
use crate::probe::Probe;

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
