//! Programs that print what they know: run without input, in plain English, for a bounded time.

use std::io::Read;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

/// The most bytes of a program's output that are read.
const OUTPUT: u64 = 8 * 1024 * 1024;

/// How long a program may take.
const LIMIT: Duration = Duration::from_secs(3);

/// Why there is no output.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Failed {
    /// The program is not installed.
    NotThere,
    /// It may not, and says so.
    NotPermitted,
    /// Anything else, in its own words.
    Other(String),
}

/// What a program prints.
pub(super) fn run(program: &str, arguments: &[&str]) -> Result<String, Failed> {
    // Where the programs of the administrator are is not in everybody's path.
    let path = std::env::var("PATH").unwrap_or_default();
    let mut child = Command::new(program)
        .args(arguments)
        .env("PATH", format!("{path}:/usr/local/sbin:/usr/sbin:/sbin"))
        .env("LC_ALL", "C")
        .env("SYSTEMD_PAGER", "")
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .map_err(|error| match error.kind() {
            std::io::ErrorKind::NotFound => Failed::NotThere,
            std::io::ErrorKind::PermissionDenied => Failed::NotPermitted,
            _ => Failed::Other(error.to_string()),
        })?;
    let output = child.stdout.take().map(reader);
    let errors = child.stderr.take().map(reader);
    let until = Instant::now() + LIMIT;
    let status = loop {
        match child.try_wait() {
            Ok(Some(status)) => break Some(status),
            Ok(None) if Instant::now() < until => std::thread::sleep(Duration::from_millis(2)),
            Ok(None) | Err(_) => {
                let _ = child.kill();
                let _ = child.wait();
                break None;
            }
        }
    };
    let Some(status) = status else {
        return Err(Failed::Other(format!("`{program}` did not end within {} s", LIMIT.as_secs())));
    };
    let read = |thread: Option<std::thread::JoinHandle<String>>| {
        thread.and_then(|thread| thread.join().ok()).unwrap_or_default()
    };
    let (output, errors) = (read(output), read(errors));
    if status.success() {
        return Ok(output);
    }
    let lower = errors.to_ascii_lowercase();
    let is_forbidden = ["not permitted", "permission denied", "must be root", "are you root", "need to be root"];
    if is_forbidden.iter().any(|words| lower.contains(words)) {
        return Err(Failed::NotPermitted);
    }
    Err(Failed::Other(errors.lines().next().unwrap_or("it failed").chars().take(200).collect()))
}

fn reader(mut from: impl Read + Send + 'static) -> std::thread::JoinHandle<String> {
    std::thread::spawn(move || {
        let mut bytes = Vec::new();
        let _ = from.by_ref().take(OUTPUT).read_to_end(&mut bytes);
        // The rest is read away, so that the program can end.
        let _ = std::io::copy(&mut from, &mut std::io::sink());
        String::from_utf8_lossy(&bytes).into_owned()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_program_is_run_or_missed() {
        assert_eq!(run("echo", &["a", "b"]), Ok("a b\n".to_owned()));
        assert_eq!(run("no-such-program-anywhere", &[]), Err(Failed::NotThere));
        assert_eq!(run("sh", &["-c", "echo 'you must be root' >&2; exit 1"]), Err(Failed::NotPermitted));
        assert_eq!(run("sh", &["-c", "echo nope >&2; exit 1"]), Err(Failed::Other("nope".to_owned())));
    }
}
