//! `rayline tls`: what it prints, and how it ends.

use rayline_testkit::{Authority, Flaw, Origin, Script, Versions};

use crate::{Dir, Outcome, run};

/// A plain port that works, one with this certificate, and a folder with `ca.pem`; the runtime lets them play.
struct Scene {
    _runtime: tokio::runtime::Runtime,
    plain: Origin,
    secured: Origin,
    dir: Dir,
}

impl Scene {
    fn new(flaw: Flaw) -> Self {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        let authority = Authority::new("Test").unwrap();
        let issued = authority.issue(flaw, &["shop.test"]).unwrap();
        let (plain, secured) = runtime.block_on(async {
            (Origin::start(Script::ok()).unwrap(), Origin::start(Script::certificate(&issued)).unwrap())
        });
        let dir = Dir::new();
        dir.file("ca.pem", &authority.root_pem());
        Self { _runtime: runtime, plain, secured, dir }
    }

    fn tls(&self, more: &[&str]) -> Outcome {
        let (secured, plain) = (self.secured.addr().to_string(), self.plain.addr().port().to_string());
        let args = ["tls", &secured, "--host", "Shop.test", "--http-port", &plain, "--timeout", "10s"];
        self.dir.run(&[&args[..], more].concat())
    }
}

#[test]
fn a_good_origin_ends_with_0() {
    let scene = Scene::new(Flaw::None);
    let text = scene.tls(&["--ca", "ca.pem"]).fine();
    assert!(text.starts_with("shop.test at 127.0.0.1:"), "{text}");
    for expected in [
        "strict       works (200)",
        "off          redirected, works (200)",
        "TLSv1.3      TLS_AES_",
        "days left)",
        "HTTP/2       not agreed",
    ] {
        assert!(text.contains(expected), "{expected} in {text}");
    }
    assert!(!text.contains('\u{1b}'), "no colours where there is no terminal");
    assert!(scene.tls(&["--ca", "ca.pem", "--color", "always"]).fine().contains("\u{1b}[32mworks (200)"));
}

#[test]
fn a_fault_ends_with_1_and_its_fix() {
    let scene = Scene::new(Flaw::Expired);
    let outcome = scene.tls(&["--ca", "ca.pem"]);
    assert_eq!((outcome.code, outcome.stderr.as_str()), (1, ""));
    for expected in [
        "strict       526 origin.origin_tls.certificate_expired",
        "full         works (200)",
        "fault: `strict` fails: ",
        "  fix: ",
        "`rayline explain origin.origin_tls.certificate_expired`",
        "(ended 10 days ago)",
    ] {
        assert!(outcome.stdout.contains(expected), "{expected} in {}", outcome.stdout);
    }
    let outcome = scene.tls(&["--ca", "ca.pem", "--json"]);
    let json: serde_json::Value = serde_json::from_str(&outcome.stdout).unwrap();
    assert_eq!((outcome.code, &json["verdict"]["status"], &json["name"]), (1, &526.into(), &"shop.test".into()));
}

#[test]
fn what_an_origin_answers_without_a_client_certificate_is_said() {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    let authority = Authority::new("Test").unwrap();
    let issued = authority.issue(Flaw::None, &["shop.test"]).unwrap();
    let demanding = Script::client_certificate_required(&issued, &authority, Versions::Both);
    let (plain, secured) =
        runtime.block_on(async { (Origin::start(Script::ok()).unwrap(), Origin::start(demanding).unwrap()) });
    let dir = Dir::new();
    dir.file("ca.pem", &authority.root_pem());
    authority.issue_client("edge").unwrap().write_to(dir.path(), "edge").unwrap();
    let (secured, plain) = (secured.addr().to_string(), plain.addr().port().to_string());
    let args = ["tls", &secured, "--host", "shop.test", "--http-port", &plain, "--ca", "ca.pem"];
    let bare = dir.run(&args);
    assert_eq!(bare.code, 1, "{}", bare.stdout);
    let shown = dir.run(&[&args[..], &["--client-cert", "edge.pem", "--client-key", "edge.key"]].concat()).fine();
    assert!(shown.contains("strict       works (200)"), "{shown}");
    let refused = "without the client certificate: 525 origin.origin_tls.client_certificate_refused";
    assert!(shown.contains(refused), "{shown}");
    assert!(shown.contains("revocation   no certificate names a list by HTTP"), "{shown}");
    for (more, code, why) in [
        (&["--client-cert", "edge.pem"][..], 2, "--client-key"),
        (&["--client-cert", "ca.pem", "--client-key", "edge.key"], 3, "the key is not its own"),
        (&["--client-cert", "gone.pem", "--client-key", "edge.key"], 3, "gone.pem"),
    ] {
        let outcome = dir.run(&[&args[..], more].concat());
        assert_eq!(outcome.code, code, "{}", outcome.stderr);
        assert!(outcome.stderr.contains(why), "{}", outcome.stderr);
    }
}

#[test]
fn what_cannot_be_looked_at_ends_with_2_or_3() {
    for args in [
        &["tls"][..],
        &["tls", "https://shop.test/"],
        &["tls", "shop.test:0"],
        &["tls", "127.0.0.1", "--timeout", "0"],
        &["tls", "127.0.0.1", "--host", "a b"],
        &["tls", "127.0.0.1", "--http-port", "0"],
    ] {
        let outcome = run(args);
        assert_eq!((outcome.code, outcome.stdout.as_str()), (2, ""), "{args:?}: {}", outcome.stderr);
    }
    let dir = Dir::new();
    dir.file("ca.pem", "rubbish");
    for file in ["ca.pem", "missing.pem"] {
        let outcome = dir.run(&["tls", "127.0.0.1", "--ca", file]);
        assert_eq!(outcome.code, 3, "{file}");
        assert!(outcome.stderr.contains(file), "{}", outcome.stderr);
    }
    let outcome = Outcome::of(dir.rayline(&["tls", "127.0.0.1"]).env("SSL_CERT_FILE", "missing.pem").output().unwrap());
    assert_eq!(outcome.code, 3);
    assert!(outcome.stderr.contains("SSL_CERT_FILE"), "{}", outcome.stderr);
}
