//! How many failures are told apart: the same arithmetic for every proxy and every place where it says something.

use serde::Serialize;

use super::fault::Role;

/// Where a proxy says what happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Place {
    /// Status, page, and how the answer ended.
    Visitor,
    /// `Proxy-Status`, or another field of the answer that tells a cause.
    Header,
    /// The line, or the lines, of the access log.
    Access,
    /// What else is logged meanwhile.
    Second,
}

impl Place {
    pub(crate) const ALL: [Self; 4] = [Self::Visitor, Self::Header, Self::Access, Self::Second];
}

/// What was said in one place of one failure.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub(crate) struct Words {
    /// As it came.
    pub(crate) said: String,
    /// Without what differs from one request to the next.
    pub(crate) essence: String,
}

/// All that one proxy says of one failure.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Observation {
    pub(crate) fault: &'static str,
    #[serde(skip)]
    pub(crate) role: Role,
    /// Why this proxy cannot be asked, or what was said.
    pub(crate) outcome: Outcome,
}

/// What became of a question.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Outcome {
    /// In the order of [`Place::ALL`].
    Said([Words; 4]),
    /// It does not apply.
    Inapplicable(&'static str),
}

/// What a failure looks like in one place.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Look {
    /// Like all failures of this class, and like nothing else.
    Class(usize),
    /// Like the origin's own 502.
    Own502,
    /// Like a good answer, of which nothing is said either.
    Success,
}

/// The figures of one place.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct Score {
    pub(crate) place: Place,
    /// How many classes there are that look like nothing else.
    pub(crate) told_apart: usize,
    /// How many failures apply.
    pub(crate) of: usize,
    /// How many look like the origin's own 502.
    pub(crate) like_own_502: usize,
    /// How many look like a good answer.
    pub(crate) like_success: usize,
    /// By failure.
    pub(crate) looks: Vec<(&'static str, Look)>,
}

impl Observation {
    pub(crate) fn words(&self, place: Place) -> Option<&Words> {
        match &self.outcome {
            Outcome::Said(words) => Place::ALL.iter().zip(words).find(|(at, _)| **at == place).map(|(_, words)| words),
            Outcome::Inapplicable(_) => None,
        }
    }
}

impl Score {
    /// Counts the classes of failures that say the same to the letter. A class does not count if an answer that is no
    /// failure of the way to the origin says that too.
    pub(crate) fn of(observations: &[Observation], place: Place) -> Self {
        let said_by = |role: Role| {
            let of_role = observations.iter().filter(move |observation| observation.role == role);
            of_role.filter_map(|observation| Some(observation.words(place)?.essence.as_str())).collect::<Vec<_>>()
        };
        let (success, own_502) = (said_by(Role::Success), said_by(Role::Own502));
        let mut classes: Vec<&str> = Vec::new();
        let mut looks = Vec::new();
        for observation in observations.iter().filter(|observation| observation.role == Role::Fault) {
            let Some(Words { essence, .. }) = observation.words(place) else { continue };
            let essence = essence.as_str();
            let look = if success.contains(&essence) {
                Look::Success
            } else if own_502.contains(&essence) {
                Look::Own502
            } else if let Some(class) = classes.iter().position(|class| *class == essence) {
                Look::Class(class)
            } else {
                classes.push(essence);
                Look::Class(classes.len().saturating_sub(1))
            };
            looks.push((observation.fault, look));
        }
        let count = |wanted: Look| looks.iter().filter(|(_, look)| *look == wanted).count();
        Self {
            place,
            told_apart: classes.len(),
            of: looks.len(),
            like_own_502: count(Look::Own502),
            like_success: count(Look::Success),
            looks,
        }
    }

    /// What this failure looks like; `None` if it does not apply.
    pub(crate) fn look(&self, fault: &str) -> Option<Look> {
        self.looks.iter().find(|(name, _)| *name == fault).map(|(_, look)| *look)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(fault: &'static str, role: Role, essence: &str) -> Observation {
        let words = Words { said: essence.to_owned(), essence: essence.to_owned() };
        Observation { fault, role, outcome: Outcome::Said([words.clone(), words.clone(), words.clone(), words]) }
    }

    #[test]
    fn classes_count_that_look_like_nothing_else() {
        let mut observations = vec![
            said("good", Role::Success, "200"),
            said("own-502", Role::Own502, "502"),
            said("a", Role::Fault, "502"),
            said("b", Role::Fault, "503 x"),
            said("c", Role::Fault, "503 x"),
            said("d", Role::Fault, "503 y"),
            said("e", Role::Fault, "200"),
        ];
        observations.push(Observation { fault: "f", role: Role::Fault, outcome: Outcome::Inapplicable("no TLS") });
        let score = Score::of(&observations, Place::Access);
        assert_eq!((score.told_apart, score.of, score.like_own_502, score.like_success), (2, 5, 1, 1));
        let looks = ["a", "b", "c", "d", "e", "f"].map(|fault| score.look(fault));
        let [first, second] = [Some(Look::Class(0)), Some(Look::Class(1))];
        assert_eq!(looks, [Some(Look::Own502), first, first, second, Some(Look::Success), None]);
    }
}
