//! HTTP/2 to visitors: what must work, and what a visitor that breaks the rules comes to.

mod conformance;
mod faults;
mod floods;
mod serving;
