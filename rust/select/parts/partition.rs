//! The side of a partition: what it has, and how it answers.

use super::message::{Reader, Writer, garbled, operations, reply};
use super::op::Op;
use super::plan::{Told, Unit};
use crate::error::{Error, Result};
use crate::pool::Pool;
use crate::run::monitor::Monitor;
use crate::select::accounts::Accounts;
use crate::select::controls::{Controls, Cost, Known, Limits};
use crate::select::coverage;
use crate::select::ledger::Ledger;
use crate::select::{ordered, zip};
use crate::sizer::DeflateSizer;
use crate::sizer::workers::Workers;

/// Some of the samples of a pool, and what is said of each.
#[derive(Debug, Clone, Copy)]
pub struct Part<'a> {
    /// The samples: a run of those of the whole pool.
    pub pool: Pool<'a>,
    /// The index, in the whole pool, of the first.
    pub first: usize,
    /// What each costs, if the budget counts tokens.
    pub costs: Option<&'a [u32]>,
    /// The group of each, if there are quotas or shares.
    pub groups: Option<&'a [u32]>,
    /// How much each is wanted, as in [`Controls`].
    pub weights: Option<&'a [f64]>,
    /// Which of them are known, by their positions here.
    pub known: &'a [i64],
}

/// Limits of a selection that has begun.
pub(crate) struct Begun {
    unit: Unit,
    /// Bytes of the whole pool.
    pub(crate) bytes: usize,
    pub(crate) accounts: Accounts,
    /// Samples that are picked or known.
    pub(crate) taken: Vec<bool>,
}

/// What an operation has to work with.
pub(crate) struct Here<'a> {
    pub(crate) part: &'a Part<'a>,
    pub(crate) begun: &'a mut Begun,
    pub(crate) workers: &'a Workers<DeflateSizer>,
    pub(crate) monitor: &'a Monitor,
}

impl<'a> Here<'a> {
    /// The accounts as they are now, asked by sample.
    pub(crate) fn ledger(&self) -> Ledger<'a> {
        let groups = self.part.groups.unwrap_or_default();
        Ledger::with(&self.part.pool, self.part.cost(self.begun.unit), groups, self.begun.accounts.clone())
    }

    /// The next samples, by their positions here.
    pub(crate) fn positions(&self, content: &mut Reader<'_>) -> Result<Vec<usize>> {
        let found: Vec<usize> = content.list()?;
        if found.iter().all(|&at| at < self.part.pool.len()) { Ok(found) } else { Err(garbled()) }
    }

    /// How much a sample is wanted.
    pub(crate) fn weight(&self, at: usize) -> f64 {
        self.part.weights.map_or(1.0, |weights| weights[at])
    }

    /// Where a sample of the whole pool is here, if it is.
    pub(crate) fn own(&self, index: usize) -> Option<usize> {
        index.checked_sub(self.part.first).filter(|&at| at < self.part.pool.len())
    }

    /// Takes note of picks: which of them are here, and what all have cost which group.
    pub(crate) fn take(&mut self, own: &[usize], costs: &[(u64, usize)]) -> Result<()> {
        let mut accounts = self.begun.accounts.clone();
        for &(cost, group) in costs {
            if !accounts.has(group) || !accounts.fits(cost, group) {
                return Err(garbled());
            }
            accounts.take(cost, group);
        }
        if own.iter().any(|&at| self.begun.taken[at]) {
            return Err(garbled());
        }
        own.iter().for_each(|&at| self.begun.taken[at] = true);
        self.begun.accounts = accounts;
        Ok(())
    }

    /// Brings back what did not fit.
    pub(crate) fn reopen(&mut self) -> Result<()> {
        if self.begun.accounts.reopen() { Ok(()) } else { Err(garbled()) }
    }
}

impl<'a> Part<'a> {
    fn cost(&self, unit: Unit) -> Cost<'a> {
        match unit {
            Unit::Samples => Cost::Samples,
            Unit::Bytes => Cost::Bytes,
            Unit::Tokens => Cost::Each(self.costs.unwrap_or_default()),
        }
    }

    fn begin(&self, told: &Told) -> Result<Begun> {
        let &Told { bytes, budget, unit, .. } = told;
        let groups = self.groups.unwrap_or_default();
        let limits = Limits { budget, cost: self.cost(unit), groups, quotas: &told.quotas, shares: &told.shares };
        let known = Known::Indices(self.known);
        Controls { limits, weights: self.weights, known }.check(&self.pool)?;
        Ok(Begun { unit, bytes, accounts: Accounts::new(&limits), taken: known.mask(&self.pool)? })
    }
}

/// What a partition knows of the selection under way, by method.
pub(crate) trait State: Send {
    /// Does what it is asked.
    ///
    /// # Errors
    /// If it can't be; then it has changed nothing, unless it was interrupted.
    fn answer(&mut self, here: &mut Here<'_>, op: Op, content: Reader<'_>) -> Result<Writer>;
}

/// A part of a pool, which answers a coordinator's requests.
///
/// Memory besides its samples: 1 byte a sample, and what the method takes.
pub struct Partition {
    workers: Workers<DeflateSizer>,
    begun: Option<Begun>,
    state: Option<Box<dyn State>>,
    /// Whether it was left in the middle of a request.
    is_lost: bool,
}

impl Partition {
    /// A partition that has answered nothing, on `threads` threads (`None`: as many as this process may use).
    ///
    /// # Errors
    /// [`Error::Parameter`] if threads can't be started.
    pub fn new(threads: Option<usize>) -> Result<Self> {
        Ok(Self { workers: Workers::new(threads)?, begun: None, state: None, is_lost: false })
    }

    /// Answers a request about `part`, which must be the same every time.
    ///
    /// # Errors
    /// [`Error::Parameter`] if it can't be answered, [`Error::Interrupted`] when the monitor says so.
    pub fn answer(&mut self, part: &Part<'_>, request: &[u8], monitor: &Monitor) -> Result<Vec<u8>> {
        if self.is_lost {
            return Err(Error::Parameter(
                "this partition was left in the middle of a request: make it anew from the same samples".into(),
            ));
        }
        let operations = operations(request)?;
        let Self { workers, begun, state, .. } = self;
        let mut answers = Vec::with_capacity(operations.len());
        let outcome = workers.run(|| {
            for (op, content) in operations {
                answers.push(one(workers, begun, state, part, op, content, monitor)?);
            }
            Ok(())
        });
        self.is_lost = outcome == Err(Error::Interrupted) || (outcome.is_err() && !answers.is_empty());
        outcome?;
        Ok(reply(&answers))
    }
}

/// Does one of the things asked for.
fn one(
    workers: &Workers<DeflateSizer>,
    begun: &mut Option<Begun>,
    state: &mut Option<Box<dyn State>>,
    part: &Part<'_>,
    op: Op,
    mut content: Reader<'_>,
    monitor: &Monitor,
) -> Result<Writer> {
    let mut answer = Writer::new();
    match op {
        Op::About => {
            content.end()?;
            let known = Known::Indices(part.known).mask(&part.pool)?;
            let known = known.into_iter().filter(|&is_known| is_known).count();
            [part.first, part.pool.len(), part.pool.bytes(), known]
                .iter()
                .for_each(|&number| answer.number(number as u64));
            return Ok(answer);
        }
        Op::Begin => {
            *begun = Some(part.begin(&Told::read(&mut content)?)?);
            *state = None;
            return Ok(answer);
        }
        _ => {}
    }
    let begun = begun.as_mut().ok_or_else(garbled)?;
    let mut here = Here { part, begun, workers, monitor };
    match op {
        Op::Survey => coverage::survey_part(&here, content),
        Op::Count => {
            let (counted, answer) = coverage::count_part(&here, content)?;
            *state = Some(counted);
            Ok(answer)
        }
        Op::Score => zip::score_part(&here, content),
        Op::Alone => {
            let (zip, answer) = zip::begin_part(&here, content)?;
            *state = Some(zip);
            Ok(answer)
        }
        Op::Weights => ordered::weights_part(&here, &content),
        Op::Words => ordered::words_part(&here, &content),
        Op::Order => {
            let (ordered, answer) = ordered::order_part(&here, content)?;
            *state = Some(ordered);
            Ok(answer)
        }
        _ => state.as_mut().ok_or_else(garbled)?.answer(&mut here, op, content),
    }
}
