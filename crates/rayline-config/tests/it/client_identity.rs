//! `[zone.origin_tls_client_auth]`: what is wrong with it, and what is taken from a right one.

use expect_test::expect_file;
use rayline_config::{ClientIdentity, Plan};
use rcgen::ExtendedKeyUsagePurpose as Purpose;
use time::macros::datetime;

use crate::files::{Row, check};
use crate::support::{Folder, Pair, render};

/// A configuration that shows origins `edge.pem`; where `tls_client_auth` stands more can be written.
const ON: &str = r#"server.http = ["127.0.0.1:8080"]

[[zone]]
name = "shop.example"
dns_records = [{ type = "A", name = "www", content = "192.0.2.10" }]

[zone.settings]
tls_client_auth = "on"

[zone.origin_tls_client_auth]
certificate = "edge.pem"
private_key = "edge.key"
"#;

/// A row whose certificate and key are these.
fn row<'a>(name: &'a str, certificate: String, key: String) -> Row<'a> {
    let folder = Folder::new();
    folder.write("edge.pem", certificate);
    folder.write("edge.key", key);
    (name, folder, ON.to_owned())
}

/// A row of the pair's certificate, signed by itself.
fn of<'a>(name: &'a str, pair: &Pair) -> Row<'a> {
    row(name, pair.pem(), pair.key_pem())
}

/// The same row with `from` in its text replaced.
fn replace<'a>((name, folder, text): Row<'a>, from: &str, to: &str) -> Row<'a> {
    assert!(text.contains(from), "{name}: there is no {from}");
    let text = text.replace(from, to);
    (name, folder, text)
}

fn edge() -> Pair {
    Pair::new(&[]).named("edge")
}

fn edge_for(purposes: &[Purpose]) -> Pair {
    let mut pair = edge();
    pair.params.extended_key_usages = purposes.to_vec();
    pair
}

#[test]
fn problems() {
    let good = edge();
    let expired = edge().valid(datetime!(2024-01-01 0:00 UTC), datetime!(2025-06-01 0:00 UTC));
    let table = "[zone.origin_tls_client_auth]\ncertificate = \"edge.pem\"\nprivate_key = \"edge.key\"\n";
    let key_line = "private_key = \"edge.key\"\n";
    check(
        vec![
            replace(of("on without a certificate", &good), table, ""),
            replace(
                replace(of("a table that is none", &good), table, ""),
                "[zone.settings]",
                "origin_tls_client_auth = \"edge.pem\"\n[zone.settings]",
            ),
            replace(of("no key", &good), key_line, ""),
            ("no files", Folder::new(), ON.to_owned()),
            row("another's key", good.pem(), edge().key_pem()),
            row("the authority first", Pair::authority("Test Authority").pem() + &good.pem(), good.key_pem()),
            of("expired", &expired),
            of("for servers only", &edge_for(&[Purpose::ServerAuth])),
            replace(of("where there is no TLS", &good), "\"on\"", "\"on\"\nssl = \"flexible\""),
            replace(of("off", &good), "\"on\"", "\"off\""),
            replace(of("not said", &good), "tls_client_auth = \"on\"\n", ""),
            replace(of("off, and not fit either", &expired), "\"on\"", "\"off\""),
            replace(of("neither on nor off", &good), "\"on\"", "\"yes\""),
        ],
        expect_file!["problems/client_identity.txt"],
    );
}

fn plan_of((name, folder, text): &Row<'_>) -> Plan {
    let (plan, problems) = folder.compile(text);
    assert!(problems.is_empty(), "{name}: {}", render(text, &problems));
    plan.unwrap()
}

fn identity(row: &Row<'_>) -> std::sync::Arc<ClientIdentity> {
    plan_of(row).zones[0].client_identity.clone().expect("it is on")
}

#[test]
fn an_identity_is_taken_with_its_chain() {
    let (pair, authority) = (edge_for(&[Purpose::ClientAuth]), Pair::authority("Test Authority"));
    let identity = identity(&row("", pair.pem_by(&authority) + &authority.pem(), pair.key_pem()));
    assert_eq!(identity.chain.len(), 2);
    assert_eq!(identity.key.secret_der(), pair.key.serialize_der());
}

#[test]
fn purposes_that_allow_client_authentication() {
    for purposes in [vec![], vec![Purpose::Any], vec![Purpose::ServerAuth, Purpose::ClientAuth]] {
        identity(&of("", &edge_for(&purposes)));
    }
}

#[test]
fn the_key_is_not_in_what_is_printed() {
    let pair = edge();
    let plan = plan_of(&of("", &pair));
    let bytes: Vec<String> = pair.key.serialize_der().iter().map(u8::to_string).collect();
    let shown: String = format!("{plan:?}").split_whitespace().collect();
    assert!(shown.contains("client_identity:Some(ClientIdentity{"), "{shown}");
    assert!(!shown.contains(&bytes.join(",")), "{shown}");
}

#[test]
fn each_zone_has_its_own_or_none() {
    let row = of("", &edge());
    let (_, folder, text) = &row;
    let other =
        "[[zone]]\nname = \"bakery.test\"\ndns_records = [{ type = \"A\", name = \"@\", content = \"192.0.2.11\" }]\n";
    let plan = plan_of(&("", Folder::new(), text.replace(ON, "server.http = [\"127.0.0.1:8080\"]\n") + other));
    assert!(plan.zones[0].client_identity.is_none());
    let (plan, problems) = folder.compile(&format!("{text}{other}"));
    assert!(problems.is_empty());
    let shown: Vec<bool> = plan.unwrap().zones.iter().map(|zone| zone.client_identity.is_some()).collect();
    assert_eq!(shown, [true, false]);
}
