//! Whether anything keeps the machine's clock right. Nobody is asked for the time.

use std::time::Duration;

use super::{Part, sys};
use crate::probe::Probe;

pub(super) fn look() -> Part {
    let probe = match sys::clock() {
        Some((true, most)) => {
            let said = format!("the clock is kept by a time server, and off by {} ms at most", most / 1000);
            Probe::new("host.clock", Some(true), Duration::ZERO, said).with("synchronized", true).with("most_us", most)
        }
        // That nothing keeps it does not make it wrong, but it is worth a look where certificates or tokens fail.
        Some((false, _)) => {
            let said = "no time server keeps the clock: it may be off (`timedatectl`)";
            Probe::new("host.clock", None, Duration::ZERO, said).with("synchronized", false)
        }
        None => Probe::new("host.clock", None, Duration::ZERO, "the kernel does not say whether the clock is kept"),
    };
    Part { probes: vec![probe], ..Part::default() }
}
