//! The same rules as each proxy is told them. Nothing is logged.

use std::fmt::Write as _;
use std::fs;
use std::io;

use super::{Kind, Rules};
use crate::bench::config::{self, More, haproxy_with, nginx_with};
use crate::bench::peer::{Setup, Start};

/// Expressions of the zone's own rules, and lists.
pub(super) fn rayline(setup: &Setup) -> io::Result<Start> {
    let start = config::rayline(setup)?;
    let mut text = format!("\n[[zone.dns_records]]\ntype = \"A\"\nname = \"*\"\ncontent = \"{}\"\n", setup.origin.ip());
    if let Some(rules) = setup.rules {
        text += "\n[[zone.rulesets]]\nphase = \"http_request_firewall_custom\"\n";
        let needles = rules.needles();
        let rule =
            |expression: &str| format!("\n[[zone.rulesets.rules]]\nexpression = '{expression}'\naction = \"block\"\n");
        let list = |kind: &str| format!("\n[[list]]\nname = \"list\"\nkind = \"{kind}\"\nitems = {needles:?}\n");
        let each = |test: &str| needles.iter().map(|it| rule(&format!("{test}\"{it}\""))).collect::<String>();
        text += &match rules.kind {
            Kind::Host => each("http.host eq "),
            Kind::Agent => each("http.user_agent contains "),
            Kind::Path => each("http.request.uri.path matches r"),
            Kind::Addresses => rule("ip.src in $list") + &list("ip"),
            Kind::Hosts => rule("http.host in $list") + &list("hostname"),
        };
    }
    text += "\n[store]\nenabled = \"off\"\n\n[log]\nrequests = \"off\"\n";
    let file = setup.folder.join("rayline.toml");
    fs::write(&file, fs::read_to_string(&file)? + &text)?;
    Ok(start)
}

/// A `map`, or `geo` for addresses.
pub(super) fn nginx(setup: &Setup) -> io::Result<Start> {
    let server = "access_log off; if ($refused) { return 403; }";
    let (http, server) = match setup.rules {
        None => (String::new(), "access_log off;"),
        Some(rules) => (map(rules), server),
    };
    nginx_with(setup, "ssl http2", &More { main: "pcre_jit on;", http: &http, server })
}

fn map(rules: Rules) -> String {
    let head = match rules.kind {
        Kind::Host | Kind::Hosts => "map_hash_max_size 65536; map_hash_bucket_size 128; map $host $refused",
        Kind::Agent => "map $http_user_agent $refused",
        Kind::Path => "map $uri $refused",
        Kind::Addresses => "geo $refused",
    };
    let mut text = format!("{head} {{\n    default 0;\n");
    for needle in rules.needles() {
        // writing to a `String` cannot fail
        let _ = match rules.kind {
            Kind::Host | Kind::Hosts | Kind::Addresses => writeln!(text, "    {needle} 1;"),
            Kind::Agent | Kind::Path => writeln!(text, "    \"~{}\" 1;", needle.replace('\\', "\\\\")),
        };
    }
    text + "}"
}

/// A rule of HAProxy for each.
pub(super) fn haproxy_rules(setup: &Setup) -> io::Result<Start> {
    let mut frontend = String::from("    no log\n");
    if let Some(rules) = setup.rules {
        if rules.is_list() {
            return Err(io::Error::other("a rule for each item of a list is not what a list is"));
        }
        let (sample, method) = sample(rules.kind);
        for needle in rules.needles() {
            let _ = writeln!(frontend, "    http-request deny if {{ {sample} {method} '{needle}' }}");
        }
    }
    haproxy_with(setup, &frontend)
}

/// One rule of HAProxy, with a file of patterns.
pub(super) fn haproxy_list(setup: &Setup) -> io::Result<Start> {
    let mut frontend = String::from("    no log\n");
    if let Some(rules) = setup.rules {
        let file = setup.folder.join("patterns.lst");
        fs::write(&file, rules.needles().join("\n") + "\n")?;
        let (sample, method) = sample(rules.kind);
        let _ = writeln!(frontend, "    http-request deny if {{ {sample} {method} -f {} }}", file.display());
    }
    haproxy_with(setup, &frontend)
}

/// What is looked at, and how.
fn sample(kind: Kind) -> (&'static str, &'static str) {
    match kind {
        Kind::Host | Kind::Hosts => ("req.hdr(host)", "-m str -i"),
        Kind::Agent => ("req.hdr(user-agent)", "-m sub"),
        Kind::Path => ("path", "-m reg"),
        Kind::Addresses => ("src", ""),
    }
}
