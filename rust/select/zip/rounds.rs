//! The rounds of ZIP.

mod start;

use std::time::Instant;

use rayon::prelude::*;

use super::record;
use super::rules::Rules;
use super::weigh::Weigh;
use super::{End, Params, Round, Selection, Timings};
use crate::error::Result;
use crate::measure::ratio::whole;
use crate::pool::Pool;
use crate::run::journal::Journal;
use crate::run::monitor::{Monitor, Stage};
use crate::select::controls::{Controls, Known};
use crate::select::ledger::Ledger;
use crate::sizer::Sizer;
use crate::sizer::set::{Set, ratio};
use crate::sizer::workers::Workers;

/// A sample of a block that is not picked yet.
struct Left<S: Sizer> {
    position: usize,
    candidate: S::Candidate,
}

/// A selection under way.
pub(super) struct Zip<'a, 'j, S: Sizer, R: Rules> {
    pool: &'a Pool<'a>,
    params: &'a Params,
    known: Known<'a>,
    weigh: Weigh<'a>,
    journal: &'a mut Journal<'j>,
    workers: &'a Workers<S>,
    monitor: &'a Monitor,
    ledger: Ledger<'a>,
    /// Everything selected, and its size.
    selected: Set<S>,
    size: u64,
    /// What stage 3 has picked of the current block.
    block: Set<S>,
    states: Vec<R::State>,
    /// Compressed lengths of the samples alone.
    alone: Vec<u64>,
    /// Samples that are not to be picked any more, and how many others there are.
    gone: Vec<bool>,
    left: usize,
    /// Whether some have gone because they do not fit.
    unfit: bool,
    /// Those that may fit later, and their states.
    parked: Vec<(usize, R::State)>,
    result: Selection,
}

impl<'a, 'j, S: Sizer, R: Rules> Zip<'a, 'j, S, R> {
    pub(super) fn new(
        pool: &'a Pool<'a>,
        params: &'a Params,
        controls: &'a Controls<'a>,
        journal: &'a mut Journal<'j>,
        workers: &'a Workers<S>,
        monitor: &'a Monitor,
    ) -> Result<Self> {
        let result = Selection {
            indices: Vec::new(),
            gains: Vec::new(),
            ratios: Vec::new(),
            initial_ratios: Vec::new(),
            pool_ratio: 0.0,
            rounds: Vec::new(),
            end: End::Budget,
            timings: Timings::default(),
        };
        Ok(Self {
            pool,
            params,
            known: controls.known,
            weigh: Weigh(controls.weights),
            journal,
            workers,
            monitor,
            ledger: Ledger::new(pool, controls)?,
            selected: Set::new(R::FRAMING),
            size: 0,
            block: Set::new(R::FRAMING),
            states: Vec::new(),
            alone: Vec::new(),
            gone: vec![false; pool.len()],
            left: pool.len(),
            unfit: false,
            parked: Vec::new(),
            result,
        })
    }

    /// Selects, and measures the pool meanwhile, on threads that have nothing else to do.
    pub(super) fn run(self) -> Result<Selection> {
        let (pool, monitor) = (self.pool, self.monitor);
        let (selection, measured) = rayon::join(|| self.select(), || whole::<S>(pool, R::FRAMING, monitor));
        Ok(Selection { pool_ratio: measured?.ratio(), ..selection? })
    }

    fn select(mut self) -> Result<Selection> {
        let mut past = self.score()?;
        self.know()?;
        let samples = self.left;
        while let Some(round) = past {
            self.replay(&round)?;
            past = self.journal.replay().map(|record| record::Round::read(record, self.pool.len())).transpose()?;
        }
        while self.ledger.left() > 0 {
            self.drop_unfit();
            let candidates = match R::candidates(self.params.k1, self.left, samples) {
                Ok(candidates) => candidates,
                Err(End::Exhausted) if self.ledger.reopen() => {
                    self.bring_back();
                    continue;
                }
                Err(End::Exhausted) if self.unfit => break,
                Err(end) => {
                    self.result.end = end;
                    break;
                }
            };
            self.monitor.update(|now| now.round = self.result.rounds.len() + 1);
            let (candidates, sizes, block) = self.global_stages(candidates)?;
            let workers = self.workers;
            let (picks, selected) = workers.awake(|| self.local_stage(&block))?;
            let round = record::Round { candidates, sizes, block, picks, selected };
            self.end_round(&round);
            if self.journal.is_kept() {
                self.journal.write(round.write())?;
            }
        }
        Ok(self.result)
    }

    fn end_round(&mut self, round: &record::Round) {
        let ratio = *self.result.ratios.last().expect("a round picks at least one sample");
        let (candidates, block, picked) = (round.candidates.len(), round.block.len(), round.picks.len());
        self.result.rounds.push(Round { candidates, block, picked, ratio });
    }

    /// Lets go of the samples that fit no more.
    fn drop_unfit(&mut self) {
        if !self.ledger.all_fit() {
            let unfit: Vec<usize> =
                (0..self.pool.len()).filter(|&index| !self.gone[index] && !self.ledger.fits(index)).collect();
            self.unfit |= !unfit.is_empty();
            if self.ledger.may_reopen() {
                self.parked.extend(unfit.iter().map(|&index| (index, self.states[index])));
            }
            unfit.into_iter().for_each(|index| self.remove(index));
        }
    }

    /// Brings back the samples that did not fit.
    fn bring_back(&mut self) {
        for (index, state) in std::mem::take(&mut self.parked) {
            self.states[index] = state;
            self.gone[index] = false;
            self.left += 1;
        }
    }

    fn remove(&mut self, index: usize) {
        if !std::mem::replace(&mut self.gone[index], true) {
            self.states[index] = R::GONE;
            self.left -= 1;
        }
    }

    /// The state of `set`, which alone has size `base`, with a sample added.
    fn state(&self, set: &Set<S>, base: u64, index: usize, size: u64) -> R::State {
        R::state(set.raw_with(self.pool.sample(index)), self.weigh.size(index, base, size))
    }

    /// Stages 1 and 2: the candidates, their sizes, and the block in order.
    fn global_stages(&mut self, candidates: usize) -> Result<(Vec<usize>, Vec<u64>, Vec<usize>)> {
        let start = Instant::now();
        self.monitor.enter(Stage::Global, candidates);
        let candidates = R::lowest(&self.states, candidates, |position| position);
        let sizes = self.probe_selected(&candidates)?;
        let states = self.set_states(&candidates, &sizes);
        let k2 = self.params.k2.min(candidates.len());
        let block: Vec<usize> = R::lowest(&states, k2, |position| candidates[position])
            .into_iter()
            .map(|position| candidates[position])
            .collect();
        self.result.timings.global += start.elapsed();
        Ok((candidates, sizes, block))
    }

    /// Brings the states of candidates up to date, given the sizes of everything selected with each of them added.
    fn set_states(&mut self, candidates: &[usize], sizes: &[u64]) -> Vec<R::State> {
        let state = |(&index, &size)| self.state(&self.selected, self.size, index, size);
        let states: Vec<R::State> = candidates.iter().zip(sizes).map(state).collect();
        for (&index, &state) in candidates.iter().zip(&states) {
            self.states[index] = state;
        }
        states
    }

    /// Sizes of everything selected with each of these samples added.
    fn probe_selected(&self, indices: &[usize]) -> Result<Vec<u64>> {
        if self.selected.is_empty() && !self.alone.is_empty() {
            self.monitor.steps(indices.len());
            return Ok(indices.iter().map(|&index| self.alone[index]).collect());
        }
        self.workers.probe_all(
            &self.selected,
            indices.len(),
            |position| self.pool.sample(indices[position]),
            self.monitor,
        )
    }

    /// Stage 3: picks from the block one at a time; returns the picks, and the size of everything selected after each.
    fn local_stage(&mut self, block: &[usize]) -> Result<(Vec<usize>, Vec<u64>)> {
        let start = Instant::now();
        let wanted = self.params.k3.min(block.len());
        self.monitor.enter(Stage::Local, wanted);
        if R::BURNS {
            block.iter().for_each(|&index| self.remove(index));
        }
        self.block.clear();
        // The first pick is weighed as it was scored. All of the block fit: others have left before the round.
        let mut states = self.states_alone(block);
        let (mut left, mut picks, mut sizes) = (Vec::new(), Vec::new(), Vec::new());
        while picks.len() < wanted && self.ledger.left() > 0 {
            if let [first] = picks[..] {
                left = self.prepare(block, first);
            }
            if !picks.is_empty() {
                left.retain(|candidate: &Left<S>| {
                    let fits = self.ledger.fits(block[candidate.position]);
                    if !fits {
                        states[candidate.position] = R::GONE;
                    }
                    fits
                });
                if left.is_empty() {
                    break;
                }
                self.size_candidates(&mut left, block, &mut states)?;
            }
            let position = R::lowest(&states, 1, |position| block[position])[0];
            states[position] = R::GONE;
            left.retain(|candidate| candidate.position != position);
            picks.push(block[position]);
            sizes.push(self.pick(block[position]));
        }
        self.result.timings.local += start.elapsed();
        Ok((picks, sizes))
    }

    /// The states of a block's samples alone.
    fn states_alone(&self, block: &[usize]) -> Vec<R::State> {
        let base = self.measure(&self.block);
        block.iter().map(|&index| self.state(&self.block, base, index, self.alone[index])).collect()
    }

    /// The samples of a block, but for `taken`, prepared for repeated probes.
    fn prepare(&self, block: &[usize], taken: usize) -> Vec<Left<S>> {
        let open = block.par_iter().enumerate().filter(|&(_, &index)| index != taken);
        open.map(|(position, &index)| Left { position, candidate: self.block.candidate(self.pool.sample(index)) })
            .collect()
    }

    /// The states of a block's samples that are left, against what was picked of it.
    fn size_candidates(&self, left: &mut [Left<S>], block: &[usize], states: &mut [R::State]) -> Result<()> {
        // No more in one piece than a sizer takes at once, so that all threads have done at about the same time.
        let sized = left.par_chunks_mut(S::AT_ONCE).with_max_len(1).map(|batch| {
            self.monitor.check()?;
            let mut candidates: Vec<&mut S::Candidate> = batch.iter_mut().map(|left| &mut left.candidate).collect();
            let sizes = self.workers.with_scratch(|scratch| self.block.probe_candidates(&mut candidates, scratch));
            Ok(batch.iter().map(|left| left.position).zip(sizes).collect::<Vec<_>>())
        });
        let sized = sized.collect::<Result<Vec<_>>>()?;
        let base = if self.weigh.is_on() { self.measure(&self.block) } else { 0 };
        for (position, size) in sized.into_iter().flatten() {
            states[position] = self.state(&self.block, base, block[position], size);
        }
        Ok(())
    }

    /// Picks a sample; returns the size of everything selected.
    fn pick(&mut self, index: usize) -> u64 {
        let sample = self.pool.sample(index);
        let Self { block, selected, .. } = self;
        rayon::join(|| block.push(sample), || selected.push(sample));
        let size = self.measure(&self.selected);
        self.note(index, size);
        size
    }

    /// Notes that everything selected, of size `size` now, ends with this sample.
    fn note(&mut self, index: usize, size: u64) {
        self.ledger.take(index);
        self.remove(index);
        let before = if self.selected.len() == 1 { 0 } else { self.size };
        self.result.gains.push(size as f64 - before as f64);
        self.size = size;
        let ratio = ratio(self.selected.raw(), size);
        self.result.indices.push(index as i64);
        self.result.ratios.push(ratio);
        self.monitor.steps(1);
        self.monitor.update(|now| {
            now.picked += 1;
            now.ratio = ratio;
        });
    }

    fn measure(&self, set: &Set<S>) -> u64 {
        self.workers.with_scratch(|scratch| set.measure(scratch)).size
    }
}
