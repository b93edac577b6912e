//! The reference page of the configuration, written from the table of keys.

use std::fmt::Write as _;

use crate::keys::{Key, Otherwise, SECTIONS, Section};

/// `docs/guide/configuration-reference.md`: every section and key, as Markdown.
pub fn reference() -> String {
    let mut page = String::from(
        "# Configuration reference\n\n\
         One TOML file describes everything. This page is written from the table of keys that also reads the file. Relative paths \
         start at the file's folder. A key that is not here is an error. `rayline check FILE` shows every problem of a file at \
         once, without serving.\n",
    );
    for section in SECTIONS {
        write_section(&mut page, section);
    }
    page
}

fn write_section(page: &mut String, section: &Section) {
    let header =
        if section.path.is_empty() { "The top of the file".to_owned() } else { format!("`{}`", section.header()) };
    // a String takes every write
    let _ =
        write!(page, "\n## {header}\n\n{}.\n\n| key | value | default | |\n| --- | --- | --- | --- |\n", section.doc);
    for key in section.keys {
        let _ = writeln!(page, "| `{}` | {} | {} | {} |", key.name, key.kind, default_of(key), key.doc);
    }
    for later in section.later {
        let names: Vec<String> = later.names.iter().map(|name| format!("`{name}`")).collect();
        let _ = write!(page, "\nNot available in this version ({}): {}.\n", later.feature, names.join(", "));
    }
}

fn default_of(key: &Key) -> String {
    match &key.otherwise {
        Otherwise::Required { .. } => "must be written".to_owned(),
        Otherwise::Nothing { means, .. } => (*means).to_owned(),
        Otherwise::Default(text) => format!("`{text}`"),
    }
}
