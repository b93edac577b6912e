//! A configuration in the making: what was translated, with the place that it came from, until the compiler agrees.

use std::path::PathBuf;
use std::time::UNIX_EPOCH;

use serde_json::{Map, Value};

use super::{Import, Untranslated};
use crate::document::shown;
use crate::source::Source;
use crate::{Problem, Severity, compile};

/// How often the draft is compiled at most. Each time everything that is refused goes, so twice is usual.
const ROUNDS: usize = 12;

/// Something translated, that can be taken out again by itself.
#[derive(Debug, Clone)]
pub(super) struct Item {
    /// Where it came from.
    pub(super) place: String,
    /// What it was there.
    pub(super) what: String,
    pub(super) keys: Map<String, Value>,
}

/// The tables of a zone that are written as arrays.
const ZONE_TABLES: [&str; 6] =
    ["dns_records", "certificates", "access_rules", "lockdowns", "user_agent_rules", "page_rules"];

/// A zone in the making.
#[derive(Debug, Clone, Default)]
pub(super) struct DraftZone {
    pub(super) name: String,
    /// Each with one key.
    pub(super) settings: Vec<Item>,
    /// The tables of `ZONE_TABLES`, each by its key.
    tables: Vec<(&'static str, Item)>,
    /// Rules, each with its phase.
    rules: Vec<(String, Item)>,
}

impl DraftZone {
    pub(super) fn new(name: &str) -> Self {
        Self { name: name.to_owned(), ..Self::default() }
    }

    pub(super) fn setting(&mut self, place: &str, key: &str, value: Value) {
        // of two the later counts, as it does in what is read
        self.settings.retain(|item| !item.keys.contains_key(key));
        let keys = Map::from_iter([(key.to_owned(), value)]);
        self.settings.push(Item { place: place.to_owned(), what: format!("setting `{key}`"), keys });
    }

    pub(super) fn table(&mut self, key: &'static str, item: Item) {
        self.tables.push((key, item));
    }

    pub(super) fn rule(&mut self, phase: &str, item: Item) {
        self.rules.push((phase.to_owned(), item));
    }

    pub(super) fn records(&self) -> impl Iterator<Item = &Item> {
        self.tables.iter().filter(|(key, _)| *key == "dns_records").map(|(_, item)| item)
    }

    /// The phases of its rules, in the order in which they were first named.
    fn phases(&self) -> Vec<&str> {
        let mut phases: Vec<&str> = Vec::new();
        for (phase, _) in &self.rules {
            if !phases.contains(&phase.as_str()) {
                phases.push(phase);
            }
        }
        phases
    }
}

/// A configuration in the making.
#[derive(Debug, Default)]
pub(super) struct Draft {
    pub(super) server: Map<String, Value>,
    pub(super) lists: Vec<Item>,
    pub(super) redirect_lists: Vec<Item>,
    pub(super) zones: Vec<DraftZone>,
    untranslated: Vec<Untranslated>,
}

impl Draft {
    /// Notes what is not translated.
    pub(super) fn leave(&mut self, place: &str, what: impl AsRef<str>, why: impl Into<String>) {
        let left = Untranslated { place: place.to_owned(), what: shown(what.as_ref()), why: why.into() };
        if !self.untranslated.contains(&left) {
            self.untranslated.push(left);
        }
    }

    /// The zone of that name, made if it is not there.
    pub(super) fn zone(&mut self, name: &str) -> &mut DraftZone {
        let place = self.zones.iter().position(|zone| zone.name == name).unwrap_or_else(|| {
            self.zones.push(DraftZone::new(name));
            self.zones.len() - 1
        });
        #[expect(clippy::indexing_slicing, reason = "the place was just found, or made")]
        &mut self.zones[place]
    }

    /// Compiles it, takes out what is refused, and says so.
    pub(super) fn finish(mut self, base: PathBuf) -> Import {
        if !self.server.contains_key("http") && !self.server.contains_key("https") {
            self.server.insert("http".to_owned(), Value::from(vec!["0.0.0.0:80"]));
        }
        for _ in 0..ROUNDS {
            let source = Source { name: "rayline.toml".to_owned(), text: self.to_toml(), base: base.clone() };
            // certificates that have expired are not for this to judge: whoever runs the result is told
            let (_, problems) = compile(&source, UNIX_EPOCH);
            let errors: Vec<Problem> =
                problems.into_iter().filter(|problem| problem.severity == Severity::Error).collect();
            if errors.is_empty() {
                self.untranslated.sort_by_cached_key(|left| in_order(&left.place));
                return Import { toml: source.text, untranslated: self.untranslated };
            }
            if !self.take_out(&errors) {
                break;
            }
        }
        // nothing is left to take out that would help: a configuration that compiles, and no more
        let names: Vec<String> = self.zones.drain(..).map(|zone| zone.name).collect();
        for name in names {
            self.leave(&name, "the zone", "what it became does not compile");
        }
        self.leave("the result", "zones", "nothing was found that this edge could serve");
        Import { toml: self.to_toml(), untranslated: self.untranslated }
    }

    /// Takes out everything that a problem is about, the hindmost first, so that places stay what they are. Whether
    /// there was anything.
    fn take_out(&mut self, problems: &[Problem]) -> bool {
        let mut seen: Vec<Vec<Step<'_>>> = Vec::new();
        let mut sorted: Vec<(Vec<Step<'_>>, &Problem)> =
            problems.iter().map(|problem| (steps(&problem.path), problem)).collect();
        // where a whole phase is refused, nothing that is said of its rules is worth saying
        let is_phase = |path: &[Step<'_>]| path.last().is_some_and(|(key, _)| *key == "phase");
        if sorted.iter().any(|(path, _)| is_phase(path)) {
            sorted.retain(|(path, _)| is_phase(path));
        }
        sorted.sort_by(|one, other| other.0.cmp(&one.0));
        for (path, problem) in sorted {
            let why = match &problem.hint {
                Some(hint) => format!("{}; {hint}", problem.message),
                None => problem.message.clone(),
            };
            let Some((taken, item)) = self.taken(&path, &seen) else { continue };
            seen.push(taken);
            self.leave(&item.place, &item.what, why);
        }
        !seen.is_empty()
    }

    /// Takes out what stands at a path, unless it has gone already; with the path of what was taken.
    fn taken<'p>(&mut self, path: &[Step<'p>], seen: &[Vec<Step<'p>>]) -> Option<(Vec<Step<'p>>, Item)> {
        let gone = |depth: usize| path.get(..depth).is_some_and(|part| seen.iter().any(|seen| seen == part));
        let at = |depth: usize| path.get(depth).copied();
        let prefix = |depth: usize| path.get(..depth).unwrap_or_default().to_vec();
        match at(0)? {
            ("list", Some(place)) => take_from_list(&mut self.lists, place, path, seen),
            ("redirect_list", Some(place)) => take_from_list(&mut self.redirect_lists, place, path, seen),
            ("server", _) => {
                let (key, _) = at(1)?;
                self.server.remove(key)?;
                let item = Item { place: "server".to_owned(), what: key.to_owned(), keys: Map::new() };
                Some((prefix(2), item))
            }
            ("zone", Some(zone)) => {
                let draft = self.zones.get_mut(zone)?;
                match at(1) {
                    Some(("settings", _)) => {
                        let (key, _) = at(2)?;
                        let place = draft.settings.iter().position(|item| item.keys.contains_key(key))?;
                        Some((prefix(3), draft.settings.remove(place)))
                    }
                    Some(("rulesets", Some(ruleset))) => {
                        let phase = (*draft.phases().get(ruleset)?).to_owned();
                        let mut of_phase =
                            draft.rules.iter().enumerate().filter(|(_, (of, _))| *of == phase).map(|(place, _)| place);
                        match at(2) {
                            Some(("rules", Some(rule))) if !gone(3) => {
                                let place = of_phase.nth(rule)?;
                                if let Some(taken) = take_parameter(&mut draft.rules.get_mut(place)?.1, path, seen) {
                                    return taken;
                                }
                                Some((prefix(3), draft.rules.remove(place).1))
                            }
                            Some(("rules", _)) => None,
                            // the phase itself: none of its rules can stay
                            _ => {
                                let rules: Vec<usize> = of_phase.collect();
                                let mut taken = None;
                                for place in rules.into_iter().rev() {
                                    taken = Some(draft.rules.remove(place).1);
                                }
                                let mut item = taken?;
                                item.what = format!("rules of `{}`", shown(&phase));
                                Some((prefix(2), item))
                            }
                        }
                    }
                    Some((key, Some(index))) if !gone(2) => {
                        let key = ZONE_TABLES.into_iter().find(|known| *known == key)?;
                        let mut of_key =
                            draft.tables.iter().enumerate().filter(|(_, (of, _))| *of == key).map(|(place, _)| place);
                        let place = of_key.nth(index)?;
                        if key == "page_rules"
                            && let Some(taken) = take_parameter(&mut draft.tables.get_mut(place)?.1, path, seen)
                        {
                            return taken;
                        }
                        Some((prefix(2), draft.tables.remove(place).1))
                    }
                    Some((_, Some(_))) => None,
                    _ => {
                        let zone = self.zones.remove(zone);
                        let item = Item { place: zone.name, what: "the zone".to_owned(), keys: Map::new() };
                        Some((prefix(1), item))
                    }
                }
            }
            _ => None,
        }
    }

    /// The text of it.
    fn to_toml(&self) -> String {
        let mut text = String::new();
        header(&mut text, "[server]");
        keys(&mut text, &self.server);
        for item in &self.lists {
            header(&mut text, "[[list]]");
            keys(&mut text, &item.keys);
        }
        for item in &self.redirect_lists {
            header(&mut text, "[[redirect_list]]");
            keys(&mut text, &item.keys);
        }
        for zone in &self.zones {
            header(&mut text, "[[zone]]");
            text += &format!("name = {}\n", quoted(&zone.name));
            if !zone.settings.is_empty() {
                header(&mut text, "[zone.settings]");
                zone.settings.iter().for_each(|item| keys(&mut text, &item.keys));
            }
            for key in ZONE_TABLES {
                for (_, item) in zone.tables.iter().filter(|(of, _)| *of == key) {
                    header(&mut text, &format!("[[zone.{key}]]"));
                    keys(&mut text, &item.keys);
                }
            }
            for phase in zone.phases() {
                header(&mut text, "[[zone.rulesets]]");
                text += &format!("phase = {}\n", quoted(phase));
                for (_, item) in zone.rules.iter().filter(|(of, _)| of == phase) {
                    header(&mut text, "[[zone.rulesets.rules]]");
                    keys(&mut text, &item.keys);
                }
            }
        }
        text
    }
}

/// One step of a path: a key, and the place in an array of tables.
type Step<'a> = (&'a str, Option<usize>);

/// `zone[0].settings.ssl`, step by step.
fn steps(path: &str) -> Vec<Step<'_>> {
    let step = |part| match str::split_once(part, '[') {
        Some((key, rest)) => (key, rest.split(']').next().and_then(|index| index.parse().ok())),
        None => (part, None),
    };
    path.split('.').filter(|part| !part.is_empty()).map(step).collect()
}

/// A place so that line 9 stands before line 10: its parts, numbers as such.
fn in_order(place: &str) -> Vec<(String, u64)> {
    let mut parts = Vec::new();
    let mut rest = place;
    while !rest.is_empty() {
        let (text, behind) = rest.split_at(rest.find(|c: char| c.is_ascii_digit()).unwrap_or(rest.len()));
        let (number, behind) = behind.split_at(behind.find(|c: char| !c.is_ascii_digit()).unwrap_or(behind.len()));
        parts.push((text.to_owned(), number.parse().unwrap_or(0)));
        rest = behind;
    }
    parts
}

/// Takes one item out of a list, or the whole list.
fn take_from_list<'p>(
    lists: &mut Vec<Item>,
    place: usize,
    path: &[Step<'p>],
    seen: &[Vec<Step<'p>>],
) -> Option<(Vec<Step<'p>>, Item)> {
    let list = lists.get_mut(place)?;
    if let Some(("items", Some(index))) = path.get(1) {
        let taken = path.get(..2)?.to_vec();
        if seen.contains(&taken) {
            return None;
        }
        let items = list.keys.get_mut("items").and_then(Value::as_array_mut)?;
        let gone = (*index < items.len()).then(|| items.remove(*index))?;
        let item = Item { place: list.place.clone(), what: format!("item {gone} of {}", list.what), keys: Map::new() };
        return Some((taken, item));
    }
    Some((path.get(..1)?.to_vec(), lists.remove(place)))
}

/// Takes one parameter out of an action that does the rest without it: settings and header fields, each of which stands
/// alone. The outer
/// `None` is one of another kind; the inner one has gone already.
#[expect(clippy::option_option, reason = "both are said above")]
fn take_parameter<'p>(
    item: &mut Item,
    path: &[Step<'p>],
    seen: &[Vec<Step<'p>>],
) -> Option<Option<(Vec<Step<'p>>, Item)>> {
    let depth = path.iter().position(|(key, _)| matches!(*key, "action_parameters" | "actions"))?;
    // of which table it is one, and how far into the path that is
    let (settings, inside) = match item.keys.get("action").and_then(Value::as_str) {
        Some("set_config" | "set_cache_settings") => (item.keys.get_mut("action_parameters")?, 1),
        Some("rewrite") if path.get(depth + 1)?.0 == "headers" => {
            (item.keys.get_mut("action_parameters")?.get_mut("headers")?, 2)
        }
        Some(_) => return None,
        // a Page Rule
        None => (item.keys.get_mut("actions")?, 1),
    };
    let (name, _) = path.get(depth + inside)?;
    let taken = path.get(..=depth + inside)?.to_vec();
    if seen.contains(&taken) {
        return Some(None);
    }
    let settings = settings.as_object_mut()?;
    // The last one takes its rule along.
    if settings.len() == 1 && inside == 2 {
        return None;
    }
    settings.shift_remove(*name)?;
    let what = format!("`{name}` of {}", item.what);
    Some(Some((taken, Item { place: item.place.clone(), what, keys: Map::new() })))
}

fn header(text: &mut String, header: &str) {
    if !text.is_empty() {
        text.push('\n');
    }
    *text += &format!("{header}\n");
}

fn keys(text: &mut String, keys: &Map<String, Value>) {
    for (key, value) in keys {
        if let Some(value) = inline(value) {
            *text += &format!("{} = {value}\n", bare(key));
        }
    }
}

/// A value as TOML writes it on one line; nothing for `null`, which TOML has not.
fn inline(value: &Value) -> Option<String> {
    Some(match value {
        Value::Null => return None,
        Value::Bool(flag) => flag.to_string(),
        Value::Number(number) => number.to_string(),
        Value::String(text) => quoted(text),
        Value::Array(items) => format!("[{}]", items.iter().filter_map(inline).collect::<Vec<_>>().join(", ")),
        Value::Object(table) if table.is_empty() => "{}".to_owned(),
        Value::Object(table) => {
            let entry = |(key, value): (&String, &Value)| Some(format!("{} = {}", bare(key), inline(value)?));
            format!("{{ {} }}", table.iter().filter_map(entry).collect::<Vec<_>>().join(", "))
        }
    })
}

fn bare(key: &str) -> String {
    let is_bare =
        !key.is_empty() && key.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'));
    if is_bare { key.to_owned() } else { quoted(key) }
}

/// A text in quotes: in single ones if it has double ones or backslashes in it, as expressions do.
pub(super) fn quoted(text: &str) -> String {
    // nor what turns the direction of writing or is not seen: the result is read by people
    let is_unseen = |c: char| matches!(c, '\u{61c}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}');
    let is_plain = |c: char| !c.is_control() && !is_unseen(c);
    if text.contains(['"', '\\']) && !text.contains('\'') && text.chars().all(is_plain) {
        return format!("'{text}'");
    }
    let mut quoted = String::from("\"");
    for c in text.chars() {
        match c {
            '"' => quoted += "\\\"",
            '\\' => quoted += "\\\\",
            '\n' => quoted += "\\n",
            '\t' => quoted += "\\t",
            '\r' => quoted += "\\r",
            c if is_plain(c) => quoted.push(c),
            c => quoted += &format!("\\u{:04X}", u32::from(c)),
        }
    }
    quoted + "\""
}
