//! A site of a test's own: it answers each request as a function says.

use std::cell::RefCell;
use std::net::SocketAddr;
use std::rc::Rc;

use rayline_diagnose::Case;
use rayline_diagnose::probe::{Probe, Watcher};
use std::time::Duration;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

/// The name that tests ask for.
pub(crate) const HOST: &str = "shop.test";
/// Enough on loopback for what answers.
pub(crate) const PATIENCE: Duration = Duration::from_secs(10);

/// A case of this URL; its host leads to `address`.
pub(crate) fn case(url: &str, address: SocketAddr) -> Case {
    let url: url::Url = url.replace("PORT", &address.port().to_string()).parse().unwrap();
    let resolved = [HOST, "www.shop.test"].map(|host| format!("{host}:{}:{}", address.port(), address.ip()));
    let resolved = resolved.iter().map(|resolve| resolve.parse().unwrap()).collect();
    Case { resolved, timeout: PATIENCE, samples: 4, ..Case::new(url) }
}

/// An answer with these fields, each with its line end, and this body.
pub(crate) fn answer(status: u16, fields: &str, body: &str) -> String {
    format!("HTTP/1.1 {status} Said\r\n{fields}Content-Length: {}\r\n\r\n{body}", body.len())
}

/// An answer of the library of pages, such as `cloudflare/521-branded`.
pub(crate) fn page(name: &str) -> String {
    let path = format!("{}/tests/data/pages/{name}.http", env!("CARGO_MANIFEST_DIR"));
    let text = std::fs::read_to_string(path).unwrap();
    let (head, body) = text.split_once("\n\n").unwrap();
    format!("{}\r\nContent-Length: {}\r\n\r\n{body}", head.replace('\n', "\r\n"), body.len())
}

/// A server of HTTP/1.1 on loopback. It closes when dropped.
pub(crate) struct Site {
    pub(crate) address: SocketAddr,
    task: JoinHandle<()>,
}

impl Site {
    /// Answers with what `answer` makes of each request's head. An empty answer closes the connection.
    pub(crate) async fn start(answer: impl FnMut(&str) -> String + Send + 'static) -> Self {
        Self::start_on(([127, 0, 0, 1], 0).into(), answer).await
    }

    /// The same at this address.
    pub(crate) async fn start_on(address: SocketAddr, answer: impl FnMut(&str) -> String + Send + 'static) -> Self {
        let listener = TcpListener::bind(address).await.unwrap();
        let address = listener.local_addr().unwrap();
        let answer = std::sync::Arc::new(std::sync::Mutex::new(answer));
        let task = tokio::spawn(async move {
            let mut connections = tokio::task::JoinSet::new();
            while let Ok((stream, _)) = listener.accept().await {
                connections.spawn(attend(stream, std::sync::Arc::clone(&answer)));
            }
        });
        Self { address, task }
    }
}

impl Drop for Site {
    fn drop(&mut self) {
        self.task.abort();
    }
}

fn answer_to_tls() -> String {
    answer(400, "Connection: close\r\n", "this is no port for TLS")
}

async fn attend<F: FnMut(&str) -> String>(mut stream: TcpStream, answer: std::sync::Arc<std::sync::Mutex<F>>) {
    let mut input = Vec::new();
    loop {
        while !input.windows(4).any(|end| end == b"\r\n\r\n") {
            if !matches!(stream.read_buf(&mut input).await, Ok(1..)) {
                return;
            }
            // As web servers do to who speaks TLS to their plain port.
            if input.first() == Some(&0x16) {
                let _ = stream.write_all(answer_to_tls().as_bytes()).await;
                return;
            }
        }
        let text = answer.lock().unwrap()(&String::from_utf8_lossy(&input));
        input.clear();
        if text.is_empty() || stream.write_all(text.as_bytes()).await.is_err() {
            return;
        }
    }
}

/// Keeps what it is told.
#[derive(Clone, Default)]
pub(crate) struct Notes(Rc<RefCell<Vec<String>>>);

impl Notes {
    pub(crate) fn all(&self) -> Vec<String> {
        self.0.borrow().clone()
    }
}

impl Watcher for Notes {
    fn began(&self, name: &str, _doing: &str) {
        self.0.borrow_mut().push(format!("+{name}"));
    }

    fn went_on(&self, _name: &str, _done: u64, _of: Option<u64>) {}

    fn ended(&self, probe: &Probe) {
        self.0.borrow_mut().push(format!("-{}", probe.name));
    }
}

/// The probe of this name.
pub(crate) fn probe<'a>(probes: &'a [Probe], name: &str) -> &'a Probe {
    probes.iter().find(|probe| probe.name == name).ok_or_else(|| format!("no `{name}`: {probes:#?}")).unwrap()
}
