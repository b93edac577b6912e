//! What was measured, as it is written down.

use std::fs;

use serde::Serialize;

/// All of it.
#[derive(Debug, Serialize)]
pub(crate) struct Report {
    /// The day, in UTC.
    pub(crate) date: String,
    pub(crate) machine: String,
    /// The load average of a minute at the start: more than 0 means that something else ran too.
    pub(crate) load: String,
    /// Rows that the questions are asked of.
    pub(crate) rows: usize,
    /// What was measured elsewhere, in Markdown.
    pub(crate) section: String,
    pub(crate) sections: Vec<Section>,
    pub(crate) questions: Vec<Asked>,
    pub(crate) baselines: Vec<Compared>,
}

/// Figures that belong together.
#[derive(Debug, Serialize)]
pub(crate) struct Section {
    pub(crate) title: &'static str,
    pub(crate) figures: Vec<Figure>,
}

/// One figure with the scale that it was measured at.
#[derive(Debug, Serialize)]
pub(crate) struct Figure {
    pub(crate) what: String,
    pub(crate) value: f64,
    pub(crate) unit: &'static str,
    pub(crate) scale: String,
}

/// One question of a page, over one span.
#[derive(Debug, Serialize)]
pub(crate) struct Asked {
    pub(crate) page: &'static str,
    pub(crate) question: &'static str,
    pub(crate) span: &'static str,
    /// Rows that were read for it; `None` where that is not counted.
    pub(crate) rows: Option<u64>,
    pub(crate) rounds: usize,
    pub(crate) median_ms: f64,
    pub(crate) p95_ms: f64,
    /// On processors, all threads together: the median.
    pub(crate) processor_ms: f64,
    /// The first time, with no column decoded yet.
    pub(crate) first_ms: f64,
}

/// The same question answered in two ways.
#[derive(Debug, Serialize)]
pub(crate) struct Compared {
    pub(crate) question: &'static str,
    pub(crate) other: &'static str,
    pub(crate) rows: usize,
    pub(crate) store_ms: f64,
    pub(crate) store_processor_ms: f64,
    pub(crate) other_ms: f64,
    pub(crate) other_processor_ms: f64,
    /// Whether both said the same; `None` where that was not looked at.
    pub(crate) agree: Option<bool>,
}

impl Report {
    pub(crate) fn new(rows: usize) -> Self {
        let load = fs::read_to_string("/proc/loadavg").unwrap_or_default();
        Self {
            date: time::OffsetDateTime::now_utc().date().to_string(),
            machine: machine(),
            load: load.split(' ').next().unwrap_or_default().to_owned(),
            rows,
            section: String::new(),
            sections: Vec::new(),
            questions: Vec::new(),
            baselines: Vec::new(),
        }
    }
}

impl Figure {
    pub(crate) fn new(what: impl Into<String>, value: f64, unit: &'static str, scale: impl Into<String>) -> Self {
        Self { what: what.into(), value, unit, scale: scale.into() }
    }
}

/// What it ran on: cores, the processor, the kernel.
fn machine() -> String {
    let read = |path: &str| fs::read_to_string(path).unwrap_or_default();
    let cpuinfo = read("/proc/cpuinfo");
    let model = cpuinfo.lines().find_map(|line| line.strip_prefix("model name")?.split_once(": "));
    let model = model.map_or("unknown processor", |(_, model)| model);
    let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    let release = read("/proc/sys/kernel/osrelease");
    let version: Vec<&str> = release.trim().split(['.', '-']).take(2).collect();
    format!("{cores} cores of {model}, Linux {}", version.join("."))
}
