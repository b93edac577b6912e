//! Who can act on a failure, and where in a request's life it happened: the two axes of every code.

use std::fmt;

/// Who can act. There is no `Unknown`: evidence that would tell is collected instead.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Party {
    /// The client that sent the request.
    Visitor,
    /// A rule that did what it was told: not a failure.
    Policy,
    /// The zone owner's configuration on the edge: DNS records, rules, workers, tunnels.
    Owner,
    /// Rayline itself: a bug, or an exhausted resource.
    Edge,
    /// What lies between edge and origin, name resolution included.
    Network,
    /// The server, its TLS, or the application behind it.
    Origin,
}

impl Party {
    /// Every party, in the order in which a request meets them.
    pub const ALL: [Self; 6] = [Self::Visitor, Self::Policy, Self::Owner, Self::Edge, Self::Network, Self::Origin];

    /// The first part of a code's name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Visitor => "visitor",
            Self::Policy => "policy",
            Self::Owner => "owner",
            Self::Edge => "edge",
            Self::Network => "network",
            Self::Origin => "origin",
        }
    }

    /// Who that is, in words a site's visitor understands.
    pub const fn in_words(self) -> &'static str {
        match self {
            Self::Visitor => "the browser or program that sent the request",
            Self::Policy => "a rule of this site",
            Self::Owner => "the site's settings on the edge",
            Self::Edge => "the edge",
            Self::Network => "the network between the edge and the site's server",
            Self::Origin => "the site's server",
        }
    }

    /// Which box of the picture *You · Edge · Host* is marked.
    pub const fn hop(self) -> Hop {
        match self {
            Self::Visitor => Hop::You,
            Self::Policy | Self::Owner | Self::Edge => Hop::Edge,
            Self::Network | Self::Origin => Hop::Host,
        }
    }
}

impl fmt::Display for Party {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// A box of the picture on the error page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Hop {
    /// The visitor's side.
    You,
    /// Rayline and what its owner configured.
    Edge,
    /// The origin and the way to it.
    Host,
}

/// Where in a request's life. The edge has one file per phase, with these names in this order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Phase {
    /// Taking the visitor's connection.
    Accept,
    /// The TLS handshake with the visitor.
    ClientTls,
    /// Reading the visitor's request.
    Request,
    /// Finding the zone and the record for the host name.
    Route,
    /// The zone's rules.
    Rules,
    /// The zone's workers.
    Worker,
    /// Looking into the cache.
    Cache,
    /// Choosing an origin.
    Balance,
    /// Turning the origin's name into addresses.
    Resolve,
    /// The TCP connection to the origin.
    Connect,
    /// The TLS handshake with the origin.
    OriginTls,
    /// Sending the request to the origin.
    Send,
    /// Waiting for the head of the origin's response.
    Wait,
    /// Receiving the body of the origin's response.
    Receive,
    /// Answering the visitor.
    Reply,
}

impl Phase {
    /// Every phase, in order.
    pub const ALL: [Self; 15] = [
        Self::Accept,
        Self::ClientTls,
        Self::Request,
        Self::Route,
        Self::Rules,
        Self::Worker,
        Self::Cache,
        Self::Balance,
        Self::Resolve,
        Self::Connect,
        Self::OriginTls,
        Self::Send,
        Self::Wait,
        Self::Receive,
        Self::Reply,
    ];

    /// The second part of a code's name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Accept => "accept",
            Self::ClientTls => "client_tls",
            Self::Request => "request",
            Self::Route => "route",
            Self::Rules => "rules",
            Self::Worker => "worker",
            Self::Cache => "cache",
            Self::Balance => "balance",
            Self::Resolve => "resolve",
            Self::Connect => "connect",
            Self::OriginTls => "origin_tls",
            Self::Send => "send",
            Self::Wait => "wait",
            Self::Receive => "receive",
            Self::Reply => "reply",
        }
    }
}

impl fmt::Display for Phase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
