//! Visitors that send bytes of their own making, and what must come of it.

use rayline_testkit::{End, Response, Visitor};
use serde_json::Value;

use crate::scene::{Blame, Scene};

impl Scene {
    /// Sends these bytes over HTTP and nothing behind them, and checks the page and that the connection ends with it.
    pub(crate) async fn refuses(&self, blame: &Blame, bytes: impl AsRef<[u8]>) -> (Response, Value) {
        self.refuses_on(self.visitor().await, blame, bytes).await
    }

    /// The same on a connection that is there. What could not be read has no `Accept`, so the page is HTML.
    pub(crate) async fn refuses_on(
        &self,
        mut visitor: Visitor,
        blame: &Blame,
        bytes: impl AsRef<[u8]>,
    ) -> (Response, Value) {
        let bytes = bytes.as_ref();
        visitor.send(bytes).await.expect("the edge reads");
        let response = visitor.read_response("GET").await;
        assert!(response.whole, "{}: {response:?}", bytes.escape_ascii());
        let record = self.sees(blame, "", &response).await;
        let rest = visitor.read_to_end().await;
        assert_eq!((rest.bytes.as_slice(), rest.end), (&b""[..], End::Closed), "{}", bytes.escape_ascii());
        (response, record)
    }

    /// The sum of a metric over all lines that have `label`.
    pub(crate) fn counted(&self, metric: &str, label: &str) -> u64 {
        let metrics = self.observer.metrics();
        let lines = metrics.lines().filter(|line| line.starts_with(metric) && line.contains(label));
        lines.map(|line| line.rsplit(' ').next().expect("a value").parse::<u64>().expect("a count")).sum()
    }
}
