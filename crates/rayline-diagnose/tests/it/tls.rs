//! What each SSL mode makes of origins with one fault each.

use std::net::SocketAddr;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use rayline_diagnose::tls::{End, Http2, Mode, Options, Report, Version, Visit, WithoutName, probe};
use rayline_diagnose::trust::Trust;
use rayline_testkit::{Authority, Flaw, Issued, Origin, Script, Versions};
use rayline_verdict::Code;
use rustls::{AlertDescription, ServerConfig};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;

const HOST: &str = "shop.test";
/// Enough on loopback for what answers.
const PATIENCE: Duration = Duration::from_secs(10);
/// For what does not.
const BRIEF: Duration = Duration::from_millis(400);

/// A port where nobody listens.
fn nowhere() -> SocketAddr {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    listener.local_addr().unwrap()
}

fn options(secured: SocketAddr, plain: SocketAddr, authority: &Authority) -> Options {
    Options {
        target: secured.to_string().parse().unwrap(),
        name: Some(HOST.to_owned()),
        http_port: plain.port(),
        trust: Trust { named: vec![authority.root_der()], system: Vec::new() },
        client: None,
        timeout: PATIENCE,
    }
}

/// How a visit ends, in one word or by its code.
fn word(visit: &Visit) -> String {
    match &visit.end {
        End::Works { status, .. } => status.map_or_else(|| "silent".to_owned(), |status| status.to_string()),
        End::RedirectLoop => "loop".to_owned(),
        End::Fails(verdict) => verdict.code.name().to_owned(),
    }
}

/// For visitors by HTTPS and by HTTP.
fn words(report: &Report, mode: Mode) -> (String, String) {
    let report = report.mode(mode).unwrap();
    (word(&report.https), word(&report.http))
}

fn all(report: &Report) -> [(String, String); 5] {
    Mode::ALL.map(|mode| words(report, mode))
}

fn same(https: &str, http: &str) -> (String, String) {
    (https.to_owned(), http.to_owned())
}

fn offered(report: &Report, version: Version) -> Option<bool> {
    report.offers.iter().find(|offer| offer.version == version).and_then(|offer| offer.offered)
}

fn good(authority: &Authority) -> Issued {
    authority.issue(Flaw::None, &[HOST]).unwrap()
}

/// A probe of an origin with this TLS, behind a plain port that works.
async fn look(secured: Script, authority: &Authority, timeout: Duration) -> Report {
    let (plain, secured) = (Origin::start(Script::ok()).unwrap(), Origin::start(secured).unwrap());
    probe(Options { timeout, ..options(secured.addr(), plain.addr(), authority) }).await.unwrap()
}

#[tokio::test]
async fn a_good_origin_works_under_every_mode() {
    let authority = Authority::new("Test").unwrap();
    let issued = good(&authority);
    let report = look(Script::certificate(&issued), &authority, PATIENCE).await;
    assert!(report.is_fine(), "{report:#?}");
    assert_eq!(all(&report), [(); 5].map(|()| same("200", "200")));
    assert!(report.mode(Mode::Off).unwrap().https.redirected);
    assert_eq!(report.chain.len(), 2);
    let leaf = &report.chain[0];
    assert_eq!((leaf.names.as_slice(), leaf.key.as_str()), (&[HOST.to_owned()][..], "ECDSA P-256"));
    assert_eq!((leaf.not_after, leaf.self_issued), (issued.not_after().unix_timestamp(), false));
    assert_eq!(
        Version::ALL.map(|version| offered(&report, version)),
        [Some(false), Some(false), Some(true), Some(true)]
    );
    for (place, count) in [(2, 3), (3, 3)] {
        let offer = &report.offers[place];
        assert_eq!((offer.ciphers.len(), offer.complete), (count, true), "{offer:?}");
        assert!(offer.ciphers.iter().all(|name| name.starts_with("TLS_")), "{offer:?}");
    }
    assert!(matches!(report.without_name, Some(WithoutName::Same)));
    assert!(matches!(report.http2, Http2::NotOffered));
}

#[tokio::test]
async fn each_flaw_of_a_certificate_is_named_where_it_is_checked() {
    for flaw in Flaw::ALL {
        let code = match flaw {
            // Nobody here has the list of what is revoked.
            Flaw::None | Flaw::Revoked => None,
            Flaw::Expired => Some(Code::OriginTlsCertificateExpired),
            Flaw::NotYetValid => Some(Code::OriginTlsCertificateNotYetValid),
            Flaw::SelfSigned => Some(Code::OriginTlsSelfSigned),
            Flaw::UnknownIssuer => Some(Code::OriginTlsUnknownIssuer),
            Flaw::MissingIntermediate => Some(Code::OriginTlsMissingIntermediate),
            Flaw::WrongName => Some(Code::OriginTlsNameMismatch),
            Flaw::CommonNameOnly => Some(Code::OriginTlsNameOnlyInCommonName),
            Flaw::WrongUsage => Some(Code::OriginTlsWrongUsage),
            Flaw::BadSignature => Some(Code::OriginTlsCertificateInvalid),
            Flaw::RevokedStapled => Some(Code::OriginTlsRevoked),
        };
        let authority = Authority::new("Test").unwrap();
        let issued = authority.issue(flaw, &[HOST]).unwrap();
        let report = look(Script::certificate(&issued), &authority, PATIENCE).await;
        let strict = code.map_or("200", Code::name);
        let rows =
            [same("200", "200"), same("200", "200"), same("200", "200"), same(strict, "200"), same(strict, strict)];
        assert_eq!(all(&report), rows, "{}", flaw.name());
        assert_eq!(report.verdict().map(|verdict| (verdict.code, verdict.number)), code.map(|code| (code, 526)));
        assert_eq!(report.is_fine(), code.is_none(), "{}", flaw.name());
        assert_eq!(report.chain.len(), issued.chain().len(), "{}", flaw.name());
        assert_eq!(report.stapled, flaw == Flaw::RevokedStapled);
    }
}

#[tokio::test]
async fn each_way_to_fail_a_handshake_is_named_under_every_mode_with_tls() {
    let authority = Authority::new("Test").unwrap();
    let issued = good(&authority);
    let demanding = |versions| Script::client_certificate_required(&issued, &authority, versions);
    let rows = [
        (Script::tls_plain_http(), Code::OriginTlsPlainHttp),
        (Script::tls_garbage(), Code::OriginTlsMalformed),
        (Script::tls_close(), Code::OriginTlsClosed),
        (Script::tls_reset(), Code::OriginTlsReset),
        (Script::tls_silent(), Code::OriginTlsTimedOut),
        (Script::tls_old(), Code::OriginTlsNoCommonVersion),
        (Script::tls_alert(AlertDescription::HandshakeFailure), Code::OriginTlsNoCommonCipher),
        (Script::tls_alert(AlertDescription::UnrecognisedName), Code::OriginTlsSniRefused),
        (demanding(Versions::Tls12), Code::OriginTlsClientCertificateRefused),
        (demanding(Versions::Tls13), Code::OriginTlsClientCertificateRefused),
    ];
    for (script, code) in rows {
        let report = look(script, &authority, BRIEF).await;
        let name = code.name();
        let secured = || same(name, "200");
        assert_eq!(all(&report), [same("200", "200"), same("200", "200"), secured(), secured(), same(name, name)]);
        assert_eq!(report.verdict().map(|verdict| verdict.number), Some(525), "{name}");
        let shown = code == Code::OriginTlsClientCertificateRefused;
        assert_eq!(report.chain.is_empty(), !shown, "{name}");
    }
}

#[tokio::test]
async fn closed_ports_are_told_apart_by_who_needs_them() {
    let authority = Authority::new("Test").unwrap();
    let issued = good(&authority);
    let refused = "origin.connect.refused";
    let secured = Origin::start(Script::certificate(&issued)).unwrap();
    let report = probe(options(secured.addr(), nowhere(), &authority)).await.unwrap();
    let rows = [
        same(refused, refused),
        same(refused, refused),
        same("200", refused),
        same("200", refused),
        same("200", "200"),
    ];
    assert_eq!(all(&report), rows);
    assert!(report.is_fine(), "`strict` works for those who come by HTTPS");

    let report = probe(options(nowhere(), nowhere(), &authority)).await.unwrap();
    assert_eq!(all(&report), [(); 5].map(|()| same(refused, refused)));
    assert_eq!(report.verdict().map(|verdict| verdict.number), Some(521));
    assert!(report.chain.is_empty() && report.offers.is_empty());
}

#[tokio::test]
async fn an_origin_that_sends_everybody_to_https_loops_without_tls() {
    let authority = Authority::new("Test").unwrap();
    let plain = Origin::start(Script::redirect("https://shop.test/")).unwrap();
    let secured = Origin::start(Script::certificate(&good(&authority))).unwrap();
    let report = probe(options(secured.addr(), plain.addr(), &authority)).await.unwrap();
    let rows = [same("loop", "loop"), same("loop", "loop"), same("200", "200"), same("200", "200"), same("200", "200")];
    assert_eq!(all(&report), rows);
    assert!(report.is_fine(), "it is as it should be");
    let notes = report.findings(std::time::SystemTime::now());
    assert!(notes.iter().any(|note| note.text.contains("`off` and `flexible` would loop")), "{notes:?}");
}

#[tokio::test]
async fn a_name_that_is_needed_is_seen_to_be_so() {
    let authority = Authority::new("Test").unwrap();
    let report = look(Script::sni_refused(&good(&authority), HOST), &authority, PATIENCE).await;
    assert!(report.is_fine());
    assert!(matches!(report.without_name, Some(WithoutName::Refused(_))), "{:?}", report.without_name);
}

#[tokio::test]
async fn a_ca_that_only_this_machine_trusts_is_said() {
    let authority = Authority::new("Test").unwrap();
    let (plain, secured) =
        (Origin::start(Script::ok()).unwrap(), Origin::start(Script::certificate(&good(&authority))).unwrap());
    let trust = Trust { named: Vec::new(), system: vec![authority.root_der()] };
    let report = probe(Options { trust, ..options(secured.addr(), plain.addr(), &authority) }).await.unwrap();
    assert!(report.is_fine() && report.system_only);
    let trust = Trust::default();
    let report = probe(Options { trust, ..options(secured.addr(), plain.addr(), &authority) }).await.unwrap();
    assert_eq!(report.verdict().map(|verdict| verdict.code), Some(Code::OriginTlsUnknownIssuer));
    assert!(!report.system_only);
}

/// A server that agrees on HTTP/2 and then answers every connection with these bytes, and HTTP/1.1 as it should.
async fn agrees_on_http2(issued: &Issued, answer: &'static [u8]) -> SocketAddr {
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let builder = ServerConfig::builder_with_provider(provider).with_safe_default_protocol_versions().unwrap();
    let mut config = builder.with_no_client_auth().with_single_cert(issued.chain().to_vec(), issued.key()).unwrap();
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    let acceptor = TlsAcceptor::from(Arc::new(config));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let play = async move |stream: TcpStream| {
        let mut tls = acceptor.accept(stream).await?;
        let agreed = tls.get_ref().1.alpn_protocol() == Some(b"h2");
        let answer = if agreed { answer } else { b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n" };
        let _asked = tls.read(&mut [0; 4096]).await?;
        tls.write_all(answer).await?;
        tls.shutdown().await
    };
    tokio::spawn(async move {
        // A client may end its handshake early: that is its affair.
        while let Ok((stream, _)) = listener.accept().await {
            let _ = play(stream).await;
        }
    });
    address
}

#[tokio::test]
async fn http2_that_is_agreed_on_must_be_spoken() {
    let authority = Authority::new("Test").unwrap();
    let issued = good(&authority);
    let plain = Origin::start(Script::ok()).unwrap();
    let rows: [(&'static [u8], bool); 3] =
        [(b"\0\0\0\x04\0\0\0\0\0", true), (b"HTTP/1.1 400 Bad Request\r\n\r\n", false), (b"", false)];
    for (answer, spoken) in rows {
        let secured = agrees_on_http2(&issued, answer).await;
        let report = probe(options(secured, plain.addr(), &authority)).await.unwrap();
        assert_eq!(report.alpn.as_deref(), Some("h2"));
        assert_eq!(report.is_fine(), spoken, "{}", answer.escape_ascii());
        match &report.http2 {
            Http2::Spoken => assert!(spoken),
            Http2::Broken(verdict) => assert_eq!(verdict.code, Code::OriginWaitHttp2NotSpoken),
            Http2::NotOffered => unreachable!(),
        }
    }
}

/// `openssl s_server`, killed when dropped.
struct OpenSsl(Child);

impl Drop for OpenSsl {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Starts it with these options; `None`, said aloud, where it is not installed.
fn openssl(issued: &Issued, folder: &std::path::Path, more: &[&str]) -> Option<(OpenSsl, SocketAddr)> {
    let (chain, key) = issued.write_to(folder, "server").unwrap();
    let address = nowhere();
    let mut command = Command::new("openssl");
    command.args(["s_server", "-www", "-quiet", "-accept", &address.to_string()]);
    command.arg("-cert").arg(&chain).arg("-cert_chain").arg(&chain).arg("-key").arg(&key).args(more);
    let child = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn();
    let server = child.inspect_err(|error| eprintln!("skipped: openssl: {error}")).ok().map(OpenSsl)?;
    let deadline = Instant::now() + PATIENCE;
    while std::net::TcpStream::connect(address).is_err() {
        assert!(Instant::now() < deadline, "openssl does not listen");
        std::thread::yield_now();
    }
    Some((server, address))
}

#[tokio::test]
async fn old_versions_are_seen_although_the_edge_does_not_speak_them() {
    let authority = Authority::new("Test").unwrap();
    let issued = good(&authority);
    let plain = Origin::start(Script::ok()).unwrap();
    for (option, version) in [("-tls1", Version::Tls10), ("-tls1_1", Version::Tls11)] {
        let folder = tempfile::tempdir().unwrap();
        let more = [option, "-cipher", "ALL:@SECLEVEL=0"];
        let Some((_server, address)) = openssl(&issued, folder.path(), &more) else { return };
        let report = probe(options(address, plain.addr(), &authority)).await.unwrap();
        assert_eq!(report.verdict().map(|verdict| verdict.code), Some(Code::OriginTlsNoCommonVersion), "{option}");
        let spoken = Version::ALL.map(|version| offered(&report, version));
        assert_eq!(spoken, Version::ALL.map(|one| Some(one == version)), "{option}");
        assert_eq!(report.chain.first().map(|leaf| leaf.names.as_slice()), Some(&[HOST.to_owned()][..]), "{option}");
        assert!(report.without_name.is_none(), "the handshake fails with a name too");
        let ciphers = &report.offers.iter().find(|offer| offer.version == version).unwrap().ciphers;
        assert!(ciphers.iter().any(|name| name == "TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA"), "{ciphers:?}");
        let notes = report.findings(std::time::SystemTime::now());
        assert!(notes.iter().any(|note| note.text.contains("is retired")), "{notes:?}");
    }
}

#[tokio::test]
async fn ciphers_are_found_one_by_one() {
    let authority = Authority::new("Test").unwrap();
    let issued = good(&authority);
    let plain = Origin::start(Script::ok()).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let more = ["-tls1_2", "-cipher", "ECDHE-ECDSA-AES256-GCM-SHA384:ECDHE-ECDSA-AES128-SHA", "-serverpref"];
    let Some((_server, address)) = openssl(&issued, folder.path(), &more) else { return };
    let report = probe(options(address, plain.addr(), &authority)).await.unwrap();
    assert!(report.is_fine(), "{:?}", report.verdict());
    let offer = &report.offers[2];
    assert_eq!(offer.ciphers, ["TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384", "TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA"]);
    assert_eq!((offer.complete, offered(&report, Version::Tls13)), (true, Some(false)));
}

#[tokio::test]
async fn the_report_is_one_object_of_json() {
    let authority = Authority::new("Test").unwrap();
    let issued = authority.issue(Flaw::Expired, &[HOST]).unwrap();
    let report = look(Script::certificate(&issued), &authority, PATIENCE).await;
    let json = report.to_json(std::time::SystemTime::now());
    let keys: Vec<_> = json.as_object().unwrap().keys().map(String::as_str).collect();
    assert_eq!(
        keys,
        [
            "target",
            "name",
            "addresses",
            "fine",
            "verdict",
            "modes",
            "chain",
            "stapled",
            "revocation",
            "system_only",
            "versions",
            "without_name",
            "without_client",
            "alpn",
            "http2",
            "findings"
        ]
    );
    assert_eq!((&json["fine"], &json["verdict"]["status"]), (&false.into(), &526.into()));
    assert_eq!(json["modes"][3]["mode"], "strict");
    assert_eq!(json["modes"][3]["works"], false);
    let visit = &json["modes"][3]["visitor_https"];
    assert_eq!((&visit["outcome"], &visit["status"]), (&"fails".into(), &526.into()));
    assert_eq!(visit["verdict"]["code"], "origin.origin_tls.certificate_expired");
    assert_eq!(visit["verdict"]["evidence"]["certificate"]["names"][0], HOST);
    assert_eq!(json["chain"][0]["names"][0], HOST);
    assert_eq!(json["findings"][0]["fault"], true);
}
