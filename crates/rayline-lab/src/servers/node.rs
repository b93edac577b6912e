//! Node: one process that runs one script.

use std::io;
use std::path::Path;
use std::process::Command;

use super::{Place, Server, Unstarted, installed, is_a_server};

/// A running script.
#[derive(Debug)]
pub struct Node {
    server: Server,
}

is_a_server!(Node);

impl Node {
    /// Starts this script, which must listen at `@HTTP_PORT@` of 127.0.0.1 ([`Place::fill`]).
    ///
    /// # Errors
    /// Node is missing, or the script does not listen.
    pub fn start(script: &str) -> Result<Self, Unstarted> {
        Self::start_with(script, |_| Ok(()))
    }

    /// The same, with files that `prepare` puts into the folder first.
    ///
    /// # Errors
    /// Node is missing, the script does not listen, or `prepare` fails.
    pub fn start_with(script: &str, prepare: impl Fn(&Place) -> io::Result<()>) -> Result<Self, Unstarted> {
        Self::start_behind("", script, prepare)
    }

    /// The same, after these lines of shell, such as `ulimit -n 40`; placeholders are filled there too.
    ///
    /// # Errors
    /// Node is missing, a line fails, the script does not listen, or `prepare` fails.
    pub fn start_behind(
        lines: &str,
        script: &str,
        prepare: impl Fn(&Place) -> io::Result<()>,
    ) -> Result<Self, Unstarted> {
        let program = installed("node", "nodejs")?;
        let server = Server::start(|place| {
            prepare(place)?;
            Ok(command(&program, lines, place, &place.write("app.js", script)?))
        })?;
        Ok(Self { server })
    }

    /// Runs a script to its end; what it printed is in `printed.log` in the folder.
    ///
    /// # Errors
    /// Node is missing, or the script does not end.
    pub fn run(script: &str) -> Result<Place, Unstarted> {
        let program = installed("node", "nodejs")?;
        Ok(Server::run(|place| Ok(command(&program, "", place, &place.write("app.js", script)?)))?)
    }
}

fn command(program: &Path, lines: &str, place: &Place, script: &Path) -> Command {
    if lines.is_empty() {
        let mut command = Command::new(program);
        command.arg(script);
        return command;
    }
    let mut command = Command::new("sh");
    command.arg("-ec").arg(format!("{}\nexec \"$@\"", place.fill(lines))).arg("sh").arg(program).arg(script);
    command
}
