//! Greedy selection under any objective that has diminishing returns.
//!
//! A method says what a sample would add to its selection ([`Objective`]); [`Greedy`] picks, always the sample that adds
//! most for its price, without computing what most samples would add ([`lazy`]). If no sample ever adds more after other
//! picks than before them (the objective is *submodular*) and none lowers it, the picks come within `1 - 1/e` of the best
//! selection of so many samples (Nemhauser, Wolsey and Fisher, 1978).

mod lazy;
mod queue;
mod record;
#[cfg(test)]
mod tests;

pub(crate) use self::lazy::{BYTES_A_SAMPLE, Candidate, Frontier, Greedy, Key, Now, Price};
pub(crate) use self::record::PickLog;

/// What a sample would add, as far as that is known.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Bound {
    /// It does not add more than this.
    pub(crate) most: u64,
    /// What [`Gains::gain`] can go on from: for the objective to know.
    pub(crate) begun: u64,
}

impl Bound {
    /// A bound that is the gain itself.
    pub(crate) fn exact(gain: u64) -> Self {
        Self { most: gain, begun: gain }
    }
}

/// What a selection is to have as much of as possible, as a whole number of units of the objective's own.
///
/// Whole numbers make sums exact, so that nothing depends on the order in which threads add them up.
pub(crate) trait Objective: Gains + Send {
    /// Adds sample `index`; returns what that added.
    fn add(&mut self, index: usize) -> u64;
}

/// What samples would add to a selection, in units of an objective.
pub(crate) trait Gains: Sync {
    /// A bound of what sample `index` would add now, which takes less time than the gain itself; it must not rise as
    /// samples are added.
    fn bound(&self, index: usize) -> Bound;

    /// What sample `index` would add now, given its bound of now.
    fn gain(&self, index: usize, bound: Bound) -> u64;
}
