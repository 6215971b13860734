//! ZIP: greedy multi-stage selection of samples whose union compresses badly (arXiv 2407.06645, section 4).
//!
//! Every sample has a *state*: the compression ratio R of the selected set with this sample added, as of the last time
//! it was computed, at first R of the sample alone. One round:
//!
//! 1. **Stage 1** takes the `k1` samples of lowest state.
//! 2. **Stage 2** computes their state anew, against everything selected, and takes the lowest `k2` of them: a block.
//! 3. **Stage 3** picks `k3` of the block, one at a time: always the one that keeps R of the picks *of this block*
//!    lowest. They join the selection.
//!
//! A round costs `k1 + k2 * k3` probes, whatever the size of the pool. Two presets run these rounds; [`Preset`] says
//! where they differ. Picks come one at a time in both, so a smaller budget gives a prefix of a larger one's selection.

use std::cmp::Ordering;
use std::time::{Duration, Instant};

use rayon::prelude::*;

use super::measure::estimate;
use super::monitor::{Monitor, Stage};
use super::order;
use super::set::{Framing, Set, ratio};
use super::workers::{BATCH, Workers};
use crate::error::{Error, Result};
use crate::pool::Pool;
use crate::sizer::Sizer;

/// Which ZIP.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Preset {
    /// The paper's algorithm: a set is the concatenation of its samples, ratios are compared exactly, ties go to the
    /// lower index, and what stage 3 leaves behind stays in the pool.
    Paper,
    /// The authors' script: a set is written as a Python list, ratios are compared as `f32`, ties fall as libstdc++
    /// lets them, and what stage 3 leaves behind is never looked at again.
    Reference,
}

/// How much to select, and the width of the stages.
#[derive(Debug, Clone, Copy)]
pub struct Params {
    /// Which ZIP.
    pub preset: Preset,
    /// Samples to select; at least 1.
    pub budget: usize,
    /// Candidates of stage 2.
    pub k1: usize,
    /// Size of a block.
    pub k2: usize,
    /// Picks of a block.
    pub k3: usize,
    /// Finish the round in which the budget is reached, as the script does, and so select up to `k3 - 1` more.
    pub whole_rounds: bool,
}

impl Params {
    fn check(&self) -> Result<()> {
        let &Self { budget, k1, k2, k3, .. } = self;
        if budget == 0 || k3 == 0 {
            return Err(Error::Parameter(format!("budget and k3 must be at least 1, not {budget} and {k3}")));
        }
        if k2 > k1 || k3 > k2 {
            return Err(Error::Parameter(format!(
                "each stage narrows the one before: k1 >= k2 >= k3 must hold, not {k1}, {k2}, {k3}"
            )));
        }
        Ok(())
    }
}

/// One round, as it was run.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Round {
    /// Candidates of stage 2.
    pub candidates: usize,
    /// Size of the block.
    pub block: usize,
    /// Samples picked of it.
    pub picked: usize,
    /// R of the selection after the round.
    pub ratio: f64,
}

/// Why a selection ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum End {
    /// The budget is reached.
    Budget,
    /// Every sample is selected or, in the reference, left behind.
    Exhausted,
    /// Reference only: fewer than `k1` samples are left that have been neither selected nor left behind. The script
    /// goes on from here and selects samples a second time.
    TooFewLeft,
}

/// Time spent, by stage.
#[derive(Debug, Clone, Copy, Default)]
pub struct Timings {
    /// Sizing every sample of the pool alone.
    pub score: Duration,
    /// Stages 1 and 2.
    pub global: Duration,
    /// Stage 3.
    pub local: Duration,
}

/// What was selected, and the trace of how.
#[derive(Debug, Clone)]
pub struct Selection {
    /// Indices in pick order.
    pub indices: Vec<i64>,
    /// R of the selection after each pick.
    pub ratios: Vec<f64>,
    /// R of every sample of the pool alone, in input order.
    pub initial_ratios: Vec<f64>,
    /// R of the pool, see [`estimate`].
    pub pool_ratio: f64,
    /// Bytes that it was measured on.
    pub pool_ratio_bytes: u64,
    /// The rounds.
    pub rounds: Vec<Round>,
    /// Why it ended.
    pub end: End,
    /// Time spent.
    pub timings: Timings,
}

/// Selects from `pool` with the sizer `S`, on `threads` threads (`None`: as many as this process may use).
///
/// The result depends on the pool, the parameters and the sizer alone, never on the number of threads.
///
/// # Errors
/// [`Error::Parameter`] for parameters that make no selection, [`Error::Interrupted`] when the monitor says so.
pub fn select<S: Sizer>(
    pool: &Pool<'_>,
    params: &Params,
    threads: Option<usize>,
    monitor: &Monitor,
) -> Result<Selection> {
    params.check()?;
    if pool.is_empty() {
        return Err(Error::Parameter("the pool is empty".into()));
    }
    let workers = Workers::<S>::new(threads)?;
    workers.run(|| match params.preset {
        Preset::Paper => Zip::<S, Paper>::new(pool, params, &workers, monitor).run(),
        Preset::Reference => Zip::<S, Reference>::new(pool, params, &workers, monitor).run(),
    })
}

/// What the presets do differently.
trait Rules {
    /// A comparable state.
    type State: Copy + Send + Sync;

    /// How a set of samples is written.
    const FRAMING: Framing;

    /// Whether the samples of a block that are not picked leave the pool too.
    const BURNS: bool;

    /// The state of a sample that is not to be picked again: higher than any other.
    const GONE: Self::State;

    /// The state of a set of `raw` bytes that compress to `size`.
    fn state(raw: u64, size: u64) -> Self::State;

    /// Positions of the `k` lowest of `states`, lowest first; `index(position)` is the sample's index.
    fn lowest(states: &[Self::State], k: usize, index: impl Fn(usize) -> usize) -> Vec<usize>;

    /// How many candidates stage 1 takes when `left` samples of a pool of `n` are left, or why it ends the selection.
    fn candidates(k1: usize, left: usize, n: usize) -> std::result::Result<usize, End>;
}

struct Paper;

/// A ratio that is compared exactly.
#[derive(Clone, Copy)]
struct Fraction {
    raw: u64,
    size: u64,
}

impl Fraction {
    fn compare(self, other: Self) -> Ordering {
        let cross = |a: Self, b: Self| u128::from(a.raw) * u128::from(b.size);
        cross(self, other).cmp(&cross(other, self))
    }
}

impl Rules for Paper {
    type State = Fraction;
    const FRAMING: Framing = Framing::CONCATENATION;
    const BURNS: bool = false;
    const GONE: Fraction = Fraction { raw: 1, size: 0 };

    fn state(raw: u64, size: u64) -> Fraction {
        Fraction { raw, size }
    }

    fn lowest(states: &[Fraction], k: usize, index: impl Fn(usize) -> usize) -> Vec<usize> {
        order::by_index(states.len(), k, |a, b| states[a].compare(states[b]).then_with(|| index(a).cmp(&index(b))))
    }

    fn candidates(k1: usize, left: usize, _n: usize) -> std::result::Result<usize, End> {
        if left == 0 { Err(End::Exhausted) } else { Ok(k1.min(left)) }
    }
}

struct Reference;

impl Rules for Reference {
    type State = f32;
    const FRAMING: Framing = Framing::PYTHON_LIST;
    const BURNS: bool = true;
    const GONE: f32 = 1_000_000.0;

    fn state(raw: u64, size: u64) -> f32 {
        ratio(raw, size) as f32
    }

    fn lowest(states: &[f32], k: usize, _index: impl Fn(usize) -> usize) -> Vec<usize> {
        order::as_libstdcxx(states, k)
    }

    /// The script cannot run at all on a pool smaller than `k1`, so there is nothing to reproduce: `k1` shrinks with
    /// what is left. On a larger pool it selects samples twice once fewer than `k1` are left: the end.
    fn candidates(k1: usize, left: usize, n: usize) -> std::result::Result<usize, End> {
        match left {
            0 => Err(End::Exhausted),
            left if left >= k1 => Ok(k1),
            left if n < k1 => Ok(left),
            _ => Err(End::TooFewLeft),
        }
    }
}

/// A sample of a block that is not picked yet.
struct Left<S: Sizer> {
    position: usize,
    candidate: S::Candidate,
}

/// A selection under way.
struct Zip<'a, S: Sizer, R: Rules> {
    pool: &'a Pool<'a>,
    params: &'a Params,
    workers: &'a Workers<S>,
    monitor: &'a Monitor,
    /// Everything selected.
    selected: Set<S>,
    /// What stage 3 has picked of the current block.
    block: Set<S>,
    states: Vec<R::State>,
    result: Selection,
}

impl<'a, S: Sizer, R: Rules> Zip<'a, S, R> {
    fn new(pool: &'a Pool<'a>, params: &'a Params, workers: &'a Workers<S>, monitor: &'a Monitor) -> Self {
        let result = Selection {
            indices: Vec::new(),
            ratios: Vec::new(),
            initial_ratios: Vec::new(),
            pool_ratio: 0.0,
            pool_ratio_bytes: 0,
            rounds: Vec::new(),
            end: End::Budget,
            timings: Timings::default(),
        };
        Self {
            pool,
            params,
            workers,
            monitor,
            selected: Set::new(R::FRAMING),
            block: Set::new(R::FRAMING),
            states: Vec::new(),
            result,
        }
    }

    /// Selects, and measures the pool meanwhile: that is a long append, which more threads would not shorten.
    fn run(self) -> Result<Selection> {
        let (pool, workers, monitor) = (self.pool, self.workers, self.monitor);
        let (selection, measured) = rayon::join(|| self.select(), || estimate(pool, R::FRAMING, workers, monitor));
        let (pool_ratio, pool_ratio_bytes) = measured?;
        Ok(Selection { pool_ratio, pool_ratio_bytes, ..selection? })
    }

    fn select(mut self) -> Result<Selection> {
        self.score()?;
        let mut left = self.pool.len();
        while self.result.indices.len() < self.params.budget {
            let candidates = match R::candidates(self.params.k1, left, self.pool.len()) {
                Ok(candidates) => candidates,
                Err(end) => {
                    self.result.end = end;
                    break;
                }
            };
            self.monitor.update(|now| now.round += 1);
            let block = self.global_stages(candidates)?;
            let picked = self.local_stage(&block)?;
            left -= if R::BURNS { block.len() } else { picked };
            let ratio = *self.result.ratios.last().expect("a round picks at least one sample");
            self.result.rounds.push(Round { candidates, block: block.len(), picked, ratio });
        }
        Ok(self.result)
    }

    /// The first state of every sample: R of the sample alone.
    fn score(&mut self) -> Result<()> {
        let start = Instant::now();
        self.monitor.enter(Stage::Score, self.pool.len());
        let all: Vec<usize> = (0..self.pool.len()).collect();
        let sizes = self.probe_selected(&all)?;
        let raw = |index: usize| self.selected.raw_with(self.pool.sample(index));
        self.result.initial_ratios = all.iter().map(|&index| ratio(raw(index), sizes[index])).collect();
        self.states = all.iter().map(|&index| R::state(raw(index), sizes[index])).collect();
        self.result.timings.score = start.elapsed();
        Ok(())
    }

    /// Stages 1 and 2: the block, in order.
    fn global_stages(&mut self, candidates: usize) -> Result<Vec<usize>> {
        let start = Instant::now();
        self.monitor.enter(Stage::Global, candidates);
        let candidates = R::lowest(&self.states, candidates, |position| position);
        let sizes = self.probe_selected(&candidates)?;
        let states: Vec<R::State> = candidates
            .iter()
            .zip(sizes)
            .map(|(&index, size)| R::state(self.selected.raw_with(self.pool.sample(index)), size))
            .collect();
        for (&index, &state) in candidates.iter().zip(&states) {
            self.states[index] = state;
        }
        let k2 = self.params.k2.min(candidates.len());
        let block: Vec<usize> = R::lowest(&states, k2, |position| candidates[position])
            .into_iter()
            .map(|position| candidates[position])
            .collect();
        self.result.timings.global += start.elapsed();
        Ok(block)
    }

    /// Sizes of everything selected with each of these samples added.
    fn probe_selected(&self, indices: &[usize]) -> Result<Vec<u64>> {
        self.workers.probe_all(
            &self.selected,
            indices.len(),
            |position| self.pool.sample(indices[position]),
            self.monitor,
        )
    }

    /// Stage 3: picks from the block one at a time; returns how many.
    fn local_stage(&mut self, block: &[usize]) -> Result<usize> {
        let start = Instant::now();
        let missing = self.params.budget - self.result.indices.len();
        let wanted = if self.params.whole_rounds { self.params.k3 } else { self.params.k3.min(missing) };
        let wanted = wanted.min(block.len());
        self.monitor.enter(Stage::Local, wanted);
        if R::BURNS {
            block.iter().for_each(|&index| self.states[index] = R::GONE);
        }
        self.block.clear();
        let mut states = vec![R::GONE; block.len()];
        let mut left = Vec::new();
        for pick in 0..wanted {
            // Framed anew for the second pick: the first opens the block, the others follow a separator.
            if pick < 2 {
                let taken = self.result.indices.last().filter(|_| pick > 0).copied();
                left = self.prepare(block, taken);
            }
            self.size_candidates(&mut left, block, &mut states)?;
            let position = R::lowest(&states, 1, |position| block[position])[0];
            states[position] = R::GONE;
            left.retain(|candidate| candidate.position != position);
            self.pick(block[position]);
        }
        self.result.timings.local += start.elapsed();
        Ok(wanted)
    }

    /// The samples of a block, but for `taken`, prepared for repeated probes.
    fn prepare(&self, block: &[usize], taken: Option<i64>) -> Vec<Left<S>> {
        let open = block.par_iter().enumerate().filter(|&(_, &index)| Some(index as i64) != taken);
        open.map(|(position, &index)| Left { position, candidate: self.block.candidate(self.pool.sample(index)) })
            .collect()
    }

    /// The states of a block's samples that are left, against what was picked of it.
    fn size_candidates(&self, left: &mut [Left<S>], block: &[usize], states: &mut [R::State]) -> Result<()> {
        let sized = left.par_chunks_mut(BATCH).map(|batch| {
            self.monitor.check()?;
            let mut candidates: Vec<&mut S::Candidate> = batch.iter_mut().map(|left| &mut left.candidate).collect();
            let sizes = self.workers.with_scratch(|scratch| self.block.probe_candidates(&mut candidates, scratch));
            Ok(batch.iter().map(|left| left.position).zip(sizes).collect::<Vec<_>>())
        });
        for (position, size) in sized.collect::<Result<Vec<_>>>()?.into_iter().flatten() {
            states[position] = R::state(self.block.raw_with(self.pool.sample(block[position])), size);
        }
        Ok(())
    }

    fn pick(&mut self, index: usize) {
        let sample = self.pool.sample(index);
        self.block.push(sample);
        self.selected.push(sample);
        self.states[index] = R::GONE;
        let ratio = self.workers.with_scratch(|scratch| self.selected.measure(scratch)).ratio();
        self.result.indices.push(index as i64);
        self.result.ratios.push(ratio);
        self.monitor.steps(1);
        self.monitor.update(|now| {
            now.picked += 1;
            now.ratio = ratio;
        });
    }
}
