//! Tests of the codec from outside.
