//! The data plane: the pipeline that serves visitors, one file per phase.
