//! The program among real servers and in real networks.
//!
//! What needs a server or a privilege that is missing names it on standard error, and passes.

mod servers;
