//! The scenario book: the edge over real sockets, in front of real and of broken origins.
//!
//! `faults` has one module per phase and at least one scenario per code; every scenario looks at all surfaces at once,
//! through [`scene::Scene::blames`]. The other modules hold what must work.

mod faults;
mod raw;
mod scene;
mod serving;
