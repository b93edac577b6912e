//! Two plans at once: some visitors' requests run on the new one, always the same visitors', and what came of both is
//! counted.

use std::time::{Duration, Instant};

use rayline_edge::{Compared, Share, Spread};
use rayline_testkit::{Authority, Flaw, Response, Script, Tls, Visitor};
use rayline_verdict::Code;

use crate::scene::{HOST, Scene, Setup};

/// Visitors whose requests are sent.
const VISITORS: u8 = 60;

/// A scene where requests can be anybody's: this machine is a trusted proxy in front.
fn scene(script: Script) -> Setup {
    Scene::with(script).server("trusted_proxies", "[\"127.0.0.1\"]")
}

fn half() -> Spread {
    Spread { share: Share::percent(50.0), salt: 7 }
}

/// One request of the `n`th visitor.
async fn ask(scene: &Scene, n: u8, target: &str) -> Response {
    scene.get(target, &format!("CF-Connecting-IP: 192.0.2.{n}\r\n")).await
}

/// The version that decided, as the log has it.
async fn version_of(scene: &Scene, response: &Response) -> u64 {
    scene.record_of(response).await["PlanVersion"].as_u64().expect("a number")
}

/// What has been counted, once it is so many requests.
async fn compared(scene: &Scene, requests: u64) -> Compared {
    let deadline = Instant::now() + Duration::from_secs(5);
    loop {
        let compared = scene.edge.compare().expect("a trial");
        if compared.old.requests + compared.new.requests >= requests {
            return compared;
        }
        assert!(Instant::now() < deadline, "{compared:?}");
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn visitors_stay_with_their_plan_and_the_log_says_which() {
    let scene = scene(Script::ok()).start();
    // The plans differ in what a visitor sees: only the new one has this host.
    let both = scene.toml.replace("name = \"@\"", "name = \"www\"").replace(HOST, "shop.test");
    let toml = format!("{both}\n[[zone.dns_records]]\ntype = \"A\"\nname = \"@\"\ncontent = \"127.0.0.1\"\n");
    scene.edge.begin_trial(2, scene.plan(&toml), half()).expect("a trial");
    let mut chosen = Vec::new();
    for n in 0..VISITORS {
        let first = version_of(&scene, &ask(&scene, n, "/first").await).await;
        let second = version_of(&scene, &ask(&scene, n, "/second").await).await;
        assert_eq!(first, second, "visitor {n}");
        chosen.push(first);
    }
    let new = chosen.iter().filter(|version| **version == 2).count();
    assert!((15..=45).contains(&new), "{new} of {VISITORS}");
    assert_eq!(scene.edge.counts().plan_version.load(std::sync::atomic::Ordering::Relaxed), 1);

    // A larger share keeps who was there; one connection may carry visitors of both plans.
    scene.edge.widen(Share::percent(80.0));
    let mut visitor = scene.visitor().await;
    for (n, before) in (0..VISITORS).zip(&chosen) {
        let request = format!("GET / HTTP/1.1\r\nHost: {HOST}\r\nCF-Connecting-IP: 192.0.2.{n}\r\n\r\n");
        visitor.send(request).await.expect("the edge reads");
        let version = version_of(&scene, &visitor.read_response("GET").await).await;
        assert!(version >= *before, "visitor {n} was in version {before}, and now is in {version}");
    }
    assert_eq!(scene.edge.promote(), Some(2));
    for n in 0..4 {
        assert_eq!(version_of(&scene, &ask(&scene, n, "/").await).await, 2);
    }
    assert_eq!((scene.edge.compare(), scene.edge.promote(), scene.edge.withdraw()), (None, None, None));
    assert_eq!(scene.edge.reload(scene.plan(&scene.toml)).expect("a reload"), 3);
}

#[tokio::test]
async fn what_came_of_both_is_counted_by_party_and_code() {
    let scene = scene(Script::ok()).start();
    // The new plan's record leads to a name that leads back here, which is the owner's fault.
    let broken = scene.toml.replace("\"A\"", "\"CNAME\"").replace("\"127.0.0.1\"\nproxied", "\"localhost\"\nproxied");
    assert_ne!(broken, scene.toml);
    scene.edge.begin_trial(2, scene.plan(&broken), half()).expect("a trial");
    for n in 0..VISITORS {
        let response = ask(&scene, n, "/").await;
        let failed = response.status() != Some(200);
        assert_eq!(version_of(&scene, &response).await, if failed { 2 } else { 1 }, "visitor {n}");
    }
    let counted = compared(&scene, u64::from(VISITORS)).await;
    assert_eq!((counted.old.version, counted.new.version), (1, 2));
    assert_eq!(counted.old.requests + counted.new.requests, u64::from(VISITORS));
    assert_eq!((counted.old.blamed(), counted.old.failing_visitors), (0, 0));
    assert_eq!(counted.new.blamed(), counted.new.requests);
    let code = Code::find("owner.resolve.prohibited_address").expect("a code");
    assert_eq!(counted.new.by_code, [(code, counted.new.requests)]);
    assert!(counted.new.failing_visitors.abs_diff(counted.new.requests) <= 2, "{counted:?}");

    // Nobody meets the new plan any more.
    assert_eq!(scene.edge.withdraw(), Some(2));
    for n in 0..VISITORS {
        assert_eq!(ask(&scene, n, "/").await.status(), Some(200), "visitor {n}");
    }
    assert_eq!(scene.edge.reload(scene.plan(&scene.toml)).expect("a reload"), 3, "no version is used twice");
}

#[tokio::test]
async fn each_plan_has_the_origin_connections_of_its_trust() {
    let authority = Authority::new("The new plan's CA").expect("a CA");
    let issued = authority.issue(Flaw::None, &[HOST]).expect("a certificate");
    let setup = scene(Script::ok().over_tls(Tls::new(&issued)));
    std::fs::write(setup.folder().join("new.pem"), authority.root_pem()).expect("a file in the folder");
    let scene = setup.start();
    let toml = scene.toml.replace("[server]\n", "[server]\norigin_ca = [\"new.pem\"]\n");
    scene.edge.begin_trial(2, scene.plan(&toml), half()).expect("a trial");
    for round in 0..2 {
        for n in 0..12 {
            let response = ask(&scene, n, "/").await;
            let trusted = version_of(&scene, &response).await == 2;
            assert_eq!(response.status(), Some(if trusted { 200 } else { 526 }), "visitor {n}, round {round}");
        }
    }
    // What the new plan has opened is no way around the old one's distrust after it has gone.
    scene.edge.withdraw();
    for n in 0..12 {
        assert_eq!(ask(&scene, n, "/").await.status(), Some(526), "visitor {n}");
    }
}

#[tokio::test]
async fn a_listener_of_the_new_plan_leads_to_it_and_goes_with_it() {
    let scene = scene(Script::ok()).start();
    let first = scene.http;
    let taken = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let free = taken.local_addr().expect("an address");
    let toml = scene.toml.replace("127.0.0.1:0", &format!("{first}\", \"{free}"));
    let nobody = Spread { share: Share::percent(0.0), salt: 1 };
    let error = scene.edge.begin_trial(2, scene.plan(&toml), nobody).expect_err("the port is taken").to_string();
    assert!(error.contains(&free.to_string()), "{error}");
    assert_eq!((scene.edge.compare(), scene.edge.http()), (None, vec![first]));
    drop(taken);

    scene.edge.begin_trial(2, scene.plan(&toml), nobody).expect("a trial");
    for (address, version) in [(first, 1), (free, 2)] {
        let response = Visitor::get(address, HOST, "/").await.expect("a connection");
        assert_eq!(version_of(&scene, &response).await, version);
    }
    let mut kept = Visitor::connect(free).await.expect("a connection");
    scene.edge.withdraw();
    let deadline = Instant::now() + Duration::from_secs(5);
    while std::net::TcpStream::connect(free).is_ok() {
        assert!(Instant::now() < deadline, "the listener is still there");
        tokio::task::yield_now().await;
    }
    kept.send(format!("GET / HTTP/1.1\r\nHost: {HOST}\r\n\r\n")).await.expect("the edge reads");
    let response = kept.read_response("GET").await;
    assert_eq!((response.status(), version_of(&scene, &response).await), (Some(200), 1));
}

#[tokio::test]
async fn a_handshake_shows_the_certificate_of_the_visitors_plan() {
    let scene = scene(Script::ok()).https().start();
    let toml = scene.toml.replace(HOST, "other.test");
    let all = Spread { share: Share::percent(100.0), salt: 1 };
    scene.edge.begin_trial(2, scene.plan(&toml), all).expect("a trial");
    let mut new = scene.tls_visitor_as("other.test").await;
    new.send("GET / HTTP/1.1\r\nHost: other.test\r\n\r\n").await.expect("the edge reads");
    assert_eq!(new.read_response("GET").await.status(), Some(200));
    scene.edge.withdraw();
    // The connection goes on under the plan that is left, which does not know the host.
    new.send("GET / HTTP/1.1\r\nHost: other.test\r\n\r\n").await.expect("the edge reads");
    let response = new.read_response("GET").await;
    assert_eq!((response.status(), version_of(&scene, &response).await), (Some(409), 1));
    let mut old = scene.tls_visitor().await;
    old.send(format!("GET / HTTP/1.1\r\nHost: {HOST}\r\n\r\n")).await.expect("the edge reads");
    assert_eq!(old.read_response("GET").await.status(), Some(200));
}
