use std::collections::HashMap;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, channel};

use rayline_verdict::Moment;

use super::*;
use crate::dimension::Dimension;
use crate::samples::{NOON, fine, refused, take_in};

/// An intake whose other end is here.
fn intake() -> (Intake, Take, Receiver<Order>) {
    let (orders, end) = channel();
    let intake = Intake::new(Door { orders, flow: Arc::new(Flow::default()) });
    let take = intake.take();
    (intake, take, end)
}

/// Hits by the value of a dimension.
fn hits(orders: &Receiver<Order>, dimension: Dimension) -> HashMap<String, u64> {
    let mut hits = HashMap::new();
    for order in orders.try_iter() {
        let Order::Counts(cells) = order else { continue };
        let mut reader = wire::Reader::new(&cells);
        while let Some(cell) = reader.cell() {
            let mut texts = wire::Reader::new(cell.key);
            let mut rolled = Dimension::ALL.into_iter().filter(|dimension| dimension.is_rolled_up());
            let text = rolled.find_map(|each| Some(texts.text().unwrap()).filter(|_| each == dimension)).unwrap();
            *hits.entry(text.to_owned()).or_default() += cell.hits;
        }
    }
    hits
}

#[test]
fn estimates_are_near_the_truth_and_failures_exact() {
    const SECOND: i64 = 1_000_000_000;
    let mut beyond_two = 0;
    let seeds = 300;
    for seed in 0..seeds {
        let (mut intake, mut take, _orders) = intake();
        // from a few requests per second to thousands, rising and falling
        let peak = 20 << (seed % 9);
        let (mut truth, mut estimate, mut variance) = (0_u64, 0_u64, 0_u64);
        for second in 0..12 {
            let rate = peak * (7 - (second - 6_i64).abs()) / 7;
            for nth in 0..rate {
                let start = (i64::from(seed) * 1000 + second) * SECOND + nth * SECOND / rate;
                let sequence = nth as u64;
                if nth % 17 == 3 {
                    assert_eq!(take_in(&refused(start, sequence), &mut intake, &mut take), Some(NonZeroU32::MIN));
                    continue;
                }
                truth += 1;
                if let Some(weight) = take_in(&fine(start, sequence), &mut intake, &mut take) {
                    let weight = u64::from(weight.get());
                    estimate += weight;
                    variance += weight * (weight - 1);
                }
            }
        }
        let error = (variance as f64).sqrt();
        let off = (estimate as f64 - truth as f64).abs();
        assert!(off <= 4.0 * error, "seed {seed}: {estimate} instead of {truth}, with a standard error of {error}");
        beyond_two += u32::from(off > 2.0 * error);
    }
    // of a normal distribution it is one in 22
    assert!(beyond_two < seeds / 10, "{beyond_two} of {seeds} are off by more than two standard errors");
}

#[test]
fn every_request_is_counted_by_what_it_was() {
    let (mut intake, mut take, orders) = intake();
    for nth in 0..5_000 {
        intake.count(&fine(0, nth), &mut take);
    }
    for nth in 0..30 {
        intake.count(&refused(61_000_000_000, nth), &mut take);
    }
    take.hand_over();
    let Ok(Order::Counts(cells)) = orders.try_recv() else { panic!("no counts") };
    let mut reader = wire::Reader::new(&cells);
    let mut seen = Vec::new();
    while let Some(cell) = reader.cell() {
        let mut texts = wire::Reader::new(cell.key);
        let key: Vec<&str> = std::iter::from_fn(|| texts.text()).collect();
        seen.push((cell.minute, cell.hits, cell.sums, key.join(" ")));
    }
    seen.sort();
    let minute = u64::try_from(NOON / 60_000_000_000).unwrap();
    let of = |hits: u64| [1200, 30, 24_500, 25_000, 0, 2_000, 0, 100, 20_000, 22_500].map(|number: u64| number * hits);
    assert_eq!(seen, [
        (
            minute,
            5_000,
            of(5_000),
            "shop.example www.shop.example GET 200 200   DEV 127.0.0.1:8081 dynamic  7  ".to_owned()
        ),
        (
            minute + 1,
            30,
            of(30),
            "shop.example www.shop.example GET 521 200 origin.connect.refused origin DEV 127.0.0.1:8081 dynamic  7  "
                .to_owned()
        ),
    ]);
}

#[test]
fn a_flood_of_host_names_stays_within_bounds_and_loses_no_count() {
    let (mut intake, mut take, orders) = intake();
    for nth in 0..50_000 {
        let mut record = if nth % 2 == 0 { fine(0, nth) } else { refused(0, nth) };
        record.host = format!("{nth}.example").into();
        record.edge_status = 200 + (nth % 399) as u16;
        record.method = format!("M{}", nth % 1000).into();
        intake.count(&record, &mut take);
    }
    assert!(take.cells.len() < 6000, "{} cells", take.cells.len());
    take.hand_over();
    let codes = hits(&orders, Dimension::Code);
    assert_eq!(codes, HashMap::from([(String::new(), 25_000), ("origin.connect.refused".to_owned(), 25_000)]));
    // what was counted before and comes again has its place; what is new finds some
    for nth in [0, 100_000] {
        intake.count(&Record { host: format!("{nth}.example").into(), ..fine(0, nth) }, &mut take);
    }
    take.hand_over();
    assert_eq!(hits(&orders, Dimension::Host).len(), 2);
    assert!(take.cells.len() <= 2);
}

#[test]
fn hosts_are_counted_by_name() {
    for (sent, name) in [
        ("example.com", "example.com"),
        ("EXAMPLE.com:443", "example.com"),
        ("[2001:DB8::1]:443", "[2001:db8::1]"),
        ("", ""),
        (":80", ""),
        (&"x".repeat(300), &"x".repeat(255)),
    ] {
        let (mut intake, mut take, orders) = intake();
        let record = Record { host: sent.to_owned().into(), ..fine(0, 1) };
        let weight = take_in(&record, &mut intake, &mut take);
        take.hand_over();
        let Ok(Order::Rows(rows, _)) = orders.try_recv() else { panic!("no rows") };
        assert_eq!(hits(&orders, Dimension::Host), HashMap::from([(name.to_owned(), 1)]));
        let row = wire::Reader::new(&rows).row().unwrap();
        let values = row::Values::parse(row.line).unwrap();
        assert_eq!(values.texts[Dimension::Host.index()], name);
        assert_eq!((Some(row.weight), row.at), (weight, record.start.0));
    }
}

#[test]
fn counts_wait_where_there_is_no_room_and_lines_are_lost() {
    let (mut intake, mut take, orders) = intake();
    let line = vec![b' '; 1024 * 1024];
    let mut kept = 0;
    for nth in 0..30 {
        let record = refused(0, nth);
        let weight = intake.count(&record, &mut take).unwrap();
        take.keep(&record, weight, &[&line[..], b"x"].concat());
        take.hand_over();
    }
    let sent: Vec<Order> = orders.try_iter().collect();
    for order in &sent {
        let Order::Rows(_, rows) = order else { continue };
        kept += rows.failures;
    }
    let lost = intake.door.flow.lost();
    assert_eq!((kept + lost.failures, lost.successes), (30, 0));
    assert!(kept >= 10 && lost.failures >= 10, "{kept} kept, {lost:?} lost");
}

#[test]
fn a_take_holds_so_many_lines_and_no_more() {
    let (intake, mut take, _orders) = intake();
    let line = vec![b'x'; KEPT_BYTES / 10];
    for nth in 0..20 {
        take.keep(&fine(0, nth), NonZeroU32::MIN, &line);
    }
    assert_eq!(take.rows.successes + intake.door.flow.lost().successes, 20);
    assert!(take.kept.len() <= KEPT_BYTES + 1024);
}

#[test]
fn times_before_1970_and_the_end_of_time_are_counted() {
    let (mut intake, mut take, orders) = intake();
    for at in [i64::MIN, -1, 0, i64::MAX] {
        let record = Record { start: Moment(at), end: Moment(at), ..fine(0, 1) };
        take_in(&record, &mut intake, &mut take);
    }
    take.hand_over();
    assert_eq!(hits(&orders, Dimension::Method), HashMap::from([("GET".to_owned(), 4)]));
}
