//! Logging in and out: a token for a session.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use axum::Extension;
use axum::extract::{Query, RawForm, State};
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};
use maud::{Markup, html};
use url::form_urlencoded;

use crate::access::{Role, Who, is_from_here, is_secure};
use crate::api::Shared;
use crate::gate::{self, ASSETS};
use crate::page::frame;

/// Whether whoever is turned away would rather log in: a person's browser that wants a page.
pub(crate) fn is_wanted(method: &Method, path: &str, headers: &HeaderMap) -> bool {
    let wants_html = || {
        let accept = headers.get(header::ACCEPT).and_then(|value| value.to_str().ok());
        accept.is_some_and(|accept| accept.contains("text/html"))
    };
    let is_page = !path.starts_with("/api/") && !path.starts_with(ASSETS) && path != "/metrics";
    method == Method::GET && is_page && !headers.contains_key(header::AUTHORIZATION) && wants_html()
}

/// What a page answers to whoever is not logged in.
///
/// A link from elsewhere, such as a message of an alert, comes without the cookie (`SameSite=Strict`) even from those who
/// are: the page that they get asks for the same once more, and that request is ours.
pub(crate) fn instead_of(uri: &Uri, headers: &HeaderMap) -> Response {
    let target = safe_target(uri.path_and_query().map_or("/", |target| target.as_str()));
    let site = headers.get("sec-fetch-site").and_then(|site| site.to_str().ok());
    if matches!(site, Some("cross-site" | "same-site")) {
        return frame::bare(
            "One moment",
            &html! {
                meta http-equiv="refresh" content=(format!("0;url={target}"));
                p { a href=(target) { "Go on to the dashboard" } }
            },
        );
    }
    let query: String = form_urlencoded::Serializer::new(String::new()).append_pair("next", target).finish();
    see(&format!("/login?{query}"))
}

/// `GET /login`, with `code` for whoever got one where the edge was started.
pub(crate) async fn show(
    State(shared): State<Shared>,
    Extension(who): Extension<Who>,
    Extension(peer): Extension<SocketAddr>,
    method: Method,
    headers: HeaderMap,
    Query(query): Query<Vec<(String, String)>>,
) -> Response {
    let value = |name: &str| query.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str());
    let next = value("next").unwrap_or("/");
    match (who.role(), value("code")) {
        (Some(_), _) => see(safe_target(next)),
        (None, Some(code)) if method == Method::GET => enter_once(&shared, peer, &headers, code, next),
        (None, _) => form(next, None),
    }
}

/// Opens a session for a code. That is for whoever sits at this machine: the code may stand on a screen.
fn enter_once(shared: &Shared, peer: SocketAddr, headers: &HeaderMap, code: &str, next: &str) -> Response {
    let refuse = |why: &str| (StatusCode::FORBIDDEN, form(next, Some(why))).into_response();
    let is_here = peer.ip().to_canonical().is_loopback() && headers.get(header::HOST).is_some_and(gate::is_local);
    if !is_here {
        return refuse("A link with a code works on the edge’s own machine alone. Log in with a token.");
    }
    let (sessions, now) = (shared.keys.sessions(), Instant::now());
    if let Some(wait) = sessions.must_wait(peer.ip(), now) {
        return must_wait(next, wait);
    }
    if !sessions.redeem(code, now) {
        sessions.was_wrong(peer.ip(), now);
        return refuse("That link was used already, or is too old. Log in with a token.");
    }
    opened(shared, headers, Role::Admin, next, now)
}

/// A new session for `role`, in the browser's cookie.
fn opened(shared: &Shared, headers: &HeaderMap, role: Role, next: &str, now: Instant) -> Response {
    let sessions = shared.keys.sessions();
    // a session that was open in this browser ends, so that nobody can plant one
    if let Some(old) = shared.keys.session_id(headers) {
        sessions.close(old);
    }
    match sessions.open(role, now) {
        Ok(id) => with_cookie(see(safe_target(next)), &shared.keys.cookie(Some(&id), is_secure(headers))),
        Err(_) => {
            let why = "The system has no random numbers to give.";
            (StatusCode::INTERNAL_SERVER_ERROR, form(next, Some(why))).into_response()
        }
    }
}

fn must_wait(next: &str, wait: Duration) -> Response {
    let seconds = wait.as_secs() + 1;
    let why = format!("Too many wrong tokens. Wait {seconds} s before the next try.");
    let retry = [(header::RETRY_AFTER, HeaderValue::from(seconds))];
    (StatusCode::TOO_MANY_REQUESTS, retry, form(next, Some(&why))).into_response()
}

/// `POST /login`: `token` and `next`.
pub(crate) async fn enter(
    State(shared): State<Shared>,
    Extension(peer): Extension<SocketAddr>,
    headers: HeaderMap,
    RawForm(body): RawForm,
) -> Response {
    let (mut token, mut next) = (String::new(), "/".to_owned());
    for (name, value) in form_urlencoded::parse(&body) {
        match &*name {
            "token" => value.trim().clone_into(&mut token),
            "next" => next = value.into_owned(),
            _ => {}
        }
    }
    let refuse = |status: StatusCode, why: &str| (status, form(&next, Some(why))).into_response();
    if !is_from_here(&headers) {
        return refuse(StatusCode::FORBIDDEN, "That form was not from this page. Try again from here.");
    }
    let (sessions, now) = (shared.keys.sessions(), Instant::now());
    if let Some(wait) = sessions.must_wait(peer.ip(), now) {
        return must_wait(&next, wait);
    }
    let Some(role) = shared.keys.role_of(&token) else {
        sessions.was_wrong(peer.ip(), now);
        return refuse(StatusCode::FORBIDDEN, "That is not a token of this edge.");
    };
    opened(&shared, &headers, role, &next, now)
}

/// `POST /logout`.
pub(crate) async fn leave(State(shared): State<Shared>, headers: HeaderMap) -> Response {
    if let Some(id) = shared.keys.session_id(&headers) {
        shared.keys.sessions().close(id);
    }
    with_cookie(see("/login"), &shared.keys.cookie(None, is_secure(&headers)))
}

/// The page with the form.
pub(crate) fn form(next: &str, wrong: Option<&str>) -> Response {
    let inside: Markup = html! {
        form.login method="post" action="/login" {
            input type="hidden" name="next" value=(safe_target(next));
            label for="token" { "Token" }
            input #token type="password" name="token" autocomplete="current-password" required
                autofocus spellcheck="false" aria-describedby="where"
                aria-invalid=[wrong.map(|_| "true")];
            @if let Some(wrong) = wrong { p.wrong role="alert" { (wrong) } }
            button type="submit" { "Log in" }
            p #where {
                "It is in the edge’s " code { "data_dir" } ": " code { "admin.token" }
                " may do everything, " code { "viewer.token" } " may only look."
            }
            pre { code { "cat DATA_DIR/admin.token" } }
        }
    };
    frame::bare("Log in", &inside)
}

/// A path of ours, whatever somebody wrote into a link: nothing that a browser would take for another host.
fn safe_target(next: &str) -> &str {
    let is_ours = next.starts_with('/')
        && !next.starts_with("//")
        && next.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'\\');
    if is_ours { next } else { "/" }
}

fn with_cookie(mut response: Response, cookie: &str) -> Response {
    if let Ok(cookie) = HeaderValue::from_str(cookie) {
        response.headers_mut().insert(header::SET_COOKIE, cookie);
    }
    response
}

/// 303.
pub(crate) fn see(target: &str) -> Response {
    (StatusCode::SEE_OTHER, [(header::LOCATION, target.to_owned())]).into_response()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_is_sent_nowhere_else() {
        for ours in ["/", "/ray/230b030023ae2822", "/errors?last=1h&host=a"] {
            assert_eq!(safe_target(ours), ours);
        }
        for theirs in
            ["", "//evil.example", "https://evil.example", "/\\evil.example", "\\evil", "/\t/evil.example", "/a\r\nb"]
        {
            assert_eq!(safe_target(theirs), "/", "{theirs:?}");
        }
    }
}
