//! The `Date` header, formatted once a second.

use std::cell::Cell;

use rayline_verdict::Moment;
use time::OffsetDateTime;
use time::macros::format_description;

/// The length of an IMF-fixdate (RFC 9110 §5.6.7).
const LENGTH: usize = 29;

/// The last value made, and the second it is for.
#[derive(Debug)]
pub(crate) struct DateHeader {
    made: Cell<(i64, [u8; LENGTH])>,
}

impl Default for DateHeader {
    fn default() -> Self {
        Self { made: Cell::new((0, *b"Thu, 01 Jan 1970 00:00:00 GMT")) }
    }
}

impl DateHeader {
    /// The value for this moment.
    pub(crate) fn at(&self, moment: Moment) -> [u8; LENGTH] {
        let second = moment.0.div_euclid(1_000_000_000);
        let (made_for, value) = self.made.get();
        if made_for == second {
            return value;
        }
        let value = format(second).unwrap_or(value);
        self.made.set((second, value));
        value
    }
}

/// `None` for a second that does not fit four digits of year.
fn format(second: i64) -> Option<[u8; LENGTH]> {
    let form =
        format_description!("[weekday repr:short], [day] [month repr:short] [year] [hour]:[minute]:[second] GMT");
    let text = OffsetDateTime::from_unix_timestamp(second).ok()?.format(form).ok()?;
    text.as_bytes().try_into().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn is_an_imf_fixdate() {
        let date = DateHeader::default();
        let value = date.at(Moment(784_111_777_000_000_000));
        assert_eq!(std::str::from_utf8(&value), Ok("Sun, 06 Nov 1994 08:49:37 GMT"));
        assert_eq!(date.at(Moment(784_111_777_999_999_999)), value);
    }
}
