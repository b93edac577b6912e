//! The page at `/`: what runs here, and where to look further. No script, nothing loaded, nothing told of the zones.

use axum::http::{HeaderName, HeaderValue, header};
use axum::response::{Html, IntoResponse};

const PAGE: &str = concat!(
    r#"<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Rayline admin</title>
<style>
  :root { color-scheme: light dark }
  body { font: 1rem/1.6 system-ui, sans-serif; max-width: 38rem; margin: 4rem auto; padding: 0 1.25rem }
  code { font: 0.92em ui-monospace, monospace; background: color-mix(in srgb, currentColor 9%, transparent); padding: 0.1em 0.35em; border-radius: 4px }
  pre code { display: block; padding: 0.8em 1em; overflow-x: auto }
  h1 small { font-weight: 400; opacity: 0.65 }
</style>
<h1>Rayline <small>"#,
    env!("CARGO_PKG_VERSION"),
    r#"</small></h1>
<p>This is the admin server of a running edge. It answers here:</p>
<ul>
  <li><a href="/metrics"><code>/metrics</code></a> for Prometheus, from this machine without a token</li>
  <li><code>/api/status</code>, <code>/api/tail</code>, <code>/api/reload</code> with the token in <code>admin.token</code> in the data directory</li>
</ul>
<p>To watch requests as they come, and whose fault it is when one fails:</p>
<pre><code>rayline tail
rayline tail --failures
rayline tail --party origin --status 5xx</code></pre>
</html>
"#
);

/// Answers with the page.
pub(crate) async fn show() -> impl IntoResponse {
    const LOCKED: &str = "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'; base-uri 'none'";
    let headers: [(HeaderName, HeaderValue); 2] = [
        (header::CONTENT_SECURITY_POLICY, HeaderValue::from_static(LOCKED)),
        (header::REFERRER_POLICY, HeaderValue::from_static("no-referrer")),
    ];
    (headers, Html(PAGE))
}
