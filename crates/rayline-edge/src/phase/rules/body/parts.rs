//! A form in parts (RFC 7578), taken apart for rules, leniently: what one application or another could take for a name or a
//! value is shown, since what rules do not see they cannot refuse.

use std::ops::ControlFlow;

use memchr::memmem;

/// A part: what its `Content-Disposition` says, and its content.
#[derive(Clone, Copy, Debug)]
pub(super) struct Part<'a> {
    disposition: &'a [u8],
    pub(super) content: &'a [u8],
}

impl<'a> Part<'a> {
    /// Shows each of its names.
    pub(super) fn names(&self, each: &mut dyn FnMut(&'a [u8]) -> ControlFlow<()>) -> ControlFlow<()> {
        parameters(self.disposition, &[b"name"], each)
    }

    /// Shows each of its file names, also one in the extended form (RFC 8187), as it is written.
    pub(super) fn file_names(&self, each: &mut dyn FnMut(&'a [u8]) -> ControlFlow<()>) -> ControlFlow<()> {
        parameters(self.disposition, &[b"filename", b"filename*"], each)
    }
}

/// Shows each part of a body of this `Content-Type`, as far as there is any of it.
pub(super) fn each_part<'a>(
    body: &'a [u8],
    content_type: &[u8],
    each: &mut dyn FnMut(Part<'a>) -> ControlFlow<()>,
) -> ControlFlow<()> {
    let mut boundary = None;
    let _ = parameters(content_type, &[b"boundary"], &mut |value| {
        boundary = Some(value);
        ControlFlow::Break(())
    });
    let Some(boundary) = boundary.filter(|boundary| !boundary.is_empty()) else { return ControlFlow::Continue(()) };
    let delimiter = [b"--", boundary].concat();
    let mut begin = None;
    for place in memmem::find_iter(body, &delimiter) {
        let (before, behind) = body.split_at_checked(place).unwrap_or((body, b""));
        let behind = behind.get(delimiter.len()..).unwrap_or_default();
        if !is_line(before, behind) {
            continue;
        }
        if let Some(begin) = begin.replace(place + delimiter.len()) {
            show(before.get(begin..).unwrap_or_default(), each)?;
        }
    }
    match begin {
        Some(begin) => show(body.get(begin..).unwrap_or_default(), each),
        None => ControlFlow::Continue(()),
    }
}

/// Whether a delimiter between these is a line of its own: elsewhere it is content.
fn is_line(before: &[u8], behind: &[u8]) -> bool {
    let behind = behind.strip_prefix(b"--").unwrap_or(behind);
    let rest = behind.iter().find(|byte| !matches!(byte, b' ' | b'\t'));
    matches!(before.last(), None | Some(b'\n')) && matches!(rest, None | Some(b'\r' | b'\n'))
}

/// Shows what stands between two delimiters, if it has a head that says what it is.
fn show<'a>(part: &'a [u8], each: &mut dyn FnMut(Part<'a>) -> ControlFlow<()>) -> ControlFlow<()> {
    let ends = [&b"\r\n\r\n"[..], b"\n\n"];
    let end = ends.iter().filter_map(|end| Some((memmem::find(part, end)?, end.len()))).min();
    let Some((head_end, length)) = end else { return ControlFlow::Continue(()) };
    let (head, rest) = part.split_at_checked(head_end).unwrap_or((part, b""));
    let Some(disposition) = disposition(head) else { return ControlFlow::Continue(()) };
    let content = rest.get(length..).unwrap_or_default();
    let content = content.strip_suffix(b"\n").map_or(content, |rest| rest.strip_suffix(b"\r").unwrap_or(rest));
    each(Part { disposition, content })
}

/// The value of `Content-Disposition`, with the lines on which it goes on.
fn disposition(head: &[u8]) -> Option<&[u8]> {
    const NAME: &[u8] = b"content-disposition:";
    let mut begin = 0;
    loop {
        let line = head.get(begin..)?;
        if line.get(..NAME.len()).is_some_and(|name| name.eq_ignore_ascii_case(NAME)) {
            let value = line.get(NAME.len()..)?;
            let is_end = |at: &usize| !matches!(value.get(at + 1), Some(b' ' | b'\t'));
            let end = memchr::memchr_iter(b'\n', value).find(is_end).unwrap_or(value.len());
            return value.get(..end);
        }
        begin += memchr::memchr(b'\n', line)? + 1;
    }
}

/// Shows the value of each parameter that has one of these names, without its quotes: `; name="a"` (RFC 9110 §5.6.6). What
/// is escaped within the quotes stays so.
fn parameters<'a>(
    value: &'a [u8],
    names: &[&[u8]],
    each: &mut dyn FnMut(&'a [u8]) -> ControlFlow<()>,
) -> ControlFlow<()> {
    let mut rest = value;
    // what stands before the first semicolon is no parameter
    while let Some(semicolon) = memchr::memchr(b';', rest) {
        let parameter = rest.get(semicolon + 1..).unwrap_or_default().trim_ascii_start();
        let Some(stop) = memchr::memchr2(b'=', b';', parameter) else { break };
        rest = parameter.get(stop..).unwrap_or_default();
        let Some(written) = rest.strip_prefix(b"=") else { continue };
        let written = written.trim_ascii_start();
        let end;
        let text = match written.strip_prefix(b"\"") {
            Some(quoted) => {
                let close = closing_quote(quoted);
                end = close + 1;
                quoted.get(..close).unwrap_or_default()
            }
            None => {
                end = memchr::memchr(b';', written).unwrap_or(written.len());
                written.get(..end).unwrap_or_default().trim_ascii_end()
            }
        };
        rest = written.get(end..).unwrap_or_default();
        let name = parameter.get(..stop).unwrap_or_default().trim_ascii_end();
        if names.iter().any(|wanted| wanted.eq_ignore_ascii_case(name)) {
            each(text)?;
        }
    }
    ControlFlow::Continue(())
}

/// Where a quoted text ends; at the end of all, where nothing closes it.
fn closing_quote(quoted: &[u8]) -> usize {
    let mut escaped = false;
    let is_close = |byte: &u8| {
        let closes = *byte == b'"' && !escaped;
        escaped = *byte == b'\\' && !escaped;
        closes
    };
    quoted.iter().position(is_close).unwrap_or(quoted.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Names, file names and contents, as texts.
    fn taken_apart(content_type: &str, body: &str) -> Vec<(Vec<String>, Vec<String>, String)> {
        let mut parts = Vec::new();
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        let _ = each_part(body.as_bytes(), content_type.as_bytes(), &mut |part| {
            let (mut names, mut files) = (Vec::new(), Vec::new());
            let _ = part.names(&mut |name| {
                names.push(text(name));
                ControlFlow::Continue(())
            });
            let _ = part.file_names(&mut |name| {
                files.push(text(name));
                ControlFlow::Continue(())
            });
            parts.push((names, files, text(part.content)));
            ControlFlow::Continue(())
        });
        parts
    }

    fn one(head: &str, content: &str) -> (Vec<String>, Vec<String>, String) {
        let body = format!("--b\r\n{head}\r\n\r\n{content}\r\n--b--\r\n");
        let parts = taken_apart("multipart/form-data; boundary=b", &body);
        assert_eq!(parts.len(), 1, "{body}");
        parts.into_iter().next().unwrap()
    }

    #[test]
    fn parts_have_names_and_contents() {
        let body = "preamble\r\n--b c\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\none\r\n--b c\r\n\
                    content-type: text/plain\r\ncontent-disposition:form-data;name=f;filename=x.txt\r\n\r\ntwo\r\n\r\n--b c--\r\nend";
        let parts = taken_apart("Multipart/Form-Data; charset=x; Boundary=\"b c\"", body);
        let texts = |list: &[&str]| list.iter().map(|text| (*text).to_owned()).collect::<Vec<_>>();
        assert_eq!(
            parts,
            [(texts(&["a"]), vec![], "one".to_owned()), (texts(&["f"]), texts(&["x.txt"]), "two\r\n".to_owned())]
        );
        for (content_type, body) in [("", "--\r\n"), ("multipart/form-data", "--b\r\n"), ("a; boundary=", "--\r\n\r\n")]
        {
            assert_eq!(taken_apart(content_type, body), []);
        }
    }

    /// Each of these is a way past a reader that looks for less.
    #[test]
    fn what_could_be_a_name_is_shown() {
        let files = |parameters: &str| one(&format!("Content-Disposition: form-data; {parameters}"), "x").1;
        assert_eq!(files("name=a; filename=\"a;b.php\""), ["a;b.php"]);
        assert_eq!(files("filename=\"a\\\".php\"; name=a"), ["a\\\".php"]);
        assert_eq!(files("filename=a.jpg; filename=\"b.php\""), ["a.jpg", "b.php"]);
        assert_eq!(files("filename*=UTF-8''c.php"), ["UTF-8''c.php"]);
        assert_eq!(files("filename = \"d.php\""), ["d.php"]);
        assert_eq!(files("filename=\"e.php"), ["e.php"]);
        assert_eq!(files("x;;filename=f.php"), ["f.php"]);
        assert_eq!(one("Content-Disposition: form-data;\r\n name=\"folded\"", "x").0, ["folded"]);
        assert_eq!(one("X: content-disposition\r\nCONTENT-DISPOSITION: form-data; name=a", "x").0, ["a"]);
    }

    #[test]
    fn a_delimiter_within_a_line_is_content() {
        let (_, _, content) = one("Content-Disposition: form-data; name=a", "harmless --b\r\nbad\r\n--bad");
        assert_eq!(content, "harmless --b\r\nbad\r\n--bad");
        let bare =
            taken_apart("m; boundary=b", "--b\nContent-Disposition: form-data; name=a\n\nx\n--b \t\nno head\n--b--");
        assert_eq!(bare.len(), 1);
        assert_eq!(bare[0].2, "x");
        let cut = taken_apart("m; boundary=b", "--b\r\nContent-Disposition: form-data; name=a\r\n\r\ncut of");
        assert_eq!(cut[0].2, "cut of");
    }
}
