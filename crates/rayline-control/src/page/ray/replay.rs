//! The same request once more, straight to the origin, as a line for a shell.

use std::fmt::Write as _;

use crate::page::line::Line;

/// The command; `None` if no origin was asked.
pub(super) fn command(line: &Line) -> Option<String> {
    let (ip, port) = (line.text("OriginIP"), line.number("OriginPort"));
    if ip.is_empty() {
        return None;
    }
    // of a handshake that failed there is no version, but its place in the code
    let failed_in_tls = line.code().and_then(|code| code.split('.').nth(1)) == Some("origin_tls");
    let uses_tls = failed_in_tls || !matches!(line.text("OriginSSLProtocol"), "" | "none");
    let scheme = if uses_tls { "https" } else { "http" };
    let ip = if ip.contains(':') { format!("[{ip}]") } else { ip.to_owned() };
    let mut out = format!("curl -v --connect-to {}", quoted(&format!("::{ip}:{port}")));
    match line.text("ClientRequestMethod") {
        "GET" | "" => {}
        "HEAD" => out.push_str(" --head"),
        // a string takes every write
        method => drop(write!(out, " --request {}", quoted(method))),
    }
    if !line.text("ClientRequestUserAgent").is_empty() {
        let _ = write!(out, " --user-agent {}", quoted(line.text("ClientRequestUserAgent")));
    }
    let ray = format!("CF-Ray: {}-{}", line.text("RayID"), line.text("EdgeColoCode"));
    let _ = write!(out, " --header {}", quoted(&ray));
    // the port that the visitor asked for stays: the origin was told it too, in `Host`, and may answer by it. Where the
    // connection goes, `--connect-to` says. A path that curl would tidy up is sent as it came
    let _ = write!(
        out,
        " --path-as-is --globoff -- {}",
        quoted(&format!("{scheme}://{}{}", line.text("ClientRequestHost"), line.text("ClientRequestURI")))
    );
    Some(out)
}

/// One word to a shell, whatever is in it: plain where it can be, in single quotes where all of it prints, and else in the
/// form that spells bytes out.
fn quoted(text: &str) -> String {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._/:=@%+,".contains(&byte);
    if !text.is_empty() && text.bytes().all(is_plain) {
        return text.to_owned();
    }
    if text.bytes().all(|byte| (b' '..=b'~').contains(&byte)) {
        return format!("'{}'", text.replace('\'', r"'\''"));
    }
    let mut out = String::from("$'");
    for byte in text.bytes() {
        match byte {
            b'\'' | b'\\' => out.extend(['\\', char::from(byte)]),
            b' '..=b'~' => out.push(char::from(byte)),
            byte => drop(write!(out, "\\x{byte:02x}")),
        }
    }
    out.push('\'');
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_origin_is_asked_as_the_edge_asked_it() {
        let line = |more: &str| {
            let line = format!(
                r#"{{"OriginIP":"2001:db8::1","OriginPort":8443,"ClientRequestHost":"shop.example:8080","ClientRequestURI":"/a?b=*","RayID":"1","EdgeColoCode":"DEV"{more}}}"#
            );
            command(&Line::parse(line.as_bytes()).unwrap()).unwrap()
        };
        let plain = line(r#","OriginSSLProtocol":"none""#);
        assert!(plain.contains("--connect-to '::[2001:db8::1]:8443' "), "{plain}");
        assert!(
            plain.ends_with(" -- 'http://shop.example:8080/a?b=*'"),
            "the port is part of what the origin is told: {plain}"
        );
        assert!(line(r#","OriginSSLProtocol":"TLSv1.3""#).contains("'https://shop.example:8080/"));
        let expired = r#","OriginSSLProtocol":"none","VerdictCode":"origin.origin_tls.certificate_expired""#;
        assert!(line(expired).contains("'https://shop.example:8080/"), "it was TLS that failed");
    }

    #[test]
    fn words_stay_words() {
        assert_eq!(quoted("::127.0.0.1:80"), "::127.0.0.1:80");
        assert_eq!(quoted(""), "''");
        assert_eq!(quoted("a b; rm -rf $HOME"), "'a b; rm -rf $HOME'");
        assert_eq!(quoted("it's"), r"'it'\''s'");
        assert_eq!(quoted("a\n'\x1b"), r"$'a\x0a\'\x1b'");
        assert_eq!(quoted("ü"), r"$'\xc3\xbc'");
    }

    #[test]
    fn a_shell_takes_them_for_what_they_were() {
        for text in ["$(touch x)", "`id`", "a'b\"c", "a\\'b", "x\n--data y", "\u{202e}evil", "*", "~", "!!", "&& :"] {
            let printed = std::process::Command::new("bash")
                .args(["-c", &format!("printf %s {}", quoted(text))])
                .output()
                .unwrap();
            assert_eq!(printed.stdout, text.as_bytes(), "{text:?}");
        }
    }
}
