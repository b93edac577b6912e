//! Managed rules: signatures of attacks that come along with the program, and the score that a request comes to.
//!
//! What they look for is data (`managed/*.toml`), read once per process. [`Managed`] is one zone's choice among them. It
//! looks at the request as the visitor sent it, before any rewrite, and decides nothing but what it was told to decide:
//! what is done about an [`Outcome`], and what of the bytes in it may be shown, is the caller's. Answers are not looked at.

mod alphabet;
mod body;
mod detector;
mod inspection;
mod library;
mod literals;
mod signature;
mod transform;

use std::fmt;
use std::sync::Arc;

use smallvec::SmallVec;

pub use self::body::Body;
pub use self::inspection::Scratch;
pub use self::signature::{Category, Example, Severity, Signature};

use self::detector::Signal;
use self::inspection::Inspection;
use self::library::{Library, RuleSet};
use crate::facts::{Fact, Facts};
use crate::ruleset::{Execute, ManagedAction, ManagedTarget, Sensitivity};
use crate::scheme::Field;

/// The managed ruleset that this version brings along, as `execute` names it.
pub const RULESET: &str = "rayline-managed";

/// Bytes of a body that are looked at. What stands behind them is not, and the rules are told that it was cut.
pub const BODY_LIMIT_BYTES: usize = 128 * 1024;

/// Matches that are written down of one request; the score counts them all.
pub const MATCHES: usize = 32;

/// A zone's managed rules: which of them run, and what each does.
#[derive(Debug, Clone)]
pub struct Managed {
    library: &'static Library,
    /// By the signature's place: what a match does. `None`: it does not run.
    actions: Box<[Option<ManagedAction>]>,
    /// Those that run.
    enabled: RuleSet,
    threshold: u32,
    at_threshold: Action,
}

/// What is to be done about a request, from the weakest to the strongest.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Action {
    /// Nothing matched.
    Pass,
    /// Something matched. The threshold was not reached, or only a log is kept.
    LogOnly,
    /// The visitor has to pass a challenge.
    Challenge,
    /// The request ends here.
    Block,
}

/// What the managed rules say of one request.
#[derive(Debug, Clone)]
pub struct Outcome {
    /// The sum of the severities of the rules that matched, each once. Higher is worse.
    pub score: u32,
    /// From what score on the request is acted upon. It may be reached and the action still be [`Action::LogOnly`].
    pub threshold: u32,
    /// What is to be done.
    pub action: Action,
    /// What matched, in the order it was found: at most [`MATCHES`].
    pub matches: SmallVec<[Match; 2]>,
    /// Bytes that were read to come to this, each as often as a transformation, a detector or a pattern read it: the work that
    /// the request made, whatever the machine.
    pub examined: u64,
}

/// A managed rule that matched, with its evidence.
#[derive(Debug, Clone)]
pub struct Match {
    /// The rule.
    pub rule: &'static Signature,
    /// What a match of it does in this zone.
    pub action: ManagedAction,
    /// In what part of the request.
    pub place: Place,
    /// Which of them: the name of the argument, header field or cookie, cut at 64 bytes; empty where there is none.
    pub name: Box<[u8]>,
    /// What matched with a few bytes around it, as it was after decoding: at most 96 bytes. It may hold a secret.
    pub bytes: Box<[u8]>,
}

/// A part of a request that rules look at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum Place {
    /// The value of an argument: of the query, a form, a JSON or XML body, or a part of a multipart body.
    Argument,
    /// The name of one.
    ArgumentName,
    /// The path, as it came.
    Path,
    /// The query, or a form in the body, as it came.
    Query,
    /// The value of a header field other than `Cookie`.
    Header,
    /// The value of a cookie.
    Cookie,
    /// The name of a cookie.
    CookieName,
    /// The name of an uploaded file.
    FileName,
    /// The beginning of an uploaded file.
    FileContent,
    /// A body that has no arguments, or is not what it says it is: as text.
    Body,
    /// The method.
    Method,
    /// The request as a whole: how it is put together.
    Request,
}

impl Place {
    /// Every place.
    pub const ALL: [Self; 12] = [
        Self::Argument,
        Self::ArgumentName,
        Self::Path,
        Self::Query,
        Self::Header,
        Self::Cookie,
        Self::CookieName,
        Self::FileName,
        Self::FileContent,
        Self::Body,
        Self::Method,
        Self::Request,
    ];

    /// Its name in the rules' data and in logs.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Argument => "argument",
            Self::ArgumentName => "argument_name",
            Self::Path => "path",
            Self::Query => "query",
            Self::Header => "header",
            Self::Cookie => "cookie",
            Self::CookieName => "cookie_name",
            Self::FileName => "file_name",
            Self::FileContent => "file_content",
            Self::Body => "body",
            Self::Method => "method",
            Self::Request => "request",
        }
    }
}

impl Managed {
    /// The managed rules as `execute` wants them.
    ///
    /// # Errors
    /// The first name in it that this version does not know, or a paranoia level that does not exist.
    pub fn compile(execute: &Execute) -> Result<Self, Unknown> {
        let library = library::shared()?;
        if *execute.id != *RULESET {
            return Err(Unknown::Ruleset(execute.id.clone()));
        }
        if !(1..=4).contains(&execute.paranoia_level) {
            return Err(Unknown::ParanoiaLevel(execute.paranoia_level));
        }
        for change in &execute.overrides {
            known(library, &change.target)?;
        }
        let actions: Box<[_]> = library.signatures.iter().map(|signature| chosen_action(signature, execute)).collect();
        let mut enabled = RuleSet::EMPTY;
        for (place, _) in actions.iter().enumerate().filter(|(_, action)| action.is_some()) {
            enabled.insert(place);
        }
        Ok(Self {
            library,
            actions,
            enabled,
            threshold: execute.anomaly_threshold.unwrap_or_else(|| threshold(execute.sensitivity)).max(1),
            at_threshold: match execute.action {
                Some(ManagedAction::Log) => Action::LogOnly,
                Some(ManagedAction::Challenge) => Action::Challenge,
                None | Some(ManagedAction::Score | ManagedAction::Block) => Action::Block,
            },
        })
    }

    /// Up to how many bytes of the body it wants to see; `None` if no rule that runs looks at bodies.
    pub fn needs_body(&self) -> Option<usize> {
        self.library.reads_body.intersects(&self.enabled).then_some(BODY_LIMIT_BYTES)
    }

    /// Holds a request against the rules, without those named in `skipped`. `body` is its first
    /// [`BODY_LIMIT_BYTES`] or fewer, where they were read. The time taken is linear in what is looked at.
    pub fn inspect(
        &self,
        facts: &dyn Facts,
        body: Option<Body<'_>>,
        skipped: &[Arc<str>],
        scratch: &mut Scratch,
    ) -> Outcome {
        let mut pending = self.enabled;
        for place in skipped.iter().filter_map(|id| self.library.place(id)) {
            pending.remove(place);
        }
        let mut inspection = Inspection::new(self, pending, scratch);
        inspection.head(facts);
        if let Some(body) = body {
            if matches!(facts.fact(Field::Method), Fact::Bytes(b"GET" | b"HEAD")) {
                inspection.signal(Signal::BodyOfGet);
            }
            body::read(&body, &mut inspection);
        }
        inspection.end()
    }
}

fn chosen_action(signature: &Signature, execute: &Execute) -> Option<ManagedAction> {
    let mut action = ManagedAction::Score;
    let mut enabled = execute.enabled.unwrap_or(true) && signature.paranoia <= execute.paranoia_level;
    for change in &execute.overrides {
        let is_meant = match &change.target {
            ManagedTarget::Rule(id) => **id == *signature.id,
            ManagedTarget::Category(name) => **name == *signature.category.name(),
        };
        if is_meant {
            action = change.action.unwrap_or(action);
            enabled = change.enabled.unwrap_or(enabled);
        }
    }
    enabled.then_some(action)
}

const fn threshold(sensitivity: Sensitivity) -> u32 {
    match sensitivity {
        Sensitivity::High => 5,
        Sensitivity::Medium => 10,
        Sensitivity::Low => 25,
    }
}

fn known(library: &Library, target: &ManagedTarget) -> Result<(), Unknown> {
    match target {
        ManagedTarget::Rule(id) if library.place(id).is_none() => Err(Unknown::Rule(id.clone())),
        ManagedTarget::Category(name) if Category::named(name).is_none() => Err(Unknown::Category(name.clone())),
        ManagedTarget::Rule(_) | ManagedTarget::Category(_) => Ok(()),
    }
}

/// Every managed rule, by category and number.
///
/// # Errors
/// [`Unknown::Data`] if the rules that this program brings along cannot be read, which its tests rule out.
pub fn signatures() -> Result<&'static [Signature], Unknown> {
    Ok(&library::shared()?.signatures)
}

/// The version of the rules' data: the date of their last change, as `managed/CHANGELOG.md` has it.
pub fn version() -> &'static str {
    include_str!("../managed/VERSION").trim_ascii()
}

/// What `execute` names and this version does not have.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Unknown {
    /// A managed ruleset.
    Ruleset(Box<str>),
    /// A managed rule.
    Rule(Box<str>),
    /// A category of managed rules.
    Category(Box<str>),
    /// A paranoia level other than 1 to 4.
    ParanoiaLevel(u8),
    /// The rules' own data is wrong: what and where.
    Data(Box<str>),
}

impl fmt::Display for Unknown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Ruleset(id) => write!(f, "there is no managed ruleset `{id}`; this version has `{RULESET}`"),
            Self::Rule(id) => write!(f, "there is no managed rule `{id}`"),
            Self::Category(name) => write!(f, "there is no category `{name}` of managed rules"),
            Self::ParanoiaLevel(level) => write!(f, "there is no paranoia level {level}; they go from 1 to 4"),
            Self::Data(problem) => write!(f, "the managed rules cannot be read: {problem}"),
        }
    }
}

impl std::error::Error for Unknown {}
