//! TLS alerts by name, and what an origin means by them.

use rayline_verdict::Fact;
use rayline_verdict::evidence::End;
use rayline_verdict::fault::OriginTlsCause;
use rustls::AlertDescription;

/// An alert as a fact.
pub fn alert_fact(alert: AlertDescription, sent_by: End) -> Fact {
    let number = u8::from(alert);
    Fact::TlsAlert { name: alert_name(number).to_owned(), number, sent_by }
}

/// What an origin means by an alert in the handshake, `asked` being whether it had asked for a client certificate.
///
/// A TLS 1.2 server without a certificate that it demanded answers `handshake_failure` (RFC 5246 §7.4.6), as it does
/// without a cipher suite in common: having asked tells them apart. The alerts about certificates can only be about ours,
/// for the origin has seen no other.
pub(crate) fn alert_cause(alert: AlertDescription, asked: bool) -> OriginTlsCause {
    match u8::from(alert) {
        70 => OriginTlsCause::NoCommonVersion,
        112 => OriginTlsCause::SniRefused,
        _ if refuses_certificate(alert, asked) => OriginTlsCause::ClientCertificateRefused,
        40 | 71 => OriginTlsCause::NoCommonCipher,
        _ => OriginTlsCause::Alert,
    }
}

/// Whether the origin means that our certificate will not do, or that there was none.
pub(crate) fn refuses_certificate(alert: AlertDescription, asked: bool) -> bool {
    match u8::from(alert) {
        // no_certificate to certificate_unknown, unknown_ca, certificate_required
        41..=46 | 48 | 116 => true,
        // handshake_failure; access_denied: a valid certificate without the right (RFC 8446 §6.2)
        40 | 49 => asked,
        _ => false,
    }
}

/// The name of an alert in the IANA registry "TLS Alerts".
pub fn alert_name(number: u8) -> &'static str {
    match number {
        0 => "close_notify",
        10 => "unexpected_message",
        20 => "bad_record_mac",
        21 => "decryption_failed",
        22 => "record_overflow",
        30 => "decompression_failure",
        40 => "handshake_failure",
        41 => "no_certificate",
        42 => "bad_certificate",
        43 => "unsupported_certificate",
        44 => "certificate_revoked",
        45 => "certificate_expired",
        46 => "certificate_unknown",
        47 => "illegal_parameter",
        48 => "unknown_ca",
        49 => "access_denied",
        50 => "decode_error",
        51 => "decrypt_error",
        52 => "too_many_cids_requested",
        60 => "export_restriction",
        70 => "protocol_version",
        71 => "insufficient_security",
        80 => "internal_error",
        86 => "inappropriate_fallback",
        90 => "user_canceled",
        100 => "no_renegotiation",
        109 => "missing_extension",
        110 => "unsupported_extension",
        111 => "certificate_unobtainable",
        112 => "unrecognized_name",
        113 => "bad_certificate_status_response",
        114 => "bad_certificate_hash_value",
        115 => "unknown_psk_identity",
        116 => "certificate_required",
        117 => "general_error",
        120 => "no_application_protocol",
        121 => "ech_required",
        _ => "unassigned",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn alerts_have_their_cause() {
        let rows = [
            (AlertDescription::ProtocolVersion, false, OriginTlsCause::NoCommonVersion),
            (AlertDescription::HandshakeFailure, false, OriginTlsCause::NoCommonCipher),
            (AlertDescription::HandshakeFailure, true, OriginTlsCause::ClientCertificateRefused),
            (AlertDescription::InsufficientSecurity, false, OriginTlsCause::NoCommonCipher),
            (AlertDescription::UnrecognisedName, false, OriginTlsCause::SniRefused),
            (AlertDescription::CertificateRequired, true, OriginTlsCause::ClientCertificateRefused),
            (AlertDescription::BadCertificate, true, OriginTlsCause::ClientCertificateRefused),
            (AlertDescription::UnsupportedCertificate, true, OriginTlsCause::ClientCertificateRefused),
            (AlertDescription::CertificateRevoked, true, OriginTlsCause::ClientCertificateRefused),
            (AlertDescription::CertificateExpired, true, OriginTlsCause::ClientCertificateRefused),
            (AlertDescription::CertificateUnknown, true, OriginTlsCause::ClientCertificateRefused),
            (AlertDescription::UnknownCA, true, OriginTlsCause::ClientCertificateRefused),
            (AlertDescription::AccessDenied, true, OriginTlsCause::ClientCertificateRefused),
            (AlertDescription::AccessDenied, false, OriginTlsCause::Alert),
            (AlertDescription::InternalError, false, OriginTlsCause::Alert),
            (AlertDescription::DecodeError, true, OriginTlsCause::Alert),
            (AlertDescription::NoApplicationProtocol, false, OriginTlsCause::Alert),
            (AlertDescription::Unknown(200), false, OriginTlsCause::Alert),
        ];
        for (alert, asked, cause) in rows {
            assert_eq!(alert_cause(alert, asked), cause, "{alert:?} asked: {asked}");
        }
    }
}
