//! A request through the phases, and what each rule did.

use std::sync::Arc;

use rayline_config::Zone;
use rayline_rules::facts::Facts;
use rayline_rules::ruleset::{Execute, ManagedAction, Phase, RateLimit, Rule};
use rayline_rules::run::{
    Change, Changes, Decision, End, FailureKind, Guards, Limits, Reached, Run, Seen, Trail, ZoneRules,
};
use rayline_rules::waf::{Action, Body, Managed, Scratch};
use rayline_rules::{Evaluation, Memory, Stage, Term, explain, parse};
use serde_json::{Value, json};

use crate::rules::request::Request;

/// What there is room for, as by default (`limits`).
const LIMITS: Limits = Limits { uri: 32 * 1024, fields: 128 * 1024 };

/// What came of a request.
pub(super) struct Trace {
    pub(super) zone: String,
    /// Each rule that was asked, in order.
    pub(super) steps: Vec<Told>,
    pub(super) end: Ended,
    /// What the origin would be asked, as far as it is not what the visitor asked: what, and how it is.
    pub(super) changed: Vec<(String, String)>,
}

/// A rule that was asked.
pub(super) struct Told {
    pub(super) phase: &'static str,
    pub(super) rule: String,
    pub(super) description: String,
    pub(super) expression: String,
    pub(super) action: &'static str,
    pub(super) reached: Reached,
    pub(super) changes: Vec<Change>,
    /// Managed rules that matched, by id.
    pub(super) managed: Vec<String>,
    /// What its expression is worth, part by part.
    pub(super) why: Option<Term>,
}

/// How it ends.
pub(super) enum Ended {
    /// It goes on to the origin, or the answer to the visitor.
    GoesOn,
    /// By this rule, so.
    By { rule: String, how: String },
    /// This rule cannot do what it says.
    Failed { rule: String, number: u16, why: &'static str, made: String },
}

impl Trace {
    /// Whether a rule cannot do what it says.
    pub(super) fn failed(&self) -> bool {
        matches!(self.end, Ended::Failed { .. })
    }

    /// The object of `--json`.
    pub(super) fn to_json(&self) -> Value {
        let end = match &self.end {
            Ended::GoesOn => json!({ "end": "goes_on" }),
            Ended::By { rule, how } => json!({ "end": "rule", "rule": rule, "how": how }),
            Ended::Failed { rule, number, why, made } => {
                json!({ "end": "failed", "rule": rule, "error_code": number, "why": why, "made": made })
            }
        };
        let text =
            |bytes: &Option<Box<[u8]>>| bytes.as_deref().map(|bytes| String::from_utf8_lossy(bytes).into_owned());
        let step = |step: &Told| {
            let changes = step.changes.iter().map(
                |change| json!({ "what": change.what, "before": text(&change.before), "after": text(&change.after) }),
            );
            json!({
                "phase": step.phase, "rule": step.rule, "description": step.description,
                "expression": step.expression, "action": step.action, "reached": step.reached.name(),
                "changes": changes.collect::<Vec<_>>(), "managed_rules": step.managed, "why": step.why,
            })
        };
        let changed: serde_json::Map<String, Value> =
            self.changed.iter().map(|(what, value)| (what.clone(), json!(value))).collect();
        json!({
            "zone": self.zone,
            "steps": self.steps.iter().map(step).collect::<Vec<_>>(),
            "outcome": end,
            "changed": changed,
        })
    }
}

/// Runs the phases of requests, and those of answers where the request's description has one.
pub(super) fn simulate(zone: &Zone, request: &Request, all: bool) -> Trace {
    let mut trace = Trace { zone: zone.name.clone(), steps: Vec::new(), end: Ended::GoesOn, changed: Vec::new() };
    let Some(rules) = zone.rules.as_deref() else { return trace };
    let (mut memory, mut changes) = (Memory::default(), Changes::default());
    for phase in Phase::ALL {
        if phase.is_of_response() && !request.is_answered() {
            continue;
        }
        let uri = changes.uri.clone();
        let mut trail = Trail { everything: all, ..Trail::default() };
        let mut guards = OnPaper { request, scratch: Scratch::default(), matched: Vec::new() };
        let run = Run { rules, limits: LIMITS, memory: &mut memory, changes: &mut changes, trail: &mut trail };
        let ended = { run }.phase(phase, request, &mut guards);
        let end = match ended {
            Ok(None) => None,
            Ok(Some(end)) => Some(of(&end)),
            Err(failure) => Some(Ended::Failed {
                rule: failure.rule.id.to_string(),
                number: number(failure.kind),
                why: why(failure.kind),
                made: String::from_utf8_lossy(&failure.made).into_owned(),
            }),
        };
        trace.steps.extend(told(rules, phase, &Seen { facts: request, uri: uri.as_ref() }, trail, &guards, all));
        if let Some(end) = end {
            trace.end = end;
            break;
        }
    }
    trace.changed = changed(&changes);
    trace
}

fn told(rules: &ZoneRules, phase: Phase, seen: &Seen<'_>, trail: Trail, guards: &OnPaper<'_>, all: bool) -> Vec<Told> {
    let of = |id: &str| rules.of(phase).iter().find(|rule| *rule.id == *id);
    let each = trail.steps.into_iter().map(|step| {
        let expression = of(&step.rule).map(|rule| rule.expression.to_string()).unwrap_or_default();
        let lists = rules.lists();
        let why = all.then(|| parse(&expression, Stage::Response, lists).ok()).flatten();
        Told {
            phase: phase.name(),
            managed: guards.of(&step.rule),
            rule: step.rule.to_string(),
            description: step.description.to_string(),
            why: why.map(|expr| explain(&expr, seen, lists)),
            expression,
            action: step.action,
            reached: step.reached,
            changes: step.changes,
        }
    });
    each.collect()
}

/// What the guards of a running edge would say, as far as that can be known on paper.
struct OnPaper<'a> {
    request: &'a Request,
    scratch: Scratch,
    /// Rules that ran managed ones, and which of those matched.
    matched: Vec<(Arc<str>, String)>,
}

impl OnPaper<'_> {
    fn of(&self, rule: &str) -> Vec<String> {
        self.matched.iter().filter(|(by, _)| **by == *rule).map(|(_, managed)| managed.clone()).collect()
    }
}

impl Guards for OnPaper<'_> {
    fn limit<'r>(&mut self, _: &'r Rule, _: &'r RateLimit, _: &dyn Facts, _: &mut Evaluation<'_>) -> Decision<'r> {
        Decision::Log
    }

    /// Nobody has solved a challenge on paper.
    fn is_cleared(&mut self, _: &dyn Facts) -> bool {
        false
    }

    fn managed<'r>(
        &mut self,
        rule: &'r Rule,
        execute: &'r Execute,
        skipped: &[Arc<str>],
        facts: &dyn Facts,
    ) -> Decision<'r> {
        let Ok(managed) = Managed::compile(execute) else { return Decision::Pass };
        let body = self.request.body_bytes();
        let content_type = self.request.content_type();
        let body = body.map(|bytes| Body { bytes, truncated: false, content_type });
        let outcome = managed.inspect(facts, body, skipped, &mut self.scratch);
        let noted = outcome.matches.iter().map(|matched| {
            let does = match matched.action {
                ManagedAction::Score => "",
                ManagedAction::Block => ", blocks",
                ManagedAction::Challenge => ", challenges",
                ManagedAction::Log => ", is logged",
            };
            (Arc::clone(&rule.id), format!("{}{does}", matched.rule.id))
        });
        self.matched.extend(noted);
        match outcome.action {
            Action::Pass => Decision::Pass,
            Action::LogOnly => Decision::Log,
            Action::Challenge => Decision::Challenge,
            Action::Block => Decision::Block(None),
        }
    }
}

fn of(end: &End<'_>) -> Ended {
    let by = |rule: &Rule, how: String| Ended::By { rule: rule.id.to_string(), how };
    match end {
        End::Block(rule, None) => by(rule, "blocked, with the edge's page".to_owned()),
        End::Block(rule, Some(own)) => {
            by(rule, format!("blocked, with the rule's own response, status {}", own.status_code))
        }
        End::Challenge(rule) => by(rule, "challenged, unless the visitor has a clearance".to_owned()),
        End::Redirect { rule, status, location } => {
            by(rule, format!("redirected with {status} to {}", String::from_utf8_lossy(location)))
        }
        End::ServeError(rule, page) => {
            let status = page.status_code.map_or_else(String::new, |status| format!(", status {status}"));
            by(rule, format!("answered with the rule's error page{status}"))
        }
    }
}

/// The number that a visitor would see (Cloudflare 1xxx errors).
fn number(kind: FailureKind) -> u16 {
    match kind {
        FailureKind::InvalidPath => 1035,
        FailureKind::TooLong => 1036,
        FailureKind::Expression => 1037,
        FailureKind::TooManyFields => 1038,
        FailureKind::FieldNotAllowed => 1040,
        FailureKind::InvalidValue => 1041,
    }
}

fn why(kind: FailureKind) -> &'static str {
    match kind {
        FailureKind::InvalidPath => "what it made is no path",
        FailureKind::TooLong => "what it made is too long",
        FailureKind::Expression => "its expression has no value for this request",
        FailureKind::TooManyFields => "it adds more header fields than a message may have",
        FailureKind::FieldNotAllowed => "it changes a header field that rules may not change",
        FailureKind::InvalidValue => "what it made cannot stand in a header field",
    }
}

/// What differs from what the visitor asked.
fn changed(changes: &Changes) -> Vec<(String, String)> {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let mut changed = Vec::new();
    let mut put = |what: &str, value: Option<String>| changed.extend(value.map(|value| (what.to_owned(), value)));
    put("uri", changes.uri.as_ref().map(|uri| text(uri.path_and_query())));
    put("host_header", changes.route.host_header.as_deref().map(text));
    put("sni", changes.route.sni.as_deref().map(text));
    put("origin", changes.route.host.as_deref().map(str::to_owned));
    put("port", changes.route.port.map(|port| port.to_string()));
    for (name, value) in changes.request_fields.put() {
        put(&format!("request.header.{name}"), Some(text(value)));
    }
    for (name, value) in changes.response_fields.put() {
        put(&format!("response.header.{name}"), Some(text(value)));
    }
    changed
}
