//! What each feature weighs, and in which order features are numbered.
//!
//! Of `N` samples of the pool `df` have a feature, and `tdf` of the target's `T`. Without a target a feature weighs
//! `df^gamma` if it recurs, and nothing if not. With one of weight `lambda`
//!
//! ```text
//! y = (1 - lambda) * df * [it recurs]  +  lambda * tdf * N / T
//! w = y^gamma * 2 y / (y + df)
//! ```
//!
//! `y` is in how many samples of a pool like pool and target together the feature would be. The second factor keeps out what
//! is common everywhere: it is below 1 for what is rarer in the target than in the pool, near 2 for what is the
//! target's own. With `lambda = 0` it is 1, and the weights are those without a target, to the bit.
//!
//! Features of equal weight have one *rank*, and ranks rise with the weight: tables by rank take the place of tables by
//! feature. Without a target the rank is `df`, which is counted with 16 bits.

use super::target::Aims;
use crate::real::pow;

/// The highest `df` of the pool's table.
pub(super) const MOST_DF: usize = u16::MAX as usize;

/// The weights of ranks.
pub(super) struct Weights {
    /// By rank; of rank 0, which no feature has, anything.
    pub of: Vec<f64>,
    /// The largest one possible, or more.
    pub largest: f64,
    /// The target's part, if there is a target.
    pub aimed: Option<Aimed>,
}

/// Which of the features are the target's.
pub(super) struct Aimed {
    /// By rank.
    pub is: Vec<bool>,
    /// Weight of the target's features that the pool does not have.
    pub missing: f64,
}

/// From `df` to ranks, where there is a target.
pub(super) struct Ranking {
    /// Of the features that are not aimed at, by `df`.
    pub of_df: Vec<u32>,
    /// Of those that are, by slot.
    pub of_aims: Vec<(u32, u32)>,
}

impl Ranking {
    /// Makes the `df` of features that recur, by slot, into ranks.
    pub(super) fn rank(&self, df: &mut [u32]) {
        df.iter_mut().for_each(|df| *df = self.of_df[*df as usize]);
        self.of_aims.iter().for_each(|&(slot, rank)| df[slot as usize] = rank);
    }
}

impl Weights {
    /// The weights without a target, by `df`.
    pub(super) fn general(gamma: f64) -> Self {
        let of: Vec<f64> = (0..=MOST_DF).map(|df| pow(df.max(1) as f64, gamma)).collect();
        let largest = of.iter().fold(0.0_f64, |a, &b| a.max(b));
        Self { of, largest, aimed: None }
    }

    /// The highest rank.
    pub(super) fn most(&self) -> usize {
        self.of.len() - 1
    }

    /// The weights with a target that counts `lambda` and has `target` samples, beside a pool of `pool`. Makes the `df` of
    /// features that recur, by slot, into ranks.
    pub(super) fn targeted(df: &mut [u32], aims: &Aims, gamma: f64, lambda: f64, sizes: (usize, usize)) -> Self {
        let recurring: Vec<u32> = aims.shared.iter().map(|aim| df[aim.slot as usize]).collect();
        // What is left in `df` weighs by it alone.
        aims.shared.iter().for_each(|aim| df[aim.slot as usize] = 0);
        let mut there = vec![false; MOST_DF + 1];
        df.iter().for_each(|&df| there[df as usize] = true);
        let (weights, ranking) = Self::ranked(&there, &recurring, aims, gamma, lambda, sizes);
        ranking.rank(df);
        weights
    }

    /// The same, told only which `df` there are among the features that recur and are not aimed at, and of those that
    /// are aimed at their `df` if they recur; and how ranks follow.
    pub(super) fn ranked(
        there: &[bool],
        recurring: &[u32],
        aims: &Aims,
        gamma: f64,
        lambda: f64,
        (pool, target): (usize, usize),
    ) -> (Self, Ranking) {
        let mix = |recurring: u32, df: u32, tdf: u32| {
            let y = (1.0 - lambda) * f64::from(recurring) + lambda * (f64::from(tdf) * pool as f64 / target as f64);
            // Where the target does not count, nor does how the feature is counted for it.
            let df = if lambda == 0.0 { recurring } else { df };
            if y.is_normal() { pow(y, gamma) * (2.0 * y / (y + f64::from(df))) } else { 0.0 }
        };
        let of_aims: Vec<f64> =
            aims.shared.iter().zip(recurring).map(|(aim, &recurring)| mix(recurring, aim.df, aim.tdf)).collect();
        let general = |df: usize| mix(df as u32, df as u32, 0);
        let mut kinds: Vec<(f64, bool)> =
            (1..=MOST_DF).filter(|&df| there[df]).map(|df| (general(df), false)).collect();
        kinds.extend(of_aims.iter().map(|&weight| (weight, true)));
        kinds.retain(|&(weight, _)| weight > 0.0);
        let order = |a: &(f64, bool), b: &(f64, bool)| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1));
        kinds.sort_unstable_by(order);
        kinds.dedup();
        let rank =
            |kind: (f64, bool)| kinds.binary_search_by(|found| order(found, &kind)).map_or(0, |at| at as u32 + 1);
        let of_df: Vec<u32> = (0..=MOST_DF).map(|df| if there[df] { rank((general(df), false)) } else { 0 }).collect();
        let of_aims = aims.shared.iter().zip(&of_aims).map(|(aim, &weight)| (aim.slot, rank((weight, true)))).collect();
        let of: Vec<f64> = std::iter::once(0.0).chain(kinds.iter().map(|&(weight, _)| weight)).collect();
        let is = std::iter::once(false).chain(kinds.iter().map(|&(_, aimed)| aimed)).collect();
        let missing = aims.missing.iter().map(|&tdf| mix(0, 0, tdf)).sum();
        // Not below that without a target, so that units are the same where weights are.
        let largest = of.iter().fold(pow(MOST_DF as f64, gamma), |a, &b| a.max(b));
        (Self { of, largest, aimed: Some(Aimed { is, missing }) }, Ranking { of_df, of_aims })
    }
}

#[cfg(test)]
mod tests {
    use super::super::target::Aim;
    use super::*;

    fn aims() -> Aims {
        let shared = vec![Aim { slot: 1, df: 9, tdf: 2 }, Aim { slot: 3, df: 1, tdf: 3 }];
        Aims { shared, missing: vec![1, 2], recurring: 3, recurring_shared: 2 }
    }

    #[test]
    fn a_target_that_does_not_count_changes_nothing() {
        let before = [5, 9, 65_535, 0, 5, 0];
        let mut ranks = before;
        let targeted = Weights::targeted(&mut ranks, &aims(), 0.85, 0.0, (100, 4));
        let general = Weights::general(0.85);
        for (rank, df) in ranks.iter().zip(before) {
            let expected = if df == 0 { 0.0 } else { general.of[df as usize] };
            assert_eq!(targeted.of[*rank as usize].to_bits(), expected.to_bits());
        }
        assert_eq!(targeted.largest.to_bits(), general.largest.to_bits());
        assert_eq!(targeted.aimed.unwrap().missing, 0.0);
    }

    #[test]
    fn weighs_as_documented() {
        let mut ranks = [5, 9, 40, 0, 5, 0];
        let weights = Weights::targeted(&mut ranks, &aims(), 1.0, 0.75, (100, 4));
        let of = |slot: usize| weights.of[ranks[slot] as usize];
        let weight = |y: f64, df: f64| y * (2.0 * y / (y + df));
        assert_eq!(of(1), weight(0.25 * 9.0 + 0.75 * 50.0, 9.0));
        assert_eq!(of(3), weight(0.75 * 75.0, 1.0));
        assert_eq!((of(0), of(2)), (weight(1.25, 5.0), weight(10.0, 40.0)));
        assert_eq!((ranks[0], ranks[5]), (ranks[4], 0));
        let aimed = weights.aimed.unwrap();
        assert_eq!(ranks.map(|rank| aimed.is[rank as usize]), [false, true, false, true, false, false]);
        assert_eq!(aimed.missing, weight(0.75 * 25.0, 0.0) + weight(0.75 * 50.0, 0.0));
        assert!(weights.of.is_sorted());
    }

    /// Then nothing else counts.
    #[test]
    fn a_target_alone() {
        let mut ranks = [5, 9, 40, 0, 5, 0];
        let weights = Weights::targeted(&mut ranks, &aims(), 0.85, 1.0, (100, 4));
        assert_eq!(ranks.map(|rank| rank > 0), [false, true, false, true, false, false]);
        assert_eq!(weights.most(), 2);
        // So little that it is no number to calculate with counts nothing.
        Weights::targeted(&mut [0; 6], &aims(), 0.85, 5e-324, (100, 4));
    }
}
