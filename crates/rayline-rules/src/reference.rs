//! The reference page of the language, written from the tables of fields and functions.

use std::fmt::Write as _;

use crate::function_signatures::{Gives, Kind, Parameter, Source};
use crate::names::{self, ELSEWHERE, FORMER};
use crate::scheme::{Field, Function, Stage, Type};

/// `docs/rules-language.md`: every field and function, as Markdown.
pub fn reference() -> String {
    let mut page = String::from(
        "# The rules language: fields and functions\n\n\
         This page is written from the tables that also read expressions. `rayline rules fields` prints the same. What the \
         language is like, and how to try an expression, is in [the guide](guide/rules.md).\n",
    );
    let at = |stage| names::phases_at(stage);
    for (heading, about, stage) in [
        ("Of every request", "Known from the request's head on, in every phase.".to_owned(), Stage::Request),
        (
            "Of the body",
            format!(
                "Known once the first part of the body has been read: in {}, and in the phases of the answer.",
                at(Stage::Body)
            ),
            Stage::Body,
        ),
        ("Of the answer", format!("Known once there is an answer: in {}.", at(Stage::Response)), Stage::Response),
    ] {
        // a String takes every write
        let _ = write!(page, "\n## {heading}\n\n{about}\n\n| field | type | |\n| --- | --- | --- |\n");
        for field in Field::ALL.iter().filter(|field| field.stage() == stage) {
            let _ = writeln!(
                page,
                "| `{}` | {} | {} |",
                field.name(),
                cell(&notation(field.of_type())),
                field.doc().trim()
            );
        }
    }
    write_unknown(&mut page);
    write_functions(&mut page);
    page
}

fn write_unknown(page: &mut String) {
    page.push_str(
        "\n## Not known here\n\n\
         Cloudflare has these, and this edge does not. An expression that names one is refused, with the reason: it is \
         never silently false.\n\n\
         | field | why |\n| --- | --- |\n",
    );
    for field in Field::ALL {
        if let Stage::Unknown(reason) = field.stage() {
            let _ = writeln!(page, "| `{}` | {reason} |", field.name());
        }
    }
    for (prefix, reason) in ELSEWHERE {
        let rest = if prefix.ends_with('.') { "*" } else { "" };
        let _ = writeln!(page, "| `{prefix}{rest}` | {reason} |");
    }
    page.push_str("\n## Former names\n\nThese are read as the names of today.\n\n| former | today |\n| --- | --- |\n");
    for (former, field) in FORMER {
        let _ = writeln!(page, "| `{former}` | `{}` |", field.name());
    }
}

fn write_functions(page: &mut String) {
    page.push_str(
        "\n## Functions\n\n\
         What stands in brackets may be left out, `…` may come again. A *literal* is written out, a *field* is not. A function \
         whose first argument is unpacked with `[*]` is called for each element, and gives an array.\n\n\
         | function | gives | |\n| --- | --- | --- |\n",
    );
    for function in Function::ALL {
        let signature = function.signature();
        let only = if signature.only_in_values { " In values only, never in a rule's `expression`." } else { "" };
        let _ =
            writeln!(page, "| `{}` | {} | {}{only} |", call(*function), cell(&gives(*function)), cell(function.doc()));
    }
}

/// A type in Cloudflare's notation, as `Array<String>`.
pub fn notation(of: Type) -> String {
    match of {
        Type::Bool => "Boolean".to_owned(),
        Type::Int => "Integer".to_owned(),
        Type::Float => "Float".to_owned(),
        Type::Bytes => "String".to_owned(),
        Type::Ip => "IP address".to_owned(),
        Type::Array(of) => format!("Array<{}>", notation(*of)),
        Type::Map(of) => format!("Map<{}>", notation(*of)),
    }
}

/// A function with its parameters, as `split(input, separator literal, limit literal)`.
pub fn call(function: Function) -> String {
    let signature = function.signature();
    let parameters: Vec<String> = signature
        .parameters
        .iter()
        .enumerate()
        .map(|(place, parameter)| {
            let shown = format!("{} {}", parameter.name, kind(parameter));
            if place < signature.required { shown } else { format!("[{shown}]") }
        })
        .collect();
    let more = if signature.repeats { ", …" } else { "" };
    format!("{}({}{more})", function.name(), parameters.join(", "))
}

/// What a function gives, in Cloudflare's notation.
pub fn gives(function: Function) -> String {
    match function.signature().gives {
        Gives::Always(of) => notation(of),
        Gives::AsFirst => "what its first argument is".to_owned(),
    }
}

/// What a parameter takes.
fn kind(parameter: &Parameter) -> String {
    let of = match parameter.kind {
        Kind::Bytes => "String",
        Kind::Int => "Integer",
        Kind::Ip => "IP address",
        Kind::Conditions => "Array<Boolean>",
        Kind::Texts => "Array<String>",
        Kind::Map => "Map",
        Kind::Measurable => "String, Array or Map",
        Kind::Collection => "Array or Map",
        Kind::BytesOrTexts => "String or Array<String>",
        Kind::BytesOrInt => "String or Integer",
        Kind::Printable => "Integer, Boolean or IP address",
    };
    match parameter.source {
        Source::Any => of.to_owned(),
        Source::Field => format!("{of} field"),
        Source::Literal => format!("{of} literal"),
    }
}

/// A text in a cell of a table: `<` would begin a tag.
fn cell(text: &str) -> String {
    match text.contains('<') {
        true => format!("`{text}`"),
        false => text.to_owned(),
    }
}
