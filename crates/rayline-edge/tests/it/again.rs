//! Tests that need a process of their own: the test binary runs one of its tests again, where a shell has prepared for it.

use std::io::Write;
use std::process::Command;

/// Set in the process of its own.
const MARK: &str = "RAYLINE_TEST_AGAIN";

/// Whether this is the process of its own.
pub(crate) fn is_prepared() -> bool {
    std::env::var_os(MARK).is_some()
}

/// Runs the test of this name again after `prepare`, a line for the shell, and fails if it fails.
#[track_caller]
pub(crate) fn prepared(test: &str, prepare: &str) {
    run(Command::new("sh"), test, prepare);
}

/// The same in a network of its own, where `prepare` may do as it likes. Where the kernel gives none to ordinary users it
/// says so, and that is all.
#[track_caller]
pub(crate) fn in_a_network_of_its_own(test: &str, prepare: &str) {
    let unshare = || {
        let mut command = Command::new("unshare");
        command.args(["--user", "--map-root-user", "--net", "sh"]);
        command
    };
    let ready = unshare().args(["-c", "ip link set lo up"]).output();
    let refusal = match ready {
        Ok(output) if output.status.success() => None,
        Ok(output) => Some(String::from_utf8_lossy(&output.stderr).into_owned()),
        Err(error) => Some(error.to_string()),
    };
    match refusal {
        None => run(unshare(), test, &format!("ip link set lo up && {prepare}")),
        Some(why) => {
            // Past the capture of a passing test's output: nobody is to believe that it ran.
            let line = format!("{test} is skipped: no network namespace with `unshare` and `ip`: {}\n", why.trim());
            std::io::stderr().write_all(line.as_bytes()).expect("an output");
        }
    }
}

#[track_caller]
fn run(mut shell: Command, test: &str, prepare: &str) {
    let binary = std::env::current_exe().expect("the test binary");
    let line = format!("{prepare} && exec \"$0\" \"$@\"");
    let output = shell.args(["-c", &line]).arg(binary).args(["--exact", test, "--nocapture"]).env(MARK, "1").output();
    let output = output.expect("a shell");
    let said = format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success() && said.contains("1 passed"), "{said}");
}
