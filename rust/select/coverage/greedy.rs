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

use rayon::prelude::*;

use super::features::Features;
use super::lists::Lists;
use super::queue::{Entry, Queue};
use super::real::pow;
use super::record::PickLog;
use super::table::Table;
use crate::error::Result;
use crate::select::ledger::Ledger;
use crate::select::monitor::{Monitor, Stage};

/// Samples evaluated first in search of a pick; every further batch is twice as large as the one before.
const LEAD: usize = 32;

/// Samples that are evaluated on one thread, at least: waking another one costs as much.
const SHARE: usize = 64;

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
pub struct Greedy<'a, F> {
    ledger: Ledger<'a>,
    weights: Option<&'a [f64]>,
    alpha: f64,
    lists: Lists<'a, F>,
    table: Table,
    queue: Queue,
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
        let mut this = Self { ledger, weights, alpha, lists, table, queue: Queue::new(Vec::new()), monitor };
        let mut entries: Vec<Entry> = (0..taken.len() as u32)
            .into_par_iter()
            .filter(|&index| !taken[index as usize])
            .map(|index| Entry { key: 0.0, index })
            .collect();
        this.evaluate(&mut entries)?;
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
            let Some(best) = self.best(&mut picks.evaluations)? else { break };
            let index = best as usize;
            let Self { ledger, lists, table, .. } = self;
            ledger.take(index);
            picks.gains.push(lists.select(index, table));
            picks.indices.push(index as i64);
            self.monitor.steps(ledger.cost(index) as usize);
            self.monitor.update(|now| now.picked += 1);
            log.note(&picks.indices)?;
        }
        Ok(())
    }

    /// Takes the sample of largest key from the queue, of those that fit.
    ///
    /// What no longer fits leaves the queue: it never will again.
    fn best(&mut self, evaluations: &mut u64) -> Result<Option<u32>> {
        let mut best: Option<Entry> = None;
        let mut batch = Vec::new();
        let mut most = LEAD;
        loop {
            while batch.len() < most
                && let Some(top) = self.queue.peek()
                && best.is_none_or(|best| top > best)
            {
                self.queue.pop();
                if self.ledger.fits(top.index as usize) {
                    batch.push(top);
                }
            }
            if batch.is_empty() {
                return Ok(best.map(|best| best.index));
            }
            *evaluations += batch.len() as u64;
            self.evaluate(&mut batch)?;
            most *= 2;
            for entry in batch.drain(..) {
                match best {
                    Some(better) if better > entry => self.queue.push(entry),
                    worse => {
                        worse.into_iter().for_each(|worse| self.queue.push(worse));
                        best = Some(entry);
                    }
                }
            }
        }
    }

    /// Brings the keys of `batch` up to date.
    fn evaluate(&self, batch: &mut [Entry]) -> Result<()> {
        batch.par_chunks_mut(SHARE).try_for_each(|share| {
            self.monitor.check()?;
            for entry in share {
                let index = entry.index as usize;
                let gain = self.lists.gain(index, &self.table);
                let weight = self.weights.map_or(1.0, |weights| weights[index]);
                entry.key = weight * gain as f64 / pow(self.ledger.length(index).max(1) as f64, self.alpha);
            }
            Ok(())
        })
    }
}
