//! The same rules held against the same request by wirefilter, the engine of Cloudflare's rules, in the version of it that
//! is published as a crate. It looks at one rule after the other.
//!
//! Its values are set before anything is measured; ours asks for them as it goes.

use std::net::IpAddr;

use rayline_rules::facts::{Fact, Facts};
use rayline_rules::{Field, List, ListItems, Lists, Memory, ProgramBuilder, Stage};
use wirefilter::{ExecutionContext, Filter, Scheme};

use crate::random::Random;
use crate::zone::{self, KINDS, Kind, Request};
use crate::{RULES, elapsed, nanoseconds};

/// Kinds of rules that it can be told as we are, by their places: it has no functions, no wildcards and no maps.
const SHARED: [usize; 6] = [0, 1, 3, 7, 8, 9];
/// Addresses in a set, and hosts.
const ITEMS: [usize; 2] = [100_000, 10_000];

/// Nanoseconds of a request: ours and wirefilter's.
pub(crate) type Both = [f64; 2];

pub(crate) struct Beside {
    /// By kind, for each number of rules.
    pub(crate) kinds: Vec<(&'static str, [Both; RULES.len()])>,
    /// What is looked up, nanoseconds of a look-up.
    pub(crate) sets: Vec<(String, Both)>,
    /// Milliseconds of compiling 10,000 rules of the first kind.
    pub(crate) compiling: Both,
}

/// Measures both in turn.
pub(crate) fn measure(memory: &mut Memory) -> Beside {
    let scheme = scheme();
    let request = Request::default();
    let context = context(&scheme, &request);
    let none = Lists::default();
    let kinds = SHARED.map(|place| {
        let (name, kind) = KINDS[place];
        let both = RULES.map(|rules| {
            let (program, sequence) = zone::zone(kind, rules, &none).unwrap();
            let filters: Vec<Filter<'_>> = (0..rules).map(|n| compile(&scheme, &kind(n))).collect();
            [
                nanoseconds(|| zone::run(&program, sequence, &request, memory)),
                nanoseconds(|| filters.iter().any(|filter| filter.execute(&context).unwrap())),
            ]
        });
        (name, both)
    });
    Beside { kinds: kinds.to_vec(), sets: sets(&scheme, memory), compiling: compiling(&scheme, &KINDS[0]) }
}

fn scheme() -> Scheme {
    wirefilter::Scheme! {
        http.host: Bytes,
        http.user_agent: Bytes,
        http.request.method: Bytes,
        http.request.uri.path: Bytes,
        ip.src: Ip,
        ip.src.country: Bytes,
    }
}

fn context<'a>(scheme: &'a Scheme, request: &'a Request) -> ExecutionContext<'a> {
    let mut context = ExecutionContext::new(scheme);
    for (name, field) in [
        ("http.host", Field::HttpHost),
        ("http.user_agent", Field::HttpUserAgent),
        ("http.request.method", Field::Method),
        ("http.request.uri.path", Field::UriPath),
        ("ip.src.country", Field::IpSrcCountry),
    ] {
        let Fact::Bytes(bytes) = request.fact(field) else { continue };
        context.set_field_value(name, std::str::from_utf8(bytes).unwrap()).unwrap();
    }
    context.set_field_value("ip.src", request.address).unwrap();
    context
}

/// Its texts have no raw form, and its regular expressions keep their backslashes.
fn compile<'s>(scheme: &'s Scheme, text: &str) -> Filter<'s> {
    let text = text.replace("r\"", "\"");
    scheme.parse(&text).unwrap().compile()
}

/// One rule with a set: a list for us, braces for it. No two look-ups in a row are of the same; none finds anything.
fn sets(scheme: &Scheme, memory: &mut Memory) -> Vec<(String, Both)> {
    let [addresses, hosts] = ITEMS;
    let mut random = Random(7);
    let mut some = |count: usize| -> Vec<IpAddr> {
        std::iter::repeat_with(|| IpAddr::V4(random.next().into())).take(count).collect()
    };
    let (listed, asked) = (some(addresses), some(4_096));
    let asked: Vec<Request> = asked.into_iter().map(|address| Request { address, ..Request::default() }).collect();
    let braces = listed.iter().map(|address| format!("{address} ")).collect::<String>();
    let items = ListItems::Ip(listed.into_iter().map(Into::into).collect());
    let of_addresses = set(scheme, "ip.src", items, &braces, &asked, memory);
    let listed: Vec<Box<str>> = (0..hosts).map(|place| format!("customer-{place}.example.net").into()).collect();
    let named = |place: usize| Request { host: format!("shop-{place}.example.net"), ..Request::default() };
    let asked: Vec<Request> = (0..4_096).map(named).collect();
    let braces = listed.iter().map(|host| format!("\"{host}\" ")).collect::<String>();
    let of_hosts = set(scheme, "http.host", ListItems::Hostname(listed), &braces, &asked, memory);
    vec![
        (format!("`ip.src` in {addresses} addresses"), of_addresses),
        (format!("`http.host` in {hosts} hosts"), of_hosts),
    ]
}

fn set(
    scheme: &Scheme,
    field: &str,
    items: ListItems,
    braces: &str,
    requests: &[Request],
    memory: &mut Memory,
) -> Both {
    let mut lists = Lists::default();
    lists.insert(List { name: "list".into(), items });
    let mut builder = ProgramBuilder::new(&lists);
    let condition = builder.condition(&format!("{field} in $list"), Stage::Request).unwrap();
    let program = builder.build();
    let filter = compile(scheme, &format!("{field} in {{{braces}}}"));
    let contexts: Vec<_> = requests.iter().map(|request| context(scheme, request)).collect();
    let mut turn = 0;
    let ours = nanoseconds(|| {
        turn = (turn + 1) % requests.len();
        program.begin(&requests[turn], memory).is_true(condition)
    });
    let theirs = nanoseconds(|| {
        turn = (turn + 1) % contexts.len();
        filter.execute(&contexts[turn]).unwrap()
    });
    [ours, theirs]
}

/// From texts, once.
fn compiling(scheme: &Scheme, (_, kind): &Kind) -> Both {
    let texts: Vec<String> = (0..10_000).map(kind).collect();
    let none = Lists::default();
    let (_, ours) = elapsed(|| {
        let mut builder = ProgramBuilder::new(&none);
        let conditions: Vec<_> = texts.iter().map(|text| builder.condition(text, Stage::Request).unwrap()).collect();
        builder.sequence(&conditions);
        builder.build()
    });
    let (_, theirs) = elapsed(|| texts.iter().map(|text| compile(scheme, text)).collect::<Vec<_>>());
    [ours, theirs].map(|took| took.as_secs_f64() * 1e3)
}
