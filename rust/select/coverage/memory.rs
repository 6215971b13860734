//! How much memory coverage takes, and what share of the features keeps it within bounds.

use super::params::MOST_SAMPLED;
use crate::pool::Pool;

/// Room for tables and lists, however small the pool is: 64 MiB.
const ALWAYS: usize = 64 << 20;

/// Bytes a sample that do not depend on its features.
pub(super) const A_SAMPLE: usize = 25;

/// Bytes that tables and lists of large pools may take: 4 GiB.
const ENOUGH: u64 = 4 << 30;

/// Bytes of tables and lists that are kept while picking, at most; lists beyond that are made again when they are needed.
pub(super) fn room(pool: &Pool<'_>, one_in: u32) -> usize {
    (of_features(pool.bytes(), one_in) + A_SAMPLE * pool.len()).max(ALWAYS)
}

/// What tables and lists take at most, but for what is the same for every sample: 2.5 bytes a byte of pool, if all
/// features are kept.
fn of_features(bytes: usize, one_in: u32) -> usize {
    (bytes / 2).saturating_mul(5) / one_in as usize
}

/// One in how many features to keep of a pool of so many bytes: as many as tables and lists have room for in 4 GiB, so that
/// pools of up to 1.7 GB keep all.
#[must_use]
pub fn auto_one_in(bytes: usize) -> u32 {
    let mut one_in = 1;
    while one_in < MOST_SAMPLED && of_features(bytes, one_in) as u64 > ENOUGH {
        one_in *= 2;
    }
    one_in
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn as_many_features_are_kept_as_there_is_room_for() {
        let most = |one_in: usize| one_in * (4 << 30) / 5 * 2;
        for (bytes, one_in) in [
            (0, 1),
            (most(1), 1),
            (most(1) + 10, 2),
            (most(2), 2),
            (most(2) + 10, 4),
            (4_900_000_000, 4),
            (9_800_000_000, 8),
            (most(64), 64),
            (usize::MAX, 64),
        ] {
            assert_eq!(auto_one_in(bytes), one_in, "{bytes}");
        }
    }
}
