//! The distinct features of one sample: a small set of slots, emptied for the next sample.
//!
//! Open addressing with linear probing over one array that stays in the first cache levels for samples of usual length.
//! It grows with what is in it, not with the sample: long samples repeat themselves.

/// Length of the table that a set begins with.
const SMALLEST: usize = 1 << 10;

/// A set of slots.
pub struct Distinct {
    /// Slot + 1; 0 is free. The length is a power of two.
    table: Vec<u32>,
    members: usize,
}

impl Default for Distinct {
    fn default() -> Self {
        Self { table: vec![0; SMALLEST], members: 0 }
    }
}

impl Distinct {
    /// Empties the set, and shrinks it to what it held: a long sample does not make all that follow slow.
    pub fn clear(&mut self) {
        let length = (self.members * 4).next_power_of_two().max(SMALLEST);
        self.table.truncate(length);
        self.table.fill(0);
        self.members = 0;
    }

    /// Adds a slot below `u32::MAX`; whether it is new.
    #[inline]
    pub fn insert(&mut self, slot: u32) -> bool {
        if self.members * 2 >= self.table.len() {
            self.grow();
        }
        let new = Self::put(&mut self.table, slot + 1);
        self.members += usize::from(new);
        new
    }

    fn put(table: &mut [u32], entry: u32) -> bool {
        let mask = table.len() - 1;
        // Slots come from the high bits of a hash over a range that is no power of two; the product spreads them again.
        let mut at = (entry.wrapping_mul(0x9e37_79b1) >> 7) as usize & mask;
        loop {
            match table[at] {
                0 => {
                    table[at] = entry;
                    return true;
                }
                found if found == entry => return false,
                _ => at = (at + 1) & mask,
            }
        }
    }

    #[cold]
    fn grow(&mut self) {
        let mut larger = vec![0; self.table.len() * 2];
        for &entry in self.table.iter().filter(|&&entry| entry != 0) {
            Self::put(&mut larger, entry);
        }
        self.table = larger;
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn agrees_with_the_standard_set() {
        let mut set = Distinct::default();
        for round in 0..3 {
            set.clear();
            let mut oracle = HashSet::new();
            let mut state = round + 1_u64;
            for _ in 0..20_000 {
                state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
                let slot = (state >> 51) as u32;
                assert_eq!(set.insert(slot), oracle.insert(slot));
            }
        }
        assert!(set.insert(u32::MAX - 1));
    }
}
