//! `/cdn-cgi/trace`: what Cloudflare, and a Rayline edge, say of the connection that it comes over.

use url::Url;

use crate::fetch::{Answer, BodyEnd};

/// The page's path.
pub(super) const PATH: &str = "/cdn-cgi/trace";
/// The most lines and bytes that such a page has.
const MOST_LINES: usize = 64;
pub(super) const MOST_BYTES: usize = 4096;

/// The page's URL on the host of `url`.
pub(super) fn url(url: &Url) -> Url {
    let mut trace = url.clone();
    trace.set_path(PATH);
    trace.set_query(None);
    trace.set_fragment(None);
    trace
}

/// The page's lines; `None` for what is no such page.
pub(super) fn read(answer: &Answer) -> Option<Vec<(String, String)>> {
    let whole = matches!(answer.end, BodyEnd::Whole) && answer.body.len() as u64 == answer.body_bytes;
    let text = std::str::from_utf8(&answer.body).ok().filter(|_| answer.status == 200 && whole)?;
    let lines: Option<Vec<_>> = text.lines().take(MOST_LINES + 1).map(pair).collect();
    lines.filter(|lines| (1..=MOST_LINES).contains(&lines.len()))
}

fn pair(line: &str) -> Option<(String, String)> {
    let (key, value) = line.split_once('=')?;
    let is_key = !key.is_empty() && key.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
    (is_key && !value.contains(char::is_control)).then(|| (key.to_owned(), value.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(status: u16, body: &str) -> Answer {
        let body = body.as_bytes().to_vec();
        Answer { status, fields: Vec::new(), body_bytes: body.len() as u64, body, end: BodyEnd::Whole }
    }

    #[test]
    fn a_trace_is_lines_of_keys_and_values_and_nothing_else() {
        let lines = read(&answer(200, "fl=1f1\nh=shop.example\nip=192.0.2.1\nuag=\n")).unwrap();
        assert_eq!((lines.len(), lines[1].1.as_str()), (4, "shop.example"));
        for (status, body) in [(404, "a=b"), (200, ""), (200, "<p class=x>not found</p>"), (200, "a=b\n\nc=d")] {
            assert_eq!(read(&answer(status, body)), None, "{body}");
        }
        assert_eq!(read(&answer(200, &"a=b\n".repeat(65))), None);
        assert_eq!(url(&"https://a.example/b?c#d".parse().unwrap()).as_str(), "https://a.example/cdn-cgi/trace");
    }
}
