//! The lazy greedy algorithm (CELF): always the sample of largest gain a cost, without computing most gains.
//!
//! A gain never rises as the selection grows, so one computed earlier bounds the one of now. A queue holds the
//! samples by such bounds. If its top is up to date, that sample is the best; else the top is computed anew and sinks to where
//! it belongs (Minoux 1978; Leskovec et al. 2007). The picks are those of computing everything at every step.
//!
//! To keep all threads busy, several entries from the top are computed at once. That changes nothing but bounds: it
//! makes some fresher that one-by-one evaluation would not have reached. How many follows from the picks before, not
//! from the number of threads, so even the number of evaluations is reproducible.
//!
//! Keys are `gain / bytes^alpha`, one correctly rounded division of numbers that do not depend on the platform; it is
//! monotone, so keys are bounds as gains are. Equal keys go to the lower index.

use rayon::prelude::*;

use super::Budget;
use super::lists::Lists;
use super::queue::{Entry, Queue};
use super::real::pow;
use super::table::Table;
use crate::error::Result;
use crate::pool::Pool;
use crate::select::monitor::{Monitor, Stage};

/// Bounds on how many samples are evaluated at once.
const BATCH: std::ops::RangeInclusive<u64> = 16..=8192;

/// What has been picked.
#[derive(Debug, Default)]
pub struct Picks {
    /// In pick order.
    pub indices: Vec<i64>,
    /// Of each, in the table's units.
    pub gains: Vec<u64>,
    /// Gains computed after the first one of every sample.
    pub evaluations: u64,
}

/// A selection under way.
pub struct Greedy<'a> {
    pool: &'a Pool<'a>,
    alpha: f64,
    lists: Lists,
    table: Table,
    queue: Queue,
    monitor: &'a Monitor,
}

impl<'a> Greedy<'a> {
    /// Computes the first key of every sample that is not `known` to the user already.
    pub fn new(
        pool: &'a Pool<'a>,
        alpha: f64,
        lists: Lists,
        table: Table,
        known: &[bool],
        monitor: &'a Monitor,
    ) -> Result<Self> {
        let mut this = Self { pool, alpha, lists, table, queue: Queue::default(), monitor };
        let mut entries: Vec<Entry> = (0..pool.len() as u32)
            .into_par_iter()
            .filter(|&index| !known[index as usize])
            .map(|index| Entry { key: 0.0, index, picks: 0 })
            .collect();
        this.evaluate(&mut entries, 0)?;
        this.queue = Queue::new(entries);
        Ok(this)
    }

    /// Picks until the budget is reached or nothing is left that fits it.
    pub fn run(mut self, budget: Budget) -> Result<(Picks, Table)> {
        let mut picks = Picks::default();
        let mut batch = Vec::new();
        let mut left = budget.amount();
        self.monitor.enter(Stage::Pick, left as usize);
        while left > 0 {
            self.monitor.check()?;
            let now = picks.indices.len() as u32;
            let most = (picks.evaluations / (4 * u64::from(now) + 1)).clamp(*BATCH.start(), *BATCH.end());
            match self.next(budget, left, now, most as usize, &mut batch) {
                Some(best) => {
                    let index = best as usize;
                    let spent = budget.price(self.pool.sample(index).len());
                    left -= spent;
                    let Self { lists, table, .. } = &mut self;
                    picks.gains.push(lists.of(index).map(|feature| table.select(feature)).sum());
                    picks.indices.push(index as i64);
                    self.monitor.steps(spent as usize);
                    self.monitor.update(|now| now.picked += 1);
                }
                None if batch.is_empty() => break,
                None => {
                    picks.evaluations += batch.len() as u64;
                    self.evaluate(&mut batch, now)?;
                    self.queue.extend(batch.drain(..));
                }
            }
        }
        Ok((picks, self.table))
    }

    /// The sample to pick, or none and in `batch` those to evaluate first, at most `most`. Neither: nothing is left.
    ///
    /// What no longer fits the budget leaves the queue: it never will again.
    fn next(&mut self, budget: Budget, left: u64, now: u32, most: usize, batch: &mut Vec<Entry>) -> Option<u32> {
        while let Some(top) = self.queue.peek() {
            let fits = budget.price(self.pool.sample(top.index as usize).len()) <= left;
            if fits && top.picks == now {
                if !batch.is_empty() {
                    return None;
                }
                self.queue.pop();
                return Some(top.index);
            }
            self.queue.pop();
            if fits {
                batch.push(top);
                if batch.len() == most {
                    return None;
                }
            }
        }
        None
    }

    /// Brings the keys of `batch` up to date.
    fn evaluate(&self, batch: &mut [Entry], now: u32) -> Result<()> {
        batch.par_iter_mut().with_min_len(8).try_for_each(|entry| {
            self.monitor.check()?;
            let index = entry.index as usize;
            let gain: u64 = self.lists.of(index).map(|feature| self.table.marginal(feature)).sum();
            let bytes = self.pool.sample(index).len().max(1);
            entry.key = gain as f64 / pow(bytes as f64, self.alpha);
            entry.picks = now;
            Ok(())
        })
    }
}
