//! What a part of a pool answers when coverage selects from the whole.
//!
//! Memory besides the samples: 4 bytes a slot of the whole pool's table and 4 a feature that counts in the whole pool, a bit
//! a feature for each thread, 25 bytes a sample, and lists of at most 2.5 bytes a byte of the part's own text, divided by
//! `one_in` (or 64 MiB); while there is something known, 2 bytes a feature more.

use std::collections::HashSet;

use super::counts;
use super::lists::Lists;
use super::marks::Marks;
use super::memory;
use super::objective::Worth;
use super::params::Unit;
use super::survey;
use super::table::Table;
use super::target::Sought;
use super::vocabulary::Vocabulary;
use super::wire;
use crate::error::Result;
use crate::hash::Slots;
use crate::run::monitor::Monitor;
use crate::select::greedy::{Candidate, Frontier, Now};
use crate::select::ledger::Ledger;
use crate::select::parts::{Here, Op, Reader, State, Writer, garbled};
use crate::text::features::{ByteGrams, Features, Sampled};
use crate::text::words::WordGrams;

/// The features of the lowest hashes of a part.
pub(crate) fn survey_part(here: &Here<'_>, mut content: Reader<'_>) -> Result<Writer> {
    fn hashes<F: Features>(here: &Here<'_>, features: F, shift: u32) -> Result<Writer> {
        let mut answer = Writer::new();
        answer.ascending(survey::hashes(&here.part.pool, features, shift, here.monitor)?.into_iter());
        Ok(answer)
    }
    let (unit, ngram, one_in) = wire::features(&mut content)?;
    let shift = content.below(64)? as u32;
    content.end()?;
    match unit {
        Unit::Byte => hashes(here, Sampled::new(ByteGrams::new(ngram), one_in), shift),
        Unit::Word => hashes(here, Sampled::new(WordGrams::new(ngram), one_in), shift),
    }
}

/// Counts the features of a part.
pub(crate) fn count_part(here: &Here<'_>, mut content: Reader<'_>) -> Result<(Box<dyn State>, Writer)> {
    fn count<F: Features + 'static>(here: &Here<'_>, features: F, slots: Slots) -> Result<Box<dyn State>> {
        let cells = counts::cells(&here.part.pool, features, slots, here.monitor)?;
        let counting = Counting { slots, cells, admitted: 0 };
        Ok(Box::new(Covering { features, slots, counting: Some(counting), open: None, listed: None }))
    }
    let (unit, ngram, one_in) = wire::features(&mut content)?;
    let slots: u32 = content.small()?;
    content.end()?;
    if slots == 0 || u64::from(slots) > survey::most_slots(here.begun.bytes, u64::from(one_in)) {
        return Err(garbled());
    }
    let slots = Slots::new(slots);
    let state = match unit {
        Unit::Byte => count(here, Sampled::new(ByteGrams::new(ngram), one_in), slots),
        Unit::Word => count(here, Sampled::new(WordGrams::new(ngram), one_in), slots),
    };
    Ok((state?, Writer::new()))
}

/// What was counted, here and then in the whole pool.
struct Counting {
    slots: Slots,
    cells: Vec<u32>,
    /// Of so many slots at the start, the cells are the whole pool's.
    admitted: usize,
}

/// Numbered features.
struct Open {
    vocabulary: Vocabulary,
    table: Table,
    /// In how many known samples that are read here each feature is; empty if there are none.
    known: Vec<u16>,
}

/// The samples as lists.
struct Listed<F> {
    lists: Lists<F>,
    table: Table,
    known: Vec<u16>,
    picking: Option<Picking>,
}

/// The samples by their keys.
struct Picking {
    alpha: f64,
    frontier: Frontier,
    /// The best ones, which have been told and are not in the frontier.
    front: Vec<Candidate>,
    /// Those of them whose features have been told.
    told: HashSet<u32>,
}

/// A selection under way: only what its stage needs is there.
struct Covering<F> {
    features: F,
    slots: Slots,
    counting: Option<Counting>,
    open: Option<Open>,
    listed: Option<Listed<F>>,
}

impl<F: Features + 'static> State for Covering<F> {
    fn answer(&mut self, here: &mut Here<'_>, op: Op, content: Reader<'_>) -> Result<Writer> {
        match op {
            Op::Cells => self.counting()?.tell(content),
            Op::Admit => self.counting()?.admit(content),
            Op::Aim => self.aim(here, content),
            Op::Open => self.open(content),
            Op::Know => self.open.as_mut().ok_or_else(garbled)?.know(self.features, content, here.monitor),
            Op::List => self.list(here, &content),
            Op::Known => self.listed()?.tell_known(content),
            Op::Cover => self.listed()?.cover(content),
            Op::Start => self.listed()?.start(here, content),
            Op::Take => self.listed()?.take(here, content),
            Op::Reopen => self.listed()?.reopen(here, &content),
            Op::Best => self.listed()?.best(here, content),
            Op::Fits => {
                content.end()?;
                let ledger = here.ledger();
                let mut answer = Writer::new();
                answer.flag((0..here.part.pool.len()).any(|at| !here.begun.taken[at] && ledger.fits(at)));
                Ok(answer)
            }
            Op::Fetch => self.listed()?.fetch(here, content),
            _ => Err(garbled()),
        }
    }
}

impl<F: Features> Covering<F> {
    fn counting(&mut self) -> Result<&mut Counting> {
        self.counting.as_mut().ok_or_else(garbled)
    }

    fn listed(&mut self) -> Result<&mut Listed<F>> {
        self.listed.as_mut().ok_or_else(garbled)
    }

    /// Which of a target's features the part has, and in how many samples.
    fn aim(&self, here: &Here<'_>, mut content: Reader<'_>) -> Result<Writer> {
        let hashes: Vec<u64> = content.ascending()?;
        content.end()?;
        if !hashes.is_sorted_by(|a, b| a < b) {
            return Err(garbled());
        }
        let found = Sought::new(hashes, self.slots).find(&here.part.pool, self.features, here.monitor)?;
        let mut answer = Writer::new();
        wire::write_found(&found, &mut answer);
        Ok(answer)
    }

    fn open(&mut self, mut content: Reader<'_>) -> Result<Writer> {
        let (weights, ranking) = wire::read_weights(&mut content, self.slots)?;
        content.end()?;
        let counting = self.counting.take_if(|counting| counting.is_done()).ok_or_else(garbled)?;
        let Counting { slots, mut cells, .. } = counting;
        if let Some(ranking) = ranking {
            ranking.rank(&mut cells);
        }
        let (vocabulary, ranks) = Vocabulary::new(slots, cells, weights.most());
        self.open = Some(Open { vocabulary, table: Table::new(ranks, weights), known: Vec::new() });
        Ok(Writer::new())
    }

    fn list(&mut self, here: &Here<'_>, content: &Reader<'_>) -> Result<Writer> {
        content.end()?;
        let Open { vocabulary, table, mut known } = self.open.take().ok_or_else(garbled)?;
        let pool = &here.part.pool;
        let room = memory::room(pool, self.features.one_in() as u32);
        let lists = Lists::new(pool, self.features, vocabulary, room, here.monitor)?;
        if !here.part.known.is_empty() {
            known.resize(table.len(), 0);
            // What is taken before anything is picked is known.
            for at in (0..pool.len()).filter(|&at| here.begun.taken[at]) {
                here.monitor.check()?;
                lists.each(pool, at, |feature| raise(&mut known, feature));
            }
        }
        self.listed = Some(Listed { lists, table, known, picking: None });
        Ok(Writer::new())
    }
}

impl Counting {
    fn is_done(&self) -> bool {
        self.admitted == self.cells.len()
    }

    fn range(&self, content: &mut Reader<'_>) -> Result<std::ops::Range<usize>> {
        let (from, to): (usize, usize) = (content.small()?, content.small()?);
        if from < to && to <= self.cells.len() { Ok(from..to) } else { Err(garbled()) }
    }

    /// What was counted in some of the slots.
    fn tell(&self, mut content: Reader<'_>) -> Result<Writer> {
        let range = self.range(&mut content)?;
        content.end()?;
        if range.start < self.admitted {
            return Err(garbled());
        }
        let mut answer = Writer::new();
        wire::cells(&self.cells[range], &mut answer);
        Ok(answer)
    }

    /// What counts in the whole pool of some of the slots: the next ones.
    fn admit(&mut self, mut content: Reader<'_>) -> Result<Writer> {
        let range = self.range(&mut content)?;
        if range.start != self.admitted {
            return Err(garbled());
        }
        let mut cells = vec![0; range.len()];
        wire::each_count(&mut content, range.len(), |at, df| cells[at] = u32::from(df))?;
        content.end()?;
        self.admitted = range.end;
        self.cells[range].copy_from_slice(&cells);
        Ok(Writer::new())
    }
}

impl Open {
    /// Reads texts that are known: of those that are from elsewhere, each partition reads some.
    fn know<F: Features>(&mut self, features: F, mut content: Reader<'_>, monitor: &Monitor) -> Result<Writer> {
        let mut texts = Vec::new();
        while !content.is_empty() {
            texts.push(content.bytes()?);
        }
        let Self { vocabulary, table, known } = self;
        known.resize(table.len(), 0);
        let mut marks = Marks::new(vocabulary.len());
        for text in texts {
            monitor.check()?;
            vocabulary.read(features, text, &mut marks);
            marks.drain(|feature| raise(known, feature));
        }
        Ok(Writer::new())
    }
}

fn raise(counts: &mut [u16], feature: u32) {
    let count = &mut counts[feature as usize];
    *count = count.saturating_add(1);
}

impl<F: Features> Listed<F> {
    /// In how many known samples, of those read here, features from some number on are.
    fn tell_known(&self, mut content: Reader<'_>) -> Result<Writer> {
        let (from, to): (usize, usize) = (content.small()?, content.small()?);
        content.end()?;
        if from > to || to > self.table.len() {
            return Err(garbled());
        }
        let counts = self.known.get(from..to).unwrap_or_default();
        let mut answer = Writer::new();
        wire::counts(counts.iter().copied(), &mut answer);
        Ok(answer)
    }

    /// Covers what is known anywhere.
    fn cover(&mut self, mut content: Reader<'_>) -> Result<Writer> {
        let from = content.below(self.table.len().max(1))?;
        let mut counts = Vec::new();
        let room = self.table.len() - from;
        wire::each_count(&mut content, room, |at, count| counts.push(((from + at) as u32, count)))?;
        content.end()?;
        counts.into_iter().for_each(|(feature, count)| self.table.raise(feature, count));
        Ok(Writer::new())
    }

    fn start(&mut self, here: &Here<'_>, mut content: Reader<'_>) -> Result<Writer> {
        let alpha = content.real()?;
        content.end()?;
        if !(0.0..=1.0).contains(&alpha) {
            return Err(garbled());
        }
        self.known = Vec::new();
        let frontier = self.with_gains(here, alpha, |now| Frontier::new(now, &here.begun.taken))?;
        self.picking = Some(Picking { alpha, frontier, front: Vec::new(), told: HashSet::new() });
        Ok(Writer::new())
    }

    /// Covers picks: what each is, and its features.
    fn take(&mut self, here: &mut Here<'_>, mut content: Reader<'_>) -> Result<Writer> {
        let (mut own, mut costs, mut features) = (Vec::new(), Vec::new(), Vec::new());
        while !content.is_empty() {
            own.extend(here.own(content.small()?));
            costs.push((content.number()?, content.small()?));
            features.push(content.increasing(self.table.len() as u64)?);
        }
        here.take(&own, &costs)?;
        features.into_iter().flatten().for_each(|feature| self.table.raise(feature as u32, 1));
        if let Some(picking) = &mut self.picking {
            picking.withdraw(here);
        }
        Ok(Writer::new())
    }

    fn reopen(&mut self, here: &mut Here<'_>, content: &Reader<'_>) -> Result<Writer> {
        content.end()?;
        here.reopen()?;
        if let Some(picking) = &mut self.picking {
            picking.frontier.reopen();
        }
        Ok(Writer::new())
    }

    /// The samples of largest keys, and a bound of all others.
    fn best(&mut self, here: &Here<'_>, mut content: Reader<'_>) -> Result<Writer> {
        let count: usize = content.small()?;
        content.end()?;
        if count == 0 {
            return Err(garbled());
        }
        let mut picking = self.picking.take().ok_or_else(garbled)?;
        picking.withdraw(here);
        let front = self.with_gains(here, picking.alpha, |now| picking.frontier.front(count, now))?;
        let mut answer = Writer::new();
        answer.number(front.evaluations);
        answer.flag(front.rest.is_some());
        if let Some(rest) = front.rest {
            answer.real(rest.value);
            answer.number(u64::from(rest.index));
        }
        let mut told = HashSet::new();
        let ledger = here.ledger();
        for candidate in &front.best {
            let at = candidate.key.index;
            answer.number(u64::from(at));
            answer.number(candidate.gain);
            let is_new = !picking.told.contains(&at);
            answer.flag(is_new);
            if is_new {
                self.tell(here, &ledger, at as usize, &mut answer);
            }
            told.insert(at);
        }
        self.picking = Some(Picking { front: front.best, told, ..picking });
        Ok(answer)
    }

    /// What there is to know of samples.
    fn fetch(&self, here: &Here<'_>, mut content: Reader<'_>) -> Result<Writer> {
        let positions = here.positions(&mut content)?;
        content.end()?;
        let mut answer = Writer::new();
        let ledger = here.ledger();
        for at in positions {
            answer.flag(here.begun.taken[at]);
            self.tell(here, &ledger, at, &mut answer);
        }
        Ok(answer)
    }

    /// Cost, group, length, weight and features of a sample.
    fn tell(&self, here: &Here<'_>, ledger: &Ledger<'_>, at: usize, answer: &mut Writer) {
        answer.number(ledger.cost(at));
        answer.number(ledger.group(at) as u64);
        answer.number(ledger.length(at));
        answer.real(here.weight(at));
        let mut features = Vec::new();
        self.lists.each(&here.part.pool, at, |feature| features.push(u64::from(feature)));
        answer.ascending(features.into_iter());
    }

    /// Lends what keys are computed from.
    fn with_gains<R>(
        &self,
        here: &Here<'_>,
        alpha: f64,
        job: impl FnOnce(&Now<'_, Worth<'_, F>>) -> Result<R>,
    ) -> Result<R> {
        let gains = Worth { pool: &here.part.pool, lists: &self.lists, table: &self.table };
        let ledger = here.ledger();
        let (weights, taken) = (here.part.weights, &here.begun.taken[..]);
        // One that is made anew is told of picks that it has not found itself.
        job(&Now { ledger: &ledger, taken, weights, alpha, gains: &gains, monitor: here.monitor })
    }
}

impl Picking {
    /// Puts back what has been told and was not picked.
    fn withdraw(&mut self, here: &Here<'_>) {
        let Self { frontier, front, .. } = self;
        front
            .drain(..)
            .filter(|candidate| !here.begun.taken[candidate.key.index as usize])
            .for_each(|candidate| frontier.put_back(&candidate));
    }
}
