//! A log of five gigabytes: it is read from its end, and no more of it than is needed.

use std::fs::File;
use std::io::{Seek as _, SeekFrom, Write as _};
use std::process::Command;

use serde_json::Value;
use tempfile::TempDir;

/// The log's length in bytes; all but its end is a hole, which takes no room.
const LENGTH: u64 = 5 << 30;
/// The most of it that is read, in bytes, with what a program reads besides.
const READ: u64 = 300 << 20;

#[test]
fn a_log_of_five_gigabytes_is_read_from_its_end() {
    let folder = TempDir::with_prefix("rayline-lab-").unwrap();
    let path = folder.path().join("error.log");
    let mut log = File::create(&path).unwrap();
    log.seek(SeekFrom::Start(LENGTH)).unwrap();
    for second in 10..20 {
        writeln!(
            log,
            "\n2026/11/21 14:22:{second} [error] 31#31: *1 connect() failed (111: Connection refused) while connecting to \
             upstream, client: 192.0.2.1, server: www.example.com, request: \"GET / HTTP/1.1\", upstream: \
             \"http://127.0.0.1:3000/\", host: \"www.example.com\""
        )
        .unwrap();
    }
    // The shell's account has that of the program which it waited for.
    let script = "\"$0\" logs \"$1\" --json; cat /proc/$$/io >&2";
    let program = rayline_lab::program::rayline(false).unwrap();
    let output = Command::new("sh").args(["-c", script]).arg(program).arg(&path).output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    let answer: Value = serde_json::from_slice(&output.stdout).unwrap_or_else(|error| panic!("{error}: {said}"));
    let first = &answer["named"][0];
    assert_eq!((&first["name"], &first["count"]), (&"server.upstream_refused".into(), &10.into()), "{answer:#}");
    let read = said.lines().find_map(|line| line.strip_prefix("rchar: ")).and_then(|read| read.parse::<u64>().ok());
    assert!(read.is_some_and(|read| read < READ), "{said}");
}
