//! The program from outside: command lines in, text and exit codes out.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "all of this crate is tests, their shared functions included: one that cannot go on should stop"
)]

mod beside;
mod bisect;
mod browser;
mod check;
#[path = "../../../rayline-control/tests/it/chromium.rs"]
mod chromium;
mod command_line;
mod demo;
mod diagnose;
mod explain;
mod import;
mod maintenance;
mod origin_ca;
#[path = "../../../rayline-observe/tests/it/records.rs"]
mod records;
mod rules;
mod running;
mod serve;
mod tail;
mod tls;
mod trace;
mod versions;
mod walk;

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// A folder of its own, in which the program runs; removed at the end.
struct Dir(tempfile::TempDir);

impl Dir {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn path(&self) -> &Path {
        self.0.path()
    }

    /// Writes a file into it.
    fn file(&self, name: &str, text: &str) -> PathBuf {
        let path = self.path().join(name);
        std::fs::write(&path, text).unwrap();
        path
    }

    /// The program, with nothing in its environment that changes what it prints.
    fn rayline(&self, args: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_rayline"));
        command.args(args).current_dir(self.path()).stdin(Stdio::null());
        for name in ["NO_COLOR", "CLICOLOR", "CLICOLOR_FORCE", "RAYLINE_TOKEN"] {
            command.env_remove(name);
        }
        command
    }

    fn run(&self, args: &[&str]) -> Outcome {
        Outcome::of(self.rayline(args).output().unwrap())
    }
}

/// How a run ended.
struct Outcome {
    code: i32,
    stdout: String,
    stderr: String,
}

impl Outcome {
    fn of(output: std::process::Output) -> Self {
        Self {
            code: output.status.code().unwrap_or(-1),
            stdout: String::from_utf8(output.stdout).unwrap(),
            stderr: String::from_utf8(output.stderr).unwrap(),
        }
    }

    /// Standard output of a run that went well and had nothing to complain of.
    #[track_caller]
    fn fine(self) -> String {
        assert_eq!((self.code, self.stderr.as_str()), (0, ""), "{}", self.stdout);
        self.stdout
    }

    #[track_caller]
    fn json(self) -> serde_json::Value {
        serde_json::from_str(&self.fine()).unwrap()
    }
}

/// The program in a folder that does not matter.
fn run(args: &[&str]) -> Outcome {
    Dir::new().run(args)
}
