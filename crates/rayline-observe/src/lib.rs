//! What happened: the request log, live tail and metrics, fed by records.
