//! Ramps against origins that take them, fail, or become slow.

use std::cell::RefCell;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use rayline_diagnose::case::Case;
use rayline_diagnose::load::{Limit, Load, Options, plan, ramp};
use rayline_diagnose::probe::Unwatched;
use rayline_testkit::{Origin, Script};
use rayline_verdict::Code;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

/// Short steps: what is tested is where the ramp ends, and not how fast anything is.
const OPTIONS: Options = Options {
    connections: 8,
    step: Duration::from_millis(200),
    total: Duration::from_secs(30),
    requests: 20_000,
    rate: None,
};
/// How long an answer takes: this leaves the machine time for what else is tested.
const USUAL: Duration = Duration::from_millis(20);

fn case(address: SocketAddr, method: &str) -> Case {
    Case {
        method: method.to_owned(),
        origins: vec![format!("http://{address}").parse().unwrap()],
        timeout: Duration::from_secs(10),
        ..Case::new("http://shop.test/cart?secret=1".parse().unwrap())
    }
}

async fn load(address: SocketAddr, method: &str, options: &Options) -> Load {
    let so_far = RefCell::default();
    ramp(&case(address, method), options, &so_far, &Unwatched).await;
    so_far.into_inner()
}

/// An origin that answers this to what comes over as many connections at once, after a while. It ends with the runtime.
async fn origin(answer: fn(usize) -> (&'static str, Duration)) -> (SocketAddr, JoinHandle<()>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let open = Arc::new(AtomicUsize::new(0));
    let task = tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let open = Arc::clone(&open);
            tokio::spawn(async move {
                open.fetch_add(1, Ordering::SeqCst);
                let mut received = Vec::new();
                while stream.read_buf(&mut received).await.is_ok_and(|length| length > 0) {
                    if !received.ends_with(b"\r\n\r\n") {
                        continue;
                    }
                    received.clear();
                    let (status, after) = answer(open.load(Ordering::SeqCst));
                    tokio::time::sleep(after).await;
                    let response = format!("HTTP/1.1 {status}\r\nContent-Length: 2\r\n\r\nok");
                    if stream.write_all(response.as_bytes()).await.is_err() {
                        break;
                    }
                }
                open.fetch_sub(1, Ordering::SeqCst);
            });
        }
    });
    (address, task)
}

#[tokio::test]
async fn an_origin_that_takes_it_is_loaded_to_the_end() {
    let (address, _task) = origin(|_| ("200 OK", USUAL)).await;
    let load = load(address, "GET", &OPTIONS).await;
    assert_eq!(load.limit, Some(Limit::Connections), "{:?}", load.probes);
    assert_eq!(load.steps.iter().map(|step| step.connections).collect::<Vec<_>>(), [1, 2, 4, 8]);
    for step in &load.steps {
        assert!(step.requests > 0 && step.failed == 0 && step.p50 <= step.p95, "{step:?}");
        assert_eq!(step.statuses.get(&200), Some(&step.requests));
    }
    let [probe] = load.probes.as_slice() else { unreachable!() };
    assert_eq!((probe.name.as_str(), probe.ok), ("load", Some(true)));
    assert_eq!(probe.facts["steps"].as_array().unwrap().len(), 4);
}

#[tokio::test]
async fn where_errors_begin_it_ends() {
    let (address, _task) = origin(|open| (if open > 2 { "503 Service Unavailable" } else { "200 OK" }, USUAL)).await;
    let load = load(address, "GET", &OPTIONS).await;
    assert_eq!(load.limit, Some(Limit::OriginFails), "{:?}", load.probes);
    let last = load.steps.last().unwrap();
    assert!(last.connections > 1 && last.failed > 0, "{last:?}");
    let verdict = load.verdict.unwrap();
    assert_eq!((verdict.code, verdict.number), (Code::OriginWaitErrorStatus, 503));
    assert!(load.probes[0].said.contains("status 503"), "{}", load.probes[0].said);
}

#[tokio::test]
async fn where_it_becomes_slow_it_ends() {
    let slow = |open: usize| ("200 OK", if open > 2 { Duration::from_secs(3) } else { USUAL });
    let (address, _task) = origin(slow).await;
    let load = load(address, "GET", &OPTIONS).await;
    assert_eq!(load.limit, Some(Limit::OriginSlow), "{:?}", load.probes);
    assert!(load.steps.len() > 1 && load.verdict.is_none());
}

#[tokio::test]
async fn an_origin_that_hangs_up_is_not_hammered() {
    let origin = Origin::start(Script::reset_after_request()).unwrap();
    let load = load(origin.addr(), "GET", &OPTIONS).await;
    assert_eq!(load.limit, Some(Limit::OriginFails));
    let [step] = load.steps.as_slice() else { unreachable!() };
    // Each failure is followed by a rest of 50 ms.
    assert!((1..=8).contains(&step.requests), "{step:?}");
    assert_eq!(step.faults.keys().copied().collect::<Vec<_>>(), ["origin.wait.reset"]);
    assert_eq!(load.verdict.unwrap().code, Code::OriginWaitReset);
}

#[tokio::test]
async fn what_cannot_be_loaded_is_said() {
    let nobody = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let refused = load(nobody, "GET", &OPTIONS).await;
    let post = load(nobody, "POST", &OPTIONS).await;
    let so_far = RefCell::new(Load::default());
    let nowhere = Case { origins: Vec::new(), ..case(nobody, "GET") };
    ramp(&nowhere, &OPTIONS, &so_far, &Unwatched).await;
    for (load, word) in [(refused, "takes no connections"), (post, "POST"), (so_far.into_inner(), "--origin")] {
        assert!(load.steps.is_empty() && load.limit.is_none());
        assert_eq!(load.probes[0].ok, None);
        assert!(load.probes[0].said.contains(word), "{}", load.probes[0].said);
    }
}

#[tokio::test]
async fn a_connection_that_the_origin_closes_is_no_failure() {
    let origin = Origin::start(Script::ok()).unwrap();
    let load = load(origin.addr(), "GET", &OPTIONS).await;
    assert_eq!(load.steps.iter().map(|step| step.failed).sum::<u64>(), 0, "{:?}", load.steps);
}

#[tokio::test]
async fn requests_are_bounded() {
    let (address, _task) = origin(|_| ("200 OK", USUAL)).await;
    // No step ends for its time.
    let (step, total) = (Duration::from_secs(60), Duration::from_secs(240));
    let few = load(address, "GET", &Options { requests: 42, step, total, ..OPTIONS }).await;
    // Each of the four steps has an equal share.
    assert_eq!(few.steps.iter().map(|step| step.requests).collect::<Vec<_>>(), [10; 4]);
    assert_eq!(few.limit, Some(Limit::Connections));
}

#[tokio::test]
async fn at_a_rate_requests_are_due_whether_or_not_those_before_are_answered() {
    let (address, _task) = origin(|_| ("200 OK", USUAL)).await;
    let open = Options { rate: Some(80), step: Duration::from_millis(500), ..OPTIONS };
    let well = load(address, "GET", &open).await;
    assert_eq!(well.limit, Some(Limit::Connections), "{:?}", well.probes);
    assert_eq!(well.steps.iter().map(|step| step.rate).collect::<Vec<_>>(), [10, 20, 40, 80].map(Some));
    assert_eq!(well.steps.iter().map(|step| step.requests).collect::<Vec<_>>(), [5, 10, 20, 40]);
    assert!(well.probes[0].said.contains("80 requests per second"), "{}", well.probes[0].said);

    // It answers one after the other, ten a second: what waits for its turn takes the longer.
    let (address, _task) = origin(|_| ("200 OK", Duration::from_millis(100))).await;
    let one = Options { connections: 1, ..open };
    let slow = load(address, "GET", &one).await;
    assert_eq!(slow.limit, Some(Limit::OriginSlow), "{:?}", slow.probes);
    let last = slow.steps.last().unwrap();
    assert!(last.unsent > 0 && last.p95 > Duration::from_millis(100), "{last:?}");
    assert_eq!(slow.probes[0].facts["steps"][0]["rate"], 10);
}

#[tokio::test]
async fn what_was_found_before_it_was_broken_off_is_kept() {
    let (address, _task) = origin(|_| ("200 OK", USUAL)).await;
    let (case, so_far) = (case(address, "GET"), RefCell::new(Load::default()));
    let first_step = async {
        let mut ticks = tokio::time::interval(Duration::from_millis(10));
        while so_far.borrow().steps.is_empty() {
            ticks.tick().await;
        }
    };
    tokio::select! {
        () = ramp(&case, &OPTIONS, &so_far, &Unwatched) => {}
        () = first_step => {}
    }
    let load = so_far.into_inner();
    assert_eq!((load.steps.is_empty(), load.limit), (false, None));
}

#[test]
fn the_plan_says_what_will_be_done_and_no_secret() {
    let said = plan(&case("192.0.2.7:80".parse().unwrap(), "GET"), &Options::default());
    for word in ["GET", "192.0.2.7:80", "64", "50000", "60 s"] {
        assert!(said.contains(word), "{said}");
    }
    assert!(!said.contains("secret=1"), "{said}");
    let open = Options { rate: Some(100), ..Options::default() };
    let said = plan(&case("192.0.2.7:80".parse().unwrap(), "GET"), &open);
    assert!(said.contains("12 per second at first") && said.contains("up to 100, whether or not"), "{said}");
    assert!(plan(&case("192.0.2.7:80".parse().unwrap(), "GET"), &open.light()).contains("At most 2000 requests"));
}
