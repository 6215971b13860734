//! What a selection is for: which of the target's features the pool has, and in how many samples of either.
//!
//! A target is small beside the pool, so its features are kept by their hashes, and not taken for others that have a slot
//! in common with them: one pass over the pool counts, for each, the samples that have it. That also counts beyond the
//! 16 bits of the pool's table ([`super::counts`]): what is in most samples of a large pool is in most targets too, and
//! must be known to be that common.

use std::sync::atomic::{AtomicU32, Ordering};

use rayon::prelude::*;

use crate::error::{Error, Result};
use crate::hash::Slots;
use crate::pool::Pool;
use crate::run::monitor::Monitor;
use crate::text::features::Features;

/// What a selection is for.
#[derive(Debug, Clone, Copy)]
pub struct Target<'a> {
    /// Samples of it, which are not selected.
    pub samples: Pool<'a>,
    /// How much it counts beside the pool: 0, not at all; 1, alone.
    pub weight: f64,
}

impl Target<'_> {
    pub(super) fn check(&self) -> Result<()> {
        let &Self { samples, weight } = self;
        if samples.is_empty() {
            return Err(Error::Parameter("the target is empty".into()));
        }
        if u32::try_from(samples.len()).is_err() {
            return Err(Error::Limit(format!("the target has {} samples; the limit is 2^32 - 1", samples.len())));
        }
        if !(0.0..=1.0).contains(&weight) {
            return Err(Error::Parameter(format!("target_weight is {weight}; it must be from 0 to 1")));
        }
        Ok(())
    }
}

/// A slot with features of the target that the pool has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Aim {
    /// The slot.
    pub slot: u32,
    /// Samples of the pool that have one of these features.
    pub df: u32,
    /// Samples of the target that have one.
    pub tdf: u32,
}

/// What the target holds.
pub(super) struct Aims {
    /// Of what the pool has too, by slot, ascending.
    pub shared: Vec<Aim>,
    /// Of each feature that the pool does not have, in how many samples of the target it is; ascending.
    pub missing: Vec<u32>,
    /// Features in two samples of the target or more.
    pub recurring: u64,
    /// Of these, the ones that the pool has.
    pub recurring_shared: u64,
}

/// Numbers by hash: hashes are spread evenly, so their high bits find them.
struct Index {
    hashes: Vec<u64>,
    /// Where the hashes with these high bits start, and where the last end.
    starts: Vec<u32>,
    shift: u32,
}

impl Index {
    /// Numbers hashes that are sorted, each there once, by their order.
    fn new(hashes: Vec<u64>) -> Self {
        let bits = (2 * hashes.len()).next_power_of_two().ilog2().max(1);
        let shift = 64 - bits;
        let mut starts = vec![0; (1 << bits) + 1];
        hashes.iter().for_each(|hash| starts[(hash >> shift) as usize + 1] += 1);
        for at in 1..starts.len() {
            starts[at] += starts[at - 1];
        }
        Self { hashes, starts, shift }
    }

    #[inline]
    fn of(&self, hash: u64) -> Option<usize> {
        let bucket = (hash >> self.shift) as usize;
        let (start, end) = (self.starts[bucket] as usize, self.starts[bucket + 1] as usize);
        self.hashes[start..end].iter().position(|&found| found == hash).map(|at| start + at)
    }
}

impl Aims {
    /// Looks at both.
    pub(super) fn new<F: Features>(
        pool: &Pool<'_>,
        target: &Pool<'_>,
        features: F,
        slots: Slots,
        monitor: &Monitor,
    ) -> Result<Self> {
        let sought = Sought::new(distinct(target, features, monitor)?, slots);
        let found = sought.find(pool, features, monitor)?;
        Self::of(&sought, &found, target, features, slots, monitor)
    }

    /// What was `sought` of a target and `found` in a pool.
    pub(super) fn of<F: Features>(
        sought: &Sought,
        found: &Found,
        target: &Pool<'_>,
        features: F,
        slots: Slots,
        monitor: &Monitor,
    ) -> Result<Self> {
        let Sought { index, places, count } = sought;
        let is_shared = |at: usize| found.seen[at];
        let of_target = Holders::new(*count, index.hashes.len());
        of_target.count(target, features, index, |at| is_shared(at).then_some(places[at]), monitor)?;
        let tdf = Holders::new(index.hashes.len(), index.hashes.len());
        tdf.count(target, features, index, |at| Some(at as u32), monitor)?;

        let mut aims = Self { shared: Vec::new(), missing: Vec::new(), recurring: 0, recurring_shared: 0 };
        for (at, &hash) in index.hashes.iter().enumerate() {
            let place = places[at] as usize;
            let here = tdf.of(at);
            aims.recurring += u64::from(here > 1);
            if !is_shared(at) {
                aims.missing.push(here);
                continue;
            }
            aims.recurring_shared += u64::from(here > 1);
            let aim = Aim { slot: slots.of(hash), df: found.counts[place], tdf: of_target.of(place) };
            if aims.shared.last() != Some(&aim) {
                aims.shared.push(aim);
            }
        }
        aims.missing.sort_unstable();
        Ok(aims)
    }
}

/// The features of a target, to be found in a pool.
pub(super) struct Sought {
    index: Index,
    /// Of each feature, the number of its place; how many places there are.
    places: Vec<u32>,
    count: usize,
}

/// What a pool has of what is sought.
pub(super) struct Found {
    /// Of each place, in how many samples it has a feature there.
    pub counts: Vec<u32>,
    /// Which features it has.
    pub seen: Vec<bool>,
}

impl Sought {
    /// Features by their hashes, sorted, each there once.
    pub(super) fn new(hashes: Vec<u64>, slots: Slots) -> Self {
        let index = Index::new(hashes);
        // Numbers of places: features that have a slot in common have a place in common, as they are sorted by both.
        let mut places: Vec<u32> = Vec::with_capacity(index.hashes.len());
        for (at, pair) in index.hashes.iter().map(|&hash| slots.of(hash)).enumerate() {
            let is_new = at > 0 && slots.of(index.hashes[at - 1]) != pair;
            places.push(places.last().map_or(0, |&last| last + u32::from(is_new)));
        }
        let count = places.last().map_or(0, |&last| last as usize + 1);
        Self { index, places, count }
    }

    /// Their hashes.
    pub(super) fn hashes(&self) -> &[u64] {
        &self.index.hashes
    }

    /// Looks for them in a pool.
    pub(super) fn find<F: Features>(&self, pool: &Pool<'_>, features: F, monitor: &Monitor) -> Result<Found> {
        let holders = Holders::new(self.count, self.index.hashes.len());
        holders.count(pool, features, &self.index, |at| Some(self.places[at]), monitor)?;
        let Holders { counts, seen } = holders;
        let counts = counts.into_iter().map(AtomicU32::into_inner).collect();
        Ok(Found { counts, seen: seen.into_iter().map(|seen| seen.into_inner() > 0).collect() })
    }

    /// What none of them is found in.
    pub(super) fn none(&self) -> Found {
        Found { counts: vec![0; self.count], seen: vec![false; self.index.hashes.len()] }
    }
}

impl Found {
    /// Adds what another part of the pool has.
    pub(super) fn add(&mut self, other: &Self) {
        self.counts.iter_mut().zip(&other.counts).for_each(|(count, more)| *count = count.saturating_add(*more));
        self.seen.iter_mut().zip(&other.seen).for_each(|(seen, too)| *seen |= too);
    }
}

/// The hashes of a target's features, sorted, each once.
pub(super) fn distinct<F: Features>(target: &Pool<'_>, features: F, monitor: &Monitor) -> Result<Vec<u64>> {
    let mut hashes = Vec::new();
    let mut tidy = 1 << 16;
    for sample in target.iter() {
        monitor.check()?;
        features.each(sample, |occurrence| hashes.push(occurrence.hash));
        if hashes.len() >= tidy {
            hashes.par_sort_unstable();
            hashes.dedup();
            tidy = 2 * hashes.len() + (1 << 16);
        }
    }
    hashes.par_sort_unstable();
    hashes.dedup();
    Ok(hashes)
}

/// How many samples have a feature of each place; and which features any sample has.
struct Holders {
    counts: Vec<AtomicU32>,
    seen: Vec<AtomicU32>,
}

impl Holders {
    fn new(places: usize, features: usize) -> Self {
        let zeros = |count| (0..count).map(|_| AtomicU32::new(0)).collect();
        Self { counts: zeros(places), seen: zeros(features) }
    }

    fn of(&self, place: usize) -> u32 {
        self.counts[place].load(Ordering::Relaxed)
    }

    /// Counts the samples of a pool; `place`: of the feature with this number in the index, if it has one.
    fn count<F: Features>(
        &self,
        pool: &Pool<'_>,
        features: F,
        index: &Index,
        place: impl Fn(usize) -> Option<u32> + Sync,
        monitor: &Monitor,
    ) -> Result<()> {
        // Of each place, the last sample that counted there, numbered from 1.
        let scratch = || vec![0_u32; self.counts.len()];
        (0..pool.len() as u32).into_par_iter().try_for_each_init(scratch, |last, sample| {
            monitor.check()?;
            features.each(pool.sample(sample as usize), |occurrence| {
                let Some(at) = index.of(occurrence.hash) else { return };
                if self.seen[at].load(Ordering::Relaxed) == 0 {
                    self.seen[at].store(1, Ordering::Relaxed);
                }
                if let Some(place) = place(at)
                    && last[place as usize] != sample + 1
                {
                    last[place as usize] = sample + 1;
                    self.counts[place as usize].fetch_add(1, Ordering::Relaxed);
                }
            });
            Ok(())
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::text::features::ByteGrams;

    fn aims(pool: &[&str], target: &[&str], slots: u32) -> Aims {
        let (pool, target) = (of(pool), of(target));
        let features = ByteGrams::new(2);
        Aims::new(&borrow(&pool), &borrow(&target), features, Slots::new(slots), &Monitor::default()).unwrap()
    }

    fn of(samples: &[&str]) -> (Vec<u8>, Vec<i64>) {
        let mut offsets = vec![0];
        offsets.extend(samples.iter().scan(0, |end, sample| {
            *end += sample.len() as i64;
            Some(*end)
        }));
        (samples.concat().into_bytes(), offsets)
    }

    fn borrow((bytes, offsets): &(Vec<u8>, Vec<i64>)) -> Pool<'_> {
        Pool::new(bytes, offsets).unwrap()
    }

    #[test]
    fn counts_what_both_have() {
        // ab is in two of the pool and three of the target; bc in one and one; zz in the target alone, in two.
        let found = aims(&["abab", "abc", "xy"], &["abzz", "ab", "abczzz", "q"], 1 << 30);
        let mut counts: Vec<_> = found.shared.iter().map(|aim| (aim.df, aim.tdf)).collect();
        counts.sort_unstable();
        assert_eq!(counts, [(1, 1), (2, 3)]);
        assert!(found.shared.is_sorted_by(|a, b| a.slot < b.slot));
        // bz, cz and zz.
        assert_eq!(found.missing, [1, 1, 2]);
        assert_eq!((found.recurring, found.recurring_shared), (2, 1));
    }

    /// What the pool lacks is not taken for what it has, also in the same slot; what it has is one feature there.
    #[test]
    fn slots_in_common() {
        let found = aims(&["ab", "cd", "abcd", "xx"], &["ab", "cdab", "zz"], 1);
        assert_eq!(found.shared, [Aim { slot: 0, df: 3, tdf: 2 }]);
        // da and zz.
        assert_eq!(found.missing, [1, 1]);
    }

    #[test]
    fn a_target_without_features_aims_at_nothing() {
        let found = aims(&["ab", "cd"], &["", "x"], 16);
        assert!(found.shared.is_empty() && found.missing.is_empty());
        assert_eq!((found.recurring, found.recurring_shared), (0, 0));
    }
}
