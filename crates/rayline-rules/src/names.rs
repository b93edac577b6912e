//! From a name as written to what it names, and from one that is misspelt to the one that was meant.

use crate::ruleset::Phase;
use crate::scheme::{Field, Function, Stage};

/// Names that Cloudflare gave up in favour of others and still reads ("Fields reference").
pub const FORMER: &[(&str, Field)] = &[
    ("ip.geoip.asnum", Field::IpSrcAsnum),
    ("ip.geoip.continent", Field::IpSrcContinent),
    ("ip.geoip.country", Field::IpSrcCountry),
    ("ip.geoip.is_in_european_union", Field::IpSrcIsInEuropeanUnion),
    ("ip.geoip.subdivision_1_iso_code", Field::IpSrcRegionCode),
    ("ip.src.subdivision_1_iso_code", Field::IpSrcRegionCode),
];

/// Fields of Cloudflare's that this edge has not, by what their names begin with, and why.
pub const ELSEWHERE: &[(&str, &str)] = &[
    ("cf.api_gateway.", "this edge knows no schemas of APIs"),
    ("cf.bot_management.", "this edge does not tell bots from people"),
    ("cf.edge.client_tcp", "every visitor of this edge comes over TCP or QUIC; use `http.request.version`"),
    ("cf.llm.", "this edge does not read prompts"),
    ("cf.tls_client_auth.", "this edge asks visitors for no certificates"),
    ("cf.tls_client_", "of a visitor's TLS this edge keeps a fingerprint; use `cf.bot_management.ja4`"),
    ("cf.waf.auth_detected", "this edge does not tell logins from other requests"),
    ("cf.waf.content_scan.", "this edge does not scan uploads"),
    ("cf.waf.credential_check.", "this edge has no lists of leaked credentials"),
    ("cf.waf.score", "managed rules here have one score; use `rayline.waf.anomaly_score`"),
    ("cf.zone.plan", "there are no plans here"),
    ("http.request.jwt.", "this edge validates no tokens"),
    ("icmp.", "rules here look at requests, not at packets"),
    ("ip.dst", "rules here look at requests; use `cf.edge.server_ip`"),
    ("ip.src.", "this edge knows the country of an address, no more; use `ip.src.country`"),
    ("raw.http.response.", "header fields of answers are as they came; use `http.response.headers`"),
    ("sip", "rules here look at requests, not at packets"),
    ("tcp.", "rules here look at requests, not at packets; use `cf.edge.server_port`"),
    ("udp.", "rules here look at requests, not at packets; use `cf.edge.server_port`"),
];

/// Why this edge has not a field of that name that Cloudflare has.
pub(crate) fn elsewhere(name: &str) -> Option<&'static str> {
    ELSEWHERE.iter().find(|(prefix, _)| name.starts_with(prefix)).map(|(_, reason)| *reason)
}

impl Field {
    /// The field of a name, of today or of former times.
    pub fn named(name: &str) -> Option<Self> {
        let former = || FORMER.iter().find(|(former, _)| *former == name).map(|(_, field)| *field);
        Self::ALL.iter().copied().find(|field| field.name() == name).or_else(former)
    }
}

impl Function {
    /// The function of a name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|function| function.name() == name)
    }
}

/// The phases that come at a stage, in words.
pub(crate) fn phases_at(stage: Stage) -> String {
    let mut names: Vec<String> =
        Phase::ALL.iter().filter(|phase| phase.stage() == stage).map(|phase| format!("`{}`", phase.name())).collect();
    let last = names.pop().unwrap_or_default();
    if names.is_empty() { last } else { format!("{} or {last}", names.join(", ")) }
}

/// The known name that was probably meant: at most a third of its letters differ.
pub(crate) fn nearest<'a>(written: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let written = written.to_lowercase();
    known
        .into_iter()
        .map(|name| (strsim::damerau_levenshtein(&written, name), name))
        .filter(|(distance, name)| *distance * 3 <= name.len().max(3) && *distance < name.len())
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, name)| name)
}
