//! Sessions: getting in, staying in, being kept out.

use crate::wire::Answer;
use crate::{Running, wire};

/// A browser, as far as these tests need one: one cookie, and the headers that browsers send.
pub(crate) struct Browser<'a> {
    running: &'a Running,
    host: String,
    pub(crate) cookie: String,
}

impl<'a> Browser<'a> {
    pub(crate) fn new(running: &'a Running) -> Self {
        Self { running, host: running.control.addr().to_string(), cookie: String::new() }
    }

    pub(crate) fn logged_in(running: &'a Running, token: &str) -> Self {
        let mut browser = Self::new(running);
        let answer = browser.log_in(token, "/");
        assert_eq!((answer.status, answer.header("location")), (303, Some("/")), "{}", answer.body);
        browser
    }

    pub(crate) fn get(&self, path: &str) -> Answer {
        let fields = [("Host", self.host.as_str()), ("Accept", "text/html,*/*"), ("Cookie", &self.cookie)];
        wire::ask(self.running.control.addr(), "GET", path, &fields)
    }

    pub(crate) fn post(&self, path: &str, body: &str, more: &[(&str, &str)]) -> Answer {
        let length = body.len();
        let mut request = format!(
            "POST {path} HTTP/1.1\r\nConnection: close\r\nHost: {}\r\nCookie: {}\r\nContent-Length: {length}\r\n\
             Content-Type: application/x-www-form-urlencoded\r\n",
            self.host, self.cookie
        );
        for (name, value) in more {
            request.push_str(&format!("{name}: {value}\r\n"));
        }
        wire::send(self.running.control.addr(), format!("{request}\r\n{body}").as_bytes())
    }

    /// A form of ours, with what belongs in it.
    pub(crate) fn submit(&self, path: &str, body: &str) -> Answer {
        let origin = format!("http://{}", self.host);
        self.post(path, &format!("csrf={}&{body}", self.csrf()), &[("Origin", &origin)])
    }

    fn log_in(&mut self, token: &str, next: &str) -> Answer {
        let origin = format!("http://{}", self.host);
        let answer = self.post("/login", &format!("token={token}&next={next}"), &[("Origin", &origin)]);
        if let Some(cookie) = answer.header("set-cookie") {
            self.cookie = cookie.split(';').next().unwrap().to_owned();
        }
        answer
    }

    fn csrf(&self) -> String {
        let page = self.get("/explain").body;
        let (_, rest) = page.split_once("name=\"csrf\" value=\"").unwrap();
        rest.split('"').next().unwrap().to_owned()
    }
}

#[test]
fn the_right_token_opens_a_session_and_logging_out_ends_it() {
    let running = Running::start();
    let mut browser = Browser::new(&running);
    assert!(browser.get("/").body.contains("action=\"/login\""));
    let turned_away = browser.get("/errors?from=-24h&host=a");
    let to = turned_away.header("location").unwrap();
    assert_eq!((turned_away.status, to), (303, "/login?next=%2Ferrors%3Ffrom%3D-24h%26host%3Da"));
    assert!(browser.get(to).body.contains("value=\"/errors?from=-24h&amp;host=a\""));

    let wrong = browser.log_in(&"0".repeat(64), "/");
    assert_eq!((wrong.status, wrong.header("set-cookie")), (403, None));
    assert!(wrong.body.contains("role=\"alert\""));

    let entered = browser.log_in(running.token.as_str(), "/tail");
    assert_eq!((entered.status, entered.header("location")), (303, Some("/tail")));
    let cookie = entered.header("set-cookie").unwrap();
    let (name, rest) = cookie.split_once('=').unwrap();
    assert_eq!(name, format!("rayline-{}", running.control.addr().port()));
    assert_eq!(rest.split_once("; ").unwrap(), (&rest[..64], "Path=/; HttpOnly; SameSite=Strict"));
    assert!(!cookie.contains(running.token.as_str()));
    assert!(browser.get("/").body.contains("Overview"));
    assert_eq!(browser.get("/api/status").status, 200);
    assert_eq!(browser.get("/login").header("location"), Some("/"));

    let old = browser.cookie.clone();
    let left = browser.submit("/logout", "");
    assert_eq!((left.status, left.header("location")), (303, Some("/login")));
    assert!(left.header("set-cookie").unwrap().contains("Max-Age=0"));
    browser.cookie = old;
    assert_eq!(browser.get("/api/status").status, 401);
    assert!(browser.get("/").body.contains("action=\"/login\""));
}

#[test]
fn logging_in_leads_nowhere_else_and_is_secure_where_the_browser_is() {
    let running = Running::start();
    let mut browser = Browser::new(&running);
    for next in ["https://evil.example/", "//evil.example", "/\\evil.example"] {
        assert_eq!(browser.log_in(running.token.as_str(), next).header("location"), Some("/"), "{next}");
    }
    let host = running.control.addr().to_string();
    let answer =
        browser.post("/login", &format!("token={}", running.token.as_str()), &[("Origin", &format!("https://{host}"))]);
    assert!(answer.header("set-cookie").unwrap().ends_with("; Secure"));
}

#[test]
fn forms_of_others_change_nothing() {
    let running = Running::start();
    let browser = Browser::logged_in(&running, running.token.as_str());
    let ours = format!("http://{}", running.control.addr());
    let right = format!("csrf={}", browser.csrf());
    for (body, more) in [
        (right.as_str(), vec![]),
        (&right, vec![("Origin", "http://evil.example")]),
        (&right, vec![("Origin", "null")]),
        (&right, vec![("Sec-Fetch-Site", "cross-site")]),
        ("csrf=0", vec![("Origin", ours.as_str())]),
        ("", vec![("Origin", ours.as_str())]),
    ] {
        for path in ["/configuration/reload", "/api/reload", "/diagnose", "/logout"] {
            let answer = browser.post(path, body, &more);
            assert_eq!((answer.status, answer.failure()), (403, 10403), "{path} {body} {more:?}");
        }
    }
    let foreign_login =
        browser.post("/login", &format!("token={}", running.token.as_str()), &[("Origin", "http://evil.example")]);
    assert_eq!((foreign_login.status, foreign_login.header("set-cookie")), (403, None));
    let reloaded = browser.submit("/configuration/reload", "");
    assert_eq!((reloaded.status, reloaded.header("location")), (303, Some("/configuration?reloaded=2")));
    let same = browser.submit("/configuration/reload", "");
    assert_eq!((same.status, same.header("location")), (303, Some("/configuration?same=2")));
    assert!(browser.get("/configuration?same=2").body.contains("The file has not changed: version 2 runs on"));
    assert!(browser.submit("/configuration/reload", "").body.contains("unknown key `zzl`"));
}

#[test]
fn viewers_look_and_change_nothing() {
    let running = Running::start();
    let browser = Browser::logged_in(&running, running.viewer.as_str());
    for path in ["/", "/errors", "/configuration", "/system", "/api/status", "/api/analytics"] {
        assert_eq!(browser.get(path).status, 200, "{path}");
    }
    assert!(!browser.get("/configuration").body.contains("/configuration/reload"));
    assert!(browser.get("/diagnose").body.contains("Only the administrator"));
    for path in ["/configuration/reload", "/api/reload", "/diagnose"] {
        assert_eq!(browser.submit(path, "url=http://shop.example/").status, 403, "{path}");
    }
    let bearer = format!("Bearer {}", running.viewer.as_str());
    let fields = [("Host", "localhost"), ("Authorization", bearer.as_str())];
    assert_eq!(wire::ask(running.control.addr(), "GET", "/api/status", &fields).status, 200);
    assert_eq!(wire::ask(running.control.addr(), "POST", "/api/reload", &fields).status, 403);
    assert_eq!(browser.submit("/logout", "").status, 303);
}

#[test]
fn guessing_is_slowed_down() {
    let running = Running::start();
    let mut browser = Browser::new(&running);
    let statuses: Vec<u16> = (0..12).map(|_| browser.log_in(&"1".repeat(64), "/").status).collect();
    assert_eq!(statuses[..10], [403; 10]);
    let slowed = browser.log_in(running.token.as_str(), "/");
    assert_eq!(slowed.status, 429);
    assert!(slowed.header("retry-after").is_some());
}

#[test]
fn a_link_from_elsewhere_leads_to_the_page_all_the_same() {
    let running = Running::start();
    let host = running.control.addr().to_string();
    let fields = [("Host", host.as_str()), ("Accept", "text/html"), ("Sec-Fetch-Site", "cross-site")];
    let answer = wire::ask(running.control.addr(), "GET", "/ray/230b030023ae2822?x=1", &fields);
    assert_eq!(answer.status, 200);
    assert!(answer.body.contains("content=\"0;url=/ray/230b030023ae2822?x=1\""), "{}", answer.body);
    let evil = wire::ask(running.control.addr(), "GET", "//evil.example/", &fields);
    assert!(!evil.body.contains("url=//evil"), "{}", evil.body);
}

#[test]
fn no_page_can_be_framed_or_load_anything_foreign() {
    let running = Running::start();
    let browser = Browser::logged_in(&running, running.token.as_str());
    for path in
        ["/login", "/", "/errors", "/ray", "/tail", "/origins", "/diagnose", "/explain", "/configuration", "/system"]
    {
        let answer = browser.get(path);
        if path != "/login" {
            let policy = answer.header("content-security-policy").unwrap();
            assert!(policy.starts_with("default-src 'none'; style-src 'self'; script-src 'self';"), "{policy}");
            assert!(policy.contains("frame-ancestors 'none'") && policy.contains("form-action 'self'"), "{policy}");
            assert!(!answer.body.contains("style=\"") && !answer.body.contains("onclick"), "{path}");
            assert_eq!(answer.body.matches("<script").count(), 1, "{path}");
            assert!(!answer.body.contains("src=\"http") && !answer.body.contains("href=\"http"), "{path}");
        }
        assert_eq!(answer.header("x-frame-options"), Some("DENY"), "{path}");
        assert_eq!(answer.header("cache-control"), Some("no-store"), "{path}");
    }
    let page = browser.get("/").body;
    for kind in ["dashboard.css", "dashboard.js", "icon.svg"] {
        let (_, rest) = page.split_once(&format!("/assets/{kind}?")).unwrap();
        let asset = browser.get(&format!("/assets/{kind}?{}", rest.split('"').next().unwrap()));
        assert_eq!(asset.status, 200);
        assert!(asset.header("cache-control").unwrap().contains("immutable"));
    }
}

#[test]
fn a_link_lets_one_browser_on_this_machine_in_once() {
    let running = Running::start();
    let link = running.control.login_link("/errors?from=-15m").unwrap();
    let path = link.strip_prefix(&format!("http://{}", running.control.addr())).unwrap();
    let elsewhere = wire::ask(running.control.addr(), "GET", path, &[("Host", "rebound.example")]);
    assert_eq!((elsewhere.status, elsewhere.header("set-cookie")), (403, None));
    let head = wire::ask(running.control.addr(), "HEAD", path, &[("Host", "localhost")]);
    assert_eq!(head.header("set-cookie"), None);

    let mut browser = Browser::new(&running);
    let entered = browser.get(path);
    assert_eq!((entered.status, entered.header("location")), (303, Some("/errors?from=-15m")));
    entered.header("set-cookie").unwrap().split(';').next().unwrap().clone_into(&mut browser.cookie);
    assert!(browser.get("/configuration").body.contains("Log out"));

    let again = Browser::new(&running).get(path);
    assert_eq!((again.status, again.header("set-cookie")), (403, None));
    assert!(again.body.contains("used already"), "{}", again.body);
}
