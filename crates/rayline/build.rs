//! Tells the program which target it is built for: only the build knows.

fn main() {
    let target = std::env::var("TARGET").unwrap_or_default();
    let mut out = std::io::stdout();
    let line = format!("cargo::rustc-env=RAYLINE_TARGET={target}\ncargo::rerun-if-changed=build.rs\n");
    // without it the compiler says that the variable is missing
    let _ = std::io::Write::write_all(&mut out, line.as_bytes());
}
