//! The lazy greedy algorithm (CELF): always the sample of largest gain a cost, without computing most gains.
//!
//! A gain never rises as the selection grows, so a gain computed earlier is a bound of the gain now. A queue holds the
//! samples, those of highest bound first. The gain of the first is computed anew. If it is still above the bounds of all
//! others, that sample is the best; else it sinks to where it belongs (Minoux 1978; Leskovec et al. 2007). The picks are
//! those that computing every gain for every pick would make.
//!
//! To keep all threads busy, gains are computed in batches from the front of the queue, each batch four times as large as
//! the one before, until no bound is above the best key found. That computes some gains which would not have been needed;
//! it changes no pick. The size of a batch does not depend on the number of threads, so neither does the number of
//! evaluations.
//!
//! Keys are `weight * gain / length^alpha`, a correctly rounded product and quotient of numbers that do not depend on the
//! platform; both are monotone, so keys are bounds as gains are. Equal keys go to the lower index. Lengths are in tokens
//! if the budget counts them, else in bytes.

use std::cmp::Ordering;

use rayon::prelude::*;

use super::queue::{Entry, Queue};
use super::record::PickLog;
use super::{Gains, Objective};
use crate::error::Result;
use crate::pool::Pool;
use crate::real::pow;
use crate::run::journal::Journal;
use crate::run::monitor::{Monitor, Stage};
use crate::select::controls::Controls;
use crate::select::ledger::Ledger;

/// Samples evaluated first in search of a pick; every further batch is four times as large as the one before.
const LEAD: usize = 8;

/// Samples that are evaluated on one thread, at least: waking another one costs as much.
const SHARE: usize = 64;

/// Memory that a sample takes: whether it is taken, and an entry of the queue, twice while the queue is made.
pub(crate) const BYTES_A_SAMPLE: usize = 1 + 2 * size_of::<Entry>();

/// What has been picked, and the objective with all of it.
pub(crate) struct Picks<O> {
    /// In pick order.
    pub(crate) indices: Vec<i64>,
    /// What each added, in the objective's units.
    pub(crate) gains: Vec<u64>,
    /// Gains or bounds computed after the first one of every sample.
    pub(crate) evaluations: u64,
    /// What was selected for.
    pub(crate) objective: O,
}

impl<O: Objective> Picks<O> {
    /// Adds a sample to the picks.
    fn add(&mut self, index: usize) {
        self.indices.push(index as i64);
        self.gains.push(self.objective.add(index));
    }
}

/// What samples are compared by.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Key {
    /// What the sample adds for its price.
    pub(crate) value: f64,
    /// The sample.
    pub(crate) index: u32,
}

/// What a sample is worth and how long it is, as far as keys go.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Price {
    weight: f64,
    price: f64,
}

impl Price {
    /// Of a sample of this weight and length, where length counts `alpha`.
    #[inline]
    pub(crate) fn new(weight: f64, length: u64, alpha: f64) -> Self {
        Self { weight, price: pow(length.max(1) as f64, alpha) }
    }

    /// The key of a sample that adds so much.
    #[inline]
    pub(crate) fn key(self, gain: u64, index: u32) -> Key {
        Key { value: self.weight * gain as f64 / self.price, index }
    }
}

/// A sample that may be the best.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Candidate {
    /// Its key, or a bound of it.
    pub(crate) key: Key,
    /// What it adds, or a bound of it.
    pub(crate) gain: u64,
    is_exact: bool,
}

impl Key {
    fn of(entry: Entry) -> Self {
        Self { value: f64::from(entry.bound), index: entry.index }
    }

    /// Which key is the greater one; of equal values, that of the lower index.
    pub(crate) fn compare(self, other: Self) -> Ordering {
        self.value.total_cmp(&other.value).then_with(|| other.index.cmp(&self.index))
    }
}

impl PartialOrd for Key {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.compare(*other))
    }
}

impl Candidate {
    fn entry(&self) -> Entry {
        Entry { bound: up(self.key.value), index: self.key.index }
    }
}

/// What keys depend on, as it is now.
pub(crate) struct Now<'a, G> {
    pub(crate) ledger: &'a Ledger<'a>,
    /// Samples that are not to be picked, should they be in the frontier; empty if none of them is.
    pub(crate) taken: &'a [bool],
    pub(crate) weights: Option<&'a [f64]>,
    pub(crate) alpha: f64,
    pub(crate) gains: &'a G,
    pub(crate) monitor: &'a Monitor,
}

impl<G: Gains> Now<'_, G> {
    /// What a sample is worth now: a bound, and the key itself if the bound `may_be_best`.
    #[inline]
    fn evaluate(&self, index: u32, may_be_best: impl Fn(Key) -> bool) -> Candidate {
        let at = index as usize;
        let weight = self.weights.map_or(1.0, |weights| weights[at]);
        let price = Price::new(weight, self.ledger.length(at), self.alpha);
        let bound = self.gains.bound(at);
        let most = price.key(bound.most, index);
        if may_be_best(most) {
            let gain = self.gains.gain(at, bound);
            Candidate { key: price.key(gain, index), gain, is_exact: true }
        } else {
            Candidate { key: most, gain: bound.most, is_exact: false }
        }
    }
}

/// The samples that may be picked, by bounds of their keys.
pub(crate) struct Frontier {
    queue: Queue,
    /// What did not fit, as long as it may fit later.
    unfit: Vec<Entry>,
}

/// The front of a frontier.
pub(crate) struct Front {
    /// The samples of largest keys that fit, with their keys, the largest first.
    pub(crate) best: Vec<Candidate>,
    /// No other key is above this; None if there is no other sample.
    pub(crate) rest: Option<Key>,
    /// Gains or bounds that were computed to find them.
    pub(crate) evaluations: u64,
}

impl Frontier {
    /// No samples.
    fn none() -> Self {
        Self { queue: Queue::new(Vec::new()), unfit: Vec::new() }
    }

    /// The samples that are not `taken`, by their first keys.
    pub(crate) fn new<G: Gains>(now: &Now<'_, G>, taken: &[bool]) -> Result<Self> {
        let entries = (0..taken.len() as u32)
            .into_par_iter()
            .filter(|&index| !taken[index as usize])
            .map(|index| {
                now.monitor.check()?;
                Ok(now.evaluate(index, |_| false).entry())
            })
            .collect::<Result<_>>()?;
        Ok(Self { queue: Queue::new(entries), unfit: Vec::new() })
    }

    /// Brings back what did not fit. Gains only fall, so the keys of then are bounds now.
    pub(crate) fn reopen(&mut self) {
        std::mem::take(&mut self.unfit).into_iter().for_each(|entry| self.queue.push(entry));
    }

    /// Puts a sample back that was taken from the front and has not been picked.
    pub(crate) fn put_back(&mut self, candidate: &Candidate) {
        self.queue.push(candidate.entry());
    }

    /// Takes the `count` samples of largest keys, of those that fit.
    ///
    /// What no longer fits leaves the queue: it will not fit again, or only once nothing else does.
    pub(crate) fn front<G: Gains>(&mut self, count: usize, now: &Now<'_, G>) -> Result<Front> {
        let mut best: Vec<Candidate> = Vec::new();
        let mut evaluations = 0;
        let mut batch = Vec::new();
        // Rounded up, a bound may be above the best key although the key is not: seen once is enough.
        let mut seen: Vec<Candidate> = Vec::new();
        let mut most = LEAD.max(count);
        loop {
            let floor = best.get(count - 1).map(|last| last.key);
            while batch.len() < most
                && let Some(top) = self.queue.peek()
                && floor.is_none_or(|floor| Key::of(top) > floor)
            {
                self.queue.pop();
                if now.taken.get(top.index as usize) == Some(&true) {
                    continue;
                }
                if now.ledger.fits(top.index as usize) {
                    batch.push(Candidate { key: Key::of(top), gain: 0, is_exact: false });
                } else if now.ledger.may_reopen() {
                    self.unfit.push(top);
                }
            }
            if batch.is_empty() {
                let others = seen.iter().map(|other| other.key).chain(self.queue.peek().map(Key::of));
                let rest = others.max_by(|a, b| a.compare(*b));
                seen.iter().for_each(|other| self.put_back(other));
                return Ok(Front { best, rest, evaluations });
            }
            evaluations += batch.len() as u64;
            most *= 4;
            batch.par_chunks_mut(SHARE).try_for_each(|share| {
                now.monitor.check()?;
                for candidate in share {
                    let may_be_best = |bound| floor.is_none_or(|floor| bound > floor);
                    *candidate = now.evaluate(candidate.key.index, may_be_best);
                }
                Ok(())
            })?;
            for candidate in batch.drain(..) {
                let at = best.partition_point(|better| better.key > candidate.key);
                if candidate.is_exact && at < count {
                    best.insert(at, candidate);
                    seen.extend((best.len() > count).then(|| best.pop()).flatten());
                } else {
                    seen.push(candidate);
                }
            }
        }
    }
}

/// A selection under way.
pub(crate) struct Greedy<'a, 'j, O> {
    ledger: Ledger<'a>,
    weights: Option<&'a [f64]>,
    alpha: f64,
    picks: Picks<O>,
    log: PickLog<'a, 'j>,
    frontier: Frontier,
    monitor: &'a Monitor,
}

impl<'a, 'j, O: Objective> Greedy<'a, 'j, O> {
    /// Repeats the picks that the journal holds, then computes the first key of every other sample that is not known.
    /// What is known must be in the objective already. To be called on the threads that are to be used, like
    /// [`Greedy::run`].
    pub(crate) fn start(
        pool: &'a Pool<'a>,
        controls: &Controls<'a>,
        alpha: f64,
        objective: O,
        journal: &'a mut Journal<'j>,
        monitor: &'a Monitor,
    ) -> Result<Self> {
        let mut ledger = Ledger::new(pool, controls)?;
        let mut taken = controls.known.mask(pool)?;
        let mut picks = Picks { indices: Vec::new(), gains: Vec::new(), evaluations: 0, objective };
        let log = PickLog::replay(journal, pool.len(), |index| {
            monitor.check()?;
            if taken[index] {
                return Ok(false);
            }
            if !ledger.fits(index) {
                let none_fits = (0..pool.len()).all(|other| taken[other] || !ledger.fits(other));
                if !(none_fits && ledger.reopen() && ledger.fits(index)) {
                    return Ok(false);
                }
            }
            taken[index] = true;
            ledger.take(index);
            picks.add(index);
            Ok(true)
        })?;
        let (weights, frontier) = (controls.weights, Frontier::none());
        let mut this = Self { ledger, weights, alpha, picks, log, frontier, monitor };
        this.frontier = Frontier::new(&this.now(), &taken)?;
        Ok(this)
    }

    fn now(&self) -> Now<'_, O> {
        let Self { ledger, weights, alpha, picks, monitor, .. } = self;
        Now { ledger, taken: &[], weights: *weights, alpha: *alpha, gains: &picks.objective, monitor }
    }

    /// Picks until the budget is reached or nothing is left that fits it.
    pub(crate) fn run(mut self) -> Result<Picks<O>> {
        let outcome = self.pick();
        // Also when interrupted: what is picked is picked.
        self.log.flush(&self.picks.indices)?;
        outcome?;
        Ok(self.picks)
    }

    fn pick(&mut self) -> Result<()> {
        self.monitor.enter(Stage::Pick, self.ledger.left() as usize);
        while self.ledger.left() > 0 {
            let Some(best) = self.best()? else {
                if !self.ledger.reopen() {
                    break;
                }
                self.frontier.reopen();
                continue;
            };
            let index = best as usize;
            self.ledger.take(index);
            self.picks.add(index);
            self.monitor.steps(self.ledger.cost(index) as usize);
            self.monitor.update(|now| now.picked += 1);
            self.log.note(&self.picks.indices)?;
        }
        Ok(())
    }

    /// Takes the sample of largest key, of those that fit.
    fn best(&mut self) -> Result<Option<u32>> {
        let Self { ledger, weights, alpha, picks, frontier, monitor, .. } = self;
        let now = Now { ledger, taken: &[], weights: *weights, alpha: *alpha, gains: &picks.objective, monitor };
        let front = frontier.front(1, &now)?;
        picks.evaluations += front.evaluations;
        Ok(front.best.first().map(|best| best.key.index))
    }
}

/// A number that is not below `number`.
fn up(number: f64) -> f32 {
    let near = number as f32;
    if f64::from(near) < number { near.next_up() } else { near }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rounding_up_gives_bounds() {
        for number in [0.0, 1.0, 0.1, 1e-300, 16_777_217.0, 1e30 / 3.0] {
            assert!(f64::from(up(number)) >= number && f64::from(up(number)) <= number * (1.0 + 1e-6) + 1e-40);
        }
        assert_eq!((up(0.0), up(0.5)), (0.0, 0.5));
    }
}
