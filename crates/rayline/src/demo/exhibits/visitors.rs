//! Exhibits in which the origin works: what is wrong is what the visitor does, or the proxy in front of the edge.
//!
//! curl's own requests are too good for many of them. Bytes for a `telnet:` address it sends as they are.

use std::time::Duration;

use rayline_testkit::Script;

use super::Exhibit;

/// The address from which the demo's edge expects the PROXY protocol, and from no other.
pub(in crate::demo) const PROXY: &str = "127.0.0.2";

/// A command that sends these bytes over plain HTTP and shows what comes until the edge closes. More options of curl may
/// follow. What has to wait says for how many seconds.
macro_rules! send {
    ($bytes:literal $(, $options:literal)?) => {
        concat!("printf '", $bytes, "' | curl -s ", $($options, " ",)? "telnet://PLAIN")
    };
    ($bytes:literal wait $seconds:literal $(, $options:literal)?) => {
        concat!("(printf '", $bytes, "'; sleep ", $seconds, ") | curl -s ", $($options, " ",)? "telnet://PLAIN")
    };
}

pub(super) fn all() -> Vec<Exhibit> {
    let mut all = requests();
    all.extend(bodies());
    all.extend(routes());
    all.extend(http2());
    all.extend(handshakes());
    all.extend(proxies());
    all.extend(leaving());
    all
}

fn requests() -> Vec<Exhibit> {
    vec![
        Exhibit::fine(
            "bad-request",
            "visitor.request.ambiguous_framing",
            "The visitor announces a length and chunks at once, as request smugglers do",
            "curl -i -d x -H 'Transfer-Encoding: chunked' -H 'Content-Length: 1' URL",
        ),
        Exhibit::fine(
            "two-spaces",
            "visitor.request.malformed",
            "The visitor's request line has a space too many",
            send!("GET  / HTTP/1.1\\r\\nHost: HOST\\r\\n\\r\\n"),
        ),
        Exhibit::fine(
            "two-hosts",
            "visitor.request.bad_host",
            "The visitor names two hosts",
            send!("GET / HTTP/1.1\\r\\nHost: HOST\\r\\nHost: HOST\\r\\n\\r\\n"),
        ),
        Exhibit::fine(
            "http3-by-tcp",
            "visitor.request.unsupported_version",
            "The visitor speaks a version of HTTP that TCP does not carry",
            send!("GET / HTTP/3.0\\r\\nHost: HOST\\r\\n\\r\\n"),
        ),
        Exhibit::fine(
            "half-request",
            "visitor.request.head_truncated",
            "The visitor leaves in the middle of its request's header",
            send!("GET / HTTP/1.1\\r\\nHo", "-m 0.5"),
        ),
        Exhibit::fine(
            "slow-request",
            "visitor.request.head_timed_out",
            "The visitor does not finish its request's header",
            send!("GET / HTTP/1.1\\r\\nHo" wait "3"),
        ),
        Exhibit::fine(
            "long-address",
            "visitor.request.uri_too_long",
            "The visitor asks for an address that is too long",
            "curl -i \"URL$(printf '%40000s' | tr ' ' a)\"",
        ),
        Exhibit::fine(
            "big-cookie",
            "visitor.request.header_too_large",
            "The visitor sends headers that are too large",
            "for i in 1 2 3; do printf 'Cookie%s: %060000d\\n' $i 0; done | curl -i -H @- URL",
        ),
        Exhibit::fine(
            "trace",
            "visitor.request.method_not_allowed",
            "The visitor uses a method that an edge does not serve",
            "curl -i -X TRACE URL",
        ),
        Exhibit::fine(
            "expectation",
            "visitor.request.expectation_failed",
            "The visitor expects something that cannot be promised",
            "curl -i -H 'Expect: 200-maybe' URL",
        ),
    ]
}

fn bodies() -> Vec<Exhibit> {
    vec![
        Exhibit::fine(
            "gzip-coding",
            "visitor.request.unsupported_transfer_coding",
            "The visitor's request has a transfer coding that nobody decodes",
            send!("POST / HTTP/1.1\\r\\nHost: HOST\\r\\nTransfer-Encoding: gzip, chunked\\r\\n\\r\\n0\\r\\n\\r\\n"),
        ),
        Exhibit::fine(
            "large-upload",
            "visitor.request.body_too_large",
            "The visitor's upload is larger than the zone takes",
            "curl -i -d x -H 'Content-Length: 200000000' URL",
        ),
        Exhibit::fine(
            "bad-upload",
            "visitor.request.body_malformed",
            "The visitor sends a chunk with a length that is none",
            send!("POST / HTTP/1.1\\r\\nHost: HOST\\r\\nTransfer-Encoding: chunked\\r\\n\\r\\nlong\\r\\n"),
        ),
        Exhibit::fine(
            "half-upload",
            "visitor.request.body_truncated",
            "The visitor leaves in the middle of its upload",
            send!("POST / HTTP/1.1\\r\\nHost: HOST\\r\\nContent-Length: 10\\r\\n\\r\\nhello", "-m 0.5"),
        ),
        Exhibit::fine(
            "slow-upload",
            "visitor.request.body_timed_out",
            "The visitor pauses in its upload, for too long",
            send!("POST / HTTP/1.1\\r\\nHost: HOST\\r\\nContent-Length: 10\\r\\n\\r\\nhello" wait "3"),
        ),
    ]
}

fn routes() -> Vec<Exhibit> {
    vec![
        Exhibit::fine(
            "loop",
            "owner.route.loop",
            "The request has been through this edge already",
            "curl -i -H 'CDN-Loop: rayline' URL",
        ),
        Exhibit::fine(
            "forged",
            "visitor.route.forged_header",
            "The visitor sends a header that only an edge may set",
            "curl -i -H 'CF-Connecting-IP: 192.0.2.1' URL",
        ),
        Exhibit::fine(
            "unknown-host",
            "owner.route.unknown_host",
            "The visitor asks for a host of no zone",
            "curl -i -H 'Host: shop.example' URL",
        ),
        Exhibit::fine(
            "no-record",
            "owner.route.no_record",
            "The visitor asks for a host that the zone has no record of",
            "curl -i -H 'Host: www.HOST' URL",
        ),
        Exhibit::fine(
            "direct-ip",
            "visitor.route.direct_ip",
            "The visitor asks for the edge's address, and for no site on it",
            "curl -i -H 'Host: 127.0.0.1' URL",
        ),
        Exhibit::fine(
            "other-host",
            "visitor.route.sni_mismatch",
            "The visitor asks for another host than the one it named in the TLS handshake",
            "curl -ik -H 'Host: ok.demo.localhost' https://SECURE/",
        ),
    ]
}

fn http2() -> Vec<Exhibit> {
    vec![
        Exhibit::fine(
            "http2-short-body",
            "visitor.request.http2_malformed",
            "The visitor's HTTP/2 request is shorter than it says: the stream is reset, the connection stays",
            "curl -i --http2-prior-knowledge -H 'Content-Length: 10' -d hello URL",
        ),
        Exhibit::fine(
            "http2-no-settings",
            "visitor.request.http2_protocol_error",
            "The visitor begins HTTP/2 with a PING where SETTINGS have to be: the connection ends",
            concat!(send!("PRI * HTTP/2.0\\r\\n\\r\\nSM\\r\\n\\r\\n\\0\\0\\10\\6\\0\\0\\0\\0\\0pingping"), " | cat -v"),
        ),
        Exhibit::fine(
            "http2-flood",
            "visitor.request.http2_flood",
            "The visitor sends thousands of PINGs that each want an answer: the connection ends",
            "{ printf 'PRI * HTTP/2.0\\r\\n\\r\\nSM\\r\\n\\r\\n\\0\\0\\0\\4\\0\\0\\0\\0\\0'; \
             printf '\\0\\0\\10\\6\\0\\0\\0\\0\\0%08d' $(seq 12000); } | curl -s telnet://PLAIN | tail -c 60 | cat -v",
        ),
    ]
}

fn handshakes() -> Vec<Exhibit> {
    vec![
        Exhibit::fine(
            "http-to-https",
            "visitor.client_tls.plain_http",
            "The visitor speaks plain HTTP to the port of HTTPS",
            "curl -i http://SECURE/",
        ),
        Exhibit::fine(
            "ssh-to-https",
            "visitor.client_tls.malformed",
            "The visitor speaks something else than TLS",
            "printf 'SSH-2.0-OpenSSH_9.9\\r\\n' | curl -s telnet://SECURE",
        ),
        Exhibit::fine(
            "tls-unfinished",
            "visitor.client_tls.closed",
            "The visitor leaves in the middle of the TLS handshake",
            "printf '\\26\\3\\1\\1' | curl -s -m 0.5 telnet://SECURE",
        ),
        Exhibit::fine(
            "tls-slow",
            "visitor.client_tls.timed_out",
            "The visitor does not go on with the TLS handshake",
            "(printf '\\26\\3\\1\\1'; sleep 3) | curl -s telnet://SECURE",
        ),
        Exhibit::fine(
            "tls-distrusted",
            "visitor.client_tls.alert",
            "The visitor does not trust the certificate of the demo's local CA",
            "curl -i https://SECURE/",
        ),
        Exhibit::fine(
            "tls-1-1",
            "visitor.client_tls.no_common_version",
            "The visitor speaks TLS 1.1 at most",
            "curl -ik --tlsv1.1 --tls-max 1.1 --ciphers DEFAULT@SECLEVEL=0 https://SECURE/",
        ),
        Exhibit::fine(
            "tls-cbc",
            "visitor.client_tls.no_common_cipher",
            "The visitor has no cipher but one without forward secrecy",
            "curl -ik --tls-max 1.2 --ciphers AES128-SHA https://SECURE/",
        ),
    ]
}

fn proxies() -> Vec<Exhibit> {
    vec![
        Exhibit::fine(
            "proxied",
            None,
            "A load balancer names its visitor in a PROXY header: see `CF-Connecting-IP` and `CF-IPCountry`",
            send!(
                "PROXY TCP4 8.8.8.8 192.0.2.1 51234 80\\r\\nGET / HTTP/1.1\\r\\nHost: HOST\\r\\nConnection: close\\r\\n\\r\\n",
                "--interface 127.0.0.2"
            ),
        ),
        Exhibit::fine(
            "proxy-header-missing",
            "owner.accept.proxy_header_missing",
            "A load balancer that has to name its visitor does not",
            "curl -i --interface 127.0.0.2 URL",
        ),
        Exhibit::fine(
            "proxy-header-malformed",
            "owner.accept.proxy_header_malformed",
            "A load balancer names its visitor by an address that is none",
            send!("PROXY TCP4 nobody 192.0.2.1 51234 80\\r\\n", "--interface 127.0.0.2"),
        ),
        Exhibit::fine(
            "proxy-header-unfinished",
            "owner.accept.proxy_header_timed_out",
            "A load balancer does not finish its PROXY header",
            send!("PROXY TCP4 8.8.8.8 " wait "3", "--interface 127.0.0.2"),
        ),
    ]
}

fn leaving() -> Vec<Exhibit> {
    vec![
        Exhibit::origin("gone", Some("visitor.reply.gone"), Script::slow_ok(Duration::from_secs(2)))
            .called("The visitor leaves before the answer is there")
            .by("curl -i -m 1 URL"),
        Exhibit::origin("stalled", Some("visitor.reply.stalled"), Script::ok_length(64 << 20))
            .called("The visitor takes no more of the answer")
            .by("curl -s URL | sleep 4"),
    ]
}
