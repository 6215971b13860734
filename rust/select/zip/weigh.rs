//! Weights: how much of what a sample adds counts.
//!
//! R of a set of `raw` bytes that compress to `size`, where the set without the sample compresses to `base`, is taken
//! for `raw / (base + w * (size - base))`: what the sample adds to the compressed size counts `w` times. A sample of
//! weight 2 is worth the room of one that tells twice as much; one of weight 0 tells nothing. With all weights 1 that is
//! R itself. To multiply R by a weight instead would let the weight alone decide as soon as the selection is large,
//! because the R of large sets that differ by one sample hardly differ.
//!
//! Sizes become integers of 2^-16 bytes, so comparisons stay exact.

/// 1, in the units of weighted sizes.
const UNIT: f64 = 65_536.0;

/// The weights of a pool's samples; or none, which leaves sizes as they are.
#[derive(Clone, Copy)]
pub(super) struct Weigh<'a>(pub Option<&'a [f64]>);

impl Weigh<'_> {
    /// The weight of a sample, if there are weights.
    pub(super) fn of(self, index: usize) -> Option<f64> {
        self.0.map(|weights| weights[index])
    }
}

/// The size of a set of `base` with a sample of this weight added, weighted.
pub(super) fn weighed(weight: Option<f64>, base: u64, size: u64) -> u64 {
    let Some(weight) = weight else { return size };
    // A saturating cast: what weighs 2^48 times the mean is far beyond any comparison.
    let weight = (weight * UNIT).round() as u64;
    // In rare cases a set is larger than with a sample more. Then there is nothing to weigh.
    let added = size.saturating_sub(base);
    (size.min(base) << 16).saturating_add(weight.saturating_mul(added))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn weights_scale_what_is_added() {
        assert_eq!(weighed(Weigh(None).of(0), 100, 150), 150);
        let weigh = Weigh(Some(&[1.0, 0.5, 0.0, 1e300]));
        let sizes = [0, 1, 2, 3].map(|index| weighed(weigh.of(index), 100, 150));
        assert_eq!(sizes, [150 << 16, 125 << 16, 100 << 16, u64::MAX]);
        assert_eq!(weighed(weigh.of(1), 100, 99), 99 << 16);
    }
}
