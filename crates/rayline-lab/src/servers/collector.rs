//! Who takes down what servers print, as they print it: Docker's `json-file` driver, and the journal.
//!
//! Neither runs here: Docker's file is written in the form that its documentation shows ("JSON File logging driver"), and
//! journal entries go through the tools that the journal comes with, into a real journal and out of it again.

use std::fs::File;
use std::io::{self, Read as _, Seek as _, SeekFrom, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

use tempfile::TempDir;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use super::{Unstarted, installed};
use crate::process::{find, run};

/// What makes a journal of entries; it is on nobody's `PATH`.
const WRITER: &str = "/usr/lib/systemd/systemd-journal-remote";
/// How often it is looked for new lines.
const TICK: Duration = Duration::from_millis(10);

/// A log that goes on as long as this is there.
#[derive(Debug)]
pub struct Collector {
    over: Arc<AtomicBool>,
    thread: Option<JoinHandle<io::Result<()>>>,
    file: PathBuf,
    _folder: TempDir,
}

impl Collector {
    /// What Docker writes of a container whose main process printed this into `stdout` and `stderr`, each a file.
    ///
    /// # Errors
    /// The file cannot be made.
    pub fn docker(stdout: &Path, stderr: &Path) -> io::Result<Self> {
        let folder = TempDir::with_prefix("rayline-lab-")?;
        let path = folder.path().join("container-json.log");
        let mut file = File::create(&path)?;
        let mut streams = [("stdout", Follower::of(stdout)), ("stderr", Follower::of(stderr))];
        Ok(Self::started(folder, path, move || {
            for (stream, follower) in &mut streams {
                for line in follower.lines()? {
                    let time = now().format(&Rfc3339).map_err(io::Error::other)?;
                    writeln!(file, "{}", serde_json::json!({ "log": line, "stream": stream, "time": time }))?;
                }
            }
            Ok(())
        }))
    }

    /// What `journalctl --output=FORMAT` says of a service whose program printed this.
    ///
    /// # Errors
    /// [`Unstarted::Missing`]: the journal's tools are not installed.
    pub fn journal(program: &str, printed: &Path, format: &str) -> Result<Self, Unstarted> {
        let (reader, writer) = (installed("journalctl", "systemd")?, find(WRITER).is_some());
        if !writer {
            let (program, remedy) =
                (WRITER.to_owned(), "Debian has it in the package `systemd-journal-remote`".to_owned());
            return Err(Unstarted::Missing { program, remedy });
        }
        let folder = TempDir::with_prefix("rayline-lab-")?;
        let path = folder.path().join("journal.log");
        let mut journal = Journal::start(folder.path(), program)?;
        let (mut follower, mut told, shown) = (Follower::of(printed), true, path.clone());
        let mut show = Command::new(reader);
        show.arg("--no-pager").arg(format!("--output={format}")).arg("--file").arg(&journal.file);
        Ok(Self::started(folder, path, move || {
            for line in follower.lines()? {
                journal.enter(line.trim_end())?;
                told = false;
            }
            // Entries are there a moment after they were handed over.
            if !told && journal.file.exists() {
                let said = run(&mut show)?;
                told = said.lines().filter(|line| !line.starts_with("-- ")).count() >= journal.entries;
                // Whoever reads it meanwhile finds it whole.
                let next = shown.with_extension("next");
                std::fs::write(&next, said)?;
                std::fs::rename(next, &shown)?;
            }
            Ok(())
        }))
    }

    /// Where the log is.
    pub fn file(&self) -> &Path {
        &self.file
    }

    fn started(folder: TempDir, file: PathBuf, mut collect: impl FnMut() -> io::Result<()> + Send + 'static) -> Self {
        let over = Arc::new(AtomicBool::new(false));
        let ended = Arc::clone(&over);
        let thread = std::thread::spawn(move || {
            while !ended.load(Ordering::Relaxed) {
                collect()?;
                std::thread::sleep(TICK);
            }
            Ok(())
        });
        Self { over, thread: Some(thread), file, _folder: folder }
    }
}

impl Drop for Collector {
    fn drop(&mut self) {
        self.over.store(true, Ordering::Relaxed);
        let _ = self.thread.take().map(JoinHandle::join);
    }
}

/// Reads a file that grows, which need not be there yet.
#[derive(Debug)]
struct Follower {
    path: PathBuf,
    read: u64,
}

impl Follower {
    fn of(path: &Path) -> Self {
        Self { path: path.to_owned(), read: 0 }
    }

    /// Lines that were ended since, each with its end.
    fn lines(&mut self) -> io::Result<Vec<String>> {
        let Ok(mut file) = File::open(&self.path) else { return Ok(Vec::new()) };
        let mut text = Vec::new();
        file.seek(SeekFrom::Start(self.read))?;
        file.read_to_end(&mut text)?;
        let lines: Vec<&[u8]> =
            text.split_inclusive(|byte| *byte == b'\n').filter(|line| line.ends_with(b"\n")).collect();
        self.read += lines.iter().map(|line| line.len() as u64).sum::<u64>();
        Ok(lines.into_iter().map(|line| String::from_utf8_lossy(line).into_owned()).collect())
    }
}

/// A journal in a file of its own, written as `systemd-journald` writes what a service prints.
#[derive(Debug)]
struct Journal {
    file: PathBuf,
    program: String,
    writer: Child,
    entering: ChildStdin,
    entries: usize,
}

impl Journal {
    fn start(folder: &Path, program: &str) -> io::Result<Self> {
        let file = folder.join("shop.journal");
        let mut command = Command::new(WRITER);
        command.arg("--output").arg(&file).arg("-").stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null());
        let mut writer = command.spawn()?;
        let entering = writer.stdin.take().ok_or_else(|| io::Error::other("the journal's writer has no input"))?;
        Ok(Self { file, program: program.to_owned(), writer, entering, entries: 0 })
    }

    /// One entry in the Journal Export Format.
    fn enter(&mut self, message: &str) -> io::Result<()> {
        let (at, program) = (now().unix_timestamp_nanos() / 1000, &self.program);
        self.entries += 1;
        write!(
            self.entering,
            "__REALTIME_TIMESTAMP={at}\n__MONOTONIC_TIMESTAMP={}\n_BOOT_ID=5f7a1c0e9d3b48c2a6e1f0b4d8c7a952\n\
             _TRANSPORT=stdout\nPRIORITY=6\nSYSLOG_IDENTIFIER={program}\n_COMM={program}\n_PID={}\n\
             _HOSTNAME=shop\n_SYSTEMD_UNIT=shop.service\nMESSAGE={message}\n\n",
            self.entries,
            self.writer.id(),
        )?;
        self.entering.flush()
    }
}

impl Drop for Journal {
    fn drop(&mut self) {
        let _ = self.writer.kill();
        let _ = self.writer.wait();
    }
}

fn now() -> OffsetDateTime {
    OffsetDateTime::now_utc()
}
