//! Samples that are equal to the byte.
//!
//! Samples are sorted by a hash; those with equal hashes are compared. So the result does not depend on the hash, and takes
//! one pass over the pool and 16 bytes a sample.

use std::hash::{DefaultHasher, Hasher};

use rayon::prelude::*;

use crate::error::Result;
use crate::pool::Pool;
use crate::run::monitor::Monitor;
use crate::run::threads::Threads;

/// What stands for the first copy of samples that are known.
pub const KNOWN: i64 = -1;

/// For each sample, the first one that equals it, often itself; [`KNOWN`] if a sample of `known` does.
///
/// # Errors
/// [`crate::Error::Interrupted`] when the monitor says so.
pub fn first_copies(
    pool: &Pool<'_>,
    known: Option<&Pool<'_>>,
    threads: Option<usize>,
    monitor: &Monitor,
) -> Result<Vec<i64>> {
    Threads::start(threads)?.install(|| firsts(pool, known, monitor))
}

/// The same, on the threads it is called on.
pub(crate) fn firsts(pool: &Pool<'_>, known: Option<&Pool<'_>>, monitor: &Monitor) -> Result<Vec<i64>> {
    let others = known.map_or(0, Pool::len);
    // Known samples come first, with negative numbers.
    let sample = |at: i64| match (known, usize::try_from(at)) {
        (_, Ok(index)) => pool.sample(index),
        (Some(known), Err(_)) => known.sample((at + others as i64) as usize),
        (None, Err(_)) => unreachable!("there are no negative numbers without known samples"),
    };
    // In place: a result that is collected takes the memory twice.
    let mut hashed: Vec<(u64, i64)> = (-(others as i64)..pool.len() as i64).map(|at| (0, at)).collect();
    hashed.par_iter_mut().try_for_each(|(hash, at)| {
        monitor.check()?;
        let mut hasher = DefaultHasher::new();
        hasher.write(sample(*at));
        *hash = hasher.finish();
        Ok(())
    })?;
    hashed.par_sort_unstable();
    let mut first = vec![0; pool.len()];
    let mut firsts: Vec<i64> = Vec::new();
    for alike in hashed.chunk_by(|a, b| a.0 == b.0) {
        monitor.check()?;
        firsts.clear();
        for &(_, at) in alike {
            let copied = firsts.iter().copied().find(|&earlier| sample(earlier) == sample(at));
            if copied.is_none() {
                firsts.push(at);
            }
            if let Ok(index) = usize::try_from(at) {
                first[index] = copied.unwrap_or(at).max(KNOWN);
            }
        }
    }
    Ok(first)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_the_first_of_equal_samples() {
        let pool = Pool::new(b"abcabcabd", &[0, 3, 3, 6, 8, 8, 9]).unwrap();
        let known = Pool::new(b"xab", &[0, 1, 3]).unwrap();
        let monitor = Monitor::default();
        assert_eq!(first_copies(&pool, None, Some(2), &monitor).unwrap(), [0, 1, 0, 3, 1, 5]);
        assert_eq!(first_copies(&pool, Some(&known), Some(2), &monitor).unwrap(), [0, 1, 0, KNOWN, 1, 5]);
        monitor.stop();
        assert!(first_copies(&pool, None, Some(2), &monitor).is_err());
    }
}
