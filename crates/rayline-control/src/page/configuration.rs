//! The configuration that runs, the versions before it, and what changed between two.

mod rollout;

use axum::Extension;
use axum::body::Bytes;
use axum::extract::{Query, State};
use axum::response::Response;
use maud::{Markup, html};
use rayline_verdict::Moment;
use similar::{ChangeTag, TextDiff};

use super::frame::{Page, Tab};
use super::parts;
use crate::access::Who;
use crate::api::Shared;
use crate::gate::CSRF;
use crate::seat::{Applied, Configurations, Signed, State as VersionState, Version};
use crate::show::{self, short};

/// Lines around a change that are shown with it.
const CONTEXT: usize = 3;

/// `GET /configuration?version=&against=`
pub(crate) async fn show(
    State(shared): State<Shared>,
    Extension(who): Extension<Who>,
    Query(pairs): Query<Vec<(String, String)>>,
) -> Response {
    let number =
        |name: &str| pairs.iter().find(|(key, _)| key == name).and_then(|(_, value)| value.parse::<u64>().ok());
    let is_done = pairs.iter().any(|(key, _)| key == "done");
    let main = html! {
        @if let Some(version) = number("reloaded") { p.note.ok role="status" { "Version " (version) " runs now." } }
        @if let Some(version) = number("same") {
            p.note.ok role="status" { "The file has not changed: version " (version) " runs on. What it names, such as certificates, was read again." }
        }
        @if is_done { p.note.ok role="status" { "Done: see below what runs." } }
        @match &shared.seats.configurations {
            None => (nothing()),
            Some(configurations) => (versions(&shared, &**configurations, &who, number("version"), number("against"))),
        }
    };
    let api = Some("/api/config/versions".to_owned());
    Page { tab: Tab::Configuration, title: "Configuration", who: &who, api, permalink: None, is_live: false, main }
        .answer()
}

fn nothing() -> Markup {
    parts::empty(
        "This edge has no configuration file",
        &html! {
            p { "It was started from the command line. With a file its text, its versions and what changed between them stand here:" }
            pre { code { "rayline serve --config rayline.toml" } }
        },
    )
}

fn versions(
    shared: &Shared,
    configurations: &dyn Configurations,
    who: &Who,
    asked: Option<u64>,
    against: Option<u64>,
) -> Markup {
    let versions = configurations.versions();
    let running = shared.edge.plan_version();
    let shown = asked.unwrap_or(running);
    let text = configurations.text(shown);
    let before = against.or_else(|| versions.iter().map(|version| version.number).find(|number| *number < shown));
    let old = before.and_then(|before| configurations.text(before));
    html! {
        @if let Some(going) = configurations.rollout() { (rollout::going_on(&going, who)) }
        section.card {
            header { h2 { "Versions" } span.soft { "the last hundred, the newest first" } }
            (list(&versions, running, shown))
            @if let (true, Some(csrf)) = (who.is_admin(), who.csrf()) {
                form method="post" action="/configuration/reload" {
                    input type="hidden" name=(CSRF) value=(csrf.as_str());
                    button type="submit" { "Read the file again" }
                    " " span.soft.small { "A file with an error changes nothing and says why; one that says the same makes no new version." }
                }
            }
        }
        @if let Some(version) = versions.iter().find(|version| version.number == shown) {
            (rollout::history(version))
            @if version.number != running && version.state != VersionState::RollingOut && who.is_admin() {
                (rollout::button(who, "rollback", &[("version", &shown.to_string())], &format!("Run the text of version {shown} again")))
            }
        }
        @if let (Some(before), Some(old), Some(text)) = (before, &old, &text) {
            section.card {
                header { h2 { "What version " (shown) " changed" } span.soft { "against version " (before) } }
                (difference(old, text))
            }
        }
        @match &text {
            Some(text) => section.card {
                header { h2 { "Version " (shown) } span.soft { @if shown == running { "runs now; " } "secrets are masked" } }
                pre.tall tabindex="0" { (show::long(text, 200_000).lines()) }
            },
            None => (parts::empty(&format!("Version {shown} is not known"), &html! {
                p { "The last hundred versions are kept in " code { "versions" } " in the edge’s data directory, over restarts too. "
                    "This one is older, or there never was one of that number." }
            })),
        }
    }
}

fn list(versions: &[Version], running: u64, shown: u64) -> Markup {
    html! {
        div.scroll { table {
            thead { tr { th scope="col" { "Version" } th scope="col" { "Since (UTC)" } th scope="col" { "By" } th scope="col" { "Why" } th scope="col" { "See" } } }
            tbody { @for version in versions {
                tr {
                    th scope="row" { (version.number) " " (became(version, running)) }
                    td { (show::when_short(version.since)) }
                    td { (rollout::author(&version.author)) }
                    td { (short(&version.comment)) }
                    td {
                        a href=(format!("/configuration?version={}", version.number))
                            aria-current=[(version.number == shown).then_some("true")] { "text and changes" }
                        " · " a href=(format!("/errors?plan={}", version.number)) { "errors under it" }
                    }
                }
            } }
        } }
    }
}

fn became(version: &Version, running: u64) -> Markup {
    html! {
        @match version.state {
            VersionState::Used if version.number == running => span.good { "runs" },
            VersionState::Used => {},
            VersionState::RollingOut => span.warns { (version.state.in_words()) },
            VersionState::RolledBack => span.badly { (version.state.in_words()) },
            VersionState::Aborted => span.soft { (version.state.in_words()) },
        }
    }
}

/// Two texts, line by line; what is the same far from a change is left out.
pub(crate) fn difference(old: &str, new: &str) -> Markup {
    let diff = TextDiff::from_lines(old, new);
    let groups = diff.grouped_ops(CONTEXT);
    html! {
        @if groups.is_empty() { p { "Nothing: the texts are the same." } }
        @else {
            pre.diff tabindex="0" role="region" aria-label="differences" {
                @for (place, group) in groups.iter().enumerate() {
                    @if place > 0 { span.gap { "⋯" } }
                    @for change in group.iter().flat_map(|op| diff.iter_changes(op)) {
                        @let line = change.value().trim_end_matches(['\r', '\n']);
                        @match change.tag() {
                            ChangeTag::Equal => span { "  " (show::long(line, 400)) },
                            ChangeTag::Insert => span.add { ins { "+ " (show::long(line, 400)) } },
                            ChangeTag::Delete => span.del { del { "- " (show::long(line, 400)) } },
                        }
                    }
                }
            }
        }
    }
}

/// `POST /configuration/reload`
pub(crate) async fn reload(State(shared): State<Shared>, Extension(who): Extension<Who>) -> Response {
    let edge = std::sync::Arc::clone(&shared.edge);
    let before = edge.plan_version();
    let problems = match tokio::task::spawn_blocking(move || edge.reload()).await {
        Ok(Ok(version)) => {
            let what = if version == before { "same" } else { "reloaded" };
            return crate::login::see(&format!("/configuration?{what}={version}"));
        }
        Ok(Err(problems)) => problems,
        Err(_panicked) => vec!["the reload broke off".to_owned()],
    };
    refused(&who, "The configuration was not loaded; the old one runs on", &problems)
}

fn refused(who: &Who, title: &str, problems: &[String]) -> Response {
    let main = html! {
        div.note.bad role="alert" {
            p { strong { (title) } }
            @for problem in problems { pre { (show::long(problem, 4_000).lines()) } }
        }
        p { a href="/configuration" { "Back to the configuration" } }
    };
    Page { tab: Tab::Configuration, title: "Configuration", who, api: None, permalink: None, is_live: false, main }
        .answer()
}

/// `POST /configuration/rollback`
pub(crate) async fn roll_back(State(shared): State<Shared>, Extension(who): Extension<Who>, form: Bytes) -> Response {
    let version = value(&form, "version").and_then(|version| version.parse().ok());
    change(shared, &who, move |configurations| configurations.roll_back(version, by_hand())).await
}

/// `POST /configuration/promote`
pub(crate) async fn promote(State(shared): State<Shared>, Extension(who): Extension<Who>, form: Bytes) -> Response {
    let whole = value(&form, "whole").is_some_and(|whole| whole == "true");
    change(shared, &who, move |configurations| configurations.promote(whole, by_hand())).await
}

/// `POST /configuration/abort`
pub(crate) async fn abort(State(shared): State<Shared>, Extension(who): Extension<Who>) -> Response {
    change(shared, &who, |configurations| configurations.abort(by_hand())).await
}

fn value(form: &[u8], name: &str) -> Option<String> {
    url::form_urlencoded::parse(form).find(|(key, _)| key == name).map(|(_, value)| value.into_owned())
}

/// Whoever holds the administrator's session: it has no other name.
fn by_hand() -> Signed {
    Signed { author: "the dashboard".to_owned(), comment: String::new() }
}

async fn change(
    shared: Shared,
    who: &Who,
    act: impl FnOnce(&dyn Configurations) -> Result<Applied, Vec<String>> + Send + 'static,
) -> Response {
    let Some(configurations) = shared.seats.configurations else {
        return refused(who, "Nothing has changed", &["this edge keeps no versions of its configuration".to_owned()]);
    };
    match tokio::task::spawn_blocking(move || act(&*configurations)).await {
        Ok(Ok(applied)) => crate::login::see(&format!("/configuration?done={}", applied.version)),
        Ok(Err(problems)) => refused(who, "Nothing has changed", &problems),
        Err(_panicked) => refused(who, "Nothing has changed", &["the change broke off".to_owned()]),
    }
}

impl Shared {
    /// The version that decided then, if its text is still known, and the one before it.
    pub(crate) fn version_and_before(&self, number: u64) -> Option<(Version, Option<u64>)> {
        let versions = self.seats.configurations.as_ref()?.versions();
        let version = versions.iter().find(|version| version.number == number)?.clone();
        let before = versions.iter().map(|version| version.number).find(|other| *other < number);
        Some((version, before))
    }

    /// Versions that began in a span, the newest first.
    pub(crate) fn versions_since(&self, from: Moment, to: Moment) -> Vec<Version> {
        let versions = self.seats.configurations.as_ref().map(|configurations| configurations.versions());
        versions.unwrap_or_default().into_iter().filter(|version| from <= version.since && version.since < to).collect()
    }
}
