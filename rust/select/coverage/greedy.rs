//! The lazy greedy algorithm (CELF): always the sample of largest gain a cost, without computing most gains.
//!
//! A gain never rises as the selection grows, so one computed earlier bounds the one of now. A queue holds the
//! samples by such bounds. If its top is up to date, that sample is the best; else the top is computed anew and sinks to where
//! it belongs (Minoux 1978; Leskovec et al. 2007). The picks are those of computing everything at every step.
//!
//! To keep all threads busy, entries from the top are computed in batches that double in size until none is left whose
//! bound is above the best key found. That changes nothing but bounds: it makes some fresher that one-by-one evaluation
//! would not have reached. How many follows from the keys, not from the number of threads, so even the number of
//! evaluations is reproducible.
//!
//! Keys are `weight * gain / length^alpha`, a correctly rounded product and quotient of numbers that do not depend on the
//! platform; both are monotone, so keys are bounds as gains are. Equal keys go to the lower index. Lengths are in tokens
//! if the budget counts them, else in bytes.

use std::cmp::Ordering;

use rayon::prelude::*;

use super::lists::Lists;
use super::queue::{Entry, Queue};
use super::record::PickLog;
use super::table::Table;
use crate::error::Result;
use crate::real::pow;
use crate::run::monitor::{Monitor, Stage};
use crate::select::ledger::Ledger;
use crate::text::features::Features;

/// Samples evaluated first in search of a pick; every further batch is four times as large as the one before.
const LEAD: usize = 8;

/// Samples that are evaluated on one thread, at least: waking another one costs as much.
const SHARE: usize = 64;

/// Memory that a sample takes: whether it is taken, and an entry of the queue, twice while the queue is made.
pub const BYTES_A_SAMPLE: usize = 1 + 2 * size_of::<Entry>();

/// What has been picked.
#[derive(Debug, Default)]
pub struct Picks {
    /// In pick order.
    pub indices: Vec<i64>,
    /// Of each, in the table's units.
    pub gains: Vec<u64>,
    /// What share of the target is covered after each; see [`Table::reached`].
    pub reached: Vec<f64>,
    /// Gains computed after the first one of every sample.
    pub evaluations: u64,
}

impl Picks {
    /// Notes a pick and its gain, after which the table is as it is.
    pub fn add(&mut self, index: usize, gain: u64, table: &Table) {
        self.indices.push(index as i64);
        self.gains.push(gain);
        self.reached.push(table.reached());
    }
}

/// What samples are compared by.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Key {
    value: f64,
    index: u32,
}

/// A sample that may be the best.
#[derive(Debug)]
struct Candidate {
    /// Its key, or a bound of it.
    key: Key,
    is_exact: bool,
}

impl Key {
    fn of(entry: Entry) -> Self {
        Self { value: f64::from(entry.bound), index: entry.index }
    }
}

impl PartialOrd for Key {
    /// Of equal values, that of the lower index is the greater key.
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.value.total_cmp(&other.value).then_with(|| other.index.cmp(&self.index)))
    }
}

impl Candidate {
    fn entry(&self) -> Entry {
        Entry { bound: up(self.key.value), index: self.key.index }
    }
}

/// A selection under way.
pub struct Greedy<'a, F> {
    ledger: Ledger<'a>,
    weights: Option<&'a [f64]>,
    alpha: f64,
    lists: Lists<'a, F>,
    table: Table,
    queue: Queue,
    /// What did not fit, as long as it may fit later.
    unfit: Vec<Entry>,
    monitor: &'a Monitor,
}

impl<'a, F: Features> Greedy<'a, F> {
    /// Computes the first key of every sample that is not `taken` already.
    pub fn new(
        ledger: Ledger<'a>,
        weights: Option<&'a [f64]>,
        alpha: f64,
        lists: Lists<'a, F>,
        table: Table,
        taken: &[bool],
        monitor: &'a Monitor,
    ) -> Result<Self> {
        let (queue, unfit) = (Queue::new(Vec::new()), Vec::new());
        let mut this = Self { ledger, weights, alpha, lists, table, queue, unfit, monitor };
        let entries = (0..taken.len() as u32)
            .into_par_iter()
            .filter(|&index| !taken[index as usize])
            .map(|index| {
                this.monitor.check()?;
                Ok(this.evaluate(index, |_| false).entry())
            })
            .collect::<Result<_>>()?;
        this.queue = Queue::new(entries);
        Ok(this)
    }

    /// Goes on from `picks` until the budget is reached or nothing is left that fits it.
    pub fn run(mut self, mut picks: Picks, mut log: PickLog<'_, '_>) -> Result<(Picks, Table)> {
        let outcome = self.pick(&mut picks, &mut log);
        // Also when interrupted: what is picked is picked.
        log.flush(&picks.indices)?;
        outcome?;
        Ok((picks, self.table))
    }

    fn pick(&mut self, picks: &mut Picks, log: &mut PickLog<'_, '_>) -> Result<()> {
        self.monitor.enter(Stage::Pick, self.ledger.left() as usize);
        while self.ledger.left() > 0 {
            let Some(best) = self.best(&mut picks.evaluations)? else {
                if !self.ledger.reopen() {
                    break;
                }
                // Gains only fall, so the keys of then are bounds now.
                std::mem::take(&mut self.unfit).into_iter().for_each(|entry| self.queue.push(entry));
                continue;
            };
            let index = best as usize;
            let Self { ledger, lists, table, .. } = self;
            ledger.take(index);
            let gain = lists.select(index, table);
            picks.add(index, gain, table);
            self.monitor.steps(ledger.cost(index) as usize);
            self.monitor.update(|now| now.picked += 1);
            log.note(&picks.indices)?;
        }
        Ok(())
    }

    /// Takes the sample of largest key from the queue, of those that fit.
    ///
    /// What no longer fits leaves the queue: it will not fit again, or only once nothing else does.
    fn best(&mut self, evaluations: &mut u64) -> Result<Option<u32>> {
        let mut best: Option<Candidate> = None;
        let mut batch = Vec::new();
        // Rounded up, a bound may be above the best key although the key is not: seen once is enough.
        let mut seen = Vec::new();
        let mut most = LEAD;
        loop {
            let floor = best.as_ref().map(|best| best.key);
            while batch.len() < most
                && let Some(top) = self.queue.peek()
                && floor.is_none_or(|floor| Key::of(top) > floor)
            {
                self.queue.pop();
                if self.ledger.fits(top.index as usize) {
                    batch.push(Candidate { key: Key::of(top), is_exact: false });
                } else if self.ledger.may_reopen() {
                    self.unfit.push(top);
                }
            }
            if batch.is_empty() {
                seen.into_iter().for_each(|entry| self.queue.push(entry));
                return Ok(best.map(|best| best.key.index));
            }
            *evaluations += batch.len() as u64;
            most *= 4;
            batch.par_chunks_mut(SHARE).try_for_each(|share| {
                self.monitor.check()?;
                for candidate in share {
                    let may_be_best = |bound| floor.is_none_or(|floor| bound > floor);
                    *candidate = self.evaluate(candidate.key.index, may_be_best);
                }
                Ok(())
            })?;
            for candidate in batch.drain(..) {
                if candidate.is_exact && best.as_ref().is_none_or(|best| candidate.key > best.key) {
                    seen.extend(best.replace(candidate).map(|worse| worse.entry()));
                } else {
                    seen.push(candidate.entry());
                }
            }
        }
    }

    /// What a sample is worth now: a bound, and the key itself if the bound `may_be_best`.
    #[inline]
    fn evaluate(&self, index: u32, may_be_best: impl Fn(Key) -> bool) -> Candidate {
        let at = index as usize;
        let weight = self.weights.map_or(1.0, |weights| weights[at]);
        let price = pow(self.ledger.length(at).max(1) as f64, self.alpha);
        let key = |gain: u64| Key { value: weight * gain as f64 / price, index };
        let Some(list) = self.lists.stored(at) else {
            let mut gain = 0;
            self.lists.each(at, |feature| gain += self.table.marginal(feature));
            return Candidate { key: key(gain), is_exact: true };
        };
        let common = self.table.common(list);
        let bound = key(common + self.table.rare_bound(list));
        if may_be_best(bound) {
            Candidate { key: key(common + self.table.rare(list)), is_exact: true }
        } else {
            Candidate { key: bound, is_exact: false }
        }
    }
}

/// A number that is not below `number`.
fn up(number: f64) -> f32 {
    let near = number as f32;
    if f64::from(near) < number { near.next_up() } else { near }
}

#[cfg(test)]
mod tests {
    use super::super::lists::COMMON;
    use super::super::marks::Marks;
    use super::super::survey::Survey;
    use super::super::vocabulary::Vocabulary;
    use super::super::weights::Weights;
    use super::super::{Guard, Params, Unit, counts, select};
    use super::*;
    use crate::pool::Pool;
    use crate::run::journal::Journal;
    use crate::select::controls::{Controls, Limits};
    use crate::text::features::ByteGrams;

    #[test]
    fn rounding_up_gives_bounds() {
        for number in [0.0, 1.0, 0.1, 1e-300, 16_777_217.0, 1e30 / 3.0] {
            assert!(f64::from(up(number)) >= number && f64::from(up(number)) <= number * (1.0 + 1e-6) + 1e-40);
        }
        assert_eq!((up(0.0), up(0.5)), (0.0, 0.5));
    }

    /// The picks from a pool many of whose features have bounds in the table, by computing every gain every time.
    #[test]
    fn agrees_with_computing_every_gain() {
        let (mut bytes, mut offsets, mut state) = (Vec::new(), vec![0], 1_u64);
        for index in 0..1000 {
            for _ in 0..300 + index % 500 {
                state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
                bytes.push(b'a' + (((state >> 60) * (state >> 56 & 15)) >> 4) as u8);
            }
            offsets.push(bytes.len() as i64);
        }
        let pool = Pool::new(&bytes, &offsets).unwrap();
        let (features, monitor) = (ByteGrams::new(6), Monitor::default());
        let guard = Guard { min_df: 2, min_contexts: 2 };
        for alpha in [0.0, 1.0] {
            let slots = Survey::new(&pool, features, &monitor).unwrap().slots(pool.bytes());
            let df = counts::document_frequencies(&pool, features, slots, guard, &monitor).unwrap();
            let weights = Weights::general(0.85);
            let (vocabulary, ranks) = Vocabulary::new(slots, df, weights.most());
            assert!(ranks.len() > COMMON + 8000, "{}", ranks.len());
            let mut table = Table::new(ranks, weights);
            let mut marks = Marks::new(vocabulary.len());
            let list = |sample| {
                let mut list = Vec::new();
                vocabulary.read(features, sample, &mut marks);
                marks.drain(|feature| list.push(feature));
                Some(list)
            };
            let mut left: Vec<Option<Vec<u32>>> = pool.iter().map(list).collect();
            let mut picks = Vec::new();
            for _ in 0..60 {
                let key = |(index, list): (usize, &Option<Vec<u32>>)| {
                    let gain: u64 = list.as_ref()?.iter().map(|&feature| table.marginal(feature)).sum();
                    let value = gain as f64 / pow(pool.sample(index).len() as f64, alpha);
                    Some(Key { value, index: index as u32 })
                };
                let keys = left.iter().enumerate().filter_map(key);
                let best = keys.reduce(|best, key| if key > best { key } else { best }).unwrap().index;
                let list = left[best as usize].take().unwrap();
                list.into_iter().for_each(|feature| _ = table.select(feature));
                picks.push(i64::from(best));
            }
            for threads in [1, 4] {
                let params = Params { unit: Unit::Byte, ngram: 6, gamma: 0.85, alpha, guard };
                let controls = Controls::only(Limits::samples(60));
                let found = select(&pool, &params, None, &controls, &mut Journal::default(), Some(threads), &monitor);
                assert_eq!(found.unwrap().indices, picks, "{alpha} {threads}");
            }
        }
    }
}
