//! One request straight to an origin.

use std::net::SocketAddr;

use rayline_dial::{Dialer, Protocols, Tls};
use rayline_verdict::Phase;
use rayline_verdict::snippet::is_secret;
use url::Url;

use crate::author::{Recognition, recognise};
use crate::case::Case;
use crate::fetch::{Ask, Exchange, fetch, wants_http2};
use crate::tls::Scheme;
use crate::visit::{Failing, failing, redirect, show};

/// Bytes of a page that are kept to be read.
const PAGE: usize = 64 * 1024;

/// What is asked for, whatever the way.
pub(super) struct Question<'a> {
    pub(super) case: &'a Case,
    /// The page that fails.
    pub(super) page: Url,
    pub(super) dialer: &'a Dialer,
}

/// Where and how an origin is asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Entrance {
    pub(super) scheme: Scheme,
    pub(super) addresses: Vec<SocketAddr>,
}

/// What came of asking.
#[derive(Clone, Debug)]
pub(super) struct Trial {
    pub(super) exchange: Exchange,
    pub(super) recognition: Recognition,
    pub(super) failing: Option<Failing>,
}

impl Question<'_> {
    /// The scheme by which visitors come.
    pub(super) fn scheme(&self) -> Scheme {
        if self.page.scheme() == Scheme::Http.name() { Scheme::Http } else { Scheme::Https }
    }

    /// The visitor's request, over HTTP/1.1. Certificates are not judged here. What is meant for TLS is not sent in clear.
    pub(super) fn plain(&self, scheme: Scheme) -> Ask {
        let in_clear = scheme == Scheme::Http && self.scheme() == Scheme::Https;
        let fields = self.case.fields.iter().filter(|(name, _)| !(in_clear && is_secret(name)));
        Ask {
            url: self.page.clone(),
            method: self.case.method.clone(),
            fields: fields.cloned().collect(),
            protocols: Protocols::Http1,
            tls: match scheme {
                Scheme::Http => Tls::Off,
                Scheme::Https => Tls::Full,
            },
            timeout: self.case.timeout,
            body_bytes: PAGE,
        }
    }

    pub(super) async fn ask(&self, ask: &Ask, addresses: &[SocketAddr]) -> Trial {
        let exchange = fetch(ask, addresses, self.dialer).await;
        if !wants_http2(ask, &exchange) {
            return self.judge(exchange);
        }
        let ask = Ask { protocols: Protocols::Http2OrHttp1, ..ask.clone() };
        self.judge(fetch(&ask, addresses, self.dialer).await)
    }

    pub(super) fn judge(&self, exchange: Exchange) -> Trial {
        let recognition = exchange.outcome.as_ref().map_or_else(|_| Recognition::default(), recognise);
        let failing = failing(&self.case.method, &exchange, &recognition);
        Trial { exchange, recognition, failing }
    }

    /// Whether an answer sends the visitor to the very page that was asked for.
    pub(super) fn sends_back(&self, exchange: &Exchange) -> bool {
        let answer = exchange.outcome.as_ref().ok();
        answer.and_then(|answer| redirect::next(&self.page, answer)).is_some_and(|next| next == self.page)
    }
}

impl Trial {
    /// What came of it, in a line.
    pub(super) fn line(&self) -> String {
        show::line(&self.exchange, &self.recognition)
    }

    /// The phase that failed, if there is no whole answer.
    pub(super) fn phase(&self) -> Option<Phase> {
        show::verdict(&self.exchange).map(rayline_verdict::Verdict::phase)
    }

    pub(super) fn status(&self) -> Option<u16> {
        self.exchange.outcome.as_ref().ok().map(|answer| answer.status)
    }
}
