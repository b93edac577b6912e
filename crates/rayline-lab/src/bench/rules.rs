//! What rules cost a request, as whole programs: Rayline, nginx and HAProxy with the same rules, none of which holds, beside
//! each without any. In interleaved rounds, by CPU time for each request.

mod config;
mod page;

use std::io;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::load::HOST;
use super::origin::PAGE;
use super::peer::Peer;
use super::scenario::{PLAIN, Question, Scenario};
use super::stage::Stage;
use super::{ROOT, say};
use crate::process::run;
use crate::tools::{self, Tool};

/// An address that every list of addresses has, and that visitors do not come from.
const REFUSED: [u8; 4] = [127, 0, 1, 1];

/// What a rule looks at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// The host is this one: a rule each.
    Host,
    /// The user agent contains this: a rule each.
    Agent,
    /// The path matches this regular expression: a rule each.
    Path,
    /// The visitor's address is in a list: one rule.
    Addresses,
    /// The host is in a list: one rule.
    Hosts,
}

/// What every request is held against.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Rules {
    pub(crate) kind: Kind,
    /// How many rules, or how many items in the list of one.
    pub(crate) count: usize,
}

impl Rules {
    /// Whether there is one rule, with a list.
    fn is_list(self) -> bool {
        matches!(self.kind, Kind::Addresses | Kind::Hosts)
    }

    /// What is looked for, rule by rule or item by item.
    fn needles(self) -> Vec<String> {
        let named = |name: fn(usize) -> String| (0..self.count).map(name).collect();
        match self.kind {
            Kind::Host | Kind::Hosts => named(|place| format!("shop-{place}.{HOST}")),
            Kind::Agent => named(|place| format!("BadBot/{place};")),
            Kind::Path => named(|place| format!("^/item{place}/[0-9]+\\.php$")),
            Kind::Addresses => {
                let mut random = 7_u32;
                let others = std::iter::repeat_with(|| {
                    // xorshift: always the same, in no order, never twice
                    random ^= random << 13;
                    random ^= random >> 17;
                    random ^= random << 5;
                    random.to_be_bytes()
                });
                let others = others.filter(|address| address.first() != Some(&127)).take(self.count.saturating_sub(1));
                others.chain([REFUSED]).map(|[a, b, c, d]| format!("{a}.{b}.{c}.{d}")).collect()
            }
        }
    }

    /// Sees that they are in force: asks for what the last of them is about.
    ///
    /// # Errors
    /// The answer is not 403.
    pub(crate) fn must_refuse(self, door: SocketAddr) -> io::Result<()> {
        let last = self.count.saturating_sub(1);
        let [mut host, mut agent, mut path] = [HOST.to_owned(), "curl".to_owned(), PAGE.to_owned()];
        let mut command = Command::new("curl");
        match self.kind {
            Kind::Host | Kind::Hosts => host = format!("shop-{last}.{HOST}"),
            Kind::Agent => agent = format!("Mozilla/5.0 (BadBot/{last};)"),
            Kind::Path => path = format!("/item{last}/4711.php"),
            Kind::Addresses => {
                let [a, b, c, d] = REFUSED;
                command.args(["--interface", &format!("{a}.{b}.{c}.{d}")]);
            }
        }
        command.args(["--silent", "--max-time", "30", "--output", "/dev/null", "--write-out", "%{http_code}"]);
        command.args(["--header", &format!("Host: {host}"), "--user-agent", &agent, &format!("http://{door}{path}")]);
        let status = run(&mut command)?;
        if status.trim() != "403" {
            return Err(io::Error::other(format!("answered {status} where a rule should have refused")));
        }
        Ok(())
    }
}

/// A browser's request.
const QUESTION: Question = Question {
    path: PAGE,
    fields: &[
        "User-Agent: Mozilla/5.0 (X11; Linux x86_64; rv:133.0) Gecko/20100101 Firefox/133.0",
        "Accept: text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8",
        "Accept-Language: de,en-US;q=0.7,en;q=0.3",
        "Cookie: session=3c1b8e4f9d2a; basket=17; consent=yes",
    ],
    ..PLAIN.question
};

const NONE: Scenario = Scenario { name: "none", title: "without rules", question: QUESTION, quick: true, ..PLAIN };

const fn with(name: &'static str, title: &'static str, kind: Kind, count: usize) -> Scenario {
    Scenario { name, title, rules: Some(Rules { kind, count }), ..NONE }
}

/// Without rules, then with them.
static SCENARIOS: [Scenario; 12] = [
    NONE,
    with("host-10", "10 rules, `http.host eq \"…\"`", Kind::Host, 10),
    with("host-100", "100 rules, `http.host eq \"…\"`", Kind::Host, 100),
    with("host-1000", "1,000 rules, `http.host eq \"…\"`", Kind::Host, 1_000),
    with("agent-10", "10 rules, `http.user_agent contains \"…\"`", Kind::Agent, 10),
    with("agent-100", "100 rules, `http.user_agent contains \"…\"`", Kind::Agent, 100),
    with("agent-1000", "1,000 rules, `http.user_agent contains \"…\"`", Kind::Agent, 1_000),
    with("path-10", "10 rules, `http.request.uri.path matches \"…\"`", Kind::Path, 10),
    with("path-100", "100 rules, `http.request.uri.path matches \"…\"`", Kind::Path, 100),
    with("path-1000", "1,000 rules, `http.request.uri.path matches \"…\"`", Kind::Path, 1_000),
    with("addresses", "a list of 100,000 addresses, `ip.src in $list`", Kind::Addresses, 100_000),
    with("hosts", "a list of 10,000 hosts, `http.host in $list`", Kind::Hosts, 10_000),
];

const OURS: Peer = Peer::new(tools::RAYLINE, config::rayline);
const NGINX: Peer = Peer::new(tools::NGINX, config::nginx);
const HAPROXY_RULES: Peer = Peer::new(Tool { name: "haproxy-rules", ..tools::HAPROXY }, config::haproxy_rules);
const HAPROXY_LIST: Peer = Peer::new(Tool { name: "haproxy-list", ..tools::HAPROXY }, config::haproxy_list);

static PEERS: [Peer; 4] = [OURS, NGINX, HAPROXY_RULES, HAPROXY_LIST];

/// Measure what rules add to the CPU time of a request, in Rayline, nginx and HAProxy.
#[derive(Clone, Debug, clap::Args)]
pub struct RulesBench {
    /// How often each has its turn.
    #[arg(long, default_value_t = 7, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    rounds: u32,
    /// How long a turn is.
    #[arg(long, default_value_t = 3, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    seconds: u32,
    /// Where the tables go as Markdown; they are printed in any case.
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
    /// The `rayline` to measure, rather than the one that is built for it.
    #[arg(long, value_name = "FILE")]
    program: Option<PathBuf>,
    /// Only these sets of rules, beside none.
    #[arg(long, num_args = 1.., value_name = "NAME", value_parser = super::names(SCENARIOS.iter().map(|scenario| scenario.name)))]
    only: Vec<String>,
}

/// Measures, and prints tables.
///
/// # Errors
/// The program does not build, there is no origin, or the tables cannot be written. A proxy that fails is no error: the
/// tables lack it.
pub fn run_rules(bench: &RulesBench) -> io::Result<()> {
    let program = match &bench.program {
        Some(program) => program.canonicalize()?,
        None => crate::program::rayline(true)?,
    };
    let load = std::fs::read_to_string("/proc/loadavg").unwrap_or_default();
    let load = load.split(' ').next().unwrap_or_default().to_owned();
    let venv = Path::new(ROOT).join("target/lab/venv");
    let peers = PEERS.iter().map(|peer| (peer, peer.tool.find(&program, &venv))).collect();
    let stage = Stage::new(peers, bench.rounds, bench.seconds)?;
    let wanted = |scenario: &&Scenario| {
        scenario.rules.is_none() || bench.only.is_empty() || bench.only.iter().any(|name| name == scenario.name)
    };
    let scenarios: Vec<Scenario> = SCENARIOS.iter().filter(wanted).copied().collect();
    let tables = stage.measure_together(&scenarios);
    let page = page::page(bench, &load, &stage.present(), &tables);
    say(&format!("\n{page}"));
    let Some(out) = &bench.out else { return Ok(()) };
    out.parent().map_or(Ok(()), std::fs::create_dir_all)?;
    std::fs::write(out, page)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_rule_holds_for_what_visitors_ask_and_no_two_are_alike() {
        let asked = [QUESTION.path, QUESTION.fields[0], HOST, "127.0.0.1"];
        for rules in SCENARIOS.iter().filter_map(|scenario| scenario.rules) {
            let mut needles = rules.needles();
            assert_eq!(needles.len(), rules.count);
            assert!(needles.iter().all(|needle| asked.iter().all(|text| !text.contains(needle.as_str()))));
            needles.sort();
            needles.dedup();
            assert_eq!(needles.len(), rules.count, "{:?}", rules.kind);
        }
    }
}
