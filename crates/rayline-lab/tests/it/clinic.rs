//! `rayline diagnose` and sites that are broken for real: every culprit is found, and nobody else is blamed.

use rayline_lab::clinic;

/// A test per group, so that they share the machine's cores.
macro_rules! groups {
    ($($group:ident)*) => {
        $(
            #[test]
            fn $group() {
                if let Err(wrong) = clinic::visit(stringify!($group)) {
                    panic!("{wrong}");
                }
            }
        )*

        #[test]
        fn every_group_has_a_test() {
            let tested = [$(stringify!($group)),*];
            let groups: Vec<&str> = clinic::GROUPS.iter().map(|(name, _)| *name).collect();
            assert_eq!(groups, tested);
        }
    };
}

groups! {
    connections certificates answers proxies nginx php databases postgres caches applications apache collected rules machine networks healthy
}

#[test]
fn every_case_has_a_name_of_its_own_and_a_view() {
    let cases: Vec<_> = clinic::GROUPS.iter().flat_map(|(_, cases)| cases.iter()).collect();
    assert!(cases.len() >= 60, "{}", cases.len());
    for (place, case) in cases.iter().enumerate() {
        assert!(!case.views.is_empty(), "{}", case.name);
        assert!(cases.iter().skip(place + 1).all(|other| other.name != case.name), "{}", case.name);
    }
}
