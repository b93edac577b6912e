//! Style, script and icon: part of the program. Their links change with their content, so browsers may keep them.

use axum::extract::Path;
use axum::http::header;
use axum::response::{IntoResponse, Response};

use crate::envelope::Failure;

/// A file of ours.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Asset {
    name: &'static str,
    kind: &'static str,
    text: &'static str,
}

pub(crate) const STYLE: Asset =
    Asset { name: "dashboard.css", kind: "text/css; charset=utf-8", text: include_str!("../assets/dashboard.css") };
pub(crate) const SCRIPT: Asset = Asset {
    name: "dashboard.js",
    kind: "text/javascript; charset=utf-8",
    text: include_str!("../assets/dashboard.js"),
};
pub(crate) const ICON: Asset =
    Asset { name: "icon.svg", kind: "image/svg+xml", text: include_str!("../assets/icon.svg") };

impl Asset {
    /// Where it is found, in this version.
    pub(crate) fn path(self) -> String {
        format!("/assets/{}?{:016x}", self.name, digest(self.text.as_bytes()))
    }
}

/// `GET /assets/NAME`
pub(crate) async fn show(Path(name): Path<String>) -> Response {
    let Some(asset) = [STYLE, SCRIPT, ICON].into_iter().find(|asset| asset.name == name) else {
        return Failure::NoRoute.answer(["there is no such file"]);
    };
    let headers = [(header::CONTENT_TYPE, asset.kind), (header::CACHE_CONTROL, "public, max-age=31536000, immutable")];
    (headers, asset.text).into_response()
}

/// FNV-1a: tells versions apart, keeps nobody from anything.
const fn digest(bytes: &[u8]) -> u64 {
    let mut hash = 0xcbf2_9ce4_8422_2325;
    let mut rest = bytes;
    while let [byte, more @ ..] = rest {
        hash = (hash ^ *byte as u64).wrapping_mul(0x0100_0000_01b3);
        rest = more;
    }
    hash
}
