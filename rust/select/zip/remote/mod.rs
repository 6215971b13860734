//! ZIP from several partitions: the picks that it makes of the whole pool on one machine.
//!
//! Partitions have the samples and their states; the rounds are run here. A round takes three round trips: partitions tell of
//! their samples of lowest state, size those of them that are candidates behind everything selected, of which they get the
//! last 32 KiB and the compressor's state, and hand over the block for stage 3. What a round came to, sizes included, goes
//! with the next request: so a partition that is made anew sizes nothing again.
//!
//! The reference preset takes equal states as libstdc++'s partial sort leaves them, which depends on all of them: there the
//! states are here, 4 bytes a sample, and partitions tell how they change.
//!
//! Memory: 8 bytes a sample, twice that while first states are made, and the texts of `k2` candidates. Bytes, for each round:
//! 33 KB to each partition, and about 20 for each candidate; the texts of the block. Before the rounds, about 8 a sample.
//! A journal has the first sizes in input order, so that those of later partitions are in it once all before them are.

mod told;

use std::borrow::Cow;
use std::ops::Range;

use self::told::Untold;
use super::field::{Field, Open};
use super::part::{PAPER, REFERENCE, write_shape};
use super::record::Round;
use super::rounds::Zip;
use super::rounds::start::ratios;
use super::rules::{Paper, Reference, Rules};
use super::stock::Shape;
use super::{Params, Preset, Selection};
use crate::error::Result;
use crate::run::journal::Journal;
use crate::run::monitor::Monitor;
use crate::select::parts::{Ask, Asking, Op, Plan, Reader, Traffic, Whole, Writer, accounts, garbled};
use crate::sizer::DeflateSizer;
use crate::sizer::set::Set;
use crate::sizer::workers::Workers;

/// Samples that a partition sizes alone between two messages.
const SCORED_AT_ONCE: usize = 1 << 16;

/// Selects from `parts` partitions, reached by `ask`, what [`super::select`] selects from the pool that they are parts of,
/// with zlib's sizes. R of the whole pool is not measured.
///
/// # Errors
/// As [`super::select`]; whatever `ask` returns; [`crate::Error::Parameter`] if the partitions don't follow each other.
pub fn select_parts(
    ask: &mut dyn Ask,
    parts: usize,
    params: &Params,
    plan: &Plan<'_>,
    journal: &mut Journal<'_>,
    threads: Option<usize>,
    monitor: &Monitor,
) -> Result<(Selection, Traffic)> {
    params.check()?;
    let workers = Workers::new(threads)?;
    let mut asking = Asking::new(ask, parts, monitor);
    let selection = workers.run(|| {
        let whole = Whole::begin(&mut asking, plan)?;
        match params.preset {
            Preset::Paper => {
                let field = Remote::<Paper>::new(&mut asking, &whole, PAPER, params, monitor);
                Zip::new(field, params, plan.known, accounts(plan), journal, &workers, monitor).select()
            }
            Preset::Reference => {
                let field = Remote::<Reference>::new(&mut asking, &whole, REFERENCE, params, monitor);
                Zip::new(field, params, plan.known, accounts(plan), journal, &workers, monitor).select()
            }
        }
    });
    Ok((selection?, asking.traffic))
}

/// Samples in partitions.
struct Remote<'a, 'b, R: Rules> {
    asking: &'a mut Asking<'b>,
    whole: &'a Whole,
    preset: u64,
    k1: usize,
    monitor: &'a Monitor,
    /// Of each partition, from where on its samples have not been sized alone, and sizes that were not asked for yet.
    scoring: Vec<(usize, Vec<u64>)>,
    /// All states, if they must be in one place.
    states: Vec<R::State>,
    /// The samples of lowest state of each partition.
    lowest: Vec<(usize, R::State)>,
    /// A round that partitions have not been told of.
    untold: Option<Untold>,
}

impl<'a, 'b, R: Rules> Remote<'a, 'b, R> {
    fn new(asking: &'a mut Asking<'b>, whole: &'a Whole, preset: u64, params: &Params, monitor: &'a Monitor) -> Self {
        Self {
            asking,
            whole,
            preset,
            k1: params.k1,
            monitor,
            scoring: Vec::new(),
            states: Vec::new(),
            lowest: Vec::new(),
            untold: None,
        }
    }

    /// Has each partition size some more of its samples alone.
    fn score_more(&mut self) -> Result<()> {
        let ends: Vec<usize> = (0..self.whole.parts())
            .map(|part| self.whole.len(part).min(self.scoring[part].0 + SCORED_AT_ONCE))
            .collect();
        let asked = ends.iter().zip(&self.scoring).map(|(&end, &(from, _))| {
            if from == end {
                return Vec::new();
            }
            let mut content = Writer::new();
            [self.preset, from as u64, end as u64].into_iter().for_each(|number| content.number(number));
            vec![(Op::Score, content)]
        });
        let asked = asked.collect();
        for (part, answer) in self.each(asked)?.into_iter().enumerate() {
            let Some(answer) = answer else { continue };
            let mut content = answer.content(0)?;
            let mut sizes: Vec<u64> = content.list()?;
            content.end()?;
            let (from, told) = &mut self.scoring[part];
            if sizes.len() != ends[part] - *from {
                return Err(garbled());
            }
            self.monitor.steps(sizes.len());
            told.append(&mut sizes);
            *from = ends[part];
        }
        Ok(())
    }
}

impl<'a, R: Rules> Field<'a, DeflateSizer, R> for Remote<'_, '_, R> {
    fn len(&self) -> usize {
        self.whole.samples()
    }

    fn score(&mut self, range: Range<usize>) -> Result<Vec<u64>> {
        let parts = self.whole.parts();
        if self.scoring.is_empty() {
            // An earlier run has sized those before the range.
            let done = |part| range.start.saturating_sub(self.whole.first(part)).min(self.whole.len(part));
            self.scoring = (0..parts).map(|part| (done(part), Vec::new())).collect();
        }
        let ends = (0..parts).map(|part| range.end.saturating_sub(self.whole.first(part)).min(self.whole.len(part)));
        let ends: Vec<usize> = ends.collect();
        while (0..parts).any(|part| self.scoring[part].0 < ends[part]) {
            self.score_more()?;
        }
        let mut sizes = Vec::with_capacity(range.len());
        for ((next, told), end) in self.scoring.iter_mut().zip(ends) {
            // What was told ends at `next`, and begins where the last range ended.
            let wanted = told.len().saturating_sub(*next - end.min(*next));
            sizes.extend(told.drain(..wanted));
        }
        if sizes.len() == range.len() { Ok(sizes) } else { Err(garbled()) }
    }

    fn begin(&mut self, alone: Vec<u64>, shape: Shape) -> Result<Vec<f64>> {
        let content = |part| {
            let mut content = Writer::new();
            content.number(self.preset);
            write_shape(shape, &mut content);
            let first = self.whole.first(part);
            content.list(alone[first..first + self.whole.len(part)].iter().copied());
            content
        };
        let asked = (0..self.whole.parts()).map(|part| vec![(Op::Alone, content(part))]).collect();
        let mut lengths = Vec::with_capacity(alone.len());
        for (part, answer) in self.each(asked)?.into_iter().enumerate() {
            let answer = answer.ok_or_else(garbled)?;
            let mut content = answer.content(0)?;
            for _ in 0..self.whole.len(part) {
                lengths.push(content.small()?);
            }
            if R::GLOBAL {
                for _ in 0..self.whole.len(part) {
                    self.states.push(R::read(&mut content)?);
                }
            }
            content.end()?;
        }
        self.scoring = Vec::new();
        Ok(ratios(shape.overhead, lengths.into_iter(), &alone))
    }

    fn know(&mut self, set: &mut Set<DeflateSizer>) -> Result<usize> {
        if self.whole.known == 0 {
            return Ok(0);
        }
        for part in 0..self.whole.parts() {
            let mut next = 0;
            while next < self.whole.len(part) {
                let mut content = Writer::new();
                content.number(next as u64);
                let mut asked: Vec<Vec<(Op, Writer)>> = (0..self.whole.parts()).map(|_| Vec::new()).collect();
                asked[part].push((Op::Known, content));
                let answer = self.each(asked)?.swap_remove(part).ok_or_else(garbled)?;
                let mut content = answer.content(0)?;
                let end: usize = content.small()?;
                if end <= next {
                    return Err(garbled());
                }
                next = end;
                let (mut samples, mut texts) = (Reader::new(content.bytes()?), Vec::new());
                while !samples.is_empty() {
                    texts.push(samples.bytes()?);
                }
                set.extend(texts, self.monitor)?;
            }
        }
        Ok(self.whole.known)
    }

    fn left(&mut self) -> Result<(usize, bool)> {
        let k1 = self.k1 as u64;
        let lowest = |_| {
            let mut content = Writer::new();
            content.number(k1);
            content
        };
        let asked: [(Op, &dyn Fn(usize) -> Writer); 2] = [(Op::Drop, &|_| Writer::new()), (Op::Lowest, &lowest)];
        let asked = if R::GLOBAL { &asked[..1] } else { &asked };
        let (mut left, mut unfit) = (0, false);
        self.lowest.clear();
        for (part, answer) in self.all(asked)?.into_iter().enumerate() {
            let mut content = answer.content(0)?;
            left += content.small::<usize>()?;
            unfit |= content.flag()?;
            if R::GLOBAL {
                let gone: Vec<usize> = content.increasing(self.whole.len(part))?;
                gone.into_iter().for_each(|at| self.states[self.whole.first(part) + at] = R::GONE);
                content.end()?;
                continue;
            }
            content.end()?;
            let mut content = answer.content(1)?;
            let count: usize = content.small()?;
            let indices = (0..count).map(|_| self.index(part, &mut content)).collect::<Result<Vec<_>>>()?;
            for index in indices {
                let state = R::read(&mut content)?;
                self.lowest.push((index, state));
            }
            content.end()?;
        }
        Ok((left, unfit))
    }

    fn any_fits(&mut self) -> Result<bool> {
        let mut any = false;
        for answer in self.all(&[(Op::Fits, &|_| Writer::new())])? {
            any |= answer.content(0)?.flag()?;
        }
        Ok(any)
    }

    fn reopen(&mut self) -> Result<()> {
        for (part, answer) in self.all(&[(Op::Reopen, &|_| Writer::new())])?.into_iter().enumerate() {
            let mut content = answer.content(0)?;
            if R::GLOBAL {
                let back: Vec<usize> = content.list()?;
                for at in back {
                    let index = self.whole.first(part) + at;
                    *self.states.get_mut(index).ok_or_else(garbled)? = R::read(&mut content)?;
                }
            }
            content.end()?;
        }
        Ok(())
    }

    fn lowest(&mut self, k: usize) -> Result<Vec<usize>> {
        if R::GLOBAL {
            return Ok(R::lowest(&self.states, k, |position| position));
        }
        let states: Vec<R::State> = self.lowest.iter().map(|&(_, state)| state).collect();
        if states.len() < k {
            return Err(garbled());
        }
        let lowest = R::lowest(&states, k, |position| self.lowest[position].0);
        Ok(lowest.into_iter().map(|position| self.lowest[position].0).collect())
    }

    fn size(
        &mut self,
        set: &Set<DeflateSizer>,
        shape: Shape,
        candidates: &[usize],
    ) -> Result<(Vec<u64>, Vec<R::State>)> {
        let prefix = (!set.is_empty()).then(|| set.sizer().to_bytes());
        let begin = |content: &mut Writer| {
            write_shape(shape, content);
            content.flag(prefix.is_some());
            prefix.iter().for_each(|prefix| content.bytes(prefix));
        };
        let (mut sizes, mut states) = (vec![0; candidates.len()], vec![R::GONE; candidates.len()]);
        for (share, answer) in self.owners(candidates, Op::Size, begin)? {
            let Some(answer) = answer else { continue };
            let mut content = answer.content(0)?;
            self.monitor.steps(share.len());
            for at in share {
                sizes[at] = content.number()?;
                states[at] = R::read(&mut content)?;
            }
            content.end()?;
        }
        Ok((sizes, states))
    }

    fn fetch(&mut self, block: &[usize]) -> Result<Vec<Open<'a>>> {
        let mut found: Vec<Option<Open<'a>>> = block.iter().map(|_| None).collect();
        for (share, answer) in self.owners(block, Op::Fetch, |_| ())? {
            let Some(answer) = answer else { continue };
            let mut content = answer.content(0)?;
            for at in share {
                let (cost, group, alone) = (content.number()?, content.small()?, content.number()?);
                let weight = if content.flag()? { Some(content.real()?) } else { None };
                let sample = Cow::Owned(content.bytes()?.to_vec());
                found[at] = Some(Open { index: block[at], sample, alone, weight, cost, group });
            }
            content.end()?;
        }
        found.into_iter().map(|open| open.ok_or_else(garbled)).collect()
    }

    fn note(&mut self, round: &Round, shape: Shape, costs: &[(u64, usize)]) -> Result<()> {
        if self.untold.is_some() {
            let nothing = (0..self.whole.parts()).map(|_| Vec::new()).collect();
            self.each(nothing)?;
        }
        let candidates = self.whole.shares(&round.candidates);
        let gone = if R::BURNS { &round.block[..] } else { &[] };
        let (block, picks) = (self.whole.shares(gone), self.whole.shares(&round.picks));
        let contents = (0..self.whole.parts()).map(|part| {
            let first = self.whole.first(part);
            let mut content = Writer::new();
            write_shape(shape, &mut content);
            content.list(candidates[part].iter().map(|&at| (round.candidates[at] - first) as u64));
            content.list(candidates[part].iter().map(|&at| round.sizes[at]));
            content.list(block[part].iter().map(|&at| (gone[at] - first) as u64));
            content.list(picks[part].iter().map(|&at| (round.picks[at] - first) as u64));
            for &(cost, group) in costs {
                content.number(cost);
                content.number(group as u64);
            }
            content
        });
        let contents = contents.collect();
        if R::GLOBAL {
            gone.iter().chain(&round.picks).for_each(|&index| self.states[index] = R::GONE);
        }
        let indices = |share: Vec<usize>| share.into_iter().map(|at| round.candidates[at]).collect();
        self.untold = Some(Untold { contents, candidates: candidates.into_iter().map(indices).collect() });
        Ok(())
    }
}
