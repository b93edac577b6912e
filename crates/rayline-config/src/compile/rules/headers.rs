//! Header fields that a rule may not change, as requests or answers would not be what they say any more.
//!
//! Cloudflare documentation: "Request Header Transform Rules" and "Response Header Transform Rules", what is restricted;
//! RFC 9110 section 7.6.1 for fields of one connection.

use super::kinds::OperationKind;
use crate::document::{At, shown};

/// Fields of one connection, which whoever opens the next one writes anew.
const OF_CONNECTIONS: [&str; 9] = [
    "connection",
    "content-length",
    "keep-alive",
    "proxy-connection",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
    "expect",
];

/// Fields by which origins know the visitor: they may go, and have no other value than the edge's.
const OF_VISITORS: [&str; 4] = ["cf-connecting-ip", "true-client-ip", "x-forwarded-for", "x-real-ip"];

/// Why `name` may not be changed so, and what to do instead.
pub(super) fn refusal(
    name: &str,
    is_response: bool,
    operation: &Option<At<OperationKind>>,
) -> Option<(String, &'static str)> {
    let lower = name.to_ascii_lowercase();
    let kind = operation.as_ref().map(|at| at.value);
    let no = |hint| Some((format!("`{}` may not be changed by a rule", shown(name)), hint));
    if !is_name(name) {
        let hint = "names consist of letters, digits and ``!#$%&'*+-.^_`|~`` (RFC 9110 section 5.6.2)";
        return Some((format!("`{}` is no name of a header field", shown(name)), hint));
    }
    if OF_CONNECTIONS.contains(&lower.as_str()) {
        return no("it belongs to the connection, and the edge writes it");
    }
    if is_response {
        return match lower.as_str() {
            "cf-ray" | "date" | "server" => no("the edge writes it"),
            "content-encoding" => no("say which compressions are offered in `http_response_compression`"),
            _ => None,
        };
    }
    if kind == Some(OperationKind::Add) {
        return Some((
            "`add` is for header fields of responses".to_owned(),
            "write `set`: requests have one value of each field that a rule wrote",
        ));
    }
    match lower.as_str() {
        "host" => no("write `host_header` in a rule of `http_request_origin`"),
        "cookie" if kind == Some(OperationKind::Set) => no("it may be removed, but not set"),
        "accept-encoding" => no("the edge writes it, as it has to understand the answer"),
        "cf-connecting-ip" if kind == Some(OperationKind::Remove) => None,
        name if OF_VISITORS.contains(&name) && kind == Some(OperationKind::Set) => {
            no("origins know the visitor by it; send what you have under another name")
        }
        name if OF_VISITORS.contains(&name) => None,
        name if name.starts_with("cf-") || name.starts_with("x-cf-") || name == "cdn-loop" => no("the edge writes it"),
        _ => None,
    }
}

/// Whether it is a token (RFC 9110 section 5.6.2).
pub(super) fn is_name(name: &str) -> bool {
    let is_token = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte);
    !name.is_empty() && name.bytes().all(is_token)
}

/// RFC 9110 section 5.5.
pub(super) fn is_value(value: &str) -> bool {
    value.chars().all(|c| c == '\t' || !c.is_control())
}
