//! A fingerprint of a visitor's TLS: what its ClientHello offers, in the form of JA4 (FoxIO, "JA4: TLS Client
//! Fingerprinting"). Programs that are built alike have the same, whatever they call themselves.

use aws_lc_rs::digest::{SHA256, digest};
use tls_parser::{TlsMessage, TlsMessageHandshake, parse_tls_plaintext};

use super::is_grease;

/// Extensions that the second hash leaves out, for they are about this one connection.
const SERVER_NAME: u16 = 0;
const ALPN: u16 = 16;
const SIGNATURE_ALGORITHMS: u16 = 13;
const SUPPORTED_VERSIONS: u16 = 43;

/// The fingerprint of the ClientHello that these first bytes hold; `None` if they hold no whole one.
pub(crate) fn ja4(first: &[u8]) -> Option<String> {
    let (_, record) = parse_tls_plaintext(first).ok()?;
    let hello = record.msg.into_iter().find_map(|message| match message {
        TlsMessage::Handshake(TlsMessageHandshake::ClientHello(hello)) => Some(hello),
        _ => None,
    })?;
    let mut ciphers: Vec<u16> = hello.ciphers.iter().map(|cipher| cipher.0).filter(|id| !is_grease(*id)).collect();
    let (mut extensions, mut signatures, mut versions) = (Vec::new(), Vec::new(), Vec::new());
    let mut alpn = *b"00";
    let mut rest = hello.ext.unwrap_or_default();
    while let Some((kind, content)) = extension(&mut rest) {
        match kind {
            _ if is_grease(kind) => continue,
            SIGNATURE_ALGORITHMS => signatures = numbers(content.get(2..).unwrap_or_default()),
            SUPPORTED_VERSIONS => versions = numbers(content.get(1..).unwrap_or_default()),
            // The first protocol's first and last character; one that is no letter or digit is left at 0.
            ALPN => {
                let length = usize::from(content.get(2).copied().unwrap_or_default());
                let protocol = content.get(3..3 + length).unwrap_or_default();
                let ends = protocol.first().zip(protocol.last());
                if let Some((first, last)) =
                    ends.filter(|ends| [ends.0, ends.1].iter().all(|end| end.is_ascii_alphanumeric()))
                {
                    alpn = [*first, *last];
                }
            }
            _ => {}
        }
        extensions.push(kind);
    }
    let version = match versions.into_iter().max().unwrap_or(hello.version.0) {
        0x0304 => "13",
        0x0303 => "12",
        0x0302 => "11",
        0x0301 => "10",
        _ => "00",
    };
    let name = if extensions.contains(&SERVER_NAME) { 'd' } else { 'i' };
    let (count, kinds) = (ciphers.len().min(99), extensions.len().min(99));
    ciphers.sort_unstable();
    extensions.retain(|kind| !matches!(*kind, SERVER_NAME | ALPN));
    extensions.sort_unstable();
    let mut offered = list(&extensions);
    if !signatures.is_empty() {
        offered = format!("{offered}_{}", list(&signatures));
    }
    let alpn = alpn.map(char::from);
    let [first, last] = alpn;
    Some(format!("t{version}{name}{count:02}{kinds:02}{first}{last}_{}_{}", hash(&list(&ciphers)), hash(&offered)))
}

/// Takes an extension's number and content off.
fn extension<'a>(rest: &mut &'a [u8]) -> Option<(u16, &'a [u8])> {
    let kind = u16::from_be_bytes([*rest.first()?, *rest.get(1)?]);
    let length = usize::from(u16::from_be_bytes([*rest.get(2)?, *rest.get(3)?]));
    let content = rest.get(4..4 + length)?;
    *rest = rest.get(4 + length..)?;
    Some((kind, content))
}

/// Numbers of two bytes, GREASE left out.
fn numbers(bytes: &[u8]) -> Vec<u16> {
    let pairs = bytes.as_chunks::<2>().0.iter();
    pairs.map(|pair| u16::from_be_bytes(*pair)).filter(|number| !is_grease(*number)).collect()
}

fn list(numbers: &[u16]) -> String {
    numbers.iter().map(|number| format!("{number:04x}")).collect::<Vec<_>>().join(",")
}

/// The first twelve digits of SHA-256; zeros of nothing.
fn hash(text: &str) -> String {
    if text.is_empty() {
        return "0".repeat(12);
    }
    digest(&SHA256, text.as_bytes()).as_ref().iter().take(6).map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A ClientHello in one record, with these cipher suites and extensions.
    fn hello(ciphers: &[u16], extensions: &[(u16, &[u8])]) -> Vec<u8> {
        let long = |bytes: &[u8]| [&u16::try_from(bytes.len()).unwrap().to_be_bytes(), bytes].concat();
        let ciphers: Vec<u8> = ciphers.iter().flat_map(|cipher| cipher.to_be_bytes()).collect();
        let extensions: Vec<u8> =
            extensions.iter().flat_map(|(kind, content)| [&kind.to_be_bytes()[..], &long(content)].concat()).collect();
        let body = [&[3, 3][..], &[7; 32], &[0], &long(&ciphers), &[1, 0], &long(&extensions)].concat();
        let length = u32::try_from(body.len()).unwrap().to_be_bytes();
        let message = [&[1][..], &length[1..], &body].concat();
        [&[22, 3, 1][..], &long(&message)].concat()
    }

    #[test]
    fn of_what_a_browser_offers() {
        let name = [0, 9, 0, 0, 6, b'a', b'.', b't', b'e', b's', b't'];
        let alpn = [0, 12, 2, b'h', b'2', 8, b'h', b't', b't', b'p', b'/', b'1', b'.', b'1'];
        let versions = [6, 0x1a, 0x1a, 3, 4, 3, 3];
        let offered = |ciphers: &[u16]| {
            ja4(&hello(
                ciphers,
                &[
                    (0x2a2a, &[]),
                    (0, &name),
                    (16, &alpn),
                    (13, &[0, 4, 4, 3, 8, 4]),
                    (43, &versions),
                    (10, &[0, 2, 0, 29]),
                ],
            ))
        };
        let shown = offered(&[0x0a0a, 0x1301, 0x1302, 0xc02b]).unwrap();
        assert!(shown.starts_with("t13d0305h2_"), "{shown}");
        assert_eq!(shown.len(), "t13d0305h2_".len() + 12 + 1 + 12);
        assert_eq!(shown.split('_').nth(1), Some(hash("1301,1302,c02b").as_str()));
        assert_eq!(shown.split('_').nth(2), Some(hash("000a,000d,002b_0403,0804").as_str()));
        assert_eq!(offered(&[0x1302, 0xc02b, 0x1301]).unwrap(), shown, "their order tells nothing");
        assert_ne!(offered(&[0x1302, 0x1301]).unwrap(), shown);
    }

    #[test]
    fn of_little_and_of_nothing() {
        assert_eq!(ja4(&hello(&[0x002f], &[])).unwrap(), format!("t12i010000_{}_000000000000", hash("002f")));
        for bytes in [b"".as_slice(), b"\x16\x03\x01\x00\x05hello", &[0x16; 600]] {
            assert_eq!(ja4(bytes), None);
        }
    }
}
