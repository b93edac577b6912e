//! A real browser on the error pages and the demo's start page: in light, dark and phone size.
//!
//! The pictures are left in the target folder, for eyes; what a program can see of them is checked here.

use std::path::Path;
use std::process::Command;

use super::Dir;
use super::running::Running;

const BROWSERS: [&str; 3] = ["chromium", "chromium-browser", "google-chrome"];

fn browser() -> Option<&'static str> {
    BROWSERS.into_iter().find(|name| Command::new(name).arg("--version").output().is_ok_and(|run| run.status.success()))
}

/// Runs the browser once on `url`, with a profile of its own.
fn browse(browser: &str, profile: &Path, url: &str, options: &[&str]) -> Vec<u8> {
    let profile = format!("--user-data-dir={}", profile.display());
    let mut command = Command::new(browser);
    command.args([
        "--headless",
        "--no-sandbox",
        "--disable-gpu",
        "--disable-quic",
        "--hide-scrollbars",
        "--no-first-run",
    ]);
    command.args(["--disable-background-networking", "--disable-component-update", "--disable-sync", &profile]);
    command.args(options).arg(url).output().unwrap().stdout
}

#[test]
fn shows_the_pages_in_light_dark_and_phone_size() {
    let Some(browser) = browser() else {
        eprintln!("skipped: no browser is installed (Debian's package is `chromium`)");
        return;
    };
    let dir = Dir::new();
    let mut demo = Running::start(&dir, &["demo", "--json", "--listen", "127.0.0.1:0", "--admin", "127.0.0.1:0"]);
    let told: serde_json::Value = serde_json::from_str(&demo.stdout.until("exhibits")).unwrap();
    let start = told["start"].as_str().unwrap().to_owned();
    let pictures = Path::new(env!("CARGO_TARGET_TMPDIR")).join("pages");
    std::fs::create_dir_all(&pictures).unwrap();
    let pages = [
        ("start", start.clone(), "origin.connect.refused"),
        ("refused", start.replace("demo.localhost", "refused.demo.localhost"), "Web server is down"),
        ("nxdomain", start.replace("demo.localhost", "nxdomain.demo.localhost"), "Origin DNS error"),
        ("loop", format!("{start}cdn-cgi/error/1000"), "DNS points to prohibited IP"),
    ];
    let looks: [(&str, &[&str]); 3] = [
        ("light", &["--window-size=1280,900"]),
        ("dark", &["--window-size=1280,900", "--blink-settings=preferredColorScheme=0"]),
        ("phone", &["--window-size=500,900"]),
    ];
    for (name, url, text) in &pages {
        let dom =
            String::from_utf8_lossy(&browse(browser, &dir.path().join("profile"), url, &["--dump-dom"])).into_owned();
        assert!(dom.contains(text), "{name}: no {text:?} in {dom}");
        if *name != "start" {
            for hop in ["You", "Edge", "Host"] {
                assert!(dom.contains(hop), "{name}: no {hop} in {dom}");
            }
            assert!(!dom.contains("<script"), "{name}: a script in {dom}");
        }
        for (look, options) in looks {
            let picture = pictures.join(format!("{name}-{look}.png"));
            let shot = format!("--screenshot={}", picture.display());
            let options: Vec<&str> = options.iter().copied().chain([shot.as_str()]).collect();
            browse(browser, &dir.path().join("profile"), url, &options);
            let size = std::fs::metadata(&picture).map_or(0, |file| file.len());
            assert!(size > 5_000, "{name} in {look} is blank: {size} bytes");
        }
    }
    demo.signal("INT");
    assert_eq!(demo.end(), 0);
}
