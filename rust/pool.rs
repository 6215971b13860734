//! All samples to choose from: one byte buffer and where they are in it, borrowed from whoever read them.
//!
//! The layout is that of Arrow's `LargeBinary`: sample `i` is `bytes[offsets[i]..offsets[i + 1]]`. It holds any number
//! of samples in two allocations, can lie in a memory-mapped file, and comes from NumPy without a copy. Some of the samples
//! alone are a pool too, of the same bytes.

use crate::error::{Error, Result};

/// Samples in input order; a sample's *index* is its position here.
#[derive(Debug, Clone, Copy)]
pub struct Pool<'a> {
    buffer: &'a [u8],
    starts: &'a [i64],
    ends: &'a [i64],
    /// Of all samples together.
    bytes: usize,
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
        Self::part(bytes, &offsets[..offsets.len() - 1], &offsets[1..])
    }

    /// Some of the samples in `bytes`: sample `i` is `bytes[starts[i]..ends[i]]`.
    ///
    /// # Errors
    /// [`Error::Offsets`] unless every sample starts where the one before ends, or after, and all lie in `bytes`.
    pub fn part(bytes: &'a [u8], starts: &'a [i64], ends: &'a [i64]) -> Result<Self> {
        if starts.len() != ends.len() {
            return Err(Error::Offsets(format!("there are {} starts and {} ends", starts.len(), ends.len())));
        }
        let (mut last, mut total) = (0, 0);
        for (at, (&start, &end)) in starts.iter().zip(ends).enumerate() {
            if start < last || end < start {
                return Err(Error::Offsets(format!("they fall at sample {at}")));
            }
            last = end;
            total += (end - start) as usize;
        }
        if last > bytes.len() as i64 {
            return Err(Error::Offsets(format!("they go to {last} in {} bytes", bytes.len())));
        }
        Ok(Self { buffer: bytes, starts, ends, bytes: total })
    }

    /// What [`Pool::part`] has made of the same arrays before, of so many `bytes`: they are not looked through again.
    #[cfg(feature = "python")]
    pub(crate) fn again(buffer: &'a [u8], starts: &'a [i64], ends: &'a [i64], bytes: usize) -> Self {
        Self { buffer, starts, ends, bytes }
    }

    /// Number of samples.
    #[must_use]
    pub fn len(&self) -> usize {
        self.starts.len()
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
    #[inline]
    pub fn sample(&self, index: usize) -> &'a [u8] {
        &self.buffer[self.starts[index] as usize..self.ends[index] as usize]
    }

    /// Bytes of all samples.
    #[must_use]
    pub fn bytes(&self) -> usize {
        self.bytes
    }

    /// The samples in input order.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = &'a [u8]> + '_ {
        (0..self.len()).map(|index| self.sample(index))
    }
}

/// Samples have numbers of 32 bits.
///
/// # Errors
/// [`Error::Limit`] if they are too many.
pub(crate) fn check_len(samples: usize) -> Result<()> {
    if u32::try_from(samples).is_err() {
        return Err(Error::Limit(format!("the pool has {samples} samples; the limit is 2^32 - 1: split it")));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn samples_without_a_number_are_refused() {
        assert_eq!(check_len(u32::MAX as usize), Ok(()));
        let message = "the pool has 4294967296 samples; the limit is 2^32 - 1: split it".to_owned();
        assert_eq!(check_len(1 << 32), Err(Error::Limit(message)));
    }

    #[test]
    fn cuts_the_bytes_at_the_offsets() {
        let pool = Pool::new(b"abcd", &[0, 1, 1, 4]).unwrap();
        assert_eq!(pool.iter().collect::<Vec<_>>(), [b"a".as_slice(), b"", b"bcd"]);
    }

    #[test]
    fn refuses_offsets_that_do_not_fit() {
        for offsets in [&[][..], &[1, 4], &[0, 3], &[0, 3, 2, 4], &[0, -1, 4]] {
            assert!(matches!(Pool::new(b"abcd", offsets), Err(Error::Offsets(_))), "{offsets:?}");
        }
    }

    #[test]
    fn some_of_the_samples_are_a_pool() {
        let pool = Pool::part(b"abcdefgh", &[1, 4, 5], &[3, 4, 7]).unwrap();
        assert_eq!(pool.iter().collect::<Vec<_>>(), [b"bc".as_slice(), b"", b"fg"]);
        assert_eq!((pool.len(), pool.bytes()), (3, 4));
        for (starts, ends) in [(&[0][..], &[9][..]), (&[2, 1], &[2, 2]), (&[3], &[2]), (&[-1], &[2]), (&[1], &[])] {
            assert!(matches!(Pool::part(b"abcdefgh", starts, ends), Err(Error::Offsets(_))), "{starts:?} {ends:?}");
        }
    }
}
