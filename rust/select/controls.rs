//! What a user asks of a selection, whichever method makes it: limits, weights, and what is known already.
//!
//! Samples that must not be selected at all need no control here: they are not in the pool that a method is given.

use crate::error::{Error, Result};
use crate::pool::Pool;

/// What the budget counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cost<'a> {
    /// Samples.
    Samples,
    /// Bytes of samples.
    Bytes,
    /// Something else, such as tokens: so much of it in each sample.
    Each(&'a [u32]),
}

impl Cost<'_> {
    /// What sample `index` of `pool` costs.
    #[must_use]
    #[inline]
    pub fn of(&self, pool: &Pool<'_>, index: usize) -> u64 {
        match self {
            Self::Samples => 1,
            Self::Bytes => pool.sample(index).len() as u64,
            Self::Each(costs) => u64::from(costs[index]),
        }
    }
}

/// How much of the budget a group gets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Quota {
    /// So much is kept for it.
    pub least: u64,
    /// It never gets more.
    pub most: u64,
}

/// How much may be selected.
#[derive(Debug, Clone, Copy)]
pub struct Limits<'a> {
    /// At most so much, at least 1.
    pub budget: u64,
    /// Of what.
    pub cost: Cost<'a>,
    /// The group of each sample; empty if there are neither quotas nor shares.
    pub groups: &'a [u32],
    /// By group; empty if there are none.
    pub quotas: &'a [Quota],
    /// So much of the budget goes to each group; empty if the quotas alone decide. Once nothing fits any more, what is
    /// left of the budget is anybody's within the quotas.
    pub shares: &'a [u64],
}

impl Limits<'_> {
    /// So many samples, and nothing else to respect.
    #[must_use]
    pub fn samples(budget: u64) -> Self {
        Self { budget, cost: Cost::Samples, groups: &[], quotas: &[], shares: &[] }
    }

    fn check_budget(&self) -> Result<()> {
        if self.budget == 0 {
            return Err(Error::Parameter("the budget is 0; it must be at least 1".into()));
        }
        Ok(())
    }

    fn check_groups(&self) -> Result<()> {
        let wrong = |message: String| Err(Error::Parameter(message));
        let Self { budget, quotas, shares, .. } = self;
        if !shares.is_empty() {
            if !quotas.is_empty() && quotas.len() != shares.len() {
                return wrong(format!("{} quotas need as many shares, not {}", quotas.len(), shares.len()));
            }
            if quotas.iter().zip(*shares).any(|(quota, share)| !(quota.least..=quota.most).contains(share)) {
                return wrong("a share is not within its group's quota".into());
            }
            if shares.iter().map(|&share| u128::from(share)).sum::<u128>() > u128::from(*budget) {
                return wrong(format!("the shares are more than the budget of {budget}"));
            }
        }
        if let Some(quota) = quotas.iter().find(|quota| quota.least > quota.most) {
            return wrong(format!("a quota asks for at least {} and at most {}", quota.least, quota.most));
        }
        if quotas.iter().map(|quota| u128::from(quota.least)).sum::<u128>() > u128::from(*budget) {
            return wrong(format!("the quotas' minima are more than the budget of {budget}"));
        }
        Ok(())
    }

    /// # Errors
    /// [`Error::Parameter`] if no samples whatever could meet them.
    pub(crate) fn check(&self) -> Result<()> {
        self.check_budget()?;
        self.check_groups()
    }
}

/// What the user has already: not selected, and its content not worth repeating.
#[derive(Debug, Clone, Copy)]
pub enum Known<'a> {
    /// Nothing.
    Nothing,
    /// Samples of the pool.
    Indices(&'a [i64]),
    /// Samples from elsewhere.
    Pool(Pool<'a>),
}

impl Known<'_> {
    /// Which samples of `pool` are known, by index.
    ///
    /// # Errors
    /// [`Error::Parameter`] if there is no such sample.
    pub(crate) fn mask(&self, pool: &Pool<'_>) -> Result<Vec<bool>> {
        let mut mask = vec![false; pool.len()];
        if let Self::Indices(indices) = self {
            for &index in *indices {
                *usize::try_from(index).ok().and_then(|index| mask.get_mut(index)).ok_or_else(|| {
                    Error::Parameter(format!("the anchor has index {index}, the pool {} samples", pool.len()))
                })? = true;
            }
        }
        Ok(mask)
    }
}

/// All of these.
#[derive(Debug, Clone, Copy)]
pub struct Controls<'a> {
    /// How much may be selected.
    pub limits: Limits<'a>,
    /// How much each sample is wanted: finite, not negative, about 1 on average. Each method says what it makes of them.
    pub weights: Option<&'a [f64]>,
    /// What the user has already.
    pub known: Known<'a>,
}

impl<'a> Controls<'a> {
    /// These limits, and nothing else.
    #[must_use]
    pub fn only(limits: Limits<'a>) -> Self {
        Self { limits, weights: None, known: Known::Nothing }
    }

    /// # Errors
    /// [`Error::Parameter`] if they are not of this pool, or can't be met.
    pub(crate) fn check(&self, pool: &Pool<'_>) -> Result<()> {
        let wrong = |message: String| Err(Error::Parameter(message));
        let Self { limits, weights, .. } = self;
        let Limits { cost, groups, quotas, shares, .. } = limits;
        limits.check_budget()?;
        let costs = if let Cost::Each(costs) = cost { Some(costs.len()) } else { None };
        let count = quotas.len().max(shares.len());
        let grouped = if count == 0 { None } else { Some(groups.len()) };
        for (name, length) in [("costs", costs), ("weights", weights.map(<[f64]>::len)), ("groups", grouped)] {
            if length.is_some_and(|length| length != pool.len()) {
                return wrong(format!("{} samples need as many {name}, not {}", pool.len(), length.unwrap_or(0)));
            }
        }
        if let Some(weight) = weights.and_then(|all| all.iter().find(|weight| !weight.is_finite() || **weight < 0.0)) {
            return wrong(format!("a weight is {weight}; it must be finite, and not negative"));
        }
        if count > 0 && groups.iter().any(|&group| group as usize >= count) {
            return wrong(format!("groups must be below {count}, the number of quotas"));
        }
        limits.check_groups()
    }
}
