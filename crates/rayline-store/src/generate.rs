//! Made-up requests, for measuring and for tests. They are shaped after what sites see: a few hosts and paths get most of
//! the requests, handshakes are seldom, faults begin and end. But nobody sent them, and how well they compress is only as
//! true as their lines are like the log's. The same seed gives the same rows.

mod line;
mod world;

use std::sync::Arc;

use bytes::Bytes;
use fastrand::Rng;
use rayline_verdict::{Moment, RayId};

use crate::chunk::{Chunk, Column, Shared};
use crate::dimension::{Dimension, Number};
use crate::writer::BOUNDS;
use world::{Failure, World};

const MINUTE: i64 = 60_000_000_000;

/// What is made.
#[derive(Clone, Copy, Debug)]
pub struct Shape {
    /// Another one gives other rows.
    pub seed: u64,
    /// When the first request comes.
    pub from: Moment,
    /// When the last one has come, if `rows` are taken.
    pub to: Moment,
    /// How many rows lie between.
    pub rows: usize,
    /// How many successes one that is kept stands for.
    pub weight: u32,
    /// The share of failed ones among the rows, from 0 to 1, while no fault goes on.
    pub failed: f64,
}

/// Makes rows of the table of requests, one chunk after the other.
#[derive(Debug)]
pub struct Requests {
    shape: Shape,
    world: World,
    random: Rng,
    at: i64,
    made: u64,
}

/// One request, as numbers that stand for texts of the world.
#[derive(Debug)]
struct Request {
    at: i64,
    ray: RayId,
    host: usize,
    path: usize,
    client: usize,
    agent: usize,
    method: usize,
    origin: usize,
    plan: u64,
    status: usize,
    failure: Option<&'static Failure>,
    numbers: [u64; Number::ALL.len()],
}

impl Requests {
    /// Begins.
    pub fn new(shape: Shape) -> Self {
        let mut random = Rng::with_seed(shape.seed);
        let world = World::new(&mut random, shape.from, shape.to);
        Self { shape, world, random, at: shape.from.0, made: 0 }
    }

    /// The next rows, lines included.
    pub fn take(&mut self, rows: usize) -> Chunk {
        let requests: Vec<Request> = (0..rows).map(|_| self.request()).collect();
        let mut chunk = Chunk {
            at: requests.iter().map(|request| request.at).collect(),
            weight: requests.iter().map(|it| if it.failure.is_some() { 1 } else { self.shape.weight }).collect(),
            rays: requests.iter().map(|request| request.ray).collect(),
            lines: self.lines(&requests),
            ..Chunk::default()
        };
        for dimension in Dimension::ALL {
            if let Some(values) = self.world.texts(dimension) {
                let codes = requests.iter().map(|request| self.world.code(dimension, request)).collect();
                if let Some(place) = chunk.columns.get_mut(dimension.index()) {
                    *place = Some(Column { codes, values: Arc::clone(values) });
                }
            }
        }
        for (place, numbers) in chunk.numbers.iter_mut().enumerate() {
            *numbers = Some(requests.iter().map(|it| it.numbers.get(place).copied().unwrap_or_default()).collect());
        }
        chunk
    }

    fn lines(&self, requests: &[Request]) -> Shared<Bytes> {
        let mut text = Vec::with_capacity(requests.len() * 1200);
        let mut ends = Vec::with_capacity(requests.len());
        for request in requests {
            line::write(&mut text, &self.world, request);
            ends.push(text.len());
        }
        let text = Bytes::from(text);
        let starts = std::iter::once(0).chain(ends.iter().copied());
        starts.zip(&ends).map(|(start, end)| text.slice(start..*end)).collect()
    }

    fn request(&mut self) -> Request {
        let random = &mut self.random;
        let span = self.shape.to.0.saturating_sub(self.shape.from.0);
        let mean = span.checked_div(i64::try_from(self.shape.rows).unwrap_or(i64::MAX)).unwrap_or_default().max(1);
        self.at = self.at.saturating_add(random.i64(0..=mean.saturating_mul(2)));
        self.made += 1;
        let at = Moment(self.at);
        let milliseconds = (self.at / 1_000_000).cast_unsigned();
        let host = world::skewed(random, self.world.hosts());
        let failure = self.world.failure(random, at, host, self.shape.failed);
        let reused = random.f64() < 0.85;
        let handshake = |time: u64| if reused { 0 } else { time };
        let mut numbers = [0; Number::ALL.len()];
        let mut put = |number: Number, value: u64| {
            if let Some(place) = numbers.get_mut(number.index()) {
                *place = value;
            }
        };
        let around = |random: &mut Rng, middle: f64| (middle * (random.f64() * 3.0 - 1.5).exp()) as u64;
        let [dns, tcp, tls] = [900.0, 1_800.0, 6_000.0].map(|middle| handshake(around(random, middle)));
        let send = around(random, 40.0);
        let wait = around(random, failure.map_or(45_000.0, |failure| failure.wait));
        let total = dns + tcp + tls + send + wait;
        let duration = total + around(random, 900.0);
        put(Number::ResponseBytes, if failure.is_some() { 4_210 } else { around(random, 14_000.0) });
        put(Number::RequestBytes, if random.u8(..) < 20 { around(random, 600.0) } else { 0 });
        put(Number::FirstByte, total + 150);
        put(Number::Duration, duration);
        put(Number::Dns, dns);
        put(Number::Tcp, tcp);
        put(Number::Tls, tls);
        put(Number::Send, send);
        put(Number::Wait, wait);
        put(Number::OriginTotal, total);
        Request {
            at: self.at,
            ray: RayId((milliseconds << 22) | (u64::from(random.bool()) << 16) | (self.made & 0xffff)),
            host,
            path: world::skewed(random, self.world.paths()),
            client: world::skewed(random, self.world.clients()),
            agent: world::skewed(random, self.world.agents()),
            method: world::skewed(random, 3),
            origin: usize::from(random.bool()),
            plan: self.world.plan(at),
            status: world::skewed(random, world::STATUSES.len()),
            failure,
            numbers,
        }
    }
}

/// What the table of minutes says of requests: the sums by minute of what is rolled up.
pub fn minutes_of(requests: &Chunk) -> Chunk {
    let mut minutes = Chunk {
        at: requests.at.iter().map(|at| at - at.rem_euclid(MINUTE)).collect(),
        rays: Shared::default(),
        lines: Shared::default(),
        ..requests.clone()
    };
    for (dimension, column) in Dimension::ALL.into_iter().zip(&mut minutes.columns) {
        if !dimension.is_rolled_up() {
            *column = None;
        }
    }
    for numbers in minutes.numbers.iter_mut().flatten() {
        *numbers = numbers.iter().zip(&requests.weight).map(|(sum, weight)| sum * u64::from(*weight)).collect();
    }
    minutes.summed()
}

/// What the table of times says of requests: into which bucket each of their times fell, by minute, zone, host and origin.
pub fn times_of(requests: &Chunk) -> Chunk {
    let phases: Vec<Number> = Number::ALL.into_iter().filter(|number| number.is_time()).collect();
    let (mut rows, mut of_phase, mut of_bucket) = (Vec::new(), Vec::new(), Vec::new());
    for (place, phase) in phases.iter().enumerate() {
        for (row, time) in requests.numbers.get(phase.index()).into_iter().flatten().flatten().enumerate() {
            // A phase that took no time was skipped, and is not counted.
            if *time > 0 {
                let bucket = BOUNDS.partition_point(|bound| bound < time).min(BOUNDS.len() - 1);
                rows.push(u32::try_from(row).unwrap_or(u32::MAX));
                of_phase.push(u32::try_from(place).unwrap_or_default());
                of_bucket.push(u32::try_from(bucket).unwrap_or_default());
            }
        }
    }
    let written = |codes: &mut Vec<u32>, values: Vec<String>| {
        let values = values.into_iter().map(Into::into).collect();
        Some(Column { codes: std::mem::take(codes).into(), values: Arc::new(values) })
    };
    let mut known = requests.clone();
    known.at = requests.at.iter().map(|at| at - at.rem_euclid(MINUTE)).collect();
    (known.rays, known.lines, known.numbers) = Default::default();
    for (dimension, column) in Dimension::ALL.into_iter().zip(&mut known.columns) {
        if !matches!(dimension, Dimension::Zone | Dimension::Host | Dimension::Origin) {
            *column = None;
        }
    }
    let mut times = known.select(&rows);
    for (dimension, column) in Dimension::ALL.into_iter().zip(&mut times.columns) {
        match dimension {
            Dimension::Phase => {
                *column = written(&mut of_phase, phases.iter().map(|phase| phase.name().to_owned()).collect());
            }
            Dimension::Bucket => *column = written(&mut of_bucket, BOUNDS.iter().map(u64::to_string).collect()),
            _ => {}
        }
    }
    times.summed()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_seed_gives_the_same_rows_and_faults_show() {
        let shape =
            Shape { seed: 7, from: Moment(0), to: Moment(86_400_000_000_000), rows: 20_000, weight: 10, failed: 0.05 };
        let rows = Requests::new(shape).take(20_000);
        assert_eq!(rows.lines[19_999], Requests::new(shape).take(20_000).lines[19_999]);
        assert!(rows.at.is_sorted());
        let failed = rows.weight.iter().filter(|weight| **weight == 1).count();
        assert!((1_000..10_000).contains(&failed), "{failed}");
        for line in &rows.lines {
            let line: serde_json::Value = serde_json::from_slice(line).unwrap();
            assert_eq!(line["RayID"].as_str().unwrap().len(), 16);
        }
        let minutes = minutes_of(&rows);
        let weight = |chunk: &Chunk| chunk.weight.iter().map(|weight| u64::from(*weight)).sum::<u64>();
        assert_eq!(weight(&minutes), weight(&rows));
        assert!(minutes.len() < rows.len());
        let times = times_of(&rows);
        let measured = rows.numbers.iter().zip(Number::ALL).filter(|(_, number)| number.is_time());
        let measured = measured.flat_map(|(times, _)| times.as_ref().unwrap().iter().zip(&rows.weight));
        let measured: u64 = measured.filter(|(time, _)| **time > 0).map(|(_, weight)| u64::from(*weight)).sum();
        assert_eq!(weight(&times), measured);
    }
}
