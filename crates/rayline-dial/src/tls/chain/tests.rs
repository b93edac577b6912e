use std::sync::Arc;

use rcgen::{CertificateParams, CertifiedIssuer, CustomExtension, DnType, IsCa, KeyPair};
use rustls::OtherError;

use super::*;

const HOST: &str = "origin.test";

/// A certificate called `HOST`, for the host names `names`.
fn leaf(names: &[&str]) -> CertificateParams {
    let mut params = CertificateParams::new(names.iter().map(|&name| name.to_owned()).collect::<Vec<_>>()).unwrap();
    params.distinguished_name = rcgen::DistinguishedName::new();
    params.distinguished_name.push(DnType::CommonName, HOST);
    params
}

/// A CA of that name.
fn authority(name: &str) -> CertifiedIssuer<'static, KeyPair> {
    let mut params = CertificateParams::default();
    params.distinguished_name = rcgen::DistinguishedName::new();
    params.distinguished_name.push(DnType::CommonName, name);
    params.is_ca = IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
    CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap()
}

fn signed(params: &CertificateParams, issuer: &CertifiedIssuer<'static, KeyPair>) -> CertificateDer<'static> {
    params.signed_by(&KeyPair::generate().unwrap(), issuer).unwrap().der().clone()
}

fn self_signed(params: &CertificateParams) -> CertificateDer<'static> {
    params.self_signed(&KeyPair::generate().unwrap()).unwrap().der().clone()
}

/// AuthorityInfoAccess with one place where the issuer's certificate is to be had: `http://a`.
fn where_issuer_is() -> CustomExtension {
    let mut access = vec![0x30, 0x16, 0x30, 0x14];
    access.extend([0x06, 0x08, 0x2b, 0x06, 0x01, 0x05, 0x05, 0x07, 0x30, 0x02]);
    access.extend([0x86, 0x08]);
    access.extend(b"http://a");
    CustomExtension::from_oid_content(&[1, 3, 6, 1, 5, 5, 7, 1, 1], access)
}

fn judged(error: &CertificateError, chain: &[CertificateDer<'_>], trust: Trust) -> OriginTlsCause {
    cause(error, Chain::read(chain).as_ref(), trust, HOST)
}

const NOTHING: Trust = Trust { own_roots: false, leaf: false };
const OWN_ROOTS: Trust = Trust { own_roots: true, leaf: false };
const THE_LEAF: Trust = Trust { own_roots: true, leaf: true };

#[test]
fn a_self_signed_leaf_is_named_so_whatever_else_is_wrong() {
    let chain = [self_signed(&leaf(&[HOST]))];
    let ca_as_leaf = CertificateError::Other(OtherError(Arc::new(webpki::Error::CaUsedAsEndEntity)));
    for error in
        [CertificateError::UnknownIssuer, CertificateError::Expired, CertificateError::InvalidPurpose, ca_as_leaf]
    {
        assert_eq!(judged(&error, &chain, OWN_ROOTS), OriginTlsCause::SelfSigned, "{error:?}");
    }
    // Unless the owner trusts this very one: then renewing it does help.
    assert_eq!(judged(&CertificateError::Expired, &chain, THE_LEAF), OriginTlsCause::CertificateExpired);
    // And a broken signature is no matter of trust.
    assert_eq!(judged(&CertificateError::BadSignature, &chain, NOTHING), OriginTlsCause::CertificateInvalid);
}

#[test]
fn a_leaf_with_the_name_of_its_ca_is_not_signed_by_itself() {
    let chain = [signed(&leaf(&[HOST]), &authority(HOST))];
    assert_eq!(judged(&CertificateError::UnknownIssuer, &chain, NOTHING), OriginTlsCause::UnknownIssuer);
}

#[test]
fn a_missing_issuer_is_told_from_an_unknown_one_by_what_points_to_it() {
    let ca = authority("Some CA");
    let bare = signed(&leaf(&[HOST]), &ca);
    let mut params = leaf(&[HOST]);
    params.custom_extensions.push(where_issuer_is());
    let pointing = signed(&params, &ca);
    let sent = ca.der().clone();
    let stranger = authority("Another CA").der().clone();
    let rows = [
        (vec![&pointing], NOTHING, OriginTlsCause::MissingIntermediate),
        (vec![&pointing, &stranger], NOTHING, OriginTlsCause::MissingIntermediate),
        (vec![&pointing, &sent], NOTHING, OriginTlsCause::UnknownIssuer),
        (vec![&bare], NOTHING, OriginTlsCause::UnknownIssuer),
        (vec![&bare], OWN_ROOTS, OriginTlsCause::MissingIntermediate),
        (vec![&bare, &sent], OWN_ROOTS, OriginTlsCause::UnknownIssuer),
    ];
    for (place, (chain, trust, told)) in rows.into_iter().enumerate() {
        let chain: Vec<_> = chain.into_iter().cloned().collect();
        assert_eq!(judged(&CertificateError::UnknownIssuer, &chain, trust), told, "row {place}");
    }
}

#[test]
fn the_common_name_counts_only_where_there_is_no_other() {
    let ca = authority("Some CA");
    let rows: [(&[&str], OriginTlsCause); 2] =
        [(&[], OriginTlsCause::NameOnlyInCommonName), (&["other.test"], OriginTlsCause::NameMismatch)];
    for (names, told) in rows {
        let chain = [signed(&leaf(names), &ca)];
        assert_eq!(judged(&CertificateError::NotValidForName, &chain, OWN_ROOTS), told, "{names:?}");
    }
}

#[test]
fn the_other_reasons_have_their_cause() {
    let chain = [signed(&leaf(&[HOST]), &authority("Some CA"))];
    let other = |error| CertificateError::Other(OtherError(Arc::new(error)));
    let rows = [
        (CertificateError::Expired, OriginTlsCause::CertificateExpired),
        (CertificateError::NotValidYet, OriginTlsCause::CertificateNotYetValid),
        (CertificateError::Revoked, OriginTlsCause::Revoked),
        (CertificateError::InvalidPurpose, OriginTlsCause::WrongUsage),
        (other(webpki::Error::CaUsedAsEndEntity), OriginTlsCause::WrongUsage),
        (other(webpki::Error::NameConstraintViolation), OriginTlsCause::CertificateInvalid),
        (CertificateError::BadEncoding, OriginTlsCause::CertificateInvalid),
        (CertificateError::BadSignature, OriginTlsCause::CertificateInvalid),
        (CertificateError::UnhandledCriticalExtension, OriginTlsCause::CertificateInvalid),
        (CertificateError::UnknownRevocationStatus, OriginTlsCause::CertificateInvalid),
        (CertificateError::ExpiredRevocationList, OriginTlsCause::CertificateInvalid),
        (CertificateError::InvalidOcspResponse, OriginTlsCause::CertificateInvalid),
        (CertificateError::ApplicationVerificationFailure, OriginTlsCause::CertificateInvalid),
    ];
    for (error, told) in rows {
        assert_eq!(judged(&error, &chain, OWN_ROOTS), told, "{error:?}");
    }
    let unreadable = [CertificateDer::from(b"no certificate".as_slice())];
    assert_eq!(judged(&CertificateError::BadEncoding, &unreadable, NOTHING), OriginTlsCause::CertificateInvalid);
    assert_eq!(judged(&CertificateError::UnknownIssuer, &unreadable, OWN_ROOTS), OriginTlsCause::UnknownIssuer);
}

#[test]
fn names_cover_hosts_as_rfc_9525_has_it() {
    for (name, host, covered) in [
        ("origin.test", "ORIGIN.test", true),
        ("*.origin.test", "a.origin.test", true),
        ("*.origin.test", "a.b.origin.test", false),
        ("*.origin.test", "origin.test", false),
        ("origin.test", "other.test", false),
    ] {
        assert_eq!(covers(name, host), covered, "{name} {host}");
    }
}

#[test]
fn facts_are_bounded() {
    let names: Vec<_> = (0..300).map(|number| format!("{number}.test")).collect();
    let names: Vec<_> = names.iter().map(String::as_str).collect();
    let chain = vec![self_signed(&leaf(&names)); 3];
    let facts = Chain::read(&chain).unwrap().facts();
    assert_eq!((facts.names.len(), facts.chain_length), (MOST_NAMES, 3));
    assert_eq!((facts.subject.as_str(), facts.issuer.as_str()), ("CN=origin.test", "CN=origin.test"));
}
