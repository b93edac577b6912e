//! Whose answer it is: a library of pages, each with what is to be read from it, and bytes that are no page at all.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};

use flate2::Compression;
use flate2::write::GzEncoder;
use proptest::prelude::*;
use rayline_diagnose::author::{Recognition, Role, recognise};
use rayline_diagnose::fetch::{Answer, BodyEnd};
use rayline_verdict::surface::{Format, Notice, page_headers, render};
use rayline_verdict::{Certainty, Colo, Evidence, Moment, Party, RayId, Sent, TABLE, Verdict};

fn library() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/pages")
}

/// A page as it came: head and body, with line feeds alone.
fn page(bytes: &[u8]) -> Answer {
    let head_end = bytes.windows(2).position(|pair| pair == b"\n\n").map_or(bytes.len(), |at| at + 2);
    let (head, body) = bytes.split_at(head_end);
    let head = std::str::from_utf8(head).unwrap();
    let mut lines = head.lines();
    let status = lines.next().unwrap().split(' ').nth(1).unwrap().parse().unwrap();
    let fields = lines.filter_map(|line| line.split_once(": ")).map(|(name, value)| (name, value.as_bytes()));
    answer(status, fields, body)
}

fn answer<'a>(status: u16, fields: impl IntoIterator<Item = (&'a str, &'a [u8])>, body: &[u8]) -> Answer {
    Answer {
        status,
        fields: fields.into_iter().map(|(name, value)| (name.to_ascii_lowercase(), value.to_vec())).collect(),
        body: body.to_vec(),
        body_bytes: body.len() as u64,
        end: BodyEnd::Whole,
    }
}

/// A line of `expected.txt`.
struct Row {
    path: String,
    author: String,
    number: String,
    code: String,
    cause: String,
    id: String,
}

fn expected() -> Vec<Row> {
    let text = fs::read_to_string(library().join("expected.txt")).unwrap();
    let rows = text.lines().filter(|line| !line.starts_with('#')).map(|line| {
        let cells: Vec<&str> = line.split('|').map(str::trim).collect();
        let [path, author, number, code, cause, id] = cells.try_into().unwrap();
        let [path, author, number, code, cause, id] = [path, author, number, code, cause, id].map(str::to_owned);
        Row { path, author, number, code, cause, id }
    });
    rows.collect()
}

/// What was read, in the words of `expected.txt`.
fn read(seen: &Recognition) -> [String; 5] {
    let none = || "-".to_owned();
    let told = seen.told.as_ref();
    [
        seen.author.as_ref().map_or_else(none, |author| author.name.to_owned()),
        told.and_then(|told| told.number).map_or_else(none, |number| number.to_string()),
        told.and_then(|told| told.codes.first()).map_or_else(none, |code| code.name().to_owned()),
        told.and_then(|told| told.cause).map_or_else(none, |cause| cause.name().to_owned()),
        seen.request_id.clone().unwrap_or_else(none),
    ]
}

#[test]
fn every_page_of_the_library_is_read_as_it_should_be() {
    let mut wrong = Vec::new();
    let mut confusion: BTreeMap<(String, String), usize> = BTreeMap::new();
    let rows = expected();
    for row in &rows {
        let bytes = fs::read(library().join(format!("{}.http", row.path))).unwrap();
        let seen = recognise(&page(&bytes));
        let [author, number, code, cause, id] = read(&seen);
        *confusion.entry((row.author.clone(), author.clone())).or_default() += 1;
        let wanted = [&row.author, &row.number, &row.code, &row.cause, &row.id];
        let got = [&author, &number, &code, &cause, &id];
        if wanted != got {
            wrong.push(format!("{}: expected {wanted:?}, got {got:?}\n    {seen:?}", row.path));
        }
    }
    eprintln!("{:<26}{:<26}pages", "written by", "read as");
    for ((wanted, got), count) in &confusion {
        eprintln!("{wanted:<26}{got:<26}{count}{}", if wanted == got { "" } else { "  <- confused" });
    }
    assert!(wrong.is_empty(), "{} of {} pages:\n{}", wrong.len(), rows.len(), wrong.join("\n"));
}

#[test]
fn every_page_has_its_line_and_every_line_its_page() {
    let mut pages = BTreeMap::new();
    for folder in fs::read_dir(library()).unwrap().map(|entry| entry.unwrap().path()).filter(|path| path.is_dir()) {
        for file in fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().path()) {
            let name = file.with_extension("");
            pages.insert(name.strip_prefix(library()).unwrap().to_str().unwrap().to_owned(), false);
        }
    }
    for row in expected() {
        match pages.entry(row.path) {
            Entry::Occupied(mut page) => assert!(!page.insert(true), "{} is expected twice", page.key()),
            Entry::Vacant(page) => panic!("{} is expected, and not there", page.key()),
        }
    }
    assert!(pages.values().all(|expected| *expected), "pages without a line: {pages:?}");
    assert!(pages.len() >= 90);
}

#[test]
fn an_edge_that_only_passed_an_answer_on_is_named_but_not_as_its_author() {
    let bytes = fs::read(library().join("near/cloudflare-passed-nginx-502.http")).unwrap();
    let seen = recognise(&page(&bytes));
    assert_eq!(seen.passed.first().map(|mark| (mark.name, mark.role)), Some(("Cloudflare", Role::Edge)));
    let author = seen.author.unwrap();
    assert_eq!((author.name, author.role), ("nginx", Role::Server));
    assert_eq!(author.rule, "name below its error page");
    assert_eq!(author.seen, "<center>nginx/1.22.1</center>");
}

#[test]
fn a_numbers_codes_are_those_of_the_vocabulary() {
    let codes = |number: u16| {
        let body = format!("error code: {number}\n");
        let told = recognise(&answer(530, [("server", &b"cloudflare"[..])], body.as_bytes())).told.unwrap();
        told.codes.iter().map(|code| code.name()).collect::<Vec<_>>()
    };
    for entry in &TABLE {
        // which rule it was that refused, a number does not tell
        if entry.party != Party::Policy
            && let Sent::Page(number @ 520..=1099) = entry.sent
        {
            assert!(codes(number).contains(&entry.name), "{number} is {}", entry.name);
        }
    }
    assert_eq!(codes(522), ["network.connect.timed_out", "network.send.unacknowledged"]);
    assert_eq!(codes(1101), ["owner.worker.failed"]);
    assert_eq!(codes(1043), [""; 0]);
}

#[test]
fn raylines_own_pages_tell_the_code_in_every_form() {
    let formats = [Format::Html, Format::Json, Format::ProblemJson, Format::Markdown, Format::Text];
    for entry in &TABLE {
        let Sent::Page(number) = entry.sent else { continue };
        let verdict = Verdict {
            code: entry.code,
            number,
            certainty: Certainty::Proven,
            rivals: Vec::new(),
            reached: entry.reached,
            evidence: Evidence::default(),
            attempts: Vec::new(),
        };
        let notice = Notice {
            verdict: &verdict,
            ray: RayId(0x230b_0300_23ae_2822),
            colo: Colo::new("FRA").unwrap(),
            host: "shop.example",
            at: Moment(1_795_237_169_000_000_000),
            client_ip: [203, 0, 113, 7].into(),
            country: None,
            brand: "Acme",
            preview: false,
        };
        for format in formats {
            let mut body = Vec::new();
            render(&notice, format, &mut body);
            let mut fields = vec![("cf-ray", b"230b030023ae2822-FRA".to_vec())];
            page_headers(&notice, format, |name, value| fields.push((name, value.to_vec())));
            let whole = answer(verdict.page_status().unwrap(), fields.iter().map(|(n, v)| (*n, &v[..])), &body);
            let stripped = answer(whole.status, [], &body);
            for answer in [whole, stripped] {
                let seen = recognise(&answer);
                assert_eq!(seen.author.map(|author| author.name), Some("Rayline"), "{} as {format:?}", entry.name);
                let told = seen.told.unwrap();
                assert_eq!((told.number, told.codes), (Some(number), vec![entry.code]), "{format:?}");
            }
        }
    }
}

#[test]
fn a_page_is_read_though_it_is_compressed() {
    let mut gzip = GzEncoder::new(Vec::new(), Compression::default());
    gzip.write_all(b"<html><hr><center>nginx</center></html>").unwrap();
    let body = gzip.finish().unwrap();
    assert_eq!(recognise(&answer(502, [], &body)).author.unwrap().name, "nginx");
    // What only looks like it, and what is cut.
    assert!(recognise(&answer(502, [], b"\x1f\x8b\x08\0\0\0\0\0\0\x03 nothing of the kind")).author.is_none());
    assert!(recognise(&answer(502, [], &body[..12])).author.is_none());
}

#[test]
fn of_a_long_body_only_the_beginning_is_looked_at() {
    let mut body = vec![b' '; 5 << 20];
    body.extend_from_slice(b"<hr><center>nginx</center>");
    assert!(recognise(&answer(502, [], &body)).author.is_none());
    body[..26].copy_from_slice(b"<hr><center>nginx</center>");
    assert_eq!(recognise(&answer(502, [], &body)).author.unwrap().name, "nginx");
}

#[test]
fn nothing_of_a_cookie_but_its_name_is_shown() {
    let seen = recognise(&answer(500, [("set-cookie", &b"laravel_session=s3cr3t; path=/"[..])], b"oh no"));
    assert_eq!(seen.author.as_ref().map(|author| author.name), Some("Laravel"));
    assert!(!format!("{seen:?}").contains("s3cr3t"));
}

proptest! {
    #[test]
    fn no_bytes_are_too_strange(
        status in 100u16..1000,
        names in prop::collection::vec("[a-z-]{1,12}|server|via|cf-ray|proxy-status|cf-error-type|set-cookie", 0..6),
        value in prop::collection::vec(any::<u8>(), 0..60),
        body in prop::collection::vec(any::<u8>(), 0..3000),
        pieces in prop::collection::vec(0usize..7, 0..200),
    ) {
        const PIECES: [&str; 7] =
            ["<title", ">", "</title", "<center>nginx", "error code: ", "\u{feff}é", "proxy-status: rayline; details=\""];
        let mut body = body;
        body.extend(pieces.iter().flat_map(|piece| PIECES[*piece].bytes()));
        let fields = names.iter().map(|name| (name.as_str(), value.as_slice()));
        let seen = recognise(&answer(status, fields, &body));
        let texts = seen.passed.iter().chain(&seen.author).map(|mark| mark.seen.clone());
        for text in texts.chain(seen.request_id).chain(seen.told.map(|told| told.words)) {
            prop_assert!(text.chars().count() <= 160 && !text.chars().any(char::is_control), "{text:?}");
        }
    }
}
