//! `rayline check`: every problem of a configuration, without running it.

use std::io::{self, Write as _};
use std::time::SystemTime;

use rayline_config::{Severity, compile};

use crate::cli::Global;
use crate::cli::check::CheckArgs;
use crate::config_file;
use crate::output::{self, Exit};

pub(crate) fn run(args: &CheckArgs, global: &Global) -> io::Result<Exit> {
    let source = config_file::read(&args.file)?;
    let (_plan, problems) = compile(&source, SystemTime::now());
    let count = |severity| problems.iter().filter(|problem| problem.severity == severity).count();
    let (errors, warnings) = (count(Severity::Error), count(Severity::Warning));
    let mut out = output::stdout();
    if global.json {
        let list: Vec<_> = problems.iter().map(|problem| problem.to_json(&source)).collect();
        serde_json::to_writer_pretty(&mut out, &list)?;
        writeln!(out)?;
    } else {
        for problem in &problems {
            writeln!(out, "{}\n", problem.render(&source, true))?;
        }
        let name = output::escaped(&source.name);
        if problems.is_empty() {
            writeln!(out, "{name}: no problems")?;
        } else {
            writeln!(out, "{name}: {}, {}", counted(errors, "error"), counted(warnings, "warning"))?;
        }
    }
    Ok(if errors > 0 { Exit::Fault } else { Exit::Fine })
}

fn counted(count: usize, what: &str) -> String {
    format!("{count} {what}{}", if count == 1 { "" } else { "s" })
}
