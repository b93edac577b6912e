//! `[zone.error_pages]`: custom pages, held to Cloudflare's rules for them.
//!
//! Tokens are checked here and filled in where the page is sent. Limits: Cloudflare documentation, "Edit Error Pages".

use std::sync::Arc;

use super::file::read_file;
use crate::document::{At, Fields, shown};
use crate::keys::nearest;
use crate::plan::{ErrorPage, ErrorPages};

/// The longest page, in bytes.
const LONGEST: u64 = 1_500_000;
/// Tokens every page may have.
const OPTIONAL: [&str; 3] = ["::CLIENT_IP::", "::RAY_ID::", "::GEO::"];

pub(super) fn read(fields: &Fields<'_>) -> ErrorPages {
    ErrorPages {
        errors_500: read_page(fields, "500_errors", ["::CLOUDFLARE_ERROR_500S_BOX::", "::RAYLINE_ERROR_500S_BOX::"]),
        errors_1000: read_page(
            fields,
            "1000_errors",
            ["::CLOUDFLARE_ERROR_1000S_BOX::", "::RAYLINE_ERROR_1000S_BOX::"],
        ),
    }
}

/// The page under `name`, which must contain one of the `boxes`.
fn read_page(fields: &Fields<'_>, name: &str, boxes: [&str; 2]) -> Option<ErrorPage> {
    let written: At<String> = fields.optional(name)?;
    let file = shown(&written.value);
    let bytes = read_file(&written, LONGEST, fields.report)?;
    let refuse = |problem| {
        fields.report.push(problem);
        None
    };
    let Ok(html) = String::from_utf8(bytes) else {
        return refuse(written.place.error(format!("`{file}` is not UTF-8 text")).hint("save the page as UTF-8"));
    };
    if !html.to_ascii_lowercase().contains("<head>") || !html.to_ascii_lowercase().contains("</head>") {
        let problem = written.place.error(format!("`{file}` has no `<head></head>`"));
        return refuse(problem.hint("add `<head></head>` before the body; it may be empty"));
    }
    let [required, alias] = boxes;
    if !boxes.iter().any(|token| html.contains(token)) {
        let problem = written.place.error(format!("`{file}` has no `{required}`"));
        return refuse(problem.hint(format!("add `{required}` (or `{alias}`) where the error is to be shown")));
    }
    let known = || OPTIONAL.into_iter().chain(boxes);
    for token in tokens(&html).filter(|token| known().all(|known| known != *token)) {
        let problem = written
            .place
            .warning(format!("`{file}` has `{}`, which is no token of this page and stays as it is", shown(token)));
        fields.report.push(match nearest(token, known()) {
            Some(near) => problem.hint(format!("did you mean `{near}`?")),
            None => problem.hint(format!(
                "the tokens are {}",
                known().map(|token| format!("`{token}`")).collect::<Vec<_>>().join(", ")
            )),
        });
    }
    Some(ErrorPage { path: fields.report.source.path(&written.value), html: Arc::from(html) })
}

/// What looks like a token: capitals, digits and underscores between two pairs of colons.
fn tokens(html: &str) -> impl Iterator<Item = &str> {
    html.match_indices("::").filter_map(|(start, _)| {
        let rest = html.get(start + 2..)?;
        let length = rest.find(|c: char| !(c.is_ascii_uppercase() || c.is_ascii_digit() || c == '_'))?;
        let whole = length > 0 && rest.get(length..)?.starts_with("::");
        whole.then(|| html.get(start..start + length + 4)).flatten()
    })
}
