//! A stranger before the failing demo, with nothing but the dashboard: three failures, each to its root cause by clicks.

use std::path::Path;
use std::process::Command;

use serde_json::Value;

use super::Dir;
use super::chromium::packages;
use super::running::Running;

#[test]
fn a_stranger_finds_three_root_causes_by_clicking() {
    let packages = match packages() {
        Ok(packages) => packages,
        Err(missing) => {
            eprintln!("skipped: {missing} is missing");
            return;
        }
    };
    let dir = Dir::new();
    let mut demo = Running::start(&dir, &["demo", "--json", "--listen", "127.0.0.1:0", "--admin", "127.0.0.1:0"]);
    let told: Value = serde_json::from_str(&demo.stdout.until("exhibits")).unwrap();
    let text = |name: &str| told[name].as_str().unwrap().to_owned();
    let pictures = Path::new(env!("CARGO_TARGET_TMPDIR")).join("walk");
    std::fs::create_dir_all(&pictures).unwrap();
    let walked = Command::new("node")
        .arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/browser/walk.mjs"))
        .args([text("dashboard"), text("start"), text("folder")])
        .arg(&pictures)
        .env("NODE_PATH", packages)
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&walked.stdout);
    println!("{said}");
    assert!(walked.status.success(), "{said}{}", String::from_utf8_lossy(&walked.stderr));
    demo.signal("INT");
    assert_eq!(demo.end(), 0);
}
