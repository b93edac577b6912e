//! The service: receivers that fail and come back, mail, commands, a restart.

use std::path::Path;
use std::sync::mpsc;
use std::time::{Duration, Instant};

use rayline_push::alert::{Address, Alerts, Kind, Known, Options, Policy, Receiver, Sources, Status};
use rayline_verdict::Moment;
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::TcpListener;

use super::history::{History, at};
use super::{REFUSED, policy};
use crate::receiver::{self, Play};

const DEADLINE: Duration = Duration::from_secs(60);

/// A history whose requests have just failed.
fn failing() -> History {
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_secs();
    let Moment(ten) = at(0);
    let second = i64::try_from(now).unwrap() - ten / 1_000_000_000;
    History::default().failed("a.example", second - 100..second, REFUSED)
}

fn start(folder: &Path, history: History, addresses: Vec<Address>) -> Alerts {
    let receivers: Vec<Receiver> =
        addresses.into_iter().map(|address| Receiver { name: address.kind().to_owned(), address }).collect();
    let names = receivers.iter().map(|receiver| receiver.name.clone()).collect();
    let policies = vec![Policy { receivers: names, ..policy(Kind::FailureRate { percent: 5.0 }) }];
    let file = folder.join("alerts.json");
    let options = Options {
        policies,
        receivers,
        file,
        every: Duration::from_millis(50),
        dashboard: "http://127.0.0.1:8787".into(),
    };
    let sources = Sources { store: Box::new(history), known: Box::new(Known::default) };
    Alerts::start(options, sources).unwrap()
}

fn wait(alerts: &Alerts, what: impl Fn(&Status) -> bool) -> Status {
    let end = Instant::now() + DEADLINE;
    loop {
        let status = alerts.status();
        if what(&status) {
            return status;
        }
        assert!(Instant::now() < end, "{status:?}");
        std::thread::sleep(Duration::from_millis(10));
    }
}

#[test]
fn a_dead_receiver_is_tried_again_and_holds_nobody_up() {
    let folder = tempfile::tempdir().unwrap();
    let dead = receiver::Receiver::start(|nth, _| match nth {
        0 => Play::Answer(503, Vec::new(), "not now".into()),
        1 => Play::Close,
        _ => Play::status(204),
    });
    let stuck = receiver::Receiver::start(|_, _| Play::Stall);
    let well = receiver::Receiver::start(|_, _| Play::status(200));
    let addresses = vec![
        Address::Webhook { url: dead.url("/dead"), secret: Some("hunter2".into()) },
        Address::Teams { url: stuck.url("/stuck") },
        Address::Slack { url: well.url("/well") },
    ];
    let alerts = start(folder.path(), failing(), addresses);
    let refused = wait(&alerts, |status| status.receivers[0].last_error.is_some());
    assert_eq!(refused.receivers[0].waiting, 1);
    assert!(refused.receivers[0].failing_since.is_some());
    assert!(!format!("{refused:?}").contains("hunter2"));
    let status = wait(&alerts, |status| status.receivers[0].last_sent.is_some());
    assert_eq!((status.receivers[0].waiting, &status.receivers[0].last_error), (0, &None));
    let seen = dead.wait(|seen| seen.len() >= 3);
    assert_eq!(seen[0].header("cf-webhook-auth"), "hunter2");
    let bodies: Vec<Vec<u8>> = seen.iter().map(|seen| seen.body.to_vec()).collect();
    assert!(bodies.iter().all(|body| *body == bodies[0]), "the same notice each time");
    assert_eq!(well.seen().len(), 1, "told once, though one was dead and one stuck");
    assert_eq!(status.open[0].1.code, "origin.connect.refused");
    assert!(
        status.open[0]
            .1
            .link
            .starts_with("http://127.0.0.1:8787/errors?zone=a.example&code=origin.connect.refused&from=")
    );
}

#[test]
fn a_restart_tells_what_waited_and_nothing_twice() {
    let folder = tempfile::tempdir().unwrap();
    let history = failing();
    let refusing = receiver::Receiver::start(|_, _| Play::status(500));
    let address = |server: &receiver::Receiver| vec![Address::Webhook { url: server.url("/"), secret: None }];
    let alerts = start(folder.path(), history.clone(), address(&refusing));
    wait(&alerts, |status| status.receivers[0].failing_since.is_some());
    drop(alerts);
    let taking = receiver::Receiver::start(|_, _| Play::status(200));
    let alerts = start(folder.path(), history.clone(), address(&taking));
    wait(&alerts, |status| status.receivers[0].last_sent.is_some() && status.receivers[0].waiting == 0);
    drop(alerts);
    let alerts = start(folder.path(), History::default(), address(&taking));
    let seen = taking.wait(|seen| seen.len() >= 2);
    wait(&alerts, |status| status.open.is_empty() && status.receivers[0].waiting == 0);
    let states: Vec<serde_json::Value> = seen
        .iter()
        .map(|seen| serde_json::from_slice::<serde_json::Value>(&seen.body).unwrap()["state"].clone())
        .collect();
    assert_eq!(states, ["firing", "resolved"]);

    drop(alerts);
    std::fs::write(folder.path().join("alerts.json"), "{ torn").unwrap();
    let alerts = start(folder.path(), history, address(&taking));
    taking.wait(|seen| seen.len() >= 3);
    drop(alerts);
    assert!(folder.path().join("alerts.unreadable").exists());
}

#[test]
fn commands_and_mail_carry_the_verdict() {
    let folder = tempfile::tempdir().unwrap();
    let told = folder.path().join("told.json");
    let (letters, letter) = mpsc::channel();
    let server = mail_server(letters);
    let addresses = vec![
        Address::Command { words: vec!["/bin/sh".into(), "-c".into(), format!("cat > {}", told.display())] },
        Address::Email { server, from: "Edge <edge@a.example>".into(), to: vec!["ops@a.example".into()] },
    ];
    let alerts = start(folder.path(), failing(), addresses);
    wait(&alerts, |status| status.receivers.iter().all(|receiver| receiver.last_sent.is_some()));
    let notice: serde_json::Value = serde_json::from_slice(&std::fs::read(&told).unwrap()).unwrap();
    assert_eq!((&notice["state"], &notice["party"]), (&"firing".into(), &"origin".into()));
    let letter = letter.recv_timeout(DEADLINE).unwrap();
    for part in [
        "Subject: [rayline] a.example: 100.0 % of requests fail",
        "whose fault: the origin's",
        "what to do",
        "ECONNREFUSED",
    ] {
        let flat = letter.replace("=\r\n", "").replace("\r\n ", " ");
        assert!(flat.contains(part), "{part} is not in {letter}");
    }
}

/// As much of SMTP (RFC 5321) as it takes to receive letters.
fn mail_server(letters: mpsc::Sender<String>) -> String {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    listener.set_nonblocking(true).unwrap();
    let address = listener.local_addr().unwrap();
    std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let listener = TcpListener::from_std(listener).unwrap();
            while let Ok((stream, _)) = listener.accept().await {
                let (input, mut output) = stream.into_split();
                let mut lines = BufReader::new(input).lines();
                output.write_all(b"220 ready\r\n").await.unwrap();
                while let Ok(Some(line)) = lines.next_line().await {
                    let answer = if line == "DATA" {
                        output.write_all(b"354 go on\r\n").await.unwrap();
                        let mut letter = String::new();
                        while let Ok(Some(line)) = lines.next_line().await {
                            if line == "." {
                                break;
                            }
                            letter += &format!("{line}\r\n");
                        }
                        letters.send(letter).unwrap();
                        "250 taken\r\n"
                    } else {
                        "250 so be it\r\n"
                    };
                    if output.write_all(answer.as_bytes()).await.is_err() || line == "QUIT" {
                        break;
                    }
                }
            }
        });
    });
    format!("smtp://{address}")
}
