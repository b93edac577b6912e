//! What was seen past the edge: the origin asked directly, its TLS, the way to it.

use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use rayline_verdict::{Code, Phase, Verdict};

use super::page::{lasting, words};
use super::{Observation, What};
use crate::case::Origin;
use crate::conclude::candidates;
use crate::conclude::scene::{PATIENCE, Scene, Symptom, is_ours};
use crate::direct::{Asked, Direct, Rival, RivalKind};
use crate::fetch::{Answer, BodyEnd, Obstacle};
use crate::tls::{End, Http2, Mode, Report, Scheme};
use crate::visit::Failing;

/// The largest header section that an edge takes as it comes, in bytes, by its documentation: nginx `proxy_buffer_size`,
/// HAProxy `tune.bufsize`, "Cloudflare 5xx errors".
const HEADER_ROOM: &[(&str, usize)] =
    &[("nginx", 4096), ("OpenResty", 4096), ("HAProxy", 16 * 1024), ("Cloudflare", 128 * 1024)];
/// The same of any other edge.
const ROOM: usize = 32 * 1024;

pub(super) fn observe(scene: &Scene<'_>, symptom: &Symptom<'_>, page: &[Observation]) -> Vec<Observation> {
    let mut all = Vec::new();
    if let Some(direct) = &scene.seen.direct {
        all.extend(asked(scene, symptom, direct, page));
        all.extend(direct.rivals.iter().filter_map(|rival| rival_seen(symptom, direct, rival, scene)));
    }
    all.extend(tls(scene, page));
    let way = network(scene, symptom, page, &all);
    all.extend(way);
    all
}

/// How a direct request ended.
enum Ended<'a> {
    Failed(&'a Verdict),
    Silent(Duration),
    Error(&'a Answer),
    Blank,
    Well(&'a Answer),
}

/// `None` for one that says nothing of the origin.
fn ended(asked: &Asked) -> Option<Ended<'_>> {
    Some(match &asked.exchange.outcome {
        Err(Obstacle::Fault(verdict)) if is_ours(verdict.code) => return None,
        Err(Obstacle::Fault(verdict)) => Ended::Failed(verdict),
        Err(Obstacle::Silent { waited }) => Ended::Silent(*waited),
        Ok(Answer { end: BodyEnd::Broken(verdict), .. }) => Ended::Failed(verdict),
        Ok(_) if asked.failing == Some(Failing::Blank) => Ended::Blank,
        Ok(answer) if answer.status >= 500 => Ended::Error(answer),
        Ok(answer) => Ended::Well(answer),
    })
}

fn asked(scene: &Scene<'_>, symptom: &Symptom<'_>, direct: &Direct, page: &[Observation]) -> Vec<Observation> {
    let ends: Vec<(&Asked, Ended<'_>)> =
        direct.asked.iter().filter_map(|asked| ended(asked).map(|end| (asked, end))).collect();
    // Another port of the same machine.
    let served = |address: SocketAddr| {
        let connects = |end: &Ended<'_>| !matches!(end, Ended::Failed(verdict) if verdict.phase() == Phase::Connect);
        ends.iter().any(|(other, end)| other.address.ip() == address.ip() && connects(end))
    };
    let works = |address: SocketAddr| {
        ends.iter().any(|(other, end)| other.address.ip() == address.ip() && matches!(end, Ended::Well(_)))
    };
    let known = scene.edge.is_some_and(|edge| edge.is_known);
    let told = |code: Code| known && page.iter().any(|seen| seen.code == Some(code) && seen.what != What::Met);
    // Only where the page says that it did not come to a connection, and the port goes by the SSL mode.
    let by_mode = matches!(symptom.number(), 521 | 522);
    let mut all = Vec::new();
    let mut flaws = 0;
    let mut well = None;
    for (asked, end) in &ends {
        let way = way(asked);
        match end {
            // Over HTTP/2 alone: that is one of the rivals.
            Ended::Failed(_) | Ended::Error(_) | Ended::Silent(_) | Ended::Blank if asked.http2 => {}
            Ended::Failed(verdict) if verdict.phase() == Phase::Connect && served(asked.address) => {
                let sentence = format!("past the edge, {way}, {}, and another port serves", words(verdict.sentence()));
                all.extend(by_mode.then(|| Observation::new(What::OtherPort, sentence).of(Code::OwnerRouteWrongPort)));
            }
            Ended::Failed(verdict) => {
                flaws += 1;
                let barred = verdict.phase() == Phase::Connect && !told(verdict.code) && !is_near(scene, asked.address);
                let what = if barred { What::DirectBarred } else { What::DirectFails };
                let sentence = format!("past the edge, {way}, {}", words(verdict.sentence()));
                let share = match barred {
                    true => of_barred(scene, symptom, page, verdict.code),
                    // The edge may come by the way that works.
                    false if works(asked.address) && !told(verdict.code) => 0.6,
                    false => 1.0,
                };
                all.push(Observation::new(what, sentence).judged(verdict).counting(share));
            }
            Ended::Silent(waited) => {
                flaws += 1;
                let sentence = format!("past the edge, {way}, nothing came in {} either", lasting(*waited));
                let share = if gave_up_sooner(symptom, *waited) { 0.3 } else { 1.0 };
                let what = if *waited < PATIENCE { What::DirectNotYet } else { What::DirectSlow };
                all.push(Observation::new(what, sentence).of(Code::OriginWaitTimedOut).counting(share));
            }
            Ended::Blank => {
                flaws += 1;
                let sentence = format!("past the edge, {way}, the page is blank too");
                all.push(Observation::new(What::DirectBlank, sentence).of(Code::OriginWaitBlank));
            }
            Ended::Error(answer) => {
                flaws += 1;
                let same = symptom.answer().is_some_and(|seen| seen.status == answer.status);
                let what = if same { What::DirectSame } else { What::DirectOther };
                let who = asked.recognition.author.as_ref().map(|mark| format!(", written by {}", mark.name));
                let sentence = format!(
                    "past the edge, {way}, the origin itself answers {}{}",
                    answer.status,
                    who.unwrap_or_default()
                );
                let seen = Observation::new(what, sentence).of(Code::OriginWaitErrorStatus);
                all.push(seen.answering(answer.status));
            }
            Ended::Well(answer) => {
                well = well.or(Some((way, *answer)));
                all.extend(large_head(scene, answer));
            }
        }
    }
    if let Some((way, answer)) = well.filter(|_| flaws == 0) {
        let sentence = format!("past the edge, {way}, it works ({})", answer.status);
        // What fails now and then may only have been lucky here.
        let rate = scene.seen.visit.rate.filter(|rate| rate.of > 0);
        let share = rate.map_or(1.0, |rate| f64::from(rate.failed) / f64::from(rate.of));
        all.push(Observation::new(What::DirectWorks, sentence).counting(share));
        all.extend(unconnected(scene, symptom));
        all.extend(port(scene, symptom, direct, share));
    }
    once(all)
}

/// Whether the edge answered with an error long before this time had passed: then it is not silence that it met.
fn gave_up_sooner(symptom: &Symptom<'_>, waited: Duration) -> bool {
    let took = symptom.sample().filter(|sample| sample.exchange.outcome.is_ok()).map(|it| it.exchange.timings.total);
    !matches!(symptom.number(), 504 | 524) && took.is_some_and(|took| took.saturating_mul(2) < waited)
}

/// That the edge alone gets no connection, if that is what its number says.
fn unconnected(scene: &Scene<'_>, symptom: &Symptom<'_>) -> Option<Observation> {
    let share = match symptom.number() {
        521..=523 => 1.0,
        // Or it waited for the answer.
        504 => 0.5,
        _ => return None,
    };
    let sentence = format!("{} gets no connection to the origin, and others do", scene.edge_name());
    Some(Observation::new(What::Unconnected, sentence).of(Code::OriginConnectEdgeBlocked).counting(share))
}

/// What the port that works says of an edge that gets no connection: whether it connects there at all.
fn port(scene: &Scene<'_>, symptom: &Symptom<'_>, direct: &Direct, share: f64) -> Option<Observation> {
    let share = match symptom.number() {
        521 => share,
        // Or a firewall is silent on both.
        522 => share * 0.5,
        _ => return None,
    };
    let works = direct.asked.iter().find(|asked| matches!(ended(asked), Some(Ended::Well(_))))?;
    let (ip, port) = (works.address.ip(), works.address.port());
    let same = |origin: &&Origin| {
        origin.target.address() == Some(ip) || origin.target.host.eq_ignore_ascii_case(&works.origin.target.host)
    };
    let configured: Vec<u16> = scene.case.edge_origins.iter().filter(same).flat_map(Origin::ports).collect();
    let name = scene.edge_name();
    Some(
        match configured.first() {
            Some(_) if configured.contains(&port) => {
                let sentence = format!("the configuration has {name} connect to port {port}, where the origin works");
                Observation::new(What::ConfiguredThere, sentence).of(Code::OriginConnectEdgeBlocked)
            }
            Some(other) => {
                let sentence =
                    format!("the configuration has {name} connect to port {other}, and the origin works at {port}");
                Observation::new(What::ConfiguredElsewhere, sentence).of(Code::OwnerRouteWrongPort)
            }
            None if [80, 443, scene.case.port()].contains(&port) => return None,
            None => {
                let sentence =
                    format!("the origin works at port {port}, and edges connect to 80 or 443 unless they are told");
                Observation::new(What::UnusualPort, sentence).of(Code::OwnerRouteWrongPort)
            }
        }
        .counting(share),
    )
}

/// How much it says that no connection is made from here: little where the edge says that it made one, and less than it
/// might where it goes with another status.
fn of_barred(scene: &Scene<'_>, symptom: &Symptom<'_>, page: &[Observation], code: Code) -> f64 {
    let known = scene.edge.is_some_and(|edge| edge.is_known);
    let names_another = |seen: &Observation| matches!(seen.what, What::Told | What::ToldToo) && seen.code != Some(code);
    let fits = |seen: &Observation| seen.code == Some(code) && seen.what != What::Met;
    let says_otherwise =
        |seen: &Observation| seen.what.names_the_author() || (known && names_another(seen) && !page.iter().any(fits));
    if page.iter().any(says_otherwise) {
        return 0.15;
    }
    match (symptom.number(), code) {
        (502, Code::NetworkConnectTimedOut) | (504, Code::OriginConnectRefused) => 0.3,
        _ => 1.0,
    }
}

/// The same seen twice is one observation: the first.
fn once(all: Vec<Observation>) -> Vec<Observation> {
    let mut kept: Vec<Observation> = Vec::new();
    for seen in all {
        if kept.iter().all(|other| (other.what, other.code) != (seen.what, seen.code)) {
            kept.push(seen);
        }
    }
    kept
}

fn way(asked: &Asked) -> String {
    let version = if asked.http2 { ", HTTP/2" } else { "" };
    format!("at {} ({}{version})", asked.address, asked.scheme.name())
}

/// Whether a refusal by this address is the server's own: nothing stands between that admits edges alone.
fn is_near(scene: &Scene<'_>, address: SocketAddr) -> bool {
    scene.case.here
        || match address.ip() {
            IpAddr::V4(ip) => ip.is_loopback() || ip.is_private() || ip.is_link_local(),
            IpAddr::V6(ip) => ip.is_loopback() || ip.is_unique_local() || ip.is_unicast_link_local(),
        }
}

fn large_head(scene: &Scene<'_>, answer: &Answer) -> Option<Observation> {
    let bytes: usize = answer.fields.iter().map(|(name, value)| name.len() + value.len() + 4).sum();
    let name = scene.edge.and_then(|edge| edge.name);
    let room = HEADER_ROOM.iter().find(|(edge, _)| name == Some(edge)).map_or(ROOM, |(_, room)| *room);
    (bytes > room).then(|| {
        let sentence = format!(
            "past the edge, the header section has {bytes} bytes, and {} takes {room} as it comes",
            scene.edge_name()
        );
        Observation::new(What::DirectHead, sentence).of(Code::OriginWaitHeaderTooLarge)
    })
}

fn rival_seen(symptom: &Symptom<'_>, direct: &Direct, rival: &Rival, scene: &Scene<'_>) -> Option<Observation> {
    let fails = rival.fails?;
    let what = if fails { What::RivalFails(rival.kind) } else { What::RivalHolds(rival.kind) };
    let share = if rival.kind == RivalKind::Port && fails { of_port(scene, symptom, direct) } else { 1.0 };
    let seen = Observation::new(what, format!("past the edge, {}", rival.seen.trim_end_matches('.'))).counting(share);
    let verdict = (rival.kind == RivalKind::Http2).then(|| http2_verdict(direct, scene)).flatten();
    Some(match verdict {
        Some(verdict) => seen.judged(verdict),
        None => seen.of(candidates::under(rival.kind, symptom)),
    })
}

/// How much it says that another port of the origin fails: little where somebody named the port, and less than it might
/// where the edge's port need not go by an SSL mode.
fn of_port(scene: &Scene<'_>, symptom: &Symptom<'_>, direct: &Direct) -> f64 {
    let named = direct.asked.iter().any(|asked| asked.origin.target.port.is_some());
    let known = scene.edge.is_some_and(|edge| edge.is_known);
    match (known, symptom.number()) {
        _ if named => 0.1,
        (true, 521..=526) => 1.0,
        _ => 0.4,
    }
}

/// How HTTP/2 to the origin fails.
fn http2_verdict<'a>(direct: &'a Direct, scene: &Scene<'a>) -> Option<&'a Verdict> {
    let failed = direct.asked.iter().filter(|asked| asked.http2).find_map(|asked| match ended(asked) {
        Some(Ended::Failed(verdict)) => Some(verdict),
        Some(Ended::Silent(_) | Ended::Error(_) | Ended::Blank | Ended::Well(_)) | None => None,
    });
    failed.or_else(|| match &scene.seen.tls.as_ref()?.http2 {
        Http2::Broken(verdict) => Some(verdict.as_ref()),
        Http2::NotOffered | Http2::Spoken => None,
    })
}

fn tls(scene: &Scene<'_>, page: &[Observation]) -> Vec<Observation> {
    let Some(report) = &scene.seen.tls else { return Vec::new() };
    let end = |mode: Mode| report.mode(mode).map(|report| &report.https.end);
    let of_tls = |end: Option<&End>| -> Option<Verdict> {
        let End::Fails(verdict) = end? else { return None };
        (verdict.phase() == Phase::OriginTls).then(|| verdict.as_ref().clone())
    };
    let told = |verdict: &Verdict| page.iter().any(|seen| seen.code == Some(verdict.code) && seen.what != What::Met);
    let strict = of_tls(end(Mode::Strict)).or_else(|| report.revoked.as_deref().cloned());
    match (of_tls(end(Mode::Full)), strict) {
        (Some(verdict), _) if !told(&verdict) && is_spoken_in_clear(scene, report) => Vec::new(),
        (Some(verdict), _) => {
            let sentence = format!("a TLS handshake with the origin fails: {}", words(verdict.sentence()));
            // An edge may come by plain HTTP.
            vec![Observation::new(What::TlsFails, sentence).judged(&verdict).counting(if told(&verdict) {
                1.0
            } else {
                0.5
            })]
        }
        (None, Some(verdict)) => {
            let sentence =
                format!("an edge that checks certificates does not accept the origin's: {}", words(verdict.sentence()));
            // Most servers that are used as an edge check no certificate.
            vec![Observation::new(What::TlsDistrusted, sentence).judged(&verdict).counting(if told(&verdict) {
                1.0
            } else {
                0.2
            })]
        }
        (None, None) if end(Mode::Strict).is_some_and(End::works) => {
            vec![Observation::new(What::TlsWorks, "TLS to the origin works in every SSL mode")]
        }
        (None, None) => Vec::new(),
    }
}

/// Whether the very port whose TLS was looked at answers plain HTTP: then nothing says that an edge comes there by TLS.
fn is_spoken_in_clear(scene: &Scene<'_>, report: &Report) -> bool {
    let port = report.target.port.unwrap_or(443);
    let direct = scene.seen.direct.iter().flat_map(|direct| &direct.asked);
    direct.filter(|asked| asked.scheme == Scheme::Http && asked.address.port() == port).any(|asked| {
        // With 400 web servers tell those who speak plain HTTP to a port for TLS.
        asked.exchange.outcome.as_ref().is_ok_and(|answer| answer.status != 400)
    })
}

fn network(scene: &Scene<'_>, symptom: &Symptom<'_>, page: &[Observation], so_far: &[Observation]) -> Vec<Observation> {
    let Some(network) = &scene.seen.network else { return Vec::new() };
    let mut all = Vec::new();
    let served = network.tcp.iter().any(|tcp| !tcp.is_site && tcp.outcome.is_ok());
    let known = |code: Code| so_far.iter().any(|seen| seen.code == Some(code));
    for tcp in network.tcp.iter().filter(|tcp| !tcp.is_site && !served) {
        if let Err(verdict) = &tcp.outcome
            && !is_ours(verdict.code)
            && !known(verdict.code)
        {
            let sentence = format!("TCP to the origin at {}: {}", tcp.address, words(verdict.sentence()));
            let share = of_barred(scene, symptom, page, verdict.code);
            all.push(Observation::new(What::TcpFails, sentence).judged(verdict).counting(share));
        }
    }
    if let Some(address) = scene.hole_before_origin() {
        let sentence = format!("large packets vanish between here and {address}, small ones arrive");
        all.push(Observation::new(What::BlackHole, sentence).of(Code::NetworkSendUnacknowledged));
    }
    if let Some(address) = network.toward_black_hole {
        let sentence = format!("large packets vanish between the origin and the edge at {}", address.ip());
        all.push(Observation::new(What::BlackHole, sentence).of(Code::NetworkReceiveLost));
    }
    once(all)
}
