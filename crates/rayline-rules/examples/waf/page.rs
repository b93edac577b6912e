//! The tables of `docs/waf.md`.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io::{self, Write as _};
use std::time::Duration;

use rayline_rules::waf::{Action, Managed, Outcome, Scratch, signatures, version};

use crate::crs::Case;
use crate::honest::Honest;
use crate::managed;
use crate::request::Request;
use crate::speed::Speed;

/// The Core Rule Set's families of rules, by the first three digits.
const FAMILIES: &[(&str, &str)] = &[
    ("911", "methods"),
    ("913", "scanners"),
    ("920", "protocol enforcement"),
    ("921", "protocol attacks"),
    ("922", "multipart attacks"),
    ("930", "local files"),
    ("931", "remote files"),
    ("932", "commands"),
    ("933", "PHP"),
    ("934", "Node.js"),
    ("941", "cross-site scripting"),
    ("942", "SQL injection"),
    ("943", "session fixation"),
    ("944", "Java"),
];

/// How many, and of how many.
#[derive(Debug, Default, Clone, Copy)]
struct Share(usize, usize);

impl Share {
    fn count(&mut self, yes: bool) {
        self.0 += usize::from(yes);
        self.1 += 1;
    }

    fn shown(self) -> String {
        match self.1 {
            0 => "–".to_owned(),
            all => format!("{:.1} % of {all}", self.0 as f64 * 100.0 / all as f64),
        }
    }
}

/// The score from which `medium` blocks. What is compiled here blocks at that of `high`.
const MEDIUM: u32 = 10;

#[derive(Debug, Default, Clone, Copy)]
struct Found {
    matched: Share,
    at_high: Share,
    at_medium: Share,
    unseen: Share,
}

impl Found {
    fn count(&mut self, outcome: &Outcome, seen: bool) {
        let is_blocked = outcome.action == Action::Block;
        self.matched.count(outcome.action != Action::Pass);
        self.at_high.count(is_blocked);
        self.at_medium.count(outcome.score >= MEDIUM);
        if !seen {
            self.unseen.count(is_blocked);
        }
    }
}

fn outcome(managed: &Managed, request: &Request) -> Outcome {
    managed.inspect(request, request.body(), &[], &mut Scratch::default())
}

/// Prints what was not blocked of the cases whose rule begins with `prefix`, or which honest requests were (`honest`).
pub(crate) fn list(prefix: &str, cases: &[Case], honest: &[Honest]) -> io::Result<()> {
    let (managed, mut out) = (managed(1), io::stdout().lock());
    if prefix == "honest" {
        for row in honest {
            let found = outcome(&managed, &row.request);
            if found.action == Action::Block {
                let matches: Vec<_> = found
                    .matches
                    .iter()
                    .map(|found| format!("{} {:?}", found.rule.id, String::from_utf8_lossy(&found.bytes)))
                    .collect();
                writeln!(out, "{} {}: {}", row.kind, row.row.target, matches.join(", "))?;
            }
        }
        return Ok(());
    }
    // only the half that rules may be mended for
    for case in
        cases.iter().filter(|case| case.rule.starts_with(prefix) && case.positive && case.seen && case.paranoia == 1)
    {
        let found = outcome(&managed, &case.request);
        if found.action != Action::Block {
            let request = &case.request;
            let line = format!(
                "{} score {}: {} {} {:?} {}",
                case.title,
                found.score,
                String::from_utf8_lossy(&request.method),
                String::from_utf8_lossy(&request.target),
                request
                    .headers
                    .iter()
                    .filter(|(name, _)| !["host", "accept", "user-agent", "content-type"]
                        .iter()
                        .any(|other| name.eq_ignore_ascii_case(other.as_bytes())))
                    .map(|(name, value)| format!(
                        "{}: {}",
                        String::from_utf8_lossy(name),
                        String::from_utf8_lossy(value)
                    ))
                    .collect::<Vec<_>>(),
                String::from_utf8_lossy(&request.body),
            );
            writeln!(out, "{}", line.chars().take(230).collect::<String>().escape_debug())?;
        }
    }
    Ok(())
}

/// The page.
pub(crate) fn written(cases: Option<&[Case]>, honest: &[Honest], speed: &[Speed]) -> String {
    let mut page = format!(include_str!("page.md.in"), version = version(), rules = signatures().map_or(0, <[_]>::len));
    rules(&mut page);
    match cases {
        Some(cases) => detection(&mut page, cases),
        None => page.push_str("\n(The cases were not given: `--crs FOLDER`.)\n"),
    }
    mistakes(&mut page, honest);
    times(&mut page, speed);
    page
}

fn rules(page: &mut String) {
    let mut counts: BTreeMap<&str, [usize; 4]> = BTreeMap::new();
    for rule in signatures().unwrap_or_default() {
        if let Some(count) = counts.entry(rule.category.name()).or_default().get_mut(usize::from(rule.paranoia) - 1) {
            *count += 1;
        }
    }
    page.push_str(
        "\n## The rules\n\n| category | level 1 | level 2 | level 3 | level 4 |\n| --- | ---: | ---: | ---: | ---: |\n",
    );
    for (category, [one, two, three, four]) in counts {
        _ = writeln!(page, "| `{category}` | {one} | {two} | {three} | {four} |");
    }
}

fn detection(page: &mut String, cases: &[Case]) {
    let mut families: BTreeMap<&str, Found> = BTreeMap::new();
    let mut levels: BTreeMap<u8, Found> = BTreeMap::new();
    let mut others = Share::default();
    for level in 1..=4 {
        let managed = managed(level);
        for case in cases.iter().filter(|case| case.paranoia == level) {
            let found = outcome(&managed, &case.request);
            if case.positive {
                levels.entry(level).or_default().count(&found, case.seen);
                if level == 1 {
                    families.entry(case.rule.get(..3).unwrap_or_default()).or_default().count(&found, case.seen);
                }
            } else if level == 1 {
                others.count(found.action == Action::Block);
            }
        }
    }
    page.push_str("\n## What is found\n\nAt paranoia level 1, by the family of the case:\n\n");
    columns(page, "family");
    for (number, name) in FAMILIES {
        if let Some(found) = families.get(number) {
            line(page, &format!("{number} {name}"), found);
        }
    }
    page.push_str("\nBy paranoia level, the cases of a level against the rules up to that level:\n\n");
    columns(page, "level");
    for (level, found) in levels {
        line(page, &level.to_string(), &found);
    }
    _ = writeln!(
        page,
        "\nOf the cases that say that a rule of level 1 must *not* match, {} are blocked. Many of them are attacks for another rule, so \
         that this is no rate of mistakes.",
        others.shown()
    );
}

fn columns(page: &mut String, first: &str) {
    _ = writeln!(
        page,
        "| {first} | something matched | blocked at 5 | blocked at 10 | at 5, of the other half |\n\
         | --- | ---: | ---: | ---: | ---: |"
    );
}

fn line(page: &mut String, name: &str, found: &Found) {
    let [matched, at_high, at_medium, unseen] =
        [found.matched, found.at_high, found.at_medium, found.unseen].map(Share::shown);
    _ = writeln!(page, "| {name} | {matched} | {at_high} | {at_medium} | {unseen} |");
}

fn mistakes(page: &mut String, honest: &[Honest]) {
    page.push_str("\n## What is blocked by mistake\n");
    for threshold in [5, MEDIUM] {
        let mut kinds: BTreeMap<&str, [Share; 4]> = BTreeMap::new();
        let mut all = [Share::default(); 4];
        for level in 1..=4 {
            let managed = managed(level);
            for row in honest {
                let is_blocked = outcome(&managed, &row.request).score >= threshold;
                for shares in [kinds.entry(&row.kind).or_default(), &mut all] {
                    if let Some(share) = shares.get_mut(usize::from(level) - 1) {
                        share.count(is_blocked);
                    }
                }
            }
        }
        _ = writeln!(
            page,
            "\n| honest requests, blocked at {threshold} | level 1 | level 2 | level 3 | level 4 |\n\
             | --- | ---: | ---: | ---: | ---: |"
        );
        for (kind, shares) in kinds.into_iter().chain([("**all**", all)]) {
            let [one, two, three, four] = shares.map(Share::shown);
            _ = writeln!(page, "| {kind} | {one} | {two} | {three} | {four} |");
        }
    }
}

fn times(page: &mut String, speed: &[Speed]) {
    page.push_str(include_str!("times.md.in"));
    if speed.iter().all(|line| line.theirs.is_none()) {
        page.push_str(
            "\nModSecurity was not measured: `apt-get install libnginx-mod-http-modsecurity modsecurity-crs` brings it.\n",
        );
    }
    let load = std::fs::read_to_string("/proc/loadavg").unwrap_or_default();
    let processors = std::thread::available_parallelism().map_or(1, usize::from);
    let load = load.split(' ').next().unwrap_or("unknown");
    _ = writeln!(page, "\nThis run: a load of {load} on {processors} processors.");
    page.push_str("\n| body | bytes | Rayline | ModSecurity | ratio |\n| --- | ---: | ---: | ---: | ---: |\n");
    for Speed { what, size, ours, theirs } in speed {
        let shown = |took: Duration| match (*size, took.as_secs_f64() * 1e6) {
            (0, micros) => format!("{micros:.1} µs"),
            (size, micros) => format!("{micros:.0} µs, {:.1} MB/s", size as f64 / micros),
        };
        let (other, ratio) = match theirs {
            Some(theirs) => (shown(*theirs), format!("{:.0}", theirs.as_secs_f64() / ours.as_secs_f64())),
            None => ("–".to_owned(), "–".to_owned()),
        };
        _ = writeln!(page, "| {what} | {size} | {} | {other} | {ratio} |", shown(*ours));
    }
}
