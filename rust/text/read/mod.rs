//! Samples from JSON Lines and from columns of tables, the fast way: rendered by all threads.
//!
//! What a record's text is comes as data from Python (`python/entropylaw/pool/schema.py`). The interpreter here, `text`,
//! reads values wherever they lie. A record that is out of the ordinary in any way, broken ones included, is *left*:
//! Python renders it, or refuses it in words. So this module has to be right about what it renders, and may be as
//! strict as it likes about what it does not.

mod array;
mod columns;
mod json_text;
mod node;
mod repr;
mod schema;
mod template;
mod template_syntax;
mod text;
mod unread;
mod value;

use std::borrow::Cow;
use std::collections::{BTreeMap, HashMap};

use rayon::prelude::*;

use crate::error::{Error, Result};

pub use array::Items;
pub use columns::{Cells, Column};
use node::{Node, Object, View};
pub use repr::Printable;
pub use schema::{Kind, Member, Schema};
pub use template::Template;
pub use text::Text;
use unread::{Place, Unread};
use value::{Number, Record};

/// Bytes of lines that a thread takes at a time.
const PIECE: usize = 1 << 18;
/// Rows of a table that a thread takes at a time.
const ROWS: usize = 1 << 7;

/// What is read of each record.
#[derive(Debug, Clone)]
pub struct Spec {
    text: Text,
    group_by: Field,
    numbers: Vec<Field>,
    /// The keys of a record that any of these look at.
    keys: Vec<String>,
}

impl Spec {
    /// Samples are `text`; a record's group is the field `group_by`, its numbers are the fields `numbers`.
    #[must_use]
    pub fn new(text: Text, group_by: &str, numbers: &[String]) -> Self {
        let group_by = Field::new(group_by);
        let numbers: Vec<Field> = numbers.iter().map(|name| Field::new(name)).collect();
        let mut keys = text.keys();
        for field in numbers.iter().chain([&group_by]) {
            keys.extend(field.keys());
        }
        keys.sort_unstable();
        keys.dedup();
        Self { text, group_by, numbers, keys }
    }
}

/// A field of a record: a key, or keys of objects inside each other.
#[derive(Debug, Clone)]
pub struct Field {
    whole: String,
    path: Vec<String>,
}

impl Field {
    /// The field `name`, `a.b` for `b` inside `a`.
    #[must_use]
    pub fn new(name: &str) -> Self {
        Self { whole: name.to_owned(), path: name.split('.').map(str::to_owned).collect() }
    }

    fn keys(&self) -> Vec<String> {
        vec![self.whole.clone(), self.path[0].clone()]
    }

    /// The field's value, and the key of the record that it is in: one with dots in it, if there is one.
    fn find<'n>(&self, record: Object<'n>) -> Option<(&str, Node<'n>)> {
        if let Some(value) = record.get(&self.whole) {
            return Some((&self.whole, value));
        }
        let (first, rest) = self.path.split_first()?;
        let value = rest.iter().try_fold(record.get(first)?, |value, key| match value.view()? {
            View::Object(object) => object.get(key),
            _ => None,
        })?;
        Some((first, value))
    }
}

/// What was read of some records. Those that were left have the length -1 and count in everything else.
#[derive(Debug, Default, PartialEq)]
pub struct Batch {
    /// All samples, one after the other.
    pub data: Vec<u8>,
    /// Bytes of each record's sample; -1 for a record that is left to the caller.
    pub lengths: Vec<i64>,
    /// Where each record begins in the buffer.
    pub starts: Vec<i64>,
    /// Bytes of each record as it is stored.
    pub sizes: Vec<u32>,
    /// Line breaks before each record; empty if the records are not lines.
    pub lines: Vec<u32>,
    /// Line breaks that were met.
    pub breaks: u32,
    /// Position of each record's group in `group_names`.
    pub groups: Vec<u32>,
    /// Groups in the order in which they were met.
    pub group_names: Vec<String>,
    /// Of each number asked for, its values.
    pub numbers: Vec<Vec<f64>>,
    /// The members that the samples leave unread: in how many records, with how many bytes of text.
    pub unread: BTreeMap<String, (u64, u64)>,
}

impl Batch {
    /// # Errors
    /// [`Error::Limit`] if there are more lines than can be counted.
    fn append(&mut self, other: Self) -> Result<()> {
        let breaks = u64::from(self.breaks) + u64::from(other.breaks);
        let breaks = counted(breaks, "the lines read at once")?;
        self.data.extend(other.data);
        self.lengths.extend(other.lengths);
        self.starts.extend(other.starts);
        self.sizes.extend(other.sizes);
        self.lines.extend(other.lines.iter().map(|line| self.breaks + line));
        self.breaks = breaks;
        let known: HashMap<&str, u32> = self.group_names.iter().map(String::as_str).zip(0..).collect();
        let mut met = Vec::new();
        let codes: Vec<u32> = (other.group_names.iter())
            .map(|name| {
                known.get(name.as_str()).copied().unwrap_or_else(|| {
                    met.push(name.clone());
                    (known.len() + met.len() - 1) as u32
                })
            })
            .collect();
        self.group_names.extend(met);
        // A record that was left has the group 0, whether there is one or not.
        self.groups.extend(other.groups.iter().map(|&group| codes.get(group as usize).copied().unwrap_or(0)));
        self.numbers.resize_with(other.numbers.len(), Vec::new);
        for (mine, theirs) in self.numbers.iter_mut().zip(other.numbers) {
            mine.extend(theirs);
        }
        for (path, (records, bytes)) in other.unread {
            let known = self.unread.entry(path).or_default();
            *known = (known.0 + records, known.1 + bytes);
        }
        Ok(())
    }
}

/// A number that is kept in 32 bits; `what` says of what.
///
/// # Errors
/// [`Error::Limit`] if it is too large.
fn counted(number: u64, what: &str) -> Result<u32> {
    u32::try_from(number).map_err(|_| Error::Limit(format!("{what} are {number}; the limit is 2^32 - 1")))
}

/// Reads the lines of `buffer` that are not blank, on the current threads of rayon.
///
/// # Errors
/// [`Error::Limit`] if a record has 4 GiB or more.
pub fn lines(buffer: &[u8], spec: &Spec) -> Result<Batch> {
    let mut pieces = Vec::new();
    let mut start = 0;
    while start < buffer.len() {
        let least = (start + PIECE).min(buffer.len());
        let end = memchr::memchr(b'\n', &buffer[least..]).map_or(buffer.len(), |found| least + found + 1);
        pieces.push(start..end);
        start = end;
    }
    gathered(pieces.par_iter().map(|piece| {
        let mut reader = Reader::new(spec);
        let mut start = piece.start;
        for end in memchr::memchr_iter(b'\n', &buffer[piece.clone()]).map(|at| piece.start + at).chain([piece.end]) {
            let line = &buffer[start..end];
            if !line.iter().all(|&byte| is_space(byte)) {
                reader.read(line, start)?;
                reader.batch.lines.push(reader.batch.breaks);
            }
            reader.batch.breaks += u32::from(end < piece.end);
            start = (end + 1).min(piece.end);
        }
        Ok(reader.finish())
    }))
}

/// Reads records that lie at `spans` of `buffer`, start and end, on the current threads of rayon.
///
/// # Errors
/// [`Error::Limit`] if a record has 4 GiB or more.
///
/// # Panics
/// If a span is not inside the buffer.
pub fn spans(buffer: &[u8], spans: &[(usize, usize)], spec: &Spec) -> Result<Batch> {
    gathered(spans.par_chunks(256).map(|spans| {
        let mut reader = Reader::new(spec);
        for &(start, end) in spans {
            reader.read(&buffer[start..end], start)?;
        }
        Ok(reader.finish())
    }))
}

/// Reads rows of a table, of which these are some columns, on the current threads of rayon. The groups and numbers of
/// rows are the caller's to read.
///
/// # Errors
/// [`crate::Error::Offsets`] if a column has fewer cells.
pub fn rows(columns: &[(String, Column<'_>)], count: usize, spec: &Spec) -> Result<Batch> {
    columns.iter().try_for_each(|(_, column)| column.check(count))?;
    let starts: Vec<usize> = (0..count).step_by(ROWS).collect();
    gathered(starts.par_iter().map(|&start| {
        let mut reader = Reader::new(spec);
        for row in start..count.min(start + ROWS) {
            let before = reader.batch.data.len();
            let read = spec.text.render(Object::Cells(columns, row), &mut reader.batch.data, &mut reader.unread);
            let length = reader.ended(before, read);
            reader.batch.lengths.push(length);
        }
        Ok(reader.finish())
    }))
}

fn gathered(batches: impl ParallelIterator<Item = Result<Batch>>) -> Result<Batch> {
    let batches: Vec<Batch> = batches.collect_vec_list().into_iter().flatten().collect::<Result<_>>()?;
    let mut all = Batch::default();
    all.data.reserve_exact(batches.iter().map(|batch| batch.data.len()).sum());
    for batch in batches {
        all.append(batch)?;
    }
    Ok(all)
}

/// What Python's `bytes.isspace` counts.
fn is_space(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t'..=b'\r')
}

/// Reads records one after the other.
struct Reader<'s> {
    spec: &'s Spec,
    batch: Batch,
    group_ids: HashMap<String, u32>,
    unread: Unread,
}

impl<'s> Reader<'s> {
    fn new(spec: &'s Spec) -> Self {
        let numbers = vec![Vec::new(); spec.numbers.len()];
        Self { spec, batch: Batch { numbers, ..Batch::default() }, group_ids: HashMap::new(), unread: Unread::new() }
    }

    fn finish(mut self) -> Batch {
        self.batch.unread = self.unread.found().collect();
        self.batch
    }

    /// Ends a record, whose sample begins at `before` if it was read: the sample's bytes, or -1 if it is left.
    fn ended(&mut self, before: usize, read: Option<()>) -> i64 {
        if read.is_some() {
            self.unread.end_record();
            return (self.batch.data.len() - before) as i64;
        }
        self.unread.drop_record();
        self.batch.data.truncate(before);
        -1
    }

    fn read(&mut self, raw: &[u8], start: usize) -> Result<()> {
        let size = counted(raw.len() as u64, "the bytes of a record")?;
        let before = self.batch.data.len();
        let read = self.read_record(raw);
        if read.is_none() {
            self.batch.groups.push(0);
            self.batch.numbers.iter_mut().for_each(|column| column.push(f64::NAN));
        }
        let length = self.ended(before, read);
        self.batch.lengths.push(length);
        self.batch.starts.push(start as i64);
        self.batch.sizes.push(size);
        Ok(())
    }

    /// Renders a record and keeps its group and numbers; None if it is to be left, with the batch's samples to mend.
    fn read_record(&mut self, raw: &[u8]) -> Option<()> {
        // All of it, because values that nobody looks at are not decoded.
        let json = std::str::from_utf8(raw).ok()?;
        let record = value::parse(json, &self.spec.keys, self.spec.text.leaves_unread())?;
        let none = Vec::new();
        let object = Object::Json(if let Record::Object { members, .. } = &record { members } else { &none });
        match (&self.spec.text, &record) {
            (Text::Json, _) => self.batch.data.extend(raw),
            (Text::Repr(printable), _) => repr::render(json, printable, &mut self.batch.data)?,
            (Text::Schema(schema), Record::Text(text)) if schema.members.is_empty() => {
                self.batch.data.extend(text.as_bytes());
            }
            (_, Record::Text(_)) => return None,
            (text, Record::Object { others, .. }) => {
                text.render(object, &mut self.batch.data, &mut self.unread)?;
                for (name, bytes) in others {
                    let place = self.unread.member(Place::RECORD, name);
                    self.unread.leave(place, *bytes);
                }
            }
        }
        let group = match self.spec.group_by.find(object).map(|(_, value)| value.view()) {
            None | Some(Some(View::Null)) => Cow::Borrowed(""),
            Some(Some(View::Text(text))) => Cow::Borrowed(text),
            Some(Some(View::Number(Number::Int(number)))) => Cow::Owned(number.to_string()),
            Some(_) => return None,
        };
        let mut numbers = Vec::with_capacity(self.spec.numbers.len());
        for field in &self.spec.numbers {
            match field.find(object)?.1.view()? {
                View::Number(number) => numbers.push(number.as_f64()),
                _ => return None,
            }
        }
        for (column, number) in self.batch.numbers.iter_mut().zip(numbers) {
            column.push(number);
        }
        let next = self.group_ids.len() as u32;
        let code = match self.group_ids.get(&*group) {
            Some(&code) => code,
            None => {
                self.batch.group_names.push(group.clone().into_owned());
                self.group_ids.insert(group.into_owned(), next);
                next
            }
        };
        self.batch.groups.push(code);
        Some(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_does_not_fit_32_bits_is_refused() {
        assert_eq!(counted(u64::from(u32::MAX), "the lines"), Ok(u32::MAX));
        let message = "the bytes of a record are 4294967296; the limit is 2^32 - 1".to_owned();
        assert_eq!(counted(1 << 32, "the bytes of a record"), Err(Error::Limit(message)));
    }

    #[test]
    fn lines_are_counted_up_to_the_limit() {
        let batch = |breaks| Batch { breaks, lines: vec![0], ..Batch::default() };
        let mut all = batch(u32::MAX - 1);
        all.append(batch(1)).unwrap();
        assert_eq!((all.breaks, &all.lines[..]), (u32::MAX, &[0, u32::MAX - 1][..]));
        assert!(matches!(all.append(batch(1)), Err(Error::Limit(_))));
    }
}
