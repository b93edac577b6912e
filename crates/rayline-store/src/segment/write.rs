//! Writing rows as Parquet: row groups of bounded size, one after the other, so that memory is bounded too.

use std::io::{self, Write};
use std::sync::Arc;

use bytes::Bytes;
use parquet::basic::{Compression, ZstdLevel};
use parquet::data_type::{ByteArray, ByteArrayType, Int32Type, Int64Type};
use parquet::errors::Result;
use parquet::file::properties::{EnabledStatistics, WriterProperties, WriterPropertiesPtr};
use parquet::file::writer::{SerializedColumnWriter, SerializedFileWriter};
use parquet::schema::types::{ColumnPath, Type};

use super::facts::{Facts, Ranges, failed_groups_pair};
use super::slot::Slot;
use crate::chunk::{Chunk, Column};
use crate::query::failing::Failing;

/// Rows of a row group at most.
pub(crate) const GROUP_ROWS: usize = 128 * 1024;
/// Bytes of the lines of a row group, about; a row group is decoded as a whole when files are merged or exported.
pub(super) const GROUP_LINES: usize = 32 * 1024 * 1024;
/// Bytes of lines that are compressed together, and decompressed to read one of them.
const LINES_PAGE: usize = 256 * 1024;
/// Bytes of a dictionary. So many that a row group's values fit in: then reading gives codes, and no text is hashed.
const DICTIONARY: usize = 64 * 1024 * 1024;

/// Writes one file. Rows are gathered until they make a row group.
#[derive(Debug)]
pub(crate) struct Writer<W: Write + Send> {
    file: SerializedFileWriter<W>,
    slots: Vec<Slot>,
    waiting: Vec<Arc<Chunk>>,
    /// So many row groups are written.
    groups: u64,
    /// Which of them have failed requests alone, if these are kept apart.
    failed: Option<Ranges>,
}

impl<W: Write + Send> Writer<W> {
    /// Begins a file with these columns.
    pub(crate) fn new(out: W, slots: Vec<Slot>, facts: &Facts) -> io::Result<Self> {
        let schema = schema(&slots)?;
        let file = SerializedFileWriter::new(out, schema, properties(&slots, facts)?)?;
        Ok(Self { file, slots, waiting: Vec::new(), groups: 0, failed: None })
    }

    /// Failed requests get row groups of their own, each beside that of the others of the same time: most questions are about
    /// them alone, and they are few.
    pub(crate) fn keep_failed_apart(&mut self) {
        self.failed.get_or_insert_default();
    }

    /// Adds rows. What they have and the file has not is left out.
    pub(crate) fn add(&mut self, chunk: Arc<Chunk>) -> io::Result<()> {
        if !fits(&self.waiting, &chunk) {
            self.flush()?;
        }
        self.waiting.push(chunk);
        Ok(())
    }

    /// Ends the file.
    pub(crate) fn finish(mut self) -> io::Result<W> {
        self.flush()?;
        if let Some(failed) = &self.failed {
            self.file.append_key_value_metadata(failed_groups_pair(failed));
        }
        Ok(self.file.into_inner()?)
    }

    fn flush(&mut self) -> io::Result<()> {
        let chunk = Chunk::concat(&std::mem::take(&mut self.waiting)).sorted();
        if self.failed.is_none() {
            return self.add_groups(&chunk);
        }
        let (failed, fine) = apart(chunk);
        let before = self.groups;
        self.add_groups(&failed)?;
        let of_failed = before..self.groups;
        self.failed.iter_mut().for_each(|failed| of_failed.clone().for_each(|group| failed.insert(group)));
        self.add_groups(&fine)
    }

    fn add_groups(&mut self, chunk: &Chunk) -> io::Result<()> {
        let mut start = 0;
        while start < chunk.len() {
            let end = group_end(chunk, start);
            self.add_group(chunk, start, end)?;
            self.groups += 1;
            start = end;
        }
        Ok(())
    }

    fn add_group(&mut self, chunk: &Chunk, start: usize, end: usize) -> Result<()> {
        let mut group = self.file.next_row_group()?;
        for slot in &self.slots {
            if let Some(mut column) = group.next_column()? {
                write_column(&mut column, chunk, *slot, start, end)?;
                column.close()?;
            }
        }
        group.close()?;
        Ok(())
    }
}

/// The failed requests, and the others.
fn apart(chunk: Chunk) -> (Chunk, Chunk) {
    let mut failing = Failing::default();
    failing.begin(&chunk);
    let rows = 0..u32::try_from(chunk.len()).unwrap_or(u32::MAX);
    let marked = rows.zip(failing.mark(&chunk, &(0..chunk.len())));
    let (failed, fine): (Vec<_>, Vec<_>) = marked.partition(|(_, failed)| **failed);
    let [failed, fine] = [failed, fine].map(|rows| rows.into_iter().map(|(row, _)| row).collect::<Vec<u32>>());
    match (failed.is_empty(), fine.is_empty()) {
        (true, _) => (Chunk::default(), chunk),
        (false, true) => (chunk, Chunk::default()),
        (false, false) => (chunk.select(&failed), chunk.select(&fine)),
    }
}

/// Whether a chunk fits into the row group that the others are to become.
fn fits(waiting: &[Arc<Chunk>], chunk: &Chunk) -> bool {
    let bytes = |chunk: &Chunk| chunk.lines.iter().map(|line| line.len()).sum::<usize>();
    let all = || waiting.iter().map(AsRef::as_ref).chain([chunk]);
    all().map(Chunk::len).sum::<usize>() <= GROUP_ROWS && all().map(bytes).sum::<usize>() <= GROUP_LINES
}

/// Where the row group ends that begins with the row `start`.
fn group_end(chunk: &Chunk, start: usize) -> usize {
    let most = chunk.len().min(start + GROUP_ROWS);
    let mut bytes = 0;
    for (row, line) in chunk.lines.iter().enumerate().take(most).skip(start) {
        bytes += line.len();
        if bytes > GROUP_LINES && row > start {
            return row;
        }
    }
    most
}

fn schema(slots: &[Slot]) -> Result<Arc<Type>> {
    let fields: Result<Vec<_>> = slots.iter().map(|slot| slot.schema().map(Arc::new)).collect();
    Ok(Arc::new(Type::group_type_builder("rows").with_fields(fields?).build()?))
}

fn properties(slots: &[Slot], facts: &Facts) -> Result<WriterPropertiesPtr> {
    let mut properties = WriterProperties::builder()
        .set_created_by("rayline".to_owned())
        .set_compression(Compression::ZSTD(ZstdLevel::try_new(3)?))
        .set_key_value_metadata(Some(facts.to_pairs()))
        .set_max_row_group_row_count(Some(GROUP_ROWS))
        .set_data_page_row_count_limit(GROUP_ROWS)
        .set_dictionary_page_size_limit(DICTIONARY)
        .set_offset_index_disabled(true)
        .set_statistics_enabled(EnabledStatistics::None);
    for slot in slots {
        let path = ColumnPath::from(slot.name());
        if let Some(encoding) = slot.encoding() {
            properties = properties
                .set_column_dictionary_enabled(path.clone(), false)
                .set_column_encoding(path.clone(), encoding);
        }
        if slot.has_bounds() {
            properties = properties.set_column_statistics_enabled(path.clone(), EnabledStatistics::Chunk);
        }
        if *slot == Slot::Line {
            // Of lines that are so much alike, the fastest level makes no more bytes than the next ones.
            let fastest = Compression::ZSTD(ZstdLevel::try_new(1)?);
            properties = properties
                .set_column_data_page_size_limit(path.clone(), LINES_PAGE)
                .set_column_compression(path, fastest);
        }
    }
    Ok(Arc::new(properties.build()))
}

fn write_column(
    column: &mut SerializedColumnWriter<'_>,
    chunk: &Chunk,
    slot: Slot,
    start: usize,
    end: usize,
) -> Result<()> {
    match slot {
        Slot::At => integers(column, part(&chunk.at, start, end).to_vec(), end - start),
        Slot::Ray => {
            integers(column, part(&chunk.rays, start, end).iter().map(|ray| signed(ray.0)).collect(), end - start)
        }
        Slot::Number(number) => {
            let numbers = chunk.numbers.get(number.index()).and_then(Option::as_ref);
            let numbers = numbers.map_or(&[][..], |numbers| part(numbers, start, end));
            integers(column, numbers.iter().copied().map(signed).collect(), end - start)
        }
        Slot::Weight => {
            let mut weights: Vec<i32> =
                part(&chunk.weight, start, end).iter().map(|weight| weight.cast_signed()).collect();
            weights.resize(end - start, 0);
            column.typed::<Int32Type>().write_batch(&weights, None, None).map(drop)
        }
        Slot::Text(dimension) => {
            let texts = chunk.columns.get(dimension.index()).and_then(Option::as_ref);
            texts_of(column, texts, start, end)
        }
        Slot::Line => {
            let mut lines: Vec<_> = part(&chunk.lines, start, end).iter().cloned().map(ByteArray::from).collect();
            lines.resize(end - start, ByteArray::from(Bytes::new()));
            column.typed::<ByteArrayType>().write_batch(&lines, None, None).map(drop)
        }
    }
}

fn integers(column: &mut SerializedColumnWriter<'_>, mut values: Vec<i64>, rows: usize) -> Result<()> {
    values.resize(rows, 0);
    column.typed::<Int64Type>().write_batch(&values, None, None).map(drop)
}

fn texts_of(column: &mut SerializedColumnWriter<'_>, texts: Option<&Column>, start: usize, end: usize) -> Result<()> {
    let empty = ByteArray::from(Bytes::new());
    let mut rows = Vec::with_capacity(end - start);
    if let Some(texts) = texts {
        let mut values = vec![None; texts.values.len()];
        for code in part(&texts.codes, start, end) {
            let code = *code as usize;
            let known = values.get_mut(code).map(|value: &mut Option<ByteArray>| {
                value.get_or_insert_with(|| ByteArray::from(texts.values.get(code).map_or("", |text| text))).clone()
            });
            rows.push(known.unwrap_or_else(|| empty.clone()));
        }
    }
    rows.resize(end - start, empty);
    column.typed::<ByteArrayType>().write_batch(&rows, None, None).map(drop)
}

fn part<T>(list: &[T], start: usize, end: usize) -> &[T] {
    list.get(start..end.min(list.len())).unwrap_or_default()
}

/// The file's integers are marked as unsigned: the bits stay what they are.
const fn signed(number: u64) -> i64 {
    number.cast_signed()
}

/// A file such as another version might write, whose dictionaries overflow.
#[cfg(test)]
pub(super) fn write_with_small_dictionary<W: Write + Send>(out: W, slots: &[Slot], chunk: &Chunk) {
    let facts = Facts::new(crate::chunk::Table::Requests, 1);
    let properties = WriterProperties::clone(&properties(slots, &facts).unwrap()).into_builder();
    let properties = properties.set_dictionary_page_size_limit(4096).build();
    let file = SerializedFileWriter::new(out, schema(slots).unwrap(), Arc::new(properties)).unwrap();
    let mut writer = Writer { file, slots: slots.to_vec(), waiting: Vec::new(), groups: 0, failed: None };
    writer.add(Arc::new(chunk.clone())).unwrap();
    writer.finish().unwrap();
}
