//! The demo's start page: every exhibit with what to expect, by number.

use std::fmt::Write;

use rayline_verdict::{Code, Number, Sent};

use super::Missing;
use super::exhibits::{Exhibit, NOT_SHOWN, Visit};

const STYLE: &str = include_str!("page.css");

/// What the page needs to know of the running demo.
pub(super) struct Place {
    pub(super) http_port: u16,
    pub(super) https_port: u16,
}

/// Where an exhibit is listed. In this order.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Group {
    Works,
    /// There is nobody to answer, or nothing that could be answered.
    Unanswered,
    /// A number of ours.
    Number(u16),
    /// The origin's own status, which passes.
    Own(u16),
}

impl Group {
    fn of(exhibit: &Exhibit) -> Self {
        match exhibit.code.and_then(Code::find).map(|code| code.entry().sent) {
            None => Self::Works,
            Some(Sent::Nothing(_) | Sent::Outside) => Self::Unanswered,
            Some(Sent::Page(number) | Sent::Cut(number)) => Self::Number(number),
            // It passes: the name says which.
            Some(Sent::Origin) => {
                Self::Own(exhibit.name.rsplit('-').next().and_then(|digits| digits.parse().ok()).unwrap_or(500))
            }
        }
    }

    fn heading(self) -> String {
        match self {
            Self::Works => "<b>200</b> Works".to_owned(),
            Self::Unanswered => "<b>–</b> No answer: the log has the verdict".to_owned(),
            Self::Number(number) => {
                let title = Number::find(number).map_or("Turned away", |number| number.title);
                format!("<b>{number}</b> {title}")
            }
            Self::Own(number) => format!("<b>{number}</b> The origin's own error"),
        }
    }
}

/// The number that visitors see: 0 for what works, and where nothing can be sent.
pub(super) fn number(exhibit: &Exhibit) -> u16 {
    match Group::of(exhibit) {
        Group::Works | Group::Unanswered => 0,
        Group::Number(number) | Group::Own(number) => number,
    }
}

/// The address of an exhibit.
pub(super) fn url(exhibit: &Exhibit, place: &Place) -> String {
    let (scheme, port) = if exhibit.ssl == "full" { ("https", place.https_port) } else { ("http", place.http_port) };
    format!("{scheme}://{}.demo.localhost:{port}/", exhibit.name)
}

/// The command that provokes it, ready to be run.
pub(super) fn command(exhibit: &Exhibit, place: &Place) -> Option<String> {
    let Visit::Command(command) = exhibit.visit else { return None };
    let host = format!("{}.demo.localhost", exhibit.name);
    let words = [
        ("URL", url(exhibit, place)),
        ("PLAIN", format!("{host}:{}", place.http_port)),
        ("SECURE", format!("{host}:{}", place.https_port)),
        ("HOST", host),
    ];
    Some(words.iter().fold(command.to_owned(), |command, (word, meant)| command.replace(word, meant)))
}

/// The whole page.
pub(super) fn render(exhibits: &[Exhibit], missing: &[Missing], place: &Place) -> String {
    let mut rows: Vec<&Exhibit> = exhibits.iter().collect();
    rows.sort_by_key(|exhibit| Group::of(exhibit));
    let mut out = String::with_capacity(64 * 1024);
    // Writing into a string does not fail.
    let _ = write!(
        out,
        "<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\"><title>Rayline demo</title>\
         <meta name=\"viewport\" content=\"width=device-width,initial-scale=1\"><style>{STYLE}</style></head><body><main>\
         <h1>Rayline <span>demo</span></h1>\
         <p class=\"lead\">One edge in front of {} things to see: some work, and each of the others is broken in one way, on a \
         host name of its own. Follow a link, or run the command that stands in its place: the \
         page says whose fault it is and what to do. The same verdict stands in the response's headers, in the log line in \
         your terminal, and in <code>rayline explain CODE</code>.</p>\
         <ul class=\"hints\"><li>Ask for JSON: <code>curl -i -H 'Accept: application/json' http://refused.demo.localhost:{port}/</code></li>\
         <li>What the edge sees of you: <a href=\"/cdn-cgi/trace\">/cdn-cgi/trace</a></li>\
         <li>Any page as a preview: <a href=\"/cdn-cgi/error/1016\">/cdn-cgi/error/1016</a></li>\
         <li>Time-outs are shortened to 2–5 s here, so that nobody waits for the real ones.</li><li>Names ending in <code>.localhost</code> lead to your own machine. Old programs need \
         <code>curl --resolve '*:{port}:127.0.0.1'</code>.</li></ul>",
        exhibits.len(),
        port = place.http_port
    );
    let mut shown = None;
    for exhibit in rows {
        let group = Group::of(exhibit);
        if shown != Some(group) {
            if shown.is_some() {
                out.push_str("</ul></section>");
            }
            let _ = write!(out, "<section><h2>{}</h2><ul>", group.heading());
            shown = Some(group);
        }
        row(&mut out, exhibit, place);
    }
    out.push_str("</ul></section><section><h2><b>–</b> Not shown here</h2><ul>");
    for Missing { exhibit, why } in missing {
        let code = exhibit.code.unwrap_or_default();
        let what = marked(&escape(&exhibit.what));
        let _ = write!(out, "<li><code>{code}</code><p>{what}: {}.</p></li>", escape(why));
    }
    for (code, why) in NOT_SHOWN {
        let _ = write!(out, "<li><code>{code}</code><p>{}.</p></li>", marked(&escape(why)));
    }
    out.push_str("</ul></section></main></body></html>");
    out
}

fn row(out: &mut String, exhibit: &Exhibit, place: &Place) {
    let name = exhibit.name;
    let code = exhibit.code.unwrap_or("no verdict: all is well");
    let party = exhibit.code.and_then(|code| code.split('.').next()).unwrap_or("fine");
    let command = command(exhibit, place);
    let title = match command {
        // A link would lead to something else than the command does.
        Some(_) => format!("<strong>{name}</strong>"),
        None => format!("<a href=\"{}\">{name}</a>", url(exhibit, place)),
    };
    let what = marked(&escape(&exhibit.what));
    let _ = write!(out, "<li class=\"{party}\">{title} <code class=\"code\">{code}</code><p>{what}.</p>");
    if let Some(command) = command {
        let _ = write!(out, "<pre>{}</pre>", escape(&command));
    }
    out.push_str("</li>");
}

/// What stands between backquotes, as code.
fn marked(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 32);
    for (place, part) in text.split('`').enumerate() {
        match place {
            0 => {}
            odd if odd % 2 == 1 => out.push_str("<code>"),
            _ => out.push_str("</code>"),
        }
        out.push_str(part);
    }
    out
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}
