//! The explanation of each code, and the way from what somebody read off a screen to it.
//!
//! What is found is printed elsewhere.

use crate::code::{Code, Sent, TABLE};
use crate::number::{NUMBERS, Number};

mod pages;
mod unsent;

pub use unsent::{UNSENT, Unsent};

/// The page of a code, in Markdown: `# name`, then *What happened*, *Who can fix it*, *How we know*, *Fix it* and
/// *See it for yourself*.
pub const fn page(code: Code) -> &'static str {
    pages::page(code)
}

/// What a query means.
#[derive(Clone, Debug)]
pub enum Found {
    /// One code.
    Code(Code),
    /// A number that is shown on pages, and the codes behind it.
    Number(&'static Number, Vec<Code>),
    /// A status that carries several numbers or one other than itself, such as 530 or 403.
    Status(u16, Vec<&'static Number>),
    /// A number of Cloudflare's that this edge never sends.
    Unsent(&'static Unsent),
    /// A part of several codes' names, such as `refused`.
    Several(Vec<Code>),
    /// Nothing; these codes come nearest.
    Unknown {
        /// At most three, the nearest first.
        nearest: Vec<Code>,
    },
}

/// Finds what is meant by `522`, `1016`, `530`, `origin.connect.refused`, `connect.refused` or `revoked`.
pub fn find(query: &str) -> Found {
    let query = query.trim().to_ascii_lowercase();
    if query.bytes().all(|byte| byte.is_ascii_digit()) {
        let found = query.parse().ok().and_then(number);
        return found.unwrap_or_else(|| Found::Unknown { nearest: nearest(&query) });
    }
    let mut any: Vec<Code> = codes(|name| has_parts(name, &query)).collect();
    // A part of a word is looked for only where no whole word fits.
    if any.is_empty() {
        any = codes(|name| name.split('.').any(|part| part.contains(&query))).collect();
    }
    match any.as_slice() {
        [] => Found::Unknown { nearest: nearest(&query) },
        [only] => Found::Code(*only),
        _ => Found::Several(any),
    }
}

fn number(number: u16) -> Option<Found> {
    let carried = || NUMBERS.iter().filter(|row| row.status == number).collect::<Vec<_>>();
    match Number::find(number) {
        Some(row) => Some(Found::Number(row, shown_by(number))),
        None if let Some(row) = Unsent::find(number) => Some(Found::Unsent(row)),
        None if !carried().is_empty() => Some(Found::Status(number, carried())),
        // Any other is an error that the application made itself.
        None if (500..600).contains(&number) => Some(Found::Code(Code::OriginWaitErrorStatus)),
        None => None,
    }
}

/// The codes whose page or record shows the number, and behind them those whose number travels as that status. An
/// application may send any 5xx of the RFCs itself.
fn shown_by(number: u16) -> Vec<Code> {
    let shows = |sent: Sent| match sent {
        Sent::Page(shown) | Sent::Cut(shown) | Sent::Nothing(shown) => shown == number,
        Sent::Origin => (500..520).contains(&number),
        Sent::Outside => false,
    };
    let carries = |sent: Sent| match sent {
        Sent::Page(shown) => shown != number && Number::find(shown).is_some_and(|row| row.status == number),
        Sent::Cut(_) | Sent::Nothing(_) | Sent::Origin | Sent::Outside => false,
    };
    let those = |fits: &dyn Fn(Sent) -> bool| {
        TABLE.iter().filter(|entry| fits(entry.sent)).map(|entry| entry.code).collect::<Vec<_>>()
    };
    let mut codes = those(&shows);
    codes.extend(those(&carries));
    codes
}

fn codes(fits: impl Fn(&str) -> bool) -> impl Iterator<Item = Code> {
    TABLE.iter().filter(move |entry| fits(entry.name)).map(|entry| entry.code)
}

/// Whether `query` is one or more whole parts of a dotted name, side by side.
fn has_parts(name: &str, query: &str) -> bool {
    format!(".{name}.").contains(&format!(".{query}."))
}

/// The three codes whose name, or last part of it, is the least unlike the query.
fn nearest(query: &str) -> Vec<Code> {
    let distance = |name: &str, cause: &str| {
        strsim::normalized_damerau_levenshtein(name, query).max(strsim::normalized_damerau_levenshtein(cause, query))
    };
    let mut likeness: Vec<(f64, Code)> =
        TABLE.iter().map(|entry| (distance(entry.name, entry.cause), entry.code)).collect();
    likeness.sort_by(|one, other| other.0.total_cmp(&one.0));
    likeness.into_iter().take(3).map(|(_, code)| code).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_are_filed_under_their_codes() {
        assert_eq!(pages::NAMES.len(), TABLE.len());
        for (code, name) in pages::NAMES {
            assert_eq!(code.name(), *name);
        }
    }

    #[test]
    fn every_page_has_its_parts_in_order() {
        let parts = ["## What happened", "## Who can fix it", "## How we know", "## Fix it", "## See it for yourself"];
        for entry in &TABLE {
            let page = page(entry.code);
            assert!(page.starts_with(&format!("# {}\n", entry.name)), "{}: the first line names the code", entry.name);
            let headings: Vec<&str> = page.lines().filter(|line| line.starts_with("## ")).collect();
            assert_eq!(headings, parts, "{}", entry.name);
            assert!(page.ends_with('\n') && page.len() > 500, "{}: is there nothing to say?", entry.name);
        }
    }

    #[test]
    fn finds_numbers_names_and_parts_of_names() {
        let code = |query| match find(query) {
            Found::Code(code) => code.name(),
            other => panic!("{query}: {other:?}"),
        };
        assert_eq!(code("origin.connect.refused"), "origin.connect.refused");
        assert_eq!(code(" Connect.Refused "), "origin.connect.refused");
        assert_eq!(code("nxdomain"), "owner.resolve.nxdomain");
        assert_eq!(code("revoked"), "origin.origin_tls.revoked");
        assert_eq!(code("507"), "origin.wait.error_status");

        let numbered = |query| match find(query) {
            Found::Number(number, codes) => (number.title, codes),
            other => panic!("{query}: {other:?}"),
        };
        assert_eq!(numbered("521"), ("Web server is down", vec![Code::OriginConnectRefused]));
        assert_eq!(numbered("522").1, [Code::NetworkConnectTimedOut, Code::NetworkSendUnacknowledged]);
        assert_eq!(numbered("502").1, [Code::OriginWaitErrorStatus]);
        assert_eq!(numbered("1016").0, "Origin DNS error");

        assert!(matches!(find("530"), Found::Status(530, numbers) if numbers.len() == 1));
        assert!(matches!(find("409"), Found::Status(409, numbers) if numbers.len() == 1));
        let (challenge, denied) = numbered("403");
        assert_eq!((challenge, denied[0]), ("Just a moment", Code::PolicyRulesChallenged));
        assert!(denied.contains(&Code::PolicyRulesCustomRule) && denied.contains(&Code::VisitorRouteDirectIp));
        assert!(matches!(find("refused"), Found::Several(codes) if codes.len() == 4));
        assert!(matches!(find("resolve"), Found::Several(codes) if codes.len() > 5));
    }

    #[test]
    fn every_number_leads_to_a_code() {
        for number in NUMBERS {
            let Found::Number(_, codes) = find(&number.number.to_string()) else { panic!("{}", number.number) };
            assert!(!codes.is_empty(), "{}", number.number);
        }
    }

    #[test]
    fn what_is_unknown_has_neighbours() {
        for query in ["", "  ", "0", "99999999", "418", "orign.connect.refussed", "certificate_expird", "é", "."] {
            let Found::Unknown { nearest } = find(query) else { panic!("{query}") };
            assert_eq!(nearest.len(), 3, "{query}");
        }
        let Found::Unknown { nearest } = find("orign.connect.refussed") else { panic!() };
        assert_eq!(nearest.first(), Some(&Code::OriginConnectRefused));
    }
}
