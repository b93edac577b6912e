//! Who may ask what.
//!
//! A page in a browser on the same machine must not get through by having its name resolve to loopback (DNS
//! rebinding): what is open there is open to local host names only.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use axum::Extension;
use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::middleware::Next;
use axum::response::Response;

use crate::envelope::Failure;
use crate::token::Token;

/// Answered without a token to the same machine.
const OPEN: [&str; 2] = ["/", "/metrics"];

/// Lets a request through, or says why not.
pub(crate) async fn guard(
    State(token): State<Arc<Token>>,
    Extension(peer): Extension<SocketAddr>,
    request: Request,
    next: Next,
) -> Response {
    let mut response = match check(&token, peer.ip(), request.uri().path(), request.headers()) {
        Ok(()) => next.run(request).await,
        Err((failure, message)) => failure.answer([message]),
    };
    let challenge = response.status() == StatusCode::UNAUTHORIZED;
    let headers = response.headers_mut();
    if challenge {
        headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
    }
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    response
}

fn check(token: &Token, peer: IpAddr, path: &str, headers: &HeaderMap) -> Result<(), (Failure, &'static str)> {
    match headers.get(header::AUTHORIZATION) {
        Some(offered) if bearer(offered).is_some_and(|offered| token.is(offered)) => Ok(()),
        Some(_) => {
            Err((Failure::Unauthenticated, "that is not the token: it is in `admin.token` in the data directory"))
        }
        None if !OPEN.contains(&path) || !peer.to_canonical().is_loopback() => Err((
            Failure::Unauthenticated,
            "send `Authorization: Bearer TOKEN`; the token is in `admin.token` in the data directory",
        )),
        None if !headers.get(header::HOST).is_some_and(is_local) => Err((
            Failure::ForeignHost,
            "without a token this answers to `localhost`, `127.0.0.1` and `[::1]` only, not to the host name asked for",
        )),
        None => Ok(()),
    }
}

/// What follows `Bearer`; the scheme's name is written either way (RFC 9110 §11.1).
fn bearer(value: &HeaderValue) -> Option<&str> {
    let (scheme, token) = value.to_str().ok()?.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
}

fn is_local(host: &HeaderValue) -> bool {
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
mod tests {
    use super::*;

    #[test]
    fn only_names_of_this_machine_are_local() {
        let local =
            ["localhost", "LocalHost:8787", "127.0.0.1", "127.0.0.1:8787", "127.9.8.7:1", "[::1]", "[::1]:8787"];
        let foreign =
            ["", "evil.example", "evil.example:8787", "localhost.evil.example", "192.0.2.1", "[2001:db8::1]:80", ":1"];
        for host in local {
            assert!(is_local(&HeaderValue::from_static(host)), "{host}");
        }
        for host in foreign {
            assert!(!is_local(&HeaderValue::from_static(host)), "{host}");
        }
    }

    #[test]
    fn what_is_open_is_open_to_the_same_machine_alone() {
        let token = Token::parse(&"ab".repeat(32)).unwrap();
        let home = IpAddr::from([127, 0, 0, 1]);
        let mapped = "::ffff:127.0.0.1".parse().unwrap();
        let away = IpAddr::from([192, 0, 2, 1]);
        let right = format!("bearer {}", token.as_str());
        let wrong = format!("Bearer {}", "cd".repeat(32));
        for (peer, path, host, authorization, expected) in [
            (home, "/metrics", Some("localhost"), None, Ok(())),
            (mapped, "/", Some("127.0.0.1:8787"), None, Ok(())),
            (home, "/metrics", Some("evil.example"), None, Err(Failure::ForeignHost)),
            (home, "/metrics", None, None, Err(Failure::ForeignHost)),
            (home, "/metrics", Some("evil.example"), Some(&right), Ok(())),
            (home, "/metrics", Some("localhost"), Some(&wrong), Err(Failure::Unauthenticated)),
            (home, "/api/status", Some("localhost"), None, Err(Failure::Unauthenticated)),
            (home, "/api/status", Some("localhost"), Some(&right), Ok(())),
            (home, "/metrics/", Some("localhost"), None, Err(Failure::Unauthenticated)),
            (away, "/metrics", Some("localhost"), None, Err(Failure::Unauthenticated)),
            (away, "/", Some("localhost"), None, Err(Failure::Unauthenticated)),
            (away, "/metrics", Some("edge.example"), Some(&right), Ok(())),
        ] {
            let mut headers = HeaderMap::new();
            if let Some(host) = host {
                headers.insert(header::HOST, HeaderValue::from_static(host));
            }
            if let Some(authorization) = authorization {
                headers.insert(header::AUTHORIZATION, HeaderValue::from_str(authorization).unwrap());
            }
            let outcome = check(&token, peer, path, &headers).map_err(|(failure, _)| failure);
            assert_eq!(outcome, expected, "{peer} {path} {host:?} {authorization:?}");
        }
    }
}
