//! Receivers that take, fail, stall and come back.
