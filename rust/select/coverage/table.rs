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
//! A feature takes 6 bytes: `c` with 16 bits, saturating, and the marginal.

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
    /// Also of numbers up to [`COMMON`] that no feature has.
    marginals: Vec<u32>,
    /// Weight of the features with `c > 0`, and of all.
    covered: u128,
    total: u128,
}

impl Table {
    /// A table of features in `df` samples each, with nothing selected. `0 <= gamma <= 1`.
    pub fn new(df: Frequencies, gamma: f64) -> Self {
        let scale = Scale::new(gamma);
        let mut marginals = Vec::with_capacity(df.len().max(COMMON));
        let mut total = 0;
        for (df, count) in df.iter().filter(|&(_, count)| count > 0) {
            marginals.resize(marginals.len() + count, scale.marginal(df, 0));
            total += scale.weight(df) * count as u128;
        }
        marginals.resize(marginals.len().max(COMMON), 0);
        Self { scale, selected: vec![0; df.len()], df, marginals, covered: 0, total }
    }

    /// What one more sample with this feature adds, in units.
    #[inline]
    pub fn marginal(&self, feature: u32) -> u64 {
        u64::from(self.marginals[feature as usize])
    }

    /// What one more sample with these features adds, in units.
    pub fn gain(&self, list: List<'_>) -> u64 {
        let (common, _) = self.marginals.split_first_chunk::<COMMON>().expect("made no shorter");
        // No index of 16 bits can be out of bounds: the loop is loads and additions.
        let sum: u64 = list.common.iter().map(|&feature| u64::from(common[usize::from(feature)])).sum();
        sum + list.rare().map(|feature| self.marginal(feature)).sum::<u64>()
    }

    /// One more sample with this feature is selected; what that added.
    pub fn select(&mut self, feature: u32) -> u64 {
        let at = feature as usize;
        let added = self.marginals[at];
        let (df, c) = (self.df.of(feature), self.selected[at]);
        if c == 0 {
            self.covered += self.scale.weight(df);
        }
        self.selected[at] = c.saturating_add(1);
        self.marginals[at] = self.scale.marginal(df, self.selected[at]);
        u64::from(added)
    }

    /// Bytes that this takes, small things apart.
    pub fn memory(&self) -> usize {
        self.selected.len() * size_of::<u16>() + self.marginals.len() * size_of::<u32>()
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
