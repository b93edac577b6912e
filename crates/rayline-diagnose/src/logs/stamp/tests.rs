use super::*;

fn at(seconds: u64) -> SystemTime {
    UNIX_EPOCH + Duration::from_secs(seconds)
}

/// 2026-11-21 10:00:00 UTC.
const TEN: u64 = 1_795_255_200;

#[test]
fn every_shape_is_read() {
    for (text, seconds, rest) in [
        ("2026-11-21T10:00:00Z rest", TEN, " rest"),
        ("2026-11-21 11:00:00,000 +0100|", TEN, "|"),
        ("2026/11/21 10:00:00 [error]", TEN, " [error]"),
        ("21/Nov/2026:10:00:00 +0000] x", TEN, "] x"),
        ("21/Nov/2026:15:30:00 +05:30", TEN, ""),
        ("21-Nov-2026 10:00:00 UTC] PHP", TEN, "] PHP"),
        ("21-Nov-2026 11:00:00 CET x", TEN, " x"),
        ("21 Nov 2026 10:00:00.000 # x", TEN, " # x"),
        ("Sat Nov 21 10:00:00.000000 2026] [x", TEN, "] [x"),
        ("Sat Nov 21 10:00:00 2026 - ***", TEN, " - ***"),
        ("Nov 21, 2026 10:00:00 AM org", TEN, " org"),
        ("Nov 21 10:00:00 host x: y", TEN, " host x: y"),
        ("261121 10:00:00 [ERROR]", TEN, " [ERROR]"),
        ("261121  9:59:59 [ERROR]", TEN - 1, " [ERROR]"),
        ("2026-11-21 10:00:00 - name", TEN, " - name"),
        ("2026-11-21T10:00:00: started", TEN, ": started"),
        ("2026-11-21 05:00:00-05:00 x", TEN, " x"),
    ] {
        let (stamp, left) = leading(text).unwrap_or_else(|| panic!("{text}"));
        assert_eq!((stamp.resolve(&Zone::UTC, at(TEN)), left), (at(seconds), rest), "{text}");
    }
}

#[test]
fn what_is_no_time_is_none() {
    for text in [
        "",
        "2",
        "2026",
        "2026-13-01 10:00:00",
        "2026-02-30 10:00:00",
        "2026-11-21 25:00:00",
        "Nov",
        "Nov 21",
        "192.0.2.1 - -",
        "Sat",
        "Sat Nov",
        "9:9:9",
        "21/Nov/2026",
        "é",
        "Nové",
        "2026-11-2é",
    ] {
        assert!(leading(text).is_none(), "{text}");
    }
}

#[test]
fn a_missing_year_is_the_nearest() {
    let (stamp, _) = leading("Dec 31 23:59:59 host").unwrap();
    // A second past New Year 2027.
    assert_eq!(stamp.resolve(&Zone::UTC, at(1_798_761_601)), at(1_798_761_599));
}

#[test]
fn a_missing_zone_is_the_one_given() {
    let (stamp, _) = leading("2026-11-21 12:00:00").unwrap();
    assert!(!stamp.has_zone());
    assert_eq!(stamp.resolve(&Zone::Fixed(7200), at(TEN)), at(TEN));
    let berlin = tz::TimeZone::from_posix_tz("CET-1CEST,M3.5.0,M10.5.0/3").unwrap();
    let (summer, _) = leading("2026-07-01 12:00:00").unwrap();
    assert_eq!(summer.resolve(&Zone::Machine(Box::new(berlin)), at(TEN)), at(1_782_900_000));
}

#[test]
fn numbers_count_in_four_units() {
    for number in [1_795_255_200.0, 1_795_255_200_000.0, 1_795_255_200_000_000.0] {
        assert_eq!(Stamp::of_number(number).unwrap().resolve(&Zone::UTC, at(0)), at(TEN));
    }
    for number in [0.0, -1.0, f64::NAN, f64::INFINITY, 200.0] {
        assert_eq!(Stamp::of_number(number), None);
    }
}

proptest::proptest! {
    #[test]
    fn no_text_panics(text in "[A-Za-z0-9/: .,+é-]{0,40}") {
        let _ = leading(&text);
    }

    #[test]
    fn what_is_written_is_read(seconds in 946_684_800_i64..4_000_000_000) {
        let moment = time::OffsetDateTime::from_unix_timestamp(seconds).unwrap();
        let text = moment.format(&time::format_description::well_known::Rfc3339).unwrap();
        let (stamp, rest) = leading(&text).unwrap();
        proptest::prop_assert_eq!(rest, "");
        proptest::prop_assert_eq!(stamp.resolve(&Zone::UTC, at(0)), at(seconds.unsigned_abs()));
    }
}
