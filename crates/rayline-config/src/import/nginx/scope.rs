//! A scope: a server, a location, or an `if` in one of them, with what stands in it and of which requests it is.

use super::directives::{access, rules};
use super::location::{Location, chosen};
use super::upstream::proxy_pass;
use super::variables::condition;
use super::{SAYS_NOTHING, Server, left};
use crate::import::draft::Draft;
use crate::import::made::Made;
use crate::import::sites::{Sites, all};
use crate::import::syntax::Directive;

/// Files that distributions bring along: directives for what is noted elsewhere, or that the edge does by itself.
const KNOWN_FILES: [&str; 7] = [
    "fastcgi-php.conf",
    "fastcgi.conf",
    "fastcgi_params",
    "mime.types",
    "options-ssl-nginx.conf",
    "scgi_params",
    "uwsgi_params",
];
/// Debian's file that sends origins the host that was asked for, and the fields that the edge sends by itself.
const PROXY_PARAMS: &str = "proxy_params";

pub(super) struct Scope<'a> {
    pub(super) server: &'a Server<'a>,
    /// `None`: what stands beside the locations.
    pub(super) location: Option<&'a Location<'a>>,
    pub(super) directives: Vec<&'a Directive>,
    /// Of which requests, by the zone of their hosts.
    pub(super) zones: Vec<(String, String)>,
    /// The server's locations, of which each may say otherwise; none where this is one of them.
    pub(super) locations: &'a [Location<'a>],
}

impl Scope<'_> {
    /// Translates everything that stands in it.
    pub(super) fn translate(&self, sites: &mut Sites, draft: &mut Draft) {
        for directive in &self.directives {
            match directive.name() {
                "allow" | "deny" => {}
                "proxy_pass" => proxy_pass(self, directive, sites, draft),
                "if" => self.branch(directive, sites, draft),
                _ => self.one(directive, draft),
            }
        }
        let access_list: Vec<&Directive> =
            self.directives.iter().copied().filter(|directive| matches!(directive.name(), "allow" | "deny")).collect();
        for (directive, made) in access(&access_list) {
            self.take(directive, made.map(|made| vec![made]), draft);
        }
    }

    /// A directive that becomes rules, or nothing.
    fn one(&self, directive: &Directive, draft: &mut Draft) {
        match rules(self.server, directive) {
            Some(made) => {
                self.take(directive, made, draft);
                self.remark(directive, draft);
            }
            None if says_nothing(directive) => {}
            None => left(&self.server.place(directive), directive, draft),
        }
    }

    /// An `if`: a scope of its own.
    fn branch(&self, directive: &Directive, sites: &mut Sites, draft: &mut Draft) {
        match condition(directive) {
            Ok(also) => {
                let narrowed = |(zone, condition): &(String, String)| {
                    (zone.clone(), all(&[condition.clone(), format!("({also})")]))
                };
                let zones = self.zones.iter().map(narrowed).collect();
                let directives = directive.inside().iter().collect();
                let inner = Scope { directives, zones, locations: &[], server: self.server, location: self.location };
                inner.translate(sites, draft);
            }
            Err(why) => draft.leave(&self.server.place(directive), directive.shown(), why),
        }
    }

    fn take(&self, directive: &Directive, made: Result<Vec<Made>, String>, draft: &mut Draft) {
        let place = self.server.place(directive);
        match made {
            Ok(rules) => {
                let elsewhere = self.elsewhere(directive.name());
                for made in rules {
                    let also = all(&[elsewhere.clone(), made.also.clone()]);
                    made.of(if also == "true" { String::new() } else { also }).add(&place, &self.zones, draft);
                }
            }
            Err(why) => draft.leave(&place, directive.shown(), why),
        }
    }

    /// Where a rewrite is translated, and yet not quite the same.
    fn remark(&self, directive: &Directive, draft: &mut Draft) {
        let is_redirect = matches!(directive.argument(2), "permanent" | "redirect");
        if directive.name() == "rewrite" && !is_redirect && self.location.is_none() && self.server.rewrites {
            let why = "it is translated, but locations are held against the path as it came, since some rewrite it too";
            draft.leave(&self.server.place(directive), directive.shown(), why);
        }
    }

    /// That the request is of no location with directives of this kind of its own: they take the place of the server's.
    fn elsewhere(&self, name: &str) -> String {
        if !is_inherited(name) {
            return String::new();
        }
        let is_of_kind =
            |inner: &Directive| is_alike(inner.name(), name) || (name == "proxy_set_header" && is_proxy_params(inner));
        let says = |location: &Location<'_>| location.directive.inside().iter().any(is_of_kind);
        let of = self.locations.iter().enumerate().filter(|(_, location)| says(location));
        let parts: Vec<String> = of
            .map(|(index, location)| match chosen(location, index, self.locations, self.server.path()).as_slice() {
                [] => "false".to_owned(),
                [one] => format!("not {one}"),
                several => format!("not ({})", several.join(" and ")),
            })
            .collect();
        if parts.is_empty() { String::new() } else { all(&parts) }
    }

    /// Whether it is all that its server serves.
    pub(super) fn is_whole_server(&self) -> bool {
        self.location.is_none_or(Location::is_root)
    }

    /// Whether somebody says which `Host` origins are sent: the location, or the server where that says nothing of fields.
    pub(super) fn sets_host(&self) -> bool {
        let own = self.location.map(|location| location.directive.inside()).unwrap_or_default();
        let is_field = |directive: &&Directive| directive.name() == "proxy_set_header" || is_proxy_params(directive);
        let of_location: Vec<&Directive> = own.iter().filter(is_field).collect();
        let of_server = || self.server.directives.iter().copied().filter(is_field).collect();
        let fields: Vec<&Directive> = if of_location.is_empty() { of_server() } else { of_location };
        let is_host = |directive: &&Directive| directive.argument(0).eq_ignore_ascii_case("host");
        fields.iter().any(|directive| is_proxy_params(directive) || is_host(directive))
    }
}

/// Directives that hold in what stands below, unless that has some of the same name.
pub(super) fn is_inherited(name: &str) -> bool {
    matches!(
        name,
        "add_header" | "allow" | "deny" | "expires" | "gzip" | "limit_req" | "proxy_hide_header" | "proxy_set_header"
    )
}

/// Whether one of these stands in place of the other.
pub(super) fn is_alike(one: &str, other: &str) -> bool {
    let is_access = |name| matches!(name, "allow" | "deny");
    one == other || (is_access(one) && is_access(other))
}

fn is_proxy_params(directive: &Directive) -> bool {
    directive.name() == "include" && file_name(directive) == PROXY_PARAMS
}

fn file_name(directive: &Directive) -> &str {
    directive.argument(0).rsplit('/').next().unwrap_or_default()
}

/// Whether a directive changes nothing for visitors or origins, or says what the edge does anyway.
pub(super) fn says_nothing(directive: &Directive) -> bool {
    let name = directive.name();
    match name {
        "include" => is_proxy_params(directive) || KNOWN_FILES.contains(&file_name(directive)),
        "proxy_ssl_verify" => directive.argument(0) == "on",
        "auth_basic" | "auth_request" => directive.argument(0) == "off",
        // conversations that change their protocol are passed on as they are
        "map" => directive.arguments() == ["$http_upgrade", "$connection_upgrade"],
        // what it says is of use to `fastcgi_pass` alone, which is noted
        _ if name.starts_with("fastcgi_") => name != "fastcgi_pass" && !name.starts_with("fastcgi_cache"),
        _ => SAYS_NOTHING.contains(&name),
    }
}
