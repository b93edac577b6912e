//! Everything that changes what runs: a file read again, a text applied, a rollout and its end. One change at a time.
//!
//! It decides nothing about a rollout's steps: [`super::rollout`] says what is next.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use rayline_config::{Plan, Problem, Source};
use rayline_control::{
    Applied, Change, Configurations, Evidence, MaintenanceOrder, Pace, Signed, State, Version, ZoneMaintenance,
};
use rayline_edge::Edge;

use super::beside::{Beside, Wanted};
use super::reload::{Compiled, Reload, ReloadProblem, Reloaded};
use super::rollout::{Next, Rollout};
use super::versions::now;
use super::{file, maintaining};
use crate::output::say;

/// How often a rollout is looked at.
const LOOK: Duration = Duration::from_millis(500);

/// What runs, and whoever may change it.
pub(crate) struct Steering {
    edge: Arc<Edge>,
    beside: Arc<Beside>,
    reload: Reload,
    what: Mutex<What>,
    changed: Condvar,
    shown: Shown,
}

/// What runs.
struct What {
    /// Its text.
    text: String,
    /// What it says of rollouts.
    configured: rayline_config::Rollout,
    rollout: Option<Going>,
    is_stopping: bool,
}

/// A rollout that goes on.
struct Going {
    rollout: Rollout,
    text: String,
    configured: rayline_config::Rollout,
    wanted: Wanted,
    /// When the step began.
    began: Instant,
    waiting_for: String,
    evidence: Evidence,
}

/// Numbers for the metrics, which wait for nobody.
#[derive(Debug, Default)]
struct Shown {
    candidate: AtomicU64,
    /// Hundredths of a percent.
    share: AtomicU64,
    rollbacks: AtomicU64,
}

type Refusal = Vec<String>;

impl Steering {
    /// Takes over from the start, and goes on with a rollout that the last edge had begun.
    pub(super) fn start(
        edge: Arc<Edge>,
        beside: Arc<Beside>,
        reload: Reload,
        configured: rayline_config::Rollout,
    ) -> std::io::Result<Arc<Self>> {
        let what = What { text: reload.running().to_owned(), configured, rollout: None, is_stopping: false };
        let steering = Arc::new(Self {
            edge,
            beside,
            reload,
            what: Mutex::new(what),
            changed: Condvar::new(),
            shown: Shown::default(),
        });
        steering.resume(&mut steering.what());
        let own = Arc::clone(&steering);
        std::thread::Builder::new().name("rollout".to_owned()).spawn(move || own.watch())?;
        Ok(steering)
    }

    fn what(&self) -> MutexGuard<'_, What> {
        self.what.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn version(&self) -> u64 {
        self.edge.counts().plan_version.load(Ordering::Relaxed)
    }

    /// The version that is rolled out or 0, to how many percent, and how often the edge has taken one back.
    pub(super) fn shown(&self) -> (u64, f64, u64) {
        let Shown { candidate, share, rollbacks } = &self.shown;
        let percent = share.load(Ordering::Relaxed) as f64 / 100.0;
        (candidate.load(Ordering::Relaxed), percent, rollbacks.load(Ordering::Relaxed))
    }

    /// The plan of an earlier version; `None` if its text is not kept any more.
    pub(super) fn plan_of(&self, version: u64) -> Option<Result<Plan, Refusal>> {
        let text = self.beside.versions.read(version)?;
        Some(self.reload.compile_text(text).map(|compiled| compiled.plan).map_err(|problem| problem.in_words()))
    }

    /// What the configuration that runs is called, and its text.
    pub(super) fn source(&self) -> (String, String) {
        let name = self.reload.path().map(|path| path.display().to_string()).unwrap_or_default();
        (name, self.what().text.clone())
    }

    /// Changes nothing more: what fails while the edge ends is nobody's fault. A rollout goes on at the next start.
    pub(super) fn stop(&self) {
        self.what().is_stopping = true;
        self.changed.notify_all();
    }

    // === the file ===

    /// Reads the file again, and runs on it.
    pub(super) fn reload(&self) -> Result<Reloaded, ReloadProblem> {
        let mut what = self.what();
        let compiled = self.reload.compile(self.reload.source()?)?;
        self.install(&mut what, compiled, &Signed::default(), "the file was read")
    }

    /// The same, unless it says what runs already: whatever is applied here is written to the file, too.
    pub(super) fn reload_if_changed(&self) -> Option<Result<Reloaded, ReloadProblem>> {
        let mut what = self.what();
        let source = match self.reload.source() {
            Ok(source) if source.text == what.text => return None,
            Ok(source) => source,
            Err(problem) => return Some(Err(problem)),
        };
        let compiled = self.reload.compile(source);
        Some(
            compiled.and_then(|compiled| self.install(&mut what, compiled, &Signed::default(), "the file has changed")),
        )
    }

    /// Runs a plan for everybody. A rollout that went on ends: its old version is gone.
    fn install(
        &self,
        what: &mut What,
        compiled: Compiled,
        signed: &Signed,
        why: &str,
    ) -> Result<Reloaded, ReloadProblem> {
        let Compiled { plan, source, warnings } = compiled;
        let (needs_restart, wanted) = (self.edge.fixed_changes(&plan), self.beside.read(&plan));
        let (configured, version) = (plan.rollout.clone(), self.beside.versions.number(&source.text));
        let is_new = version != self.version();
        self.edge.reload_as(version, plan).map_err(ReloadProblem::CannotStart)?;
        if let Some(going) = what.rollout.take() {
            let message = format!("ended, for version {version} came into use meanwhile");
            self.end(&going, State::Aborted, &message, signed, None);
        }
        if is_new {
            self.beside.versions.add(version, &source.text, &source.name, signed, State::Used, why);
        }
        self.beside.follow(wanted, self.edge.lookout());
        what.text.clone_from(&source.text);
        what.configured = configured;
        Ok(Reloaded { version, is_new, source, warnings, needs_restart })
    }

    /// The same, and the file says so from now on.
    fn install_and_write(
        &self,
        what: &mut What,
        compiled: Compiled,
        signed: &Signed,
        why: &str,
    ) -> Result<Applied, Refusal> {
        let before = what.text.clone();
        let reloaded = self.install(what, compiled, signed, why).map_err(|problem| problem.in_words())?;
        let mut messages = messages(&reloaded.source, &reloaded.warnings, &reloaded.needs_restart);
        messages.extend(self.write_file(reloaded.version, &before, &what.text));
        say(&format!("running on version {} of the configuration", reloaded.version));
        messages.iter().for_each(|message| say(message));
        let outcome = format!("version {} runs", reloaded.version);
        Ok(Applied { version: reloaded.version, outcome, messages })
    }

    fn write_file(&self, version: u64, before: &str, text: &str) -> Option<String> {
        let aside = |found: &[u8]| self.beside.versions.keep_aside(version, found);
        self.reload.path().and_then(|path| file::replace(path, before, text, aside))
    }

    fn apply_to(&self, what: &mut What, change: Change) -> Result<Applied, Refusal> {
        if let Some(going) = &what.rollout {
            let version = going.rollout.version;
            return Err(vec![format!("version {version} is being rolled out: promote it or abort that first")]);
        }
        if change.text == what.text {
            let version = self.version();
            let outcome = format!("version {version} runs, and has this very text");
            return Ok(Applied { version, outcome, messages: Vec::new() });
        }
        let compiled = self.reload.compile_text(change.text).map_err(|problem| problem.in_words())?;
        match &change.pace {
            Some(pace) => self.begin(what, compiled, &change.signed, pace),
            None => self.install_and_write(what, compiled, &change.signed, "applied"),
        }
    }

    // === a rollout ===

    fn begin(&self, what: &mut What, compiled: Compiled, signed: &Signed, pace: &Pace) -> Result<Applied, Refusal> {
        let salt =
            getrandom::u64().map_err(|error| vec![format!("the system has no random number to give: {error}")])?;
        let version = self.beside.versions.next();
        let rollout = Rollout::new((version, self.version()), salt, &what.configured, pace).map_err(|why| vec![why])?;
        let needs_restart = self.edge.fixed_changes(&compiled.plan);
        let messages = messages(&compiled.source, &compiled.warnings, &needs_restart);
        let (text, name) = (compiled.source.text.clone(), compiled.source.name.clone());
        let going = self.try_out(rollout, compiled).map_err(|problem| problem.in_words())?;
        let told = format!("rolled out to {} % of the visitors", going.rollout.percent());
        self.beside.versions.add(version, &text, &name, signed, State::RollingOut, &told);
        self.go_on(what, going);
        say(&format!("version {version} of the configuration: {told}"));
        Ok(Applied { version, outcome: format!("version {version} is {told}"), messages })
    }

    /// Some visitors' requests run on it.
    fn try_out(&self, rollout: Rollout, compiled: Compiled) -> Result<Going, ReloadProblem> {
        let Compiled { plan, source, .. } = compiled;
        let (configured, wanted) = (plan.rollout.clone(), self.beside.read(&plan));
        self.edge.begin_trial(rollout.version, plan, rollout.spread()).map_err(ReloadProblem::CannotStart)?;
        Ok(Going {
            rollout,
            text: source.text,
            configured,
            wanted,
            began: Instant::now(),
            waiting_for: "requests".to_owned(),
            evidence: Evidence::default(),
        })
    }

    /// A step has begun: that is written down.
    fn go_on(&self, what: &mut What, mut going: Going) {
        going.rollout.since = now().0;
        going.began = Instant::now();
        self.beside.versions.keep_rollout(Some(&going.rollout));
        self.shown.candidate.store(going.rollout.version, Ordering::Relaxed);
        self.shown.share.store((going.rollout.percent() * 100.0).round() as u64, Ordering::Relaxed);
        what.rollout = Some(going);
        self.changed.notify_all();
    }

    fn widen(&self, what: &mut What, mut going: Going, signed: &Signed, evidence: Option<Evidence>) -> Applied {
        if !going.rollout.widen() {
            return self.finish(what, going, signed, evidence);
        }
        let version = going.rollout.version;
        let told = format!("rolled out to {} % of the visitors", going.rollout.percent());
        self.edge.widen(going.rollout.spread().share);
        self.beside.versions.note(version, State::RollingOut, &told, signed, evidence);
        self.go_on(what, going);
        say(&format!("version {version} of the configuration: {told}"));
        Applied { version, outcome: format!("version {version} is {told}"), messages: Vec::new() }
    }

    fn finish(&self, what: &mut What, going: Going, signed: &Signed, evidence: Option<Evidence>) -> Applied {
        let version = going.rollout.version;
        self.edge.promote();
        self.end(&going, State::Used, "in use for everybody", signed, evidence);
        let Going { text, configured, wanted, .. } = going;
        self.beside.follow(wanted, self.edge.lookout());
        let before = std::mem::replace(&mut what.text, text);
        what.configured = configured;
        let messages: Vec<String> = self.write_file(version, &before, &what.text).into_iter().collect();
        say(&format!("running on version {version} of the configuration: its rollout is over"));
        messages.iter().for_each(|message| say(message));
        Applied { version, outcome: format!("version {version} runs for everybody"), messages }
    }

    /// It runs for nobody any more.
    fn withdraw(
        &self,
        going: &Going,
        state: State,
        told: &str,
        signed: &Signed,
        evidence: Option<Evidence>,
    ) -> Applied {
        self.edge.withdraw();
        self.end(going, state, told, signed, evidence);
        let Rollout { version, from, .. } = going.rollout;
        say(&format!("version {version} of the configuration: {told}; everybody is on version {from}"));
        let outcome = format!("version {version}: {told}; everybody is on version {from}");
        Applied { version: from, outcome, messages: Vec::new() }
    }

    fn end(&self, going: &Going, state: State, told: &str, signed: &Signed, evidence: Option<Evidence>) {
        self.beside.versions.note(going.rollout.version, state, told, signed, evidence);
        self.beside.versions.keep_rollout(None);
        self.shown.candidate.store(0, Ordering::Relaxed);
        self.shown.share.store(0, Ordering::Relaxed);
    }

    /// Looks at the rollout that goes on, again and again.
    fn watch(&self) {
        let mut what = self.what();
        while !what.is_stopping {
            let idle = |what: &mut What| what.rollout.is_none() && !what.is_stopping;
            what = self.changed.wait_while(what, idle).unwrap_or_else(PoisonError::into_inner);
            self.look(&mut what);
            what = self.changed.wait_timeout(what, LOOK).unwrap_or_else(PoisonError::into_inner).0;
        }
    }

    fn look(&self, what: &mut What) {
        if what.is_stopping {
            return;
        }
        let (Some(mut going), Some(compared)) = (what.rollout.take(), self.edge.compare()) else { return };
        let (next, evidence) = going.rollout.next(&compared, going.began, Instant::now());
        let nobody = Signed::default();
        match next {
            Next::Wait(why) => {
                (going.waiting_for, going.evidence) = (why, evidence);
                what.rollout = Some(going);
            }
            Next::Widen => {
                self.widen(what, going, &nobody, Some(evidence));
            }
            Next::Finish => {
                self.finish(what, going, &nobody, Some(evidence));
            }
            Next::RollBack => {
                self.shown.rollbacks.fetch_add(1, Ordering::Relaxed);
                let told = format!("rolled back by itself, for {}", evidence.conclusion);
                self.beside.tell_rollback(&evidence);
                self.withdraw(&going, State::RolledBack, &told, &nobody, Some(evidence));
            }
        }
    }

    /// Goes on with the rollout that went on when the last edge ended, if this one has started with the same text.
    fn resume(&self, what: &mut What) {
        let versions = &self.beside.versions;
        let kept = versions.kept_rollout();
        let unfinished = versions.versions().into_iter().filter(|version| version.state == State::RollingOut);
        for version in unfinished
            .map(|version| version.number)
            .filter(|number| kept.as_ref().map(|kept| kept.version) != Some(*number))
        {
            versions.note(version, State::Aborted, "ended: how far it came is not known", &Signed::default(), None);
        }
        let Some(rollout) = kept else { return };
        let version = rollout.version;
        let resumed = if rollout.from == self.version() {
            let text = versions.read(version).ok_or_else(|| "its text is gone".to_owned());
            let compiled =
                text.and_then(|text| self.reload.compile_text(text).map_err(|problem| problem.in_words().join("; ")));
            compiled
                .and_then(|compiled| self.try_out(rollout, compiled).map_err(|problem| problem.in_words().join("; ")))
        } else {
            Err(format!("the edge has started with version {}, not with {}", self.version(), rollout.from))
        };
        match resumed {
            Ok(going) => {
                let told = format!("goes on after a restart, at {} % of the visitors", going.rollout.percent());
                versions.note(version, State::RollingOut, &told, &Signed::default(), None);
                say(&format!("the rollout of version {version} {told}"));
                self.go_on(what, going);
            }
            Err(why) => {
                versions.note(version, State::Aborted, &format!("ended at a restart: {why}"), &Signed::default(), None);
                versions.keep_rollout(None);
                say(&format!("the rollout of version {version} ends: {why}"));
            }
        }
    }
}

/// What else is worth knowing of a text that runs.
fn messages(source: &Source, warnings: &[Problem], needs_restart: &[&str]) -> Vec<String> {
    let warnings = warnings.iter().map(|warning| warning.render(source, false));
    let restart = needs_restart.iter();
    warnings.chain(restart.map(|key| format!("`{key}` has changed, which takes effect after a restart"))).collect()
}

fn none_goes_on() -> Refusal {
    vec!["no version is being rolled out".to_owned()]
}

impl Configurations for Steering {
    fn versions(&self) -> Vec<Version> {
        self.beside.versions.versions()
    }

    fn text(&self, number: u64) -> Option<String> {
        self.beside.versions.text(number)
    }

    fn apply(&self, change: Change) -> Result<Applied, Refusal> {
        self.apply_to(&mut self.what(), change)
    }

    fn roll_back(&self, to: Option<u64>, signed: Signed) -> Result<Applied, Refusal> {
        let mut what = self.what();
        match (what.rollout.take(), to) {
            (Some(going), None) => return Ok(self.withdraw(&going, State::Aborted, "rollout aborted", &signed, None)),
            (Some(going), Some(_)) => {
                let version = going.rollout.version;
                what.rollout = Some(going);
                return Err(vec![format!("version {version} is being rolled out: abort that first")]);
            }
            (None, _) => {}
        }
        let to = to.or_else(|| self.beside.versions.before(self.version()));
        let to = to.ok_or_else(|| vec!["there is no earlier version to go back to".to_owned()])?;
        let text = self.beside.versions.read(to).ok_or_else(|| vec![format!("version {to} is not known")])?;
        if text == what.text {
            let version = self.version();
            return Ok(Applied {
                version,
                outcome: format!("version {version} runs, and has the text of version {to}"),
                ..Applied::default()
            });
        }
        let compiled = self.reload.compile_text(text).map_err(|problem| problem.in_words())?;
        let why = format!("back to the text of version {to}");
        let comment = if signed.comment.is_empty() { why.clone() } else { format!("{why}: {}", signed.comment) };
        self.install_and_write(&mut what, compiled, &Signed { comment, ..signed }, &why)
    }

    fn rollout(&self) -> Option<rayline_control::Rollout> {
        let what = self.what();
        let Going { rollout, waiting_for, evidence, .. } = what.rollout.as_ref()?;
        Some(rayline_control::Rollout {
            version: rollout.version,
            from: rollout.from,
            percent: rollout.percent(),
            steps: rollout.steps.clone(),
            since: rollout.since,
            dwell: rollout.dwell,
            promote: rollout.promote,
            waiting_for: waiting_for.clone(),
            evidence: evidence.clone(),
        })
    }

    fn promote(&self, whole: bool, signed: Signed) -> Result<Applied, Refusal> {
        let mut what = self.what();
        let going = what.rollout.take().ok_or_else(none_goes_on)?;
        let evidence = Some(going.evidence.clone());
        Ok(if whole {
            self.finish(&mut what, going, &signed, evidence)
        } else {
            self.widen(&mut what, going, &signed, evidence)
        })
    }

    fn abort(&self, signed: Signed) -> Result<Applied, Refusal> {
        let mut what = self.what();
        let going = what.rollout.take().ok_or_else(none_goes_on)?;
        let evidence = Some(going.evidence.clone());
        Ok(self.withdraw(&going, State::Aborted, "rollout aborted", &signed, evidence))
    }

    fn maintenance(&self) -> Vec<ZoneMaintenance> {
        self.edge.look(|plan| plan.zones.iter().map(|zone| maintaining::described(zone, now())).collect())
    }

    fn maintain(&self, order: MaintenanceOrder) -> Result<Applied, Refusal> {
        let mut what = self.what();
        let (text, comment) = maintaining::edited(&what.text, &order, now()).map_err(|why| vec![why])?;
        let signed = Signed { author: order.signed.author, comment };
        self.apply_to(&mut what, Change { text, signed, pace: None })
    }
}
