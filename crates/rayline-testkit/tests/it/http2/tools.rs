//! The same origins as the tools of others see them: curl and nghttp, where they are installed.

use std::process::Output;
use std::time::Duration;

use rayline_testkit::{Authority, Flaw, Origin, Script, Tls};
use tokio::process::Command;

/// What a command has to say; `None` where it is not installed.
async fn run(program: &str, args: &[&str]) -> Option<Output> {
    match Command::new(program).args(args).kill_on_drop(true).output().await {
        Ok(output) => Some(output),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            eprintln!("skipped: `{program}` is not installed");
            None
        }
        Err(error) => panic!("{program}: {error}"),
    }
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

#[tokio::test]
async fn curl_agrees_with_the_good_ones() {
    let Some(version) = run("curl", &["--version"]).await else { return };
    if !text(&version.stdout).contains("HTTP2") {
        eprintln!("skipped: this `curl` does not speak HTTP/2");
        return;
    }
    let good = Authority::new("Rayline Test").unwrap().issue(Flaw::None, &["origin.test"]).unwrap();
    for script in [
        Script::http2_ok(),
        Script::http2_ok_length(1_000_000),
        Script::http2_trailers(),
        Script::http2_interim_then_ok(),
        Script::http2_unknown(),
        Script::http2_padded(),
        Script::http2_retiring(1),
        Script::grpc_unary(),
        Script::http2_echo(),
    ] {
        let name = script.name();
        let origin = Origin::start(script.over_tls(Tls::new(&good).speaking(&["h2"]))).unwrap();
        let url = format!("https://{}/", origin.addr());
        let args = ["-sSk", "--http2", "-m", "10", "-o", "/dev/null", "-w", "%{http_version} %{http_code}", "-d", "hi"];
        let output = run("curl", &[&args[..], &[&url]].concat()).await.unwrap();
        assert_eq!(text(&output.stdout), "2 200", "{name}: {}", text(&output.stderr));
        assert!(output.status.success(), "{name}: {}", text(&output.stderr));
    }
}

#[tokio::test]
async fn curl_complains_of_the_bad_ones() {
    for script in [
        Script::http2_speaks_http1(),
        Script::http2_garbage(),
        Script::http2_uppercase_name(),
        Script::http2_no_status(),
        Script::http2_undecodable_head(),
        Script::http2_data_before_head(),
        Script::http2_data_on_connection(),
        Script::http2_bad_padding(),
        Script::http2_body_too_short(),
        Script::http2_frame_too_large(),
        Script::http2_unopened_stream(),
        Script::http2_window_overflow(),
        Script::http2_bad_settings(),
        Script::http2_close_in_body(),
    ] {
        let name = script.name();
        let origin = Origin::start(script).unwrap();
        let url = format!("http://{}/", origin.addr());
        let args = ["-sS", "--http2-prior-knowledge", "-m", "2", "-o", "/dev/null", &url];
        let Some(output) = run("curl", &args).await else { return };
        assert!(!output.status.success(), "{name} was fine with curl");
    }
}

#[tokio::test]
async fn nghttp_sees_many_streams_on_one_connection() {
    let origin = Origin::start(Script::http2_slow_ok(Duration::from_millis(100))).unwrap();
    let url = format!("http://{}/", origin.addr());
    let Some(output) = run("nghttp", &["-m", "12", "-ns", "-t", "10", &url]).await else { return };
    assert!(output.status.success(), "{}", text(&output.stderr));
    assert_eq!((origin.requests(), origin.connections()), (12, 1));
    assert_eq!(origin.counts().peak_streams, 12);
}
