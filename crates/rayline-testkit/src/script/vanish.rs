//! Origins that vanish from the network, from one packet to the next: nobody refuses, and nobody acknowledges. Linux only.

use super::{Script, Step};
use crate::loss::Loss;

pub(super) fn all() -> Vec<Script> {
    vec![Script::drop_syn(), Script::vanish_after_accept(), Script::vanish_after_request(), Script::vanish_in_body(100)]
}

impl Script {
    /// Every SYN is dropped, as by a firewall: `connect` times out.
    pub fn drop_syn() -> Self {
        Self::new("drop-syn", "drops every packet, as a silent firewall does: connecting takes for ever", [Step::Hold])
            .losing(Loss::Everything)
    }

    /// The connection is made, but no packet with data in it arrives: the request is never acknowledged.
    pub fn vanish_after_accept() -> Self {
        Self::new(
            "vanish-after-accept",
            "takes the connection and then vanishes: the request is never acknowledged",
            [Step::Hold],
        )
        .losing(Loss::Data)
    }

    /// The request is read and acknowledged; then nobody is there any more.
    pub fn vanish_after_request() -> Self {
        Self::new(
            "vanish-after-request",
            "reads the request and then vanishes from the network",
            [Step::ReadHead, Step::ReadBody, Step::Vanish, Step::Hold],
        )
    }

    /// A head that announces 1000 bytes, `sent` of them; then nobody is there any more.
    pub fn vanish_in_body(sent: usize) -> Self {
        let body = "x".repeat(sent);
        Self::new(
            "vanish-in-body",
            "vanishes from the network in the middle of the body",
            [
                Step::ReadHead,
                Step::ReadBody,
                Step::send(format!(
                    "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 1000\r\n\r\n{body}"
                )),
                Step::Vanish,
                Step::Hold,
            ],
        )
    }
}
