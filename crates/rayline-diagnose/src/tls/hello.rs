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

/// Offers one version with these cipher suites to an origin.
pub(super) async fn offer(
    address: SocketAddr,
    version: Version,
    ciphers: &[u16],
    server_name: Option<&str>,
    limit: Duration,
) -> Answer {
    let exchange = async {
        let mut stream = TcpStream::connect(address).await.map_err(|_| Answer::Silent)?;
        let hello = client_hello(version, ciphers, server_name).ok_or(Answer::Silent)?;
        stream.write_all(&hello).await.map_err(hung)?;
        let mut received = Vec::new();
        loop {
            match read(&received) {
                Reading::Done(answer) => return Ok(answer),
                Reading::More if received.len() > MOST_BYTES => return Ok(Answer::NotTls),
                Reading::More => {}
            }
            if stream.read_buf(&mut received).await.map_err(hung)? == 0 {
                return Ok(Answer::Hung);
            }
        }
    };
    match timeout(limit, exchange).await {
        Ok(Ok(answer) | Err(answer)) => answer,
        Err(_late) => Answer::Silent,
    }
}

fn hung(_error: io::Error) -> Answer {
    Answer::Hung
}

enum Reading {
    Done(Answer),
    More,
}

/// Reads records until they hold a whole first message.
fn read(mut bytes: &[u8]) -> Reading {
    let mut handshake = Vec::new();
    if bytes.first().is_some_and(|kind| !(20..=24).contains(kind)) || bytes.get(1).is_some_and(|major| *major != 3) {
        return Reading::Done(Answer::NotTls);
    }
    while let Ok((rest, record)) = parse_tls_raw_record(bytes) {
        bytes = rest;
        match record.hdr.record_type {
            TlsRecordType::Handshake => handshake.extend_from_slice(record.data),
            TlsRecordType::Alert => {
                return Reading::Done(match record.data {
                    // A warning, such as `unrecognized_name`, may come first; the handshake goes on.
                    [1, description, ..] if *description != 0 => continue,
                    [_, description, ..] => Answer::Alert(*description),
                    [_] | [] => Answer::NotTls,
                });
            }
            _ => return Reading::Done(Answer::NotTls),
        }
        let whole = handshake.get(1..4).and_then(|length| {
            let length = length.iter().fold(0, |length, byte| length << 8 | usize::from(*byte));
            handshake.get(..length + 4)
        });
        if let Some(message) = whole {
            return Reading::Done(chosen(message));
        }
    }
    Reading::More
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
    let extensions = extensions(version, server_name, share);
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
            assert!(matches!(read(&warned[..cut]), Reading::More), "{cut}");
        }
        let Reading::Done(answer) = read(&warned) else { unreachable!() };
        assert_eq!(answer, Answer::Chose { version: 0x0303, cipher: 0xc02f });
    }

    #[test]
    fn what_is_not_tls_is_known_by_its_first_byte() {
        for bytes in
            [&b"HTTP/1.1 400 Bad Request\r\n"[..], b"SSH-2.0", b"\x16\x02", b"\x16\x03\x03\x00\x04\x00\x00\x00\x00"]
        {
            assert!(matches!(read(bytes), Reading::Done(Answer::NotTls)), "{}", bytes.escape_ascii());
        }
        assert!(matches!(read(b"\x15\x03\x01\x00\x02\x02\x28"), Reading::Done(Answer::Alert(40))));
    }
}
