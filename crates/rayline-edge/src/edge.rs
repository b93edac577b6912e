//! The edge as a whole: starts the workers, hands them plans, stops them.

use std::collections::HashSet;
use std::fmt;
use std::io;
use std::net::{SocketAddr, TcpListener};
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, mpsc};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use rayline_config::Plan;
use rayline_verdict::Moment;
use socket2::{Domain, Protocol, Socket, Type};
use tokio::sync::mpsc::{UnboundedSender, unbounded_channel};

use crate::Sink;
use crate::edition::Edition;
use crate::guard::Guard;
use crate::lookout::Lookout;
use crate::phase::accept::Door;
use crate::replay::{Copy, Replay, Unsigned};
use crate::running::Running;
use crate::shared::Counts;
use crate::thread::{self, Command, Listener, Start};
use crate::trial::{Compared, Share, Spread, Window};

/// Connections that may wait to be accepted. The kernel lowers it to `net.core.somaxconn`.
const BACKLOG: i32 = 4096;

/// A running edge.
#[derive(Debug)]
pub struct Edge {
    workers: Mutex<Vec<WorkerThread>>,
    counts: Arc<Counts>,
    editions: Mutex<Editions>,
}

/// What runs.
#[derive(Debug)]
struct Editions {
    current: Arc<Edition>,
    trial: Option<OnTrial>,
    /// The highest version there has been.
    latest: u64,
}

/// A plan that serves some of the visitors.
#[derive(Debug)]
struct OnTrial {
    edition: Arc<Edition>,
    /// One per worker.
    windows: Vec<Arc<Window>>,
}

impl Editions {
    /// Everywhere that is listened.
    fn doors(&self) -> HashSet<(Door, SocketAddr)> {
        let mut doors = doors(&self.current.plan);
        if let Some(trial) = &self.trial {
            doors.extend(self::doors(&trial.edition.plan));
        }
        doors
    }
}

#[derive(Debug)]
struct WorkerThread {
    commands: UnboundedSender<Command>,
    thread: JoinHandle<()>,
}

/// Why the edge cannot run a plan: what it was about, and the system's reason.
#[derive(Debug)]
pub struct StartError {
    what: String,
    reason: io::Error,
}

impl fmt::Display for StartError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.what, self.reason)?;
        match self.reason.kind() {
            io::ErrorKind::PermissionDenied if self.what.starts_with("cannot listen") => {
                f.write_str("; ports below 1024 need root or the capability CAP_NET_BIND_SERVICE")
            }
            io::ErrorKind::AddrInUse => f.write_str("; another program listens there, which `ss -ltnp` names"),
            _ => Ok(()),
        }
    }
}

impl std::error::Error for StartError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        Some(&self.reason)
    }
}

fn failed(what: impl Into<String>) -> impl FnOnce(io::Error) -> StartError {
    let what = what.into();
    move |reason| StartError { what, reason }
}

impl Edge {
    /// How many workers a plan asks for: `threads`, or one per core.
    pub fn workers_for(plan: &Plan) -> usize {
        match plan.server.threads {
            0 => std::thread::available_parallelism().map_or(1, usize::from),
            threads => threads,
        }
    }

    /// Starts one worker per sink. Listeners on port 0 get a free port, which [`Edge::http`] and [`Edge::https`] tell.
    ///
    /// # Errors
    /// An address that cannot be listened on; trust anchors that cannot be used; a thread that cannot start.
    pub fn start(plan: Plan, sinks: Vec<Box<dyn Sink>>) -> Result<Self, StartError> {
        Self::start_at(1, plan, sinks)
    }

    /// The same with a plan that is called this version: the numbers go on where an earlier edge has left them.
    ///
    /// # Errors
    /// As [`Edge::start`].
    pub fn start_at(version: u64, mut plan: Plan, sinks: Vec<Box<dyn Sink>>) -> Result<Self, StartError> {
        let mut listeners = Vec::new();
        let mut ours = HashSet::new();
        for _ in &sinks {
            // The first round turns port 0 into a number, which the others share.
            listeners.push(bind_all(&mut plan, &HashSet::new(), &mut ours)?);
        }
        let edition = Arc::new(Edition::first(plan, version).map_err(failed("cannot prepare the development CA"))?);
        let guard = Guard::open(&edition.plan.server.data_dir).map_err(failed("cannot prepare the guards"))?;
        let counts = Arc::new(Counts::new(guard));
        counts.plan_version.store(version, Ordering::Relaxed);
        let (ready, started) = mpsc::channel();
        let mut workers = Vec::new();
        for (index, (sink, listeners)) in sinks.into_iter().zip(listeners).enumerate() {
            let (commands, inbox) = unbounded_channel();
            let start = Start {
                index,
                edition: Arc::clone(&edition),
                listeners,
                counts: Arc::clone(&counts),
                sink,
                commands: inbox,
                ready: ready.clone(),
            };
            let thread = std::thread::Builder::new()
                .name(format!("edge-{index}"))
                .spawn(move || thread::run(start))
                .map_err(failed("cannot start a thread"))?;
            workers.push(WorkerThread { commands, thread });
        }
        drop(ready);
        started.into_iter().collect::<io::Result<()>>().map_err(failed("cannot start a worker"))?;
        let editions = Editions { current: edition, trial: None, latest: version };
        Ok(Self { workers: Mutex::new(workers), counts, editions: Mutex::new(editions) })
    }

    /// The addresses served over HTTP.
    pub fn http(&self) -> Vec<SocketAddr> {
        self.current().plan.server.http.clone()
    }

    /// The addresses served over HTTPS.
    pub fn https(&self) -> Vec<SocketAddr> {
        self.current().plan.server.https.clone()
    }

    /// Looks at the plan that serves everybody.
    pub fn look<T>(&self, look: impl FnOnce(&Plan) -> T) -> T {
        look(&self.current().plan)
    }

    /// What makes this one request be served as a replay says: the value of the field [`replay::FIELD`](crate::replay::FIELD),
    /// good for a minute. A version that it names must be [held](Self::hold).
    ///
    /// # Errors
    /// Too many parts, or one whose name cannot be one.
    pub fn sign(&self, replay: &Replay, copy: Copy<'_>, now: Moment) -> Result<String, Unsigned> {
        self.counts.guard.replays.sign(replay, copy, now)
    }

    /// Has a plan ready for replays that name its version; visitors are not served by it, and its listeners stay closed. The
    /// four latest are kept.
    ///
    /// # Errors
    /// What it needs cannot be prepared.
    pub fn hold(&self, version: u64, plan: Plan) -> Result<(), StartError> {
        let current = self.current();
        let edition = Edition::after(&current, plan, version).map_err(failed("cannot prepare the development CA"))?;
        let edition = Arc::new(edition);
        Running::new(Arc::clone(&edition)).map_err(failed("cannot prepare the plan"))?;
        for worker in self.workers().iter() {
            worker.tell(Command::Hold(Arc::clone(&edition)));
        }
        Ok(())
    }

    /// The counts that anybody may read.
    pub fn counts(&self) -> &Arc<Counts> {
        &self.counts
    }

    fn editions(&self) -> MutexGuard<'_, Editions> {
        self.editions.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn workers(&self) -> MutexGuard<'_, Vec<WorkerThread>> {
        self.workers.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn current(&self) -> Arc<Edition> {
        Arc::clone(&self.editions().current)
    }

    /// What the edge has seen of origins' certificates and of header sections near their limits.
    pub fn lookout(&self) -> Arc<Lookout> {
        Arc::clone(&self.current().lookout)
    }

    /// Runs new requests on another plan; those under way finish on the one they began with. Returns its version, the next
    /// one. A plan that was on trial is withdrawn.
    ///
    /// # Errors
    /// The same as at the start; the old plan goes on unchanged.
    pub fn reload(&self, plan: Plan) -> Result<u64, StartError> {
        let version = self.editions().latest + 1;
        self.reload_as(version, plan).map(|()| version)
    }

    /// The same with a plan that is called this version: that which runs, where only files have changed that it names.
    ///
    /// # Errors
    /// As [`Edge::reload`].
    pub fn reload_as(&self, version: u64, plan: Plan) -> Result<(), StartError> {
        let mut editions = self.editions();
        let workers = self.workers();
        let open = editions.doors();
        let (edition, fresh) = prepare(&editions.current, plan, version, &open, workers.len())?;
        let wanted = doors(&edition.plan);
        for (worker, listen) in workers.iter().zip(fresh) {
            let close = open.difference(&wanted).copied().collect();
            worker.tell(Command::Swap { edition: Arc::clone(&edition), listen, close });
        }
        self.counts.plan_version.store(version, Ordering::Relaxed);
        *editions = Editions { current: edition, trial: None, latest: editions.latest.max(version) };
        Ok(())
    }

    /// Runs the new requests of some visitors on another plan, beside the one that runs on. Its listeners are opened, and
    /// whoever comes in by one of those is among the visitors. A plan that was on trial before is withdrawn.
    ///
    /// # Errors
    /// The same as at the start; nothing is tried then, and what ran goes on unchanged.
    pub fn begin_trial(&self, version: u64, plan: Plan, spread: Spread) -> Result<(), StartError> {
        self.withdraw();
        let mut editions = self.editions();
        let workers = self.workers();
        let (edition, fresh) = prepare(&editions.current, plan, version, &editions.doors(), workers.len())?;
        let windows = windows(&editions.current, &edition, workers.len());
        for ((worker, listen), window) in workers.iter().zip(fresh).zip(&windows) {
            worker.tell(Command::Try { edition: Arc::clone(&edition), spread, window: Arc::clone(window), listen });
        }
        editions.trial = Some(OnTrial { edition, windows });
        editions.latest = editions.latest.max(version);
        Ok(())
    }

    /// Gives the plan on trial, if there is one, this share of the visitors. What came of both is counted anew.
    pub fn widen(&self, share: Share) {
        let mut editions = self.editions();
        let workers = self.workers();
        let current = Arc::clone(&editions.current);
        let Some(trial) = &mut editions.trial else { return };
        trial.windows = windows(&current, &trial.edition, workers.len());
        for (worker, window) in workers.iter().zip(&trial.windows) {
            worker.tell(Command::Widen { share, window: Arc::clone(window) });
        }
    }

    /// What came of the requests under either plan since the trial began or was widened; `None` without one.
    pub fn compare(&self) -> Option<Compared> {
        self.editions().trial.as_ref().map(|trial| Window::sum(&trial.windows))
    }

    /// Runs every new request on the plan on trial. Its version, if there was one.
    pub fn promote(&self) -> Option<u64> {
        let mut editions = self.editions();
        let workers = self.workers();
        let open = editions.doors();
        let edition = editions.trial.take()?.edition;
        let wanted = doors(&edition.plan);
        for worker in workers.iter() {
            let close = open.difference(&wanted).copied().collect();
            worker.tell(Command::Swap { edition: Arc::clone(&edition), listen: Vec::new(), close });
        }
        self.counts.plan_version.store(edition.version, Ordering::Relaxed);
        let version = edition.version;
        editions.current = edition;
        Some(version)
    }

    /// Runs no new request on the plan on trial. Its version, if there was one.
    pub fn withdraw(&self) -> Option<u64> {
        let mut editions = self.editions();
        let workers = self.workers();
        let open = editions.doors();
        let edition = editions.trial.take()?.edition;
        let wanted = doors(&editions.current.plan);
        for worker in workers.iter() {
            worker.tell(Command::Withdraw { close: open.difference(&wanted).copied().collect() });
        }
        Some(edition.version)
    }

    /// The keys that another plan changes and a running edge cannot: their threads, files and ports are in use.
    pub fn fixed_changes(&self, plan: &Plan) -> Vec<&'static str> {
        let current = self.current();
        let (now, then) = (&current.plan, plan);
        let changes = [
            ("server.threads", now.server.threads != then.server.threads),
            ("server.admin", now.server.admin != then.server.admin),
            ("server.data_dir", now.server.data_dir != then.server.data_dir),
            ("log.requests", now.log.requests != then.log.requests),
            ("store", now.sight.store != then.sight.store),
            ("logpush", now.sight.logpush != then.sight.logpush),
            ("trace.endpoint", now.sight.trace.endpoint != then.sight.trace.endpoint),
            ("trace.headers", now.sight.trace.headers != then.sight.trace.headers),
        ];
        changes.into_iter().filter(|(_, changed)| *changed).map(|(key, _)| key).collect()
    }

    /// Ends the drain time now.
    pub fn hurry(&self) {
        self.counts.hurry.store(true, Ordering::Relaxed);
    }

    /// Takes no more visitors, lets those there are finish for at most `drain`, and returns when all workers have ended.
    pub fn stop(&self, drain: Duration) {
        let deadline = Instant::now() + drain;
        let workers = std::mem::take(&mut *self.workers());
        for worker in &workers {
            worker.tell(Command::Drain(deadline));
        }
        for worker in workers {
            if worker.thread.join().is_err() {
                eprintln!("rayline: a worker ended in a panic");
            }
        }
    }
}

impl WorkerThread {
    /// A worker that is gone has panicked in its own loop, which ends the process elsewhere.
    fn tell(&self, command: Command) {
        let _ = self.commands.send(command);
    }
}

/// Tries everything about a plan that could fail, and gives what each worker needs for it: the edition, and listeners
/// besides those that are open.
fn prepare(
    current: &Edition,
    mut plan: Plan,
    version: u64,
    open: &HashSet<(Door, SocketAddr)>,
    workers: usize,
) -> Result<(Arc<Edition>, Vec<Vec<Listener>>), StartError> {
    adopt_ports(&mut plan, &current.plan);
    let mut ours = open.iter().map(|(_, address)| address.port()).collect();
    let fresh = (0..workers).map(|_| bind_all(&mut plan, open, &mut ours)).collect::<Result<Vec<_>, _>>()?;
    let edition = Edition::after(current, plan, version).map_err(failed("cannot prepare the development CA"))?;
    let edition = Arc::new(edition);
    Running::new(Arc::clone(&edition)).map_err(failed("cannot prepare the plan"))?;
    Ok((edition, fresh))
}

/// Counts that begin now, one of each worker.
fn windows(old: &Edition, new: &Edition, workers: usize) -> Vec<Arc<Window>> {
    (0..workers).map(|_| Arc::new(Window::new(old.version, new.version))).collect()
}

fn doors(plan: &Plan) -> HashSet<(Door, SocketAddr)> {
    let http = plan.server.http.iter().map(|&address| (Door::Http, address));
    http.chain(plan.server.https.iter().map(|&address| (Door::Https, address))).collect()
}

/// Listeners on port 0 keep the port that they were given at the start.
fn adopt_ports(plan: &mut Plan, running: &Plan) {
    let adopt = |wanted: &mut Vec<SocketAddr>, running: &[SocketAddr]| {
        for (wanted, running) in wanted.iter_mut().zip(running) {
            if wanted.port() == 0 && wanted.ip() == running.ip() {
                wanted.set_port(running.port());
            }
        }
    };
    adopt(&mut plan.server.http, &running.server.http);
    adopt(&mut plan.server.https, &running.server.https);
}

/// Binds the plan's listeners, besides those that are open. What was port 0 has a number afterwards. `ours` are the
/// ports that this edge has listeners on already.
fn bind_all(
    plan: &mut Plan,
    open: &HashSet<(Door, SocketAddr)>,
    ours: &mut HashSet<u16>,
) -> Result<Vec<Listener>, StartError> {
    let mut listeners = Vec::new();
    for (door, addresses) in [(Door::Http, &mut plan.server.http), (Door::Https, &mut plan.server.https)] {
        for address in addresses.iter_mut().filter(|address| !open.contains(&(door, **address))) {
            if !ours.contains(&address.port()) {
                socket_on(*address, false).map_err(failed(format!("cannot listen on {address}")))?;
            }
            let listener = bind(door, *address)?;
            ours.insert(listener.address.port());
            *address = listener.address;
            listeners.push(listener);
        }
    }
    Ok(listeners)
}

/// One of several sockets on the same address: the kernel spreads visitors over them.
fn bind(door: Door, address: SocketAddr) -> Result<Listener, StartError> {
    let listen = || -> io::Result<TcpListener> {
        let socket = socket_on(address, true)?;
        socket.set_nonblocking(true)?;
        // Small answers must not wait for the acknowledgement of the last. Accepted sockets have it from the listener.
        socket.set_tcp_nodelay(true)?;
        socket.listen(BACKLOG)?;
        Ok(socket.into())
    };
    let socket = listen().map_err(failed(format!("cannot listen on {address}")))?;
    let address = socket.local_addr().map_err(failed(format!("cannot listen on {address}")))?;
    Ok(Listener { door, address, socket })
}

/// A socket bound to `address`. One that is not to be `shared` is refused where anybody listens there already, another
/// edge of the same user's included: the two would share the visitors, and each serve some of them.
fn socket_on(address: SocketAddr, shared: bool) -> io::Result<Socket> {
    let socket = Socket::new(Domain::for_address(address), Type::STREAM, Some(Protocol::TCP))?;
    socket.set_reuse_address(true)?;
    socket.set_reuse_port(shared)?;
    if address.is_ipv6() {
        // `[::]` and `0.0.0.0` are two addresses, and both can be listed.
        socket.set_only_v6(true)?;
    }
    socket.bind(&address.into())?;
    Ok(socket)
}

#[cfg(test)]
mod tests {
    use std::net::TcpStream;

    use super::*;

    #[test]
    fn accepted_sockets_send_small_answers_at_once() {
        let listener = bind(Door::Http, "127.0.0.1:0".parse().unwrap()).unwrap();
        listener.socket.set_nonblocking(false).unwrap();
        let _visitor = TcpStream::connect(listener.address).unwrap();
        let (accepted, _) = listener.socket.accept().unwrap();
        assert!(accepted.nodelay().unwrap());
    }
}
