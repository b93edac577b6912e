//! Processes of the laboratory: started with their output in a file, ready when they listen, gone when dropped.

use std::fs::File;
use std::io;
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// How long a server may take until it listens.
const READY: Duration = Duration::from_secs(20);

/// A loopback port that was free a moment ago.
///
/// # Errors
/// The system has none.
pub fn free_port() -> io::Result<u16> {
    Ok(TcpListener::bind(("127.0.0.1", 0))?.local_addr()?.port())
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
        let deadline = Instant::now() + READY;
        while TcpStream::connect_timeout(&address, Duration::from_secs(1)).is_err() {
            if let Some(status) = self.child.try_wait()? {
                return Err(io::Error::other(format!("ended with {status}: {}", self.printed())));
            }
            if Instant::now() > deadline {
                return Err(io::Error::other(format!("does not listen at {address}: {}", self.printed())));
            }
            std::thread::sleep(Duration::from_millis(10));
        }
        Ok(())
    }

    /// The process that was started; servers' workers are its children.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// What it printed so far.
    pub fn printed(&self) -> String {
        std::fs::read(&self.output).map(|bytes| String::from_utf8_lossy(&bytes).into_owned()).unwrap_or_default()
    }

    /// Sends a signal, such as `libc::SIGTERM`, to the process that was started.
    ///
    /// # Errors
    /// It is gone.
    pub fn signal(&self, signal: &str) -> io::Result<()> {
        run(Command::new("kill").args([format!("-{signal}"), self.child.id().to_string()])).map(drop)
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
        let _ = run(Command::new("kill").args(["-KILL".to_owned(), "--".to_owned(), format!("-{}", self.child.id())]));
        let _ = self.child.wait();
    }
}

/// Runs a command to its end and returns what it printed.
///
/// # Errors
/// It cannot be started, or did not succeed; with what it said.
pub fn run(command: &mut Command) -> io::Result<String> {
    let shown = format!("{command:?}");
    let output = command.stdin(Stdio::null()).output().map_err(|error| io::Error::other(format!("{shown}: {error}")))?;
    if output.status.success() {
        return Ok(String::from_utf8_lossy(&output.stdout).into_owned());
    }
    let said = String::from_utf8_lossy(&output.stderr).into_owned() + &String::from_utf8_lossy(&output.stdout);
    Err(io::Error::other(format!("{shown} ended with {}: {said}", output.status)))
}
