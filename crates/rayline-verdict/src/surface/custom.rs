//! A zone's own error page: its text with tokens in it, split once when the configuration is compiled.
//!
//! Such a page is HTML whatever the visitor asks for, and the owner answers for everything on it but the values.

use crate::record::Country;
use crate::surface::template::Template;
use crate::surface::{Notice, html};
use crate::write;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Token {
    Box,
    ClientIp,
    RayId,
    Geo,
}

/// The tokens of Cloudflare's custom error pages ("Edit error pages"); the boxes have a name of ours beside theirs.
const TOKENS: &[(&str, Token)] = &[
    ("::CLOUDFLARE_ERROR_500S_BOX::", Token::Box),
    ("::CLOUDFLARE_ERROR_1000S_BOX::", Token::Box),
    ("::RAYLINE_ERROR_500S_BOX::", Token::Box),
    ("::RAYLINE_ERROR_1000S_BOX::", Token::Box),
    ("::CLIENT_IP::", Token::ClientIp),
    ("::RAY_ID::", Token::RayId),
    ("::GEO::", Token::Geo),
];

/// A zone's own error page, ready to be filled.
#[derive(Clone, Debug)]
pub struct CustomPage(Template<Token>);

impl CustomPage {
    /// Splits the page at its tokens. Every text is a page: what is no token stays as it is.
    pub fn parse(text: &str) -> Self {
        Self(Template::parse(text, "::", TOKENS))
    }

    /// Whether the page has a place for the error: without one a visitor cannot learn what happened.
    pub fn has_box(&self) -> bool {
        self.0.slots().any(|token| token == Token::Box)
    }

    /// Writes the page with every token replaced. `::GEO::` is `XX` where the country is not known.
    pub fn render(&self, notice: &Notice<'_>, out: &mut Vec<u8>) {
        self.0.render(out, |token, out| match token {
            Token::Box => html::error_box(notice, out),
            Token::ClientIp => write::put_address(out, notice.client_ip),
            Token::RayId => out.extend_from_slice(&notice.ray.digits()),
            Token::Geo => out.extend_from_slice(notice.country.unwrap_or(Country::UNKNOWN).as_str().as_bytes()),
        });
    }
}
