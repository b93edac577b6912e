//! `rayline origin-ca`: what it issues, what it refuses, and that an edge believes it.

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpListener};
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::Command;
use std::sync::Arc;

use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{ServerConfig, ServerConnection, StreamOwned};

use crate::running::{Running, get};
use crate::{Dir, run};

/// What `openssl` says to this; `None`, said aloud, where it is not installed.
fn openssl(dir: &Dir, args: &[&str]) -> Option<(bool, String)> {
    match Command::new("openssl").args(args).current_dir(dir.path()).output() {
        Ok(output) => {
            let text = [output.stdout, output.stderr].concat();
            Some((output.status.success(), String::from_utf8_lossy(&text).into_owned()))
        }
        Err(error) => {
            eprintln!("skipped: openssl: {error}");
            None
        }
    }
}

fn mode(path: &Path) -> u32 {
    std::fs::metadata(path).unwrap().permissions().mode() & 0o777
}

#[test]
fn a_certificate_is_issued_and_its_files_named() {
    let dir = Dir::new();
    let args = ["origin-ca", "issue", "--hostname", "Shop.example", "--hostname", "*.shop.example", "--out", "tls"];
    let text = dir.run(&args).fine();
    let (pem, key) = (dir.path().join("tls/shop.example.pem"), dir.path().join("tls/shop.example.key"));
    for expected in [
        format!("ssl_certificate     {};", pem.display()),
        format!("SSLCertificateKeyFile \"{}\"", key.display()),
        "shop.example, *.shop.example".to_owned(),
        "a new Origin CA, ".to_owned(),
        "(5475 days)".to_owned(),
    ] {
        assert!(text.contains(&expected), "{expected} in {text}");
    }
    let data = dir.path().join("rayline-data/origin-ca");
    assert_eq!((mode(&key), mode(&data.join("ca.key"))), (0o600, 0o600));
    let root = dir.run(&["origin-ca", "root"]).fine();
    assert_eq!(root, std::fs::read_to_string(data.join("ca.pem")).unwrap());

    let Some((good, told)) = openssl(
        &dir,
        &[
            "verify",
            "-x509_strict",
            "-purpose",
            "sslserver",
            "-verify_hostname",
            "www.shop.example",
            "-CAfile",
            "rayline-data/origin-ca/ca.pem",
            "tls/shop.example.pem",
        ],
    ) else {
        return;
    };
    assert!(good, "{told}");
    let (_, told) =
        openssl(&dir, &["x509", "-in", "tls/shop.example.pem", "-noout", "-fingerprint", "-sha256"]).unwrap();
    let fingerprint = told.trim().rsplit('=').next().unwrap().to_owned();
    assert!(text.contains(&fingerprint), "{fingerprint} in {text}");
}

#[test]
fn the_next_ones_are_of_the_same_ca() {
    let dir = Dir::new();
    let issue = |more: &[&str]| {
        let args = ["origin-ca", "issue", "--json", "--data-dir", "data", "--out", "out", "--hostname", "a.example"];
        dir.run(&[&args[..], more].concat())
    };
    let first = issue(&["--days", "7"]).json();
    assert_eq!((&first["ca_created"], &first["days"]), (&true.into(), &7.into()));
    let refused = issue(&[]);
    assert_eq!((refused.code, refused.stdout.as_str()), (3, ""));
    assert!(refused.stderr.contains("is there already"), "{}", refused.stderr);
    let second = issue(&["--force", "--key-type", "rsa"]).json();
    assert_eq!(second["ca_created"], false);
    assert_eq!(second["key_type"], "RSA 2048 bits");
    assert_eq!(second["ca"], first["ca"]);
    assert_ne!(second["serial"], first["serial"]);
    assert_eq!(mode(Path::new(second["private_key"].as_str().unwrap())), 0o600);
    let root = dir.run(&["origin-ca", "root", "--json", "--data-dir", "data"]).json();
    assert_eq!(root["sha256"], first["ca"]["sha256"]);
    assert!(root["pem"].as_str().unwrap().starts_with("-----BEGIN CERTIFICATE-----"));
}

#[test]
fn the_configuration_says_where_the_ca_is() {
    let dir = Dir::new();
    dir.file(
        "rayline.toml",
        "[server]\nhttp = [\"127.0.0.1:0\"]\ndata_dir = \"elsewhere\"\n[[zone]]\nname = \"a.example\"\n",
    );
    dir.run(&["origin-ca", "issue", "--hostname", "a.example"]).fine();
    assert!(dir.path().join("elsewhere/origin-ca/ca.pem").exists());
    dir.file("rayline.toml", "rubbish");
    let refused = dir.run(&["origin-ca", "root"]);
    assert_eq!(refused.code, 3);
    assert!(refused.stderr.contains("--data-dir"), "{}", refused.stderr);
}

#[test]
fn what_may_not_be_certified_is_refused_before_anything_is_written() {
    let many: Vec<String> = (0..201).flat_map(|n| ["--hostname".to_owned(), format!("h{n}.example")]).collect();
    let many: Vec<&str> = many.iter().map(String::as_str).collect();
    let rows: [(&[&str], &str); 8] = [
        (&["--hostname", "192.0.2.7"], "it is an address"),
        (&["--hostname", "2001:db8::1"], "it is an address"),
        (&["--hostname", "*.*.shop.example"], "whole first label"),
        (&["--hostname", "shop example"], "no host name"),
        (&["--hostname", "shop.example", "--days", "31"], "choose 7, 30"),
        (&["--hostname", "shop.example", "--key-type", "dsa"], "dsa"),
        (&[], "--hostname"),
        (&many, "201 names"),
    ];
    for (more, why) in rows {
        let dir = Dir::new();
        let outcome = dir.run(&[&["origin-ca", "issue"], more].concat());
        assert_eq!((outcome.code, outcome.stdout.as_str()), (2, ""), "{more:?}");
        assert!(outcome.stderr.contains(why), "{why} in {}", outcome.stderr);
        assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 0, "{more:?}");
    }
    let outcome = run(&["origin-ca", "root"]);
    assert_eq!(outcome.code, 3);
    assert!(outcome.stderr.contains("there is no Origin CA"), "{}", outcome.stderr);
}

#[test]
fn a_damaged_ca_is_not_replaced() {
    let dir = Dir::new();
    let issue = || dir.run(&["origin-ca", "issue", "--hostname", "a.example", "--force"]);
    issue().fine();
    let (root, key) =
        (dir.path().join("rayline-data/origin-ca/ca.pem"), dir.path().join("rayline-data/origin-ca/ca.key"));
    let (good_root, good_key) = (std::fs::read(&root).unwrap(), std::fs::read(&key).unwrap());
    let another = rcgen::KeyPair::generate().unwrap().serialize_pem();
    let damages: [(&Path, Option<&str>, &str); 5] = [
        (&root, None, "without"),
        (&key, None, "without"),
        (&root, Some("rubbish"), "no certificate"),
        (&key, Some("rubbish"), "cannot be used"),
        (&key, Some(&another), "not the key of"),
    ];
    for (path, damage, why) in damages {
        match damage {
            Some(text) => std::fs::write(path, text).unwrap(),
            None => std::fs::remove_file(path).unwrap(),
        }
        let outcome = issue();
        assert_eq!(outcome.code, 3, "{why}");
        assert!(outcome.stderr.contains(why), "{why} in {}", outcome.stderr);
        std::fs::write(&root, &good_root).unwrap();
        std::fs::write(&key, &good_key).unwrap();
    }
    issue().fine();
}

#[test]
fn requests_are_certified_whatever_tool_made_them() {
    let dir = Dir::new();
    let key = rcgen::KeyPair::generate_for(&rcgen::PKCS_ECDSA_P384_SHA384).unwrap();
    let mut params = rcgen::CertificateParams::new(vec!["one.example".to_owned(), "*.one.example".to_owned()]).unwrap();
    params.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
    let csr = params.serialize_request(&key).unwrap().pem().unwrap();
    dir.file("one.csr", &csr);
    let issued = dir.run(&["origin-ca", "issue", "--csr", "one.csr", "--json"]).json();
    assert_eq!(issued["names"], serde_json::json!(["one.example", "*.one.example"]));
    assert_eq!((&issued["private_key"], &issued["key_type"]), (&serde_json::Value::Null, &"ECDSA P-384".into()));
    assert!(!dir.path().join("one.example.key").exists());
    // The names of the command line come before those of the request.
    let other = dir.run(&["origin-ca", "issue", "--csr", "one.csr", "--hostname", "two.example", "--json"]).json();
    assert_eq!(other["names"], serde_json::json!(["two.example"]));

    let spoilt: String =
        csr.chars().rev().collect::<String>().replacen(['A', 'B', 'C', 'D'], "x", 4).chars().rev().collect();
    dir.file("spoilt.csr", &spoilt);
    dir.file("key.pem", &key.serialize_pem());
    let rows = [("spoilt.csr", 2), ("key.pem", 2), ("missing.csr", 3)];
    for (file, code) in rows {
        let outcome = dir.run(&["origin-ca", "issue", "--csr", file]);
        assert_eq!(outcome.code, code, "{file}: {}", outcome.stderr);
        assert!(outcome.stderr.contains(file), "{}", outcome.stderr);
    }

    let make = |bits: &str, csr: &str| {
        let key = format!("rsa:{bits}");
        openssl(
            &dir,
            &["req", "-new", "-newkey", &key, "-nodes", "-keyout", "x.key", "-out", csr, "-subj", "/CN=rsa.example"],
        )
    };
    if make("2048", "rsa.csr").is_none() {
        return;
    }
    let issued = dir.run(&["origin-ca", "issue", "--csr", "rsa.csr", "--json"]).json();
    assert_eq!((&issued["names"][0], &issued["key_type"]), (&"rsa.example".into(), &"RSA 2048 bits".into()));
    for file in ["one.example.pem", "rsa.example.pem"] {
        let told = openssl(&dir, &["verify", "-x509_strict", "-CAfile", "rayline-data/origin-ca/ca.pem", file]);
        assert_eq!(told, Some((true, format!("{file}: OK\n"))));
        let (_, text) = openssl(&dir, &["x509", "-in", file, "-noout", "-text"]).unwrap();
        assert!(text.contains("CA:FALSE") && text.contains("TLS Web Server Authentication"), "{text}");
    }
    make("1024", "weak.csr");
    let weak = dir.run(&["origin-ca", "issue", "--csr", "weak.csr"]);
    assert_eq!(weak.code, 2);
    assert!(weak.stderr.contains("1024 bits"), "{}", weak.stderr);
}

/// A server with these files, which answers every request; it lives as long as the test.
fn serve_tls(pem: &Path, key: &Path) -> SocketAddr {
    let chain = CertificateDer::pem_file_iter(pem).unwrap().map(Result::unwrap).collect();
    let config = ServerConfig::builder_with_provider(Arc::new(rustls::crypto::aws_lc_rs::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(chain, PrivateKeyDer::from_pem_file(key).unwrap())
        .unwrap();
    let (listener, config) = (TcpListener::bind("127.0.0.1:0").unwrap(), Arc::new(config));
    let address = listener.local_addr().unwrap();
    std::thread::spawn(move || {
        for stream in listener.incoming().map_while(Result::ok) {
            let mut tls = StreamOwned::new(ServerConnection::new(Arc::clone(&config)).unwrap(), stream);
            // A client that does not trust the certificate goes without a request.
            if tls.read(&mut [0; 4096]).is_ok_and(|count| count > 0) {
                let _ = tls.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\nConnection: close\r\n\r\nsafe");
                tls.conn.send_close_notify();
                let _ = tls.flush();
            }
        }
    });
    address
}

#[test]
fn a_strict_edge_accepts_an_origin_with_such_a_certificate() {
    let dir = Dir::new();
    let issue = ["origin-ca", "issue", "--hostname", "shop.test", "--data-dir"];
    dir.run(&[&issue[..], &["data"]].concat()).fine();
    let origin = serve_tls(&dir.path().join("shop.test.pem"), &dir.path().join("shop.test.key"));
    dir.file(
        "rayline.toml",
        &format!(
            "[server]\nhttp = [\"127.0.0.1:0\"]\nadmin = \"127.0.0.1:0\"\ndata_dir = \"data\"\n[[zone]]\nname = \"shop.test\"\n\
             [zone.settings]\nssl = \"origin_pull\"\norigin_https_port = {}\n[[zone.dns_records]]\ntype = \"A\"\nname = \"@\"\n\
             content = \"127.0.0.1\"\nproxied = true\n",
            origin.port()
        ),
    );
    let edge = Running::start(&dir, &["serve"]);
    let line = edge.stderr.until("serving shop.test on ");
    let address = line.split("http://").nth(1).unwrap().split([',', ' ']).next().unwrap();
    let answer = get(address, "shop.test", "/");
    assert!(answer.starts_with("HTTP/1.1 200") && answer.ends_with("safe"), "{answer}");

    // One of another CA is not accepted.
    dir.run(&[&issue[..], &["other", "--out", "other", "--force"]].concat()).fine();
    let stranger = serve_tls(&dir.path().join("other/shop.test.pem"), &dir.path().join("other/shop.test.key"));
    let text = std::fs::read_to_string(dir.path().join("rayline.toml")).unwrap();
    dir.file("rayline.toml", &text.replace(&origin.port().to_string(), &stranger.port().to_string()));
    edge.stderr.until("running on version 2 of the configuration");
    assert!(get(address, "shop.test", "/").starts_with("HTTP/1.1 526"));
}
