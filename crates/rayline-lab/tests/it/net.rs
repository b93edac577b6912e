//! Faults of the network between edge and origin, in namespaces of the test's own: what each looks like in the log.

mod connect;
mod diagnose;
mod own;
mod packets;
mod scene;
mod slow;
