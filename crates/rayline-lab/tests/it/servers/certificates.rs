//! Certificates on nginx, and either side speaking the wrong protocol at a port.

use rayline_lab::program::Setup;
use rayline_lab::servers::Nginx;
use rayline_testkit::{Authority, Flaw};

use super::scene::{blamed, edge, fine, started};

/// What nginx presents to whom, and what `strict` says of it.
const PRESENTED: [(&str, Flaw, Option<&str>); 7] = [
    ("good", Flaw::None, None),
    ("expired", Flaw::Expired, Some("origin.origin_tls.certificate_expired")),
    ("early", Flaw::NotYetValid, Some("origin.origin_tls.certificate_not_yet_valid")),
    ("own", Flaw::SelfSigned, Some("origin.origin_tls.self_signed")),
    ("stranger", Flaw::UnknownIssuer, Some("origin.origin_tls.unknown_issuer")),
    ("incomplete", Flaw::MissingIntermediate, Some("origin.origin_tls.missing_intermediate")),
    ("other", Flaw::WrongName, Some("origin.origin_tls.name_mismatch")),
];

#[test]
fn strict_tells_bad_certificates_apart_and_full_takes_them() {
    let authority = Authority::new("Lab").unwrap();
    let mut servers = String::new();
    for (name, _, _) in PRESENTED {
        servers.push_str(&format!(
            "server {{ listen @HTTPS@ ssl; server_name {name}.example.com {name}.example.net;
              ssl_certificate @FOLDER@/{name}.pem; ssl_certificate_key @FOLDER@/{name}.key;
              return 200 '{name}'; }}\n"
        ));
    }
    servers.push_str("server { listen @HTTP@; return 404; }");
    let nginx = Nginx::start_with(&servers, |place| {
        authority.write_to(place.folder())?;
        for (name, flaw, _) in PRESENTED {
            let names = [format!("{name}.example.com"), format!("{name}.example.net")];
            authority.issue(flaw, &[&names[0], &names[1]])?.write_to(place.folder(), name)?;
        }
        Ok(())
    });
    let Some(nginx) = started(nginx) else { return };
    let zone = |name: &str, ssl: &str| {
        let port = nginx.https().port();
        format!(
            "name = \"{name}\"\nsettings = {{ ssl = \"{ssl}\", origin_https_port = {port} }}\n\
             dns_records = [{{ type = \"A\", name = \"*\", content = \"127.0.0.1\" }}]\n"
        )
    };
    let setup = Setup::new().server(&format!("origin_ca = [\"{}/root.pem\"]", nginx.folder().display()));
    let edge = setup.zone(&zone("example.com", "strict")).zone(&zone("example.net", "full")).start().unwrap();
    for (name, _, code) in PRESENTED {
        let strict = format!("{name}.example.com");
        match code {
            None => assert_eq!(fine(edge.curl("/").tls().host(&strict), 200).0.text(), name),
            Some(code) => {
                let (_, record) = blamed(edge.curl("/").tls().host(&strict), 526, code);
                assert_eq!(record["VerdictReached"], "no", "{record:#}");
            }
        }
        let full = format!("{name}.example.net");
        assert_eq!(fine(edge.curl("/").tls().host(&full), 200).0.text(), name);
    }
}

#[test]
fn plain_http_on_the_tls_port_is_told_from_a_bad_certificate() {
    let Some(nginx) = started(Nginx::start("server { listen @HTTP@; return 200; }")) else { return };
    let edge = Setup::new().origin(nginx.http(), nginx.http(), "ssl = \"strict\"").start().unwrap();
    let (_, record) = blamed(edge.curl("/").tls(), 525, "origin.origin_tls.plain_http");
    assert_eq!(record["VerdictReached"], "no", "{record:#}");
}

#[test]
fn tls_on_the_plain_port_is_answered_by_nginx_itself() {
    let server =
        "server { listen @HTTP@ ssl; ssl_certificate @FOLDER@/own.pem; ssl_certificate_key @FOLDER@/own.key; }";
    let nginx = Nginx::start_with(server, |place| {
        let issued = Authority::new("Lab")?.issue(Flaw::SelfSigned, &["www.example.com"])?;
        issued.write_to(place.folder(), "own").map(drop)
    });
    let Some(nginx) = started(nginx) else { return };
    let edge = edge(&nginx, "");
    let (reply, _) = fine(edge.curl("/"), 400);
    assert!(reply.text().contains("plain HTTP request was sent to HTTPS port"), "{}", reply.text());
}
