//! The tables: what rules add to each proxy's own request without rules, what a request costs altogether, and memory.

use std::fmt::Write as _;

use super::{NGINX, PEERS, RulesBench};
use crate::bench::markdown::{bytes, micros};
use crate::bench::report::{Present, Sample, Spread, Table, ratio, spread};
use crate::bench::{machine, today};

const METHOD: &str = "\
Whole programs, release builds, one worker each, in front of the same nginx that serves 1 KB, over 32 kept \
connections: Rayline with rules in `http_request_firewall_custom`; nginx with a `map` of hosts or regular expressions \
(compiled by PCRE's JIT) or a `geo` of addresses, and one `if`; HAProxy with `http-request deny` for each \
(`haproxy-rules`), and with one such line and a file of patterns (`haproxy-list`). Nothing is logged, no rule holds \
for what visitors ask, and each program was asked once for what its last rule refuses, and refused it. Visitors all \
come from one address and ask for one page of one host, which helps everybody's caches, and HAProxy's most: it \
remembers what a list of parts of texts or of regular expressions came to for a text, and meets no other. CPU time is \
that of all threads of a program, by the scheduler's count.";

pub(super) fn page(bench: &RulesBench, load: &str, present: &[Present], tables: &[Table]) -> String {
    let there = present.iter().filter_map(|peer| Some(format!("{} {}", peer.name, peer.version.as_ref()?)));
    let mut page = format!(
        "## Beside other proxies\n\n{METHOD}\n\nMeasured on {} on {}, load average {load} at the start, {} rounds of {} s for \
         each, one after the other in turn: {}. `cargo xtask rules --peers` measures it anew.\n",
        today(),
        machine(),
        bench.rounds,
        bench.seconds,
        there.collect::<Vec<_>>().join("; "),
    );
    let Some((none, others)) = tables.split_first() else { return page };
    page += "\nWhat rules add, ns of CPU per request: the same round without rules taken off; the median of the rounds, and the \
             least and the greatest. What is less than that spread is less than such a measuring can tell.\n\n";
    table(&mut page, others, |table, peer| {
        let (with, without) = (table.row(peer)?, none.row(peer)?);
        let added = spread(&with.rounds, &without.rounds, |with, without| (with.cpu_us() - without.cpu_us()) * 1e3);
        added.map(|Spread { median, least, greatest }| format!("{median:.0} ({least:.0} to {greatest:.0})"))
    });
    page += "\nThe whole request, µs of CPU, and in parentheses how many times nginx's of the same round:\n\n";
    table(&mut page, tables, |table, peer| {
        let (row, nginx) = (table.row(peer)?, table.row(NGINX.tool.name));
        let wrong = if row.median.wrong > 0 { format!(", {} wrong", row.median.wrong) } else { String::new() };
        let times = nginx.filter(|_| peer != NGINX.tool.name);
        let times = times.and_then(|nginx| ratio(&row.rounds, &nginx.rounds, Sample::cpu_us));
        let times = times.map_or_else(String::new, |times| format!(" ({:.2})", times.median));
        Some(format!("{}{times}{wrong}", micros(row.median.cpu_us())))
    });
    page += "\nMemory of the program (PSS) after the last rounds:\n\n";
    table(&mut page, tables, |table, peer| Some(bytes(table.row(peer)?.median.memory)));
    page
}

/// A row for each scenario, a cell for each proxy.
fn table(page: &mut String, tables: &[Table], cell: impl Fn(&Table, &str) -> Option<String>) {
    let heads: Vec<&str> = PEERS.iter().map(|peer| peer.tool.name).collect();
    let _ = writeln!(page, "| | {} |\n| --- |{}", heads.join(" | "), " ---: |".repeat(heads.len()));
    for table in tables {
        let cells = heads.iter().map(|peer| cell(table, peer).unwrap_or_else(|| "–".to_owned()));
        let _ = writeln!(page, "| {} | {} |", table.title, cells.collect::<Vec<_>>().join(" | "));
    }
}
