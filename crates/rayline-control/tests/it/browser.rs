//! A real browser on every page, on a desk and on a phone: no error in its console, nothing that the policy forbids, nothing
//! wider than the screen, nothing out of the keyboard's reach.
//!
//! The pictures are left in the target folder, for eyes.

use std::path::Path;
use std::process::Command;

use crate::Running;
use crate::chromium::packages;
use crate::pages::fill;

#[test]
fn a_browser_has_nothing_to_complain_of() {
    let packages = match packages() {
        Ok(packages) => packages,
        Err(missing) => {
            eprintln!("skipped: {missing} is missing");
            return;
        }
    };
    let running = Running::start();
    fill(&running.shelf);
    let pictures = Path::new(env!("CARGO_TARGET_TMPDIR")).join("dashboard");
    std::fs::create_dir_all(&pictures).unwrap();
    let looked = Command::new("node")
        .arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/browser/look.mjs"))
        .args([&format!("http://{}", running.control.addr()), running.token.as_str()])
        .arg(&pictures)
        .args(["/", "/errors", "/ray", "/ray/0000000000002003", "/tail", "/origins", "/diagnose", "/explain"])
        .args(["/explain/origin.connect.refused", "/configuration?version=2", "/system", "/errors?host=nothing"])
        .env("NODE_PATH", packages)
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&looked.stderr);
    assert!(looked.status.success(), "{said}");
    assert_eq!(String::from_utf8_lossy(&looked.stdout), "[]", "{said}");
}
