//! Processes of the laboratory: started with their output in a file, ready when they listen, gone when dropped.

use std::collections::hash_map::RandomState;
use std::fs::File;
use std::hash::{BuildHasher as _, Hasher as _};
use std::io;
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream, UdpSocket};
use std::os::unix::fs::MetadataExt as _;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// How long a server may take until it listens.
const READY: Duration = Duration::from_secs(20);

/// The lowest port that is handed out.
const LOWEST_PORT: u16 = 10_000;
/// How many ports are tried before there is none.
const PORTS_TRIED: usize = 1_000;

/// The marks of the ports that this process was given.
static GIVEN: Mutex<Vec<UdpSocket>> = Mutex::new(Vec::new());
/// Where a port that was handed out is marked: at an address that nothing else here uses, and for UDP.
const MARKS: Ipv4Addr = Ipv4Addr::new(127, 19, 88, 1);

/// A loopback port that was free a moment ago, and that nobody else who asks here is given while this process lives.
///
/// It is none of those that the system gives to outgoing connections, thousands of which come and go beside the tests
/// and would take it before the server does. Servers that are stopped leave theirs free: nobody must listen there then.
///
/// # Errors
/// The system has none.
pub fn free_port() -> io::Result<u16> {
    let range = std::fs::read_to_string("/proc/sys/net/ipv4/ip_local_port_range").unwrap_or_default();
    let end = range.split_whitespace().next().and_then(|lowest| lowest.parse().ok()).unwrap_or(32_768);
    let count = u64::from(u16::max(end, LOWEST_PORT + 1) - LOWEST_PORT);
    for _ in 0..PORTS_TRIED {
        // Every `RandomState` has other keys: the only randomness in the standard library.
        let random = RandomState::new().build_hasher().finish() % count;
        let port = LOWEST_PORT.saturating_add(u16::try_from(random).unwrap_or_default());
        let Ok(mark) = UdpSocket::bind((MARKS, port)) else { continue };
        if TcpListener::bind(("127.0.0.1", port)).is_ok() {
            GIVEN.lock().unwrap_or_else(PoisonError::into_inner).push(mark);
            return Ok(port);
        }
    }
    Err(io::Error::new(io::ErrorKind::AddrInUse, "no loopback port is free"))
}

/// Whether root runs this.
pub fn is_root() -> bool {
    std::fs::metadata("/proc/self").is_ok_and(|process| process.uid() == 0)
}

/// Whether there is a program of this name on the `PATH`, or in the places where Debian keeps servers.
pub fn find(program: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let debian = ["/usr/sbin", "/usr/local/sbin", "/sbin"].map(PathBuf::from);
    std::env::split_paths(&path).chain(debian).map(|folder| folder.join(program)).find(|file| file.is_file())
}

/// A running process with all its children. Dropping it ends them.
#[derive(Debug)]
pub struct Process {
    child: Child,
    output: PathBuf,
}

impl Process {
    /// Starts `command` in a process group of its own, its output in `output`.
    ///
    /// # Errors
    /// It cannot be started.
    pub fn start(command: &mut Command, output: &Path) -> io::Result<Self> {
        let file = File::create(output)?;
        let child = command.stdin(Stdio::null()).stdout(file.try_clone()?).stderr(file).process_group(0).spawn()?;
        Ok(Self { child, output: output.to_owned() })
    }

    /// Waits until it listens at `address`.
    ///
    /// # Errors
    /// It ended, or did not within 20 s; with what it printed.
    pub fn listens(&mut self, address: SocketAddr) -> io::Result<()> {
        self.until(&format!("does not listen at {address}"), |_| {
            let stream = TcpStream::connect_timeout(&address, Duration::from_secs(1)).ok()?;
            // Where nobody listens yet, a connection may happen to be from this very port, and meets itself.
            (stream.local_addr().ok()? != address).then_some(())
        })?;
        // Somebody else may listen where it could not.
        self.until("is not running", |_| Some(()))
    }

    /// Waits until `ready` finds something.
    ///
    /// # Errors
    /// The process ended, or nothing was found within 20 s: `otherwise`, with what it printed.
    pub fn until<T>(&mut self, otherwise: &str, mut ready: impl FnMut(&Self) -> Option<T>) -> io::Result<T> {
        let deadline = Instant::now() + READY;
        loop {
            if let Some(status) = self.child.try_wait()? {
                return Err(io::Error::other(format!("ended with {status}: {}", self.printed())));
            }
            if let Some(found) = ready(self) {
                return Ok(found);
            }
            if Instant::now() > deadline {
                return Err(io::Error::other(format!("{otherwise}: {}", self.printed())));
            }
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    /// The process that was started; servers' workers are its children.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// What it printed so far.
    pub fn printed(&self) -> String {
        std::fs::read(&self.output).map(|bytes| String::from_utf8_lossy(&bytes).into_owned()).unwrap_or_default()
    }

    /// Sends a signal, such as `TERM`, to the process that was started.
    ///
    /// # Errors
    /// It is gone.
    pub fn signal(&self, name: &str) -> io::Result<()> {
        signal(name, [self.child.id()])
    }

    /// Sends a signal to it and all its children.
    ///
    /// # Errors
    /// They are gone.
    pub fn signal_all(&self, name: &str) -> io::Result<()> {
        run(Command::new("kill").args([format!("-{name}"), "--".to_owned(), format!("-{}", self.child.id())])).map(drop)
    }

    /// The processes that it started itself: a server's workers.
    ///
    /// # Errors
    /// The list of processes cannot be read.
    pub fn children(&self) -> io::Result<Vec<u32>> {
        children_of(self.child.id())
    }

    /// Waits for its end.
    ///
    /// # Errors
    /// It does not end within `patience`.
    pub fn wait(&mut self, patience: Duration) -> io::Result<std::process::ExitStatus> {
        let deadline = Instant::now() + patience;
        loop {
            if let Some(status) = self.child.try_wait()? {
                return Ok(status);
            }
            if Instant::now() > deadline {
                return Err(io::Error::new(io::ErrorKind::TimedOut, "still running"));
            }
            std::thread::sleep(Duration::from_millis(10));
        }
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // The whole group: a master that is killed leaves its workers behind.
        let _ = self.signal_all("KILL");
        let _ = self.child.wait();
    }
}

/// Sends a signal to processes.
///
/// # Errors
/// One of them is gone.
pub fn signal(name: &str, processes: impl IntoIterator<Item = u32>) -> io::Result<()> {
    let processes = processes.into_iter().map(|process| process.to_string());
    run(Command::new("kill").arg(format!("-{name}")).args(processes)).map(drop)
}

/// The processes that a process started.
///
/// # Errors
/// The list of processes cannot be read.
pub fn children_of(parent: u32) -> io::Result<Vec<u32>> {
    let processes = std::fs::read_dir("/proc")?.filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok());
    Ok(processes.filter(|process| parent_of(*process) == Some(parent)).collect())
}

/// proc(5), `/proc/pid/stat`: the parent stands second behind the name, which is in parentheses and may contain some.
fn parent_of(process: u32) -> Option<u32> {
    let stat = std::fs::read_to_string(format!("/proc/{process}/stat")).ok()?;
    stat.rsplit_once(')')?.1.split_whitespace().nth(1)?.parse().ok()
}

/// Runs a command to its end and returns what it printed.
///
/// # Errors
/// It cannot be started, or did not succeed; with what it said.
pub fn run(command: &mut Command) -> io::Result<String> {
    let shown = format!("{command:?}");
    let output =
        command.stdin(Stdio::null()).output().map_err(|error| io::Error::other(format!("{shown}: {error}")))?;
    if output.status.success() {
        return Ok(String::from_utf8_lossy(&output.stdout).into_owned());
    }
    let said = if output.stderr.is_empty() { output.stdout } else { output.stderr };
    Err(io::Error::other(format!("{shown} ended with {}: {}", output.status, String::from_utf8_lossy(&said))))
}
