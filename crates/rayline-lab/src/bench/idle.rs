//! Visitors who ask once and stay: what each costs in memory.

use std::io;
use std::net::SocketAddr;
use std::process::Command;
use std::sync::Arc;
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::sync::Semaphore;
use tokio::task::JoinSet;

use super::load::HOST;
use super::scenario::Question;
use crate::process::run;

/// How many connect at the same time.
const AT_ONCE: usize = 64;
/// How long one may take to be answered.
const PATIENCE: Duration = Duration::from_secs(20);

/// Lets this process and those it starts open at least `files` files.
///
/// # Errors
/// The limit is lower and may not be raised.
pub(crate) fn allow_files(files: u32) -> io::Result<()> {
    let id = std::process::id().to_string();
    let limit =
        run(Command::new("prlimit").args(["--pid", &id, "--nofile", "--raw", "--noheadings", "--output", "SOFT"]))?;
    if limit.trim() == "unlimited" || limit.trim().parse::<u32>().is_ok_and(|limit| limit >= files) {
        return Ok(());
    }
    run(Command::new("prlimit").args(["--pid", &id, &format!("--nofile={files}:{files}")])).map(drop)
}

/// Connects `count` visitors to `address`, each of which asks `question` once, and does `meanwhile` while all stay.
///
/// # Errors
/// One is not answered.
pub(crate) fn stay<T>(
    address: SocketAddr,
    count: u32,
    question: Question,
    meanwhile: impl FnOnce() -> io::Result<T>,
) -> io::Result<T> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let visitors = runtime.block_on(async move {
        let turn = Arc::new(Semaphore::new(AT_ONCE));
        let mut set = JoinSet::new();
        for _ in 0..count {
            let turn = Arc::clone(&turn);
            set.spawn(async move {
                let _turn = turn.acquire_owned().await.map_err(io::Error::other)?;
                let asked = tokio::time::timeout(PATIENCE, ask(address, question)).await;
                asked.map_err(|_| io::Error::other("a visitor was not answered"))?
            });
        }
        let mut visitors = Vec::new();
        while let Some(visitor) = set.join_next().await {
            visitors.push(visitor.map_err(io::Error::other)??);
        }
        Ok::<_, io::Error>(visitors)
    })?;
    let out = meanwhile();
    drop(visitors);
    out
}

/// Asks once and reads the answer to its end, which is known by its length.
async fn ask(address: SocketAddr, question: Question) -> io::Result<TcpStream> {
    let mut stream = TcpStream::connect(address).await?;
    stream.write_all(format!("GET {} HTTP/1.1\r\nHost: {HOST}\r\n\r\n", question.path).as_bytes()).await?;
    let mut answer = Vec::new();
    loop {
        if stream.read_buf(&mut answer).await? == 0 {
            return Err(io::Error::other("a visitor's connection was closed"));
        }
        let head = answer.windows(4).position(|window| window == b"\r\n\r\n");
        if head.is_some_and(|head| answer.len() >= head + 4 + question.answer) {
            return Ok(stream);
        }
    }
}
