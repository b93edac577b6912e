//! The origin's certificate, by mode: one verdict per flaw under `strict` and `origin_pull`, none under `full`.

use rayline_testkit::{Authority, Flaw, Issued, Script};
use serde_json::{Value, json};
use time::format_description::well_known::Rfc3339;

use crate::scene::{Blame, HOST, Scene, Setup};

/// Each flaw, its code, and the rivals of that.
const FLAWS: [(Flaw, &str, &[&str]); 11] = [
    (Flaw::Expired, "origin.origin_tls.certificate_expired", &[]),
    (Flaw::NotYetValid, "origin.origin_tls.certificate_not_yet_valid", &[]),
    (Flaw::SelfSigned, "origin.origin_tls.self_signed", &[]),
    (Flaw::UnknownIssuer, "origin.origin_tls.unknown_issuer", &["origin.origin_tls.missing_intermediate"]),
    (Flaw::MissingIntermediate, "origin.origin_tls.missing_intermediate", &["origin.origin_tls.unknown_issuer"]),
    (Flaw::WrongName, "origin.origin_tls.name_mismatch", &[]),
    (Flaw::CommonNameOnly, "origin.origin_tls.name_only_in_common_name", &[]),
    (Flaw::WrongUsage, "origin.origin_tls.wrong_usage", &[]),
    (Flaw::BadSignature, "origin.origin_tls.certificate_invalid", &[]),
    (Flaw::Revoked, "origin.origin_tls.revoked", &[]),
    (Flaw::RevokedStapled, "origin.origin_tls.revoked", &[]),
];

/// A scene whose origin has a certificate with this flaw. The edge trusts the authority, and knows its revocation list but
/// for the flaw that is stapled to the certificate.
fn presenting(flaw: Flaw) -> (Setup, Issued) {
    let authority = Authority::new("Test").expect("an authority");
    let issued = authority.issue(flaw, &[HOST]).expect("a certificate");
    let setup = Scene::with(Script::certificate(&issued)).trusting(&authority);
    if flaw == Flaw::RevokedStapled {
        return (setup, issued);
    }
    std::fs::write(setup.folder().join("crl.pem"), authority.crl_pem().expect("a list")).expect("a file");
    (setup.server("origin_crl", "[\"crl.pem\"]"), issued)
}

fn blame(code: &str) -> Blame {
    Blame::page(code, 526).evidence(&["certificate", "expected_name", "checked_at", "server_name", "tls_error"])
}

/// What is promised of every refused certificate, and what of this flaw alone.
fn check(record: &Value, flaw: Flaw, issued: &Issued, rivals: &[&str]) {
    let evidence = &record["VerdictEvidence"];
    let shown = &evidence["certificate"];
    let date = |date: time::OffsetDateTime| json!(date.format(&Rfc3339).expect("a date"));
    assert_eq!(shown["not_before"], date(issued.not_before()));
    assert_eq!(shown["not_after"], date(issued.not_after()));
    assert_eq!(shown["chain_length"], issued.chain().len());
    assert_eq!(evidence["expected_name"], HOST);
    assert_eq!(evidence["first_bytes"], Value::Null, "facts say it better than bytes");
    assert_eq!(record["VerdictRivals"], json!(rivals), "{}", flaw.name());
    assert_eq!(record["VerdictReached"], "no");
    let issuer = match flaw {
        Flaw::SelfSigned => format!("CN={HOST}"),
        Flaw::UnknownIssuer => "CN=Somebody Else's Intermediate".to_owned(),
        _ => "CN=Test Intermediate".to_owned(),
    };
    assert_eq!(shown["issuer"], issuer);
    let names = match flaw {
        Flaw::WrongName => json!(["another-host.invalid"]),
        Flaw::CommonNameOnly => json!([]),
        _ => json!([HOST]),
    };
    assert_eq!(shown["names"], names, "{}", flaw.name());
    let revoked_by = match flaw {
        Flaw::Revoked => json!("crl"),
        Flaw::RevokedStapled => json!("ocsp"),
        _ => Value::Null,
    };
    assert_eq!(evidence["revoked_by"], revoked_by, "{}", flaw.name());
}

#[tokio::test]
async fn each_flaw_is_named_under_origin_pull() {
    for (flaw, code, rivals) in FLAWS {
        let (setup, issued) = presenting(flaw);
        let scene = setup.setting("ssl", "origin_pull").start();
        let record = scene.blames(blame(code)).await;
        assert_eq!(record["VerdictEvidence"]["ssl_mode"], "origin_pull");
        check(&record, flaw, &issued, rivals);
        assert_eq!(scene.origin.as_ref().expect("an origin").requests(), 0);
    }
}

/// Both modes speak TLS to the origin when the visitor does.
#[tokio::test]
async fn each_flaw_is_named_under_strict_and_passes_under_full() {
    for (flaw, code, rivals) in FLAWS {
        let (setup, issued) = presenting(flaw);
        let scene = setup.https().setting("ssl", "strict").start();
        let response = answer(&scene).await;
        let record = scene.sees(&blame(code), "", &response).await;
        assert_eq!(record["VerdictEvidence"]["ssl_mode"], "strict");
        check(&record, flaw, &issued, rivals);

        let (setup, _) = presenting(flaw);
        let scene = setup.https().setting("ssl", "full").start();
        let response = answer(&scene).await;
        assert_eq!(response.status(), Some(200), "{}: {}", flaw.name(), response.text());
        let record = scene.record_of(&response).await;
        assert_eq!((&record["VerdictCode"], &record["OriginResponseStatus"]), (&Value::Null, &json!(200)));
    }
}

#[tokio::test]
async fn a_good_certificate_passes_in_every_mode() {
    for mode in ["full", "strict", "origin_pull"] {
        let (setup, _) = presenting(Flaw::None);
        let scene = setup.https().setting("ssl", mode).start();
        assert_eq!(answer(&scene).await.status(), Some(200), "{mode}");
        let tls = scene.origin.as_ref().expect("an origin").last().expect("a request").tls.expect("TLS");
        assert_eq!(tls.server_name.as_deref(), Some(HOST), "{mode}");
    }
}

async fn answer(scene: &Scene) -> rayline_testkit::Response {
    let mut visitor = scene.tls_visitor().await;
    visitor.send(Scene::request("GET", "/secret-path?token=hush", "")).await.expect("the edge reads");
    visitor.read_response("GET").await
}
