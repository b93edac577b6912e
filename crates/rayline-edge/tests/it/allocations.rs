//! How often a worker asks for memory to serve one small request over kept connections: counted, printed, and bounded.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use rayline_edge::{Edge, Sink};
use rayline_testkit::{Origin, Script, Visitor};
use rayline_verdict::Record;

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
    fn record(&mut self, _: Record) {
        self.0.lock().unwrap().push(sys::asked());
    }
}

#[tokio::test]
async fn a_small_request_asks_for_memory_a_few_times() {
    let origin = Origin::start(Script::ok()).unwrap();
    let listen = "127.0.0.1:0".parse().unwrap();
    let mut plan = rayline_config::one_zone("shop.test", &format!("http://{}", origin.addr()), listen, None).unwrap();
    plan.server.threads = 1;
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
    let (median, most) = (each[each.len() / 2], each[each.len() - 1]);
    println!("allocations of a small request: {median}, at most {most}; the budget is {BUDGET}");
    assert!(median <= BUDGET, "{median} allocations");
}
