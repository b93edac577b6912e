//! The admin server: metrics and the live tail, closed unless opened.
