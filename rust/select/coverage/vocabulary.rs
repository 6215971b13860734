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

impl Vocabulary {
    /// Numbers the features of which `df` says, by slot, that they are in at least one sample; also returns `df` by
    /// number. Of equal `df`, the lower slot comes first.
    pub fn new(slots: Slots, mut df: Vec<u32>) -> (Self, Vec<u16>) {
        let mut counts = vec![0_u32; 1 << 16];
        df.iter().for_each(|&df| counts[df as usize] += 1);
        let mut by_id = Vec::with_capacity(df.len() - counts[0] as usize);
        let mut next = vec![0; counts.len()];
        for (df, &count) in counts.iter().enumerate().skip(1).rev() {
            next[df] = by_id.len() as u32;
            by_id.resize(by_id.len() + count as usize, df as u16);
        }
        for cell in &mut df {
            if *cell == 0 {
                *cell = NONE;
            } else {
                let next = &mut next[*cell as usize];
                *cell = *next;
                *next += 1;
            }
        }
        (Self { slots, ids: df, count: by_id.len() }, by_id)
    }

    /// How many features count: their numbers are below this.
    pub fn len(&self) -> usize {
        self.count
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
        assert_eq!(df, [65_535, 9, 2, 2]);
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
        assert_eq!(read(b""), []);
    }
}
