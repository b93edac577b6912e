//! Every code, and the page of each.

use axum::Extension;
use axum::extract::{Path, Query};
use axum::response::Response;
use maud::{Markup, PreEscaped, html};
use pulldown_cmark::{Options, Parser, html as markdown};
use rayline_verdict::explain::{Found, find, page};
use rayline_verdict::{Code, Party, TABLE};

use super::frame::{Page, Tab};
use super::parts;
use crate::access::Who;
use crate::login::see;
use crate::show::short;

/// `GET /explain?q=`: every code, or where a search leads.
pub(crate) async fn list(Extension(who): Extension<Who>, Query(query): Query<Vec<(String, String)>>) -> Response {
    let asked = query.iter().find(|(key, _)| key == "q").map_or("", |(_, value)| value.trim());
    let found = (!asked.is_empty()).then(|| find(asked));
    if let Some(Found::Code(code)) = found {
        return see(&format!("/explain/{}", code.name()));
    }
    let main = html! {
        form.row method="get" action="/explain" role="search" {
            label.wide { "A number from an error page, a code or a part of one"
                input type="search" name="q" value=(crate::show::plain(asked, 80)) placeholder="522, 1016, refused"; }
            button type="submit" { "Explain" }
        }
        @match found {
            None => {
                p.soft { "Everything that can be said of a failed request: " (TABLE.len())
                    " codes, each with how it is known and how to fix it." }
                @for party in Party::ALL {
                    section.card {
                        header { h2 { (parts::party(party.name())) } span.soft { (party.in_words()) } }
                        (codes(TABLE.iter().filter(|entry| entry.party == party).map(|entry| entry.code)))
                    }
                }
            }
            Some(Found::Number(number, shown)) => section.card {
                header { h2 { (number.number) " " (number.title) } span.soft { "sent with status " (number.status) } }
                (codes(shown))
            },
            Some(Found::Status(status, numbers)) => section.card {
                header { h2 { "Status " (status) } span.soft { "carries several numbers" } }
                ul.chips { @for number in numbers {
                    li { a.chip href=(format!("/explain?q={}", number.number)) { (number.number) " " (number.title) } }
                } }
            },
            Some(Found::Unsent(row)) => section.card {
                header { h2 { (row.number) " " (row.title) } span.soft { "never sent by this edge" } }
                p { (row.why) }
                @if !row.instead.is_empty() { (codes(row.instead.iter().copied())) }
            },
            Some(Found::Several(several)) => section.card { h2 { "Several codes fit" } (codes(several)) },
            Some(Found::Code(only)) => (codes([only])),
            Some(Found::Unknown { nearest }) => section.card {
                h2 { "Nothing is called “" (short(asked)) "”. Nearest are" }
                (codes(nearest))
            },
        }
    };
    Page { tab: Tab::Explain, title: "Explain", who: &who, api: None, permalink: None, is_live: false, main }.answer()
}

fn codes(codes: impl IntoIterator<Item = Code>) -> Markup {
    html! {
        div.scroll { table {
            thead { tr { th scope="col" { "Code" } th scope="col" { "What happened" } } }
            tbody { @for code in codes {
                tr { th scope="row" { (parts::code(code.name())) } td { (code.entry().sentence) } }
            } }
        } }
    }
}

/// `GET /explain/CODE`
pub(crate) async fn show(Extension(who): Extension<Who>, Path(name): Path<String>) -> Response {
    let Some(code) = parts::code_named(&name) else {
        return see(&format!(
            "/explain?q={}",
            url::form_urlencoded::byte_serialize(name.as_bytes()).collect::<String>()
        ));
    };
    let text = page(code);
    // the first line is the title of this page
    let text = text.split_once('\n').map_or(text, |(_, rest)| rest);
    let mut rendered = String::new();
    markdown::push_html(&mut rendered, Parser::new_ext(text, Options::empty()));
    let entry = code.entry();
    let main = html! {
        p { (parts::party(entry.party.name())) " · phase " strong { (entry.phase.name()) } " · " (entry.sentence) }
        article.card.prose { (PreEscaped(rendered)) }
        p { a href=(format!("/errors?code={}", code.name())) { "Requests that failed with this code" }
            " · " a href="/explain" { "All codes" } }
    };
    Page { tab: Tab::Explain, title: code.name(), who: &who, api: None, permalink: None, is_live: false, main }.answer()
}
