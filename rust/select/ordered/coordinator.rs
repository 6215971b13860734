//! Selecting in an order from several partitions: each puts its own samples in order, and their orders are merged.
//!
//! A partition tells of its next samples that fit; the coordinator takes, of all that it was told of, the one whose turn
//! comes first, until it has no more of one partition, and asks that one for more. What does not fit when a partition is
//! asked will not fit when its turn comes, so it is never told.
//!
//! Memory: what was told, some 64 bytes a sample of [`AT_ONCE`] a partition. Round trips: two or three, then about one for
//! every [`AT_ONCE`] picks of a partition; bytes: about 25 from its partition for each sample, and a few bytes to it.

use std::collections::{BTreeMap, VecDeque};
use std::time::{Duration, Instant};

use super::Turn;
use super::part::{DSIR, RANDOM, WEIGHT};
use crate::error::{Error, Result};
use crate::measure::scores::dsir;
use crate::pool::Pool;
use crate::run::monitor::{Monitor, Stage};
use crate::run::threads::Threads;
use crate::select::accounts::Accounts;
use crate::select::parts::{Ask, Asking, Op, Plan, Reader, Request, Traffic, Unit, Whole, Writer, accounts, garbled};

/// Samples that a partition tells of at once.
const AT_ONCE: u64 = 8192;

/// What orders the samples of partitions.
#[derive(Debug, Clone, Copy)]
pub enum By<'a> {
    /// Chance, as [`super::Order::Random`].
    Chance {
        /// Another seed, another order.
        seed: u64,
    },
    /// Their weights, the highest first.
    Weight,
    /// How much likelier their words are in the target than in the pool ([`crate::measure::scores::dsir`]).
    Dsir {
        /// The target.
        target: Pool<'a>,
        /// Draw, or take the highest.
        drawn: Drawn,
    },
}

/// How scores make an order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Drawn {
    /// Samples are drawn with chances in proportion to their importance.
    Sampled {
        /// Another seed, another order.
        seed: u64,
    },
    /// The highest log weight comes first.
    Sum,
    /// The highest mean log weight of a word comes first.
    Mean,
}

/// What was picked.
#[derive(Debug, Clone, Default)]
pub struct Picks {
    /// Indices in the order in which they were taken.
    pub indices: Vec<i64>,
    /// What each was scored; None if the order was by chance.
    pub scores: Option<Vec<f64>>,
    /// Seconds of scoring.
    pub score: Duration,
}

/// What a partition told of.
struct Told {
    next: usize,
    is_end: bool,
    samples: VecDeque<Sample>,
    /// What is to be told: its picks, and what all picks have cost each group.
    own: Vec<u64>,
    costs: BTreeMap<usize, u64>,
}

struct Sample {
    at: usize,
    turn: Turn,
    cost: u64,
    group: usize,
    score: f64,
}

/// Selects from `parts` partitions, reached by `ask`, what [`super::select`] selects from the pool that they are parts of.
///
/// # Errors
/// As [`super::select`]; whatever `ask` returns; [`Error::Parameter`] if the partitions don't follow each other.
pub fn select_parts(
    ask: &mut dyn Ask,
    parts: usize,
    by: By<'_>,
    plan: &Plan<'_>,
    threads: Option<usize>,
    monitor: &Monitor,
) -> Result<(Picks, Traffic)> {
    let mut asking = Asking::new(ask, parts, monitor);
    let picks = Threads::start(threads)?.install(|| {
        let start = Instant::now();
        let whole = Whole::begin(&mut asking, plan)?;
        monitor.enter(Stage::Score, whole.samples());
        let order = order(&mut asking, by, monitor)?;
        asking.all(Request::new().with(Op::Order, &order))?;
        monitor.steps(whole.samples());
        let score = start.elapsed();
        let has_scores = !matches!(by, By::Chance { .. });
        let picks = Merging { asking: &mut asking, whole: &whole, unit: plan.unit, monitor, has_scores };
        let picks = picks.take(accounts(plan))?;
        Ok(Picks { score, ..picks })
    });
    Ok((picks?, asking.traffic))
}

/// What a partition is to order by.
fn order(asking: &mut Asking<'_>, by: By<'_>, monitor: &Monitor) -> Result<Writer> {
    let mut order = Writer::new();
    match by {
        By::Chance { seed } => {
            order.number(RANDOM);
            order.number(seed);
            order.flag(weights_differ(asking)?);
        }
        By::Weight => order.number(WEIGHT),
        By::Dsir { target, drawn } => {
            let mut raw = vec![0_u64; dsir::BUCKETS as usize];
            for reply in asking.all(Request::new().with(Op::Words, &Writer::new()))? {
                let mut content = reply.last()?;
                let counts: Vec<u64> = content.list()?;
                content.end()?;
                if counts.len() != raw.len() {
                    return Err(garbled());
                }
                raw.iter_mut().zip(counts).for_each(|(count, more)| *count = count.saturating_add(more));
            }
            let worth = dsir::worth(&dsir::count(&target, monitor)?, &raw)?;
            order.number(DSIR);
            order.flag(drawn == Drawn::Mean);
            order.flag(matches!(drawn, Drawn::Sampled { .. }));
            if let Drawn::Sampled { seed } = drawn {
                order.number(seed);
            }
            worth.into_iter().for_each(|worth| order.word(worth.to_le_bytes()));
        }
    }
    Ok(order)
}

/// Whether the samples that may be picked have different weights.
fn weights_differ(asking: &mut Asking<'_>) -> Result<bool> {
    let (mut common, mut weighted, mut unweighted) = (None, false, false);
    let mut differ = false;
    for reply in asking.all(Request::new().with(Op::Weights, &Writer::new()))? {
        let mut content = reply.last()?;
        let (has_weights, is_empty) = (content.flag()?, content.flag()?);
        let same = if has_weights { Some((content.flag()?, content.real()?)) } else { None };
        content.end()?;
        if is_empty {
            continue;
        }
        weighted |= has_weights;
        unweighted |= !has_weights;
        if let Some((is_same, weight)) = same {
            differ |= !is_same || *common.get_or_insert(weight) != weight;
        }
    }
    if weighted && unweighted {
        return Err(Error::Parameter("some partitions have weights, and some have none".into()));
    }
    Ok(differ)
}

/// Merges the orders of partitions.
struct Merging<'a, 'b> {
    asking: &'a mut Asking<'b>,
    whole: &'a Whole,
    unit: Unit,
    monitor: &'a Monitor,
    has_scores: bool,
}

impl Merging<'_, '_> {
    fn take(mut self, mut accounts: Accounts) -> Result<Picks> {
        let nothing =
            || Told { next: 0, is_end: false, samples: VecDeque::new(), own: Vec::new(), costs: BTreeMap::new() };
        let mut told: Vec<Told> = (0..self.whole.parts()).map(|_| nothing()).collect();
        let mut picks = Picks { scores: self.has_scores.then(Vec::new), ..Picks::default() };
        self.monitor.enter(Stage::Pick, accounts.left() as usize);
        while accounts.left() > 0 {
            if told.iter().any(|told| told.samples.is_empty() && !told.is_end) {
                self.ask(&mut told, &accounts)?;
                self.monitor.update(|now| now.picked = picks.indices.len());
                continue;
            }
            let open = told.iter_mut().enumerate().filter(|(_, told)| !told.samples.is_empty());
            let Some((part, first)) = open.min_by(|a, b| a.1.samples[0].turn.compare(b.1.samples[0].turn)) else {
                if !accounts.reopen() {
                    break;
                }
                self.reopen(&mut told)?;
                continue;
            };
            let Some(Sample { at, cost, group, score, .. }) = first.samples.pop_front() else { break };
            if !accounts.fits(cost, group) {
                continue;
            }
            accounts.take(cost, group);
            first.own.push(at as u64);
            picks.indices.push((self.whole.first(part) + at) as i64);
            picks.scores.iter_mut().for_each(|scores| scores.push(score));
            self.monitor.steps(cost as usize);
            for told in &mut told {
                *told.costs.entry(group).or_default() += cost;
            }
        }
        self.monitor.update(|now| now.picked = picks.indices.len());
        Ok(picks)
    }

    /// Asks those partitions for more that have told of no more.
    fn ask(&mut self, told: &mut [Told], accounts: &Accounts) -> Result<()> {
        let most = if self.unit == Unit::Samples { accounts.left() } else { u64::MAX };
        let is_asked = |told: &Told| told.samples.is_empty() && !told.is_end;
        let requests = told.iter_mut().map(|told| {
            is_asked(told).then(|| {
                let mut content = Writer::new();
                content.number(told.next as u64);
                content.number(most.min(AT_ONCE));
                told.picks(Request::new()).with(Op::Next, &content)
            })
        });
        let requests = requests.collect();
        for (part, (told, reply)) in told.iter_mut().zip(self.asking.each(requests)?).enumerate() {
            let Some(reply) = reply else { continue };
            let mut content = reply.last()?;
            (told.next, told.is_end) = (content.small()?, content.flag()?);
            let mut samples = Reader::new(content.bytes()?);
            content.end()?;
            while !samples.is_empty() {
                let sample = Sample {
                    at: samples.below(self.whole.len(part))?,
                    turn: Turn { key: samples.real()?, tie: u64::from_le_bytes(samples.word()?) },
                    cost: samples.number()?,
                    group: samples.small()?,
                    score: if self.has_scores { samples.real()? } else { 0.0 },
                };
                if !accounts.has(sample.group) {
                    return Err(garbled());
                }
                told.samples.push_back(sample);
            }
        }
        Ok(())
    }

    /// Has all begin their orders again, with what is left.
    fn reopen(&mut self, told: &mut [Told]) -> Result<()> {
        let requests = told.iter_mut().map(|told| {
            (told.next, told.is_end) = (0, false);
            Some(told.picks(Request::new()).with(Op::Reopen, &Writer::new()))
        });
        let requests = requests.collect();
        self.asking.each(requests)?;
        Ok(())
    }
}

impl Told {
    /// Adds to a request what was picked since the last one.
    fn picks(&mut self, request: Request) -> Request {
        let (own, costs) = (std::mem::take(&mut self.own), std::mem::take(&mut self.costs));
        if costs.is_empty() {
            return request;
        }
        let mut content = Writer::new();
        content.list(own.into_iter());
        for (group, cost) in costs {
            content.number(cost);
            content.number(group as u64);
        }
        request.with(Op::Take, &content)
    }
}
