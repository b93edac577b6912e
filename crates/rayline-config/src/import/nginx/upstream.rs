//! `proxy_pass`: where requests of a scope go, and as what.

use serde_json::json;

use super::location::{Kind, Location};
use super::scope::Scope;
use super::{SAYS_NOTHING, Server};
use crate::import::draft::Draft;
use crate::import::made::Made;
use crate::import::sites::{Origin, Part, Sites, text_of};
use crate::import::syntax::Directive;

/// Translates a `proxy_pass`.
pub(super) fn proxy_pass(scope: &Scope<'_>, directive: &Directive, sites: &mut Sites, draft: &mut Draft) {
    let place = scope.server.place(directive);
    let origins = origins(scope.server, directive, draft);
    let Some(first) = origins.first() else {
        return draft.leave(&place, directive.shown(), "it names no server with an address that is written out");
    };
    if scope.is_whole_server() {
        sites.main_origin(&place, &scope.server.names, &origins, draft);
    } else {
        for (zone, condition) in &scope.zones {
            sites.other_origin(&place, zone, condition, first, draft);
        }
    }
    match scope.location.map(|location| path(location, directive, first)) {
        Some(Ok(Some(made))) => made.add(&place, &scope.zones, draft),
        Some(Ok(None)) | None => {}
        Some(Err(why)) => draft.leave(&place, directive.shown(), why),
    }
    if !scope.sets_host() {
        // nginx sends the name that it was given for the origin
        Made::host_header(&host_of(directive.argument(0))).add(&place, &scope.zones, draft);
    }
}

/// A path behind the origin stands in place of the location's.
fn path(location: &Location<'_>, directive: &Directive, origin: &Origin) -> Result<Option<Made>, &'static str> {
    if origin.path.is_empty() || directive.argument(0) == "/" {
        return Ok(None);
    }
    if matches!(location.kind, Kind::Regex { .. }) {
        return Err("a path behind the origin means nothing in a location with a regular expression");
    }
    if origin.path == location.path {
        return Ok(None);
    }
    let rest = format!("substring(http.request.uri.path, {})", location.path.len());
    let parts = [Part::Text(origin.path.clone()), Part::Field(rest)];
    let whole = if location.kind == Kind::Exact { &parts[..1] } else { &parts[..] };
    Ok(Some(Made::uri(&json!({ "path": text_of(whole) }))))
}

/// The origins of a `proxy_pass`, looked up among the upstreams.
fn origins(server: &Server<'_>, directive: &Directive, draft: &mut Draft) -> Vec<Origin> {
    let Some(origin) = Origin::parse(directive.argument(0)) else { return Vec::new() };
    let Some(members) = server.http.upstreams.get(origin.host.as_str()) else { return vec![origin] };
    let mut found: Vec<Origin> = Vec::new();
    for member in *members {
        match member_of(&origin, member, &found) {
            Ok(Some((of, remark))) => {
                found.push(of);
                if let Some(remark) = remark {
                    draft.leave(&server.place(member), member.shown(), remark);
                }
            }
            Ok(None) => {}
            Err(why) => draft.leave(&server.place(member), member.shown(), why),
        }
    }
    found
}

/// A member of an upstream beside those that were found, with what is lost of it; `None` if it says nothing.
fn member_of(
    origin: &Origin,
    member: &Directive,
    found: &[Origin],
) -> Result<Option<(Origin, Option<&'static str>)>, &'static str> {
    if SAYS_NOTHING.contains(&member.name()) {
        return Ok(None);
    }
    let of = Origin::parse(member.argument(0)).filter(|_| member.name() == "server");
    let of = of.ok_or("load balancing is not available in this version")?;
    let of = Origin { is_https: origin.is_https, path: origin.path.clone(), ..of };
    let is_address = |origin: &Origin| origin.host.parse::<std::net::IpAddr>().is_ok();
    if found.first().is_some_and(|first| first.port != of.port || !is_address(first)) {
        return Err("all addresses of one name have one port: load balancing is not available in this version");
    }
    let is_plain = member.arguments().len() == 1;
    Ok(Some((of, (!is_plain).then_some("servers of one name are tried in turn: it has no weight here"))))
}

/// What nginx sends as `Host` unless told otherwise.
fn host_of(url: &str) -> String {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    rest.split('/').next().unwrap_or_default().to_owned()
}
