//! MinHash: minima of many hash functions over a set, which two sets share as often as they share members.
//!
//! Minima are cut into bands. Two sets of similarity s agree in all rows of a band with probability `s^ROWS`, and in
//! one band at least with `1 - (1 - s^ROWS)^BANDS`: 0.998 at 0.8, 0.27 at 0.5, 0.005 at 0.25.

use crate::hash::{chain, minwise};

/// Bands.
pub(super) const BANDS: usize = 20;
/// Minima in a band.
const ROWS: usize = 6;
const COUNT: usize = BANDS * ROWS;

const FUNCTIONS: ([u32; COUNT], [u32; COUNT]) = minwise();

/// The minima over a set.
pub(super) struct Minima {
    minima: [u32; COUNT],
    empty: bool,
}

impl Default for Minima {
    fn default() -> Self {
        Self { minima: [u32::MAX; COUNT], empty: true }
    }
}

impl Minima {
    /// Of the empty set.
    pub(super) fn clear(&mut self) {
        *self = Self::default();
    }

    /// Adds a member, by its hash.
    #[inline]
    pub(super) fn add(&mut self, hash: u64) {
        self.empty = false;
        let (keys, factors) = &FUNCTIONS;
        for ((minimum, key), factor) in self.minima.iter_mut().zip(keys).zip(factors) {
            *minimum = (*minimum).min((hash as u32 ^ key).wrapping_mul(*factor));
        }
    }

    /// A hash of each band; None for the empty set.
    pub(super) fn bands(&self) -> Option<[u32; BANDS]> {
        if self.empty {
            return None;
        }
        let mut bands = [0; BANDS];
        for (band, rows) in bands.iter_mut().zip(self.minima.chunks_exact(ROWS)) {
            *band = rows.iter().fold(0, |hash, &row| chain(hash, u64::from(row))) as u32;
        }
        Some(bands)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::hash::mix;

    /// The share of equal minima estimates the similarity: 120 of them to within 0.12, three standard deviations.
    #[test]
    fn minima_agree_as_often_as_sets_share_members() {
        for shared in [0, 200, 500, 800, 1000] {
            let sets = [0, 1].map(|set| {
                let mut minima = Minima::default();
                for member in 0..1000_u64 {
                    minima.add(mix(if member < shared { member } else { member + 10_000 * (set + 1) }));
                }
                minima.minima
            });
            let equal = sets[0].iter().zip(&sets[1]).filter(|(a, b)| a == b).count();
            let similarity = shared as f64 / (2000 - shared) as f64;
            assert!((equal as f64 / COUNT as f64 - similarity).abs() < 0.12 + 1e-9, "{shared}: {equal}");
        }
    }
}
