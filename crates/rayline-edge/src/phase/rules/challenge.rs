//! The challenge in the pipeline: the page that has a browser prove itself, the answer to it, and who has a cookie.

use std::ops::ControlFlow;

use bytes::Bytes;
use rayline_http1::Fields;
use rayline_rules::challenge::{COOKIE, DIFFICULTY, Visitor};
use rayline_verdict::Moment;

use super::facts::each_cookie;
use crate::exchange::Exchange;
use crate::guard::Guard;
use crate::phase::reply::Answered;

/// Where the browser sends its answer.
const VERIFY: &str = "/cdn-cgi/challenge-platform/verify";
/// Cookies of the name that are looked at: a header section has room for thousands, and each costs a signature.
const MOST_COOKIES: u8 = 4;
/// The script that finds it.
const PROOF: &str = include_str!("../../challenge/proof.js");

pub(super) fn visitor<'a>(exchange: &'a Exchange<'_>) -> Visitor<'a> {
    Visitor {
        zone: exchange.zone.map_or("", |zone| &zone.zone.name),
        address: exchange.record.client_ip,
        user_agent: exchange.head.fields.get("user-agent").unwrap_or_default(),
    }
}

fn seconds(now: Moment) -> u64 {
    u64::try_from(now.0 / 1_000_000_000).unwrap_or_default()
}

/// Whether the visitor has passed a challenge.
pub(super) fn is_cleared(exchange: &Exchange<'_>) -> bool {
    let who = visitor(exchange);
    is_clear(&exchange.worker.counts.guard, who, &exchange.head.fields, exchange.record.start)
}

/// The same, for whoever has the parts alone.
pub(super) fn is_clear(guard: &Guard, who: Visitor<'_>, fields: &Fields, now: Moment) -> bool {
    let (mut clear, mut left) = (false, MOST_COOKIES);
    each_cookie(fields, &mut |name, value| {
        if name == COOKIE.as_bytes() {
            clear = guard.challenger().is_clear(who, value, seconds(now));
            left -= 1;
        }
        if clear || left == 0 { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    });
    clear
}

/// Puts the question, and the script that answers it, into the page that says what is asked.
pub(crate) fn arm(exchange: &Exchange<'_>, page: &mut Vec<u8>) {
    let question =
        exchange.worker.counts.guard.challenger().question(visitor(exchange), seconds(exchange.record.start));
    let Some(place) = memchr::memmem::rfind(page, b"</main>") else { return };
    // the question is digits, a stop, and base64 for URLs
    let asked = format!(
        "<p id=\"rl-challenge\" role=\"status\" data-question=\"{question}\" data-difficulty=\"{DIFFICULTY}\" \
         data-verify=\"{VERIFY}\">JavaScript must be allowed for this page.</p>\n<script>\n{PROOF}</script>\n"
    );
    page.splice(place..place, asked.into_bytes());
}

/// Judges an answer, and gives the cookie for a right one.
pub(crate) fn verify(exchange: &Exchange<'_>, query: &str) -> Answered {
    let (mut question, mut answer) = ("", "");
    for pair in query.split('&') {
        match pair.split_once('=') {
            Some(("question", value)) => question = value,
            Some(("answer", value)) => answer = value,
            Some(_) | None => {}
        }
    }
    let (challenger, now) = (exchange.worker.counts.guard.challenger(), seconds(exchange.record.start));
    let no_store = ("cache-control", Bytes::from_static(b"no-store"));
    if exchange.head.method() != "POST" || !challenger.is_solved(visitor(exchange), question, answer, now) {
        return Answered::made(403, vec![no_store], Bytes::new());
    }
    let ttl = exchange.zone.map_or(0, |zone| zone.zone.settings.challenge_ttl.as_secs());
    let secure = if exchange.visitor.tls.is_some() { "; Secure" } else { "" };
    let value = challenger.clearance(visitor(exchange), now + ttl);
    let cookie = format!("{COOKIE}={value}; Path=/; Max-Age={ttl}; HttpOnly; SameSite=Lax{secure}");
    Answered::made(204, vec![no_store, ("set-cookie", cookie.into())], Bytes::new())
}
