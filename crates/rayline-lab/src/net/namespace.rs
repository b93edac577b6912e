//! One network namespace, held by a process that does nothing but wait for this one's end.
//!
//! With the privilege for it (`CAP_SYS_ADMIN`) the namespace is the kernel's ordinary one. Without it, it is in a user
//! namespace of its own, in which this user is root: kernels that let everybody have one need no privilege at all.

use std::ffi::OsString;
use std::io::{self, BufRead as _, BufReader, Read as _};
use std::process::{Child, Command, Stdio};

use super::Unavailable;
use crate::process::{find, run};

/// What a network is made with.
const TOOLS: [&str; 7] = ["unshare", "nsenter", "ip", "nft", "tc", "sysctl", "curl"];

/// Where in the kernel a rule looks at packets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Hook {
    /// What came in, before it is known where to.
    Prerouting,
    /// What is for this host.
    Input,
    /// What is for others.
    Forward,
    /// What this host sends.
    Output,
}

impl Hook {
    /// The name in nftables.
    const fn name(self) -> &'static str {
        match self {
            Self::Prerouting => "prerouting",
            Self::Input => "input",
            Self::Forward => "forward",
            Self::Output => "output",
        }
    }
}

/// A network namespace with nothing in it but its loopback. It is gone when this and all processes in it are.
#[derive(Debug)]
pub struct Namespace {
    /// Reads its standard input, whose other end is this process: it ends with it in any case.
    holder: Child,
    /// Whether it is in a user namespace too.
    own_user: bool,
}

impl Namespace {
    /// Makes one.
    ///
    /// # Errors
    /// [`Unavailable::Missing`]: the kernel lets this process make none, or a tool is not installed.
    pub fn new() -> Result<Self, Unavailable> {
        if let Some(tool) = TOOLS.iter().find(|tool| find(tool).is_none()) {
            return Err(Unavailable::Missing(format!("`{tool}` is not installed")));
        }
        let unshare = Command::new("unshare");
        let refused = match hold(unshare, &["--net"], false) {
            Ok(namespace) => return Ok(namespace),
            Err(refused) => refused,
        };
        hold(Command::new("unshare"), &["--user", "--map-root-user", "--net"], true).map_err(|again| {
            Unavailable::Missing(format!("no network namespace: {}; {}", one_line(&refused), one_line(&again)))
        })
    }

    /// Makes another one in the same user namespace, so that links can lead from one to the other.
    ///
    /// # Errors
    /// The kernel lets this process make no more.
    pub fn another(&self) -> io::Result<Self> {
        hold(self.command("unshare"), &["--net"], self.own_user)
    }

    /// Its process's number, by which `ip link … netns` knows it.
    pub fn id(&self) -> u32 {
        self.holder.id()
    }

    /// The words before a command that make it run in here.
    pub fn behind(&self) -> Vec<OsString> {
        let mut words = vec!["nsenter".to_owned(), format!("--target={}", self.id()), "--net".to_owned()];
        if self.own_user {
            words.extend(["--user".to_owned(), "--preserve-credentials".to_owned()]);
        }
        words.into_iter().map(OsString::from).collect()
    }

    /// A command that runs in here.
    pub fn command(&self, program: &str) -> Command {
        let words = self.behind();
        let mut command = Command::new("env");
        command.args(words).arg(program);
        command
    }

    /// Runs lines of shell in here, up to the first that fails, and returns what they printed.
    ///
    /// # Errors
    /// One failed; with what it said.
    pub fn run(&self, lines: &str) -> io::Result<String> {
        run(self.command("sh").args(["-ec", lines]))
    }

    /// Adds a rule in the words of nftables, such as `ip daddr 10.77.2.1 drop`, behind those that are there.
    ///
    /// # Errors
    /// The kernel does not know something in it.
    pub fn rule(&self, hook: Hook, rule: &str) -> io::Result<()> {
        self.rules(hook, &[rule])
    }

    /// Adds several at once.
    ///
    /// # Errors
    /// As [`Self::rule`]; then none is added.
    pub fn rules(&self, hook: Hook, rules: &[impl AsRef<str>]) -> io::Result<()> {
        let hook = hook.name();
        let rules = rules.iter().map(|rule| format!("add rule inet lab {hook} {}\n", rule.as_ref()));
        self.run(&format!(
            "nft -f - <<'.'\nadd table inet lab\n\
             add chain inet lab {hook} {{ type filter hook {hook} priority 0; }}\n{}.",
            rules.collect::<String>()
        ))
        .map(drop)
    }
}

impl Drop for Namespace {
    fn drop(&mut self) {
        let _ = self.holder.kill();
        let _ = self.holder.wait();
    }
}

/// Starts the holder, and waits until it is where it shall be.
fn hold(mut unshare: Command, options: &[&str], own_user: bool) -> io::Result<Namespace> {
    let script = "ip link set lo up && echo ready && exec cat";
    unshare.args(options).args(["sh", "-c", script]);
    let mut holder = unshare.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn()?;
    let mut line = String::new();
    if let Some(stdout) = holder.stdout.take() {
        BufReader::new(stdout).read_line(&mut line)?;
    }
    if line == "ready\n" {
        return Ok(Namespace { holder, own_user });
    }
    let mut said = String::new();
    if let Some(mut stderr) = holder.stderr.take() {
        stderr.read_to_string(&mut said)?;
    }
    holder.wait()?;
    Err(io::Error::other(said))
}

fn one_line(error: &io::Error) -> String {
    error.to_string().trim().replace('\n', ", ")
}
