//! Probes of origins that play the faults, over real sockets.

#[cfg(test)]
mod tls;
