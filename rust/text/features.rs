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

    /// One in so many of all that there are is visited.
    fn one_in(&self) -> u64 {
        1
    }

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

/// Some of the features: those of one class of `one_in`, told by their hashes, and so the same in any text.
///
/// Neighbouring n-grams of a text tell nearly the same, so a part of them stands for all.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Sampled<F> {
    features: F,
    /// The bits of a hash that are 0 in the class. They are its lowest: tables and surveys go by the highest.
    mask: u64,
}

impl<F> Sampled<F> {
    /// One in so many, a power of two; 1 for all.
    pub(crate) fn new(features: F, one_in: u32) -> Self {
        assert!(one_in.is_power_of_two());
        Self { features, mask: u64::from(one_in) - 1 }
    }
}

impl<F: Features> Features for Sampled<F> {
    fn per_byte(&self) -> usize {
        self.features.per_byte()
    }

    fn one_in(&self) -> u64 {
        self.mask + 1
    }

    #[inline]
    fn each(&self, sample: &[u8], mut visit: impl FnMut(Occurrence)) {
        self.features.each(sample, |occurrence| {
            if occurrence.hash & self.mask == 0 {
                visit(occurrence);
            }
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The same features everywhere, about as many as are asked for, wherever in the range of hashes.
    #[test]
    fn one_class_of_features_is_sampled() {
        let mut state = 1_u64;
        let text: Vec<u8> = (0..200_000)
            .map(|_| {
                state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
                b'a' + (((state >> 60) * (state >> 56 & 15)) >> 4) as u8
            })
            .collect();
        for n in [1, 3, 5, 8] {
            let all: Vec<u64> = grams(n, &text).into_iter().map(|(hash, _)| hash).collect();
            for one_in in [1, 2, 4, 16, 64] {
                let mut found = Vec::new();
                Sampled::new(ByteGrams::new(n), one_in).each(&text, |occurrence| found.push(occurrence.hash));
                let expected: Vec<u64> = all.iter().copied().filter(|hash| hash % u64::from(one_in) == 0).collect();
                assert_eq!(found, expected);
                if n >= 5 {
                    let distinct = |hashes: &[u64], high: bool| {
                        let half = hashes.iter().filter(|&&hash| (hash >> 63 == 1) == high);
                        half.collect::<std::collections::HashSet<_>>().len() as f64
                    };
                    for high in [false, true] {
                        let share = distinct(&found, high) / distinct(&all, high) * f64::from(one_in);
                        assert!((share - 1.0).abs() < 0.15, "{n} {one_in} {high}: {share}");
                    }
                }
            }
        }
    }

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
