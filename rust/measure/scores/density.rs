//! How many samples of a pool are like each one: a kernel density, estimated in bounded memory (Coleman and Shrivastava,
//! *Sub-linear RACE sketches for approximate kernel density estimation on streaming data*, 2020; as Sachdeva et al., *How
//! to train data-efficient LLMs*, arXiv 2402.09668, use it, there over a model's embeddings).
//!
//! A text is the set of its words and pairs of words ([`crate::text::bag`]), and two texts are like each other by the square of
//! the share of their words and pairs that both have (Jaccard's index). A sample's density is the sum of its likeness to all
//! samples of the pool, itself included: 1 for a text unlike any other, `n` for one of `n` copies.
//!
//! Comparing all pairs would take the square of their number. Instead there are [`ROWS`] functions from sets to buckets, each
//! made of two minima of hashes (MinHash), so that two sets come to one bucket with the chance of their likeness. Counting
//! the samples in each bucket is one pass over the pool, and a second one looks up where each sample is: the mean of its
//! counts is its density, but for sets that share a bucket by accident, whose expected number is taken off.
//!
//! The counts take 4 bytes a bucket, 64 MiB at most; each text costs time in proportion to its words.

use std::array;
use std::sync::atomic::{AtomicU32, Ordering};

use rayon::prelude::*;

use super::{AT_ONCE, each};
use crate::error::Result;
use crate::hash::{Slots, chain, minwise};
use crate::pool::Pool;
use crate::real;
use crate::run::monitor::{Monitor, Stage};
use crate::run::threads::Threads;
use crate::text::bag;

/// Functions from sets to buckets.
const ROWS: usize = 64;
/// Minima that a function is made of: the power of likeness.
const POWER: usize = 2;
const MINIMA: usize = ROWS * POWER;
/// Buckets of a row at most, and for a sample in smaller pools: so many that hardly a text shares one with another kind's
/// by accident. With all kinds of `m` texts, the mean is off by about `m / 4096` at most.
const MOST_BUCKETS: usize = 1 << 18;
const SPACE: usize = 64;

const FUNCTIONS: ([u32; MINIMA], [u32; MINIMA]) = minwise();

/// Counts of samples by bucket, in each row.
struct Sketch {
    slots: Slots,
    counts: Vec<AtomicU32>,
    samples: u64,
}

impl Sketch {
    /// For so many samples.
    fn new(samples: usize) -> Self {
        let slots = Slots::new(samples.saturating_mul(SPACE).min(MOST_BUCKETS) as u32);
        Self { slots, counts: (0..ROWS * slots.len()).map(|_| AtomicU32::new(0)).collect(), samples: 0 }
    }

    /// The counts of a sample's buckets, of each row one.
    fn of(&self, text: &[u8]) -> [&AtomicU32; ROWS] {
        let mut minima = [u32::MAX; MINIMA];
        let (keys, factors) = &FUNCTIONS;
        bag::words_and_pairs(text, |hash| {
            let hash = (hash >> 32) as u32;
            for ((minimum, key), factor) in minima.iter_mut().zip(keys).zip(factors) {
                *minimum = (*minimum).min((hash ^ key).wrapping_mul(*factor));
            }
        });
        array::from_fn(|row| {
            let own = &minima[row * POWER..][..POWER];
            let hash = own.iter().fold(row as u64, |hash, &minimum| chain(hash, u64::from(minimum)));
            &self.counts[row * self.slots.len() + self.slots.of(hash) as usize]
        })
    }

    /// Counts the samples of a pool.
    fn add(&mut self, pool: &Pool<'_>, monitor: &Monitor) -> Result<()> {
        (0..pool.len()).into_par_iter().step_by(AT_ONCE).try_for_each(|start| {
            monitor.check()?;
            let end = pool.len().min(start + AT_ONCE);
            for index in start..end {
                self.of(pool.sample(index)).iter().for_each(|count| _ = count.fetch_add(1, Ordering::Relaxed));
            }
            monitor.steps(end - start);
            Ok(())
        })?;
        self.samples += pool.len() as u64;
        Ok(())
    }

    /// The density at a sample that was counted.
    fn density(&self, text: &[u8]) -> f64 {
        let found: u64 = self.of(text).iter().map(|count| u64::from(count.load(Ordering::Relaxed))).sum();
        // Of sets that share nothing, one in so many is in the same bucket.
        let accident = 1.0 / self.slots.len() as f64;
        let mean = found as f64 / ROWS as f64;
        ((mean - self.samples as f64 * accident) / (1.0 - accident)).max(1.0)
    }
}

/// A sample's density, and the logarithm of its inverse.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Density {
    /// How many samples are like it, each by its likeness; 1 at least.
    pub samples: f64,
    /// The log weight with which all kinds of text are drawn alike.
    pub log_weight: f64,
}

/// The density of the samples of `pool`, and of those of `beside` it, at each sample of `pool`.
///
/// # Errors
/// [`crate::Error::Parameter`] if threads can't be started, [`crate::Error::Interrupted`] when the monitor says so.
pub fn densities(
    pool: &Pool<'_>,
    beside: Option<&Pool<'_>>,
    threads: Option<usize>,
    monitor: &Monitor,
) -> Result<Vec<Density>> {
    let others = beside.map_or(0, Pool::len);
    Threads::start(threads)?.install(|| {
        let mut sketch = Sketch::new(pool.len() + others);
        monitor.enter(Stage::Count, pool.len() + others);
        sketch.add(pool, monitor)?;
        if let Some(beside) = beside {
            sketch.add(beside, monitor)?;
        }
        monitor.enter(Stage::Score, pool.len());
        each(pool, monitor, |text| {
            let samples = sketch.density(text);
            Density { samples, log_weight: -real::ln(samples) }
        })
    })
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    /// Templates with other words in them, copies, and texts that share nothing.
    fn texts() -> Vec<String> {
        let mut texts = Vec::new();
        for n in 0..200 {
            texts.push(format!("please tell me the capital of the country named c{} and how large it is", n % 50));
            texts.push((0..12).map(|word| format!("w{n}x{word} ")).collect());
        }
        texts.push(String::new());
        texts
    }

    fn found(texts: &[String], beside: Option<&Pool<'_>>, threads: usize) -> Vec<Density> {
        let mut offsets = vec![0];
        texts.iter().for_each(|text| offsets.push(offsets[offsets.len() - 1] + text.len() as i64));
        let bytes = texts.concat().into_bytes();
        densities(&Pool::new(&bytes, &offsets).unwrap(), beside, Some(threads), &Monitor::default()).unwrap()
    }

    fn set(text: &str) -> HashSet<u64> {
        let mut set = HashSet::new();
        bag::words_and_pairs(text.as_bytes(), |hash| _ = set.insert(hash));
        set
    }

    #[test]
    fn is_near_the_sum_of_likenesses() {
        let texts = texts();
        let found = found(&texts, None, 3);
        assert_eq!(found, self::found(&texts, None, 1));
        let sets: Vec<HashSet<u64>> = texts.iter().map(|text| set(text)).collect();
        let mut off = Vec::new();
        for (set, found) in sets.iter().zip(&found) {
            let like = |other: &HashSet<u64>| match set.union(other).count() {
                0 => 1.0,
                all => (set.intersection(other).count() as f64 / all as f64).powi(2),
            };
            let exact: f64 = sets.iter().map(like).sum();
            off.push((found.samples / exact - 1.0).abs());
            assert!((found.log_weight + found.samples.ln()).abs() < 1e-12);
        }
        // All but those few that share a bucket with the template by accident.
        off.sort_by(f64::total_cmp);
        assert!(off[off.len() * 49 / 50] < 0.25, "{off:?}");
    }

    #[test]
    fn what_is_beside_the_pool_counts() {
        let text = "a text of some words".to_owned();
        let copies = text.repeat(3);
        let length = text.len() as i64;
        let offsets = [0, length, 2 * length, 3 * length];
        let beside = Pool::new(copies.as_bytes(), &offsets).unwrap();
        let found = |beside| found(std::slice::from_ref(&text), beside, 1)[0].samples;
        assert!((found(None) - 1.0).abs() < 0.01 && (found(Some(&beside)) - 4.0).abs() < 0.01);
    }
}
