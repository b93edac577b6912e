//! The report as Markdown: what is compared at a glance, then a table for each scenario.

use std::fmt::Write as _;

use super::peer::{NGINX, RAYLINE};
use super::report::{Report, Row, Spread, Table};

/// The whole page. `chart` is the name of the image beside it.
pub(crate) fn page(report: &Report, chart: &str) -> String {
    let mut out = String::new();
    let Report { date, machine, load, rounds, seconds, .. } = report;
    out += "# What the benchmark measured\n\n";
    let _ = writeln!(
        out,
        "Measured on {date}: {machine}, load average {load} at the start; {rounds} rounds of {seconds} s for each proxy, \
         one after the other in turn, one worker each. Figures are medians over the rounds; a ratio is to nginx in the \
         same round, with the least and the greatest in parentheses.\n"
    );
    let there = report.peers.iter().filter_map(|peer| Some(format!("{} {}", peer.name, peer.version.as_ref()?)));
    let _ = writeln!(out, "Took part: {}.\n", there.collect::<Vec<_>>().join(", "));
    for peer in report.peers.iter().filter(|peer| peer.version.is_none()) {
        let _ = writeln!(out, "Skipped: {}, which is not there; {}.\n", peer.name, peer.remedy);
    }
    let _ = writeln!(out, "![CPU time of a request, by scenario and proxy]({chart})\n");
    glance(&mut out, report);
    for table in &report.tables {
        if table.of_memory { memory(&mut out, table) } else { cpu(&mut out, table) }
    }
    out
}

fn glance(out: &mut String, report: &Report) {
    *out += "| scenario | what is compared | Rayline | nginx | ratio | goal | |\n";
    *out += "| --- | --- | ---: | ---: | ---: | ---: | --- |\n";
    for table in &report.tables {
        let (what, figure): (_, fn(&Row) -> String) = if table.of_memory {
            ("memory, all told", |row| bytes(row.median.memory))
        } else {
            ("CPU µs per request", |row| micros(row.median.cpu_us()))
        };
        let ours = table.row(RAYLINE);
        let ratio = ours.and_then(|row| row.ratio(table.of_memory));
        let met = match (ratio, table.goal) {
            (Some(ratio), Some(goal)) if ratio.median <= goal => "met",
            (Some(_), Some(_)) => "missed",
            (None, _) | (_, None) => "",
        };
        let _ = writeln!(
            out,
            "| {} | {what} | {} | {} | {} | {} | {met} |",
            table.title,
            ours.map(figure).unwrap_or_default(),
            table.row(NGINX).map(figure).unwrap_or_default(),
            ratio.map(ratio_text).unwrap_or_default(),
            table.goal.map(|goal| format!("≤ {goal}")).unwrap_or_default(),
        );
    }
}

fn cpu(out: &mut String, table: &Table) {
    let _ = writeln!(out, "\n## {} (`{}`)\n", table.title, table.name);
    *out += "| | CPU µs per request | user | system | requests/s per core | requests/s | p50 | p99 | p99.9 | memory | to \
             nginx |\n";
    *out += "| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: |\n";
    for row in &table.rows {
        if let Some(trouble) = &row.trouble {
            let _ = writeln!(out, "| {} | {} | | | | | | | | | |", row.peer, one_line(trouble));
            continue;
        }
        let median = &row.median;
        let _ = writeln!(
            out,
            "| {}{} | {} | {} | {} | {:.0} | {:.0} | {} | {} | {} | {} | {} |",
            row.peer,
            wrong(row),
            micros(median.cpu_us()),
            micros(median.user_us),
            micros(median.system_us),
            row.requests_per_core_second,
            median.requests_per_second,
            time(median.p50_us),
            time(median.p99_us),
            time(median.p999_us),
            bytes(median.memory),
            row.cpu_to_nginx.map(ratio_text).unwrap_or_default(),
        );
    }
}

fn memory(out: &mut String, table: &Table) {
    let _ = writeln!(out, "\n## {} (`{}`)\n", table.title, table.name);
    *out += "| | memory, all told | added by each visitor | to nginx |\n| --- | ---: | ---: | ---: |\n";
    for row in &table.rows {
        if let Some(trouble) = &row.trouble {
            let _ = writeln!(out, "| {} | {} | | |", row.peer, one_line(trouble));
            continue;
        }
        let _ = writeln!(
            out,
            "| {} | {} | {} | {} |",
            row.peer,
            bytes(row.median.memory),
            bytes(row.median.memory_per_visitor),
            row.memory_to_nginx.map(ratio_text).unwrap_or_default(),
        );
    }
}

fn wrong(row: &Row) -> String {
    match row.median.wrong {
        0 => String::new(),
        wrong => format!(" ({wrong} answered wrongly)"),
    }
}

/// Fit for a cell.
fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ").replace('|', "\\|").chars().take(160).collect()
}

fn ratio_text(ratio: Spread) -> String {
    format!("**{:.2}** ({:.2}–{:.2})", ratio.median, ratio.least, ratio.greatest)
}

/// Microseconds, with three digits that say something.
pub(crate) fn micros(number: f64) -> String {
    match number {
        _ if number >= 100.0 => format!("{number:.0}"),
        _ if number >= 10.0 => format!("{number:.1}"),
        _ => format!("{number:.2}"),
    }
}

fn time(us: f64) -> String {
    if us >= 1000.0 { format!("{:.1} ms", us / 1000.0) } else { format!("{us:.0} µs") }
}

/// A number of bytes for people.
pub(crate) fn bytes(number: f64) -> String {
    let kilobytes = number / 1024.0;
    if kilobytes >= 1000.0 { format!("{:.1} MB", kilobytes / 1024.0) } else { format!("{kilobytes:.1} KB") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_short() {
        assert_eq!([micros(3653.48), micros(12.345), micros(4.5)], ["3653", "12.3", "4.50"]);
        assert_eq!([time(163.2), time(5440.0)], ["163 µs", "5.4 ms"]);
        assert_eq!([bytes(2048.0), bytes(3.0 * 1024.0 * 1024.0)], ["2.0 KB", "3.0 MB"]);
        assert_eq!(one_line("a |\n b"), "a \\| b");
    }
}
