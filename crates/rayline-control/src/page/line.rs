//! A request log's line as the pages read it. Every value in it may be an attacker's.

use maud::{Markup, html};
use rayline_verdict::Moment;
use serde_json::Value;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use super::parts;
use crate::show::{self, Precision, long, short};

/// One line, parsed.
#[derive(Clone, Debug)]
pub(crate) struct Line(pub(crate) Value);

impl Line {
    /// `None` if it is no object.
    pub(crate) fn parse(bytes: &[u8]) -> Option<Self> {
        serde_json::from_slice::<Value>(bytes).ok().filter(Value::is_object).map(Self)
    }

    pub(crate) fn text(&self, name: &str) -> &str {
        self.0.get(name).and_then(Value::as_str).unwrap_or_default()
    }

    pub(crate) fn number(&self, name: &str) -> u64 {
        self.0.get(name).and_then(Value::as_u64).unwrap_or_default()
    }

    pub(crate) fn flag(&self, name: &str) -> bool {
        self.0.get(name).and_then(Value::as_bool).unwrap_or_default()
    }

    pub(crate) fn moment(&self, name: &str) -> Moment {
        let at = OffsetDateTime::parse(self.text(name), &Rfc3339).ok();
        Moment(at.and_then(|at| i64::try_from(at.unix_timestamp_nanos()).ok()).unwrap_or_default())
    }

    /// `party.phase.cause`, where there is a verdict.
    pub(crate) fn code(&self) -> Option<&str> {
        self.0.get("VerdictCode").and_then(Value::as_str)
    }

    pub(crate) fn party(&self) -> &str {
        self.code().and_then(|code| code.split('.').next()).unwrap_or_default()
    }

    /// How long the request took, in microseconds.
    pub(crate) fn took_us(&self) -> f64 {
        let (start, end) = (self.moment("EdgeStartTimestamp"), self.moment("EdgeEndTimestamp"));
        end.0.saturating_sub(start.0).max(0) as f64 / 1e3
    }

    /// Scheme, host and target as one.
    pub(crate) fn url(&self) -> String {
        let scheme = self.text("ClientRequestScheme");
        let scheme = if scheme.is_empty() { "http" } else { scheme };
        format!("{scheme}://{}{}", self.text("ClientRequestHost"), self.text("ClientRequestURI"))
    }

    /// The origin's address and port; empty if none was asked.
    pub(crate) fn origin(&self) -> String {
        match (self.text("OriginIP"), self.number("OriginPort")) {
            ("", _) => String::new(),
            (ip, 0) => ip.to_owned(),
            (ip, port) if ip.contains(':') => format!("[{ip}]:{port}"),
            (ip, port) => format!("{ip}:{port}"),
        }
    }

    /// A row of a list of requests: of the tail, of neighbours.
    pub(crate) fn row(&self, is_fresh: bool) -> Markup {
        let at = self.moment("EdgeStartTimestamp");
        let ray = self.text("RayID");
        html! {
            li.fresh[is_fresh] {
                time.n.soft datetime=(at.to_seconds()) title=(format!("{} UTC", show::text(at, Precision::Second))) {
                    (clock(at))
                }
                (parts::status(self.number("EdgeResponseStatus")))
                span.what {
                    a href=(format!("/ray/{}", address(ray))) {
                        (short(self.text("ClientRequestMethod"))) " "
                        (long(self.text("ClientRequestHost"), 80)) (long(self.text("ClientRequestURI"), 160))
                    }
                }
                span.took.n.soft { (show::micros(self.took_us())) }
                @if let Some(code) = self.code() {
                    span.why { (parts::party(self.party())) " " (parts::code(code))
                        @if self.text("VerdictCertainty") == "inferred" { span.soft { " (inferred)" } }
                    }
                }
            }
        }
    }
}

/// A Ray ID for a path; what is none leads nowhere.
fn address(ray: &str) -> &str {
    if ray.len() == 16 && ray.bytes().all(|byte| byte.is_ascii_hexdigit()) { ray } else { "" }
}

fn clock(at: Moment) -> String {
    show::text(at, Precision::Second).split_off(11.min(show::text(at, Precision::Second).len()))
}
