//! Whoever else the admin server asks, small.

use std::sync::Arc;

use rayline_control::{Alert, Configurations, Diagnose, Job, Seats, Senders, Step, Version};
use rayline_verdict::Moment;
use serde_json::json;
use tokio::sync::mpsc::{Receiver, channel};

/// All of them but a store.
pub(crate) fn seats() -> Seats {
    Seats {
        store: None,
        configurations: Some(Arc::new(Texts)),
        diagnose: Some(Arc::new(Quick)),
        senders: Some(Arc::new(Post)),
        limits: None,
    }
}

/// Two versions.
struct Texts;

impl Configurations for Texts {
    fn versions(&self) -> Vec<Version> {
        let version = |number, since| Version { number, since: Moment(since), source: "rayline.toml".to_owned() };
        vec![version(2, 1_795_262_400_000_000_000), version(1, 1_795_262_000_000_000_000)]
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
            _ => None,
        }
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
