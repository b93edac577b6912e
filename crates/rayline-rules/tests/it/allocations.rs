//! How often a request that matches nothing asks for memory, over a thousand rules of every kind: never.

use rayline_rules::{Lists, Memory};

#[path = "../../examples/rules/sys.rs"]
mod sys;
#[path = "../../examples/rules/zone.rs"]
mod zone;

/// Requests until the memory of a worker, and the caches of regular expressions, have grown.
const WARM_UP: usize = 10;
/// Requests that count.
const COUNTED: usize = 100;

#[test]
fn a_request_that_matches_nothing_asks_for_no_memory() {
    let lists = Lists::default();
    let (mut memory, request) = (Memory::default(), zone::Request::default());
    for (name, kind) in zone::KINDS {
        let (program, sequence) = zone::zone(*kind, 1_000, &lists).unwrap();
        let mut found = false;
        for _ in 0..WARM_UP {
            found |= zone::run(&program, sequence, &request, &mut memory);
        }
        let before = sys::asked();
        for _ in 0..COUNTED {
            found |= zone::run(&program, sequence, &request, &mut memory);
        }
        let asked = sys::asked() - before;
        println!("allocations of {COUNTED} requests against 1000 rules, {name}: {asked}");
        assert!(!found, "{name} matched");
        assert_eq!(asked, 0, "{name}");
    }
    assert!(sys::held() > 0);
}
