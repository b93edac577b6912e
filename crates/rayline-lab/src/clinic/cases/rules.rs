//! Rules of a Rayline in front: those that break a site that works, and those that look on while it breaks by itself.

use super::connections::healthy;
use crate::clinic::case::{Case, Unbuilt, rayline};
use crate::clinic::site::Site;
use crate::servers::Nginx;

pub(super) const CASES: &[Case] = &[
    Case::new(
        "rule_leads_astray",
        "a rule of the edge sends requests to a port where nobody listens",
        astray,
        "owner.rules.breaks_request",
    )
    .seen(&[rayline(521).config(), rayline(521).also(&["origin.connect.refused"])]),
    Case::new(
        "rule_rewrites_path",
        "a rule of the edge asks the origin for a page that fails",
        rewritten,
        "owner.rules.breaks_request",
    )
    .seen(&[rayline(500).config(), rayline(500).also(&["origin.wait.error_status"])]),
    Case::new(
        "rule_expression_fails",
        "a rule of the edge needs a field that the request has not",
        without_field,
        "owner.rules.expression_failed",
    )
    .seen(&[rayline(500).config(), rayline(500)]),
    Case::new("rules_look_on", "the page fails at the origin; the edge has rules", failing, "origin.wait.error_status")
        .seen(&[rayline(500).config(), rayline(500)]),
];

/// Rules that touch every request, and break none.
const HARMLESS: &str = r#"
[[zone.rulesets]]
phase = "http_request_late_transform"
[[zone.rulesets.rules]]
id = "harmless"
expression = "true"
action = "rewrite"
action_parameters = { headers = { "X-Shop" = { operation = "set", value = "1" } } }
"#;

fn ruled(site: Site, phase: &str, parameters: &str, action: &str) -> Site {
    site.ruled(&format!(
        "{HARMLESS}\n[[zone.rulesets]]\nphase = \"{phase}\"\n[[zone.rulesets.rules]]\nid = \"guilty\"\n\
         expression = 'http.request.method eq \"GET\"'\naction = \"{action}\"\naction_parameters = {parameters}\n"
    ))
}

fn astray() -> Result<Site, Unbuilt> {
    // nobody listens at the first port of all
    Ok(ruled(healthy()?, "http_request_origin", "{ origin = { port = 1 } }", "route"))
}

/// One page that works, and one that fails.
fn two_pages() -> Result<Site, Unbuilt> {
    let nginx = Nginx::start(
        "server { listen @HTTP@; default_type text/html; location = /broken { return 500 '<p>no</p>'; }
           location / { return 200 '<p>Welcome</p>'; } }",
    )?;
    Ok(Site::at(nginx.http()).keeping(nginx))
}

fn rewritten() -> Result<Site, Unbuilt> {
    Ok(ruled(two_pages()?, "http_request_transform", "{ uri = { path = { value = \"/broken\" } } }", "rewrite"))
}

fn without_field() -> Result<Site, Unbuilt> {
    let parameters = "{ uri = { path = { expression = 'http.request.headers[\"x-none\"][0]' } } }";
    Ok(ruled(healthy()?, "http_request_transform", parameters, "rewrite"))
}

fn failing() -> Result<Site, Unbuilt> {
    Ok(two_pages()?.asked("/broken").ruled(HARMLESS))
}
