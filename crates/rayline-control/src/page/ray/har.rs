//! One request as an HTTP archive (HAR 1.2), for tools that read those. What the log does not hold, bodies and header
//! fields, is not in it.

use serde_json::{Value, json};

use crate::page::line::Line;

/// The archive.
pub(crate) fn of(line: &Line) -> Value {
    let ms = |name: &str| line.number(name);
    // -1 stands for what did not happen, as on a kept connection
    let handshake = |name: &str| if line.flag("OriginConnectionReused") { json!(-1) } else { json!(ms(name)) };
    let took = line.took_us() / 1e3;
    let (tcp, tls) = (ms("OriginTCPHandshakeDurationMs"), ms("OriginTLSHandshakeDurationMs"));
    let first = ms("EdgeTimeToFirstByteMs") as f64;
    json!({ "log": {
        "version": "1.2",
        "creator": { "name": "rayline", "version": env!("CARGO_PKG_VERSION") },
        "entries": [{
            "startedDateTime": line.text("EdgeStartTimestamp"),
            "time": took,
            "request": {
                "method": line.text("ClientRequestMethod"),
                "url": line.url(),
                "httpVersion": line.text("ClientRequestProtocol"),
                "cookies": [],
                "headers": [
                    { "name": "Host", "value": line.text("ClientRequestHost") },
                    { "name": "User-Agent", "value": line.text("ClientRequestUserAgent") },
                ],
                "queryString": [],
                "headersSize": -1,
                "bodySize": line.number("ClientRequestBodyBytes"),
            },
            "response": {
                "status": line.number("EdgeResponseStatus"),
                "statusText": "",
                "httpVersion": line.text("ClientRequestProtocol"),
                "cookies": [],
                "headers": [],
                "content": { "size": line.number("EdgeResponseBodyBytes"), "mimeType": "" },
                "redirectURL": "",
                "headersSize": -1,
                "bodySize": line.number("EdgeResponseBodyBytes"),
            },
            "cache": {},
            "timings": {
                "dns": handshake("OriginDNSResponseTimeMs"),
                // HAR counts TLS as part of connecting
                "connect": if line.flag("OriginConnectionReused") { json!(-1) } else { json!(tcp + tls) },
                "ssl": handshake("OriginTLSHandshakeDurationMs"),
                "send": ms("OriginRequestHeaderSendDurationMs"),
                "wait": ms("OriginResponseHeaderReceiveDurationMs"),
                "receive": (took - first).max(0.0),
            },
            "serverIPAddress": line.text("OriginIP"),
            "_rayline": line.0,
        }],
    } })
}
