//! Runs the scenarios: starts the proxies, gives each its turns, and takes what it came to.

use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use rayline_testkit::{Authority, Flaw};
use tempfile::TempDir;

use super::markdown::{bytes, micros};
use super::peer::{self, Peer, Setup};
use super::report::{Present, Sample, Table};
use super::scenario::{Origin, Scenario, Visitors};
use super::{idle, load, origin, say, usage};
use crate::process::{Process, free_port};

/// Seconds each proxy is asked before anything is counted: pools fill, code is paged in.
const WARM_UP: u32 = 1;
/// How long memory may take to come to rest while idle visitors stay.
const REST: Duration = Duration::from_secs(1);

/// What all scenarios have in common.
#[derive(Debug)]
pub(crate) struct Stage {
    /// Those that take part, with their programs if they are there.
    peers: Vec<(&'static Peer, Option<PathBuf>)>,
    rounds: u32,
    seconds: u32,
    origin: origin::Server,
    certificate: PathBuf,
    key: PathBuf,
    authority: PathBuf,
    folder: TempDir,
}

/// A proxy in one scenario.
struct Contestant<'a> {
    scenario: &'a Scenario,
    peer: &'static Peer,
    program: &'a Path,
    running: Option<Running>,
    /// Its rounds so far, or what ended them.
    came: Result<Vec<Sample>, String>,
}

struct Running {
    setup: Setup,
    process: Process,
}

impl Stage {
    /// Starts the origin.
    ///
    /// # Errors
    /// It does not start.
    pub(crate) fn new(peers: Vec<(&'static Peer, Option<PathBuf>)>, rounds: u32, seconds: u32) -> io::Result<Self> {
        let folder = tempfile::tempdir()?;
        let issuer = Authority::new("Benchmark")?;
        let (certificate, key) = issuer.issue(Flaw::None, &[load::HOST])?.write_to(folder.path(), "server")?;
        let authority = folder.path().join("authority.pem");
        std::fs::write(&authority, issuer.root_pem())?;
        let files = folder.path().join("origin");
        std::fs::create_dir(&files)?;
        let origin = origin::Server::start(&files, &certificate, &key)?;
        Ok(Self { peers, rounds, seconds, origin, certificate, key, authority, folder })
    }

    /// Who takes part, and who does not.
    pub(crate) fn present(&self) -> Vec<Present> {
        let present = |(peer, program): &(&'static Peer, Option<PathBuf>)| Present {
            name: peer.tool.name,
            version: program
                .as_ref()
                .map(|program| peer.tool.version(program).unwrap_or_else(|_| "unknown".to_owned())),
            remedy: peer.tool.remedy(),
        };
        self.peers.iter().map(present).collect()
    }

    /// Gives every proxy its turns, another one first in each round. One that fails is out.
    pub(crate) fn measure(&self, scenario: &Scenario) -> Table {
        self.measure_together(std::slice::from_ref(scenario)).remove(0)
    }

    /// The same of several scenarios whose figures are held against each other: a round has the turns of all of them. A
    /// table for each.
    pub(crate) fn measure_together(&self, scenarios: &[Scenario]) -> Vec<Table> {
        for scenario in scenarios {
            say(&format!("{}: {}", scenario.name, scenario.title));
        }
        let mut contestants: Vec<_> = scenarios.iter().flat_map(|scenario| self.contestants(scenario)).collect();
        let all = contestants.len().max(1);
        for round in 0..self.rounds {
            let first = usize::try_from(round).unwrap_or_default() % all;
            let (before, after) = contestants.split_at_mut(first);
            for contestant in after.iter_mut().chain(before) {
                self.take_turn(round + 1, contestant);
            }
        }
        let mut contestants = contestants.into_iter().peekable();
        let mut table = |scenario: &Scenario| {
            let of = std::iter::from_fn(|| contestants.next_if(|contestant| contestant.scenario.name == scenario.name));
            Table::new(scenario, of.map(|contestant| (contestant.peer.tool.name, contestant.came)).collect())
        };
        scenarios.iter().map(&mut table).collect()
    }

    fn contestants<'a>(&'a self, scenario: &'a Scenario) -> impl Iterator<Item = Contestant<'a>> {
        let there = self.peers.iter().filter_map(|(peer, program)| Some((*peer, program.as_deref()?)));
        there.map(move |(peer, program)| Contestant { scenario, peer, program, running: None, came: Ok(Vec::new()) })
    }

    fn take_turn(&self, round: u32, contestant: &mut Contestant<'_>) {
        let Contestant { scenario, peer, program, running, came } = contestant;
        let Ok(samples) = came else { return };
        let name = peer.tool.name;
        match self.turn(scenario, peer, program, running) {
            Ok(sample) => {
                say(&format!("  round {round}: {}: {name}: {}", scenario.name, told(scenario, &sample)));
                samples.push(sample);
            }
            Err(error) => {
                say(&format!("  round {round}: {}: {name}: {error}", scenario.name));
                *came = Err(error.to_string());
                *running = None;
            }
        }
    }

    fn turn(
        &self,
        scenario: &Scenario,
        peer: &Peer,
        program: &Path,
        running: &mut Option<Running>,
    ) -> io::Result<Sample> {
        if let Visitors::Idle { connections } = scenario.visitors {
            // What once was allocated is rarely given back: each round has a process of its own.
            return idle_turn(scenario, &self.start(scenario, peer, program)?, connections);
        }
        let Running { setup, process } = match running {
            Some(running) => running,
            None => {
                let started = self.start(scenario, peer, program)?;
                if let Some(rules) = scenario.rules {
                    rules.must_refuse(started.setup.doors.http)?;
                }
                load::ask(scenario, started.setup.doors, WARM_UP, &started.setup.folder)?;
                running.insert(started)
            }
        };
        let before = usage::cpu(process.id())?;
        let answered = load::ask(scenario, setup.doors, self.seconds, &setup.folder)?;
        let used = usage::cpu(process.id())?.since(before);
        let requests = answered.requests as f64;
        let [p50_us, p99_us, p999_us] = answered.latency;
        Ok(Sample {
            requests: answered.requests,
            wrong: answered.wrong(scenario),
            user_us: used.user / requests * 1e6,
            system_us: used.system / requests * 1e6,
            requests_per_second: requests / answered.seconds,
            p50_us,
            p99_us,
            p999_us,
            memory: usage::memory(process.id())? as f64,
            memory_per_visitor: 0.0,
        })
    }

    fn start(&self, scenario: &Scenario, peer: &Peer, program: &Path) -> io::Result<Running> {
        let (origin, origin_tls) = match scenario.origin {
            Origin::Plain => (self.origin.http, false),
            Origin::Tls => (self.origin.https, true),
            Origin::Refusing => (([127, 0, 0, 1], free_port()?).into(), false),
        };
        let setup = Setup {
            folder: self.folder.path().join(scenario.name).join(peer.tool.name),
            doors: peer::doors()?,
            origin,
            origin_tls,
            certificate: self.certificate.clone(),
            key: self.key.clone(),
            authority: self.authority.clone(),
            rules: scenario.rules,
        };
        let process = peer.start(program, &setup)?;
        Ok(Running { setup, process })
    }
}

fn idle_turn(scenario: &Scenario, running: &Running, connections: u32) -> io::Result<Sample> {
    let group = running.process.id();
    let before = usage::memory(group)? as f64;
    let memory = idle::stay(running.setup.doors.http, connections, scenario.question, || {
        std::thread::sleep(REST);
        usage::memory(group)
    })? as f64;
    let memory_per_visitor = (memory - before) / f64::from(connections);
    Ok(Sample { requests: connections.into(), memory, memory_per_visitor, ..Sample::default() })
}

/// A round in a line.
fn told(scenario: &Scenario, sample: &Sample) -> String {
    if matches!(scenario.visitors, Visitors::Idle { .. }) {
        return format!("{}, {} for each visitor", bytes(sample.memory), bytes(sample.memory_per_visitor));
    }
    let wrong = if sample.wrong > 0 { format!(", {} answered wrongly", sample.wrong) } else { String::new() };
    let [cpu, user, system] = [sample.cpu_us(), sample.user_us, sample.system_us].map(micros);
    format!("{cpu} µs (user {user}, system {system}), {:.0}/s{wrong}", sample.requests_per_second)
}
