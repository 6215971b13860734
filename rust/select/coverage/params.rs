//! The parameters of coverage.

use super::counts::Guard;
use crate::error::{Error, Result};
use crate::text::features::ByteGrams;
use crate::text::words::WordGrams;

/// What n-grams are made of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unit {
    /// Runs of exactly `ngram` bytes.
    Byte,
    /// Runs of one to `ngram` words.
    Word,
}

/// Of so many features at least one counts.
pub const MOST_SAMPLED: u32 = 64;

/// The parameters of the method.
#[derive(Debug, Clone, Copy)]
pub struct Params {
    /// What n-grams are made of.
    pub unit: Unit,
    /// Their length, `1..=8`.
    pub ngram: usize,
    /// How much more features weigh that many samples have, `0..=1`.
    pub gamma: f64,
    /// How much samples pay for their length, `0..=1`: gains are compared by `length^alpha`.
    pub alpha: f64,
    /// Which features recur.
    pub guard: Guard,
    /// One in so many features counts, wherever features do: a power of two up to [`MOST_SAMPLED`]; 1 for all.
    pub one_in: u32,
    /// Bytes of lists that are held in memory; more of them lie in a temporary file. It changes no pick.
    pub memory: usize,
}

impl Params {
    /// # Errors
    /// [`Error::Parameter`] if no selection can be made with them.
    pub(super) fn check(&self) -> Result<()> {
        let wrong = |name, found: &dyn std::fmt::Display, wanted| {
            Err(Error::Parameter(format!("{name} is {found}; it must be {wanted}")))
        };
        let &Self { ngram, gamma, alpha, guard, one_in, .. } = self;
        if !(1..=ByteGrams::MAX.min(WordGrams::MAX)).contains(&ngram) {
            return wrong("ngram", &ngram, "from 1 to 8");
        }
        if !(0.0..=1.0).contains(&gamma) {
            return wrong("gamma", &gamma, "from 0 to 1");
        }
        if !(0.0..=1.0).contains(&alpha) {
            return wrong("alpha", &alpha, "from 0 to 1");
        }
        if guard.min_df == 0 {
            return wrong("min_df", &0, "at least 1");
        }
        if !(1..=2).contains(&guard.min_contexts) {
            return wrong("min_contexts", &guard.min_contexts, "1 (any feature) or 2");
        }
        if !one_in.is_power_of_two() || one_in > MOST_SAMPLED {
            return wrong("one_in", &one_in, "1, 2, 4, 8, 16, 32 or 64");
        }
        Ok(())
    }
}
