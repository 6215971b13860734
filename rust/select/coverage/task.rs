//! From a pool to the features that count in it.

use super::counts;
use super::params::Params;
use super::survey::Survey;
use super::table::Table;
use super::target::{Aims, Target};
use super::vocabulary::Vocabulary;
use super::weights::Weights;
use crate::error::{Error, Result};
use crate::hash::Slots;
use crate::pool::{Pool, check_len};
use crate::run::monitor::{Monitor, Stage};
use crate::text::features::Features;

/// What to read, and how.
#[derive(Clone, Copy)]
pub(super) struct Task<'a> {
    pub(super) pool: &'a Pool<'a>,
    pub(super) params: &'a Params,
    pub(super) target: Option<&'a Target<'a>>,
    pub(super) monitor: &'a Monitor,
}

/// What was read: the features that count, what they weigh, and what of them is the target's.
pub(super) struct Read {
    pub(super) survey: Survey,
    pub(super) slots: Slots,
    pub(super) vocabulary: Vocabulary,
    pub(super) table: Table,
    pub(super) aims: Option<Aims>,
}

impl<'a> Task<'a> {
    /// # Errors
    /// [`Error::Parameter`] for what no selection can be made with, [`Error::Limit`] if there is too much of it.
    pub(super) fn new(
        pool: &'a Pool<'a>,
        params: &'a Params,
        target: Option<&'a Target<'a>>,
        monitor: &'a Monitor,
    ) -> Result<Self> {
        params.check()?;
        if pool.is_empty() {
            return Err(Error::Parameter("the pool is empty".into()));
        }
        check_len(pool.len())?;
        target.map_or(Ok(()), Target::check)?;
        Ok(Self { pool, params, target, monitor })
    }

    /// Counts the features of the pool, and weighs them.
    pub(super) fn read<F: Features>(&self, features: F) -> Result<Read> {
        let &Self { pool, params, target, monitor } = self;
        monitor.enter(Stage::Count, 2 * pool.len());
        let survey = Survey::new(pool, features, monitor)?;
        let slots = survey.slots(pool.bytes());
        let mut df = counts::document_frequencies(pool, features, slots, params.guard, monitor)?;
        let (weights, aims) = match target {
            None => (Weights::general(params.gamma), None),
            Some(Target { samples, weight }) => {
                let aims = Aims::new(pool, samples, features, slots, monitor)?;
                let sizes = (pool.len(), samples.len());
                (Weights::targeted(&mut df, &aims, params.gamma, *weight, sizes), Some(aims))
            }
        };
        let (vocabulary, ranks) = Vocabulary::new(slots, df, weights.most());
        Ok(Read { survey, slots, vocabulary, table: Table::new(ranks, weights), aims })
    }
}
