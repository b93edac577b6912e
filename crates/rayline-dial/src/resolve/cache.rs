//! Answers and failures of one worker's resolver, each until its time.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::resolve::{Answer, Failed};

/// The most names that are kept.
const MOST_NAMES: usize = 4096;

/// The longest a good answer is kept, whatever its zone says.
pub(crate) const LONGEST: Duration = Duration::from_secs(86_400);

/// The longest "there is none" is kept (RFC 2308 §5 has one to three hours).
pub(crate) const LONGEST_NEGATIVE: Duration = Duration::from_secs(3 * 3600);

/// How long a failure is kept that says nothing of the name, and one whose zone does not say how long (RFC 9520 §3.2 asks
/// for a second at least): long enough that a flood of requests does not become one of queries.
pub(crate) const FAILURE: Duration = Duration::from_secs(1);

/// How long the addresses of one family are kept when the other's answer was not waited for.
pub(crate) const PARTIAL: Duration = Duration::from_secs(5);

type Outcome = Result<Answer, Arc<Failed>>;

/// What is kept, by name.
#[derive(Debug, Default)]
pub(crate) struct Cache {
    names: HashMap<Box<str>, (Outcome, Instant)>,
}

impl Cache {
    pub(crate) fn find(&self, name: &str, now: Instant) -> Option<Outcome> {
        let (outcome, until) = self.names.get(name)?;
        (now < *until).then(|| outcome.clone())
    }

    pub(crate) fn keep(&mut self, name: &str, outcome: Outcome, until: Instant) {
        if self.names.len() >= MOST_NAMES && !self.names.contains_key(name) {
            self.make_room();
        }
        self.names.insert(name.into(), (outcome, until));
    }

    /// Drops what is over, or else half of what there is: names come from records, so a full table is one that many
    /// records share unevenly, and nothing says which will be asked for next.
    fn make_room(&mut self) {
        let now = Instant::now();
        self.names.retain(|_, (_, until)| now < *until);
        if self.names.len() >= MOST_NAMES {
            let mut keep = false;
            self.names.retain(|_, _| {
                keep = !keep;
                keep
            });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer() -> Outcome {
        Ok(Answer { addresses: Arc::default(), aliases: Arc::default() })
    }

    #[test]
    fn answers_end_with_their_time() {
        let (mut cache, now) = (Cache::default(), Instant::now());
        cache.keep("a.example", answer(), now + FAILURE);
        assert!(cache.find("a.example", now).is_some());
        assert!(cache.find("a.example", now + FAILURE).is_none());
        assert!(cache.find("b.example", now).is_none());
    }

    #[test]
    fn it_is_bounded() {
        let (mut cache, now) = (Cache::default(), Instant::now());
        for number in 0..2 * MOST_NAMES {
            cache.keep(&format!("{number}.example"), answer(), now + LONGEST);
            assert!(cache.names.len() <= MOST_NAMES);
        }
        assert!(cache.find(&format!("{}.example", 2 * MOST_NAMES - 1), now).is_some());
    }
}
