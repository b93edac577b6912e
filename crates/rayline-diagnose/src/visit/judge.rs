//! Whether an answer is one that a visitor should not see.

use crate::author::{Recognition, Role};
use crate::fetch::{Answer, BodyEnd, Exchange, Obstacle};
use crate::visit::Failing;

/// Why it is; `None` if a visitor may see it. A page that is missing or wants a password is no failure.
pub(crate) fn failing(method: &str, exchange: &Exchange, recognition: &Recognition) -> Option<Failing> {
    let answer = match &exchange.outcome {
        Ok(answer) => answer,
        Err(Obstacle::Silent { .. }) => return Some(Failing::Slow),
        Err(Obstacle::Fault(_)) => return Some(Failing::NoAnswer),
    };
    let rules = [
        (answer.status >= 500, Failing::Status),
        (is_refused(answer, recognition), Failing::Refused),
        (matches!(answer.end, BodyEnd::Broken(_)) && !answer.is_stream(), Failing::Body),
        (is_blank(method, answer), Failing::Blank),
    ];
    rules.into_iter().find(|(holds, _)| *holds).map(|(_, failing)| failing)
}

/// A site may turn visitors away as it likes. An edge that does, and has a number for it, acts for somebody else.
fn is_refused(answer: &Answer, recognition: &Recognition) -> bool {
    let by_edge = recognition.author.as_ref().is_some_and(|author| author.role == Role::Edge);
    let numbered = recognition.told.as_ref().is_some_and(|told| told.number.is_some());
    matches!(answer.status, 403 | 409 | 429) && by_edge && numbered
}

/// A page without a byte.
fn is_blank(method: &str, answer: &Answer) -> bool {
    let is_page = answer.field("content-type").is_none_or(|kind| kind.to_ascii_lowercase().contains("html"));
    method == "GET" && answer.status == 200 && answer.body_bytes == 0 && is_page && matches!(answer.end, BodyEnd::Whole)
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, SystemTime};

    use super::*;
    use crate::author::{Mark, Told};
    use crate::fetch::Timings;

    fn exchange(outcome: Result<Answer, Obstacle>) -> Exchange {
        let at = SystemTime::now();
        Exchange { at, address: None, protocol: None, tls: None, timings: Timings::default(), outcome }
    }

    fn answer(status: u16, body_bytes: u64, kind: Option<&str>) -> Answer {
        let fields = kind.map(|kind| ("content-type".to_owned(), kind.as_bytes().to_vec())).into_iter().collect();
        Answer { status, fields, body: Vec::new(), body_bytes, end: BodyEnd::Whole }
    }

    #[test]
    fn what_a_site_means_to_say_is_no_failure() {
        let html = Some("text/HTML; charset=utf-8");
        for (method, answer, expected) in [
            ("GET", answer(200, 5, html), None),
            ("GET", answer(404, 0, None), None),
            ("GET", answer(401, 0, None), None),
            ("GET", answer(403, 9, None), None),
            ("GET", answer(204, 0, None), None),
            ("GET", answer(200, 0, Some("application/json")), None),
            ("HEAD", answer(200, 0, html), None),
            ("GET", answer(200, 0, html), Some(Failing::Blank)),
            ("GET", answer(200, 0, None), Some(Failing::Blank)),
            ("GET", answer(500, 0, html), Some(Failing::Status)),
            ("GET", answer(530, 9, html), Some(Failing::Status)),
        ] {
            let said = format!("{method} {} {:?}", answer.status, answer.field("content-type"));
            assert_eq!(failing(method, &exchange(Ok(answer)), &Recognition::default()), expected, "{said}");
        }
        let silent = Obstacle::Silent { waited: Duration::from_secs(1) };
        assert_eq!(failing("GET", &exchange(Err(silent)), &Recognition::default()), Some(Failing::Slow));
    }

    #[test]
    fn an_edge_that_refuses_with_a_number_is_one() {
        let mark = |role| Mark { name: "Somebody", role, rule: "a rule", seen: String::new() };
        let told = |number| Told { number, words: String::new(), codes: Vec::new(), cause: None };
        for (role, number, expected) in [
            (Role::Edge, Some(1020), Some(Failing::Refused)),
            (Role::Edge, None, None),
            (Role::Server, Some(1020), None),
        ] {
            let recognition =
                Recognition { author: Some(mark(role)), told: Some(told(number)), ..Recognition::default() };
            assert_eq!(failing("GET", &exchange(Ok(answer(403, 9, None))), &recognition), expected);
        }
    }
}
