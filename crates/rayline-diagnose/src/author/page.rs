//! An answer made ready to be looked at: text of bounded length, and what is asked of it again and again.
//!
//! It does not parse HTML: landmarks are literal, and a page that only quotes one has it escaped.

use std::io::Read;

use flate2::read::GzDecoder;

use crate::fetch::Answer;

/// The most of a body that is looked at, in bytes, also after it was decompressed.
const BODY_BYTES: usize = 64 << 10;

/// The most of a line that is shown, in characters.
const LINE: usize = 160;

/// An answer's head and the beginning of its body.
#[derive(Debug)]
pub(super) struct Page<'a> {
    answer: &'a Answer,
    /// The body's beginning as text.
    pub(super) text: String,
    /// The same in lower case: offsets are the same too, for only ASCII letters differ.
    pub(super) lower: String,
    /// The text of `<title>`, at most a line.
    pub(super) title: Option<String>,
}

impl<'a> Page<'a> {
    pub(super) fn read(answer: &'a Answer) -> Self {
        let text = unescaped(&text_of(&answer.body));
        let lower = text.to_ascii_lowercase();
        let title = title(&text, &lower);
        Self { answer, text, lower, title }
    }

    pub(super) fn status(&self) -> u16 {
        self.answer.status
    }

    pub(super) fn is_error(&self) -> bool {
        self.answer.status >= 400
    }

    /// Whether nothing came as a body.
    pub(super) fn is_empty(&self) -> bool {
        self.answer.body_bytes == 0 && self.answer.body.is_empty()
    }

    /// The values of all fields of this name (in lower case), as text.
    pub(super) fn values(&self, name: &str) -> impl Iterator<Item = String> {
        let fields = self.answer.fields.iter().filter(move |(field, _)| field == name);
        fields.map(|(_, value)| String::from_utf8_lossy(value).into_owned())
    }

    /// Where the body has `landmark`, which is in lower case, in whatever case.
    pub(super) fn find(&self, landmark: &str) -> Option<usize> {
        self.lower.find(landmark)
    }

    /// Where the body begins, behind white space and a byte order mark.
    pub(super) fn beginning(&self) -> usize {
        let begun = self.text.trim_start_matches(|letter: char| letter.is_whitespace() || letter == '\u{feff}');
        self.text.len() - begun.len()
    }

    /// What stands in the body from `at` to the end of the line.
    pub(super) fn line(&self, at: usize) -> String {
        line(self.text.get(at..).unwrap_or_default())
    }

    /// The words in the body around `at`, between tags and ends of lines.
    pub(super) fn words(&self, at: usize) -> String {
        let before = self.text.get(..at).unwrap_or_default();
        let begin = before.rfind(['>', '\n', '"']).map_or(0, |end| end + 1);
        let rest = self.text.get(begin..).unwrap_or_default();
        line(rest.split(['<', '"']).next().unwrap_or_default())
    }

    /// The word in the body behind `landmark` (in lower case): letters, digits, and what ids are made of.
    pub(super) fn word_behind(&self, landmark: &str) -> Option<&str> {
        let begin = self.find(landmark)? + landmark.len();
        let rest = self.text.get(begin..)?;
        let end = rest.find(|letter: char| !is_word(letter)).unwrap_or(rest.len());
        rest.get(..end).filter(|word| !word.is_empty() && word.len() <= LINE)
    }

    /// The number in the body behind `landmark` (in lower case).
    pub(super) fn number_behind(&self, landmark: &str) -> Option<u16> {
        let begin = self.find(landmark)? + landmark.len();
        number(self.text.get(begin..)?)
    }
}

/// The number that `text` begins with, if it has three or four digits.
pub(super) fn number(text: &str) -> Option<u16> {
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    if (3..=4).contains(&digits) { text.get(..digits)?.parse().ok() } else { None }
}

fn is_word(letter: char) -> bool {
    letter.is_ascii_alphanumeric() || matches!(letter, '-' | '_' | '.' | ':' | '=' | '/' | '+')
}

/// The first line of `text`, cut and without what a terminal would take for a command.
pub(super) fn line(text: &str) -> String {
    let first = text.trim_start().split(['\n', '\r']).next().unwrap_or_default();
    let plain = first.chars().take(LINE).map(|letter| if letter.is_control() { ' ' } else { letter });
    plain.collect::<String>().trim_end().to_owned()
}

/// Who asked without `Accept-Encoding` may be sent gzip all the same.
fn text_of(body: &[u8]) -> String {
    let bounded = body.get(..BODY_BYTES).unwrap_or(body);
    if !bounded.starts_with(&[0x1f, 0x8b]) {
        return String::from_utf8_lossy(bounded).into_owned();
    }
    let mut plain = Vec::new();
    // Cut off or broken: what came before is kept.
    let _ = GzDecoder::new(bounded).take(BODY_BYTES as u64).read_to_end(&mut plain);
    String::from_utf8_lossy(&plain).into_owned()
}

/// Two marks of punctuation that some write as references; whatever could be markup stays as it is.
fn unescaped(text: &str) -> String {
    text.replace("&#46;", ".").replace("&#39;", "'")
}

fn title(text: &str, lower: &str) -> Option<String> {
    let open = lower.find("<title")?;
    let begin = open + lower.get(open..)?.find('>')? + 1;
    let end = begin + lower.get(begin..)?.find("</title")?;
    let words: Vec<&str> = text.get(begin..end)?.split_whitespace().take(LINE).collect();
    Some(line(&words.join(" "))).filter(|title| !title.is_empty())
}
