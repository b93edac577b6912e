//! A configuration's text as it may be shown: without what would open a door elsewhere.

use toml::Spanned;
use toml::de::{DeArray, DeTable, DeValue};

/// Keys whose texts are secrets, or hold some.
const SECRET: [&str; 5] = ["secret", "url", "destination_conf", "headers", "endpoint"];

/// Parts of names of header fields that mostly hold a secret.
const SECRET_FIELDS: [&str; 7] = ["auth", "cookie", "token", "secret", "key", "password", "credential"];

/// The function whose first argument is a secret.
const SIGNED: &str = "is_timed_hmac_valid_v0";

/// What stands in place of a secret.
const MASK: &str = "\"***\"";

/// The text with each secret replaced by `"***"`; everything else, comments too, stays as it was written.
///
/// A secret that stands in a comment, or behind an error of syntax, stays.
pub fn masked(text: &str) -> String {
    let (table, _) = DeTable::parse_recoverable(text);
    let mut places = Vec::new();
    in_table(table.get_ref(), &mut places);
    places.sort_unstable_by_key(|place: &std::ops::Range<usize>| place.start);
    let mut shown = String::with_capacity(text.len());
    let mut rest = 0;
    for place in places {
        if let Some(before) = text.get(rest..place.start) {
            shown.push_str(before);
            shown.push_str(MASK);
            rest = place.end;
        }
    }
    shown.push_str(text.get(rest..).unwrap_or_default());
    shown
}

fn in_table(table: &DeTable<'_>, places: &mut Vec<std::ops::Range<usize>>) {
    for (key, value) in table {
        let name = key.get_ref().as_ref();
        if let ("headers", DeValue::Table(fields)) = (name, value.get_ref()) {
            in_fields(fields, places);
        } else if let ("forwarding_url", DeValue::Table(_)) = (name, value.get_ref()) {
            // where a Page Rule leads everybody may know: it is told to every visitor
        } else if SECRET.contains(&name) || is_signed(value) {
            texts(value, places);
        } else {
            in_value(value, places);
        }
    }
}

/// The header fields that a rule writes, by name: the texts of those that mostly hold a secret.
fn in_fields(fields: &DeTable<'_>, places: &mut Vec<std::ops::Range<usize>>) {
    for (field, change) in fields {
        let name = field.get_ref().to_ascii_lowercase();
        let is_secret = SECRET_FIELDS.iter().any(|part| name.contains(part));
        let DeValue::Table(change) = change.get_ref() else { continue };
        let values = change.iter().filter(|(key, value)| {
            let key = key.get_ref().as_ref();
            matches!(key, "value" | "expression") && (is_secret || is_signed(value))
        });
        values.for_each(|(_, value)| texts(value, places));
    }
}

/// Whether it is an expression with a key in it.
fn is_signed(value: &Spanned<DeValue<'_>>) -> bool {
    matches!(value.get_ref(), DeValue::String(text) if text.contains(SIGNED))
}

fn in_value(value: &Spanned<DeValue<'_>>, places: &mut Vec<std::ops::Range<usize>>) {
    match value.get_ref() {
        DeValue::Table(table) => in_table(table, places),
        DeValue::Array(array) => in_array(array, places, in_value),
        _ => {}
    }
}

fn texts(value: &Spanned<DeValue<'_>>, places: &mut Vec<std::ops::Range<usize>>) {
    match value.get_ref() {
        DeValue::String(_) => places.push(value.span()),
        DeValue::Array(array) => in_array(array, places, texts),
        DeValue::Table(table) => in_table(table, places),
        _ => {}
    }
}

fn in_array(
    array: &DeArray<'_>,
    places: &mut Vec<std::ops::Range<usize>>,
    each: fn(&Spanned<DeValue<'_>>, &mut Vec<std::ops::Range<usize>>),
) {
    array.iter().for_each(|value| each(value, places));
}

#[cfg(test)]
mod tests {
    use super::masked;

    #[test]
    fn secrets_go_and_the_rest_stays() {
        let text = "# a note\n[trace]\nendpoint = 'http://u:hunter2@a/' # here\nheaders = [\"a: hunter2\", \"\"\"b:\nhunter2\"\"\"]\n\
                    alert_receiver = [{ name = \"ops\", url = \"https://hunter2\" }]\n[[logpush]]\nname=\"x\"\ndestination_conf=\"s3://hunter2\"\n";
        let shown = masked(text);
        assert!(!shown.contains("hunter2"), "{shown}");
        assert!(
            shown.starts_with("# a note\n[trace]\nendpoint = \"***\" # here\nheaders = [\"***\", \"***\"]\n"),
            "{shown}"
        );
        assert!(shown.contains("{ name = \"ops\", url = \"***\" }"), "{shown}");
    }

    #[test]
    fn rules_are_shown_without_their_secrets() {
        let text = "headers = { Authorization = { operation = \"set\", value = \"hunter2\" }, X-Shop = { operation = \"set\", value = \"blue\" } }\n\
                    expression = 'is_timed_hmac_valid_v0(\"hunter2\", http.request.uri, 60, 1, 8)'\n\
                    forwarding_url = { url = \"https://a.example/$1\" }\n[zone.x.headers]\n\"X-Api-Key\" = { operation = \"set\", value = 'hunter2' }\n";
        let shown = masked(text);
        assert!(!shown.contains("hunter2"), "{shown}");
        assert!(shown.contains("\"blue\"") && shown.contains("https://a.example/$1"), "{shown}");
        assert!(shown.contains("Authorization = { operation = \"set\", value = \"***\" }"), "{shown}");
    }

    #[test]
    fn what_cannot_be_read_is_shown_as_it_is() {
        for text in ["", "[[[", "a = \nsecret = \"x", "é = \"ü\"\nsecret = \"é\""] {
            assert!(!masked(text).is_empty() || text.is_empty());
        }
    }
}
