//! HTTP/2 to visitors and to origins: what must work, and what it comes to that one of them breaks the rules.

mod conformance;
mod faults;
mod floods;
mod grpc;
mod origin;
mod origin_faults;
mod rules;
mod serving;
mod websocket;
