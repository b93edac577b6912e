//! What the shared verifiers and the shared client identity saw during one handshake.
//!
//! They are called back by rustls from inside the poll of a handshake, without a word about which one. So each poll is
//! bracketed: what they noted on this thread meanwhile belongs to the handshake that was polled.

use std::cell::RefCell;
use std::pin::Pin;
use std::task::{Context, Poll};

use rustls_pki_types::{CertificateDer, UnixTime};

use crate::tls::chain::Trust;

thread_local! {
    static NOTED: RefCell<Seen> = const { RefCell::new(Seen { asked: false, rejection: None }) };
}

/// What was seen.
#[derive(Debug, Default)]
pub(crate) struct Seen {
    /// The origin asked for a client certificate.
    pub(crate) asked: bool,
    /// The certificate that was not accepted.
    pub(crate) rejection: Option<Rejection>,
}

/// A certificate that was not accepted.
#[derive(Clone, Debug)]
pub(crate) struct Rejection {
    /// What was presented, leaf first.
    pub(crate) chain: Vec<CertificateDer<'static>>,
    /// What it was judged by.
    pub(crate) trust: Trust,
    /// When it was judged.
    pub(crate) at: UnixTime,
    /// What said that it is revoked, if that was the reason.
    pub(crate) revoked_by: Option<&'static str>,
}

/// Notes that a client certificate was asked for.
pub(crate) fn asked() {
    NOTED.with_borrow_mut(|noted| noted.asked = true);
}

/// Notes a certificate that is not accepted.
pub(crate) fn rejected(rejection: Rejection) {
    NOTED.with_borrow_mut(|noted| noted.rejection = Some(rejection));
}

/// Runs `work` and returns what was noted meanwhile.
pub(crate) fn during<T>(work: impl FnOnce() -> T) -> (T, Seen) {
    NOTED.take();
    let outcome = work();
    (outcome, NOTED.take())
}

/// A handshake that is watched while it is polled.
#[derive(Debug)]
pub(crate) struct Watched<F> {
    inner: F,
    seen: Seen,
}

impl<F> Watched<F> {
    pub(crate) fn new(inner: F) -> Self {
        Self { inner, seen: Seen::default() }
    }
}

impl<F: Future + Unpin> Future for Watched<F> {
    type Output = (F::Output, Seen);

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.get_mut();
        let (poll, fresh) = during(|| Pin::new(&mut this.inner).poll(cx));
        this.seen.asked |= fresh.asked;
        this.seen.rejection = fresh.rejection.or(this.seen.rejection.take());
        poll.map(|outcome| (outcome, std::mem::take(&mut this.seen)))
    }
}
