//! The edge's side: what a Rayline edge recorded of the very request, and what to look up at other edges.
//!
//! It asks no edge itself: whoever runs the diagnosis knows how to reach one, and hands in its records.

use std::cell::RefCell;
use std::future::Future;
use std::pin::Pin;
use std::time::{Duration, Instant};

use rayline_verdict::Code;
use serde_json::Value;

use crate::probe::{Probe, Watcher};
use crate::visit::{Sample, Visit};

/// How long a record may take after the answer: edges write them in batches.
const RECORDED: Duration = Duration::from_millis(1500);
/// How many of the failing samples are looked up.
const MOST: usize = 4;

/// What the edge knows.
#[derive(Clone, Debug, Default)]
pub struct Side {
    /// The request-log record of a failing sample, with the field names of the log.
    pub record: Option<Value>,
    /// Steps for a person, where the edge is another's: what to look up, where.
    pub steps: Vec<String>,
    /// What a person reads of all that.
    pub probes: Vec<Probe>,
}

impl Side {
    /// The code in the record.
    pub fn code(&self) -> Option<Code> {
        Code::find(self.record.as_ref()?.get("VerdictCode")?.as_str()?)
    }
}

/// The records of a Rayline edge.
pub trait Records {
    /// The record of this Ray ID (16 hex digits), as soon as there is one; or why there is none.
    fn find<'a>(&'a self, ray: &'a str) -> Pin<Box<dyn Future<Output = Result<Value, String>> + 'a>>;
}

/// Looks up what the edge recorded of a failing sample, or says how a person can.
pub async fn look(visit: &Visit, records: Option<&dyn Records>, watcher: &dyn Watcher) -> Side {
    let mut side = Side::default();
    let failing: Vec<&Sample> = visit.samples.iter().filter(|sample| sample.failing.is_some()).collect();
    if let Some(records) = records {
        look_up(&failing, records, &mut side, watcher).await;
    }
    if side.record.is_none()
        && let Some(sample) = failing.first()
    {
        side.steps = steps(sample);
    }
    side
}

async fn look_up(failing: &[&Sample], records: &dyn Records, side: &mut Side, watcher: &dyn Watcher) {
    let rays: Vec<String> = failing.iter().filter_map(|sample| ray(sample)).take(MOST).collect();
    if rays.is_empty() {
        return;
    }
    watcher.began("edge.record", "asking the edge for its record");
    let began = Instant::now();
    let why = RefCell::new(String::from("no record came in time"));
    for ray in &rays {
        match tokio::time::timeout(RECORDED, records.find(ray)).await {
            Ok(Ok(record)) => {
                side.record = Some(record);
                break;
            }
            Ok(Err(reason)) => why.replace(reason),
            Err(_late) => continue,
        };
    }
    let probe = match &side.record {
        Some(record) => {
            let text = |name: &str| record.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
            let code = text("VerdictCode");
            let said = if code.is_empty() {
                format!("the edge recorded no failure of {}", text("RayID"))
            } else {
                format!("the edge recorded {} as {code}", text("RayID"))
            };
            Probe::new("edge.record", Some(code.is_empty()), began.elapsed(), said).with("record", record.clone())
        }
        None => Probe::new("edge.record", None, began.elapsed(), why.into_inner()),
    };
    watcher.ended(&probe);
    side.probes.push(probe);
}

/// The Ray ID of an answer, if it is one: 16 hex digits, without the colo.
fn ray(sample: &Sample) -> Option<String> {
    let id = sample.recognition.request_id.as_deref()?;
    let digits = id.split('-').next().unwrap_or_default();
    (digits.len() == 16 && digits.bytes().all(|byte| byte.is_ascii_hexdigit())).then(|| digits.to_ascii_lowercase())
}

/// What a person looks up at whose edge, and what for.
const LOOK_UP: [(&str, &str); 12] = [
    (
        "Cloudflare",
        "Cloudflare: in the dashboard, Analytics & logs > HTTP traffic, filter by this Ray ID or path and compare `Edge \
         status` with `Origin status` (0: no answer came); Trace > Begin trace with this URL names the rules that touch it",
    ),
    (
        "Fastly",
        "Fastly: send `Fastly-Debug: 1` and read `Fastly-Debug-Path`; in real-time logging `fastly_info.state` and \
         `beresp.status` say whether the origin answered",
    ),
    (
        "Akamai",
        "Akamai: Control Center > Edge Diagnostics > Translate error string, with the reference number from the page",
    ),
    (
        "CloudFront",
        "CloudFront: in the standard log find `x-edge-request-id` and read `x-edge-detailed-result-type` \
         (OriginConnectError, OriginDnsError, OriginCommError, …)",
    ),
    (
        "AWS ALB",
        "AWS load balancer: in its access log compare `elb_status_code` with `target_status_code` (`-`: the target did not \
         answer), and look at the target group's health",
    ),
    ("Google Cloud", "Google Cloud load balancer: in Logs Explorer read `jsonPayload.statusDetails` of this request"),
    ("Azure Front Door", "Azure Front Door: in the access log find this `x-azure-ref` and read `errorInfo`"),
    ("Vercel", "Vercel: in the project's Logs find this `x-vercel-id`; `x-vercel-error` names the cause"),
    ("Netlify", "Netlify: in Logs > Functions and Edge Functions find this `x-nf-request-id`"),
    (
        "HAProxy",
        "HAProxy: its log line of this request ends in a termination state such as `SC--`; the first letter is whose",
    ),
    ("Envoy", "Envoy: its access log has `%RESPONSE_FLAGS%` and `%RESPONSE_CODE_DETAILS%` of this request"),
    (
        "nginx",
        "nginx in front: its error log names what it met at this second (`connect() failed`, `upstream timed out`, \
         `prematurely closed`)",
    ),
];

fn steps(sample: &Sample) -> Vec<String> {
    let recognition = &sample.recognition;
    let marks = recognition.author.iter().chain(&recognition.passed);
    let mut steps: Vec<String> = Vec::new();
    for mark in marks {
        let known = LOOK_UP.iter().find(|(name, _)| mark.name.eq_ignore_ascii_case(name));
        if let Some((_, step)) = known
            && !steps.iter().any(|there| there.starts_with(step))
        {
            steps.push((*step).to_owned());
        }
    }
    if let (Some(first), Some(id)) = (steps.first_mut(), &recognition.request_id) {
        first.push_str(&format!("; this request's id is `{id}`"));
    }
    steps
}

#[cfg(test)]
mod tests {
    use crate::author::{Mark, Recognition, Role};
    use crate::fetch::{Exchange, Obstacle, Timings};
    use crate::probe::Unwatched;
    use crate::visit::{Failing, Way};

    use super::*;

    fn sample(id: &str, passed: &[&'static str]) -> Sample {
        let mark = |name| Mark { name, role: Role::Edge, rule: "a rule", seen: String::new() };
        Sample {
            url: "http://shop.example/".parse().unwrap(),
            way: Way { ipv6: false, http2: false },
            exchange: Exchange {
                at: std::time::SystemTime::UNIX_EPOCH,
                address: None,
                protocol: None,
                tls: None,
                timings: Timings::default(),
                outcome: Err(Obstacle::Silent { waited: Duration::ZERO }),
            },
            recognition: Recognition {
                passed: passed.iter().copied().map(mark).collect(),
                request_id: Some(id.to_owned()),
                ..Recognition::default()
            },
            failing: Some(Failing::Status),
        }
    }

    struct Known(Value);

    impl Records for Known {
        fn find<'a>(&'a self, ray: &'a str) -> Pin<Box<dyn Future<Output = Result<Value, String>> + 'a>> {
            let found = (self.0["RayID"] == ray).then(|| self.0.clone()).ok_or_else(|| format!("no record of {ray}"));
            Box::pin(std::future::ready(found))
        }
    }

    #[tokio::test]
    async fn the_edge_is_asked_by_ray_id() {
        let visit = Visit { samples: vec![sample("00112233445566AA-LHR", &["Rayline"])], ..Visit::default() };
        let known = Known(serde_json::json!({"RayID": "00112233445566aa", "VerdictCode": "origin.connect.refused"}));
        let side = look(&visit, Some(&known), &Unwatched).await;
        assert_eq!(side.code(), Some(Code::OriginConnectRefused));
        assert_eq!(side.probes[0].ok, Some(false));
        let other = Known(serde_json::json!({"RayID": "0"}));
        let side = look(&visit, Some(&other), &Unwatched).await;
        assert!(side.record.is_none());
        assert_eq!(side.probes[0].said, "no record of 00112233445566aa");
    }

    #[tokio::test]
    async fn what_to_look_up_depends_on_the_edge() {
        let visit = Visit { samples: vec![sample("abc", &["Akamai", "nginx", "nginx"])], ..Visit::default() };
        let side = look(&visit, None, &Unwatched).await;
        assert_eq!(side.steps.len(), 2);
        assert!(side.steps[0].starts_with("Akamai") && side.steps[0].ends_with("`abc`"), "{:?}", side.steps);
    }
}
