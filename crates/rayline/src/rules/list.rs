//! Lists from files, for `rayline rules test`: an item a line, of whichever kind all of them are.

use std::fs;
use std::io;
use std::net::IpAddr;

use ipnet::IpNet;
use rayline_rules::{List, ListItems};

use crate::cli::rules::NamedList;

/// Reads a list. Empty lines, and what stands behind `#`, are passed over.
///
/// # Errors
///
/// If the file cannot be read, or has no items; the message names it.
pub(crate) fn read(named: &NamedList) -> io::Result<List> {
    let file = named.file.display();
    let text = fs::read_to_string(&named.file)
        .map_err(|error| io::Error::new(error.kind(), format!("cannot read `{file}`: {error}")))?;
    let items: Vec<&str> = text.lines().map(item).filter(|item| !item.is_empty()).collect();
    if items.is_empty() {
        return Err(io::Error::new(io::ErrorKind::InvalidData, format!("`{file}` has no items")));
    }
    Ok(List { name: named.name.as_str().into(), items: of_one_kind(&items) })
}

fn item(line: &str) -> &str {
    line.split('#').next().unwrap_or_default().trim()
}

/// Addresses, if all are; else network numbers, else host names, else texts.
fn of_one_kind(items: &[&str]) -> ListItems {
    let all = |is: fn(&str) -> bool| items.iter().all(|item| is(item));
    if let Some(networks) = items.iter().map(|item| network(item)).collect() {
        return ListItems::Ip(networks);
    }
    if let Some(numbers) = items.iter().map(|item| item.parse().ok()).collect() {
        return ListItems::Asn(numbers);
    }
    match all(is_host) {
        true => ListItems::Hostname(items.iter().map(|item| item.to_ascii_lowercase().into()).collect()),
        false => ListItems::String(items.iter().map(|item| (*item).into()).collect()),
    }
}

fn network(item: &str) -> Option<IpNet> {
    item.parse().ok().or_else(|| item.parse::<IpAddr>().ok().map(IpNet::from))
}

/// Labels with a dot between them, the first of which may be `*`.
fn is_host(item: &str) -> bool {
    let rest = item.strip_prefix("*.").unwrap_or(item);
    let is_label =
        |label: &str| !label.is_empty() && label.chars().all(|char| char.is_ascii_alphanumeric() || char == '-');
    rest.contains('.') && rest.split('.').all(is_label)
}

#[cfg(test)]
mod tests {
    use rayline_rules::ListKind;

    use super::*;

    #[test]
    fn a_list_is_of_the_kind_that_all_its_items_are() {
        for (items, kind) in [
            (&["192.0.2.1", "2001:db8::/32"][..], ListKind::Ip),
            (&["64496", "64497"], ListKind::Asn),
            (&["shop.example", "*.shop.example"], ListKind::Hostname),
            (&["shop.example", "/path"], ListKind::String),
            (&["192.0.2.1", "x"], ListKind::String),
            (&["word"], ListKind::String),
        ] {
            let list = List { name: "x".into(), items: of_one_kind(items) };
            assert_eq!(list.kind(), kind, "{items:?}");
        }
        assert_eq!(item(" 192.0.2.1  # the office"), "192.0.2.1");
        assert_eq!(item("# all"), "");
    }
}
