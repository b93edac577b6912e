//! Asking a running edge, and asking again when it was restarted.

use std::convert::Infallible;
use std::fmt;
use std::io::{self, ErrorKind};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use bytes::Bytes;
use http_body_util::{BodyExt as _, Full, Limited};
use hyper::body::Incoming;
use hyper::client::conn::http1;
use hyper::{Method, Request, Response, StatusCode, header};
use hyper_util::rt::TokioIo;
use rayline_control::Token;
use serde_json::Value;
use tokio::net::TcpStream;
use tokio::time::{sleep, timeout};

use super::lines::Lines;
use super::printer::Printer;
use crate::output::{self, Exit, say};

/// How long the edge may take to answer at all.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(10);

/// The edge sends an empty line every 15 s: after this long without a byte it is gone.
const SILENCE: Duration = Duration::from_secs(45);

/// How often an edge that is gone is looked for.
const PAUSE: Duration = Duration::from_millis(500);

/// What may help where nobody answers.
const GONE: &str = "is `rayline serve` running, with an admin server? `--admin URL` says where";

/// Bytes of an answer that is not a tail.
const MOST_BYTES: usize = 64 * 1024;

/// Bytes of an answer with a record, or with every version.
const MOST_RESULT_BYTES: usize = 32 * 1024 * 1024;

/// An edge's admin server, and where its token lies.
pub(crate) struct Admin {
    addr: SocketAddr,
    token_file: PathBuf,
}

/// Why the edge cannot be asked, and what may help.
#[derive(Debug)]
pub(crate) struct Trouble {
    pub(crate) message: String,
    pub(crate) hint: Option<String>,
}

impl fmt::Display for Trouble {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

/// Records as they are made.
pub(crate) struct Tail {
    body: Incoming,
    lines: Lines,
}

impl Tail {
    /// Hands the lines that come next to `take`; `false` once nothing comes any more.
    pub(crate) async fn next(&mut self, mut take: impl FnMut(&[u8])) -> bool {
        let Ok(Some(Ok(frame))) = timeout(SILENCE, self.body.frame()).await else { return false };
        if let Ok(bytes) = frame.into_data() {
            let taken = self.lines.feed(&bytes, |line| {
                take(line);
                Ok::<_, Infallible>(())
            });
            taken.unwrap_or_else(|never| match never {});
        }
        true
    }
}

/// Why a tail did not begin.
enum Refusal {
    /// Nobody answers: perhaps later.
    Gone(String),
    /// The answer is no.
    Denied(Trouble),
}

impl Admin {
    pub(crate) fn new(addr: SocketAddr, token_file: PathBuf) -> Self {
        Self { addr, token_file }
    }

    /// RAYLINE_TOKEN, if it is set.
    pub(crate) fn token_in_environment() -> Option<String> {
        std::env::var("RAYLINE_TOKEN").ok().filter(|token| !token.is_empty())
    }

    /// Prints what comes until standard output is closed. An edge that goes is waited for.
    ///
    /// # Errors
    ///
    /// If standard output cannot be written.
    pub(crate) async fn follow(&self, query: &str, mut printer: Printer) -> io::Result<Exit> {
        let mut known = false;
        let mut waiting = false;
        loop {
            match self.open(query).await {
                Ok(tail) => {
                    if waiting {
                        say(&format!("the edge at {} is back", self.addr));
                    }
                    (known, waiting) = (true, false);
                    print(tail, &mut printer).await?;
                }
                Err(Refusal::Gone(why)) if known => {
                    if !waiting {
                        say(&format!("the edge at {} is gone ({why}): waiting for it", self.addr));
                        waiting = true;
                    }
                }
                Err(Refusal::Gone(why)) => {
                    output::fail(&format!("no edge answers at {}: {why}", self.addr), Some(GONE));
                    return Ok(Exit::CouldNotRun);
                }
                Err(Refusal::Denied(Trouble { message, hint })) => {
                    output::fail(&message, hint.as_deref());
                    return Ok(Exit::CouldNotRun);
                }
            }
            sleep(PAUSE).await;
        }
    }

    /// The records from now on.
    ///
    /// # Errors
    ///
    /// If the edge cannot be asked.
    pub(crate) async fn tail(&self, query: &str) -> Result<Tail, Trouble> {
        let body = self.open(query).await.map_err(|refusal| self.trouble(refusal))?;
        Ok(Tail { body, lines: Lines::default() })
    }

    /// What the edge has kept of a request: its record, as in the request log.
    ///
    /// # Errors
    ///
    /// If the edge cannot be asked, keeps nothing, or knows nothing of it.
    pub(crate) async fn ray(&self, digits: &str) -> Result<Value, Trouble> {
        let result = self.get(&format!("/api/ray/{digits}")).await?;
        let record = result.get("line").filter(|record| record.is_object());
        record
            .cloned()
            .ok_or_else(|| Trouble { message: format!("the edge at {} answers with no record", self.addr), hint: None })
    }

    /// What the edge answers to a question: the `result` of the envelope.
    ///
    /// # Errors
    ///
    /// If the edge cannot be asked, or says no.
    pub(crate) async fn get(&self, path: &str) -> Result<Value, Trouble> {
        self.result(Method::GET, path, Bytes::new()).await
    }

    /// What comes of telling the edge to do something.
    ///
    /// # Errors
    ///
    /// As [`get`](Self::get).
    pub(crate) async fn post(&self, path: &str, body: &Value) -> Result<Value, Trouble> {
        self.result(Method::POST, path, body.to_string().into()).await
    }

    async fn result(&self, method: Method, path: &str, body: Bytes) -> Result<Value, Trouble> {
        let response = self.ask(method, path, body).await.map_err(|refusal| self.trouble(refusal))?;
        if response.status() != StatusCode::OK {
            return Err(self.why(response).await);
        }
        let body = Limited::new(response.into_body(), MOST_RESULT_BYTES);
        let body = timeout(ANSWER_TIMEOUT, body.collect()).await.ok().and_then(Result::ok);
        let answer: Option<Value> = body.and_then(|body| serde_json::from_slice(&body.to_bytes()).ok());
        let result = answer.and_then(|mut answer| answer.get_mut("result").map(Value::take));
        result
            .ok_or_else(|| Trouble { message: format!("the edge at {} answers with no result", self.addr), hint: None })
    }

    fn trouble(&self, refusal: Refusal) -> Trouble {
        match refusal {
            Refusal::Gone(why) => {
                Trouble { message: format!("no edge answers at {}: {why}", self.addr), hint: Some(GONE.to_owned()) }
            }
            Refusal::Denied(trouble) => trouble,
        }
    }

    async fn open(&self, query: &str) -> Result<Incoming, Refusal> {
        let response = self.ask(Method::GET, &format!("/api/tail?{query}"), Bytes::new()).await?;
        if response.status() == StatusCode::OK {
            Ok(response.into_body())
        } else {
            Err(Refusal::Denied(self.why(response).await))
        }
    }

    /// The answer's head, whatever its status.
    async fn ask(&self, method: Method, path: &str, body: Bytes) -> Result<Response<Incoming>, Refusal> {
        let gone = |error: &dyn std::fmt::Display| Refusal::Gone(error.to_string());
        let asked = async {
            let stream = TcpStream::connect(self.addr).await.map_err(|error| gone(&error))?;
            let token = self.token().map_err(Refusal::Denied)?;
            let (mut sender, connection) =
                http1::handshake(TokioIo::new(stream)).await.map_err(|error| gone(&error))?;
            tokio::spawn(connection);
            let request = Request::builder()
                .method(method)
                .uri(path)
                .header(header::HOST, self.addr.to_string())
                .header(header::AUTHORIZATION, format!("Bearer {token}"))
                .body(Full::new(body))
                .map_err(|error| Refusal::Denied(Trouble { message: error.to_string(), hint: None }))?;
            sender.send_request(request).await.map_err(|error| gone(&error))
        };
        timeout(ANSWER_TIMEOUT, asked).await.map_err(|late| gone(&late))?
    }

    fn token(&self) -> Result<String, Trouble> {
        if let Some(token) = Self::token_in_environment() {
            return Ok(token);
        }
        Token::read(&self.token_file).map(|token| token.as_str().to_owned()).map_err(|error| Trouble {
            message: format!("cannot read the token `{}`: {error}", self.token_file.display()),
            hint: Some(
                match error.kind() {
                    ErrorKind::PermissionDenied => "run this as the user that runs the edge, or set RAYLINE_TOKEN",
                    _ => "name the edge's configuration with `--config`, or set RAYLINE_TOKEN",
                }
                .to_owned(),
            ),
        })
    }

    /// What an answer that is no tail says.
    async fn why(&self, response: Response<Incoming>) -> Trouble {
        let status = response.status();
        let body = Limited::new(response.into_body(), MOST_BYTES);
        let body = timeout(ANSWER_TIMEOUT, body.collect()).await.ok().and_then(Result::ok);
        let answer: Option<Value> = body.and_then(|body| serde_json::from_slice(&body.to_bytes()).ok());
        let messages: Vec<&str> = answer
            .as_ref()
            .and_then(|answer| answer.get("errors")?.as_array())
            .map(|errors| errors.iter().filter_map(|error| error.get("message")?.as_str()).collect())
            .unwrap_or_default();
        match messages.as_slice() {
            [] => Trouble {
                message: format!("what answers at {} is no edge's admin server: {status}", self.addr),
                hint: Some("`--admin URL` says where it is".to_owned()),
            },
            messages => Trouble {
                message: format!("the edge at {} says {}: {}", self.addr, status.as_u16(), joined(messages)),
                hint: (status == StatusCode::UNAUTHORIZED)
                    .then(|| "the token of another edge? `--config` and RAYLINE_TOKEN say which".to_owned()),
            },
        }
    }
}

/// Sentences after one another; what has lines of its own on lines of its own.
fn joined(messages: &[&str]) -> String {
    if messages.iter().any(|message| message.contains('\n')) {
        format!("\n{}", messages.join("\n\n"))
    } else {
        messages.join("; ")
    }
}

/// Prints what comes until nothing does.
async fn print(mut tail: Incoming, printer: &mut Printer) -> io::Result<()> {
    let mut lines = Lines::default();
    while let Ok(Some(Ok(frame))) = timeout(SILENCE, tail.frame()).await {
        if let Ok(bytes) = frame.into_data() {
            lines.feed(&bytes, |line| printer.tailed(line))?;
        }
    }
    Ok(())
}
