//! The fields of a line that dimensions are taken from. A line of ours has them in the order of the request log, and then it
//! is read once from the front, without looking at what is not needed; any other JSON object is read as such.

use std::borrow::Cow;

use memchr::{memchr, memchr2};
use serde::Deserialize;

/// What a line says.
#[derive(Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub(super) struct Line<'a> {
    #[serde(rename = "RayID", borrow)]
    pub(super) ray: Cow<'a, str>,
    #[serde(rename = "EdgeColoCode", borrow)]
    pub(super) colo: Cow<'a, str>,
    #[serde(rename = "ZoneName", borrow)]
    pub(super) zone: Cow<'a, str>,
    #[serde(rename = "PlanVersion")]
    pub(super) plan: u64,
    #[serde(rename = "ClientIP", borrow)]
    pub(super) client: Cow<'a, str>,
    #[serde(rename = "ClientCountry", borrow)]
    pub(super) country: Cow<'a, str>,
    #[serde(rename = "ClientRequestScheme", borrow)]
    pub(super) scheme: Cow<'a, str>,
    #[serde(rename = "ClientRequestMethod", borrow)]
    pub(super) method: Cow<'a, str>,
    #[serde(rename = "ClientRequestHost", borrow)]
    pub(super) host: Cow<'a, str>,
    #[serde(rename = "ClientRequestURI", borrow)]
    pub(super) uri: Cow<'a, str>,
    #[serde(rename = "ClientRequestProtocol", borrow)]
    pub(super) protocol: Cow<'a, str>,
    #[serde(rename = "ClientRequestUserAgent", borrow)]
    pub(super) user_agent: Cow<'a, str>,
    #[serde(rename = "EdgeResponseStatus")]
    pub(super) edge_status: u64,
    #[serde(rename = "CacheCacheStatus", borrow)]
    pub(super) cache: Cow<'a, str>,
    #[serde(rename = "OriginIP", borrow)]
    pub(super) origin_ip: Cow<'a, str>,
    #[serde(rename = "OriginPort")]
    pub(super) origin_port: u64,
    #[serde(rename = "OriginResponseStatus")]
    pub(super) origin_status: u64,
    #[serde(rename = "OriginProtocol", borrow)]
    pub(super) origin_protocol: Cow<'a, str>,
    #[serde(rename = "SecurityRuleID", borrow)]
    pub(super) rule: Cow<'a, str>,
    #[serde(rename = "WorkerStatus", borrow)]
    pub(super) worker: Cow<'a, str>,
    #[serde(rename = "VerdictCode", borrow)]
    pub(super) code: Cow<'a, str>,
}

impl<'a> Line<'a> {
    /// Reads a line; `None` if it is no JSON object, or has a value of another type.
    pub(super) fn parse(line: &'a [u8]) -> Option<Self> {
        Self::in_order(line).or_else(|| serde_json::from_slice(line).ok())
    }

    /// Reads a line whose fields stand in the order of the log; `None` if it is another one, or a text in it is escaped.
    fn in_order(line: &'a [u8]) -> Option<Self> {
        // All of it is looked at once; its parts are text then.
        let mut fields = Fields(std::str::from_utf8(line).ok()?.strip_prefix('{')?);
        let mut read = Self {
            ray: fields.text("RayID")?,
            colo: fields.text("EdgeColoCode")?,
            zone: fields.text("ZoneName")?,
            plan: fields.number("PlanVersion")?,
            client: fields.text("ClientIP")?,
            country: fields.text_if_next("ClientCountry")?,
            scheme: fields.text("ClientRequestScheme")?,
            method: fields.text("ClientRequestMethod")?,
            host: fields.text("ClientRequestHost")?,
            uri: fields.text("ClientRequestURI")?,
            protocol: fields.text("ClientRequestProtocol")?,
            user_agent: fields.text("ClientRequestUserAgent")?,
            edge_status: fields.number("EdgeResponseStatus")?,
            cache: fields.text("CacheCacheStatus")?,
            origin_ip: fields.text("OriginIP")?,
            origin_port: fields.number("OriginPort")?,
            origin_status: fields.number("OriginResponseStatus")?,
            ..Self::default()
        };
        fields.skip("OriginConnectionReused")?;
        read.origin_protocol = fields.text_if_next("OriginProtocol")?;
        read.rule = fields.text("SecurityRuleID")?;
        read.worker = fields.text("WorkerStatus")?;
        match fields.0.strip_suffix('}')? {
            "" => Some(read),
            // Of a verdict only the code is needed, and it comes first.
            _ => {
                read.code = fields.text_if_next("VerdictCode").filter(|code| !code.is_empty())?;
                Some(read)
            }
        }
    }
}

/// What is left of an object: its next field, or the comma before it.
struct Fields<'a>(&'a str);

impl<'a> Fields<'a> {
    /// The text of the field of that name. Fields before it are passed over.
    fn text(&mut self, name: &str) -> Option<Cow<'a, str>> {
        self.seek(name)?;
        self.string().map(Cow::Borrowed)
    }

    /// The same, if it is the very next field; else it is empty.
    fn text_if_next(&mut self, name: &str) -> Option<Cow<'a, str>> {
        match self.behind(name) {
            Some(value) => {
                self.0 = value;
                self.string().map(Cow::Borrowed)
            }
            None => Some(Cow::Borrowed("")),
        }
    }

    fn number(&mut self, name: &str) -> Option<u64> {
        self.seek(name)?;
        let digits = self.0.bytes().position(|byte| !byte.is_ascii_digit())?;
        let (digits, rest) = self.0.split_at_checked(digits)?;
        self.0 = rest;
        let is_whole = rest.starts_with([',', '}']) && (digits.len() == 1 || !digits.starts_with('0'));
        is_whole.then(|| digits.parse().ok()).flatten()
    }

    /// Passes over everything up to the field of that name, and over its value.
    fn skip(&mut self, name: &str) -> Option<()> {
        self.seek(name)?;
        self.value()
    }

    fn seek(&mut self, name: &str) -> Option<()> {
        loop {
            // Most fields are wanted: those are not searched for their ends.
            if let Some(value) = self.behind(name) {
                self.0 = value;
                return Some(());
            }
            self.name()?;
            self.value()?;
        }
    }

    /// What comes behind the next field's name, if it has this one.
    fn behind(&self, name: &str) -> Option<&'a str> {
        let quoted = self.0.strip_prefix(',').unwrap_or(self.0).strip_prefix('"')?;
        quoted.strip_prefix(name)?.strip_prefix("\":")
    }

    /// Passes over the name of the next field; its value comes next then.
    fn name(&mut self) -> Option<()> {
        let quoted = self.0.strip_prefix(',').unwrap_or(self.0).strip_prefix('"')?;
        self.0 = quoted.get(memchr(b'"', quoted.as_bytes())?..)?.strip_prefix("\":")?;
        Some(())
    }

    /// Passes over a value that is neither an array nor an object.
    fn value(&mut self) -> Option<()> {
        match self.0.as_bytes().first()? {
            b'"' => self.string().map(drop),
            b'[' | b'{' => None,
            _ => {
                self.0 = self.0.get(memchr2(b',', b'}', self.0.as_bytes())?..)?;
                Some(())
            }
        }
    }

    fn string(&mut self) -> Option<&'a str> {
        let quoted = self.0.strip_prefix('"')?;
        let (text, rest) = quoted.split_at_checked(memchr2(b'"', b'\\', quoted.as_bytes())?)?;
        self.0 = rest.strip_prefix('"')?;
        Some(text)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use rayline_verdict::log_line;

    use super::*;
    use crate::samples::{fine, refused};

    #[test]
    fn lines_of_the_log_are_read_from_the_front_and_say_the_same() {
        let bare = rayline_verdict::Record { origin: None, ..fine(5, 2) };
        let country = rayline_verdict::Country::new(*b"DE");
        let registered = rayline_verdict::Record { country, grpc_status: Some(4), ..refused(9, 4) };
        for record in [fine(0, 1), refused(1, 2), bare, registered] {
            let mut line = Vec::new();
            log_line::write(&record, &mut line);
            let line = line.trim_ascii_end();
            let read = Line::in_order(line).unwrap();
            assert_eq!(read, serde_json::from_slice(line).unwrap());
            assert_eq!(read.zone, "shop.example");
        }
    }

    #[test]
    fn what_is_escaped_or_in_another_order_is_read_too() {
        let escaped = rayline_verdict::Record { user_agent: "a\"\\\n".into(), ..fine(0, 1) };
        let mut line = Vec::new();
        log_line::write(&escaped, &mut line);
        assert!(Line::in_order(line.trim_ascii_end()).is_none());
        assert_eq!(Line::parse(&line).unwrap().user_agent, "a\"\\\n");
        let other = Line::parse(br#"{"ZoneName":"z","RayID":"x","More":[{"RayID":1}]}"#).unwrap();
        assert_eq!((&*other.zone, &*other.ray), ("z", "x"));
        assert!(Line::parse(b"{\"RayID\":").is_none() && Line::parse(b"").is_none());
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_without_panic(cut in 0..2000_usize, at in 0..2000_usize, byte: u8) {
            let mut line = Vec::new();
            log_line::write(&refused(1, 2), &mut line);
            line.truncate(cut);
            if let Some(place) = line.get_mut(at) {
                *place = byte;
            }
            Line::parse(&line);
        }
    }
}
