//! Answering the visitor: the origin's answer, or a page of ours that says whose fault it was.

use std::borrow::Cow;
use std::time::Instant;

use bytes::Bytes;
use rayline_http1::{Framing, ResponseHead};
use rayline_verdict::evidence::Fact;
use rayline_verdict::fault::ReplyCause;
use rayline_verdict::surface::{self, CustomPage, Format, Notice};
use rayline_verdict::{Code, Fault, Verdict, attribute};

use super::route::host_name;
use super::rules::challenge;
use crate::answer::{Amended, Answer, AnswerBody, AnswerHead, race};
use crate::exchange::{Exchange, micros};
use crate::record::OpenRecord;
use crate::running::{Running, ZonePlan};

/// What the phases came to: the head and body of an answer.
#[derive(Debug)]
pub(crate) struct Answered {
    head: AnswerHead,
    body: AnswerBody,
    /// What rules changed.
    amended: Option<Box<Amended>>,
    /// It is the page of a fault, which has said in its own fields what the others say in notes.
    is_page: bool,
}

impl Answered {
    /// The origin's.
    pub(crate) fn passed(head: Box<ResponseHead>, body: AnswerBody) -> Self {
        Self { head: AnswerHead::Passed(head), body, amended: None, is_page: false }
    }

    /// The edge's own.
    pub(crate) fn made(status: u16, fields: Vec<(&'static str, Bytes)>, body: Bytes) -> Self {
        let head = AnswerHead::Made { status, fields };
        Self { head, body: AnswerBody::Whole(body), amended: None, is_page: false }
    }

    /// Its head, as it was before rules.
    pub(crate) fn head(&self) -> &AnswerHead {
        &self.head
    }

    /// The status that will be sent.
    pub(crate) fn status(&self) -> u16 {
        self.amended.as_deref().and_then(|amended| amended.status).unwrap_or_else(|| self.head.status())
    }

    /// How its end is known beforehand.
    pub(crate) fn framing(&self) -> Framing {
        self.body.framing()
    }

    /// What rules change.
    pub(crate) fn amend(&mut self) -> &mut Amended {
        self.amended.get_or_insert_default()
    }

    /// The last value of a field as it will be sent.
    pub(crate) fn field(&self, name: &str) -> Option<&[u8]> {
        let amended = self.amended.as_deref();
        if let Some(value) = amended.and_then(|amended| amended.get(name)) {
            return Some(value);
        }
        if amended.is_some_and(|amended| amended.drops(name.as_bytes())) {
            return None;
        }
        match &self.head {
            AnswerHead::Passed(head) => head.fields.get(name),
            AnswerHead::Made { fields, .. } => {
                fields.iter().find(|(other, _)| other.eq_ignore_ascii_case(name)).map(|(_, value)| &**value)
            }
        }
    }

    /// Whether a list field has a member.
    pub(crate) fn has_member(&self, name: &str, member: &str) -> bool {
        let lists = |value: &[u8]| {
            value.split(|byte| *byte == b',').any(|other| other.trim_ascii().eq_ignore_ascii_case(member.as_bytes()))
        };
        match &self.head {
            AnswerHead::Passed(head) if head.fields.all(name).any(lists) => true,
            AnswerHead::Passed(_) | AnswerHead::Made { .. } => self.field(name).is_some_and(lists),
        }
    }

    /// Another body in place of its own, under another status where there is one.
    pub(crate) fn replace(&mut self, status: Option<u16>, content_type: &[u8], body: Bytes) {
        self.body = AnswerBody::Whole(body);
        let length = self.body.framing();
        let amended = self.amend();
        amended.status = status;
        amended.set("content-type", content_type);
        amended.drop_field("content-encoding");
        amended.drop_field("content-length");
        if let Framing::Length(length) = length {
            amended.put("content-length", length.to_string().as_bytes());
        }
    }

    /// Changes a body that is all here.
    fn edit(&mut self, edit: impl FnOnce(&mut Vec<u8>)) {
        if let AnswerBody::Whole(body) = &mut self.body {
            let mut bytes = Vec::from(std::mem::take(body));
            edit(&mut bytes);
            *body = bytes.into();
        }
    }

    /// Another body made of this one.
    pub(crate) fn wrap(&mut self, wrap: impl FnOnce(AnswerBody) -> AnswerBody) {
        let body = std::mem::replace(&mut self.body, AnswerBody::Whole(Bytes::new()));
        self.body = wrap(body);
    }
}

/// Answers a fault: reaches the verdict, records it, and makes the page.
pub(crate) fn page_of(exchange: &mut Exchange<'_>, fault: Fault) -> Answered {
    judge(exchange, fault);
    let accept = exchange.head.fields.get("accept");
    let host = host_name(exchange.head.host().unwrap_or_default());
    let answered = if exchange.is_call() {
        status(exchange.running, &mut exchange.record)
    } else {
        let format = Format::negotiate(accept);
        let mut answered = page(exchange.running, exchange.zone, &exchange.record, host, format);
        let is_challenge = |verdict: &Verdict| verdict.code == Code::PolicyRulesChallenged;
        if format == Format::Html && exchange.record.verdict.as_deref().is_some_and(is_challenge) {
            answered.edit(|page| challenge::arm(exchange, page));
            answered.amend().put("cf-mitigated", b"challenge");
        }
        answered
    };
    Answered { is_page: true, ..answered }
}

/// What the edge says beside an answer that is no page of its own.
fn notes(exchange: &Exchange<'_>) -> Vec<(&'static str, Bytes)> {
    let mut notes = Vec::new();
    if let Some(verdict) = &exchange.record.verdict {
        let mut value = Vec::new();
        surface::headers::proxy_status(verdict, surface::headers::origin_status(verdict), &mut value);
        notes.push(("proxy-status", value.into()));
    }
    let ruled = exchange.changes().and_then(|changes| changes.config.server_timing);
    let zone = exchange.zone.filter(|zone| !zone.zone.paused);
    if zone.is_some_and(|zone| ruled.unwrap_or(zone.zone.settings.server_timing)) {
        let mut value = Vec::new();
        surface::headers::server_timing(&exchange.record, &mut value);
        notes.push(("server-timing", value.into()));
    }
    notes
}

/// The answer to a gRPC call: its caller reads no page, but a status ("Trailers-Only").
fn status(running: &Running, record: &mut OpenRecord) -> Answered {
    let mut fields = Vec::with_capacity(8);
    let Some(notice) = notice(running, record, "") else { return Answered::made(0, Vec::new(), Bytes::new()) };
    surface::grpc::fields(&notice, |name, value| fields.push((name, Bytes::copy_from_slice(value))));
    record.grpc_status = record.verdict.as_deref().map(surface::grpc::status);
    Answered::made(200, fields, Bytes::new())
}

/// Answers a request that could not be read.
pub(crate) fn refuse_unread(running: &Running, mut record: OpenRecord, fault: Fault) -> Answer {
    let elapsed = record.elapsed_ms();
    record.verdict = Some(Box::new(attribute(fault.with(Fact::Elapsed(elapsed)), Vec::new())));
    let Answered { head, body, .. } = page(running, None, &record, "", Format::Html);
    Answer {
        head,
        body,
        notes: Vec::new(),
        amended: None,
        head_only: false,
        request_body: None,
        keep_alive: false,
        is_last: false,
        ready: Instant::now(),
        record,
    }
}

/// Reaches the verdict on a fault and records it, unless there is one: the first fault is the cause of the others.
pub(crate) fn judge(exchange: &mut Exchange<'_>, fault: Fault) {
    if exchange.record.verdict.is_none() {
        let elapsed = micros(exchange.record.started(), exchange.now) / 1000;
        let fault = fault.with(Fact::Elapsed(elapsed));
        let attempts = std::mem::take(&mut exchange.attempts);
        exchange.record.verdict = Some(Box::new(attribute(fault, attempts)));
    }
}

/// Waits for `future` while the visitor stays. For the phases before anything is sent to an origin.
///
/// # Errors
/// The visitor left.
pub(crate) async fn unless_gone<T>(exchange: &mut Exchange<'_>, future: impl Future<Output = T>) -> Result<T, Fault> {
    let body = &mut exchange.body;
    // A visitor that still sends its body is read by whoever takes the body.
    let silent = body.is_done();
    let gone = race(future, |cx| if silent { body.poll_gone(cx) } else { std::task::Poll::Pending });
    gone.await.ok_or_else(|| Fault::new(ReplyCause::Gone).with(Fact::BytesSent(0)))
}

/// Hands an answer over.
pub(crate) fn finish(mut exchange: Exchange<'_>, answered: Answered) -> Answer {
    let head = exchange.head;
    let notes = if answered.is_page { Vec::new() } else { notes(&exchange) };
    if let Some(ruled) = exchange.rules.take() {
        exchange.worker.give_back_ruled(ruled);
    }
    Answer {
        head: answered.head,
        body: answered.body,
        notes,
        amended: answered.amended,
        head_only: head.method() == "HEAD",
        request_body: Some(exchange.body),
        // Behind a CONNECT may come what was meant for a tunnel.
        keep_alive: head.keep_alive() && head.method() != "CONNECT" && !exchange.worker.is_draining(),
        is_last: !head.keep_alive() && head.method() != "CONNECT",
        ready: exchange.now,
        record: exchange.record,
    }
}

/// The page for the record's verdict: the zone's own where it has one for this number, else ours in the form that the
/// visitor asked for. Where nothing can be sent the page stays empty, and the writer closes.
pub(crate) fn page(
    running: &Running,
    zone: Option<&ZonePlan>,
    record: &OpenRecord,
    host: &str,
    format: Format,
) -> Answered {
    let Some((verdict, status)) = record.verdict.as_deref().and_then(|verdict| Some((verdict, verdict.page_status()?)))
    else {
        return Answered::made(0, Vec::new(), Bytes::new());
    };
    let Some(notice) = notice(running, record, host) else { return Answered::made(0, Vec::new(), Bytes::new()) };
    render(&notice, status, own_page(zone, verdict), format)
}

/// What there is to say of the record's verdict.
pub(crate) fn notice<'a>(running: &'a Running, record: &'a OpenRecord, host: &'a str) -> Option<Notice<'a>> {
    Some(Notice {
        verdict: record.verdict.as_deref()?,
        ray: record.ray,
        colo: record.colo,
        host,
        at: record.start,
        client_ip: record.client_ip,
        country: record.country,
        brand: &running.server().brand,
        preview: false,
    })
}

/// The zone's own page for maintenance, or for a verdict's number, where "Error Pages" apply: not to 500, 501, 503 and 505.
pub(crate) fn own_page<'a>(zone: Option<&'a ZonePlan>, verdict: &Verdict) -> Option<&'a CustomPage> {
    let zone = zone.filter(|zone| !zone.zone.paused)?;
    if verdict.code == Code::PolicyRulesMaintenance {
        return zone.page_maintenance.as_ref();
    }
    match verdict.number {
        502 | 504 | 520..=530 => zone.page_500.as_ref(),
        1000..=1999 => zone.page_1000.as_ref(),
        _ => None,
    }
}

/// Renders a notice.
pub(crate) fn render(notice: &Notice<'_>, status: u16, own: Option<&CustomPage>, format: Format) -> Answered {
    let mut body = Vec::with_capacity(8 * 1024);
    match own {
        Some(page) if format == Format::Html => page.render(notice, &mut body),
        _ => surface::render(notice, format, &mut body),
    }
    let mut fields = Vec::with_capacity(12);
    surface::page_headers(notice, format, |name, value| {
        fields.push((
            name,
            match value {
                Cow::Borrowed(value) => Bytes::from_static(value),
                Cow::Owned(value) => value.into(),
            },
        ));
    });
    Answered::made(status, fields, body.into())
}
