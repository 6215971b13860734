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
//! and the candidates: their features, no text. Round trips: ten, one for every 2^20 slots, and one for every block of picks,
//! of which the trace of the selection tells the number. Bytes from each partition: about 4 for each of its distinct
//! features, then those of its candidates' features that were not told before, 1 or 2 for each. Bytes to each partition:
//! about 2 for each feature that counts, and the features of each pick.

use std::collections::{BinaryHeap, HashMap, HashSet};
use std::rc::Rc;
use std::time::Instant;

use rayon::prelude::*;

use super::counts::merge;
use super::params::Params;
use super::survey::{self, Survey};
use super::table::Table;
use super::target::{Aims, Sought, Target, distinct};
use super::vocabulary::Ranks;
use super::weights::{MOST_DF, Weights};
use super::{Selection, TargetShare, Timings, Unit, wire};
use crate::error::Result;
use crate::hash::Slots;
use crate::pool::Pool;
use crate::run::journal::{Journal, misfit};
use crate::run::monitor::{Monitor, Stage};
use crate::run::threads::Threads;
use crate::select::accounts::Accounts;
use crate::select::greedy::{Key, PickLog, Price};
use crate::select::parts::{Ask, Asking, Op, Plan, Reader, Reply, Request, Traffic, Whole, Writer, accounts, garbled};
use crate::text::features::{ByteGrams, Features, Sampled};
use crate::text::words::WordGrams;

/// Slots whose counts are merged at once.
const SLOTS_AT_ONCE: usize = 1 << 20;

/// Features of what is known that are told at once.
const FEATURES_AT_ONCE: usize = 1 << 22;

/// Bytes of known texts that a partition reads at once.
const TEXT_AT_ONCE: usize = 1 << 20;

/// Candidates that a partition tells of at once.
const BLOCK: u64 = 128;

/// Picks of a journal that are looked up at once.
const REPLAYED_AT_ONCE: usize = 512;

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

        let objective = picks.gains.iter().map(|&gain| u128::from(gain)).sum::<u128>() as f64 / table.unit();
        Ok(Selection {
            indices: picks.indices,
            gains: picks.gains.into_iter().map(|gain| gain as f64 / table.unit()).collect(),
            objective,
            coverage: table.coverage(),
            evaluations: picks.evaluations,
            features: survey.features(),
            slots: slots.len() as u64,
            collisions: survey.collisions(slots),
            target: aims.map(|Aims { recurring, recurring_shared, .. }| TargetShare {
                reached: picks.reached,
                reachable: table.reachable(),
                recurring,
                recurring_shared,
            }),
            timings: Timings { count: counted - start, score: scored - counted, pick: scored.elapsed() },
        })
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

/// A sample that may be picked.
struct Candidate {
    index: u32,
    cost: u64,
    group: usize,
    price: Price,
    features: Vec<u32>,
}

/// A candidate in its place.
#[derive(PartialEq)]
struct Place {
    /// Its key as it was after so many picks, and a bound later.
    key: Key,
    picks: usize,
    /// Where it is among the candidates.
    at: usize,
}

impl Eq for Place {}

impl PartialOrd for Place {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Place {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.key.compare(other.key)
    }
}

/// What was picked.
#[derive(Default)]
struct Picks {
    indices: Vec<i64>,
    gains: Vec<u64>,
    /// What was covered of the target after each; empty if there is none.
    reached: Vec<f64>,
    evaluations: u64,
}

/// The candidates of all partitions.
#[derive(Default)]
struct Block {
    candidates: Vec<Rc<Candidate>>,
    places: BinaryHeap<Place>,
    /// No other sample has a key above this.
    rest: Option<Key>,
}

/// A selection under way.
struct Picking<'a, 'b, 'j> {
    asking: &'a mut Asking<'b>,
    whole: &'a Whole,
    accounts: Accounts,
    alpha: f64,
    table: Table,
    log: PickLog<'a, 'j>,
    monitor: &'a Monitor,
    picks: Picks,
    /// Picks that the partitions have not been told yet.
    untold: Writer,
}

impl<'a, 'b, 'j> Picking<'a, 'b, 'j> {
    fn new(
        asking: &'a mut Asking<'b>,
        whole: &'a Whole,
        accounts: Accounts,
        alpha: f64,
        table: Table,
        log: PickLog<'a, 'j>,
        monitor: &'a Monitor,
    ) -> Self {
        Self { asking, whole, accounts, alpha, table, log, monitor, picks: Picks::default(), untold: Writer::new() }
    }

    /// Repeats the picks of an earlier run.
    fn replay(&mut self, picked: &[usize]) -> Result<()> {
        let mut there = HashSet::new();
        for some in picked.chunks(REPLAYED_AT_ONCE) {
            let requests = self.whole.split(some, |part, share| {
                let first = self.whole.first(part);
                let mut content = Writer::new();
                content.list(share.iter().map(|&at| (some[at] - first) as u64));
                Request::new().with(Op::Fetch, &content)
            });
            let mut found: HashMap<usize, (bool, Candidate)> = HashMap::new();
            for (reply, share) in self.asking.each(requests)?.iter().zip(self.whole.shares(some)) {
                let Some(reply) = reply else { continue };
                let mut content = reply.content(0)?;
                for at in share {
                    let is_taken = content.flag()?;
                    found.insert(at, (is_taken, self.read(some[at], &mut content)?));
                }
                content.end()?;
            }
            for at in 0..some.len() {
                let (is_taken, candidate) = found.remove(&at).ok_or_else(garbled)?;
                if is_taken || !there.insert(some[at]) {
                    return Err(misfit());
                }
                let fits = |accounts: &Accounts| accounts.fits(candidate.cost, candidate.group);
                if !fits(&self.accounts) && !(self.none_fits()? && self.reopen()? && fits(&self.accounts)) {
                    return Err(misfit());
                }
                self.pick(&candidate);
            }
        }
        Ok(())
    }

    /// Whether no sample that is left fits.
    fn none_fits(&mut self) -> Result<bool> {
        let mut fits = false;
        for reply in self.tell(Op::Fits, &Writer::new())? {
            fits |= reply.last()?.flag()?;
        }
        Ok(!fits)
    }

    /// To be called when nothing fits any more: whether something may now.
    fn reopen(&mut self) -> Result<bool> {
        let reopened = self.accounts.reopen();
        if reopened {
            self.tell(Op::Reopen, &Writer::new())?;
        }
        Ok(reopened)
    }

    /// Asks all partitions the same, after they are told of all picks.
    fn tell(&mut self, op: Op, content: &Writer) -> Result<Vec<Reply>> {
        let mut request = Request::new();
        if self.untold.len() > 0 {
            request = request.with(Op::Take, &std::mem::take(&mut self.untold));
        }
        self.asking.all(request.with(op, content))
    }

    /// Picks until the budget is reached or nothing is left that fits it.
    fn run(mut self) -> Result<(Picks, Table)> {
        let outcome = self.pick_all();
        // Also when interrupted: what is picked is picked.
        self.log.flush(&self.picks.indices)?;
        outcome?;
        Ok((self.picks, self.table))
    }

    fn pick_all(&mut self) -> Result<()> {
        self.monitor.enter(Stage::Pick, self.accounts.left() as usize);
        let mut told = vec![HashMap::new(); self.whole.parts()];
        while self.accounts.left() > 0 {
            let mut block = self.block(&mut told)?;
            if block.candidates.is_empty() {
                if !self.reopen()? {
                    break;
                }
                continue;
            }
            while self.accounts.left() > 0
                && let Some(at) = self.best(&mut block)
            {
                let candidate = Rc::clone(&block.candidates[at]);
                self.pick(&candidate);
                self.monitor.steps(candidate.cost as usize);
                self.monitor.update(|now| now.picked += 1);
                self.log.note(&self.picks.indices)?;
            }
        }
        Ok(())
    }

    /// Asks for the best candidates of all partitions. `told`: of each, those that it told of the last time, by position.
    fn block(&mut self, told: &mut [HashMap<usize, Rc<Candidate>>]) -> Result<Block> {
        let mut content = Writer::new();
        content.number(BLOCK);
        let mut block = Block::default();
        for (part, reply) in self.tell(Op::Best, &content)?.iter().enumerate() {
            let mut content = reply.last()?;
            self.picks.evaluations += content.number()?;
            if content.flag()? {
                let rest = Key { value: content.real()?, index: self.index(part, content.small()?)? };
                block.rest = Some(block.rest.map_or(rest, |other| if rest > other { rest } else { other }));
            }
            let before = std::mem::take(&mut told[part]);
            while !content.is_empty() {
                let at: usize = content.small()?;
                let index = self.index(part, at)?;
                let gain = content.number()?;
                let candidate = if content.flag()? {
                    Rc::new(self.read(index as usize, &mut content)?)
                } else {
                    Rc::clone(before.get(&at).ok_or_else(garbled)?)
                };
                let key = candidate.price.key(gain, index);
                block.places.push(Place { key, picks: self.picks.indices.len(), at: block.candidates.len() });
                told[part].insert(at, Rc::clone(&candidate));
                block.candidates.push(candidate);
            }
        }
        Ok(block)
    }

    /// Takes the candidate of largest key out of the block, if no other sample can have a larger one.
    fn best(&mut self, block: &mut Block) -> Option<usize> {
        let Block { candidates, places, rest } = block;
        loop {
            let place = places.pop()?;
            if rest.is_some_and(|rest| rest > place.key) {
                return None;
            }
            let candidate = &candidates[place.at];
            if !self.accounts.fits(candidate.cost, candidate.group) {
                continue;
            }
            let picks = self.picks.indices.len();
            if place.picks == picks {
                return Some(place.at);
            }
            self.picks.evaluations += 1;
            let gain = candidate.features.iter().map(|&feature| self.table.marginal(feature)).sum();
            places.push(Place { key: candidate.price.key(gain, candidate.index), picks, at: place.at });
        }
    }

    fn pick(&mut self, candidate: &Candidate) {
        let Candidate { index, cost, group, features, .. } = candidate;
        self.accounts.take(*cost, *group);
        self.picks.indices.push(i64::from(*index));
        self.picks.gains.push(features.iter().map(|&feature| self.table.select(feature)).sum());
        self.picks.reached.extend(self.table.reached());
        self.untold.number(u64::from(*index));
        self.untold.number(*cost);
        self.untold.number(*group as u64);
        self.untold.ascending(features.iter().map(|&feature| u64::from(feature)));
    }

    /// The index in the whole pool of a sample of a partition.
    fn index(&self, part: usize, at: usize) -> Result<u32> {
        if at < self.whole.len(part) { Ok((self.whole.first(part) + at) as u32) } else { Err(garbled()) }
    }

    /// Reads what a partition tells of a sample.
    fn read(&self, index: usize, content: &mut Reader<'_>) -> Result<Candidate> {
        let cost = content.number()?;
        let group = content.small()?;
        let (length, weight) = (content.number()?, content.real()?);
        let price = Price::new(weight, length, self.alpha);
        let features = content.increasing(self.table.len() as u32)?;
        if !self.accounts.has(group) {
            return Err(garbled());
        }
        Ok(Candidate { index: index as u32, cost, group, price, features })
    }
}
