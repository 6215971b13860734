//! The rounds of ZIP.

pub(super) mod start;

use std::marker::PhantomData;
use std::time::Instant;

use rayon::prelude::*;

use super::field::{Field, Open};
use super::record;
use super::rules::Rules;
use super::stock::Shape;
use super::{End, Params, Round, Selection, Timings};
use crate::error::Result;
use crate::pool::Pool;
use crate::run::journal::Journal;
use crate::run::monitor::{Monitor, Stage};
use crate::select::accounts::Accounts;
use crate::sizer::Sizer;
use crate::sizer::set::{Set, ratio};
use crate::sizer::workers::Workers;

/// A sample of a block that is not picked yet.
struct Left<S: Sizer> {
    position: usize,
    candidate: S::Candidate,
}

/// A selection under way.
pub(super) struct Zip<'a, 'j, S: Sizer, R: Rules, F> {
    field: F,
    params: &'a Params,
    /// What is known and not of the pool.
    known: Option<Pool<'a>>,
    journal: &'a mut Journal<'j>,
    workers: &'a Workers<S>,
    monitor: &'a Monitor,
    accounts: Accounts,
    /// Everything selected, and its size.
    selected: Set<S>,
    size: u64,
    /// What stage 3 has picked of the current block.
    block: Set<S>,
    result: Selection,
    rules: PhantomData<R>,
}

/// What stage 3 picked: samples, what each costs and its group, and the size of everything selected after each.
#[derive(Default)]
struct Picked {
    picks: Vec<usize>,
    costs: Vec<(u64, usize)>,
    selected: Vec<u64>,
}

impl<'a, 'j, S: Sizer, R: Rules, F: Field<'a, S, R>> Zip<'a, 'j, S, R, F> {
    pub(super) fn new(
        field: F,
        params: &'a Params,
        known: Option<Pool<'a>>,
        accounts: Accounts,
        journal: &'a mut Journal<'j>,
        workers: &'a Workers<S>,
        monitor: &'a Monitor,
    ) -> Self {
        let result = Selection {
            indices: Vec::new(),
            gains: Vec::new(),
            ratios: Vec::new(),
            initial_ratios: Vec::new(),
            pool_ratio: None,
            rounds: Vec::new(),
            end: End::Budget,
            timings: Timings::default(),
        };
        let (selected, block) = (Set::new(R::FRAMING), Set::new(R::FRAMING));
        Self {
            field,
            params,
            known,
            journal,
            workers,
            monitor,
            accounts,
            selected,
            size: 0,
            block,
            result,
            rules: PhantomData,
        }
    }

    pub(super) fn select(mut self) -> Result<Selection> {
        let mut past = self.score()?;
        let (samples, open) = (self.field.len(), self.know()?);
        while let Some(round) = past {
            self.replay(&round)?;
            past = self.journal.replay().map(|record| record::Round::read(record, samples)).transpose()?;
        }
        while self.accounts.left() > 0 {
            let (left, unfit) = self.field.left()?;
            let candidates = match R::candidates(self.params.k1, left, open) {
                Ok(candidates) => candidates,
                Err(End::Exhausted) if self.accounts.reopen() => {
                    self.field.reopen()?;
                    continue;
                }
                Err(End::Exhausted) if unfit => break,
                Err(end) => {
                    self.result.end = end;
                    break;
                }
            };
            self.monitor.update(|now| now.round = self.result.rounds.len() + 1);
            let shape = self.shape();
            let (candidates, sizes, block) = self.global_stages(candidates, shape)?;
            let open = self.field.fetch(&block)?;
            let workers = self.workers;
            let Picked { picks, costs, selected } = workers.awake(|| self.local_stage(&open))?;
            let round = record::Round { candidates, sizes, block, picks, selected };
            self.field.note(&round, shape, &costs)?;
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

    fn shape(&self) -> Shape {
        Shape::of(&self.selected, self.size)
    }

    /// Stages 1 and 2: the candidates, their sizes, and the block in order.
    fn global_stages(&mut self, candidates: usize, shape: Shape) -> Result<(Vec<usize>, Vec<u64>, Vec<usize>)> {
        let start = Instant::now();
        self.monitor.enter(Stage::Global, candidates);
        let candidates = self.field.lowest(candidates)?;
        let (sizes, states) = self.field.size(&self.selected, shape, &candidates)?;
        let k2 = self.params.k2.min(candidates.len());
        let block: Vec<usize> = R::lowest(&states, k2, |position| candidates[position])
            .into_iter()
            .map(|position| candidates[position])
            .collect();
        self.result.timings.global += start.elapsed();
        Ok((candidates, sizes, block))
    }

    /// Stage 3: picks from the block one at a time.
    fn local_stage(&mut self, open: &[Open<'_>]) -> Result<Picked> {
        let start = Instant::now();
        let wanted = self.params.k3.min(open.len());
        self.monitor.enter(Stage::Local, wanted);
        self.block.clear();
        // The first pick is weighed as it was scored. All of the block fit: others have left before the round.
        let mut states = self.states_alone(open);
        let (mut left, mut picked) = (Vec::new(), Picked::default());
        while picked.picks.len() < wanted && self.accounts.left() > 0 {
            if picked.picks.len() == 1 {
                left = self.prepare(open, picked.picks[0]);
            }
            if !picked.picks.is_empty() {
                left.retain(|candidate: &Left<S>| {
                    let Open { cost, group, .. } = &open[candidate.position];
                    let fits = self.accounts.fits(*cost, *group);
                    if !fits {
                        states[candidate.position] = R::GONE;
                    }
                    fits
                });
                if left.is_empty() {
                    break;
                }
                self.size_candidates(&mut left, open, &mut states)?;
            }
            let position = R::lowest(&states, 1, |position| open[position].index)[0];
            states[position] = R::GONE;
            left.retain(|candidate| candidate.position != position);
            let Open { index, cost, group, .. } = open[position];
            picked.picks.push(index);
            picked.costs.push((cost, group));
            picked.selected.push(self.pick(&open[position]));
        }
        self.result.timings.local += start.elapsed();
        Ok(picked)
    }

    /// The states of a block's samples alone.
    fn states_alone(&self, open: &[Open<'_>]) -> Vec<R::State> {
        let shape = Shape::of(&self.block, self.measure(&self.block));
        open.iter().map(|open| shape.state::<R>(open.sample.len(), open.weight, open.alone)).collect()
    }

    /// The samples of a block, but for `taken`, prepared for repeated probes.
    fn prepare(&self, open: &[Open<'_>], taken: usize) -> Vec<Left<S>> {
        let set = &self.block;
        let open = open.par_iter().enumerate().filter(|(_, open)| open.index != taken);
        open.map(|(position, open)| Left { position, candidate: set.candidate(&open.sample) }).collect()
    }

    /// The states of a block's samples that are left, against what was picked of it.
    fn size_candidates(&self, left: &mut [Left<S>], open: &[Open<'_>], states: &mut [R::State]) -> Result<()> {
        // No more in one piece than a sizer takes at once, so that all threads have done at about the same time.
        let Self { block: set, workers, monitor, .. } = self;
        let sized = left.par_chunks_mut(S::AT_ONCE).with_max_len(1).map(|batch| {
            monitor.check()?;
            let mut candidates: Vec<&mut S::Candidate> = batch.iter_mut().map(|left| &mut left.candidate).collect();
            let sizes = workers.with_scratch(|scratch| set.probe_candidates(&mut candidates, scratch));
            Ok(batch.iter().map(|left| left.position).zip(sizes).collect::<Vec<_>>())
        });
        let sized = sized.collect::<Result<Vec<_>>>()?;
        let is_weighed = open.iter().any(|open| open.weight.is_some());
        let base = if is_weighed { self.measure(&self.block) } else { 0 };
        let shape = Shape::of(&self.block, base);
        for (position, size) in sized.into_iter().flatten() {
            let Open { sample, weight, .. } = &open[position];
            states[position] = shape.state::<R>(sample.len(), *weight, size);
        }
        Ok(())
    }

    /// Picks a sample; returns the size of everything selected.
    fn pick(&mut self, open: &Open<'_>) -> u64 {
        let Self { block, selected, .. } = self;
        rayon::join(|| block.push(&open.sample), || selected.push(&open.sample));
        let size = self.measure(&self.selected);
        self.end_pick(open, size);
        size
    }

    /// Notes that everything selected, of size `size` now, ends with this sample.
    fn end_pick(&mut self, open: &Open<'_>, size: u64) {
        self.accounts.take(open.cost, open.group);
        let before = if self.selected.len() == 1 { 0 } else { self.size };
        self.result.gains.push(size as f64 - before as f64);
        self.size = size;
        let ratio = ratio(self.selected.raw(), size);
        self.result.indices.push(open.index as i64);
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
