//! The HTTP client of everything that leaves the edge: TLS, time-outs, bounded answers.
