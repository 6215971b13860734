//! Coverage from several partitions: the picks that it makes of the whole pool on one machine.
//!
//! Survey and counts of the partitions are merged, and the frequencies that count are sent to all, so that each numbers the
//! features alike and makes lists of its own samples. From there on picks are made *block-lazily*: each partition tells of
//! its samples of largest keys, with their features, and a bound of all its others. The coordinator has the table of what
//! features are worth, so it goes on by itself, as a lazy greedy over these candidates, until its best falls below a bound.
//! Then it tells all partitions what was picked and asks again. What it picks is above all bounds, so it is the best of all;
//! and the best of all partitions is above all bounds right after they were asked, so every round trip picks something.
//!
//! Memory: 4 bytes a feature that counts, up to 32 MiB for the survey, some megabytes for the slots that are merged at once,
//! and the candidates: their features, no text. Round trips: ten, one for every 2^20 slots, and one for every block of picks;
//! of three partitions about one for every ten picks. Bytes from each partition: about 4 for each of its distinct features,
//! then those of its candidates' features that were not told before, 1 or 2 for each. Bytes to each partition: about 2 for
//! each feature that counts, and the features of each pick.

use std::time::Instant;

use rayon::prelude::*;

use super::counts::merge;
use super::params::Params;
use super::picking::Picking;
use super::survey::{self, Survey};
use super::table::Table;
use super::target::{Aims, Sought, Target, distinct};
use super::vocabulary::Ranks;
use super::weights::{MOST_DF, Weights};
use super::{Selection, Timings, Unit, wire};
use crate::error::Result;
use crate::hash::Slots;
use crate::pool::Pool;
use crate::run::journal::Journal;
use crate::run::monitor::{Monitor, Stage};
use crate::run::threads::Threads;
use crate::select::greedy::PickLog;
use crate::select::parts::{Ask, Asking, Op, Plan, Request, Traffic, Whole, Writer, accounts};
use crate::text::features::{ByteGrams, Features, Sampled};
use crate::text::words::WordGrams;

/// Slots whose counts are merged at once.
const SLOTS_AT_ONCE: usize = 1 << 20;

/// Features of what is known that are told at once.
const FEATURES_AT_ONCE: usize = 1 << 22;

/// Bytes of known texts that a partition reads at once.
const TEXT_AT_ONCE: usize = 1 << 20;

/// Selects from `parts` partitions, reached by `ask`, what [`super::select`] selects from the pool that they are parts of.
///
/// A journal goes on where the selection was, whatever number of partitions wrote it.
///
/// # Errors
/// As [`super::select`]; whatever `ask` returns; [`crate::Error::Parameter`] if the partitions don't follow each other.
#[allow(clippy::too_many_arguments)] // Those of a selection, and who is asked.
pub fn select_parts(
    ask: &mut dyn Ask,
    parts: usize,
    params: &Params,
    target: Option<&Target<'_>>,
    plan: &Plan<'_>,
    journal: &mut Journal<'_>,
    threads: Option<usize>,
    monitor: &Monitor,
) -> Result<(Selection, Traffic)> {
    params.check()?;
    target.map_or(Ok(()), Target::check)?;
    let mut asking = Asking::new(ask, parts, monitor);
    let selected = Threads::start(threads)?.install(|| {
        let start = Instant::now();
        let whole = Whole::begin(&mut asking, plan)?;
        let merging = Merging { asking: &mut asking, whole: &whole, plan, params, target, monitor };
        match params.unit {
            Unit::Byte => merging.select(Sampled::new(ByteGrams::new(params.ngram), params.one_in), journal, start),
            Unit::Word => merging.select(Sampled::new(WordGrams::new(params.ngram), params.one_in), journal, start),
        }
    });
    Ok((selected?, asking.traffic))
}

/// From partitions to what counts in all of them.
struct Merging<'a, 'b> {
    asking: &'a mut Asking<'b>,
    whole: &'a Whole,
    plan: &'a Plan<'a>,
    params: &'a Params,
    target: Option<&'a Target<'a>>,
    monitor: &'a Monitor,
}

impl Merging<'_, '_> {
    fn select<F: Features>(mut self, features: F, journal: &mut Journal<'_>, start: Instant) -> Result<Selection> {
        let samples = self.whole.samples();
        self.monitor.enter(Stage::Count, 2 * samples);
        let survey = self.survey(features)?;
        self.monitor.steps(samples);
        let slots = survey.slots(self.whole.bytes);
        let (mut table, aims) = self.count(features, slots)?;
        self.monitor.steps(samples);
        let counted = Instant::now();

        self.monitor.enter(Stage::Score, samples);
        self.know(&mut table)?;
        let Self { asking, whole, plan, params, monitor, .. } = self;
        let mut picked = Vec::new();
        let log = PickLog::replay(journal, samples, |index| {
            picked.push(index);
            Ok(true)
        })?;
        let mut picking = Picking::new(asking, whole, accounts(plan), params.alpha, table, log, monitor);
        picking.replay(&picked)?;
        let mut content = Writer::new();
        content.real(params.alpha);
        picking.tell(Op::Start, &content)?;
        monitor.steps(samples);
        let scored = Instant::now();
        let (picks, table) = picking.run()?;

        let timings = Timings { count: counted - start, score: scored - counted, pick: scored.elapsed() };
        Ok(Selection::of(picks, &survey, slots, &table, aims, timings))
    }

    /// How many features the whole pool has.
    fn survey<F: Features>(&mut self, features: F) -> Result<Survey> {
        let shift = survey::shift(self.whole.bytes, features);
        let mut content = Writer::new();
        wire::write_features(self.params, &mut content);
        content.number(u64::from(shift));
        let mut hashes = Vec::new();
        for reply in self.asking.all(Request::new().with(Op::Survey, &content))? {
            let mut content = reply.content(0)?;
            hashes.append(&mut content.ascending()?);
            content.end()?;
        }
        hashes.par_sort_unstable();
        hashes.dedup();
        Ok(Survey::of(hashes, shift, features.one_in()))
    }

    /// Counts features, and what of them is the target's; has all partitions number them.
    fn count<F: Features>(&mut self, features: F, slots: Slots) -> Result<(Table, Option<Aims>)> {
        let mut content = Writer::new();
        wire::write_features(self.params, &mut content);
        content.number(slots.len() as u64);
        let mut request = Request::new().with(Op::Count, &content);
        let mut sought = None;
        if let Some(Target { samples, .. }) = self.target {
            let features = Sought::new(distinct(samples, features, self.monitor)?, slots);
            let mut content = Writer::new();
            content.ascending(features.hashes().iter().copied());
            request = request.with(Op::Aim, &content);
            sought = Some(features);
        }
        let replies = self.asking.all(request)?;
        let mut aims = None;
        if let (Some(sought), Some(Target { samples, .. })) = (sought, self.target) {
            let mut found = sought.none();
            for reply in &replies {
                let mut content = reply.content(1)?;
                found.add(&wire::read_found(&mut content, &found)?);
                content.end()?;
            }
            aims = Some(Aims::of(&sought, &found, samples, features, slots, self.monitor)?);
        }
        let Frequencies { mut of, aimed } = self.merge(slots, aims.as_ref())?;
        let mut content = Writer::new();
        let (weights, ranks) = match (&aims, self.target) {
            (Some(aims), Some(Target { samples, weight })) => {
                let there: Vec<bool> = of.iter().map(|&count| count > 0).collect();
                let sizes = (self.whole.samples(), samples.len());
                let (weights, ranking) = Weights::ranked(&there, &aimed, aims, self.params.gamma, *weight, sizes);
                wire::write_weights(self.params.gamma, Some((&weights, &ranking)), &mut content);
                let mut counts = vec![0; weights.most() + 1];
                of.iter().zip(&ranking.of_df).for_each(|(count, &rank)| counts[rank as usize] += count);
                ranking.of_aims.iter().for_each(|&(_, rank)| counts[rank as usize] += 1);
                (weights, counts)
            }
            _ => {
                wire::write_weights(self.params.gamma, None, &mut content);
                of[0] = 0;
                (Weights::general(self.params.gamma), of)
            }
        };
        self.asking.all(Request::new().with(Op::Open, &content))?;
        Ok((Table::new(Ranks::new(&ranks), weights), aims))
    }

    /// Merges what the partitions have counted, and tells them what counts in the whole pool.
    fn merge(&mut self, slots: Slots, aims: Option<&Aims>) -> Result<Frequencies> {
        let shared = aims.map_or(&[][..], |aims| &aims.shared);
        let mut found = Frequencies { of: vec![0; MOST_DF + 1], aimed: Vec::with_capacity(shared.len()) };
        let mut admitted: Option<Writer> = None;
        let mut from = 0;
        loop {
            let to = slots.len().min(from + SLOTS_AT_ONCE);
            let mut request = Request::new();
            let at = usize::from(admitted.is_some());
            if let Some(admitted) = admitted.take() {
                request = request.with(Op::Admit, &admitted);
            }
            if from == to {
                self.asking.all(request)?;
                return Ok(found);
            }
            let mut content = Writer::new();
            content.number(from as u64);
            content.number(to as u64);
            let mut cells = vec![0; to - from];
            for reply in self.asking.all(request.with(Op::Cells, &content))? {
                let mut content = reply.content(at)?;
                wire::each_cell(&mut content, to - from, |at, cell| cells[at] = merge(cells[at], cell))?;
                content.end()?;
            }
            cells.iter_mut().for_each(|cell| *cell = self.params.guard.admit(*cell));
            wire::counts(cells.iter().map(|&df| df as u16), &mut content);
            admitted = Some(content);
            // Those that are aimed at weigh otherwise.
            let aims = &shared[found.aimed.len()..];
            for aim in aims.iter().take_while(|aim| (aim.slot as usize) < to) {
                found.aimed.push(std::mem::take(&mut cells[aim.slot as usize - from]));
            }
            cells.into_iter().for_each(|df| found.of[df as usize] += 1);
            from = to;
        }
    }

    /// Covers what is known; has all partitions make their lists.
    fn know(&mut self, table: &mut Table) -> Result<()> {
        if let Some(known) = self.plan.known {
            self.read_known(&known)?;
        }
        self.asking.all(Request::new().with(Op::List, &Writer::new()))?;
        if self.plan.known.is_none() && self.whole.known == 0 {
            return Ok(());
        }
        for from in (0..table.len()).step_by(FEATURES_AT_ONCE) {
            let to = table.len().min(from + FEATURES_AT_ONCE);
            let mut content = Writer::new();
            content.number(from as u64);
            content.number(to as u64);
            let mut counts = vec![0_u16; to - from];
            for reply in self.asking.all(Request::new().with(Op::Known, &content))? {
                let mut content = reply.content(0)?;
                wire::each_count(&mut content, to - from, |at, more| counts[at] = counts[at].saturating_add(more))?;
                content.end()?;
            }
            let mut content = Writer::new();
            content.number(from as u64);
            wire::counts(counts.iter().copied(), &mut content);
            self.asking.all(Request::new().with(Op::Cover, &content))?;
            for (at, &count) in counts.iter().enumerate().filter(|&(_, &count)| count > 0) {
                table.raise((from + at) as u32, count);
            }
        }
        Ok(())
    }

    /// Has the partitions read texts that are known, each some of them.
    fn read_known(&mut self, known: &Pool<'_>) -> Result<()> {
        let mut texts = known.iter().peekable();
        while texts.peek().is_some() {
            let mut requests = Vec::new();
            for _ in 0..self.whole.parts() {
                let mut content = Writer::new();
                while let Some(text) = texts.next_if(|_| content.len() < TEXT_AT_ONCE) {
                    content.bytes(text);
                }
                requests.push((content.len() > 0).then(|| Request::new().with(Op::Know, &content)));
            }
            self.asking.each(requests)?;
        }
        Ok(())
    }
}

/// How often features are, by what they are.
struct Frequencies {
    /// How many features are in so many samples, of those that recur and are not aimed at.
    of: Vec<u32>,
    /// In how many samples each feature is that is aimed at, 0 if it does not recur.
    aimed: Vec<u32>,
}
