//! What a file says of itself, beside its rows: what it is of, what it stands for, what became of it.

use std::fmt;
use std::str::FromStr;

use parquet::file::metadata::KeyValue;

use crate::chunk::Table;

/// The version of the format. A file of a later one is not read.
const FORMAT: u32 = 1;

/// Facts that decide which files count. They are written with the rows, so a file and what it says of others come into
/// being at the same moment: its renaming.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Facts {
    /// What the rows are.
    pub(crate) table: Table,
    /// Names the file: no two in a store have the same, and a later one's is greater.
    pub(crate) number: u64,
    /// The journals whose rows are here; they need not be kept.
    pub(crate) journals: Ranges,
    /// The files whose rows are here; they no longer count.
    pub(crate) replaces: Ranges,
    /// Of a file of hours: the files of minutes that are summed up in it.
    pub(crate) sums: Ranges,
    /// Of a file of minutes: its rows are summed up among the hours.
    pub(crate) summed: bool,
}

impl Facts {
    /// Of a file that replaces nothing.
    pub(crate) fn new(table: Table, number: u64) -> Self {
        Self {
            table,
            number,
            journals: Ranges::default(),
            replaces: Ranges::default(),
            sums: Ranges::default(),
            summed: false,
        }
    }

    /// As pairs for the file's end.
    pub(super) fn to_pairs(&self) -> Vec<KeyValue> {
        [
            ("rayline.format", FORMAT.to_string()),
            ("rayline.table", self.table.name().to_owned()),
            ("rayline.number", self.number.to_string()),
            ("rayline.journals", self.journals.to_string()),
            ("rayline.replaces", self.replaces.to_string()),
            ("rayline.sums", self.sums.to_string()),
            ("rayline.summed", self.summed.to_string()),
        ]
        .into_iter()
        .map(|(key, value)| KeyValue::new(key.to_owned(), value))
        .collect()
    }

    /// Read back; `Err` says what is wrong.
    pub(super) fn from_pairs(pairs: &[KeyValue]) -> Result<Self, String> {
        let format: u32 = parse(pairs, "rayline.format")?;
        if format > FORMAT {
            return Err(format!("it has version {format} of the format, and this program knows up to {FORMAT}"));
        }
        let table: String = parse(pairs, "rayline.table")?;
        Ok(Self {
            table: Table::named(&table).ok_or_else(|| format!("there is no table `{}`", table.escape_debug()))?,
            number: parse(pairs, "rayline.number")?,
            journals: parse(pairs, "rayline.journals")?,
            replaces: parse(pairs, "rayline.replaces")?,
            sums: parse(pairs, "rayline.sums")?,
            summed: parse(pairs, "rayline.summed")?,
        })
    }
}

/// The name under which a file says which of its row groups have failed requests alone; the others have none then. It is not
/// known before the last row group is written, so it stands beside the other facts.
const FAILED_GROUPS: &str = "rayline.failed_groups";

pub(super) fn failed_groups_pair(groups: &Ranges) -> KeyValue {
    KeyValue::new(FAILED_GROUPS.to_owned(), groups.to_string())
}

/// Read back; `None` if the file does not say it.
pub(super) fn failed_groups(pairs: &[KeyValue]) -> Result<Option<Ranges>, String> {
    let said = pairs.iter().any(|pair| pair.key == FAILED_GROUPS);
    said.then(|| parse(pairs, FAILED_GROUPS)).transpose()
}

fn parse<T: FromStr>(pairs: &[KeyValue], key: &str) -> Result<T, String> {
    let value = pairs.iter().find(|pair| pair.key == key).and_then(|pair| pair.value.as_deref());
    value.and_then(|value| value.parse().ok()).ok_or_else(|| format!("it does not say its `{key}`"))
}

/// A set of numbers, most of which follow each other. As text: `3-7,9`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Ranges(Vec<(u64, u64)>);

impl Ranges {
    /// Adds a number.
    pub(crate) fn insert(&mut self, number: u64) {
        self.extend(&Self(vec![(number, number)]));
    }

    /// Adds all of another set.
    pub(crate) fn extend(&mut self, other: &Self) {
        let mut all: Vec<_> = self.0.iter().chain(&other.0).copied().collect();
        all.sort_unstable();
        self.0.clear();
        for (first, last) in all {
            match self.0.last_mut() {
                Some((_, end)) if first <= end.saturating_add(1) => *end = last.max(*end),
                _ => self.0.push((first, last)),
            }
        }
    }

    /// Whether a number is among them.
    pub(crate) fn contains(&self, number: u64) -> bool {
        self.0.iter().any(|(first, last)| (*first..=*last).contains(&number))
    }
}

impl fmt::Display for Ranges {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (place, (first, last)) in self.0.iter().enumerate() {
            let comma = if place == 0 { "" } else { "," };
            if first == last { write!(f, "{comma}{first}")? } else { write!(f, "{comma}{first}-{last}")? }
        }
        Ok(())
    }
}

impl FromStr for Ranges {
    type Err = std::num::ParseIntError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let mut all = Self::default();
        for range in text.split(',').filter(|range| !range.is_empty()) {
            let (first, last) = range.split_once('-').unwrap_or((range, range));
            all.0.push((first.parse()?, last.parse()?));
        }
        // In order, and without overlaps, whatever was written.
        all.extend(&Self::default());
        Ok(all)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sets_of_numbers_fold_into_ranges() {
        let mut set = Ranges::default();
        for number in [5, 3, 4, 9, 4, u64::MAX] {
            set.insert(number);
        }
        assert_eq!(set.to_string(), format!("3-5,9,{}", u64::MAX));
        assert_eq!(set.to_string().parse(), Ok(set.clone()));
        assert!(set.contains(4) && set.contains(9) && !set.contains(6));
        assert_eq!("".parse(), Ok(Ranges::default()));
        assert!("3-".parse::<Ranges>().is_err());
    }

    #[test]
    fn facts_are_read_as_written() {
        let mut facts = Facts::new(Table::Minutes, 7);
        facts.journals.insert(3);
        facts.replaces.insert(6);
        facts.summed = true;
        assert_eq!(Facts::from_pairs(&facts.to_pairs()), Ok(facts.clone()));
        let mut pairs = facts.to_pairs();
        pairs[0].value = Some("2".to_owned());
        assert!(Facts::from_pairs(&pairs).unwrap_err().contains("version 2"));
        assert!(Facts::from_pairs(&[]).is_err());
    }
}
