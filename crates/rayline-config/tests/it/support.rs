//! What the tests share: compiling a text, files to compile it with, and a fixed time.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use rayline_config::{Plan, Problem, Severity, Source, compile};
use rcgen::{CertificateParams, DnType, IsCa, Issuer, KeyPair};
use time::OffsetDateTime;
use time::macros::datetime;

/// When the tests run, as far as certificates are concerned: 2026-01-01.
pub(crate) fn now() -> SystemTime {
    UNIX_EPOCH + Duration::from_secs(1_767_225_600)
}

pub(crate) fn source(text: &str, base: &Path) -> Source {
    Source { name: "rayline.toml".to_owned(), text: text.to_owned(), base: base.to_owned() }
}

/// Compiles a text that names no files.
pub(crate) fn compile_text(text: &str) -> (Option<Plan>, Vec<Problem>) {
    compile(&source(text, Path::new("/nowhere")), now())
}

/// The plan of a text that must have no problem at all.
pub(crate) fn plan(text: &str) -> Plan {
    let (plan, problems) = compile_text(text);
    assert!(problems.is_empty(), "{}", render(text, &problems));
    plan.expect("no problem, so a plan")
}

/// Every problem of a text as a terminal without colour shows them.
pub(crate) fn render(text: &str, problems: &[Problem]) -> String {
    let source = source(text, Path::new("/nowhere"));
    problems.iter().map(|problem| problem.render(&source, false) + "\n").collect()
}

pub(crate) fn has_error(problems: &[Problem]) -> bool {
    problems.iter().any(|problem| problem.severity == Severity::Error)
}

/// A folder of its own that is gone after the test.
#[derive(Debug)]
pub(crate) struct Folder(PathBuf);

impl Folder {
    pub(crate) fn new() -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let name = format!("rayline-config-{}-{}", std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed));
        let path = std::env::temp_dir().join(name);
        std::fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    pub(crate) fn path(&self) -> &Path {
        &self.0
    }

    pub(crate) fn write(&self, name: &str, content: impl AsRef<[u8]>) {
        std::fs::write(self.0.join(name), content).unwrap();
    }

    pub(crate) fn compile(&self, text: &str) -> (Option<Plan>, Vec<Problem>) {
        compile(&source(text, &self.0), now())
    }

    /// The problems of a text, with this folder's path taken out of them.
    pub(crate) fn render(&self, text: &str) -> String {
        let (_, problems) = self.compile(text);
        render(text, &problems).replace(&self.0.display().to_string(), "FOLDER")
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        // nothing depends on the folder being gone
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// A certificate for `names`, valid from 2025 to the given time, with its key; signed by itself.
pub(crate) struct Pair {
    pub(crate) params: CertificateParams,
    pub(crate) key: KeyPair,
}

impl Pair {
    pub(crate) fn new(names: &[&str]) -> Self {
        let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
        let mut params = CertificateParams::new(names).unwrap();
        params.not_before = datetime!(2025-01-01 0:00 UTC);
        params.not_after = datetime!(2027-01-01 0:00 UTC);
        Self { params, key: KeyPair::generate().unwrap() }
    }

    pub(crate) fn authority(name: &str) -> Self {
        let mut pair = Self::new(&[]).named(name);
        pair.params.is_ca = IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
        pair
    }

    pub(crate) fn named(mut self, name: &str) -> Self {
        self.params.distinguished_name.push(DnType::CommonName, name);
        self
    }

    pub(crate) fn valid(mut self, from: OffsetDateTime, to: OffsetDateTime) -> Self {
        (self.params.not_before, self.params.not_after) = (from, to);
        self
    }

    pub(crate) fn pem(&self) -> String {
        self.params.self_signed(&self.key).unwrap().pem()
    }

    pub(crate) fn pem_by(&self, authority: &Self) -> String {
        self.params.signed_by(&self.key, &authority.issuer()).unwrap().pem()
    }

    pub(crate) fn issuer(&self) -> Issuer<'_, &KeyPair> {
        Issuer::from_params(&self.params, &self.key)
    }

    pub(crate) fn key_pem(&self) -> String {
        self.key.serialize_pem()
    }
}
