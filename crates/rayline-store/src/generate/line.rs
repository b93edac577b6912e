//! The line that the request log would have had: its fields in its order. It is written here because a record cannot be
//! made without an edge.

use std::io::Write;

use rayline_verdict::Moment;

use super::Request;
use super::world::World;
use crate::dimension::{Dimension, Number};

/// Appends one line, without a line break.
pub(super) fn write(out: &mut Vec<u8>, world: &World, request: &Request) {
    let text = |dimension| world.text(dimension, request);
    let number = |number: Number| request.numbers.get(number.index()).copied().unwrap_or_default();
    let millis = |time| number(time) / 1000;
    let end = request.at.saturating_add_unsigned(number(Number::Duration) * 1000);
    let origin = text(Dimension::Origin).split(':').next().unwrap_or_default();
    // Writing to memory cannot fail.
    let _ = write!(
        out,
        r#"{{"RayID":"{}","EdgeStartTimestamp":"{}","EdgeEndTimestamp":"{}","EdgeColoCode":"{}","ZoneName":"{}","PlanVersion":{},"ClientIP":"{}","ClientCountry":"{}","ClientSrcPort":{},"ClientRequestScheme":"{}","ClientRequestMethod":"{}","ClientRequestHost":"{}","ClientRequestURI":"{}","ClientRequestProtocol":"{}","ClientRequestUserAgent":"{}","ClientRequestBodyBytes":{},"ClientSSLProtocol":"TLSv1.3","#,
        request.ray,
        Moment(request.at).to_nanoseconds(),
        Moment(end).to_nanoseconds(),
        text(Dimension::Colo),
        text(Dimension::Zone),
        text(Dimension::Plan),
        text(Dimension::Client),
        text(Dimension::Country),
        1024 + request.ray.0 % 60_000,
        text(Dimension::Scheme),
        text(Dimension::Method),
        text(Dimension::Host),
        text(Dimension::Path),
        text(Dimension::Protocol),
        text(Dimension::UserAgent),
        number(Number::RequestBytes),
    );
    let _ = write!(
        out,
        r#""EdgeResponseStatus":{},"EdgeResponseBytes":{},"EdgeResponseBodyBytes":{},"EdgeTimeToFirstByteMs":{},"CacheCacheStatus":"{}","OriginIP":"{origin}","OriginPort":443,"OriginResponseStatus":{},"OriginConnectionReused":{},"OriginProtocol":"{}","OriginSSLProtocol":"TLSv1.3","OriginDNSResponseTimeMs":{},"OriginTCPHandshakeDurationMs":{},"OriginTLSHandshakeDurationMs":{},"OriginRequestHeaderSendDurationMs":{},"OriginResponseHeaderReceiveDurationMs":{},"OriginResponseDurationMs":{},"SecurityAction":"","SecurityRuleID":"","WorkerStatus":"""#,
        text(Dimension::EdgeStatus),
        number(Number::ResponseBytes),
        number(Number::ResponseBytes).saturating_sub(310),
        millis(Number::FirstByte),
        text(Dimension::Cache),
        text(Dimension::OriginStatus),
        number(Number::Tcp) == 0,
        text(Dimension::OriginProtocol),
        millis(Number::Dns),
        millis(Number::Tcp),
        millis(Number::Tls),
        millis(Number::Send),
        millis(Number::Wait),
        millis(Number::OriginTotal),
    );
    if let Some(failure) = request.failure {
        let _ = write!(
            out,
            r#","VerdictCode":"{}","VerdictStatus":{},"VerdictCertainty":"proven","VerdictRivals":[],"VerdictReached":"no","VerdictEvidence":{},"VerdictAttempts":[{{"address":"{origin}:443","reused":false,"status":null,"code":"{}","took_ms":{}}}]"#,
            failure.code,
            failure.edge_status,
            failure.evidence,
            failure.code,
            millis(Number::Wait),
        );
    }
    out.push(b'}');
}
