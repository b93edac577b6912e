//! Fuzzing on a stable toolchain, one target after the other. `fuzz/README.md` says what each asserts.

use std::fs;
use std::path::Path;
use std::process::Command;

use crate::report::Report;
use crate::run::{cargo, root};

/// Bytes of the longest input.
const MAX_LEN: &str = "-max_len=4096";

/// Runs each of `wanted`, or all, for this long. What the fuzzer learns stays in `fuzz/corpus`.
pub(crate) fn fuzz(report: &mut Report, seconds: u64, wanted: &[String]) {
    let folder = root().join("fuzz");
    let mut targets = Vec::new();
    if !report.own_step("targets", "what there is to fuzz", || {
        targets = chosen(known(&folder)?, wanted)?;
        targets.iter().try_for_each(|target| fs::create_dir_all(folder.join("corpus").join(target)).map_err(said))
    }) {
        return;
    }
    for target in targets {
        report.step(&target, &mut command(&folder, &target, seconds));
    }
}

fn said(error: std::io::Error) -> String {
    error.to_string()
}

/// The targets, by the files they are written in.
fn known(folder: &Path) -> Result<Vec<String>, String> {
    let mut names = Vec::new();
    for entry in fs::read_dir(folder.join("fuzz_targets")).map_err(said)? {
        let path = entry.map_err(said)?.path();
        if path.extension().is_some_and(|extension| extension == "rs") {
            names.extend(path.file_stem().map(|stem| stem.to_string_lossy().into_owned()));
        }
    }
    names.sort();
    Ok(names)
}

fn chosen(known: Vec<String>, wanted: &[String]) -> Result<Vec<String>, String> {
    match wanted.iter().find(|name| !known.contains(name)) {
        Some(name) => Err(format!("there is no target `{name}`; there are: {}", known.join(", "))),
        None if wanted.is_empty() => Ok(known),
        None => Ok(wanted.to_vec()),
    }
}

/// The stable compiler takes the coverage flags under `RUSTC_BOOTSTRAP`; the sanitizers want nightly, and the code
/// under test has no `unsafe` for them to watch.
fn command(folder: &Path, target: &str, seconds: u64) -> Command {
    let mut command = cargo(["fuzz", "run", "-s", "none", target]);
    command.current_dir(folder).env("RUSTC_BOOTSTRAP", "1").arg(format!("corpus/{target}"));
    let seeds = format!("seeds/{target}");
    if folder.join(&seeds).is_dir() {
        command.arg(seeds);
    }
    let words = if target == "expression" { "-dict=rules.dict" } else { "-dict=http1.dict" };
    command.args(["--", words, MAX_LEN]).arg(format!("-max_total_time={seconds}"));
    command
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_name_means_all_and_a_wrong_one_is_refused() {
        let known = || vec!["body".to_owned(), "head".to_owned()];
        assert_eq!(chosen(known(), &[]), Ok(known()));
        assert_eq!(chosen(known(), &["head".to_owned()]), Ok(vec!["head".to_owned()]));
        assert_eq!(
            chosen(known(), &["tail".to_owned()]),
            Err("there is no target `tail`; there are: body, head".to_owned())
        );
    }
}
