//! All samples to choose from: one byte buffer and offsets, borrowed from whoever read them.
//!
//! The layout is that of Arrow's `LargeBinary`: sample `i` is `bytes[offsets[i]..offsets[i + 1]]`. It holds any number
//! of samples in two allocations, can lie in a memory-mapped file, and comes from NumPy without a copy.

use crate::error::{Error, Result};

/// Samples in input order; a sample's *index* is its position here.
#[derive(Debug, Clone, Copy)]
pub struct Pool<'a> {
    bytes: &'a [u8],
    offsets: &'a [i64],
}

impl<'a> Pool<'a> {
    /// A pool of `offsets.len() - 1` samples.
    ///
    /// # Errors
    /// [`Error::Offsets`] unless `offsets` starts at 0, never falls and ends at `bytes.len()`.
    pub fn new(bytes: &'a [u8], offsets: &'a [i64]) -> Result<Self> {
        let (Some(&first), Some(&last)) = (offsets.first(), offsets.last()) else {
            return Err(Error::Offsets("there are none".into()));
        };
        if first != 0 || last != bytes.len() as i64 {
            return Err(Error::Offsets(format!("they go from {first} to {last} in {} bytes", bytes.len())));
        }
        if let Some(at) = offsets.windows(2).position(|pair| pair[0] > pair[1]) {
            return Err(Error::Offsets(format!("they fall after sample {at}")));
        }
        Ok(Self { bytes, offsets })
    }

    /// Number of samples.
    #[must_use]
    pub fn len(&self) -> usize {
        self.offsets.len() - 1
    }

    /// Whether there is no sample.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Sample `index`.
    ///
    /// # Panics
    /// If there is no such sample.
    #[must_use]
    pub fn sample(&self, index: usize) -> &'a [u8] {
        &self.bytes[self.offsets[index] as usize..self.offsets[index + 1] as usize]
    }

    /// Bytes of all samples.
    #[must_use]
    pub fn bytes(&self) -> usize {
        self.bytes.len()
    }

    /// Where sample `index` begins.
    ///
    /// # Panics
    /// If there is no such sample.
    #[must_use]
    pub fn offset(&self, index: usize) -> usize {
        self.offsets[index] as usize
    }

    /// The last sample that begins at `offset` or before, or the pool's length if all of them end there.
    #[must_use]
    pub fn index_at(&self, offset: usize) -> usize {
        self.offsets.partition_point(|&start| start as usize <= offset) - 1
    }

    /// The samples in input order.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = &'a [u8]> + '_ {
        (0..self.len()).map(|index| self.sample(index))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cuts_the_bytes_at_the_offsets() {
        let pool = Pool::new(b"abcd", &[0, 1, 1, 4]).unwrap();
        assert_eq!(pool.iter().collect::<Vec<_>>(), [b"a".as_slice(), b"", b"bcd"]);
    }

    #[test]
    fn finds_the_sample_at_an_offset() {
        let pool = Pool::new(b"abcd", &[0, 1, 1, 4]).unwrap();
        assert_eq!([0, 1, 2, 3, 4].map(|offset| pool.index_at(offset)), [0, 2, 2, 2, 3]);
    }

    #[test]
    fn refuses_offsets_that_do_not_fit() {
        for offsets in [&[][..], &[1, 4], &[0, 3], &[0, 3, 2, 4], &[0, -1, 4]] {
            assert!(matches!(Pool::new(b"abcd", offsets), Err(Error::Offsets(_))), "{offsets:?}");
        }
    }
}
