//! Who may ask what.
//!
//! A page in a browser on the same machine must not get through by having its name resolve to loopback (DNS
//! rebinding): what is open there is open to local host names only. What changes something takes the administrator's
//! role, and from a browser also a form of ours: the right `Origin` and the session's secret in it.

use std::net::{IpAddr, SocketAddr};
use std::time::Instant;

use axum::Extension;
use axum::body::{Body, HttpBody as _, to_bytes};
use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::Response;
use futures_util::StreamExt as _;

use crate::access::{Keys, Who, WrongToken, is_from_here};
use crate::envelope::Failure;
use crate::login;

/// Answered without a token to the same machine.
const OPEN_HERE: [&str; 2] = ["/", "/metrics"];

/// Answered to everybody: how to log in, and what that page is made of.
const LOGIN: &str = "/login";
pub(crate) const ASSETS: &str = "/assets/";

/// What anybody with a session may post: it changes nothing but the session.
const LOGOUT: &str = "/logout";

/// Bytes of a form.
const FORM_BYTES: usize = 16 * 1024;

/// Where a form carries the session's secret, and which header may in its place.
pub(crate) const CSRF: &str = "csrf";
const CSRF_HEADER: HeaderName = HeaderName::from_static("x-csrf-token");

/// A request that is turned away, and why.
type Refusal = (Failure, &'static str);

const NO_TOKEN: Refusal = (
    Failure::Unauthenticated,
    "send `Authorization: Bearer TOKEN`; the token is in `admin.token` in the data directory",
);
const WRONG_TOKEN: Refusal =
    (Failure::Unauthenticated, "that is not the token: it is in `admin.token` in the data directory");
const FOREIGN_HOST: Refusal = (
    Failure::ForeignHost,
    "without a token this answers to `localhost`, `127.0.0.1` and `[::1]` only, not to the host name asked for",
);
const MAY_NOT: Refusal =
    (Failure::Forbidden, "the viewer's token may look and change nothing; this takes the one in `admin.token`");
const FORGED: Refusal =
    (Failure::Forbidden, "this did not come from a page of this dashboard; open it anew and try again");

/// Lets a request through, or says why not.
pub(crate) async fn guard(
    State(keys): State<Keys>,
    Extension(peer): Extension<SocketAddr>,
    request: Request,
    next: Next,
) -> Response {
    let (method, headers) = (request.method().clone(), request.headers().clone());
    let uri = request.uri().clone();
    let mut response = match check(&keys, peer.ip(), &method, uri.path(), &headers) {
        Ok(who) => match admit(request, &who).await {
            Ok(mut request) => {
                request.extensions_mut().insert(who.clone());
                while_allowed(next.run(request).await, who)
            }
            Err((failure, message)) => failure.answer([message]),
        },
        Err((Failure::Unauthenticated, _)) if login::is_wanted(&method, uri.path(), &headers) => {
            login::instead_of(&uri, &headers)
        }
        Err((failure, message)) => failure.answer([message]),
    };
    let challenge = response.status() == StatusCode::UNAUTHORIZED;
    let headers = response.headers_mut();
    if challenge {
        headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
    }
    for (name, value) in EVERYWHERE {
        headers.entry(name).or_insert(HeaderValue::from_static(value));
    }
    response
}

/// An answer without an end of its own, such as a stream of events, ends with the session that asked for it.
fn while_allowed(response: Response, who: Who) -> Response {
    match who {
        Who::Browser(session) if response.body().size_hint().exact().is_none() => {
            response.map(|body| Body::from_stream(body.into_data_stream().take_until(session.life.over())))
        }
        Who::Browser(_) | Who::Program(_) | Who::Nobody => response,
    }
}

/// What every answer says, unless it says otherwise itself.
const EVERYWHERE: [(HeaderName, &str); 6] = [
    (header::CACHE_CONTROL, "no-store"),
    (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (header::X_FRAME_OPTIONS, "DENY"),
    // not `no-referrer`: under that, browsers send forms with `Origin: null`
    (header::REFERRER_POLICY, "same-origin"),
    (HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
    (header::CONTENT_SECURITY_POLICY, "default-src 'none'; frame-ancestors 'none'; base-uri 'none'"),
];

fn check(keys: &Keys, peer: IpAddr, method: &Method, path: &str, headers: &HeaderMap) -> Result<Who, Refusal> {
    let who = keys.who(headers, Instant::now()).map_err(|WrongToken| WRONG_TOKEN)?;
    match &who {
        Who::Nobody if path == LOGIN || path.starts_with(ASSETS) => {}
        Who::Nobody if !OPEN_HERE.contains(&path) || !peer.to_canonical().is_loopback() => return Err(NO_TOKEN),
        Who::Nobody if !headers.get(header::HOST).is_some_and(is_local) => return Err(FOREIGN_HOST),
        Who::Nobody => {}
        Who::Program(_) | Who::Browser(_) if is_safe(method) || [LOGIN, LOGOUT].contains(&path) => {}
        Who::Program(_) | Who::Browser(_) if !who.is_admin() => return Err(MAY_NOT),
        Who::Program(_) | Who::Browser(_) => {}
    }
    Ok(who)
}

/// Looks at what a browser sends to be carried out: only a form of ours will do.
async fn admit(request: Request, who: &Who) -> Result<Request, Refusal> {
    if is_safe(request.method()) {
        return Ok(request);
    }
    let Who::Browser(session) = who else { return Ok(request) };
    if !is_from_here(request.headers()) {
        return Err(FORGED);
    }
    // whoever can log in needs no secret of a session for it
    if request.uri().path() == LOGIN {
        return Ok(request);
    }
    if let Some(offered) = request.headers().get(CSRF_HEADER) {
        let is_ours = offered.to_str().is_ok_and(|offered| session.csrf.is(offered));
        return if is_ours { Ok(request) } else { Err(FORGED) };
    }
    let (head, body) = request.into_parts();
    let body = to_bytes(body, FORM_BYTES).await.map_err(|_| (Failure::Invalid, "the form is too long"))?;
    let mut fields = url::form_urlencoded::parse(&body);
    if fields.any(|(name, value)| name == CSRF && session.csrf.is(&value)) {
        Ok(Request::from_parts(head, Body::from(body)))
    } else {
        Err(FORGED)
    }
}

/// Whether the method changes nothing (RFC 9110 §9.2.1).
fn is_safe(method: &Method) -> bool {
    [Method::GET, Method::HEAD, Method::OPTIONS].contains(method)
}

/// Whether a `Host` names this machine to itself.
pub(crate) fn is_local(host: &HeaderValue) -> bool {
    let Ok(host) = host.to_str() else { return false };
    if let Ok(address) = host.parse::<SocketAddr>() {
        return address.ip().is_loopback();
    }
    let bare = host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host);
    if let Ok(ip) = bare.parse::<IpAddr>() {
        return ip.is_loopback();
    }
    let name = match host.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => name,
        Some(_) | None => host,
    };
    name.eq_ignore_ascii_case("localhost")
}

#[cfg(test)]
mod tests;
