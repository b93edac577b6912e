//! The measuring of the managed rules, which is an example of their crate: built for release, as what it measures is.
//!
//! The attacks are the Core Rule Set's own tests, from Debian's source package: they are fetched when they are wanted, and
//! are no part of this tree. Where Debian's `libnginx-mod-http-modsecurity` and `modsecurity-crs` are installed, they are measured
//! in the same run; where they are not, the page says so.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::report::Report;
use crate::run::{cargo, root, run};

/// The release of Debian that has version 3.3.4.
const RELEASE: &str = "bookworm";

/// What is measured against, and where the page goes.
#[derive(clap::Args)]
pub(crate) struct Waf {
    /// The unpacked source of Debian's package `modsecurity-crs`; it is fetched with apt-get if not said.
    #[arg(long, value_name = "FOLDER")]
    crs: Option<PathBuf>,
    /// Where the page goes, such as docs/waf.md; it is printed if not said.
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
}

/// Has the managed rules measured.
pub(crate) fn waf(report: &mut Report, wanted: &Waf) {
    let mut folder = wanted.crs.clone();
    if folder.is_none()
        && !report.own_step("attacks", "the Core Rule Set's tests, from Debian", || {
            folder = Some(fetched(&root().join("target/waf"))?);
            Ok(())
        })
    {
        return;
    }
    let mut command = cargo(["run", "--quiet", "--release", "--package", "rayline-rules", "--example", "waf", "--"]);
    for (name, file) in [("--crs", &folder), ("--out", &wanted.out)] {
        if let Some(file) = file {
            command.arg(name).arg(file);
        }
    }
    report.step("waf", &mut command);
}

/// The mirror of Debian that this machine itself is installed from.
fn mirror() -> Result<String, String> {
    let wanted = ["Identifier: Packages", "Origin: Debian", "Label: Debian"];
    let output = Command::new("apt-get").args(["indextargets", "--format", "$(SITE)"]).args(wanted).output();
    let output = output.map_err(|error| format!("cannot run `apt-get`: {error}"))?;
    let sites = String::from_utf8_lossy(&output.stdout);
    let none = "apt knows no mirror of Debian: run `apt-get update`, or name the unpacked source with `--crs`";
    sites.lines().next().map(str::to_owned).ok_or_else(|| none.to_owned())
}

/// Fetches and unpacks the source package, without touching the system's own lists.
fn fetched(folder: &Path) -> Result<PathBuf, String> {
    let said = |error: std::io::Error| error.to_string();
    let unpacked = folder.join("coreruleset-3.3.4");
    if unpacked.is_dir() {
        return Ok(unpacked);
    }
    fs::create_dir_all(folder.join("lists/partial")).map_err(said)?;
    let list = folder.join("sources.list");
    fs::write(&list, format!("deb-src {} {RELEASE} main\n", mirror()?)).map_err(said)?;
    let options = [
        format!("Dir::Etc::SourceList={}", list.display()),
        "Dir::Etc::SourceParts=/dev/null".to_owned(),
        format!("Dir::State::lists={}", folder.join("lists").display()),
    ];
    for arguments in [&["update"][..], &["source", "--download-only", "modsecurity-crs"]] {
        let mut command = Command::new("apt-get");
        command.current_dir(folder).args(options.iter().flat_map(|option| ["-o", option.as_str()])).args(arguments);
        run(&mut command)?;
    }
    run(Command::new("tar").current_dir(folder).args(["xzf", "modsecurity-crs_3.3.4.orig.tar.gz"]))?;
    Ok(unpacked)
}
