//! Where the rounds begin, or go on: first states, what is known, and the rounds of an earlier run.

use std::collections::HashSet;
use std::time::Instant;

use super::super::field::Field;
use super::super::record;
use super::super::rules::Rules;
use super::Zip;
use crate::error::Result;
use crate::run::journal::misfit;
use crate::run::monitor::Stage;
use crate::sizer::Sizer;
use crate::sizer::set::ratio;

/// Samples scored between two records of a journal.
const SCORED_AT_ONCE: usize = 1 << 16;

impl<'a, S: Sizer, R: Rules, F: Field<'a, S, R>> Zip<'a, '_, S, R, F> {
    /// The first state of every sample: R of the sample alone. Returns the first record of a round to replay.
    pub(super) fn score(&mut self) -> Result<Option<record::Round>> {
        let start = Instant::now();
        let samples = self.field.len();
        self.monitor.enter(Stage::Score, samples);
        let (mut sizes, mut past) = (Vec::with_capacity(samples), None);
        while let Some(record) = self.journal.replay() {
            if record.kind() != record::SCORES {
                past = Some(record::Round::read(record, samples)?);
                break;
            }
            sizes.append(&mut record.content(|reader| reader.list())?);
        }
        if sizes.len() > samples || (past.is_some() && sizes.len() < samples) {
            return Err(misfit());
        }
        self.monitor.steps(sizes.len());
        let at_once = if self.journal.is_kept() { SCORED_AT_ONCE } else { samples };
        while sizes.len() < samples {
            let mut scored = self.field.score(sizes.len()..samples.min(sizes.len() + at_once))?;
            if self.journal.is_kept() {
                self.journal.write(record::scores(&scored))?;
            }
            sizes.append(&mut scored);
        }
        self.size = self.measure(&self.selected);
        self.result.initial_ratios = self.field.begin(sizes, self.shape())?;
        self.result.timings.score = start.elapsed();
        Ok(past)
    }

    /// Begins everything selected with what is known; returns how many samples are left.
    pub(super) fn know(&mut self) -> Result<usize> {
        if let Some(known) = self.known {
            self.selected.extend(known.iter(), self.monitor)?;
        }
        let known = self.field.know(&mut self.selected)?;
        self.size = self.measure(&self.selected);
        Ok(self.field.len() - known)
    }

    /// Does what an earlier run has done.
    pub(super) fn replay(&mut self, round: &record::Round) -> Result<()> {
        self.monitor.check()?;
        if !is_part(&round.block, &round.candidates) || !is_part(&round.picks, &round.block) {
            return Err(misfit());
        }
        let (shape, picks) = (self.shape(), self.field.fetch(&round.picks)?);
        // Rounds begin with what fits; what is left of the budget may have been reopened before.
        if picks.first().is_some_and(|first| !self.accounts.fits(first.cost, first.group)) {
            if self.field.any_fits()? || !self.accounts.reopen() {
                return Err(misfit());
            }
            self.field.reopen()?;
        }
        let mut costs = Vec::new();
        for (open, &size) in picks.iter().zip(&round.selected) {
            if !self.accounts.fits(open.cost, open.group) {
                return Err(misfit());
            }
            self.selected.push(&open.sample);
            costs.push((open.cost, open.group));
            self.end_pick(open, size);
        }
        self.field.note(round, shape, &costs)?;
        self.end_round(round);
        Ok(())
    }
}

/// R of samples alone, by their lengths in a set and their sizes.
pub(in super::super) fn ratios(overhead: u64, lengths: impl Iterator<Item = usize>, sizes: &[u64]) -> Vec<f64> {
    lengths.zip(sizes).map(|(length, &size)| ratio(overhead + length as u64, size)).collect()
}

/// Whether `indices` are some of `all`, each once.
fn is_part(indices: &[usize], all: &[usize]) -> bool {
    let mut left: HashSet<usize> = all.iter().copied().collect();
    left.len() == all.len() && indices.iter().all(|index| left.remove(index))
}
