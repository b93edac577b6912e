//! Certificates, authorities, revocation lists and pages: what is wrong with a file, and what is taken from a right one.

use std::time::{Duration, UNIX_EPOCH};

use expect_test::{ExpectFile, expect_file};
use rcgen::{CertificateRevocationListParams, KeyIdMethod, KeyUsagePurpose, PublicKeyData as _, SerialNumber};
use time::macros::datetime;

use crate::support::{Folder, Pair, has_error, render};

/// A configuration that serves shop.example by HTTPS with `edge.pem` and `edge.key`.
const HTTPS: &str = r#"[server]
https = ["127.0.0.1:8443"]

[[zone]]
name = "shop.example"
dns_records = [{ type = "A", name = "www", content = "192.0.2.10" }]

[[zone.certificates]]
certificate = "edge.pem"
private_key = "edge.key"
"#;

pub(crate) type Row<'a> = (&'a str, Folder, String);

/// Compiles each row in its folder and holds all that is shown against the file.
pub(crate) fn check(rows: Vec<Row<'_>>, expected: ExpectFile) {
    let mut shown = String::new();
    for (name, folder, text) in rows {
        let (plan, problems) = folder.compile(&text);
        assert!(!problems.is_empty(), "{name}: there should be a problem");
        assert_eq!(plan.is_none(), has_error(&problems), "{name}: a plan exactly where nothing is an error");
        shown += &format!("=== {name} ===\n{}\n", folder.render(&text));
    }
    expected.assert_eq(&shown);
}

/// A row whose certificate and key are these bytes.
fn https<'a>(name: &'a str, certificate: impl AsRef<[u8]>, key: impl AsRef<[u8]>) -> Row<'a> {
    let folder = Folder::new();
    folder.write("edge.pem", certificate);
    folder.write("edge.key", key);
    (name, folder, HTTPS.to_owned())
}

/// PEM with this label around bytes that mean nothing.
fn pem(label: &str) -> String {
    format!("-----BEGIN {label}-----\nAAECAwQFBgc=\n-----END {label}-----\n")
}

#[test]
fn problems_of_certificates() {
    let good = Pair::new(&["shop.example", "*.shop.example"]);
    let other = Pair::new(&["shop.example"]);
    let (certificate, key) = (good.pem(), good.key_pem());
    let authority = Pair::authority("Test Authority");
    let issued = good.pem_by(&authority);

    let missing = ("missing", Folder::new(), HTTPS.to_owned());
    let folder = Folder::new();
    std::fs::create_dir(folder.path().join("edge.pem")).unwrap();
    folder.write("edge.key", &key);
    let directory = ("a folder", folder, HTTPS.to_owned());
    let unused = {
        let (_, folder, text) = https("", &certificate, &key);
        ("never shown", folder, text.replace("https =", "http ="))
    };
    let no_key = ("no key", Folder::new(), HTTPS.replace("private_key = \"edge.key\"\n", ""));
    let dates = |from, to| Pair::new(&["*.shop.example"]).valid(from, to);
    let expired = dates(datetime!(2024-01-01 0:00 UTC), datetime!(2025-06-01 0:00 UTC));
    let early = dates(datetime!(2026-02-01 0:00 UTC), datetime!(2027-01-01 0:00 UTC));
    let soon = dates(datetime!(2025-01-01 0:00 UTC), datetime!(2026-01-10 0:00 UTC));
    let nameless = Pair::new(&[]).named("shop.example");
    let elsewhere = Pair::new(&["bakery.test"]);
    let der = good.params.self_signed(&good.key).unwrap().der().to_vec();

    check(
        vec![
            missing,
            directory,
            no_key,
            https("empty", "", ""),
            https("swapped", &key, &certificate),
            https("text", "this is no PEM", "nor is this"),
            https("DER", &der, good.key.serialize_der()),
            https("damaged", certificate.replace('M', "*"), key.replace('M', "*")),
            https("no certificate inside", pem("CERTIFICATE"), &key),
            https("a request", pem("CERTIFICATE REQUEST"), &key),
            https("too long", vec![b'\n'; (4 << 20) + 1], &key),
            https("an encrypted key", &certificate, pem("ENCRYPTED PRIVATE KEY")),
            https(
                "a key encrypted the old way",
                &certificate,
                "-----BEGIN RSA PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\nDEK-Info: AES-128-CBC,00\n\nAAEC\n-----END RSA PRIVATE KEY-----\n",
            ),
            https("a key that is none", &certificate, pem("PRIVATE KEY")),
            https("another's key", &certificate, other.key_pem()),
            https("the authority first", authority.pem() + &issued, &key),
            https("a gap in the chain", issued + &Pair::authority("Another Authority").pem(), &key),
            https("expired", expired.pem(), expired.key_pem()),
            https("not yet valid", early.pem(), early.key_pem()),
            https("about to expire", soon.pem(), soon.key_pem()),
            https("no names", nameless.pem(), nameless.key_pem()),
            https("names of another zone", elsewhere.pem(), elsewhere.key_pem()),
            https("a name that is not covered", other.pem(), other.key_pem()),
            unused,
        ],
        expect_file!["problems/certificates.txt"],
    );
}

#[test]
fn a_certificate_is_taken_with_its_names() {
    let pair = Pair::new(&["shop.example", "*.Shop.example", "192.0.2.1"]);
    let authority = Pair::authority("Test Authority");
    let (_, folder, text) = https("", pair.pem_by(&authority) + &authority.pem(), pair.key_pem());
    let (plan, problems) = folder.compile(&text);
    assert!(problems.is_empty(), "{}", render(&text, &problems));
    let plan = plan.unwrap();

    let certificate = &plan.zones[0].certificates[0];
    assert_eq!(certificate.names, ["shop.example", "*.shop.example"]);
    assert_eq!(certificate.key.cert.len(), 2);
    assert_eq!(certificate.not_after, UNIX_EPOCH + Duration::from_secs(1_798_761_600));

    for (name, found) in [
        ("shop.example", true),
        ("www.shop.example", true),
        ("a.b.shop.example", false),
        ("example", false),
        ("bakery.test", false),
        ("", false),
    ] {
        assert_eq!(!plan.certificates.find(name).is_empty(), found, "{name}");
        assert_eq!(certificate.covers(name), found, "{name}");
    }
}

#[test]
fn the_certificate_that_names_a_host_comes_before_a_wildcard() {
    let (any, www, again) =
        (Pair::new(&["*.shop.example"]), Pair::new(&["www.shop.example"]), Pair::new(&["www.shop.example"]));
    let folder = Folder::new();
    let mut text = HTTPS.replace("edge.", "any.");
    for (name, pair) in [("any", &any), ("www", &www), ("again", &again)] {
        folder.write(&format!("{name}.pem"), pair.pem());
        folder.write(&format!("{name}.key"), pair.key_pem());
        if name != "any" {
            text += &format!("[[zone.certificates]]\ncertificate = \"{name}.pem\"\nprivate_key = \"{name}.key\"\n");
        }
    }
    let (plan, problems) = folder.compile(&text);
    assert!(problems.is_empty(), "{}", render(&text, &problems));
    let plan = plan.unwrap();
    let [first, second, third] = plan.zones[0].certificates.as_slice() else { panic!("three certificates") };
    let same = |found: &[std::sync::Arc<rayline_config::Certificate>], expected: &[&std::sync::Arc<_>]| {
        found.len() == expected.len()
            && found.iter().zip(expected).all(|(one, other)| std::sync::Arc::ptr_eq(one, other))
    };
    assert!(same(plan.certificates.find("www.shop.example"), &[second, third]));
    assert!(same(plan.certificates.find("api.shop.example"), &[first]));
}

#[test]
fn with_a_development_authority_no_certificate_is_needed() {
    let text = "[server]\nhttps = [\"127.0.0.1:8443\"]\ndevelopment_ca = true\n\
                [[zone]]\nname = \"shop.example\"\ndns_records = [{ type = \"A\", name = \"@\", content = \"192.0.2.10\" }]\n";
    assert!(crate::support::plan(text).server.development_ca);
}

// === trust toward origins ===

fn trust<'a>(name: &'a str, key: &str, file: Option<Vec<u8>>) -> Row<'a> {
    let folder = Folder::new();
    if let Some(bytes) = file {
        folder.write("trust.pem", bytes);
    }
    let text = format!(
        "[server]\nhttp = [\"127.0.0.1:8080\"]\n{key} = [\"trust.pem\"]\n\
         [[zone]]\nname = \"shop.example\"\ndns_records = [{{ type = \"A\", name = \"@\", content = \"192.0.2.10\" }}]\n"
    );
    (name, folder, text)
}

fn revocation_list(authority: &Pair, next_update: time::OffsetDateTime) -> rcgen::CertificateRevocationList {
    let params = CertificateRevocationListParams {
        this_update: datetime!(2025-01-01 0:00 UTC),
        next_update,
        crl_number: SerialNumber::from(1),
        issuing_distribution_point: None,
        revoked_certs: Vec::new(),
        key_identifier_method: KeyIdMethod::Sha256,
    };
    params.signed_by(&authority.issuer()).unwrap()
}

fn revoking_authority() -> Pair {
    let mut authority = Pair::authority("Test Authority");
    authority.params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    authority
}

#[test]
fn problems_of_trust() {
    let authority = revoking_authority();
    let expired =
        Pair::authority("Old Authority").valid(datetime!(2020-01-01 0:00 UTC), datetime!(2025-01-01 0:00 UTC));
    let outdated = revocation_list(&authority, datetime!(2025-06-01 0:00 UTC));
    check(
        vec![
            trust("no authority there", "origin_ca", None),
            trust("a key for an authority", "origin_ca", Some(authority.key_pem().into())),
            trust("an expired authority", "origin_ca", Some(expired.pem().into())),
            trust("no authority inside", "origin_ca", Some(pem("CERTIFICATE").into())),
            trust("no list there", "origin_crl", None),
            trust("a certificate for a list", "origin_crl", Some(authority.pem().into())),
            trust("no list inside", "origin_crl", Some(pem("X509 CRL").into())),
            trust(
                "DER that is no list",
                "origin_crl",
                Some(authority.key.der_bytes().iter().fold(vec![0x30], |mut all, byte| {
                    all.push(*byte);
                    all
                })),
            ),
            trust("a damaged list", "origin_crl", Some(outdated.pem().unwrap().replace('M', "*").into())),
            trust("an outdated list", "origin_crl", Some(outdated.pem().unwrap().into())),
        ],
        expect_file!["problems/trust.txt"],
    );
}

#[test]
fn authorities_and_lists_are_taken() {
    let authority = revoking_authority();
    let two = authority.pem() + &Pair::authority("Another Authority").pem();
    let (_, folder, text) = trust("", "origin_ca", Some(two.into()));
    let (plan, problems) = folder.compile(&text);
    assert!(problems.is_empty(), "{}", render(&text, &problems));
    assert_eq!(plan.unwrap().server.origin_ca.len(), 2);

    let list = revocation_list(&authority, datetime!(2026-06-01 0:00 UTC));
    for bytes in [list.pem().unwrap().into_bytes(), list.der().to_vec()] {
        let (_, folder, text) = trust("", "origin_crl", Some(bytes));
        let (plan, problems) = folder.compile(&text);
        assert!(problems.is_empty(), "{}", render(&text, &problems));
        assert_eq!(plan.unwrap().server.origin_crl[0].as_ref(), list.der().as_ref());
    }
}

// === error pages ===

fn page<'a>(name: &'a str, html: impl AsRef<[u8]>) -> Row<'a> {
    let folder = Folder::new();
    folder.write("500.html", html);
    let text = "[server]\nhttp = [\"127.0.0.1:8080\"]\n\
                [[zone]]\nname = \"shop.example\"\ndns_records = [{ type = \"A\", name = \"@\", content = \"192.0.2.10\" }]\n\
                [zone.error_pages]\n500_errors = \"500.html\"\n";
    (name, folder, text.to_owned())
}

const PAGE: &str =
    "<!doctype html><html><HEAD></HEAD><body>::CLOUDFLARE_ERROR_500S_BOX:: ::RAY_ID:: ::CLIENT_IP::</body></html>";

#[test]
fn problems_of_error_pages() {
    let (_, absent, text) = page("", "");
    std::fs::remove_file(absent.path().join("500.html")).unwrap();
    check(
        vec![
            ("missing", absent, text),
            page("empty", ""),
            page("too long", PAGE.to_owned() + &" ".repeat(1_500_000)),
            page("not UTF-8", b"\xff\xfe"),
            page("no head", "<body>::CLOUDFLARE_ERROR_500S_BOX::</body>"),
            page("no box", "<head></head>"),
            page("another page's box", "<head></head>::CLOUDFLARE_ERROR_1000S_BOX::"),
            page("tokens that are none", PAGE.replace("RAY_ID", "RAYID").replace("CLIENT_IP", "CSS")),
        ],
        expect_file!["problems/error_pages.txt"],
    );
}

#[test]
fn a_page_is_taken_as_it_is() {
    // two colons are no token by themselves, as in CSS and in IPv6 addresses
    let html = PAGE.replace("CLOUDFLARE", "RAYLINE") + "<style>p::after{}</style> 2001:db8::1 A::B";
    for html in [PAGE, &html, &(PAGE.to_owned() + &" ".repeat(1_500_000 - PAGE.len()))] {
        let (_, folder, text) = page("", html);
        let (plan, problems) = folder.compile(&text);
        assert!(problems.is_empty(), "{}", render(&text, &problems));
        let pages = &plan.unwrap().zones[0].error_pages;
        assert_eq!(&*pages.errors_500.as_ref().unwrap().html, html);
        assert_eq!(pages.errors_500.as_ref().unwrap().path, folder.path().join("500.html"));
        assert!(pages.errors_1000.is_none());
    }
}
