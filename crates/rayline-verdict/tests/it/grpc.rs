//! What a caller that speaks gRPC is told.

use std::collections::BTreeMap;

use expect_test::expect;
use rayline_verdict::fault::WaitCause;
use rayline_verdict::surface::grpc::{fields, status, trailers};
use rayline_verdict::{Code, Fact, Fault, TABLE, Verdict, attribute};

use crate::sample::{OWNERS_ADDRESS, OWNERS_NUMBER, OWNERS_WORD, full_verdict, notice, verdict};

fn lines(verdict: &Verdict) -> String {
    let mut out = String::new();
    fields(&notice(verdict), |name, value| out.push_str(&format!("{name}: {}\n", String::from_utf8_lossy(value))));
    out
}

#[test]
fn fields_of_a_refused_connection() {
    expect![[r#"
        content-type: application/grpc
        grpc-status: 14
        grpc-message: The site's server refused the connection. (code: origin.connect.refused, ray id: 230b030023ae2822)
        proxy-status: rayline; error=connection_refused; details="origin.connect.refused"
    "#]]
    .assert_eq(&lines(&verdict(Code::OriginConnectRefused.entry())));
}

#[test]
fn an_origins_own_error_names_its_status() {
    expect![[r#"
        content-type: application/grpc
        grpc-status: 14
        grpc-message: The site's server answered, and its answer is an error. It sent the status 502. (code: origin.wait.error_status, ray id: 230b030023ae2822)
        proxy-status: rayline; received-status=502; details="origin.wait.error_status"
    "#]].assert_eq(&lines(&verdict(Code::OriginWaitErrorStatus.entry())));
}

#[test]
fn trailers_are_the_fields_without_the_type() {
    let verdict = verdict(Code::OriginReceiveHttp2Reset.entry());
    let mut names = Vec::new();
    trailers(&notice(&verdict), |name, _| names.push(name));
    assert_eq!(names, ["grpc-status", "grpc-message", "proxy-status"]);
}

#[test]
fn every_code_has_its_status() {
    let mut by_status: BTreeMap<u32, Vec<&str>> = BTreeMap::new();
    for entry in &TABLE {
        by_status.entry(status(&verdict(entry))).or_default().push(entry.name);
    }
    let mut out = String::new();
    for (status, names) in by_status {
        out.push_str(&format!("{status}\n"));
        names.iter().for_each(|name| out.push_str(&format!("  {name}\n")));
    }
    expect![[r#"
        1
          visitor.request.body_truncated
          visitor.reply.gone
          visitor.reply.stalled
        2
          visitor.client_tls.malformed
          visitor.client_tls.no_common_version
          visitor.client_tls.no_common_cipher
          visitor.client_tls.alert
          visitor.client_tls.closed
          visitor.client_tls.reset
          visitor.client_tls.timed_out
          policy.rules.refused
          policy.reply.idle
        4
          origin.wait.deadline_exceeded
        7
          visitor.route.direct_ip
          visitor.route.forged_header
          policy.rules.custom_rule
          policy.rules.managed_rule
          policy.rules.address_banned
          policy.rules.asn_banned
          policy.rules.country_banned
          policy.rules.zone_lockdown
          policy.rules.browser_signature
          policy.rules.user_agent
          policy.rules.hotlink
          policy.rules.challenged
        8
          visitor.request.uri_too_long
          visitor.request.header_too_large
          visitor.request.body_too_large
          policy.rules.rate_limited
        12
          visitor.request.method_not_allowed
        13
          visitor.client_tls.plain_http
          visitor.request.malformed
          visitor.request.ambiguous_framing
          visitor.request.bad_host
          visitor.request.unsupported_version
          visitor.request.unsupported_transfer_coding
          visitor.request.expectation_failed
          visitor.request.body_malformed
          visitor.request.head_truncated
          visitor.request.http2_malformed
          visitor.request.http2_protocol_error
          visitor.request.http2_flood
          edge.connect.forbidden
          origin.wait.not_http
          origin.wait.http09
          origin.wait.unsupported_version
          origin.wait.bad_status
          origin.wait.illegal_header
          origin.wait.conflicting_lengths
          origin.wait.length_with_transfer_encoding
          origin.wait.unsupported_transfer_coding
          origin.wait.header_too_large
          origin.wait.informational_flood
          origin.wait.unexpected_upgrade
          origin.wait.bad_upgrade
          origin.wait.http2_not_spoken
          origin.wait.http2_protocol_error
          origin.receive.bad_chunk
          origin.receive.bad_trailers
          origin.receive.http2_protocol_error
          edge.reply.unclassified
        14
          edge.accept.too_many_connections
          edge.accept.refused
          edge.accept.timed_out
          owner.accept.proxy_header_missing
          owner.accept.proxy_header_malformed
          owner.accept.proxy_header_timed_out
          owner.client_tls.no_certificate
          owner.client_tls.certificate_expired
          owner.client_tls.name_mismatch
          owner.client_tls.untrusted
          visitor.request.head_timed_out
          visitor.request.body_timed_out
          owner.route.unknown_host
          owner.route.no_record
          owner.route.dns_only
          visitor.route.sni_mismatch
          owner.route.loop
          owner.route.redirect_loop
          owner.route.wrong_port
          policy.rules.maintenance
          owner.rules.rewrite_invalid_path
          owner.rules.rewrite_too_long
          owner.rules.expression_failed
          owner.rules.header_limit
          owner.rules.header_not_allowed
          owner.rules.header_invalid_value
          owner.rules.breaks_request
          owner.worker.failed
          owner.resolve.nxdomain
          owner.resolve.no_address
          owner.resolve.alias_loop
          network.resolve.servfail
          network.resolve.refused
          network.resolve.timed_out
          network.resolve.unreachable
          owner.resolve.prohibited_address
          owner.resolve.points_to_edge
          origin.connect.refused
          origin.connect.edge_blocked
          owner.connect.tunnel_down
          network.connect.timed_out
          network.connect.unreachable
          network.connect.prohibited
          network.connect.no_neighbour
          edge.connect.no_route
          edge.connect.exhausted
          origin.origin_tls.plain_http
          origin.origin_tls.malformed
          origin.origin_tls.closed
          origin.origin_tls.reset
          origin.origin_tls.timed_out
          origin.origin_tls.alert
          origin.origin_tls.no_common_version
          origin.origin_tls.no_common_cipher
          origin.origin_tls.sni_refused
          origin.origin_tls.client_certificate_refused
          origin.origin_tls.certificate_expired
          origin.origin_tls.certificate_not_yet_valid
          origin.origin_tls.self_signed
          origin.origin_tls.unknown_issuer
          origin.origin_tls.missing_intermediate
          origin.origin_tls.name_mismatch
          origin.origin_tls.name_only_in_common_name
          origin.origin_tls.revoked
          origin.origin_tls.wrong_usage
          origin.origin_tls.certificate_invalid
          network.send.unacknowledged
          origin.send.timed_out
          origin.send.flow_control_stalled
          origin.send.reset
          origin.send.stale_connection
          origin.wait.timed_out
          origin.wait.reset
          origin.wait.closed_empty
          origin.wait.half_head
          origin.wait.tls_broken
          network.wait.lost
          origin.wait.http2_goaway
          origin.wait.http2_reset
          origin.wait.http2_refused_stream
          origin.wait.error_status
          origin.wait.blank
          origin.receive.truncated
          origin.receive.reset
          origin.receive.timed_out
          network.receive.lost
          origin.receive.tls_broken
          origin.receive.http2_reset
          origin.receive.http2_goaway
          edge.reply.shutdown
          edge.reply.error_status
    "#]]
    .assert_eq(&out);
}

#[test]
fn an_origins_own_status_is_mapped() {
    for (http, wanted) in [(500, 2), (502, 14), (503, 14), (504, 14), (507, 2)] {
        let fault = Fault::new(WaitCause::ErrorStatus).with(Fact::OriginStatus(http));
        let verdict = attribute(fault, Vec::new());
        assert_eq!(status(&verdict), wanted, "{http}");
    }
}

#[test]
fn every_field_is_fit_to_be_sent_and_tells_nothing_of_the_owners() {
    let number = OWNERS_NUMBER.to_string();
    for entry in &TABLE {
        let verdict = full_verdict(entry);
        fields(&notice(&verdict), |name, value| {
            let value = str::from_utf8(value).unwrap();
            assert!(name.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'-'), "{name}");
            assert!(value.bytes().all(|byte| matches!(byte, b' '..=b'~')), "{name}: {value}");
            for secret in [OWNERS_WORD, number.as_str(), OWNERS_ADDRESS] {
                assert!(!value.contains(secret), "{}: {secret} in {value}", entry.name);
            }
        });
    }
}
