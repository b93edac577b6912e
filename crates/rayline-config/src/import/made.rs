//! What directives of nginx and Caddy become: rules, for the requests of the scope that they stand in.

use serde_json::{Map, Value, json};

use super::draft::Draft;
use super::sites::{all, rule};

/// A rule on its way.
#[derive(Debug)]
pub(super) struct Made {
    phase: &'static str,
    /// Of which requests of the scope; empty: of all.
    pub(super) also: String,
    action: &'static str,
    parameters: Value,
    ratelimit: Option<Value>,
}

impl Made {
    fn new(phase: &'static str, action: &'static str, parameters: Value) -> Self {
        Self { phase, also: String::new(), action, parameters, ratelimit: None }
    }

    /// The same for those requests alone of which this is true.
    pub(super) fn of(self, also: impl Into<String>) -> Self {
        Self { also: also.into(), ..self }
    }

    /// A redirect: `from_value`.
    pub(super) fn redirect(from: &Value) -> Self {
        Self::new("http_request_dynamic_redirect", "redirect", json!({ "from_value": from }))
    }

    /// The end of the request, with the edge's page.
    pub(super) fn block() -> Self {
        Self::new("http_request_firewall_custom", "block", json!({}))
    }

    /// An answer of one's own.
    ///
    /// # Errors
    /// Its status is not one from 400 to 499.
    pub(super) fn respond(status: u16, text: &str) -> Result<Self, String> {
        if !(400..=499).contains(&status) {
            return Err("answers of one's own have a status from 400 to 499 here".to_owned());
        }
        let content = if text.is_empty() { format!("{status}\n") } else { text.to_owned() };
        let response = json!({ "status_code": status, "content_type": "text/plain", "content": content });
        Ok(Self { parameters: json!({ "response": response }), ..Self::block() })
    }

    /// Another path, or path and query: the object `uri`.
    pub(super) fn uri(uri: &Value) -> Self {
        Self::new("http_request_transform", "rewrite", json!({ "uri": uri }))
    }

    /// Changes of fields that origins are sent, by their names.
    pub(super) fn request_headers(changes: Map<String, Value>) -> Self {
        Self::new("http_request_late_transform", "rewrite", json!({ "headers": changes }))
    }

    /// Changes of fields that visitors are sent, by their names.
    pub(super) fn response_headers(changes: Map<String, Value>) -> Self {
        Self::new("http_response_headers_transform", "rewrite", json!({ "headers": changes }))
    }

    /// Another `Host` for origins.
    pub(super) fn host_header(name: &str) -> Self {
        Self::new("http_request_origin", "route", json!({ "host_header": name }))
    }

    /// Compression by these names, the best first.
    pub(super) fn compress(names: &[&str]) -> Self {
        let algorithms: Vec<Value> = names.iter().map(|name| json!({ "name": name })).collect();
        Self::new("http_response_compression", "compress_response", json!({ "algorithms": algorithms }))
    }

    /// A limit: the table `ratelimit`.
    pub(super) fn limit(ratelimit: Value) -> Self {
        Self { ratelimit: Some(ratelimit), ..Self::new("http_ratelimit", "block", json!({})) }
    }

    /// Adds it to each zone, for the requests of the scope.
    pub(super) fn add(&self, place: &str, scope: &[(String, String)], draft: &mut Draft) {
        for (zone, condition) in scope {
            let condition = all(&[condition.clone(), self.also.clone()]);
            let mut item = rule(place, &condition, self.action, self.parameters.clone());
            if let Some(ratelimit) = &self.ratelimit {
                item.keys.insert("ratelimit".to_owned(), ratelimit.clone());
            }
            draft.zone(zone).rule(self.phase, item);
        }
    }
}

/// A change of one field.
pub(super) fn change(name: &str, change: impl Into<Value>) -> Map<String, Value> {
    Map::from_iter([(name.to_owned(), change.into())])
}
