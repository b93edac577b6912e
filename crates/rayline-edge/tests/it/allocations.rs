//! How often a worker asks for memory to serve one small request over kept connections: counted, printed, and bounded.

use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime};

use rayline_config::Source;
use rayline_edge::{Edge, Sink};
use rayline_testkit::{Origin, Script, Visitor};
use rayline_verdict::Record;

use crate::scene::ruleset;

mod sys;

/// What a request may cost. `docs/performance.md` says more.
const BUDGET: u64 = 7;
/// Requests until buffers, timers and connections are there to be used again.
const WARM_UP: usize = 50;
/// Requests that count.
const COUNTED: usize = 100;

/// Notes at each record how often its worker has asked by then. It has room for all, so as not to ask itself.
struct Noting(Arc<Mutex<Vec<u64>>>);

impl Sink for Noting {
    fn record(&mut self, _: &Record) {
        self.0.lock().unwrap().push(sys::asked());
    }
}

#[tokio::test]
async fn a_small_request_asks_for_memory_a_few_times() {
    let (median, most) = count("").await;
    println!("allocations of a small request: {median}, at most {most}; the budget is {BUDGET}");
    assert!(median <= BUDGET, "{median} allocations");
}

#[tokio::test]
async fn rules_that_do_not_match_ask_for_none() {
    let (without, _) = count("").await;
    let rule = |condition: &str, then: &str| format!("expression = '{condition}'\n{then}");
    let rewrite = "action = \"rewrite\"\naction_parameters = { uri = { path = { value = \"/b\" } } }";
    let block = "action = \"block\"";
    let transform = rule("starts_with(http.request.uri.path, \"/a\")", rewrite);
    let by_host = rule("http.host in {\"a.test\" \"b.test\"} and http.user_agent contains \"bot\"", block);
    let by_address = rule("ip.src in {192.0.2.0/24 2001:db8::/32} or http.request.method eq \"PUT\"", block);
    let rules = [
        ruleset("http_request_transform", &[&transform]),
        ruleset("http_request_firewall_custom", &[&by_host, &by_address]),
    ];
    let (with, most) = count(&rules.concat()).await;
    println!("allocations of a small request past rules: {with}, at most {most}; {without} without rules");
    assert!(with <= without, "{with} allocations, {without} without rules");
}

/// How often a worker asks for memory per request: the median, and the most. `rules` stand behind the zone's record.
async fn count(rules: &str) -> (u64, u64) {
    let origin = Origin::start(Script::ok()).unwrap();
    let (ip, port) = (origin.addr().ip(), origin.addr().port());
    let text = format!(
        "[server]\nhttp = [\"127.0.0.1:0\"]\nthreads = 1\n[[zone]]\nname = \"shop.test\"\n[zone.settings]\nssl = \"flexible\"\n\
         origin_http_port = {port}\n[[zone.dns_records]]\ntype = \"A\"\nname = \"@\"\ncontent = \"{ip}\"\nproxied = true\n{rules}"
    );
    let source = Source { name: "counted.toml".to_owned(), text, base: std::env::temp_dir() };
    let (plan, problems) = rayline_config::compile(&source, SystemTime::now());
    let shown: Vec<String> = problems.iter().map(|problem| problem.render(&source, false)).collect();
    let plan = plan.unwrap_or_else(|| panic!("{}", shown.join("\n")));
    let notes = Arc::new(Mutex::new(Vec::with_capacity(WARM_UP + COUNTED)));
    let edge = Edge::start(plan, vec![Box::new(Noting(Arc::clone(&notes)))]).unwrap();

    let mut visitor = Visitor::connect(edge.http()[0]).await.unwrap();
    for _ in 0..WARM_UP + COUNTED {
        visitor.send("GET / HTTP/1.1\r\nHost: shop.test\r\nUser-Agent: counter\r\nAccept: */*\r\n\r\n").await.unwrap();
        assert_eq!(visitor.read_response("GET").await.status(), Some(200));
    }
    edge.stop(Duration::ZERO);

    let notes = notes.lock().unwrap();
    let mut each: Vec<u64> = notes.windows(2).map(|pair| pair[1] - pair[0]).skip(WARM_UP).collect();
    each.sort_unstable();
    (each[each.len() / 2], each[each.len() - 1])
}
