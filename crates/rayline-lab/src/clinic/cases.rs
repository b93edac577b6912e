//! The cases, in groups that need the same servers.

mod answers;
mod apache;
mod applications;
mod caches;
mod certificates;
mod collected;
mod connections;
mod databases;
mod healthy;
mod machine;
mod networks;
mod nginx;
mod php;
mod postgres;
mod proxies;
mod rules;

use super::case::Case;

/// All of them, group by group.
pub const GROUPS: &[(&str, &[Case])] = &[
    ("connections", connections::CASES),
    ("certificates", certificates::CASES),
    ("answers", answers::CASES),
    ("proxies", proxies::CASES),
    ("nginx", nginx::CASES),
    ("php", php::CASES),
    ("databases", databases::CASES),
    ("postgres", postgres::CASES),
    ("caches", caches::CASES),
    ("applications", applications::CASES),
    ("apache", apache::CASES),
    ("collected", collected::CASES),
    ("rules", rules::CASES),
    ("machine", machine::CASES),
    ("networks", networks::CASES),
    ("healthy", healthy::CASES),
];

/// What any proxy's 502 may stand for, to those who see nothing else.
const ANY_502: &[&str] = &[
    "edge.reply.error_status",
    "network.connect.timed_out",
    "network.connect.unreachable",
    "origin.connect.refused",
    "origin.wait.closed_empty",
    "origin.wait.error_status",
    "origin.wait.half_head",
    "origin.wait.header_too_large",
    "origin.wait.reset",
    "origin.origin_tls.certificate_expired",
    "origin.origin_tls.self_signed",
    "owner.route.wrong_port",
];
/// The same of a 504.
const ANY_504: &[&str] =
    &["network.connect.timed_out", "origin.wait.timed_out", "origin.wait.error_status", "edge.reply.error_status"];
/// The same of a 500 or 503, which may be the edge's own.
const ANY_5XX: &[&str] = &["origin.wait.error_status", "edge.reply.error_status"];
