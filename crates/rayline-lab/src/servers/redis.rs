//! Redis: one server, empty, that keeps nothing on disk unless it is told to.

use std::process::Command;

use super::{Server, Unstarted, installed, is_a_server};

/// A running Redis, at its address for plain HTTP. Its log is `printed.log` in its folder; what it saves is in `data` there.
#[derive(Debug)]
pub struct Redis {
    server: Server,
}

is_a_server!(Redis);

impl Redis {
    /// Starts it with these further options, such as `--maxmemory 1mb`.
    ///
    /// # Errors
    /// It is missing or does not start.
    pub fn start(options: &[&str]) -> Result<Self, Unstarted> {
        let program = installed("redis-server", "redis-server")?;
        let server = Server::start(|place| {
            let data = place.folder().join("data");
            std::fs::create_dir(&data)?;
            let mut command = Command::new(&program);
            command.current_dir(data).args(["--bind", "127.0.0.1", "--save", "", "--port"]);
            command.arg(place.http().port().to_string()).args(options);
            Ok(command)
        })?;
        Ok(Self { server })
    }
}
