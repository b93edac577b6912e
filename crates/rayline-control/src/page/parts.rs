//! Pieces that several pages are made of.

use maud::{Markup, html};
use rayline_verdict::{Code, Moment, Party, TABLE};

use crate::control::now;
use crate::show::{self, long, short};

/// Characters of a sentence; more than is ever said.
const PROSE: usize = 4_000;

/// A party's colour and name.
pub(crate) fn party(name: &str) -> Markup {
    html! { span class=(format!("party {}", party_class(name))) { (party_name(name)) } }
}

/// The style sheet's class of a party: its name, for there are no others.
pub(crate) fn party_class(name: &str) -> &'static str {
    Party::ALL.into_iter().find(|party| party.name() == name).map_or("fine", Party::name)
}

/// What a party is called; the empty name stands for requests without a verdict.
pub(crate) fn party_name(name: &str) -> &str {
    if name.is_empty() { "nobody" } else { name }
}

/// A status, coloured by its class; 0 stands for none.
pub(crate) fn status(status: u64) -> Markup {
    let class = match status {
        500.. => "status s5",
        400..500 => "status s4",
        100..400 => "status s2",
        0..100 => "status s0",
    };
    html! {
        @if status == 0 { span class=(class) title="none" { "–" } } @else { span class=(class) { (status) } }
    }
}

/// A code that leads to its explanation.
pub(crate) fn code(name: &str) -> Markup {
    html! {
        @match code_named(name) {
            Some(code) => a href=(format!("/explain/{}", code.name())) { code { (code.name()) } },
            None => code { (short(name)) },
        }
    }
}

/// The code of that name.
pub(crate) fn code_named(name: &str) -> Option<Code> {
    TABLE.iter().find(|entry| entry.name == name).map(|entry| entry.code)
}

/// How far back goes what the edge has seen itself, and keeps nowhere.
pub(crate) fn seen_since(started: Moment) -> Markup {
    html! {
        p.soft.small {
            "Certificates of origins, and header sections near their limits, are known as far as requests have shown them since the start of the edge, "
            (show::ago(started, now())) "."
        }
    }
}

/// What stands where there is nothing to show: why, and what to do.
pub(crate) fn empty(title: &str, inside: &Markup) -> Markup {
    html! { div.empty { h2 { (title) } (inside) } }
}

/// What went wrong, each in a sentence.
pub(crate) fn wrong<'a>(title: &str, messages: impl IntoIterator<Item = &'a str>) -> Markup {
    html! {
        div.note.bad role="alert" {
            p { strong { (title) } }
            @for message in messages { p { (long(message, 2_000)) } }
        }
    }
}

/// A text to copy, with a button where the browser can do that.
pub(crate) fn copyable(id: &str, text: &str) -> Markup {
    html! {
        pre id=(id) tabindex="0" { (crate::show::plain(text, 8_000)) }
        p { button.plain type="button" data-copy=(id) hidden { "Copy" } }
    }
}

/// A sentence with its literals in backticks, which may be an attacker's words.
pub(crate) fn prose(text: &str) -> Markup {
    let end = text.char_indices().nth(PROSE).map_or(text.len(), |(end, _)| end);
    let text = text.get(..end).unwrap_or_default();
    html! { @for (place, part) in text.split('`').enumerate() { @if place % 2 == 1 { code { (long(part, 400)) } } @else { (long(part, 400)) } } }
}
