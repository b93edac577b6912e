//! The figures of a whole run: samples by round, medians, and ratios to nginx from the same rounds.

use serde::Serialize;

use super::peer::NGINX;
use super::scenario::{Goal, Scenario};

/// What one round of one proxy came to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub(crate) struct Sample {
    pub(crate) requests: u64,
    /// Requests that were not answered as they should have been.
    pub(crate) wrong: u64,
    /// Microseconds of CPU for each request.
    pub(crate) user_us: f64,
    pub(crate) system_us: f64,
    /// By the clock.
    pub(crate) requests_per_second: f64,
    pub(crate) p50_us: f64,
    pub(crate) p99_us: f64,
    pub(crate) p999_us: f64,
    /// Bytes, right after the round, or while the idle visitors stayed.
    pub(crate) memory: f64,
    /// Bytes that each idle visitor added.
    pub(crate) memory_per_visitor: f64,
}

impl Sample {
    pub(crate) fn cpu_us(&self) -> f64 {
        self.user_us + self.system_us
    }
}

/// A figure of each round, such as a ratio to nginx: the median over the rounds, and the least and the greatest.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub(crate) struct Spread {
    pub(crate) median: f64,
    pub(crate) least: f64,
    pub(crate) greatest: f64,
}

/// One proxy in one scenario.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Row {
    pub(crate) peer: &'static str,
    /// Why there are no figures.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) trouble: Option<String>,
    /// Of each figure the median over the rounds.
    pub(crate) median: Sample,
    /// How many requests a second of one core's time would serve.
    pub(crate) requests_per_core_second: f64,
    pub(crate) cpu_to_nginx: Option<Spread>,
    pub(crate) memory_to_nginx: Option<Spread>,
    pub(crate) rounds: Vec<Sample>,
}

/// One scenario.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Table {
    pub(crate) name: &'static str,
    pub(crate) title: &'static str,
    /// What is compared is memory, not CPU time.
    pub(crate) of_memory: bool,
    /// Rayline's ratio to nginx is to be no greater.
    pub(crate) goal: Option<f64>,
    pub(crate) rows: Vec<Row>,
}

/// A proxy that took part, or did not.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Present {
    pub(crate) name: &'static str,
    /// `None` if it is not there.
    pub(crate) version: Option<String>,
    /// How to get it.
    #[serde(skip)]
    pub(crate) remedy: String,
}

/// Everything that is written down.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Report {
    /// UTC, as in `2026-11-21`.
    pub(crate) date: String,
    pub(crate) machine: String,
    /// Processes that wanted to run, over the minute before the start: what else the machine did.
    pub(crate) load: String,
    pub(crate) rounds: u32,
    pub(crate) seconds: u32,
    pub(crate) peers: Vec<Present>,
    pub(crate) tables: Vec<Table>,
}

impl Table {
    /// Makes the table of what each proxy came to: its rounds, or why there are none.
    pub(crate) fn new(scenario: &Scenario, came: Vec<(&'static str, Result<Vec<Sample>, String>)>) -> Self {
        let nginx = came.iter().find(|(peer, _)| *peer == NGINX);
        let nginx: Vec<Sample> = nginx.and_then(|(_, rounds)| rounds.clone().ok()).unwrap_or_default();
        let (of_memory, goal) = match scenario.goal {
            Goal::Cpu(goal) => (false, Some(goal)),
            Goal::Memory(goal) => (true, Some(goal)),
        };
        let rows = came.into_iter().map(|(peer, rounds)| Row::new(peer, rounds, &nginx)).collect();
        Self { name: scenario.name, title: scenario.title, of_memory, goal, rows }
    }

    /// The row of this proxy, if it has figures.
    pub(crate) fn row(&self, peer: &str) -> Option<&Row> {
        self.rows.iter().find(|row| row.peer == peer && row.trouble.is_none())
    }
}

impl Row {
    fn new(peer: &'static str, came: Result<Vec<Sample>, String>, nginx: &[Sample]) -> Self {
        let (rounds, trouble) = match came {
            Ok(rounds) => (rounds, None),
            Err(trouble) => (Vec::new(), Some(trouble)),
        };
        let of = |pick: fn(&Sample) -> f64| median(rounds.iter().map(pick).collect());
        let median = Sample {
            requests: of(|sample| sample.requests as f64) as u64,
            wrong: rounds.iter().map(|sample| sample.wrong).sum(),
            user_us: of(|sample| sample.user_us),
            system_us: of(|sample| sample.system_us),
            requests_per_second: of(|sample| sample.requests_per_second),
            p50_us: of(|sample| sample.p50_us),
            p99_us: of(|sample| sample.p99_us),
            p999_us: of(|sample| sample.p999_us),
            memory: of(|sample| sample.memory),
            memory_per_visitor: of(|sample| sample.memory_per_visitor),
        };
        let cpu = median.cpu_us();
        Self {
            peer,
            trouble,
            median,
            requests_per_core_second: if cpu > 0.0 { 1e6 / cpu } else { 0.0 },
            cpu_to_nginx: ratio(&rounds, nginx, Sample::cpu_us),
            memory_to_nginx: ratio(&rounds, nginx, |sample| sample.memory),
            rounds,
        }
    }

    /// The ratio that the table is about.
    pub(crate) fn ratio(&self, of_memory: bool) -> Option<Spread> {
        if of_memory { self.memory_to_nginx } else { self.cpu_to_nginx }
    }
}

pub(super) fn ratio(ours: &[Sample], nginx: &[Sample], pick: impl Fn(&Sample) -> f64) -> Option<Spread> {
    let there = nginx.iter().all(|nginx| pick(nginx) > 0.0);
    let ratio = spread(ours, nginx, |ours, nginx| pick(ours) / pick(nginx)).filter(|_| there)?;
    (ratio.greatest > 0.0).then_some(ratio)
}

/// What comes of the samples of each round in which both have one.
pub(super) fn spread(ours: &[Sample], theirs: &[Sample], of: impl Fn(&Sample, &Sample) -> f64) -> Option<Spread> {
    let figures: Vec<f64> = ours.iter().zip(theirs).map(|(ours, theirs)| of(ours, theirs)).collect();
    let least = figures.iter().copied().reduce(f64::min)?;
    let greatest = figures.iter().copied().reduce(f64::max)?;
    Some(Spread { median: median(figures), least, greatest })
}

fn median(mut numbers: Vec<f64>) -> f64 {
    numbers.sort_by(f64::total_cmp);
    let middle = numbers.len() / 2;
    let at = |place: usize| numbers.get(place).copied().unwrap_or_default();
    if numbers.len() % 2 == 1 { at(middle) } else { (at(middle.saturating_sub(1)) + at(middle)) / 2.0 }
}

#[cfg(test)]
mod tests {
    use super::super::scenario::SCENARIOS;
    use super::*;

    fn sample(user_us: f64) -> Sample {
        Sample { requests: 10, user_us, ..Sample::default() }
    }

    #[test]
    fn ratios_are_of_the_same_round() {
        let scenario = SCENARIOS.first().unwrap();
        let came = vec![
            ("rayline", Ok(vec![sample(5.0), sample(12.0), sample(6.0)])),
            (NGINX, Ok(vec![sample(10.0), sample(10.0), sample(10.0)])),
            ("caddy", Err("it does not start".to_owned())),
        ];
        let table = Table::new(scenario, came);
        let rayline = table.row("rayline").unwrap();
        assert_eq!(rayline.cpu_to_nginx, Some(Spread { median: 0.6, least: 0.5, greatest: 1.2 }));
        assert_eq!(rayline.median.user_us, 6.0);
        assert_eq!(rayline.requests_per_core_second, 1e6 / 6.0);
        assert_eq!(rayline.memory_to_nginx, None);
        assert!(table.row("caddy").is_none());
        assert_eq!(table.rows.len(), 3);
    }

    #[test]
    fn the_middle_of_an_even_number_is_between() {
        assert_eq!(median(vec![4.0, 1.0]), 2.5);
        assert_eq!(median(Vec::new()), 0.0);
    }
}
