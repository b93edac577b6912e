//! Points in time, as numbers that somebody else read from a clock, and how they are written.

use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

/// Nanoseconds since 1970-01-01 UTC.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Moment(pub i64);

impl Moment {
    /// RFC 3339 in UTC with whole seconds, as on pages and in structured errors.
    pub fn to_seconds(self) -> String {
        rfc3339_seconds(self.0.div_euclid(1_000_000_000))
    }

    /// RFC 3339 in UTC with nanoseconds, as in the request log.
    pub fn to_nanoseconds(self) -> String {
        format(OffsetDateTime::from_unix_timestamp_nanos(i128::from(self.0)))
    }
}

/// RFC 3339 in UTC of seconds since 1970-01-01.
pub fn rfc3339_seconds(seconds: i64) -> String {
    format(OffsetDateTime::from_unix_timestamp(seconds))
}

/// A certificate may carry a date beyond what can be written (year 9999): it is then shown as just that.
fn format(moment: Result<OffsetDateTime, time::error::ComponentRange>) -> String {
    moment.ok().and_then(|moment| moment.format(&Rfc3339).ok()).unwrap_or_else(|| "beyond the year 9999".to_owned())
}
