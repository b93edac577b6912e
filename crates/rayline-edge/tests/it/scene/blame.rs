//! What a scenario must come to, and the look at every surface for it.

use rayline_testkit::Response;
use rayline_verdict::Code;
use serde_json::Value;

use super::Scene;

/// The forms of a page, as `Accept` asks for them.
pub(crate) const FORMATS: [&str; 4] =
    ["", "Accept: application/problem+json\r\n", "Accept: text/markdown\r\n", "Accept: text/plain\r\n"];

/// What a scenario must come to, on every surface.
pub(crate) struct Blame {
    code: Code,
    /// The HTTP status of the page; 0 where nothing is sent, or the origin's own status where it passes.
    status: u16,
    /// Whether the visitor gets a page of ours.
    page: bool,
    evidence: Vec<&'static str>,
    origin_status: u16,
}

impl Blame {
    /// A page of ours with this HTTP status.
    #[track_caller]
    pub(crate) fn page(code: &str, status: u16) -> Self {
        let code = Code::find(code).unwrap_or_else(|| panic!("no such code: {code}"));
        Self { code, status, page: true, evidence: Vec::new(), origin_status: 0 }
    }

    /// No page: the origin's answer passes or is cut, or nothing is sent. `status` is the one in the log.
    #[track_caller]
    pub(crate) fn no_page(code: &str, status: u16) -> Self {
        Self { page: false, ..Self::page(code, status) }
    }

    /// Keys that `VerdictEvidence` must have.
    pub(crate) fn evidence(mut self, keys: &[&'static str]) -> Self {
        self.evidence.extend(keys);
        self
    }

    /// The status in the log that the origin sent.
    pub(crate) fn origin_status(mut self, status: u16) -> Self {
        self.origin_status = status;
        self
    }
}

impl Scene {
    /// Provokes the scenario with a GET for each format, all at once, and checks every surface.
    #[track_caller]
    pub(crate) fn blames(&self, blame: Blame) -> impl Future<Output = Value> + '_ {
        self.blames_on(blame, |accept| Self::request("GET", "/secret-path?token=hush", accept))
    }

    /// The same with a request of one's own, given the `Accept` line to send.
    pub(crate) async fn blames_on(&self, blame: Blame, request: impl Fn(&str) -> String) -> Value {
        let blamed = async |format: &str| {
            let mut visitor = self.visitor().await;
            visitor.send(request(format)).await.expect("the edge reads");
            let response = visitor.read_response("GET").await;
            self.sees(&blame, format, &response).await
        };
        let [html, json, markdown, text] = FORMATS;
        if !blame.page {
            return blamed(html).await;
        }
        tokio::join!(blamed(html), blamed(json), blamed(markdown), blamed(text)).0
    }

    /// Checks one answer and the log and metrics beside it. Returns the record.
    pub(crate) async fn sees(&self, blame: &Blame, format: &str, response: &Response) -> Value {
        let record = self.record_of(response).await;
        self.check_record(blame, &record);
        if blame.page {
            self.check_page(blame, format, response);
        } else if response.status().is_some() {
            assert_eq!(response.field("cf-error-type"), None, "an answer that passed is not marked as ours");
        }
        record
    }

    /// Checks the record of a request that got no answer: the only one in the log with this code.
    pub(crate) async fn recorded(&self, blame: Blame) -> Value {
        let code = blame.code.name();
        let record = self.record_where(|record| record["VerdictCode"] == code).await;
        self.check_record(&blame, &record);
        record
    }

    fn check_record(&self, blame: &Blame, record: &Value) {
        let entry = blame.code.entry();
        assert_eq!(record["VerdictCode"], blame.code.name(), "{record:#}");
        assert_eq!(record["EdgeResponseStatus"], blame.status, "{record:#}");
        assert_eq!(record["OriginResponseStatus"], blame.origin_status, "{record:#}");
        let number = if entry.number() == 0 { blame.origin_status } else { entry.number() };
        assert_eq!(record["VerdictStatus"], number, "{record:#}");
        for key in &blame.evidence {
            assert!(!record["VerdictEvidence"][key].is_null(), "no `{key}` in {record:#}");
        }
        let certainty = if record["VerdictRivals"].as_array().is_some_and(|rivals| !rivals.is_empty()) {
            "inferred"
        } else {
            "proven"
        };
        assert_eq!(record["VerdictCertainty"], certainty, "{record:#}");
        let metrics = self.observer.metrics();
        let label = format!("code=\"{}\"", blame.code.name());
        assert!(metrics.contains(&label), "no {label} in\n{metrics}");
    }

    fn check_page(&self, blame: &Blame, format: &str, response: &Response) {
        let entry = blame.code.entry();
        let text = response.text();
        let all = format!("{}{text}", String::from_utf8_lossy(&response.raw_head));
        assert_eq!(response.status(), Some(blame.status), "{all}");
        let first = all.lines().next().unwrap_or_default().trim_end();
        assert!(!first.ends_with(char::is_numeric), "a status line without a phrase: {first}");
        let number = if entry.number() == 0 { blame.origin_status } else { entry.number() }.to_string();
        assert!(text.contains(&number), "no {number} in {text}");
        assert!(text.contains(entry.name), "no {} in {text}", entry.name);
        let ray = response.field("cf-ray").expect("a Ray ID").split('-').next().expect("digits").to_owned();
        assert!(text.contains(&ray), "no {ray} in {text}");
        assert_eq!(response.field("cf-error-type"), Some(number.as_str()), "{all}");
        assert_eq!(response.field("server"), Some("rayline"));
        let status = response.field("proxy-status").unwrap_or_default();
        assert!(status.contains(&format!("details=\"{}\"", entry.name)), "{status}");
        if let Some(error) = entry.proxy_error {
            assert!(status.contains(&format!("error={error}")), "{status}");
        }
        let kind = response.field("content-type").unwrap_or_default();
        let expected = match format {
            "" => "text/html",
            format => format.trim_start_matches("Accept: ").trim_end(),
        };
        assert!(kind.starts_with(expected), "{kind} for {format}");
        if expected.ends_with("json") {
            let problem: Value = serde_json::from_str(&text).expect("a JSON body");
            assert_eq!(problem["status"], blame.status, "{problem:#}");
            assert_eq!(problem["code"], entry.name, "{problem:#}");
            assert_eq!(problem["party"], entry.party.name(), "{problem:#}");
        }
        self.check_secrecy(&all);
    }

    /// The visitor sees no address, port, path or byte of the owner's.
    fn check_secrecy(&self, all: &str) {
        if let Some(origin) = &self.origin {
            for secret in [origin.addr().to_string(), format!(":{}", origin.addr().port())] {
                assert!(!all.contains(&secret), "the visitor sees {secret} in {all}");
            }
        }
        for secret in ["secret-path", "hush", "scene.toml", self.folder.path().to_str().expect("a path in UTF-8")] {
            assert!(!all.contains(secret), "the visitor sees {secret} in {all}");
        }
    }
}
