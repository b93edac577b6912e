//! The tools that the tests need besides cargo: what each is for, where it comes from, and who can do without it.

use std::os::unix::fs::MetadataExt;
use std::process::{Command, Stdio};

use crate::run::{cargo, run, say, shown};

/// One tool.
struct Tool {
    name: &'static str,
    source: Source,
    /// What it is for.
    purpose: &'static str,
    /// Whether the tests cannot do without it. Those that need an optional tool say so when it is missing, and pass.
    required: bool,
}

/// Where a tool comes from.
enum Source {
    /// A program on the `PATH`, from this Debian package.
    Debian(&'static str),
    /// A cargo command, from this rustup component.
    Rustup(&'static str),
}

const TOOLS: &[Tool] = &[
    Tool { name: "fmt", source: Source::Rustup("rustfmt"), purpose: "checks the format", required: true },
    Tool { name: "clippy", source: Source::Rustup("clippy"), purpose: "checks the lints", required: true },
    Tool { name: "git", source: Source::Debian("git"), purpose: "lists the tree's files", required: true },
    Tool { name: "curl", source: Source::Debian("curl"), purpose: "a real client", required: false },
    Tool { name: "openssl", source: Source::Debian("openssl"), purpose: "a real TLS client", required: false },
    Tool { name: "chromium", source: Source::Debian("chromium"), purpose: "shows the pages", required: false },
    Tool { name: "ip", source: Source::Debian("iproute2"), purpose: "breaks networks in a namespace", required: false },
];

/// Names the tools that are missing, after installing what can be if `install` says so.
///
/// # Errors
/// A required tool that is missing still.
pub(crate) fn provide(install: bool) -> Result<(), String> {
    if install {
        let missing: Vec<&Tool> = TOOLS.iter().filter(|tool| !tool.is_there()).collect();
        for mut command in commands(&missing) {
            obtain(&mut command);
        }
    }
    let mut lacking = Vec::new();
    for tool in TOOLS.iter().filter(|tool| !tool.is_there()) {
        let consequence = if tool.required { "which is required" } else { "what needs it is skipped" };
        say(format_args!("missing: `{}` ({}), {consequence}; {}", tool.name, tool.purpose, tool.remedy()));
        if tool.required {
            lacking.push(format!("`{}`", tool.name));
        }
    }
    if lacking.is_empty() { Ok(()) } else { Err(format!("{} missing", lacking.join(", "))) }
}

/// Says what it runs, and runs it if this user on this system can.
fn obtain(command: &mut Command) {
    let shown = shown(command);
    if !on_path(&command.get_program().to_string_lossy()) {
        return say(format_args!("cannot run `{shown}`: there is no such program here"));
    }
    if command.get_program() == "apt-get" && !is_root() {
        return say(format_args!("only root can run `{shown}`"));
    }
    say(format_args!("running `{shown}`"));
    if let Err(reason) = run(command) {
        say(reason);
    }
}

/// What installs these tools.
fn commands(missing: &[&Tool]) -> Vec<Command> {
    let (mut packages, mut components) = (Vec::new(), Vec::new());
    for tool in missing {
        match tool.source {
            Source::Debian(package) => packages.push(package),
            Source::Rustup(component) => components.push(component),
        }
    }
    let mut commands = Vec::new();
    if !components.is_empty() {
        commands.push(with_arguments("rustup", &["component", "add"], &components));
    }
    if !packages.is_empty() {
        commands.push(with_arguments("apt-get", &["update"], &[]));
        let mut install = with_arguments("apt-get", &["install", "--yes", "--no-install-recommends"], &packages);
        install.env("DEBIAN_FRONTEND", "noninteractive");
        commands.push(install);
    }
    commands
}

fn with_arguments(program: &str, first: &[&str], then: &[&str]) -> Command {
    let mut command = Command::new(program);
    command.args(first).args(then);
    command
}

impl Tool {
    fn is_there(&self) -> bool {
        match self.source {
            Source::Debian(_) => on_path(self.name),
            Source::Rustup(_) => {
                let mut command = cargo([self.name, "--version"]);
                let quiet = command.stdout(Stdio::null()).stderr(Stdio::null());
                quiet.status().is_ok_and(|status| status.success())
            }
        }
    }

    fn remedy(&self) -> String {
        match self.source {
            Source::Debian(package) => format!("Debian has it in the package `{package}`"),
            Source::Rustup(component) => format!("`rustup component add {component}` brings it"),
        }
    }
}

fn on_path(program: &str) -> bool {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path).any(|folder| folder.join(program).is_file())
}

fn is_root() -> bool {
    std::fs::metadata("/proc/self").is_ok_and(|process| process.uid() == 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_update_and_one_installation_whatever_is_missing() {
        let all: Vec<&Tool> = TOOLS.iter().collect();
        let shown: Vec<String> = commands(&all).iter().map(shown).collect();
        assert_eq!(
            shown,
            [
                "rustup component add rustfmt clippy",
                "apt-get update",
                "DEBIAN_FRONTEND=noninteractive apt-get install --yes --no-install-recommends \
                 git curl openssl chromium iproute2",
            ]
        );
        assert!(commands(&[]).is_empty());
    }
}
