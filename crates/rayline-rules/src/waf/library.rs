//! The signatures of `managed/`, made ready to run: once per process, whatever the number of zones.
//!
//! One automaton over the literals that patterns require says which patterns are worth trying on a text. Transformations
//! form a tree, so that what several rules begin with is done once.

use std::collections::HashMap;
use std::sync::LazyLock;

use aho_corasick::{AhoCorasick, AhoCorasickKind, MatchKind};
use regex::bytes::{Regex, RegexBuilder};

use super::alphabet::{self, Alphabet, Bytes, Marks};
use super::detector::{Detector, Signal};
use super::signature::{File, Signature, Target};
use super::transform::Transform;
use super::{Place, Unknown, literals};

/// The rules' data, a file per category.
const FILES: &[(&str, &str)] = &[
    ("sqli.toml", include_str!("../../managed/sqli.toml")),
    ("xss.toml", include_str!("../../managed/xss.toml")),
    ("lfi.toml", include_str!("../../managed/lfi.toml")),
    ("rfi.toml", include_str!("../../managed/rfi.toml")),
    ("ssrf.toml", include_str!("../../managed/ssrf.toml")),
    ("rce.toml", include_str!("../../managed/rce.toml")),
    ("ssti.toml", include_str!("../../managed/ssti.toml")),
    ("php.toml", include_str!("../../managed/php.toml")),
    ("java.toml", include_str!("../../managed/java.toml")),
    ("node.toml", include_str!("../../managed/node.toml")),
    ("ldap.toml", include_str!("../../managed/ldap.toml")),
    ("nosql.toml", include_str!("../../managed/nosql.toml")),
    ("xxe.toml", include_str!("../../managed/xxe.toml")),
    ("session.toml", include_str!("../../managed/session.toml")),
    ("protocol.toml", include_str!("../../managed/protocol.toml")),
    ("scanner.toml", include_str!("../../managed/scanner.toml")),
    ("leak.toml", include_str!("../../managed/leak.toml")),
    ("exploit.toml", include_str!("../../managed/exploit.toml")),
];

/// Words of a [`RuleSet`].
const WORDS: usize = 5;

/// Rules that a set has room for.
const CAPACITY: usize = WORDS * 64;

/// Bytes that a compiled pattern may take.
const PATTERN_LIMIT_BYTES: usize = 4 << 20;

/// A set of signatures by their place in the library.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct RuleSet([u64; WORDS]);

impl RuleSet {
    pub(super) const EMPTY: Self = Self([0; WORDS]);

    pub(super) fn insert(&mut self, place: usize) {
        if let Some(word) = self.0.get_mut(place / 64) {
            *word |= 1 << (place % 64);
        }
    }

    pub(super) fn remove(&mut self, place: usize) {
        if let Some(word) = self.0.get_mut(place / 64) {
            *word &= !(1 << (place % 64));
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.iter().all(|word| *word == 0)
    }

    pub(super) fn intersects(&self, other: &Self) -> bool {
        !self.and(other).is_empty()
    }

    pub(super) fn and(&self, other: &Self) -> Self {
        Self(std::array::from_fn(|at| self.word(at) & other.word(at)))
    }

    pub(super) fn or(&self, other: &Self) -> Self {
        Self(std::array::from_fn(|at| self.word(at) | other.word(at)))
    }

    pub(super) fn without(&self, other: &Self) -> Self {
        Self(std::array::from_fn(|at| self.word(at) & !other.word(at)))
    }

    pub(super) fn iter(self) -> impl Iterator<Item = usize> {
        self.0.into_iter().enumerate().flat_map(|(at, mut word)| {
            std::iter::from_fn(move || {
                let bit = word.trailing_zeros();
                (word != 0).then(|| {
                    word &= word - 1;
                    at * 64 + bit as usize
                })
            })
        })
    }

    fn word(&self, at: usize) -> u64 {
        self.0.get(at).copied().unwrap_or(0)
    }
}

/// What a signature looks for.
#[derive(Debug)]
pub(super) enum Test {
    Pattern(Regex),
    /// The opposite: texts that are not like this.
    Unlike(Regex),
    Detector(Detector),
    Signal(Signal),
}

/// One transformation behind others. The first step of all is none: the bytes as they are.
#[derive(Debug)]
pub(super) struct Step {
    /// The step before it, which stands before it in the list; itself for the first.
    pub(super) before: usize,
    /// `None` for the first.
    pub(super) transform: Option<Transform>,
    /// Signatures that want the bytes as they are after this step.
    pub(super) rules: RuleSet,
    /// Those, and those of the steps behind it.
    pub(super) reached: RuleSet,
    /// What a text must have for the transformation to change it.
    pub(super) concerns: Option<Marks>,
}

/// Every signature, ready to run.
#[derive(Debug)]
pub(super) struct Library {
    pub(super) signatures: Box<[Signature]>,
    /// By the signature's place.
    pub(super) tests: Box<[Test]>,
    pub(super) steps: Vec<Step>,
    /// The literals of all patterns, whatever their case.
    pub(super) automaton: AhoCorasick,
    /// By the automaton's literal: the signatures that may match where it is.
    pub(super) by_literal: Box<[RuleSet]>,
    /// Signatures that no literal announces.
    pub(super) unannounced: RuleSet,
    /// What bytes signatures and transformations cannot do without.
    pub(super) alphabet: Alphabet,
    /// What a text must have for any transformation but base64 to change it.
    pub(super) disguises: Marks,
    /// Signatures that look at what base64 stands for.
    pub(super) encoded: RuleSet,
    /// By [`Place`].
    by_place: [RuleSet; Place::ALL.len()],
    /// By header field, in lower case: those that look at it and at all header fields.
    by_header: HashMap<Box<str>, RuleSet>,
    by_id: HashMap<Box<str>, usize>,
    /// Signatures that can match only with the body.
    pub(super) reads_body: RuleSet,
}

static SHARED: LazyLock<Result<Library, Unknown>> =
    LazyLock::new(|| Library::read(FILES).map_err(|problem| Unknown::Data(problem.into())));

/// The library of this process.
pub(super) fn shared() -> Result<&'static Library, Unknown> {
    SHARED.as_ref().map_err(Clone::clone)
}

impl Library {
    fn read(files: &[(&str, &str)]) -> Result<Self, String> {
        let mut signatures = Vec::new();
        for (name, text) in files {
            let File { category, rules } = toml::from_str(text).map_err(|error| format!("{name}: {error}"))?;
            signatures.extend(rules.into_iter().map(|rule| Signature { category, ..rule }));
        }
        if signatures.len() > CAPACITY {
            return Err(format!("{} rules, and there is room for {CAPACITY}", signatures.len()));
        }
        Self::prepare(signatures)
    }

    fn prepare(signatures: Vec<Signature>) -> Result<Self, String> {
        let mut tests = Vec::with_capacity(signatures.len());
        let mut by_id = HashMap::new();
        let mut literals: HashMap<Vec<u8>, RuleSet> = HashMap::new();
        let mut unannounced = RuleSet::EMPTY;
        let mut alphabet = Alphabet::new();
        let (rules, reached) = (RuleSet::EMPTY, RuleSet::EMPTY);
        let mut steps = vec![Step { before: 0, transform: None, rules, reached, concerns: None }];
        // before any pattern's: there is room for so many sets of bytes, and these must have it
        for signature in &signatures {
            walk(&mut steps, &signature.transforms, &mut alphabet);
        }
        for (place, signature) in signatures.iter().enumerate() {
            let wrong = |problem: String| format!("{}: {problem}", signature.id);
            if by_id.insert(signature.id.clone(), place).is_some() {
                return Err(wrong("there are two of that name".to_owned()));
            }
            let (test, required) = test(signature).map_err(wrong)?;
            tests.push(test);
            alphabet.gate(place, required.bytes);
            match required.literals {
                Some(needed) => {
                    for literal in needed {
                        literals.entry(literal).or_insert(RuleSet::EMPTY).insert(place);
                    }
                }
                None => unannounced.insert(place),
            }
            let last = walk(&mut steps, &signature.transforms, &mut alphabet);
            if let Some(step) = steps.get_mut(last) {
                step.rules.insert(place);
            }
        }
        reach(&mut steps);
        let disguises = steps.iter().filter_map(|step| step.concerns).fold(Marks::default(), Marks::or);
        let encoded = steps.iter().filter(|step| step.transform == Some(Transform::Base64));
        let encoded = encoded.fold(RuleSet::EMPTY, |all, step| all.or(&step.reached));
        let (patterns, by_literal): (Vec<_>, Vec<_>) = literals.into_iter().unzip();
        let automaton = AhoCorasick::builder()
            .ascii_case_insensitive(true)
            .match_kind(MatchKind::Standard)
            .kind(Some(AhoCorasickKind::DFA))
            .build(patterns)
            .map_err(|error| error.to_string())?;
        let (by_place, by_header) = by_target(&signatures);
        let reads_body =
            [Place::Query, Place::Argument, Place::ArgumentName, Place::FileName, Place::FileContent, Place::Body]
                .into_iter()
                .filter_map(|place| by_place.get(place as usize))
                .fold(RuleSet::EMPTY, |all, set| all.or(set));
        Ok(Self {
            signatures: signatures.into(),
            tests: tests.into(),
            steps,
            automaton,
            by_literal: by_literal.into(),
            unannounced,
            alphabet,
            disguises,
            encoded,
            by_place,
            by_header,
            by_id,
            reads_body,
        })
    }

    /// The place of a signature.
    pub(super) fn place(&self, id: &str) -> Option<usize> {
        self.by_id.get(id).copied()
    }

    /// The signatures that look at a place, or at a header field of this name.
    pub(super) fn looking_at(&self, place: Place, name: &[u8]) -> RuleSet {
        let of_place = || self.by_place.get(place as usize).copied().unwrap_or(RuleSet::EMPTY);
        if place != Place::Header {
            return of_place();
        }
        let mut lower = [0; 64];
        let named = lower.get_mut(..name.len()).and_then(|lower| {
            lower.copy_from_slice(name);
            lower.make_ascii_lowercase();
            self.by_header.get(std::str::from_utf8(lower).ok()?)
        });
        named.copied().unwrap_or_else(of_place)
    }
}

/// What every text that a signature matches has.
#[derive(Debug, Default)]
struct Required {
    /// One of these bytes.
    bytes: Option<Bytes>,
    /// One of these literals, whatever its case.
    literals: Option<Vec<Vec<u8>>>,
}

/// What the signature looks for, of which there must be exactly one.
fn test(signature: &Signature) -> Result<(Test, Required), String> {
    match (&signature.pattern, &signature.unlike, signature.detector, signature.signal) {
        (Some(text), None, None, None) => {
            let hir = literals::parsed(text)?;
            let required = Required { bytes: alphabet::required(&hir), literals: literals::required(&hir) };
            Ok((Test::Pattern(pattern(text)?), required))
        }
        (None, Some(text), None, None) => Ok((Test::Unlike(pattern(text)?), Required::default())),
        (None, None, Some(detector), None) => {
            Ok((Test::Detector(detector), Required { bytes: Some(detector.alphabet()), literals: None }))
        }
        (None, None, None, Some(signal)) => Ok((Test::Signal(signal), Required::default())),
        _ => Err("a rule has one of `pattern`, `unlike`, `detector` and `signal`".to_owned()),
    }
}

fn pattern(text: &str) -> Result<Regex, String> {
    RegexBuilder::new(text)
        .unicode(false)
        .case_insensitive(true)
        .size_limit(PATTERN_LIMIT_BYTES)
        .build()
        .map_err(|error| error.to_string())
}

/// The step that a row of transformations leads to, new ones made on the way.
fn walk(steps: &mut Vec<Step>, transforms: &[Transform], alphabet: &mut Alphabet) -> usize {
    let mut at = 0;
    for transform in transforms {
        let next = steps.iter().position(|step| step.before == at && step.transform == Some(*transform));
        at = next.unwrap_or_else(|| {
            let (rules, reached) = (RuleSet::EMPTY, RuleSet::EMPTY);
            let concerns = transform.concerns().and_then(|bytes| alphabet.mark(bytes));
            steps.push(Step { before: at, transform: Some(*transform), rules, reached, concerns });
            steps.len() - 1
        });
    }
    at
}

/// Fills in which signatures stand on or behind each step. A step stands behind the one before it in the list too.
fn reach(steps: &mut [Step]) {
    let mut pending: Vec<_> = steps.iter().map(|step| step.rules).collect();
    for at in (0..steps.len()).rev() {
        let Some((step, reached)) = steps.get_mut(at).zip(pending.get(at).copied()) else { continue };
        step.reached = reached;
        if let Some(before) = pending.get_mut(step.before) {
            *before = before.or(&reached);
        }
    }
}

fn by_target(signatures: &[Signature]) -> ([RuleSet; Place::ALL.len()], HashMap<Box<str>, RuleSet>) {
    let mut by_place = [RuleSet::EMPTY; Place::ALL.len()];
    let mut by_header: HashMap<Box<str>, RuleSet> = HashMap::new();
    for (at, target) in
        signatures.iter().enumerate().flat_map(|(at, rule)| rule.targets.iter().map(move |target| (at, target)))
    {
        match target {
            Target::Place(place) => {
                if let Some(set) = by_place.get_mut(*place as usize) {
                    set.insert(at);
                }
            }
            Target::Header(name) => by_header.entry(name.clone()).or_insert(RuleSet::EMPTY).insert(at),
        }
    }
    let of_all = by_place.get(Place::Header as usize).copied().unwrap_or(RuleSet::EMPTY);
    for set in by_header.values_mut() {
        *set = set.or(&of_all);
    }
    (by_place, by_header)
}
