//! What an exchange is known to be, as rules ask for it. Nothing is worked out that no rule asks for, but the addresses.

use std::cell::OnceCell;
use std::net::IpAddr;
use std::ops::{ControlFlow, Range};

use aws_lc_rs::rand;
use rayline_config::Zone;
use rayline_http1::{Fields, RequestHead};
use rayline_rules::facts::{Each, Fact, Facts};
use rayline_rules::run::{each_argument, normalize};
use rayline_rules::{Field, places};
use rayline_verdict::fault::RulesCause;
use rayline_verdict::{Code, Record, Verdict};

use super::body::FirstBytes;
use crate::answer::AnswerHead;
use crate::phase::request::path_and_query;
use crate::phase::route::bare_host;
use crate::visitor::Visitor;

/// Addresses of a request in the forms that rules see. A worker keeps the room for them.
#[derive(Debug, Default)]
pub(super) struct Texts {
    /// `https://host/path?query`, normalised.
    full: Vec<u8>,
    host: Range<usize>,
    path: Range<usize>,
    /// The same as it came, once somebody has asked.
    raw_full: OnceCell<Vec<u8>>,
    /// Fields that came more than once, joined, once somebody has asked.
    joined: [OnceCell<Vec<u8>>; Single::COUNT],
    /// The media type of the body in lower case, where it came otherwise and somebody has asked.
    mime: OnceCell<Vec<u8>>,
    ray: [u8; 16],
    seed: OnceCell<[u8; 32]>,
}

/// A field that expressions see as one text.
#[derive(Clone, Copy, Debug)]
enum Single {
    Cookie,
    Referer,
    UserAgent,
    ForwardedFor,
}

impl Single {
    const COUNT: usize = 4;

    /// Its name, and what stands between its values where there are several (RFC 9110 §5.3, RFC 6265 §5.4).
    fn name_and_separator(self) -> (&'static str, &'static [u8]) {
        match self {
            Self::Cookie => ("cookie", b"; "),
            Self::Referer => ("referer", b", "),
            Self::UserAgent => ("user-agent", b", "),
            Self::ForwardedFor => ("x-forwarded-for", b", "),
        }
    }
}

impl Texts {
    /// Takes a request's.
    pub(super) fn fill(&mut self, visitor: &Visitor, head: &RequestHead, record: &Record) {
        self.full.clear();
        self.full.extend_from_slice(visitor.scheme().as_bytes());
        self.full.extend_from_slice(b"://");
        let host = self.full.len();
        self.full.extend_from_slice(bare_host(head.host().unwrap_or_default()).as_bytes());
        self.host = host..self.full.len();
        if let Some(host) = self.full.get_mut(host..) {
            host.make_ascii_lowercase();
        }
        let target = path_and_query(head);
        let (path, query) = split(&target);
        let begin = self.full.len();
        normalize(path, &mut self.full);
        self.path = begin..self.full.len();
        if let Some(query) = query {
            self.full.push(b'?');
            self.full.extend_from_slice(query);
        }
        self.raw_full.take();
        self.mime.take();
        self.joined.iter_mut().for_each(|joined| drop(joined.take()));
        self.seed.take();
        self.ray = record.ray.digits();
    }

    pub(super) fn capacity(&self) -> usize {
        self.full.capacity()
    }

    fn part(&self, range: Range<usize>) -> &[u8] {
        self.full.get(range).unwrap_or_default()
    }

    fn uri(&self) -> &[u8] {
        self.part(self.path.start..self.full.len())
    }

    fn query(&self) -> &[u8] {
        self.part(self.path.end..self.full.len()).strip_prefix(b"?").unwrap_or_default()
    }

    /// Scheme and host.
    fn origin(&self) -> &[u8] {
        self.part(0..self.path.start)
    }

    fn raw_uri(&self, head: &RequestHead) -> &[u8] {
        let raw = self.raw_full.get_or_init(|| [self.origin(), &*path_and_query(head)].concat());
        raw.get(self.path.start..).unwrap_or_default()
    }
}

/// Path, and query where there is one.
pub(super) fn split(target: &[u8]) -> (&[u8], Option<&[u8]>) {
    match target.iter().position(|byte| *byte == b'?') {
        Some(place) => (target.get(..place).unwrap_or_default(), target.get(place + 1..)),
        None => (target, None),
    }
}

/// An exchange as rules see it.
pub(super) struct Known<'a> {
    pub(super) texts: &'a Texts,
    pub(super) visitor: &'a Visitor,
    pub(super) head: &'a RequestHead,
    pub(super) record: &'a Record,
    pub(super) zone: &'a Zone,
    /// What was read of the body.
    pub(super) body: &'a FirstBytes,
    /// What the managed rules came to.
    pub(super) anomaly_score: u32,
    /// The answer, once there is one.
    pub(super) answer: Option<Seen<'a>>,
}

/// An answer as rules see it.
#[derive(Clone, Copy)]
pub(super) struct Seen<'a> {
    pub(super) head: &'a AnswerHead,
    /// The status, which a rule may have changed.
    pub(super) status: u16,
    /// A rule's own response is no page with a number.
    pub(super) is_own_response: bool,
    /// Milliseconds that the request has taken.
    pub(super) elapsed_ms: u64,
}

impl Seen<'_> {
    /// A field of the answer.
    pub(super) fn get(&self, name: &str) -> Option<&[u8]> {
        match self.head {
            AnswerHead::Passed(head) => head.fields.get(name),
            AnswerHead::Made { fields, .. } => {
                fields.iter().find(|(other, _)| other.eq_ignore_ascii_case(name)).map(|(_, value)| &**value)
            }
        }
    }
}

impl Known<'_> {
    /// A field as one text: all its values, or a second line would be a way past what is said of the first.
    fn header(&self, single: Single) -> Fact<'_> {
        let (name, separator) = single.name_and_separator();
        let mut values = self.head.fields.all(name);
        let first = values.next().unwrap_or_default();
        if values.next().is_none() {
            return Fact::Bytes(first);
        }
        let all = || self.head.fields.all(name).collect::<Vec<_>>().join(separator);
        let joined = self.texts.joined.get(single as usize);
        Fact::Bytes(joined.map_or(first, |joined| joined.get_or_init(all)))
    }

    /// The media type of the body, in lower case whatever way it is written (RFC 9110 §8.3.1).
    fn mime(&self) -> &[u8] {
        let written = media_type(self.head.fields.get("content-type"));
        if written.iter().any(u8::is_ascii_uppercase) {
            self.texts.mime.get_or_init(|| written.to_ascii_lowercase())
        } else {
            written
        }
    }

    /// The country, also where the zone does not tell its origins.
    fn country(&self) -> &'static str {
        country_of(self.record.client_ip)
    }

    fn raw_path(&self) -> &[u8] {
        split(self.texts.raw_uri(self.head)).0
    }

    fn raw_query(&self) -> &[u8] {
        split(self.texts.raw_uri(self.head)).1.unwrap_or_default()
    }

    fn seed(&self) -> &[u8] {
        self.texts.seed.get_or_init(|| {
            let mut bytes = [0; 32];
            // Without random numbers it is of the Ray ID, which no other request has.
            if rand::fill(&mut bytes).is_err() {
                bytes.iter_mut().zip(self.texts.ray.iter().cycle()).for_each(|(byte, digit)| *byte = *digit);
            }
            bytes
        })
    }

    fn verdict(&self) -> Option<&Verdict> {
        self.record.verdict.as_deref()
    }

    /// Milliseconds from the decision to ask the origin to its answer.
    fn origin_ms(&self) -> u64 {
        self.record.origin.as_ref().map_or(0, |origin| origin.header_us / 1000)
    }

    fn of_answer(&self, field: Field) -> Fact<'_> {
        let Some(answer) = &self.answer else { return Fact::Nothing };
        // What an origin sent itself is no page of the edge's.
        let shown =
            self.verdict().filter(|_| matches!(answer.head, AnswerHead::Made { .. }) && !answer.is_own_response);
        let number = |verdict: &Verdict| if verdict.number >= 1000 { verdict.number } else { 0 };
        match field {
            Field::ResponseCode => Fact::Int(answer.status.into()),
            Field::ResponseMediaType => Fact::Bytes(media_type(answer.get("content-type"))),
            Field::Response1xxxCode => Fact::Int(shown.map_or(0, number).into()),
            Field::ResponseErrorType => Fact::Bytes(shown.map_or("", error_type).as_bytes()),
            Field::TimingsEdge => int(answer.elapsed_ms.saturating_sub(self.origin_ms())),
            Field::TimingsOrigin => int(self.origin_ms()),
            _ => Fact::Nothing,
        }
    }
}

fn int(number: u64) -> Fact<'static> {
    Fact::Int(i64::try_from(number).unwrap_or(i64::MAX))
}

/// The kind of error that a page of the edge's is for ("Fields reference", `cf.response.error_type`).
fn error_type(verdict: &Verdict) -> &'static str {
    match verdict.code {
        Code::PolicyRulesCustomRule | Code::PolicyRulesManagedRule => "waf",
        Code::PolicyRulesRateLimited => "ratelimit",
        Code::PolicyRulesAddressBanned => "ip_ban",
        Code::PolicyRulesChallenged => "managed_challenge",
        _ if verdict.number >= 1000 => "1xxx",
        _ if (500..600).contains(&verdict.number) => "5xx",
        _ => "",
    }
}

/// A media type without its parameters, in the case in which it came.
fn media_type(value: Option<&[u8]>) -> &[u8] {
    value.unwrap_or_default().split(|byte| *byte == b';').next().unwrap_or_default().trim_ascii()
}

impl Facts for Known<'_> {
    fn fact(&self, field: Field) -> Fact<'_> {
        let (texts, record, visitor) = (self.texts, self.record, self.visitor);
        let tls = visitor.tls.as_ref();
        match field {
            Field::HttpHost => Fact::Bytes(texts.part(texts.host.clone())),
            Field::HttpCookie => self.header(Single::Cookie),
            Field::HttpReferer => self.header(Single::Referer),
            Field::HttpUserAgent => self.header(Single::UserAgent),
            Field::HttpXForwardedFor => self.header(Single::ForwardedFor),
            Field::Method => Fact::Bytes(self.head.method().as_bytes()),
            Field::Uri => Fact::Bytes(texts.uri()),
            Field::UriPath => Fact::Bytes(texts.part(texts.path.clone())),
            Field::UriQuery => Fact::Bytes(texts.query()),
            Field::FullUri => Fact::Bytes(&texts.full),
            Field::RawUri => Fact::Bytes(texts.raw_uri(self.head)),
            Field::RawUriPath => Fact::Bytes(self.raw_path()),
            Field::RawUriQuery => Fact::Bytes(self.raw_query()),
            Field::RawFullUri => {
                texts.raw_uri(self.head);
                Fact::Bytes(texts.raw_full.get().map_or(&[], Vec::as_slice))
            }
            Field::Version => Fact::Bytes(record.protocol.as_bytes()),
            Field::HeadersTruncated => Fact::Bool(false),
            Field::TimestampSec => Fact::Int(record.start.0.div_euclid(1_000_000_000)),
            Field::TimestampMsec => Fact::Int(record.start.0.rem_euclid(1_000_000_000) / 1_000_000),
            Field::BodyRaw => Fact::Bytes(self.body.bytes()),
            Field::BodySize => int(self.body.size(self.head)),
            Field::BodyTruncated => Fact::Bool(self.body.is_truncated()),
            Field::BodyMime => Fact::Bytes(self.mime()),
            Field::IpSrc => Fact::Ip(record.client_ip),
            Field::IpSrcAsnum => Fact::Int(asn_of(self.zone, record.client_ip).unwrap_or_default().into()),
            Field::IpSrcCountry => Fact::Bytes(self.country().as_bytes()),
            Field::IpSrcContinent => Fact::Bytes(places::continent(self.country()).as_bytes()),
            Field::IpSrcIsInEuropeanUnion => Fact::Bool(places::is_in_european_union(self.country())),
            Field::Ssl => Fact::Bool(tls.is_some()),
            Field::CfRayId => Fact::Bytes(&texts.ray),
            Field::CfRandomSeed => Fact::Bytes(self.seed()),
            Field::CfColoName => Fact::Bytes(record.colo.as_bytes()),
            Field::CfEdgeServerIp => Fact::Ip(canonical(visitor.local.ip())),
            Field::CfEdgeServerPort => Fact::Int(visitor.local.port().into()),
            Field::CfEdgeClientPort => Fact::Int(visitor.peer.port().into()),
            Field::CfZoneName => Fact::Bytes(self.zone.name.as_bytes()),
            Field::CfTlsVersion => Fact::Bytes(tls.map_or("", |tls| tls.protocol).as_bytes()),
            Field::CfTlsCipher => Fact::Bytes(tls.map_or("", |tls| tls.cipher).as_bytes()),
            Field::CfJa4 => Fact::Bytes(tls.map_or("", |tls| &tls.ja4).as_bytes()),
            Field::WafAnomalyScore => Fact::Int(self.anomaly_score.into()),
            Field::Verdict => Fact::Bytes(self.verdict().map_or("", |verdict| verdict.code.name()).as_bytes()),
            Field::VerdictParty => Fact::Bytes(self.verdict().map_or("", |verdict| verdict.party().name()).as_bytes()),
            answer if answer.stage() == rayline_rules::Stage::Response => self.of_answer(answer),
            // Maps and arrays, what others are made of, and what the checker lets nobody name.
            _ => Fact::Nothing,
        }
    }

    fn entries(&self, field: Field, each: &mut Each<'_>) {
        let fields = &self.head.fields;
        match field {
            Field::UriArgs => each_argument(self.texts.query(), each),
            Field::RawUriArgs => each_argument(self.raw_query(), each),
            Field::Headers => each_field(fields, each),
            Field::Cookies => each_cookie(fields, each),
            Field::AcceptedLanguages => each_language(fields.get("accept-language").unwrap_or_default(), each),
            Field::BodyForm if media_type(fields.get("content-type")).eq_ignore_ascii_case(FORM) => {
                each_argument(self.body.bytes(), each);
            }
            Field::BodyMultipartNames | Field::BodyMultipartValues | Field::BodyMultipartFilenames => {
                self.body.each_part(fields.get("content-type").unwrap_or_default(), field, each);
            }
            Field::ResponseHeaders => match self.answer.map(|answer| answer.head) {
                Some(AnswerHead::Passed(head)) => each_field(&head.fields, each),
                Some(AnswerHead::Made { fields, .. }) => {
                    let _ = fields.iter().try_for_each(|(name, value)| each(name.as_bytes(), value));
                }
                None => {}
            },
            // Single values, and what the evaluator makes of the others.
            _ => {}
        }
    }

    /// Until there is an answer, what was read of the body and the score are all that changes.
    fn revision(&self) -> Option<u64> {
        let flags = u64::from(self.body.was_read()) << 1 | u64::from(self.body.is_truncated());
        let body = (self.body.bytes().len() as u64) << 2 | flags;
        self.answer.is_none().then(|| body << 32 | u64::from(self.anomaly_score))
    }
}

/// The media type of a form.
const FORM: &[u8] = b"application/x-www-form-urlencoded";

/// An address of IPv4 that was met on a socket of IPv6 is one of IPv4.
fn canonical(ip: IpAddr) -> IpAddr {
    ip.to_canonical()
}

/// The country of an address, by what the regional registries have assigned it to; `XX` where nobody knows.
pub(super) fn country_of(ip: IpAddr) -> &'static str {
    iptocc::country_code(ip).unwrap_or("XX")
}

/// The autonomous system of an address, where the edge has a table of them.
fn asn_of(zone: &Zone, ip: IpAddr) -> Option<u32> {
    zone.rules.as_deref()?.lists().networks()?.find(ip)
}

fn each_field(fields: &Fields, each: &mut Each<'_>) {
    let _ = fields.iter().try_for_each(|(name, value)| each(name, value));
}

/// Each cookie, its name and its value (RFC 6265 §4.2.1).
pub(super) fn each_cookie(fields: &Fields, each: &mut Each<'_>) {
    for pair in fields.all("cookie").flat_map(|value| value.split(|byte| *byte == b';')) {
        let pair = pair.trim_ascii();
        let equals = pair.iter().position(|byte| *byte == b'=').unwrap_or(pair.len());
        let (name, value) = pair.split_at_checked(equals).unwrap_or((pair, b""));
        let value = value.strip_prefix(b"=").unwrap_or_default();
        if !name.is_empty() && each(name, value) == ControlFlow::Break(()) {
            return;
        }
    }
}

/// The most languages that are put in order.
const MOST_LANGUAGES: usize = 32;

/// Languages by falling weight (RFC 9110 §12.5.4); of two of the same weight the first is first.
fn each_language(value: &[u8], each: &mut Each<'_>) {
    let weight = |parameters: &[u8]| -> u16 {
        let Some(digits) = parameters.trim_ascii().strip_prefix(b"q=") else { return 1000 };
        let number = std::str::from_utf8(digits).ok().and_then(|digits| digits.trim().parse::<f32>().ok());
        // A weight has three digits behind its point.
        number.map_or(1000, |number| (number.clamp(0.0, 1.0) * 1000.0) as u16)
    };
    let mut languages: smallvec::SmallVec<[(u16, &[u8]); 8]> = value
        .split(|byte| *byte == b',')
        .take(MOST_LANGUAGES)
        .filter_map(|member| {
            let mut parts = member.splitn(2, |byte| *byte == b';');
            let language = parts.next()?.trim_ascii();
            let weight = parts.next().map_or(1000, weight);
            (!language.is_empty() && weight > 0).then_some((weight, language))
        })
        .collect();
    languages.sort_by_key(|(weight, _)| std::cmp::Reverse(*weight));
    let _ = languages.iter().try_for_each(|(_, language)| each(b"", language));
}

/// What a rule's block is called by its phase.
pub(super) fn cause_of(phase: rayline_rules::ruleset::Phase) -> RulesCause {
    use rayline_rules::ruleset::Phase;
    match phase {
        Phase::Ratelimit => RulesCause::RateLimited,
        Phase::FirewallManaged => RulesCause::ManagedRule,
        Phase::DynamicRedirect
        | Phase::RequestTransform
        | Phase::ConfigSettings
        | Phase::Origin
        | Phase::FirewallCustom
        | Phase::Redirect
        | Phase::LateTransform
        | Phase::CacheSettings
        | Phase::CustomErrors
        | Phase::ResponseHeadersTransform
        | Phase::ResponseCompression
        | Phase::LogCustomFields => RulesCause::CustomRule,
    }
}
