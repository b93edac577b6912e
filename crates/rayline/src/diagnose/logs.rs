//! `rayline logs`: what the logs of a server say is wrong with it.

use std::io::{self, Write};
use std::time::SystemTime;

use rayline_diagnose::logs::{File, Named, Reading, Wanted, read};

use super::view::View;
use crate::cli::Global;
use crate::cli::diagnose::LogsArgs;
use crate::output::{self, BOLD, CYAN, DIM, Exit, YELLOW, escaped, styled};

/// How many troubles a screen holds; `--verbose` shows all of them.
const TROUBLES: usize = 12;
/// Characters of a log's line that are shown; `--verbose` shows all of it.
const LINE: usize = 180;

pub(crate) fn run(args: &LogsArgs, global: &Global) -> io::Result<Exit> {
    if let Some(missing) = args.paths.iter().find(|path| !path.exists()) {
        output::fail(&format!("there is no `{}`", missing.display()), None);
        return Ok(Exit::CouldNotRun);
    }
    let since = args.since.and_then(|ago| SystemTime::now().checked_sub(ago.0));
    let wanted = Wanted { paths: args.paths.clone(), here: args.paths.is_empty(), since, ..Wanted::default() };
    let view = View::new(true);
    let reading = read(&wanted, &view);
    view.end();
    let mut out = output::stdout();
    if global.json {
        for line in format!("{:#}", reading.to_json()).lines() {
            writeln!(out, "{}", output::escaped_json(line))?;
        }
    } else {
        print(&mut out, &reading, global.verbose > 0)?;
    }
    // a log that was named and is empty says that nothing is wrong; where none was named, nothing says so
    let says = |file: &File| file.trouble.is_none() && (file.lines > 0 || !args.paths.is_empty());
    let is_read = reading.files.iter().any(|file| says(file) || file.lines > 0);
    Ok(match (reading.named.is_empty(), is_read) {
        (false, _) => Exit::Fault,
        (true, true) => Exit::Fine,
        (true, false) => Exit::CouldNotRun,
    })
}

/// Prints what logs say.
pub(crate) fn print(out: &mut impl Write, reading: &Reading, is_verbose: bool) -> io::Result<()> {
    for file in &reading.files {
        let path = escaped(&file.path.display().to_string());
        let format = file.format.unwrap_or("no known format");
        match &file.trouble {
            Some(trouble) => writeln!(out, "  {} {path}: {}", styled(YELLOW, "--"), escaped(trouble))?,
            None if is_verbose => {
                writeln!(out, "  {}", styled(DIM, format_args!("{path}: {format}, {} lines", file.lines)))?
            }
            None => {}
        }
    }
    if reading.named.is_empty() {
        let lines: u64 = reading.files.iter().map(|file| file.lines).sum();
        let counted = |count: u64, what: &str| format!("{count} {what}{}", if count == 1 { "" } else { "s" });
        let files = counted(reading.files.len() as u64, "file");
        writeln!(out, "  nothing wrong is named in {} of {files}", counted(lines, "line"))?;
    }
    let most = if is_verbose { usize::MAX } else { TROUBLES };
    for named in reading.named.iter().take(most) {
        print_named(out, named, is_verbose)?;
    }
    if reading.named.len() > most {
        writeln!(out, "\n  {}", styled(DIM, format_args!("{} more with --verbose", reading.named.len() - most)))?;
    }
    if let Some(hint) = &reading.format_hint {
        writeln!(out, "\n  {}\n    {}", styled(BOLD, "so that a Ray ID finds its line next time"), escaped(hint))?;
    }
    Ok(())
}

fn print_named(out: &mut impl Write, named: &Named, is_verbose: bool) -> io::Result<()> {
    let times = if named.count == 1 { "once".to_owned() } else { format!("{} times", named.count) };
    let when = named.between.map_or_else(String::new, |(first, last)| {
        if first == last { format!(", {}", clock(first)) } else { format!(", {} to {}", clock(first), clock(last)) }
    });
    let heading = styled(CYAN, named.cause.name());
    writeln!(out, "\n  {heading}  {}", styled(DIM, format_args!("{times}{when}, by {}", named.source)))?;
    writeln!(out, "    {}", styled(BOLD, escaped(&named.sentence)))?;
    if let Some(place) = &named.place {
        writeln!(out, "    at {}", escaped(place))?;
    }
    if let Some((file, number)) = &named.found {
        writeln!(out, "    {}", styled(DIM, format_args!("{}:{number}", escaped(&file.display().to_string()))))?;
    }
    let line = if is_verbose { escaped(&named.line) } else { shortened(&escaped(&named.line)) };
    writeln!(out, "    {}", styled(DIM, line))?;
    if let Some(fix) = named.cause.row().fix.first() {
        writeln!(out, "    {} {fix}", styled(CYAN, "fix:"))?;
    }
    Ok(())
}

/// The line's beginning, as far as it is easily read.
fn shortened(line: &str) -> String {
    let mut letters = line.chars();
    let kept: String = letters.by_ref().take(LINE).collect();
    if letters.next().is_some() { kept + "…" } else { kept }
}

/// A moment as logs write it, in UTC.
fn clock(at: SystemTime) -> String {
    let at = time::OffsetDateTime::from(at);
    let (date, time) = (at.date(), at.time());
    format!("{date} {:02}:{:02}:{:02}Z", time.hour(), time.minute(), time.second())
}
