//! The report as a page.

use std::fmt::Write as _;
use std::fs;

use crate::{RULES, Report};

const METHOD: &str = "\
What rules cost a request, and what they take to compile and keep.
`cargo xtask rules --out docs/rules-performance.md` measures it anew and writes this page.

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

pub(crate) fn markdown(report: &Report) -> String {
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
    page
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
