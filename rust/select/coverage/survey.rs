//! How many features a pool has, before any table is made: a table sized from the data, and how often it errs.
//!
//! Features are hashed, so a range of hashes is a random sample of them. The survey keeps the distinct hashes of the
//! lowest range, which is small enough to be kept; their number, scaled up, is the number of features in the pool. The
//! same range of hashes falls into the same range of slots whatever the size of the table, so the share of features
//! that will have to share a slot is known exactly there, too.

use rayon::prelude::*;

use crate::error::Result;
use crate::hash::Slots;
use crate::pool::Pool;
use crate::run::monitor::Monitor;
use crate::text::features::Features;

/// At most about this many occurrences are kept: 32 MiB.
const KEPT: usize = 1 << 22;

/// Slots a feature. At 3 a quarter of the features share a slot, most of them with one that occurs once; 2, 3 and 6 slots
/// give subsets that predict held-out text equally well and hold equally little junk.
const ROOM: u64 = 3;

/// Bytes of pool a slot of four bytes, at least: only pools of noise have so many features that it matters.
const POOL_SHARE: u64 = 4;

/// Slots of the smallest table.
const FEWEST: u64 = 1 << 16;

/// Slots that a table may have however small the pool is: 16 MiB.
const ALWAYS: u64 = 1 << 22;

/// Occurrences that are not worth sorting before they are all together.
const FEW: usize = 1 << 12;

/// The distinct features whose hashes lie in the lowest `2^-shift` of their range, sorted.
pub(super) struct Survey {
    hashes: Vec<u64>,
    shift: u32,
    /// One in so many features was looked at: the others do not count.
    one_in: u64,
}

impl Survey {
    /// Looks at every sample.
    pub(super) fn new<F: Features>(pool: &Pool<'_>, features: F, monitor: &Monitor) -> Result<Self> {
        let shift = shift(pool.bytes(), features);
        Ok(Self::of(hashes(pool, features, shift, monitor)?, shift, features.one_in()))
    }

    /// The survey of a pool with these [`hashes`], sorted and each there once.
    pub(super) fn of(hashes: Vec<u64>, shift: u32, one_in: u64) -> Self {
        Self { hashes, shift, one_in }
    }

    /// Distinct features in the pool: exact for small pools, an estimate for others.
    pub(super) fn features(&self) -> u64 {
        self.counting() * self.one_in
    }

    /// Those of them that count.
    fn counting(&self) -> u64 {
        (self.hashes.len() as u64) << self.shift
    }

    /// A table that has room for them, and is small beside a pool of `bytes`.
    pub(super) fn slots(&self, bytes: usize) -> Slots {
        Slots::new((self.counting() * ROOM).clamp(FEWEST, most_slots(bytes, self.one_in)) as u32)
    }

    /// Share of the features that have a slot in common with another one, in a table of `slots`.
    pub(super) fn collisions(&self, slots: Slots) -> f64 {
        let shared: usize = self
            .hashes
            .chunk_by(|&a, &b| slots.of(a) == slots.of(b))
            .map(<[u64]>::len)
            .filter(|&together| together > 1)
            .sum();
        if shared == 0 { 0.0 } else { shared as f64 / self.hashes.len() as f64 }
    }
}

/// Slots that a table of a pool of so many bytes has at most.
pub(super) fn most_slots(bytes: usize, one_in: u64) -> u64 {
    (bytes as u64 / POOL_SHARE / one_in).clamp(ALWAYS, u64::from(u32::MAX))
}

/// In how large a part of their range hashes are kept for a pool of so many bytes: the lowest `2^-shift`.
pub(super) fn shift<F: Features>(bytes: usize, features: F) -> u32 {
    let mut shift = 0;
    while bytes.saturating_mul(features.per_byte()) >> shift > KEPT {
        shift += 1;
    }
    shift
}

/// The hashes of a pool's features in that part, sorted, each there once.
pub(super) fn hashes<F: Features>(pool: &Pool<'_>, features: F, shift: u32, monitor: &Monitor) -> Result<Vec<u64>> {
    let limit = u64::MAX >> shift;
    let mut hashes = (0..pool.len())
        .into_par_iter()
        .try_fold(Vec::new, |mut kept, index| {
            monitor.check()?;
            features.each(pool.sample(index), |occurrence| {
                if occurrence.hash <= limit {
                    if kept.len() == kept.capacity() {
                        forget_repetitions(&mut kept);
                        kept.reserve(kept.len() + 1);
                    }
                    kept.push(occurrence.hash);
                }
            });
            monitor.steps(1);
            Ok(kept)
        })
        .try_reduce(Vec::new, |mut a, mut b| {
            a.append(&mut b);
            forget_repetitions(&mut a);
            Ok(a)
        })?;
    hashes.par_sort_unstable();
    hashes.dedup();
    Ok(hashes)
}

/// Keeps one of each. Of a text that says one thing over and over, all occurrences would be too many.
fn forget_repetitions(hashes: &mut Vec<u64>) {
    if hashes.len() >= FEW {
        hashes.sort_unstable();
        hashes.dedup();
    }
}
