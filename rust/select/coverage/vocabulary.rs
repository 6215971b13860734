//! The features that count, numbered: a sample becomes a sorted list of small integers.
//!
//! Numbers are given by falling weight ([`super::weights`]), which mostly falls with `df`. Few features make up most of any
//! text, so the low numbers, and with them one short stretch of every table by feature, serve most look-ups; and sorted
//! lists have small gaps ([`super::lists`]).

use super::lists::COMMON;
use super::marks::Marks;
use crate::hash::Slots;
use crate::text::features::Features;

/// The slot of a feature that does not count.
const NONE: u32 = u32::MAX;

/// Occurrences looked up at once: independent loads, which the processor overlaps.
const STRETCH: usize = 256;

/// The number of every recurring feature, by slot.
pub(super) struct Vocabulary {
    slots: Slots,
    ids: Vec<u32>,
    count: usize,
}

/// The rank of each numbered feature: of equal ranks, equal weights. Numbers fall with the rank, so it takes no memory by
/// feature.
pub(super) struct Ranks {
    /// The first number of each rank, from the highest down to 1, and the number of features.
    starts: Vec<u32>,
    /// How many of these are not above the first feature that is not common. The ranks behind it are few, and have most of
    /// the features.
    common: usize,
}

impl Ranks {
    /// Those of features of which so many have each rank; what is said of rank 0 does not count.
    pub(super) fn new(counts: &[u32]) -> Self {
        let mut starts = vec![0];
        let mut count = 0;
        for &more in counts[1..].iter().rev() {
            count += more;
            starts.push(count);
        }
        let common = starts.partition_point(|&start| start <= COMMON as u32);
        Self { starts, common }
    }

    /// The first number of each rank, by rank; of rank 0, which no feature has, anything.
    fn first(&self) -> Vec<u32> {
        let mut first = self.starts.clone();
        first.reverse();
        first
    }

    /// The highest.
    pub(super) fn most(&self) -> usize {
        self.starts.len() - 1
    }

    /// How many features there are.
    pub(super) fn len(&self) -> usize {
        self.starts[self.most()] as usize
    }

    /// The rank of a feature.
    pub(super) fn of(&self, feature: u32) -> usize {
        let from = if feature < COMMON as u32 { 0 } else { self.common };
        let behind = &self.starts[from..];
        behind.len() - behind.partition_point(|&start| start <= feature)
    }

    /// Every rank with the number of features that have it, in the order of their numbers.
    pub(super) fn iter(&self) -> impl Iterator<Item = (usize, usize)> {
        self.starts.windows(2).zip((1..=self.most()).rev()).map(|(ends, rank)| (rank, (ends[1] - ends[0]) as usize))
    }
}

impl Vocabulary {
    /// Numbers the features whose rank, by slot, is not 0; `most` is the highest. Of equal ranks, the lower slot comes
    /// first.
    pub(super) fn new(slots: Slots, mut ranks: Vec<u32>, most: usize) -> (Self, Ranks) {
        let mut counts = vec![0_u32; most + 1];
        ranks.iter().for_each(|&rank| counts[rank as usize] += 1);
        let numbered = Ranks::new(&counts);
        let mut next = numbered.first();
        for cell in &mut ranks {
            if *cell == 0 {
                *cell = NONE;
            } else {
                let next = &mut next[*cell as usize];
                *cell = *next;
                *next += 1;
            }
        }
        (Self { slots, ids: ranks, count: numbered.len() }, numbered)
    }

    /// How many features count: their numbers are below this.
    pub(super) fn len(&self) -> usize {
        self.count
    }

    /// Bytes that this takes.
    pub(super) fn memory(&self) -> usize {
        self.ids.len() * size_of::<u32>()
    }

    /// Marks the numbers of a sample's features that count.
    pub(super) fn read<F: Features>(&self, features: F, sample: &[u8], marks: &mut Marks) {
        let mut stretch = [0; STRETCH];
        let mut length = 0;
        let mut mark = |stretch: &mut [u32]| {
            stretch.iter_mut().for_each(|id| *id = self.ids[*id as usize]);
            stretch.iter().filter(|&&id| id != NONE).for_each(|&id| marks.insert(id));
        };
        features.each(sample, |occurrence| {
            stretch[length] = self.slots.of(occurrence.hash);
            length += 1;
            if length == STRETCH {
                mark(&mut stretch);
                length = 0;
            }
        });
        mark(&mut stretch[..length]);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::text::features::{ByteGrams, Occurrence};

    #[test]
    fn numbers_fall_with_rank_and_rise_with_the_slot() {
        let (vocabulary, ranks) = Vocabulary::new(Slots::new(6), vec![2, 0, 9, 2, 65_535, 0], 65_535);
        assert_eq!((0..4).map(|id| ranks.of(id)).collect::<Vec<_>>(), [65_535, 9, 2, 2]);
        assert_eq!(ranks.iter().filter(|&(_, count)| count > 0).collect::<Vec<_>>(), [(65_535, 1), (9, 1), (2, 2)]);
        assert_eq!((ranks.len(), ranks.most()), (4, 65_535));
        assert_eq!(vocabulary.ids, [2, NONE, 1, 3, 0, NONE]);
    }

    #[test]
    fn reads_distinct_features_that_count() {
        let features = ByteGrams::new(2);
        let slots = Slots::new(1 << 20);
        let mut ranks = vec![0; slots.len()];
        let mut set = |gram: &[u8; 2], rank| {
            features.each(gram, |Occurrence { hash, .. }| ranks[slots.of(hash) as usize] = rank);
        };
        set(b"ab", 7);
        set(b"bc", 8);
        let (vocabulary, _) = Vocabulary::new(slots, ranks, 8);
        let mut marks = Marks::new(vocabulary.len());
        let mut read = |sample: &[u8]| {
            let mut ids = Vec::new();
            vocabulary.read(features, sample, &mut marks);
            marks.drain(|id| ids.push(id));
            ids
        };
        assert_eq!(read(b"abcxabx"), [0, 1]);
        assert_eq!(read(b"xaba"), [1]);
        assert_eq!(read(&b"bcx".repeat(1000)), [0]);
        assert!(read(b"").is_empty());
    }
}
