//! The one file of this step with `unsafe`: a single system call that reads.

/// Whether the kernel's clock is kept by a time server, and by how many microseconds it may be off at most; `None` if the
/// kernel does not say.
pub(super) fn clock() -> Option<(bool, u64)> {
    // SAFETY: `timex` is plain integers, for which zeroes are valid.
    let mut state: libc::timex = unsafe { std::mem::zeroed() };
    // SAFETY: `state` lives through the call, and `modes` is 0: the call only reads.
    let outcome = unsafe { libc::adjtimex(&raw mut state) };
    (outcome >= 0)
        .then(|| (outcome != libc::TIME_ERROR && state.status & libc::STA_UNSYNC == 0, state.maxerror.unsigned_abs()))
}
