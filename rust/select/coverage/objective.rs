//! What coverage is greedy for: the table's weight of what the selected samples have.

use super::lists::Lists;
use super::table::Table;
use crate::pool::Pool;
use crate::select::greedy::{Bound, Gains, Objective};
use crate::text::features::Features;

/// The samples as lists of features, and what each feature is worth now.
pub(crate) struct Covered<'a, F> {
    pool: &'a Pool<'a>,
    lists: Lists<F>,
    table: Table,
    /// What share of the target was covered after each sample that was added; empty if there is no target.
    reached: Vec<f64>,
}

impl<'a, F: Features> Covered<'a, F> {
    /// The samples of `pool`, which the lists were made of.
    pub(super) fn new(pool: &'a Pool<'a>, lists: Lists<F>, table: Table) -> Self {
        Self { pool, lists, table, reached: Vec::new() }
    }

    /// Counts a sample of the pool as covered without being picked.
    pub(crate) fn know(&mut self, index: usize) {
        self.cover(index);
    }

    /// Lists and table, and how the target was reached.
    pub(super) fn into_parts(self) -> (Lists<F>, Table, Vec<f64>) {
        (self.lists, self.table, self.reached)
    }

    #[inline]
    fn worth(&self) -> Worth<'_, F> {
        Worth { pool: self.pool, lists: &self.lists, table: &self.table }
    }

    fn cover(&mut self, index: usize) -> u64 {
        let Self { pool, lists, table, .. } = self;
        let mut gain = 0;
        lists.each(pool, index, |feature| gain += table.select(feature));
        gain
    }
}

impl<F: Features> Gains for Covered<'_, F> {
    #[inline]
    fn bound(&self, index: usize) -> Bound {
        self.worth().bound(index)
    }

    #[inline]
    fn gain(&self, index: usize, bound: Bound) -> u64 {
        self.worth().gain(index, bound)
    }
}

impl<F: Features> Objective for Covered<'_, F> {
    fn add(&mut self, index: usize) -> u64 {
        let gain = self.cover(index);
        self.reached.extend(self.table.reached());
        gain
    }
}

/// What samples of a pool would add, by their lists of features and what each feature is worth now.
pub(super) struct Worth<'a, F> {
    pub(super) pool: &'a Pool<'a>,
    pub(super) lists: &'a Lists<F>,
    pub(super) table: &'a Table,
}

impl<F: Features> Gains for Worth<'_, F> {
    /// Exact for common features, which are most of any list. For a list that is not stored, altogether: reading the text
    /// is what takes the time.
    #[inline]
    fn bound(&self, index: usize) -> Bound {
        match self.lists.stored(index) {
            Some(list) => {
                let common = self.table.common(list);
                Bound { most: common + self.table.rare_bound(list), begun: common }
            }
            None => {
                let mut gain = 0;
                self.lists.each(self.pool, index, |feature| gain += self.table.marginal(feature));
                Bound::exact(gain)
            }
        }
    }

    #[inline]
    fn gain(&self, index: usize, bound: Bound) -> u64 {
        bound.begun + self.lists.stored(index).map_or(0, |list| self.table.rare(list))
    }
}
