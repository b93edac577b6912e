//! A store in memory, filled with the request log's lines as they are made.

use std::io;
use std::sync::{Arc, Mutex};

use bytes::Bytes;
use rayline_control::Facts;
use rayline_store::{Chunk, Column, Dimension, Number, Source, Span, Table, Wanted};
use rayline_verdict::{Moment, RayId, Record, log_line};
use serde_json::{Value, json};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

/// Every line, with what is known of it.
#[derive(Debug, Default)]
pub(crate) struct Shelf {
    lines: Mutex<Vec<(i64, RayId, Bytes, Value)>>,
}

impl Shelf {
    pub(crate) fn add(&self, record: &Record) {
        let mut line = Vec::new();
        log_line::write(record, &mut line);
        line.pop();
        self.add_line(&line);
    }

    pub(crate) fn add_line(&self, line: &[u8]) {
        let value: Value = serde_json::from_slice(line).unwrap();
        let at = OffsetDateTime::parse(value["EdgeStartTimestamp"].as_str().unwrap(), &Rfc3339).unwrap();
        let at = i64::try_from(at.unix_timestamp_nanos()).unwrap();
        let ray = value["RayID"].as_str().unwrap().parse().unwrap();
        self.lines.lock().unwrap().push((at, ray, Bytes::copy_from_slice(line), value));
    }
}

fn text(line: &Value, dimension: Dimension) -> String {
    let field = |name: &str| match &line[name] {
        Value::String(text) => text.clone(),
        Value::Null => String::new(),
        other => other.to_string(),
    };
    match dimension {
        Dimension::Party => field("VerdictCode").split('.').next().unwrap_or_default().to_owned(),
        Dimension::Origin if field("OriginIP").is_empty() => String::new(),
        Dimension::Origin => format!("{}:{}", field("OriginIP"), field("OriginPort")),
        Dimension::Path => field("ClientRequestURI").split('?').next().unwrap_or_default().to_owned(),
        other => field(other.field()),
    }
}

impl Source for Shelf {
    fn chunks(&self, table: Table, span: Span, _wanted: &Wanted) -> io::Result<Vec<Arc<Chunk>>> {
        if matches!(table, Table::Times | Table::HourlyTimes) {
            return Ok(Vec::new());
        }
        let lines = self.lines.lock().unwrap();
        let mut rows: Vec<_> = lines.iter().filter(|(at, ..)| span.contains(Moment(*at))).collect();
        rows.sort_by_key(|(at, ..)| *at);
        let mut chunk = Chunk {
            at: rows.iter().map(|row| row.0).collect(),
            weight: rows.iter().map(|_| 1).collect(),
            rays: rows.iter().map(|row| row.1).collect(),
            lines: rows.iter().map(|row| row.2.clone()).collect(),
            ..Chunk::default()
        };
        for dimension in Dimension::ALL {
            let values: Vec<Arc<str>> = rows.iter().map(|row| text(&row.3, dimension).into()).collect();
            let codes = (0..u32::try_from(values.len()).unwrap()).collect();
            chunk.columns[dimension.index()] = Some(Column { codes, values: Arc::new(values) });
        }
        for number in Number::ALL {
            let scale = if number.is_time() { 1000 } else { 1 };
            let values = rows.iter().map(|row| row.3[number.field()].as_u64().unwrap_or_default() * scale);
            chunk.numbers[number.index()] = Some(values.collect());
        }
        Ok(vec![Arc::new(chunk)])
    }
}

impl Facts for Shelf {
    fn ray(&self, ray: RayId) -> io::Result<Vec<Bytes>> {
        Ok(self.lines.lock().unwrap().iter().filter(|row| row.1 == ray).map(|row| row.2.clone()).collect())
    }

    fn health(&self) -> Value {
        json!({ "requests": self.lines.lock().unwrap().len(), "disk_bytes": 1_234_567 })
    }
}
