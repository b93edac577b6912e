//! What has been told: compares what is found now with it, and says what is to be told next.

use std::collections::BTreeMap;

use rayline_verdict::Moment;
use serde::{Deserialize, Serialize};

use super::Policy;
use super::notice::{Notice, State, written};
use super::watch::Finding;

/// What is going on, by policy and key. It is written to disk with what waits to be sent.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Ledger {
    open: BTreeMap<String, Open>,
}

/// Something that goes on.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Open {
    /// Nanoseconds since 1970.
    since: i64,
    /// When it was last told of; `None`: not yet, because the hours are quiet.
    told: Option<i64>,
    /// As it was last found.
    last: Notice,
}

/// A notice on its way.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Outgoing {
    /// Names of receivers.
    pub receivers: Vec<String>,
    /// What they are told.
    pub notice: Notice,
}

impl Ledger {
    /// Takes what a policy found, and says what is to be told. `link` makes the address of a page that shows a finding.
    pub fn take(
        &mut self,
        policy: &Policy,
        findings: Vec<Finding>,
        now: Moment,
        link: impl Fn(&Finding) -> String,
    ) -> Vec<Outgoing> {
        let quiet = policy.is_quiet(now);
        let prefix = format!("{}/", policy.name);
        let found: Vec<(String, Finding)> =
            findings.into_iter().map(|finding| (format!("{prefix}{}", finding.key), finding)).collect();
        let gone = |id: &&String| id.starts_with(&prefix) && !found.iter().any(|(of, _)| of == *id);
        let over: Vec<String> = self.open.keys().filter(gone).cloned().collect();
        let mut told = Vec::new();
        for id in over {
            told.extend(self.resolve(&id, quiet, now));
        }
        for (id, finding) in found {
            told.extend(self.go_on(policy, id, &finding, quiet, now, link(&finding)));
        }
        told.into_iter().map(|notice| Outgoing { receivers: policy.receivers.clone(), notice }).collect()
    }

    /// Forgets what belongs to policies that are no more.
    pub fn keep(&mut self, policies: &[Policy]) {
        self.open.retain(|_, open| policies.iter().any(|policy| policy.name == open.last.policy));
    }

    /// What goes on now and since when, the latest first.
    pub fn open(&self) -> Vec<(Moment, &Notice)> {
        let mut open: Vec<&Open> = self.open.values().collect();
        open.sort_by_key(|open| std::cmp::Reverse(open.since));
        open.into_iter().map(|open| (Moment(open.since), &open.last)).collect()
    }

    fn go_on(
        &mut self,
        policy: &Policy,
        id: String,
        finding: &Finding,
        quiet: bool,
        now: Moment,
        link: String,
    ) -> Option<Notice> {
        let (since, told) = self.open.get(&id).map_or((finding.since.0, None), |open| (open.since, open.told));
        let due =
            told.is_none_or(|told| u128::try_from(now.0 - told).is_ok_and(|past| past >= policy.repeat.as_nanos()));
        let state = if told.is_none() { State::Firing } else { State::Ongoing };
        let notice = notice(policy, &id, finding, state, Moment(since), link);
        let tell = due && !quiet;
        let told = if tell { Some(now.0) } else { told };
        self.open.insert(id, Open { since, told, last: notice.clone() });
        tell.then_some(notice)
    }

    /// What nobody was told of ends in silence; what ends in quiet hours is told behind them.
    fn resolve(&mut self, id: &str, quiet: bool, now: Moment) -> Option<Notice> {
        if quiet && self.open.get(id).is_some_and(|open| open.told.is_some()) {
            return None;
        }
        let open = self.open.remove(id)?;
        open.told?;
        let headline = format!("over: {}", open.last.headline);
        Some(Notice { state: State::Resolved, until: Some(written(now)), headline, ..open.last })
    }
}

fn notice(policy: &Policy, id: &str, finding: &Finding, state: State, since: Moment, link: String) -> Notice {
    let entry = finding.code.map(rayline_verdict::Code::entry);
    Notice {
        id: format!("{id}@{}", written(since)),
        state,
        policy: policy.name.clone(),
        alert_type: policy.kind.name().to_owned(),
        headline: finding.headline.clone(),
        zone: finding.zone.clone(),
        party: entry.map(|entry| entry.party.name().to_owned()).unwrap_or_default(),
        code: entry.map(|entry| entry.name.to_owned()).unwrap_or_default(),
        summary: entry.map(|entry| entry.sentence.to_owned()).unwrap_or_default(),
        since: written(since),
        until: None,
        failed: finding.failed,
        requests: finding.requests,
        measured: finding.measured,
        threshold: finding.threshold,
        evidence: finding.evidence.clone(),
        places: finding.places.clone(),
        ray_id: finding.ray_id.clone(),
        steps: entry.map(|entry| entry.fix.iter().map(|step| (*step).to_owned()).collect()).unwrap_or_default(),
        link,
    }
}
