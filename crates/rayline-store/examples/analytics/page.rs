//! The report as a page.

use std::fmt::Write as _;

use crate::report::{Asked, Compared, Report, Section};

/// What a question of a page may take, by the clock, 95 times of 100.
const GOAL_MS: f64 = 300.0;

const METHOD: &str = "\
What the store of requests costs and how fast it answers, beside SQLite and `grep` on the same rows.
`cargo xtask analytics --out docs/analytics-performance.md` measures it anew and writes this page.

## How it is measured

The rows are generated, always the same for the same number: seven days, 24 hosts in 6 zones, 4,000 paths, 60,000 clients,
7 ways to fail, faults that begin and end, one row in ten failed, a success standing for ten. Each has a line as the request
log writes it, of about a kilobyte. They are written in files of 20,000 rows with their minutes and times, and merged as the
store does itself; then they are asked, in the same process, by one who asks at a time. What taking records in costs is
measured with other records, which go through the store's own door: a lane counts and keeps, the store's thread writes the
journal, and another one seals it.

Each page's questions are asked in turn, as the page asks them, for as many rounds as the table says, over spans that end
within a minute as those do that end now. `first` is with no column decoded yet (the files' bytes may be in memory). In the
first round most columns are decoded once more, for each `first` begins by forgetting all: of 20 rounds `p95` is the slowest but
one, of fewer than 20 the slowest, and so that round. `CPU`
is the time on processors of all threads together, the median: it hardly depends on what else the machine does, where the
times by the clock do. A question meets the goal if 95 of 100 answers take less than 300 ms by the clock; if only its CPU time
does, the table says so, for then the machine had other things to do, or the disk was waited for.

SQLite is that of Python's `sqlite3`: a row each with what is asked about and without the line, indexes on time and Ray ID, no
journal, 256 MiB of cache; the store has an eighth of the memory for columns, at most 512 MiB. `grep` has `LC_ALL=C`. Each is asked up to five times, or
until ten seconds are over; medians. *Same* says whether both found the same number.
";

pub(crate) fn markdown(report: &Report) -> String {
    let mut page = format!("# How fast the analytics are\n\n{METHOD}\n");
    let Report { date, machine, load, rows, .. } = report;
    let _ = writeln!(page, "Measured on {date}: {machine}, load average {load} at the start; {rows} rows.\n");
    if !report.section.is_empty() {
        let _ = writeln!(page, "{}\n", report.section.trim());
    }
    for section in &report.sections {
        page.push_str(&figures(section));
    }
    page.push_str(&questions(report));
    baselines(&mut page, &report.baselines);
    page.truncate(page.trim_end().len());
    page.push('\n');
    page
}

pub(crate) fn figures(section: &Section) -> String {
    let mut page = String::new();
    let _ = writeln!(page, "## {}\n\n| what | figure | measured with |\n| --- | ---: | --- |", section.title);
    for figure in &section.figures {
        let _ = writeln!(page, "| {} | {} {} | {} |", figure.what, shown(figure.value), figure.unit, figure.scale);
    }
    page.push('\n');
    page
}

pub(crate) fn questions(report: &Report) -> String {
    let Report { rows, questions, .. } = report;
    let mut page = String::new();
    let missed = questions.iter().filter(|asked| asked.p95_ms >= GOAL_MS).count();
    let busy = questions.iter().filter(|asked| asked.p95_ms >= GOAL_MS && asked.processor_ms < GOAL_MS).count();
    let _ = writeln!(
        page,
        "## What the pages ask, of {rows} rows\n\nMilliseconds. {} of {} meet the goal by the clock; of the {missed} others \
         {busy} take less than {GOAL_MS} ms on processors.\n",
        questions.len() - missed,
        questions.len(),
    );
    page.push_str("| page | question | span | rows read | median | p95 | CPU | first | rounds | p95 < 300 ms |\n");
    page.push_str("| --- | --- | --- | ---: | ---: | ---: | ---: | ---: | ---: | --- |\n");
    for asked in questions {
        let met = match (asked.p95_ms < GOAL_MS, asked.processor_ms < GOAL_MS) {
            (true, _) => "met",
            (false, true) => "CPU only",
            (false, false) => "**missed**",
        };
        let read = asked.rows.map_or_else(String::new, |rows| rows.to_string());
        let [median, p95, processor, first] =
            [asked.median_ms, asked.p95_ms, asked.processor_ms, asked.first_ms].map(shown);
        let Asked { page: of, question, span, rounds, .. } = asked;
        let _ = writeln!(
            page,
            "| {of} | {question} | {span} | {read} | {median} | {p95} | {processor} | {first} | {rounds} | {met} |"
        );
    }
    page.push('\n');
    page
}

fn baselines(page: &mut String, baselines: &[Compared]) {
    page.push_str("## Beside SQLite, and the log with `grep`\n\nMilliseconds, by the clock and on processors.\n\n");
    page.push_str("| question | rows | the store | CPU | beside it | takes | CPU | times as long, by CPU | same |\n");
    page.push_str("| --- | ---: | ---: | ---: | --- | ---: | ---: | ---: | --- |\n");
    for compared in baselines {
        let Compared { question, other, rows, .. } = compared;
        let times = compared.other_processor_ms / compared.store_processor_ms.max(1e-6);
        let [store, store_cpu, theirs, their_cpu, times] =
            [compared.store_ms, compared.store_processor_ms, compared.other_ms, compared.other_processor_ms, times]
                .map(shown);
        let same = match compared.agree {
            Some(true) => "yes",
            Some(false) => "**no**",
            None => "",
        };
        let _ = writeln!(
            page,
            "| {question} | {rows} | {store} | {store_cpu} | {other} | {theirs} | {their_cpu} | {times} | {same} |"
        );
    }
    page.push('\n');
}

/// Three digits that mean something.
fn shown(value: f64) -> String {
    match value {
        value if value >= 100.0 || value == 0.0 => format!("{value:.0}"),
        value if value >= 10.0 => format!("{value:.1}"),
        value if value >= 1.0 => format!("{value:.2}"),
        value => format!("{value:.3}"),
    }
}
