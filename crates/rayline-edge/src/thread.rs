//! A worker's thread: its runtime, its listeners, and the commands it takes.

use std::collections::HashMap;
use std::io;
use std::net::{SocketAddr, TcpListener as StdListener};
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::sync::mpsc::Sender;
use std::time::{Duration, Instant};

use tokio::net::TcpListener;
use tokio::runtime::{Builder, LocalOptions};
use tokio::sync::mpsc::UnboundedReceiver;
use tokio::task::JoinHandle;

use crate::Sink;
use crate::edition::Edition;
use crate::phase::accept::{self, Door};
use crate::running::Running;
use crate::shared::Counts;
use crate::trial::{Share, Spread, Window};
use crate::worker::Worker;

/// How often idle origin connections are looked over.
const SWEEP: Duration = Duration::from_secs(5);
/// How often draining looks whether it is done.
const DRAIN_LOOK: Duration = Duration::from_millis(10);
/// How long dropped connections may take to be gone.
const ABORT_PATIENCE: Duration = Duration::from_secs(1);

/// A listening socket of one worker.
#[derive(Debug)]
pub(crate) struct Listener {
    pub(crate) door: Door,
    pub(crate) address: SocketAddr,
    pub(crate) socket: StdListener,
}

/// What a worker can be told.
#[derive(Debug)]
pub(crate) enum Command {
    /// Run on this edition, on these further listeners, and no more on those addresses.
    Swap { edition: Arc<Edition>, listen: Vec<Listener>, close: Vec<(Door, SocketAddr)> },
    /// Run some visitors' requests on this edition, on these further listeners.
    Try { edition: Arc<Edition>, spread: Spread, window: Arc<Window>, listen: Vec<Listener> },
    /// Run this share of them on it.
    Widen { share: Share, window: Arc<Window> },
    /// Run none of them on it, and listen no more on those addresses.
    Withdraw { close: Vec<(Door, SocketAddr)> },
    /// Have this edition ready for replays that name it.
    Hold(Arc<Edition>),
    /// Take no more visitors, finish with those there are, and end. At the deadline end all the same.
    Drain(Instant),
}

/// What a worker starts with.
pub(crate) struct Start {
    pub(crate) index: usize,
    pub(crate) edition: Arc<Edition>,
    pub(crate) listeners: Vec<Listener>,
    pub(crate) counts: Arc<Counts>,
    pub(crate) sink: Box<dyn Sink>,
    pub(crate) commands: UnboundedReceiver<Command>,
    /// Told once whether the worker runs.
    pub(crate) ready: Sender<io::Result<()>>,
}

/// The thread's whole life.
pub(crate) fn run(start: Start) {
    let Start { index, edition, listeners, counts, sink, commands, ready } = start;
    let runtime = match Builder::new_current_thread().enable_all().build_local(LocalOptions::default()) {
        Ok(runtime) => runtime,
        Err(error) => {
            let _ = ready.send(Err(error));
            return;
        }
    };
    runtime.block_on(async move {
        let version = edition.version;
        let running = match Running::new(edition) {
            Ok(running) => running,
            Err(error) => {
                let _ = ready.send(Err(error));
                return;
            }
        };
        let worker = Rc::new(Worker::new(index, running, counts, sink));
        let mut doors = Doors::default();
        let opened = listeners.into_iter().try_for_each(|listener| doors.open(&worker, listener, version));
        let failed = opened.is_err();
        let _ = ready.send(opened);
        // Whoever starts the workers waits until the last of these is gone.
        drop(ready);
        if !failed {
            obey(worker, doors, commands).await;
        }
    });
}

async fn obey(worker: Rc<Worker>, mut doors: Doors, mut commands: UnboundedReceiver<Command>) {
    let mut sweep = tokio::time::interval(SWEEP);
    loop {
        tokio::select! {
            _ = sweep.tick() => worker.sweep(Instant::now()),
            command = commands.recv() => match command {
                Some(Command::Swap { edition, listen, close }) => {
                    let version = edition.version;
                    // The edge has tried both on its own thread; what fails here all the same leaves the old in place.
                    if let Err(error) = worker.swap(edition) {
                        eprintln!("rayline: a worker keeps the old plan: {error}");
                    }
                    doors.open_all(&worker, listen, version);
                    doors.close_those(&close);
                }
                Some(Command::Try { edition, spread, window, listen }) => {
                    let version = edition.version;
                    if let Err(error) = worker.begin_trial(edition, spread, window) {
                        eprintln!("rayline: a worker does not try the new plan: {error}");
                    }
                    doors.open_all(&worker, listen, version);
                }
                Some(Command::Widen { share, window }) => worker.widen(share, window),
                Some(Command::Hold(edition)) => worker.hold(edition),
                Some(Command::Withdraw { close }) => {
                    worker.end_trial();
                    doors.close_those(&close);
                }
                Some(Command::Drain(deadline)) => return drain(&worker, doors, deadline).await,
                None => return drain(&worker, doors, Instant::now()).await,
            }
        }
    }
}

async fn drain(worker: &Rc<Worker>, mut doors: Doors, deadline: Instant) {
    doors.close_all();
    // Lets the accepting tasks take what waits in their queues, and visitors who just sent a request be seen as busy.
    tokio::time::sleep(DRAIN_LOOK).await;
    worker.drain();
    let hurry = || worker.counts.hurry.load(Ordering::Relaxed);
    while worker.visitors() > 0 && Instant::now() < deadline && !hurry() {
        tokio::time::sleep(DRAIN_LOOK).await;
        worker.drain();
    }
    worker.abort();
    let patience = Instant::now() + ABORT_PATIENCE;
    while worker.visitors() > 0 && Instant::now() < patience {
        tokio::time::sleep(DRAIN_LOOK).await;
    }
}

/// The accepting tasks of one worker.
#[derive(Debug, Default)]
struct Doors {
    tasks: HashMap<(Door, SocketAddr), (JoinHandle<()>, tokio::sync::watch::Sender<bool>)>,
}

impl Doors {
    fn open_all(&mut self, worker: &Rc<Worker>, listeners: Vec<Listener>, version: u64) {
        for listener in listeners {
            if let Err(error) = self.open(worker, listener, version) {
                eprintln!("rayline: a worker cannot listen: {error}");
            }
        }
    }

    fn open(&mut self, worker: &Rc<Worker>, listener: Listener, version: u64) -> io::Result<()> {
        let Listener { door, address, socket } = listener;
        let socket = TcpListener::from_std(socket)?;
        let (closing, closed) = tokio::sync::watch::channel(false);
        let task = tokio::task::spawn_local(accept::run(Rc::clone(worker), socket, door, version, closed));
        self.tasks.insert((door, address), (task, closing));
        Ok(())
    }

    /// Ends accepting there, once the queue is empty: closing a socket resets whoever waits in its queue.
    fn close_those(&mut self, doors: &[(Door, SocketAddr)]) {
        for door in doors {
            if let Some((_, closing)) = self.tasks.remove(door) {
                let _ = closing.send(true);
            }
        }
    }

    fn close_all(&mut self) {
        for (_, (_, closing)) in self.tasks.drain() {
            let _ = closing.send(true);
        }
    }
}
