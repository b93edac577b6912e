//! A page with holes: what it says whatever the request was, made once, and what it says of this request, put in each
//! time.
//!
//! How a page looks is not known here; each form makes its own frame.

use std::cell::RefCell;

use crate::code::{Code, Reached};
use crate::evidence::Audience;
use crate::ray::Colo;
use crate::surface::Notice;
use crate::surface::words::details;
use crate::verdict::Certainty;
use crate::write;

/// Frames that a thread keeps: a failing origin makes the same few again and again. Each has at most some 7 KB.
const MOST_FRAMES: usize = 32;

/// What differs from request to request.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Hole {
    /// The host name for people.
    Site(Escape),
    /// The host name asked for, which may be empty, as the inside of a JSON string.
    Host,
    /// What of the evidence helps a visitor; mostly nothing.
    Details(Escape),
    /// The member `evidence` of a JSON object, behind others, if a visitor may see a fact.
    Evidence,
    Ray,
    /// The time in RFC 3339.
    Datetime,
    /// The time for people.
    Time,
}

/// How a text from outside is written.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Escape {
    Html,
    /// The inside of a JSON string.
    Json,
    Markdown,
    /// One line of plain text.
    Line,
}

impl Escape {
    pub(crate) fn write(self, out: &mut Vec<u8>, text: &str) {
        match self {
            Self::Html => write::html(out, text),
            Self::Json => write::json_text(out, text.as_bytes()),
            Self::Markdown => write::markdown(out, text),
            Self::Line => write::line(out, text),
        }
    }
}

/// What a page says, and where its holes are.
#[derive(Debug, Default)]
pub(crate) struct Frame {
    pub(crate) text: Vec<u8>,
    /// Behind so many bytes of the text, in order.
    holes: Vec<(usize, Hole)>,
}

impl Frame {
    /// Leaves a hole behind what stands there by now.
    pub(crate) fn leave(&mut self, hole: Hole) {
        self.holes.push((self.text.len(), hole));
    }

    fn fill(&self, notice: &Notice<'_>, out: &mut Vec<u8>) {
        out.reserve(self.text.len() + 512);
        let mut start = 0;
        for &(end, hole) in &self.holes {
            out.extend_from_slice(self.text.get(start..end).unwrap_or_default());
            start = end;
            match hole {
                Hole::Site(escape) => escape.write(out, notice.site()),
                Hole::Host => write::json_text(out, notice.host().as_bytes()),
                Hole::Details(escape) => escape.write(out, &details(notice.verdict)),
                Hole::Evidence => evidence(notice, out),
                Hole::Ray => out.extend_from_slice(&notice.ray.digits()),
                Hole::Datetime => write::seconds(out, notice.at),
                Hole::Time => write::people_time(out, notice.at),
            }
        }
        out.extend_from_slice(self.text.get(start..).unwrap_or_default());
    }
}

fn evidence(notice: &Notice<'_>, out: &mut Vec<u8>) {
    let evidence = &notice.verdict.evidence;
    if evidence.facts().iter().any(|fact| fact.audience() == Audience::Visitor) {
        out.extend_from_slice(b",\"evidence\":");
        write::value(out, &evidence.to_json(Audience::Visitor));
    }
}

/// The forms of which frames are kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Form {
    Page,
    Box,
    Json,
    Markdown,
    Text,
}

/// All that a frame depends on, beside the brand: two notices with the same have the same frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Key {
    code: Code,
    form: Form,
    number: u16,
    certainty: Certainty,
    reached: Reached,
    colo: Colo,
    preview: bool,
}

impl Key {
    fn of(notice: &Notice<'_>, form: Form) -> Self {
        let verdict = notice.verdict;
        Self {
            code: verdict.code,
            form,
            number: verdict.number,
            certainty: verdict.certainty,
            reached: verdict.reached,
            colo: notice.colo,
            preview: notice.preview,
        }
    }
}

/// A frame that is kept: for this key, and under this brand.
#[derive(Debug)]
struct Kept {
    key: Key,
    brand: String,
    frame: Frame,
}

thread_local! {
    /// The frames made last, the newest at the end.
    static FRAMES: RefCell<Vec<Kept>> = const { RefCell::new(Vec::new()) };
}

/// Appends the page, whose frame `make` makes where none like it is kept. Of the notice it may put into a frame
/// what its [`Key`] has, and the brand.
pub(crate) fn render(notice: &Notice<'_>, form: Form, out: &mut Vec<u8>, make: impl FnOnce(&Notice<'_>, &mut Frame)) {
    FRAMES.with_borrow_mut(|frames| {
        let key = Key::of(notice, form);
        if let Some(kept) = frames.iter().find(|kept| kept.key == key && kept.brand == notice.brand) {
            return kept.frame.fill(notice, out);
        }
        let mut frame = Frame::default();
        make(notice, &mut frame);
        frame.fill(notice, out);
        if frames.len() >= MOST_FRAMES {
            frames.remove(0);
        }
        frames.push(Kept { key, brand: notice.brand.to_owned(), frame });
    });
}

#[cfg(test)]
mod tests {
    use crate::Moment;
    use crate::attribute::told;
    use crate::code::TABLE;
    use crate::evidence::{Evidence, Fact};
    use crate::ray::RayId;
    use crate::surface::{Format, render};

    use super::*;

    fn notice<'a>(verdict: &'a crate::Verdict, host: &'a str, brand: &'a str, second: i64) -> Notice<'a> {
        Notice {
            verdict,
            ray: RayId(second.unsigned_abs()),
            colo: Colo::new("LHR").unwrap(),
            host,
            at: Moment(second * 1_000_000_000),
            client_ip: [203, 0, 113, 7].into(),
            country: None,
            brand,
            preview: false,
        }
    }

    fn rendered(notice: &Notice<'_>, format: Format) -> String {
        let mut out = Vec::new();
        render(notice, format, &mut out);
        String::from_utf8(out).unwrap()
    }

    /// What a thread says that has said nothing yet.
    fn afresh(notice: &Notice<'_>, format: Format) -> String {
        std::thread::scope(|scope| scope.spawn(|| rendered(notice, format)).join().unwrap())
    }

    #[test]
    fn nothing_of_one_request_is_told_to_the_next() {
        for entry in &TABLE {
            let mut evidence = Evidence::default();
            evidence.add(Fact::OriginStatus(504));
            let first = told(entry.code, 502, Vec::new(), evidence);
            let other = told(entry.code, 502, vec![entry.code], Evidence::default());
            let second = told(entry.code, 502, Vec::new(), Evidence::default());
            for format in Format::ALL {
                rendered(&notice(&first, "first.example", "First", 1), format);
                for (verdict, host, brand) in [
                    (&second, "<second>", "First"),
                    (&second, "", "First"),
                    (&other, "x", "First"),
                    (&first, "\"", "B"),
                ] {
                    let notice = notice(verdict, host, brand, 1_795_237_169);
                    assert_eq!(rendered(&notice, format), afresh(&notice, format), "{} as {format:?}", entry.name);
                }
            }
        }
        FRAMES.with_borrow(|frames| assert_eq!(frames.len(), MOST_FRAMES));
    }
}
