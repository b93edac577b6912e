//! Time that went by, and how much of it was spent on processors: the machine may have other things to do.

use std::fs;
use std::io;
use std::time::{Duration, Instant};

use rustix::time::{ClockId, clock_gettime};

/// What some work took.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Spent {
    pub(crate) wall: Duration,
    /// Of all this process's threads; see [`Spent::alone`].
    pub(crate) processor: Duration,
}

impl Spent {
    /// Adds what this work takes, with all threads that help.
    pub(crate) fn on<T>(&mut self, work: impl FnOnce() -> T) -> T {
        self.by(ClockId::ProcessCPUTime, work)
    }

    /// The same of this thread alone.
    pub(crate) fn alone<T>(&mut self, work: impl FnOnce() -> T) -> T {
        self.by(ClockId::ThreadCPUTime, work)
    }

    fn by<T>(&mut self, clock: ClockId, work: impl FnOnce() -> T) -> T {
        let (wall, processor) = (Instant::now(), read(clock));
        let done = work();
        self.processor += read(clock).saturating_sub(processor);
        self.wall += wall.elapsed();
        done
    }

    /// Microseconds of a processor for each of so many.
    pub(crate) fn micros_each(self, of: usize) -> f64 {
        self.processor.as_secs_f64() * 1e6 / of.max(1) as f64
    }

    /// How many a second by the clock.
    pub(crate) fn rate(self, of: usize) -> f64 {
        of as f64 / self.wall.as_secs_f64().max(1e-9)
    }
}

fn read(clock: ClockId) -> Duration {
    clock_gettime(clock).try_into().unwrap_or_default()
}

/// How long the threads of this name that are there have been on a processor ("proc_pid_schedstat").
pub(crate) fn of_threads(name: &str) -> io::Result<Duration> {
    let mut sum = Duration::ZERO;
    for entry in fs::read_dir("/proc/self/task")? {
        let path = entry?.path();
        // One that has ended since is not asked for.
        if fs::read_to_string(path.join("comm")).unwrap_or_default().trim_end() == name {
            let text = fs::read_to_string(path.join("schedstat")).unwrap_or_default();
            sum +=
                Duration::from_nanos(text.split(' ').next().and_then(|first| first.parse().ok()).unwrap_or_default());
        }
    }
    Ok(sum)
}

/// The duration below which this share of them is; of the sorted ones the next above, without interpolation.
pub(crate) fn quantile(times: &[Duration], share: f64) -> Duration {
    let mut sorted = times.to_vec();
    sorted.sort_unstable();
    let place = (sorted.len() as f64 * share).ceil() as usize;
    sorted.get(place.saturating_sub(1)).copied().unwrap_or_default()
}
