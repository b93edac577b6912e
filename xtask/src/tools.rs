//! The tools that the tests need besides cargo: what each is for, where it comes from, and who can do without it.

use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::run::{cargo, root, run, say, shown};

/// One tool.
struct Tool {
    /// The program, by name or path; Debian puts a version behind some names. Or the module, or the command of cargo.
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
    /// A module of the system's Python, from this Debian package.
    DebianModule(&'static str),
    /// An extension of the system's PHP, from this Debian package.
    DebianPhp(&'static str),
    /// A module in the virtual environment of the tests, from this package of Python's index.
    PyPi(&'static str),
    /// A module of Node's, from this package of npm.
    Npm(&'static str),
    /// A cargo command, from this rustup component.
    Rustup(&'static str),
}

const TOOLS: &[Tool] = &[
    Tool { name: "fmt", source: Source::Rustup("rustfmt"), purpose: "checks the format", required: true },
    Tool { name: "clippy", source: Source::Rustup("clippy"), purpose: "checks the lints", required: true },
    Tool { name: "git", source: Source::Debian("git"), purpose: "lists the tree's files", required: true },
    Tool { name: "curl", source: Source::Debian("curl"), purpose: "a real client", required: false },
    Tool { name: "openssl", source: Source::Debian("openssl"), purpose: "a real TLS client", required: false },
    Tool { name: "nghttp", source: Source::Debian("nghttp2-client"), purpose: "a real HTTP/2 client", required: false },
    Tool { name: "wrk", source: Source::Debian("wrk"), purpose: "many visitors at once", required: false },
    Tool { name: "chromium", source: Source::Debian("chromium"), purpose: "shows the pages", required: false },
    Tool { name: "ip", source: Source::Debian("iproute2"), purpose: "breaks networks in a namespace", required: false },
    Tool { name: "nft", source: Source::Debian("nftables"), purpose: "drops packets there", required: false },
    Tool { name: "iptables", source: Source::Debian("iptables"), purpose: "refuses packets there", required: false },
    Tool { name: "nginx", source: Source::Debian("nginx-light"), purpose: "a real origin and a peer", required: false },
    Tool { name: "apache2", source: Source::Debian("apache2"), purpose: "a real origin", required: false },
    Tool {
        name: "php-fpm",
        source: Source::Debian("php-fpm"),
        purpose: "an application behind an origin",
        required: false,
    },
    Tool {
        name: "mysqli",
        source: Source::DebianPhp("php-mysql"),
        purpose: "an application that needs a database",
        required: false,
    },
    Tool {
        name: "redis",
        source: Source::DebianPhp("php-redis"),
        purpose: "an application that needs a cache",
        required: false,
    },
    Tool {
        name: "mariadbd",
        source: Source::Debian("mariadb-server-core"),
        purpose: "a database behind an application",
        required: false,
    },
    Tool {
        name: "pg_ctlcluster",
        source: Source::Debian("postgresql"),
        purpose: "a database behind an application",
        required: false,
    },
    Tool {
        name: "pdo_pgsql",
        source: Source::DebianPhp("php-pgsql"),
        purpose: "an application that needs PostgreSQL",
        required: false,
    },
    Tool {
        name: "psycopg2",
        source: Source::DebianModule("python3-psycopg2"),
        purpose: "an application that needs PostgreSQL",
        required: false,
    },
    Tool {
        name: "redis-server",
        source: Source::Debian("redis-server"),
        purpose: "a cache behind an application",
        required: false,
    },
    Tool {
        name: "redis",
        source: Source::DebianModule("python3-redis"),
        purpose: "an application that needs a cache",
        required: false,
    },
    Tool { name: "journalctl", source: Source::Debian("systemd"), purpose: "reads a journal", required: false },
    Tool {
        name: "/usr/lib/systemd/systemd-journal-remote",
        source: Source::Debian("systemd-journal-remote"),
        purpose: "writes a journal",
        required: false,
    },
    Tool { name: "dnsmasq", source: Source::Debian("dnsmasq-base"), purpose: "a name server", required: false },
    Tool { name: "node", source: Source::Debian("nodejs"), purpose: "a real origin", required: false },
    Tool { name: "npm", source: Source::Debian("npm"), purpose: "has the browser's driver", required: false },
    Tool { name: "gunicorn", source: Source::Debian("gunicorn"), purpose: "a real origin", required: false },
    Tool {
        name: "/usr/share/tomcat10/bin/catalina.sh",
        source: Source::Debian("tomcat10-common"),
        purpose: "a real origin",
        required: false,
    },
    Tool { name: "promtool", source: Source::Debian("prometheus"), purpose: "checks alert rules", required: false },
    Tool { name: "lnav", source: Source::Debian("lnav"), purpose: "reads the request log", required: false },
    Tool { name: "haproxy", source: Source::Debian("haproxy"), purpose: "a peer", required: false },
    Tool { name: "varnishd", source: Source::Debian("varnish"), purpose: "a peer", required: false },
    Tool {
        name: "ensurepip",
        source: Source::DebianModule("python3-venv"),
        purpose: "makes the virtual environment",
        required: false,
    },
    Tool {
        name: "chdb",
        source: Source::PyPi("chdb-core"),
        purpose: "ClickHouse without a server, 560 MB",
        required: false,
    },
    Tool { name: "grpc", source: Source::PyPi("grpcio"), purpose: "a real gRPC client and server", required: false },
    Tool {
        name: "websockets",
        source: Source::PyPi("websockets"),
        purpose: "a real WebSocket client and server",
        required: false,
    },
    Tool {
        name: "playwright-core",
        source: Source::Npm("playwright-core"),
        purpose: "drives chromium through the dashboard",
        required: false,
    },
];

/// The virtual environment, in the folder of the workspace. Nothing is put into the user's own Python.
const ENVIRONMENT: &str = "target/lab/venv";

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
    let (mut packages, mut components, mut wheels, mut modules) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    for tool in missing {
        match tool.source {
            Source::Debian(package) | Source::DebianModule(package) | Source::DebianPhp(package) => {
                packages.push(package);
            }
            Source::PyPi(package) => wheels.push(package),
            Source::Npm(package) => modules.push(package),
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
    // Last: it is the packages before that can make an environment, and have npm.
    if !modules.is_empty() {
        commands.push(with_arguments("npm", &["install", "--global", "--ignore-scripts"], &modules));
    }
    if !wheels.is_empty() {
        let mut make = with_arguments("python3", &["-m", "venv", ENVIRONMENT], &[]);
        make.current_dir(root());
        commands.push(make);
        let python = environment_python().to_string_lossy().into_owned();
        commands.push(with_arguments(&python, &["-m", "pip", "install", "--only-binary", ":all:"], &wheels));
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
            Source::DebianModule(_) => succeeds(&mut import(Path::new("/usr/bin/python3"), self.name)),
            Source::DebianPhp(_) => has_php_extension(self.name),
            Source::PyPi(_) => succeeds(&mut import(&environment_python(), self.name)),
            Source::Npm(package) => has_npm_package(package),
            Source::Rustup(_) => succeeds(&mut cargo([self.name, "--version"])),
        }
    }

    fn remedy(&self) -> String {
        match self.source {
            Source::Debian(package) | Source::DebianModule(package) | Source::DebianPhp(package) => {
                format!("Debian has it in the package `{package}`")
            }
            Source::PyPi(package) => format!("Python's index has it in the package `{package}`"),
            Source::Npm(package) => format!("npm has it in the package `{package}`"),
            Source::Rustup(component) => format!("`rustup component add {component}` brings it"),
        }
    }
}

/// Whether there is a program of this name, with or without a version behind it, on the `PATH` or among the servers,
/// whose folders Debian has on root's `PATH` alone.
fn on_path(program: &str) -> bool {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let folders = std::env::split_paths(&path).chain(["/usr/sbin", "/sbin"].map(PathBuf::from));
    folders.into_iter().any(|folder| folder.join(program).is_file() || has_version_of(program, &folder))
}

fn has_version_of(program: &str, folder: &Path) -> bool {
    let Ok(entries) = std::fs::read_dir(folder) else { return false };
    entries.filter_map(Result::ok).any(|entry| is_version_of(program, &entry.file_name().to_string_lossy()))
}

fn is_version_of(program: &str, name: &str) -> bool {
    let version = name.strip_prefix(program).unwrap_or_default();
    version.starts_with(|first: char| first.is_ascii_digit()) && version.parse::<f32>().is_ok()
}

/// Extensions are in a folder that is named after the version of PHP's interface for them.
fn has_php_extension(name: &str) -> bool {
    let Ok(folders) = std::fs::read_dir("/usr/lib/php") else { return false };
    folders.filter_map(Result::ok).any(|folder| folder.path().join(format!("{name}.so")).is_file())
}

/// Node looks where `NODE_PATH` says, and the tests then look among npm's global packages.
fn has_npm_package(name: &str) -> bool {
    let named = std::env::var_os("NODE_PATH").filter(|folder| !folder.is_empty()).map(PathBuf::from);
    let global = || {
        let said = Command::new("npm").args(["root", "--global"]).stderr(Stdio::null()).output().ok()?;
        Some(PathBuf::from(String::from_utf8_lossy(&said.stdout).trim()))
    };
    named.or_else(global).is_some_and(|folder| folder.join(name).is_dir())
}

fn environment_python() -> PathBuf {
    root().join(ENVIRONMENT).join("bin/python")
}

fn import(python: &Path, module: &str) -> Command {
    let mut command = Command::new(python);
    command.args(["-c", &format!("import {module}")]);
    command
}

fn succeeds(command: &mut Command) -> bool {
    let quiet = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    quiet.status().is_ok_and(|status| status.success())
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
                 git curl openssl nghttp2-client wrk chromium iproute2 nftables iptables nginx-light apache2 php-fpm php-mysql php-redis \
                 mariadb-server-core postgresql php-pgsql python3-psycopg2 redis-server python3-redis systemd systemd-journal-remote dnsmasq-base nodejs npm gunicorn tomcat10-common prometheus lnav haproxy varnish python3-venv",
                "npm install --global --ignore-scripts playwright-core",
                "python3 -m venv target/lab/venv",
                "python -m pip install --only-binary :all: chdb-core grpcio websockets",
            ]
        );
        assert!(commands(&[]).is_empty());
    }

    #[test]
    fn a_version_belongs_to_the_program() {
        assert!(is_version_of("php-fpm", "php-fpm8.2"));
        for other in ["php-fpm", "php-fpm-check", "php8.2", "php-fpm8.2.conf"] {
            assert!(!is_version_of("php-fpm", other), "{other}");
        }
    }
}
