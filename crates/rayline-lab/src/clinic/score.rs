//! Right or wrong, and how often: precision and recall per code, and blame that fell on the wrong side.

use std::collections::BTreeMap;

use super::case::{Case, Unbuilt, View};
use super::outcome::Outcome;

/// How a case was solved from a view.
#[derive(Clone, Debug)]
pub(super) enum Judgement {
    /// As it must be.
    Right,
    /// Not so: why.
    Wrong(Vec<String>),
    /// It could not be made as broken as it says.
    Unbuilt(String),
    /// Something that it needs is missing here.
    Skipped(String),
}

impl From<&Unbuilt> for Judgement {
    fn from(unbuilt: &Unbuilt) -> Self {
        match unbuilt {
            Unbuilt::Missing(what) => Self::Skipped(what.clone()),
            Unbuilt::Failed(error) => Self::Unbuilt(error.to_string()),
        }
    }
}

/// A case from a view, with what came of it.
#[derive(Debug)]
pub(super) struct Judged {
    pub(super) case: &'static Case,
    pub(super) view: &'static View,
    pub(super) judgement: Judgement,
    pub(super) outcome: Option<Outcome>,
    /// Whether it was wrong before, and set up once more.
    pub(super) again: bool,
}

impl Judged {
    pub(super) fn name(&self) -> String {
        format!("{} ({})", self.case.name, self.view)
    }

    pub(super) fn is_wrong(&self) -> bool {
        matches!(self.judgement, Judgement::Wrong(_) | Judgement::Unbuilt(_))
    }

    /// One line, and more if it is wrong and the whole is wanted.
    pub(super) fn line(&self, whole: bool) -> String {
        let took = self.outcome.as_ref().map(|outcome| format!(" {} ms", outcome.took.as_millis()));
        let took = took.unwrap_or_default();
        let name = self.name();
        match &self.judgement {
            Judgement::Right => format!("right    {name}{took}"),
            Judgement::Skipped(why) => format!("skipped  {name}: {why}"),
            Judgement::Unbuilt(why) => format!("unbuilt  {name}: {why}"),
            Judgement::Wrong(reasons) => {
                let essence = self.outcome.as_ref().filter(|_| whole).map(Outcome::essence);
                format!(
                    "WRONG    {name}{took}: {}{}",
                    reasons.join("; "),
                    essence.map(|it| format!("\n{it}")).unwrap_or_default()
                )
            }
        }
    }

    /// The parties that may be blamed.
    fn parties(&self) -> impl Iterator<Item = &'static str> {
        parties(self.case, self.view)
    }

    /// The side that was blamed though it has no part in it.
    pub(super) fn falsely_blamed(&self) -> Option<&str> {
        let party = self.outcome.as_ref()?.party()?;
        (!self.parties().any(|allowed| allowed == party)).then_some(party)
    }
}

fn parties(case: &'static Case, view: &'static View) -> impl Iterator<Item = &'static str> {
    case.code.iter().chain(view.also).chain(view.or).filter_map(|code| code.split('.').next())
}

/// Judges what the program said.
pub(super) fn judge(case: &'static Case, view: &'static View, outcome: &Outcome) -> Judgement {
    let mut reasons = Vec::new();
    let said = outcome.code();
    let right = |code: &str| case.code == Some(code) || view.also.contains(&code);
    let allowed = |code: &str| right(code) || view.or.contains(&code);
    match (case.code, said) {
        (None, None) => {}
        (None, Some(code)) => reasons.push(format!("nothing is broken, and it says `{code}`")),
        (Some(_), Some(code)) if right(code) => {}
        (Some(_), Some(code)) if allowed(code) && outcome.certainty() == Some("proven") => {
            reasons.push(format!("it takes for proven what nobody can know from here: `{code}`"));
        }
        (Some(_), Some(code)) if allowed(code) => {}
        (Some(expected), Some(code)) => reasons.push(format!("it says `{code}`, not `{expected}`")),
        (Some(expected), None) => match outcome.guess() {
            Some(guess) if view.guess && allowed(guess) => {}
            guess => reasons.push(format!("no verdict; it guesses {guess:?}, not `{expected}`")),
        },
    }
    let exit = match (case.code, said) {
        (None, None) => 0,
        (_, Some(_)) => 1,
        (Some(_), None) => 3,
    };
    if outcome.exit != Some(exit) {
        reasons.push(format!("it ends with {:?}, not {exit}", outcome.exit));
    }
    let party = outcome.party();
    if let Some(party) = party.filter(|party| !parties(case, view).any(|allowed| allowed == *party)) {
        reasons.push(format!("it blames the side `{party}`"));
    }
    match (case.causes, outcome.cause()) {
        ([expected, ..], cause)
            if (view.logs || view.here) && !cause.is_some_and(|cause| case.causes.contains(&cause)) =>
        {
            reasons.push(format!("the cause is {cause:?}, not `{expected}`"));
        }
        (causes, Some(cause)) if !causes.contains(&cause) => {
            reasons.push(format!("it finds the cause `{cause}`, which is not there"));
        }
        _ => {}
    }
    if reasons.is_empty() { Judgement::Right } else { Judgement::Wrong(reasons) }
}

/// How often a code was to be found, was found, and was said.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Count {
    pub(super) expected: usize,
    pub(super) found: usize,
    pub(super) said: usize,
}

/// Everything that was judged, counted.
#[derive(Debug, Default)]
pub(super) struct Score {
    /// By code; a code that was accepted in the place of another counts as that one.
    pub(super) codes: BTreeMap<String, Count>,
    /// The same of causes, where logs were given.
    pub(super) causes: BTreeMap<String, Count>,
    pub(super) right: usize,
    pub(super) wrong: usize,
    pub(super) skipped: usize,
    /// How often which side was blamed though it had no part in it.
    pub(super) false_blame: BTreeMap<String, usize>,
}

impl Score {
    pub(super) fn of(judged: &[Judged]) -> Self {
        let mut score = Self::default();
        for judged in judged {
            match judged.judgement {
                Judgement::Right => score.right += 1,
                Judgement::Wrong(_) | Judgement::Unbuilt(_) => score.wrong += 1,
                Judgement::Skipped(_) => score.skipped += 1,
            }
            if let Some(party) = judged.falsely_blamed() {
                *score.false_blame.entry(party.to_owned()).or_default() += 1;
            }
            score.count(judged);
        }
        score
    }

    fn count(&mut self, judged: &Judged) {
        let Some(outcome) = &judged.outcome else { return };
        let (case, view) = (judged.case, judged.view);
        let said = outcome.code().or_else(|| outcome.guess().filter(|_| case.code.is_some()));
        let accepted = said.filter(|said| view.also.contains(said) || view.or.contains(said)).and(case.code);
        tally(&mut self.codes, case.code, accepted.or(said));
        if (view.logs || view.here) && !case.causes.is_empty() {
            let said = outcome.cause();
            let accepted = said.filter(|said| case.causes.contains(said)).and(case.causes.first().copied());
            tally(&mut self.causes, case.causes.first().copied(), accepted.or(said));
        }
    }
}

fn tally(counts: &mut BTreeMap<String, Count>, expected: Option<&str>, said: Option<&str>) {
    if let Some(expected) = expected {
        let count = counts.entry(expected.to_owned()).or_default();
        count.expected += 1;
        count.found += usize::from(said == Some(expected));
    }
    if let Some(said) = said {
        counts.entry(said.to_owned()).or_default().said += 1;
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::clinic::case::{nginx, rayline};

    static BROKEN: Case = Case::new("broken", "", || Err(Unbuilt::Missing(String::new())), "origin.wait.error_status")
        .because(&["app.php_fatal"], "");
    static FINE: Case = Case::fine("fine", "", || Err(Unbuilt::Missing(String::new())));
    static SURE: View = rayline(500).origin().logs();
    static UNSURE: View = nginx(500).or(&["edge.reply.error_status"]);

    fn verdict(code: &str, certainty: &str, cause: Option<&str>) -> Outcome {
        let party = code.split('.').next();
        let cause = cause.map(|name| json!({ "name": name }));
        Outcome::said(1, json!({ "verdict": { "code": code, "party": party, "certainty": certainty, "cause": cause } }))
    }

    #[track_caller]
    fn judged(case: &'static Case, view: &'static View, outcome: &Outcome, right: bool) {
        let judgement = judge(case, view, outcome);
        assert_eq!(matches!(judgement, Judgement::Right), right, "{judgement:?}");
    }

    #[test]
    fn only_what_could_be_known_must_be() {
        judged(&BROKEN, &SURE, &verdict("origin.wait.error_status", "proven", Some("app.php_fatal")), true);
        judged(&BROKEN, &SURE, &verdict("origin.wait.error_status", "proven", None), false);
        judged(&BROKEN, &UNSURE, &verdict("origin.wait.error_status", "inferred", None), true);
        judged(&BROKEN, &UNSURE, &verdict("origin.wait.error_status", "inferred", Some("host.disk_full")), false);
        judged(&BROKEN, &UNSURE, &verdict("edge.reply.error_status", "inferred", None), true);
        judged(&BROKEN, &UNSURE, &verdict("edge.reply.error_status", "proven", None), false);
        let guess = |code: &str| Outcome::said(3, json!({ "verdict": Value::Null, "hypotheses": [{ "code": code }] }));
        judged(&BROKEN, &UNSURE, &guess("edge.reply.error_status"), true);
        judged(&BROKEN, &UNSURE, &guess("origin.connect.refused"), false);
        judged(&BROKEN, &SURE, &guess("origin.wait.error_status"), false);
        judged(&FINE, &SURE, &Outcome::said(0, json!({ "verdict": Value::Null })), true);
        judged(&FINE, &SURE, &Outcome::said(3, json!({ "verdict": Value::Null })), false);
        judged(&FINE, &SURE, &verdict("origin.wait.error_status", "proven", None), false);
    }

    #[test]
    fn blame_is_counted_by_the_side_that_it_falls_on() {
        let judged = |case, view, outcome: Outcome| Judged {
            case,
            view,
            judgement: judge(case, view, &outcome),
            outcome: Some(outcome),
            again: false,
        };
        let score = Score::of(&[
            judged(&BROKEN, &SURE, verdict("origin.wait.error_status", "proven", Some("app.php_fatal"))),
            judged(&BROKEN, &SURE, verdict("edge.reply.error_status", "inferred", None)),
            judged(&BROKEN, &UNSURE, verdict("edge.reply.error_status", "inferred", None)),
            judged(&FINE, &SURE, verdict("network.connect.timed_out", "inferred", None)),
        ]);
        assert_eq!((score.right, score.wrong), (2, 2));
        assert_eq!(score.false_blame, BTreeMap::from([("edge".to_owned(), 1), ("network".to_owned(), 1)]));
        let Count { expected, found, said } = score.codes["origin.wait.error_status"];
        assert_eq!((expected, found, said), (3, 2, 2));
    }
}
