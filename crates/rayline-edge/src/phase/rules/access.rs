//! What stands beside the rules: access by address, country and `User-Agent`, lockdowns, the browser check, hotlinks.
//!
//! Addresses and countries come first, before any custom rule; the others come behind those, which may leave them out
//! (`skip` with `products`).

use std::cell::LazyCell;
use std::net::IpAddr;
use std::ops::Deref;

use memchr::memmem;
use rayline_rules::ruleset::{AccessMode, AccessRule, AccessTarget, Product, UrlPattern};
use rayline_rules::run::{Changes, ZoneRules, normalize};
use rayline_verdict::Fault;
use rayline_verdict::evidence::Fact;
use rayline_verdict::fault::RulesCause;

use super::challenge;
use super::facts::{country_of, split};
use crate::exchange::Exchange;
use crate::phase::request::path_and_query;
use crate::phase::route::bare_host;

/// The phase that evidence names: Cloudflare's for none of these.
pub(super) const PHASE: &str = "access";

/// IP access rules, by address, network and country: who is let in is let in whatever else names it, and passes all that
/// follows but custom rules ("IP Access rules", allow).
///
/// # Errors
/// An address, a network or a country that is banned, or challenged and not cleared.
pub(super) fn by_address(exchange: &mut Exchange<'_>, rules: &ZoneRules) -> Result<(), Fault> {
    if rules.access.rules.is_empty() {
        return Ok(());
    }
    let address = exchange.record.client_ip;
    let country = LazyCell::new(|| country_of(address));
    let asn = LazyCell::new(|| rules.lists().networks().and_then(|networks| networks.find(address)));
    let off =
        |exchange: &Exchange<'_>, id: &str| exchange.changes().is_some_and(|changes| changes.skips.leaves_out(id));
    let matching =
        rules.access.rules.iter().filter(|rule| holds(rule, address, &country, &asn) && !off(exchange, &rule.id));
    let Some(rule) = matching.min_by_key(|rule| rank(rule.mode)) else { return Ok(()) };
    let cause = match (rule.mode, &rule.target) {
        (AccessMode::Allow, _) => {
            if let Some(changes) = exchange.changes_mut() {
                changes.skips.skip_products();
            }
            return Ok(());
        }
        (AccessMode::Challenge, _) if challenge::is_cleared(exchange) => return Ok(()),
        (AccessMode::Challenge, _) => RulesCause::Challenged,
        (AccessMode::Block, AccessTarget::Network(_)) => RulesCause::AddressBanned,
        (AccessMode::Block, AccessTarget::Asn(_)) => RulesCause::AsnBanned,
        (AccessMode::Block, AccessTarget::Country(_)) => RulesCause::CountryBanned,
    };
    Err(named(cause, &rule.id, &target(&rule.target)))
}

/// Everything else that stands beside the rules.
///
/// # Errors
/// A request that one of them turns away.
pub(super) fn by_request(exchange: &Exchange<'_>, rules: &ZoneRules) -> Result<(), Fault> {
    let Some(changes) = exchange.changes() else { return Ok(()) };
    if !changes.skips.has(Product::ZoneLockdown) {
        lockdown(exchange, changes, rules)?;
    }
    if !changes.skips.has(Product::UserAgentBlocking) {
        user_agent(exchange, changes, rules)?;
    }
    let settings = exchange.zone.map(|zone| &zone.zone.settings);
    let on = |ruled: Option<bool>, of_zone: Option<bool>| ruled.or(of_zone).unwrap_or_default();
    if !changes.skips.has(Product::BrowserIntegrityCheck)
        && on(changes.config.browser_check, settings.map(|settings| settings.browser_check))
    {
        browser(exchange)?;
    }
    if !changes.skips.has(Product::HotlinkProtection)
        && on(changes.config.hotlink_protection, settings.map(|settings| settings.hotlink_protection))
    {
        hotlink(exchange, changes)?;
    }
    Ok(())
}

fn holds(
    rule: &AccessRule,
    address: IpAddr,
    country: &impl Deref<Target = &'static str>,
    asn: &impl Deref<Target = Option<u32>>,
) -> bool {
    match rule.target {
        AccessTarget::Network(network) => network.contains(&address.to_canonical()),
        AccessTarget::Asn(number) => **asn == Some(number),
        AccessTarget::Country(code) => country.as_bytes() == code,
    }
}

/// The mode that counts first.
fn rank(mode: AccessMode) -> u8 {
    match mode {
        AccessMode::Allow => 0,
        AccessMode::Challenge => 1,
        AccessMode::Block => 2,
    }
}

fn target(target: &AccessTarget) -> String {
    match target {
        AccessTarget::Network(network) => network.to_string(),
        AccessTarget::Asn(number) => format!("AS{number}"),
        AccessTarget::Country(code) => String::from_utf8_lossy(code).into_owned(),
    }
}

fn named(cause: RulesCause, id: &str, description: &str) -> Fault {
    let (id, description) = (id.to_owned(), description.to_owned());
    Fault::new(cause).with(Fact::Rule { id, description, phase: PHASE })
}

/// "Zone Lockdown": URLs that only some addresses may ask for. Of several that hold, one that names the address is enough.
fn lockdown(exchange: &Exchange<'_>, changes: &Changes, rules: &ZoneRules) -> Result<(), Fault> {
    if rules.access.lockdowns.is_empty() {
        return Ok(());
    }
    let address = exchange.record.client_ip.to_canonical();
    let (url, mut scratch) = (url(exchange, changes), Vec::new());
    let mut covers = |urls: &[UrlPattern]| urls.iter().any(|pattern| pattern.covers(&url, &mut scratch));
    let mut refused = None;
    for rule in &rules.access.lockdowns {
        if changes.skips.leaves_out(&rule.id) || !covers(&rule.urls) {
            continue;
        }
        if rule.allowed.iter().any(|network| network.contains(&address)) {
            return Ok(());
        }
        refused.get_or_insert(rule);
    }
    refused.map_or(Ok(()), |rule| Err(named(RulesCause::ZoneLockdown, &rule.id, "")))
}

/// "User Agent Blocking": the whole value, as it is written; of several, any.
fn user_agent(exchange: &Exchange<'_>, changes: &Changes, rules: &ZoneRules) -> Result<(), Fault> {
    let is_sent = |wanted: &[u8]| match exchange.head.fields.get("user-agent") {
        Some(_) => exchange.head.fields.all("user-agent").any(|sent| sent == wanted),
        None => wanted.is_empty(),
    };
    let is_meant = |rule: &&rayline_rules::ruleset::UserAgentRule| {
        is_sent(&rule.user_agent) && !changes.skips.leaves_out(&rule.id)
    };
    let Some(rule) = rules.access.user_agents.iter().find(is_meant) else { return Ok(()) };
    match rule.mode {
        AccessMode::Allow => Ok(()),
        AccessMode::Challenge if challenge::is_cleared(exchange) => Ok(()),
        AccessMode::Challenge => Err(named(RulesCause::Challenged, &rule.id, "")),
        AccessMode::Block => Err(named(RulesCause::UserAgent, &rule.id, "")),
    }
}

/// "Browser Integrity Check": no `User-Agent`, or one that no program that means well sends.
fn browser(exchange: &Exchange<'_>) -> Result<(), Fault> {
    let sent = exchange.head.fields.get("user-agent").unwrap_or_default().trim_ascii();
    let is_forged =
        sent.is_empty() || sent.iter().any(|byte| byte.is_ascii_control()) || matches!(sent, b"-" | b"\"\"");
    if !is_forged {
        return Ok(());
    }
    let value = String::from_utf8_lossy(sent).into_owned();
    Err(Fault::new(RulesCause::BrowserSignature).with(Fact::RequestHeader { name: "User-Agent", value }))
}

/// "Hotlink Protection": pictures asked for by a page of another site. No `Referer` is no other site.
fn hotlink(exchange: &Exchange<'_>, changes: &Changes) -> Result<(), Fault> {
    const PICTURES: [&[u8]; 5] = [b".gif", b".ico", b".jpg", b".jpeg", b".png"];
    let Some(referer) = exchange.head.fields.get("referer") else { return Ok(()) };
    let url = url(exchange, changes).to_ascii_lowercase();
    if !PICTURES.iter().any(|ending| url.ends_with(ending)) || memmem::find(&url, b"/hotlink-ok/").is_some() {
        return Ok(());
    }
    let referer = String::from_utf8_lossy(referer).into_owned();
    let authority = referer.split_once("://").map_or("", |(_, rest)| rest).split(['/', '?', '#', '\\']).next();
    let host = authority.and_then(|authority| authority.rsplit('@').next()).unwrap_or_default();
    let host = bare_host(host).to_ascii_lowercase();
    let zone = exchange.zone.map_or("", |zone| &zone.zone.name);
    if referer.is_empty() || host == zone || host.strip_suffix(zone).is_some_and(|rest| rest.ends_with('.')) {
        return Ok(());
    }
    Err(Fault::new(RulesCause::Hotlink).with(Fact::RequestHeader { name: "Referer", value: referer }))
}

/// Host and path, normalised: what holds for a URL holds whatever way it is written. A path that rules have rewritten is
/// the one that counts, as it does for the rules behind them.
fn url(exchange: &Exchange<'_>, changes: &Changes) -> Vec<u8> {
    let mut url = bare_host(exchange.head.host().unwrap_or_default()).to_ascii_lowercase().into_bytes();
    match &changes.uri {
        Some(uri) => normalize(uri.path(), &mut url),
        None => normalize(split(&path_and_query(exchange.head)).0, &mut url),
    }
    url
}
