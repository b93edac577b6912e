//! Finding the origin's address.

use std::net::{IpAddr, Ipv4Addr, SocketAddr, UdpSocket};

use rayline_testkit::{Dns, DnsAnswer, Reserved, Script};
use serde_json::{Value, json};
use socket2::{Domain, Socket, Type};

use crate::scene::{Blame, Scene, Setup};

const LOOPBACK: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);

/// A scene whose zone has a name `LABEL.shop.test` for each label, which leads to `LABEL.origins.test`.
fn setup(labels: &[&str], resolver: SocketAddr) -> Setup {
    let setup = Scene::with(Script::ok()).server("resolvers", &format!("[\"{resolver}\"]"));
    labels.iter().fold(setup, |setup, label| {
        setup.also(&format!(
            "[[zone.dns_records]]\ntype = \"CNAME\"\nname = \"{label}\"\ncontent = \"{label}.origins.test\"\nproxied = true"
        ))
    })
}

fn request(label: &str, accept: &str) -> String {
    format!("GET /secret-path HTTP/1.1\r\nHost: {label}.shop.test\r\n{accept}Connection: close\r\n\r\n")
}

/// Provokes the code and looks at what all failures to resolve have in common.
async fn fails(scene: &Scene, label: &str, code: &str, response_code: &str) -> Value {
    let blame = Blame::page(code, 530).evidence(&["dns", "origin_name", "elapsed_ms"]);
    let record = scene.blames_on(blame, |accept| request(label, accept)).await;
    let name = format!("{label}.origins.test");
    assert_eq!(record["VerdictStatus"], 1016);
    assert_eq!(record["VerdictReached"], "no");
    assert_eq!(record["VerdictEvidence"]["origin_name"], name);
    assert_eq!(record["VerdictEvidence"]["dns"]["name"], name);
    assert_eq!(record["VerdictEvidence"]["dns"]["response_code"], response_code);
    assert_eq!(scene.origin.as_ref().unwrap().connections(), 0, "the origin was not asked");
    record
}

#[tokio::test]
async fn what_name_servers_say_is_told_apart() {
    let rows = [
        ("nx", DnsAnswer::NxDomain, "owner.resolve.nxdomain", "NXDOMAIN"),
        ("broken", DnsAnswer::ServFail, "network.resolve.servfail", "SERVFAIL"),
        ("refused", DnsAnswer::Refused, "network.resolve.refused", "REFUSED"),
        ("empty", DnsAnswer::Empty, "owner.resolve.no_address", "NOERROR"),
        ("silent", DnsAnswer::Silent, "network.resolve.timed_out", "none"),
        ("dangling", DnsAnswer::Alias("nobody.origins.test".to_owned()), "owner.resolve.nxdomain", "NXDOMAIN"),
    ];
    let labels = rows.each_ref().map(|row| row.0);
    let dns = Dns::start(rows.iter().map(|row| (format!("{}.origins.test", row.0), row.1.clone()))).unwrap();
    let scene = setup(&labels, dns.addr()).limit("resolve_timeout", "300ms").start();
    for (label, _, code, response_code) in &rows {
        let record = fails(&scene, label, code, response_code).await;
        let evidence = &record["VerdictEvidence"];
        assert_eq!(evidence["dns"]["servers"], json!([dns.addr().to_string()]));
        match *label {
            "silent" => {
                let timer = json!({ "setting": "resolve_timeout", "limit_ms": 300 });
                assert_eq!(evidence["timer"], timer);
            }
            "broken" => assert_eq!(record["VerdictRivals"], json!(["owner.resolve.no_address"])),
            "dangling" => assert_eq!(evidence["dns"]["aliases"], json!(["nobody.origins.test"])),
            _ => {}
        }
    }
}

#[tokio::test]
async fn an_alias_that_leads_in_a_circle() {
    let alias = |name: &str| DnsAnswer::Alias(format!("{name}.origins.test"));
    let names = [("a.origins.test", alias("b")), ("b.origins.test", alias("c")), ("c.origins.test", alias("a"))];
    let dns = Dns::start(names).unwrap();
    let scene = setup(&["a"], dns.addr()).limit("resolve_timeout", "2s").start();
    let blame = Blame::page("owner.resolve.alias_loop", 530).evidence(&["dns", "origin_name"]);
    let record = scene.blames_on(blame, |accept| request("a", accept)).await;
    let aliases: Vec<&str> =
        record["VerdictEvidence"]["dns"]["aliases"].as_array().unwrap().iter().filter_map(Value::as_str).collect();
    assert_eq!(aliases.get(..3), Some(&["b.origins.test", "c.origins.test", "a.origins.test"][..]), "{aliases:?}");
    assert_eq!((&record["VerdictStatus"], &record["VerdictReached"]), (&json!(1016), &json!("no")));
}

#[tokio::test]
async fn no_name_server_can_be_reached() {
    let port = Reserved::new().unwrap();
    // A socket that is connected elsewhere takes nothing from us, and keeps others from the port.
    let udp = UdpSocket::bind(port.addr()).unwrap();
    udp.connect((LOOPBACK, 9)).unwrap();
    let scene = setup(&["any"], port.addr()).limit("resolve_timeout", "2s").start();
    let record = fails(&scene, "any", "network.resolve.unreachable", "none").await;
    assert_eq!(record["VerdictEvidence"]["errno"]["name"], "ECONNREFUSED");
    let took = record["VerdictEvidence"]["dns"]["took_ms"].as_u64().unwrap();
    assert!(took < 1000, "the network says no at once, not after {took} ms");
}

#[tokio::test]
async fn a_name_with_a_private_address_is_prohibited_unless_allowed() {
    let addresses = ["127.0.0.1", "10.0.0.5", "169.254.169.254", "100.64.0.1", "::1", "fd00::1", "::ffff:10.0.0.5"];
    let labels = ["loopback", "private", "metadata", "carrier", "loopback6", "local6", "mapped"];
    let names = labels.iter().zip(addresses).map(|(label, address)| {
        (format!("{label}.origins.test"), DnsAnswer::address(address.parse::<IpAddr>().unwrap()))
    });
    let dns = Dns::start(names).unwrap();
    let scene = setup(&labels, dns.addr()).start();
    for (label, address) in labels.iter().zip(addresses) {
        let blame = Blame::page("owner.resolve.prohibited_address", 403);
        let blame = blame.evidence(&["prohibited_address", "origin_name", "dns"]);
        let record = scene.blames_on(blame, |accept| request(label, accept)).await;
        assert_eq!(record["VerdictStatus"], 1002);
        assert_eq!(record["VerdictReached"], "no");
        assert_eq!(record["VerdictEvidence"]["prohibited_address"], address);
        assert_eq!(record["VerdictEvidence"]["dns"]["addresses"], json!([address]));
    }
    assert_eq!(scene.origin.as_ref().unwrap().connections(), 0, "the origin was not asked");

    let scene = setup(&["loopback"], dns.addr()).server("allow_private_origins", "true").start();
    let mut visitor = scene.visitor().await;
    visitor.send(request("loopback", "")).await.unwrap();
    assert_eq!(visitor.read_response("GET").await.status(), Some(200));
}

#[tokio::test]
async fn names_that_lead_to_the_origin() {
    let dns = Dns::start([
        ("direct.origins.test", DnsAnswer::address(LOOPBACK)),
        ("chain.origins.test", DnsAnswer::Alias("second.origins.test".to_owned())),
        ("second.origins.test", DnsAnswer::Alias("third.origins.test".to_owned())),
        ("third.origins.test", DnsAnswer::address(LOOPBACK)),
        ("long.origins.test", DnsAnswer::Truncated(vec![LOOPBACK])),
        ("both.origins.test", DnsAnswer::Addresses(vec![LOOPBACK, "::1".parse().unwrap()])),
    ])
    .unwrap();
    let labels = ["direct", "chain", "long", "both"];
    let scene = setup(&labels, dns.addr()).server("allow_private_origins", "true").start();
    for label in labels {
        let mut visitor = scene.visitor().await;
        visitor.send(request(label, "")).await.unwrap();
        let response = visitor.read_response("GET").await;
        assert_eq!(response.status(), Some(200), "{label}");
        assert!(
            response.text().contains(&format!("Host: {label}.shop.test\r\n")),
            "the origin sees the visitor's host"
        );
        let record = scene.record_of(&response).await;
        assert_eq!((&record["OriginIP"], &record["VerdictCode"]), (&json!("127.0.0.1"), &Value::Null), "{label}");
    }
    let asked = dns.questions().iter().filter(|(name, _)| name == "direct.origins.test").count();
    assert_eq!(asked, 2, "for A and for AAAA");
}

/// A port of 127.0.0.1 that a listener with `SO_REUSEPORT` can have too: known before the edge starts.
fn shared_port() -> (Socket, u16) {
    let socket = Socket::new(Domain::IPV4, Type::STREAM, None).unwrap();
    socket.set_reuse_address(true).unwrap();
    socket.set_reuse_port(true).unwrap();
    socket.bind(&SocketAddr::new(LOOPBACK, 0).into()).unwrap();
    let port = socket.local_addr().unwrap().as_socket().unwrap().port();
    (socket, port)
}

#[tokio::test]
async fn an_origin_that_is_the_edge_itself() {
    let dns = Dns::start([("back.origins.test", DnsAnswer::address(LOOPBACK))]).unwrap();
    let (_port, port) = shared_port();
    // Once by its address, once by a name; and once by an address on which the edge listens with all others.
    for (listener, host) in [("127.0.0.1", "literal"), ("127.0.0.1", "named"), ("0.0.0.0", "literal")] {
        let scene = setup(&[], dns.addr())
            .server("allow_private_origins", "true")
            .server("https", &format!("[\"{listener}:{port}\"]"))
            .server("development_ca", "true")
            .also(&format!(
                "[[zone]]\nname = \"back.test\"\n[zone.settings]\nssl = \"flexible\"\norigin_http_port = {port}\n\
                 [[zone.dns_records]]\ntype = \"A\"\nname = \"literal\"\ncontent = \"127.0.0.1\"\nproxied = true\n\
                 [[zone.dns_records]]\ntype = \"CNAME\"\nname = \"named\"\ncontent = \"back.origins.test\"\nproxied = true\n"
            ))
            .start();
        let blame =
            Blame::page("owner.resolve.points_to_edge", 403).evidence(&["prohibited_address", "origin_address"]);
        let record = scene
            .blames_on(blame, |accept| {
                format!("GET / HTTP/1.1\r\nHost: {host}.back.test\r\n{accept}Connection: close\r\n\r\n")
            })
            .await;
        assert_eq!(record["VerdictStatus"], 1000);
        assert_eq!(record["VerdictReached"], "no");
        assert_eq!(record["VerdictEvidence"]["origin_address"], format!("127.0.0.1:{port}"));
        assert_eq!(scene.counted("rayline_requests_total", "status_class=\"4xx\""), 4, "no request came back");
    }
}
