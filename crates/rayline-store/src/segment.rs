//! A file of rows: one Parquet file, which any tool can read. What is in it is decoded column by column and row group by
//! row group, and only if it is asked for. It does not know which files there are.

mod facts;
mod pages;
mod slot;
#[cfg(test)]
pub(crate) mod tests;
mod write;

use std::fs::File;
use std::io::{self, BufReader, Read};
use std::ops::Range;
use std::os::unix::fs::FileExt;
use std::panic::AssertUnwindSafe;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use bytes::Bytes;
use parquet::column::page::PageReader;
use parquet::column::reader::{get_column_reader, get_typed_column_reader};
use parquet::data_type::{DataType, Int32Type, Int64Type};
use parquet::file::metadata::{PageIndexPolicy, ParquetMetaData, ParquetMetaDataReader, RowGroupMetaData};
use parquet::file::reader::{ChunkReader, Length};
use parquet::file::serialized_reader::SerializedPageReader;
use parquet::file::statistics::Statistics;
use rayline_verdict::{Moment, RayId};

use crate::chunk::{ASKED, Chunk, Column, Outcome, Shared, Span, Wanted, asked_of, hash_of};
use crate::dimension::{Dimension, Number};
pub(crate) use facts::{Facts, Ranges};
pub(crate) use slot::Slot;
pub(crate) use write::{GROUP_ROWS, Writer};

/// An open file. It stays readable even when it has been removed.
#[derive(Debug)]
pub(crate) struct Segment {
    /// Names it in this process: numbers of files may come again once their file is gone.
    pub(crate) id: u64,
    /// Where it lies.
    pub(crate) path: PathBuf,
    /// Its length in bytes.
    pub(crate) bytes: u64,
    /// What it says of itself.
    pub(crate) facts: Facts,
    /// Its row groups.
    pub(crate) groups: Vec<Group>,
    slots: Vec<Slot>,
    disk: Arc<Disk>,
    meta: ParquetMetaData,
}

/// A row group: what can be known of it without reading it.
#[derive(Clone, Debug)]
pub(crate) struct Group {
    /// How many rows.
    pub(crate) rows: usize,
    /// The first moment.
    pub(crate) first: i64,
    /// The last one.
    pub(crate) last: i64,
    /// The least and the greatest Ray ID.
    pub(crate) rays: Option<(u64, u64)>,
    /// How all of its requests ended; [`Outcome::Any`] if that differs or is not known.
    pub(crate) outcome: Outcome,
    /// The least and the greatest of those numbers that are kept with bounds.
    numbers: Vec<(Number, (u64, u64))>,
}

/// A column of a row group.
#[derive(Clone, Debug)]
pub(crate) enum Decoded {
    At(Shared<i64>),
    Weight(Shared<u32>),
    Rays(Shared<RayId>),
    Text(Column),
    Number(Shared<u64>),
    Lines(Shared<Bytes>),
}

impl Segment {
    /// Opens a file and reads its end.
    ///
    /// # Errors
    ///
    /// [`io::ErrorKind::InvalidData`] if it is damaged or of a later version.
    pub(crate) fn open(path: &Path) -> io::Result<Self> {
        static IDS: AtomicU64 = AtomicU64::new(0);
        let file = File::open(path)?;
        let bytes = file.metadata()?.len();
        let disk = Arc::new(Disk { file: Arc::new(file), bytes });
        let meta = guarded(|| {
            let reader = ParquetMetaDataReader::new().with_page_index_policy(PageIndexPolicy::Skip);
            Ok(reader.parse_and_finish(&*disk)?)
        })?;
        let file = meta.file_metadata();
        let pairs = file.key_value_metadata().map_or(&[][..], Vec::as_slice);
        let facts = Facts::from_pairs(pairs).map_err(invalid)?;
        let slots = file.schema_descr().columns().iter().map(|column| Slot::named(column.name()));
        let slots: Vec<_> = slots.collect::<Option<_>>().ok_or_else(|| invalid("it has a column of no known name"))?;
        let groups = meta.row_groups().iter().map(|group| Group::of(group, &slots, bytes));
        let mut groups: Vec<_> = groups.collect::<Option<_>>().ok_or_else(|| invalid("a row group makes no sense"))?;
        if let Some(failed) = facts::failed_groups(pairs).map_err(invalid)? {
            for (place, group) in groups.iter_mut().enumerate() {
                group.outcome = if failed.contains(place as u64) { Outcome::Failed } else { Outcome::Fine };
            }
        }
        let id = IDS.fetch_add(1, Ordering::Relaxed);
        Ok(Self { id, path: path.to_owned(), bytes, facts, groups, slots, disk, meta })
    }

    /// From the first row's moment to the last one's.
    pub(crate) fn bounds(&self) -> (i64, i64) {
        let first = self.groups.iter().map(|group| group.first).min().unwrap_or_default();
        (first, self.groups.iter().map(|group| group.last).max().unwrap_or_default())
    }

    /// How many rows.
    pub(crate) fn rows(&self) -> usize {
        self.groups.iter().map(|group| group.rows).sum()
    }

    /// Its columns.
    pub(crate) fn slots(&self) -> &[Slot] {
        &self.slots
    }

    /// One column of one row group; `None` if the file has not got it.
    pub(crate) fn read(&self, group: usize, slot: Slot) -> io::Result<Option<Decoded>> {
        let Some(rows) = self.groups.get(group).map(|group| group.rows) else { return Ok(None) };
        if slot == Slot::Line {
            let lines = self.lines(group, 0..rows)?;
            return Ok(lines.map(|lines| Decoded::Lines(lines.into())));
        }
        guarded(|| {
            let Some(mut pages) = self.pages(group, slot)? else { return Ok(None) };
            let decoded = match slot {
                Slot::At => Decoded::At(self.values::<Int64Type>(pages, slot, rows)?.into()),
                Slot::Weight => {
                    let weights = self.values::<Int32Type>(pages, slot, rows)?;
                    Decoded::Weight(weights.into_iter().map(i32::cast_unsigned).collect())
                }
                Slot::Ray => {
                    let rays = self.values::<Int64Type>(pages, slot, rows)?;
                    Decoded::Rays(rays.into_iter().map(|ray| RayId(ray.cast_unsigned())).collect())
                }
                Slot::Number(_) => {
                    let numbers = self.values::<Int64Type>(pages, slot, rows)?;
                    Decoded::Number(numbers.into_iter().map(i64::cast_unsigned).collect())
                }
                Slot::Text(_) | Slot::Line => Decoded::Text(pages::texts(&mut *pages, rows)?),
            };
            Ok(Some(decoded))
        })
    }

    /// The codes of a dimension's texts, which `place` gives to them; `None` if the file has not got it.
    pub(crate) fn codes(
        &self,
        group: usize,
        dimension: Dimension,
        place: &mut dyn FnMut(&[Bytes]) -> Vec<u32>,
    ) -> io::Result<Option<Vec<u32>>> {
        let Some(rows) = self.groups.get(group).map(|group| group.rows) else { return Ok(None) };
        guarded(|| match self.pages(group, Slot::Text(dimension))? {
            Some(mut pages) => pages::codes(&mut *pages, rows, &mut |texts, _| place(texts)).map(Some),
            None => Ok(None),
        })
    }

    /// Who asked for what in each row, see [`Wanted::asked`]: made of the dictionaries as they are in the file.
    pub(crate) fn asked(&self, group: usize) -> io::Result<Vec<u64>> {
        let rows = self.groups.get(group).map_or(0, |group| group.rows);
        let mut columns = [const { (Vec::new(), Vec::new()) }; ASKED.len()];
        for ((codes, hashes), dimension) in columns.iter_mut().zip(ASKED) {
            let mut place = |texts: &[Bytes]| {
                let first = hashes.len() as u32;
                hashes.extend(texts.iter().map(|text| hash_of(text)));
                (first..hashes.len() as u32).collect()
            };
            *codes = self.codes(group, dimension, &mut place)?.unwrap_or_default();
        }
        let empty = hash_of(b"");
        let of_row = |row: usize| {
            asked_of(columns.each_ref().map(|(codes, hashes)| {
                let hash = codes.get(row).and_then(|code| hashes.get(*code as usize));
                hash.copied().unwrap_or(empty)
            }))
        };
        Ok((0..rows).map(of_row).collect())
    }

    /// Some of a row group's lines; `None` if the file has none.
    pub(crate) fn lines(&self, group: usize, rows: Range<usize>) -> io::Result<Option<Vec<Bytes>>> {
        guarded(|| match self.pages(group, Slot::Line)? {
            Some(mut pages) => pages::lines(&mut *pages, rows).map(Some),
            None => Ok(None),
        })
    }

    fn pages(&self, group: usize, slot: Slot) -> io::Result<Option<Box<dyn PageReader>>> {
        let Some(column) = self.slots.iter().position(|have| *have == slot) else { return Ok(None) };
        let Some(group) = self.meta.row_groups().get(group) else { return Ok(None) };
        let Some(column) = group.columns().get(column) else { return Ok(None) };
        let rows = usize::try_from(group.num_rows()).map_err(|_| invalid("a row group has less than no rows"))?;
        Ok(Some(Box::new(SerializedPageReader::new(Arc::clone(&self.disk), column, rows, None)?)))
    }

    fn values<T: DataType>(&self, pages: Box<dyn PageReader>, slot: Slot, rows: usize) -> io::Result<Vec<T::T>> {
        let column = self.slots.iter().position(|have| *have == slot).unwrap_or_default();
        let schema = self.meta.file_metadata().schema_descr();
        let mut reader = get_typed_column_reader::<T>(get_column_reader(schema.column(column), pages));
        let mut values = Vec::with_capacity(rows);
        while values.len() < rows {
            let (records, _, _) = reader.read_records(rows - values.len(), None, None, &mut values)?;
            if records == 0 {
                return Err(pages::damaged("the number of rows"));
            }
        }
        Ok(values)
    }
}

impl Group {
    /// `None` if it cannot be what we wrote.
    fn of(group: &RowGroupMetaData, slots: &[Slot], file_bytes: u64) -> Option<Self> {
        let bounds = |slot| {
            let place = slots.iter().position(|have| *have == slot)?;
            match group.columns().get(place)?.statistics()? {
                Statistics::Int64(statistics) => Some((*statistics.min_opt()?, *statistics.max_opt()?)),
                _ => None,
            }
        };
        let rows = usize::try_from(group.num_rows()).ok().filter(|rows| *rows <= GROUP_ROWS)?;
        let whole = |slot: Slot, column: &parquet::file::metadata::ColumnChunkMetaData| {
            let (start, length) = column.byte_range();
            let type_fits = slot.schema().is_ok_and(|schema| schema.get_physical_type() == column.column_type());
            type_fits && start.checked_add(length).is_some_and(|end| end <= file_bytes)
        };
        if slots.len() != group.num_columns() || !slots.iter().zip(group.columns()).all(|(slot, it)| whole(*slot, it)) {
            return None;
        }
        let (first, last) = bounds(Slot::At)?;
        let unsigned = |slot| bounds(slot).map(|(least, greatest)| (least.cast_unsigned(), greatest.cast_unsigned()));
        let numbers = Number::ALL.into_iter().filter_map(|number| Some((number, unsigned(Slot::Number(number))?)));
        let (rays, numbers) = (unsigned(Slot::Ray), numbers.collect());
        Some(Self { rows, first, last, rays, outcome: Outcome::Any, numbers })
    }

    /// Whether all of its rows are of a span.
    pub(crate) fn lies_in(&self, span: Span) -> bool {
        span.contains(Moment(self.first)) && span.contains(Moment(self.last))
    }

    /// Whether it may have rows that are wanted, as far as that depends on the rows.
    pub(crate) fn may_have(&self, wanted: &Wanted) -> bool {
        let outcome = self.outcome == Outcome::Any || wanted.outcome == Outcome::Any || self.outcome == wanted.outcome;
        let enough = wanted.at_least.is_none_or(|(number, least)| {
            let known = self.numbers.iter().find(|(known, _)| *known == number);
            known.is_none_or(|(_, (_, greatest))| *greatest >= least)
        });
        outcome && enough
    }

    /// Whether it may have rows of a span.
    pub(crate) fn overlaps(&self, span: Span) -> bool {
        Moment(self.first) < span.to && span.from <= Moment(self.last)
    }
}

impl Decoded {
    /// About how much memory it takes.
    pub(crate) fn bytes(&self) -> usize {
        match self {
            Self::At(list) => list.len() * 8,
            Self::Weight(list) => list.len() * 4,
            Self::Rays(list) => list.len() * 8,
            Self::Number(list) => list.len() * 8,
            Self::Text(column) => {
                column.codes.len() * 4 + column.values.iter().map(|value| value.len() + 16).sum::<usize>()
            }
            Self::Lines(lines) => lines.iter().map(|line| line.len() + size_of::<Bytes>()).sum(),
        }
    }

    /// Some of its rows.
    #[must_use]
    pub(crate) fn part(self, rows: &Range<usize>) -> Self {
        match self {
            Self::At(list) => Self::At(list.part(rows)),
            Self::Weight(list) => Self::Weight(list.part(rows)),
            Self::Rays(list) => Self::Rays(list.part(rows)),
            Self::Number(list) => Self::Number(list.part(rows)),
            Self::Text(Column { codes, values }) => Self::Text(Column { codes: codes.part(rows), values }),
            Self::Lines(list) => Self::Lines(list.part(rows)),
        }
    }

    /// Puts it where it belongs.
    pub(crate) fn put_into(self, chunk: &mut Chunk, slot: Slot) {
        match (self, slot) {
            (Self::At(list), _) => chunk.at = list,
            (Self::Weight(list), _) => chunk.weight = list,
            (Self::Rays(list), _) => chunk.rays = list,
            (Self::Lines(list), _) => chunk.lines = list,
            (Self::Text(column), Slot::Text(dimension)) => {
                if let Some(place) = chunk.columns.get_mut(dimension.index()) {
                    *place = Some(column);
                }
            }
            (Self::Number(list), Slot::Number(number)) => {
                if let Some(place) = chunk.numbers.get_mut(number.index()) {
                    *place = Some(list);
                }
            }
            (Self::Text(_) | Self::Number(_), _) => {}
        }
    }
}

/// The library checks most of what it reads, and panics at some of what it does not expect: that is the file's fault too.
fn guarded<T>(read: impl FnOnce() -> io::Result<T>) -> io::Result<T> {
    match std::panic::catch_unwind(AssertUnwindSafe(read)) {
        Ok(Ok(read)) => Ok(read),
        Ok(Err(error)) => Err(system_error(&error).unwrap_or_else(|| invalid(error))),
        Err(_) => Err(invalid("it does not hold together")),
    }
}

/// The kernel's error, if one is at the root of it: that is not the file's fault.
fn system_error(error: &(dyn std::error::Error + 'static)) -> Option<io::Error> {
    std::iter::successors(Some(error), |error| error.source())
        .find_map(|error| error.downcast_ref::<io::Error>()?.raw_os_error())
        .map(io::Error::from_raw_os_error)
}

fn invalid(error: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, error)
}

/// Reads at any place without moving a position that threads would share.
#[derive(Debug)]
struct Disk {
    file: Arc<File>,
    bytes: u64,
}

impl Length for Disk {
    fn len(&self) -> u64 {
        self.bytes
    }
}

impl ChunkReader for Disk {
    type T = BufReader<From>;

    fn get_read(&self, start: u64) -> parquet::errors::Result<BufReader<From>> {
        // Only headers are read this way.
        Ok(BufReader::with_capacity(512, From { file: Arc::clone(&self.file), place: start }))
    }

    fn get_bytes(&self, start: u64, length: usize) -> parquet::errors::Result<Bytes> {
        let within = start.checked_add(length as u64).is_some_and(|end| end <= self.bytes);
        if !within {
            return Err(invalid("it is too short").into());
        }
        let mut bytes = vec![0; length];
        self.file.read_exact_at(&mut bytes, start)?;
        Ok(bytes.into())
    }
}

/// A file from a place on.
#[derive(Debug)]
struct From {
    file: Arc<File>,
    place: u64,
}

impl Read for From {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.file.read_at(buffer, self.place)?;
        self.place += read as u64;
        Ok(read)
    }
}
