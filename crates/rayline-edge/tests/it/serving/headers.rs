//! Header fields: what is for one hop, what the edge adds, and what nobody but the edge may say.

use rayline_testkit::{Answer, Head, Script, Visitor};

use crate::scene::{HOST, Scene};

/// The request that the origin of this scene has read last.
fn seen(scene: &Scene) -> Head {
    scene.origin.as_ref().and_then(|origin| origin.last()).expect("a request").head
}

#[tokio::test]
async fn the_origin_learns_who_asks() {
    let scene = Scene::with(Script::ok()).start();
    let response = scene.get("/path?query", "").await;
    let head = seen(&scene);
    assert_eq!(head.start, "GET /path?query HTTP/1.1");
    for (name, value) in [
        ("host", HOST),
        ("x-forwarded-for", "127.0.0.1"),
        ("x-forwarded-proto", "http"),
        ("cf-visitor", "{\"scheme\":\"http\"}"),
        ("cf-connecting-ip", "127.0.0.1"),
        ("cdn-loop", "rayline; loops=1"),
    ] {
        assert_eq!(head.values(name).collect::<Vec<_>>(), [value], "{name}");
    }
    assert_eq!(head.field("connection"), None, "the visitor's own is for one hop");
    // One Ray ID everywhere.
    let ray = response.field("cf-ray").expect("a Ray ID");
    assert_eq!(head.field("cf-ray"), Some(ray));
    assert!(ray.ends_with("-TST") && ray.len() == 20, "{ray}");
    let record = scene.record_of(&response).await;
    assert_eq!(record["RayID"], ray[..16]);
}

#[tokio::test]
async fn a_visitor_cannot_speak_for_the_edge() {
    let scene = Scene::with(Script::ok()).start();
    let forged = "CF-Ray: 0000000000000000-XXX\r\nX-Real-IP: 192.0.2.1\r\nCF-IPCountry: ZZ\r\nTrue-Client-IP: 192.0.2.1\r\n\
                  CF-Visitor: {\"scheme\":\"https\"}\r\nX-Forwarded-Proto: https\r\nCF-Connecting-IPv6: ::9\r\n";
    let response = scene.get("/", forged).await;
    let head = seen(&scene);
    for name in ["x-real-ip", "true-client-ip", "cf-connecting-ipv6"] {
        assert_eq!(head.field(name), None, "{name}");
    }
    assert_eq!(head.values("cf-ipcountry").collect::<Vec<_>>(), ["XX"]);
    assert_eq!(head.values("cf-ray").collect::<Vec<_>>(), [response.field("cf-ray").expect("a Ray ID")]);
    assert_eq!(head.values("x-forwarded-proto").collect::<Vec<_>>(), ["http"]);
    assert_eq!(head.values("cf-visitor").collect::<Vec<_>>(), ["{\"scheme\":\"http\"}"]);
}

#[tokio::test]
async fn forwarded_addresses_are_added_to() {
    let scene = Scene::with(Script::ok()).start();
    for (sent, wanted) in [
        ("X-Forwarded-For: 192.0.2.1\r\n", "192.0.2.1, 127.0.0.1"),
        ("X-Forwarded-For: 192.0.2.1, 192.0.2.2\r\n", "192.0.2.1, 192.0.2.2, 127.0.0.1"),
        ("X-Forwarded-For: 192.0.2.1\r\nA: b\r\nx-forwarded-for: 192.0.2.2\r\n", "192.0.2.1, 192.0.2.2, 127.0.0.1"),
    ] {
        scene.get("/", sent).await;
        assert_eq!(seen(&scene).values("x-forwarded-for").collect::<Vec<_>>(), [wanted], "{sent}");
    }
    // They are told, not believed: the record has the address that the connection came from.
    assert!(scene.records().iter().all(|record| record["ClientIP"] == "127.0.0.1"));
}

#[tokio::test]
async fn a_trusted_proxy_is_believed() {
    let scene = Scene::with(Script::ok()).server("trusted_proxies", "[\"127.0.0.0/8\"]").start();
    for sent in ["CF-Connecting-IP: 192.0.2.7\r\n", "X-Forwarded-For: 10.0.0.1, 192.0.2.7\r\n"] {
        let response = scene.get("/", sent).await;
        assert_eq!(response.status(), Some(200), "{response:?}");
        assert_eq!(seen(&scene).field("cf-connecting-ip"), Some("192.0.2.7"));
        assert_eq!(scene.record_of(&response).await["ClientIP"], "192.0.2.7");
    }
}

#[tokio::test]
async fn fields_for_one_hop_stay_there() {
    let scene = Scene::with(Script::ok()).start();
    let mut visitor = scene.visitor().await;
    let sent = "Connection: close, X-Hop\r\nconnection: x-other\r\nX-Hop: 1\r\nX-Other: 2\r\nX-Stays: 3\r\nKeep-Alive: timeout=5\r\n\
                Proxy-Connection: keep-alive\r\nTE: gzip\r\nUpgrade: h2c\r\n";
    visitor.send(format!("GET / HTTP/1.1\r\nHost: {HOST}\r\n{sent}\r\n")).await.expect("the edge reads");
    assert_eq!(visitor.read_response("GET").await.status(), Some(200));
    let head = seen(&scene);
    for name in ["connection", "x-hop", "x-other", "keep-alive", "proxy-connection", "te", "upgrade"] {
        assert_eq!(head.field(name), None, "{name}");
    }
    assert_eq!(head.field("x-stays"), Some("3"));
}

#[tokio::test]
async fn a_name_is_found_among_very_many() {
    let scene = Scene::with(Script::ok()).start();
    let sent =
        ["Connection: ".to_owned(), "a,".repeat(60_000), "x-hop\r\nX-Hop: 1\r\n".to_owned(), "b:c\r\n".repeat(900)]
            .concat();
    assert_eq!(scene.get("/", &sent).await.status(), Some(200));
    assert_eq!(seen(&scene).field("x-hop"), None);
}

#[tokio::test]
async fn connection_cannot_take_away_what_framing_rests_on() {
    let scene = Scene::with(Script::ok()).start();
    let mut visitor = scene.visitor().await;
    let sent = "Connection: close, Content-Length, Host, CF-Connecting-IP, X-Forwarded-For\r\nContent-Length: 5\r\n";
    visitor.send(format!("POST / HTTP/1.1\r\nHost: {HOST}\r\n{sent}\r\nhello")).await.expect("the edge reads");
    let response = visitor.read_response("POST").await;
    assert!(response.text().ends_with("(5 bytes of body)\n"), "{}", response.text());
    let head = seen(&scene);
    assert_eq!((head.field("host"), head.field("content-length")), (Some(HOST), Some("5")));
    assert_eq!((head.field("cf-connecting-ip"), head.field("x-forwarded-for")), (Some("127.0.0.1"), Some("127.0.0.1")));
    // Neither can an origin's.
    let answer = Answer::ok().field("Connection", "Content-Length, Content-Type, Date, X-Hop").field("X-Hop", "1");
    let scene = Scene::with(Script::answer("odd", "names its own length", answer)).start();
    let response = scene.get("/", "").await;
    assert!(response.whole && response.field("content-length").is_some(), "{response:?}");
    assert!(response.field("content-type").is_some() && response.field("x-hop").is_none(), "{response:?}");
}

#[tokio::test]
async fn an_origin_cannot_speak_for_the_edge() {
    let answer = Answer::ok()
        .field("Server", "nginx")
        .field("CF-Ray", "0000000000000000-XXX")
        .field("cf-cache-status", "HIT")
        .field("Cache-Status", "shield; hit")
        .field("cf-error-type", "522")
        .field("Keep-Alive", "timeout=5")
        .field("Proxy-Connection", "keep-alive")
        .field("X-Accel-Redirect", "/secret")
        .field("X-Accel-Buffering", "no")
        .field("X-Accel-Limit-Rate", "1")
        .field("X-Accel-Charset", "utf-8")
        .field("X-Accel-Expires", "1")
        .field("Date", "Sun, 06 Nov 1994 08:49:37 GMT")
        .field("Set-Cookie", "a=1")
        .field("X-MiXed", "  spaced out ")
        .field("Set-Cookie", "b=2");
    let scene = Scene::with(Script::answer("forger", "speaks for the edge", answer)).start();
    let response = scene.get("/", "").await;
    let all = |name| response.head.values(name).collect::<Vec<_>>();
    assert_eq!(all("server"), ["rayline"]);
    assert_eq!(all("cf-cache-status"), ["DYNAMIC"]);
    assert_eq!(all("cache-status"), ["shield; hit", "rayline; fwd=bypass"], "a list, in the order of the way");
    assert_eq!(all("date"), ["Sun, 06 Nov 1994 08:49:37 GMT"]);
    assert_eq!(all("cf-ray").len(), 1);
    assert_ne!(all("cf-ray"), ["0000000000000000-XXX"]);
    for name in ["cf-error-type", "keep-alive", "proxy-connection"] {
        assert_eq!(response.field(name), None, "{name}");
    }
    let accel = response.head.fields.iter().filter(|(name, _)| name.starts_with("X-Accel")).collect::<Vec<_>>();
    assert!(accel.iter().all(|(name, _)| name == "X-Accel-Expires"), "{accel:?}");
    assert_eq!(all("set-cookie"), ["a=1", "b=2"]);
    assert!(response.head.fields.contains(&("X-MiXed".to_owned(), "spaced out".to_owned())), "names keep their case");
}

#[tokio::test]
async fn an_answer_without_a_date_gets_one() {
    let scene = Scene::with(Script::ok()).start();
    for target in ["/", "/cdn-cgi/trace"] {
        let response = scene.get(target, "").await;
        let date = response.field("date").expect("a date").to_owned();
        assert!(date.len() == 29 && date.ends_with(" GMT"), "{date}");
        assert_eq!(response.field("server"), Some("rayline"));
    }
}

#[tokio::test]
async fn many_fields_pass() {
    let scene = Scene::with(Script::many_fields()).start();
    let response = scene.get("/", "").await;
    assert_eq!(response.head.fields.iter().filter(|(name, _)| name.starts_with("X-Field-")).count(), 300);
}

#[tokio::test]
async fn the_absolute_form_becomes_the_origin_form() {
    let scene = Scene::with(Script::ok()).start();
    for (line, wanted) in [
        (format!("GET http://{HOST}/a?b HTTP/1.1\r\nHost: elsewhere.test"), "GET /a?b HTTP/1.1"),
        (format!("GET http://{HOST}:8080 HTTP/1.1\r\nHost: x"), "GET / HTTP/1.1"),
        (format!("GET http://{HOST}?b HTTP/1.1\r\nHost: x"), "GET /?b HTTP/1.1"),
        (format!("OPTIONS http://{HOST} HTTP/1.1\r\nHost: x"), "OPTIONS * HTTP/1.1"),
        (format!("OPTIONS * HTTP/1.1\r\nHost: {HOST}"), "OPTIONS * HTTP/1.1"),
    ] {
        let mut visitor = scene.visitor().await;
        visitor.send(format!("{line}\r\nConnection: close\r\n\r\n")).await.expect("the edge reads");
        let response = visitor.read_response("GET").await;
        assert_eq!(response.status(), Some(200), "{line}");
        let head = seen(&scene);
        assert_eq!(head.start, wanted);
        assert!(head.field("host").is_some_and(|host| host.starts_with(HOST)), "{head:?}");
    }
}

#[tokio::test]
async fn the_host_reaches_the_origin_as_it_was_sent() {
    let scene = Scene::with(Script::ok()).start();
    for host in ["shop.test", "SHOP.test", "shop.test:8080", "shop.test."] {
        let mut visitor = scene.visitor().await;
        visitor
            .send(format!("GET / HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n"))
            .await
            .expect("the edge reads");
        assert_eq!(visitor.read_response("GET").await.status(), Some(200), "{host}");
        assert_eq!(seen(&scene).field("host"), Some(host));
    }
}

#[tokio::test]
async fn an_ipv6_visitor_is_told_as_one() {
    let scene = Scene::with(Script::ok()).listen("[::1]:0").start();
    let mut visitor = Visitor::connect(scene.http).await.expect("the edge accepts");
    visitor.send(Scene::request("GET", "/", "X-Forwarded-For: 192.0.2.1\r\n")).await.expect("the edge reads");
    let response = visitor.read_response("GET").await;
    let head = seen(&scene);
    assert_eq!((head.field("cf-connecting-ip"), head.field("x-forwarded-for")), (Some("::1"), Some("192.0.2.1, ::1")));
    assert_eq!(scene.record_of(&response).await["ClientIP"], "::1");
}

#[tokio::test]
async fn limits_of_a_request_hold_to_the_byte() {
    let scene =
        Scene::with(Script::ok()).limit("request_header_bytes", "4096").limit("request_uri_bytes", "1024").start();
    let around = Scene::request("GET", "/", "X-Long: \r\n").len();
    for (bytes, status) in [(4096, 200), (4097, 431)] {
        let response = scene.get("/", &format!("X-Long: {}\r\n", "x".repeat(bytes - around))).await;
        assert_eq!(response.status(), Some(status), "{bytes}");
    }
    for (bytes, status) in [(1024, 200), (1025, 414)] {
        let response = scene.get(&format!("/{}", "x".repeat(bytes - 1)), "").await;
        assert_eq!(response.status(), Some(status), "{bytes}");
    }
}

#[tokio::test]
async fn server_timing_tells_the_phases() {
    let scene = Scene::with(Script::ok()).setting("server_timing", "on").start();
    let response = scene.get("/", "").await;
    let timing = response.field("server-timing").expect("a field");
    assert!(timing.contains("dur="), "{timing}");
    assert_eq!(Scene::with(Script::ok()).start().get("/", "").await.field("server-timing"), None);
}

#[tokio::test]
async fn a_trace_goes_on_at_the_origin() {
    const TRACE: &str = "0af7651916cd43dd8448eb211c80319c";
    let sent = format!("traceparent: 00-{TRACE}-b7ad6b7169203331-01\r\ntracestate: a=b\r\n");
    let scene = Scene::with(Script::ok()).also("[trace]\npropagate = \"on\"\nsample_rate = 0.0\n").start();
    let response = scene.get("/", &sent).await;
    let head = seen(&scene);
    let parent = head.values("traceparent").collect::<Vec<_>>();
    let [parent] = parent.as_slice() else { panic!("{parent:?}") };
    assert!(parent.starts_with(&format!("00-{TRACE}-")) && parent.ends_with("-01"), "{parent}");
    assert!(!parent.contains("b7ad6b7169203331"), "the origin's parent is the edge's span: {parent}");
    assert_eq!(head.field("tracestate"), Some("a=b"));
    let record = scene.record_of(&response).await;
    assert_eq!((&record["TraceID"], &record["ParentSpanID"]), (&TRACE.into(), &"b7ad6b7169203331".into()));

    // what cannot be read, or is said twice, begins a new trace, which names the Ray ID
    for broken in ["traceparent: 00-0-0-0\r\ntracestate: a=b\r\n", &format!("{sent}{sent}"), ""] {
        let response = scene.get("/", broken).await;
        let head = seen(&scene);
        let ray = &response.field("cf-ray").expect("a Ray ID")[..16];
        let parent = head.field("traceparent").expect("a new one");
        assert!(parent.starts_with("00-") && parent[19..35] == *ray && parent.ends_with("-00"), "{parent} {ray}");
        assert_eq!(head.field("tracestate"), None);
        assert_eq!(scene.record_of(&response).await.get("TraceID"), None);
    }

    let scene = Scene::with(Script::ok()).start();
    scene.get("/", &sent).await;
    assert_eq!(seen(&scene).field("tracestate"), Some("a=b"), "where it is off both pass as they came");
    assert!(seen(&scene).field("traceparent").expect("passed on").contains("b7ad6b7169203331"));
}
