//! A managed rule as it is written down, and as it is known outside.
//!
//! What it takes to run one (automata, decoders) is the library's.

use serde::Deserialize;

use super::Place;
use super::detector::{Detector, Signal};
use super::transform::Transform;

/// A managed rule. Its identifier never comes to mean something else; a rule that goes leaves a gap.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Signature {
    /// `rl.sqli.001`: what overrides, exceptions and logs name it by.
    pub id: Box<str>,
    /// What it finds, in a few words.
    pub name: Box<str>,
    /// Its category; written once per file.
    #[serde(skip)]
    pub category: Category,
    /// From what paranoia level on it runs: 1 finds attacks, 4 everything unusual.
    pub paranoia: u8,
    /// How much a match says.
    pub severity: Severity,
    /// Where it looks.
    pub(super) targets: Vec<Target>,
    /// What is done to the bytes first, in order.
    #[serde(default)]
    pub(super) transforms: Vec<Transform>,
    /// What it looks for. One of four: texts that have this in them,
    pub(super) pattern: Option<Box<str>>,
    /// texts that have not,
    pub(super) unlike: Option<Box<str>>,
    /// what takes more than a pattern to find,
    pub(super) detector: Option<Detector>,
    /// or something about how the request is put together.
    pub(super) signal: Option<Signal>,
    /// Requests that it matches.
    pub positive: Vec<Example>,
    /// Requests that are near to those, and that it does not match.
    pub negative: Vec<Example>,
}

impl Signature {
    /// The first place that it looks at, which is where an [`Example::Value`] is put, with the header field's name.
    pub fn first_target(&self) -> (Place, Option<&str>) {
        match self.targets.first() {
            Some(Target::Place(place)) => (*place, None),
            Some(Target::Header(name)) => (Place::Header, Some(name)),
            None => (Place::Request, None),
        }
    }
}

/// A file of `managed/`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct File {
    pub(super) category: Category,
    #[serde(rename = "rule")]
    pub(super) rules: Vec<Signature>,
}

/// A request that shows what a rule does.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(untagged)]
pub enum Example {
    /// Bytes in the first place that the rule looks at.
    Value(Box<str>),
    /// A request, as far as it matters.
    Request {
        /// `GET` if not said.
        method: Option<Box<str>>,
        /// `/` if not said.
        uri: Option<Box<str>>,
        /// `Name: value`, each, in place of the one that a request has anyway; `Name: -` takes that away, and `+Name: value`
        /// comes on top.
        #[serde(default)]
        headers: Vec<Box<str>>,
        /// The body,
        body: Option<Box<str>>,
        /// so many times over.
        #[serde(default = "once")]
        repeat: usize,
    },
}

const fn once() -> usize {
    1
}

/// Where a rule looks: a place by its name, or `header:name`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub(super) enum Target {
    Place(Place),
    /// In lower case.
    Header(Box<str>),
}

impl TryFrom<String> for Target {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        if let Some(name) = text.strip_prefix("header:") {
            return Ok(Self::Header(name.to_ascii_lowercase().into()));
        }
        let place = Place::ALL.into_iter().find(|place| place.name() == text);
        place.map(Self::Place).ok_or_else(|| format!("there is no part `{text}` of a request"))
    }
}

/// How much a match says, as the Core Rule Set counts it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// 2: unusual.
    Notice,
    /// 3: suspicious.
    Warning,
    /// 4: mostly an attack.
    Error,
    /// 5: an attack.
    Critical,
}

impl Severity {
    /// What a match adds to the score.
    pub const fn score(self) -> u32 {
        match self {
            Self::Notice => 2,
            Self::Warning => 3,
            Self::Error => 4,
            Self::Critical => 5,
        }
    }

    /// Its name in the rules' data and in logs.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Notice => "notice",
            Self::Warning => "warning",
            Self::Error => "error",
            Self::Critical => "critical",
        }
    }
}

macro_rules! categories {
    ($($(#[doc = $doc:literal])* $variant:ident = $name:literal,)*) => {
        /// The class of attack that a managed rule is about.
        #[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize)]
        pub enum Category {
            $($(#[doc = $doc])* #[serde(rename = $name)] $variant,)*
            /// Ways of asking that no proper client has: bad encodings, smuggled header fields, malformed bodies.
            #[default]
            #[serde(rename = "protocol")]
            Protocol,
        }

        impl Category {
            /// Every category.
            pub const ALL: &[Self] = &[$(Self::$variant,)* Self::Protocol];

            /// Its name in configurations, identifiers of rules and logs.
            pub const fn name(self) -> &'static str {
                match self { $(Self::$variant => $name,)* Self::Protocol => "protocol" }
            }

            /// The category of a name.
            pub fn named(name: &str) -> Option<Self> {
                Self::ALL.iter().copied().find(|category| category.name() == name)
            }
        }
    };
}

categories! {
    /// SQL injection.
    Sqli = "sqli",
    /// Cross-site scripting.
    Xss = "xss",
    /// Path traversal, and files of the system.
    Lfi = "lfi",
    /// Files of other servers to be included.
    Rfi = "rfi",
    /// Addresses that only the server can reach.
    Ssrf = "ssrf",
    /// Commands of a shell.
    Rce = "rce",
    /// Expressions of template engines.
    Ssti = "ssti",
    /// PHP code and its wrappers.
    Php = "php",
    /// Java classes, serialised objects, expression languages, lookups as of Log4j.
    Java = "java",
    /// JavaScript of a server, and poisoned prototypes.
    Node = "node",
    /// LDAP filters.
    Ldap = "ldap",
    /// Operators of document databases.
    Nosql = "nosql",
    /// External entities and their like in XML.
    Xxe = "xxe",
    /// Sessions chosen by someone else.
    Session = "session",
    /// Tools that look for holes.
    Scanner = "scanner",
    /// Files that should not have been published.
    Leak = "leak",
    /// Shapes of known exploits of products.
    Exploit = "exploit",
}
