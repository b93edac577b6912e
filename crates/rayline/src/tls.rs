//! `rayline tls`: what each SSL mode would make of an origin, and what its TLS is like.

use std::io::{self, IsTerminal as _, Write};
use std::str::FromStr;
use std::time::{Duration, SystemTime};

use anstyle::Style;
use rayline_diagnose::tls::{Client, End, Finding, Http2, Offer, Options, Report, Visit, WithoutName, probe};
use rayline_diagnose::{Certificate, trust::Trust};
use rayline_verdict::Verdict;
use time::{Date, OffsetDateTime};

use crate::cli::Global;
use crate::cli::tls::TlsArgs;
use crate::output::{self, BOLD, CYAN, DIM, Exit, GREEN, RED, YELLOW, escaped, styled};

/// Columns of a row's name.
const NAME: usize = 13;

pub(crate) fn run(args: &TlsArgs, global: &Global) -> io::Result<Exit> {
    let trust = match Trust::load(&args.ca, std::env::var_os("SSL_CERT_FILE")) {
        Ok(trust) => trust,
        Err(why) => {
            output::fail(&why, None);
            return Ok(Exit::CouldNotRun);
        }
    };
    let client = match (&args.client_cert, &args.client_key) {
        (Some(certificate), Some(key)) => Client::load(certificate, key).map(Some),
        (Some(_) | None, _) => Ok(None),
    };
    let client = match client {
        Ok(client) => client,
        Err(why) => {
            output::fail(&why, None);
            return Ok(Exit::CouldNotRun);
        }
    };
    let options = Options {
        target: args.target.clone(),
        name: args.host.clone(),
        http_port: args.http_port,
        trust,
        client,
        timeout: args.timeout.0,
    };
    if io::stderr().is_terminal() {
        output::say(&format!("looking at {} …", args.target));
    }
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let report = match runtime.block_on(probe(options)) {
        Ok(report) => report,
        Err(trouble) => {
            output::fail(&trouble.to_string(), None);
            return Ok(Exit::CouldNotRun);
        }
    };
    // A name that the system still looks up is not waited for.
    runtime.shutdown_background();
    let mut out = output::stdout();
    let now = SystemTime::now();
    if global.json {
        print_json(&mut out, &report.to_json(now))?;
    } else {
        print(&mut out, &report, now, global.verbose > 0)?;
    }
    Ok(if report.is_fine() { Exit::Fine } else { Exit::Fault })
}

/// How long a step may take, as a person writes it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Patience(pub(crate) Duration);

impl FromStr for Patience {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (digits, unit) = match (text.strip_suffix("ms"), text.strip_suffix('s')) {
            (Some(digits), _) => (digits, 1),
            (None, Some(digits)) => (digits, 1000),
            (None, None) => (text, 1000),
        };
        let milliseconds = digits.parse::<u64>().ok().and_then(|count| count.checked_mul(unit));
        let allowed = milliseconds.filter(|count| (100..=120_000).contains(count));
        allowed.map(|count| Self(Duration::from_millis(count))).ok_or("write a time from `100ms` to `120s`")
    }
}

/// Line by line: the ends of lines are ours, and what stands in them is the origin's.
fn print_json(out: &mut impl Write, report: &serde_json::Value) -> io::Result<()> {
    for line in format!("{report:#}").lines() {
        writeln!(out, "{}", output::escaped_json(line))?;
    }
    Ok(())
}

fn print(out: &mut impl Write, report: &Report, now: SystemTime, verbose: bool) -> io::Result<()> {
    let addresses: Vec<_> = report.addresses.iter().map(ToString::to_string).collect();
    let name = report.name.as_deref().map_or_else(|| "no name".to_owned(), escaped);
    writeln!(out, "{} {}\n", styled(BOLD, name), styled(DIM, format_args!("at {}", addresses.join(", "))))?;
    print_modes(out, report)?;
    let (faults, notes): (Vec<_>, Vec<_>) = report.findings(now).into_iter().partition(|finding| finding.is_fault);
    if !faults.is_empty() || !notes.is_empty() {
        writeln!(out)?;
    }
    for Finding { text, .. } in &faults {
        writeln!(out, "{}: {}", styled(RED.bold(), "fault"), escaped(text))?;
    }
    if let Some(verdict) = report.verdict() {
        print_verdict(out, verdict, verbose)?;
    }
    for Finding { text, .. } in &notes {
        writeln!(out, "{}: {}", styled(YELLOW, "note"), escaped(text))?;
    }
    if !report.chain.is_empty() {
        print_certificate(out, report, now)?;
    }
    if !report.offers.is_empty() {
        print_tls(out, report)?;
    }
    Ok(())
}

fn print_modes(out: &mut impl Write, report: &Report) -> io::Result<()> {
    let rows: Vec<_> =
        report.modes.iter().map(|mode| (mode.mode.name(), said(&mode.https), said(&mode.http))).collect();
    let columns = rows.iter().map(|(_, (_, https), _)| https.chars().count()).max().unwrap_or_default().max(20) + 2;
    writeln!(out, "{}", styled(BOLD, format_args!("{:NAME$}{:columns$}visitor by HTTP", "mode", "visitor by HTTPS")))?;
    for (mode, (https_style, https), (http_style, http)) in rows {
        let gap = columns.saturating_sub(https.chars().count());
        let (https, http) = (styled(https_style, https), styled(http_style, http));
        writeln!(out, "{mode:NAME$}{https}{:gap$}{http}", "")?;
    }
    if let Some(end) = &report.without_client {
        let (style, text) = ended(end);
        writeln!(out, "\nwithout the client certificate: {}", styled(style, text))?;
    }
    Ok(())
}

/// A visit in a few words.
fn said(visit: &Visit) -> (Style, String) {
    let (style, text) = ended(&visit.end);
    // A loop says so itself.
    let redirected = visit.redirected && !matches!(visit.end, End::RedirectLoop);
    (style, if redirected { format!("redirected, {text}") } else { text })
}

/// What it comes to in a few words.
fn ended(end: &End) -> (Style, String) {
    match end {
        End::Works { status: None, .. } => (GREEN, "connects, no answer in time".to_owned()),
        End::Works { status: Some(status), location: None } if *status < 400 => (GREEN, format!("works ({status})")),
        // The mode does its part; whether `/` should answer so is not for it to say.
        End::Works { status: Some(status), location: None } => (YELLOW, format!("answers ({status})")),
        End::Works { status: Some(status), location: Some(location) } => {
            let shown: String = location.chars().take(60).collect();
            (GREEN, format!("works ({status} to {})", escaped(&shown)))
        }
        End::RedirectLoop => (RED, "redirect loop".to_owned()),
        End::Fails(verdict) => (RED, format!("{} {}", verdict.number, verdict.code.name())),
    }
}

fn print_verdict(out: &mut impl Write, verdict: &Verdict, verbose: bool) -> io::Result<()> {
    if !verdict.rivals.is_empty() {
        let rivals: Vec<_> = verdict.rivals.iter().map(|code| code.name()).collect();
        writeln!(out, "  it could also be {}", rivals.join(", "))?;
    }
    for fix in verdict.code.entry().fix {
        writeln!(out, "  {} {fix}", styled(CYAN, "fix:"))?;
    }
    if verbose {
        for fact in verdict.evidence.facts() {
            let value = output::escaped_json(&fact.value().to_string());
            writeln!(out, "  {}", styled(DIM, format_args!("{}: {value}", fact.key())))?;
        }
    }
    writeln!(out, "  `rayline explain {}` has a page on it", verdict.code.name())
}

fn print_certificate(out: &mut impl Write, report: &Report, now: SystemTime) -> io::Result<()> {
    let Some((leaf, issuers)) = report.chain.split_first() else { return Ok(()) };
    writeln!(out, "\n{}", styled(BOLD, "certificate"))?;
    row(out, "subject", &escaped(&leaf.subject))?;
    row(out, "issuer", &format!("{}{}", escaped(&leaf.issuer), if leaf.self_issued { " (itself)" } else { "" }))?;
    row(out, "names", &if leaf.names.is_empty() { "none".to_owned() } else { escaped(&leaf.names.join(", ")) })?;
    row(out, "valid", &validity(leaf, now))?;
    row(out, "key", &leaf.key)?;
    row(out, "sha256", &leaf.sha256)?;
    let sent: Vec<_> = issuers.iter().map(|issuer| escaped(&issuer.subject)).collect();
    row(out, "sent along", &if sent.is_empty() { "nothing".to_owned() } else { sent.join("; ") })?;
    row(out, "OCSP staple", if report.stapled { "yes" } else { "no" })?;
    for looked in &report.revocation {
        row(out, "revocation", &escaped(&format!("{}: {}", looked.subject, looked.in_words())))?;
    }
    if report.revocation.is_empty() {
        row(out, "revocation", "no certificate names a list by HTTP")?;
    }
    Ok(())
}

/// The dates, and how far the nearer one is.
fn validity(leaf: &Certificate, now: SystemTime) -> String {
    let date = |seconds: i64| OffsetDateTime::from_unix_timestamp(seconds).ok().map(OffsetDateTime::date);
    let shown = |date: Option<Date>| date.map_or_else(|| "?".to_owned(), |date| date.to_string());
    let now = OffsetDateTime::from(now).unix_timestamp();
    let days = |seconds: i64| seconds / (24 * 60 * 60);
    let how = if now < leaf.not_before {
        format!("begins in {} days", days(leaf.not_before - now))
    } else if now > leaf.not_after {
        format!("ended {} days ago", days(now - leaf.not_after))
    } else {
        format!("{} days left", days(leaf.not_after - now))
    };
    format!("{} to {} ({how})", shown(date(leaf.not_before)), shown(date(leaf.not_after)))
}

fn print_tls(out: &mut impl Write, report: &Report) -> io::Result<()> {
    writeln!(out, "\n{}", styled(BOLD, "TLS"))?;
    for offer in &report.offers {
        row(out, offer.version.name(), &offered(offer))?;
    }
    match &report.without_name {
        None => {}
        Some(WithoutName::Same) => row(out, "without SNI", "the same certificate")?,
        Some(WithoutName::Another(leaf)) => {
            let subject =
                leaf.as_ref().map_or_else(|| "one that cannot be read".to_owned(), |leaf| escaped(&leaf.subject));
            row(out, "without SNI", &format!("another certificate: {subject}"))?;
        }
        Some(WithoutName::Refused(why)) => row(out, "without SNI", &format!("no handshake: {}", escaped(why)))?,
    }
    let alpn = report.alpn.as_deref().map_or_else(|| "none agreed".to_owned(), escaped);
    row(out, "ALPN", &alpn)?;
    match &report.http2 {
        Http2::NotOffered => row(out, "HTTP/2", "not agreed"),
        Http2::Spoken => row(out, "HTTP/2", "agreed and spoken"),
        Http2::Broken(verdict) => row(out, "HTTP/2", &format!("agreed and broken: {}", verdict.code.name())),
    }
}

fn offered(offer: &Offer) -> String {
    let why = offer.why.as_deref().unwrap_or("it was not asked");
    match offer.offered {
        Some(true) => listed(&offer.ciphers, offer.complete),
        Some(false) => format!("no ({why})"),
        None => format!("not found out ({why})"),
    }
}

/// Words in lines that a screen holds, each under the first.
fn listed(words: &[String], complete: bool) -> String {
    let most = output::width().unwrap_or(100).saturating_sub(NAME + 2);
    let (mut text, mut used) = (String::new(), 0);
    for word in words {
        if used > 0 && used + word.len() + 1 > most {
            text.push_str(",\n");
            text.push_str(&" ".repeat(NAME + 2));
            used = 0;
        } else if used > 0 {
            text.push_str(", ");
        }
        text.push_str(word);
        used += word.len() + 2;
    }
    if complete { text } else { text + ", …" }
}

fn row(out: &mut impl Write, name: &str, value: &str) -> io::Result<()> {
    writeln!(out, "  {}{value}", styled(DIM, format_args!("{name:NAME$}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_is_written_with_or_without_its_unit() {
        for (text, milliseconds) in [("5", 5000), ("5s", 5000), ("250ms", 250), ("120", 120_000)] {
            assert_eq!(text.parse(), Ok(Patience(Duration::from_millis(milliseconds))), "{text}");
        }
        for text in ["", "0", "99ms", "121", "5m", "-1", "1.5", "99999999999999999999"] {
            assert!(text.parse::<Patience>().is_err(), "{text}");
        }
    }
}
