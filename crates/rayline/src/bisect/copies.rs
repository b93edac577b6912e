//! Copies of the failing request, each signed by the edge to go without some parts.

use std::io::{self, IsTerminal as _};
use std::net::SocketAddr;
use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};
use rayline_diagnose::bisect::Tried;
use rayline_diagnose::fetch::{Ask, Obstacle, dialer, fetch};
use rayline_diagnose::trust::Trust;
use rayline_dial::{Dialer, Protocols, Tls};
use serde_json::{Value, json};
use url::Url;

use super::{Question, patience, trouble};
use crate::cli::bisect::BisectArgs;
use crate::tail::admin::{Admin, Trouble};

/// Bytes of a body that are read: only the head tells.
const BODY_BYTES: usize = 4096;

/// What a copy was answered with.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Seen {
    /// Its status; 0 if there was no answer.
    pub(super) status: u16,
    /// The code that the edge names in `Proxy-Status`, or that of the obstacle that was met.
    pub(super) code: Option<String>,
    /// Its Ray ID.
    pub(super) ray: Option<String>,
}

impl Seen {
    pub(super) fn to_json(&self) -> Value {
        json!({ "status": self.status, "code": self.code, "ray_id": self.ray })
    }

    /// The same failure, whatever its Ray ID.
    fn is_like(&self, other: &Self) -> bool {
        self.status == other.status && self.code == other.code
    }
}

/// Where copies go, and how they are judged.
pub(super) struct Copies<'a> {
    admin: &'a Admin,
    ask: Ask,
    fields: Vec<(String, String)>,
    to: Vec<SocketAddr>,
    dialer: Dialer,
    expect: Option<u16>,
    baseline: Seen,
    sent: usize,
    progress: ProgressBar,
}

impl<'a> Copies<'a> {
    /// # Errors
    /// No listener of the edge is known for the URL's scheme.
    pub(super) async fn new(admin: &'a Admin, args: &BisectArgs, question: &Question) -> Result<Self, Trouble> {
        let to = match args.edge {
            Some(edge) => vec![edge],
            None => listeners(admin, question.url.scheme()).await?,
        };
        let timeout: Duration = patience(args);
        let ask = Ask {
            url: question.url.clone(),
            method: question.method.clone(),
            fields: Vec::new(),
            protocols: Protocols::Http1,
            // this very edge is asked: who it is needs no proof
            tls: if question.url.scheme() == "https" { Tls::Full } else { Tls::Off },
            timeout,
            body_bytes: BODY_BYTES,
        };
        let dialer = dialer(&Trust::default()).map_err(|error| trouble(error.to_string()))?;
        let progress = if io::stderr().is_terminal() { ProgressBar::new_spinner() } else { ProgressBar::hidden() };
        if let Ok(style) = ProgressStyle::with_template("{spinner} copy {pos}: {msg}") {
            progress.set_style(style);
        }
        let (fields, expect) = (question.fields.clone(), args.expect);
        Ok(Self { admin, ask, fields, to, dialer, expect, baseline: Seen::default(), sent: 0, progress })
    }

    /// Copies that were sent so far.
    pub(super) fn sent(&self) -> usize {
        self.sent
    }

    /// What everybody gets: what later copies are held against.
    ///
    /// # Errors
    /// The edge cannot be reached.
    pub(super) async fn baseline(&mut self) -> Result<Seen, Trouble> {
        self.baseline = self.send(None).await;
        if self.baseline.status == 0 && self.baseline.code.is_none() {
            return Err(trouble("the edge gave no answer in time"));
        }
        Ok(self.baseline.clone())
    }

    /// A copy without these parts, by this version.
    ///
    /// # Errors
    /// The edge does not sign it.
    pub(super) async fn tried(&mut self, off: &[&str], version: Option<u64>) -> Result<Tried, Trouble> {
        let what = match (off.len(), version) {
            (_, Some(version)) => format!("version {version}"),
            (0, None) => "everything switched on".to_owned(),
            (off, None) => format!("{off} parts switched off"),
        };
        self.progress.set_message(what);
        let (method, url) = (self.ask.method.as_str(), self.asked_url());
        let wanted = json!({ "method": method, "url": url.as_str(), "off": off, "version": version });
        let signed = self.admin.post("/api/replays", &wanted).await?;
        let text = |name: &str| signed.get(name).and_then(Value::as_str).map(str::to_owned);
        let (Some(field), Some(value)) = (text("field"), text("value")) else {
            return Err(trouble("the edge signs nothing: is it of an older version?"));
        };
        let seen = self.send(Some((field, value))).await;
        Ok(self.judged(&seen))
    }

    /// The URL as the edge is asked for it: a `Host` of one's own goes before that of the URL.
    fn asked_url(&self) -> Url {
        let mut url = self.ask.url.clone();
        if let Some((_, host)) = self.fields.iter().find(|(name, _)| name.eq_ignore_ascii_case("host")) {
            // what is no host is none that the edge serves
            let _ = url.set_host(host.split(':').next());
        }
        url
    }

    fn judged(&self, seen: &Seen) -> Tried {
        let works = match self.expect {
            Some(expected) => seen.status == expected,
            None => (100..400).contains(&seen.status) && seen.code.is_none(),
        };
        match works {
            true => Tried::Works,
            false if seen.is_like(&self.baseline) => Tried::Fails,
            false => Tried::Otherwise,
        }
    }

    async fn send(&mut self, signed: Option<(String, String)>) -> Seen {
        self.sent += 1;
        self.progress.inc(1);
        self.ask.fields = self.fields.iter().cloned().chain(signed).collect();
        match fetch(&self.ask, &self.to, &self.dialer).await.outcome {
            Ok(answer) => Seen {
                status: answer.status,
                code: answer.field("proxy-status").and_then(|value| code(&value)),
                ray: answer.field("cf-ray").map(std::borrow::Cow::into_owned),
            },
            Err(Obstacle::Fault(verdict)) => Seen { code: Some(verdict.code.name().to_owned()), ..Seen::default() },
            Err(Obstacle::Silent { .. }) => Seen { code: Some("no answer in time".to_owned()), ..Seen::default() },
        }
    }
}

impl Drop for Copies<'_> {
    fn drop(&mut self) {
        self.progress.finish_and_clear();
    }
}

/// Where the edge listens for the scheme.
async fn listeners(admin: &Admin, scheme: &str) -> Result<Vec<SocketAddr>, Trouble> {
    let status = admin.get("/api/status").await?;
    let listed = status.get(scheme).and_then(Value::as_array);
    let addresses = listed.into_iter().flatten().filter_map(|address| address.as_str()?.parse().ok());
    let addresses: Vec<SocketAddr> = addresses.map(reachable).collect();
    if addresses.is_empty() {
        let message = format!("the edge has no listener for {scheme}");
        return Err(Trouble { message, hint: Some("`--edge ADDR:PORT` says where to send the copies".to_owned()) });
    }
    Ok(addresses)
}

/// Whoever listens everywhere listens on this machine.
fn reachable(mut address: SocketAddr) -> SocketAddr {
    if address.ip().is_unspecified() {
        address.set_ip(match address {
            SocketAddr::V4(_) => std::net::Ipv4Addr::LOCALHOST.into(),
            SocketAddr::V6(_) => std::net::Ipv6Addr::LOCALHOST.into(),
        });
    }
    address
}

/// The code in our member of `Proxy-Status` (RFC 9209), the last one: `rayline; error=…; details="origin.connect.refused"`.
fn code(value: &str) -> Option<String> {
    let details = value.rsplit_once("details=\"")?.1;
    Some(details.split('"').next()?.to_owned())
}
