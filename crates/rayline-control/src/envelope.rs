//! Answers in the envelope of Cloudflare's API: `success`, `errors`, `messages`, `result`.

use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};

/// Why a call failed, with the HTTP status and the number that go with it: Cloudflare's own number where it has one,
/// else 10000 and the status.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Failure {
    Unauthenticated,
    Forbidden,
    ForeignHost,
    NoRoute,
    MethodNotAllowed,
    Invalid,
    TooMany,
    Unavailable,
    Internal,
}

impl Failure {
    const fn status_and_code(self) -> (StatusCode, u32) {
        match self {
            Self::Unauthenticated => (StatusCode::UNAUTHORIZED, 10000),
            Self::Forbidden => (StatusCode::FORBIDDEN, 10403),
            Self::ForeignHost => (StatusCode::MISDIRECTED_REQUEST, 10421),
            Self::NoRoute => (StatusCode::NOT_FOUND, 7000),
            Self::MethodNotAllowed => (StatusCode::METHOD_NOT_ALLOWED, 10405),
            Self::Invalid => (StatusCode::BAD_REQUEST, 10400),
            Self::TooMany => (StatusCode::TOO_MANY_REQUESTS, 10429),
            Self::Unavailable => (StatusCode::SERVICE_UNAVAILABLE, 10503),
            Self::Internal => (StatusCode::INTERNAL_SERVER_ERROR, 10500),
        }
    }

    /// The answer that says so, once per message.
    pub(crate) fn answer<Message: Into<String>>(self, messages: impl IntoIterator<Item = Message>) -> Response {
        let (status, code) = self.status_and_code();
        let errors: Vec<Value> =
            messages.into_iter().map(|message| json!({ "code": code, "message": message.into() })).collect();
        envelope(status, &json!({ "success": false, "errors": errors, "messages": [], "result": null }))
    }
}

/// The answer to a call that went well.
pub(crate) fn success(result: Value) -> Response {
    envelope(StatusCode::OK, &json!({ "success": true, "errors": [], "messages": [], "result": result }))
}

fn envelope(status: StatusCode, body: &Value) -> Response {
    (status, [(header::CONTENT_TYPE, "application/json")], body.to_string()).into_response()
}
