//! Named lists, `$name` in an expression: addresses, host names, networks by number, texts (Cloudflare Rules, "Lists").
//!
//! Where they come from, a file or the configuration, is the caller's affair.

use std::collections::BTreeMap;
use std::sync::Arc;

use ipnet::IpNet;

use crate::networks::Networks;

/// What a list holds, as the API's `kind`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ListKind {
    /// Addresses and networks.
    Ip,
    /// Host names, `*.example.com` included.
    Hostname,
    /// Autonomous system numbers.
    Asn,
    /// Texts, compared whole. Ours: the API has none.
    String,
}

/// The items of a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ListItems {
    /// Addresses are networks of one.
    Ip(Vec<IpNet>),
    /// Lower case, without a final dot.
    Hostname(Vec<Box<str>>),
    /// Autonomous system numbers.
    Asn(Vec<u32>),
    /// Any texts.
    String(Vec<Box<str>>),
}

/// A named list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct List {
    /// Its name, without the `$`: lower-case letters, digits, underscores, and dots as in `cf.malware`.
    pub name: Box<str>,
    /// What is in it.
    pub items: ListItems,
}

impl List {
    /// What it holds.
    pub fn kind(&self) -> ListKind {
        match self.items {
            ListItems::Ip(_) => ListKind::Ip,
            ListItems::Hostname(_) => ListKind::Hostname,
            ListItems::Asn(_) => ListKind::Asn,
            ListItems::String(_) => ListKind::String,
        }
    }
}

/// Every list that an expression may name, and the table behind `ip.src.asnum`.
#[derive(Debug, Clone, Default)]
pub struct Lists {
    by_name: BTreeMap<Box<str>, Arc<List>>,
    networks: Option<Arc<Networks>>,
}

impl Lists {
    /// Adds a list; the one of the same name that was there before, if any.
    pub fn insert(&mut self, list: List) -> Option<Arc<List>> {
        self.by_name.insert(list.name.clone(), Arc::new(list))
    }

    /// The list of a name.
    pub fn get(&self, name: &str) -> Option<&Arc<List>> {
        self.by_name.get(name)
    }

    /// Sets the table of networks: expressions may ask for their numbers from now on.
    pub fn set_networks(&mut self, networks: Arc<Networks>) {
        self.networks = Some(networks);
    }

    /// The table of networks, if there is one.
    pub fn networks(&self) -> Option<&Networks> {
        self.networks.as_deref()
    }

    /// Their names, in order.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.by_name.keys().map(AsRef::as_ref)
    }
}
