//! Node: one process that runs one script.

use std::io;
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
        let program = installed("node", "nodejs")?;
        let server = Server::start(|place| {
            prepare(place)?;
            let mut command = Command::new(&program);
            command.arg(place.write("app.js", script)?);
            Ok(command)
        })?;
        Ok(Self { server })
    }
}
