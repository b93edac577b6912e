//! Culprits that are known, among parts that are not.

use std::convert::Infallible;

use proptest::prelude::*;

use super::*;

/// Searches among `count` parts in groups of ten; `fails` is asked which are on. The tries are counted.
async fn found(count: usize, fails: impl Fn(&dyn Fn(usize) -> bool) -> Tried) -> (Found, usize) {
    let groups: Vec<usize> = (0..count).map(|part| part / 10).collect();
    let mut tries = 0;
    let found = search(&groups, Bounds::default(), async |off: &[usize]| {
        tries += 1;
        Ok::<_, Infallible>(fails(&|part| !off.contains(&part)))
    })
    .await;
    let Ok(found) = found;
    (found, tries)
}

fn if_any(fails: bool) -> Tried {
    if fails { Tried::Fails } else { Tried::Works }
}

fn culprit(parts: &[usize], without: Tried) -> Culprit {
    Culprit { parts: parts.to_vec(), without }
}

#[tokio::test]
async fn one_culprit_among_two_hundred() {
    for guilty in [0, 77, 199] {
        let (found, tries) = found(200, |on| if_any(on(guilty))).await;
        assert_eq!(found, Found::Culprits(vec![culprit(&[guilty], Tried::Works)]));
        assert!(tries <= 30, "{tries} tries");
    }
}

#[tokio::test]
async fn two_that_each_cause_it() {
    let (found, tries) = found(200, |on| if_any(on(12) || on(150))).await;
    let expected = [culprit(&[12], Tried::Fails), culprit(&[150], Tried::Works)];
    assert_eq!(found, Found::Culprits(expected.to_vec()));
    assert!(tries <= 60, "{tries} tries");
}

#[tokio::test]
async fn two_that_must_meet() {
    let (found, tries) = found(200, |on| if_any(on(3) && on(177))).await;
    assert_eq!(found, Found::Culprits(vec![culprit(&[3, 177], Tried::Works)]));
    assert!(tries <= 150, "{tries} tries");
}

#[tokio::test]
async fn a_failure_that_another_hides() {
    // without part 5 something else breaks: that says nothing of the failure that is looked for
    let (found, _) = found(40, |on| match (on(5), on(30)) {
        (true, true) => Tried::Fails,
        (false, true) => Tried::Otherwise,
        (_, false) => Tried::Works,
    })
    .await;
    assert_eq!(found, Found::Culprits(vec![culprit(&[5, 30], Tried::Works)]));
}

#[tokio::test]
async fn no_part_is_guilty() {
    assert_eq!(found(20, |_| Tried::Fails).await, (Found::Without(Tried::Fails), 2));
    assert_eq!(found(20, |_| Tried::Works).await, (Found::NoFailure(Tried::Works), 1));
    assert_eq!(found(0, |_| Tried::Fails).await.0, Found::Without(Tried::Fails));
}

#[tokio::test]
async fn tries_are_bounded() {
    let bounds = Bounds { tries: 5, ..Bounds::default() };
    let mut tries = 0;
    let attempt = async |off: &[usize]| {
        tries += 1;
        Ok::<_, Infallible>(if_any(!off.contains(&33)))
    };
    assert_eq!(search(&[0; 64], bounds, attempt).await, Ok(Found::Unfinished(Vec::new())));
    assert_eq!(tries, 5);
}

proptest! {
    #[test]
    fn every_culprit_is_found_and_no_other(
        count in 1_usize..120,
        sets in prop::collection::vec(prop::collection::btree_set(0_usize..120, 1..4), 1..4),
    ) {
        let mut sets: Vec<Vec<usize>> =
            sets.iter().map(|set| set.iter().map(|part| part % count).collect()).collect();
        for set in &mut sets {
            set.sort_unstable();
            set.dedup();
        }
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let (found, _) = runtime.block_on(found(count, |on| {
            if_any(sets.iter().any(|set| set.iter().all(|part| on(*part))))
        }));
        let Found::Culprits(culprits) = found else { panic!("{found:?}") };
        let mut off = Vec::new();
        for culprit in &culprits {
            prop_assert!(sets.contains(&culprit.parts), "{culprits:?}");
            off.extend(&culprit.parts);
        }
        prop_assert!(sets.iter().all(|set| set.iter().any(|part| off.contains(part))), "{culprits:?}");
        prop_assert_eq!(culprits.last().unwrap().without, Tried::Works);
    }
}
