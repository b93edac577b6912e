//! The report as a page.

use std::fmt::Write as _;
use std::fs;

use crate::rate::{Asked, Outcome, Rates, Traffic};
use crate::wirefilter::Beside;
use crate::{RULES, Report};

const METHOD: &str = "\
What rules cost a request, and what they take to compile and keep.
`cargo xtask rules --peers --out docs/rules-performance.md` measures it anew and writes this page; without `--peers`, what it says
of other proxies stays as it is.

## How it is measured

One thread holds a browser's request with twelve header fields against the rules of a phase, again and again. None of the
rules holds, which is the common case and the dearest one: a rule that blocks ends the phase. A figure is the time on a
processor for one request, the median of nine measurings of 20 ms or more each, with a worker's memory that is there already.
Nothing is allocated meanwhile; a test says so for every kind of rule below, a thousand of each.

The rules of a kind differ in their literals: the 17th of the first kind is `http.host eq \"shop-17.example.net\"`. *All of
these in turn* has a tenth of each of the ten above it. The last kind is the one that no index helps with: regular expressions
without a literal that a text must have to match, each tried by itself.

This is what rules cost alone. What a whole request costs, and beside which other proxies, is [another page](performance.md),
measured without rules.
";

/// The heading of the tables that whole programs came to, which are the end of the page.
const PEERS: &str = "## Beside other proxies";

/// Those tables in a page.
pub(crate) fn peers(page: &str) -> Option<&str> {
    page.find(PEERS).and_then(|start| page.get(start..))
}

pub(crate) fn markdown(report: &Report, peers: Option<&str>) -> String {
    let mut page = format!("# How fast rules are\n\n{METHOD}\n");
    let _ = writeln!(page, "Measured on {}.\n", machine());
    page.push_str("## A request against the rules of a phase\n\n");
    let Report { none, allocations, .. } = report;
    let _ =
        writeln!(page, "Against no rule: {none:.0} ns. Allocations against 1000 rules of all kinds: {allocations}.\n");
    table(&mut page, &report.kinds);
    page.push_str("\n## The same, each condition asked by itself\n\nWithout the knowledge of which conditions can hold at all; what ");
    page.push_str("conditions have in common is still worked out once.\n\n");
    table(&mut page, &report.one_by_one);
    page.push_str(
        "\n## Long lists\n\nOne in two look-ups finds something; each is of another address or host than the last.\n\n",
    );
    page.push_str("| what | ns per request | memory |\n| --- | ---: | ---: |\n");
    for (name, nanoseconds, bytes) in &report.lists {
        let _ = writeln!(page, "| {name} | {nanoseconds:.0} | {} |", size(*bytes));
    }
    page.push_str("\n## Compiling\n\nFrom the texts of the expressions to a program, on one thread.\n\n");
    page.push_str("| what | time | program | per worker |\n| --- | ---: | ---: | ---: |\n");
    for (name, milliseconds, program, memory) in &report.compiled {
        let _ = writeln!(page, "| {name} | {milliseconds:.0} ms | {} | {} |", size(*program), size(*memory));
    }
    page.push_str(PHASES);
    for (name, nanoseconds) in &report.phases {
        let _ = writeln!(page, "| {name} | {nanoseconds:.0} |");
    }
    if let Some(beside) = &report.wirefilter {
        wirefilter(&mut page, beside);
    }
    if let Some(rates) = &report.rates {
        rate_limits(&mut page, rates);
    }
    if let Some(peers) = peers {
        let _ = write!(page, "\n{peers}");
    }
    page
}

const PHASES: &str = "
## Rules in several phases

What one phase worked out of a request serves the next, as long as no rule rewrote the path or the query, no more of the body was
read, and the managed rules found nothing. Rules of all ten kinds in turn:

| where they stand | ns per request |
| --- | ---: |
";

const WIREFILTER: &str = "
## Beside wirefilter

wirefilter is the engine of Cloudflare's own rules. Its authors publish no time that a rule takes, so it is measured here, in the
same process: `wirefilter-engine` 0.6.1, the newest that is published as a crate, of 2019. What runs at Cloudflare is newer,
searches texts with SIMD, and is not to be had as a crate. It has neither functions nor wildcards nor header fields, so these are
the kinds of rules that both can be told, in the same words. wirefilter's values are set before anything is measured, ours are
asked for as it goes; it looks at one rule after the other, which is how it was made. None of the rules holds.

";

fn wirefilter(page: &mut String, beside: &Beside) {
    page.push_str(WIREFILTER);
    let heads = RULES.map(|rules| if rules == 1 { "1 rule".to_owned() } else { format!("{rules} rules") });
    let _ = writeln!(
        page,
        "| ns per request, ours / wirefilter's | {} |\n| --- |{}",
        heads.join(" | "),
        " ---: |".repeat(RULES.len())
    );
    for (name, figures) in &beside.kinds {
        let figures = figures.map(|[ours, theirs]| format!("{ours:.0} / {theirs:.0}"));
        let _ = writeln!(page, "| {name} | {} |", figures.join(" | "));
    }
    page.push_str("\n| one rule with a set, nothing found | ours, ns | wirefilter's, ns |\n| --- | ---: | ---: |\n");
    for (name, [ours, theirs]) in &beside.sets {
        let _ = writeln!(page, "| {name} | {ours:.0} | {theirs:.0} |");
    }
    let [ours, theirs] = beside.compiling;
    let _ = writeln!(page, "\nCompiling 10000 rules `http.host eq \"…\"`: {ours:.0} ms, wirefilter {theirs:.0} ms.");
}

const RATES: &str = "
## Rate limits at a million keys

What counting a request costs, in ns on a processor, in a table with room for a million keys. Two threads are those of two
workers; where they have to share a processor, they stand less in each other's way than on two.

";

const OUTCOMES: &str = "
How right the decisions are: requests of 30 seconds against a limit in 10 seconds, each decision held against a log of when
requests of its key were let through. *Too many* were let through although as many as there may be had been in the 10 seconds
before, *too few* are those that were turned away although fewer had been. *Even* traffic has each key ask as often as the limit
is, on average; *ranked* traffic has the second key ask half as often as the first, the third a third as often (Zipf), five
requests for each key in 10 seconds; in *bursts*, a key asks for twice what it may at once, and is silent for 20 seconds on
average. Time is made up: nothing depends on how long the machine takes.

";

fn rate_limits(page: &mut String, rates: &Rates) {
    page.push_str(RATES);
    page.push_str("| a request of | ns |\n| --- | ---: |\n");
    for (name, nanoseconds) in &rates.costs {
        let _ = writeln!(page, "| {name} | {nanoseconds:.0} |");
    }
    let _ = writeln!(page, "\nThe table takes {} MB, once a rule counts.", rates.bytes / 1_000_000);
    page.push_str(OUTCOMES);
    page.push_str("| traffic | keys | threads | limit | requests | let through | too many | too few | most in 10 s | turned away at | keys forgotten |\n");
    page.push_str("| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: |\n");
    for Outcome { asked, requests, admitted, over, under, worst, fewest, forgotten } in &rates.outcomes {
        let Some(Asked { traffic, keys, threads, most }) = asked else { continue };
        let traffic = match traffic {
            Traffic::Even => "even",
            Traffic::Ranked => "ranked",
            Traffic::Bursts => "bursts",
        };
        let share = |part: u64| part as f64 / (*requests).max(1) as f64 * 100.0;
        let fewest = fewest.map_or_else(|| "–".to_owned(), |fewest| fewest.to_string());
        let _ = writeln!(
            page,
            "| {traffic} | {keys} | {threads} | {most} | {requests} | {:.1} % | {:.2} % | {:.2} % | {worst} | {fewest} | {forgotten} |",
            share(*admitted),
            share(*over),
            share(*under),
        );
    }
}

fn table(page: &mut String, kinds: &[(&str, [f64; RULES.len()])]) {
    let heads = RULES.map(|rules| if rules == 1 { "1 rule".to_owned() } else { format!("{rules} rules") });
    let _ = writeln!(page, "| ns per request | {} |\n| --- |{}", heads.join(" | "), " ---: |".repeat(RULES.len()));
    for (name, figures) in kinds {
        let figures = figures.map(|figure| format!("{figure:.0}"));
        let _ = writeln!(page, "| {name} | {} |", figures.join(" | "));
    }
}

fn size(bytes: i64) -> String {
    match bytes {
        0..10_000 => format!("{bytes} B"),
        10_000..10_000_000 => format!("{} kB", bytes / 1_000),
        _ => format!("{} MB", bytes / 1_000_000),
    }
}

fn machine() -> String {
    let read = |file: &str| fs::read_to_string(file).unwrap_or_default();
    let cpus = read("/proc/cpuinfo");
    let model =
        cpus.lines().find_map(|line| line.strip_prefix("model name")?.split_once(':')).map_or("", |(_, it)| it.trim());
    let cores = cpus.lines().filter(|line| line.starts_with("processor")).count();
    let kernel = read("/proc/sys/kernel/osrelease");
    let kernel: Vec<&str> = kernel.trim().splitn(3, '.').take(2).collect();
    let load = read("/proc/loadavg");
    format!(
        "{cores} cores of {model}, Linux {}, load average {}",
        kernel.join("."),
        load.split(' ').next().unwrap_or_default()
    )
}
