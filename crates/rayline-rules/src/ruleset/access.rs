//! What stands beside the rulesets: bans, lockdowns, user agents. They are data; who is turned away the edge decides.

use std::sync::Arc;

use ipnet::IpNet;

/// What stands before the rules: access by address and country, lockdown, user agents.
#[derive(Debug, Clone, Default)]
pub struct Access {
    /// IP access rules: the first that matches decides.
    pub rules: Vec<AccessRule>,
    /// Zone lockdown: URLs that only some addresses may ask for.
    pub lockdowns: Vec<Lockdown>,
    /// User-agent blocking.
    pub user_agents: Vec<UserAgentRule>,
}

/// An IP access rule.
#[derive(Debug, Clone)]
pub struct AccessRule {
    /// Its id.
    pub id: Arc<str>,
    /// `configuration`.
    pub target: AccessTarget,
    /// `mode`.
    pub mode: AccessMode,
}

/// `configuration` of an IP access rule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AccessTarget {
    /// `ip`, `ip6`, `ip_range`.
    Network(IpNet),
    /// `country`: two capitals.
    Country([u8; 2]),
}

/// `mode` of an IP access rule and of a user-agent rule.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum AccessMode {
    /// `block`: 1006 for an address, 1009 for a country.
    Block,
    /// `challenge`, `js_challenge`, `managed_challenge`.
    Challenge,
    /// `whitelist`: nothing of security runs for it.
    Allow,
}

/// A zone lockdown rule.
#[derive(Debug, Clone)]
pub struct Lockdown {
    /// Its id.
    pub id: Arc<str>,
    /// `urls`: host and path, `*` stands for any characters.
    pub urls: Vec<Box<str>>,
    /// `configurations`: who may.
    pub allowed: Vec<IpNet>,
}

/// A user-agent blocking rule.
#[derive(Debug, Clone)]
pub struct UserAgentRule {
    /// Its id.
    pub id: Arc<str>,
    /// The whole `User-Agent`.
    pub user_agent: Box<[u8]>,
    /// `mode`.
    pub mode: AccessMode,
}
