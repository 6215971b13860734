//! The distinct features of one sample: a small set of slots, emptied for the next sample.
//!
//! Open addressing with linear probing over one array that stays in the first cache levels for samples of usual length.
//! A sample so long that its table would be large beside the pool's own has a bit for every slot instead.

use crate::hash::Slots;

/// Length of the smallest table.
const SMALLEST: usize = 1 << 10;

/// With so many slots an occurrence or fewer, bits for all slots are emptied faster than the occurrences are read.
const SLOTS_AN_OCCURRENCE: usize = 64;

/// A set of slots.
pub(super) struct Distinct {
    slots: Slots,
    /// Slot + 1; 0 is free. The length is a power of two. Empty if `bits` are in use.
    table: Vec<u32>,
    /// A bit for every slot.
    bits: Vec<u64>,
}

impl Distinct {
    /// An empty set of `slots`.
    pub(super) fn new(slots: Slots) -> Self {
        Self { slots, table: Vec::new(), bits: Vec::new() }
    }

    /// Empties the set and makes room for `most` slots.
    pub(super) fn clear(&mut self, most: usize) {
        self.table.clear();
        if most >= self.slots.len() / SLOTS_AN_OCCURRENCE && most > SMALLEST {
            self.bits.clear();
            self.bits.resize(self.slots.len().div_ceil(64), 0);
        } else {
            self.table.resize((most * 2).next_power_of_two().max(SMALLEST), 0);
        }
    }

    /// Adds a slot; whether it is new.
    #[inline]
    pub(super) fn insert(&mut self, slot: u32) -> bool {
        if self.table.is_empty() {
            let word = &mut self.bits[slot as usize / 64];
            let old = *word;
            *word |= 1 << (slot % 64);
            return *word != old;
        }
        let entry = slot + 1;
        let mask = self.table.len() - 1;
        // Slots come from the high bits of a hash over a range that is no power of two; the product spreads them again.
        let mut at = (entry.wrapping_mul(0x9e37_79b1) >> 7) as usize & mask;
        loop {
            match self.table[at] {
                0 => {
                    self.table[at] = entry;
                    return true;
                }
                found if found == entry => return false,
                _ => at = (at + 1) & mask,
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn agrees_with_the_standard_set() {
        let slots = Slots::new(1 << 13);
        let mut set = Distinct::new(slots);
        // A table and bits.
        for (round, occurrences) in [(0, 100), (1, 20_000), (2, 1000)] {
            set.clear(occurrences);
            let mut oracle = HashSet::new();
            let mut state = round + 1_u64;
            for _ in 0..occurrences {
                state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
                let slot = (state >> 51) as u32;
                assert_eq!(set.insert(slot), oracle.insert(slot));
            }
        }
    }
}
