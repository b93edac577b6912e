//! Counters against counts that are known.

use std::sync::atomic::AtomicU32;

use proptest::prelude::*;

use super::*;

const SECOND: u64 = 1000;

#[test]
fn a_period_is_counted() {
    let table = RateTable::new(64);
    for expected in 1..=5 {
        assert_eq!(table.count(7, 10_000, 10 * SECOND, 1), expected);
    }
    assert_eq!(table.counted(7, 10_000, 10 * SECOND), 5);
    assert_eq!(table.counted(8, 10_000, 10 * SECOND), 0);
    // half of the period before is still in the window
    assert_eq!(table.counted(7, 25_000, 10 * SECOND), 2);
    assert_eq!(table.counted(7, 30_000, 10 * SECOND), 0);
}

#[test]
fn mitigation_ends_when_it_said() {
    let table = RateTable::new(64);
    table.mitigate(7, 1000, 61_000);
    assert_eq!(table.mitigated_until(7, 60_999), Some(61_000));
    assert_eq!(table.mitigated_until(7, 61_000), None);
    assert_eq!(table.mitigated_until(8, 1000), None);
}

#[test]
fn threads_that_count_together_lose_nothing() {
    const THREADS: u32 = 4;
    const EACH: u32 = 20_000;
    let table = RateTable::new(64);
    let highest = AtomicU32::new(0);
    // it has its place before they come
    table.count(42, 5000, 10 * SECOND, 0);
    std::thread::scope(|scope| {
        for _ in 0..THREADS {
            scope.spawn(|| {
                for _ in 0..EACH {
                    highest.fetch_max(table.count(42, 5000, 10 * SECOND, 1), Ordering::Relaxed);
                }
            });
        }
    });
    assert_eq!(table.counted(42, 5000, 10 * SECOND), THREADS * EACH);
    assert_eq!(highest.into_inner(), THREADS * EACH);
}

/// Numbers without an order, always the same (xorshift).
fn numbers(mut seed: u64) -> impl FnMut(u64) -> u64 {
    move |below| {
        seed ^= seed << 13;
        seed ^= seed >> 7;
        seed ^= seed << 17;
        seed % below
    }
}

#[test]
fn decisions_are_off_by_the_period_before_at_most() {
    const KEYS: usize = 300;
    const PERIOD: u64 = 10 * SECOND;
    // as many requests of a key in a period on average: far fewer than there may be, about as many, far more
    for (most, asked, bursts) in [(10, 3, false), (10, 10, false), (10, 40, false), (100, 100, false), (10, 20, true)] {
        let (table, mut next) = (RateTable::new(1024), numbers(7));
        let mut logs = vec![Vec::<u64>::new(); KEYS];
        let (mut now, mut decisions) = (987_654, 0);
        while decisions < 60_000 {
            let key = next(KEYS as u64) as usize;
            let together = if bursts { 2 * u64::from(most) } else { 1 };
            // of all keys together
            now += next(2 * PERIOD * together / (KEYS as u64 * asked) + 1);
            for _ in 0..together {
                decisions += 1;
                let admitted = table.admit(key as u64, now, PERIOD, most).is_ok();
                let log = &mut logs[key];
                let this = now / PERIOD * PERIOD;
                let within = |from: u64, to: u64| log.iter().rev().filter(|at| (from..to).contains(at)).count();
                let exact = within(now + 1 - PERIOD, now + 1);
                let (before, most) = (within(this - PERIOD, this), most as usize);
                if admitted {
                    assert!(exact < most + before, "{exact} had come of {most}, {before} in the period before");
                    assert!(exact < 2 * most);
                    log.push(now);
                } else {
                    assert!(exact + before >= most, "{exact} had come of {most}, {before} in the period before");
                }
            }
        }
        assert_eq!(table.forgotten(), 0);
    }
}

#[test]
fn threads_let_no_more_through_together() {
    const KEYS: u64 = 8;
    const MOST: u32 = 1000;
    let table = RateTable::new(64);
    (0..KEYS).for_each(|key| assert_eq!(table.count(key, 5000, 10 * SECOND, 0), 0));
    let admitted = [(); KEYS as usize].map(|()| AtomicU32::new(0));
    std::thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                for turn in 0..4 * u64::from(MOST) * KEYS {
                    let key = turn % KEYS;
                    if table.admit(key, 5000, 10 * SECOND, MOST).is_ok() {
                        admitted[key as usize].fetch_add(1, Ordering::Relaxed);
                    }
                }
            });
        }
    });
    assert_eq!(admitted.map(AtomicU32::into_inner), [MOST; KEYS as usize]);
}

#[test]
fn a_table_is_nearly_full_before_a_key_is_forgotten() {
    let (table, mut next) = (RateTable::new(1 << 14), numbers(11));
    let keys: Vec<u64> = (0..(1 << 14) * 3 / 4).map(|_| next(u64::MAX)).collect();
    for key in &keys {
        table.count(*key, 1000, 60 * SECOND, 1);
    }
    assert_eq!(table.forgotten(), 0);
    assert!(keys.iter().all(|key| table.counted(*key, 1000, 60 * SECOND) == 1));
}

#[test]
fn a_forgotten_key_starts_anew() {
    let table = RateTable::new(8);
    assert_eq!(table.admit(1, 1000, 60 * SECOND, 1), Ok(1));
    assert_eq!(table.admit(1, 1000, 60 * SECOND, 1), Err(1));
    (2..=8).for_each(|key| assert_eq!(table.count(key, 1000, 60 * SECOND, 2), 2));
    assert_eq!(table.forgotten(), 0);
    table.count(9, 1000, 60 * SECOND, 1);
    assert_eq!(table.forgotten(), 1);
    // it was the one that counted least
    assert_eq!(table.admit(1, 1000, 60 * SECOND, 1), Ok(1));
}

#[test]
fn keys_beyond_the_table_push_out_those_that_count_least() {
    let table = RateTable::new(1024);
    for _ in 0..1000 {
        table.count(1, 1000, 60 * SECOND, 1);
    }
    table.mitigate(2, 1000, 100_000);
    for key in 3..100_000_u64 {
        table.count(key, 1000, 60 * SECOND, 1);
    }
    assert_eq!(table.counted(1, 1000, 60 * SECOND), 1000);
    assert_eq!(table.mitigated_until(2, 1000), Some(100_000));
    assert!(table.forgotten() > 90_000, "{}", table.forgotten());
    assert!(table.bytes() <= 1024 * 32);
}

#[test]
fn keys_that_are_stale_make_room_unnoticed() {
    let table = RateTable::new(8);
    for round in 0..100 {
        for key in 0..8 {
            table.count(round * 8 + key, round * 120_000, 60 * SECOND, 1);
        }
    }
    assert_eq!(table.forgotten(), 0);
}

#[test]
fn a_thread_whose_time_is_a_moment_old_counts_too() {
    let table = RateTable::new(8);
    table.count(1, 10_001, 10 * SECOND, 5);
    assert_eq!(table.count(1, 9_999, 10 * SECOND, 1), 6);
    assert_eq!(table.counted(1, 10_002, 10 * SECOND), 6);
}

#[test]
fn a_count_stops_at_the_highest() {
    let table = RateTable::new(8);
    assert_eq!(table.count(1, 0, SECOND, u32::MAX), MOST_COUNTED);
    assert_eq!(table.count(1, 0, SECOND, 1), MOST_COUNTED);
}

proptest! {
    #[test]
    fn the_estimate_is_as_near_as_it_says(
        steps in prop::collection::vec((0_u64..4000, 1_u32..5), 1..200),
        start in 0_u64..u64::from(u32::MAX),
    ) {
        const PERIOD: u64 = 10 * SECOND;
        let table = RateTable::new(8);
        let (mut now, mut came) = (start, Vec::new());
        for (wait, more) in steps {
            now += wait;
            came.push((now, u64::from(more)));
            let estimate = u64::from(table.count(9, now, PERIOD, more));
            let within = |from: u64, to: u64| came.iter().filter(|(at, _)| *at >= from && *at < to).map(|(_, n)| n).sum::<u64>();
            let this = now / PERIOD * PERIOD;
            let exact = within((now + 1).saturating_sub(PERIOD), now + 1);
            let before = within(this.saturating_sub(PERIOD), this);
            prop_assert!(estimate.abs_diff(exact) <= before, "{estimate} for {exact}, {before} before");
        }
    }
}
