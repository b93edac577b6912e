//! Log push: batches of the request log's lines to files, HTTP endpoints, object storage, ClickHouse and Loki.
