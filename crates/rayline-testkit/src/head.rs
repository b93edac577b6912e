//! A message head taken apart without judging it.
//!
//! It refuses nothing: malformed heads are what tests look at. The codec of the edge is the place for judgement.

/// The start line and the field lines of a request or response head.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Head {
    /// The first line, without its line end.
    pub start: String,
    /// Name and value of each further line, in order and trimmed. A line without a colon has an empty name.
    pub fields: Vec<(String, String)>,
}

impl Head {
    /// Splits `bytes` at line feeds, up to the first empty line. Bytes that are not UTF-8 become U+FFFD.
    pub fn split(bytes: &[u8]) -> Self {
        let text = String::from_utf8_lossy(bytes);
        let mut lines = text.split('\n').map(|line| line.trim_end_matches('\r'));
        let start = lines.next().unwrap_or_default().to_owned();
        let fields = lines
            .take_while(|line| !line.is_empty())
            .map(|line| {
                let (name, value) = line.split_once(':').unwrap_or(("", line));
                (name.to_owned(), value.trim().to_owned())
            })
            .collect();
        Self { start, fields }
    }

    /// The value of the first field of that name, in any case.
    pub fn field(&self, name: &str) -> Option<&str> {
        self.values(name).next()
    }

    /// The values of all fields of that name, in any case and in order.
    pub fn values(&self, name: &str) -> impl Iterator<Item = &str> {
        self.fields.iter().filter(move |(field, _)| field.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
    }

    /// The n-th word of the start line, counted from 0: method and target of a request, version and status of a response.
    pub fn word(&self, n: usize) -> Option<&str> {
        self.start.split(' ').nth(n)
    }

    /// Whether a field of that name has `token` in its comma-separated list, in any case.
    pub fn has_token(&self, name: &str, token: &str) -> bool {
        self.values(name).flat_map(|value| value.split(',')).any(|item| item.trim().eq_ignore_ascii_case(token))
    }
}

/// Where the head at the start of `bytes` ends: the offset behind its empty line.
pub(crate) fn end_of_head(bytes: &[u8]) -> Option<usize> {
    let mut line_is_empty = false;
    for (at, byte) in bytes.iter().enumerate() {
        match byte {
            b'\n' if line_is_empty => return Some(at + 1),
            b'\n' => line_is_empty = true,
            b'\r' => {}
            _ => line_is_empty = false,
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn splits_what_is_malformed_too() {
        let head = Head::split(b"HTTP/1.1 200 OK\r\nA: 1\r\nno colon\na : 2 \r\n\r\nB: body");
        assert_eq!(head.start, "HTTP/1.1 200 OK");
        assert_eq!(head.word(1), Some("200"));
        assert_eq!(head.values("a").collect::<Vec<_>>(), ["1"]);
        assert_eq!(head.field("a "), Some("2"));
        assert_eq!(head.fields.len(), 3);
        assert_eq!(Head::split(b""), Head::default());
    }

    #[test]
    fn finds_the_end_of_a_head() {
        assert_eq!(end_of_head(b"GET / HTTP/1.1\r\n\r\nbody"), Some(18));
        assert_eq!(end_of_head(b"GET / HTTP/1.1\n\nbody"), Some(16));
        assert_eq!(end_of_head(b"GET / HTTP/1.1\r\nA: 1\r\n"), None);
    }
}
