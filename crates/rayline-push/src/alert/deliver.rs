//! How a receiver is told: by HTTP, by mail, by a command. One try; when to try again is the service's business.

use std::fmt;
use std::process::Stdio;
use std::time::{Duration, SystemTime};

use bytes::Bytes;
use http::{Request, StatusCode, header};
use lettre::message::{Mailbox, header::ContentType};
use lettre::{AsyncSmtpTransport, AsyncTransport as _, Message, Tokio1Executor};
use tokio::io::AsyncWriteExt as _;
use tokio::process::Command;
use tokio::time::timeout;

use super::notice::{Notice, State};
use super::shape::{shape, text};
use crate::client::{Client, retry_after};

/// How long a mail server or a command may take.
const PATIENCE: Duration = Duration::from_secs(30);
/// Characters of what a receiver says of its refusal.
const REFUSAL: usize = 200;

/// Somebody who is told.
#[derive(Clone, PartialEq, Eq)]
pub struct Receiver {
    /// What policies name.
    pub name: String,
    /// How.
    pub address: Address,
}

/// How somebody is told. It holds secrets, so it shows nothing of itself but its kind.
#[derive(Clone, PartialEq, Eq)]
pub enum Address {
    /// Rayline's own JSON, with the secret in `cf-webhook-auth` as Cloudflare's webhooks have it.
    Webhook {
        /// Where to.
        url: String,
        /// What the receiver knows it by.
        secret: Option<String>,
    },
    /// An incoming webhook of Slack, or of what speaks like it.
    Slack {
        /// Where to.
        url: String,
    },
    /// A webhook of Discord.
    Discord {
        /// Where to.
        url: String,
    },
    /// A workflow of Teams that takes webhooks.
    Teams {
        /// Where to.
        url: String,
    },
    /// PagerDuty's Events API, version 2.
    PagerDuty {
        /// Where to.
        url: String,
        /// The integration key.
        routing_key: String,
    },
    /// Mail by SMTP.
    Email {
        /// `smtp://`, `smtps://`, with user and password.
        server: String,
        /// The sender.
        from: String,
        /// The recipients.
        to: Vec<String>,
    },
    /// A program, which gets the notice as JSON on standard input.
    Command {
        /// It and its arguments; no shell reads them.
        words: Vec<String>,
    },
}

impl Address {
    /// `type` in the configuration.
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::Webhook { .. } => "webhook",
            Self::Slack { .. } => "slack",
            Self::Discord { .. } => "discord",
            Self::Teams { .. } => "teams",
            Self::PagerDuty { .. } => "pagerduty",
            Self::Email { .. } => "email",
            Self::Command { .. } => "command",
        }
    }
}

impl fmt::Debug for Receiver {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Receiver").field("name", &self.name).field("address", &self.address).finish()
    }
}

impl fmt::Debug for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.kind())
    }
}

/// Why a receiver has not been told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Refusal {
    /// One line without secrets.
    pub(super) why: String,
    /// How long the receiver asked us to wait.
    pub(super) after: Option<Duration>,
}

impl Receiver {
    /// Tells it once.
    pub(super) async fn tell(&self, client: &Client, notice: &Notice) -> Result<(), Refusal> {
        match &self.address {
            Address::Webhook { url, .. }
            | Address::Slack { url }
            | Address::Discord { url }
            | Address::Teams { url }
            | Address::PagerDuty { url, .. } => self.post(client, url, notice).await,
            Address::Email { server, from, to } => patiently(mail(server, from, to, notice)).await,
            Address::Command { words } => patiently(run(words, notice)).await,
        }
    }

    async fn post(&self, client: &Client, url: &str, notice: &Notice) -> Result<(), Refusal> {
        let body = shape(&self.address, notice).unwrap_or_default().to_string();
        let mut request = Request::post(url)
            .header(header::CONTENT_TYPE, "application/json")
            .header(header::USER_AGENT, concat!("Rayline/", env!("CARGO_PKG_VERSION")));
        if let Address::Webhook { secret: Some(secret), .. } = &self.address {
            request = request.header("cf-webhook-auth", secret);
        }
        let request = request.body(Bytes::from(body)).map_err(|_| refusal("its URL or its secret cannot be sent"))?;
        let answer = client.send(request).await.map_err(|failure| refusal(failure.to_string()))?;
        if answer.status().is_success() {
            return Ok(());
        }
        let after = retry_after(answer.headers(), SystemTime::now());
        let said: String =
            String::from_utf8_lossy(answer.body()).chars().filter(|c| !c.is_control()).take(REFUSAL).collect();
        Err(Refusal { why: answered(answer.status(), &said), after })
    }
}

fn answered(status: StatusCode, said: &str) -> String {
    if said.is_empty() { format!("it answered {status}") } else { format!("it answered {status}: {said}") }
}

fn refusal(why: impl Into<String>) -> Refusal {
    Refusal { why: why.into(), after: None }
}

async fn patiently(telling: impl Future<Output = Result<(), Refusal>>) -> Result<(), Refusal> {
    timeout(PATIENCE, telling)
        .await
        .unwrap_or_else(|_| Err(refusal(format!("it took longer than {} s", PATIENCE.as_secs()))))
}

/// A failure to read the server's address could hold the password: it is not repeated.
async fn mail(server: &str, from: &str, to: &[String], notice: &Notice) -> Result<(), Refusal> {
    let mailbox =
        |address: &str| address.parse::<Mailbox>().map_err(|_| refusal(format!("`{address}` is no mail address")));
    let subject = match notice.state {
        State::Firing | State::Resolved => format!("[rayline] {}", notice.headline),
        State::Ongoing => format!("[rayline] still: {}", notice.headline),
    };
    // answers to the same trouble stand in one thread
    let thread = format!("<{}@rayline>", notice.id.replace(|c: char| !c.is_ascii_alphanumeric(), "-"));
    let mut message = Message::builder().from(mailbox(from)?).subject(subject).references(thread);
    for address in to {
        message = message.to(mailbox(address)?);
    }
    let message = message
        .header(ContentType::TEXT_PLAIN)
        .body(text(notice))
        .map_err(|error| refusal(format!("the mail cannot be written: {error}")))?;
    // a password never goes in the clear unless the address says so itself
    let server = match server.contains('@') && server.starts_with("smtp://") && !server.contains("tls=") {
        true => format!("{}?tls=required", server.trim_end_matches('/')),
        false => server.to_owned(),
    };
    let transport = AsyncSmtpTransport::<Tokio1Executor>::from_url(&server)
        .map_err(|_| refusal("its `url` is no mail server"))?
        .timeout(Some(PATIENCE))
        .build();
    transport.send(message).await.map(drop).map_err(|error| refusal(format!("the mail server: {error}")))
}

/// The program is killed when it takes too long.
async fn run(words: &[String], notice: &Notice) -> Result<(), Refusal> {
    let Some((program, arguments)) = words.split_first() else { return Err(refusal("there is no command")) };
    let body = serde_json::to_vec(notice).unwrap_or_default();
    let mut child = Command::new(program)
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .kill_on_drop(true)
        .spawn()
        .map_err(|error| refusal(format!("`{program}` cannot be started: {error}")))?;
    if let Some(mut input) = child.stdin.take() {
        // a program may end well without having read
        let _ = input.write_all(&body).await;
    }
    match child.wait().await {
        Ok(status) if status.success() => Ok(()),
        Ok(status) => Err(refusal(format!("`{program}` ended with {status}"))),
        Err(error) => Err(refusal(format!("`{program}`: {error}"))),
    }
}
