//! What is left of a budget, for each group.
//!
//! One rule serves every budget and quota: what a sample costs *fits* if it is at most what is left for its group. Left for
//! a group is what of its minimum is not used yet, and the part of the budget that is no group's minimum; but no more than
//! its maximum allows. So no limit is ever exceeded, and no group takes what another is to get.
//!
//! What is left for a group never grows. A sample that does not fit will not fit later either, and a method may
//! forget it. There is one exception, which the method itself brings about: groups with *shares* get exactly those, and
//! once no sample fits any more, [`Accounts::reopen`] leaves the rest of the budget to all groups within their quotas.
//!
//! What accounts say depends on what was taken, not on the order in which it was.

use super::controls::{Limits, Quota};

/// A group's account.
#[derive(Debug, Clone, Copy)]
struct Account {
    /// Kept for it and not used yet.
    kept: u64,
    /// What its maximum leaves.
    most: u64,
}

/// The budget and the groups' shares of it.
#[derive(Debug, Clone)]
pub(crate) struct Accounts {
    /// Of each group; one if there are no groups.
    groups: Vec<Account>,
    is_grouped: bool,
    /// Kept for nobody.
    free: u64,
    /// Of the budget.
    left: u64,
    /// What follows the shares: of each group, its share, and the quota that then holds.
    then: Vec<(u64, Quota)>,
}

impl Accounts {
    /// The accounts before anything has been taken. The limits must have been checked.
    pub(crate) fn new(limits: &Limits<'_>) -> Self {
        let exactly = |&share: &u64| Account { kept: share, most: share };
        let mut groups: Vec<Account> = if limits.shares.is_empty() {
            limits.quotas.iter().map(|quota| Account { kept: quota.least, most: quota.most }).collect()
        } else {
            limits.shares.iter().map(exactly).collect()
        };
        let quota = |group: usize| limits.quotas.get(group).copied().unwrap_or(Quota { least: 0, most: u64::MAX });
        let then = limits.shares.iter().enumerate().map(|(group, &share)| (share, quota(group))).collect();
        let free = limits.budget - groups.iter().map(|account| account.kept).sum::<u64>();
        let is_grouped = !groups.is_empty();
        if !is_grouped {
            groups = vec![Account { kept: 0, most: u64::MAX }];
        }
        Self { groups, is_grouped, free, left: limits.budget, then }
    }

    /// Whether samples are in groups.
    #[must_use]
    pub(crate) fn are_grouped(&self) -> bool {
        self.is_grouped
    }

    /// Whether there is such a group.
    #[must_use]
    pub(crate) fn has(&self, group: usize) -> bool {
        group < self.groups.len()
    }

    /// Whether a sample fits that costs so much and is in this group, which is 0 if there are none.
    #[must_use]
    #[inline]
    pub(crate) fn fits(&self, cost: u64, group: usize) -> bool {
        let Account { kept, most } = self.groups[group];
        cost <= most.min(kept + self.free)
    }

    /// Notes that something is taken which fits.
    pub(crate) fn take(&mut self, cost: u64, group: usize) {
        let Account { kept, most } = &mut self.groups[group];
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
        for (account, (share, quota)) in self.groups.iter_mut().zip(then) {
            let spent = share - account.most;
            *account = Account { kept: quota.least.saturating_sub(spent), most: quota.most - spent };
        }
        // A share is not below its group's least, and the shares are not more than the budget; so neither is this.
        self.free = self.left - self.groups.iter().map(|account| account.kept).sum::<u64>();
        true
    }

    /// What is left of the budget.
    #[must_use]
    pub(crate) fn left(&self) -> u64 {
        self.left
    }
}
