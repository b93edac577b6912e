//! Another plan for a running edge: new requests follow it, those under way do not notice, and nothing is dropped.

use std::net::TcpListener;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use rayline_edge::{Edge, ORIGIN_CA_ROOT, Sink};
use rayline_testkit::{Authority, Flaw, Script, Tls, Visitor};
use rayline_verdict::Record;

use crate::by_hand::{ByHand, listen};
use crate::scene::{HOST, Scene};

fn get(target: &str) -> String {
    format!("GET {target} HTTP/1.1\r\nHost: {HOST}\r\n\r\n")
}

#[tokio::test]
async fn a_connection_goes_on_under_the_new_plan() {
    let scene = Scene::with(Script::ok()).start();
    let mut visitor = scene.visitor().await;
    for version in 1..=3_u64 {
        visitor.send(get("/")).await.expect("the edge reads");
        let response = visitor.read_response("GET").await;
        assert_eq!(response.status(), Some(200));
        assert_eq!(scene.record_of(&response).await["PlanVersion"], version);
        assert_eq!(scene.edge.counts().plan_version.load(Ordering::Relaxed), version);
        assert_eq!(scene.edge.reload(scene.plan(&scene.toml)).expect("a reload"), version + 1);
    }
    assert_eq!(scene.origin.as_ref().expect("an origin").connections(), 1, "what origins are trusted by is the same");
}

#[tokio::test]
async fn kept_origin_connections_go_with_the_trust_they_were_opened_under() {
    let scene = Scene::with(Script::ok()).start();
    assert_eq!(scene.get("/", "").await.status(), Some(200));
    let authority = Authority::new("another CA").expect("a CA");
    std::fs::write(scene.folder.path().join("another.pem"), authority.root_pem()).expect("a file in the folder");
    let toml = scene.toml.replace("[server]\n", "[server]\norigin_ca = [\"another.pem\"]\n");
    scene.edge.reload(scene.plan(&toml)).expect("a reload");
    assert_eq!(scene.get("/", "").await.status(), Some(200));
    assert_eq!(scene.origin.as_ref().expect("an origin").connections(), 2);
}

#[tokio::test]
async fn an_origin_ca_that_came_into_the_data_directory_is_trusted() {
    let authority = Authority::new("Origin CA").expect("a CA");
    let issued = authority.issue(Flaw::None, &[HOST]).expect("a certificate");
    let scene = Scene::with(Script::ok().over_tls(Tls::new(&issued))).start();
    assert_eq!(scene.get("/", "").await.status(), Some(526));
    let root = scene.folder.path().join("data").join(ORIGIN_CA_ROOT);
    std::fs::create_dir_all(root.parent().expect("a folder")).expect("a folder");
    std::fs::write(&root, authority.root_pem()).expect("a file in the folder");
    assert_eq!(scene.get("/", "").await.status(), Some(526), "not before a reload");
    scene.edge.reload(scene.plan(&scene.toml)).expect("a reload");
    assert_eq!(scene.get("/", "").await.status(), Some(200));
    std::fs::write(&root, "damaged").expect("a file in the folder");
    scene.edge.reload(scene.plan(&scene.toml)).expect("a reload, with less trust");
    assert_eq!(scene.get("/", "").await.status(), Some(526));
}

#[tokio::test]
async fn a_request_under_way_ends_under_its_plan() {
    let (listener, address) = listen().await;
    let scene = Scene::before(address).start();
    let mut visitor = scene.visitor().await;
    visitor.send(get("/old")).await.expect("the edge reads");
    let mut origin = ByHand::accept(&listener).await;
    origin.head().await;
    // The new plan knows nothing of the host.
    let version = scene.edge.reload(scene.plan(&scene.toml.replace(HOST, "other.test"))).expect("a reload");
    let response = scene.get("/", "").await;
    assert_eq!(response.status(), Some(409));
    assert_eq!(scene.record_of(&response).await["PlanVersion"], version);
    origin.send("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok").await;
    let response = visitor.read_response("GET").await;
    assert_eq!((response.status(), response.text().as_str()), (Some(200), "ok"));
    let record = scene.record_of(&response).await;
    assert_eq!((&record["PlanVersion"], &record["ZoneName"]), (&1.into(), &HOST.into()));
    // The same visitor's next request is under the new one.
    visitor.send(get("/new")).await.expect("the edge reads");
    assert_eq!(visitor.read_response("GET").await.status(), Some(409));
}

#[tokio::test]
async fn listeners_come_and_go() {
    let scene = Scene::with(Script::ok()).start();
    let first = scene.http;
    let mut kept = scene.visitor().await;
    kept.send(get("/")).await.expect("the edge reads");
    assert_eq!(kept.read_response("GET").await.status(), Some(200));
    // One more, on a free port of IPv6.
    let both = scene.toml.replace("127.0.0.1:0", &format!("{first}\", \"[::1]:0"));
    scene.edge.reload(scene.plan(&both)).expect("a reload");
    let addresses = scene.edge.http();
    assert_eq!((addresses.len(), addresses[0]), (2, first));
    let second = addresses[1];
    assert_ne!(second.port(), 0, "a new listener tells its port");
    for address in [first, second] {
        assert_eq!(Visitor::get(address, HOST, "/").await.expect("a connection").status(), Some(200), "{address}");
    }
    // And the first one goes: it refuses, and who is connected stays so.
    let one = scene.toml.replace("127.0.0.1:0", &second.to_string());
    scene.edge.reload(scene.plan(&one)).expect("a reload");
    assert_eq!(scene.edge.http(), [second]);
    assert_eq!(Visitor::get(second, HOST, "/").await.expect("a connection").status(), Some(200));
    kept.send(get("/")).await.expect("the edge reads");
    assert_eq!(kept.read_response("GET").await.status(), Some(200));
    refuses(first).await;
}

/// Returns once nobody listens there: the worker closes its listener a moment after the reload.
async fn refuses(address: std::net::SocketAddr) {
    let gone = async {
        while std::net::TcpStream::connect(address).is_ok() {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(5), gone).await.expect("the listener is closed");
}

#[tokio::test]
async fn a_listener_that_cannot_be_had_changes_nothing() {
    let scene = Scene::with(Script::ok()).start();
    let taken = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = taken.local_addr().expect("an address");
    let toml = scene.toml.replace("127.0.0.1:0", &format!("127.0.0.1:0\", \"{address}")).replace(HOST, "other.test");
    let error = scene.edge.reload(scene.plan(&toml)).expect_err("the port is taken").to_string();
    assert!(error.contains(&address.to_string()) && error.contains("ss -ltnp"), "{error}");
    assert_eq!(scene.edge.http(), [scene.http]);
    let response = scene.get("/", "").await;
    assert_eq!(response.status(), Some(200));
    assert_eq!(scene.record_of(&response).await["PlanVersion"], 1);
}

struct Nowhere;

impl Sink for Nowhere {
    fn record(&mut self, _record: &Record) {}
}

#[tokio::test]
async fn two_edges_do_not_share_a_port() {
    let scene = Scene::with(Script::ok()).start();
    let toml = scene.toml.replace("127.0.0.1:0", &scene.http.to_string());
    let error = Edge::start(scene.plan(&toml), vec![Box::new(Nowhere)]).expect_err("the port is taken").to_string();
    assert!(error.contains(&scene.http.to_string()) && error.contains("another program listens there"), "{error}");
    // Several workers of one edge do.
    let workers: Vec<Box<dyn Sink>> = vec![Box::new(Nowhere), Box::new(Nowhere)];
    let edge = Edge::start(scene.plan(&scene.toml), workers).expect("a second edge on a port of its own");
    let address = edge.http()[0];
    for _ in 0..8 {
        assert_eq!(Visitor::get(address, HOST, "/").await.expect("a connection").status(), Some(200));
    }
    edge.stop(Duration::ZERO);
}

#[tokio::test]
async fn certificates_change_with_the_plan() {
    let scene = Scene::with(Script::ok()).https().start();
    let mut old = scene.tls_visitor().await;
    let toml = scene.toml.replace("min_tls_version = \"1.2\"", "").replace(HOST, "other.test");
    scene.edge.reload(scene.plan(&toml)).expect("a reload");
    assert_eq!(scene.edge.https(), [scene.https.expect("a listener")]);
    let mut new = scene.tls_visitor_as("other.test").await;
    new.send("GET / HTTP/1.1\r\nHost: other.test\r\n\r\n").await.expect("the edge reads");
    assert_eq!(new.read_response("GET").await.status(), Some(200));
    // A handshake stands, the zone does not.
    old.send(get("/")).await.expect("the edge reads");
    assert_eq!(old.read_response("GET").await.status(), Some(409));
}

#[tokio::test]
async fn nothing_is_dropped_under_load() {
    let scene = Scene::with(Script::ok()).start();
    let done = Arc::new(AtomicBool::new(false));
    let asking: Vec<_> = (0..4)
        .map(|n| {
            let (address, done) = (scene.http, Arc::clone(&done));
            tokio::spawn(async move {
                let mut visitor = Visitor::connect(address).await.expect("the edge accepts");
                let mut asked = 0;
                // At least fifty each, and on for as long as plans change; every tenth on a connection of its own.
                while asked < 50 || !done.load(Ordering::Relaxed) {
                    asked += 1;
                    let response = if asked % 10 == 0 {
                        Visitor::get(address, HOST, "/").await.expect("the edge accepts")
                    } else {
                        visitor.send(get("/")).await.expect("the edge reads");
                        visitor.read_response("GET").await
                    };
                    assert_eq!((response.status(), response.whole), (Some(200), true), "visitor {n}, request {asked}");
                }
                asked
            })
        })
        .collect();
    for version in 2..=11 {
        let before = scene.origin.as_ref().expect("an origin").requests();
        scene.origin.as_ref().expect("an origin").until(|counts| counts.requests > before + 5).await.expect("load");
        assert_eq!(scene.edge.reload(scene.plan(&scene.toml)).expect("a reload"), version);
    }
    done.store(true, Ordering::Relaxed);
    let mut asked = 0;
    for task in asking {
        asked += task.await.expect("every answer is a 200");
    }
    assert!(asked >= 200, "{asked}");
}
