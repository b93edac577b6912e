//! `rayline diagnose` in a network whose hops and links are known: the path it traces, and the packets it misses.

use rayline_lab::net::{Hook, Network, ROUTER, origin_v4, origin_v6};
use serde_json::{Value, json};

use super::scene::network;

/// What it says of the site at this address, asked from where the edge is.
#[track_caller]
fn diagnose(network: &Network, address: &str) -> Value {
    let program = rayline_lab::program::rayline(false).unwrap();
    let host = if address.contains(':') { format!("[{address}]") } else { address.to_owned() };
    let mut command = network.edge.command(&program.to_string_lossy());
    command.args(["diagnose", &format!("http://{host}/"), "--json", "--timeout", "3s"]);
    let output = command.output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    serde_json::from_slice(&output.stdout).unwrap_or_else(|error| panic!("{error}: {said}"))
}

/// The step whose name begins so.
#[track_caller]
fn probe<'a>(answer: &'a Value, name: &str) -> &'a Value {
    let mut probes = answer["probes"].as_array().unwrap().iter();
    probes.find(|probe| probe["name"].as_str().unwrap().starts_with(name)).unwrap_or_else(|| panic!("{answer:#}"))
}

/// The addresses of the path's hops; null where nobody answers.
#[track_caller]
fn hops(path: &Value) -> Vec<&Value> {
    path["facts"]["hops"].as_array().unwrap().iter().map(|hop| &hop["address"]).collect()
}

/// Asks of all addresses at once.
fn all<const N: usize>(network: &Network, addresses: &[String; N]) -> [Value; N] {
    std::thread::scope(|scope| {
        let asked = addresses.each_ref().map(|address| scope.spawn(|| diagnose(network, address)));
        asked.map(|asked| asked.join().unwrap())
    })
}

#[test]
fn the_path_is_traced_as_it_is() {
    let Some((_origin, network)) = network() else { return };
    let addresses = [origin_v4(1), origin_v6(1)];
    for (address, answer) in addresses.iter().zip(all(&network, &addresses)) {
        let path = probe(&answer, "network.path.");
        let router = ROUTER[usize::from(address.contains(':'))];
        assert_eq!(hops(path), [&json!(router), &json!(address)], "{path:#}");
        assert_eq!((&path["ok"], &path["facts"]["reached"]), (&json!(true), &json!(true)), "{path:#}");
        assert_eq!(answer["verdict"], Value::Null, "{answer:#}");
    }
}

/// A router that does not say that packets expire there is none that loses them.
#[test]
fn a_silent_hop_is_no_fault() {
    let Some((_origin, network)) = network() else { return };
    network.router.rules(Hook::Output, &["icmp type time-exceeded drop", "icmpv6 type time-exceeded drop"]).unwrap();
    let addresses = [origin_v4(1), origin_v6(1)];
    for (address, answer) in addresses.iter().zip(all(&network, &addresses)) {
        let path = probe(&answer, "network.path.");
        assert_eq!(hops(path), [&Value::Null, &json!(address)], "{path:#}");
        assert_eq!(path["ok"], true, "{path:#}");
        assert_eq!(answer["verdict"], Value::Null, "{answer:#}");
    }
}

/// Where the router stops everything, everything stops behind the router; where it says so, it is it who does.
#[test]
fn a_router_that_stops_packets_is_where_the_path_ends() {
    let Some((_origin, network)) = network() else { return };
    let addresses = [1, 2, 3].map(origin_v4);
    let [dropped, refused, lossy] = &addresses;
    network
        .router
        .rules(
            Hook::Forward,
            &[
                format!("ip daddr {dropped} drop"),
                format!("ip daddr {refused} reject with icmp admin-prohibited"),
                format!("ip daddr {lossy} tcp flags syn numgen inc mod 2 < 1 drop"),
            ],
        )
        .unwrap();
    let [when_dropped, when_refused, when_lossy] = all(&network, &addresses);
    for (answer, code) in [(when_dropped, "network.connect.timed_out"), (when_refused, "network.connect.prohibited")] {
        let path = probe(&answer, "network.path.");
        assert_eq!((hops(path), &path["ok"]), (vec![&json!(ROUTER[0])], &json!(false)), "{path:#}");
        assert_eq!(path["facts"]["reached"], false, "{path:#}");
        assert_eq!(answer["verdict"]["code"], code, "{answer:#}");
    }
    let path = probe(&when_lossy, "network.path.");
    assert_eq!((hops(path), &path["ok"]), (vec![&json!(ROUTER[0]), &json!(lossy)], &json!(false)), "{path:#}");
    let lost = |hop: usize| path["facts"]["hops"][hop]["lost"].as_f64().unwrap();
    assert!(lost(0) == 0.0 && lost(1) > 0.15, "{path:#}");
}

/// A link of 1400 bytes is no fault where the router may say so, and a black hole where it may not.
#[test]
fn a_small_link_is_a_black_hole_only_where_nobody_says_that_it_is_small() {
    let Some((_origin, network)) = network() else { return };
    let addresses = [1, 2].map(origin_v4);
    network.router.run("ip link set origin0 mtu 1400").unwrap();
    // The message quotes the packet's header: the destination stands 24 bytes in.
    let quoted = "@th,192,32 0x0a4d0202";
    let rule = format!("icmp type destination-unreachable icmp code frag-needed {quoted} drop");
    network.edge.rule(Hook::Input, &rule).unwrap();
    let [well, hole] = all(&network, &addresses);
    let found = probe(&well, "network.mtu");
    assert_eq!((&found["ok"], &found["facts"]["path_mtu_bytes"]), (&json!(true), &json!(1400)), "{found:#}");
    let found = probe(&hole, "network.mtu");
    assert_eq!((&found["ok"], &found["facts"]["path_mtu_bytes"]), (&json!(false), &json!(1500)), "{found:#}");
    assert_eq!(found["facts"]["address"], format!("{}:80", addresses[1]), "{found:#}");
    assert_eq!(found["verdict"]["code"], "network.send.unacknowledged", "{found:#}");
}
