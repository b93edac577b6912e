//! The tests, and those that failed once more, alone: real servers on a busy machine miss a deadline now and then. What
//! passes only alone is named at the end, for it needs mending; what fails twice has failed.

use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};

use crate::run::{cargo, run, say, shown};

/// More failures than so many are no accident.
const FEW: usize = 5;

/// Runs every test of the workspace.
///
/// # Errors
/// What to tell: something fails, alone too.
pub(crate) fn tests(command: &mut Command) -> Result<(), String> {
    let failed = match watched(command)? {
        Outcome::Passed => return Ok(()),
        Outcome::Failed(reason, failed) if failed.is_empty() || failed.len() > FEW => return Err(reason),
        Outcome::Failed(_, failed) => failed,
    };
    let names = failed.join(" ");
    say(format_args!("\n---- failed among the others, and run once more alone: {names}"));
    let mut arguments: Vec<&str> = vec!["test", "--workspace", "--no-fail-fast", "--", "--exact"];
    arguments.extend(failed.iter().map(String::as_str));
    run(&mut cargo(arguments))?;
    say(format_args!("---- passed alone, and needs mending: {names}"));
    Ok(())
}

enum Outcome {
    Passed,
    /// Why, and the names of the tests.
    Failed(String, Vec<String>),
}

/// Runs it with its output shown and looked at.
fn watched(command: &mut Command) -> Result<Outcome, String> {
    let cannot = |error: std::io::Error| format!("cargo cannot be run: {error}");
    let mut child = command.stdout(Stdio::piped()).spawn().map_err(cannot)?;
    let mut failed = Failed::default();
    if let Some(output) = child.stdout.take() {
        for line in BufReader::new(output).split(b'\n').map_while(Result::ok) {
            let line = String::from_utf8_lossy(&line);
            say(&line);
            failed.look(&line);
        }
    }
    let status = child.wait().map_err(cannot)?;
    let reason = || format!("`{}` ended with {status}", shown(command));
    Ok(if status.success() { Outcome::Passed } else { Outcome::Failed(reason(), failed.names) })
}

/// The lists of failures that end the output of each test program.
#[derive(Default)]
struct Failed {
    listing: bool,
    names: Vec<String>,
    /// How many of them are of the programs before.
    before: usize,
}

impl Failed {
    fn look(&mut self, line: &str) {
        match line.strip_prefix("    ") {
            // It stands twice: before what they printed, which may look like names, and before their names.
            _ if line == "failures:" => {
                self.listing = true;
                self.names.truncate(self.before);
            }
            Some(name) if self.listing && !name.is_empty() && !name.contains(' ') => self.names.push(name.to_owned()),
            _ if line.starts_with("test result:") => {
                self.listing = false;
                self.before = self.names.len();
            }
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_names_of_what_failed_are_found() {
        let output = "test a::b ... FAILED\n\nfailures:\n\n---- a::b stdout ----\n    printed\n\n\nfailures:\n    a::b\n    c\n\n\
                      test result: FAILED. 1 passed; 2 failed\n    d\n";
        let mut failed = Failed::default();
        output.lines().for_each(|line| failed.look(line));
        assert_eq!(failed.names, ["a::b", "c"]);
    }
}
