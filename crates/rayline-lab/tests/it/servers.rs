//! Real servers as origins: what their own failures look like through the edge, and that nobody else is blamed.

mod nginx;
mod scene;
