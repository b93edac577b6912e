//! A rate limiting rule held against the counters: whose request it is, and whether it is one too many.

use std::hash::{BuildHasher, Hasher};
use std::ops::ControlFlow;
use std::time::Duration;

use foldhash::fast::FixedState;

use super::RateTable;
use crate::Evaluation;
use crate::facts::{Fact, Facts};
use crate::ruleset::{Characteristic, RateLimit, Rule};
use crate::scheme::Field;

/// All counters of an edge, and how requests find theirs.
#[derive(Debug)]
pub struct Limiter {
    table: RateTable,
    /// Seeded, so that nobody outside can choose requests that share a counter.
    hasher: FixedState,
}

/// How a request stands against a limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// Within it: so many more may come at once.
    Within(u32),
    /// Beyond it: ask again after so many whole seconds, at least one.
    Beyond(u32),
}

impl Limiter {
    /// Room for `keys` keys that are alive at once; `seed` is random.
    pub fn new(keys: usize, seed: u64) -> Self {
        Self { table: RateTable::new(keys), hasher: FixedState::with_seed(seed) }
    }

    /// The counters, for metrics.
    pub fn table(&self) -> &RateTable {
        &self.table
    }

    /// Which counter a request goes to: that of the zone's rule and of the request's characteristics. What a request does
    /// not have counts as empty, so that leaving a header out is no way past a limit.
    pub fn key(
        &self,
        zone: &str,
        rule: &Rule,
        limit: &RateLimit,
        facts: &dyn Facts,
        evaluation: &mut Evaluation<'_>,
    ) -> u64 {
        let mut hasher = self.hasher.build_hasher();
        let mut put = |bytes: &[u8]| {
            hasher.write_usize(bytes.len());
            hasher.write(bytes);
        };
        put(zone.as_bytes());
        put(rule.id.as_bytes());
        for characteristic in &limit.characteristics {
            match characteristic {
                Characteristic::Colo => {}
                Characteristic::Ip | Characteristic::UniqueVisitor => put_fact(facts, Field::IpSrc, &mut put),
                Characteristic::Country => put_fact(facts, Field::IpSrcCountry, &mut put),
                Characteristic::Host => put_fact(facts, Field::HttpHost, &mut put),
                Characteristic::Path => put_fact(facts, Field::UriPath, &mut put),
                Characteristic::Ja4 => put_fact(facts, Field::CfJa4, &mut put),
                Characteristic::Header(name) => put_entry(facts, Field::Headers, name, &mut put),
                Characteristic::Cookie(name) => put_entry(facts, Field::Cookies, name, &mut put),
                Characteristic::Argument(name) => put_entry(facts, Field::UriArgs, name, &mut put),
                Characteristic::Expression(dynamic) => put(evaluation.text(*dynamic).as_deref().unwrap_or_default()),
            }
        }
        hasher.finish()
    }

    /// A request that the rule's expression matches: counted if `counts`, unless it is beyond the limit already.
    pub fn ask(&self, key: u64, limit: &RateLimit, counts: bool, now_ms: u64) -> Standing {
        let period = milliseconds(limit.period);
        if let Some(until) = self.table.mitigated_until(key, now_ms) {
            return Standing::Beyond(seconds(until - now_ms));
        }
        let most = limit.requests_per_period;
        if !counts {
            // counted by its answer, or not at all: as many as there may be are there already
            let counted = self.table.counted(key, now_ms, period);
            let throttled = limit.mitigation_timeout.is_zero() && counted >= most;
            return if throttled { self.throttled(now_ms, period) } else { within(most, counted) };
        }
        match self.table.admit(key, now_ms, period, most) {
            Ok(counted) => within(most, counted),
            Err(_) if limit.mitigation_timeout.is_zero() => self.throttled(now_ms, period),
            Err(_) => self.mitigate(key, limit, now_ms),
        }
    }

    /// Counts a request once its answer is known, if that is what the rule counts. The next ones meet what follows.
    pub fn count_answer(&self, key: u64, limit: &RateLimit, now_ms: u64) {
        let counted = self.table.count(key, now_ms, milliseconds(limit.period), 1);
        if counted > limit.requests_per_period && !limit.mitigation_timeout.is_zero() {
            self.mitigate(key, limit, now_ms);
        }
    }

    fn mitigate(&self, key: u64, limit: &RateLimit, now_ms: u64) -> Standing {
        let timeout = milliseconds(limit.mitigation_timeout);
        self.table.mitigate(key, now_ms, now_ms.saturating_add(timeout));
        Standing::Beyond(seconds(timeout))
    }

    /// At the latest by the end of this period there is room again.
    fn throttled(&self, now_ms: u64, period_ms: u64) -> Standing {
        Standing::Beyond(seconds(period_ms - now_ms % period_ms))
    }
}

fn within(most: u32, counted: u32) -> Standing {
    Standing::Within(most.saturating_sub(counted))
}

fn put_fact(facts: &dyn Facts, field: Field, put: &mut impl FnMut(&[u8])) {
    match facts.fact(field) {
        Fact::Bytes(bytes) => put(bytes),
        // Whoever holds an IPv6 network of the usual size has all its addresses.
        Fact::Ip(std::net::IpAddr::V6(ip)) if ip.to_ipv4_mapped().is_none() => {
            put(ip.octets().get(..8).unwrap_or_default())
        }
        Fact::Ip(ip) => match ip.to_canonical() {
            std::net::IpAddr::V4(ip) => put(&ip.octets()),
            std::net::IpAddr::V6(ip) => put(&ip.octets()),
        },
        Fact::Int(number) => put(&number.to_le_bytes()),
        Fact::Nothing | Fact::Bool(_) | Fact::Float(_) => put(b""),
    }
}

fn put_entry(facts: &dyn Facts, field: Field, name: &str, put: &mut impl FnMut(&[u8])) {
    let mut found = false;
    facts.entries(field, &mut |key, value| {
        if key.eq_ignore_ascii_case(name.as_bytes()) {
            found = true;
            put(value);
            return ControlFlow::Break(());
        }
        ControlFlow::Continue(())
    });
    if !found {
        put(b"");
    }
}

fn milliseconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX).max(1)
}

/// Whole seconds, rounded up, at least one.
fn seconds(milliseconds: u64) -> u32 {
    u32::try_from(milliseconds.div_ceil(1000)).unwrap_or(u32::MAX).max(1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ruleset::LimitAction;

    fn limit(per_period: u32, timeout: u64) -> RateLimit {
        RateLimit {
            characteristics: vec![Characteristic::Colo, Characteristic::Ip],
            period: Duration::from_secs(10),
            requests_per_period: per_period,
            mitigation_timeout: Duration::from_secs(timeout),
            counting: None,
            counts_responses: false,
            requests_to_origin: false,
            action: LimitAction::Block(None),
        }
    }

    #[test]
    fn beyond_the_limit_it_lasts_as_long_as_it_says() {
        let (limiter, limit) = (Limiter::new(64, 1), limit(2, 60));
        assert_eq!(limiter.ask(7, &limit, true, 0), Standing::Within(1));
        assert_eq!(limiter.ask(7, &limit, true, 0), Standing::Within(0));
        assert_eq!(limiter.ask(7, &limit, true, 100), Standing::Beyond(60));
        assert_eq!(limiter.ask(7, &limit, true, 59_200), Standing::Beyond(1));
        assert_eq!(limiter.ask(7, &limit, true, 60_200), Standing::Within(1));
        assert_eq!(limiter.ask(8, &limit, true, 100), Standing::Within(1));
    }

    #[test]
    fn throttling_lets_so_many_through_in_each_period() {
        let (limiter, limit) = (Limiter::new(64, 1), limit(5, 0));
        for period in [0_u64, 20_000, 40_000] {
            let came = (0..50).map(|n| limiter.ask(7, &limit, true, period + n));
            assert_eq!(came.filter(|standing| matches!(standing, Standing::Within(_))).count(), 5);
        }
        assert_eq!(limiter.ask(7, &limit, true, 47_500), Standing::Beyond(3));
    }

    #[test]
    fn answers_are_counted_once_they_are_known() {
        let (limiter, limit) = (Limiter::new(64, 1), limit(2, 30));
        for _ in 0..3 {
            assert!(matches!(limiter.ask(7, &limit, false, 1000), Standing::Within(_)));
            limiter.count_answer(7, &limit, 1000);
        }
        assert_eq!(limiter.ask(7, &limit, false, 1000), Standing::Beyond(30));
    }
}
