//! Services that failed, or that were started again and again, as systemd has them.

use std::time::Duration;

use super::command::{self, Failed};
use super::{Part, trouble};
use crate::logs::{Cause, Source, names};
use crate::probe::Probe;

pub(super) fn look() -> Part {
    let properties = "Id,NRestarts,Result,ActiveState,SubState";
    match command::run("systemctl", &["show", "--no-pager", "--property", properties, "*.service"]) {
        Ok(text) => judge(&text),
        // No systemd, or one that is not in charge here, such as in a container.
        Err(Failed::NotThere | Failed::Other(_)) => Part::default(),
        Err(Failed::NotPermitted) => {
            Part { unseen: vec!["services: run `systemctl --failed`".to_owned()], ..Part::default() }
        }
    }
}

pub(super) fn judge(text: &str) -> Part {
    let mut part = Part::default();
    let mut count = 0_usize;
    for block in text.split("\n\n") {
        let field = |name: &str| block.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix('='));
        let Some(unit) = field("Id") else { continue };
        count += 1;
        let result = field("Result").unwrap_or("success");
        let restarts = field("NRestarts").and_then(|text| text.parse::<u64>().ok()).unwrap_or(0);
        let is_failed = field("ActiveState") == Some("failed");
        // What the journal would say of it: so that services that keep house are left out by the same list.
        let said = if is_failed {
            format!("{unit}: Failed with result '{result}'")
        } else if restarts > 0 {
            format!("{unit}: Scheduled restart job, restart counter is at {restarts}")
        } else {
            continue;
        };
        let Some(meaning) = names::name(Source::Systemd, &said) else { continue };
        let (likelihood, sentence) = if is_failed {
            (0.5, meaning.sentence)
        } else {
            (0.2, format!("`{unit}` ended and was started again {restarts} times"))
        };
        let cause = if is_failed { meaning.cause } else { Cause::ServerStopped };
        let mut named = trouble(cause, likelihood, sentence, &said);
        named.source = Source::Systemd.name();
        part.troubles.push(named);
    }
    if count > 0 {
        let said = match part.troubles.len() {
            0 => format!("{count} services, none failed or started again"),
            bad => format!("{count} services, {bad} failed or started again"),
        };
        let probe = Probe::new("host.services", Some(part.troubles.is_empty()), Duration::ZERO, said);
        part.probes.push(probe.with("services", count));
    }
    part
}
