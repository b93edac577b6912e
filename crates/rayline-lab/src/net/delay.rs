//! A long way: packets that a router holds for a while before it lets them go on.
//!
//! Kernels without the `netem` discipline have no delay of their own, so a process in the router's namespace takes each
//! packet out of netfilter's queue (NFQUEUE), and gives it back when its time has come. That process is the test binary
//! again, which runs a test that does nothing else.

use std::collections::VecDeque;
use std::io::{self, Write as _};
use std::os::unix::process::parent_id;
use std::time::{Duration, Instant};

use nfq::{Queue, Verdict};
use tempfile::TempDir;

use super::{Namespace, Unavailable};
use crate::process::{Process, find};

/// Set in the process that holds packets: for how many milliseconds.
const MARK: &str = "RAYLINE_LAB_DELAY_MS";
/// The queue's number.
const QUEUE: u16 = 1;
/// What is printed once packets are taken.
const READY: &str = "holding packets";
/// How often it is looked for packets whose time has come.
const TICK: Duration = Duration::from_millis(1);

/// A router's delay. It ends when this is dropped; packets then vanish.
#[derive(Debug)]
pub struct Delay {
    // Before the folder: it writes there.
    _process: Process,
    _folder: TempDir,
}

impl Delay {
    /// Delays everything that `router` forwards, each way. `test` names a test of this binary that calls [`serve`].
    ///
    /// # Errors
    /// [`Unavailable::Missing`]: there is no `iptables`, or the kernel has no such queue.
    pub fn start(router: &Namespace, delay: Duration, test: &str) -> Result<Self, Unavailable> {
        if find("iptables").is_none() {
            return Err(Unavailable::Missing("`iptables` is not installed".to_owned()));
        }
        let queue = format!("-A FORWARD -j NFQUEUE --queue-num {QUEUE}");
        router
            .run(&format!("iptables {queue}; ip6tables {queue}"))
            .map_err(|error| Unavailable::Missing(format!("no NFQUEUE: {error}")))?;
        let folder = TempDir::with_prefix("rayline-lab-")?;
        let mut command = router.command(&std::env::current_exe()?.to_string_lossy());
        command.args(["--exact", test, "--nocapture"]).env(MARK, delay.as_millis().to_string());
        let mut process = Process::start(&mut command, &folder.path().join("printed.log"))?;
        process.until("takes no packets", |process| process.printed().contains(READY).then_some(()))?;
        Ok(Self { _process: process, _folder: folder })
    }
}

/// Holds packets until the process that started this one is gone, if this process is the one to do so. Otherwise it
/// returns at once.
///
/// # Errors
/// The queue cannot be had.
pub fn serve() -> io::Result<()> {
    let Some(delay) = std::env::var(MARK).ok().and_then(|text| text.parse().ok()).map(Duration::from_millis) else {
        return Ok(());
    };
    let parent = parent_id();
    let mut queue = Queue::open()?;
    queue.bind(QUEUE)?;
    queue.set_nonblocking(true);
    writeln!(io::stdout(), "{READY}")?;
    let mut held = VecDeque::new();
    while parent_id() == parent {
        match queue.recv() {
            Ok(packet) => held.push_back((Instant::now() + delay, packet)),
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => std::thread::sleep(TICK),
            Err(error) => return Err(error),
        }
        while held.front().is_some_and(|(due, _)| *due <= Instant::now()) {
            let Some((_, mut packet)) = held.pop_front() else { break };
            packet.set_verdict(Verdict::Accept);
            queue.verdict(packet)?;
        }
    }
    Ok(())
}
