//! What it costs to take requests in: `ingest count N` counts N requests and keeps nothing (to be run under `valgrind
//! --tool=callgrind` with two numbers: the difference is the cost of a request), `ingest rows N FOLDER` has N failures and
//! N successes written by a store's threads, and says how fast that was and how many bytes each takes.

#![expect(clippy::print_stdout, reason = "a program for people")]

use std::error::Error;
use std::net::{Ipv4Addr, SocketAddr};
use std::num::NonZeroU32;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use bytes::Bytes;
use rayline_store::{Options, Store};
use rayline_verdict::record::{CacheStatus, OriginFacts};
use rayline_verdict::{Cause, Colo, Evidence, Fact, Fault, Moment, RayId, Record, attribute, fault, log_line};

/// 2026-11-21 12:00:00 UTC.
const NOON: i64 = 1_795_262_400_000_000_000;

type Outcome<T> = Result<T, Box<dyn Error>>;

fn main() -> Outcome<()> {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    match words[..] {
        ["count", number] => count(number.parse()?),
        ["rows", number, folder] => {
            for (name, failed) in [("failure", true), ("success", false)] {
                rows(name, failed, number.parse()?, &Path::new(folder).join(name))?;
            }
            Ok(())
        }
        _ => Err("say `count N` or `rows N FOLDER`".into()),
    }
}

fn open(folder: PathBuf) -> Outcome<Store> {
    let age = Duration::from_secs(365 * 24 * 60 * 60);
    let (requests_age, counts_age) = (age, age);
    let max_bytes = 1 << 40;
    Ok(Store::open(Options { folder, requests_age, counts_age, max_bytes, mask_addresses: true, mask_queries: true })?)
}

fn count(number: u64) -> Outcome<()> {
    let folder = std::env::temp_dir().join(format!("rayline-ingest-{}", std::process::id()));
    let store = open(folder.clone())?;
    let mut intake = store.intake().ok_or("it is read only")?;
    let mut take = intake.take();
    let records: Vec<Record> = (0..64).map(|nth| record(nth, false)).collect();
    let began = Instant::now();
    let kept =
        records.iter().cycle().take(number as usize).filter_map(|record| intake.count(record, &mut take)).count();
    let took = began.elapsed();
    println!("{number} requests counted, {:.1} ns each; {kept} would be kept", took.as_nanos() as f64 / number as f64);
    store.stop();
    Ok(std::fs::remove_dir_all(folder)?)
}

fn rows(name: &str, failed: bool, number: u64, folder: &Path) -> Outcome<()> {
    let store = open(folder.to_owned())?;
    let intake = store.intake().ok_or("it is read only")?;
    let mut take = intake.take();
    let (mut line, mut line_bytes, mut waited) = (Vec::new(), 0, Duration::ZERO);
    for nth in 0..number {
        let record = record(nth, failed);
        line.clear();
        log_line::write(&record, &mut line);
        line_bytes += line.len();
        take.keep(&record, NonZeroU32::MIN, &line);
        if nth % 2000 == 1999 || nth + 1 == number {
            take.hand_over();
            let began = Instant::now();
            store.sync();
            waited += began.elapsed();
        }
    }
    let health = store.health();
    println!("{name}: {} rows taken in, {} lost", health.rows, health.lost_successes + health.lost_failures);
    println!("  {:.0} rows per second of the store's thread", number as f64 / waited.as_secs_f64());
    println!("  {:.0} bytes of its line", line_bytes as f64 / number as f64);
    println!("  {:.0} bytes with the journal", health.bytes as f64 / number as f64);
    store.seal();
    store.sync();
    let journals = || -> Outcome<usize> {
        let names = std::fs::read_dir(folder)?.flatten().map(|file| file.file_name());
        Ok(names.filter(|name| name.to_string_lossy().starts_with("journal-")).count())
    };
    while journals()? > 1 {
        std::thread::yield_now();
    }
    println!("  {:.0} bytes in files", store.health().bytes as f64 / number as f64);
    store.stop();
    Ok(())
}

/// One of some hundreds of pages of a shop, asked for by some thousands of visitors.
fn record(nth: u64, failed: bool) -> Record {
    // spread, and the same in every run
    let bits = nth.wrapping_mul(0x9e37_79b9_7f4a_7c15).rotate_left(17);
    let start = Moment(NOON + nth as i64 * 1_000_000);
    let took = 5_000 + (bits >> 20) % 60_000;
    let verdict = failed.then(|| {
        let mut evidence = Evidence::default();
        evidence.add(Fact::OriginAddress(SocketAddr::from((Ipv4Addr::new(10, 0, 0, (bits % 4) as u8), 8080))));
        evidence.add(Fact::Errno { number: 111, name: "ECONNREFUSED" });
        evidence.add(Fact::Elapsed(took / 1000));
        Box::new(attribute(
            Fault { cause: Cause::Connect(fault::ConnectCause::Refused), evidence: Box::new(evidence) },
            Vec::new(),
        ))
    });
    Record {
        ray: RayId(((start.0 / 1_000_000) as u64) << 22 | (nth & 0xffff)),
        colo: Colo::default(),
        start,
        end: Moment(start.0 + took as i64 * 1000),
        plan_version: 7,
        zone: "shop.example".into(),
        client: SocketAddr::from((Ipv4Addr::LOCALHOST, 50_000)),
        client_ip: Ipv4Addr::from_bits((bits >> 40) as u32 & 0xffff | 0xcb00_0000).into(),
        country: None,
        host: Bytes::from_static(if bits & 1 == 0 { b"www.shop.example" } else { b"api.shop.example" }),
        method: Bytes::from_static(if bits & 14 == 0 { b"POST" } else { b"GET" }),
        uri: Bytes::from(format!("/category/{}/item?id={}&from=mail", bits % 40, (bits >> 8) % 700)),
        user_agent: Bytes::from_static(b"Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"),
        protocol: "HTTP/2",
        scheme: "https",
        client_ssl_protocol: "TLSv1.3",
        edge_status: if failed { 521 } else { 200 },
        edge_bytes: 1000 + bits % 20_000,
        edge_body_bytes: 800 + bits % 20_000,
        client_body_bytes: 0,
        first_byte_us: took - 1000,
        grpc_status: None,
        trace: None,
        cache: CacheStatus::Dynamic,
        origin: Some(OriginFacts {
            address: Some(SocketAddr::from((Ipv4Addr::new(10, 0, 0, (bits % 4) as u8), 8080))),
            status: if failed { 0 } else { 200 },
            reused: true,
            protocol: "HTTP/1.1",
            ssl_protocol: "none",
            dns_us: 0,
            tcp_us: 0,
            tls_us: 0,
            send_us: 60,
            header_us: took - 2000,
            response_us: took - 1500,
        }),
        rules: None,
        verdict,
    }
}
