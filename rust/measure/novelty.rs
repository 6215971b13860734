//! What a pool has that others lack: the share of its recurring byte n-grams that occur in none of them.
//!
//! What recurs is what coverage selects for: an n-gram in two samples at least, after two different left contexts. Here
//! no table is made, so nothing is taken for anything else. Hashes are kept instead, all of them for small pools,
//! for others those in the lowest part of their range: a random sample of the n-grams, the same in every pool.

use rayon::prelude::*;

use crate::error::{Error, Result};
use crate::pool::{Pool, check_len};
use crate::run::monitor::{Monitor, Stage};
use crate::run::threads::Threads;
use crate::text::features::{ByteGrams, Features};

/// At most about this many occurrences are kept: 64 MiB.
const KEPT: usize = 1 << 22;

/// How many of a pool's n-grams recur, and how many of those are in no other pool.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Novelty {
    /// Recurring n-grams that were looked at.
    pub recurring: u64,
    /// Of these, the ones in no pool before.
    pub lacking: u64,
    /// `2^shift` n-grams of the pool stand behind each that was looked at.
    pub shift: u32,
}

/// An occurrence: feature, sample, context.
type Occurrence = (u64, u32, u32);

/// How much of what recurs in `pool`, as runs of `ngram` bytes, is in none of the pools `before`.
///
/// # Errors
/// [`Error::Parameter`] if runs can't be so long or threads can't be started, [`Error::Interrupted`] when the monitor
/// says so.
pub fn novelty(
    pool: &Pool<'_>,
    before: &[Pool<'_>],
    ngram: usize,
    count: Option<usize>,
    monitor: &Monitor,
) -> Result<Novelty> {
    if !(1..=ByteGrams::MAX).contains(&ngram) {
        return Err(Error::Parameter(format!("ngram is {ngram}; it must be from 1 to {}", ByteGrams::MAX)));
    }
    before.iter().chain([pool]).try_for_each(|pool| check_len(pool.len()))?;
    let largest = before.iter().chain([pool]).map(Pool::bytes).max().unwrap_or(0);
    let mut shift = 0;
    while largest >> shift > KEPT {
        shift += 1;
    }
    monitor.enter(Stage::Measure, before.iter().chain([pool]).map(Pool::len).sum());
    Threads::start(count)?.install(|| of_sampled(pool, before, ByteGrams::new(ngram), shift, monitor))
}

/// The same, of one n-gram in `2^shift`.
fn of_sampled(
    pool: &Pool<'_>,
    before: &[Pool<'_>],
    grams: ByteGrams,
    shift: u32,
    monitor: &Monitor,
) -> Result<Novelty> {
    let limit = u64::MAX >> shift;
    let mut known: Vec<u64> = Vec::new();
    for other in before {
        known.extend(kept(other, grams, limit, monitor)?.into_iter().map(|(hash, _, _)| hash));
        known.par_sort_unstable();
        known.dedup();
    }
    let mut occurrences = kept(pool, grams, limit, monitor)?;
    occurrences.par_sort_unstable();
    let (mut recurring, mut lacking) = (0, 0);
    for same in occurrences.chunk_by(|a, b| a.0 == b.0) {
        let (hash, sample, context) = same[0];
        if same.iter().any(|other| other.1 != sample) && same.iter().any(|other| other.2 != context) {
            recurring += 1;
            lacking += u64::from(known.binary_search(&hash).is_err());
        }
    }
    Ok(Novelty { recurring, lacking, shift })
}

/// The occurrences in a pool whose hashes are at most `limit`.
fn kept(pool: &Pool<'_>, grams: ByteGrams, limit: u64, monitor: &Monitor) -> Result<Vec<Occurrence>> {
    (0..pool.len())
        .into_par_iter()
        .try_fold(Vec::new, |mut kept, index| {
            monitor.check()?;
            grams.each(pool.sample(index), |occurrence| {
                if occurrence.hash <= limit {
                    kept.push((occurrence.hash, index as u32, occurrence.context));
                }
            });
            monitor.steps(1);
            Ok(kept)
        })
        .try_reduce(Vec::new, |mut a, mut b| {
            a.append(&mut b);
            Ok(a)
        })
}

#[cfg(test)]
mod tests {
    use std::collections::{HashMap, HashSet};

    use super::*;

    fn pool_of(samples: &[Vec<u8>]) -> (Vec<u8>, Vec<i64>) {
        let mut offsets = vec![0];
        for sample in samples {
            offsets.push(offsets[offsets.len() - 1] + sample.len() as i64);
        }
        (samples.concat(), offsets)
    }

    fn random(seed: u64, count: usize, letters: u64) -> Vec<Vec<u8>> {
        let mut state = seed;
        let mut next = move |below: u64| {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (state >> 33) % below
        };
        (0..count).map(|_| (0..next(60)).map(|_| b'a' + next(letters) as u8).collect()).collect()
    }

    /// Recurring, and of these lacking, by the definition.
    fn naive(samples: &[Vec<u8>], before: &[Vec<u8>], n: usize) -> (u64, u64) {
        type Seen<'a> = HashMap<&'a [u8], (HashSet<usize>, HashSet<Vec<u8>>)>;
        let mut seen = Seen::new();
        for (index, sample) in samples.iter().enumerate() {
            for (at, gram) in sample.windows(n).enumerate() {
                let (holders, contexts) = seen.entry(gram).or_default();
                holders.insert(index);
                contexts.insert(sample[at.saturating_sub(4)..at].to_vec());
            }
        }
        let known: HashSet<&[u8]> = before.iter().flat_map(|sample| sample.windows(n)).collect();
        let recurring: Vec<&[u8]> = seen
            .into_iter()
            .filter(|(_, (holders, contexts))| holders.len() > 1 && contexts.len() > 1)
            .map(|(gram, _)| gram)
            .collect();
        let lacking = recurring.iter().filter(|gram| !known.contains(*gram)).count();
        (recurring.len() as u64, lacking as u64)
    }

    #[test]
    fn agrees_with_the_definition() {
        for n in [1, 3, 5, 8] {
            for letters in [2, 4, 20] {
                let (samples, first, second) =
                    (random(1, 80, letters), random(2, 30, letters), random(3, 9, letters + 1));
                let (bytes, offsets) = pool_of(&samples);
                let pool = Pool::new(&bytes, &offsets).unwrap();
                let befores = [pool_of(&first), pool_of(&second)];
                let before: Vec<Pool<'_>> =
                    befores.iter().map(|(bytes, offsets)| Pool::new(bytes, offsets).unwrap()).collect();
                let found = novelty(&pool, &before, n, Some(2), &Monitor::default()).unwrap();
                let expected = naive(&samples, &[first, second].concat(), n);
                assert_eq!((found.recurring, found.lacking), expected, "{n} {letters}");
                assert_eq!(novelty(&pool, &[pool], n, Some(1), &Monitor::default()).unwrap().lacking, 0);
            }
        }
    }

    #[test]
    fn a_sample_of_the_n_grams_estimates_all() {
        let (samples, others) = (random(1, 20_000, 26), random(2, 5_000, 26));
        let ((bytes, offsets), (known, cuts)) = (pool_of(&samples), pool_of(&others));
        let pool = Pool::new(&bytes, &offsets).unwrap();
        let before = [Pool::new(&known, &cuts).unwrap()];
        let found = |shift| of_sampled(&pool, &before, ByteGrams::new(4), shift, &Monitor::default()).unwrap();
        let share = |found: Novelty| found.lacking as f64 / found.recurring as f64;
        let (all, some) = (found(0), found(4));
        assert!(some.recurring < all.recurring / 10);
        assert!((share(all) - share(some)).abs() < 0.02, "{all:?} {some:?}");
    }
}
