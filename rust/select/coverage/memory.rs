//! How much memory coverage takes, and what share of the features keeps it within bounds.

use super::params::MOST_SAMPLED;
use crate::pool::Pool;

/// Room for tables and lists, however small the pool is: 64 MiB.
const ALWAYS: usize = 64 << 20;

/// Bytes a sample that do not depend on its features.
pub(super) const A_SAMPLE: usize = 25;

/// Bytes of tables and lists for which all features are kept.
const ENOUGH: usize = 1 << 30;

/// Bytes of tables and lists that are kept while picking.
pub(super) fn room(pool: &Pool<'_>, one_in: u32) -> usize {
    (of_features(pool.bytes(), one_in) + A_SAMPLE * pool.len()).max(ALWAYS)
}

/// What tables and lists take at most, but for what is the same for every sample: 2.5 bytes a byte of pool, if all
/// features are kept.
fn of_features(bytes: usize, one_in: u32) -> usize {
    (bytes / 2).saturating_mul(5) / one_in as usize
}

/// One in how many features to keep of a pool of so many bytes: as many as tables and lists have room for in 1 GiB.
#[must_use]
pub fn auto_one_in(bytes: usize) -> u32 {
    let mut one_in = 1;
    while one_in < MOST_SAMPLED && of_features(bytes, one_in) > ENOUGH {
        one_in *= 2;
    }
    one_in
}
