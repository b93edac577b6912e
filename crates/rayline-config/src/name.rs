//! Host names: what may be one, and how it is written down.
//!
//! It does not know punycode: a name beyond ASCII has to be written as its `xn--` form.

use std::net::IpAddr;

use crate::document::shown;

/// Longest name and label, in bytes of text (RFC 1035 section 2.3.4).
const LONGEST_NAME: usize = 253;
const LONGEST_LABEL: usize = 63;

/// Why a text is no host name, and what to write instead.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct NotAName {
    pub(crate) reason: String,
    pub(crate) hint: Option<String>,
}

/// The name in lower case and without a final dot. Underscores pass, as they do in DNS.
pub(crate) fn parse_name(text: &str) -> Result<String, NotAName> {
    let refuse = |reason: String, hint: Option<String>| Err(NotAName { reason, hint });
    let name = text.strip_suffix('.').unwrap_or(text).to_lowercase();
    if name.is_empty() {
        return refuse("a name must not be empty".to_owned(), None);
    }
    if let Some((scheme, rest)) = name.split_once("://") {
        let host = rest.split('/').next().unwrap_or_default();
        let reason = format!("`{}://` does not belong in a name", shown(scheme));
        return refuse(reason, Some(format!("write only the host: `{}`", shown(host))));
    }
    if name.parse::<IpAddr>().is_ok() {
        return refuse("this is an address, not a name".to_owned(), None);
    }
    if let Some((host, port)) = name.rsplit_once(':')
        && port.bytes().all(|byte| byte.is_ascii_digit())
    {
        let host = shown(host);
        let hint = format!("write `{host}`; an origin's port is set by `origin_http_port` and `origin_https_port`");
        return refuse("a port does not belong in a name".to_owned(), Some(hint));
    }
    if !name.is_ascii() {
        let hint = "write its `xn--` form";
        return refuse("a name beyond ASCII cannot be read".to_owned(), Some(hint.to_owned()));
    }
    if name.len() > LONGEST_NAME {
        return refuse(format!("a name has at most {LONGEST_NAME} characters, this has {}", name.len()), None);
    }
    for label in name.split('.') {
        if label.is_empty() {
            return refuse("a name has no empty part between dots".to_owned(), None);
        }
        if label.len() > LONGEST_LABEL {
            return refuse(
                format!("a part of a name has at most {LONGEST_LABEL} characters, this has {}", label.len()),
                None,
            );
        }
        if label.starts_with('-') || label.ends_with('-') {
            return refuse("a part of a name neither starts nor ends with `-`".to_owned(), None);
        }
        if let Some(odd) = label.chars().find(|c| !(c.is_ascii_alphanumeric() || matches!(c, '-' | '_'))) {
            return refuse(format!("`{}` does not belong in a name", odd.escape_debug()), None);
        }
    }
    Ok(name)
}

/// Whether `name` is `zone` or lies below it.
pub(crate) fn lies_in(name: &str, zone: &str) -> bool {
    name.strip_suffix(zone).is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
}
