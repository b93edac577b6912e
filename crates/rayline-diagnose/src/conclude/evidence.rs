//! What speaks for or against an explanation: observations, each with a name that the table of weights knows.
//!
//! Nothing is weighed here.

pub(super) mod inside;
pub(super) mod page;
mod past_edge;
pub(super) mod rules;

use rayline_verdict::{Code, Verdict};

use super::candidates;
use super::scene::{Scene, Symptom};
use crate::direct::RivalKind;
use crate::logs::Cause;

/// The name of an observation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum What {
    /// Without this rule of the edge's owner the request works, and with it, it fails.
    RuleCauses,
    /// Without this rule of the edge's owner the request fails in another way.
    RuleChanges,
    /// The request fails the same without any rule.
    RulesCleared,
    /// A Rayline edge says what it met, and is sure.
    Recorded,
    /// A Rayline edge says what is the likeliest of what it may have met.
    RecordedLikely,
    /// A Rayline edge says that it was refused, which others may not be, nor itself on another port.
    RecordedRefused,
    /// The edge's page says so.
    Told,
    /// The edge's page fits this too.
    ToldToo,
    /// The edge says that it, or what its owner configured, did this.
    ToldOfItself,
    /// An application wrote the page.
    AppWrote,
    /// A server that is not the edge wrote the page.
    BehindWrote,
    /// It cannot be told who wrote the page; edges pass on what they are given.
    Passed,
    /// The status goes with this.
    Status,
    /// The visitor's connection to the edge showed it.
    Met,
    /// Past the edge it fails too, like this.
    DirectFails,
    /// Past the edge no connection is made, which may be so for strangers alone.
    DirectBarred,
    /// Past the edge the same status comes.
    DirectSame,
    /// Past the edge another error comes.
    DirectOther,
    /// Past the edge it is as slow, for as long as edges wait.
    DirectSlow,
    /// Past the edge no answer came either before the probe lost its patience, which it does sooner than edges do.
    DirectNotYet,
    /// Past the edge the page is as blank.
    DirectBlank,
    /// Past the edge the header section is larger than what such an edge takes.
    DirectHead,
    /// Past the edge it works.
    DirectWorks,
    /// The edge got no connection, and others do.
    Unconnected,
    /// Past the edge one port serves, and the other one does not.
    OtherPort,
    /// Past the edge it works on a port that no edge connects to unless it is told.
    UnusualPort,
    /// The edge's configuration has it connect to another port than the one that works.
    ConfiguredElsewhere,
    /// The edge's configuration has it connect to the very port that works.
    ConfiguredThere,
    /// Under one of the things that differ between the edge's request and ours, the origin fails.
    RivalFails(RivalKind),
    /// Under it, it does not.
    RivalHolds(RivalKind),
    /// Everything that could be tried past the edge works, and nothing at the origin says otherwise.
    Exonerated,
    /// A handshake as the edge would make it fails.
    TlsFails,
    /// The certificate is not one that a strict edge accepts.
    TlsDistrusted,
    /// TLS works in every mode.
    TlsWorks,
    /// The origin does not take connections.
    TcpFails,
    /// Large packets vanish on the way.
    BlackHole,
    /// Log or machine names this.
    Named(Cause),
    /// The origin's log has the request, with an error.
    LoggedError,
    /// The origin's log has the request, and it went well there.
    LoggedFine,
}

impl What {
    /// Whether it shows who made the answer, so that nothing need be guessed from the status.
    pub(super) fn names_the_author(self) -> bool {
        self.is_recorded() || matches!(self, Self::AppWrote | Self::BehindWrote | Self::ToldOfItself)
    }

    /// Whether a Rayline edge says it of a request that it took.
    pub(super) fn is_recorded(self) -> bool {
        matches!(self, Self::Recorded | Self::RecordedLikely | Self::RecordedRefused)
    }

    /// Whether it shows a flaw of the origin, however well it answers us.
    fn is_of_the_origin(self) -> bool {
        self.is_recorded()
            || matches!(
                self,
                Self::LoggedError
                    | Self::TlsFails
                    | Self::TlsDistrusted
                    | Self::TcpFails
                    | Self::DirectHead
                    | Self::OtherPort
                    | Self::AppWrote
                    | Self::BehindWrote
            )
    }
}

/// Something that was seen.
#[derive(Clone, Debug)]
pub(super) struct Observation {
    pub(super) what: What,
    /// The code that it is about.
    pub(super) code: Option<Code>,
    /// How much of its weight it has, from 0 to 1.
    pub(super) share: f64,
    /// What was seen, for a person to read. Empty: it goes without saying.
    pub(super) sentence: String,
    /// The status that the origin answered with here, if that is what was seen.
    pub(super) status: Option<u16>,
    /// What a probe made of it.
    pub(super) verdict: Option<Verdict>,
}

impl Observation {
    fn new(what: What, sentence: impl Into<String>) -> Self {
        Self { what, code: None, share: 1.0, sentence: sentence.into(), status: None, verdict: None }
    }

    /// That a code is usual where nothing else is known.
    pub(super) fn usual(code: Code, share: f64, number: u16) -> Self {
        let sentence = if number == 0 { String::new() } else { format!("{number} often means this") };
        Self::new(What::Status, sentence).of(code).counting(share)
    }

    fn of(self, code: Code) -> Self {
        Self { code: Some(code), ..self }
    }

    fn judged(self, verdict: &Verdict) -> Self {
        Self { code: Some(verdict.code), verdict: Some(verdict.clone()), ..self }
    }

    fn answering(self, status: u16) -> Self {
        Self { status: Some(status), ..self }
    }

    fn counting(self, share: f64) -> Self {
        let share = if share.is_finite() { share.clamp(0.0, 1.0) } else { 0.0 };
        Self { share, ..self }
    }
}

/// Everything that bears on what the visitor meets through an edge.
pub(super) fn observe(scene: &Scene<'_>, symptom: &Symptom<'_>) -> Vec<Observation> {
    let mut all = page::observe(scene, symptom);
    all.extend(past_edge::observe(scene, symptom, &all));
    all.extend(rules::observe(scene));
    all.extend(inside::observe(scene));
    all.extend(candidates::usual(scene, symptom, &all));
    if is_exonerated(scene, &all) {
        all.push(Observation::new(
            What::Exonerated,
            "past the edge everything works, also under what an edge does differently",
        ));
    }
    all
}

/// Whether the origin has shown itself fine in every way that could be tried.
fn is_exonerated(scene: &Scene<'_>, all: &[Observation]) -> bool {
    let rivals = scene.seen.direct.as_ref().map(|direct| direct.rivals.as_slice()).unwrap_or_default();
    let tried = !rivals.is_empty() && rivals.iter().all(|rival| rival.fails == Some(false));
    let works = all.iter().any(|seen| seen.what == What::DirectWorks);
    let but = all.iter().any(|seen| match seen.what {
        What::Named(_) => seen.share >= inside::TELLING,
        what => what.is_of_the_origin(),
    });
    works && tried && !but
}
