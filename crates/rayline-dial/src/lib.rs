//! Reaching an origin: resolve, connect, TLS by mode, timers and taps; every failure a typed fault.
