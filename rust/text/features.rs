//! What a sample is made of: the byte n-grams or the word n-grams in it, as hashes.
//!
//! Code that reads features is generic over [`Features`], and so compiled for each kind of them.

use crate::hash::mix;

/// An occurrence of a feature.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Occurrence {
    /// The feature.
    pub hash: u64,
    /// The four bytes before it, fewer and zeros at the start of a sample: how it is reached.
    pub context: u32,
}

/// A way to take samples apart.
pub(crate) trait Features: Copy + Send + Sync {
    /// At most how many occurrences a byte of sample has.
    fn per_byte(&self) -> usize;

    /// Calls `visit` with every occurrence in `sample`, always in the same order.
    fn each(&self, sample: &[u8], visit: impl FnMut(Occurrence));
}

/// Runs of `n` bytes.
#[derive(Debug, Clone, Copy)]
pub(crate) struct ByteGrams {
    n: usize,
}

impl ByteGrams {
    /// The longest run: what a machine word holds.
    pub(crate) const MAX: usize = 8;

    /// Runs of `n` bytes, `1..=MAX`.
    pub(crate) fn new(n: usize) -> Self {
        assert!((1..=Self::MAX).contains(&n));
        Self { n }
    }
}

impl Features for ByteGrams {
    fn per_byte(&self) -> usize {
        1
    }

    #[inline]
    fn each(&self, sample: &[u8], mut visit: impl FnMut(Occurrence)) {
        let shift = 64 - 8 * self.n as u32;
        let Some(lead) = sample.get(..self.n - 1) else { return };
        let mut window = lead.iter().fold(0, |window, &byte| window << 8 | u64::from(byte));
        let mut context = 0;
        for (&first, &last) in sample.iter().zip(&sample[self.n - 1..]) {
            window = window << 8 | u64::from(last);
            visit(Occurrence { hash: mix(window << shift), context });
            context = context << 8 | u32::from(first);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn grams(n: usize, sample: &[u8]) -> Vec<(u64, u32)> {
        let mut found = Vec::new();
        ByteGrams::new(n).each(sample, |occurrence| found.push((occurrence.hash, occurrence.context)));
        found
    }

    #[test]
    fn visits_every_run_with_the_bytes_before_it() {
        for n in 1..=8 {
            let sample = b"the cat sat on the mat";
            let expected: Vec<_> = sample
                .windows(n)
                .enumerate()
                .map(|(at, run)| {
                    let big_endian = |bytes: &[u8]| bytes.iter().fold(0, |word, &byte| word << 8 | u64::from(byte));
                    let before = big_endian(&sample[at.saturating_sub(4)..at]) as u32;
                    (mix(big_endian(run) << (64 - 8 * n)), before)
                })
                .collect();
            assert_eq!(grams(n, sample), expected, "{n}");
        }
    }

    #[test]
    fn a_sample_too_short_has_none() {
        assert_eq!(grams(5, b"four"), []);
        assert_eq!(grams(5, b""), []);
        assert_eq!(grams(1, b""), []);
    }
}
