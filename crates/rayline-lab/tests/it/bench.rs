//! The benchmark's command: that it runs, and writes a report that can be read.

use std::path::Path;
use std::process::Command;

use rayline_lab::process::find;

#[test]
fn a_quick_run_writes_a_report() {
    if let Some(missing) = ["nginx", "wrk"].into_iter().find(|program| find(program).is_none()) {
        eprintln!("skipped: `{missing}` is missing");
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let program = rayline_lab::program::rayline(false).unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_rayline-lab"));
    command.args(["bench", "--quick", "--peer", "rayline", "nginx"]);
    command.arg("--program").arg(program).arg("--out").arg(folder.path());
    let output = command.output().unwrap();
    let printed = String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{printed}");

    let read = |name: &str| std::fs::read_to_string(Path::new(folder.path()).join(name)).unwrap();
    let report: serde_json::Value = serde_json::from_str(&read("bench.json")).unwrap();
    for table in report["tables"].as_array().unwrap() {
        assert_eq!(table["rows"].as_array().unwrap().len(), 2);
        for row in table["rows"].as_array().unwrap() {
            assert_eq!(row["trouble"], serde_json::Value::Null, "{row}");
            assert_eq!(row["median"]["wrong"], 0, "{row}");
            assert!(row["median"]["requests"].as_u64().unwrap() > 100, "{row}");
            assert!(row["cpu_to_nginx"]["median"].as_f64().unwrap() > 0.0, "{row}");
        }
    }
    assert_eq!(report["tables"].as_array().unwrap().len(), 2);

    let page = read("bench.md");
    assert!(page.contains("![CPU time of a request, by scenario and proxy](bench.svg)"), "{page}");
    // Every line of a table has as many cells as the one before it.
    let mut cells = None;
    for line in page.lines() {
        let now = line.starts_with('|').then(|| line.matches('|').count());
        assert!(cells.is_none() || now.is_none() || cells == now, "{line}");
        cells = now;
    }

    let image = read("bench.svg");
    assert!(image.starts_with("<svg") && image.trim_end().ends_with("</svg>"), "{image}");
    assert!(image.contains("prefers-color-scheme: dark"));
    assert!(image.matches("<rect").count() >= 3 + 2 * 2 * 2, "{image}");
}
