//! The same request once more, straight to the origin, as a line for a shell.

use std::fmt::Write as _;

use crate::page::line::Line;

/// The command; `None` if no origin was asked.
pub(super) fn command(line: &Line) -> Option<String> {
    let (ip, port) = (line.text("OriginIP"), line.number("OriginPort"));
    if ip.is_empty() {
        return None;
    }
    let uses_tls = !matches!(line.text("OriginSSLProtocol"), "" | "none");
    let scheme = if uses_tls { "https" } else { "http" };
    let ip = if ip.contains(':') { format!("[{ip}]") } else { ip.to_owned() };
    let host = line.text("ClientRequestHost");
    let name = host.rsplit_once(':').filter(|(_, port)| port.bytes().all(|byte| byte.is_ascii_digit()));
    let name = name.map_or(host, |(name, _)| name);
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
    // a path that curl would tidy up is sent as it came
    let _ = write!(
        out,
        " --path-as-is --globoff -- {}",
        quoted(&format!("{scheme}://{name}{}", line.text("ClientRequestURI")))
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
