//! What was written: the parsed TOML with the place of everything in it, read key by key.
//!
//! It does not go through serde: a deserializer stops at the first thing wrong and knows only the place of that. Here a
//! key that cannot be read leaves a problem and its default behind, and reading goes on, so all problems are found at
//! once. Nothing is read that is not in the table of [`crate::keys`], and what is written but not in the table is a problem.

use std::cell::RefCell;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use crate::keys::{Key, Kind, Otherwise, SECTIONS, Section, nearest};
use crate::problem::{Problem, Severity};
use crate::source::{Source, Span};
use crate::value::Read;

/// Where something was written.
#[derive(Debug, Clone, Default)]
pub(crate) struct Place {
    pub(crate) span: Option<Span>,
    /// Such as `zone[0].settings.ssl`.
    pub(crate) path: String,
}

impl Place {
    pub(crate) fn error(&self, message: impl Into<String>) -> Problem {
        self.problem(Severity::Error, message.into())
    }

    pub(crate) fn warning(&self, message: impl Into<String>) -> Problem {
        self.problem(Severity::Warning, message.into())
    }

    fn problem(&self, severity: Severity, message: String) -> Problem {
        Problem { severity, message, place: self.span, path: self.path.clone(), hint: None, related: Vec::new() }
    }
}

/// A value and where it was written.
#[derive(Debug, Clone)]
pub(crate) struct At<T> {
    pub(crate) value: T,
    pub(crate) place: Place,
}

/// The problems found so far.
#[derive(Debug)]
pub(crate) struct Report<'a> {
    pub(crate) source: &'a Source,
    /// The text has syntax errors, so what seems to be missing may only be unreadable.
    pub(crate) torn: bool,
    problems: RefCell<Vec<Problem>>,
}

impl<'a> Report<'a> {
    pub(crate) fn new(source: &'a Source, torn: bool) -> Self {
        Self { source, torn, problems: RefCell::default() }
    }

    pub(crate) fn push(&self, problem: Problem) {
        self.problems.borrow_mut().push(problem);
    }

    /// Leaves a problem behind; `None`, so that a reader can end with it.
    pub(crate) fn refuse<T>(&self, problem: Problem) -> Option<T> {
        self.push(problem);
        None
    }

    /// Whether something at a path that `matches` could not be read, so that it is not missing.
    pub(crate) fn failed(&self, matches: impl Fn(&str) -> bool) -> bool {
        self.problems.borrow().iter().any(|problem| problem.severity == Severity::Error && matches(&problem.path))
    }

    pub(crate) fn into_problems(self) -> Vec<Problem> {
        self.problems.into_inner()
    }
}

/// One value on its way to a type.
#[derive(Debug)]
pub(crate) struct Item<'a> {
    pub(crate) value: &'a DeValue<'a>,
    pub(crate) place: Place,
    pub(crate) kind: &'static Kind,
    pub(crate) report: &'a Report<'a>,
}

impl Item<'_> {
    /// Leaves a problem behind; `None`, so that a reader can end with it.
    pub(crate) fn refuse<T>(&self, problem: Problem) -> Option<T> {
        self.report.refuse(problem)
    }

    /// The problem that the value is of another type than the key's.
    pub(crate) fn expected(&self) -> Problem {
        let problem =
            self.place.error(format!("expected {}, found {}", self.kind, with_article(self.value.type_str())));
        match (self.kind, self.value) {
            (Kind::Tables(section), DeValue::Table(_)) => {
                problem.hint(format!("write the header with two brackets: `[[{}]]`", section.path))
            }
            (Kind::List(_), DeValue::String(text)) => {
                problem.hint(format!("put it in brackets: `[\"{}\"]`", shown(text)))
            }
            (Kind::Flag, DeValue::String(text)) if matches!(text.as_ref(), "true" | "false") => {
                problem.hint("leave out the quotes")
            }
            (Kind::OneOf(_) | Kind::Text(_), DeValue::Integer(number)) => {
                problem.hint(format!("put it in quotes: `\"{}\"`", shown(number.as_str())))
            }
            (Kind::OneOf(_) | Kind::Text(_), DeValue::Float(number)) => {
                problem.hint(format!("put it in quotes: `\"{}\"`", shown(number.as_str())))
            }
            (Kind::Text(_), DeValue::Array(_)) => problem.hint("only one is taken here: leave out the brackets"),
            _ => problem,
        }
    }

    /// The string it must be.
    pub(crate) fn text(&self) -> Option<&str> {
        match self.value {
            DeValue::String(text) => Some(text),
            _ => self.refuse(self.expected()),
        }
    }

    /// The items of the array it must be.
    pub(crate) fn items(&self) -> Option<Vec<Item<'_>>> {
        let Kind::List(kind) = self.kind else { return None };
        let DeValue::Array(array) = self.value else { return self.refuse(self.expected()) };
        Some(
            array
                .iter()
                .enumerate()
                .map(|(index, value)| Item {
                    value: value.get_ref(),
                    place: Place { span: Some(value.span().into()), path: format!("{}[{index}]", self.place.path) },
                    kind,
                    report: self.report,
                })
                .collect(),
        )
    }
}

/// One table of the file, to be read key by key.
#[derive(Debug)]
pub(crate) struct Fields<'a> {
    section: &'static Section,
    /// `None` where it was not written.
    table: Option<&'a DeTable<'a>>,
    /// Its header.
    pub(crate) place: Place,
    pub(crate) report: &'a Report<'a>,
}

impl<'a> Fields<'a> {
    /// The top of a file.
    pub(crate) fn root(section: &'static Section, table: &'a DeTable<'a>, report: &'a Report<'a>) -> Self {
        Self::open(section, Some(table), Place::default(), report)
    }

    /// A section that was not written: every key has its default.
    pub(crate) fn absent(section: &'static Section, report: &'a Report<'a>) -> Self {
        Self::open(section, None, Place::default(), report)
    }

    fn open(section: &'static Section, table: Option<&'a DeTable<'a>>, place: Place, report: &'a Report<'a>) -> Self {
        let fields = Self { section, table, place, report };
        for key in table.into_iter().flat_map(DeTable::keys) {
            if section.key(key.get_ref()).is_none() {
                report.push(fields.unknown(key));
            }
        }
        fields
    }

    fn unknown(&self, key: &Spanned<toml::de::DeString<'_>>) -> Problem {
        let name = key.get_ref().as_ref();
        let place = Place { span: Some(key.span().into()), path: self.path_of(name) };
        if let Some(feature) = self.section.waits_for(name) {
            return place
                .error(format!("`{}` is not available in this version", shown(name)))
                .hint(format!("leave it out: it comes with {feature}"));
        }
        let problem = place.error(format!("there is no key `{}` {}", shown(name), self.section.whereabouts()));
        if let Some(near) = nearest(name, self.section.keys.iter().map(|key| key.name)) {
            return problem.hint(format!("did you mean `{near}`?"));
        }
        if let Some(section) = SECTIONS.iter().find(|section| section.key(name).is_some()) {
            return problem.hint(format!("it belongs {}", section.whereabouts()));
        }
        let known: Vec<String> = self.section.keys.iter().map(|key| format!("`{}`", key.name)).collect();
        problem.hint(format!("known keys are {}", known.join(", ")))
    }

    fn path_of(&self, name: &str) -> String {
        if self.place.path.is_empty() { name.to_owned() } else { format!("{}.{name}", self.place.path) }
    }

    #[expect(clippy::expect_used, reason = "names are written in this crate; a test reads every key of the table")]
    fn key(&self, name: &str) -> &'static Key {
        self.section.key(name).expect("every key that is read is in the table")
    }

    #[expect(clippy::expect_used, reason = "names are written in this crate; a test reads every key of the table")]
    fn section_of(&self, name: &str) -> &'static Section {
        self.key(name).kind.section().expect("every key read as a table is one")
    }

    fn item(&self, name: &str) -> Option<Item<'a>> {
        let key = self.key(name);
        let value = self.table?.get(name)?;
        Some(Item {
            value: value.get_ref(),
            place: Place { span: Some(value.span().into()), path: self.path_of(name) },
            kind: &key.kind,
            report: self.report,
        })
    }

    /// Where the value of a key was written, if it was.
    pub(crate) fn written(&self, name: &str) -> Option<Place> {
        self.item(name).map(|item| item.place)
    }

    /// The value of a key that has a default, which has no place. Where it cannot be read there is a problem, and the default stands in.
    #[expect(clippy::expect_used, reason = "defaults are written in this crate; a test reads them all")]
    pub(crate) fn take<T: Read>(&self, name: &str) -> T {
        if let Some(value) = self.item(name).and_then(|item| T::read(&item)) {
            return value;
        }
        let key = self.key(name);
        let text = key.otherwise.default().expect("a key that is taken has a default");
        let value = DeValue::parse(text).expect("a default is a TOML value");
        let place = Place { span: None, path: self.path_of(name) };
        let item = Item { value: value.get_ref(), place, kind: &key.kind, report: self.report };
        T::read(&item).expect("a default is of its key's kind")
    }

    /// The value of a key that may be left out.
    pub(crate) fn optional<T: Read>(&self, name: &str) -> Option<T> {
        T::read(&self.item(name)?)
    }

    /// The value of a key that must be written.
    pub(crate) fn required<T: Read>(&self, name: &str) -> Option<T> {
        match self.item(name) {
            Some(item) => T::read(&item),
            None => {
                self.missing(name);
                None
            }
        }
    }

    fn missing(&self, name: &str) {
        if self.report.torn {
            return;
        }
        let place = Place { span: self.place.span, path: self.path_of(name) };
        let problem = place.error(format!("`{name}` is missing"));
        self.report.push(match self.key(name).otherwise {
            Otherwise::Required { example } | Otherwise::Nothing { example, .. } => {
                problem.hint(format!("add it, for example `{name} = {example}`"))
            }
            Otherwise::Default(_) => problem,
        });
    }

    /// The table under a key, written or not.
    pub(crate) fn table(&self, name: &str) -> Self {
        self.optional_table(name).unwrap_or_else(|| Self::absent(self.section_of(name), self.report))
    }

    /// The table under a key that may be left out, with all that is required in it.
    pub(crate) fn optional_table(&self, name: &str) -> Option<Self> {
        let item = self.item(name)?;
        match item.value {
            DeValue::Table(table) => Some(Self::open(self.section_of(name), Some(table), item.place, self.report)),
            _ => self.report.refuse(item.expected()),
        }
    }

    /// The entries of the table under a key whose names are the person's own, each with the place of its name; in the
    /// order of the text.
    pub(crate) fn entries(&self, name: &str) -> Vec<(At<String>, Item<'a>)> {
        let Some(item) = self.item(name) else { return Vec::new() };
        let (DeValue::Table(table), Kind::Map(kind)) = (item.value, item.kind) else {
            self.report.push(item.expected());
            return Vec::new();
        };
        let mut entries: Vec<(At<String>, Item<'a>)> = table
            .iter()
            .map(|(key, value)| {
                let path = format!("{}.{}", item.place.path, key.get_ref());
                let at = |span: std::ops::Range<usize>| Place { span: Some(span.into()), path: path.clone() };
                let item = Item { value: value.get_ref(), place: at(value.span()), kind, report: self.report };
                (At { value: key.get_ref().to_string(), place: at(key.span()) }, item)
            })
            .collect();
        entries.sort_by_key(|(key, _)| key.place.span);
        entries
    }

    /// The same where each is a table.
    pub(crate) fn named_tables(&self, name: &str) -> Vec<(At<String>, Self)> {
        let section = self.section_of(name);
        let open = |(key, item): (At<String>, Item<'a>)| match item.value {
            DeValue::Table(table) => Some((key, Self::open(section, Some(table), item.place, self.report))),
            _ => self.report.refuse(item.expected()),
        };
        self.entries(name).into_iter().filter_map(open).collect()
    }

    /// The keys that were written and are known, each with its place.
    pub(crate) fn keys(&self) -> Vec<At<&'static str>> {
        let known = |key: &Spanned<toml::de::DeString<'_>>| {
            let name = self.section.key(key.get_ref())?.name;
            Some(At { value: name, place: Place { span: Some(key.span().into()), path: self.path_of(name) } })
        };
        self.table.into_iter().flat_map(DeTable::keys).filter_map(known).collect()
    }

    /// The tables under a key.
    pub(crate) fn tables(&self, name: &str) -> Vec<Self> {
        let section = self.section_of(name);
        let Some(item) = self.item(name) else { return Vec::new() };
        let DeValue::Array(array) = item.value else {
            self.report.push(item.expected());
            return Vec::new();
        };
        let mut tables = Vec::new();
        for (index, value) in array.iter().enumerate() {
            let place = Place { span: Some(value.span().into()), path: format!("{}[{index}]", item.place.path) };
            match value.get_ref() {
                DeValue::Table(table) => tables.push(Self::open(section, Some(table), place, self.report)),
                other => {
                    self.report.push(Item { value: other, place, kind: item.kind, report: self.report }.expected())
                }
            }
        }
        tables
    }
}

/// A text of the person's, fit to stand in a message: without control characters, and not longer than a line.
pub(crate) fn shown(text: &str) -> String {
    const LONGEST: usize = 60;
    let mut shown: String = text.chars().take(LONGEST).flat_map(char::escape_debug).collect();
    if text.chars().nth(LONGEST).is_some() {
        shown.push('…');
    }
    shown
}

fn with_article(type_name: &str) -> String {
    let article = if type_name.starts_with(['a', 'i']) { "an" } else { "a" };
    format!("{article} {type_name}")
}
