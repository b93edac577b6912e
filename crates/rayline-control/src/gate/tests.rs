use super::*;
use crate::access::Role;
use crate::token::Token;

fn keys() -> Keys {
    let token = |digits: &str| Token::parse(&digits.repeat(32)).unwrap();
    Keys::new(token("ab"), token("ef"), 8787)
}

fn headers(pairs: &[(HeaderName, &str)]) -> HeaderMap {
    pairs.iter().map(|(name, value)| (name.clone(), HeaderValue::from_str(value).unwrap())).collect()
}

#[test]
fn only_names_of_this_machine_are_local() {
    let local = ["localhost", "LocalHost:8787", "127.0.0.1", "127.0.0.1:8787", "127.9.8.7:1", "[::1]", "[::1]:8787"];
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
    let keys = keys();
    let home = IpAddr::from([127, 0, 0, 1]);
    let mapped = "::ffff:127.0.0.1".parse().unwrap();
    let away = IpAddr::from([192, 0, 2, 1]);
    let right = format!("bearer {}", "ab".repeat(32));
    let wrong = format!("Bearer {}", "cd".repeat(32));
    for (peer, path, host, authorization, expected) in [
        (home, "/metrics", Some("localhost"), None, None),
        (mapped, "/", Some("127.0.0.1:8787"), None, None),
        (home, "/metrics", Some("evil.example"), None, Some(Failure::ForeignHost)),
        (home, "/metrics", None, None, Some(Failure::ForeignHost)),
        (home, "/metrics", Some("evil.example"), Some(&right), None),
        (home, "/metrics", Some("localhost"), Some(&wrong), Some(Failure::Unauthenticated)),
        (home, "/api/status", Some("localhost"), None, Some(Failure::Unauthenticated)),
        (home, "/api/status", Some("localhost"), Some(&right), None),
        (home, "/metrics/", Some("localhost"), None, Some(Failure::Unauthenticated)),
        (away, "/metrics", Some("localhost"), None, Some(Failure::Unauthenticated)),
        (away, "/", Some("localhost"), None, Some(Failure::Unauthenticated)),
        (away, "/metrics", Some("edge.example"), Some(&right), None),
        (away, "/login", Some("edge.example"), None, None),
        (away, "/assets/dashboard.css", Some("edge.example"), None, None),
        (away, "/loginx", Some("edge.example"), None, Some(Failure::Unauthenticated)),
    ] {
        let mut fields = HeaderMap::new();
        if let Some(host) = host {
            fields.insert(header::HOST, HeaderValue::from_static(host));
        }
        if let Some(authorization) = authorization {
            fields.insert(header::AUTHORIZATION, HeaderValue::from_str(authorization).unwrap());
        }
        let outcome = check(&keys, peer, &Method::GET, path, &fields).err().map(|(failure, _)| failure);
        assert_eq!(outcome, expected, "{peer} {path} {host:?} {authorization:?}");
    }
}

#[test]
fn viewers_look_and_change_nothing() {
    let keys = keys();
    let now = Instant::now();
    let here = IpAddr::from([127, 0, 0, 1]);
    let by_token = |digits: &str| headers(&[(header::AUTHORIZATION, &format!("Bearer {}", digits.repeat(32)))]);
    let by_cookie = |role| {
        let id = keys.sessions().open(role, now).unwrap();
        headers(&[(header::COOKIE, &format!("other=1; rayline-8787={}", id.as_str()))])
    };
    for (fields, may_reload) in [
        (by_token("ab"), true),
        (by_token("ef"), false),
        (by_cookie(Role::Admin), true),
        (by_cookie(Role::Viewer), false),
    ] {
        let asks = |method, path| check(&keys, here, &method, path, &fields).map(drop).map_err(|(failure, _)| failure);
        assert_eq!(asks(Method::GET, "/api/status"), Ok(()));
        assert_eq!(asks(Method::POST, "/logout"), Ok(()));
        let expected = if may_reload { Ok(()) } else { Err(Failure::Forbidden) };
        assert_eq!(asks(Method::POST, "/api/reload"), expected);
    }
}

#[tokio::test]
async fn browsers_change_things_by_our_forms_alone() {
    let keys = keys();
    let now = Instant::now();
    let id = keys.sessions().open(Role::Admin, now).unwrap();
    let cookie = format!("rayline-8787={}", id.as_str());
    let who = keys.who(&headers(&[(header::COOKIE, &cookie)]), now).unwrap();
    let secret = who.csrf().unwrap().as_str().to_owned();
    let form = format!("csrf={secret}");
    let (ours, theirs) = ("http://edge.example:8787", "http://evil.example");
    let wrong = "csrf=00";
    for (origin, site, body, header_secret, expected) in [
        (Some(ours), None, form.as_str(), None, true),
        (Some("https://edge.example:8787"), None, &form, None, true),
        (None, Some("same-origin"), &form, None, true),
        (Some(ours), None, "", Some(secret.as_str()), true),
        (Some(theirs), None, &form, None, false),
        (Some(theirs), Some("same-origin"), &form, None, false),
        (Some("null"), None, &form, None, false),
        (Some("http://edge.example"), None, &form, None, false),
        (None, Some("cross-site"), &form, None, false),
        (None, Some("same-site"), &form, None, false),
        (None, None, &form, None, false),
        (Some(ours), None, wrong, None, false),
        (Some(ours), None, "", None, false),
        (Some(ours), None, &form, Some("00"), false),
    ] {
        let mut request = Request::post("/api/reload").header(header::HOST, "edge.example:8787");
        for (name, value) in [("origin", origin), ("sec-fetch-site", site), ("x-csrf-token", header_secret)] {
            if let Some(value) = value {
                request = request.header(name, value);
            }
        }
        let request = request.body(Body::from(body.to_owned())).unwrap();
        assert_eq!(admit(request, &who).await.is_ok(), expected, "{origin:?} {site:?} {body} {header_secret:?}");
    }
    let long = Request::post("/diagnose").header(header::ORIGIN, ours).header(header::HOST, "edge.example:8787");
    let long = long.body(Body::from("x".repeat(FORM_BYTES + 1))).unwrap();
    assert_eq!(admit(long, &who).await.err().map(|(failure, _)| failure), Some(Failure::Invalid));
}
