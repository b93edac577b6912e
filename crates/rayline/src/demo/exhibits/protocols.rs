//! Exhibits of HTTP/2, gRPC and WebSockets: what works, and origins that break them.

use rayline_testkit::http2::Code;
use rayline_testkit::{Issued, Script, Step, Tls};

use super::{Exhibit, Place};

/// A call of one message: a byte for "not compressed", four for its length, and the message.
macro_rules! call {
    ($more:literal) => {
        concat!(
            "printf '\\0\\0\\0\\0\\5hello' | curl -i --http2-prior-knowledge -H 'Content-Type: application/grpc' ",
            "-H 'TE: trailers' ",
            $more,
            "--data-binary @- URLecho.Echo/Say | cat -v"
        )
    };
}

/// A request for a WebSocket as curl can send it: it shows what comes, and has nothing to say.
const ASK: &str = "curl -i -N --http1.1 -H 'Connection: Upgrade' -H 'Upgrade: websocket' -H 'Sec-WebSocket-Version: 13' \
                   -H 'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==' URL";

pub(super) fn all(good: &Issued) -> Vec<Exhibit> {
    let mut all = http2(good);
    all.extend(grpc());
    all.extend(websockets());
    all
}

fn http2(good: &Issued) -> Vec<Exhibit> {
    let broken = |name, code, script: Script| {
        Exhibit::origin(name, Some(code), script.over_tls(Tls::new(good).speaking(&["h2"])))
    };
    vec![
        Exhibit::fine(
            "http2",
            None,
            "The visitor speaks HTTP/2, agreed on in the TLS handshake, and the origin HTTP/1.1",
            "curl -ik --http2 https://SECURE/",
        ),
        Exhibit::origin("http2-origin", None, Script::http2_ok().over_tls(Tls::new(good).speaking(&["h2"]))),
        broken("http2-not-spoken", "origin.wait.http2_not_spoken", Script::http2_speaks_http1()),
        broken("http2-goaway", "origin.wait.http2_goaway", Script::http2_goaway(Code::INTERNAL_ERROR)),
        broken("http2-unprocessed", "origin.wait.http2_goaway", Script::http2_goaway_unprocessed(Code::NO_ERROR)),
        broken("http2-reset", "origin.wait.http2_reset", Script::http2_reset(Code::INTERNAL_ERROR)),
        broken("http2-refused", "origin.wait.http2_refused_stream", Script::http2_reset(Code::REFUSED_STREAM)),
        broken("http2-capitals", "origin.wait.http2_protocol_error", Script::http2_uppercase_name()),
        broken("http2-pings", "origin.wait.http2_protocol_error", Script::http2_ping_flood()),
        broken("http2-silent", "origin.wait.timed_out", Script::http2_silent()),
        broken("http2-reset-in-body", "origin.receive.http2_reset", Script::http2_reset_in_body(Code::INTERNAL_ERROR)),
        broken(
            "http2-goaway-in-body",
            "origin.receive.http2_goaway",
            Script::http2_goaway_in_body(Code::INTERNAL_ERROR),
        ),
        broken("http2-bad-padding", "origin.receive.http2_protocol_error", Script::http2_bad_padding()),
        broken("http2-no-window", "origin.send.flow_control_stalled", Script::http2_no_window())
            .by("head -c 1M /dev/zero | curl -i --data-binary @- URL"),
    ]
}

fn grpc() -> Vec<Exhibit> {
    vec![
        Exhibit::origin("grpc", None, Script::grpc_unary()).by(call!("")),
        Exhibit::origin("grpc-own-status", None, Script::grpc_error())
            .called("The service answers with a status of its own, which passes as it is")
            .by(call!("")),
        Exhibit::origin("grpc-refused", Some("origin.connect.refused"), Script::refuse())
            .called("The service is down: the caller gets `grpc-status: 14`, and a message that names the code")
            .by(call!("")),
        Exhibit::origin("grpc-deadline", Some("origin.wait.deadline_exceeded"), Script::http2_stall_before_head())
            .called("The service does not answer within the second that the call allows")
            .by(call!("-H 'grpc-timeout: 1S' ")),
    ]
}

fn websockets() -> Vec<Exhibit> {
    let echo =
        |name, code, what: &str, command| Exhibit { place: Place::Echo, ..Exhibit::fine(name, code, what, command) };
    let answers = "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
                   Sec-WebSocket-Accept: bm90IHRoZSBhbnN3ZXIgdG8ga2V5\r\n\r\n";
    vec![
        echo(
            "websocket",
            None,
            "The origin is a WebSocket server that sends back what it gets: here a message, and the goodbye",
            "printf 'GET / HTTP/1.1\\r\\nHost: HOST\\r\\nConnection: Upgrade\\r\\nUpgrade: websocket\\r\\n\
             Sec-WebSocket-Version: 13\\r\\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\\r\\n\\r\\n\
             \\201\\205\\0\\0\\0\\0hello\\210\\200\\0\\0\\0\\0' | curl -s telnet://PLAIN | cat -v",
        ),
        echo(
            "websocket-idle",
            Some("policy.reply.idle"),
            "Nobody says anything through the WebSocket, for too long",
            ASK,
        ),
        Exhibit::origin(
            "websocket-wrong-key",
            Some("origin.wait.bad_upgrade"),
            Script::new(
                "bad-upgrade",
                "agrees to a WebSocket, but not to the one that was asked for",
                [Step::ReadHead, Step::send(answers), Step::Hold],
            ),
        )
        .by(ASK),
    ]
}
