//! Problems as a person sees them.
