//! Origins that speak HTTP/2, well and badly.
//!
//! Each is made for prior knowledge over plain TCP; in the catalogue they are under TLS, with `h2` agreed on by ALPN.

use super::{Script, Step};
use crate::certs::Issued;
use crate::http2::{Act, Serving};
use crate::tls::Tls;

mod end;
mod flow;
mod good;
mod wrong;

pub(super) fn all(good: &Issued) -> Vec<Script> {
    let tls = || Tls::new(good).speaking(&["h2"]);
    let mut all = vec![
        Script::http2_ok().called("http2-prior-knowledge", "speaks HTTP/2 without TLS, to those who know that it does"),
        Script::http2_or_http1().over_tls(Tls::new(good).speaking(&["h2", "http/1.1"])),
    ];
    for scripts in [good::all(), end::all(), wrong::all(), flow::all()] {
        all.extend(scripts.into_iter().map(|script| script.over_tls(tls())));
    }
    all
}

impl Script {
    /// A script of one's own over HTTP/2, for prior knowledge; over TLS it wants [`Tls::speaking`] `h2`.
    pub fn http2(name: &'static str, what: &'static str, serving: Serving) -> Self {
        Self::new(name, what, [Step::Http2(serving)])
    }
}

/// The same acts for every request.
fn acts(name: &'static str, what: &'static str, acts: impl IntoIterator<Item = Act>) -> Script {
    Script::http2(name, what, Serving::new(acts))
}
