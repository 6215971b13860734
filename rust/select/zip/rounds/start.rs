//! Where the rounds begin, or go on: first states, what is known, and the rounds of an earlier run.

use std::collections::HashSet;
use std::time::Instant;

use super::super::record;
use super::super::rules::Rules;
use super::Zip;
use crate::error::Result;
use crate::run::journal::misfit;
use crate::run::monitor::Stage;
use crate::select::controls::Known;
use crate::sizer::Sizer;
use crate::sizer::set::ratio;

/// Samples scored between two records of a journal.
const SCORED_AT_ONCE: usize = 1 << 16;

impl<S: Sizer, R: Rules> Zip<'_, '_, S, R> {
    /// The first state of every sample: R of the sample alone. Returns the first record of a round to replay.
    pub(super) fn score(&mut self) -> Result<Option<record::Round>> {
        let start = Instant::now();
        let samples = self.pool.len();
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
            let next: Vec<usize> = (sizes.len()..samples.min(sizes.len() + at_once)).collect();
            let mut scored = self.probe_selected(&next)?;
            if self.journal.is_kept() {
                self.journal.write(record::scores(&scored))?;
            }
            sizes.append(&mut scored);
        }
        let raw = |index: usize| self.selected.raw_with(self.pool.sample(index));
        self.size = self.measure(&self.selected);
        self.result.initial_ratios = (0..samples).map(|index| ratio(raw(index), sizes[index])).collect();
        self.states = (0..samples).map(|index| self.state(&self.selected, self.size, index, sizes[index])).collect();
        self.alone = sizes;
        self.result.timings.score = start.elapsed();
        Ok(past)
    }

    /// Begins everything selected with what is known.
    pub(super) fn know(&mut self) -> Result<()> {
        match self.known {
            Known::Nothing => return Ok(()),
            Known::Pool(known) => self.selected.extend(known.iter(), self.monitor)?,
            Known::Indices(_) => {
                let known = self.known.mask(self.pool)?;
                let pool = self.pool;
                let indices = || (0..pool.len()).filter(|&index| known[index]);
                self.selected.extend(indices().map(|index| pool.sample(index)), self.monitor)?;
                indices().for_each(|index| self.remove(index));
            }
        }
        self.size = self.measure(&self.selected);
        Ok(())
    }

    /// Does what an earlier run has done.
    pub(super) fn replay(&mut self, round: &record::Round) -> Result<()> {
        self.monitor.check()?;
        if !is_part(&round.block, &round.candidates)
            || !is_part(&round.picks, &round.block)
            || round.candidates.iter().any(|&index| self.gone[index])
        {
            return Err(misfit());
        }
        self.set_states(&round.candidates, &round.sizes);
        if R::BURNS {
            round.block.iter().for_each(|&index| self.remove(index));
        }
        for (&index, &size) in round.picks.iter().zip(&round.selected) {
            if !self.ledger.fits(index) {
                let none_fits = (0..self.pool.len()).all(|other| self.gone[other] || !self.ledger.fits(other));
                if !(none_fits && self.ledger.reopen() && self.ledger.fits(index)) {
                    return Err(misfit());
                }
            }
            self.selected.push(self.pool.sample(index));
            self.note(index, size);
        }
        self.end_round(round);
        Ok(())
    }
}

/// Whether `indices` are some of `all`, each once.
fn is_part(indices: &[usize], all: &[usize]) -> bool {
    let mut left: HashSet<usize> = all.iter().copied().collect();
    left.len() == all.len() && indices.iter().all(|index| left.remove(index))
}
