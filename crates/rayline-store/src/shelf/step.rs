//! Names the moments between which a crash must do no harm. Tests stop a process at each of them and kill it there.

/// The moment has come. Nothing happens outside of tests.
#[cfg(not(test))]
pub(super) const fn reached(_step: &str) {}

/// Says so on standard output and waits to be killed, if this is the step that `RAYLINE_STORE_STOP` names.
#[cfg(test)]
pub(super) fn reached(step: &str) {
    use std::io::Write;

    if std::env::var("RAYLINE_STORE_STOP").is_ok_and(|stop| stop == step) {
        writeln!(std::io::stdout(), "\nstopped at {step}").unwrap();
        loop {
            std::thread::park();
        }
    }
}
