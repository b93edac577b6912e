//! dnsmasq: a name server that knows what it is told, and asks nobody.

use std::process::Command;

use super::{Server, Unstarted, installed, is_a_server};
use crate::process::is_root;

/// A running name server, over UDP and TCP at its address for plain HTTP. It says that a name below `example.com` or
/// `internal` does not exist unless it is told where it leads; about others it refuses to answer.
#[derive(Debug)]
pub struct Dnsmasq {
    server: Server,
}

is_a_server!(Dnsmasq);

impl Dnsmasq {
    /// Starts it with these names, each with its address.
    ///
    /// # Errors
    /// It is missing or does not start.
    pub fn start(names: &[(&str, &str)]) -> Result<Self, Unstarted> {
        let program = installed("dnsmasq", "dnsmasq-base")?;
        let server = Server::start(|place| {
            let mut command = Command::new(&program);
            command.args(["--keep-in-foreground", "--conf-file=/dev/null", "--pid-file", "--no-resolv", "--no-hosts"]);
            command.args(["--bind-interfaces", "--listen-address=127.0.0.1", "--local=/example.com/internal/"]);
            command.arg(format!("--port={}", place.http().port()));
            command.args(names.iter().map(|(name, address)| format!("--host-record={name},{address}")));
            if is_root() {
                command.arg("--user=root");
            }
            Ok(command)
        })?;
        Ok(Self { server })
    }
}
