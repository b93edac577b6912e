//! Copies of a failing request that an edge serves without some of its rules: what the edge has to offer, and the sending.
//!
//! How the edge is asked is for whoever knows the way to it.

use std::borrow::Cow;
use std::future::Future;
use std::net::SocketAddr;

use rayline_dial::Dialer;
use serde_json::{Value, json};
use url::Url;

use super::Tried;
use crate::fetch::{Ask, Obstacle, fetch};

/// An edge whose rules can be switched off for a single request.
pub trait Replays {
    /// Why it cannot be asked, or says no.
    type Error;

    /// The rules of the zone that a host belongs to, in the order in which they act.
    fn parts(&self, host: &str) -> impl Future<Output = Result<Vec<Part>, Self::Error>>;

    /// Where the edge itself listens for visitors by this scheme.
    fn listeners(&self, scheme: &str) -> impl Future<Output = Result<Vec<SocketAddr>, Self::Error>>;

    /// The field, by name and value, that makes one request, of this method and URL, be served without these parts, and by
    /// another version of the configuration if one is named.
    fn sign(
        &self,
        request: (&str, &Url),
        off: &[&str],
        version: Option<u64>,
    ) -> impl Future<Output = Result<(String, String), Self::Error>>;
}

/// A rule that can be switched off.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Part {
    /// What logs and verdicts name it by.
    pub id: String,
    /// Its phase, or `access`.
    pub group: String,
    /// Its description; may be empty.
    pub description: String,
    /// What it does, by the name in the API.
    pub action: String,
    /// When it does it; may be empty.
    pub expression: String,
    /// Where it is written, such as `rayline.toml:31`; empty if that is not known.
    pub place: String,
}

impl Part {
    /// One as an edge lists it.
    pub fn of(listed: &Value) -> Self {
        let text = |name: &str| listed.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
        Self {
            id: text("id"),
            group: text("group"),
            description: text("description"),
            action: text("action"),
            expression: text("expression"),
            place: text("place"),
        }
    }

    /// The same object again.
    pub fn to_json(&self) -> Value {
        let Self { id, group, description, action, expression, place } = self;
        json!({
            "id": id,
            "group": group,
            "description": description,
            "action": action,
            "expression": expression,
            "place": place,
        })
    }

    /// Its id, and where it is written.
    pub fn shown(&self) -> String {
        let place = if self.place.is_empty() { String::new() } else { format!(" ({})", self.place) };
        format!("`{}`{place}", self.id)
    }
}

/// A number for each part's group, in the order in which groups come: what [`search`](super::search) is given.
pub fn groups(parts: &[Part]) -> Vec<usize> {
    let mut known: Vec<&str> = Vec::new();
    let mut numbers = Vec::with_capacity(parts.len());
    for Part { group, .. } in parts {
        let number = known.iter().position(|name| name == group).unwrap_or_else(|| {
            known.push(group);
            known.len() - 1
        });
        numbers.push(number);
    }
    numbers
}

/// What a copy was answered with.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Reply {
    /// Its status; 0 if there was no answer.
    pub status: u16,
    /// The code that the edge names in `Proxy-Status`, or that of the obstacle that was met.
    pub code: Option<String>,
    /// Its Ray ID.
    pub ray: Option<String>,
}

impl Reply {
    /// The object in `baseline`.
    pub fn to_json(&self) -> Value {
        json!({ "status": self.status, "code": self.code, "ray_id": self.ray })
    }

    /// The status, and the code if there is one.
    pub fn shown(&self) -> String {
        let status = if self.status == 0 { "no answer".to_owned() } else { self.status.to_string() };
        let code = self.code.as_ref().map(|code| format!(", {code}")).unwrap_or_default();
        status + &code
    }

    /// The same failure, whatever its Ray ID.
    fn is_like(&self, other: &Self) -> bool {
        self.status == other.status && self.code == other.code
    }
}

/// Where copies go, and how they are judged.
pub struct Copies<'a, R> {
    replays: &'a R,
    ask: Ask,
    to: Vec<SocketAddr>,
    dialer: &'a Dialer,
    is_good: &'a dyn Fn(&Reply) -> bool,
    baseline: Reply,
    sent: u64,
    told: &'a dyn Fn(u64),
}

impl<R> std::fmt::Debug for Copies<'_, R> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Copies").field("ask", &self.ask).field("sent", &self.sent).finish_non_exhaustive()
    }
}

impl<'a, R: Replays> Copies<'a, R> {
    /// Copies of this request to these addresses. `is_good` says which replies are no failure; `told` hears how many copies
    /// were sent, at each.
    pub fn new(
        replays: &'a R,
        (ask, to, dialer): (Ask, Vec<SocketAddr>, &'a Dialer),
        is_good: &'a dyn Fn(&Reply) -> bool,
        told: &'a dyn Fn(u64),
    ) -> Self {
        Self { replays, ask, to, dialer, is_good, baseline: Reply::default(), sent: 0, told }
    }

    /// Copies that were sent so far.
    pub fn sent(&self) -> u64 {
        self.sent
    }

    /// What everybody gets: what later copies are held against.
    pub async fn baseline(&mut self) -> Reply {
        self.baseline = self.send(None).await;
        self.baseline.clone()
    }

    /// A copy without these parts, by this version.
    ///
    /// # Errors
    /// The edge does not sign it.
    pub async fn tried(&mut self, off: &[&str], version: Option<u64>) -> Result<Tried, R::Error> {
        let url = asked_url(&self.ask);
        let signed = self.replays.sign((&self.ask.method, &url), off, version).await?;
        let reply = self.send(Some(signed)).await;
        Ok(match (self.is_good)(&reply) {
            true => Tried::Works,
            false if reply.is_like(&self.baseline) => Tried::Fails,
            false => Tried::Otherwise,
        })
    }

    async fn send(&mut self, signed: Option<(String, String)>) -> Reply {
        self.sent += 1;
        (self.told)(self.sent);
        let mut ask = self.ask.clone();
        ask.fields.extend(signed);
        match fetch(&ask, &self.to, self.dialer).await.outcome {
            Ok(answer) => Reply {
                status: answer.status,
                code: answer.field("proxy-status").and_then(|value| code(&value)),
                ray: answer.field("cf-ray").map(Cow::into_owned),
            },
            Err(Obstacle::Fault(verdict)) => Reply { code: Some(verdict.code.name().to_owned()), ..Reply::default() },
            Err(Obstacle::Silent { .. }) => Reply { code: Some("no answer in time".to_owned()), ..Reply::default() },
        }
    }
}

/// The URL as the edge is asked for it: a `Host` of one's own goes before that of the URL.
fn asked_url(ask: &Ask) -> Url {
    let mut url = ask.url.clone();
    if let Some((_, host)) = ask.fields.iter().find(|(name, _)| name.eq_ignore_ascii_case("host")) {
        // what is no host is none that the edge serves
        let _ = url.set_host(host.split(':').next());
    }
    url
}

/// The code in our member of `Proxy-Status` (RFC 9209), the last one: `rayline; error=…; details="origin.connect.refused"`.
fn code(value: &str) -> Option<String> {
    let details = value.rsplit_once("details=\"")?.1;
    Some(details.split('"').next()?.to_owned())
}
