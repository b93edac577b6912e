//! Who asks, and what that lets them do.

use std::sync::Arc;
use std::time::Instant;

use axum::http::{HeaderMap, HeaderValue, header};

use crate::session::{Secret, Session, Sessions};
use crate::token::Token;

/// What somebody may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Role {
    /// Look.
    Viewer,
    /// Look, reload, diagnose.
    Admin,
}

impl Role {
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Viewer => "viewer",
            Self::Admin => "admin",
        }
    }
}

/// Who asks.
#[derive(Clone, Debug)]
pub(crate) enum Who {
    /// Nobody that we know.
    Nobody,
    /// A program with a token: no browser adds that to a request by itself.
    Program(Role),
    /// A browser with a session, whose forms carry its secret.
    Browser(Session),
}

impl Who {
    pub(crate) const fn role(&self) -> Option<Role> {
        match self {
            Self::Nobody => None,
            Self::Program(role) => Some(*role),
            Self::Browser(session) => Some(session.role),
        }
    }

    pub(crate) fn is_admin(&self) -> bool {
        self.role() == Some(Role::Admin)
    }

    /// What a form must carry.
    pub(crate) fn csrf(&self) -> Option<&Secret> {
        match self {
            Self::Browser(session) => Some(&session.csrf),
            Self::Nobody | Self::Program(_) => None,
        }
    }
}

/// Everything that opens the server. Clones are the same.
#[derive(Clone, Debug)]
pub(crate) struct Keys(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    admin: Token,
    viewer: Token,
    sessions: Sessions,
    /// Cookies are shared between the ports of a host; their names keep two edges on one machine apart.
    cookie: String,
}

impl Keys {
    pub(crate) fn new(admin: Token, viewer: Token, port: u16) -> Self {
        let cookie = format!("rayline-{port}");
        Self(Arc::new(Inner { admin, viewer, sessions: Sessions::default(), cookie }))
    }

    pub(crate) fn sessions(&self) -> &Sessions {
        &self.0.sessions
    }

    /// What a token lets its holder do. Both are compared, whichever it is.
    pub(crate) fn role_of(&self, offered: &str) -> Option<Role> {
        let (admin, viewer) = (self.0.admin.is(offered), self.0.viewer.is(offered));
        match (admin, viewer) {
            (true, _) => Some(Role::Admin),
            (false, true) => Some(Role::Viewer),
            (false, false) => None,
        }
    }

    /// Who asks, by what the request carries.
    ///
    /// # Errors
    ///
    /// A wrong token: that is worse than none.
    pub(crate) fn who(&self, headers: &HeaderMap, now: Instant) -> Result<Who, WrongToken> {
        if let Some(offered) = headers.get(header::AUTHORIZATION) {
            return bearer(offered).and_then(|token| self.role_of(token)).map(Who::Program).ok_or(WrongToken);
        }
        let session = self.session_id(headers).and_then(|id| self.sessions().find(id, now));
        Ok(session.map_or(Who::Nobody, Who::Browser))
    }

    /// What our cookie says.
    pub(crate) fn session_id<'a>(&self, headers: &'a HeaderMap) -> Option<&'a str> {
        let values = headers.get_all(header::COOKIE).iter().filter_map(|value| value.to_str().ok());
        let mut pairs = values.flat_map(|value| value.split(';')).filter_map(|pair| pair.trim().split_once('='));
        pairs.find(|(name, _)| *name == self.0.cookie).map(|(_, id)| id)
    }

    /// The cookie that opens a session, or ends it where there is no `id`.
    pub(crate) fn cookie(&self, id: Option<&Secret>, secure: bool) -> String {
        let secure = if secure { "; Secure" } else { "" };
        let (id, age) = id.map_or(("", "; Max-Age=0"), |id| (id.as_str(), ""));
        format!("{}={id}; Path=/; HttpOnly; SameSite=Strict{age}{secure}", self.0.cookie)
    }
}

/// A token that is not one of ours.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct WrongToken;

/// What follows `Bearer`; the scheme's name is written either way (RFC 9110 §11.1).
fn bearer(value: &HeaderValue) -> Option<&str> {
    let (scheme, token) = value.to_str().ok()?.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
}

/// Whether a browser sent this from a page of ours: `Origin` names the host asked for, or where an old browser sends none,
/// `Sec-Fetch-Site` says so. A request that says neither did not come from a form of ours.
pub(crate) fn is_from_here(headers: &HeaderMap) -> bool {
    let text = |name| headers.get(name).and_then(|value: &HeaderValue| value.to_str().ok());
    match text(header::ORIGIN) {
        Some(origin) => {
            let host = origin.strip_prefix("http://").or_else(|| origin.strip_prefix("https://"));
            host.is_some_and(|host| text(header::HOST).is_some_and(|asked| asked.eq_ignore_ascii_case(host)))
        }
        None => text(header::HeaderName::from_static("sec-fetch-site")) == Some("same-origin"),
    }
}

/// Whether the browser speaks TLS, to whoever stands in front of us: its own word, for we speak none.
pub(crate) fn is_secure(headers: &HeaderMap) -> bool {
    headers.get(header::ORIGIN).is_some_and(|origin| origin.as_bytes().starts_with(b"https://"))
}
