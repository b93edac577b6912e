//! Whether a browser can be driven here: several crates' tests ask.

use std::path::Path;
use std::process::Command;

/// Where npm's packages are, if Debian's `chromium` and `nodejs` and npm's `playwright-core` are there; else what is missing.
pub(crate) fn packages() -> Result<String, &'static str> {
    let said = |program: &str, argument: &str| {
        let run = Command::new(program).args(argument.split(' ')).output().ok().filter(|run| run.status.success())?;
        Some(String::from_utf8_lossy(&run.stdout).trim().to_owned())
    };
    said("chromium", "--version").ok_or("Debian's `chromium`")?;
    said("node", "--version").ok_or("Debian's `nodejs`")?;
    let named = std::env::var("NODE_PATH").ok().filter(|folder| !folder.is_empty());
    let folder = named.or_else(|| said("npm", "root --global")).ok_or("Debian's `npm`")?;
    if Path::new(&folder).join("playwright-core").exists() { Ok(folder) } else { Err("npm's `playwright-core`") }
}
