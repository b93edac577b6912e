//! curl as a visitor: what it makes of good answers, and of those that were cut.

use std::process::{Command, Output, Stdio};

use rayline_testkit::Script;

use crate::scene::{HOST, Scene};

/// A body that ended too early.
const PARTIAL_FILE: i32 = 18;
/// The connection was reset.
const RECEIVE_FAILED: i32 = 56;

/// What curl says; `None` where there is no curl.
pub(crate) async fn curl(scene: &Scene, scheme: &str, arguments: &[&str]) -> Option<Output> {
    let address = if scheme == "https" { scene.https.expect("a scene with https()") } else { scene.http };
    let resolve = format!("{HOST}:{}:{}", address.port(), address.ip());
    let path = arguments.first().expect("a path");
    let url = format!("{scheme}://{HOST}:{}{path}", address.port());
    let mut command = Command::new("curl");
    command.args(["--silent", "--show-error", "--noproxy", "*", "--max-time", "20", "--resolve", &resolve]);
    command.args(&arguments[1..]).arg(url).stdin(Stdio::null());
    // The origin lives on this runtime, so it must not be blocked. `--max-time` ends curl at the latest.
    let output = tokio::task::spawn_blocking(move || command.output()).await.expect("no panic");
    match output {
        Ok(output) => Some(output),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            eprintln!("skipped: there is no curl here (apt install curl)");
            None
        }
        Err(error) => panic!("curl cannot be run: {error}"),
    }
}

fn text(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned()
}

#[track_caller]
fn succeeds(output: &Output) -> String {
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
    text(output)
}

#[tokio::test]
async fn gets_over_both_schemes_and_versions() {
    let scene = Scene::with(Script::ok()).https().start();
    for (scheme, arguments) in [
        ("http", ["/hello", "--http1.1"].as_slice()),
        ("http", &["/hello", "--http1.0"]),
        ("https", &["/hello", "-k"]),
        ("https", &["/hello", "-k", "--tlsv1.2", "--tls-max", "1.2"]),
    ] {
        let Some(output) = curl(&scene, scheme, arguments).await else { return };
        let text = succeeds(&output);
        assert!(text.starts_with("GET /hello HTTP/1.1\r\n"), "{arguments:?}: {text}");
        assert!(text.contains(&format!("X-Forwarded-Proto: {scheme}\r\n")), "{text}");
    }
    // The CA is enough for those who know it.
    let root = scene.folder.path().join("data/development-ca.pem");
    let root = root.to_str().expect("a path in UTF-8");
    if let Some(output) = curl(&scene, "https", &["/hello", "--cacert", root]).await {
        succeeds(&output);
    }
}

#[tokio::test]
async fn head_range_and_status() {
    let scene = Scene::with(Script::ranges(1000)).start();
    let Some(output) = curl(&scene, "http", &["/", "-I"]).await else { return };
    let head = succeeds(&output);
    assert!(head.starts_with("HTTP/1.1 200 OK\r\n") && head.contains("server: rayline\r\n"), "{head}");
    let output = curl(&scene, "http", &["/", "--range", "3-7"]).await.expect("curl");
    assert_eq!(succeeds(&output), "defgh");
    let output =
        curl(&scene, "http", &["/cdn-cgi/error/522", "-o", "/dev/null", "-w", "%{http_code}"]).await.expect("curl");
    assert_eq!(succeeds(&output), "522");
}

#[tokio::test]
async fn uploads_a_file() {
    let scene = Scene::with(Script::ok()).https().start();
    let file = scene.folder.path().join("upload");
    std::fs::write(&file, vec![b'x'; 3 << 20]).expect("a file");
    let file = file.to_str().expect("a path in UTF-8");
    // With and without `Expect: 100-continue`, by length and in chunks.
    for (scheme, more) in [
        ("http", ["-H", "Expect: 100-continue"]),
        ("http", ["-H", "Expect:"]),
        ("http", ["-H", "Transfer-Encoding: chunked"]),
        ("https", ["-k", "--http1.1"]),
    ] {
        let Some(output) = curl(&scene, scheme, &["/put", "-T", file, more[0], more[1]]).await else { return };
        let text = succeeds(&output);
        assert!(text.starts_with("PUT /put HTTP/1.1\r\n") && text.ends_with("(3145728 bytes of body)\n"), "{text}");
    }
    // A refusal reaches it although it was about to send.
    let scene = Scene::with(Script::refuse()).start();
    for expect in ["Expect: 100-continue", "Expect:"] {
        let arguments = ["/put", "-T", file, "-H", expect, "-H", "Accept: text/plain", "-w", "%{http_code}"];
        let output = curl(&scene, "http", &arguments).await.expect("curl");
        assert!(text(&output).ends_with("521"), "{}", text(&output));
    }
}

#[tokio::test]
async fn notices_what_was_cut() {
    for (script, version, codes) in [
        (Script::truncated_body(1000, 100), "--http1.1", [PARTIAL_FILE].as_slice()),
        (Script::truncated_chunked(), "--http1.1", &[PARTIAL_FILE]),
        (Script::bad_chunk(), "--http1.1", &[PARTIAL_FILE]),
        // Where only the close would tell the end, a reset tells that this is none.
        (Script::truncated_chunked(), "--http1.0", &[RECEIVE_FAILED]),
    ] {
        let scene = Scene::with(script).start();
        let Some(output) = curl(&scene, "http", &["/", version]).await else { return };
        let code = output.status.code().expect("an exit code");
        assert!(codes.contains(&code), "{code}: {}", String::from_utf8_lossy(&output.stderr));
    }
}

#[tokio::test]
async fn uses_one_connection_for_several_urls() {
    let scene = Scene::with(Script::ok()).start();
    let url = format!("http://{HOST}:{}/second", scene.http.port());
    let Some(output) = curl(&scene, "http", &["/first", &url, "-w", "%{num_connects}\n"]).await else { return };
    let text = succeeds(&output);
    assert!(text.contains("GET /first ") && text.contains("GET /second "), "{text}");
    let connects: u32 = text.lines().filter_map(|line| line.parse::<u32>().ok()).sum();
    assert_eq!(connects, 1, "{text}");
}
