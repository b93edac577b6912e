//! Rules as people write them, none of which holds for the request, and the request.

use std::net::IpAddr;

use rayline_rules::facts::{Each, Fact, Facts};
use rayline_rules::{ExprProblem, Field, Lists, Memory, Program, ProgramBuilder, Sequence, Stage};

/// A kind of rule: its name, and an expression for each number.
pub(crate) type Kind = (&'static str, fn(usize) -> String);

/// Kinds of which a zone may have a thousand.
pub(crate) const KINDS: &[Kind] = &[
    ("`http.host eq \"…\"`", |n| format!("http.host eq \"shop-{n}.example.net\"")),
    ("`http.request.uri.path in {… … …}`", |n| {
        format!("http.request.uri.path in {{\"/old/{n}\" \"/older/{n}\" \"/oldest/{n}\"}}")
    }),
    ("`starts_with(path, \"…\")`", |n| format!("starts_with(http.request.uri.path, \"/private/{n}/\")")),
    ("`http.user_agent contains \"…\"`", |n| format!("http.user_agent contains \"BadBot/{n}\"")),
    ("`lower(http.user_agent) contains \"…\"`", |n| format!("lower(http.user_agent) contains \"badbot/{n}\"")),
    ("`any(http.request.headers[\"x-api-key\"][*] eq \"…\")`", |n| {
        format!("any(http.request.headers[\"x-api-key\"][*] eq \"key-{n}\")")
    }),
    ("`http.request.full_uri wildcard \"…\"`", |n| {
        format!("http.request.full_uri wildcard \"https://old-{n}.example.com/*\"")
    }),
    ("`http.request.uri.path matches \"…\"`", |n| {
        format!("http.request.uri.path matches r\"^/item{n}/[0-9]+\\.php$\"")
    }),
    ("`ip.src in {…/24 …}`", |n| {
        format!("ip.src in {{10.{}.{}.0/24 2001:db8:{n:x}::/48}}", n / 256 % 256, n % 256)
    }),
    ("method, path and country", |n| {
        format!(
            "http.request.method eq \"POST\" and http.request.uri.path contains \"/admin{n}\" and not ip.src.country in {{\"DE\" \"FR\"}}"
        )
    }),
    ("all of these in turn", mixed),
    ("`http.request.uri.path matches \"…\"` without a literal in it", |n| {
        format!("http.request.uri.path matches \"^/[a-f]{{{}}}[x-z]{{{}}}$\"", n % 40 + 1, n / 40 + 1)
    }),
];

/// One of the ten kinds.
pub(crate) fn mixed(n: usize) -> String {
    KINDS.get(n % 10).map_or_else(String::new, |(_, kind)| kind(n))
}

/// A zone with so many rules of a kind in one ruleset.
pub(crate) fn zone(kind: fn(usize) -> String, rules: usize, lists: &Lists) -> Result<(Program, Sequence), ExprProblem> {
    let mut builder = ProgramBuilder::new(lists);
    let conditions: Result<Vec<_>, _> = (0..rules).map(|n| builder.condition(&kind(n), Stage::Request)).collect();
    let sequence = builder.sequence(&conditions?);
    Ok((builder.build(), sequence))
}

/// Holds a request against all rules, and says whether one holds.
pub(crate) fn run(program: &Program, sequence: Sequence, request: &Request, memory: &mut Memory) -> bool {
    program.begin(request, memory).next_true(sequence, 0).is_some()
}

/// A browser's request for a page of a shop.
pub(crate) struct Request {
    pub(crate) host: String,
    pub(crate) address: IpAddr,
    /// Whether it says that it stays as it is from phase to phase.
    pub(crate) steady: bool,
}

impl Default for Request {
    fn default() -> Self {
        Self { host: "www.shop.example".to_owned(), address: IpAddr::from([192, 0, 2, 44]), steady: true }
    }
}

const HEADERS: &[(&str, &str)] = &[
    ("Host", "www.shop.example"),
    ("User-Agent", USER_AGENT),
    ("Accept", "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"),
    ("Accept-Language", "de,en-US;q=0.7,en;q=0.3"),
    ("Accept-Encoding", "gzip, deflate, br, zstd"),
    ("Referer", "https://www.shop.example/catalogue/shoes"),
    ("Cookie", "session=3c1b8e4f9d2a; basket=17; consent=yes"),
    ("X-Api-Key", "an-unknown-key"),
    ("Upgrade-Insecure-Requests", "1"),
    ("Sec-Fetch-Dest", "document"),
    ("Sec-Fetch-Mode", "navigate"),
    ("Priority", "u=0, i"),
];
const USER_AGENT: &str = "Mozilla/5.0 (X11; Linux x86_64; rv:133.0) Gecko/20100101 Firefox/133.0";

impl Facts for Request {
    fn fact(&self, field: Field) -> Fact<'_> {
        match field {
            Field::HttpHost => Fact::Bytes(self.host.as_bytes()),
            Field::IpSrc => Fact::Ip(self.address),
            Field::HttpUserAgent => Fact::Bytes(USER_AGENT.as_bytes()),
            Field::Method => Fact::Bytes(b"GET"),
            Field::UriPath => Fact::Bytes(b"/catalogue/shoes/item-4711/reviews.html"),
            Field::UriQuery => Fact::Bytes(b"page=2&sort=newest&stars=5"),
            Field::FullUri => Fact::Bytes(
                b"https://www.shop.example/catalogue/shoes/item-4711/reviews.html?page=2&sort=newest&stars=5",
            ),
            Field::IpSrcCountry => Fact::Bytes(b"NL"),
            Field::Ssl => Fact::Bool(true),
            _ => Fact::Nothing,
        }
    }

    fn entries(&self, field: Field, each: &mut Each<'_>) {
        if field == Field::Headers {
            let _ = HEADERS.iter().try_for_each(|(name, value)| each(name.as_bytes(), value.as_bytes()));
        }
    }

    fn revision(&self) -> Option<u64> {
        self.steady.then_some(0)
    }
}
