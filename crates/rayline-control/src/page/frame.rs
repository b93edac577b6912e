//! What every page has around it: head, navigation, the field for a Ray ID, the foot. And what it may load: nothing that
//! is not ours.

use axum::http::header;
use axum::response::{IntoResponse, Response};
use maud::{DOCTYPE, Markup, PreEscaped, html};

use crate::access::Who;
use crate::gate::CSRF;

use super::assets;

/// What a page may do: show our style, run our one script, ask us. No frame may hold it.
const POLICY: &str = "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; connect-src 'self'; \
                      form-action 'self'; frame-ancestors 'none'; base-uri 'none'";

/// A page that stands in the navigation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Tab {
    Overview,
    Errors,
    Ray,
    Tail,
    Origins,
    Diagnose,
    Explain,
    Configuration,
    System,
}

impl Tab {
    const ALL: [Self; 9] = [
        Self::Overview,
        Self::Errors,
        Self::Ray,
        Self::Tail,
        Self::Origins,
        Self::Diagnose,
        Self::Explain,
        Self::Configuration,
        Self::System,
    ];

    const fn path_and_name(self) -> (&'static str, &'static str) {
        match self {
            Self::Overview => ("/", "Overview"),
            Self::Errors => ("/errors", "Errors"),
            Self::Ray => ("/ray", "Ray"),
            Self::Tail => ("/tail", "Live tail"),
            Self::Origins => ("/origins", "Zones & origins"),
            Self::Diagnose => ("/diagnose", "Diagnose"),
            Self::Explain => ("/explain", "Explain"),
            Self::Configuration => ("/configuration", "Configuration"),
            Self::System => ("/system", "System"),
        }
    }
}

/// A page.
#[derive(Debug)]
pub(crate) struct Page<'a> {
    pub(crate) tab: Tab,
    pub(crate) title: &'a str,
    pub(crate) who: &'a Who,
    /// The call that answers with the same as data, if there is one.
    pub(crate) api: Option<String>,
    /// The link that shows the same again, if it is another than the one asked for.
    pub(crate) permalink: Option<String>,
    /// Whether the page's live parts are fetched anew when something has happened.
    pub(crate) is_live: bool,
    pub(crate) main: Markup,
}

impl Page<'_> {
    pub(crate) fn answer(self) -> Response {
        let Self { tab, title, who, api, permalink, is_live, main } = self;
        let body = html! {
            a.skip href="#main" { "Skip to the content" }
            header.top {
                a.brand href="/" { (mark()) span { "Rayline" } }
                form.find method="get" action="/ray" role="search" {
                    label.quiet for="find" { "Ray ID" }
                    input #find type="search" name="id" placeholder="Ray ID, 16 hex digits" size="20"
                        autocomplete="off" spellcheck="false" maxlength="64";
                    button type="submit" { "Find" }
                }
                @if let (Some(csrf), Some(role)) = (who.csrf(), who.role()) {
                    form.who method="post" action="/logout" {
                        span { (role.name()) }
                        input type="hidden" name=(CSRF) value=(csrf.as_str());
                        button.plain type="submit" { "Log out" }
                    }
                }
            }
            nav.tabs aria-label="Pages" {
                ul {
                    @for each in Tab::ALL {
                        @let (path, name) = each.path_and_name();
                        li { a href=(path) aria-current=[(each == tab).then_some("page")] { (name) } }
                    }
                }
            }
            main #main tabindex="-1" data-live=[is_live.then_some("/live/pulse")] {
                h1 { (title) }
                (main)
                footer.foot {
                    @if let Some(link) = &permalink {
                        p { "This view, with its times fixed: " a href=(link) { (crate::show::long(link, 200)) } }
                    }
                    @if let Some(api) = &api {
                        p { "The same as data: " a href=(api) { code { "GET " (crate::show::long(api, 300)) } } }
                    }
                    p { "All times are UTC. Rayline " (env!("CARGO_PKG_VERSION")) }
                }
            }
        };
        document(title, &body)
    }
}

/// A page without navigation: for those who are not logged in.
pub(crate) fn bare(title: &str, inside: &Markup) -> Response {
    let body = html! {
        main.bare #main {
            p.brand { (mark()) span { "Rayline" } }
            h1 { (title) }
            (inside)
        }
    };
    document(title, &body)
}

fn document(title: &str, body: &Markup) -> Response {
    let document = html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                title { (title) " · Rayline" }
                link rel="icon" href=(assets::ICON.path()) type="image/svg+xml";
                link rel="stylesheet" href=(assets::STYLE.path());
                script src=(assets::SCRIPT.path()) defer {}
            }
            body { (body) }
        }
    };
    let headers = [(header::CONTENT_TYPE, "text/html; charset=utf-8"), (header::CONTENT_SECURITY_POLICY, POLICY)];
    (headers, document.into_string()).into_response()
}

/// The sign beside the name.
fn mark() -> Markup {
    PreEscaped(include_str!("../assets/mark.svg").trim_end().to_owned())
}
