//! Whoever else the admin server asks, small.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use rayline_control::{
    Alert, Applied, Change, CodeCount, Configurations, Diagnose, Event, Evidence, Job, MaintenanceOrder, Pace, Rollout,
    Sample, Seats, Senders, Signed, State, Step, Version, ZoneMaintenance,
};
use rayline_verdict::Moment;
use serde_json::json;
use tokio::sync::mpsc::{Receiver, channel};

/// All of them but a store.
pub(crate) fn seats() -> Seats {
    Seats {
        store: None,
        configurations: Some(Arc::new(Texts::default())),
        diagnose: Some(Arc::new(Quick)),
        replays: None,
        senders: Some(Arc::new(Post)),
        limits: None,
    }
}

/// Three versions, of which the last was rolled back; and one more that is rolled out once it is applied.
#[derive(Default)]
struct Texts {
    goes_on: Mutex<bool>,
}

impl Texts {
    fn done(&self, goes_on: bool, outcome: &str) -> Result<Applied, Vec<String>> {
        let mut now = self.goes_on.lock().unwrap();
        if !*now && !goes_on {
            return Err(vec!["no version is <being> rolled out".to_owned()]);
        }
        *now = goes_on;
        Ok(Applied { version: 4, outcome: outcome.to_owned(), messages: vec!["a warning".to_owned()] })
    }
}

fn evidence() -> Evidence {
    let sample = |version, requests, blamed| Sample { version, requests, blamed, ..Sample::default() };
    Evidence {
        conclusion: "version 3 fails <more>".to_owned(),
        confidence: 99.997,
        seconds: 61,
        old: sample(2, 12_345, 0),
        new: Sample { percent: 50.0, others: vec![("origin".to_owned(), 7)], ..sample(3, 400, 200) },
        codes: vec![CodeCount { code: "owner.resolve.nxdomain".to_owned(), old: 0, new: 200 }],
    }
}

impl Configurations for Texts {
    fn versions(&self) -> Vec<Version> {
        let version = |number, since| Version {
            number,
            since: Moment(since),
            source: "rayline.toml".to_owned(),
            author: "maria <script>".to_owned(),
            comment: format!("change {number} \u{202e}"),
            state: State::Used,
            history: Vec::new(),
        };
        let told = Event {
            at: 1_795_262_461_000_000_000,
            what: "rolled back".to_owned(),
            by: String::new(),
            evidence: Some(evidence()),
        };
        let third = Version { state: State::RolledBack, history: vec![told], ..version(3, 1_795_262_400_000_000_000) };
        vec![third, version(2, 1_795_262_400_000_000_000), version(1, 1_795_262_000_000_000_000)]
    }

    fn text(&self, number: u64) -> Option<String> {
        let text = |port| {
            format!(
                "[server]\nhttp = [\"127.0.0.1:8080\"]\n# <b>\u{202e}\n\n[[zone]]\nname = \"shop.example\"\n[zone.settings]\norigin_http_port = {port}\n"
            )
        };
        match number {
            1 => Some(text(80)),
            2 => Some(text(8081)),
            3 => Some(text(8082)),
            _ => None,
        }
    }

    fn apply(&self, change: Change) -> Result<Applied, Vec<String>> {
        if change.text.contains("zzl") {
            return Err(vec!["unknown key `zzl`".to_owned(), "there is no zone".to_owned()]);
        }
        assert_eq!((change.signed.author.as_str(), change.signed.comment.as_str()), ("maria", "why"));
        assert_eq!(change.pace, Some(Pace { percent: Some(5.0), dwell_seconds: Some(60), ..Pace::default() }));
        self.done(true, "rolled out")
    }

    fn roll_back(&self, to: Option<u64>, _: Signed) -> Result<Applied, Vec<String>> {
        assert_eq!(to, Some(1));
        self.done(true, "back")
    }

    fn rollout(&self) -> Option<Rollout> {
        self.goes_on.lock().unwrap().then(|| Rollout {
            version: 4,
            from: 2,
            percent: 5.0,
            steps: vec![5.0, 25.0, 100.0],
            since: 1_795_262_400_000_000_000,
            dwell: Duration::from_secs(600),
            promote: true,
            waiting_for: "the <step>".to_owned(),
            evidence: evidence(),
        })
    }

    fn promote(&self, whole: bool, _: Signed) -> Result<Applied, Vec<String>> {
        self.done(!whole, "promoted")
    }

    fn abort(&self, _: Signed) -> Result<Applied, Vec<String>> {
        self.done(false, "aborted")
    }

    fn maintenance(&self) -> Vec<ZoneMaintenance> {
        vec![ZoneMaintenance { zone: "shop.example".to_owned(), enabled: true, ..ZoneMaintenance::default() }]
    }

    fn maintain(&self, order: MaintenanceOrder) -> Result<Applied, Vec<String>> {
        assert_eq!((order.zone.as_deref(), order.enabled), (Some("shop.example"), true));
        Ok(Applied { version: 4, outcome: "maintained".to_owned(), messages: Vec::new() })
    }
}

/// Looks at nothing, and is sure all the same; of `http://slow.example/` it says nothing for as long as it is waited for.
struct Quick;

impl Diagnose for Quick {
    fn start(&self, url: &str, _origins: &[String]) -> Result<Receiver<Step>, String> {
        if !url.starts_with("http") {
            return Err("a URL begins with `http://` or `https://`".to_owned());
        }
        let (steps, seen) = channel(8);
        let probe = json!({ "name": "visit.http1", "ok": false, "took_ms": 3, "said": "answered 521 <script>\u{202e}", "facts": {} });
        steps.try_send(Step::Ended(probe)).unwrap();
        if url.contains("slow") {
            std::thread::spawn(move || {
                while !steps.is_closed() {
                    std::thread::park_timeout(std::time::Duration::from_millis(20));
                }
            });
            return Ok(seen);
        }
        let verdict = json!({
            "code": "origin.connect.refused", "party": "origin", "certainty": "proven",
            "clues": ["connection refused"], "remedies": ["start the server"],
        });
        let result = json!({ "url": url, "summary": "the origin refuses <connections>", "verdict": verdict, "hypotheses": [], "next": [] });
        steps.try_send(Step::Concluded(result)).unwrap();
        Ok(seen)
    }
}

/// One receiver that fails, one alert.
struct Post;

impl Senders for Post {
    fn jobs(&self) -> Vec<Job> {
        vec![Job {
            name: "to <clickhouse>".to_owned(),
            kind: "clickhouse".to_owned(),
            receiver: "http://127.0.0.1:8123/".to_owned(),
            sent: 12_345,
            waiting: 7,
            waiting_bytes: 2_048,
            lost: 0,
            failed: 3,
            last_success: Some(Moment(1_795_262_300_000_000_000)),
            objection: Some("2 spans are too old".to_owned()),
            error: Some("connection refused".to_owned()),
            failing_since: Some(Moment(1_795_262_400_000_000_000)),
        }]
    }

    fn alerts(&self) -> Vec<Alert> {
        vec![Alert {
            rule: "origin errors".to_owned(),
            summary: "the origin refused 12 connections in 5 minutes".to_owned(),
            since: Moment(1_795_262_400_000_000_000),
            until: None,
            link: "/errors?code=origin.connect.refused".to_owned(),
        }]
    }
}
