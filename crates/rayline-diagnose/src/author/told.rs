//! What an error page says of the cause, as codes.
//!
//! It takes a page at its word. Whether the word is true, and of which connection it speaks, is for others to weigh.

use std::sync::LazyLock;

use rayline_verdict::{Code, Party, Sent, TABLE};
use regex::Regex;

use super::page::{Page, line, number};
use super::sayings::{self, CAUSES, SAYINGS, Saying};
use super::{Mark, Role, Told};

/// What the page of this author says.
pub(super) fn told(page: &Page<'_>, author: &Mark) -> Option<Told> {
    match author.name {
        "Rayline" => by_rayline(page).or_else(|| Some(by_raylines_page(page))),
        "Cloudflare" => Some(by_cloudflare(page)),
        name => Some(by_words(page, name, author.role)),
    }
}

/// What Rayline adds to the head of every answer that carries a verdict, its own or the origin's: the code itself.
pub(super) fn by_rayline(page: &Page<'_>) -> Option<Told> {
    let status = page.values("proxy-status").find(|value| value.starts_with("rayline;"))?;
    let (_, details) = status.split_once("details=\"")?;
    let code = Code::find(details.split('"').next()?)?;
    Some(the_code_itself(page, code))
}

/// What stands in Rayline's page, whose fields somebody on the way took away.
fn by_raylines_page(page: &Page<'_>) -> Told {
    let shown = ["<code>rayline explain ", "\"code\":\"", "\ncode: \"", "\ncode: "];
    let code = shown.iter().filter_map(|landmark| page.word_behind(landmark)).find_map(Code::find);
    code.map_or_else(|| numbered(page, rayline_number(page)), |code| the_code_itself(page, code))
}

fn the_code_itself(page: &Page<'_>, code: Code) -> Told {
    let number = rayline_number(page).or(Some(code.entry().number()).filter(|number| *number != 0));
    Told { number, words: code.entry().sentence.to_owned(), codes: vec![code], cause: cause(page) }
}

fn rayline_number(page: &Page<'_>) -> Option<u16> {
    let field = page.values("cf-error-type").find_map(|value| number(&value));
    let shown = ["error code: ", "\"error_code\":", "\nerror_code: ", "<h1><span>error "];
    field.or_else(|| shown.iter().find_map(|landmark| page.number_behind(landmark)))
}

/// Cloudflare's pages show a number, which is coarser than a code.
fn by_cloudflare(page: &Page<'_>) -> Told {
    let field = page.values("cf-error-type").find_map(|value| number(&value));
    let shown = || CLOUDFLARE_NUMBER.captures(&page.lower).and_then(|found| number(found.get(1)?.as_str()));
    let bare = || Some(page.status()).filter(|status| (520..530).contains(status) || matches!(status, 502 | 504));
    let number = field.or_else(shown).or_else(bare);
    let mut told = numbered(page, number);
    // Without what its branded page shows, a 502 or 504 is Cloudflare's own and says nothing of the origin.
    let branded =
        ["cf-host-status", "origin_bad_gateway", "origin_gateway_timeout"].iter().any(|mark| page.find(mark).is_some());
    if matches!(told.number, Some(502 | 504)) && !branded {
        told.codes = vec![Code::EdgeReplyErrorStatus];
    }
    if number.is_none() {
        told.codes = edges_own(page);
    }
    told
}

/// An error that an edge made and gives no reason for.
fn edges_own(page: &Page<'_>) -> Vec<Code> {
    match page.status() {
        403 | 429 => vec![Code::PolicyRulesRefused],
        500.. => vec![Code::EdgeReplyErrorStatus],
        _ => Vec::new(),
    }
}

/// The number in Cloudflare's HTML, JSON, Markdown and short text form.
#[expect(clippy::expect_used, reason = "the pattern is a literal, compiled by every test of this module")]
static CLOUDFLARE_NUMBER: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(
        r#"(?:class="(?:code-label|cf-error-code)">(?:error code:?\s*)?|"error_code"\s*:\s*|\nerror_code: |^\s*error code: )(\d{3,4})"#,
    )
    .expect("the pattern is well formed")
});

fn numbered(page: &Page<'_>, number: Option<u16>) -> Told {
    let codes = number.map(codes_of).unwrap_or_default();
    Told { number, words: words(page), codes, cause: None }
}

/// The codes that fit this number, the likeliest first: those whose page shows it, where it is not a plain status, which
/// Cloudflare has other reasons for than Rayline; which rule it was that refused, its numbers do not tell for certain.
fn codes_of(number: u16) -> Vec<Code> {
    let shows = |code: &Code| {
        let entry = code.entry();
        number >= 520 && entry.sent == Sent::Page(number) && entry.party != Party::Policy
    };
    let likely = sayings::LIKELIEST.iter().copied().filter(shows);
    let rest = TABLE.iter().map(|entry| entry.code).filter(shows).filter(|code| !sayings::LIKELIEST.contains(code));
    sayings::of_cloudflare(number).iter().copied().chain(likely).chain(rest).collect()
}

/// Everybody else: by what they say, or by the status that goes with what they do.
fn by_words(page: &Page<'_>, name: &str, role: Role) -> Told {
    let said =
        SAYINGS.iter().filter(|saying| saying.who == name).find_map(|saying| Some((saying, heard(page, saying)?)));
    let cause = cause(page).filter(|_| role != Role::Edge);
    if let Some((saying, words_seen)) = said {
        let words = if words_seen.is_empty() { words(page) } else { words_seen };
        return Told { number: None, words, codes: saying.codes.to_vec(), cause: saying.cause.or(cause) };
    }
    let codes = match role {
        Role::Edge => edges_own(page),
        Role::Server | Role::Application if page.status() >= 500 || !page.is_error() => {
            vec![Code::OriginWaitErrorStatus]
        }
        Role::Server | Role::Application => Vec::new(),
    };
    Told { number: None, words: words(page), codes, cause }
}

/// The words that match; empty if the status alone does. `None`: it says something else.
fn heard(page: &Page<'_>, saying: &Saying) -> Option<String> {
    if saying.status != 0 && saying.status != page.status() {
        return None;
    }
    if saying.words.is_empty() {
        return Some(String::new());
    }
    match saying.field {
        Some(name) => {
            let said = page.values(name).find(|value| value.to_ascii_lowercase().contains(saying.words))?;
            Some(line(&said))
        }
        None => page.find(saying.words).map(|at| page.words(at)),
    }
}

fn cause(page: &Page<'_>) -> Option<crate::logs::Cause> {
    CAUSES.iter().find(|(words, _)| page.find(words).is_some()).map(|(_, cause)| *cause)
}

/// A page's own words: its title, the message of its JSON, or the first line of its text.
fn words(page: &Page<'_>) -> String {
    if let Some(title) = &page.title {
        return title.clone();
    }
    let json =
        ["\"title\":\"", "\"message\":\"", "\"message\": \"", "\"error_msg\":\"", "\"detail\":\"", "\"error\":\""];
    if let Some(at) = json.iter().find_map(|key| Some(page.find(key)? + key.len())) {
        return page.line(at).split('"').next().unwrap_or_default().to_owned();
    }
    let text = page.line(page.beginning());
    if text.starts_with(['<', '{', '[']) { String::new() } else { text }
}
