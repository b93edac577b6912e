//! The plan of a command line.

use std::net::SocketAddr;

use expect_test::expect;
use rayline_config::{HostMatch, LogTarget, Source, SslMode, one_zone};

fn listen() -> SocketAddr {
    "127.0.0.1:8080".parse().unwrap()
}

/// Mode, ports and origin, as every host name gets them.
fn served(origin: &str) -> String {
    let plan = one_zone("shop.example", origin, listen(), None).unwrap();
    let settings = &plan.zones[0].settings;
    let hosts = ["shop.example", "WWW.shop.example", "localhost", "192.0.2.1", ""];
    let targets: Vec<String> = hosts
        .into_iter()
        .map(|host| match plan.hosts.find(host) {
            HostMatch::Found { zone, origin } => format!("{} {:?}", zone.name, origin.target),
            other => panic!("{host}: {other:?}"),
        })
        .collect();
    assert!(targets.windows(2).all(|pair| pair[0] == pair[1]), "{targets:?}");
    let port = match settings.ssl {
        SslMode::Flexible => settings.origin_http_port,
        SslMode::OriginPull => settings.origin_https_port,
        other => panic!("{other:?}"),
    };
    format!("{} {port} {}", settings.ssl.as_str(), targets[0])
}

#[test]
fn origins() {
    let rows = [
        "http://127.0.0.1:3000",
        "http://192.0.2.1",
        "https://192.0.2.1/",
        "https://[2001:db8::1]:8443",
        "http://[::1]",
        "http://localhost:3000",
        "HTTPS://Origin.Example",
        "http://app:3000",
    ];
    let shown: Vec<String> = rows.iter().map(|origin| format!("{origin} → {}", served(origin))).collect();
    expect![[r#"
        http://127.0.0.1:3000 → flexible 3000 shop.example Addresses([127.0.0.1])
        http://192.0.2.1 → flexible 80 shop.example Addresses([192.0.2.1])
        https://192.0.2.1/ → origin_pull 443 shop.example Addresses([192.0.2.1])
        https://[2001:db8::1]:8443 → origin_pull 8443 shop.example Addresses([2001:db8::1])
        http://[::1] → flexible 80 shop.example Addresses([::1])
        http://localhost:3000 → flexible 3000 shop.example Addresses([127.0.0.1, ::1])
        HTTPS://Origin.Example → origin_pull 443 shop.example Name("origin.example")
        http://app:3000 → flexible 3000 shop.example Name("app")"#]]
    .assert_eq(&shown.join("\n"));
}

#[test]
fn the_rest_of_the_plan() {
    let admin = "127.0.0.1:8787".parse().unwrap();
    let plan = one_zone("Shop.Example", "http://127.0.0.1:3000", listen(), Some(admin)).unwrap();
    assert_eq!(plan.server.http, [listen()]);
    assert_eq!((plan.server.https.len(), plan.server.admin), (0, Some(admin)));
    assert!(plan.server.allow_private_origins);
    assert_eq!(plan.log.requests, LogTarget::Stdout);
    assert_eq!(plan.zones[0].name, "shop.example");
    assert_eq!(plan.zones[0].records.len(), 1);
    assert!(plan.certificates.is_empty());
}

#[test]
fn problems() {
    let rows = [
        ("shop.example", "127.0.0.1:3000"),
        ("shop.example", "ftp://127.0.0.1"),
        ("shop.example", "http://127.0.0.1:3000/path"),
        ("shop.example", "http://user@127.0.0.1"),
        ("shop.example", "http://127.0.0.1:0"),
        ("shop.example", "http://127.0.0.1:70000"),
        ("shop.example", "http://"),
        ("shop.example", "http://[::1"),
        ("shop.example", "http://bad host"),
        ("shop.example", "http://127.0.0.1:8080"),
        ("shop.example", "http://localhost:8080"),
        ("-", "http://ä.example"),
    ];
    let source = Source { name: "command line".to_owned(), text: String::new(), base: "/nowhere".into() };
    let mut shown = String::new();
    for (zone, origin) in rows {
        let problems = one_zone(zone, origin, listen(), None).unwrap_err();
        for problem in problems {
            shown += &format!("{}: {}\n", problem.path, problem.render(&source, false));
        }
    }
    expect![[r#"
        --origin: error: `127.0.0.1:3000` is not an `http://` or `https://` URL
         |
         = help: write it as `http://127.0.0.1:3000`
        --origin: error: `ftp://127.0.0.1` is not an `http://` or `https://` URL
         |
         = help: write it as `http://127.0.0.1:3000`
        --origin: error: `http://127.0.0.1:3000/path` has more than a host and a port
         |
         = help: leave out path, query and user: requests keep the path the visitor asked for
        --origin: error: `http://user@127.0.0.1` has more than a host and a port
         |
         = help: leave out path, query and user: requests keep the path the visitor asked for
        --origin: error: `0` is not a port
         |
         = help: a port is a number from 1 to 65535
        --origin: error: `70000` is not a port
         |
         = help: a port is a number from 1 to 65535
        --origin: error: `http://` is no name: a name must not be empty
        --origin: error: `http://[::1` has half a pair of brackets
         |
         = help: write an IPv6 address as `http://[::1]:3000`
        --origin: error: `http://bad host` is no name: ` ` does not belong in a name
        --origin: error: `http://127.0.0.1:8080` is where the edge itself listens: requests would run in a circle
         |
         = help: listen on another port, or write the origin's
        --origin: error: `http://localhost:8080` is where the edge itself listens: requests would run in a circle
         |
         = help: listen on another port, or write the origin's
        --zone: error: `-` is no name: a part of a name neither starts nor ends with `-`
        --origin: error: `http://ä.example` is no name: a name beyond ASCII cannot be read
         |
         = help: write its `xn--` form
    "#]]
    .assert_eq(&shown);
}
