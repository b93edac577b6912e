//! Rate limits at a million keys: what a request costs, and how far the decisions are from those of an exact count.

use std::collections::VecDeque;
use std::net::{IpAddr, Ipv4Addr};
use std::ops::Range;
use std::time::Duration;

use rayline_rules::rate::{Limiter, RateTable};
use rayline_rules::ruleset::{Action, Characteristic, LimitAction, RateLimit, Rule};
use rayline_rules::{Lists, Memory, ProgramBuilder, Stage};

use crate::random::Random;
use crate::zone::Request;
use crate::{elapsed, nanoseconds};

/// Keys that are alive at once.
const KEYS: u32 = 1_000_000;
/// Room that an edge has for them.
const ROOM: usize = 1 << 20;
/// A limit's period, in milliseconds.
const PERIOD: u32 = 10_000;
/// Requests of one such stretch, in milliseconds, have the same time.
const STEP: u32 = 10;
/// How many periods traffic lasts.
const PERIODS: u32 = 3;
/// Requests of each thread where two count together.
const TOGETHER: u32 = 1_000_000;

/// Everything that was measured about rate limits.
pub(crate) struct Rates {
    /// What a request meets, and nanoseconds.
    pub(crate) costs: Vec<(&'static str, f64)>,
    /// Bytes of the table.
    pub(crate) bytes: usize,
    /// How decisions were, by traffic.
    pub(crate) outcomes: Vec<Outcome>,
}

/// How requests come.
#[derive(Clone, Copy)]
pub(crate) enum Traffic {
    /// Each key as often as any other, at any time.
    Even,
    /// The key of rank `k` a `k`th as often as the first (Zipf).
    Ranked,
    /// Each key at once twice as often as it may, once in two periods on average.
    Bursts,
}

/// What was asked.
#[derive(Clone, Copy)]
pub(crate) struct Asked {
    pub(crate) traffic: Traffic,
    pub(crate) keys: u32,
    pub(crate) threads: usize,
    /// Requests of one key that may come in a period.
    pub(crate) most: u32,
}

/// How the decisions were, beside those of somebody who writes down when each request was let through.
#[derive(Default)]
pub(crate) struct Outcome {
    pub(crate) asked: Option<Asked>,
    pub(crate) requests: u64,
    pub(crate) admitted: u64,
    /// Let through although as many as there may be had come in the period until then.
    pub(crate) over: u64,
    /// Turned away although fewer had come.
    pub(crate) under: u64,
    /// The most of one key that came through in a period.
    pub(crate) worst: u32,
    /// The fewest of one key that had come when it was turned away.
    pub(crate) fewest: Option<u32>,
    pub(crate) forgotten: u64,
}

/// Measures.
pub(crate) fn measure(memory: &mut Memory) -> Rates {
    let asked = |traffic, keys, threads, most| Asked { traffic, keys, threads, most };
    let outcomes = [
        asked(Traffic::Even, KEYS / 2, 1, 5),
        asked(Traffic::Even, KEYS, 1, 5),
        asked(Traffic::Even, KEYS, 2, 5),
        asked(Traffic::Ranked, KEYS, 1, 100),
        asked(Traffic::Bursts, KEYS, 1, 5),
        asked(Traffic::Even, KEYS * 2, 1, 5),
    ];
    Rates {
        costs: costs(memory),
        bytes: RateTable::new(ROOM).bytes(),
        outcomes: outcomes.into_iter().map(outcome).collect(),
    }
}

/// A key for a number: as scattered as what is hashed (the finaliser of SplitMix64).
fn key(number: u32) -> u64 {
    let mut key = u64::from(number).wrapping_add(1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    key = (key ^ key >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    key = (key ^ key >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
    key ^ key >> 31
}

fn costs(memory: &mut Memory) -> Vec<(&'static str, f64)> {
    let period = u64::from(PERIOD);
    let admit = |table: &RateTable, number: u32, most: u32| table.admit(key(number), 1_000, period, most).is_ok();
    let fill = |table: &RateTable, numbers: Range<u32>| {
        for number in numbers {
            std::hint::black_box(admit(table, number, 1));
        }
    };
    let (table, crowded) = (RateTable::new(ROOM), RateTable::new(ROOM));
    fill(&table, 0..KEYS);
    fill(&crowded, 0..2 * KEYS);
    let mut newcomers = 2 * KEYS;
    let mut random = Random(7);
    let into_empty = (0..3).map(|_| {
        let table = RateTable::new(ROOM);
        elapsed(|| fill(&table, 0..KEYS)).1.as_secs_f64() * 1e9 / f64::from(KEYS)
    });
    let into_empty = into_empty.fold(f64::INFINITY, f64::min);
    vec![
        ("one key, again and again", nanoseconds(|| admit(&table, 1, u32::MAX))),
        ("one of a million keys, another each time", nanoseconds(|| admit(&table, random.next() % KEYS, u32::MAX))),
        ("the same, at its limit: turned away", nanoseconds(|| admit(&table, random.next() % KEYS, 1))),
        ("a new key, a million into an empty table, the quickest of three times", into_empty),
        (
            "a new key where all places are taken: another is forgotten",
            nanoseconds(|| {
                newcomers += 1;
                admit(&crowded, newcomers, 1)
            }),
        ),
        ("two threads, both one key", together(&table, |_, _| 1)),
        ("two threads, each any of a million keys", together(&table, |_, random| random.next() % KEYS)),
        ("the whole rule: zone, rule and address hashed, then counted", rule(memory)),
    ]
}

/// Nanoseconds of a processor for a request, of two threads at once.
fn together(table: &RateTable, number: impl Fn(u32, &mut Random) -> u32 + Sync) -> f64 {
    let (number, period) = (&number, u64::from(PERIOD));
    let took: Duration = std::thread::scope(|scope| {
        let threads = [3, 5].map(|seed| {
            scope.spawn(move || {
                let mut random = Random(seed);
                let count = || {
                    for turn in 0..TOGETHER {
                        let _ =
                            std::hint::black_box(table.admit(key(number(turn, &mut random)), 1_000, period, u32::MAX));
                    }
                };
                elapsed(count).1
            })
        });
        threads.into_iter().map(|thread| thread.join().unwrap()).sum()
    });
    took.as_secs_f64() * 1e9 / f64::from(2 * TOGETHER)
}

/// A rule that counts by address, of a million.
fn rule(memory: &mut Memory) -> f64 {
    let lists = Lists::default();
    let mut builder = ProgramBuilder::new(&lists);
    let expression = "starts_with(http.request.uri.path, \"/\")";
    let condition = builder.condition(expression, Stage::Request).unwrap();
    let limit = RateLimit {
        action: LimitAction::Log,
        characteristics: vec![Characteristic::Colo, Characteristic::Ip],
        period: Duration::from_millis(PERIOD.into()),
        requests_per_period: 1_000_000,
        mitigation_timeout: Duration::ZERO,
        counting: None,
        counts_responses: false,
        requests_to_origin: false,
    };
    let rule = Rule {
        id: "limit".into(),
        description: "".into(),
        expression: expression.into(),
        condition,
        enabled: true,
        logging: true,
        action: Action::RateLimit(Box::new(limit.clone())),
    };
    let program = builder.build();
    let limiter = Limiter::new(ROOM, 7);
    let (mut random, mut request) = (Random(7), Request::default());
    nanoseconds(|| {
        request.address = IpAddr::V4(Ipv4Addr::from(0x0a00_0000 + random.next() % KEYS));
        let mut evaluation = program.begin(&request, memory);
        let key = limiter.key("shop.example", &rule, &limit, &request, &mut evaluation);
        limiter.ask(key, &limit, true, 1_000)
    })
}

/// What one key was let through: when, and how often.
type Log = VecDeque<(u32, u32)>;

/// Sends traffic, and holds each decision against the log of what was let through.
fn outcome(asked: Asked) -> Outcome {
    let table = RateTable::new(ROOM);
    let mut logs: Vec<Log> = vec![Log::new(); asked.keys as usize];
    let mut random = Random(7);
    let mut outcome = Outcome { asked: Some(asked), ..Outcome::default() };
    // periods are counted from a time that is none's beginning
    for now in (123_450..123_450 + PERIODS * PERIOD).step_by(STEP as usize) {
        let numbers = requests(asked, &mut random);
        let decisions = decide(&table, &numbers, now, asked);
        for (number, _) in decisions.iter().filter(|(_, admitted)| *admitted) {
            let log = &mut logs[*number as usize];
            let counted = counted(log, now);
            outcome.admitted += 1;
            outcome.over += u64::from(counted >= asked.most);
            outcome.worst = outcome.worst.max(counted + 1);
            match log.back_mut() {
                Some((when, count)) if *when == now => *count += 1,
                _ => log.push_back((now, 1)),
            }
        }
        for (number, _) in decisions.iter().filter(|(_, admitted)| !*admitted) {
            let counted = counted(&mut logs[*number as usize], now);
            outcome.under += u64::from(counted < asked.most);
            outcome.fewest = Some(outcome.fewest.map_or(counted, |fewest| fewest.min(counted)));
        }
        outcome.requests += decisions.len() as u64;
    }
    outcome.forgotten = table.forgotten();
    outcome
}

/// How many of a key were let through in the period until now.
fn counted(log: &mut Log, now: u32) -> u32 {
    while log.front().is_some_and(|(when, _)| when + PERIOD <= now) {
        log.pop_front();
    }
    log.iter().map(|(_, count)| count).sum()
}

/// The keys' numbers in the requests of one step: as many in a period as all keys together may send.
fn requests(asked: Asked, random: &mut Random) -> Vec<u32> {
    let Asked { traffic, keys, most, .. } = asked;
    // the first of a million keys that follow Zipf has a fourteenth of all requests, and most have far less than they may
    let all = match traffic {
        Traffic::Even => keys * most,
        Traffic::Ranked => keys * 5,
        Traffic::Bursts => keys * most,
    };
    let count = all / (PERIOD / STEP);
    let mut share = || f64::from(random.next()) / (f64::from(u32::MAX) + 1.0);
    match traffic {
        Traffic::Even => (0..count).map(|_| (share() * f64::from(keys)) as u32).collect(),
        Traffic::Ranked => (0..count).map(|_| (share() * f64::from(keys).ln()).exp() as u32 - 1).collect(),
        Traffic::Bursts => {
            let bursting = (0..count / (2 * most)).map(|_| (share() * f64::from(keys)) as u32);
            bursting.flat_map(|number| std::iter::repeat_n(number, 2 * most as usize)).collect()
        }
    }
}

/// Has each request decided, by so many threads at once.
fn decide(table: &RateTable, numbers: &[u32], now: u32, asked: Asked) -> Vec<(u32, bool)> {
    let one = |number: &u32| (*number, table.admit(key(*number), now.into(), PERIOD.into(), asked.most).is_ok());
    if asked.threads == 1 {
        return numbers.iter().map(one).collect();
    }
    std::thread::scope(|scope| {
        // each takes every second request, so that both meet the same keys
        let threads: Vec<_> = (0..asked.threads)
            .map(|first| {
                scope.spawn(move || numbers.iter().skip(first).step_by(asked.threads).map(one).collect::<Vec<_>>())
            })
            .collect();
        threads.into_iter().flat_map(|thread| thread.join().unwrap()).collect()
    })
}
