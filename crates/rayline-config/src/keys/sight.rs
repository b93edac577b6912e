//! The keys of what is kept of requests and sent elsewhere: the store, log push, traces, alerts.

use std::time::Duration;

use super::{Key, Kind, Otherwise, Section};
use crate::plan::{AlertKind, ReceiverKind};
use crate::value::names;

use Otherwise::{Default, Nothing, Required};

const MINUTE: Duration = Duration::from_secs(60);
const HOUR: Duration = Duration::from_secs(3600);
const DAY: Duration = Duration::from_secs(86_400);

const NAME: Kind = Kind::Text("a name of letters, digits, `-` and `_`");

pub(crate) static STORE: Section = Section {
    path: "store",
    doc: "The analytics store, in `data_dir/store`: what the dashboard, `rayline ray` and alerts are told from. Every failed \
          request is kept whole, successes are sampled, counts are exact",
    keys: &[
        Key { name: "enabled", kind: Kind::Switch, otherwise: Default("\"on\""), doc: "Whether anything is stored" },
        Key {
            name: "requests_age",
            kind: Kind::Time { min: HOUR, max: Duration::from_secs(400 * 86_400) },
            otherwise: Default("\"30d\""),
            doc: "How long requests are kept",
        },
        Key {
            name: "counts_age",
            kind: Kind::Time { min: HOUR, max: Duration::from_secs(4000 * 86_400) },
            otherwise: Default("\"400d\""),
            doc: "How long the counts by minute and hour are kept",
        },
        Key {
            name: "max_bytes",
            kind: Kind::Whole { min: 16 << 20, max: 1 << 44, unit: "bytes" },
            otherwise: Default("4294967296"),
            doc: "How much the store may hold on disk, its journals included; beyond it the oldest requests go first, then the \
                  oldest counts, and never a journal. It is looked at every ten minutes and after each file; what comes in \
                  between, and what is being merged, goes beyond it for so long",
        },
        Key {
            name: "mask_addresses",
            kind: Kind::Switch,
            otherwise: Default("\"off\""),
            doc: "Whether visitors' addresses lose their last parts in the store: all but /24 of IPv4, /48 of IPv6",
        },
        Key {
            name: "mask_queries",
            kind: Kind::Switch,
            otherwise: Default("\"on\""),
            doc: "Whether the values in queries are taken out before a request is stored",
        },
    ],
    later: &[],
};

pub(crate) static LOGPUSH: Section = Section {
    path: "logpush",
    doc: "One job that sends the request log elsewhere, after Cloudflare's Logpush. What a receiver does not take waits on disk \
          and is sent again; each line arrives at least once",
    keys: &[
        Key {
            name: "name",
            kind: NAME,
            otherwise: Required { example: "\"archive\"" },
            doc: "What the job is called; its lines wait in `data_dir/push/NAME`",
        },
        Key {
            name: "destination_conf",
            kind: Kind::Text("a URL such as `\"s3://bucket/prefix?region=eu-west-1\"`"),
            otherwise: Required { example: "\"https://logs.example.com/in\"" },
            doc: "Where to: `file:`, `http:`, `https:`, `s3:`, `clickhouse+http(s):` or `loki+http(s):`",
        },
        Key { name: "enabled", kind: Kind::Switch, otherwise: Default("\"on\""), doc: "Whether the job runs" },
        Key {
            name: "filter",
            kind: Kind::Text("conditions such as `\"failures&party=origin\"`"),
            otherwise: Nothing { means: "all requests", example: "\"failures\"" },
            doc: "Which requests, in the words of `rayline tail`: `zone`, `status`, `party`, `code`, `failures`, joined by `&`",
        },
        Key {
            name: "field_names",
            kind: Kind::List(&Kind::Text("a field of the request log")),
            otherwise: Default("[]"),
            doc: "Which fields; none named means all",
        },
        Key {
            name: "sample_rate",
            kind: Kind::Share,
            otherwise: Default("1.0"),
            doc: "Which share of the requests without a verdict; those with one are all sent",
        },
        Key {
            name: "max_upload_bytes",
            kind: Kind::Whole { min: 1024, max: 1 << 30, unit: "bytes" },
            otherwise: Default("5000000"),
            doc: "How long a batch may be before it is packed",
        },
        Key {
            name: "max_upload_records",
            kind: Kind::Whole { min: 1, max: 1_000_000, unit: "" },
            otherwise: Default("100000"),
            doc: "How many requests a batch may have",
        },
        Key {
            name: "max_upload_interval",
            kind: Kind::Time { min: Duration::from_secs(1), max: HOUR },
            otherwise: Default("\"30s\""),
            doc: "How long a request may wait for its batch to fill",
        },
        Key {
            name: "max_spool_bytes",
            kind: Kind::Whole { min: 1 << 20, max: 1 << 42, unit: "bytes" },
            otherwise: Default("1073741824"),
            doc: "How much may wait on disk for a receiver that takes nothing; then the oldest is dropped, and counted",
        },
    ],
    later: &[],
};

pub(crate) static TRACE: Section = Section {
    path: "trace",
    doc: "OpenTelemetry: a trace per request, a span per phase, the verdict as their status",
    keys: &[
        Key {
            name: "endpoint",
            kind: Kind::Text("a URL such as `\"http://127.0.0.1:4318/v1/traces\"`"),
            otherwise: Nothing { means: "no traces are sent", example: "\"http://127.0.0.1:4318/v1/traces\"" },
            doc: "The collector, spoken to by OTLP over HTTP",
        },
        Key {
            name: "headers",
            kind: Kind::List(&Kind::Text("a field such as `\"authorization: Bearer TOKEN\"`")),
            otherwise: Default("[]"),
            doc: "Sent to the collector with each batch",
        },
        Key {
            name: "sample_rate",
            kind: Kind::Share,
            otherwise: Default("0.01"),
            doc: "Which share of the requests without a verdict; those with one are all sent",
        },
        Key {
            name: "propagate",
            kind: Kind::Switch,
            otherwise: Default("\"off\""),
            doc: "Whether origins are given `traceparent` (W3C Trace Context): the visitor's, or a new one",
        },
    ],
    later: &[],
};

pub(crate) static ALERT: Section = Section {
    path: "alert",
    doc: "One thing worth telling somebody of. What is told is the verdict: whose fault, the evidence, since when, how many, \
          what to do",
    keys: &[
        Key {
            name: "name",
            kind: NAME,
            otherwise: Required { example: "\"origin\"" },
            doc: "What the alert is called",
        },
        Key {
            name: "alert_type",
            kind: Kind::OneOf(names::<AlertKind>),
            otherwise: Required { example: "\"failure_rate\"" },
            doc: "When: `failure_rate`, the share of failed requests passes `threshold`; `new_code`, a failure of a kind not seen \
                  before; `burn_rate`, the error budget of `objective` is used up `threshold` times too fast; `certificate`, one \
                  ends within `before`; `near_timeout`, the 99th percentile of the origin's answers comes near the read time-out; `rollback`, \
                  the edge takes back a version that it was rolling out",
        },
        Key { name: "enabled", kind: Kind::Switch, otherwise: Default("\"on\""), doc: "Whether it is watched for" },
        Key {
            name: "zones",
            kind: Kind::List(&Kind::Text("a zone's name")),
            otherwise: Default("[]"),
            doc: "Of which zones; none named means each",
        },
        Key {
            name: "parties",
            kind: Kind::List(&Kind::Text(
                "`\"owner\"`, `\"edge\"`, `\"network\"` or `\"origin\"`, even `\"visitor\"` or `\"policy\"`",
            )),
            otherwise: Default("[\"owner\", \"edge\", \"network\", \"origin\"]"),
            doc: "Whose faults count",
        },
        Key {
            name: "codes",
            kind: Kind::List(&Kind::Text("a code, or its beginning such as `\"origin.connect.\"`")),
            otherwise: Default("[]"),
            doc: "Which codes count; none named means all of the parties",
        },
        Key {
            name: "threshold",
            kind: Kind::Decimal { min: 0.0, max: 1000.0 },
            otherwise: Default("5.0"),
            doc: "Percent of requests for `failure_rate`; how many times too fast for `burn_rate`; percent of the time-out for \
                  `near_timeout`, where 80 is sensible",
        },
        Key {
            name: "objective",
            kind: Kind::Decimal { min: 50.0, max: 99.999 },
            otherwise: Default("99.9"),
            doc: "Percent of requests that are to go well, for `burn_rate`",
        },
        Key {
            name: "window",
            kind: Kind::Time { min: MINUTE, max: DAY },
            otherwise: Default("\"5m\""),
            doc: "Over which time",
        },
        Key {
            name: "min_requests",
            kind: Kind::Whole { min: 1, max: 1_000_000_000, unit: "" },
            otherwise: Default("20"),
            doc: "How many requests the window must have before a share of them means anything",
        },
        Key {
            name: "before",
            kind: Kind::Time { min: HOUR, max: Duration::from_secs(90 * 86_400) },
            otherwise: Default("\"14d\""),
            doc: "How long before a certificate's end, for `certificate`",
        },
        Key {
            name: "receivers",
            kind: Kind::List(&Kind::Text("the name of an `[[alert_receiver]]`")),
            otherwise: Required { example: "[\"ops\"]" },
            doc: "Who is told",
        },
        Key {
            name: "repeat",
            kind: Kind::Time { min: MINUTE, max: Duration::from_secs(30 * 86_400) },
            otherwise: Default("\"4h\""),
            doc: "After which time it is told again while it goes on",
        },
        Key {
            name: "quiet_hours",
            kind: Kind::Text("hours of the day in UTC such as `\"22:00-06:00\"`"),
            otherwise: Nothing { means: "none", example: "\"22:00-06:00\"" },
            doc: "When nobody is told; what goes on after them is told then",
        },
    ],
    later: &[],
};

pub(crate) static ALERT_RECEIVER: Section = Section {
    path: "alert_receiver",
    doc: "Somebody who is told of alerts",
    keys: &[
        Key {
            name: "name",
            kind: NAME,
            otherwise: Required { example: "\"ops\"" },
            doc: "What `receivers` of an alert names",
        },
        Key {
            name: "type",
            kind: Kind::OneOf(names::<ReceiverKind>),
            otherwise: Required { example: "\"slack\"" },
            doc: "How: by HTTP in the shape that this service reads, by e-mail, or by a command",
        },
        Key {
            name: "url",
            kind: Kind::Text("a URL"),
            otherwise: Nothing { means: "none", example: "\"https://hooks.example.com/services/T0/B0/x\"" },
            doc: "Where to: the webhook's address; of `email` the server, as `smtp://user:password@host:587`, `smtps:` or `smtp:`",
        },
        Key {
            name: "secret",
            kind: Kind::Text("a text"),
            otherwise: Nothing { means: "none", example: "\"…\"" },
            doc: "Sent as `cf-webhook-auth` with a `webhook`; the routing key of `pagerduty`",
        },
        Key {
            name: "from",
            kind: Kind::Text("a mail address"),
            otherwise: Nothing { means: "none", example: "\"rayline@example.com\"" },
            doc: "The sender of an `email`",
        },
        Key {
            name: "to",
            kind: Kind::List(&Kind::Text("a mail address")),
            otherwise: Default("[]"),
            doc: "The recipients of an `email`",
        },
        Key {
            name: "command",
            kind: Kind::List(&Kind::Text("a word of the command")),
            otherwise: Default("[]"),
            doc: "The program of a `command` and its arguments; it gets the alert as JSON on standard input",
        },
    ],
    later: &[],
};
