//! The benchmark: Rayline beside its peers in interleaved rounds.
