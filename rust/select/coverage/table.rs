//! What each feature is worth now.
//!
//! The objective is a sum over features of `w(df) * log((c + 0.1) / 0.1)`, with `w(df) = df^gamma` and `c` the number
//! of selected samples with the feature. One more sample adds `w(df) * log((c + 1.1) / (c + 0.1))`: the feature's
//! *marginal*, which the table holds ready, so that the gain of a sample is a sum of table entries.
//!
//! Marginals are integers, in units of a power of two that makes the largest possible one just fit 32 bits. Their sums
//! are exact, so they depend neither on the order of summation nor on the number of threads; rounding is monotone,
//! so a gain never rises as the selection grows; and the objective is the sum of the gains to the last bit.
//!
//! The marginals of common features are few, and in the cache. Of the others there are up to hundreds of millions, and
//! waiting for them would be most of the time of a selection. So of these the table holds bounds of 16 bits: the marginal,
//! rounded up to a multiple of a power of two. Their sum is rarely off by more than 1/10,000 of a gain, and
//! the samples that it leaves in question are few; for these marginals are computed from `df` and `c`.
//!
//! A feature takes 4 bytes: `c` with 16 bits, saturating, and the bound.

use super::lists::{COMMON, List};
use super::real::{ln, pow};
use super::vocabulary::Frequencies;

/// What a count starts from: the smaller, the more the first sample with a feature is worth beside the second.
const PRIOR: f64 = 0.1;

/// The weights and logarithms that marginals are made of.
struct Scale {
    /// `df^gamma`, by `df`.
    weights: Vec<f64>,
    /// `log((c + 1.1) / (c + 0.1))`, by `c`.
    logs: Vec<f64>,
    /// Units in 1: a power of two.
    unit: f64,
}

impl Scale {
    fn new(gamma: f64) -> Self {
        let counts = || (0..=u16::MAX).map(f64::from);
        let weights: Vec<f64> = counts().map(|df| pow(df.max(1.0), gamma)).collect();
        let logs: Vec<f64> = counts().map(|c| ln((c + 1.0 + PRIOR) / (c + PRIOR))).collect();
        let largest = weights.iter().fold(0.0_f64, |a, &b| a.max(b)) * logs[0];
        let mut unit = 1.0;
        while largest * unit * 2.0 < f64::from(u32::MAX) {
            unit *= 2.0;
        }
        Self { weights, logs, unit }
    }

    /// Not above 2^32 - 1, and not rising with `c`.
    fn marginal(&self, df: u16, c: u16) -> u32 {
        (self.weights[usize::from(df)] * self.logs[usize::from(c)] * self.unit).round() as u32
    }

    fn weight(&self, df: u16) -> u128 {
        (self.weights[usize::from(df)] * self.unit).round() as u128
    }
}

/// The features' counts and marginals, by number.
pub struct Table {
    scale: Scale,
    df: Frequencies,
    selected: Vec<u16>,
    /// Of the common features; 0 for numbers that no feature has.
    marginals: Box<[u32; COMMON]>,
    /// Bounds of the others' marginals, in multiples of `2^shift`.
    bounds: Vec<u16>,
    shift: u32,
    /// Weight of the features with `c > 0`, and of all.
    covered: u128,
    total: u128,
}

impl Table {
    /// A table of features in `df` samples each, with nothing selected. `0 <= gamma <= 1`.
    pub fn new(df: Frequencies, gamma: f64) -> Self {
        let scale = Scale::new(gamma);
        let mut marginals = Vec::with_capacity(COMMON);
        let mut bounds = Vec::with_capacity(df.len().saturating_sub(COMMON));
        // The first of the others has the largest marginal.
        let largest = if df.len() > COMMON { scale.marginal(df.of(COMMON as u32), 0) } else { 0 };
        let mut shift = 0;
        while bound(largest, shift) > u32::from(u16::MAX) {
            shift += 1;
        }
        let mut total = 0;
        for (df, count) in df.iter().filter(|&(_, count)| count > 0) {
            let marginal = scale.marginal(df, 0);
            let common = count.min(COMMON - marginals.len());
            marginals.resize(marginals.len() + common, marginal);
            if common < count {
                bounds.resize(bounds.len() + count - common, bound(marginal, shift) as u16);
            }
            total += scale.weight(df) * count as u128;
        }
        marginals.resize(COMMON, 0);
        let marginals = marginals.into_boxed_slice().try_into().expect("made so long");
        Self { scale, selected: vec![0; df.len()], df, marginals, bounds, shift, covered: 0, total }
    }

    /// What one more sample with this feature adds, in units.
    #[inline]
    pub fn marginal(&self, feature: u32) -> u64 {
        let at = feature as usize;
        u64::from(match self.marginals.get(at) {
            Some(&marginal) => marginal,
            None => self.scale.marginal(self.df.of(feature), self.selected[at]),
        })
    }

    /// What the common features of a list add with one more sample, in units.
    #[inline]
    pub fn common(&self, list: List<'_>) -> u64 {
        // No index of 16 bits can be out of bounds: the loop is loads and additions.
        list.common.iter().map(|&feature| u64::from(self.marginals[usize::from(feature)])).sum()
    }

    /// What the other features of a list add.
    pub fn rare(&self, list: List<'_>) -> u64 {
        list.rare().map(|feature| self.marginal(feature)).sum()
    }

    /// What the other features of a list add at most.
    #[inline]
    pub fn rare_bound(&self, list: List<'_>) -> u64 {
        list.rare().map(|feature| u64::from(self.bounds[feature as usize - COMMON])).sum::<u64>() << self.shift
    }

    /// One more sample with this feature is selected; what that added.
    pub fn select(&mut self, feature: u32) -> u64 {
        let at = feature as usize;
        let added = self.marginal(feature);
        let (df, c) = (self.df.of(feature), self.selected[at]);
        if c == 0 {
            self.covered += self.scale.weight(df);
        }
        self.selected[at] = c.saturating_add(1);
        let marginal = self.scale.marginal(df, self.selected[at]);
        match self.marginals.get_mut(at) {
            Some(common) => *common = marginal,
            None => self.bounds[at - COMMON] = bound(marginal, self.shift) as u16,
        }
        added
    }

    /// Bytes that this takes, small things apart.
    pub fn memory(&self) -> usize {
        size_of_val(&self.selected[..]) + size_of_val(&self.bounds[..])
    }

    /// Units in a gain of 1.
    pub fn unit(&self) -> f64 {
        self.scale.unit
    }

    /// Share of the features, by weight, that a selected sample has; 1 if there are none.
    pub fn coverage(&self) -> f64 {
        if self.total == 0 { 1.0 } else { self.covered as f64 / self.total as f64 }
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
            let scale = Scale::new(gamma);
            for df in [1, 2, 3, 1000, u16::MAX] {
                let marginals: Vec<u32> = (0..=u16::MAX).map(|c| scale.marginal(df, c)).collect();
                assert!(marginals.is_sorted_by(|a, b| a >= b), "{gamma} {df}");
                assert!(marginals[100] > 0 && marginals[0] < u32::MAX, "{gamma} {df}: {}", marginals[0]);
            }
        }
    }

    /// A feature that more samples are selected with than 16 bits count never becomes worth more again.
    #[test]
    fn counts_of_selected_samples_saturate() {
        let (_, df) = Vocabulary::new(Slots::new(1), vec![u32::from(u16::MAX)]);
        let mut table = Table::new(df, 1.0);
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
        let (_, df) = Vocabulary::new(Slots::new(2), vec![16, 9]);
        let mut table = Table::new(df, 0.5);
        assert_eq!(table.coverage(), 0.0);
        let first = table.select(0);
        assert_eq!(first as f64 / table.unit(), (4.0 * 11.0_f64.ln() * table.unit()).round() / table.unit());
        assert!((table.coverage() - 4.0 / 7.0).abs() < 1e-9);
        assert!(table.select(0) < first);
        table.select(1);
        assert_eq!(table.coverage(), 1.0);
    }
}
