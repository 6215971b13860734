//! The features that count, numbered: a sample becomes a sorted list of small integers.
//!
//! Numbers are given by falling `df`. Few features make up most of any text, so the low numbers, and with them one
//! short stretch of every table by feature, serve most look-ups; and sorted lists have small gaps ([`super::lists`]).

use super::features::Features;
use super::hash::Slots;

/// The slot of a feature that does not count.
const NONE: u32 = u32::MAX;

/// The number of every recurring feature, by slot.
pub struct Vocabulary {
    slots: Slots,
    ids: Vec<u32>,
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
        (Self { slots, ids: df }, by_id)
    }

    /// Writes the numbers of a sample's distinct features that count to `ids`, sorted.
    pub fn read<F: Features>(&self, features: F, sample: &[u8], ids: &mut Vec<u32>) {
        ids.clear();
        features.each(sample, |occurrence| ids.push(self.slots.of(occurrence.hash)));
        // Apart from the loop above: independent loads, which the processor overlaps.
        ids.iter_mut().for_each(|id| *id = self.ids[*id as usize]);
        ids.retain(|&id| id != NONE);
        ids.sort_unstable();
        ids.dedup();
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
        let mut ids = vec![99];
        vocabulary.read(features, b"abcxabx", &mut ids);
        assert_eq!(ids, [0, 1]);
        vocabulary.read(features, b"xaba", &mut ids);
        assert_eq!(ids, [1]);
        vocabulary.read(features, b"", &mut ids);
        assert_eq!(ids, []);
    }
}
