//! Bulk redirects: a list of thousands is looked up by host and path, never walked through ("Bulk Redirects").

use std::collections::HashMap;
use std::sync::Arc;

use foldhash::fast::RandomState;

use crate::ruleset::{RedirectItem, RedirectList};

/// A list, ready to be looked up.
#[derive(Debug)]
pub struct RedirectIndex {
    list: Arc<RedirectList>,
    hosts: HashMap<Box<[u8]>, Paths, RandomState>,
}

/// The sources of one host name, by path.
#[derive(Debug, Default)]
struct Paths {
    paths: HashMap<Box<[u8]>, Sources, RandomState>,
    /// The longest of them: longer prefixes need not be tried.
    longest: usize,
}

/// The items of one host and path, by scheme: those that name the visitor's go first.
#[derive(Debug, Default)]
struct Sources {
    items: Vec<(Option<Box<[u8]>>, usize)>,
}

/// An item, and what of the path stood behind its source.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Found<'a> {
    pub(super) item: &'a RedirectItem,
    pub(super) suffix: &'a [u8],
}

impl RedirectIndex {
    /// Sorts the items of a list. Of two for the same source the first counts.
    pub fn new(list: Arc<RedirectList>) -> Self {
        let mut hosts: HashMap<Box<[u8]>, Paths, RandomState> = HashMap::default();
        for (place, item) in list.items.iter().enumerate() {
            let (scheme, host, path) = parts(item.source_url.as_bytes());
            let paths = hosts.entry(host.to_ascii_lowercase().into()).or_default();
            paths.longest = paths.longest.max(path.len());
            let sources = paths.paths.entry(path.into()).or_default();
            sources.items.push((scheme.map(|scheme| scheme.to_ascii_lowercase().into()), place));
            sources.items.sort_by_key(|(scheme, place)| (scheme.is_none(), *place));
        }
        Self { list, hosts }
    }

    /// Whether it was made of this very list.
    pub(super) fn is_of(&self, list: &Arc<RedirectList>) -> bool {
        Arc::ptr_eq(&self.list, list)
    }

    /// The item for an address: of the nearest host name, the one with the longest path. Costs a look-up for each label of
    /// the host and each segment of the path.
    pub(super) fn find<'a>(&'a self, url: &'a [u8]) -> Option<Found<'a>> {
        let (scheme, mut host, path) = parts(url);
        let path = path.split(|byte| matches!(byte, b'?' | b'#')).next().unwrap_or_default();
        let mut is_subdomain = false;
        loop {
            if let Some(found) = self.hosts.get(host).and_then(|paths| self.below(paths, scheme, path, is_subdomain)) {
                return Some(found);
            }
            let dot = host.iter().position(|byte| *byte == b'.')?;
            host = host.get(dot + 1..)?;
            is_subdomain = true;
        }
    }

    fn below<'a>(
        &'a self,
        paths: &'a Paths,
        scheme: Option<&[u8]>,
        path: &'a [u8],
        is_subdomain: bool,
    ) -> Option<Found<'a>> {
        let fits = |found: &Option<Box<[u8]>>, item: &RedirectItem, whole: bool| {
            (found.is_none() || found.as_deref() == scheme)
                && (!is_subdomain || item.include_subdomains)
                && (whole || item.subpath_matching)
        };
        let pick = |prefix: &[u8], whole: bool| {
            let sources = paths.paths.get(prefix)?;
            let items = sources.items.iter().filter_map(|(scheme, place)| Some((scheme, self.list.items.get(*place)?)));
            items.into_iter().find(|(found, item)| fits(found, item, whole)).map(|(_, item)| item)
        };
        if let Some(item) = pick(path, true) {
            return Some(Found { item, suffix: b"" });
        }
        // From the longest prefix that ends at a slash to the shortest; a source may have that slash or not.
        let mut end = path.len().min(paths.longest + 1);
        loop {
            let slash = path.get(..end)?.iter().rposition(|byte| *byte == b'/')?;
            for end in [slash + 1, slash] {
                if let Some(item) = path.get(..end).and_then(|prefix| pick(prefix, false)) {
                    return Some(Found { item, suffix: path.get(end..).unwrap_or_default() });
                }
            }
            end = slash;
        }
    }
}

/// Scheme, host without port, and path with what is behind it; a path that is not there is `/`.
fn parts(url: &[u8]) -> (Option<&[u8]>, &[u8], &[u8]) {
    let (scheme, rest) = match url.iter().position(|byte| matches!(byte, b':' | b'/')) {
        Some(place) if url.get(place..).is_some_and(|rest| rest.starts_with(b"://")) => {
            (url.get(..place), url.get(place + 3..).unwrap_or_default())
        }
        _ => (None, url),
    };
    let slash = rest.iter().position(|byte| matches!(byte, b'/' | b'?' | b'#')).unwrap_or(rest.len());
    let (authority, path) = rest.split_at_checked(slash).unwrap_or((rest, b""));
    let colon = if authority.first() == Some(&b'[') { None } else { authority.iter().position(|byte| *byte == b':') };
    let host = authority.get(..colon.unwrap_or(authority.len())).unwrap_or_default();
    (scheme, host, if path.first() == Some(&b'/') { path } else { b"/" })
}

impl Found<'_> {
    /// Where the visitor is sent: the target, with what of the path is to be kept.
    pub(super) fn target(&self) -> Vec<u8> {
        let target = self.item.target_url.as_bytes();
        if !self.item.preserve_path_suffix || self.suffix.is_empty() {
            return target.to_vec();
        }
        let end = target.iter().position(|byte| matches!(byte, b'?' | b'#')).unwrap_or(target.len());
        let (path, rest) = target.split_at_checked(end).unwrap_or((target, b""));
        let suffix = self.suffix.strip_prefix(b"/").unwrap_or(self.suffix);
        let mut out = path.strip_suffix(b"/").unwrap_or(path).to_vec();
        out.push(b'/');
        out.extend_from_slice(suffix);
        out.extend_from_slice(rest);
        out
    }
}

/// Adds the visitor's query to a target's own, before its fragment.
pub(super) fn with_query(mut target: Vec<u8>, query: &[u8]) -> Vec<u8> {
    if query.is_empty() {
        return target;
    }
    let fragment = target.iter().position(|byte| *byte == b'#').map(|place| target.split_off(place));
    target.push(if target.contains(&b'?') { b'&' } else { b'?' });
    target.extend_from_slice(query);
    target.extend(fragment.unwrap_or_default());
    target
}
