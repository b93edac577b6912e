//! What stands beside the rulesets: bans, lockdowns, user agents. They are data; who is turned away the edge decides.

use std::sync::Arc;

use ipnet::IpNet;

use crate::matcher::Wildcard;

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
    /// `asn`: the number of an autonomous system.
    Asn(u32),
    /// `country`: two capitals.
    Country([u8; 2]),
}

/// `mode` of an IP access rule and of a user-agent rule.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum AccessMode {
    /// `block`: 1005 for an autonomous system, 1006 for an address, 1009 for a country.
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
    /// `urls`.
    pub urls: Vec<UrlPattern>,
    /// `configurations`: who may.
    pub allowed: Vec<IpNet>,
}

/// Host and path, in which `*` stands for any characters; the case does not count.
#[derive(Debug, Clone)]
pub struct UrlPattern {
    text: Box<str>,
    wildcard: Wildcard,
}

impl UrlPattern {
    /// Reads a pattern, once for all requests.
    ///
    /// # Errors
    /// In one sentence, why it is none: two `*` in a row, more than eight of them, or a stray backslash.
    pub fn new(text: &str) -> Result<Self, String> {
        Ok(Self { text: text.into(), wildcard: Wildcard::new(text.as_bytes(), false)? })
    }

    /// As it was written.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Whether it stands for this host and path. `scratch` is room to work in.
    pub fn covers(&self, url: &[u8], scratch: &mut Vec<u8>) -> bool {
        self.wildcard.is_match(url, scratch)
    }
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
