//! A ClientHello made by hand, and what comes back: the TLS library offers neither old versions nor old ciphers.
//!
//! No handshake is finished: after the answer the connection is closed.

use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use tls_parser::{
    TlsExtension, TlsMessage, TlsMessageHandshake, TlsRecordType, parse_tls_message_handshake, parse_tls_raw_record,
    parse_tls_server_hello_extensions,
};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::time::timeout;

use super::Version;

/// An answer is one record, or two; nobody needs more than this to choose.
const MOST_BYTES: usize = 64 * 1024;

/// The groups offered: X25519, P-256, P-384, P-521 (RFC 8422 section 5.1.1).
const GROUPS: [u16; 4] = [29, 23, 24, 25];
/// The signature schemes offered, old ones last (RFC 8446 section 4.2.3).
const SCHEMES: [u16; 12] =
    [0x0403, 0x0804, 0x0401, 0x0503, 0x0805, 0x0501, 0x0806, 0x0601, 0x0807, 0x0603, 0x0203, 0x0201];

/// What an origin made of a ClientHello.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Answer {
    /// It chose.
    Chose { version: u16, cipher: u16 },
    /// It refused with an alert of this number.
    Alert(u8),
    /// It closed or reset the connection without a word.
    Hung,
    /// It sent what is not TLS.
    NotTls,
    /// It could not be reached, or said nothing in time.
    Silent,
}

/// One version, offered with some cipher suites to an origin.
#[derive(Clone, Copy, Debug)]
pub(super) struct Hello<'a> {
    pub(super) address: SocketAddr,
    pub(super) version: Version,
    pub(super) ciphers: &'a [u16],
    pub(super) server_name: Option<&'a str>,
}

impl Hello<'_> {
    /// What the origin makes of it.
    pub(super) async fn offer(&self, limit: Duration) -> Answer {
        self.converse(limit, answer).await.unwrap_or_else(|answer| answer)
    }

    /// What the origin presents: before TLS 1.3 its certificates come in clear. Empty where they do not.
    pub(super) async fn certificates(&self, limit: Duration) -> Vec<Vec<u8>> {
        self.converse(limit, certificates).await.unwrap_or_default()
    }

    /// Sends it, and reads until `read` has what it wants.
    async fn converse<T>(&self, limit: Duration, read: impl Fn(&[u8]) -> Reading<T>) -> Result<T, Answer> {
        let exchange = async {
            let mut stream = TcpStream::connect(self.address).await.map_err(|_| Answer::Silent)?;
            let hello = client_hello(self.version, self.ciphers, self.server_name).ok_or(Answer::Silent)?;
            stream.write_all(&hello).await.map_err(hung)?;
            let mut received = Vec::new();
            loop {
                match read(&received) {
                    Reading::Done(read) => return Ok(read),
                    Reading::Refused(answer) => return Err(answer),
                    Reading::More if received.len() > MOST_BYTES => return Err(Answer::NotTls),
                    Reading::More => {}
                }
                if stream.read_buf(&mut received).await.map_err(hung)? == 0 {
                    return Err(Answer::Hung);
                }
            }
        };
        timeout(limit, exchange).await.unwrap_or(Err(Answer::Silent))
    }
}

fn hung(_error: io::Error) -> Answer {
    Answer::Hung
}

/// How far reading came.
enum Reading<T> {
    Done(T),
    Refused(Answer),
    More,
}

/// Takes the handshake's bytes out of their records, as far as they have come; what ends it stands beside them.
fn unpack(mut bytes: &[u8]) -> (Vec<u8>, Option<Answer>) {
    let mut handshake = Vec::new();
    if bytes.first().is_some_and(|kind| !(20..=24).contains(kind)) || bytes.get(1).is_some_and(|major| *major != 3) {
        return (handshake, Some(Answer::NotTls));
    }
    while let Ok((rest, record)) = parse_tls_raw_record(bytes) {
        bytes = rest;
        let end = match (record.hdr.record_type, record.data) {
            (TlsRecordType::Handshake, data) => {
                handshake.extend_from_slice(data);
                continue;
            }
            // A warning, such as `unrecognized_name`, may come first; the handshake goes on. `close_notify` ends it.
            (TlsRecordType::Alert, [1, 1..=255, ..]) => continue,
            (TlsRecordType::Alert, [_, description, ..]) => Answer::Alert(*description),
            (_, _) => Answer::NotTls,
        };
        return (handshake, Some(end));
    }
    (handshake, None)
}

/// The whole messages at the start of these bytes, each with its header.
fn messages(mut handshake: &[u8]) -> impl Iterator<Item = &[u8]> {
    std::iter::from_fn(move || {
        let length = handshake.get(1..4)?.iter().fold(0, |length, byte| length << 8 | usize::from(*byte));
        let (message, rest) = handshake.split_at_checked(length + 4)?;
        handshake = rest;
        Some(message)
    })
}

/// Reads what the first message chose.
fn answer(bytes: &[u8]) -> Reading<Answer> {
    let (handshake, end) = unpack(bytes);
    match (messages(&handshake).next(), end) {
        (Some(message), _) => Reading::Done(chosen(message)),
        (None, Some(end)) => Reading::Refused(end),
        (None, None) => Reading::More,
    }
}

/// Reads the certificates that follow a ServerHello.
fn certificates(bytes: &[u8]) -> Reading<Vec<Vec<u8>>> {
    let (handshake, end) = unpack(bytes);
    for message in messages(&handshake) {
        if let Ok((_, TlsMessage::Handshake(TlsMessageHandshake::Certificate(contents)))) =
            parse_tls_message_handshake(message)
        {
            return Reading::Done(contents.cert_chain.iter().map(|certificate| certificate.data.to_vec()).collect());
        }
    }
    end.map_or(Reading::More, Reading::Refused)
}

/// What a ServerHello chose. A HelloRetryRequest is one too, and chooses the same (RFC 8446 section 4.1.4).
fn chosen(message: &[u8]) -> Answer {
    let Ok((_, TlsMessage::Handshake(TlsMessageHandshake::ServerHello(hello)))) = parse_tls_message_handshake(message)
    else {
        return Answer::NotTls;
    };
    let extensions = hello.ext.and_then(|bytes| Some(parse_tls_server_hello_extensions(bytes).ok()?.1));
    let selected = extensions.into_iter().flatten().find_map(|extension| match extension {
        TlsExtension::SupportedVersions(versions) => versions.first().map(|version| version.0),
        _ => None,
    });
    Answer::Chose { version: selected.unwrap_or(hello.version.0), cipher: hello.cipher.0 }
}

/// The record with the message; `None` without random numbers.
fn client_hello(version: Version, ciphers: &[u16], server_name: Option<&str>) -> Option<Vec<u8>> {
    padded_hello(version, ciphers, server_name, None)
}

/// One of TLS 1.2 with modern suites, and with so many bytes of padding, less than 16000.
pub(crate) fn hello_of_size(server_name: Option<&str>, padding: usize) -> Option<Vec<u8>> {
    padded_hello(Version::Tls12, &[0xc02b, 0xc02f, 0xc02c, 0xc030, 0xcca9, 0xcca8], server_name, Some(padding))
}

fn padded_hello(
    version: Version,
    ciphers: &[u16],
    server_name: Option<&str>,
    padding: Option<usize>,
) -> Option<Vec<u8>> {
    let mut random = [0; 96];
    getrandom::fill(&mut random).ok()?;
    let (random, rest) = random.split_at(32);
    let (session, share) = rest.split_at(32);
    let is_13 = version == Version::Tls13;
    let mut body = version.legacy_number().to_be_bytes().to_vec();
    body.extend_from_slice(random);
    with_length_8(&mut body, if is_13 { session } else { &[] });
    with_length(&mut body, &numbers(ciphers));
    body.extend_from_slice(&[1, 0]);
    let mut extensions = extensions(version, server_name, share);
    if let Some(padding) = padding {
        // RFC 7685.
        extensions.extend_from_slice(&21_u16.to_be_bytes());
        with_length(&mut extensions, &vec![0; padding]);
    }
    with_length(&mut body, &extensions);

    let mut message = vec![1, 0];
    with_length(&mut message, &body);
    let mut record = vec![22, 3, 1];
    with_length(&mut record, &message);
    Some(record)
}

fn extensions(version: Version, server_name: Option<&str>, share: &[u8]) -> Vec<u8> {
    let mut all = Vec::new();
    let mut add = |kind: u16, content: &[u8]| {
        all.extend_from_slice(&kind.to_be_bytes());
        with_length(&mut all, content);
    };
    let listed = |content: &[u8]| {
        let mut list = Vec::new();
        with_length(&mut list, content);
        list
    };
    if let Some(name) = server_name {
        let mut entry = vec![0];
        with_length(&mut entry, name.as_bytes());
        add(0, &listed(&entry));
    }
    add(10, &listed(&numbers(&GROUPS)));
    add(11, &[1, 0]);
    if version >= Version::Tls12 {
        add(13, &listed(&numbers(&SCHEMES)));
    }
    if version == Version::Tls13 {
        let mut entry = GROUPS[0].to_be_bytes().to_vec();
        with_length(&mut entry, share);
        add(43, &[2, 3, 4]);
        add(45, &[1, 1]);
        add(51, &listed(&entry));
    } else {
        add(23, &[]);
        add(0xff01, &[0]);
    }
    all
}

fn numbers(list: &[u16]) -> Vec<u8> {
    list.iter().flat_map(|number| number.to_be_bytes()).collect()
}

/// Appends `content` behind its length in two bytes. All of it is ours and short.
fn with_length(out: &mut Vec<u8>, content: &[u8]) {
    out.extend_from_slice(&u16::try_from(content.len()).unwrap_or(u16::MAX).to_be_bytes());
    out.extend_from_slice(content);
}

/// The same with one byte.
fn with_length_8(out: &mut Vec<u8>, content: &[u8]) {
    out.push(u8::try_from(content.len()).unwrap_or(u8::MAX));
    out.extend_from_slice(content);
}

#[cfg(test)]
mod tests {
    use proptest::collection::vec;
    use proptest::prelude::*;
    use tls_parser::{TlsPlaintext, parse_tls_client_hello_extensions, parse_tls_plaintext};

    use super::*;

    #[test]
    fn a_hello_reads_as_what_it_offers() {
        for version in Version::ALL {
            let bytes = client_hello(version, &[0x002f, 0xc02f], Some("shop.example")).unwrap();
            let (rest, TlsPlaintext { msg, .. }) = parse_tls_plaintext(&bytes).unwrap();
            assert!(rest.is_empty());
            let [TlsMessage::Handshake(TlsMessageHandshake::ClientHello(hello))] = msg.as_slice() else {
                unreachable!()
            };
            assert_eq!(hello.version.0, version.legacy_number());
            assert_eq!(hello.ciphers.iter().map(|cipher| cipher.0).collect::<Vec<_>>(), [0x002f, 0xc02f]);
            let (rest, extensions) = parse_tls_client_hello_extensions(hello.ext.unwrap()).unwrap();
            assert!(rest.is_empty());
            assert!(
                extensions
                    .iter()
                    .any(|extension| matches!(extension, TlsExtension::SNI(names) if names[0].1 == b"shop.example"))
            );
            let is_13 = extensions.iter().any(|extension| matches!(extension, TlsExtension::SupportedVersions(_)));
            assert_eq!(is_13, version == Version::Tls13);
        }
    }

    #[test]
    fn an_answer_is_read_however_it_is_cut() {
        let mut body = vec![3, 3];
        body.extend([7; 32]);
        body.extend([0, 0xc0, 0x2f, 0]);
        let mut message = vec![2, 0, 0, u8::try_from(body.len()).unwrap()];
        message.extend(body);
        let (one, two) = message.split_at(9);
        let record = |kind: u8, data: &[u8]| [&[kind, 3, 3, 0, u8::try_from(data.len()).unwrap()], data].concat();
        let warned = [record(21, &[1, 112]), record(22, one), record(22, two)].concat();
        for cut in 0..warned.len() {
            assert!(matches!(answer(&warned[..cut]), Reading::More), "{cut}");
        }
        let Reading::Done(chosen) = answer(&warned) else { unreachable!() };
        assert_eq!(chosen, Answer::Chose { version: 0x0303, cipher: 0xc02f });
    }

    #[test]
    fn what_is_not_tls_is_known_by_its_first_byte() {
        for bytes in
            [&b"HTTP/1.1 400 Bad Request\r\n"[..], b"SSH-2.0", b"\x16\x02", b"\x16\x03\x03\x00\x04\x00\x00\x00\x00"]
        {
            let read = answer(bytes);
            assert!(
                matches!(read, Reading::Done(Answer::NotTls) | Reading::Refused(Answer::NotTls)),
                "{}",
                bytes.escape_ascii()
            );
        }
        assert!(matches!(answer(b"\x15\x03\x01\x00\x02\x02\x28"), Reading::Refused(Answer::Alert(40))));
        assert!(matches!(answer(b"\x15\x03\x01\x00\x02\x01\x00"), Reading::Refused(Answer::Alert(0))));
    }

    proptest! {
        #[test]
        fn no_bytes_are_too_strange(bytes in vec(any::<u8>(), 0..200), message in vec(any::<u8>(), 0..200)) {
            let length = u8::try_from(message.len()).unwrap();
            let mut framed = vec![22, 3, 3, 0, length];
            framed.extend(message);
            for bytes in [bytes, framed] {
                let _ = (answer(&bytes), certificates(&bytes));
            }
        }
    }
}
