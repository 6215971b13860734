//! Which of a sample's occurrences count: a bit each.
//!
//! The gain of a sample is asked for hundreds of times. Each time, its distinct recurring features are wanted: without
//! the ones that do not recur, and each once. Lists of them would take several times the pool's size, so the answer to
//! both questions is one bit an occurrence, and the features are enumerated again, which takes a nanosecond each.
//!
//! A sample's bits begin at a word of their own, so that threads write to disjoint ranges; where, follows from where
//! the sample begins.

use rayon::prelude::*;

use crate::error::Result;
use crate::pool::Pool;

/// Samples that a thread takes at a time while the bits are made.
const CHUNK: usize = 256;

/// A bit for every occurrence in a pool.
pub struct Marks {
    words: Vec<u64>,
    per_byte: usize,
}

/// The bits of one sample.
pub struct Bits<'a>(&'a mut [u64]);

impl Bits<'_> {
    /// Sets bit `at`.
    #[inline]
    pub fn set(&mut self, at: usize) {
        self.0[at / 64] |= 1 << (at % 64);
    }
}

impl Marks {
    /// Calls `mark(index, bits)` for every sample, and collects what it returns in input order.
    pub fn new<S, R: Send>(
        pool: &Pool<'_>,
        per_byte: usize,
        scratch: impl Fn() -> S + Sync + Send,
        mark: impl Fn(&mut S, usize, Bits<'_>) -> Result<R> + Sync + Send,
    ) -> Result<(Self, Vec<R>)> {
        let begin = |index: usize| begin(pool, per_byte, index);
        let mut words = vec![0; begin(pool.len())];
        let mut chunks = Vec::with_capacity(pool.len().div_ceil(CHUNK));
        let mut rest = words.as_mut_slice();
        for first in (0..pool.len()).step_by(CHUNK) {
            let last = pool.len().min(first + CHUNK);
            let (chunk, after) = rest.split_at_mut(begin(last) - begin(first));
            chunks.push((first..last, chunk));
            rest = after;
        }
        let results = chunks
            .into_par_iter()
            .map_init(scratch, |scratch, (samples, mut chunk)| {
                samples
                    .map(|index| {
                        let (bits, after) = std::mem::take(&mut chunk).split_at_mut(begin(index + 1) - begin(index));
                        chunk = after;
                        mark(scratch, index, Bits(bits))
                    })
                    .collect::<Result<Vec<R>>>()
            })
            .collect::<Result<Vec<_>>>()?;
        Ok((Self { words, per_byte }, results.into_iter().flatten().collect()))
    }

    /// The bits of a sample: bit `at` is bit `at % 64` of word `at / 64`.
    pub fn of(&self, pool: &Pool<'_>, index: usize) -> &[u64] {
        &self.words[begin(pool, self.per_byte, index)..begin(pool, self.per_byte, index + 1)]
    }
}

/// The first word of a sample. Rounding down and adding a word a sample leaves each one enough.
fn begin(pool: &Pool<'_>, per_byte: usize, index: usize) -> usize {
    pool.offset(index) * per_byte / 64 + index
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_occurrence_has_a_bit_of_its_own() {
        let lengths = (0..1000).map(|i| (i * 37) % 130);
        let offsets: Vec<i64> = std::iter::once(0)
            .chain(lengths.scan(0, |end, length| {
                *end += length;
                Some(*end)
            }))
            .collect();
        let bytes = vec![0; *offsets.last().unwrap() as usize];
        let pool = Pool::new(&bytes, &offsets).unwrap();
        for per_byte in [1, 3] {
            let (marks, counts) = Marks::new(
                &pool,
                per_byte,
                || (),
                |(), index, mut bits| {
                    let count = pool.sample(index).len() * per_byte;
                    (0..count).for_each(|at| bits.set(at));
                    Ok(count)
                },
            )
            .unwrap();
            for (index, &count) in counts.iter().enumerate() {
                let ones: u32 = marks.of(&pool, index).iter().map(|word| word.count_ones()).sum();
                assert_eq!(ones as usize, count, "sample {index}");
            }
        }
    }
}
