//! Names the moments between which a crash must do no harm. Tests stop a process at each of them and kill it there.

/// The moment has come. Nothing happens outside of tests.
#[cfg(not(test))]
pub(super) const fn reached(_step: &str) {}

/// Says so on standard output and waits to be killed, if `RAYLINE_STORE_STOP` is, say, `named 3`, and this step was reached
/// for the third time.
#[cfg(test)]
pub(super) fn reached(step: &str) {
    use std::io::Write;
    use std::sync::atomic::{AtomicUsize, Ordering};

    static TIMES: AtomicUsize = AtomicUsize::new(0);
    let Ok(stop) = std::env::var("RAYLINE_STORE_STOP") else { return };
    if stop
        .split_once(' ')
        .is_some_and(|(name, nth)| name == step && nth.parse() == Ok(TIMES.fetch_add(1, Ordering::SeqCst) + 1))
    {
        writeln!(std::io::stdout(), "\nstopped at {stop}").unwrap();
        loop {
            std::thread::park();
        }
    }
}
