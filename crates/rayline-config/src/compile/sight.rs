//! `[store]`, `[[logpush]]`, `[trace]`, `[[alert]]` and `[[alert_receiver]]`.

use rayline_verdict::{Party, TABLE};

use crate::document::{At, Fields, shown};
use crate::keys::nearest;
use crate::plan::{Alert, AlertKind, Logpush, Receiver, ReceiverKind, Secret, Sight, Store, Trace};

/// What `destination_conf` may begin with.
const DESTINATIONS: [&str; 8] = [
    "file://",
    "http://",
    "https://",
    "s3://",
    "clickhouse+http://",
    "clickhouse+https://",
    "loki+http://",
    "loki+https://",
];

/// The longest name of a job or a receiver: it becomes the name of a folder.
const LONGEST_NAME: usize = 64;

/// Everything that is kept and sent elsewhere. `zones` are the names that an alert may ask for.
pub(crate) fn read_sight(root: &Fields<'_>, zones: &[String]) -> Sight {
    let receivers = named(root.tables("alert_receiver"), read_receiver);
    let names: Vec<&str> = receivers.iter().map(|receiver| receiver.name.as_str()).collect();
    let alerts = named(root.tables("alert"), |fields, name| read_alert(fields, name, zones, &names));
    Sight {
        store: read_store(&root.table("store")),
        logpush: named(root.tables("logpush"), read_logpush).into_iter().flatten().collect(),
        trace: read_trace(&root.table("trace")),
        alerts: alerts.into_iter().flatten().collect(),
        receivers,
    }
}

/// Tables that each have a name of their own. Those that lack one, or anything else they need, are read for their problems.
fn named<T>(tables: Vec<Fields<'_>>, read: impl Fn(&Fields<'_>, String) -> Option<T>) -> Vec<T> {
    let mut seen: Vec<String> = Vec::new();
    let mut all = Vec::new();
    for fields in &tables {
        let name = read_name(fields, &seen);
        let table = read(fields, name.clone().unwrap_or_default());
        seen.extend(name.clone());
        all.extend(name.and(table));
    }
    all
}

fn read_name(fields: &Fields<'_>, seen: &[String]) -> Option<String> {
    let name: At<String> = fields.required("name")?;
    let fits = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_');
    let wrong = if !name.value.chars().all(fits) || name.value.len() > LONGEST_NAME {
        format!("`{}` is no name: letters, digits, `-` and `_`, at most {LONGEST_NAME}", shown(&name.value))
    } else if seen.contains(&name.value) {
        format!("`{}` is the name of another one", name.value)
    } else {
        return Some(name.value);
    };
    fields.report.push(name.place.error(wrong));
    None
}

fn read_store(fields: &Fields<'_>) -> Option<Store> {
    let enabled: bool = fields.take("enabled");
    let store = Store {
        requests_age: fields.take("requests_age"),
        counts_age: fields.take("counts_age"),
        max_bytes: fields.take("max_bytes"),
        mask_addresses: fields.take("mask_addresses"),
        mask_queries: fields.take("mask_queries"),
    };
    enabled.then_some(store)
}

fn read_logpush(fields: &Fields<'_>, name: String) -> Option<Option<Logpush>> {
    let enabled: bool = fields.take("enabled");
    let destination: Option<At<String>> = fields.required("destination_conf");
    if let Some(destination) = &destination
        && !DESTINATIONS.iter().any(|scheme| destination.value.starts_with(scheme))
    {
        let problem = destination.place.error("this is no destination");
        fields.report.push(problem.hint(format!("it begins with one of {}", DESTINATIONS.join(", "))));
    }
    let job = Logpush {
        name,
        destination: Secret(destination.as_ref().map(|at| at.value.clone()).unwrap_or_default()),
        filter: fields.optional("filter").unwrap_or_default(),
        field_names: fields
            .take::<Vec<At<String>>>("field_names")
            .into_iter()
            .filter_map(|at| field(fields, at))
            .collect(),
        sample_rate: fields.take("sample_rate"),
        max_upload_bytes: fields.take("max_upload_bytes"),
        max_upload_records: fields.take("max_upload_records"),
        max_upload_interval: fields.take("max_upload_interval"),
        max_spool_bytes: fields.take("max_spool_bytes"),
    };
    destination.map(|_| enabled.then_some(job))
}

/// The name of a field of the request log.
fn field(fields: &Fields<'_>, written: At<String>) -> Option<String> {
    let known = rayline_verdict::log_line::FIELDS.iter().map(|field| field.name);
    if known.clone().any(|name| name == written.value) {
        return Some(written.value);
    }
    let problem = written.place.error(format!("the request log has no field `{}`", shown(&written.value)));
    fields.report.push(match nearest(&written.value, known) {
        Some(near) => problem.hint(format!("did you mean `{near}`?")),
        None => problem.hint("docs/guide/request-log.md lists them"),
    });
    None
}

fn read_trace(fields: &Fields<'_>) -> Trace {
    let endpoint: Option<At<String>> = fields.optional("endpoint");
    let endpoint = endpoint.and_then(|at| web_address(fields, at));
    let headers: Vec<At<String>> = fields.take("headers");
    let header = |at: At<String>| match at.value.split_once(':') {
        Some((name, value)) if !name.trim().is_empty() => {
            Some((name.trim().to_owned(), Secret(value.trim().to_owned())))
        }
        _ => {
            fields.report.push(at.place.error("this is no field").hint("write it as `name: value`"));
            None
        }
    };
    Trace {
        endpoint: endpoint.map(Secret),
        headers: headers.into_iter().filter_map(header).collect(),
        sample_rate: fields.take("sample_rate"),
        propagate: fields.take("propagate"),
    }
}

fn web_address(fields: &Fields<'_>, written: At<String>) -> Option<String> {
    if written.value.starts_with("http://") || written.value.starts_with("https://") {
        return Some(written.value);
    }
    fields.report.push(written.place.error("this is no URL").hint("it begins with `http://` or `https://`"));
    None
}

fn read_alert(fields: &Fields<'_>, name: String, zones: &[String], receivers: &[&str]) -> Option<Option<Alert>> {
    let enabled: bool = fields.take("enabled");
    let wanted: Vec<At<String>> = fields.required("receivers").unwrap_or_default();
    if wanted.is_empty() && fields.written("receivers").is_some() {
        fields.report.push(fields.place.error(format!("nobody is told of `{name}`")).hint("name a receiver"));
    }
    let kind: Option<AlertKind> = fields.required("alert_type");
    let alert = Alert {
        name,
        kind: kind.unwrap_or(AlertKind::FailureRate),
        zones: one_of(fields, fields.take("zones"), zones.iter().map(String::as_str), "zone"),
        parties: fields.take::<Vec<At<String>>>("parties").into_iter().filter_map(|at| party(fields, &at)).collect(),
        codes: fields.take::<Vec<At<String>>>("codes").into_iter().filter_map(|at| code(fields, at)).collect(),
        threshold: fields.take("threshold"),
        objective: fields.take("objective"),
        window: fields.take("window"),
        min_requests: fields.take("min_requests"),
        before: fields.take("before"),
        receivers: one_of(fields, wanted, receivers.iter().copied(), "[[alert_receiver]]"),
        repeat: fields.take("repeat"),
        quiet_minutes: fields.optional("quiet_hours").and_then(|at| quiet(fields, &at)),
    };
    kind.map(|_| enabled.then_some(alert))
}

/// Those that are known; of the others a problem is left.
fn one_of<'a>(
    fields: &Fields<'_>,
    written: Vec<At<String>>,
    known: impl Iterator<Item = &'a str> + Clone,
    what: &str,
) -> Vec<String> {
    let check = |at: At<String>| {
        if known.clone().any(|name| name == at.value) {
            return Some(at.value);
        }
        let problem = at.place.error(format!("there is no {what} `{}`", shown(&at.value)));
        fields.report.push(match nearest(&at.value, known.clone()) {
            Some(near) => problem.hint(format!("did you mean `{near}`?")),
            None => problem,
        });
        None
    };
    written.into_iter().filter_map(check).collect()
}

fn party(fields: &Fields<'_>, written: &At<String>) -> Option<Party> {
    let found = Party::ALL.into_iter().find(|party| party.name() == written.value);
    if found.is_none() {
        let names: Vec<String> = Party::ALL.iter().map(|party| format!("`{}`", party.name())).collect();
        let problem = written.place.error(format!("`{}` is no party", shown(&written.value)));
        fields.report.push(problem.hint(format!("parties are {}", names.join(", "))));
    }
    found
}

fn code(fields: &Fields<'_>, written: At<String>) -> Option<String> {
    if TABLE.iter().any(|row| row.name.starts_with(&written.value)) {
        return Some(written.value);
    }
    let problem = written.place.error(format!("no code begins with `{}`", shown(&written.value)));
    fields.report.push(match nearest(&written.value, TABLE.iter().map(|row| row.name)) {
        Some(near) => problem.hint(format!("did you mean `{near}`?")),
        None => problem.hint("`rayline explain` lists them"),
    });
    None
}

/// `22:00-06:00`, in minutes of the day.
fn quiet(fields: &Fields<'_>, written: &At<String>) -> Option<(u16, u16)> {
    let minute = |text: &str| {
        let (hour, minute) = text.trim().split_once(':')?;
        let (hour, minute): (u16, u16) = (hour.parse().ok()?, minute.parse().ok()?);
        (hour < 24 && minute < 60).then_some(hour * 60 + minute)
    };
    let span = written.value.split_once('-').and_then(|(from, to)| minute(from).zip(minute(to)));
    let span = span.filter(|(from, to)| from != to);
    if span.is_none() {
        let problem = written.place.error(format!("`{}` is no span of hours", shown(&written.value)));
        fields.report.push(problem.hint("write it as `22:00-06:00`, in UTC"));
    }
    span
}

fn read_receiver(fields: &Fields<'_>, name: String) -> Option<Receiver> {
    let kind: Option<ReceiverKind> = fields.required("type");
    let needs = |key: &str, present: bool| {
        if !present {
            fields.report.push(fields.place.error(format!("a receiver of this type needs `{key}`")));
        }
    };
    let url: Option<At<String>> = fields.optional("url");
    let (from, to, command) =
        (fields.optional::<String>("from"), fields.take::<Vec<String>>("to"), fields.take::<Vec<String>>("command"));
    let secret: Option<String> = fields.optional("secret");
    let kind = kind?;
    let url = match kind {
        ReceiverKind::Command => {
            needs("command", !command.is_empty());
            String::new()
        }
        ReceiverKind::Email => {
            needs("from", from.is_some());
            needs("to", !to.is_empty());
            needs("url", url.is_some());
            url.and_then(|at| mail_server(fields, at)).unwrap_or_default()
        }
        ReceiverKind::PagerDuty => {
            needs("secret", secret.is_some());
            let usual = || "https://events.pagerduty.com/v2/enqueue".to_owned();
            url.map_or_else(|| Some(usual()), |at| web_address(fields, at)).unwrap_or_default()
        }
        ReceiverKind::Webhook | ReceiverKind::Slack | ReceiverKind::Discord | ReceiverKind::Teams => {
            needs("url", url.is_some());
            url.and_then(|at| web_address(fields, at)).unwrap_or_default()
        }
    };
    let (url, secret) = (Secret(url), secret.map(Secret));
    Some(Receiver { name, kind, url, secret, from: from.unwrap_or_default(), to, command })
}

fn mail_server(fields: &Fields<'_>, written: At<String>) -> Option<String> {
    if written.value.starts_with("smtp://") || written.value.starts_with("smtps://") {
        return Some(written.value);
    }
    let hint = "write it as `smtp://user:password@host:587` (STARTTLS) or `smtps://user:password@host`";
    fields.report.push(written.place.error("this is no mail server").hint(hint));
    None
}
