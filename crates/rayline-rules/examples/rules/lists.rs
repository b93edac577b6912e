//! Look-ups in long lists, each time of another address or host, so that the caches of the processor help as little as
//! they do in life.

use std::net::IpAddr;

use ipnet::{IpNet, Ipv4Net};
use prefix_trie::PrefixSet;
use rayline_rules::{List, ListItems, Lists, Memory, ProgramBuilder, Stage};

use crate::random::Random;
use crate::{nanoseconds, sys, zone};

/// Requests that take turns.
const REQUESTS: usize = 4_096;
/// Addresses in a list.
const ADDRESSES: usize = 100_000;
/// Host names in a list.
const HOSTS: usize = 10_000;

/// What a list is, nanoseconds of a look-up, and bytes of the program.
pub(crate) fn measure(memory: &mut Memory) -> Vec<(String, f64, i64)> {
    let mut random = Random(7);
    let addresses: Vec<u32> = (0..ADDRESSES).map(|_| random.next()).collect();
    let networks: Vec<Ipv4Net> = addresses.iter().map(|it| Ipv4Net::new((*it).into(), 32).unwrap()).collect();
    let asked: Vec<zone::Request> = (0..REQUESTS)
        .map(|place| {
            // one in two is in the list
            let address = if place % 2 == 0 { addresses[place] } else { random.next() };
            zone::Request { address: IpAddr::V4(address.into()), ..zone::Request::default() }
        })
        .collect();
    let hosts: Vec<Box<str>> = (0..HOSTS).map(host).collect();
    let named: Vec<zone::Request> = (0..REQUESTS)
        .map(|place| zone::Request {
            host: format!("www{}", host(place * 5).trim_start_matches('*')),
            ..Default::default()
        })
        .collect();
    let items = ListItems::Ip(networks.iter().map(|it| IpNet::V4(*it)).collect());
    let mut all = vec![
        list(&format!("{ADDRESSES} addresses, `ip.src in $list`"), "ip.src in $list", items, &asked, memory),
        list(
            &format!("{HOSTS} host names, half of them `*.…`, `http.host in $list`"),
            "http.host in $list",
            ListItems::Hostname(hosts),
            &named,
            memory,
        ),
    ];
    all.push(trie(&networks, &asked));
    all
}

fn host(number: usize) -> Box<str> {
    let star = if number.is_multiple_of(2) { "*." } else { "" };
    format!("{star}customer-{number}.example.net").into()
}

fn list(
    name: &str,
    condition: &str,
    items: ListItems,
    requests: &[zone::Request],
    memory: &mut Memory,
) -> (String, f64, i64) {
    let mut lists = Lists::default();
    lists.insert(List { name: "list".into(), items });
    let held = sys::held();
    let mut builder = ProgramBuilder::new(&lists);
    let condition = builder.condition(condition, Stage::Request).unwrap();
    let program = builder.build();
    let size = sys::held() - held;
    let mut turn = 0;
    let took = nanoseconds(|| {
        turn = (turn + 1) % requests.len();
        program.begin(&requests[turn], memory).is_true(condition)
    });
    (name.to_owned(), took, size)
}

/// The same addresses in a trie, without the rest of a request.
fn trie(networks: &[Ipv4Net], requests: &[zone::Request]) -> (String, f64, i64) {
    let held = sys::held();
    let trie: PrefixSet<Ipv4Net> = networks.iter().copied().collect();
    let size = sys::held() - held;
    let mut turn = 0;
    let took = nanoseconds(|| {
        turn = (turn + 1) % requests.len();
        match requests[turn].address {
            IpAddr::V4(address) => trie.get_lpm(&Ipv4Net::from(address)).is_some(),
            IpAddr::V6(_) => false,
        }
    });
    (
        format!("{ADDRESSES} addresses in the trie of the `prefix-trie` crate, for comparison, the look-up alone"),
        took,
        size,
    )
}
