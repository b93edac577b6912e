//! Origins whose TLS is broken: raw records for what no TLS library would do, a real session for the rest.

use rustls::AlertDescription;

use super::answer::{Answer, Framing};
use super::{Script, Step};
use crate::certs::{Authority, Issued};
use crate::tls::{Tls, Versions};

/// An answer of TLS 1.1: a record with a whole `ServerHello` that selects version 3.2 and an old cipher suite.
const SERVER_HELLO_TLS11: [u8; 54] = [
    0x16, 0x03, 0x02, 0x00, 0x31, // record: handshake, TLS 1.1, 49 bytes
    0x02, 0x00, 0x00, 0x2d, // ServerHello, 45 bytes
    0x03, 0x02, // version
    0x72, 0x61, 0x79, 0x6c, 0x69, 0x6e, 0x65, 0x20, 0x6f, 0x6c, 0x64, 0x20, 0x6f, 0x72, 0x69, 0x67, 0x69, 0x6e, 0x20,
    0x73, 0x70, 0x65, 0x61, 0x6b, 0x73, 0x20, 0x54, 0x4c, 0x53, 0x31, 0x2e, 0x31, 0x00, // no session id
    0xc0, 0x13, // TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA
    0x00, // no compression
    0x00, 0x05, 0xff, 0x01, 0x00, 0x01, 0x00, // extensions: renegotiation_info, empty
];

pub(super) fn all(good: &Issued, clients: &Authority) -> Vec<Script> {
    vec![
        Script::tls12_only(good),
        Script::tls13_only(good),
        Script::tls_silent(),
        Script::tls_reset(),
        Script::tls_close(),
        Script::tls_plain_http(),
        Script::tls_garbage(),
        Script::tls_alert(AlertDescription::HandshakeFailure),
        Script::tls_alert(AlertDescription::ProtocolVersion),
        Script::tls_alert(AlertDescription::UnrecognisedName),
        Script::tls_alert(AlertDescription::InternalError),
        Script::tls_old(),
        Script::sni_refused(good, "somebody-else.invalid"),
        Script::client_certificate_required(good, clients, Versions::Tls12),
        Script::client_certificate_required(good, clients, Versions::Tls13),
        Script::cut_without_close_notify(good),
        Script::garbled_answer(good),
        Script::garbled_body(good),
    ]
}

/// A record of application data that no key decrypts.
const GARBLED: [u8; 37] = {
    let mut record = [0x5a; 37];
    (record[0], record[1], record[2], record[3], record[4]) = (0x17, 0x03, 0x03, 0x00, 0x20);
    record
};

/// Reads the `ClientHello` and goes on with `steps`, without any TLS of its own.
fn after_hello(name: &'static str, what: &'static str, steps: impl IntoIterator<Item = Step>) -> Script {
    let steps = [Step::ReadHello].into_iter().chain(steps);
    Script::new(name, what, steps).raw_tls()
}

impl Script {
    /// [`Script::ok`] over TLS with this certificate, under the name of its flaw.
    pub fn certificate(issued: &Issued) -> Self {
        let flaw = issued.flaw();
        Self::ok().over_tls(Tls::new(issued)).called(flaw.name(), flaw.what())
    }

    /// [`Script::ok`] over TLS 1.2 and nothing else.
    pub fn tls12_only(issued: &Issued) -> Self {
        Self::ok()
            .over_tls(Tls::new(issued).versions(Versions::Tls12))
            .called("tls12-only", "speaks TLS 1.2 and no other version")
    }

    /// [`Script::ok`] over TLS 1.3 and nothing else.
    pub fn tls13_only(issued: &Issued) -> Self {
        Self::ok()
            .over_tls(Tls::new(issued).versions(Versions::Tls13))
            .called("tls13-only", "speaks TLS 1.3 and no other version")
    }

    /// The `ClientHello` is never answered.
    pub fn tls_silent() -> Self {
        Self::new("tls-silent", "accepts the connection and never answers the TLS handshake", [Step::Hold]).raw_tls()
    }

    /// A reset in answer to the `ClientHello`.
    pub fn tls_reset() -> Self {
        after_hello("tls-reset", "resets the connection during the TLS handshake", [Step::Reset])
    }

    /// A close in answer to the `ClientHello`.
    pub fn tls_close() -> Self {
        after_hello("tls-close", "closes the connection during the TLS handshake", [Step::Fin])
    }

    /// A plain HTTP server on the port for TLS, with the answer that such servers give.
    pub fn tls_plain_http() -> Self {
        let response = "HTTP/1.1 400 Bad Request\r\nContent-Type: text/plain\r\n\
                        Content-Length: 12\r\nConnection: close\r\n\r\nbad request\n";
        after_hello("tls-plain-http", "speaks plain HTTP on its TLS port", [Step::send(response), Step::Fin])
    }

    /// Bytes in answer to the `ClientHello` that are neither TLS nor HTTP.
    pub fn tls_garbage() -> Self {
        after_hello(
            "tls-garbage",
            "answers the TLS handshake with bytes that are not TLS",
            [Step::send("SSH-2.0-OpenSSH_9.9\r\n"), Step::Fin],
        )
    }

    /// A fatal alert in answer to the `ClientHello`.
    pub fn tls_alert(description: AlertDescription) -> Self {
        let (name, what) = match description {
            AlertDescription::HandshakeFailure => (
                "tls-alert-handshake-failure",
                "ends the TLS handshake with the alert handshake_failure: nothing in common",
            ),
            AlertDescription::ProtocolVersion => (
                "tls-alert-protocol-version",
                "ends the TLS handshake with the alert protocol_version: only older TLS here",
            ),
            AlertDescription::UnrecognisedName => (
                "tls-alert-unrecognized-name",
                "ends the TLS handshake with the alert unrecognized_name: no such site here",
            ),
            AlertDescription::InternalError => {
                ("tls-alert-internal-error", "ends the TLS handshake with the alert internal_error")
            }
            // the type has every alert of the registry and may gain more; these have no name in the catalogue
            _ => ("tls-alert", "ends the TLS handshake with an alert"),
        };
        let record = vec![0x15, 0x03, 0x03, 0x00, 0x02, 0x02, u8::from(description)];
        after_hello(name, what, [Step::send(record), Step::Fin])
    }

    /// A `ServerHello` that selects TLS 1.1.
    pub fn tls_old() -> Self {
        after_hello(
            "tls-old",
            "speaks TLS 1.1 and nothing newer",
            [Step::send(SERVER_HELLO_TLS11.as_slice()), Step::Hold],
        )
    }

    /// A certificate for clients that ask for the server name `only`, an alert for all others.
    pub fn sni_refused(issued: &Issued, only: &str) -> Self {
        Self::ok()
            .over_tls(Tls::new(issued).only_for(only))
            .called("sni-refused", "has no certificate for the server name that is asked for")
    }

    /// A certificate of `clients` is demanded, and its lack answered with the alert `certificate_required`: by TLS 1.2 in the
    /// handshake, by TLS 1.3 after the client has finished it.
    pub fn client_certificate_required(issued: &Issued, clients: &Authority, versions: Versions) -> Self {
        let (name, what) = match versions {
            Versions::Tls12 => (
                "client-certificate-required-tls12",
                "wants a certificate from its client and refuses in the TLS 1.2 handshake",
            ),
            Versions::Tls13 | Versions::Both => (
                "client-certificate-required",
                "wants a certificate from its client and refuses after the TLS 1.3 handshake",
            ),
        };
        let tls = Tls::new(issued).versions(versions).require_client_certificate(clients);
        Self::ok().over_tls(tls).called(name, what)
    }

    /// A record that cannot be decrypted in place of the answer.
    pub fn garbled_answer(issued: &Issued) -> Self {
        Self::new(
            "garbled-answer",
            "answers with an encrypted record that cannot be decrypted",
            [Step::ReadHead, Step::ReadBody, Step::SendPastTls(GARBLED.as_slice().into()), Step::Hold],
        )
        .over_tls(Tls::new(issued))
    }

    /// A record that cannot be decrypted in the middle of the body, once the whole request has been read: a client that holds
    /// the end of its own body back until the answer begins sees that beginning for sure.
    pub fn garbled_body(issued: &Issued) -> Self {
        Self::new(
            "garbled-body",
            "sends an encrypted record that cannot be decrypted in the middle of its answer",
            [
                Step::ReadHead,
                Step::send("HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 1000\r\n\r\nhalf"),
                Step::ReadBody,
                Step::SendPastTls(GARBLED.as_slice().into()),
                Step::Hold,
            ],
        )
        .over_tls(Tls::new(issued))
    }

    /// A body to the end of the connection, and that end without `close_notify`: who can tell that nothing is missing?
    pub fn cut_without_close_notify(issued: &Issued) -> Self {
        let answer = Answer::status(200).text("all of it?\n").framing(Framing::Close);
        Self::new(
            "cut-without-close-notify",
            "ends a body of unknown length by cutting the connection inside TLS",
            [Step::Answer(answer), Step::Cut],
        )
        .over_tls(Tls::new(issued))
    }
}
