//! Picks from several partitions, made *block-lazily*: as a lazy greedy over the candidates of all.
//!
//! Each partition tells of its samples of largest keys, with their features, and a bound of all its others. From there on
//! this needs nobody, because it has the table of what features are worth, until its best falls below a bound.

use std::collections::{BinaryHeap, HashMap, HashSet};
use std::rc::Rc;

use super::table::Table;
use crate::error::Result;
use crate::run::journal::misfit;
use crate::run::monitor::{Monitor, Stage};
use crate::select::accounts::Accounts;
use crate::select::greedy::{Key, PickLog, Price};
use crate::select::parts::{Asking, Op, Reader, Reply, Request, Whole, Writer, garbled};

/// Candidates that a partition tells of at once. With twice as many, 1.4 times fewer round trips and a tenth more time.
const BLOCK: u64 = 32;

/// Picks of a journal that are looked up at once.
const REPLAYED_AT_ONCE: usize = 512;

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
pub(super) struct Picks {
    pub indices: Vec<i64>,
    pub gains: Vec<u64>,
    /// What was covered of the target after each; empty if there is none.
    pub reached: Vec<f64>,
    pub evaluations: u64,
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
pub(super) struct Picking<'a, 'b, 'j> {
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
    pub(super) fn new(
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
    pub(super) fn replay(&mut self, picked: &[usize]) -> Result<()> {
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
            for (at, &index) in some.iter().enumerate() {
                let (is_taken, candidate) = found.remove(&at).ok_or_else(garbled)?;
                if is_taken || !there.insert(index) {
                    return Err(misfit());
                }
                let fits = |accounts: &Accounts| accounts.fits(candidate.cost, candidate.group);
                if !fits(&self.accounts) {
                    let reopened = self.none_fits()? && self.reopen()?;
                    if !(reopened && fits(&self.accounts)) {
                        return Err(misfit());
                    }
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
    pub(super) fn tell(&mut self, op: Op, content: &Writer) -> Result<Vec<Reply>> {
        let mut request = Request::new();
        if self.untold.len() > 0 {
            request = request.with(Op::Take, &std::mem::take(&mut self.untold));
        }
        self.asking.all(request.with(op, content))
    }

    /// Picks until the budget is reached or nothing is left that fits it.
    pub(super) fn run(mut self) -> Result<(Picks, Table)> {
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
