//! Measures the managed rules: what they find among the Core Rule Set's published test cases, what they make of honest
//! requests, and how long they take, next to ModSecurity where that is installed. `cargo xtask waf` runs it.
//!
//! The cases are an oracle from outside and are read where they lie; nothing of them is in this tree. The half of
//! them that rules were mended for is told apart from the other.

mod bodies;
mod crs;
mod honest;
mod page;
mod peer;
#[path = "../../tests/it/request.rs"]
mod request;
mod speed;

use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use rayline_rules::ruleset::{Execute, Sensitivity};
use rayline_rules::waf::{Managed, RULESET};

fn main() -> io::Result<()> {
    let mut arguments = std::env::args_os().skip(1);
    let (mut crs, mut out, mut verbose) = (None, None, None);
    while let Some(argument) = arguments.next() {
        let value = || arguments.next().map(PathBuf::from);
        match argument.to_str() {
            Some("--crs") => crs = { value }(),
            Some("--out") => out = { value }(),
            // what was missed or wrongly found, in a list: cases whose rule begins so
            Some("--missed") => verbose = { value }().map(|text| text.to_string_lossy().into_owned()),
            _ => return Err(io::Error::other(format!("`{}` is not known here", argument.display()))),
        }
    }
    let own = Path::new(env!("CARGO_MANIFEST_DIR")).join("managed/corpus");
    let cases = crs.as_deref().map(crs::read).transpose()?;
    let honest = honest::read(&own)?;
    if let Some(prefix) = verbose {
        return page::list(&prefix, cases.as_deref().unwrap_or_default(), &honest);
    }
    let peer = peer::Peer::start()?;
    let page = page::written(cases.as_deref(), &honest, &speed::measured(&honest, peer.as_ref())?);
    match out {
        Some(file) => std::fs::write(file, page),
        None => io::stdout().write_all(page.as_bytes()),
    }
}

/// The managed rules up to a level, blocking at a score of 5.
#[expect(clippy::expect_used, reason = "a test holds that they can be read")]
fn managed(paranoia_level: u8) -> Managed {
    let execute = Execute {
        id: RULESET.into(),
        action: None,
        enabled: None,
        sensitivity: Sensitivity::High,
        paranoia_level,
        anomaly_threshold: None,
        overrides: Vec::new(),
    };
    Managed::compile(&execute).expect("the managed rules are right")
}
