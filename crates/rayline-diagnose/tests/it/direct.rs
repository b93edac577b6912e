//! Past the edge: origins that work while the site does not, and what else may be why.

use std::future::poll_fn;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicU32, Ordering};

use std::task::Poll;

use rayline_diagnose::Case;
use rayline_diagnose::direct::{Asked, Direct, RivalKind, ask, compare};
use rayline_diagnose::fetch::dialer;
use rayline_diagnose::probe::Unwatched;
use rayline_diagnose::tls::Scheme;
use rayline_diagnose::visit::{Failing, visit};
use rayline_testkit::http2::{Act, Code as Http2Code, Serving};
use rayline_testkit::{Answer, Authority, Dns, DnsAnswer, Flaw, Issued, Origin, Reserved, Script, Step, Tls};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;

use crate::site::{HOST, Notes, Site, answer, case, page, probe};

/// A site that answers 502 to everything, as a gateway that says nothing of the cause.
async fn gateway() -> Site {
    Site::start(|_| answer(502, "Content-Type: text/html\r\n", "<p>Bad gateway")).await
}

async fn look(case: &Case) -> Direct {
    let dialer = dialer(&case.trust).unwrap();
    let (visit, direct) = tokio::join!(visit(case, &dialer, &Unwatched), ask(case, &dialer, &Unwatched));
    compare(direct, case, &visit, &dialer, &Unwatched).await
}

/// The origin behind a site that fails.
async fn behind_gateway(origin: &str) -> Direct {
    let site = gateway().await;
    let mut case = case("http://shop.test:PORT/cart", site.address);
    case.origins = vec![origin.parse().unwrap()];
    look(&case).await
}

fn rival(direct: &Direct, kind: RivalKind) -> (Option<bool>, &str) {
    let rival = direct.rivals.iter().find(|rival| rival.kind == kind).unwrap();
    assert_eq!(probe(&direct.probes, &format!("direct.rival.{}", kind.name())).ok, rival.fails.map(|fails| !fails));
    (rival.fails, &rival.seen)
}

fn ways(direct: &Direct) -> Vec<(Scheme, bool, Option<Failing>)> {
    direct.asked.iter().map(|Asked { scheme, http2, failing, .. }| (*scheme, *http2, *failing)).collect()
}

fn issued() -> Issued {
    Authority::new("Test").unwrap().issue(Flaw::None, &[HOST]).unwrap()
}

#[tokio::test]
async fn an_origin_that_leads_nowhere_is_told_once() {
    let site = gateway().await;
    let dns = Dns::start([("gone.test", DnsAnswer::NxDomain)]).unwrap();
    let mut case = case("http://shop.test:PORT/cart", site.address);
    (case.origins, case.name_servers) = (vec!["gone.test".parse().unwrap()], vec![dns.addr()]);
    let direct = look(&case).await;
    assert_eq!(direct.probes.iter().filter(|probe| probe.name == "direct.name").count(), 1, "{:?}", direct.probes);
}

#[tokio::test]
async fn an_origin_that_works_where_the_site_does_not_clears_nobody_before_the_rivals_are_tried() {
    let origin = Origin::start_on(([127, 0, 0, 2], 0).into(), Script::ok()).unwrap();
    let direct = behind_gateway(&format!("http://{}", origin.addr())).await;
    assert_eq!(ways(&direct), [(Scheme::Http, false, None)]);
    let asked = &direct.asked[0];
    assert_eq!((asked.address, asked.exchange.outcome.as_ref().unwrap().status), (origin.addr(), 200));
    assert!(asked.differences.iter().any(|text| text == "the site answers 502, the origin 200"), "{asked:?}");
    for kind in
        [RivalKind::Http2, RivalKind::EdgeFields, RivalKind::HeaderSize, RivalKind::Concurrency, RivalKind::Reuse]
    {
        assert_eq!(rival(&direct, kind).0, Some(false), "{kind:?}: {}", rival(&direct, kind).1);
    }
    assert_eq!(rival(&direct, RivalKind::Firewall).0, None);
    // A gateway's 502 may be of a port where nobody listens: it does not say.
    assert_eq!(rival(&direct, RivalKind::Port).0, None);
    let first = origin.seen()[0].clone();
    let raw = String::from_utf8_lossy(&first.raw).into_owned();
    assert!(raw.starts_with("GET /cart HTTP/1.1\r\nHost: shop.test:"), "{raw}");
    assert!(!raw.contains("X-Forwarded"), "{raw}");
}

#[tokio::test]
async fn an_origin_that_fails_too_needs_no_rivals() {
    let origin = Origin::start(Script::status(500)).unwrap();
    let direct = behind_gateway(&format!("http://{}", origin.addr())).await;
    assert_eq!(ways(&direct), [(Scheme::Http, false, Some(Failing::Status))]);
    assert!(direct.rivals.is_empty());
    assert_eq!(probe(&direct.probes, "direct.http").ok, Some(false));
    assert_eq!(origin.requests(), 1);
}

#[tokio::test]
async fn over_tls_the_name_is_kept_and_http2_asked_where_it_is_offered() {
    let script = Script::http2_or_http1().over_tls(Tls::new(&issued()).speaking(&["h2", "http/1.1"]));
    let origin = Origin::start(script).unwrap();
    for text in [format!("https://{}", origin.addr()), origin.addr().to_string()] {
        let direct = behind_gateway(&text).await;
        assert_eq!(ways(&direct), [(Scheme::Https, false, None), (Scheme::Https, true, None)], "{text}");
        assert_eq!(rival(&direct, RivalKind::Http2).0, Some(false));
        let names = origin.seen().into_iter().map(|seen| seen.tls.unwrap().server_name);
        assert!(names.into_iter().all(|name| name.as_deref() == Some(HOST)));
    }
}

#[tokio::test]
async fn an_origin_that_speaks_http2_alone_works() {
    let origin = Origin::start(Script::http2_ok().over_tls(Tls::new(&issued()).speaking(&["h2"]))).unwrap();
    let direct = behind_gateway(&format!("https://{}", origin.addr())).await;
    assert_eq!(ways(&direct), [(Scheme::Https, true, None)]);
    assert_eq!(rival(&direct, RivalKind::EdgeFields).0, Some(false));
}

#[tokio::test]
async fn http2_that_is_broken_is_found() {
    let broken = Serving::new([Act::reset(Http2Code::INTERNAL_ERROR)]);
    let steps = [Step::Http2(broken), Step::Answer(Answer::ok())];
    let script = Script::new("broken-http2", "fails over HTTP/2 alone", steps);
    let origin = Origin::start(script.over_tls(Tls::new(&issued()).speaking(&["h2", "http/1.1"]))).unwrap();
    let direct = behind_gateway(&format!("https://{}", origin.addr())).await;
    assert_eq!(ways(&direct), [(Scheme::Https, false, None), (Scheme::Https, true, Some(Failing::NoAnswer))]);
    assert_eq!(rival(&direct, RivalKind::Http2).0, Some(true));
    assert_eq!(rival(&direct, RivalKind::EdgeFields).0, Some(false));
}

#[tokio::test]
async fn the_field_that_an_origin_stumbles_over_is_named() {
    let site = Site::start(|head| match head.contains("CDN-Loop") {
        true => answer(500, "", "no"),
        false => answer(200, "", "yes"),
    })
    .await;
    let direct = behind_gateway(&site.address.to_string()).await;
    assert_eq!(ways(&direct), [(Scheme::Http, false, None)], "it was asked by TLS first");
    let (fails, seen) = rival(&direct, RivalKind::EdgeFields);
    assert!(fails == Some(true) && seen.contains("`CDN-Loop:"), "{seen}");
}

#[tokio::test]
async fn what_comes_and_goes_is_laid_on_no_rival() {
    let count = AtomicU32::new(0);
    let site = Site::start(move |_| match count.fetch_add(1, Ordering::Relaxed) {
        0 => answer(200, "", "yes"),
        _ => answer(500, "", "no"),
    })
    .await;
    let direct = behind_gateway(&format!("http://{}", site.address)).await;
    assert!(!direct.rivals.is_empty());
    for kind in [RivalKind::EdgeFields, RivalKind::Concurrency, RivalKind::Reuse] {
        assert_eq!(rival(&direct, kind).0, None, "{kind:?}");
    }
}

/// A server that answers well, unless more than three come at once.
async fn crowded() -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((first, _)) = listener.accept().await {
            let mut streams = vec![first];
            while let Poll::Ready(Ok((next, _))) = poll_fn(|cx| Poll::Ready(listener.poll_accept(cx))).await {
                streams.push(next);
            }
            let text = if streams.len() > 3 { answer(503, "", "full") } else { answer(200, "", "yes") };
            for mut stream in streams {
                let text = text.clone();
                tokio::spawn(async move {
                    let mut input = Vec::new();
                    while !input.ends_with(b"\r\n\r\n") && matches!(stream.read_buf(&mut input).await, Ok(1..)) {}
                    stream.write_all(text.as_bytes()).await
                });
            }
        }
    });
    address
}

#[tokio::test]
async fn an_origin_that_fails_under_many_at_once_is_found() {
    let direct = behind_gateway(&format!("http://{}", crowded().await)).await;
    let (fails, seen) = rival(&direct, RivalKind::Concurrency);
    assert!(fails == Some(true) && seen.contains("503"), "{seen}");
    assert_eq!(rival(&direct, RivalKind::EdgeFields).0, Some(false));
}

#[tokio::test]
async fn a_connection_that_does_not_last_is_found() {
    let origin = Origin::start(Script::close_idle_under_request()).unwrap();
    let direct = behind_gateway(&format!("http://{}", origin.addr())).await;
    assert_eq!(rival(&direct, RivalKind::Reuse).0, Some(true));
    let origin = Origin::start(Script::keep_alive_off()).unwrap();
    let direct = behind_gateway(&format!("http://{}", origin.addr())).await;
    assert_eq!(rival(&direct, RivalKind::Reuse).0, Some(false));
}

#[tokio::test]
async fn a_header_section_that_is_too_large_is_why_only_if_visitors_see_it() {
    let refuses = |head: &str| match head.len() > 8000 {
        true => answer(500, "", "too large"),
        false => answer(200, "", "yes"),
    };
    let origin = Site::start(refuses).await;
    let direct = behind_gateway(&format!("http://{}", origin.address)).await;
    let (fails, seen) = rival(&direct, RivalKind::HeaderSize);
    assert!(fails == Some(false) && seen.contains("500"), "{seen}");
}

#[tokio::test]
async fn a_circle_is_explained_by_the_plain_port() {
    let tls = || Tls::new(&issued());
    let port = Reserved::new().unwrap();
    port.lend().unwrap();
    let page = format!("https://{HOST}:{}/", port.addr().port());
    let _edge = Origin::start_on(port.addr(), Script::redirect(&page).over_tls(tls())).unwrap();
    let plain: SocketAddr = ([127, 0, 0, 2], port.addr().port()).into();
    let location = format!("Location: {page}\r\n");
    let _plain = Site::start_on(plain, move |_| answer(301, &location, "")).await;
    let secured = Origin::start_on(([127, 0, 0, 2], 0).into(), Script::ok().over_tls(tls())).unwrap();
    let mut case = case("https://shop.test:PORT/", port.addr());
    case.origins = vec![format!("https://{}", secured.addr()).parse().unwrap()];
    let direct = look(&case).await;
    assert_eq!(rival(&direct, RivalKind::Port).0, Some(true), "{}", rival(&direct, RivalKind::Port).1);
    assert_eq!(rival(&direct, RivalKind::EdgeFields).0, Some(false));
}

#[tokio::test]
async fn a_port_that_refuses_explains_an_edge_that_says_so() {
    let edge = Site::start(|_| page("cloudflare/521-branded")).await;
    let origin = Origin::start_on(([127, 0, 0, 2], 0).into(), Script::ok()).unwrap();
    let mut case = case("http://shop.test:PORT/", edge.address);
    case.origins = vec![format!("http://{}", origin.addr()).parse().unwrap()];
    let direct = look(&case).await;
    assert_eq!(rival(&direct, RivalKind::Port).0, Some(true), "{}", rival(&direct, RivalKind::Port).1);
    assert_eq!(direct.asked[0].differences[0], "the site answers 521, the origin 200");
}

#[tokio::test]
async fn where_the_edge_was_not_reached_nothing_behind_it_is_tried() {
    let port = Reserved::new().unwrap();
    let origin = Origin::start(Script::ok()).unwrap();
    let mut case = case("http://shop.test:PORT/", port.addr());
    case.origins = vec![format!("http://{}", origin.addr()).parse().unwrap()];
    let direct = look(&case).await;
    assert_eq!((direct.rivals.len(), origin.requests()), (0, 1));
}

#[tokio::test]
async fn what_is_meant_for_tls_is_not_sent_in_clear() {
    let edge = Origin::start(Script::ok().over_tls(Tls::new(&issued()))).unwrap();
    let origin = Origin::start(Script::ok()).unwrap();
    let mut case = case("https://shop.test:PORT/", edge.addr());
    case.origins = vec![format!("http://{}", origin.addr()).parse().unwrap()];
    case.fields = [("Cookie", "sid=1"), ("X-Plain", "1")].map(|(n, v)| (n.to_owned(), v.to_owned())).to_vec();
    let direct = look(&case).await;
    assert_eq!(ways(&direct), [(Scheme::Http, false, None)]);
    let raw = String::from_utf8_lossy(&origin.last().unwrap().raw).into_owned();
    assert!(raw.contains("X-Plain: 1") && !raw.contains("sid"), "{raw}");
    for seen in edge.seen() {
        let raw = String::from_utf8_lossy(&seen.raw);
        assert_eq!(raw.contains("sid=1"), !raw.starts_with("GET /cdn-cgi/trace"), "{raw}");
    }
}

#[tokio::test]
async fn what_changes_something_is_sent_once_and_an_origin_nobody_named_is_asked_for() {
    let (site, origin) = (gateway().await, Origin::start(Script::ok()).unwrap());
    let mut case = case("http://shop.test:PORT/", site.address);
    case.method = "POST".to_owned();
    case.origins = vec![format!("http://{}", origin.addr()).parse().unwrap()];
    let direct = look(&case).await;
    assert_eq!((ways(&direct), origin.requests()), (vec![(Scheme::Http, false, None)], 1));
    assert!(direct.rivals.is_empty());
    case.origins.clear();
    assert_eq!(probe(&look(&case).await.probes, "direct").ok, None);
}

#[tokio::test]
async fn each_step_is_told_as_it_goes() {
    let (site, origin) = (gateway().await, Origin::start(Script::ok()).unwrap());
    let mut case = case("http://shop.test:PORT/", site.address);
    case.origins = vec![format!("http://{}", origin.addr()).parse().unwrap()];
    let (dialer, notes) = (dialer(&case.trust).unwrap(), Notes::default());
    let visit = visit(&case, &dialer, &notes).await;
    let direct = compare(ask(&case, &dialer, &notes).await, &case, &visit, &dialer, &notes).await;
    let all = notes.all();
    for name in direct.probes.iter().chain(&visit.probes).map(|probe| &probe.name) {
        assert!(all.contains(&format!("-{name}")), "{name}: {all:?}");
    }
}
