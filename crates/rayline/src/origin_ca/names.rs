//! The names that an origin certificate may be for.

use super::Trouble;

/// The most names of one certificate (Cloudflare: Origin CA, hostname and wildcard coverage).
const MOST: usize = 200;

/// Names that may stand in an origin certificate: lower case, each once, at least one.
pub(super) struct Names(Vec<String>);

impl Names {
    /// # Errors
    /// No name, too many, or one that is no host name; which one, and why.
    pub(super) fn new(written: &[String]) -> Result<Self, Trouble> {
        let mut names = Vec::new();
        for text in written {
            let name = checked(text).map_err(|why| {
                Trouble::usage(format!("`{text}` cannot stand in an origin certificate: {why}"), None)
            })?;
            if !names.contains(&name) {
                names.push(name);
            }
        }
        match names.len() {
            0 => Err(Trouble::usage(
                "there is no name to issue a certificate for",
                Some("name the hosts that visitors ask for: `--hostname shop.example --hostname '*.shop.example'`"),
            )),
            1..=MOST => Ok(Self(names)),
            count => Err(Trouble::usage(
                format!("{count} names are too many for one certificate: at most {MOST} may stand in it"),
                Some("a wildcard such as `*.shop.example` stands for every name one label below"),
            )),
        }
    }

    pub(super) fn first(&self) -> &str {
        self.0.first().map_or("", String::as_str)
    }

    pub(super) fn as_slice(&self) -> &[String] {
        &self.0
    }
}

/// The name as it stands in the certificate (RFC 1035 section 2.3.1, RFC 9525 section 6.3).
fn checked(text: &str) -> Result<String, &'static str> {
    let name = text.strip_suffix('.').unwrap_or(text).to_ascii_lowercase();
    if name.parse::<std::net::IpAddr>().is_ok() || name.starts_with('[') {
        return Err("it is an address, and only host names may");
    }
    if !name.is_ascii() {
        return Err("it must be written in its ASCII form (`xn--…`)");
    }
    if name.len() > 253 {
        return Err("a host name has at most 253 characters");
    }
    let base = name.strip_prefix("*.").unwrap_or(&name);
    if base.contains('*') {
        return Err("`*` may only be the whole first label");
    }
    if base.is_empty() || !base.split('.').all(is_label) {
        return Err("it is no host name");
    }
    if !base.contains('.') {
        return Err("it has a single label");
    }
    if base.rsplit('.').next().is_some_and(|last| last.bytes().all(|byte| byte.is_ascii_digit())) {
        return Err("its last label is a number, as in an address");
    }
    Ok(name)
}

fn is_label(label: &str) -> bool {
    let inner = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
    (1..=63).contains(&label.len()) && !label.starts_with('-') && !label.ends_with('-') && label.bytes().all(inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_host_names_and_wildcards_of_one_level() {
        for (text, name) in
            [("Shop.Example.", "shop.example"), ("*.shop.example", "*.shop.example"), ("a_b.example", "a_b.example")]
        {
            assert_eq!(checked(text).as_deref(), Ok(name), "{text}");
        }
        for text in [
            "",
            ".",
            "*",
            "*.",
            "*.example",
            "example",
            "192.0.2.1",
            "2001:db8::1",
            "[::1]",
            "*.*.shop.example",
            "a.*.example",
            "w*.example.com",
            "-a.example",
            "a-.example",
            "a..example",
            "a b.example",
            "bücher.example",
            "https://a.example",
            "a.example:443",
            "1.2.3.256",
            &format!("{}.example", "a".repeat(64)),
        ] {
            assert!(checked(text).is_err(), "{text}");
        }
    }

    #[test]
    fn at_most_two_hundred_and_each_once() {
        let names = |count: usize| (0..count).map(|n| format!("h{n}.example")).collect::<Vec<_>>();
        assert!(Names::new(&names(200)).is_ok());
        assert!(Names::new(&names(201)).is_err());
        assert!(Names::new(&[]).is_err());
        let twice = Names::new(&["A.example".to_owned(), "a.example".to_owned()]);
        assert!(twice.is_ok_and(|names| names.as_slice() == ["a.example"]));
    }
}
