//! What a ClientHello offers, read for evidence, and names of TLS things as the registries write them.

mod ja4;

use rustls::{CipherSuite, NamedGroup};
use tls_parser::{
    TlsExtension, TlsMessage, TlsMessageHandshake, TlsVersion, parse_tls_client_hello_extensions, parse_tls_plaintext,
};

pub(crate) use ja4::ja4;

/// What a visitor offered.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Offered {
    /// Newest first as sent.
    pub(crate) versions: Vec<String>,
    pub(crate) server_name: Option<String>,
}

impl Offered {
    /// Whether a version that is spoken here is among those offered.
    pub(crate) fn is_current(&self) -> bool {
        self.versions.iter().any(|version| version == "TLSv1.2" || version == "TLSv1.3")
    }
}

/// Reads the first record. `None` if it holds no whole ClientHello: it is evidence, and better none than a guess.
pub(crate) fn offered(first: &[u8]) -> Option<Offered> {
    let (_, record) = parse_tls_plaintext(first).ok()?;
    let hello = record.msg.into_iter().find_map(|message| match message {
        TlsMessage::Handshake(TlsMessageHandshake::ClientHello(hello)) => Some(hello),
        _ => None,
    })?;
    let extensions = hello.ext.and_then(|bytes| parse_tls_client_hello_extensions(bytes).ok());
    let extensions = extensions.map(|(_, extensions)| extensions).unwrap_or_default();
    let mut offered = Offered { versions: Vec::new(), server_name: None };
    for extension in &extensions {
        match extension {
            TlsExtension::SupportedVersions(versions) => {
                offered.versions = versions.iter().filter(|version| !is_grease(version.0)).map(version_name).collect();
            }
            TlsExtension::SNI(names) => {
                offered.server_name = names.first().map(|(_, name)| String::from_utf8_lossy(name).into_owned());
            }
            _ => {}
        }
    }
    if offered.versions.is_empty() {
        offered.versions.push(version_name(&hello.version));
    }
    Some(offered)
}

/// Reserved values that some clients mix in so that servers keep ignoring what they do not know (RFC 8701).
fn is_grease(value: u16) -> bool {
    value & 0x0f0f == 0x0a0a && value >> 8 == value & 0xff
}

fn version_name(version: &TlsVersion) -> String {
    match version.0 {
        0x0300 => "SSLv3".to_owned(),
        0x0301 => "TLSv1.0".to_owned(),
        0x0302 => "TLSv1.1".to_owned(),
        0x0303 => "TLSv1.2".to_owned(),
        0x0304 => "TLSv1.3".to_owned(),
        other => format!("0x{other:04x}"),
    }
}

/// The name of a key exchange group in the IANA registry "TLS Supported Groups", for those that our provider has.
pub(crate) fn group_name(group: NamedGroup) -> &'static str {
    match group {
        NamedGroup::X25519 => "X25519",
        NamedGroup::secp256r1 => "P-256",
        NamedGroup::secp384r1 => "P-384",
        NamedGroup::secp521r1 => "P-521",
        NamedGroup::X25519MLKEM768 => "X25519MLKEM768",
        NamedGroup::secp256r1MLKEM768 => "SecP256r1MLKEM768",
        _ => "other",
    }
}

/// The name in OpenSSL of a cipher suite, for those that our provider has.
pub(crate) fn cipher_name(suite: CipherSuite) -> &'static str {
    match suite {
        CipherSuite::TLS13_AES_128_GCM_SHA256 => "TLS_AES_128_GCM_SHA256",
        CipherSuite::TLS13_AES_256_GCM_SHA384 => "TLS_AES_256_GCM_SHA384",
        CipherSuite::TLS13_CHACHA20_POLY1305_SHA256 => "TLS_CHACHA20_POLY1305_SHA256",
        CipherSuite::TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256 => "ECDHE-ECDSA-AES128-GCM-SHA256",
        CipherSuite::TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384 => "ECDHE-ECDSA-AES256-GCM-SHA384",
        CipherSuite::TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256 => "ECDHE-ECDSA-CHACHA20-POLY1305",
        CipherSuite::TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256 => "ECDHE-RSA-AES128-GCM-SHA256",
        CipherSuite::TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384 => "ECDHE-RSA-AES256-GCM-SHA384",
        CipherSuite::TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256 => "ECDHE-RSA-CHACHA20-POLY1305",
        _ => "other",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn garbage_offers_nothing() {
        for bytes in [b"".as_slice(), b"\x16", b"\x16\x03\x01\x00\x05hello", &[0x16; 600]] {
            assert_eq!(offered(bytes), None);
        }
    }

    #[test]
    fn grease_is_left_out() {
        assert!(is_grease(0x0a0a) && is_grease(0xfafa) && !is_grease(0x0304) && !is_grease(0x0a1a));
    }
}
