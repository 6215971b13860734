//! What coordinator and partitions say to each other, as bytes.
//!
//! A request is a version, then one or more operations, each with its content; the reply is a version, then the contents
//! that answer them, in the same order. A checksum ends both, so that what has been damaged or is no message at all is told
//! before anything is done about it. Numbers are coded as in a journal; ascending ones by the gaps between them.

use std::ops::Range;

use super::op::Op;
use crate::error::{Error, Result};
use crate::run::code::{self, checksum};

/// What messages begin with: who reads them must know this version.
const VERSION: u8 = 1;
const CHECKSUM: usize = 8;

/// The error for bytes that are no message, or none that makes sense.
pub(crate) fn garbled() -> Error {
    Error::Parameter(
        "a message between a partition and its coordinator makes no sense: both must be of one version of entropylaw"
            .into(),
    )
}

/// A request being written.
pub(crate) struct Request(Vec<u8>);

impl Request {
    /// A request for nothing yet.
    pub(crate) fn new() -> Self {
        Self(vec![VERSION])
    }

    /// Asks for one thing more.
    pub(crate) fn with(mut self, op: Op, content: &Writer) -> Self {
        self.0.push(op as u8);
        frame(&mut self.0, &content.0);
        self
    }

    /// Whether nothing is asked for.
    pub(crate) fn is_empty(&self) -> bool {
        self.0.len() == 1
    }

    /// Its bytes.
    pub(crate) fn finish(self) -> Vec<u8> {
        seal(self.0)
    }
}

/// The operations of a request.
pub(crate) fn operations(request: &[u8]) -> Result<Vec<(Op, Reader<'_>)>> {
    let mut rest = unseal(request)?;
    let mut found = Vec::new();
    while let Some((&code, content)) = rest.0.split_first() {
        rest.0 = content;
        found.push((Op::of(code).ok_or_else(garbled)?, Reader(rest.bytes()?)));
    }
    Ok(found)
}

/// The part of a request that later answers depend on, as a request; None if there is none.
///
/// A partition that is made anew, from the same samples, and asked these parts of all requests that were answered before
/// goes on where the other one was.
///
/// # Errors
/// [`Error::Parameter`] if it is no request.
pub fn changes(request: &[u8]) -> Result<Option<Vec<u8>>> {
    let mut kept = Request::new();
    for (op, content) in operations(request)? {
        if op.changes() {
            kept.0.push(op as u8);
            frame(&mut kept.0, content.0);
        }
    }
    Ok((!kept.is_empty()).then(|| kept.finish()))
}

/// The bytes of a reply.
pub(crate) fn reply(contents: &[Writer]) -> Vec<u8> {
    let mut bytes = vec![VERSION];
    contents.iter().for_each(|content| frame(&mut bytes, &content.0));
    seal(bytes)
}

/// A reply that was received.
pub(crate) struct Reply {
    bytes: Vec<u8>,
    contents: Vec<Range<usize>>,
}

impl Reply {
    /// # Errors
    /// [`Error::Parameter`] if it is none.
    pub(crate) fn new(bytes: Vec<u8>) -> Result<Self> {
        let mut rest = unseal(&bytes)?;
        let end = bytes.len() - CHECKSUM;
        let mut contents = Vec::new();
        while !rest.0.is_empty() {
            let length = rest.bytes()?.len();
            let at = end - rest.0.len();
            contents.push(at - length..at);
        }
        Ok(Self { bytes, contents })
    }

    /// What answers operation `at` of the request.
    pub(crate) fn content(&self, at: usize) -> Result<Reader<'_>> {
        self.contents.get(at).map(|range| Reader(&self.bytes[range.clone()])).ok_or_else(garbled)
    }

    /// What answers the last operation.
    pub(crate) fn last(&self) -> Result<Reader<'_>> {
        self.content(self.contents.len().wrapping_sub(1))
    }
}

fn frame(bytes: &mut Vec<u8>, content: &[u8]) {
    code::put(bytes, content.len() as u64);
    bytes.extend_from_slice(content);
}

fn seal(mut bytes: Vec<u8>) -> Vec<u8> {
    bytes.extend(checksum(&bytes).to_le_bytes());
    bytes
}

/// What is between version and checksum.
fn unseal(bytes: &[u8]) -> Result<Reader<'_>> {
    let (content, sum) = bytes.split_last_chunk::<CHECKSUM>().ok_or_else(garbled)?;
    match content.split_first() {
        Some((&VERSION, rest)) if checksum(content).to_le_bytes() == *sum => Ok(Reader(rest)),
        _ => Err(garbled()),
    }
}

/// A content being written.
#[derive(Default)]
pub(crate) struct Writer(Vec<u8>);

impl Writer {
    /// No content yet.
    pub(crate) fn new() -> Self {
        Self::default()
    }

    /// Adds a number.
    #[inline]
    pub(crate) fn number(&mut self, number: u64) {
        code::put(&mut self.0, number);
    }

    /// Adds a real number.
    pub(crate) fn real(&mut self, number: f64) {
        self.0.extend(number.to_le_bytes());
    }

    /// Adds a word of so many bytes.
    pub(crate) fn word<const N: usize>(&mut self, word: [u8; N]) {
        self.0.extend(word);
    }

    /// Adds a yes or a no.
    pub(crate) fn flag(&mut self, flag: bool) {
        self.0.push(flag.into());
    }

    /// Adds numbers, and how many they are.
    pub(crate) fn list(&mut self, numbers: impl ExactSizeIterator<Item = u64>) {
        self.number(numbers.len() as u64);
        numbers.for_each(|number| self.number(number));
    }

    /// Adds numbers of which none is below the one before it, and how many they are.
    pub(crate) fn ascending(&mut self, numbers: impl ExactSizeIterator<Item = u64>) {
        self.number(numbers.len() as u64);
        let mut last = 0;
        for number in numbers {
            self.number(number - last);
            last = number;
        }
    }

    /// Adds bytes, and how many they are.
    pub(crate) fn bytes(&mut self, bytes: &[u8]) {
        frame(&mut self.0, bytes);
    }

    /// Bytes that it has.
    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }

    /// Its bytes.
    pub(crate) fn into_bytes(self) -> Vec<u8> {
        self.0
    }
}

/// A content being read. Whatever is not there, or makes no sense, is an error.
pub(crate) struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    /// Reads bytes.
    pub(crate) fn new(bytes: &'a [u8]) -> Self {
        Self(bytes)
    }

    /// The next number.
    #[inline]
    pub(crate) fn number(&mut self) -> Result<u64> {
        code::take(&mut self.0).ok_or_else(garbled)
    }

    /// The next number, which is small.
    #[inline]
    pub(crate) fn small<T: TryFrom<u64>>(&mut self) -> Result<T> {
        T::try_from(self.number()?).map_err(|_| garbled())
    }

    /// The next number, which is below `end`.
    #[inline]
    pub(crate) fn below(&mut self, end: usize) -> Result<usize> {
        Some(self.small()?).filter(|&number: &usize| number < end).ok_or_else(garbled)
    }

    /// The next word of so many bytes.
    pub(crate) fn word<const N: usize>(&mut self) -> Result<[u8; N]> {
        let (word, rest) = self.0.split_first_chunk().ok_or_else(garbled)?;
        self.0 = rest;
        Ok(*word)
    }

    /// The next real number.
    pub(crate) fn real(&mut self) -> Result<f64> {
        Ok(f64::from_le_bytes(self.word()?))
    }

    /// The next yes or no.
    pub(crate) fn flag(&mut self) -> Result<bool> {
        match self.word()? {
            [0] => Ok(false),
            [1] => Ok(true),
            _ => Err(garbled()),
        }
    }

    /// The next numbers.
    pub(crate) fn list<T: TryFrom<u64>>(&mut self) -> Result<Vec<T>> {
        let count = self.number()?;
        (0..count).map(|_| self.small()).collect()
    }

    /// The next numbers, of which none is below the one before it.
    pub(crate) fn ascending<T: TryFrom<u64>>(&mut self) -> Result<Vec<T>> {
        let count = self.number()?;
        let mut last = 0_u64;
        let mut next = |reader: &mut Self| {
            last = last.checked_add(reader.number()?).ok_or_else(garbled)?;
            T::try_from(last).map_err(|_| garbled())
        };
        (0..count).map(|_| next(self)).collect()
    }

    /// The next numbers, each above the one before it and below `end`.
    pub(crate) fn increasing<T: TryFrom<u64> + Ord + Copy>(&mut self, end: T) -> Result<Vec<T>> {
        let found: Vec<T> = self.ascending()?;
        let fits = found.last().is_none_or(|&last| last < end) && found.is_sorted_by(|a, b| a < b);
        if fits { Ok(found) } else { Err(garbled()) }
    }

    /// The next bytes.
    pub(crate) fn bytes(&mut self) -> Result<&'a [u8]> {
        let length = self.small()?;
        let (bytes, rest) = self.0.split_at_checked(length).ok_or_else(garbled)?;
        self.0 = rest;
        Ok(bytes)
    }

    /// Whether nothing is left.
    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// To be called when everything has been read.
    pub(crate) fn end(&self) -> Result<()> {
        if self.0.is_empty() { Ok(()) } else { Err(garbled()) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_come_back() {
        let mut content = Writer::new();
        content.number(300);
        content.real(-0.5);
        content.flag(true);
        content.list([3, 1, 2].into_iter());
        content.ascending([5, 5, u64::MAX].into_iter());
        content.bytes(b"text");
        let bytes = Request::new().with(Op::Fits, &Writer::new()).with(Op::Take, &content).finish();
        let mut found = operations(&bytes).unwrap();
        let (op, mut reader) = found.pop().unwrap();
        assert_eq!((op, reader.number().unwrap(), reader.real().unwrap()), (Op::Take, 300, -0.5));
        assert!(reader.flag().unwrap() && reader.end().is_err());
        assert_eq!(reader.list::<u8>().unwrap(), [3, 1, 2]);
        assert_eq!(reader.ascending::<u64>().unwrap(), [5, 5, u64::MAX]);
        assert_eq!(reader.bytes().unwrap(), b"text");
        assert!(reader.end().is_ok() && reader.number().is_err() && found[0].0 == Op::Fits);
        let kept = changes(&bytes).unwrap().unwrap();
        assert_eq!(kept, Request::new().with(Op::Take, &content).finish());
        assert_eq!(changes(&Request::new().with(Op::Fits, &content).finish()), Ok(None));

        let reply = Reply::new(reply(&[content, Writer::new()])).unwrap();
        assert_eq!(reply.content(0).unwrap().number().unwrap(), 300);
        assert!(reply.content(1).unwrap().is_empty() && reply.content(2).is_err());
    }

    #[test]
    fn damaged_messages_are_refused() {
        let mut content = Writer::new();
        content.list([1, 1000, 7].into_iter());
        let bytes = Request::new().with(Op::Take, &content).finish();
        for at in 0..bytes.len() {
            let mut damaged = bytes.clone();
            damaged[at] ^= 1;
            assert!(operations(&damaged).is_err() && changes(&damaged).is_err(), "byte {at}");
            assert!(operations(&bytes[..at]).is_err(), "cut at {at}");
        }
        assert!(operations(&seal(vec![VERSION, 0, 0])).is_err(), "no operation");
        assert!(operations(&seal(vec![VERSION, Op::Take as u8, 9])).is_err(), "no content");
        assert!(Reader(&[0xff; 11]).list::<u64>().is_err() && Reader(&[2, 5, 0]).increasing(9_u64).is_err());
    }
}
