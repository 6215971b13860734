//! What a selection may still take.
//!
//! One rule serves every budget and quota: a sample *fits* if its cost is at most what is left for its group. Left for a
//! group is what of its minimum is not used yet, and the part of the budget that is no group's minimum; but no more than
//! its maximum allows. So no limit is ever exceeded, and no group takes what another is to get.
//!
//! What is left for a group never grows. A sample that does not fit will not fit later either, and a method may
//! forget it. There is one exception, which the method itself brings about: groups with *shares* get exactly those, and
//! once no sample fits any more, [`Ledger::reopen`] leaves the rest of the budget to all groups within their quotas.

use super::controls::{Controls, Cost, Quota};
use crate::error::Result;
use crate::pool::Pool;

/// A group's account.
#[derive(Debug, Clone, Copy)]
struct Account {
    /// Kept for it and not used yet.
    kept: u64,
    /// What its maximum leaves.
    most: u64,
}

/// The budget and the groups' shares of it, as samples are picked.
#[derive(Debug)]
pub(crate) struct Ledger<'a> {
    pool: &'a Pool<'a>,
    cost: Cost<'a>,
    /// The group of each sample; empty if all are in one.
    groups: &'a [u32],
    accounts: Vec<Account>,
    /// Kept for nobody.
    free: u64,
    /// Of the budget.
    left: u64,
    /// What follows the shares: of each group, its share, and the quota that then holds.
    then: Vec<(u64, Quota)>,
}

impl<'a> Ledger<'a> {
    /// A ledger in which nothing has been picked.
    ///
    /// # Errors
    /// [`crate::Error::Parameter`] if the controls are not of this pool, or can't be met.
    pub(crate) fn new(pool: &'a Pool<'a>, controls: &Controls<'a>) -> Result<Self> {
        controls.check(pool)?;
        let limits = controls.limits;
        let exactly = |&share: &u64| Account { kept: share, most: share };
        let mut accounts: Vec<Account> = if limits.shares.is_empty() {
            limits.quotas.iter().map(|quota| Account { kept: quota.least, most: quota.most }).collect()
        } else {
            limits.shares.iter().map(exactly).collect()
        };
        let quota = |group: usize| limits.quotas.get(group).copied().unwrap_or(Quota { least: 0, most: u64::MAX });
        let then = limits.shares.iter().enumerate().map(|(group, &share)| (share, quota(group))).collect();
        let free = limits.budget - accounts.iter().map(|account| account.kept).sum::<u64>();
        let groups = if accounts.is_empty() { &[] } else { limits.groups };
        if groups.is_empty() {
            accounts = vec![Account { kept: 0, most: u64::MAX }];
        }
        Ok(Self { pool, cost: limits.cost, groups, accounts, free, left: limits.budget, then })
    }

    /// What a sample takes of the budget.
    #[must_use]
    #[inline]
    pub(crate) fn cost(&self, index: usize) -> u64 {
        self.cost.of(self.pool, index)
    }

    /// How long a sample is: in tokens if the budget counts them, else in bytes.
    #[must_use]
    #[inline]
    pub(crate) fn length(&self, index: usize) -> u64 {
        match self.cost {
            Cost::Each(_) => self.cost(index),
            Cost::Samples | Cost::Bytes => self.pool.sample(index).len() as u64,
        }
    }

    /// Whether a sample fits.
    #[must_use]
    #[inline]
    pub(crate) fn fits(&self, index: usize) -> bool {
        let Account { kept, most } = self.accounts[self.group(index)];
        self.cost(index) <= most.min(kept + self.free)
    }

    /// Whether as long as the budget is not reached every sample fits.
    #[must_use]
    pub(crate) fn all_fit(&self) -> bool {
        self.cost == Cost::Samples && self.groups.is_empty()
    }

    /// Notes that a sample which fits is picked.
    pub(crate) fn take(&mut self, index: usize) {
        let cost = self.cost(index);
        let group = self.group(index);
        let Account { kept, most } = &mut self.accounts[group];
        self.free -= cost.saturating_sub(*kept);
        *kept = kept.saturating_sub(cost);
        *most -= cost;
        self.left -= cost;
    }

    /// Whether what does not fit may fit later.
    #[must_use]
    pub(crate) fn may_reopen(&self) -> bool {
        !self.then.is_empty()
    }

    /// To be called when no sample fits any more: quotas take the place of the groups' shares. Says whether they did,
    /// which happens once.
    pub(crate) fn reopen(&mut self) -> bool {
        let then = std::mem::take(&mut self.then);
        if then.is_empty() || self.left == 0 {
            return false;
        }
        for (account, (share, quota)) in self.accounts.iter_mut().zip(then) {
            let spent = share - account.most;
            *account = Account { kept: quota.least.saturating_sub(spent), most: quota.most - spent };
        }
        // A share is not below its group's least, and the shares are not more than the budget; so neither is this.
        self.free = self.left - self.accounts.iter().map(|account| account.kept).sum::<u64>();
        true
    }

    /// What is left of the budget.
    #[must_use]
    pub(crate) fn left(&self) -> u64 {
        self.left
    }

    #[inline]
    fn group(&self, index: usize) -> usize {
        self.groups.get(index).map_or(0, |&group| group as usize)
    }
}

#[cfg(test)]
mod tests {
    use super::super::controls::{Limits, Quota};
    use super::*;

    const OFFSETS: [i64; 7] = [0, 3, 5, 5, 9, 10, 16];

    fn ledger<'a>(pool: &'a Pool<'a>, limits: Limits<'a>) -> Result<Ledger<'a>> {
        Ledger::new(pool, &Controls::only(limits))
    }

    #[test]
    fn nothing_is_exceeded() {
        let pool = Pool::new(b"aaabbddddefghijk", &OFFSETS).unwrap();
        let limits = Limits { cost: Cost::Bytes, ..Limits::samples(7) };
        let mut ledger = ledger(&pool, limits).unwrap();
        assert!((0..6).all(|index| ledger.fits(index)) && !ledger.all_fit());
        ledger.take(3);
        assert_eq!([0, 1, 2, 4, 5].map(|index| ledger.fits(index)), [true, true, true, true, false]);
        ledger.take(1);
        assert_eq!(([0, 2, 4].map(|index| ledger.fits(index)), ledger.left()), ([false, true, true], 1));
    }

    #[test]
    fn what_is_kept_for_a_group_no_other_takes() {
        let pool = Pool::new(b"aaabbddddefghijk", &OFFSETS).unwrap();
        let limits = Limits {
            groups: &[0, 0, 0, 1, 1, 2],
            quotas: &[Quota { least: 0, most: 2 }, Quota { least: 1, most: 9 }, Quota { least: 0, most: 1 }],
            ..Limits::samples(3)
        };
        let mut ledger = ledger(&pool, limits).unwrap();
        ledger.take(0);
        assert!(ledger.fits(1));
        ledger.take(5);
        assert_eq!([1, 2, 3, 4].map(|index| ledger.fits(index)), [false, false, true, true]);
        ledger.take(4);
        assert_eq!(([1, 3].map(|index| ledger.fits(index)), ledger.left()), ([false, false], 0));
    }

    #[test]
    fn a_maximum_leaves_the_rest_to_others() {
        let pool = Pool::new(b"aaabbddddefghijk", &OFFSETS).unwrap();
        let limits = Limits {
            cost: Cost::Each(&[1, 2, 3, 1, 2, 3]),
            groups: &[0, 0, 0, 1, 1, 1],
            quotas: &[Quota { least: 0, most: 3 }, Quota { least: 0, most: u64::MAX }],
            ..Limits::samples(5)
        };
        let mut ledger = ledger(&pool, limits).unwrap();
        ledger.take(1);
        assert_eq!([0, 2, 3, 5].map(|index| ledger.fits(index)), [true, false, true, true]);
        ledger.take(5);
        assert_eq!(([0, 3].map(|index| ledger.fits(index)), ledger.left()), ([false, false], 0));
    }

    #[test]
    fn what_shares_leave_goes_to_others_within_their_quotas() {
        let pool = Pool::new(b"aaabbddddefghijk", &OFFSETS).unwrap();
        let limits = Limits {
            cost: Cost::Each(&[3, 1, 3, 2, 2, 1]),
            groups: &[0, 0, 0, 1, 1, 1],
            quotas: &[Quota { least: 0, most: u64::MAX }, Quota { least: 0, most: 2 }],
            shares: &[5, 1],
            ..Limits::samples(6)
        };
        let mut ledger = ledger(&pool, limits).unwrap();
        let fitting = |ledger: &Ledger<'_>| [0, 1, 2, 3, 4, 5].map(|index| ledger.fits(index));
        assert_eq!((fitting(&ledger), ledger.may_reopen()), ([true, true, true, false, false, true], true));
        ledger.take(0);
        ledger.take(1);
        assert_eq!(fitting(&ledger), [false, true, false, false, false, true]);
        assert!(ledger.reopen() && !ledger.may_reopen() && !ledger.reopen());
        // 2 are left: the first group has no bound, the second may have 2 of which it has none.
        assert_eq!((fitting(&ledger), ledger.left()), ([false, true, false, true, true, true], 2));
        ledger.take(5);
        assert_eq!((fitting(&ledger), ledger.left()), ([false, true, false, false, false, true], 1));
    }

    #[test]
    fn what_a_group_is_owed_outlasts_the_shares() {
        let pool = Pool::new(b"aaabbddddefghijk", &OFFSETS).unwrap();
        let limits = Limits {
            cost: Cost::Each(&[1, 1, 1, 3, 3, 3]),
            groups: &[0, 0, 0, 1, 1, 1],
            quotas: &[Quota { least: 0, most: 9 }, Quota { least: 2, most: 9 }],
            shares: &[2, 2],
            ..Limits::samples(4)
        };
        let mut ledger = ledger(&pool, limits).unwrap();
        ledger.take(0);
        ledger.take(1);
        assert!(!ledger.fits(2) && !ledger.fits(3) && ledger.reopen());
        assert!(!ledger.fits(2) && !ledger.fits(3), "the 2 that are left are the second group's");
    }

    #[test]
    fn refuses_what_cannot_be_met() {
        let pool = Pool::new(b"aaabbddddefghijk", &OFFSETS).unwrap();
        let groups = &[0; 6];
        for limits in [
            Limits::samples(0),
            Limits { cost: Cost::Each(&[1]), ..Limits::samples(1) },
            Limits { groups, quotas: &[Quota { least: 2, most: 1 }], ..Limits::samples(3) },
            Limits { groups, quotas: &[Quota { least: 4, most: 9 }], ..Limits::samples(3) },
            Limits { groups: &[1; 6], quotas: &[Quota { least: 0, most: 1 }], ..Limits::samples(3) },
            Limits { groups: &[0], quotas: &[Quota { least: 0, most: 1 }], ..Limits::samples(3) },
            Limits { groups, shares: &[4], ..Limits::samples(3) },
            Limits { groups: &[1; 6], shares: &[1], ..Limits::samples(3) },
            Limits { groups, quotas: &[Quota { least: 0, most: 1 }], shares: &[2], ..Limits::samples(3) },
            Limits { groups, quotas: &[Quota { least: 0, most: 1 }], shares: &[1, 1], ..Limits::samples(3) },
        ] {
            assert!(ledger(&pool, limits).is_err(), "{limits:?}");
        }
        for weights in [&[1.0; 5][..], &[f64::NAN; 6], &[-1.0; 6], &[f64::INFINITY; 6]] {
            let controls = Controls { weights: Some(weights), ..Controls::only(Limits::samples(1)) };
            assert!(Ledger::new(&pool, &controls).is_err(), "{weights:?}");
        }
    }
}
