//! `[[list]]` and `[[redirect_list]]`, which rules of every zone may name.

use std::collections::{BTreeMap, HashMap};
use std::net::IpAddr;
use std::sync::Arc;

use ipnet::IpNet;
use rayline_rules::networks::{Networks, number};
use rayline_rules::ruleset::{RedirectItem, RedirectList};
use rayline_rules::{List, ListItems, ListKind, Lists};

use super::actions::{is_target, redirect_status};
use crate::compile::file::read_file;
use crate::document::{At, Fields, Place, shown};
use crate::name::parse_name;

/// The longest file of items, in bytes: over four million addresses.
const LONGEST_FILE: u64 = 64 << 20;

/// The longest name ("Lists", 50 characters).
const LONGEST_NAME: usize = 50;

/// How many lines of a file are shown to be wrong, one by one.
const SHOWN_LINES: usize = 10;

/// What rules name.
#[derive(Debug, Default)]
pub(in crate::compile) struct Named {
    pub(super) lists: Lists,
    pub(super) redirect_lists: BTreeMap<String, Arc<RedirectList>>,
}

/// Every list of the file, and the table of networks that `[server]` names.
pub(in crate::compile) fn read_named(root: &Fields<'_>, server: &Fields<'_>) -> Named {
    let mut named = Named::default();
    if let Some(networks) = read_networks(server) {
        named.lists.set_networks(Arc::new(networks));
    }
    let mut places = HashMap::new();
    for fields in root.tables("list") {
        let name = read_name(&fields, &mut places);
        let items = read_items(&fields);
        if let (Some(name), Some(items)) = (name, items) {
            named.lists.insert(List { name: name.into(), items });
        }
    }
    let mut places = HashMap::new();
    for fields in root.tables("redirect_list") {
        let name = read_name(&fields, &mut places);
        let items = read_redirects(&fields);
        if let Some(name) = name {
            named.redirect_lists.insert(name.clone(), Arc::new(RedirectList { name: name.into(), items }));
        }
    }
    named
}

fn read_networks(server: &Fields<'_>) -> Option<Networks> {
    let file: At<String> = server.optional("asn_table")?;
    // so that rules about it are not called wrong as well
    let nothing = Some(Networks::default());
    let Some(text) = read_file(&file, LONGEST_FILE, server.report) else { return nothing };
    let read = String::from_utf8(text).map_err(|_| (None, "it is not UTF-8 text".to_owned()));
    let read = read.and_then(|text| Networks::read(&text).map_err(|wrong| (Some(wrong.line), wrong.reason)));
    read.map_or_else(
        |(line, reason)| {
            let line = line.map_or_else(String::new, |line| format!("line {line}: "));
            let problem = file.place.error(format!("`{}` is no table of networks: {line}{reason}", shown(&file.value)));
            server.report.push(problem.hint(
                "each line is `first address, last address, number` or `network, number`, with tabs or commas between",
            ));
            nothing
        },
        Some,
    )
}

fn read_name(fields: &Fields<'_>, places: &mut HashMap<String, Place>) -> Option<String> {
    let _note: Option<String> = fields.optional("description");
    let name: At<String> = fields.required("name")?;
    let fits = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
    if !name.value.chars().all(fits) || name.value.len() > LONGEST_NAME {
        let text = shown(name.value.trim_start_matches('$'));
        let problem = name.place.error(format!("`{}` is no name of a list", shown(&name.value)));
        let near: String =
            text.to_lowercase().chars().map(|c| if fits(c) { c } else { '_' }).take(LONGEST_NAME).collect();
        return fields.report.refuse(problem.hint(format!(
            "it has lower-case letters, digits and underscores, at most {LONGEST_NAME}, such as `{near}`"
        )));
    }
    if let Some(first) = places.insert(name.value.clone(), name.place.clone()) {
        let problem = name.place.error(format!("there are two lists `{}`", name.value));
        return fields.report.refuse(problem.hint("put the items of both into one").related(&first, "first here"));
    }
    Some(name.value)
}

/// The items of a list, from the configuration and from its file.
fn read_items(fields: &Fields<'_>) -> Option<ListItems> {
    let kind: Option<ListKind> = fields.required("kind");
    let written: Vec<At<String>> = fields.take("items");
    let file: Option<At<String>> = fields.optional("file");
    let mut items = empty(kind?);
    for item in &written {
        if let Err(wrong) = add(&mut items, &item.value) {
            fields.report.push(item.place.error(wrong.message(&item.value)).hint(wrong.hint));
        }
    }
    if let Some(file) = file {
        let text = read_file(&file, LONGEST_FILE, fields.report)?;
        let Ok(text) = String::from_utf8(text) else {
            let problem = file.place.error(format!("`{}` is not UTF-8 text", shown(&file.value)));
            return fields.report.refuse(problem.hint("save the list as UTF-8, one item on each line"));
        };
        add_lines(&mut items, &text, &file, fields);
    }
    Some(items)
}

/// One item on each line; what follows a `#` at its start or behind white space is a comment.
fn add_lines(items: &mut ListItems, text: &str, file: &At<String>, fields: &Fields<'_>) {
    let mut wrong_lines = 0;
    for (index, line) in text.lines().enumerate() {
        let comment = line
            .find('#')
            .filter(|at| line.get(..*at).is_some_and(|item| item.is_empty() || item.ends_with([' ', '\t'])));
        let item = comment.and_then(|at| line.get(..at)).unwrap_or(line).trim();
        if item.is_empty() {
            continue;
        }
        let Err(wrong) = add(items, item) else { continue };
        wrong_lines += 1;
        if wrong_lines <= SHOWN_LINES {
            let message = format!("line {} of `{}`: {}", index + 1, shown(&file.value), wrong.message(item));
            fields.report.push(file.place.error(message).hint(wrong.hint));
        }
    }
    if wrong_lines > SHOWN_LINES {
        let more = wrong_lines - SHOWN_LINES;
        fields.report.push(file.place.error(format!("{more} more lines of `{}` are no items", shown(&file.value))));
    }
}

fn empty(kind: ListKind) -> ListItems {
    match kind {
        ListKind::Ip => ListItems::Ip(Vec::new()),
        ListKind::Hostname => ListItems::Hostname(Vec::new()),
        ListKind::Asn => ListItems::Asn(Vec::new()),
        ListKind::String => ListItems::String(Vec::new()),
    }
}

/// Why something is no item of its list.
struct NotAnItem {
    is_no: &'static str,
    hint: String,
}

impl NotAnItem {
    fn message(&self, item: &str) -> String {
        format!("`{}` is no {}", shown(item), self.is_no)
    }
}

fn add(items: &mut ListItems, item: &str) -> Result<(), NotAnItem> {
    match items {
        ListItems::Ip(networks) => {
            let network = item.parse::<IpAddr>().map(IpNet::from).or_else(|_| item.parse::<IpNet>());
            let not = |_| NotAnItem {
                is_no: "address or network",
                hint: "write it as `192.0.2.1`, `192.0.2.0/24` or `2001:db8::/32`".to_owned(),
            };
            networks.push(network.map_err(not)?.trunc());
        }
        ListItems::Hostname(names) => {
            let (star, rest) = item.strip_prefix("*.").map_or(("", item), |rest| ("*.", rest));
            let not = |reason: String| NotAnItem { is_no: "host name", hint: reason };
            let name = parse_name(rest).map_err(|fault| not(fault.reason))?;
            names.push(format!("{star}{name}").into());
        }
        ListItems::Asn(numbers) => {
            let not = |_| NotAnItem {
                is_no: "autonomous system number",
                hint: "write it as `64496` or `AS64496`".to_owned(),
            };
            numbers.push(number(item).map_err(not)?);
        }
        ListItems::String(texts) => texts.push(item.into()),
    }
    Ok(())
}

/// The redirects of a list, the most particular source first.
fn read_redirects(fields: &Fields<'_>) -> Vec<RedirectItem> {
    let mut sources: HashMap<String, Place> = HashMap::new();
    let mut items: Vec<RedirectItem> = Vec::new();
    for table in fields.tables("items") {
        let source: Option<At<String>> = table.required("source_url");
        let target: Option<At<String>> = table.required("target_url");
        let status_code = redirect_status(&table);
        let item = RedirectItem {
            source_url: source.as_ref().and_then(|at| source_url(at, &table)).unwrap_or_default().into(),
            target_url: target.as_ref().and_then(|at| target_url(at, &table)).unwrap_or_default().into(),
            status_code: status_code.unwrap_or(301),
            preserve_query_string: table.take("preserve_query_string"),
            include_subdomains: table.take("include_subdomains"),
            subpath_matching: table.take("subpath_matching"),
            preserve_path_suffix: table.take("preserve_path_suffix"),
        };
        if let Some(source) = source
            && let Some(first) = sources.insert(item.source_url.to_string(), source.place.clone())
            && !item.source_url.is_empty()
        {
            let problem = source.place.error(format!("`{}` is redirected twice", shown(&source.value)));
            fields.report.push(problem.hint("leave one of them out").related(&first, "first here"));
        }
        items.push(item);
    }
    items.sort_by_key(|item| {
        let has_scheme = item.source_url.contains("://");
        (item.include_subdomains, item.subpath_matching, std::cmp::Reverse((item.source_url.len(), has_scheme)))
    });
    items
}

/// A source: `[scheme://]host[/path]`, the host in lower case, at least `/` behind it.
fn source_url(written: &At<String>, fields: &Fields<'_>) -> Option<String> {
    let text = written.value.as_str();
    let refuse = |hint: &str| {
        let problem = written.place.error(format!("`{}` is no source of a redirect", shown(text)));
        fields.report.refuse(problem.hint(hint))
    };
    let (scheme, rest) = match text.split_once("://") {
        Some((scheme, rest)) if matches!(scheme.to_ascii_lowercase().as_str(), "http" | "https") => {
            (format!("{}://", scheme.to_ascii_lowercase()), rest)
        }
        Some(_) => return refuse("its scheme is `http` or `https`, or left out"),
        None => (String::new(), text),
    };
    if text.contains(['?', '#']) || text.contains(|c: char| c.is_ascii_control() || c == ' ') {
        return refuse("leave query and fragment out: a source is a host and a path");
    }
    let (host, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
    let Ok(name) = parse_name(host) else { return refuse("write a host and a path, such as `shop.example/old`") };
    Some(format!("{scheme}{name}{}", if path.is_empty() { "/" } else { path }))
}

fn target_url(written: &At<String>, fields: &Fields<'_>) -> Option<String> {
    if is_target(&written.value) && !written.value.starts_with('/') {
        return Some(written.value.clone());
    }
    let problem = written.place.error(format!("`{}` is no place to redirect to", shown(&written.value)));
    fields.report.refuse(problem.hint("write a URL with `https://` or `http://`"))
}
