//! A running edge, asked by its admin server which rules it can leave out, and to sign requests that go without them.

use std::net::SocketAddr;

use rayline_diagnose::bisect::{Part, Replays};
use serde_json::{Value, json};
use url::Url;

use super::trouble;
use crate::serve::reachable;
use crate::tail::admin::{Admin, Trouble};

impl Replays for Admin {
    type Error = Trouble;

    async fn parts(&self, host: &str) -> Result<Vec<Part>, Trouble> {
        let query: String = url::form_urlencoded::Serializer::new(String::new()).append_pair("host", host).finish();
        let result = self.get(&format!("/api/replays/parts?{query}")).await?;
        let listed = result.get("parts").and_then(Value::as_array);
        Ok(listed.into_iter().flatten().map(Part::of).collect())
    }

    async fn listeners(&self, scheme: &str) -> Result<Vec<SocketAddr>, Trouble> {
        let status = self.get("/api/status").await?;
        let listed = status.get(scheme).and_then(Value::as_array);
        let addresses = listed.into_iter().flatten().filter_map(|address| address.as_str()?.parse().ok());
        let addresses: Vec<SocketAddr> = addresses.map(reachable).collect();
        if addresses.is_empty() {
            let message = format!("the edge has no listener for {scheme}");
            return Err(Trouble { message, hint: Some("`--edge ADDR:PORT` says where to send the copies".to_owned()) });
        }
        Ok(addresses)
    }

    async fn sign(
        &self,
        (method, url): (&str, &Url),
        off: &[&str],
        version: Option<u64>,
    ) -> Result<(String, String), Trouble> {
        let wanted = json!({ "method": method, "url": url.as_str(), "off": off, "version": version });
        let signed = self.post("/api/replays", &wanted).await?;
        let text = |name: &str| signed.get(name).and_then(Value::as_str).map(str::to_owned);
        match (text("field"), text("value")) {
            (Some(field), Some(value)) => Ok((field, value)),
            _ => Err(trouble("the edge signs nothing: is it of an older version?")),
        }
    }
}
