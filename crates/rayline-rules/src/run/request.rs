//! One request, held against one phase after the other.

use std::borrow::Cow;
use std::sync::Arc;

use super::changes::{Changes, Known};
use super::fields::{Edits, is_value, may_change_request, may_change_response};
use super::redirect::with_query;
use super::trail::{Change, Reached, Trail};
use super::uri::{Seen, Uri, escape};
use super::{PhaseRules, ZoneRules};
use crate::facts::{Fact, Facts};
use crate::ruleset::{
    Action, Execute, HeaderOperation, OwnResponse, Phase, RateLimit, Redirect, Rewrite, Route, Rule, ServeError, Text,
};
use crate::scheme::Field;
use crate::{Evaluation, Memory};

/// How large what rules make may become.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// Bytes of a path with its query, and of a redirect's target.
    pub uri: usize,
    /// Bytes that header fields may take which rules add to a message.
    pub fields: usize,
}

/// How a request ends by a rule.
#[derive(Debug)]
pub enum End<'r> {
    /// Refused; with its own response, or else with the page that goes with the rule.
    Block(&'r Rule, Option<&'r OwnResponse>),
    /// Asked for a proof of work.
    Challenge(&'r Rule),
    /// Sent elsewhere.
    Redirect {
        /// By which rule.
        rule: &'r Rule,
        /// 301, 302, 303, 307 or 308.
        status: u16,
        /// `Location`.
        location: Vec<u8>,
    },
    /// Another page in place of an error.
    ServeError(&'r Rule, &'r ServeError),
}

/// A rule that could not do what it says.
#[derive(Debug)]
pub struct Failure<'r> {
    /// Which.
    pub rule: &'r Rule,
    /// Of which phase.
    pub phase: Phase,
    /// Why.
    pub kind: FailureKind,
    /// Of what: `path`, `query`, `location`, or a header field's name.
    pub what: Box<str>,
    /// What it made; empty if that is nothing.
    pub made: Vec<u8>,
}

/// Why a rule could not do what it says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum FailureKind {
    /// A path that is none: 1035.
    InvalidPath,
    /// Longer than [`Limits::uri`]: 1036.
    TooLong,
    /// The expression has no value: 1037.
    Expression,
    /// More than [`Limits::fields`]: 1038.
    TooManyFields,
    /// A field that rules may not change: 1040.
    FieldNotAllowed,
    /// Bytes that no value may have: 1041.
    InvalidValue,
}

/// What is to be done about a request, in the eyes of whoever counts or knows attacks.
#[derive(Debug)]
pub enum Decision<'r> {
    /// Nothing.
    Pass,
    /// It is written down.
    Log,
    /// It is refused.
    Block(Option<&'r OwnResponse>),
    /// It is asked for a proof of work.
    Challenge,
}

/// Who decides where a rule and a request are not enough: the counters of rate limits, and the managed rules.
pub trait Guards {
    /// A rate limiting rule whose expression holds.
    fn limit<'r>(
        &mut self,
        rule: &'r Rule,
        limit: &'r RateLimit,
        facts: &dyn Facts,
        evaluation: &mut Evaluation<'_>,
    ) -> Decision<'r>;

    /// Whether the visitor has passed a challenge, so that no other is asked of it.
    fn is_cleared(&mut self, facts: &dyn Facts) -> bool;

    /// A rule that runs managed rules, without those whose ids are skipped.
    fn managed<'r>(
        &mut self,
        rule: &'r Rule,
        execute: &'r Execute,
        skipped: &[Arc<str>],
        facts: &dyn Facts,
    ) -> Decision<'r>;
}

/// Nobody counts, and no managed rule is looked at.
#[derive(Debug, Clone, Copy)]
pub struct NoGuards;

impl Guards for NoGuards {
    fn limit<'r>(&mut self, _: &'r Rule, _: &'r RateLimit, _: &dyn Facts, _: &mut Evaluation<'_>) -> Decision<'r> {
        Decision::Pass
    }

    fn is_cleared(&mut self, _: &dyn Facts) -> bool {
        false
    }

    fn managed<'r>(&mut self, _: &'r Rule, _: &'r Execute, _: &[Arc<str>], _: &dyn Facts) -> Decision<'r> {
        Decision::Pass
    }
}

/// A request on its way through the phases.
#[derive(Debug)]
pub struct Run<'r, 'm> {
    /// The zone's.
    pub rules: &'r ZoneRules,
    /// What there is room for.
    pub limits: Limits,
    /// The worker's.
    pub memory: &'m mut Memory,
    /// What was changed so far.
    pub changes: &'m mut Changes,
    /// What was done so far.
    pub trail: &'m mut Trail,
}

/// What became of a request by one rule.
enum Did<'r> {
    /// It matched, and there was nothing for it to do: a list without this address.
    Nothing,
    Went,
    /// The other rules of the phase are left out.
    SkippedRest,
    Ended(End<'r>),
}

/// Why a rule could not do what it says, what it is about, and what was made of it.
type Cannot = (FailureKind, Box<str>, Vec<u8>);

/// One phase, while it runs.
struct Phased<'r, 'm> {
    rules: &'r ZoneRules,
    phase: Phase,
    limits: Limits,
    seen: &'m Seen<'m>,
    changes: &'m mut Changes,
    guards: &'m mut dyn Guards,
    /// What the phase makes of the path. Its rules do not see it: they see the request as the phase found it, and the
    /// last one's word counts.
    path: Option<Vec<u8>>,
    /// The same of the query.
    query: Option<Vec<u8>>,
    /// What the rule at hand has changed.
    changed: Vec<Change>,
}

impl<'r> Run<'r, '_> {
    /// Runs one phase. `facts` are those of the request as it came; what rules rewrote is seen beside them.
    ///
    /// # Errors
    /// A rule that matches and cannot do what it says.
    pub fn phase(
        &mut self,
        phase: Phase,
        facts: &dyn Facts,
        guards: &mut dyn Guards,
    ) -> Result<Option<End<'r>>, Failure<'r>> {
        let rules = self.rules;
        let Some(of_phase) = rules.phases.get(phase as usize) else { return Ok(None) };
        match of_phase.sequence {
            Some(_) if !self.changes.skips.skips(phase) => {}
            ran => {
                self.trail.pass_over(phase, &of_phase.rules, ran.is_some());
                return Ok(None);
            }
        }
        let revision = facts.revision();
        let known = self.changes.known.take().filter(|known| revision == Some(known.revision));
        let known = known.map(|known| known.generation);
        let uri = self.changes.uri.take();
        let seen = Seen { facts, uri: uri.as_ref() };
        let mut phased = Phased {
            rules,
            phase,
            limits: self.limits,
            seen: &seen,
            changes: self.changes,
            guards,
            path: None,
            query: None,
            changed: Vec::new(),
        };
        let result = phased.run(of_phase, &mut rules.program.go_on(&seen, self.memory, known), self.trail);
        let rewritten = phased.rewritten();
        let generation = self.memory.generation();
        let unchanged = revision.filter(|_| rewritten.is_none());
        self.changes.known = unchanged.map(|revision| Known { revision, generation });
        self.changes.uri = rewritten.or(uri);
        result
    }
}

impl<'r> Phased<'r, '_> {
    fn run(
        &mut self,
        of_phase: &'r PhaseRules,
        evaluation: &mut Evaluation<'_>,
        trail: &mut Trail,
    ) -> Result<Option<End<'r>>, Failure<'r>> {
        let Some(sequence) = of_phase.sequence else { return Ok(None) };
        let phase = self.phase;
        let left = |from: usize| of_phase.rules.get(from..).unwrap_or_default();
        let (mut at, mut passed) = (0, 0);
        while let Some(place) = evaluation.next_true(sequence, at) {
            at = place + 1;
            let Some(&whole) = of_phase.enabled.get(place) else { break };
            let Some(rule) = of_phase.rules.get(whole) else { break };
            trail.pass_over(phase, of_phase.rules.get(passed..whole).unwrap_or_default(), false);
            passed = whole + 1;
            if self.changes.skips.leaves_out(&rule.id) {
                trail.pass_over(phase, [rule], true);
                continue;
            }
            let did = self.apply(rule, evaluation);
            let changed = std::mem::take(&mut self.changed);
            match did {
                Ok(Did::Nothing) => trail.pass_over(phase, [rule], false),
                Ok(Did::Went) => trail.note(phase, rule, Reached::Matched, changed),
                Ok(Did::SkippedRest) => {
                    trail.note(phase, rule, Reached::Matched, changed);
                    trail.pass_over(phase, left(passed), true);
                    return Ok(None);
                }
                Ok(Did::Ended(end)) => {
                    trail.note(phase, rule, Reached::Ended, changed);
                    trail.pass_over(phase, left(passed), true);
                    return Ok(Some(end));
                }
                Err((kind, what, made)) => {
                    trail.note(phase, rule, Reached::Ended, changed);
                    return Err(Failure { rule, phase, kind, what, made });
                }
            }
        }
        trail.pass_over(phase, left(passed), false);
        Ok(None)
    }

    /// Does what a rule says.
    fn apply(&mut self, rule: &'r Rule, evaluation: &mut Evaluation<'_>) -> Result<Did<'r>, Cannot> {
        match &rule.action {
            Action::Block(response) => return Ok(Did::Ended(End::Block(rule, response.as_ref()))),
            Action::Challenge => return Ok(self.decide(rule, Decision::Challenge)),
            Action::Log => {}
            Action::Skip(skip) => {
                self.changes.skips.add(skip);
                if skip.current_ruleset {
                    return Ok(Did::SkippedRest);
                }
            }
            Action::Execute(execute) => {
                let decision = self.guards.managed(rule, execute, &self.changes.skips.rules, self.seen);
                return Ok(self.decide(rule, decision));
            }
            Action::RateLimit(limit) => {
                let decision = self.guards.limit(rule, limit, self.seen, evaluation);
                return Ok(self.decide(rule, decision));
            }
            Action::Rewrite(rewrite) => self.rewrite(rewrite, evaluation)?,
            Action::Redirect(redirect) => return self.redirect(rule, redirect, evaluation),
            Action::Route(route) => self.route(rule, route, evaluation)?,
            Action::SetConfig(config) => self.changes.set(config, &mut self.changed),
            Action::SetCacheSettings(settings) => self.changes.set_cache(settings, &mut self.changed),
            Action::ServeError(page) => return Ok(Did::Ended(End::ServeError(rule, page))),
            Action::CompressResponse(codings) => {
                let names = codings.iter().map(|coding| coding.name()).collect::<Vec<_>>().join(", ");
                self.changed.push(Change::new("compression", None, Some(names.as_bytes())));
                self.changes.compression = Some(codings.clone());
            }
            Action::LogCustomField(fields) => self.changes.log(fields),
        }
        Ok(Did::Went)
    }

    /// What a decision about a rule comes to.
    fn decide(&mut self, rule: &'r Rule, decision: Decision<'r>) -> Did<'r> {
        match decision {
            Decision::Pass => Did::Nothing,
            Decision::Log => Did::Went,
            Decision::Block(response) => Did::Ended(End::Block(rule, response)),
            Decision::Challenge if self.guards.is_cleared(self.seen) => Did::Went,
            Decision::Challenge => Did::Ended(End::Challenge(rule)),
        }
    }

    fn rewrite(&mut self, rewrite: &'r Rewrite, evaluation: &mut Evaluation<'_>) -> Result<(), Cannot> {
        if let Some(path) = &rewrite.path {
            let made = value(path, evaluation, "path")?;
            let mut escaped = Vec::with_capacity(made.len());
            let is_path = escape(&made, true, &mut escaped).is_some()
                && escaped.first() == Some(&b'/')
                && !is_of_the_edge(&escaped);
            if !is_path {
                return Err((FailureKind::InvalidPath, "path".into(), made.into_owned()));
            }
            let before = self.path.as_deref().unwrap_or_else(|| bytes(self.seen, Field::UriPath));
            self.changed.push(Change::new("path", Some(before), Some(&escaped)));
            self.path = Some(escaped);
        }
        if let Some(query) = &rewrite.query {
            let made = value(query, evaluation, "query")?;
            let mut escaped = Vec::with_capacity(made.len());
            let bare = made.strip_prefix(b"?").unwrap_or(&made);
            if escape(bare, false, &mut escaped).is_none() {
                return Err((FailureKind::InvalidPath, "query".into(), made.into_owned()));
            }
            let before = self.query.as_deref().unwrap_or_else(|| bytes(self.seen, Field::UriQuery));
            // With the question mark: so it is known for a query wherever it is shown, and masked where that is wanted.
            let (before, after) = ([b"?", before].concat(), [b"?", &*escaped].concat());
            self.changed.push(Change::new("query", Some(&before), Some(&after)));
            self.query = Some(escaped);
        }
        let path = self.path.as_deref().unwrap_or_else(|| bytes(self.seen, Field::UriPath));
        let query = self.query.as_deref().unwrap_or_else(|| bytes(self.seen, Field::UriQuery));
        if (rewrite.path.is_some() || rewrite.query.is_some()) && path.len() + 1 + query.len() > self.limits.uri {
            let made = [path, b"?", query].concat();
            return Err((FailureKind::TooLong, "path".into(), made));
        }
        for change in &rewrite.headers {
            self.change_field(&change.name, &change.operation, evaluation)?;
        }
        Ok(())
    }

    /// What the phase made of the address, if anything.
    fn rewritten(self) -> Option<Uri> {
        if self.path.is_none() && self.query.is_none() {
            return None;
        }
        let (full, uri) = (bytes(self.seen, Field::FullUri), bytes(self.seen, Field::Uri));
        let prefix = full.get(..full.len().saturating_sub(uri.len())).unwrap_or_default();
        let path = self.path.as_deref().unwrap_or_else(|| bytes(self.seen, Field::UriPath));
        let query = self.query.as_deref().unwrap_or_else(|| bytes(self.seen, Field::UriQuery));
        Some(Uri::new(prefix, path, query))
    }

    fn change_field(
        &mut self,
        name: &Arc<str>,
        operation: &'r HeaderOperation,
        evaluation: &mut Evaluation<'_>,
    ) -> Result<(), Cannot> {
        let of_response = self.phase.is_of_response();
        let allowed = match (of_response, operation) {
            (false, HeaderOperation::Remove) => may_change_request(name, true),
            // Which of two an origin believes nobody knows: requests get no second field of a name.
            (false, HeaderOperation::Set(_) | HeaderOperation::Add(_)) => may_change_request(name, false),
            (true, HeaderOperation::Set(_)) => may_change_response(name, true),
            (true, HeaderOperation::Add(_) | HeaderOperation::Remove) => may_change_response(name, false),
        };
        if !allowed {
            return Err((FailureKind::FieldNotAllowed, (&**name).into(), Vec::new()));
        }
        let new = match operation {
            HeaderOperation::Remove => None,
            HeaderOperation::Set(text) | HeaderOperation::Add(text) => {
                let made = value(text, evaluation, name)?;
                if !is_value(&made) {
                    return Err((FailureKind::InvalidValue, (&**name).into(), made.into_owned()));
                }
                Some(made.trim_ascii().to_vec()).filter(|value| !value.is_empty())
            }
        };
        let (field, side) = if of_response {
            (Field::ResponseHeaders, "response.header.")
        } else {
            (Field::Headers, "request.header.")
        };
        let edits = if of_response { &mut self.changes.response_fields } else { &mut self.changes.request_fields };
        let before = last_value(self.seen, field, edits, name);
        match (&new, operation) {
            (Some(value), HeaderOperation::Add(_)) => edits.add(name, value),
            (Some(value), HeaderOperation::Set(_) | HeaderOperation::Remove) => edits.set(name, value),
            // An empty value is no second field.
            (None, HeaderOperation::Add(_)) => {}
            (None, HeaderOperation::Set(_) | HeaderOperation::Remove) => edits.remove(name),
        }
        if edits.bytes() > self.limits.fields {
            return Err((FailureKind::TooManyFields, (&**name).into(), Vec::new()));
        }
        self.changed.push(Change::new(format!("{side}{name}"), before.as_deref(), new.as_deref()));
        Ok(())
    }

    fn redirect(
        &mut self,
        rule: &'r Rule,
        redirect: &'r Redirect,
        evaluation: &mut Evaluation<'_>,
    ) -> Result<Did<'r>, Cannot> {
        let (made, status, keeps_query) = match redirect {
            Redirect::Value { target, status_code, preserve_query_string } => {
                (value(target, evaluation, "location")?.into_owned(), *status_code, *preserve_query_string)
            }
            Redirect::List { list, key } => {
                let Some(index) = self.rules.redirects_of(list) else { return Ok(Did::Nothing) };
                let Some(url) = evaluation.text(*key) else {
                    return Err((FailureKind::Expression, "key".into(), Vec::new()));
                };
                let Some(found) = index.find(&url) else { return Ok(Did::Nothing) };
                (found.target(), found.item.status_code, found.item.preserve_query_string)
            }
        };
        let mut location = Vec::with_capacity(made.len());
        if made.is_empty() || escape_location(&made, &mut location).is_none() {
            return Err((FailureKind::InvalidValue, "location".into(), made));
        }
        if keeps_query {
            location = with_query(location, bytes(self.seen, Field::UriQuery));
        }
        if location.len() > self.limits.uri {
            return Err((FailureKind::TooLong, "location".into(), location));
        }
        self.changed.push(Change::new("location", None, Some(&location)));
        Ok(Did::Ended(End::Redirect { rule, status, location }))
    }

    fn route(&mut self, rule: &'r Rule, route: &'r Route, evaluation: &mut Evaluation<'_>) -> Result<(), Cannot> {
        for (text, what) in [(&route.host_header, "host_header"), (&route.sni, "sni")] {
            let Some(text) = text else { continue };
            let made = value(text, evaluation, what)?;
            if made.is_empty() || !made.iter().all(u8::is_ascii_graphic) {
                return Err((FailureKind::InvalidValue, what.into(), made.into_owned()));
            }
            let routed = &mut self.changes.route;
            let place = if what == "sni" { &mut routed.sni } else { &mut routed.host_header };
            self.changed.push(Change::new(what, place.as_deref(), Some(&made)));
            *place = Some(made.into());
        }
        let routed = &mut self.changes.route;
        if let Some(host) = &route.host {
            let before = routed.host.as_ref().map(|host| host.as_bytes());
            self.changed.push(Change::new("origin.host", before, Some(host.as_bytes())));
            routed.host = Some(Arc::clone(host));
        }
        if let Some(port) = route.port {
            let before = routed.port.map(|port| port.to_string());
            let before = before.as_deref().map(str::as_bytes);
            self.changed.push(Change::new("origin.port", before, Some(port.to_string().as_bytes())));
            routed.port = Some(port);
        }
        routed.by = Some((Arc::clone(&rule.id), Arc::clone(&rule.description)));
        Ok(())
    }
}

/// A text's value.
fn value<'e>(text: &'e Text, evaluation: &'e mut Evaluation<'_>, what: &str) -> Result<Cow<'e, [u8]>, Cannot> {
    match text {
        Text::Value(value) => Ok(Cow::Borrowed(value.as_bytes())),
        Text::Expression(dynamic) => {
            evaluation.text(*dynamic).ok_or_else(|| (FailureKind::Expression, what.into(), Vec::new()))
        }
    }
}

/// A field whose value is a text.
fn bytes<'s>(facts: &'s Seen<'_>, field: Field) -> &'s [u8] {
    match facts.fact(field) {
        Fact::Bytes(bytes) => bytes,
        Fact::Nothing | Fact::Bool(_) | Fact::Int(_) | Fact::Float(_) | Fact::Ip(_) => b"",
    }
}

/// The value of a header field as it stands, the last of several.
fn last_value(facts: &Seen<'_>, field: Field, edits: &Edits, name: &str) -> Option<Vec<u8>> {
    if let Some(value) = edits.get(name) {
        return Some(value.to_vec());
    }
    let mut found = None;
    if !edits.drops(name.as_bytes()) {
        facts.entries(field, &mut |key, value| {
            if key.eq_ignore_ascii_case(name.as_bytes()) {
                found = Some(value.to_vec());
            }
            std::ops::ControlFlow::Continue(())
        });
    }
    found
}

/// Whether a path is one that the edge answers itself.
fn is_of_the_edge(path: &[u8]) -> bool {
    path.strip_prefix(b"/cdn-cgi").is_some_and(|rest| matches!(rest.first(), None | Some(b'/')))
}

/// Appends a redirect's target, with `%` for spaces and what is not ASCII; nothing if it holds a control character.
fn escape_location(made: &[u8], out: &mut Vec<u8>) -> Option<()> {
    let hash = made.iter().position(|byte| *byte == b'#').unwrap_or(made.len());
    let (before, fragment) = made.split_at_checked(hash)?;
    escape(before, false, out)?;
    if let Some(fragment) = fragment.strip_prefix(b"#") {
        out.push(b'#');
        escape(fragment, false, out)?;
    }
    Some(())
}
