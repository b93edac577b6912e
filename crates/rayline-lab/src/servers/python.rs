//! Python with what PyPI has and Debian has not or only old: the virtual environment that `cargo xtask test --install`
//! makes in `target/lab/venv`, in which servers and clients of gRPC and WebSocket run.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use super::{Server, Unstarted, is_a_server};

/// A running script.
#[derive(Debug)]
pub struct Python {
    server: Server,
}

is_a_server!(Python);

/// Where the environment's interpreter is, if there is one.
pub fn program() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target/lab/venv/bin/python")
}

/// The environment's interpreter, if it has this module.
///
/// # Errors
/// [`Unstarted::Missing`]: it has not.
pub fn interpreter(module: &str) -> Result<PathBuf, Unstarted> {
    let program = program();
    let mut command = Command::new(&program);
    command.args(["-c", &format!("import {module}")]).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    match command.status() {
        Ok(status) if status.success() => Ok(program),
        Ok(_) | Err(_) => Err(Unstarted::Missing {
            program: format!("Python's `{module}`"),
            remedy: "`cargo xtask test --install` brings it".to_owned(),
        }),
    }
}

impl Python {
    /// Starts this script, which needs this module and must listen at `@HTTP@` ([`super::Place::fill`]).
    ///
    /// # Errors
    /// The module is missing, or the script does not listen.
    pub fn start(module: &str, script: &str) -> Result<Self, Unstarted> {
        let program = interpreter(module)?;
        let server = Server::start(|place| {
            let mut command = Command::new(&program);
            command.arg("-u").arg(place.write("server.py", script)?);
            Ok(command)
        })?;
        Ok(Self { server })
    }
}
