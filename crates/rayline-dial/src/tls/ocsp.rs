//! What a stapled OCSP response says of a certificate, as far as it matters here: revoked, or not.
//!
//! The response's signature and dates are not checked. It came from the origin inside its own handshake: one that says
//! "revoked" speaks against the origin itself, which nobody forges, and revocation is for good (RFC 5280 §5.3.1 knows one
//! exception, a hold). One that says "good" grants nothing: without a staple the certificate would be accepted too.

use x509_parser::parse_x509_certificate;

const SEQUENCE: u8 = 0x30;
const INTEGER: u8 = 0x02;
const OCTET_STRING: u8 = 0x04;
/// `[0] EXPLICIT`: the response's bytes, and the version inside them.
const EXPLICIT_0: u8 = 0xa0;
/// `[1] IMPLICIT RevokedInfo`: the status "revoked".
const REVOKED: u8 = 0xa1;

/// Whether this OCSP response (RFC 6960 §4.2.1) speaks of this certificate, by its serial number, as revoked.
pub(crate) fn says_revoked(response: &[u8], leaf: &[u8]) -> bool {
    // Most origins staple nothing: the certificate is then not read at all.
    if response.is_empty() {
        return false;
    }
    let Ok((_, leaf)) = parse_x509_certificate(leaf) else { return false };
    statuses(response).is_some_and(|statuses| statuses_revoke(statuses, leaf.raw_serial()))
}

/// The contents of the `SEQUENCE OF SingleResponse`.
fn statuses(response: &[u8]) -> Option<&[u8]> {
    // OCSPResponse: the status (0, successful), then the response's type and its bytes.
    let (response, _) = element(response, SEQUENCE)?;
    let (_, rest) = any_element(response)?;
    let (typed, _) = element(rest, EXPLICIT_0)?;
    let (typed, _) = element(typed, SEQUENCE)?;
    let (_, rest) = any_element(typed)?;
    let (basic, _) = element(rest, OCTET_STRING)?;
    // BasicOCSPResponse: the signed data first. In it: the version if it is not 1, the responder, the time, the answers.
    let (basic, _) = element(basic, SEQUENCE)?;
    let (data, _) = element(basic, SEQUENCE)?;
    let data = element(data, EXPLICIT_0).map_or(data, |(_, rest)| rest);
    let (_, rest) = any_element(data)?;
    let (_, rest) = any_element(rest)?;
    element(rest, SEQUENCE).map(|(statuses, _)| statuses)
}

fn statuses_revoke(mut statuses: &[u8], serial: &[u8]) -> bool {
    while let Some((status, rest)) = element(statuses, SEQUENCE) {
        if revokes(status, serial) == Some(true) {
            return true;
        }
        statuses = rest;
    }
    false
}

/// SingleResponse: the certificate (two hashes of its issuer, its serial number), then its status.
fn revokes(status: &[u8], serial: &[u8]) -> Option<bool> {
    let (id, rest) = element(status, SEQUENCE)?;
    let (_, id) = any_element(id)?;
    let (_, id) = any_element(id)?;
    let (_, id) = any_element(id)?;
    let (number, _) = element(id, INTEGER)?;
    Some(number == serial && rest.first() == Some(&REVOKED))
}

/// The contents of the element at the start of `bytes`, which must have this tag, and what follows it.
fn element(bytes: &[u8], tag: u8) -> Option<(&[u8], &[u8])> {
    any_element(bytes).filter(|_| bytes.first() == Some(&tag))
}

/// The contents of the DER element at the start of `bytes`, and what follows it.
fn any_element(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let (&[_tag, first], rest) = bytes.split_first_chunk::<2>()?;
    let (length, rest) = match first {
        0..=0x7f => (usize::from(first), rest),
        0x81 => rest.split_first().map(|(&length, rest)| (usize::from(length), rest))?,
        0x82 => rest.split_first_chunk().map(|(length, rest)| (usize::from(u16::from_be_bytes(*length)), rest))?,
        // Nothing that long fits into a handshake message that carries a staple.
        _ => return None,
    };
    rest.split_at_checked(length)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tagged(tag: u8, contents: &[&[u8]]) -> Vec<u8> {
        let contents = contents.concat();
        let mut bytes = vec![tag, 0x82];
        bytes.extend(u16::try_from(contents.len()).unwrap().to_be_bytes());
        bytes.extend(contents);
        bytes
    }

    fn response(serial: &[u8], status: u8, with_version: bool) -> Vec<u8> {
        let id = tagged(
            SEQUENCE,
            &[
                &tagged(SEQUENCE, &[]),
                &tagged(OCTET_STRING, &[b"n"]),
                &tagged(OCTET_STRING, &[b"k"]),
                &tagged(INTEGER, &[serial]),
            ],
        );
        let single = tagged(SEQUENCE, &[&id, &tagged(status, &[b"..."])]);
        let version = if with_version { tagged(EXPLICIT_0, &[&tagged(INTEGER, &[&[0]])]) } else { Vec::new() };
        let data = tagged(
            SEQUENCE,
            &[&version, &tagged(0xa2, &[b"key"]), &tagged(0x18, &[b"now"]), &tagged(SEQUENCE, &[&single])],
        );
        let basic = tagged(SEQUENCE, &[&data]);
        let typed = tagged(SEQUENCE, &[&tagged(0x06, &[b"oid"]), &tagged(OCTET_STRING, &[&basic])]);
        tagged(SEQUENCE, &[&tagged(0x0a, &[&[0]]), &tagged(EXPLICIT_0, &[&typed])])
    }

    fn says(response: &[u8], serial: &[u8]) -> bool {
        statuses(response).is_some_and(|statuses| statuses_revoke(statuses, serial))
    }

    #[test]
    fn only_the_revoked_serial_number_is_revoked() {
        for with_version in [false, true] {
            assert!(says(&response(&[7, 8], REVOKED, with_version), &[7, 8]));
            assert!(!says(&response(&[7, 8], REVOKED, with_version), &[7, 9]));
            assert!(!says(&response(&[7, 8], 0x80, with_version), &[7, 8]));
        }
    }

    #[test]
    fn a_broken_response_says_nothing() {
        let whole = response(&[7, 8], REVOKED, true);
        for cut in 0..whole.len() {
            assert!(!says(&whole[..cut], &[7, 8]));
        }
    }
}
