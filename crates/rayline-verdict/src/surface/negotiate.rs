//! Which form of a page the visitor asks for with `Accept` (RFC 9110 §12.5.1).
//!
//! It never refuses: whoever accepts nothing that is made here gets HTML, for an error unread is worse than one in
//! a form that was not asked for.

/// The form of a page.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Format {
    /// `text/html`.
    Html,
    /// `application/json`.
    Json,
    /// `application/problem+json` (RFC 9457): the same bytes as JSON.
    ProblemJson,
    /// `text/markdown` (RFC 7763).
    Markdown,
    /// `text/plain`.
    Text,
}

/// How many ranges of an `Accept` are read: no client in use sends a tenth of it.
const MOST_RANGES: usize = 64;

impl Format {
    /// Every form, in the order of preference for `*/*`.
    pub const ALL: [Self; 5] = [Self::Html, Self::Json, Self::ProblemJson, Self::Markdown, Self::Text];

    /// The order of preference for `text/*`: who asks so is a program that reads text ("Error responses").
    const TEXTS: [Self; 3] = [Self::Markdown, Self::Text, Self::Html];

    /// The order of preference for `application/*`.
    const APPLICATIONS: [Self; 2] = [Self::Json, Self::ProblemJson];

    /// The media type, without parameters.
    pub const fn media_type(self) -> &'static str {
        match self {
            Self::Html => "text/html",
            Self::Json => "application/json",
            Self::ProblemJson => "application/problem+json",
            Self::Markdown => "text/markdown",
            Self::Text => "text/plain",
        }
    }

    /// The value of `Content-Type`.
    pub const fn content_type(self) -> &'static str {
        match self {
            Self::Html => "text/html; charset=UTF-8",
            Self::Json => "application/json; charset=utf-8",
            Self::ProblemJson => "application/problem+json; charset=utf-8",
            Self::Markdown => "text/markdown; charset=utf-8",
            Self::Text => "text/plain; charset=utf-8",
        }
    }

    /// The form that an `Accept` asks for; several fields are joined by commas before they come here.
    ///
    /// The greatest weight wins, and of equal weights the one named first. A range that names a form speaks for it,
    /// and a wildcard only for the forms that nothing more exact names. Ranges that break the grammar are passed
    /// over, and so is everything behind the 64th.
    pub fn negotiate(accept: Option<&[u8]>) -> Self {
        let Some(accept) = accept else { return Self::Html };
        // Programs say what they want and nothing else.
        if let Some(format) = Self::ALL.into_iter().find(|format| format.media_type().as_bytes() == accept) {
            return format;
        }
        // Two passes over the field, so that its length costs no more than its length.
        let mut formats = 0_u8;
        let mut types = 0_u8;
        for range in ranges(accept) {
            match range.matches {
                Match::Exactly(format) => formats |= format.bit(),
                Match::Type(name) => types |= name.bit(),
                Match::Any | Match::Other => {}
            }
        }
        let unnamed = |format: &Self| formats & format.bit() == 0;
        let wholly_unnamed = |format: &Self| unnamed(format) && types & format.type_name().bit() == 0;
        let mut best: Option<(u16, Self)> = None;
        for range in ranges(accept) {
            if range.weight <= best.map_or(0, |(weight, _)| weight) {
                continue;
            }
            let format = match range.matches {
                Match::Exactly(format) => Some(format),
                Match::Type(TypeName::Text) => Self::TEXTS.into_iter().find(unnamed),
                Match::Type(TypeName::Application) => Self::APPLICATIONS.into_iter().find(unnamed),
                Match::Any => Self::ALL.into_iter().find(wholly_unnamed),
                Match::Other => None,
            };
            best = format.map(|format| (range.weight, format)).or(best);
        }
        best.map_or(Self::Html, |(_, format)| format)
    }

    const fn bit(self) -> u8 {
        1 << self as u8
    }

    const fn type_name(self) -> TypeName {
        match self {
            Self::Html | Self::Markdown | Self::Text => TypeName::Text,
            Self::Json | Self::ProblemJson => TypeName::Application,
        }
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum TypeName {
    Text,
    Application,
}

impl TypeName {
    const fn bit(self) -> u8 {
        1 << self as u8
    }
}

/// What a media range covers of the forms made here.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Match {
    Any,
    Type(TypeName),
    Exactly(Format),
    Other,
}

struct Range {
    matches: Match,
    /// Thousandths: 0 means "not this".
    weight: u16,
}

fn ranges(accept: &[u8]) -> impl Iterator<Item = Range> {
    split(accept, b',').take(MOST_RANGES).filter_map(read)
}

/// `type/subtype;parameter=value;q=0.5`. Parameters other than the weight are passed over.
fn read(range: &[u8]) -> Option<Range> {
    let mut parts = split(range, b';');
    let name = parts.next()?.trim_ascii();
    let matches = match name {
        b"*/*" => Match::Any,
        _ if name.eq_ignore_ascii_case(b"text/*") => Match::Type(TypeName::Text),
        _ if name.eq_ignore_ascii_case(b"application/*") => Match::Type(TypeName::Application),
        _ => Format::ALL
            .into_iter()
            .find(|format| name.eq_ignore_ascii_case(format.media_type().as_bytes()))
            .map_or(Match::Other, Match::Exactly),
    };
    let weight = parts.find_map(|part| match part.trim_ascii() {
        [b'q' | b'Q', b'=', value @ ..] => Some(weight(value)),
        _ => None,
    });
    Some(Range { matches, weight: weight.unwrap_or(Some(1000))? })
}

/// A `qvalue` of RFC 9110 §12.4.2 in thousandths.
fn weight(value: &[u8]) -> Option<u16> {
    let (whole, fraction) = match value {
        [whole] => (whole, &[][..]),
        [whole, b'.', fraction @ ..] if fraction.len() <= 3 => (whole, fraction),
        _ => return None,
    };
    let mut thousandths = match whole {
        b'0' => 0,
        b'1' => 1000,
        _ => return None,
    };
    for (digit, place) in fraction.iter().zip([100, 10, 1]) {
        thousandths += u16::from(char::from(*digit).to_digit(10)? as u8) * place;
    }
    (thousandths <= 1000).then_some(thousandths)
}

/// Splits at `separator`, outside of quoted strings.
fn split(text: &[u8], separator: u8) -> impl Iterator<Item = &[u8]> {
    let mut quoted = false;
    let mut escaped = false;
    text.split(move |&byte| {
        let ends = byte == separator && !quoted;
        quoted ^= byte == b'"' && !escaped;
        escaped = quoted && byte == b'\\' && !escaped;
        ends
    })
}
