//! The demo's own visitors: a few requests to each exhibit at the start, so that the dashboard has something to show. Whoever
//! wants more, or an exhibit that takes a command, sends that.

use std::net::SocketAddr;
use std::time::Duration;

use memchr::memmem;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};

use super::exhibits::{Exhibit, Visit};

/// How long the demo sends.
pub(super) const LENGTH: Duration = Duration::from_secs(10);
/// Longer than every time-out of the demo.
const PATIENCE: Duration = Duration::from_secs(10);
/// How the demo calls itself.
const AGENT: &str = "rayline-demo/";
/// Bytes of an answer that are waited for.
const ANSWER: u64 = 256 * 1024;
/// What is asked of an exhibit that fails, each once.
const PATHS: [&str; 3] = ["/", "/cart", "/checkout?step=2"];
/// What fails more than the rest, and what works, so that there is something to compare: how many times as often.
const BUSY: [(&str, usize); 5] = [("ok", 40), ("ok-tls", 12), ("refused", 9), ("own-502", 5), ("truncated", 3)];
/// An exhibit whose answer has no end: every visitor of it leaves early.
const ENDLESS: &str = "events";

/// One request.
pub(super) struct Play {
    host: String,
    path: &'static str,
}

/// What is to be sent, in this order: everything that a plain request provokes.
pub(super) fn planned(exhibits: &[Exhibit]) -> Vec<Play> {
    let plain = exhibits.iter().filter(|exhibit| exhibit.visit == Visit::Link && exhibit.ssl != "full");
    let plain: Vec<&Exhibit> = plain.filter(|exhibit| exhibit.name != ENDLESS).collect();
    let rounds = BUSY.iter().map(|(_, times)| *times).max().unwrap_or(1);
    let asked = (0..rounds).flat_map(|round| {
        let due = plain.iter().filter(move |exhibit| round < times(exhibit));
        due.flat_map(|exhibit| PATHS.map(|path| Play { host: format!("{}.demo.localhost", exhibit.name), path }))
    });
    asked.collect()
}

fn times(exhibit: &Exhibit) -> usize {
    BUSY.iter().find(|(name, _)| *name == exhibit.name).map_or(1, |(_, times)| *times)
}

/// Sends them from now on, evenly; dropping what this returns ends it.
pub(super) fn send(plays: Vec<Play>, edge: SocketAddr) -> JoinSet<()> {
    let mut sending = JoinSet::new();
    let pause = LENGTH / u32::try_from(plays.len().max(1)).unwrap_or(u32::MAX);
    sending.spawn(async move {
        let mut open = JoinSet::new();
        for play in plays {
            open.spawn(async move {
                // whatever comes of it is what the exhibit shows
                let _ = timeout(PATIENCE, ask(edge, &play)).await;
            });
            sleep(pause).await;
            while open.try_join_next().is_some() {}
        }
        open.join_all().await;
    });
    sending
}

async fn ask(edge: SocketAddr, play: &Play) -> std::io::Result<()> {
    let mut stream = TcpStream::connect(edge).await?;
    let (host, path, port, version) = (&play.host, play.path, edge.port(), env!("CARGO_PKG_VERSION"));
    let request = format!(
        "GET {path} HTTP/1.1\r\nHost: {host}:{port}\r\nUser-Agent: {AGENT}{version}\r\nConnection: close\r\n\r\n"
    );
    stream.write_all(request.as_bytes()).await?;
    tokio::io::copy(&mut stream.take(ANSWER), &mut tokio::io::sink()).await?;
    Ok(())
}

/// Whether a line of the request log is of one of these requests.
pub(super) fn is_own(line: &[u8]) -> bool {
    memmem::find(line, b"\"ClientRequestUserAgent\":\"rayline-demo/").is_some()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn own_requests_are_known_by_their_agent() {
        let line = format!("{{\"ClientRequestUserAgent\":\"{AGENT}1.0\",\"RayID\":\"1\"}}");
        assert!(is_own(line.as_bytes()));
        assert!(!is_own(b"{\"ClientRequestUserAgent\":\"curl/8\",\"ClientRequestURI\":\"/rayline-demo/\"}"));
    }
}
