//! DSIR: how much likelier a text is in a target than in a pool (Xie et al., *Data selection for language models via
//! importance resampling*, arXiv 2302.03169).
//!
//! A text is the bag of its words and pairs of words ([`crate::text::bag`]), hashed to [`BUCKETS`] buckets. Two models say how
//! often each bucket comes up, one fitted to the target and one to the pool: its share of all words and pairs there. A
//! sample's *log importance weight* is the sum, over its words and pairs, of
//!
//! ```text
//! ln(share in the target + 1e-8) - ln(share in the pool + 1e-8)
//! ```
//!
//! What each bucket is worth is rounded to [`UNITS`] of a whole number, and the sums are exact: texts of the same words, in
//! whatever order, weigh the same. Two passes over the pool, and no memory but the buckets.

use rayon::prelude::*;

use super::{AT_ONCE, each};
use crate::error::{Error, Result};
use crate::hash::Slots;
use crate::pool::Pool;
use crate::real;
use crate::run::monitor::{Monitor, Stage};
use crate::run::threads::Threads;
use crate::text::bag;

/// Buckets that words and pairs are hashed to.
pub const BUCKETS: u32 = 10_000;

/// Added to each share: what is not in one of them would weigh without end.
const SMOOTHING: f64 = 1e-8;

/// What a bucket is worth is a multiple of one part in so many.
const UNITS: f64 = (1_u64 << 32) as f64;

/// What a sample is worth.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Score {
    /// Its log importance weight.
    pub log_weight: f64,
    /// Words and pairs that it is the sum over.
    pub features: u64,
}

/// Calls `visit` with the bucket of every word and pair.
fn buckets(text: &[u8], mut visit: impl FnMut(usize)) {
    let slots = Slots::new(BUCKETS);
    bag::words_and_pairs(text, |hash| visit(slots.of(hash) as usize));
}

/// How often each bucket comes up. Call it inside of [`Threads::install`].
pub(crate) fn count(pool: &Pool<'_>, monitor: &Monitor) -> Result<Vec<u64>> {
    let none = || vec![0_u64; BUCKETS as usize];
    (0..pool.len())
        .into_par_iter()
        .step_by(AT_ONCE)
        .try_fold(none, |mut counts, start| {
            monitor.check()?;
            let end = pool.len().min(start + AT_ONCE);
            (start..end).for_each(|index| buckets(pool.sample(index), |bucket| counts[bucket] += 1));
            monitor.steps(end - start);
            Ok::<_, Error>(counts)
        })
        .try_reduce(none, |mut counts, other| {
            counts.iter_mut().zip(other).for_each(|(count, more)| *count += more);
            Ok(counts)
        })
}

/// What every sample of `pool` is worth for `target`.
///
/// # Errors
/// [`Error::Parameter`] if the target has no words, or threads can't be started; [`Error::Interrupted`] when the monitor
/// says so.
pub fn scores(pool: &Pool<'_>, target: &Pool<'_>, threads: Option<usize>, monitor: &Monitor) -> Result<Vec<Score>> {
    Threads::start(threads)?.install(|| {
        monitor.enter(Stage::Count, pool.len() + target.len());
        let raw = count(pool, monitor)?;
        let worth = worth(&count(target, monitor)?, &raw)?;
        monitor.enter(Stage::Score, pool.len());
        scores_by(pool, &worth, monitor)
    })
}

/// What each bucket is worth, in [`UNITS`], that comes up so often in the target and in the pool.
pub(crate) fn worth(wanted: &[u64], raw: &[u64]) -> Result<Vec<i64>> {
    let (of_wanted, of_raw) = (wanted.iter().sum::<u64>(), raw.iter().sum::<u64>());
    if of_wanted == 0 {
        return Err(Error::Parameter("the target has no words: there is nothing to select for".into()));
    }
    let share = |count: u64, of: u64| real::ln(count as f64 / of.max(1) as f64 + SMOOTHING);
    let worth = |here, there| ((share(here, of_wanted) - share(there, of_raw)) * UNITS).round() as i64;
    Ok(wanted.iter().zip(raw).map(|(&here, &there)| worth(here, there)).collect())
}

/// What every sample of `pool` is worth, where buckets are worth so much. Call it inside of [`Threads::install`].
pub(crate) fn scores_by(pool: &Pool<'_>, worth: &[i64], monitor: &Monitor) -> Result<Vec<Score>> {
    each(pool, monitor, |text| {
        let (mut sum, mut features) = (0_i128, 0);
        buckets(text, |bucket| {
            sum += i128::from(worth[bucket]);
            features += 1;
        });
        Score { log_weight: sum as f64 / UNITS, features }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pool_of(texts: &[&str]) -> (Vec<u8>, Vec<i64>) {
        let offsets = texts.iter().scan(0, |end, text| {
            *end += text.len() as i64;
            Some(*end)
        });
        let offsets = std::iter::once(0).chain(offsets).collect();
        (texts.concat().into_bytes(), offsets)
    }

    #[test]
    fn weighs_by_both_models() {
        let (bytes, offsets) = pool_of(&["a b", "b b", "", "c"]);
        let (aim, aims) = pool_of(&["b b b"]);
        let (pool, target) = (Pool::new(&bytes, &offsets).unwrap(), Pool::new(&aim, &aims).unwrap());
        for threads in [1, 3] {
            let found = scores(&pool, &target, Some(threads), &Monitor::default()).unwrap();
            // Of the pool's 7 words and pairs, a, c, `a b` and `b b` are one each and b is three; of the target's 5, b
            // is three and `b b` two.
            let ln = |share: f64| (share + 1e-8_f64).ln();
            let [a, b, ab, bb] =
                [(0.0, 1.0), (3.0, 3.0), (0.0, 1.0), (2.0, 1.0)].map(|(x, y)| ln(x / 5.0) - ln(y / 7.0));
            for (score, (weight, features)) in found.iter().zip([(a + b + ab, 3), (2.0 * b + bb, 3), (0.0, 0), (a, 1)])
            {
                assert!((score.log_weight - weight).abs() < 1e-8, "{score:?} {weight}");
                assert_eq!(score.features, features);
            }
        }
    }

    #[test]
    fn a_target_needs_words() {
        let (bytes, offsets) = pool_of(&["a"]);
        let pool = Pool::new(&bytes, &offsets).unwrap();
        let empty = Pool::new(b" ", &[0, 1]).unwrap();
        assert!(matches!(scores(&pool, &empty, Some(1), &Monitor::default()), Err(Error::Parameter(_))));
    }

    #[test]
    fn stops_when_asked() {
        let (bytes, offsets) = pool_of(&["a"]);
        let pool = Pool::new(&bytes, &offsets).unwrap();
        let monitor = Monitor::default();
        monitor.stop();
        assert_eq!(scores(&pool, &pool, Some(1), &monitor).unwrap_err(), Error::Interrupted);
    }
}
