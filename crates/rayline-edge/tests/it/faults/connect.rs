//! The TCP connection to the origin.

use std::fs::File;
use std::net::SocketAddr;

use rayline_testkit::{Origin, Script};
use serde_json::json;

use crate::again;
use crate::scene::{Blame, FORMATS, HOST, Scene, can_vanish};

#[tokio::test]
async fn refused() {
    let scene = Scene::with(Script::refuse()).start();
    let blame = Blame::page("origin.connect.refused", 521).evidence(&["errno", "origin_address"]);
    let record = scene.blames(blame).await;
    assert_eq!(record["VerdictEvidence"]["errno"]["name"], "ECONNREFUSED");
    assert_eq!((&record["VerdictReached"], &record["VerdictCertainty"]), (&json!("no"), &json!("proven")));
    let attempts = &record["VerdictAttempts"];
    assert_eq!(attempts[0]["address"], scene.origin.as_ref().expect("an origin").addr().to_string());
    assert_eq!((&attempts[0]["code"], &attempts[1]), (&json!("origin.connect.refused"), &json!(null)));
}

/// Several addresses: each is tried, and one that is alive is enough.
#[tokio::test]
async fn refused_at_one_address_of_several() {
    let another = "[[zone.dns_records]]\ntype = \"A\"\nname = \"@\"\nproxied = true\n";
    let scene = Scene::with(Script::refuse()).also(&format!("{another}content = \"127.0.0.2\"")).start();
    let record = scene.blames(Blame::page("origin.connect.refused", 521)).await;
    let attempts = record["VerdictAttempts"].as_array().expect("attempts");
    assert!(attempts.len() == 2 && attempts.iter().all(|attempt| attempt["code"] == "origin.connect.refused"));

    let origin = Origin::start(Script::ok()).expect("an origin on loopback");
    let dead = SocketAddr::new([127, 0, 0, 2].into(), origin.addr().port());
    let scene = Scene::before(dead).also(&format!("{another}content = \"127.0.0.1\"")).start();
    let response = scene.get("/", "").await;
    assert_eq!(response.status(), Some(200));
    let record = scene.record_of(&response).await;
    assert_eq!((&record["VerdictCode"], &record["OriginIP"]), (&json!(null), &json!("127.0.0.1")));
}

#[tokio::test]
async fn timed_out() {
    let scripts = [Script::backlog_full(), Script::drop_syn()];
    for script in scripts.into_iter().filter(|script| !script.vanishes() || can_vanish()) {
        let scene = Scene::with(script).limit("connect_timeout", "300ms").start();
        let blame = Blame::page("network.connect.timed_out", 522).evidence(&["origin_address"]);
        let record = scene.blames(blame).await;
        let timer = json!({ "setting": "connect_timeout", "limit_ms": 300 });
        assert_eq!(record["VerdictEvidence"]["timer"], timer);
        assert_eq!(record["VerdictEvidence"]["tcp"]["state"], "SYN_SENT");
        assert_eq!(record["VerdictReached"], "no");
        assert_eq!(record["VerdictRivals"], json!(["origin.connect.refused", "network.connect.unreachable"]));
    }
}

/// TCP has no multicast: the kernel finds no way there, and sends nothing.
#[tokio::test]
async fn no_route() {
    let scene = Scene::pointing_to("224.0.0.1").start();
    let blame = Blame::page("edge.connect.no_route", 523).evidence(&["origin_address"]);
    let record = scene.blames(blame).await;
    assert_eq!(record["VerdictEvidence"]["errno"]["name"], "ENETUNREACH");
    assert_eq!((&record["VerdictReached"], &record["VerdictCertainty"]), (&json!("no"), &json!("proven")));
}

/// Addresses that mean something in the test's own network only.
#[tokio::test]
async fn routes_that_lead_nowhere() {
    if !again::is_prepared() {
        return again::in_a_network_of_its_own(
            "faults::connect::routes_that_lead_nowhere",
            "ip route add prohibit 10.11.12.0/24 && ip route add blackhole 10.11.13.0/24 \
             && ip route add unreachable 10.11.14.0/24",
        );
    }
    for (address, code, status, errno) in [
        ("10.11.12.1", "edge.connect.forbidden", 500, "EACCES"),
        ("10.11.13.1", "edge.connect.forbidden", 500, "EINVAL"),
        ("10.11.14.1", "edge.connect.no_route", 523, "EHOSTUNREACH"),
        ("192.0.2.1", "edge.connect.no_route", 523, "ENETUNREACH"),
    ] {
        let scene = Scene::pointing_to(address).start();
        let record = scene.blames(Blame::page(code, status).evidence(&["origin_address"])).await;
        assert_eq!(record["VerdictEvidence"]["errno"]["name"], errno, "{address}");
        assert_eq!((&record["VerdictReached"], &record["VerdictCertainty"]), (&json!("no"), &json!("proven")));
    }
}

#[tokio::test]
async fn exhausted() {
    if !again::is_prepared() {
        return again::prepared("faults::connect::exhausted", "ulimit -n 64");
    }
    let scene = Scene::with(Script::keep_alive_off()).start();
    let mut visitor = scene.visitor().await;
    let request = |accept: &str| format!("GET /secret-path HTTP/1.1\r\nHost: {HOST}\r\n{accept}\r\n");
    for format in FORMATS {
        visitor.send(request(format)).await.expect("the edge reads");
        assert_eq!(visitor.read_response("GET").await.status(), Some(200));
        scene.origin.as_ref().expect("an origin").until(|counts| counts.open == 0).await.expect("a closed connection");

        let all_there_are: Vec<File> = std::iter::from_fn(|| File::open("/dev/null").ok()).collect();
        visitor.send(request(format)).await.expect("the edge reads");
        let response = visitor.read_response("GET").await;
        drop(all_there_are);
        let record = scene.sees(&Blame::page("edge.connect.exhausted", 503), format, &response).await;
        assert_eq!(record["VerdictEvidence"]["errno"]["name"], "EMFILE");
        assert_eq!((&record["VerdictReached"], &record["VerdictCertainty"]), (&json!("no"), &json!("proven")));
    }
}
