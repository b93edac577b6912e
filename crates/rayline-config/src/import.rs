//! Configurations of others, translated: a `rayline.toml` that compiles, and what is not in it, where it stood and why.
//!
//! Texts become text. What was written is drafted as far as it has a counterpart, then compiled: what the compiler
//! refuses leaves the draft, with the compiler's reason. Nothing is left out in silence but what says nothing here.

mod caddy;
mod cloudflare;
mod draft;
mod made;
mod nginx;
mod sites;
mod syntax;
mod terraform;

use std::path::PathBuf;

use serde::Serialize;

use draft::Draft;

/// A text to translate.
#[derive(Debug, Clone)]
pub struct ImportText {
    /// What it is called, for the places of what is not translated.
    pub name: String,
    /// The text.
    pub text: String,
}

/// What a translation came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Import {
    /// A configuration that compiles.
    pub toml: String,
    /// What is not in it.
    pub untranslated: Vec<Untranslated>,
}

/// Something that has no counterpart, or one that would not do the same.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Untranslated {
    /// Where it stood: the text's name, with a line or an index where there is one.
    pub place: String,
    /// What it is.
    pub what: String,
    /// Why it was not translated: lower-case start, no full stop.
    pub why: String,
}

/// Whose configuration it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ImportFrom {
    /// Answers of Cloudflare's API, or an export made of them.
    Cloudflare,
    /// Terraform's language, with resources of the provider `cloudflare`.
    Terraform,
    /// nginx.
    Nginx,
    /// Caddy, as a Caddyfile.
    Caddy,
}

/// Translates `texts`. Paths of certificates in them start at `base`, as those of the result do.
pub fn import(from: ImportFrom, texts: &[ImportText], base: PathBuf) -> Import {
    let mut draft = Draft::default();
    match from {
        ImportFrom::Cloudflare => cloudflare::read(texts, &mut draft),
        ImportFrom::Terraform => terraform::read(texts, &mut draft),
        ImportFrom::Nginx => nginx::read(texts, &mut draft),
        ImportFrom::Caddy => caddy::read(texts, &mut draft),
    }
    draft.finish(base)
}
