//! A selection under way, written down as it goes, so that it can go on after a crash.
//!
//! A journal is a list of records that only grows. What a record says is the method's business; replaying all of them
//! brings the method to where it was when it wrote the last one. A record is its length, its number, its bytes, and a
//! checksum of all that. A crash may cut the last one off: reading ends at the first record that is not whole, and loses
//! no more than the work behind it. So there is no moment at which a journal could not be resumed, and writing costs what
//! is new, however long the selection has been going on. Whole records that are not numbered 0, 1, 2 and so on are no
//! crash's doing, and refused.

use std::io;

use super::code::{self, checksum};
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
const NUMBER: usize = 8;
const CHECKSUM: usize = 8;

/// The records of an earlier run, to be replayed, and a place for new ones.
#[derive(Default)]
pub struct Journal<'a> {
    past: std::vec::IntoIter<&'a [u8]>,
    sink: Option<&'a mut dyn Sink>,
    /// The number of the next record.
    next: u64,
}

impl<'a> Journal<'a> {
    /// Replays the whole records in `past`, then appends to `sink`.
    ///
    /// # Errors
    /// [`Error::Checkpoint`] if the records do not follow each other.
    pub fn new(past: &'a [u8], sink: &'a mut dyn Sink) -> Result<Self> {
        let past = records(past)?.0;
        Ok(Self { next: past.len() as u64, past: past.into_iter(), sink: Some(sink) })
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
            Some(sink) => {
                sink.append(&record.finish(self.next)).map_err(|error| Error::Checkpoint(error.to_string()))?;
                self.next += 1;
                Ok(())
            }
            None => Ok(()),
        }
    }
}

/// The whole records at the start of `bytes`, and how many bytes they take.
///
/// # Errors
/// [`Error::Checkpoint`] if the records do not follow each other.
pub fn records(bytes: &[u8]) -> Result<(Vec<&[u8]>, usize)> {
    let mut found = Vec::new();
    let mut at = 0;
    while let Some(record) = whole(&bytes[at..]) {
        at += LENGTH + record.len() + CHECKSUM;
        let (number, content) = record.split_first_chunk::<NUMBER>().ok_or_else(misfit)?;
        let number = u64::from_le_bytes(*number);
        if number != found.len() as u64 {
            return Err(Error::Checkpoint(format!(
                "its journal has record {number} where record {} should be; start anew in another directory",
                found.len()
            )));
        }
        found.push(content);
    }
    Ok((found, at))
}

/// The number and the content of the record that `bytes` begin with, if it is whole.
fn whole(bytes: &[u8]) -> Option<&[u8]> {
    let length = u32::from_le_bytes(*bytes.first_chunk::<LENGTH>()?) as usize;
    let end = LENGTH + length;
    let sum = bytes.get(end..)?.first_chunk::<CHECKSUM>()?;
    (checksum(&bytes[..end]).to_le_bytes() == *sum).then(|| &bytes[LENGTH..end])
}

/// A record being written.
pub struct Writer(Vec<u8>);

impl Writer {
    /// A record of a kind.
    #[must_use]
    pub fn new(kind: u8) -> Self {
        let mut bytes = vec![0; LENGTH + NUMBER];
        bytes.push(kind);
        Self(bytes)
    }

    /// Adds a number.
    pub fn number(&mut self, number: u64) {
        code::put(&mut self.0, number);
    }

    /// Adds numbers, and how many they are.
    pub fn list(&mut self, numbers: impl ExactSizeIterator<Item = u64>) {
        self.number(numbers.len() as u64);
        numbers.for_each(|number| self.number(number));
    }

    fn finish(self, number: u64) -> Vec<u8> {
        let mut bytes = self.0;
        let length = u32::try_from(bytes.len() - LENGTH).expect("methods write records of some megabytes at most");
        bytes[..LENGTH].copy_from_slice(&length.to_le_bytes());
        bytes[LENGTH..LENGTH + NUMBER].copy_from_slice(&number.to_le_bytes());
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
        code::take(&mut self.0).ok_or_else(misfit)
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
        let mut journal = Journal::new(&[], &mut bytes).unwrap();
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
        let mut journal = Journal::new(&bytes, &mut rest).unwrap();
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
            let (found, used) = records(&bytes[..cut]).unwrap();
            assert_eq!((found.len(), used), (cut / size, cut / size * size));
        }
        for at in 0..bytes.len() {
            let mut damaged = bytes.clone();
            damaged[at] ^= 1;
            assert_eq!(records(&damaged).unwrap().0.len(), at / size, "byte {at}");
        }
    }

    #[test]
    fn records_that_do_not_follow_each_other_are_refused() {
        let bytes = written();
        let (first, rest) = bytes.split_at(bytes.len() / 3);
        let (second, third) = rest.split_at(first.len());
        for (journal, found, wanted) in [
            ([first, first, second, third].concat(), 0, 1),
            ([first, second, third, third].concat(), 2, 3),
            ([second, third].concat(), 1, 0),
            ([first, third].concat(), 2, 1),
            ([first, third, second].concat(), 2, 1),
        ] {
            let message = format!(
                "its journal has record {found} where record {wanted} should be; start anew in another directory"
            );
            assert_eq!(records(&journal).unwrap_err(), Error::Checkpoint(message));
        }
        assert_eq!(records(&[first, second].concat()).unwrap().0.len(), 2);
    }

    #[test]
    fn numbers_go_on_where_the_past_ended() {
        let mut bytes = written();
        let past = bytes.clone();
        let mut journal = Journal::new(&past, &mut bytes).unwrap();
        while journal.replay().is_some() {}
        journal.write(Writer::new(9)).unwrap();
        assert_eq!(records(&bytes).unwrap().0.len(), 4);
    }

    #[test]
    fn content_that_is_not_as_expected_is_refused() {
        let bytes = written();
        let record = || Reader(records(&bytes).unwrap().0[0]);
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
