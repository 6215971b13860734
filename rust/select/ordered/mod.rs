//! Selecting in an order that is known from the start: random, or by a key.
//!
//! Samples are taken in the order's turn, each if it fits the limits, until the budget is reached or nothing is left that
//! fits. That is linear but for sorting, and there is no work to resume.
//!
//! **The random order.** Sample `i` draws the `i + 1`th number of SplitMix64 (Steele, Lea and Flood, *Fast Splittable
//! Pseudorandom Number Generators*, 2014), started with the seed as that generator mixes it; the highest number comes
//! first. The numbers of one stream are all different, so there are no ties, and nothing depends on the platform.
//!
//! **With weights** it is sampling without replacement where each pick falls on a sample with a chance in proportion to its
//! weight (Efraimidis and Spirakis, *Weighted random sampling with a reservoir*, 2006): the lowest `-ln(u) / weight` comes
//! first, where `u` in (0, 1) has the 52 high bits of the number. The logarithm is made of additions, multiplications and
//! divisions alone ([`real::ln`]), which are the same on every platform. Ties go to the higher number. Samples of weight 0
//! come last. Equal weights are none.

mod coordinator;
mod part;

use std::cmp::Ordering;

use rayon::prelude::*;

pub use self::coordinator::{By, Drawn, Picks, select_parts};
pub(crate) use self::part::{order_part, weights_part, words_part};
use super::controls::Controls;
use super::ledger::Ledger;
use crate::error::{Error, Result};
use crate::pool::Pool;
use crate::real;
use crate::run::monitor::{Monitor, Stage};
use crate::run::threads::Threads;

/// Samples looked at between two looks at the monitor.
const AT_ONCE: usize = 4096;

/// The order in which samples are taken.
#[derive(Debug, Clone, Copy)]
pub enum Order<'a> {
    /// At random; by the controls' weights if there are any.
    Random {
        /// Another seed, another order.
        seed: u64,
    },
    /// The highest key first, of equal ones the lower index. Keys must not be NaN.
    Highest(&'a [f64]),
}

/// Indices of the samples that are selected from `pool`, in the order in which they were taken.
///
/// The result does not depend on the number of `threads` (`None`: as many as this process may use).
///
/// # Errors
/// [`Error::Parameter`] if the controls are not of this pool or can't be met, or there is not a key for each sample;
/// [`Error::Interrupted`] when the monitor says so.
pub fn select(
    pool: &Pool<'_>,
    order: Order<'_>,
    controls: &Controls<'_>,
    threads: Option<usize>,
    monitor: &Monitor,
) -> Result<Vec<i64>> {
    let mut ledger = Ledger::new(pool, controls)?;
    let mut taken = controls.known.mask(pool)?;
    let order = Threads::start(threads)?.install(|| match order {
        Order::Random { seed } => Ok(random(seed, controls.weights, &taken)),
        Order::Highest(keys) => highest(keys, &taken),
    })?;
    let mut picks = Vec::new();
    monitor.enter(Stage::Pick, ledger.left() as usize);
    loop {
        for some in order.chunks(AT_ONCE) {
            monitor.check()?;
            if ledger.left() == 0 {
                return Ok(picks);
            }
            for &index in some {
                // What costs nothing fits also when nothing is left; but then the selection has ended.
                if ledger.left() > 0 && !taken[index] && ledger.fits(index) {
                    taken[index] = true;
                    ledger.take(index);
                    picks.push(index as i64);
                    monitor.steps(ledger.cost(index) as usize);
                }
            }
            monitor.update(|now| now.picked = picks.len());
        }
        if !ledger.reopen() {
            return Ok(picks);
        }
    }
}

/// Whose turn it is: the lowest key comes first, of equal ones the lowest tie. Keys are not NaN, and 0 equals -0.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Turn {
    key: f64,
    tie: u64,
}

impl Turn {
    fn compare(self, other: Self) -> Ordering {
        self.key.partial_cmp(&other.key).unwrap_or(Ordering::Equal).then_with(|| self.tie.cmp(&other.tie))
    }
}

/// The samples that are not `taken`, in random order.
fn random(seed: u64, weights: Option<&[f64]>, taken: &[bool]) -> Vec<usize> {
    let weights = weights.filter(|weights| differing(weights, taken).is_none());
    drawn(seed, weights, taken, 0).into_iter().map(|(_, at)| at).collect()
}

/// The weight that all samples have which are not `taken`, 0 if there are none; None if they differ.
fn differing(weights: &[f64], taken: &[bool]) -> Option<f64> {
    let mut left = weights.iter().zip(taken).filter(|&(_, taken)| !taken).map(|(&weight, _)| weight);
    let first = left.next().unwrap_or(0.0);
    left.all(|weight| weight == first).then_some(first)
}

/// The samples that are not `taken`, in random order, each with its turn; `first` is the index of the first sample.
fn drawn(seed: u64, weights: Option<&[f64]>, taken: &[bool], first: usize) -> Vec<(Turn, usize)> {
    let number = numbers(seed);
    let turn = |at: usize| {
        let number = number(first + at);
        // Not NaN: the fraction is below 1, and so the logarithm is not 0.
        let delay = weights.map_or(0.0, |weights| -real::ln(fraction(number)) / weights[at]);
        (Turn { key: delay, tie: !number }, at)
    };
    let left: Vec<usize> = (0..taken.len()).filter(|&at| !taken[at]).collect();
    let mut turns: Vec<(Turn, usize)> = left.into_par_iter().map(turn).collect();
    turns.par_sort_unstable_by(|a, b| a.0.compare(b.0));
    turns
}

/// The number that sample `index` draws.
pub(crate) fn numbers(seed: u64) -> impl Fn(usize) -> u64 {
    let start = mix(seed);
    move |index| mix(start.wrapping_add((index as u64 + 1).wrapping_mul(GAMMA)))
}

/// What a number is between 0 and 1, neither of which it is: its 52 high bits.
pub(crate) fn fraction(number: u64) -> f64 {
    ((number >> 12) as f64 + 0.5) / (1_u64 << 52) as f64
}

const GAMMA: u64 = 0x9e37_79b9_7f4a_7c15;

/// What SplitMix64 makes of its state.
fn mix(state: u64) -> u64 {
    let state = (state ^ state >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let state = (state ^ state >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
    state ^ state >> 31
}

/// The samples that are not `taken`, the highest key first.
fn highest(keys: &[f64], taken: &[bool]) -> Result<Vec<usize>> {
    if keys.len() != taken.len() {
        return Err(Error::Parameter(format!("{} samples need as many keys, not {}", taken.len(), keys.len())));
    }
    let mut order: Vec<usize> = (0..keys.len()).filter(|&index| !taken[index]).collect();
    // Stable, and 0 equals -0: of equal keys the lower index stays first.
    order.par_sort_by(|&a, &b| keys[b].partial_cmp(&keys[a]).unwrap_or(Ordering::Equal));
    Ok(order)
}

#[cfg(test)]
mod tests {
    use super::super::controls::{Known, Limits};
    use super::*;

    fn run(samples: usize, order: Order<'_>, controls: Controls<'_>, threads: usize) -> Result<Vec<i64>> {
        let bytes = vec![b'a'; samples];
        let offsets: Vec<i64> = (0..=samples as i64).collect();
        select(&Pool::new(&bytes, &offsets)?, order, &controls, Some(threads), &Monitor::default())
    }

    /// The first numbers of SplitMix64 from state 1234567, as published with it.
    #[test]
    fn numbers_are_those_of_splitmix64() {
        let found = [1, 2, 3].map(|step: u64| mix(1_234_567_u64.wrapping_add(step.wrapping_mul(GAMMA))));
        assert_eq!(found, [6_457_827_717_110_365_317, 3_203_168_211_198_807_973, 9_817_491_932_198_370_423]);
    }

    #[test]
    fn a_seed_makes_one_order_at_any_number_of_threads() {
        let order =
            |seed, threads| run(5000, Order::Random { seed }, Controls::only(Limits::samples(5000)), threads).unwrap();
        let mut one = order(7, 1);
        assert_eq!(one, order(7, 4));
        assert_ne!(one, order(8, 4));
        one.sort_unstable();
        assert_eq!(one, (0..5000).collect::<Vec<_>>());
    }

    #[test]
    fn equal_weights_are_none_and_those_of_what_is_known_do_not_count() {
        let plain = Controls { known: Known::Indices(&[3]), ..Controls::only(Limits::samples(50)) };
        let mut weights = vec![2.5; 100];
        weights[3] = 0.0;
        let weighted = Controls { weights: Some(&weights), ..plain };
        let picks = run(100, Order::Random { seed: 1 }, plain, 2).unwrap();
        assert_eq!(run(100, Order::Random { seed: 1 }, weighted, 2).unwrap(), picks);
        assert!(!picks.contains(&3));
    }

    /// The chance of being first is in proportion to the weight, and no weight is last.
    #[test]
    fn weights_are_chances() {
        let weights = [1.0, 2.0, 0.0, 5.0];
        let controls = Controls { weights: Some(&weights), ..Controls::only(Limits::samples(4)) };
        let mut first = [0; 4];
        for seed in 0..4000 {
            let picks = run(4, Order::Random { seed }, controls, 1).unwrap();
            first[picks[0] as usize] += 1;
            assert_eq!(picks[3], 2);
        }
        for (count, weight) in first.iter().zip(weights) {
            let expected = 4000.0 * weight / 8.0;
            assert!((f64::from(*count) - expected).abs() <= 4.0 * f64::sqrt(expected), "{first:?}");
        }
    }

    #[test]
    fn the_highest_comes_first_and_of_equal_ones_the_lower_index() {
        let keys = [0.5, 2.0, -0.0, 2.0, 0.0, 0.5];
        let controls = Controls::only(Limits::samples(5));
        assert_eq!(run(6, Order::Highest(&keys), controls, 3).unwrap(), [1, 3, 0, 5, 2]);
        assert!(matches!(run(5, Order::Highest(&keys), controls, 3), Err(Error::Parameter(_))));
    }

    #[test]
    fn stops_when_asked() {
        let monitor = Monitor::default();
        monitor.stop();
        let pool = Pool::new(b"ab", &[0, 1, 2]).unwrap();
        let stopped = select(&pool, Order::Random { seed: 0 }, &Controls::only(Limits::samples(1)), Some(1), &monitor);
        assert_eq!(stopped.unwrap_err(), Error::Interrupted);
    }
}
