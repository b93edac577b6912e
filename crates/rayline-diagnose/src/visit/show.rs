//! What a person reads of one request: a line, and the same as data.

use std::time::Duration;

use rayline_verdict::{Code, Verdict};
use url::Url;

use crate::author::Recognition;
use crate::fetch::{Answer, BodyEnd, Exchange, Obstacle};
use crate::mask::{self, Masking};
use crate::probe::Probe;
use crate::visit::Failing;

/// What the vocabulary says of an edge's machine, where the machine is this one.
const OWN: [(Code, &str); 3] = [
    (Code::EdgeConnectNoRoute, "this machine has no route there"),
    (Code::EdgeConnectForbidden, "this machine's own routing or firewall refuses"),
    (Code::EdgeConnectExhausted, "this machine has no file, port or memory left"),
];

/// The probe of a request.
pub(crate) fn probe(name: &str, exchange: &Exchange, recognition: &Recognition, failing: Option<Failing>) -> Probe {
    let timings = &exchange.timings;
    let mut probe = Probe::new(name, Some(failing.is_none()), timings.total, line(exchange, recognition));
    probe = probe.judged(verdict(exchange).cloned().map(Box::new));
    let parts = [
        ("connect_ms", timings.connect),
        ("tls_ms", timings.tls),
        ("wait_ms", timings.wait),
        ("receive_ms", timings.receive),
        ("total_ms", Some(timings.total)),
    ];
    for (name, took) in parts {
        if let Some(took) = took {
            probe = probe.with(name, milliseconds(took));
        }
    }
    let texts = [
        ("address", exchange.address.map(|address| address.to_string())),
        ("protocol", exchange.protocol.map(str::to_owned)),
        ("tls", exchange.tls.as_ref().map(|(version, _)| version.clone())),
        ("author", recognition.author.as_ref().map(|author| author.name.to_owned())),
        ("rule", recognition.author.as_ref().map(|author| author.rule.to_owned())),
        ("request_id", recognition.request_id.clone()),
    ];
    for (name, text) in texts {
        if let Some(text) = text {
            probe = probe.with(name, text);
        }
    }
    if let Some(number) = recognition.told.as_ref().and_then(|told| told.number) {
        probe = probe.with("number", number);
    }
    match &exchange.outcome {
        Ok(answer) => probe.with("status", answer.status).with("body_bytes", answer.body_bytes),
        Err(_) => probe,
    }
}

/// What came of a request, in a line.
pub(crate) fn line(exchange: &Exchange, recognition: &Recognition) -> String {
    let took = in_words(exchange.timings.total);
    let answer = match &exchange.outcome {
        Ok(answer) => answer,
        Err(Obstacle::Silent { waited }) => return format!("no answer in {}", in_words(*waited)),
        Err(Obstacle::Fault(verdict)) => return format!("no answer after {took}: {}", sentence(verdict)),
    };
    let author = recognition.author.as_ref().map_or(String::new(), |author| format!(" by {}", author.name));
    let end = match &answer.end {
        BodyEnd::Broken(verdict) => format!(", and then its body broke: {}", sentence(verdict)),
        BodyEnd::Whole if answer.body_bytes == 0 && answer.status == 200 => ", without a byte of a body".to_owned(),
        BodyEnd::Whole | BodyEnd::Left => String::new(),
    };
    format!("{}{author} in {took}{end}", answer.status)
}

/// What the edge would say of an exchange that failed.
pub(crate) fn verdict(exchange: &Exchange) -> Option<&Verdict> {
    match &exchange.outcome {
        Ok(Answer { end: BodyEnd::Broken(verdict), .. }) | Err(Obstacle::Fault(verdict)) => Some(verdict),
        Ok(_) | Err(Obstacle::Silent { .. }) => None,
    }
}

/// A verdict's sentence, as the rest of another.
pub(crate) fn sentence(verdict: &Verdict) -> String {
    if let Some((_, own)) = OWN.iter().find(|(code, _)| *code == verdict.code) {
        return (*own).to_owned();
    }
    let text = verdict.sentence().trim_end_matches('.');
    let mut letters = text.chars();
    letters.next().map(|first| first.to_lowercase().chain(letters).collect()).unwrap_or_default()
}

/// A time as a person says it.
pub(crate) fn in_words(time: Duration) -> String {
    if time >= Duration::from_secs(1) {
        format!("{:.1} s", time.as_secs_f64())
    } else {
        format!("{} ms", time.as_millis())
    }
}

/// Whole milliseconds.
pub(crate) fn milliseconds(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}

/// A URL without its secrets.
pub(crate) fn masked(url: &Url) -> String {
    mask::url(url, Masking::On)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_as_a_person_says_them() {
        assert_eq!(
            (in_words(Duration::from_millis(120)), in_words(Duration::from_millis(5040))),
            ("120 ms".to_owned(), "5.0 s".to_owned())
        );
    }
}
