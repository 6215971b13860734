//! What each feature is worth now.
//!
//! The objective is a sum over features of `w * log((c + 0.1) / 0.1)`, with `w` the feature's weight ([`super::weights`]) and
//! `c` the number of selected samples with the feature. One more sample adds `w * log((c + 1.1) / (c + 0.1))`: the
//! feature's *marginal*, which the table holds ready, so that the gain of a sample is a sum of table entries.
//!
//! Marginals are integers, in units of a power of two that makes the largest possible one just fit 32 bits. Their sums
//! are exact, so they depend neither on the order of summation nor on the number of threads; rounding is monotone,
//! so a gain never rises as the selection grows; and the objective is the sum of the gains to the last bit.
//!
//! The marginals of common features are few, and in the cache. Of the others there are up to hundreds of millions, and
//! waiting for them would be most of the time of a selection. So of these the table holds bounds of 16 bits: the marginal,
//! rounded up to a multiple of a power of two. Their sum is rarely off by more than 1/10,000 of a gain, and
//! the samples that it leaves in question are few; for these marginals are computed from rank and `c`.
//!
//! A feature takes 4 bytes: `c` with 16 bits, saturating, and the bound.

use super::lists::{COMMON, List};
use super::vocabulary::Ranks;
use super::weights::{Aimed, Weights};
use crate::real::ln;

/// What a count starts from: the smaller, the more the first sample with a feature is worth beside the second.
const PRIOR: f64 = 0.1;

/// The weights and logarithms that marginals are made of.
struct Scale {
    /// By rank.
    weights: Vec<f64>,
    /// `log((c + 1.1) / (c + 0.1))`, by `c`.
    logs: Vec<f64>,
    /// Units in 1: a power of two.
    unit: f64,
}

impl Scale {
    fn new(weights: Vec<f64>, largest: f64) -> Self {
        let logs: Vec<f64> = (0..=u16::MAX).map(f64::from).map(|c| ln((c + 1.0 + PRIOR) / (c + PRIOR))).collect();
        let largest = largest * logs[0];
        let mut unit = 1.0;
        while largest * unit * 2.0 < f64::from(u32::MAX) {
            unit *= 2.0;
        }
        Self { weights, logs, unit }
    }

    /// Not above 2^32 - 1, and not rising with `c`.
    fn marginal(&self, rank: usize, c: u16) -> u32 {
        (self.weights[rank] * self.logs[usize::from(c)] * self.unit).round() as u32
    }

    fn weight(&self, rank: usize) -> u128 {
        self.units(self.weights[rank])
    }

    fn units(&self, weight: f64) -> u128 {
        (weight * self.unit).round() as u128
    }
}

/// Weight of the features with `c > 0`, and of all.
#[derive(Default)]
struct Share {
    covered: u128,
    total: u128,
}

impl Share {
    /// 1 if there are none.
    fn get(&self) -> f64 {
        if self.total == 0 { 1.0 } else { self.covered as f64 / self.total as f64 }
    }
}

/// What a selection holds of its target.
struct Reach {
    is_aimed: Vec<bool>,
    share: Share,
    /// Weight of what the pool has of it.
    shared: u128,
}

/// The features' counts and marginals, by number.
pub(super) struct Table {
    scale: Scale,
    ranks: Ranks,
    selected: Vec<u16>,
    /// Of the common features; 0 for numbers that no feature has.
    marginals: Box<[u32; COMMON]>,
    /// Bounds of the others' marginals, in multiples of `2^shift`.
    bounds: Vec<u16>,
    shift: u32,
    all: Share,
    /// If there is a target.
    reach: Option<Reach>,
}

impl Table {
    /// A table of features that have these ranks, with nothing selected.
    pub(super) fn new(ranks: Ranks, weights: Weights) -> Self {
        let scale = Scale::new(weights.of, weights.largest);
        let mut marginals = Vec::with_capacity(COMMON);
        let mut bounds = Vec::with_capacity(ranks.len().saturating_sub(COMMON));
        // The first of the others has the largest marginal.
        let largest = if ranks.len() > COMMON { scale.marginal(ranks.of(COMMON as u32), 0) } else { 0 };
        let mut shift = 0;
        while bound(largest, shift) > u32::from(u16::MAX) {
            shift += 1;
        }
        let mut all = Share::default();
        let mut reach = weights.aimed.map(|Aimed { is, missing }| Reach {
            is_aimed: is,
            share: Share { covered: 0, total: scale.units(missing) },
            shared: 0,
        });
        for (rank, count) in ranks.iter().filter(|&(_, count)| count > 0) {
            let marginal = scale.marginal(rank, 0);
            let common = count.min(COMMON - marginals.len());
            marginals.resize(marginals.len() + common, marginal);
            if common < count {
                bounds.resize(bounds.len() + count - common, bound(marginal, shift) as u16);
            }
            let weight = scale.weight(rank) * count as u128;
            all.total += weight;
            if let Some(reach) = &mut reach
                && reach.is_aimed[rank]
            {
                reach.share.total += weight;
                reach.shared += weight;
            }
        }
        marginals.resize(COMMON, 0);
        let marginals = marginals.into_boxed_slice().try_into().expect("made so long");
        Self { scale, selected: vec![0; ranks.len()], ranks, marginals, bounds, shift, all, reach }
    }

    /// What one more sample with this feature adds, in units.
    #[inline]
    pub(super) fn marginal(&self, feature: u32) -> u64 {
        let at = feature as usize;
        u64::from(match self.marginals.get(at) {
            Some(&marginal) => marginal,
            None => self.scale.marginal(self.ranks.of(feature), self.selected[at]),
        })
    }

    /// What the common features of a list add with one more sample, in units.
    #[inline]
    pub(super) fn common(&self, list: List<'_>) -> u64 {
        // No index of 16 bits can be out of bounds: the loop is loads and additions.
        list.common.iter().map(|&feature| u64::from(self.marginals[usize::from(feature)])).sum()
    }

    /// What the other features of a list add.
    pub(super) fn rare(&self, list: List<'_>) -> u64 {
        list.rare().map(|feature| self.marginal(feature)).sum()
    }

    /// What the other features of a list add at most.
    #[inline]
    pub(super) fn rare_bound(&self, list: List<'_>) -> u64 {
        list.rare().map(|feature| u64::from(self.bounds[feature as usize - COMMON])).sum::<u64>() << self.shift
    }

    /// One more sample with this feature is selected; what that added.
    pub(super) fn select(&mut self, feature: u32) -> u64 {
        let added = self.marginal(feature);
        self.raise(feature, 1);
        added
    }

    /// So many more samples with this feature are selected.
    #[inline]
    pub(super) fn raise(&mut self, feature: u32, samples: u16) {
        let at = feature as usize;
        let (rank, c) = (self.ranks.of(feature), self.selected[at]);
        if c == 0 {
            let weight = self.scale.weight(rank);
            self.all.covered += weight;
            if let Some(reach) = &mut self.reach
                && reach.is_aimed[rank]
            {
                reach.share.covered += weight;
            }
        }
        self.selected[at] = c.saturating_add(samples);
        let marginal = self.scale.marginal(rank, self.selected[at]);
        match self.marginals.get_mut(at) {
            Some(common) => *common = marginal,
            None => self.bounds[at - COMMON] = bound(marginal, self.shift) as u16,
        }
    }

    /// How many features there are: their numbers are below this.
    pub(super) fn len(&self) -> usize {
        self.selected.len()
    }

    /// Bytes that this takes, small things apart.
    pub(super) fn memory(&self) -> usize {
        size_of_val(&self.selected[..]) + size_of_val(&self.bounds[..])
    }

    /// Units in a gain of 1.
    pub(super) fn unit(&self) -> f64 {
        self.scale.unit
    }

    /// Share of the features, by weight, that a selected sample has; 1 if there are none.
    pub(super) fn coverage(&self) -> f64 {
        self.all.get()
    }

    /// The same of the features of the target, if there is one, those that the pool lacks included.
    pub(super) fn reached(&self) -> Option<f64> {
        self.reach.as_ref().map(|reach| reach.share.get())
    }

    /// Share of the features of the target, by weight, that the pool has.
    pub(super) fn reachable(&self) -> f64 {
        let of = |reach: &Reach| Share { covered: reach.shared, total: reach.share.total }.get();
        self.reach.as_ref().map_or(0.0, of)
    }
}

/// Not below `marginal / 2^shift`.
fn bound(marginal: u32, shift: u32) -> u32 {
    u64::from(marginal).div_ceil(1 << shift) as u32
}

#[cfg(test)]
mod tests {
    use super::super::vocabulary::Vocabulary;
    use super::*;
    use crate::hash::Slots;

    #[test]
    fn marginals_fit_and_never_rise() {
        for gamma in [0.0, 0.5, 0.85, 1.0] {
            let weights = Weights::general(gamma);
            let scale = Scale::new(weights.of, weights.largest);
            for df in [1, 2, 3, 1000, 65_535] {
                let marginals: Vec<u32> = (0..=u16::MAX).map(|c| scale.marginal(df, c)).collect();
                assert!(marginals.is_sorted_by(|a, b| a >= b), "{gamma} {df}");
                assert!(marginals[100] > 0 && marginals[0] < u32::MAX, "{gamma} {df}: {}", marginals[0]);
            }
        }
    }

    /// A feature that more samples are selected with than 16 bits count never becomes worth more again.
    #[test]
    fn counts_of_selected_samples_saturate() {
        let (_, ranks) = Vocabulary::new(Slots::new(1), vec![u32::from(u16::MAX)], 65_535);
        let mut table = Table::new(ranks, Weights::general(1.0));
        let mut last = u64::MAX;
        for selected in 0..70_000 {
            let added = table.select(0);
            assert!(added <= last, "{selected}: {added} after {last}");
            last = added;
        }
        assert_eq!(table.selected, [u16::MAX]);
        assert_eq!((table.marginal(0), table.coverage()), (last, 1.0));
    }

    #[test]
    fn coverage_is_the_share_of_weight() {
        let (_, ranks) = Vocabulary::new(Slots::new(2), vec![16, 9], 65_535);
        let mut table = Table::new(ranks, Weights::general(0.5));
        assert_eq!(table.coverage(), 0.0);
        let first = table.select(0);
        assert_eq!(first as f64 / table.unit(), (4.0 * 11.0_f64.ln() * table.unit()).round() / table.unit());
        assert!((table.coverage() - 4.0 / 7.0).abs() < 1e-9);
        assert!(table.select(0) < first);
        table.select(1);
        assert_eq!(table.coverage(), 1.0);
        assert_eq!((table.reached(), table.reachable()), (None, 0.0), "there is no target");
    }

    #[test]
    fn what_is_reached_of_a_target_is_a_share_of_all_of_it() {
        let (_, ranks) = Vocabulary::new(Slots::new(3), vec![3, 2, 1], 3);
        let aimed = Some(Aimed { is: vec![false, true, false, true], missing: 4.0 });
        let mut table = Table::new(ranks, Weights { of: vec![0.0, 1.0, 2.0, 5.0], largest: 5.0, aimed });
        assert_eq!((table.reached(), table.reachable()), (Some(0.0), 0.6));
        table.select(1);
        assert_eq!((table.reached(), table.coverage()), (Some(0.0), 0.25));
        table.select(0);
        table.select(0);
        assert_eq!((table.reached(), table.coverage()), (Some(0.5), 0.875));
        table.select(2);
        assert_eq!((table.reached(), table.reachable(), table.coverage()), (Some(0.6), 0.6, 1.0));
    }
}
