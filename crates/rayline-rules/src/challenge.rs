//! The challenge: a proof of work that a browser does by itself, and the cookie it gets for it.
//!
//! It keeps a program that asks by the thousand from getting in for nothing, no more: it does not tell people from
//! machines, and does not claim to. Nothing is kept of a visitor between the question and the answer: the question is
//! signed, and so is the cookie, which holds for one zone, address and `User-Agent`.
//!
//! It has no clock: times are arguments, in seconds since 1970.

use std::net::IpAddr;

use aws_lc_rs::digest::{SHA256, digest};
use aws_lc_rs::hmac;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

/// The cookie's name, Cloudflare's ("Cloudflare cookies").
pub const COOKIE: &str = "cf_clearance";
/// Leading zero bits that are asked for: 65,000 hashes on average, well under a second in a browser.
pub const DIFFICULTY: u32 = 16;
/// How long a question may be answered, in seconds.
pub const PATIENCE: u64 = 300;
/// The longest answer that is read, in digits.
const MOST_DIGITS: usize = 12;

/// Who is asked: what the answer must be given by, and the cookie shown by.
#[derive(Debug, Clone, Copy)]
pub struct Visitor<'a> {
    /// The zone's name.
    pub zone: &'a str,
    /// The believed address.
    pub address: IpAddr,
    /// `User-Agent`, as sent.
    pub user_agent: &'a [u8],
}

/// Asks and judges, with a key that must outlive restarts if cookies shall.
#[derive(Debug)]
pub struct Challenger {
    key: hmac::Key,
}

impl Challenger {
    /// With this secret, at best 32 random bytes.
    pub fn new(secret: &[u8]) -> Self {
        Self { key: hmac::Key::new(hmac::HMAC_SHA256, secret) }
    }

    /// A question: a number must be found that, written behind it and a colon, makes the SHA-256 hash of the whole begin
    /// with [`DIFFICULTY`] zero bits.
    pub fn question(&self, visitor: Visitor<'_>, now: u64) -> String {
        format!("{now}.{}", self.sign("question", visitor, now))
    }

    /// Whether `answer`, in decimal, solves `question`, which this visitor was asked at most [`PATIENCE`] seconds ago.
    pub fn is_solved(&self, visitor: Visitor<'_>, question: &str, answer: &str, now: u64) -> bool {
        let Some((asked, signature)) = question.split_once('.') else { return false };
        let Ok(asked) = asked.parse::<u64>() else { return false };
        asked <= now
            && now - asked <= PATIENCE
            && answer.len() <= MOST_DIGITS
            && answer.bytes().all(|byte| byte.is_ascii_digit())
            && self.verify("question", visitor, asked, signature)
            && leading_zeros(digest(&SHA256, format!("{question}:{answer}").as_bytes()).as_ref()) >= DIFFICULTY
    }

    /// The cookie's value for a visitor that has answered, good until then.
    pub fn clearance(&self, visitor: Visitor<'_>, until: u64) -> String {
        format!("{until}.{}", self.sign("clearance", visitor, until))
    }

    /// Whether the value of a cookie is this visitor's, and still good.
    pub fn is_clear(&self, visitor: Visitor<'_>, cookie: &[u8], now: u64) -> bool {
        let Some((until, signature)) = std::str::from_utf8(cookie).ok().and_then(|text| text.split_once('.')) else {
            return false;
        };
        until.parse().is_ok_and(|until: u64| until > now && self.verify("clearance", visitor, until, signature))
    }

    fn sign(&self, what: &str, visitor: Visitor<'_>, time: u64) -> String {
        URL_SAFE_NO_PAD.encode(hmac::sign(&self.key, &message(what, visitor, time)))
    }

    fn verify(&self, what: &str, visitor: Visitor<'_>, time: u64, signature: &str) -> bool {
        URL_SAFE_NO_PAD
            .decode(signature)
            .is_ok_and(|tag| hmac::verify(&self.key, &message(what, visitor, time), &tag).is_ok())
    }
}

/// What is signed. No part can be taken for another: the zone has no line break, the address neither, and the
/// `User-Agent` is the last.
fn message(what: &str, Visitor { zone, address, user_agent }: Visitor<'_>, time: u64) -> Vec<u8> {
    let mut message = format!("{what}\n{zone}\n{address}\n{time}\n").into_bytes();
    message.extend_from_slice(user_agent);
    message
}

fn leading_zeros(hash: &[u8]) -> u32 {
    let mut zeros = 0;
    for byte in hash {
        zeros += byte.leading_zeros();
        if *byte != 0 {
            break;
        }
    }
    zeros
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

    use super::*;

    const NOW: u64 = 1_800_000_000;

    fn visitor(zone: &str, last: u8) -> Visitor<'_> {
        Visitor { zone, address: Ipv4Addr::new(192, 0, 2, last).into(), user_agent: b"Mozilla/5.0" }
    }

    fn solved(question: &str) -> String {
        let solves = |answer: &u32| {
            leading_zeros(digest(&SHA256, format!("{question}:{answer}").as_bytes()).as_ref()) >= DIFFICULTY
        };
        (0..).find(solves).unwrap().to_string()
    }

    #[test]
    fn an_answer_is_this_visitors_for_a_while() {
        let challenger = Challenger::new(&[7; 32]);
        let question = challenger.question(visitor("a.example", 1), NOW);
        let answer = solved(&question);
        let is_solved = |who, question: &str, answer: &str, now| challenger.is_solved(who, question, answer, now);
        assert!(is_solved(visitor("a.example", 1), &question, &answer, NOW + PATIENCE));
        assert!(!is_solved(visitor("a.example", 1), &question, &answer, NOW + PATIENCE + 1));
        assert!(!is_solved(visitor("a.example", 1), &question, &answer, NOW - 1));
        assert!(!is_solved(visitor("a.example", 2), &question, &answer, NOW));
        assert!(!is_solved(visitor("b.example", 1), &question, &answer, NOW));
        assert!(!is_solved(visitor("a.example", 1), &question, &format!("0{answer}"), NOW));
        let later = question.replacen(&NOW.to_string(), &(NOW + 1).to_string(), 1);
        assert!(!is_solved(visitor("a.example", 1), &later, &solved(&later), NOW + 1));
        for nonsense in ["", ".", "1.", "x.y", "18446744073709551616.AA"] {
            assert!(!is_solved(visitor("a.example", 1), nonsense, "1", NOW), "{nonsense}");
        }
    }

    #[test]
    fn a_cookie_is_this_visitors_until_it_expires() {
        let challenger = Challenger::new(&[7; 32]);
        let cookie = challenger.clearance(visitor("a.example", 1), NOW + 1800);
        assert!(challenger.is_clear(visitor("a.example", 1), cookie.as_bytes(), NOW));
        assert!(!challenger.is_clear(visitor("a.example", 1), cookie.as_bytes(), NOW + 1800));
        assert!(!challenger.is_clear(visitor("a.example", 2), cookie.as_bytes(), NOW));
        assert!(!Challenger::new(&[8; 32]).is_clear(visitor("a.example", 1), cookie.as_bytes(), NOW));
        let question = challenger.question(visitor("a.example", 1), NOW + 1800);
        assert!(!challenger.is_clear(visitor("a.example", 1), question.as_bytes(), NOW));
        assert!(!challenger.is_clear(visitor("a.example", 1), b"\xff.\xff", NOW));
    }
}
