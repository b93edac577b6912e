//! Everything a visitor can see of a verdict: the page in five forms, and the header fields beside it.
//!
//! One [`Notice`] is rendered as HTML, JSON, Markdown or plain text, whichever the request's `Accept` asks for. No
//! form looks at a fact that visitors must not see. This is the way of a flood of failing requests too: templates
//! are split once, and everything is appended to the caller's buffer.

use std::net::IpAddr;

use crate::moment::Moment;
use crate::ray::{Colo, RayId};
use crate::record::Country;
use crate::verdict::Verdict;

mod custom;
mod frame;
pub mod grpc;
pub mod headers;
mod html;
mod negotiate;
mod structured;
mod template;
mod words;

pub use custom::CustomPage;
pub use headers::page_headers;
pub use negotiate::Format;

/// A verdict and what a page says beside it.
#[derive(Clone, Copy, Debug)]
pub struct Notice<'a> {
    /// What is said.
    pub verdict: &'a Verdict,
    /// Of which request.
    pub ray: RayId,
    /// Where.
    pub colo: Colo,
    /// The host name asked for, as it was sent; may be empty, and is taken to be hostile.
    pub host: &'a str,
    /// When.
    pub at: Moment,
    /// The visitor's address: shown by a zone's own page alone.
    pub client_ip: IpAddr,
    /// The country that the address is registered in: the same.
    pub country: Option<Country>,
    /// Whose page it is, such as `Rayline`.
    pub brand: &'a str,
    /// Whether the page is only shown to see how it looks: nothing failed.
    pub preview: bool,
}

impl<'a> Notice<'a> {
    /// The host name asked for, cut to the longest that DNS allows.
    fn host(&self) -> &'a str {
        words::brief(self.host)
    }

    /// The host name for people.
    fn site(&self) -> &'a str {
        if self.host.is_empty() { "this site" } else { self.host() }
    }
}

/// Appends the body of the page in this form.
pub fn render(notice: &Notice<'_>, format: Format, out: &mut Vec<u8>) {
    match format {
        Format::Html => html::page(notice, out),
        Format::Json | Format::ProblemJson => structured::json(notice, out),
        Format::Markdown => structured::markdown(notice, out),
        Format::Text => structured::text(notice, out),
    }
}

/// The block that stands in a zone's own page where its token was: self-contained, with its style.
pub fn error_box(notice: &Notice<'_>) -> String {
    let mut out = Vec::new();
    html::error_box(notice, &mut out);
    String::from_utf8_lossy(&out).into_owned()
}
