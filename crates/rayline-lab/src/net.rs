//! Networks in namespaces of their own, and what can be broken in them.
