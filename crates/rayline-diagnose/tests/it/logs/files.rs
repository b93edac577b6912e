//! Long files, packed and rotated ones, and what is no log at all.

use std::fs::{self, File};
use std::io::{BufWriter, Write};
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use proptest::prelude::{ProptestConfig, prop_assert_eq};
use rayline_diagnose::logs::{Reading, Wanted, Window, read};
use rayline_diagnose::probe::Unwatched;

use super::{TEN, at, of, request};

/// An error of nginx at so many seconds past ten, which names a trouble.
fn error(seconds: u64) -> String {
    let moment = time_of(seconds);
    format!(
        "2026/11/21 {moment} [error] 7#7: *{seconds} connect() failed (111: Connection refused) while connecting to \
         upstream, client: 192.0.2.1, server: s, request: \"GET /{seconds} HTTP/1.1\", upstream: \
         \"http://127.0.0.1:3000/\", host: \"y\"\n"
    )
}

fn time_of(seconds: u64) -> String {
    let all = 10 * 3600 + seconds;
    format!("{:02}:{:02}:{:02}", all / 3600, all / 60 % 60, all % 60)
}

fn write(path: &Path, text: &[u8], modified: SystemTime) {
    fs::write(path, text).unwrap();
    File::options().append(true).open(path).unwrap().set_modified(modified).unwrap();
}

fn count(reading: &Reading) -> u64 {
    reading.named.iter().map(|named| named.count).sum()
}

fn trouble(reading: &Reading, path: &Path) -> String {
    let file = reading.files.iter().find(|file| file.path == path).unwrap();
    file.trouble.clone().unwrap_or_default()
}

#[test]
fn little_is_read_of_a_long_file() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("error.log");
    let mut file = BufWriter::new(File::create(&path).unwrap());
    let mut written = 0;
    // Fifteen lines a second, for almost five hours.
    for line in 0..260_000_u64 {
        let text = error(line / 15);
        written += text.len();
        file.write_all(text.as_bytes()).unwrap();
    }
    file.flush().unwrap();
    assert!(written > 50 << 20);
    let wanted = Wanted {
        paths: vec![path],
        requests: vec![request(TEN + 15_000, "/15000", 502)],
        window: Some(Window { before: Duration::from_secs(10), after: Duration::from_secs(10) }),
        ..Wanted::default()
    };
    let reading = read(&wanted, &Unwatched);
    assert_eq!(count(&reading), 15 * 21, "every line of twenty-one seconds, and none else");
    let file = &reading.files[0];
    assert!(file.bytes < 6 << 20, "{} bytes of {written}", file.bytes);
    assert_eq!(file.trouble, None);
    assert_eq!(reading.joined.len(), 15);
}

#[test]
fn of_a_long_file_without_times_the_end_is_read() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("out.log");
    let text = "nothing happens here\n".repeat(10_000) + "Error: connect ECONNREFUSED 127.0.0.1:6379\n";
    write(&path, text.as_bytes(), at(TEN));
    let requests = vec![request(TEN, "/", 500)];
    let wanted = Wanted { paths: vec![path.clone()], requests, most_bytes: 4096, ..Wanted::default() };
    let reading = read(&wanted, &Unwatched);
    assert_eq!(count(&reading), 1);
    assert!(reading.files[0].lines < 250, "{:?}", reading.files);
    assert!(trouble(&reading, &path).starts_with("it is long: only its last"));
}

#[test]
fn rotated_and_packed_parts_are_read_as_far_as_the_window_reaches() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    let packed = |text: &str| {
        let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        gzip.write_all(text.as_bytes()).unwrap();
        gzip.finish().unwrap()
    };
    write(&path("error.log"), error(1000).as_bytes(), at(TEN + 1000));
    write(&path("error.log.1"), error(900).as_bytes(), at(TEN + 900));
    write(&path("error.log.2.gz"), &packed(&error(800)), at(TEN + 800));
    write(&path("error.log.3.gz"), &packed(&(error(100) + &error(700))), at(TEN + 700));
    write(&path("error.log.4.gz"), b"never opened", at(TEN - 90_000));
    write(&path("error.log-20261120.zst"), &zstd::encode_all(error(701).as_bytes(), 0).unwrap(), at(TEN + 701));
    let reading = of(vec![folder.path().to_owned()], vec![request(TEN + 1000, "/1000", 502)]);
    assert_eq!(count(&reading), 5, "{:?}", reading.files);
    assert_eq!(reading.files.len(), 5, "{:?}", reading.files);
    assert_eq!(reading.named[0].between, Some((at(TEN + 700), at(TEN + 1000))));
}

#[test]
fn a_damaged_file_is_read_up_to_the_damage() {
    let folder = tempfile::tempdir().unwrap();
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::none());
    (0..2000).for_each(|seconds| gzip.write_all(error(seconds).as_bytes()).unwrap());
    let whole = gzip.finish().unwrap();
    let cut = folder.path().join("cut.log.gz");
    fs::write(&cut, &whole[..whole.len() / 2]).unwrap();
    let broken = folder.path().join("broken.log.gz");
    fs::write(&broken, b"\x1f\x8bno gzip at all").unwrap();
    let other = folder.path().join("other.log.xz");
    fs::write(&other, b"\xfd7zXZ\0").unwrap();
    let reading = of(vec![folder.path().to_owned()], Vec::new());
    assert!((900..1100).contains(&count(&reading)), "{}", count(&reading));
    assert!(trouble(&reading, &cut).contains("damaged"), "{}", trouble(&reading, &cut));
    assert!(trouble(&reading, &broken).contains("damaged"), "{}", trouble(&reading, &broken));
    assert!(trouble(&reading, &other).contains("unxz"), "{}", trouble(&reading, &other));
}

#[test]
fn what_is_packed_is_a_log_if_there_is_text_in_it() {
    let folder = tempfile::tempdir().unwrap();
    let noise: Vec<u8> = (0..20_000_u32).map(|place| (place.wrapping_mul(2_654_435_761) >> 13) as u8).collect();
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    gzip.write_all(&noise).unwrap();
    let (gz, zst) = (folder.path().join("noise.log.gz"), folder.path().join("noise.log.zst"));
    fs::write(&gz, gzip.finish().unwrap()).unwrap();
    fs::write(&zst, zstd::encode_all(noise.as_slice(), 0).unwrap()).unwrap();
    let reading = of(vec![folder.path().to_owned()], Vec::new());
    for path in [&gz, &zst] {
        assert!(trouble(&reading, path).contains("there is no text in it"), "{}", trouble(&reading, path));
    }
    assert!(reading.files.iter().all(|file| file.lines == 0), "{:?}", reading.files);
}

#[test]
fn what_is_no_file_is_not_opened() {
    let folder = tempfile::tempdir().unwrap();
    let fifo = folder.path().join("pipe.log");
    let made = std::process::Command::new("mkfifo").arg(&fifo).status().unwrap();
    assert!(made.success());
    let proc = folder.path().join("proc.log");
    symlink("/proc/self/environ", &proc).unwrap();
    let device = folder.path().join("zero.log");
    symlink("/dev/zero", &device).unwrap();
    let round = folder.path().join("round");
    symlink(folder.path(), &round).unwrap();
    let missing = folder.path().join("missing.log");
    let paths = vec![fifo.clone(), proc.clone(), device.clone(), round, missing.clone()];
    let reading = of(paths, Vec::new());
    for (path, wanted) in [
        (&fifo, "it is a pipe"),
        (&proc, "it leads into the system's own files"),
        (&device, "it leads into the system's own files"),
        (&missing, "there is no such file"),
    ] {
        assert!(trouble(&reading, path).starts_with(wanted), "{}", trouble(&reading, path));
    }
    assert!(reading.probes.iter().all(|probe| probe.ok.is_none()), "{:?}", reading.probes);
}

#[test]
fn garbage_among_the_lines_does_not_hide_them() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("error.log");
    let mut bytes = vec![0; 5000];
    bytes.extend_from_slice(error(1).replace('\n', "\r\n").as_bytes());
    bytes.extend((0..=255).cycle().take(200_000));
    bytes.push(b'\n');
    bytes.extend_from_slice(error(2).as_bytes());
    bytes.extend_from_slice(b"192.0.2.1 - - [21/Nov/2026:10:00:03 +0000] \"GET /x HTTP/1.1\" 502 1\n\xff\xfe\n");
    write(&path, &bytes, at(TEN));
    let reading = of(vec![path], vec![request(TEN + 3, "/x", 502)]);
    assert_eq!((count(&reading), reading.joined.len()), (2, 1));
}

#[test]
fn times_without_a_zone_are_taken_for_the_one_that_fits() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("error.log");
    // Written two hours east of UTC, seen by the file's own time, which is that of its last line: however long the file is.
    for lines in [1, 400, 1000] {
        let text: String = (7201 - lines..=7200).map(error).collect();
        write(&path, text.as_bytes(), at(TEN));
        let reading = of(vec![path.clone()], vec![request(TEN, "/7200", 502)]);
        assert_eq!(count(&reading), lines.min(601), "the ten minutes before");
        let assumed = reading.files[0].assumed.as_deref().unwrap_or_default();
        assert!(assumed.contains("UTC+02:00"), "{assumed}");
        assert!(reading.named[0].likelihood > 0.9);
    }
}

#[test]
fn nothing_to_read_is_said() {
    let folder = tempfile::tempdir().unwrap();
    let reading = of(vec![folder.path().to_owned()], Vec::new());
    let said: Vec<&str> = reading.probes.iter().map(|probe| probe.said.as_str()).collect();
    assert_eq!(said, ["there is no log file in what was named"]);
}

proptest::proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn no_bytes_panic(bytes in proptest::collection::vec(proptest::prelude::any::<u8>(), 0..4000), packed: bool) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("error.log");
        let bytes = if packed { [b"\x1f\x8b\x08\0\0\0\0\0\0\x03".as_slice(), &bytes].concat() } else { bytes };
        fs::write(&path, &bytes).unwrap();
        let reading = of(vec![path], vec![request(TEN, "/cart", 502)]);
        prop_assert_eq!(reading.files.len(), 1);
    }

    #[test]
    fn a_window_holds_exactly_its_lines(
        steps in proptest::collection::vec(0..20_u64, 1..2500),
        start in 0..20_000_u64,
        length in 0..5000_u64,
    ) {
        let folder = tempfile::tempdir().unwrap();
        let path: PathBuf = folder.path().join("error.log");
        let (mut now, mut text, mut within) = (0, String::new(), 0);
        for step in steps {
            now += step;
            // The times of a day.
            if now >= 13 * 3600 {
                break;
            }
            text.push_str(&error(now));
            within += u64::from((start..=start + length).contains(&now));
        }
        // The file's own time fits the times in it.
        write(&path, text.as_bytes(), at(TEN + now));
        let asked = rayline_diagnose::logs::Request { took: Duration::ZERO, ..request(TEN + start, "/none", 502) };
        let window = Window { before: Duration::ZERO, after: Duration::from_secs(length) };
        let wanted = Wanted { paths: vec![path], requests: vec![asked], window: Some(window), ..Wanted::default() };
        prop_assert_eq!(count(&read(&wanted, &Unwatched)), within);
    }
}
