//! WebSocket: what a visitor asks for with an upgrade, and what the answer to it must be (RFC 6455 §4, RFC 8441).
//!
//! Once the origin has switched, bytes pass both ways as they come: nothing here reads frames.

use aws_lc_rs::{digest, rand};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use rayline_http1::{Framing, RequestHead, ResponseHead, Version};
use rayline_verdict::Fault;
use rayline_verdict::evidence::Fact;
use rayline_verdict::fault::WaitCause;

/// The one protocol that is switched to.
pub(crate) const WEBSOCKET: &str = "websocket";

/// What every server adds to a key (RFC 6455 §1.3).
const GUID: &[u8] = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11";

/// SHA-1 in base64.
const ACCEPT_BYTES: usize = 28;

/// An upgrade that was asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Upgrade {
    /// The `Sec-WebSocket-Accept` that shows that the origin has understood.
    accept: [u8; ACCEPT_BYTES],
}

impl Upgrade {
    /// What this request asks for, if it asks for a WebSocket in due form (RFC 6455 §4.1). One that does not is served
    /// as if it asked for none, for `Upgrade` may be ignored (RFC 9110 §7.8).
    pub(crate) fn asked(head: &RequestHead) -> Option<Self> {
        let asks = head.version == Version::Http11
            && head.method() == "GET"
            // Behind a body nobody could say where the tunnel begins.
            && matches!(head.framing(), Framing::None | Framing::Length(0))
            && head.upgrade().is_some()
            && head.fields.list_contains("upgrade", WEBSOCKET);
        // One alone (RFC 6455 §11.3.1): of two, the origin may answer the other.
        let mut keys = head.fields.all("sec-websocket-key");
        Self::of(keys.next().filter(|_| asks && keys.next().is_none())?)
    }

    /// One that was asked for with this `Sec-WebSocket-Key`.
    pub(crate) fn of(key: &[u8]) -> Option<Self> {
        let mut context = digest::Context::new(&digest::SHA1_FOR_LEGACY_USE_ONLY);
        context.update(key);
        context.update(GUID);
        let mut accept = [0; ACCEPT_BYTES];
        // Twenty bytes are twenty-eight in base64.
        STANDARD.encode_slice(context.finish(), &mut accept).ok()?;
        Some(Self { accept })
    }

    /// The `Sec-WebSocket-Accept` of the answer.
    pub(crate) fn accept(&self) -> &[u8] {
        &self.accept
    }

    /// Whether this `101` is the answer to it.
    ///
    /// # Errors
    /// `BadUpgrade`: another protocol, or not the answer to this key.
    pub(crate) fn check(self, head: &ResponseHead) -> Result<(), Fault> {
        let got = head.upgrade().unwrap_or_default();
        let accept = head.fields.get("sec-websocket-accept");
        if head.fields.list_contains("upgrade", WEBSOCKET) && !got.is_empty() && accept == Some(&self.accept) {
            return Ok(());
        }
        let got = if got.eq_ignore_ascii_case(WEBSOCKET.as_bytes()) {
            match accept {
                None => format!("{WEBSOCKET} without Sec-WebSocket-Accept"),
                Some(_) => format!("{WEBSOCKET} with the Sec-WebSocket-Accept of another key"),
            }
        } else {
            String::from_utf8_lossy(got).into_owned()
        };
        Err(Self::refused(head.status, got))
    }

    /// The fault of an answer that does not do what was asked.
    pub(crate) fn refused(status: u16, got: String) -> Fault {
        Fault::new(WaitCause::BadUpgrade).with(Fact::OriginStatus(status)).with(Self::fact(got))
    }

    /// What was asked and what came, for the evidence.
    pub(crate) fn fact(got: String) -> Fact {
        Fact::Upgrade { asked: WEBSOCKET.to_owned(), got }
    }
}

/// A fresh `Sec-WebSocket-Key`, for a visitor whose protocol has none (RFC 8441 §5).
pub(crate) fn key() -> String {
    let mut bytes = [0; 16];
    // Without random numbers the key is a constant: it guards against caches that take an answer for another, no more.
    let _ = rand::fill(&mut bytes);
    STANDARD.encode(bytes)
}

#[cfg(test)]
mod tests {
    use bytes::BytesMut;
    use rayline_http1::{Limits, Parsed, RequestParser};

    use super::*;

    fn head(fields: &str) -> RequestHead {
        let mut bytes = BytesMut::from(format!("GET /chat HTTP/1.1\r\nHost: a\r\n{fields}\r\n").as_bytes());
        match RequestParser::new(Limits::default()).parse(&mut bytes) {
            Ok(Parsed::Complete(head)) => head,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn the_example_of_the_rfc() {
        let asks = "Connection: keep-alive, Upgrade\r\nUpgrade: h2c, WebSocket\r\n";
        let upgrade = Upgrade::asked(&head(&format!("{asks}Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n")));
        assert_eq!(upgrade.unwrap().accept, *b"s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
        assert_eq!(Upgrade::asked(&head(asks)), None, "without a key");
        let two = format!("{asks}Sec-WebSocket-Key: a\r\nSec-WebSocket-Key: b\r\n");
        assert_eq!(Upgrade::asked(&head(&two)), None, "with two keys");
        let body = format!("{asks}Sec-WebSocket-Key: a\r\nContent-Length: 5\r\n");
        assert_eq!(Upgrade::asked(&head(&body)), None, "with a body");
        assert_eq!(Upgrade::asked(&head("Upgrade: websocket\r\nSec-WebSocket-Key: a\r\n")), None, "not for this hop");
        assert_eq!(STANDARD.decode(key()).unwrap().len(), 16);
        assert_ne!(key(), key());
    }
}
