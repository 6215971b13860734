//! What a selection may still take of a pool: the accounts of its budget ([`super::accounts`]), asked by sample.

use super::accounts::Accounts;
use super::controls::{Controls, Cost};
use crate::error::Result;
use crate::pool::Pool;

/// The budget and the groups' shares of it, as samples of a pool are picked.
#[derive(Debug)]
pub(crate) struct Ledger<'a> {
    pool: &'a Pool<'a>,
    cost: Cost<'a>,
    /// The group of each sample; empty if all are in one.
    groups: &'a [u32],
    accounts: Accounts,
}

impl<'a> Ledger<'a> {
    /// A ledger in which nothing has been picked.
    ///
    /// # Errors
    /// [`crate::Error::Parameter`] if the controls are not of this pool, or can't be met.
    pub(crate) fn new(pool: &'a Pool<'a>, controls: &Controls<'a>) -> Result<Self> {
        controls.check(pool)?;
        let limits = &controls.limits;
        Ok(Self::with(pool, limits.cost, limits.groups, Accounts::new(limits)))
    }

    /// A ledger of a pool whose samples cost so much and are in these groups, by accounts as they are.
    pub(crate) fn with(pool: &'a Pool<'a>, cost: Cost<'a>, groups: &'a [u32], accounts: Accounts) -> Self {
        let groups = if accounts.are_grouped() { groups } else { &[] };
        Self { pool, cost, groups, accounts }
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

    /// The group of a sample.
    #[must_use]
    #[inline]
    pub(crate) fn group(&self, index: usize) -> usize {
        self.groups.get(index).map_or(0, |&group| group as usize)
    }

    /// Whether a sample fits.
    #[must_use]
    #[inline]
    pub(crate) fn fits(&self, index: usize) -> bool {
        self.accounts.fits(self.cost(index), self.group(index))
    }

    /// Whether as long as the budget is not reached every sample fits.
    #[must_use]
    pub(crate) fn all_fit(&self) -> bool {
        self.cost == Cost::Samples && !self.accounts.are_grouped()
    }

    /// Notes that a sample which fits is picked.
    pub(crate) fn take(&mut self, index: usize) {
        self.accounts.take(self.cost(index), self.group(index));
    }

    /// Whether what does not fit may fit later.
    #[must_use]
    pub(crate) fn may_reopen(&self) -> bool {
        self.accounts.may_reopen()
    }

    /// To be called when no sample fits any more; see [`Accounts::reopen`].
    pub(crate) fn reopen(&mut self) -> bool {
        self.accounts.reopen()
    }

    /// What is left of the budget.
    #[must_use]
    pub(crate) fn left(&self) -> u64 {
        self.accounts.left()
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
