//! The pool pass: how often each feature occurs, and whether it is reached in more than one way.
//!
//! A slot's cell holds two numbers of 16 bits: `df`, in how many samples the feature occurs, saturating; and where it
//! was seen: after nothing yet, after one left context (a fingerprint of it), or after several. Text that is merely
//! copied has the same bytes before each of its features in every copy; what recurs because people say it again does
//! not. A fingerprint takes 16 bits and errs once in 65,000, where a set of contexts would take a table of its own.
//!
//! All threads write to one table with atomic operations. Both numbers come out the same in any order: `df` is a sum
//! that saturates, and a fingerprint that meets another always gives way to *several*.

use std::sync::atomic::{AtomicU32, Ordering};

use rayon::prelude::*;

use super::distinct::Distinct;
use crate::error::Result;
use crate::hash::{Slots, mix};
use crate::pool::Pool;
use crate::run::monitor::Monitor;
use crate::text::features::{Features, Occurrence};

/// Where a feature was seen: after more than one context.
const SEVERAL: u16 = u16::MAX;

/// Which features recur, and so count.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Guard {
    /// In at least as many samples.
    pub min_df: u16,
    /// After at least as many left contexts: 1 or 2.
    pub min_contexts: u8,
}

/// Occurrences whose cells are fetched before the first of them is written. An atomic write waits for its cell, and
/// everything after it waits too; loads do not, so a stretch of them brings the cells close first.
const STRETCH: usize = 256;

/// In how many samples each slot's feature occurs, saturating at 65,535; 0 for features that do not recur.
pub(super) fn document_frequencies<F: Features>(
    pool: &Pool<'_>,
    features: F,
    slots: Slots,
    guard: Guard,
    monitor: &Monitor,
) -> Result<Vec<u32>> {
    let mut cells = cells(pool, features, slots, monitor)?;
    cells.par_iter_mut().for_each(|cell| *cell = guard.admit(*cell));
    Ok(cells)
}

/// What was counted in each slot.
pub(super) fn cells<F: Features>(pool: &Pool<'_>, features: F, slots: Slots, monitor: &Monitor) -> Result<Vec<u32>> {
    let cells: Vec<AtomicU32> = (0..slots.len()).into_par_iter().map(|_| AtomicU32::new(0)).collect();
    let scratch = || (Distinct::new(slots), Vec::new());
    (0..pool.len()).into_par_iter().try_for_each_init(scratch, |(seen, notes), index| {
        monitor.check()?;
        let sample = pool.sample(index);
        seen.clear(sample.len() * features.per_byte());
        features.each(sample, |occurrence| {
            let slot = slots.of(occurrence.hash);
            notes.push((slot, seen.insert(slot), fingerprint(occurrence)));
            if notes.len() == STRETCH {
                write(&cells, notes);
            }
        });
        write(&cells, notes);
        monitor.steps(1);
        Ok(())
    })?;
    // In place: the standard library reuses the allocation.
    Ok(cells.into_iter().map(AtomicU32::into_inner).collect())
}

/// Notes occurrences (slot, whether it is the sample's first, context) and forgets them.
fn write(cells: &[AtomicU32], notes: &mut Vec<(u32, bool, u16)>) {
    let fetched = notes.iter().fold(0, |all, &(slot, ..)| all ^ cells[slot as usize].load(Ordering::Relaxed));
    std::hint::black_box(fetched);
    for (slot, first, context) in notes.drain(..) {
        note(&cells[slot as usize], first, context);
    }
}

/// One of 65,534 names of a left context: neither 0 nor [`SEVERAL`].
fn fingerprint(occurrence: Occurrence) -> u16 {
    let high = mix(u64::from(occurrence.context)) >> 32;
    1 + ((high * 65_534) >> 32) as u16
}

/// Notes an occurrence after a context; `first`: the sample's first.
fn note(cell: &AtomicU32, first: bool, context: u16) {
    let mut old = cell.load(Ordering::Relaxed);
    loop {
        let new = merge(old, u32::from(first) << 16 | u32::from(context));
        if new == old {
            return;
        }
        match cell.compare_exchange_weak(old, new, Ordering::Relaxed, Ordering::Relaxed) {
            Ok(_) => return,
            Err(now) => old = now,
        }
    }
}

/// What a cell holds of two pools together.
#[inline]
pub(super) fn merge(a: u32, b: u32) -> u32 {
    let ((df, seen), (more, context)) = (unpack(a), unpack(b));
    let seen = match (seen, context) {
        (0, only) | (only, 0) => only,
        (same, other) if same == other => same,
        _ => SEVERAL,
    };
    u32::from(df.saturating_add(more)) << 16 | u32::from(seen)
}

fn unpack(cell: u32) -> (u16, u16) {
    ((cell >> 16) as u16, cell as u16)
}

impl Guard {
    /// The `df` of a cell, or 0.
    #[inline]
    pub(super) fn admit(self, cell: u32) -> u32 {
        let (df, seen) = unpack(cell);
        let contexts = if seen == SEVERAL { 2 } else { 1 };
        if df >= self.min_df && contexts >= self.min_contexts { u32::from(df) } else { 0 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::text::features::ByteGrams;

    const SLOTS: u32 = 1 << 12;

    fn frequencies(bytes: &[u8], length: usize, guard: Guard) -> Vec<u32> {
        let offsets: Vec<i64> = (0..=bytes.len() / length).map(|at| (at * length) as i64).collect();
        let pool = Pool::new(bytes, &offsets).unwrap();
        document_frequencies(&pool, ByteGrams::new(2), Slots::new(SLOTS), guard, &Monitor::default()).unwrap()
    }

    /// In more samples than 16 bits count.
    #[test]
    fn frequencies_saturate() {
        let guard = Guard { min_df: 1, min_contexts: 1 };
        for samples in [65_534, 65_535, 65_536, 70_000] {
            let found = frequencies(&b"xy".repeat(samples), 2, guard);
            let expected = u32::from(u16::try_from(samples).unwrap_or(u16::MAX));
            assert_eq!(found.iter().copied().filter(|&df| df > 0).collect::<Vec<_>>(), [expected], "{samples}");
        }
        // What is in so many samples recurs, whatever is asked for.
        let demanding = Guard { min_df: u16::MAX, min_contexts: 1 };
        assert_eq!(frequencies(&b"xy".repeat(70_000), 2, demanding).iter().sum::<u32>(), 65_535);
    }

    /// Cells of parts of a pool make those of the pool.
    #[test]
    fn parts_are_merged_to_the_whole() {
        let bytes: Vec<u8> = (0..3000_u32).map(|n| b'a' + (n.wrapping_mul(2_654_435_761) >> 29) as u8).collect();
        let offsets: Vec<i64> = (0..=300).map(|at| at * 10).collect();
        let count = |from: usize, to: usize| {
            let pool = Pool::part(&bytes, &offsets[from..to], &offsets[from + 1..=to]).unwrap();
            cells(&pool, ByteGrams::new(2), Slots::new(SLOTS), &Monitor::default()).unwrap()
        };
        let whole = count(0, 300);
        for cuts in [&[0, 300][..], &[0, 1, 1, 150, 300], &[0, 100, 299, 300]] {
            let mut merged = vec![0; SLOTS as usize];
            for ends in cuts.windows(2).rev() {
                merged.iter_mut().zip(count(ends[0], ends[1])).for_each(|(cell, more)| *cell = merge(*cell, more));
            }
            assert_eq!(merged, whole, "{cuts:?}");
        }
        assert_eq!([merge(0, 0), merge(9 << 16 | 3, 0xffff << 16 | 3)], [0, 0xffff << 16 | 3]);
    }

    /// A sample counts once, however often it has the feature; a feature after two contexts recurs.
    #[test]
    fn samples_and_contexts_are_counted() {
        let df = |bytes: &[u8], length, min_df, min_contexts| {
            frequencies(bytes, length, Guard { min_df, min_contexts }).iter().sum::<u32>()
        };
        assert_eq!(df(b"aaaaaa", 3, 1, 1), 2);
        assert_eq!(df(b"aaaaaa", 6, 1, 1), 1);
        assert_eq!(df(b"aaaaaa", 3, 3, 1), 0);
        // `xy` and `yz`, each after other bytes the second time; then `xy` after nothing alone.
        assert_eq!(df(b"xyzxyz", 6, 1, 2), 2);
        assert_eq!(df(b"xyxy", 2, 2, 2), 0);
    }
}
