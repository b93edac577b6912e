//! The score as a page and on a terminal.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use super::score::{Count, Judged, Judgement, Score};

/// The score for a terminal.
pub(super) fn terminal(judged: &[Judged], score: &Score) -> String {
    let mut text = String::new();
    for (title, counts) in [("code", &score.codes), ("cause", &score.causes)] {
        let _ = writeln!(text, "\n{title:<42} expected  found  said  recall  precision");
        for (name, count) in counts {
            let Count { expected, found, said } = count;
            let (recall, precision) = (percent(*found, *expected), percent(*found, *said));
            let _ = writeln!(text, "{name:<42} {expected:>8} {found:>6} {said:>5} {recall:>7} {precision:>10}");
        }
    }
    let _ = writeln!(text, "\n{}", summary(judged, score));
    text
}

/// What it comes to, in one line.
fn summary(judged: &[Judged], score: &Score) -> String {
    let mut names: Vec<&str> = judged.iter().map(|judged| judged.case.name).collect();
    names.dedup();
    let Score { right, wrong, skipped, .. } = score;
    let blame: usize = score.false_blame.values().sum();
    let again = judged.iter().filter(|judged| judged.again && !judged.is_wrong()).count();
    let slowest = judged.iter().filter_map(|judged| Some(judged.outcome.as_ref()?.took)).max().unwrap_or_default();
    format!(
        "{} set-ups, looked at from {} views: {right} right ({again} of them only once set up again), {wrong} wrong, {skipped} \
         skipped; false blame: {blame}; the slowest took {:.1} s",
        names.len(),
        judged.len(),
        slowest.as_secs_f64(),
    )
}

/// The page.
pub(super) fn markdown(judged: &[Judged], score: &Score) -> String {
    let mut page = String::from(
        "# What `rayline diagnose` finds\n\n\
         Sites that are broken for real, each in a way that is known, and what the program says of them: with servers \
         stopped, pools exhausted, certificates expired, packets dropped. `cargo xtask clinic --out docs/diagnose.md` \
         breaks them anew and writes this page.\n\n",
    );
    let _ = writeln!(page, "{}.\n", summary(judged, score));
    page.push_str("## Set-ups\n\n| set-up | what is broken | seen through, and given | verdict | cause | |\n");
    page.push_str("| --- | --- | --- | --- | --- | --- |\n");
    for judged in judged {
        let outcome = judged.outcome.as_ref();
        let code = outcome.and_then(|outcome| outcome.code()).map(code_cell);
        let guess = outcome.and_then(|outcome| outcome.guess()).map(|guess| format!("perhaps {}", code_cell(guess)));
        let verdict = code.or(guess).unwrap_or_else(|| "no fault".to_owned());
        let cause = outcome.and_then(|outcome| outcome.cause()).map(code_cell).unwrap_or_default();
        let (verdict, right) = match judged.judgement {
            Judgement::Right if judged.again => (verdict, "right, the second time"),
            Judgement::Right => (verdict, "right"),
            Judgement::Wrong(_) => (verdict, "**wrong**"),
            Judgement::Unbuilt(_) => (String::new(), "**not built**"),
            Judgement::Skipped(_) => (String::new(), "skipped"),
        };
        let (name, broken, view) = (judged.case.name, judged.case.broken, judged.view);
        let _ = writeln!(page, "| {name} | {broken} | {view} | {verdict} | {cause} | {right} |");
    }
    page.push_str("\n## Precision and recall\n\nWhere one cannot know from a view, a code that is no mistake there ");
    page.push_str("counts as the one that was to be found.\n");
    for (title, counts) in [("code", &score.codes), ("cause", &score.causes)] {
        page.push_str(&table(title, counts));
    }
    page.push_str("\n## False blame\n\n");
    if score.false_blame.is_empty() {
        page.push_str("None.\n");
    }
    for (party, count) in &score.false_blame {
        let _ = writeln!(page, "- `{party}`: {count}");
    }
    page
}

fn table(title: &str, counts: &BTreeMap<String, Count>) -> String {
    let mut table =
        format!("\n| {title} | expected | found | recall | precision |\n| --- | ---: | ---: | ---: | ---: |\n");
    for (name, Count { expected, found, said }) in counts {
        let (recall, precision) = (percent(*found, *expected), percent(*found, *said));
        let _ = writeln!(table, "| `{name}` | {expected} | {found} | {recall} | {precision} |");
    }
    table
}

fn code_cell(code: &str) -> String {
    format!("`{code}`")
}

fn percent(part: usize, whole: usize) -> String {
    part.saturating_mul(100).checked_div(whole).map_or_else(|| "–".to_owned(), |share| format!("{share} %"))
}
