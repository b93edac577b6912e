//! What is to be looked at, as a person writes it.

use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;

/// A host name or an address, perhaps with a port: `shop.example`, `192.0.2.7:8443`, `[2001:db8::1]:443`, `2001:db8::1`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Target {
    /// The name, lower case and without a final dot, or the address without brackets.
    pub host: String,
    /// The port, where there is one.
    pub port: Option<u16>,
}

impl Target {
    /// The host as an address, if it is one.
    pub fn address(&self) -> Option<IpAddr> {
        self.host.parse().ok()
    }
}

impl FromStr for Target {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if let Ok(ip) = text.parse::<IpAddr>() {
            return Ok(Self { host: ip.to_string(), port: None });
        }
        if text.contains("://") || text.contains('/') {
            return Err("a host name or an address is wanted, not a URL".to_owned());
        }
        if text.contains('@') {
            // a password is not repeated
            return Err("leave user and password out of the address".to_owned());
        }
        let (host, port) = match text.rsplit_once(':') {
            _ if text.ends_with(']') => (text, None),
            Some((host, port)) => {
                let port = port.parse().ok().filter(|port| *port > 0);
                (host, Some(port.ok_or("the port must be a number from 1 to 65535")?))
            }
            None => (text, None),
        };
        if let Some(inner) = host.strip_prefix('[') {
            let ip = inner.strip_suffix(']').and_then(|inner| inner.parse::<IpAddr>().ok());
            let ip = ip.filter(IpAddr::is_ipv6).ok_or("what stands in brackets is no IPv6 address")?;
            return Ok(Self { host: ip.to_string(), port });
        }
        if let Ok(ip) = host.parse::<IpAddr>() {
            return Ok(Self { host: ip.to_string(), port });
        }
        host_name(host).map(|host| Self { host, port })
    }
}

/// A host name as it is asked for: lower case, without a final dot.
///
/// # Errors
/// What is no host name, in words.
pub fn host_name(text: &str) -> Result<String, String> {
    if text.parse::<IpAddr>().is_ok() {
        return Err(format!("`{text}` is an address, and no host name"));
    }
    let name = text.strip_suffix('.').unwrap_or(text).to_ascii_lowercase();
    if !name.is_ascii() {
        return Err("the name must be written in its ASCII form (`xn--…`)".to_owned());
    }
    let letter = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
    let is_label = |label: &str| (1..=63).contains(&label.len()) && label.bytes().all(letter);
    if name.is_empty() || name.len() > 253 || !name.split('.').all(is_label) {
        return Err(format!("`{text}` is neither a host name nor an address"));
    }
    Ok(name)
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let bracketed = self.host.contains(':');
        match (self.port, bracketed) {
            (Some(port), true) => write!(f, "[{}]:{port}", self.host),
            (Some(port), false) => write!(f, "{}:{port}", self.host),
            (None, _) => f.write_str(&self.host),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_addresses_with_and_without_a_port() {
        for (text, host, port) in [
            ("Shop.Example.", "shop.example", None),
            ("shop.example:8443", "shop.example", Some(8443)),
            ("localhost", "localhost", None),
            ("192.0.2.7", "192.0.2.7", None),
            ("192.0.2.7:443", "192.0.2.7", Some(443)),
            ("2001:db8::1", "2001:db8::1", None),
            ("[2001:db8::1]", "2001:db8::1", None),
            ("[2001:db8::1]:8443", "2001:db8::1", Some(8443)),
        ] {
            let target = text.parse::<Target>().unwrap();
            assert_eq!((target.host.as_str(), target.port), (host, port), "{text}");
            assert_eq!(target.to_string().parse::<Target>().as_ref(), Ok(&target), "{text}");
        }
        assert!(host_name("192.0.2.7").is_err());
        for text in [
            "",
            ":443",
            "a b",
            "https://shop.example",
            "shop.example/x",
            "shop.example:0",
            "shop.example:x",
            "[1.2.3.4]",
            "[::1",
            "a..b",
            "b\u{fc}cher.example",
        ] {
            assert!(text.parse::<Target>().is_err(), "{text}");
        }
    }
}
