//! Hours of generated traffic with failures put into them, as all the tables that a store would have of it.

use std::collections::HashMap;

use crate::chunk::Table;
use crate::dimension::{Dimension, Number};
use crate::memory::{Line, Memory};

pub(super) const SECOND: i64 = 1_000_000_000;
pub(super) const MINUTE: i64 = 60 * SECOND;
pub(super) const HOUR: i64 = 60 * MINUTE;
/// A whole hour.
pub(super) const START: i64 = 490_000 * HOUR;
/// Requests per second.
const PACE: i64 = 4;
/// Of successes one in so many is kept.
const KEPT: u32 = 5;

type Event = Box<dyn Fn(&mut Line, &mut fastrand::Rng)>;

/// What is to happen.
pub(super) struct History {
    random: fastrand::Rng,
    events: Vec<(i64, i64, Event)>,
}

impl History {
    pub(super) fn new(seed: u64) -> Self {
        Self { random: fastrand::Rng::with_seed(seed), events: Vec::new() }
    }

    /// Changes requests in a span, relative to the start.
    pub(super) fn change(&mut self, from: i64, to: i64, change: impl Fn(&mut Line) + 'static) {
        self.events.push((START + from, START + to, Box::new(move |line, _| change(line))));
    }

    /// Of requests of which something holds, a part fails.
    pub(super) fn fail(
        &mut self,
        from: i64,
        to: i64,
        part: f64,
        code: &'static str,
        holds: impl Fn(&Line) -> bool + 'static,
    ) {
        let event = move |line: &mut Line, random: &mut fastrand::Rng| {
            if line.text(Dimension::Code).is_empty() && holds(line) && random.f64() < part {
                line.set(Dimension::Code, code);
                line.set(Dimension::Party, code.split('.').next().unwrap());
                line.set(Dimension::EdgeStatus, "520");
                line.numbers.insert(Number::Wait, 0);
            }
        };
        self.events.push((START + from, START + to, Box::new(event)));
    }

    /// Of requests of which something holds, a part takes long.
    pub(super) fn slow(&mut self, from: i64, to: i64, part: f64, wait: u64, holds: impl Fn(&Line) -> bool + 'static) {
        let event = move |line: &mut Line, random: &mut fastrand::Rng| {
            if holds(line) && random.f64() < part {
                line.numbers.insert(Number::Wait, wait);
            }
        };
        self.events.push((START + from, START + to, Box::new(event)));
    }

    /// Requests that one origin failed are sent to another by those who retry: half of them come once more.
    pub(super) fn divert(&mut self, from: i64, to: i64, failed: &'static str, other: &'static str) {
        let event = move |line: &mut Line, random: &mut fastrand::Rng| {
            let elsewhere = line.text(Dimension::Origin) != failed && line.text(Dimension::Origin) != other;
            if elsewhere && random.f64() < 0.8 {
                line.set(Dimension::Origin, other);
            }
        };
        self.events.push((START + from, START + to, Box::new(event)));
    }

    /// A version of the configuration comes to be used.
    pub(super) fn plan(&mut self, from: i64, version: &'static str) {
        self.change(from, i64::MAX - START, move |line| {
            line.set(Dimension::Plan, version);
        });
    }

    /// What a store has of it.
    pub(super) fn store(mut self, from: i64, to: i64) -> Memory {
        let mut all = Vec::new();
        let mut at = START + from;
        while at < START + to {
            let mut line = self.request(at);
            for (from, to, event) in &self.events {
                if (*from..*to).contains(&at) {
                    event(&mut line, &mut self.random);
                }
            }
            all.push(line);
            at += self.random.i64(1..2 * SECOND / PACE);
        }
        let mut store = Memory::default();
        store.add(Table::Minutes, &rolled_up(&all), 1_000);
        store.add(Table::Times, &sketches(&all), 1_000);
        let is_kept =
            |line: &Line, random: &mut fastrand::Rng| !line.text(Dimension::Code).is_empty() || random.u32(..KEPT) == 0;
        all.retain(|line| is_kept(line, &mut self.random));
        for line in all.iter_mut().filter(|line| line.text(Dimension::Code).is_empty()) {
            line.weight = KEPT;
        }
        store.add(Table::Requests, &all, 1_000);
        store
    }

    fn request(&mut self, at: i64) -> Line {
        let random = &mut self.random;
        let host = ["shop.example", "shop.example", "www.example", "api.example"][random.usize(..4)];
        let zone = if host == "api.example" { "api.example" } else { "shop.example" };
        let agent = ["Firefox", "Firefox", "Safari", "Safari", "curl", "old app"][random.usize(..6)];
        let mut line = Line::new(at).with(Dimension::Host, host).with(Dimension::Zone, zone).with(Dimension::Plan, "7");
        line = line.with(Dimension::Origin, ["10.0.0.1:80", "10.0.0.2:80", "10.0.0.3:80"][random.usize(..3)]);
        line = line.with(Dimension::Path, ["/", "/", "/list", "/cart", "/item", "/help"][random.usize(..6)]);
        line =
            line.with(Dimension::UserAgent, agent).with(Dimension::Method, ["GET", "GET", "POST"][random.usize(..3)]);
        line = line.with(Dimension::Agent, if agent == "curl" { "api" } else { "browser" });
        line = line.with(Dimension::Client, &format!("192.0.2.{}", random.u8(..)));
        line = line.with(Dimension::Country, ["de", "fr", "us", "jp"][random.usize(..4)]);
        line = line.with(Dimension::Code, "").with(Dimension::Party, "").with(Dimension::EdgeStatus, "200");
        line.numbers.insert(Number::Wait, random.u64(1_000..200_000));
        line.numbers.insert(Number::Tcp, if random.u32(..5) == 0 { 900 } else { 0 });
        line.numbers.insert(Number::RequestBytes, random.u64(..2_000));
        // a site is never without a failure
        if random.u32(..500) == 0 {
            line = line.with(Dimension::Code, "network.wait.lost").with(Dimension::Party, "network");
            line = line.with(Dimension::EdgeStatus, "520");
        }
        line
    }
}

/// Counts by minute and combination.
fn rolled_up(lines: &[Line]) -> Vec<Line> {
    let mut counts: HashMap<(i64, Vec<&str>), u32> = HashMap::new();
    let rolled: Vec<Dimension> = Dimension::ALL.into_iter().filter(|dimension| dimension.is_rolled_up()).collect();
    for line in lines {
        let key = rolled.iter().map(|dimension| line.text(*dimension)).collect();
        *counts.entry((line.at - line.at.rem_euclid(MINUTE), key)).or_default() += 1;
    }
    let mut rows: Vec<Line> = Vec::new();
    for ((at, key), weight) in counts {
        let mut row = Line { weight, ..Line::new(at) };
        for (dimension, text) in rolled.iter().zip(key) {
            row.set(*dimension, text);
        }
        rows.push(row);
    }
    rows.sort_by_key(|row| row.at);
    rows
}

/// Times by minute, rounded up to two digits.
fn sketches(lines: &[Line]) -> Vec<Line> {
    let mut rows = Vec::new();
    for line in lines {
        for number in [Number::Wait, Number::Tcp] {
            let time = line.number(number);
            if time == 0 {
                continue;
            }
            let unit = 10_u64.pow(time.ilog10().saturating_sub(1));
            let mut row = Line::new(line.at - line.at.rem_euclid(MINUTE)).with(Dimension::Phase, number.name());
            row = row.with(Dimension::Bucket, &(time.div_ceil(unit) * unit).to_string());
            for dimension in [Dimension::Zone, Dimension::Host, Dimension::Origin] {
                row = row.with(dimension, line.text(dimension));
            }
            rows.push(row);
        }
    }
    rows
}
