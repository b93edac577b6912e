//! Changes of header fields: which there may be, and what several of them come to.

use std::sync::Arc;

/// What becomes of header fields: those taken away, then those that are put.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct Edits {
    list: Vec<Edit>,
}

/// One name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Edit {
    /// None that was there stays.
    Remove(Arc<str>),
    /// One more field.
    Put(Arc<str>, Box<[u8]>),
}

impl Edits {
    /// Whether nothing changes.
    pub fn is_empty(&self) -> bool {
        self.list.is_empty()
    }

    /// This value in place of all there are.
    pub fn set(&mut self, name: &Arc<str>, value: &[u8]) {
        self.remove(name);
        self.add(name, value);
    }

    /// One more.
    pub fn add(&mut self, name: &Arc<str>, value: &[u8]) {
        self.list.push(Edit::Put(Arc::clone(name), value.into()));
    }

    /// None.
    pub fn remove(&mut self, name: &Arc<str>) {
        self.list.retain(|edit| match edit {
            Edit::Remove(other) | Edit::Put(other, _) => !other.eq_ignore_ascii_case(name),
        });
        self.list.push(Edit::Remove(Arc::clone(name)));
    }

    /// Whether fields of this name that were there go.
    pub fn drops(&self, name: &[u8]) -> bool {
        self.list.iter().any(|edit| matches!(edit, Edit::Remove(other) if other.as_bytes().eq_ignore_ascii_case(name)))
    }

    /// The fields that are put, in order.
    pub fn put(&self) -> impl Iterator<Item = (&str, &[u8])> {
        self.list.iter().filter_map(|edit| match edit {
            Edit::Put(name, value) => Some((&**name, &**value)),
            Edit::Remove(_) => None,
        })
    }

    /// The last value that is put under a name.
    pub fn get(&self, name: &str) -> Option<&[u8]> {
        self.put().filter(|(other, _)| other.eq_ignore_ascii_case(name)).map(|(_, value)| value).last()
    }

    /// Bytes that the fields take which are put, as HTTP/1.1 writes them.
    pub fn bytes(&self) -> usize {
        self.put().map(|(name, value)| name.len() + value.len() + 4).sum()
    }
}

/// Fields for one hop, and those that frame a message (RFC 9110 §7.6.1, RFC 9112 §6).
const FRAMING: [&str; 8] =
    ["connection", "content-length", "keep-alive", "proxy-connection", "te", "trailer", "transfer-encoding", "upgrade"];

/// What the edge itself tells origins of the visitor: it may be kept from them, and has no other value than the edge's
/// ("Request Header Transform Rules", what is restricted).
const OF_VISITORS: [&str; 4] = ["cf-connecting-ip", "true-client-ip", "x-forwarded-for", "x-real-ip"];

/// What else the edge writes into requests.
const OF_THE_EDGE: [&str; 2] = ["cdn-loop", "x-forwarded-proto"];

/// Whether rules may do this to a field of requests: set it, or (`removes`) take it away.
pub fn may_change_request(name: &str, removes: bool) -> bool {
    let is = |known: &&str| name.eq_ignore_ascii_case(known);
    if OF_VISITORS.iter().any(is) {
        return removes;
    }
    let kept = OF_THE_EDGE.iter().chain(&FRAMING).chain(&["host", "expect"]).any(is);
    // Cookies go as a whole or not at all.
    is_token(name) && !kept && !is_edges(name) && (removes || !name.eq_ignore_ascii_case("cookie"))
}

/// Whether rules may do this to a field of answers: `sets` it in place of all there are, or else add or remove it.
pub fn may_change_response(name: &str, sets: bool) -> bool {
    let is = |known: &&str| name.eq_ignore_ascii_case(known);
    let kept = ["server", "date", "proxy-status", "content-encoding"];
    if !is_token(name) || is_edges(name) || FRAMING.iter().any(is) || kept.iter().any(is) {
        return false;
    }
    // One set would take the others away, and each is a cookie of its own.
    !sets || !name.eq_ignore_ascii_case("set-cookie")
}

fn is_edges(name: &str) -> bool {
    let starts = |prefix: &str| name.get(..prefix.len()).is_some_and(|start| start.eq_ignore_ascii_case(prefix));
    starts("cf-") || starts("x-cf-")
}

/// Whether a text is a field's name (RFC 9110 §5.6.2).
fn is_token(name: &str) -> bool {
    !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte))
}

/// Whether bytes can be a field's value (RFC 9110 §5.5).
pub(super) fn is_value(value: &[u8]) -> bool {
    value.iter().all(|byte| !byte.is_ascii_control() || *byte == b'\t')
}
