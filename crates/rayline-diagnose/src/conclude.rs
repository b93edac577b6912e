//! From everything that was seen to a verdict: whose fault, how sure, why, and what to do.
//!
//! It does no I/O. Blame itself is assigned by the vocabulary's attribution; what is weighed here is which of the seen
//! faults is the one that the visitor meets.

mod candidates;
mod evidence;
mod plain;
mod scene;
mod weigh;
mod words;

use rayline_verdict::attribute::told;
use rayline_verdict::{Certainty, Code, Evidence, Fact, Party, Verdict};

use self::evidence::{Observation, What, inside, observe};
use self::scene::{Scene, Symptom};
use self::weigh::{Weighed, weigh, winner};
use crate::bisect::step::Bisection;
use crate::case::Case;
use crate::direct::Direct;
use crate::edge::Side;
use crate::host::Host;
use crate::load::Load;
use crate::logs::{Named, Reading};
use crate::network::Network;
use crate::probe::Probe;
use crate::tls::Report;
use crate::visit::Visit;

/// Everything that was seen.
#[derive(Clone, Debug, Default)]
pub struct Seen {
    /// As a visitor.
    pub visit: Visit,
    /// Past the edge; `None`: nobody knows where the origin is.
    pub direct: Option<Direct>,
    /// The origin's TLS.
    pub tls: Option<Report>,
    /// Names and paths.
    pub network: Option<Network>,
    /// The origin's machine.
    pub host: Option<Host>,
    /// The origin's logs.
    pub logs: Option<Reading>,
    /// The edge's records.
    pub edge: Option<Side>,
    /// What switching the edge's rules off showed.
    pub rules: Option<Bisection>,
    /// What load the origin takes.
    pub load: Option<Load>,
    /// What a person reads of the steps that keep no probes of their own.
    pub probes: Vec<Probe>,
}

/// The boxes of the picture *You ─ Edge ─ Network ─ Origin ─ App*.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Hop {
    /// The visitor's side.
    You,
    /// The edge, and what its owner configured.
    Edge,
    /// Between edge and origin.
    Network,
    /// The server and its machine.
    Origin,
    /// The application, and what it depends on.
    App,
}

impl Hop {
    /// The word in `hop`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::You => "you",
            Self::Edge => "edge",
            Self::Network => "network",
            Self::Origin => "origin",
            Self::App => "app",
        }
    }
}

/// What is concluded.
#[derive(Clone, Debug)]
pub struct Conclusion {
    /// How it came out.
    pub outcome: Outcome,
    /// Whether an edge was seen in front of the site's server.
    pub edge_seen: bool,
    /// What failed; `None` unless a fault was found.
    pub verdict: Option<Verdict>,
    /// What inside the origin, if logs or machine name it.
    pub cause: Option<Named>,
    /// Whose fault it is, in one sentence.
    pub sentence: String,
    /// Where on the way.
    pub hop: Option<Hop>,
    /// What it rests on, a sentence each, the strongest first.
    pub clues: Vec<String>,
    /// What else it could be, and the verdict itself where it is not certain; the likeliest first.
    pub hypotheses: Vec<Hypothesis>,
    /// What to do, the likeliest step first.
    pub fix: Vec<String>,
    /// What would make the verdict surer: what to give this program, or to look up.
    pub next: Vec<String>,
}

/// How a diagnosis came out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// Nothing fails.
    Fine,
    /// A fault was found.
    Fault,
    /// It fails, and nothing tells whose fault it is; or nothing could be asked.
    CannotTell,
}

impl Outcome {
    /// The word in `outcome`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Fine => "fine",
            Self::Fault => "fault",
            Self::CannotTell => "cannot_tell",
        }
    }
}

/// An explanation.
#[derive(Clone, Debug)]
pub struct Hypothesis {
    /// What would have failed.
    pub code: Code,
    /// What inside the origin.
    pub cause: Option<crate::logs::Cause>,
    /// How likely, from 0 to 1; all of them together at most 1.
    pub likelihood: f64,
    /// In one sentence.
    pub sentence: String,
    /// What speaks for it.
    pub speaks_for: Vec<String>,
    /// What speaks against it.
    pub speaks_against: Vec<String>,
    /// The one test that would decide.
    pub decide: String,
}

/// Concludes whose fault it is.
pub fn conclude(case: &Case, seen: &Seen) -> Conclusion {
    let scene = Scene::of(case, seen);
    let symptom = Symptom::of(seen);
    if matches!(symptom, Symptom::Fine) {
        return fine(&scene);
    }
    if let Some(plain) = plain::find(&scene, &symptom) {
        let observations = inside::observe(&scene);
        let mut clues = plain.clues.clone();
        clues.extend(of_inside(&observations, plain.verdict.code));
        let hypotheses = words::of_plain(&scene, &plain.verdict, &clues);
        return fault(&scene, &symptom, plain.verdict, plain.hop, clues, hypotheses);
    }
    let observations = observe(&scene, &symptom);
    let weighed = weigh(&observations);
    let is_telling = |first: &Weighed<'_>| !is_unasked(&symptom) && !is_impatience(&scene, &symptom, first);
    match winner(&scene, &weighed).filter(|(first, _)| is_telling(first)) {
        Some((first, certainty)) => {
            let verdict = verdict(&symptom, first, certainty, &weighed);
            let clues = clues(first, &observations);
            let hypotheses = match verdict.certainty {
                Certainty::Proven => Vec::new(),
                Certainty::Inferred => words::of_weighed(&scene, &weighed, Some(verdict.code)),
            };
            let hop = hop_of(&scene, &symptom, first);
            fault(&scene, &symptom, verdict, hop, clues, hypotheses)
        }
        None => cannot_tell(&scene, &symptom, &weighed),
    }
}

/// Whether nobody but this machine has said anything.
fn is_unasked(symptom: &Symptom<'_>) -> bool {
    match symptom {
        Symptom::NothingAsked => true,
        Symptom::NoAnswer(_, verdict) => scene::is_ours(verdict.code),
        _ => false,
    }
}

/// Whether nothing speaks of a time-out but our own silence, which is shorter than what an edge bears.
fn is_impatience(scene: &Scene<'_>, symptom: &Symptom<'_>, first: &Weighed<'_>) -> bool {
    let is_mere = |(weight, seen): &(f64, &Observation)| match seen.what {
        What::Met | What::Status | What::DirectSlow | What::DirectNotYet => true,
        What::Named(_) => seen.share < inside::TELLING,
        _ => *weight <= 0.0,
    };
    symptom.is_short_silence(scene) && first.code == Code::OriginWaitTimedOut && first.counted.iter().all(is_mere)
}

fn fine(scene: &Scene<'_>) -> Conclusion {
    Conclusion {
        outcome: Outcome::Fine,
        edge_seen: scene.edge.is_some(),
        verdict: None,
        cause: None,
        sentence: words::fine(scene),
        hop: None,
        clues: Vec::new(),
        hypotheses: Vec::new(),
        fix: Vec::new(),
        next: words::notes(scene),
    }
}

fn cannot_tell(scene: &Scene<'_>, symptom: &Symptom<'_>, weighed: &[Weighed<'_>]) -> Conclusion {
    let hypotheses = if is_unasked(symptom) { Vec::new() } else { words::of_weighed(scene, weighed, None) };
    let clues = hypotheses.first().map(|first| first.speaks_for.clone()).unwrap_or_default();
    Conclusion {
        outcome: Outcome::CannotTell,
        edge_seen: scene.edge.is_some(),
        verdict: None,
        cause: None,
        sentence: words::cannot_tell(scene, symptom, &hypotheses),
        hop: is_unasked(symptom).then_some(Hop::You),
        clues,
        fix: Vec::new(),
        next: words::distinct(
            words::patience(scene, symptom)
                .into_iter()
                .chain(hypotheses.first().map(|first| first.decide.clone()))
                .chain(words::next(scene, None, None)),
        ),
        hypotheses,
    }
}

fn fault(
    scene: &Scene<'_>,
    symptom: &Symptom<'_>,
    verdict: Verdict,
    hop: Option<Hop>,
    clues: Vec<String>,
    hypotheses: Vec<Hypothesis>,
) -> Conclusion {
    let cause = cause(scene, symptom, verdict.code);
    let hop = place(&verdict, cause.as_ref(), hop);
    let ways = words::seen_by_visitors(scene, symptom).into_iter().chain(words::besides(scene, symptom));
    let ways = ways.chain(words::hole_before_edge(scene));
    let back = symptom.answer().and_then(plain::retry_after);
    Conclusion {
        outcome: Outcome::Fault,
        edge_seen: scene.edge.is_some(),
        sentence: words::sentence(scene, symptom, &verdict, cause.as_ref(), hop),
        hop: Some(hop),
        clues: words::distinct(clues.into_iter().chain(back).chain(ways)),
        hypotheses,
        fix: words::fix(scene, symptom, &verdict, cause.as_ref()),
        next: words::next(scene, Some(&verdict), cause.as_ref()),
        cause,
        verdict: Some(verdict),
    }
}

/// What speaks for the verdict, the heaviest first; then what the edge says and what was seen past it, though it speaks for
/// neither side. What is merely usual is said where there is nothing else.
fn clues(first: &Weighed<'_>, observations: &[Observation]) -> Vec<String> {
    let speaks = first.counted.iter().filter(|(weight, _)| *weight > 0.0).map(|(_, seen)| *seen);
    let counts = |seen: &Observation| first.counted.iter().any(|(_, counted)| std::ptr::eq(*counted, seen));
    let beside = observations
        .iter()
        .filter(|seen| matches!(seen.what, What::Told | What::DirectWorks | What::RulesCleared) && !counts(seen));
    let (usual, seen): (Vec<&Observation>, Vec<&Observation>) =
        speaks.chain(beside).partition(|seen| seen.what == What::Status);
    let told = if seen.is_empty() { usual } else { seen };
    told.into_iter().map(|seen| seen.sentence.clone()).collect()
}

/// What logs and machine say that fits the code.
fn of_inside(observations: &[Observation], code: Code) -> Vec<String> {
    let fits = |seen: &&Observation| match seen.what {
        What::Named(cause) => weigh::explained(cause, code) > 0.0 && seen.share >= inside::TELLING,
        _ => true,
    };
    observations.iter().filter(fits).map(|seen| seen.sentence.clone()).collect()
}

/// The verdict on what is likeliest: that of a probe which met it, with its evidence, else one of what is known.
fn verdict(symptom: &Symptom<'_>, first: &Weighed<'_>, certainty: Certainty, all: &[Weighed<'_>]) -> Verdict {
    let rivals = || {
        let near = all.iter().filter(|weighed| weighed.code != first.code && weighed.likelihood >= 0.03).take(4);
        let mut rivals: Vec<Code> = near.map(|weighed| weighed.code).collect();
        rivals.extend(
            first.code.entry().rivals.iter().filter(|code| !rivals.contains(code)).copied().collect::<Vec<_>>(),
        );
        if rivals.is_empty() {
            // Something is always left: that who seems to say it only hands it on.
            let other = if first.code == Code::EdgeReplyErrorStatus {
                Code::OriginWaitErrorStatus
            } else {
                Code::EdgeReplyErrorStatus
            };
            rivals.push(other);
        }
        rivals
    };
    let met =
        first.counted.iter().find_map(|(_, seen)| seen.verdict.as_ref().filter(|verdict| verdict.code == first.code));
    match (met, certainty) {
        (Some(verdict), Certainty::Proven) => verdict.clone(),
        (Some(verdict), Certainty::Inferred) => verdict.clone().with_rivals(rivals()),
        (None, _) => {
            let status = answered_by_origin(symptom, first);
            let mut evidence = Evidence::default();
            let seen = if first.code == Code::OriginWaitErrorStatus { status } else { symptom.number() };
            if first.code == Code::OriginWaitErrorStatus && status != 0 {
                evidence.add(Fact::OriginStatus(status));
            }
            let rivals = if certainty == Certainty::Proven { Vec::new() } else { rivals() };
            told(first.code, seen, rivals, evidence)
        }
    }
}

/// The status that the origin answers with: where it was seen past the edge or in the origin's log, not that of the edge's
/// page. 0: none was seen.
fn answered_by_origin(symptom: &Symptom<'_>, first: &Weighed<'_>) -> u16 {
    let heaviest = first.counted.iter().find(|(weight, seen)| *weight > 0.0 && seen.code == Some(first.code));
    let own = heaviest.and_then(|(_, seen)| seen.status);
    own.or_else(|| symptom.answer().map(|answer| answer.status)).unwrap_or_default()
}

/// Where the answer was made, if its author tells: who signed it for visitors, or past the edge.
fn hop_of(scene: &Scene<'_>, symptom: &Symptom<'_>, first: &Weighed<'_>) -> Option<Hop> {
    let of_origin = |what| matches!(what, What::AppWrote | What::BehindWrote | What::DirectSame);
    let answer = symptom.answer().filter(|_| first.code == Code::OriginWaitErrorStatus && first.saw(of_origin))?;
    let direct = scene.seen.direct.iter().flat_map(|direct| &direct.asked);
    let same = direct.filter(|asked| asked.exchange.outcome.as_ref().is_ok_and(|seen| seen.status == answer.status));
    let signed =
        symptom.sample().into_iter().map(|sample| &sample.recognition).chain(same.map(|asked| &asked.recognition));
    signed.filter_map(|recognition| plain::behind(recognition.author.as_ref()?, answer.status)).max()
}

/// The trouble inside the origin that explains the code: the likeliest that logs and machine name, else what the page shows.
fn cause(scene: &Scene<'_>, symptom: &Symptom<'_>, code: Code) -> Option<Named> {
    let fits = |named: &&Named| named.likelihood >= inside::TELLING && weigh::explained(named.cause, code) > 0.0;
    let rank = |named: &Named| (named.likelihood, weigh::explained(named.cause, code));
    let best = inside::named(scene).filter(fits).max_by(|one, other| {
        let ((one, fit), (other, better)) = (rank(one), rank(other));
        one.total_cmp(&other).then(fit.total_cmp(&better))
    });
    if let Some(named) = best {
        return Some(named.clone());
    }
    let recognition = &symptom.sample()?.recognition;
    let (author, told) = (recognition.author.as_ref()?, recognition.told.as_ref()?);
    let shown = told.cause.filter(|cause| weigh::explained(*cause, code) > 0.0)?;
    Some(Named {
        cause: shown,
        sentence: format!("the page shows it: {}", told.words),
        place: None,
        source: author.name,
        line: told.words.clone(),
        found: None,
        count: 1,
        between: None,
        likelihood: 0.9,
    })
}

/// Where on the way. A cause tells server and application apart, and never who is to blame.
fn place(verdict: &Verdict, cause: Option<&Named>, hop: Option<Hop>) -> Hop {
    let by_party = match verdict.party() {
        Party::Visitor => Hop::You,
        Party::Policy | Party::Owner | Party::Edge => Hop::Edge,
        Party::Network => Hop::Network,
        Party::Origin => Hop::Origin,
    };
    let by_cause = cause.map(|named| named.cause.row().hop).filter(|_| verdict.party() == Party::Origin);
    by_cause.or(hop).unwrap_or(by_party)
}
