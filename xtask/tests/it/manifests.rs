//! Every Cargo.toml says the same of version, licence, lints and tests, and takes its dependencies from one list.

use toml::{Table, Value};

use crate::tree::{Findings, files, read};

/// What `[package]` takes from the workspace.
const INHERITED: &[&str] = &["version", "edition", "rust-version", "license", "publish"];

fn is_workspace(value: Option<&Value>) -> bool {
    value.and_then(|value| value.get("workspace")).and_then(Value::as_bool) == Some(true)
}

#[test]
fn members_inherit_from_the_workspace() {
    let mut findings = Findings::default();
    let manifests = files().into_iter().filter(|path| path.ends_with("Cargo.toml"));
    let members = manifests.filter(|path| path.starts_with("crates") || path.starts_with("xtask"));
    for path in members {
        let place = path.display();
        let manifest: Table = read(&path).parse().unwrap_or_else(|error| panic!("{place}: {error}"));
        let package = manifest.get("package").and_then(Value::as_table).unwrap();
        for key in INHERITED.iter().filter(|key| !is_workspace(package.get(**key))) {
            findings.add(&place, format!("`{key}` is its own"), format!("`{key}.workspace = true`"));
        }
        if !is_workspace(manifest.get("lints")) {
            findings.add(&place, "its lints are its own", "`workspace = true` under `[lints]`");
        }
        if package.get("autotests").and_then(Value::as_bool) != Some(false) {
            findings.add(&place, "every file in `tests` would be a binary", "`autotests = false`");
        }
        let folder = path.parent().and_then(|folder| folder.file_name()).unwrap();
        if package.get("name").and_then(Value::as_str) != folder.to_str() {
            findings.add(&place, "the crate is not called as its folder", "rename one of them");
        }
        for (name, dependency) in dependencies(&manifest) {
            if !is_workspace(Some(dependency)) {
                let fix = format!("put it under `[workspace.dependencies]`, here `{name}.workspace = true`");
                findings.add(&place, format!("`{name}` has a version of its own"), fix);
            }
        }
    }
    findings.none();
}

/// Of every kind, those for one target included.
fn dependencies(manifest: &Table) -> Vec<(&String, &Value)> {
    let targets = manifest.get("target").and_then(Value::as_table).into_iter().flat_map(Table::values);
    let tables = targets.filter_map(Value::as_table).chain([manifest]);
    let kinds = ["dependencies", "dev-dependencies", "build-dependencies"];
    let found = tables.flat_map(|table| kinds.iter().filter_map(|kind| table.get(*kind)?.as_table()));
    found.flatten().collect()
}

#[test]
fn one_licence_for_all() {
    let mut findings = Findings::default();
    for path in ["Cargo.toml", "fuzz/Cargo.toml"] {
        let manifest: Table = read(path).parse().unwrap();
        let package = manifest.get("package").or_else(|| manifest.get("workspace")?.get("package"));
        if package.and_then(|package| package.get("license")).and_then(Value::as_str) != Some("Apache-2.0") {
            findings.add(path, "the licence is another one", "`license = \"Apache-2.0\"`");
        }
    }
    findings.none();
}
