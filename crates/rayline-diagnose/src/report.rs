//! A diagnosis as others read it: JSON for programs, pages and messages for people.
//!
//! What is made to be handed on (reports, tickets) has no secrets in it, unless a person wants them.

mod html;
mod json;
mod markdown;
mod ticket;

use rayline_verdict::Certainty;

use crate::conclude::{Conclusion, Hop};
use crate::diagnosis::Diagnosis;
use crate::fetch::{Exchange, Obstacle};
use crate::mask;
pub use crate::mask::Masking;
use crate::visit::Sample;

pub use html::html;
pub use markdown::markdown;
pub use ticket::{Side, ticket};

/// The boxes of the picture, from the visitor on, with what people call them.
const HOPS: [(Hop, &str); 5] =
    [(Hop::You, "You"), (Hop::Edge, "Edge"), (Hop::Network, "Network"), (Hop::Origin, "Origin"), (Hop::App, "App")];

/// What is known of a box of the picture.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// It fails here.
    Fails,
    /// It did its part: what came back came through it.
    Well,
    /// Nobody came so far.
    Open,
}

/// The boxes of the picture with what is known of them. The edge has none where none was seen, and nothing fails there.
pub fn picture(conclusion: &Conclusion) -> impl Iterator<Item = (&'static str, Part)> {
    let (failing, edge_seen) = (conclusion.hop, conclusion.edge_seen);
    let boxes = HOPS.into_iter().filter(move |(hop, _)| *hop != Hop::Edge || edge_seen || failing == Some(Hop::Edge));
    boxes.map(move |(hop, name)| {
        let part = match failing {
            Some(failing) if failing == hop => Part::Fails,
            Some(failing) if hop < failing => Part::Well,
            Some(_) | None => Part::Open,
        };
        (name, part)
    })
}

/// The URL that was asked about, as it may be repeated.
pub fn url(diagnosis: &Diagnosis, masking: Masking) -> String {
    mask::url(&diagnosis.case.url, masking)
}

/// The code, how sure, the status and the cause, as words to be put in a row; empty where no fault was found.
fn labels(conclusion: &Conclusion) -> Vec<String> {
    let Some(verdict) = &conclusion.verdict else { return Vec::new() };
    let mut labels = vec![verdict.code.name().to_owned()];
    labels.push(match verdict.certainty {
        Certainty::Proven => "proven".to_owned(),
        Certainty::Inferred => "inferred".to_owned(),
    });
    if verdict.number > 0 {
        labels.push(verdict.number.to_string());
    }
    if let Some(named) = &conclusion.cause {
        labels.push(named.cause.name().to_owned());
        labels.extend(named.place.clone());
    }
    labels
}

/// A request that was made, by the way it went.
struct Row<'a> {
    way: String,
    exchange: &'a Exchange,
    author: Option<&'static str>,
    request_id: Option<&'a str>,
}

impl Row<'_> {
    /// What came of it, in a few words.
    fn outcome(&self) -> String {
        match &self.exchange.outcome {
            Ok(answer) => match self.author {
                Some(author) => format!("{} by {author}", answer.status),
                None => answer.status.to_string(),
            },
            Err(Obstacle::Fault(verdict)) => verdict.code.name().to_owned(),
            Err(Obstacle::Silent { waited }) => format!("no answer within {} ms", waited.as_millis()),
        }
    }
}

/// Every request, those of a visitor first.
fn rows(diagnosis: &Diagnosis) -> Vec<Row<'_>> {
    let visits = diagnosis.seen.visit.samples.iter().map(visited);
    let direct = diagnosis.seen.direct.iter().flat_map(|direct| &direct.asked).map(|asked| Row {
        way: format!("direct, {}{}", asked.address, if asked.http2 { ", HTTP/2" } else { "" }),
        exchange: &asked.exchange,
        author: asked.recognition.author.as_ref().map(|author| author.name),
        request_id: asked.recognition.request_id.as_deref(),
    });
    visits.chain(direct).collect()
}

fn visited(sample: &Sample) -> Row<'_> {
    let family = if sample.way.ipv6 { "IPv6" } else { "IPv4" };
    let version = sample.exchange.protocol.unwrap_or(if sample.way.http2 { "HTTP/2" } else { "HTTP/1.1" });
    Row {
        way: format!("visit, {family}, {version}"),
        exchange: &sample.exchange,
        author: sample.recognition.author.as_ref().map(|author| author.name),
        request_id: sample.recognition.request_id.as_deref(),
    }
}
