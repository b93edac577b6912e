//! `reverse_proxy`: where requests go, and as what.

use std::net::IpAddr;

use super::directives::header_change;
use super::scope::Scope;
use crate::import::draft::Draft;
use crate::import::made::Made;
use crate::import::sites::{Origin, Sites};
use crate::import::syntax::Directive;

/// Translates a `reverse_proxy`, given its arguments behind the matcher.
pub(super) fn proxy(
    scope: &Scope<'_>,
    directive: &Directive,
    arguments: &[String],
    sites: &mut Sites,
    draft: &mut Draft,
) -> Result<(), String> {
    let place = scope.site.place(directive);
    let of_block = directive.inside().iter().filter(|inner| inner.name() == "to").flat_map(Directive::arguments);
    let upstreams: Vec<&String> = arguments.iter().chain(of_block).collect();
    let origins: Vec<Origin> = upstreams.iter().filter_map(|upstream| Origin::parse(upstream)).collect();
    let Some(first) = origins.first() else {
        return Err("it names no upstream with an address that is written out".to_owned());
    };
    let together = together(first, &origins);
    if together.len() < upstreams.len() {
        let why = "of its upstreams only those of one port are taken: load balancing is not available in this version";
        draft.leave(&place, directive.shown(), why);
    }
    if scope.is_whole_site() {
        sites.main_origin(&place, &scope.site.names, &together, draft);
    } else {
        for (zone, condition) in scope.zones(sites) {
            sites.other_origin(&place, &zone, &condition, first, draft);
        }
    }
    for inner in directive.inside() {
        let place = scope.site.place(inner);
        match option(inner, first) {
            Ok(Some(made)) => made.add(&place, &scope.zones(sites), draft),
            Ok(None) => {}
            Err(why) => draft.leave(&place, inner.shown(), why),
        }
    }
    Ok(())
}

/// Those that can stand behind one name: addresses with the same port.
fn together(first: &Origin, origins: &[Origin]) -> Vec<Origin> {
    let is_address = |origin: &Origin| origin.host.parse::<IpAddr>().is_ok();
    if !is_address(first) {
        return vec![first.clone()];
    }
    let alike = |origin: &&Origin| origin.port == first.port && origin.is_https == first.is_https && is_address(origin);
    origins.iter().filter(alike).cloned().collect()
}

/// What stands in its block; `None`: the edge does so by itself.
fn option(inner: &Directive, origin: &Origin) -> Result<Option<Made>, String> {
    let (field, value) = (inner.argument(0), inner.argument(1));
    match (inner.name(), field) {
        ("to", _) | ("header_up", "X-Forwarded-For" | "X-Forwarded-Proto" | "X-Forwarded-Host" | "X-Real-IP") => {
            Ok(None)
        }
        ("header_up", "Host") => Ok(match value {
            "{host}" => None,
            "{upstream_hostport}" | "{http.reverse_proxy.upstream.hostport}" => {
                Some(Made::host_header(&format!("{}:{}", origin.host, origin.port)))
            }
            host => Some(Made::host_header(host)),
        }),
        ("header_up", _) => header_change(field, value).map(|change| Some(Made::request_headers(change))),
        ("header_down", _) => header_change(field, value).map(|change| Some(Made::response_headers(change))),
        _ => Err("it has no counterpart".to_owned()),
    }
}
