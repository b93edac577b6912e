//! What visitors meet: sites that work, fail, fail now and then, and lead elsewhere.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use rayline_diagnose::Case;
use rayline_diagnose::diagnosis::Diagnosing;
use rayline_diagnose::fetch::{BodyEnd, Obstacle, dialer};
use rayline_diagnose::probe::Unwatched;
use rayline_diagnose::trust::Trust;
use rayline_diagnose::visit::{Failing, Visit, visit};
use rayline_testkit::{Answer, Authority, Body, Dns, DnsAnswer, Flaw, Origin, Reserved, Script, Tls};
use rayline_verdict::Code;

use crate::site::{HOST, Notes, Site, answer, case, page, probe};

async fn look(case: &Case) -> Visit {
    visit(case, &dialer(&case.trust).unwrap(), &Unwatched).await
}

/// A visit to an origin that plays this script, in clear.
async fn meet(script: Script) -> Visit {
    let origin = Origin::start(script).unwrap();
    look(&case("http://shop.test:PORT/cart", origin.addr())).await
}

/// How each sample fails.
fn failing(visit: &Visit) -> Vec<Option<Failing>> {
    visit.samples.iter().map(|sample| sample.failing).collect()
}

#[tokio::test]
async fn a_good_site_is_asked_by_each_version_as_often_as_wanted() {
    let authority = Authority::new("Test").unwrap();
    let issued = authority.issue(Flaw::None, &[HOST]).unwrap();
    let origin =
        Origin::start(Script::http2_or_http1().over_tls(Tls::new(&issued).speaking(&["h2", "http/1.1"]))).unwrap();
    let mut case = case("https://shop.test:PORT/cart?token=secret", origin.addr());
    case.trust = Trust { named: vec![authority.root_der()], system: Vec::new() };
    let notes = Notes::default();
    let seen = visit(&case, &dialer(&case.trust).unwrap(), &notes).await;
    assert_eq!(failing(&seen), [None; 4]);
    assert!(seen.failing().is_none() && seen.certificate.is_none() && seen.looping.is_none() && seen.trace.is_none());
    let ways: Vec<_> = seen.samples.iter().map(|sample| (sample.way.name(), sample.exchange.protocol)).collect();
    let both = [("http1.ipv4", Some("HTTP/1.1")), ("http2.ipv4", Some("HTTP/2"))];
    assert_eq!(ways, [both, both].concat());
    let rate = seen.rate.unwrap();
    assert_eq!((rate.failed, rate.of), (0, 4));
    assert!(seen.samples.iter().all(|sample| sample.first_byte().is_some()));
    let fine = |name: &str| probe(&seen.probes, name).ok == Some(true);
    assert!(["visit.http1.ipv4", "visit.http2.ipv4", "visit.certificate", "visit.rate"].into_iter().all(fine));
    assert_eq!(probe(&seen.probes, "visit.http2.ipv4").facts["status"], 200);
    let all = notes.all();
    assert!(
        all.iter().position(|note| note == "+visit.http1.ipv4")
            < all.iter().position(|note| note == "-visit.http1.ipv4")
    );
    assert!(!format!("{:?}", seen.probes).contains("secret"));
}

#[tokio::test]
async fn a_good_site_hears_of_a_diagnosis_six_times_at_most() {
    let authority = Authority::new("Test").unwrap();
    let issued = authority.issue(Flaw::None, &[HOST]).unwrap();
    let script = Script::http2_or_http1().over_tls(Tls::new(&issued).speaking(&["h2", "http/1.1"]));
    for (url, script) in [("https://shop.test:PORT/", script), ("http://shop.test:PORT/", Script::ok())] {
        let origin = Origin::start(script).unwrap();
        let mut case = case(url, origin.addr());
        case.trust = Trust { named: vec![authority.root_der()], system: Vec::new() };
        Diagnosing::new(case).unwrap().look(None, &Unwatched).await;
        let asked: Vec<_> = origin.seen().iter().map(|seen| seen.head.start.clone()).collect();
        assert!((5..=6).contains(&asked.len()), "{url}: {asked:?}");
        assert_eq!(asked.iter().filter(|start| start.contains("/cdn-cgi/trace")).count(), 1, "{asked:?}");
    }
}

#[tokio::test]
async fn what_answers_slowly_and_alike_is_asked_less_often() {
    let origin = Origin::start(Script::events(Duration::from_millis(20))).unwrap();
    let visit = look(&case("http://shop.test:PORT/", origin.addr())).await;
    assert_eq!(failing(&visit), [None; 2]);
    assert!(
        visit
            .samples
            .iter()
            .all(|sample| { matches!(&sample.exchange.outcome, Ok(answer) if matches!(answer.end, BodyEnd::Left)) })
    );
    assert_eq!(visit.rate.map(|rate| (rate.failed, rate.of)), Some((0, 2)));
}

#[tokio::test]
async fn a_site_that_speaks_http2_alone_is_fine() {
    let authority = Authority::new("Test").unwrap();
    let tls = Tls::new(&authority.issue(Flaw::None, &[HOST]).unwrap()).speaking(&["h2"]);
    let origin = Origin::start(Script::http2_ok().over_tls(tls)).unwrap();
    let mut case = case("https://shop.test:PORT/", origin.addr());
    case.trust = Trust { named: vec![authority.root_der()], system: Vec::new() };
    let visit = look(&case).await;
    assert_eq!(failing(&visit), [None; 4]);
    assert!(visit.samples.iter().all(|sample| sample.exchange.protocol == Some("HTTP/2")));
    assert!(probe(&visit.probes, "visit.http1.ipv4").said.contains("HTTP/1.1 is not offered"));
}

#[tokio::test]
async fn a_bad_certificate_is_said_and_what_is_behind_it_found() {
    let authority = Authority::new("Test").unwrap();
    let origin =
        Origin::start(Script::status(503).over_tls(Tls::new(&authority.issue(Flaw::Expired, &[HOST]).unwrap())))
            .unwrap();
    let mut case = case("https://shop.test:PORT/", origin.addr());
    case.trust = Trust { named: vec![authority.root_der()], system: Vec::new() };
    let visit = look(&case).await;
    assert_eq!(visit.certificate.as_ref().map(|verdict| verdict.code), Some(Code::OriginTlsCertificateExpired));
    assert_eq!(failing(&visit), [Some(Failing::Status); 4]);
    assert_eq!(probe(&visit.probes, "visit.certificate").ok, Some(false));
    assert!(probe(&visit.probes, "visit.http2.ipv4").said.contains("HTTP/2 is not offered"));
}

#[tokio::test]
async fn each_way_to_fail_is_told_apart() {
    for (script, expected) in [
        (Script::status(502), Some(Failing::Status)),
        (Script::status(404), None),
        (Script::close_empty(), Some(Failing::NoAnswer)),
        (Script::truncated_body(1000, 10), Some(Failing::Body)),
        (
            Script::answer("blank", "says nothing", Answer::status(200).body(Body::Bytes("".into()))),
            Some(Failing::Blank),
        ),
    ] {
        let name = script.name();
        let visit = meet(script).await;
        assert_eq!(failing(&visit), [expected; 4], "{name}");
        assert_eq!(visit.failing().is_some(), expected.is_some(), "{name}");
        let rate = visit.rate.unwrap();
        assert_eq!((rate.failed, rate.of), (if expected.is_some() { 4 } else { 0 }, 4), "{name}");
    }
}

#[tokio::test]
async fn an_edge_that_refuses_with_a_number_is_told_from_a_site_that_does() {
    for (name, expected) in
        [("cloudflare/409-1001", Some(Failing::Refused)), ("cloudflare/521-branded", Some(Failing::Status))]
    {
        let site = Site::start(move |_| page(name)).await;
        let visit = look(&case("http://shop.test:PORT/", site.address)).await;
        assert_eq!(failing(&visit), [expected; 4], "{name}");
        assert_eq!(probe(&visit.probes, "visit.http1.ipv4").facts["author"], "Cloudflare", "{name}");
    }
    assert_eq!(failing(&meet(Script::status(403)).await), [None; 4]);
}

#[tokio::test]
async fn a_body_that_breaks_carries_its_verdict() {
    let visit = meet(Script::truncated_body(1000, 10)).await;
    let sample = visit.failing().unwrap();
    let Ok(got) = &sample.exchange.outcome else { panic!("{sample:?}") };
    assert!(matches!(&got.end, BodyEnd::Broken(verdict) if verdict.code == Code::OriginReceiveTruncated));
    let probe = probe(&visit.probes, "visit.http1.ipv4");
    assert_eq!(probe.verdict.as_ref().map(|verdict| verdict.code), Some(Code::OriginReceiveTruncated));
}

#[tokio::test]
async fn what_takes_longer_than_a_probe_is_asked_twice_at_once() {
    let origin = Origin::start(Script::stall_before_head()).unwrap();
    let mut case = case("http://shop.test:PORT/", origin.addr());
    case.timeout = Duration::from_millis(300);
    let visit = look(&case).await;
    assert_eq!(failing(&visit), [Some(Failing::Slow); 2]);
    assert!(matches!(visit.samples[0].exchange.outcome, Err(Obstacle::Silent { .. })));
}

#[tokio::test]
async fn where_nobody_listens_the_versions_are_not_told_apart() {
    let port = Reserved::new().unwrap();
    let visit = look(&case("https://shop.test:PORT/", port.addr())).await;
    assert_eq!(failing(&visit), [Some(Failing::NoAnswer); 4]);
    assert!(visit.samples.iter().all(|sample| !sample.way.http2));
    assert!(probe(&visit.probes, "visit.http1.ipv4").said.contains("refuse"), "{:?}", visit.probes);
    assert!(visit.trace.is_none());
}

#[tokio::test]
async fn a_fault_that_comes_and_goes_is_sampled_until_its_rate_is_known() {
    let count = AtomicU32::new(0);
    let site = Site::start(move |_| match count.fetch_add(1, Ordering::Relaxed) % 4 {
        0 => answer(500, "", "no"),
        _ => answer(200, "", "yes"),
    })
    .await;
    let visit = look(&case("http://shop.test:PORT/", site.address)).await;
    let rate = visit.rate.unwrap();
    assert!(rate.failed > 0 && rate.failed < rate.of, "{rate:?}");
    assert!((5..=20).contains(&rate.of) && (rate.width() < 0.4 || rate.of == 20), "{rate:?}");
    assert!(rate.between.0 < 0.25 && rate.between.1 > 0.25, "{rate:?}");
    assert_eq!(visit.samples.len(), rate.of as usize);
}

#[tokio::test]
async fn redirects_are_followed_with_their_cookies_and_the_page_behind_is_what_is_sampled() {
    let site = Site::start(|head| {
        let is_known = head.contains("Cookie: seen=1");
        match head.split(' ').nth(1) {
            Some("/") if !is_known => answer(302, "Location: /\r\nSet-Cookie: seen=1; Path=/\r\n", ""),
            Some("/") => answer(301, "Location: /shop\r\n", ""),
            Some("/shop") if is_known => answer(500, "", "no"),
            _ => answer(404, "", "?"),
        }
    })
    .await;
    let visit = look(&case("http://shop.test:PORT/", site.address)).await;
    let paths: Vec<_> = visit.redirects.iter().map(url::Url::path).collect();
    assert_eq!((paths, visit.looping.is_none()), (vec!["/", "/", "/shop"], true));
    let statuses: Vec<_> =
        visit.samples.iter().map(|sample| sample.exchange.outcome.as_ref().unwrap().status).collect();
    assert_eq!(statuses, [302, 301, 500, 500, 500, 500]);
    assert_eq!(visit.failing().unwrap().url.path(), "/shop");
    assert_eq!(visit.rate.map(|rate| (rate.failed, rate.of)), Some((4, 4)));
    assert_eq!(probe(&visit.probes, "visit.redirects").ok, Some(true));
}

#[tokio::test]
async fn circles_are_seen_and_the_one_of_flexible_known() {
    let site = Site::start(|head| match head.split(' ').nth(1) {
        Some("/a") => answer(302, "Location: /b\r\n", ""),
        _ => answer(302, "Location: /a\r\n", ""),
    })
    .await;
    let visit = look(&case("http://shop.test:PORT/", site.address)).await;
    let circle = visit.looping.as_ref().unwrap();
    let paths: Vec<_> = circle.urls.iter().map(url::Url::path).collect();
    assert_eq!((circle.flexible, paths), (false, vec!["/a", "/b"]));
    assert_eq!(probe(&visit.probes, "visit.redirects").ok, Some(false));
    let authority = Authority::new("Test").unwrap();
    let port = Reserved::new().unwrap();
    port.lend().unwrap();
    let location = format!("https://{HOST}:{}/", port.addr().port());
    let tls = Tls::new(&authority.issue(Flaw::None, &[HOST]).unwrap());
    let origin = Origin::start_on(port.addr(), Script::redirect(&location).over_tls(tls)).unwrap();
    let visit = look(&case("https://shop.test:PORT/", origin.addr())).await;
    assert!(visit.looping.is_some_and(|circle| circle.flexible && circle.urls.len() == 1));
}

#[tokio::test]
async fn what_is_given_for_a_site_stays_there() {
    let heard = Arc::new(std::sync::Mutex::new(String::new()));
    let other = {
        let heard = Arc::clone(&heard);
        Site::start(move |head| {
            *heard.lock().unwrap() = head.to_owned();
            answer(200, "", "elsewhere")
        })
        .await
    };
    let location = format!("Location: http://other.test:{}/\r\n", other.address.port());
    let site = Site::start(move |_| answer(302, &location, "")).await;
    let mut case = case("http://shop.test:PORT/", site.address);
    case.resolved.push(format!("other.test:{}:127.0.0.1", other.address.port()).parse().unwrap());
    case.fields = [("Authorization", "Basic q"), ("X-Plain", "1")].map(|(n, v)| (n.to_owned(), v.to_owned())).to_vec();
    let visit = look(&case).await;
    let heard = heard.lock().unwrap().clone();
    assert!(!heard.contains("X-Plain") && !heard.contains("Basic"), "{heard}");
    assert_eq!(visit.rate.map(|rate| (rate.failed, rate.of)), Some((0, 4)));
    let hosts: Vec<_> = visit.samples.iter().filter_map(|sample| sample.url.host_str()).collect();
    assert_eq!(hosts, [HOST, "other.test", HOST, HOST, HOST]);
}

#[tokio::test]
async fn redirects_to_ever_new_addresses_have_no_end() {
    let site = Site::start(|head| {
        let path = head.split(' ').nth(1).unwrap_or("/").to_owned();
        answer(302, &format!("Location: {path}x\r\n"), "")
    })
    .await;
    let visit = look(&case("http://shop.test:PORT/", site.address)).await;
    assert!(visit.looping.is_some_and(|endless| !endless.flexible && endless.urls.len() > 10));
}

#[tokio::test]
async fn the_trace_page_is_read_where_there_is_one() {
    let site = Site::start(|head| match head.split(' ').nth(1) {
        Some("/cdn-cgi/trace") => answer(200, "", "fl=1\nh=shop.test\ncolo=VIE\n"),
        _ => answer(200, "", "page"),
    })
    .await;
    let visit = look(&case("http://shop.test:PORT/cart", site.address)).await;
    assert_eq!(visit.trace.unwrap()[2], ("colo".to_owned(), "VIE".to_owned()));
    assert_eq!(probe(&visit.probes, "visit.trace").facts["colo"], "VIE");
}

#[tokio::test]
async fn a_name_that_leads_nowhere_is_said_with_its_verdict() {
    let dns = Dns::start([(HOST, DnsAnswer::NxDomain), ("good.test", DnsAnswer::address([127, 0, 0, 1]))]).unwrap();
    let origin = Origin::start(Script::ok()).unwrap();
    let mut case = case("http://shop.test:PORT/", origin.addr());
    case.resolved.clear();
    case.name_servers = vec![dns.addr()];
    let visit = look(&case).await;
    assert_eq!(visit.unresolved.map(|verdict| verdict.code), Some(Code::OwnerResolveNxdomain));
    assert!(visit.samples.is_empty() && visit.addresses.is_empty());
    assert_eq!(probe(&visit.probes, "visit.name").ok, Some(false));
    case.url.set_host(Some("good.test")).unwrap();
    assert_eq!(failing(&look(&case).await), [None; 4]);
}

#[tokio::test]
async fn what_changes_something_is_asked_once() {
    let origin = Origin::start(Script::status(500)).unwrap();
    let mut case = case("http://shop.test:PORT/order", origin.addr());
    case.method = "POST".to_owned();
    let visit = look(&case).await;
    assert_eq!((failing(&visit), visit.rate), (vec![Some(Failing::Status)], None));
    let mut asked: Vec<_> = origin.seen().iter().map(|seen| seen.head.start.clone()).collect();
    asked.sort();
    assert_eq!(asked, ["GET /cdn-cgi/trace HTTP/1.1", "POST /order HTTP/1.1"]);
}
