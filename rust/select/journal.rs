//! A selection under way, written down as it goes, so that it can go on after a crash.
//!
//! A journal is a list of records that only grows. What a record says is the method's business; replaying all of them
//! brings the method to where it was when it wrote the last one. A record is its length, its bytes, and a checksum of
//! both. A crash may cut the last one off: reading ends at the first record that is not whole, and loses no more than
//! the work behind it. So there is no moment at which a journal could not be resumed, and writing costs what is new,
//! however long the selection has been going on.
//!
//! Numbers are coded with seven bits a byte, low bits first (LEB128): most are small.

use std::io;

use crate::error::{Error, Result};

/// Where records go.
pub trait Sink: Send + Sync {
    /// Adds bytes at the end, for good: a crash right after this does not lose them.
    ///
    /// # Errors
    /// Whatever keeps it from doing so.
    fn append(&mut self, bytes: &[u8]) -> io::Result<()>;
}

/// What the file of a journal begins with, before the records: a file without it is somebody else's.
pub const HEADER: &[u8] = b"entropylaw journal 1\n";

/// Bytes of a record besides its content.
const LENGTH: usize = 4;
const CHECKSUM: usize = 8;

/// The records of an earlier run, to be replayed, and a place for new ones.
#[derive(Default)]
pub struct Journal<'a> {
    past: std::vec::IntoIter<&'a [u8]>,
    sink: Option<&'a mut dyn Sink>,
}

impl<'a> Journal<'a> {
    /// Replays the whole records in `past`, then appends to `sink`.
    pub fn new(past: &'a [u8], sink: &'a mut dyn Sink) -> Self {
        Self { past: records(past).0.into_iter(), sink: Some(sink) }
    }

    /// Whether new records are kept.
    #[must_use]
    pub fn is_kept(&self) -> bool {
        self.sink.is_some()
    }

    /// The next record of the earlier run.
    pub fn replay(&mut self) -> Option<Reader<'a>> {
        self.past.next().map(Reader)
    }

    /// Adds a record.
    ///
    /// # Errors
    /// [`Error::Checkpoint`] if it can't be kept.
    pub fn write(&mut self, record: Writer) -> Result<()> {
        match &mut self.sink {
            Some(sink) => sink.append(&record.finish()).map_err(|error| Error::Checkpoint(error.to_string())),
            None => Ok(()),
        }
    }
}

/// The whole records at the start of `bytes`, and how many bytes they take.
#[must_use]
pub fn records(bytes: &[u8]) -> (Vec<&[u8]>, usize) {
    let mut found = Vec::new();
    let mut at = 0;
    while let Some(record) = whole(&bytes[at..]) {
        found.push(record);
        at += LENGTH + record.len() + CHECKSUM;
    }
    (found, at)
}

/// The content of the record that `bytes` begin with, if it is whole.
fn whole(bytes: &[u8]) -> Option<&[u8]> {
    let length = u32::from_le_bytes(*bytes.first_chunk::<LENGTH>()?) as usize;
    let end = LENGTH + length;
    let sum = bytes.get(end..)?.first_chunk::<CHECKSUM>()?;
    (checksum(&bytes[..end]).to_le_bytes() == *sum).then(|| &bytes[LENGTH..end])
}

/// 64-bit FNV-1a.
fn checksum(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |sum, &byte| (sum ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3))
}

/// A record being written.
pub struct Writer(Vec<u8>);

impl Writer {
    /// A record of a kind.
    #[must_use]
    pub fn new(kind: u8) -> Self {
        Self(vec![0, 0, 0, 0, kind])
    }

    /// Adds a number.
    pub fn number(&mut self, mut number: u64) {
        while number >= 0x80 {
            self.0.push(number as u8 | 0x80);
            number >>= 7;
        }
        self.0.push(number as u8);
    }

    /// Adds numbers, and how many they are.
    pub fn list(&mut self, numbers: impl ExactSizeIterator<Item = u64>) {
        self.number(numbers.len() as u64);
        numbers.for_each(|number| self.number(number));
    }

    fn finish(self) -> Vec<u8> {
        let mut bytes = self.0;
        let length = u32::try_from(bytes.len() - LENGTH).expect("methods write records of some megabytes at most");
        bytes[..LENGTH].copy_from_slice(&length.to_le_bytes());
        bytes.extend(checksum(&bytes).to_le_bytes());
        bytes
    }
}

/// A record being read.
pub struct Reader<'a>(&'a [u8]);

impl Reader<'_> {
    /// The record's kind; 0 if it is empty.
    #[must_use]
    pub fn kind(&self) -> u8 {
        self.0.first().copied().unwrap_or(0)
    }

    /// Reads the content with `read`, all of it.
    ///
    /// # Errors
    /// [`Error::Checkpoint`] if there is less or more of it.
    pub fn content<T>(mut self, read: impl FnOnce(&mut Self) -> Result<T>) -> Result<T> {
        self.0 = self.0.get(1..).unwrap_or_default();
        let content = read(&mut self)?;
        if self.0.is_empty() { Ok(content) } else { Err(misfit()) }
    }

    /// The next number.
    ///
    /// # Errors
    /// [`Error::Checkpoint`] if there is none.
    pub fn number(&mut self) -> Result<u64> {
        let mut number = 0;
        for shift in (0..64).step_by(7) {
            let (&byte, rest) = self.0.split_first().ok_or_else(misfit)?;
            self.0 = rest;
            number |= u64::from(byte & 0x7f) << shift;
            if byte < 0x80 {
                return Ok(number);
            }
        }
        Err(misfit())
    }

    /// The next numbers.
    ///
    /// # Errors
    /// [`Error::Checkpoint`] if there are not so many.
    pub fn list(&mut self) -> Result<Vec<u64>> {
        let count = self.number()?;
        (0..count).map(|_| self.number()).collect()
    }

    /// The next numbers, as positions below `end`.
    ///
    /// # Errors
    /// [`Error::Checkpoint`] if there are not so many, or one is not below `end`.
    pub fn positions(&mut self, end: usize) -> Result<Vec<usize>> {
        let position = |number: u64| usize::try_from(number).ok().filter(|&position| position < end);
        self.list()?.into_iter().map(position).collect::<Option<_>>().ok_or_else(misfit)
    }
}

/// The error for records that this selection can't have written.
#[must_use]
pub fn misfit() -> Error {
    Error::Checkpoint("its records are not those of this selection; start anew in another directory".into())
}

#[cfg(test)]
mod tests {
    use super::*;

    impl Sink for Vec<u8> {
        fn append(&mut self, bytes: &[u8]) -> io::Result<()> {
            self.extend_from_slice(bytes);
            Ok(())
        }
    }

    fn written() -> Vec<u8> {
        let mut bytes = Vec::new();
        let mut journal = Journal::new(&[], &mut bytes);
        for n in 0..3_u64 {
            let mut record = Writer::new(n as u8 + 1);
            record.number(u64::MAX - n);
            record.list([0, 127, 128, 1 << 40].into_iter());
            journal.write(record).unwrap();
        }
        bytes
    }

    #[test]
    fn records_come_back() {
        let (bytes, mut rest) = (written(), Vec::new());
        let mut journal = Journal::new(&bytes, &mut rest);
        for n in 0..3 {
            let record = journal.replay().unwrap();
            assert_eq!(record.kind(), n as u8 + 1);
            let content = record.content(|reader| Ok((reader.number()?, reader.list()?))).unwrap();
            assert_eq!(content, (u64::MAX - n, vec![0, 127, 128, 1 << 40]));
        }
        assert!(journal.replay().is_none());
    }

    #[test]
    fn a_record_cut_off_or_damaged_ends_the_journal() {
        let bytes = written();
        let size = bytes.len() / 3;
        for cut in 0..=bytes.len() {
            let (found, used) = records(&bytes[..cut]);
            assert_eq!((found.len(), used), (cut / size, cut / size * size));
        }
        for at in 0..bytes.len() {
            let mut damaged = bytes.clone();
            damaged[at] ^= 1;
            assert_eq!(records(&damaged).0.len(), at / size, "byte {at}");
        }
    }

    #[test]
    fn content_that_is_not_as_expected_is_refused() {
        let bytes = written();
        let record = || Reader(records(&bytes).0[0]);
        assert!(record().content(|reader| reader.number()).is_err(), "more than was read");
        assert!(
            record()
                .content(|reader| (reader.number()?, reader.list()?, reader.number()?)
                    .0
                    .checked_add(0)
                    .ok_or_else(misfit))
                .is_err()
        );
        assert!(
            record()
                .content(|reader| {
                    reader.number()?;
                    reader.positions(1 << 40)
                })
                .is_err()
        );
        assert!(
            record()
                .content(|reader| {
                    reader.number()?;
                    reader.positions((1 << 40) + 1)
                })
                .is_ok()
        );
    }
}
