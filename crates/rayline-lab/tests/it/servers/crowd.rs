//! Visitors who ask again and again over kept connections, while something happens to the server.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use rayline_lab::program::HOST;
use rayline_testkit::Visitor;

/// How long some more requests may take.
const PATIENCE: Duration = Duration::from_secs(20);

/// The visitors, on a thread of their own.
pub(super) struct Crowd {
    shared: Arc<Shared>,
    thread: JoinHandle<()>,
}

#[derive(Default)]
struct Shared {
    served: AtomicUsize,
    over: AtomicBool,
    complaints: Mutex<Vec<String>>,
}

impl Crowd {
    /// So many visitors of this edge, each of whom pauses before the next request for as long as `pause` says, which is
    /// told how many requests the visitor has sent.
    pub(super) fn start(edge: SocketAddr, visitors: usize, pause: fn(usize) -> Duration) -> Self {
        let shared = Arc::new(Shared::default());
        let theirs = Arc::clone(&shared);
        let thread = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            let local = tokio::task::LocalSet::new();
            for _ in 0..visitors {
                let shared = Arc::clone(&theirs);
                local.spawn_local(async move {
                    if let Err(complaint) = visit(edge, pause, &shared).await {
                        shared.complaints.lock().unwrap().push(complaint);
                        shared.over.store(true, Ordering::Relaxed);
                    }
                });
            }
            runtime.block_on(local);
        });
        Self { shared, thread }
    }

    /// Waits until so many more requests were answered; less if a visitor complains.
    #[track_caller]
    pub(super) fn served(&self, more: usize) {
        let goal = self.shared.served.load(Ordering::Relaxed) + more;
        let deadline = Instant::now() + PATIENCE;
        while self.shared.served.load(Ordering::Relaxed) < goal && !self.shared.over.load(Ordering::Relaxed) {
            assert!(Instant::now() < deadline, "{more} requests take longer than {PATIENCE:?}");
            std::thread::sleep(Duration::from_millis(1));
        }
    }

    /// Sends them home. Nobody may have seen anything but good answers.
    #[track_caller]
    pub(super) fn was_happy(self) {
        self.shared.over.store(true, Ordering::Relaxed);
        self.thread.join().unwrap();
        let complaints = self.shared.complaints.lock().unwrap();
        let served = self.shared.served.load(Ordering::Relaxed);
        assert!(complaints.is_empty(), "after {served} good answers: {}", complaints.join("\n"));
    }
}

async fn visit(edge: SocketAddr, pause: fn(usize) -> Duration, shared: &Shared) -> Result<(), String> {
    let request = format!("GET / HTTP/1.1\r\nHost: {HOST}\r\n\r\n");
    let mut visitor = Visitor::connect(edge).await.map_err(|error| error.to_string())?;
    let mut sent = 0;
    while !shared.over.load(Ordering::Relaxed) {
        visitor.send(&request).await.map_err(|error| error.to_string())?;
        let response = visitor.read_response("GET").await;
        if response.status() != Some(200) || !response.whole {
            return Err(format!("{} {:?}", String::from_utf8_lossy(&response.raw_head), response.end));
        }
        if response.field("connection").is_some_and(|options| options.eq_ignore_ascii_case("close")) {
            visitor = Visitor::connect(edge).await.map_err(|error| error.to_string())?;
        }
        shared.served.fetch_add(1, Ordering::Relaxed);
        sent += 1;
        tokio::time::sleep(pause(sent)).await;
    }
    Ok(())
}
