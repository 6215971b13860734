//! The features that count, numbered: a sample becomes a sorted list of small integers.
//!
//! Numbers are given by falling `df`. Few features make up most of any text, so the low numbers, and with them one
//! short stretch of every table by feature, serve most look-ups; and sorted lists have small gaps ([`super::lists`]).

use super::features::Features;
use super::hash::Slots;
use super::marks::Marks;

/// The slot of a feature that does not count.
const NONE: u32 = u32::MAX;

/// Occurrences looked up at once: independent loads, which the processor overlaps.
const STRETCH: usize = 256;

/// The number of every recurring feature, by slot.
pub struct Vocabulary {
    slots: Slots,
    ids: Vec<u32>,
    count: usize,
}

/// In how many samples each numbered feature occurs. Numbers fall with that, so it takes no memory by feature.
pub struct Frequencies {
    /// The first number of each `df`, from 65,535 down to 1, and the number of features.
    starts: Vec<u32>,
}

impl Frequencies {
    /// How many features there are.
    pub fn len(&self) -> usize {
        self.starts[usize::from(u16::MAX)] as usize
    }

    /// The `df` of a feature.
    pub fn of(&self, feature: u32) -> u16 {
        let up_to = self.starts.partition_point(|&start| start <= feature);
        (usize::from(u16::MAX) + 1 - up_to) as u16
    }

    /// Every `df` with the number of features that have it, in the order of their numbers.
    pub fn iter(&self) -> impl Iterator<Item = (u16, usize)> {
        self.starts.windows(2).zip((1..=u16::MAX).rev()).map(|(ends, df)| (df, (ends[1] - ends[0]) as usize))
    }
}

impl Vocabulary {
    /// Numbers the features of which `df` says, by slot, that they are in at least one sample. Of equal `df`, the lower
    /// slot comes first.
    pub fn new(slots: Slots, mut df: Vec<u32>) -> (Self, Frequencies) {
        let mut counts = vec![0_u32; 1 << 16];
        df.iter().for_each(|&df| counts[df as usize] += 1);
        let mut starts = Vec::with_capacity(counts.len());
        let mut next = vec![0; counts.len()];
        let mut count = 0;
        for df in (1..counts.len()).rev() {
            starts.push(count);
            next[df] = count;
            count += counts[df];
        }
        starts.push(count);
        for cell in &mut df {
            if *cell == 0 {
                *cell = NONE;
            } else {
                let next = &mut next[*cell as usize];
                *cell = *next;
                *next += 1;
            }
        }
        (Self { slots, ids: df, count: count as usize }, Frequencies { starts })
    }

    /// How many features count: their numbers are below this.
    pub fn len(&self) -> usize {
        self.count
    }

    /// Bytes that this takes.
    pub fn memory(&self) -> usize {
        self.ids.len() * size_of::<u32>()
    }

    /// Marks the numbers of a sample's features that count.
    pub fn read<F: Features>(&self, features: F, sample: &[u8], marks: &mut Marks) {
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
    use super::super::features::{ByteGrams, Occurrence};
    use super::*;

    #[test]
    fn numbers_fall_with_df_and_rise_with_the_slot() {
        let (vocabulary, df) = Vocabulary::new(Slots::new(6), vec![2, 0, 9, 2, 65_535, 0]);
        assert_eq!((0..4).map(|id| df.of(id)).collect::<Vec<_>>(), [65_535, 9, 2, 2]);
        assert_eq!(df.iter().filter(|&(_, count)| count > 0).collect::<Vec<_>>(), [(65_535, 1), (9, 1), (2, 2)]);
        assert_eq!(df.len(), 4);
        assert_eq!(vocabulary.ids, [2, NONE, 1, 3, 0, NONE]);
    }

    #[test]
    fn reads_distinct_features_that_count() {
        let features = ByteGrams::new(2);
        let slots = Slots::new(1 << 20);
        let mut df = vec![0; slots.len()];
        let mut set = |gram: &[u8; 2], count| {
            features.each(gram, |Occurrence { hash, .. }| df[slots.of(hash) as usize] = count);
        };
        set(b"ab", 7);
        set(b"bc", 8);
        let (vocabulary, _) = Vocabulary::new(slots, df);
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
