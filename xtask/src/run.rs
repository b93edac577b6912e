//! Commands: where they run, and how they are shown.

use std::ffi::OsStr;
use std::fmt::Display;
use std::io::Write;
use std::path::Path;
use std::process::Command;

/// The folder of the workspace.
pub(crate) fn root() -> &'static Path {
    let own = Path::new(env!("CARGO_MANIFEST_DIR"));
    own.parent().unwrap_or(own)
}

/// The same cargo that runs this, in the folder of the workspace.
pub(crate) fn cargo<I: AsRef<OsStr>>(arguments: impl IntoIterator<Item = I>) -> Command {
    let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.args(arguments).current_dir(root());
    command
}

/// The command as a person would type it, what it adds to the environment included.
pub(crate) fn shown(command: &Command) -> String {
    let program = Path::new(command.get_program()).file_name().unwrap_or_default();
    let settings = command
        .get_envs()
        .filter_map(|(name, value)| Some(format!("{}={} ", name.to_string_lossy(), quoted(&value?.to_string_lossy()))));
    let arguments = command.get_args().map(|argument| format!(" {}", quoted(&argument.to_string_lossy())));
    format!("{}{}{}", settings.collect::<String>(), program.display(), arguments.collect::<String>())
}

fn quoted(word: &str) -> String {
    if word.contains([' ', '*', '$']) { format!("'{word}'") } else { word.to_owned() }
}

/// Runs it, its output being ours.
///
/// # Errors
/// What to tell: it could not be started, or did not succeed.
pub(crate) fn run(command: &mut Command) -> Result<(), String> {
    let program = command.get_program().display().to_string();
    match command.status() {
        Ok(status) if status.success() => Ok(()),
        Ok(status) => Err(format!("`{}` ended with {status}", shown(command))),
        Err(error) => Err(format!("`{program}` cannot be started: {error}")),
    }
}

/// One line on standard output. Whoever closed it does not want to know.
pub(crate) fn say(line: impl Display) {
    let _ = writeln!(std::io::stdout().lock(), "{line}");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commands_are_shown_as_they_are_typed() {
        let mut command = cargo(["doc", "--no-deps"]);
        assert_eq!(shown(command.env("RUSTDOCFLAGS", "-D warnings")), "RUSTDOCFLAGS='-D warnings' cargo doc --no-deps");
    }
}
