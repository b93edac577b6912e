//! The clinic: sites that are broken for real, each in a way that is known, and what `rayline diagnose` says of them.
//!
//! It scripts no answers: servers are stopped, pools exhausted, certificates expired, packets dropped. Before the program
//! is asked, a visitor sees that the fault is there. It repairs nothing, and looks into the program no further than a
//! person could: its JSON and its exit code.

mod case;
mod cases;
mod edge;
mod outcome;
mod page;
mod score;
mod site;

use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::sync::Mutex;

use crate::process::{find, run as run_command};
use outcome::Outcome;
use score::{Judged, Judgement, Score};
use site::Site;

pub use case::{Case, Unbuilt, View};
pub use cases::GROUPS;

/// The folder of the workspace.
const ROOT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../..");
/// How many cases are looked at side by side by the command. Most of their time they wait.
const SIDE_BY_SIDE: usize = 4;

/// Break sites in known ways, have `rayline diagnose` find the culprit of each, and score what it says.
#[derive(Clone, Debug, clap::Args)]
pub struct Clinic {
    /// Only cases whose name begins so.
    #[arg(long, num_args = 1.., value_name = "NAME")]
    only: Vec<String>,
    /// Break them and let a visitor see it, but ask no diagnosis.
    #[arg(long)]
    prove: bool,
    /// Where the page goes; nowhere if not said.
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
    /// Print what was said of each that is wrong, whole.
    #[arg(long)]
    whole: bool,
    /// The `rayline` to ask, rather than the one that is built for it.
    #[arg(long, value_name = "FILE")]
    program: Option<PathBuf>,
}

/// Looks at the cases, and prints the score.
///
/// # Errors
/// The program does not build, the page cannot be written, or a case is not solved.
pub fn run(clinic: &Clinic) -> io::Result<()> {
    let program = match &clinic.program {
        Some(program) => program.canonicalize()?,
        None => crate::program::rayline(false)?,
    };
    let wanted = |case: &Case| clinic.only.is_empty() || clinic.only.iter().any(|name| case.name.starts_with(name));
    let cases: Vec<&Case> = GROUPS.iter().flat_map(|(_, cases)| cases.iter()).filter(|case| wanted(case)).collect();
    let program = (!clinic.prove).then_some(program);
    let judged = look_at(&cases, program.as_deref(), SIDE_BY_SIDE, |judged| note(&judged.line(clinic.whole)));
    let score = Score::of(&judged);
    io::stdout().lock().write_all(page::terminal(&judged, &score).as_bytes())?;
    if let Some(out) = &clinic.out {
        std::fs::write(Path::new(ROOT).join(out), page::markdown(&judged, &score))?;
    }
    match judged.iter().filter(|judged| judged.is_wrong()).count() {
        0 => Ok(()),
        wrong => Err(io::Error::other(format!("{wrong} of {} are wrong", judged.len()))),
    }
}

/// Looks at a group of cases, two side by side, with the program that is built for it.
///
/// # Errors
/// The program does not build, or the group has a wrong one: then with a line on each.
pub fn visit(group: &str) -> io::Result<()> {
    if find("curl").is_none() {
        return skipped("curl is not installed");
    }
    let program = crate::program::rayline(false)?;
    let cases =
        GROUPS.iter().filter(|(name, _)| *name == group).flat_map(|(_, cases)| cases.iter()).collect::<Vec<_>>();
    let judged = look_at(&cases, Some(&program), 2, |judged| {
        if let Judgement::Skipped(why) = &judged.judgement {
            let _ = skipped(&format!("{}: {why}", judged.name()));
        }
    });
    let wrong: Vec<String> = judged.iter().filter(|judged| judged.is_wrong()).map(|judged| judged.line(true)).collect();
    if wrong.is_empty() {
        return Ok(());
    }
    Err(io::Error::other(format!("{} of {} are wrong:\n{}", wrong.len(), judged.len(), wrong.join("\n"))))
}

/// One line past the capture of a passing test's output.
fn skipped(why: &str) -> io::Result<()> {
    io::stderr().lock().write_all(format!("skipped: {why}\n").as_bytes())
}

/// Builds each case, has a visitor see that it is broken, and asks the program of it; `told` hears of each as it comes.
fn look_at(
    cases: &[&'static Case],
    program: Option<&Path>,
    side_by_side: usize,
    told: impl Fn(&Judged) + Sync,
) -> Vec<Judged> {
    let waiting = Mutex::new(cases.iter().enumerate().rev().collect::<Vec<_>>());
    let judged = Mutex::new(Vec::new());
    std::thread::scope(|scope| {
        for _ in 0..side_by_side {
            scope.spawn(|| {
                loop {
                    let next = waiting.lock().ok().and_then(|mut waiting| waiting.pop());
                    let Some((place, case)) = next else { return };
                    let mut views = attend(case, program);
                    views.iter().for_each(&told);
                    if let Ok(mut judged) = judged.lock() {
                        judged.extend(views.drain(..).map(|view| (place, view)));
                    }
                }
            });
        }
    });
    let mut judged = judged.into_inner().unwrap_or_default();
    judged.sort_by_key(|(place, _)| *place);
    judged.into_iter().map(|(_, judged)| judged).collect()
}

/// One case, from all its views. What goes wrong is set up once more from the ground and looked at again: servers are slow
/// on a busy machine. What goes wrong twice is wrong.
fn attend(case: &'static Case, program: Option<&Path>) -> Vec<Judged> {
    let site = case.build();
    let look = |view: &'static View| {
        let first = judged(case, view, &site, program);
        if !first.is_wrong() {
            return first;
        }
        note(&format!("once more: {}", first.line(false)));
        Judged { again: true, ..judged(case, view, &case.build(), program) }
    };
    case.views.iter().map(look).collect()
}

/// A case from one view, if the site stands.
fn judged(case: &'static Case, view: &'static View, site: &Result<Site, Unbuilt>, program: Option<&Path>) -> Judged {
    let seen = site.as_ref().map_err(Judgement::from);
    let seen = seen.and_then(|site| examine(case, view, site, program).map_err(|unbuilt| Judgement::from(&unbuilt)));
    let (judgement, outcome) = seen.unwrap_or_else(|judgement| (judgement, None));
    Judged { case, view, judgement, outcome, again: false }
}

/// One case from one view: the visitor first, then the program.
fn examine(
    case: &'static Case,
    view: &'static View,
    site: &Site,
    program: Option<&Path>,
) -> Result<(Judgement, Option<Outcome>), Unbuilt> {
    let edge = edge::Standing::before(site, view)?;
    edge.prove(case, view, site)?;
    let Some(program) = program else { return Ok((Judgement::Right, None)) };
    let mut command = edge.diagnose(program, view, site);
    let outcome = Outcome::of(&mut command)?;
    Ok((score::judge(case, view, &outcome), Some(outcome)))
}

/// One line for whoever waits; the score has standard output to itself.
fn note(line: &str) {
    let _ = writeln!(io::stderr().lock(), "{line}");
}

/// What a shell prints for these lines.
fn shell(lines: &str) -> io::Result<String> {
    run_command(std::process::Command::new("sh").args(["-ec", lines]))
}
