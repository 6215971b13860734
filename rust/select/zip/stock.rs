//! Samples and their states: the side of ZIP that has the pool, or a part of it.

use super::rules::Rules;
use super::weigh::{Weigh, weighed};
use crate::error::Result;
use crate::pool::Pool;
use crate::run::monitor::Monitor;
use crate::select::ledger::Ledger;
use crate::sizer::Sizer;
use crate::sizer::set::Set;
use crate::sizer::workers::Workers;

/// The set whose sizes states are made of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Shape {
    /// Its length with a sample added, besides the sample's.
    pub overhead: u64,
    /// Its own compressed size.
    pub base: u64,
}

impl Shape {
    pub(super) fn of<S: Sizer>(set: &Set<S>, base: u64) -> Self {
        Self { overhead: set.raw_with(b""), base }
    }

    /// The state of the set with a sample of this length and weight added, which then has `size`.
    pub(super) fn state<R: Rules>(self, length: usize, weight: Option<f64>, size: u64) -> R::State {
        R::state(self.overhead + length as u64, weighed(weight, self.base, size))
    }
}

/// What is said of the samples of a pool.
#[derive(Clone, Copy)]
pub(super) struct Samples<'a> {
    pub pool: &'a Pool<'a>,
    pub weigh: Weigh<'a>,
}

impl Samples<'_> {
    fn state<R: Rules>(&self, shape: Shape, index: usize, size: u64) -> R::State {
        shape.state::<R>(self.pool.sample(index).len(), self.weigh.of(index), size)
    }

    /// Sizes of a set with each of these samples added.
    pub(super) fn probe<S: Sizer>(
        &self,
        set: &Set<S>,
        indices: &[usize],
        workers: &Workers<S>,
        monitor: &Monitor,
    ) -> Result<Vec<u64>> {
        workers.probe_all(set, indices.len(), |position| self.pool.sample(indices[position]), monitor)
    }
}

/// The states of samples, and which of them are left.
pub(super) struct Stock<R: Rules> {
    pub states: Vec<R::State>,
    /// Compressed lengths of the samples alone.
    pub alone: Vec<u64>,
    /// Samples that are not to be picked any more, and how many others there are.
    gone: Vec<bool>,
    left: usize,
    /// Whether some have gone because they do not fit.
    unfit: bool,
    /// Those that may fit later, and their states.
    parked: Vec<(usize, R::State)>,
}

impl<R: Rules> Stock<R> {
    /// Samples of these compressed lengths, whose first states are those of an empty set of this shape.
    pub(super) fn new(samples: &Samples<'_>, alone: Vec<u64>, shape: Shape) -> Self {
        let states = alone.iter().enumerate().map(|(index, &size)| samples.state::<R>(shape, index, size)).collect();
        let left = alone.len();
        Self { states, gone: vec![false; left], alone, left, unfit: false, parked: Vec::new() }
    }

    /// How many are left.
    pub(super) fn left(&self) -> usize {
        self.left
    }

    /// Whether some have gone because they do not fit.
    pub(super) fn has_unfit(&self) -> bool {
        self.unfit
    }

    /// Whether a sample has gone.
    pub(super) fn is_gone(&self, index: usize) -> bool {
        self.gone[index]
    }

    /// Whether some sample that is left fits.
    pub(super) fn any_fits(&self, ledger: &Ledger<'_>) -> bool {
        (0..self.gone.len()).any(|index| !self.gone[index] && ledger.fits(index))
    }

    /// Lets go of a sample.
    pub(super) fn remove(&mut self, index: usize) {
        if !std::mem::replace(&mut self.gone[index], true) {
            self.states[index] = R::GONE;
            self.left -= 1;
        }
    }

    /// Lets go of the samples that fit no more; returns which.
    pub(super) fn drop_unfit(&mut self, ledger: &Ledger<'_>) -> Vec<usize> {
        if ledger.all_fit() {
            return Vec::new();
        }
        let unfit: Vec<usize> =
            (0..self.gone.len()).filter(|&index| !self.gone[index] && !ledger.fits(index)).collect();
        self.unfit |= !unfit.is_empty();
        if ledger.may_reopen() {
            self.parked.extend(unfit.iter().map(|&index| (index, self.states[index])));
        }
        unfit.iter().for_each(|&index| self.remove(index));
        unfit
    }

    /// Brings back the samples that did not fit; returns which.
    pub(super) fn bring_back(&mut self) -> Vec<usize> {
        // What may fit later is parked from the start, so nothing stays behind that does not fit.
        self.unfit = false;
        let parked = std::mem::take(&mut self.parked);
        for &(index, state) in &parked {
            self.states[index] = state;
            self.gone[index] = false;
            self.left += 1;
        }
        parked.into_iter().map(|(index, _)| index).collect()
    }

    /// The `k` samples of lowest state, in order.
    pub(super) fn lowest(&self, k: usize) -> Vec<usize> {
        R::lowest(&self.states, k, |position| position)
    }

    /// Brings the states of candidates up to date, given the sizes of a set of this shape with each of them added.
    pub(super) fn set_states(&mut self, samples: &Samples<'_>, shape: Shape, candidates: &[usize], sizes: &[u64]) {
        for (&index, &size) in candidates.iter().zip(sizes) {
            self.states[index] = samples.state::<R>(shape, index, size);
        }
    }

    /// The states that candidates have, given these sizes.
    pub(super) fn states(samples: &Samples<'_>, shape: Shape, candidates: &[usize], sizes: &[u64]) -> Vec<R::State> {
        candidates.iter().zip(sizes).map(|(&index, &size)| samples.state::<R>(shape, index, size)).collect()
    }
}
