//! Where rules are written: the line of each in a configuration's text. It judges nothing; [`crate::compile`] does.

use toml::de::{DeArray, DeTable, DeValue};

/// Keys of a zone whose tables are rules beside those of the rulesets.
const BESIDE: [&str; 4] = ["access_rules", "lockdowns", "user_agent_rules", "page_rules"];

/// The rules of a zone that are written in a text, by the name that logs and verdicts give them, each with its line from 1.
pub fn rule_lines(text: &str, zone: &str) -> Vec<(String, usize)> {
    let (document, _) = DeTable::parse_recoverable(text);
    let zones = tables(document.get_ref(), "zone");
    let Some(zone) = zones.into_iter().find(|table| word(table, "name").is_some_and(|name| name == zone)) else {
        return Vec::new();
    };
    let rulesets = tables(zone, "rulesets").into_iter().flat_map(|ruleset| {
        let phase = word(ruleset, "phase").unwrap_or_default();
        tables(ruleset, "rules").into_iter().enumerate().map(move |(place, rule)| (named(rule, phase, place), rule))
    });
    let beside = BESIDE.into_iter().flat_map(|key| {
        tables(zone, key).into_iter().enumerate().map(move |(place, rule)| (named(rule, key, place), rule))
    });
    rulesets.chain(beside).filter_map(|(name, rule)| Some((name, line(text, rule)?))).collect()
}

/// As [`crate::compile`] names it.
fn named(rule: &DeTable<'_>, of: &str, place: usize) -> String {
    let own = word(rule, "id").or_else(|| word(rule, "ref"));
    own.map_or_else(|| format!("{of}.{}", place + 1), str::to_owned)
}

fn tables<'a>(table: &'a DeTable<'a>, key: &str) -> Vec<&'a DeTable<'a>> {
    let array: Option<&DeArray<'_>> = table.get(key).and_then(|value| match value.get_ref() {
        DeValue::Array(array) => Some(array),
        _ => None,
    });
    let table = |value: &'a toml::Spanned<DeValue<'a>>| match value.get_ref() {
        DeValue::Table(table) => Some(table),
        _ => None,
    };
    array.into_iter().flatten().filter_map(table).collect()
}

fn word<'a>(table: &'a DeTable<'a>, key: &str) -> Option<&'a str> {
    match table.get(key)?.get_ref() {
        DeValue::String(text) => Some(text),
        _ => None,
    }
}

/// The line of the first of its keys.
fn line(text: &str, table: &DeTable<'_>) -> Option<usize> {
    let first = table.keys().map(|key| key.span().start).min()?;
    Some(text.get(..first)?.matches('\n').count() + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rules_are_found_by_the_names_that_they_go_by() {
        let text = "[[zone]]\nname = \"other.test\"\n\n[[zone]]\nname = \"shop.test\"\n\
                    page_rules = [{ target = \"a\" }]\n\
                    [[zone.rulesets]]\nphase = \"http_request_origin\"\n\
                    [[zone.rulesets.rules]]\n# why\nid = \"mine\"\n[[zone.rulesets.rules]]\naction = \"route\"\n\
                    [[zone.access_rules]]\nmode = \"block\"\n";
        let found = [("mine", 11), ("http_request_origin.2", 13), ("access_rules.1", 15), ("page_rules.1", 6)];
        assert_eq!(rule_lines(text, "shop.test"), found.map(|(name, line)| (name.to_owned(), line)));
        assert!(rule_lines(text, "nobody.test").is_empty() && rule_lines("[[zone]", "x").is_empty());
    }
}
