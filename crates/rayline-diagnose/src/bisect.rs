//! Which parts of a configuration cause a failure: delta debugging over copies of the failing request.
//!
//! Parts are switched off, the request is tried, and what is left of the failure says where to look next (Zeller and
//! Hildebrandt, "Simplifying and Isolating Failure-Inducing Input", 2002). The search knows neither rules nor HTTP: what a
//! part is and how a request is tried, the caller says. [`Copies`] tries requests at an edge whose rules can be switched
//! off; [`step`] is the search as a step of a diagnosis.

mod replay;
pub mod step;

use std::collections::BTreeMap;

pub use replay::{Copies, Part, Replays, Reply, groups};

/// What a try with some parts switched off came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tried {
    /// The very failure that is looked for.
    Fails,
    /// No failure.
    Works,
    /// Another failure, which says nothing of the one that is looked for.
    Otherwise,
}

/// What a search found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Found {
    /// With everything switched on the failure is not there.
    NoFailure(Tried),
    /// It is there, or another is, with everything switched off: none of the parts is needed for it.
    Without(Tried),
    /// These parts cause it.
    Culprits(Vec<Culprit>),
    /// The tries were used up before it was known; what was found until then.
    Unfinished(Vec<Culprit>),
}

/// Parts that cause the failure together: with no others it is there, and without any one of them it is not.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Culprit {
    /// Their places among the parts, ascending; more than one where they must meet.
    pub parts: Vec<usize>,
    /// What is seen with everything switched on but these, and the culprits before: [`Tried::Works`] is the proof.
    pub without: Tried,
}

/// How a search is bounded.
#[derive(Debug, Clone, Copy)]
pub struct Bounds {
    /// Tries at most. One culprit among 200 parts takes about 16.
    pub tries: usize,
    /// Culprits at most: each that is found is switched off, and the rest is searched while the failure stays.
    pub culprits: usize,
}

impl Default for Bounds {
    fn default() -> Self {
        Self { tries: 400, culprits: 16 }
    }
}

/// Finds the parts that cause a failure, of those that belong to `groups` (a group's number for each part): whole groups
/// are switched off before single parts are.
///
/// `attempt` is given the places of the parts that are switched **off**, ascending. What it was asked once it is not asked
/// again.
///
/// # Errors
/// Those of `attempt`, at once.
pub async fn search<E>(
    groups: &[usize],
    bounds: Bounds,
    attempt: impl AsyncFnMut(&[usize]) -> Result<Tried, E>,
) -> Result<Found, E> {
    let mut lab = Lab { count: groups.len(), left: bounds.tries, known: BTreeMap::new(), attempt };
    let every: Vec<usize> = (0..groups.len()).collect();
    match lab.with(&every).await? {
        Some(Tried::Fails) => {}
        Some(other) => return Ok(Found::NoFailure(other)),
        None => return Ok(Found::Unfinished(Vec::new())),
    }
    match lab.with(&[]).await? {
        Some(Tried::Works) => {}
        Some(other) => return Ok(Found::Without(other)),
        None => return Ok(Found::Unfinished(Vec::new())),
    }
    let mut culprits: Vec<Culprit> = Vec::new();
    let mut on = every;
    while culprits.len() < bounds.culprits {
        let Some(parts) = lab.smallest(&on, groups).await? else { return Ok(Found::Unfinished(culprits)) };
        on.retain(|part| !parts.contains(part));
        let Some(without) = lab.with(&on).await? else { return Ok(Found::Unfinished(culprits)) };
        culprits.push(Culprit { parts, without });
        if without != Tried::Fails {
            return Ok(Found::Culprits(culprits));
        }
    }
    Ok(Found::Unfinished(culprits))
}

/// Where parts are switched on and off, and what is known of it.
struct Lab<F> {
    count: usize,
    /// Tries that are left.
    left: usize,
    /// By the parts that were on.
    known: BTreeMap<Vec<usize>, Tried>,
    attempt: F,
}

impl<F> Lab<F> {
    /// Tries with these parts on and no others; `None` once no tries are left.
    async fn with<E>(&mut self, on: &[usize]) -> Result<Option<Tried>, E>
    where
        F: AsyncFnMut(&[usize]) -> Result<Tried, E>,
    {
        if let Some(known) = self.known.get(on) {
            return Ok(Some(*known));
        }
        if self.left == 0 {
            return Ok(None);
        }
        self.left -= 1;
        let off: Vec<usize> = (0..self.count).filter(|part| on.binary_search(part).is_err()).collect();
        let tried = (self.attempt)(&off).await?;
        self.known.insert(on.to_vec(), tried);
        Ok(Some(tried))
    }

    /// The smallest of these parts that fail together: by groups first, then one by one.
    async fn smallest<E>(&mut self, on: &[usize], groups: &[usize]) -> Result<Option<Vec<usize>>, E>
    where
        F: AsyncFnMut(&[usize]) -> Result<Tried, E>,
    {
        let mut by_group: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
        for part in on {
            by_group.entry(groups.get(*part).copied().unwrap_or_default()).or_default().push(*part);
        }
        let Some(groups) = self.reduce(by_group.into_values().collect()).await? else { return Ok(None) };
        let single = sorted(&groups).into_iter().map(|part| vec![part]).collect();
        Ok(self.reduce(single).await?.map(|units| sorted(&units)))
    }

    /// The algorithm `ddmin`: halves of the units, then quarters, and their complements, as long as the failure stays.
    async fn reduce<E>(&mut self, mut units: Vec<Vec<usize>>) -> Result<Option<Vec<Vec<usize>>>, E>
    where
        F: AsyncFnMut(&[usize]) -> Result<Tried, E>,
    {
        let mut pieces = 2;
        while units.len() > 1 {
            let size = units.len().div_ceil(pieces);
            let chunks: Vec<Vec<Vec<usize>>> = units.chunks(size).map(<[_]>::to_vec).collect();
            let mut smaller = None;
            for chunk in &chunks {
                match self.with(&sorted(chunk)).await? {
                    Some(Tried::Fails) => smaller = Some((chunk.clone(), 2)),
                    Some(Tried::Works | Tried::Otherwise) => continue,
                    None => return Ok(None),
                }
                break;
            }
            // of two halves each is the other's complement
            if smaller.is_none() && chunks.len() > 2 {
                for place in 0..chunks.len() {
                    let others = chunks.iter().enumerate().filter(|(other, _)| *other != place);
                    let rest: Vec<Vec<usize>> = others.flat_map(|(_, chunk)| chunk.iter().cloned()).collect();
                    match self.with(&sorted(&rest)).await? {
                        Some(Tried::Fails) => smaller = Some((rest, (pieces - 1).max(2))),
                        Some(Tried::Works | Tried::Otherwise) => continue,
                        None => return Ok(None),
                    }
                    break;
                }
            }
            match smaller {
                Some((fewer, next)) => (units, pieces) = (fewer, next),
                None if size == 1 => break,
                None => pieces = (pieces * 2).min(units.len()),
            }
        }
        Ok(Some(units))
    }
}

fn sorted(units: &[Vec<usize>]) -> Vec<usize> {
    let mut parts: Vec<usize> = units.iter().flatten().copied().collect();
    parts.sort_unstable();
    parts
}

impl Tried {
    /// The word in `without`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Fails => "fails",
            Self::Works => "works",
            Self::Otherwise => "fails otherwise",
        }
    }
}

impl Found {
    /// The word in `found`.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::NoFailure(_) => "no_failure",
            Self::Without(_) => "without_rules",
            Self::Culprits(_) => "culprits",
            Self::Unfinished(_) => "unfinished",
        }
    }

    /// The parts that were found to cause it, so far.
    pub fn culprits(&self) -> &[Culprit] {
        match self {
            Self::Culprits(culprits) | Self::Unfinished(culprits) => culprits,
            Self::NoFailure(_) | Self::Without(_) => &[],
        }
    }
}

impl Culprit {
    /// The parts themselves, of all that there are.
    pub fn of<'a>(&'a self, parts: &'a [Part]) -> impl Iterator<Item = &'a Part> {
        self.parts.iter().filter_map(|part| parts.get(*part))
    }

    /// The object in `culprits`.
    pub fn to_json(&self, parts: &[Part]) -> serde_json::Value {
        let parts: Vec<serde_json::Value> = self.of(parts).map(Part::to_json).collect();
        serde_json::json!({ "parts": parts, "without": self.without.name() })
    }
}

#[cfg(test)]
mod tests;
