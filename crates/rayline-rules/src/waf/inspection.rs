//! One request held against the rules: each of its texts once, in all the guises that rules want to see.
//!
//! What a body's texts are is found out elsewhere; they are shown here as they are read.

use std::ops::{ControlFlow, Range};

use smallvec::SmallVec;

use super::alphabet::Marks;
use super::detector::{Detector, SQL_BUDGET_BYTES, Signal};
use super::library::{Library, RuleSet, Test};
use super::transform::{form_value, may_be_base64};
use super::{Action, MATCHES, Managed, Match, Outcome, Place};
use crate::facts::{Fact, Facts};
use crate::ruleset::ManagedAction;
use crate::scheme::Field;

/// Bytes of a name that are kept as evidence.
const NAME_BYTES: usize = 64;

/// Bytes kept before and behind what matched.
const AROUND_BYTES: usize = 24;

/// Bytes kept as evidence in all.
const EVIDENCE_BYTES: usize = 96;

/// Header fields that may stand once, and of which a second one is a way past somebody.
const SINGULAR: &[&str] = &["content-type", "content-length", "host", "authorization", "user-agent", "referer"];

/// Buffers that a worker keeps from one request to the next.
#[derive(Debug, Default)]
pub struct Scratch {
    /// By step.
    guises: Vec<Guise>,
    /// A decoded name and a decoded value of a form.
    name: Vec<u8>,
    value: Vec<u8>,
}

/// What a text comes to after a step.
#[derive(Debug)]
struct Guise {
    /// What the transformation came to, if it is something else than before; empty for the first step.
    bytes: Vec<u8>,
    /// Whose bytes are looked at: those of this step, or of an earlier one, if nothing changed.
    source: usize,
    marks: Marks,
    /// Rules that look at these bytes.
    rules: RuleSet,
}

impl Default for Guise {
    fn default() -> Self {
        Self { bytes: Vec::new(), source: 0, marks: Marks::default(), rules: RuleSet::EMPTY }
    }
}

/// Bytes of a buffer that is kept for the next request.
const KEPT_BYTES: usize = 64 * 1024;

/// A request under way.
pub(super) struct Inspection<'m, 's> {
    managed: &'m Managed,
    library: &'static Library,
    /// Those that have not matched yet.
    pending: RuleSet,
    scratch: &'s mut Scratch,
    score: u32,
    action: Action,
    matches: SmallVec<[Match; 2]>,
    sql_budget: usize,
    arguments: usize,
    /// See [`Outcome::examined`].
    examined: u64,
}

impl<'m, 's> Inspection<'m, 's> {
    pub(super) fn new(managed: &'m Managed, pending: RuleSet, scratch: &'s mut Scratch) -> Self {
        let library = managed.library;
        scratch.guises.resize_with(library.steps.len(), Guise::default);
        Self {
            managed,
            library,
            pending,
            scratch,
            score: 0,
            action: Action::Pass,
            matches: SmallVec::new(),
            sql_budget: SQL_BUDGET_BYTES,
            arguments: 0,
            examined: 0,
        }
    }

    /// Looks at all that stands before the body.
    pub(super) fn head(&mut self, facts: &dyn Facts) {
        for (place, field) in
            [(Place::Method, Field::Method), (Place::Path, Field::RawUriPath), (Place::Query, Field::RawUriQuery)]
        {
            if let Fact::Bytes(bytes) = facts.fact(field) {
                self.text(place, b"", bytes);
            }
        }
        if let Fact::Bytes(query) = facts.fact(Field::RawUriQuery) {
            self.form(query);
        }
        self.header_fields(facts);
        facts.entries(Field::Cookies, &mut |name, value| {
            self.text(Place::CookieName, b"", name);
            self.text(Place::Cookie, name, value);
            ControlFlow::Continue(())
        });
    }

    fn header_fields(&mut self, facts: &dyn Facts) {
        let mut seen = 0_u32;
        let (mut has_agent, mut has_accept, mut repeated) = (false, false, false);
        facts.entries(Field::Headers, &mut |name, value| {
            let is = |other: &str| name.eq_ignore_ascii_case(other.as_bytes());
            if let Some(place) = SINGULAR.iter().position(|singular| is(singular)) {
                repeated |= seen & 1 << place != 0;
                seen |= 1 << place;
            }
            has_agent |= is("user-agent") && !value.trim_ascii().is_empty();
            has_accept |= is("accept");
            if !is("cookie") {
                self.text(Place::Header, name, value);
            }
            ControlFlow::Continue(())
        });
        for (holds, signal) in
            [(!has_agent, Signal::NoUserAgent), (!has_accept, Signal::NoAccept), (repeated, Signal::RepeatedHeader)]
        {
            if holds {
                self.signal(signal);
            }
        }
    }

    /// Reads `a=1&b=2` as arguments.
    pub(super) fn form(&mut self, bytes: &[u8]) {
        for pair in bytes.split(|byte| *byte == b'&').filter(|pair| !pair.is_empty()) {
            let cut = memchr::memchr(b'=', pair).unwrap_or(pair.len());
            let (mut name, mut value) =
                (std::mem::take(&mut self.scratch.name), std::mem::take(&mut self.scratch.value));
            name.clear();
            value.clear();
            form_value(pair.get(..cut).unwrap_or_default(), &mut name);
            form_value(pair.get(cut + 1..).unwrap_or_default(), &mut value);
            let goes_on = self.argument(&name, &value);
            self.scratch.name = name;
            self.scratch.value = value;
            if goes_on.is_break() {
                break;
            }
        }
    }

    /// Looks at an argument, decoded, and says whether there may be more of them.
    pub(super) fn argument(&mut self, name: &[u8], value: &[u8]) -> ControlFlow<()> {
        self.argument_name(name)?;
        self.text(Place::Argument, name, value);
        ControlFlow::Continue(())
    }

    /// Looks at the name of an argument, and says whether there may be more of them.
    pub(super) fn argument_name(&mut self, name: &[u8]) -> ControlFlow<()> {
        self.arguments += 1;
        if self.arguments > super::body::ARGUMENTS {
            self.signal(Signal::ManyArguments);
            return ControlFlow::Break(());
        }
        self.text(Place::ArgumentName, b"", name);
        ControlFlow::Continue(())
    }

    /// Takes note of something about the request as a whole.
    pub(super) fn signal(&mut self, signal: Signal) {
        for place in self.pending.and(&self.library.looking_at(Place::Request, b"")).iter() {
            if matches!(self.library.tests.get(place), Some(Test::Signal(other)) if *other == signal) {
                self.found(place, Place::Request, b"", b"", 0..0);
            }
        }
    }

    /// Looks at one text of the request.
    pub(super) fn text(&mut self, place: Place, name: &[u8], bytes: &[u8]) {
        let mut wanted = self.library.looking_at(place, name).and(&self.pending);
        if !may_be_base64(bytes) {
            wanted = wanted.without(&self.library.encoded);
        }
        if wanted.is_empty() {
            return;
        }
        self.examined += bytes.len() as u64;
        let marks = self.library.alphabet.marks(bytes);
        if !marks.meet(self.library.disguises) && !wanted.intersects(&self.library.encoded) {
            // nothing in it disguises anything, so that every guise is the text itself
            self.guise(place, name, bytes, marks, &wanted);
            return;
        }
        let mut guises = std::mem::take(&mut self.scratch.guises);
        self.examined += unfold(self.library, &wanted, bytes, marks, &mut guises);
        for (at, guise) in guises.iter().enumerate() {
            let text = if at == 0 { bytes } else { &guise.bytes };
            self.guise(place, name, text, guise.marks, &guise.rules);
        }
        self.scratch.guises = guises;
    }

    /// Holds a text as it is now against `rules`.
    fn guise(&mut self, place: Place, name: &[u8], bytes: &[u8], marks: Marks, rules: &RuleSet) {
        if rules.is_empty() {
            return;
        }
        let library = self.library;
        let possible = rules.and(&self.pending).and(&library.alphabet.possible(marks));
        let mut candidates = possible.and(&library.unannounced);
        let length = bytes.len() as u64;
        if candidates != possible {
            self.examined += length;
            for hit in library.automaton.find_overlapping_iter(bytes) {
                if let Some(announced) = library.by_literal.get(hit.pattern().as_usize()) {
                    candidates = candidates.or(&announced.and(&possible));
                }
            }
        }
        for rule in candidates.iter() {
            self.examined += length;
            let range = match library.tests.get(rule) {
                Some(Test::Pattern(pattern)) => pattern.find(bytes).map(|found| found.range()),
                Some(Test::Unlike(pattern)) => (!pattern.is_match(bytes)).then_some(0..bytes.len()),
                Some(Test::Detector(detector)) => self.detect(*detector, bytes),
                Some(Test::Signal(_)) | None => None,
            };
            if let Some(range) = range {
                self.found(rule, place, name, bytes, range);
            }
        }
    }

    fn detect(&mut self, detector: Detector, bytes: &[u8]) -> Option<Range<usize>> {
        detector.find(bytes, &mut self.sql_budget)
    }

    /// Counts a match, once per rule, and keeps what shows it.
    fn found(&mut self, rule: usize, place: Place, name: &[u8], bytes: &[u8], range: Range<usize>) {
        let Some((signature, action)) =
            self.library.signatures.get(rule).zip(self.managed.actions.get(rule).copied().flatten())
        else {
            return;
        };
        self.pending.remove(rule);
        let strength = match action {
            ManagedAction::Score => {
                self.score += signature.severity.score();
                Action::LogOnly
            }
            ManagedAction::Log => Action::LogOnly,
            ManagedAction::Challenge => Action::Challenge,
            ManagedAction::Block => Action::Block,
        };
        self.action = self.action.max(strength);
        if self.matches.len() < MATCHES {
            let from = range.start.saturating_sub(AROUND_BYTES);
            let to = range.end.saturating_add(AROUND_BYTES).min(from + EVIDENCE_BYTES).min(bytes.len());
            self.matches.push(Match {
                rule: signature,
                action,
                place,
                name: name.get(..NAME_BYTES).unwrap_or(name).into(),
                bytes: bytes.get(from..to).unwrap_or_default().into(),
            });
        }
    }

    /// What it came to. Buffers that a large body made large are given back.
    pub(super) fn end(self) -> Outcome {
        for guise in &mut self.scratch.guises {
            guise.bytes.clear();
            guise.bytes.shrink_to(KEPT_BYTES);
        }
        let threshold = self.managed.threshold;
        let action = if self.score >= threshold { self.action.max(self.managed.at_threshold) } else { self.action };
        Outcome { score: self.score, threshold, action, matches: self.matches, examined: self.examined }
    }
}

/// Makes every guise of `bytes` that `wanted` asks for, and says which rules want to see which. What a step leaves as it
/// was is the guise of the step before. Returns how many bytes were read for it.
fn unfold(library: &Library, wanted: &RuleSet, bytes: &[u8], marks: Marks, guises: &mut [Guise]) -> u64 {
    let mut examined = 0;
    for (at, step) in library.steps.iter().enumerate() {
        // a step stands behind the one before it, so that one's guise is among the earlier ones
        let (earlier, rest) = guises.split_at_mut(at);
        let Some(guise) = rest.first_mut() else { continue };
        guise.rules = RuleSet::EMPTY;
        guise.source = earlier.get(step.before).map_or(0, |before| before.source);
        let before = earlier.get(guise.source);
        let before_marks = before.map_or(marks, |before| before.marks);
        guise.marks = before_marks;
        if let Some(transform) = step.transform
            && step.reached.intersects(wanted)
            && step.concerns.is_none_or(|concerns| before_marks.meet(concerns))
        {
            let text = before.filter(|_| guise.source != 0).map_or(bytes, |before| &before.bytes);
            guise.bytes.clear();
            examined += text.len() as u64;
            if transform.apply(text, &mut guise.bytes) {
                guise.source = at;
                guise.marks = library.alphabet.marks(&guise.bytes);
            }
        }
        let source = guise.source;
        if let Some(guise) = guises.get_mut(source) {
            guise.rules = guise.rules.or(&step.rules.and(wanted));
        }
    }
    examined
}

#[cfg(test)]
mod tests;
