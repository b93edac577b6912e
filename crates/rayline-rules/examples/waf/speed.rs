//! How long the rules take, by what is sent: processor time, so that other programs do not count.

use std::time::Duration;

use rayline_rules::waf::Scratch;
use rustix::time::{ClockId, clock_gettime};

use crate::bodies::{Kind, honest_texts, hostile_texts};
use crate::honest::Honest;
use crate::managed;
use crate::peer::Peer;
use crate::request::Request;

/// One line of the table.
#[derive(Debug)]
pub(crate) struct Speed {
    pub(crate) what: String,
    /// Bytes of the body.
    pub(crate) size: usize,
    pub(crate) ours: Duration,
    /// What the other program took, if it is there.
    pub(crate) theirs: Option<Duration>,
}

/// Processor time that a body is measured for, at least.
const WINDOW: Duration = Duration::from_millis(300);

/// Bodies of 1, 10 and 100 KB of every kind, honest and hostile, and a request without one.
pub(crate) fn measured(honest: &[Honest], peer: Option<&Peer>) -> std::io::Result<Vec<Speed>> {
    let mut table = vec![line("no body".to_owned(), &Request::get("/a/b?c=d&q=two+words"), peer)?];
    let honest = honest_texts(honest);
    for kind in Kind::ALL {
        for (what, texts) in [("honest", honest.clone()), ("hostile", hostile_texts(kind))] {
            for size in [1024, 10 * 1024, 100 * 1024] {
                table.push(line(format!("{}, {what}", kind.name()), &kind.request(&texts, size), peer)?);
            }
        }
    }
    Ok(table)
}

fn line(what: String, request: &Request, peer: Option<&Peer>) -> std::io::Result<Speed> {
    let theirs = peer.map(|peer| peer.takes(request)).transpose()?;
    Ok(Speed { what, size: request.body.len(), ours: ours(request), theirs })
}

fn ours(request: &Request) -> Duration {
    let (managed, mut scratch) = (managed(1), Scratch::default());
    let mut inspect = || std::hint::black_box(managed.inspect(request, request.body(), &[], &mut scratch));
    // the expressions' automata are built as they are needed
    inspect();
    let start = processor_time();
    let mut rounds = 0;
    loop {
        inspect();
        rounds += 1;
        let took = processor_time().saturating_sub(start);
        if took > WINDOW {
            return took / rounds;
        }
    }
}

/// What this thread has had of a processor.
fn processor_time() -> Duration {
    let time = clock_gettime(ClockId::ThreadCPUTime);
    Duration::new(time.tv_sec.unsigned_abs(), u32::try_from(time.tv_nsec).unwrap_or(0))
}
