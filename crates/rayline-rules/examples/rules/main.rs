//! Measures rules: what a request against so many of them takes, look-ups in long lists, compiling, memory.
//! `cargo xtask rules` runs it.
//!
//! Nothing here says whether a figure is good: it measures, and writes down the scale.

#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a measuring that cannot go on stops and says where")]

mod lists;
mod page;
mod phases;
mod random;
mod rate;
mod sys;
mod wirefilter;
mod zone;

use std::io::{self, Write as _};
use std::path::PathBuf;
use std::time::Duration;

use rayline_rules::{Lists, Memory, ProgramBuilder, Stage};
use rustix::time::{ClockId, clock_gettime};

/// How many rules a zone has.
const RULES: [usize; 4] = [1, 10, 100, 1_000];
/// How often each is measured; the median counts.
const ROUNDS: usize = 9;
/// How long each measuring takes, at least.
const AT_LEAST: Duration = Duration::from_millis(20);

/// Everything that was measured.
#[derive(Default)]
struct Report {
    /// Nanoseconds of a request against no rule at all.
    none: f64,
    /// How often a request against a thousand rules of all kinds asked for memory.
    allocations: u64,
    /// By kind, nanoseconds of a request against each number of rules.
    kinds: Vec<(&'static str, [f64; RULES.len()])>,
    /// The same, each condition asked by itself.
    one_by_one: Vec<(&'static str, [f64; RULES.len()])>,
    /// What a list is, nanoseconds of a look-up, and bytes.
    lists: Vec<(String, f64, i64)>,
    /// How many rules of what kind, milliseconds of compiling, bytes of the program, bytes of a worker's memory.
    compiled: Vec<(String, f64, i64, i64)>,
    /// How rules are spread over phases, nanoseconds of a request.
    phases: Vec<(&'static str, f64)>,
    wirefilter: Option<wirefilter::Beside>,
    rates: Option<rate::Rates>,
}

/// What is wanted.
#[derive(Default)]
struct Wanted {
    /// Where the page goes.
    out: Option<PathBuf>,
    /// Where the tables are that whole programs came to.
    peers: Option<PathBuf>,
}

fn main() -> io::Result<()> {
    let wanted = wanted(std::env::args().skip(1))?;
    let peers = match (&wanted.peers, &wanted.out) {
        (Some(peers), _) => Some(std::fs::read_to_string(peers)?),
        // measured another time: they stay as they are
        (None, Some(out)) => std::fs::read_to_string(out).ok().and_then(|page| page::peers(&page).map(str::to_owned)),
        (None, None) => None,
    };
    let page = page::markdown(&measure(), peers.as_deref());
    io::stdout().write_all(page.as_bytes())?;
    wanted.out.map_or(Ok(()), |out| std::fs::write(out, page))
}

fn wanted(mut arguments: impl Iterator<Item = String>) -> io::Result<Wanted> {
    let mut wanted = Wanted::default();
    while let Some(argument) = arguments.next() {
        let file = arguments.next().map(PathBuf::from);
        match (argument.as_str(), file) {
            ("--out", Some(file)) => wanted.out = Some(file),
            ("--peers", Some(file)) => wanted.peers = Some(file),
            _ => return Err(io::Error::other("usage: rules [--out FILE] [--peers FILE]")),
        }
    }
    Ok(wanted)
}

fn measure() -> Report {
    let none = Lists::default();
    let (mut memory, request) = (Memory::default(), zone::Request::default());
    let mut report = Report::default();
    let (program, sequence) = zone::zone(zone::mixed, 0, &none).unwrap();
    report.none = nanoseconds(|| zone::run(&program, sequence, &request, &mut memory));
    let (program, sequence) = zone::zone(zone::mixed, 1_000, &none).unwrap();
    zone::run(&program, sequence, &request, &mut memory);
    let asked = sys::asked();
    zone::run(&program, sequence, &request, &mut memory);
    report.allocations = sys::asked() - asked;
    for (name, kind) in zone::KINDS {
        let (mut together, mut alone) = ([0.0; RULES.len()], [0.0; RULES.len()]);
        for (place, rules) in RULES.into_iter().enumerate() {
            let mut builder = ProgramBuilder::new(&none);
            let conditions: Vec<_> = (0..rules).map(|n| builder.condition(&kind(n), Stage::Request).unwrap()).collect();
            let sequence = builder.sequence(&conditions);
            let program = builder.build();
            together[place] = nanoseconds(|| zone::run(&program, sequence, &request, &mut memory));
            alone[place] = nanoseconds(|| {
                let mut evaluation = program.begin(&request, &mut memory);
                conditions.iter().any(|condition| evaluation.is_true(*condition))
            });
        }
        report.kinds.push((name, together));
        report.one_by_one.push((name, alone));
    }
    report.lists = lists::measure(&mut memory);
    for (name, kind) in [zone::KINDS[0], zone::KINDS[7], zone::KINDS[8], zone::KINDS[10]] {
        report.compiled.push(compile(name, kind, 10_000));
    }
    report.phases = phases::measure(&mut memory);
    report.wirefilter = Some(wirefilter::measure(&mut memory));
    report.rates = Some(rate::measure(&mut memory));
    report
}

/// Compiles so many rules, from their texts.
fn compile(name: &str, kind: fn(usize) -> String, rules: usize) -> (String, f64, i64, i64) {
    let lists = Lists::default();
    let texts: Vec<String> = (0..rules).map(kind).collect();
    let (held, start) = (sys::held(), clock_gettime(ClockId::ThreadCPUTime));
    let mut builder = ProgramBuilder::new(&lists);
    let conditions: Vec<_> = texts.iter().map(|text| builder.condition(text, Stage::Request).unwrap()).collect();
    let sequence = builder.sequence(&conditions);
    let program = builder.build();
    drop(conditions);
    let took = since(start);
    let size = sys::held() - held;
    let mut memory = Memory::default();
    let held = sys::held();
    zone::run(&program, sequence, &zone::Request::default(), &mut memory);
    (format!("{rules} rules, {name}"), took.as_secs_f64() * 1e3, size, sys::held() - held)
}

/// Nanoseconds of a processor for one call: the median of several measurings of many calls each.
fn nanoseconds<T>(mut call: impl FnMut() -> T) -> f64 {
    let mut rounds: Vec<f64> = Vec::new();
    let mut calls = 16_u32;
    while rounds.len() < ROUNDS {
        let start = clock_gettime(ClockId::ThreadCPUTime);
        for _ in 0..calls {
            std::hint::black_box(call());
        }
        let took = since(start);
        if took < AT_LEAST {
            calls *= 2;
            continue;
        }
        rounds.push(took.as_secs_f64() * 1e9 / f64::from(calls));
    }
    rounds.sort_by(f64::total_cmp);
    rounds[rounds.len() / 2]
}

/// What a call gives, and the time of this thread's on a processor that it took.
fn elapsed<T>(call: impl FnOnce() -> T) -> (T, Duration) {
    let start = clock_gettime(ClockId::ThreadCPUTime);
    let given = call();
    (given, since(start))
}

/// Time of this thread's on a processor since then.
fn since(start: rustix::time::Timespec) -> Duration {
    let now = clock_gettime(ClockId::ThreadCPUTime);
    let nanoseconds = (now.tv_sec - start.tv_sec) * 1_000_000_000 + (now.tv_nsec - start.tv_nsec);
    Duration::from_nanos(u64::try_from(nanoseconds).unwrap_or(0))
}
