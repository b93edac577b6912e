//! What an origin does to those who connect: a script of steps under a stable name.
//!
//! Each family of faults is a table of its own in a module below; all of them are made of the same few [`Step`]s, played by
//! `play.rs`. A script has no choice and no random in it: each connection sees the same steps from the first one on.

use std::time::Duration;

use bytes::Bytes;

use crate::certs::{Authority, Flaw};
use crate::http2::Serving;
use crate::loss::Loss;
use crate::tls::Tls;
use answer::Answer;

pub(crate) mod answer;
mod body;
mod close;
mod good;
mod head;
mod http2;
mod stall;
pub(crate) mod tls;
mod vanish;

/// One thing that an origin does on a connection. What comes after the last step is the first one again, once the client
/// sends another request.
#[derive(Debug, Clone)]
pub enum Step {
    /// Reads the head of a request and keeps a record of it.
    ReadHead,
    /// Reads the body of the request to its end.
    ReadBody,
    /// Reads so many bytes of whatever comes.
    ReadBytes(usize),
    /// Reads one TLS record, which from a client is its `ClientHello`.
    ReadHello,
    /// Sends these bytes as they are.
    Send(Bytes),
    /// Sends these bytes as they are over TCP, past TLS.
    SendPastTls(Bytes),
    /// Sends these bytes again and again until the client leaves, with a pause after each time.
    Repeat(Bytes, Duration),
    /// Does nothing for a while.
    Pause(Duration),
    /// Reads a whole request, unless its head was read already, and answers as HTTP wants it.
    Answer(Answer),
    /// Speaks HTTP/2 to the end of the connection, if that was agreed on by ALPN or if the client begins with its preface, and
    /// does nothing otherwise.
    Http2(Serving),
    /// Keeps the connection open, neither reading nor sending, until the client leaves.
    Hold,
    /// Closes in good order (over TLS with `close_notify`).
    Fin,
    /// Closes the TCP connection in good order, but over TLS without `close_notify`.
    Cut,
    /// Resets the connection.
    Reset,
    /// From now on the kernel drops whatever arrives for this connection: the machine has vanished. Linux only.
    Vanish,
}

impl Step {
    /// [`Step::Send`] of what turns into bytes.
    pub fn send(bytes: impl Into<Bytes>) -> Self {
        Self::Send(bytes.into())
    }
}

/// Whether and how an origin takes connections.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Door {
    Open,
    /// Nobody listens.
    Closed,
    /// Somebody listens but never accepts, and the queue is full.
    Full,
}

/// What an origin does, with a name and a sentence that say it.
#[derive(Debug, Clone)]
pub struct Script {
    name: &'static str,
    what: &'static str,
    pub(crate) door: Door,
    pub(crate) steps: Vec<Step>,
    pub(crate) tls: Option<Tls>,
    pub(crate) receive_buffer: Option<usize>,
    pub(crate) loss: Option<Loss>,
    https: bool,
}

impl Script {
    /// A script of one's own. `name` is kebab-case; `what` completes the sentence "the origin …".
    pub fn new(name: &'static str, what: &'static str, steps: impl IntoIterator<Item = Step>) -> Self {
        Self {
            name,
            what,
            door: Door::Open,
            steps: steps.into_iter().collect(),
            tls: None,
            receive_buffer: None,
            loss: None,
            https: false,
        }
    }

    /// The same steps inside a real TLS session, under the same name.
    #[must_use]
    pub fn over_tls(mut self, tls: Tls) -> Self {
        self.tls = Some(tls);
        self.https = true;
        self
    }

    /// The same steps under another name.
    #[must_use]
    pub fn called(mut self, name: &'static str, what: &'static str) -> Self {
        self.name = name;
        self.what = what;
        self
    }

    /// Limits the kernel's receive buffer to about `bytes`, so that an origin that does not read soon closes its window.
    #[must_use]
    pub fn receive_buffer(mut self, bytes: usize) -> Self {
        self.receive_buffer = Some(bytes);
        self
    }

    /// Has the kernel drop what arrives at the port, on Linux.
    fn losing(mut self, loss: Loss) -> Self {
        self.loss = Some(loss);
        self
    }

    fn behind(mut self, door: Door) -> Self {
        self.door = door;
        self
    }

    /// Marks steps that are themselves what a TLS client meets.
    fn raw_tls(mut self) -> Self {
        self.https = true;
        self
    }

    /// Whether playing it takes a kernel that lets us drop packets, see [`can_vanish`](crate::can_vanish).
    pub fn vanishes(&self) -> bool {
        self.loss.is_some() || self.steps.iter().any(|step| matches!(step, Step::Vanish))
    }

    /// The stable name, in kebab-case: `half-header`.
    pub fn name(&self) -> &'static str {
        self.name
    }

    /// What the origin does, completing the sentence "the origin …".
    pub fn what(&self) -> &'static str {
        self.what
    }

    /// How a client has to speak to meet this script as it is meant: `http` or `https`.
    pub fn scheme(&self) -> &'static str {
        if self.https { "https" } else { "http" }
    }

    /// All scripts with their usual parameters; those over TLS present certificates of `authority` for `names`.
    ///
    /// # Errors
    /// When a certificate cannot be made for `names`.
    pub fn catalogue(authority: &Authority, names: &[&str]) -> std::io::Result<Vec<Self>> {
        let good = authority.issue(Flaw::None, names)?;
        let mut all = Vec::new();
        all.extend(good::all());
        all.extend(close::all());
        all.extend(head::all());
        all.extend(stall::all());
        all.extend(vanish::all());
        all.extend(body::all());
        all.extend(tls::all(&good, authority));
        all.extend(http2::all(&good));
        for flaw in Flaw::ALL {
            all.push(Self::certificate(&authority.issue(flaw, names)?));
        }
        Ok(all)
    }
}
