//! What rules have changed so far: of the request, of the settings for it, and of its answer.

use std::fmt::Debug;
use std::sync::Arc;

use super::fields::Edits;
use super::trail::Change;
use super::uri::Uri;
use crate::program::Generation;
use crate::ruleset::{CacheSettings, Compression, LogFields, Phase, Product, SetConfig, Skip};

/// Everything that rules changed. A worker keeps one and uses it again for the next request.
#[derive(Debug, Default)]
pub struct Changes {
    /// Path and query, where a rule rewrote them.
    pub uri: Option<Uri>,
    /// Header fields of the request, on their way to the origin.
    pub request_fields: Edits,
    /// Header fields of the answer.
    pub response_fields: Edits,
    /// Settings: of each, the last rule's word.
    pub config: SetConfig,
    /// Where the request goes.
    pub route: Routed,
    /// How the cache is to treat it.
    pub cache: CacheSettings,
    /// What is not to run.
    pub skips: Skips,
    /// What the answer may be compressed with, best first, where a rule says so.
    pub compression: Option<Vec<Compression>>,
    /// Fields for the request log.
    pub log: LogFields,
    /// What the last phase left in the memory, for the next one, where it may still be used.
    pub(super) known: Option<Known>,
}

/// What a memory knows of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Known {
    /// The state of the facts, [`Facts::revision`](crate::Facts::revision).
    pub(super) revision: u64,
    /// That of the memory.
    pub(super) generation: Generation,
}

/// What origin rules changed: of each, the last rule's word.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct Routed {
    /// The `Host` that the origin is sent.
    pub host_header: Option<Box<[u8]>>,
    /// The server name of the TLS handshake.
    pub sni: Option<Box<[u8]>>,
    /// Another origin: a name or an address.
    pub host: Option<Arc<str>>,
    /// Another port.
    pub port: Option<u16>,
    /// The rule that set the last of them: its id and description.
    pub by: Option<(Arc<str>, Arc<str>)>,
}

/// What is not to run for a request.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct Skips {
    /// A bit for each phase.
    phases: u16,
    /// A bit for each product.
    products: u8,
    /// Rules by id: managed ones by a rule's word, any by that of whoever replays a request without them.
    pub rules: Vec<Arc<str>>,
}

impl Changes {
    /// Nothing is changed any more.
    pub fn clear(&mut self) {
        *self = Self::default();
    }

    /// Adds settings: what these say goes. Notes each.
    pub(super) fn set(&mut self, new: &SetConfig, noted: &mut Vec<Change>) {
        let SetConfig {
            ssl,
            always_use_https,
            browser_check,
            hotlink_protection,
            server_timing,
            origin_error_page_pass_thru,
            read_timeout,
            max_upload_bytes,
        } = new;
        let config = &mut self.config;
        replace("ssl", &mut config.ssl, ssl, noted);
        replace("always_use_https", &mut config.always_use_https, always_use_https, noted);
        replace("browser_check", &mut config.browser_check, browser_check, noted);
        replace("hotlink_protection", &mut config.hotlink_protection, hotlink_protection, noted);
        replace("server_timing", &mut config.server_timing, server_timing, noted);
        let pass_thru = &mut config.origin_error_page_pass_thru;
        replace("origin_error_page_pass_thru", pass_thru, origin_error_page_pass_thru, noted);
        replace("read_timeout", &mut config.read_timeout, read_timeout, noted);
        replace("max_upload", &mut config.max_upload_bytes, max_upload_bytes, noted);
    }

    /// The same for the cache.
    pub(super) fn set_cache(&mut self, new: &CacheSettings, noted: &mut Vec<Change>) {
        let CacheSettings {
            cache,
            edge_ttl,
            browser_ttl,
            origin_error_page_passthru,
            respect_strong_etags,
            origin_cache_control,
            read_timeout,
            disable_stale_while_updating,
        } = new;
        let settings = &mut self.cache;
        replace("cache", &mut settings.cache, cache, noted);
        replace("edge_ttl", &mut settings.edge_ttl, edge_ttl, noted);
        replace("browser_ttl", &mut settings.browser_ttl, browser_ttl, noted);
        let pass_thru = &mut settings.origin_error_page_passthru;
        replace("origin_error_page_passthru", pass_thru, origin_error_page_passthru, noted);
        replace("respect_strong_etags", &mut settings.respect_strong_etags, respect_strong_etags, noted);
        replace("origin_cache_control", &mut settings.origin_cache_control, origin_cache_control, noted);
        replace("read_timeout", &mut settings.read_timeout, read_timeout, noted);
        let stale = &mut settings.disable_stale_while_updating;
        replace("disable_stale_while_updating", stale, disable_stale_while_updating, noted);
    }

    /// Adds fields for the log, each once.
    pub(super) fn log(&mut self, new: &LogFields) {
        add_new(&mut self.log.request_fields, &new.request_fields);
        add_new(&mut self.log.response_fields, &new.response_fields);
        add_new(&mut self.log.cookie_fields, &new.cookie_fields);
    }

    /// The longest wait for the origin, where a rule says so: a configuration rule's word, else a cache rule's.
    pub fn read_timeout(&self) -> Option<std::time::Duration> {
        self.config.read_timeout.or(self.cache.read_timeout)
    }

    /// Whether an origin's own 502 and 504 pass, where a rule says so.
    pub fn passes_error_pages(&self) -> Option<bool> {
        self.config.origin_error_page_pass_thru.or(self.cache.origin_error_page_passthru)
    }
}

fn replace<T: Clone + Debug>(name: &str, old: &mut Option<T>, new: &Option<T>, noted: &mut Vec<Change>) {
    if new.is_some() {
        let shown = |value: &Option<T>| value.as_ref().map(|value| format!("{value:?}").replace('"', ""));
        let (before, after) = (shown(old), shown(new));
        noted.push(Change::new(name, before.as_deref().map(str::as_bytes), after.as_deref().map(str::as_bytes)));
        old.clone_from(new);
    }
}

fn add_new(names: &mut Vec<Arc<str>>, new: &[Arc<str>]) {
    for name in new {
        if !names.iter().any(|known| known.eq_ignore_ascii_case(name)) {
            names.push(Arc::clone(name));
        }
    }
}

impl Skips {
    /// Whether this rule is among those that are named.
    pub fn leaves_out(&self, id: &str) -> bool {
        self.rules.iter().any(|named| **named == *id)
    }

    /// Adds what a rule skips.
    pub(super) fn add(&mut self, skip: &Skip) {
        for phase in &skip.phases {
            self.phases |= 1 << (*phase as u16);
        }
        for product in &skip.products {
            self.products |= 1 << (*product as u8);
        }
        self.rules.extend(skip.rules.iter().cloned());
    }

    /// Leaves out all of security, as for an address that is let in.
    pub fn skip_security(&mut self) {
        self.products = u8::MAX;
        for phase in [Phase::FirewallCustom, Phase::Ratelimit, Phase::FirewallManaged] {
            self.phases |= 1 << (phase as u16);
        }
    }

    /// Leaves out every product, as for an address that is let in; custom rules run all the same.
    pub fn skip_products(&mut self) {
        self.products = u8::MAX;
    }

    /// Whether a phase is left out.
    pub fn skips(&self, phase: Phase) -> bool {
        let by_product = match phase {
            Phase::Ratelimit => self.has(Product::RateLimit),
            Phase::FirewallManaged => self.has(Product::Waf),
            Phase::DynamicRedirect
            | Phase::RequestTransform
            | Phase::ConfigSettings
            | Phase::Origin
            | Phase::FirewallCustom
            | Phase::Redirect
            | Phase::LateTransform
            | Phase::CacheSettings
            | Phase::CustomErrors
            | Phase::ResponseHeadersTransform
            | Phase::ResponseCompression
            | Phase::LogCustomFields => false,
        };
        by_product || self.phases & (1 << (phase as u16)) != 0
    }

    /// Whether a product is left out.
    pub fn has(&self, product: Product) -> bool {
        self.products & (1 << (product as u8)) != 0
    }
}
