//! Gunicorn: an arbiter and synchronous workers that run a WSGI application.

use std::io;
use std::path::Path;
use std::process::Command;

use super::{Place, Server, Unstarted, installed, is_a_server};
use crate::process::run;

/// A running Gunicorn. `error.log` is in its folder.
#[derive(Debug)]
pub struct Gunicorn {
    server: Server,
}

is_a_server!(Gunicorn);

impl Gunicorn {
    /// Starts it with the callable `app` of this Python source, and these further options, such as `--workers 2`.
    ///
    /// # Errors
    /// It is missing or does not start.
    pub fn start(source: &str, options: &[&str]) -> Result<Self, Unstarted> {
        let program = installed("gunicorn", "gunicorn")?;
        let server = Server::start(|place| command(&program, place, source, options))?;
        Ok(Self { server })
    }

    /// Runs it to its end with a source that it cannot start with.
    ///
    /// # Errors
    /// It is missing, or does not end.
    pub fn run(source: &str) -> Result<Place, Unstarted> {
        let program = installed("gunicorn", "gunicorn")?;
        Ok(Server::run(|place| command(&program, place, source, &[]))?)
    }
}

/// Looks whether the system's Python, which runs Debian's Gunicorn, has this module.
///
/// # Errors
/// [`Unstarted::Missing`]: it has not, and the Debian package `package` brings it.
pub fn needs(module: &str, package: &str) -> Result<(), Unstarted> {
    let missing = || Unstarted::Missing {
        program: format!("Python's `{module}`"),
        remedy: format!("Debian has it in the package `{package}`"),
    };
    let mut command = Command::new("/usr/bin/python3");
    run(command.args(["-c", &format!("import {module}")])).map(drop).map_err(|_| missing())
}

fn command(program: &Path, place: &Place, source: &str, options: &[&str]) -> io::Result<Command> {
    place.write("application.py", source)?;
    let mut command = Command::new(program);
    command.current_dir(place.folder()).env("PYTHONDONTWRITEBYTECODE", "1");
    command.arg("--bind").arg(place.http().to_string()).arg("--worker-tmp-dir").arg(place.folder());
    command.args(["--error-logfile", "error.log", "--log-level", "info"]).args(options).arg("application:app");
    Ok(command)
}
