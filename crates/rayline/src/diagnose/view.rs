//! What a person sees while a diagnosis goes on: every step that runs, and a line for each that has ended.

use std::cell::RefCell;
use std::io::IsTerminal as _;
use std::time::Duration;

use indicatif::{MultiProgress, ProgressBar, ProgressDrawTarget, ProgressStyle};
use rayline_diagnose::{Probe, Watcher};

use crate::output::{self, CYAN, DIM, GREEN, RED, YELLOW, escaped, styled};

/// How often a running step is drawn anew.
const TICK: Duration = Duration::from_millis(120);
/// Characters of a step's name.
const NAME: usize = 26;
/// Characters of what a step showed, unless it is said at length.
const SAID: usize = 120;

/// On a terminal the steps that run are shown below the lines of those that have ended; elsewhere there are the lines alone.
pub(crate) struct View {
    running: Option<MultiProgress>,
    bars: RefCell<Vec<(String, ProgressBar)>>,
    is_quiet: bool,
}

impl View {
    /// One that says nothing of steps that end, if it is to be quiet.
    pub(crate) fn new(is_quiet: bool) -> Self {
        let running = std::io::stderr()
            .is_terminal()
            .then(|| MultiProgress::with_draw_target(ProgressDrawTarget::stderr_with_hz(10)));
        Self { running, bars: RefCell::new(Vec::new()), is_quiet }
    }

    fn say(&self, line: &str) {
        match &self.running {
            Some(running) => running.suspend(|| output::say(line)),
            None => output::say(line),
        }
    }

    /// Takes away what still seems to run.
    pub(crate) fn end(&self) {
        for (_, bar) in self.bars.borrow_mut().drain(..) {
            bar.finish_and_clear();
        }
    }
}

impl Watcher for View {
    fn began(&self, name: &str, doing: &str) {
        let Some(running) = &self.running else { return };
        let style = ProgressStyle::with_template("{spinner} {msg} {prefix} {elapsed}")
            .unwrap_or_else(|_| ProgressStyle::default_spinner());
        let bar = running.add(ProgressBar::new_spinner().with_style(style).with_message(escaped(doing)));
        bar.enable_steady_tick(TICK);
        self.bars.borrow_mut().push((name.to_owned(), bar));
    }

    fn went_on(&self, name: &str, done: u64, of: Option<u64>) {
        let bars = self.bars.borrow();
        if let Some((_, bar)) = bars.iter().find(|(running, _)| running == name) {
            let of = of.map_or_else(String::new, |of| format!(" of {of}"));
            bar.set_prefix(format!("{done}{of}"));
        }
    }

    fn ended(&self, probe: &Probe) {
        self.bars.borrow_mut().retain(|(running, bar)| {
            let has_ended = *running == probe.name;
            if has_ended {
                bar.finish_and_clear();
            }
            !has_ended
        });
        if !self.is_quiet {
            self.say(&line(probe));
        }
    }
}

/// A probe as a line.
pub(crate) fn line(probe: &Probe) -> String {
    let (style, mark) = match probe.ok {
        Some(true) => (GREEN, "ok"),
        Some(false) => (RED, "!!"),
        None => (YELLOW, "--"),
    };
    let mut said: String = escaped(&probe.said).chars().take(SAID + 1).collect();
    if said.chars().count() > SAID {
        said.pop();
        said.push('…');
    }
    // what says itself how long it took is not told twice
    let took = Some(probe.took.as_millis())
        .filter(|took| *took > 0 && !probe.said.ends_with(" ms") && !probe.said.ends_with(" s"));
    let took = took.map_or_else(String::new, |took| format!(" {}", styled(DIM, format_args!("{took} ms"))));
    format!("{} {} {said}{took}", styled(style, mark), styled(CYAN, format_args!("{:NAME$}", escaped(&probe.name))))
}
