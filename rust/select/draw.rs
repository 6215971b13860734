//! An order at random, where each pick falls on a sample with a chance in proportion to its weight.
//!
//! The *Gumbel top-k trick* (Vieira, 2014; Kool et al., *Stochastic beams and where to find them*, 2019): add to each
//! sample's log weight noise of its own, `-ln(-ln(u))` with `u` in (0, 1), and take the highest. That is sampling without
//! replacement, as drawing one after the other would be, and weights may be as small or as large as their logarithms can
//! say. The noise is made of the numbers that [`super::ordered`] draws with, of whole numbers and of logarithms
//! that are the same everywhere.

use super::ordered::{fraction, numbers};
use crate::real;

/// Each sample's log weight, with noise if there is a seed: the highest is to come first. `wanted`, if given, are factors of
/// the weights; a factor of 0 comes last.
///
/// # Panics
/// If there is not a factor for each weight.
#[must_use]
pub fn keys(log_weights: &[f64], wanted: Option<&[f64]>, seed: Option<u64>) -> Vec<f64> {
    keys_from(0, log_weights, wanted, seed)
}

/// The same of some of the samples, of which this is the index of the first.
pub(crate) fn keys_from(first: usize, log_weights: &[f64], wanted: Option<&[f64]>, seed: Option<u64>) -> Vec<f64> {
    let number = seed.map(numbers);
    let factor = |index: usize| match wanted {
        // What is not normal is less than anything that could be asked for.
        Some(wanted) if !wanted[index].is_normal() => f64::NEG_INFINITY,
        Some(wanted) => real::ln(wanted[index]),
        None => 0.0,
    };
    let noise = |index: usize| match &number {
        Some(number) => -real::ln(-real::ln(fraction(number(first + index)))),
        None => 0.0,
    };
    log_weights.iter().enumerate().map(|(index, weight)| weight + factor(index) + noise(index)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Written down once: a seed must not draw others.
    #[test]
    fn noise_is_the_same_everywhere() {
        let bits: Vec<u64> = keys(&[0.0; 3], None, Some(1)).iter().map(|key| key.to_bits()).collect();
        assert_eq!(bits, NOISE_OF_ONE);
    }

    const NOISE_OF_ONE: [u64; 3] = [0x3ff3_ea6d_1ea5_93af, 0x3f89_2151_8f65_ff65, 0x3fc8_a413_5190_059a];

    #[test]
    fn without_a_seed_there_is_no_noise() {
        assert_eq!(keys(&[2.0, 3.0], None, None), [2.0, 3.0]);
        let found = keys(&[2.0, 3.0, 4.0], Some(&[1.0, 0.0, std::f64::consts::E]), None);
        assert_eq!((found[0], found[1]), (2.0, f64::NEG_INFINITY));
        assert!((found[2] - 5.0).abs() < 1e-12);
    }

    /// The chance of being first is in proportion to weight and factor.
    #[test]
    fn weights_are_chances() {
        let logs = [1.0_f64, 2.0, 4.0, 1.0].map(f64::ln);
        let factors = [1.0, 1.0, 0.5, 0.0];
        let mut first = [0; 4];
        for seed in 0..4000 {
            let keys = keys(&logs, Some(&factors), Some(seed));
            first[(0..4).max_by(|&a, &b| keys[a].total_cmp(&keys[b])).unwrap()] += 1;
            assert_eq!(keys[3], f64::NEG_INFINITY);
        }
        for (count, weight) in first.iter().zip([1.0, 2.0, 2.0, 0.0]) {
            let expected = 4000.0 * weight / 5.0;
            assert!((f64::from(*count) - expected).abs() <= 4.0 * f64::sqrt(expected), "{first:?}");
        }
    }
}
