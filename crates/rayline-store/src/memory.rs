//! A store in memory, for tests: chunks made of rows that are written down one by one.

use std::collections::HashMap;
use std::io;
use std::sync::Arc;

use bytes::Bytes;
use rayline_verdict::{Moment, RayId};

use crate::chunk::{Chunk, Column, Source, Span, Table, Wanted};
use crate::dimension::{Dimension, Number};

/// Tables and their chunks.
#[derive(Debug, Default)]
pub(crate) struct Memory {
    chunks: HashMap<Table, Vec<Arc<Chunk>>>,
}

/// One row; what is not set is `""` and 0.
#[derive(Clone, Debug)]
pub(crate) struct Line {
    pub(crate) at: i64,
    pub(crate) weight: u32,
    pub(crate) texts: [Option<Box<str>>; Dimension::ALL.len()],
    pub(crate) numbers: HashMap<Number, u64>,
}

impl Line {
    pub(crate) fn new(at: i64) -> Self {
        Self { at, weight: 1, texts: Default::default(), numbers: HashMap::new() }
    }

    pub(crate) fn with(mut self, dimension: Dimension, text: &str) -> Self {
        self.set(dimension, text);
        self
    }

    pub(crate) fn set(&mut self, dimension: Dimension, text: &str) {
        self.texts[dimension.index()] = Some(text.into());
    }

    pub(crate) fn text(&self, dimension: Dimension) -> &str {
        self.texts[dimension.index()].as_deref().unwrap_or_default()
    }

    pub(crate) fn number(&self, number: Number) -> u64 {
        self.numbers.get(&number).copied().unwrap_or_default()
    }
}

impl Memory {
    /// Adds rows as chunks of at most `size`.
    pub(crate) fn add(&mut self, table: Table, lines: &[Line], size: usize) {
        let chunks = self.chunks.entry(table).or_default();
        chunks.extend(lines.chunks(size.max(1)).map(|lines| Arc::new(chunk(lines))));
    }

    pub(crate) fn add_chunk(&mut self, table: Table, chunk: Chunk) {
        self.chunks.entry(table).or_default().push(Arc::new(chunk));
    }
}

impl Source for Memory {
    fn chunks(&self, table: Table, span: Span, _wanted: &Wanted) -> io::Result<Vec<Arc<Chunk>>> {
        let touches = |chunk: &&Arc<Chunk>| chunk.at.iter().any(|at| span.contains(Moment(*at)));
        Ok(self.chunks.get(&table).into_iter().flatten().filter(touches).cloned().collect())
    }
}

fn chunk(lines: &[Line]) -> Chunk {
    let mut chunk = Chunk {
        at: lines.iter().map(|line| line.at).collect(),
        weight: lines.iter().map(|line| line.weight).collect(),
        rays: (0..).zip(lines).map(|(nth, line)| RayId(line.at.unsigned_abs().wrapping_add(nth))).collect(),
        lines: lines.iter().map(|line| Bytes::from(format!("line of {}", line.at))).collect(),
        ..Chunk::default()
    };
    for dimension in Dimension::ALL {
        if lines.iter().any(|line| line.texts[dimension.index()].is_some()) {
            chunk.columns[dimension.index()] = Some(dictionary(lines.iter().map(|line| line.text(dimension))));
        }
    }
    for number in Number::ALL {
        if lines.iter().any(|line| line.numbers.contains_key(&number)) {
            chunk.numbers[number.index()] = Some(lines.iter().map(|line| line.number(number)).collect());
        }
    }
    chunk
}

fn dictionary<'a>(texts: impl Iterator<Item = &'a str>) -> Column {
    let mut values: Vec<Arc<str>> = Vec::new();
    let mut known: HashMap<&str, u32> = HashMap::new();
    let mut codes = Vec::new();
    for text in texts {
        codes.push(*known.entry(text).or_insert_with(|| {
            values.push(text.into());
            u32::try_from(values.len() - 1).unwrap()
        }));
    }
    Column { codes: codes.into(), values: Arc::new(values) }
}
