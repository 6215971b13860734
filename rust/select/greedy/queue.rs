//! The samples by bounds of their keys, best first: a priority queue for keys that never rise.
//!
//! An entry that is taken out and put back has a lower bound than before, and is rarely near the top again. So only the
//! entries near the top are kept in order, in a small heap that stays in the cache. The others lie unordered in buckets
//! of nearly equal bounds; a bucket becomes the heap when all above it are empty.

use std::cmp::Ordering;
use std::collections::BinaryHeap;

/// Bits of a bound that do not decide on its bucket: buckets are 1/256 of an octave wide.
const WITHIN: u32 = 15;

/// Buckets: 64 octaves from the highest bound down; what is lower still, such as 0, is in the last.
const BUCKETS: usize = 64 << (23 - WITHIN);

/// A sample and its bound, which is rounded up: half the memory, and a bound it stays.
#[derive(Debug, Clone, Copy)]
pub(super) struct Entry {
    /// The sample's key is not above this; not negative.
    pub bound: f32,
    /// The sample.
    pub index: u32,
}

impl Ord for Entry {
    /// By bound; of equal bounds, the lower index is the greater entry.
    fn cmp(&self, other: &Self) -> Ordering {
        self.bound.total_cmp(&other.bound).then_with(|| other.index.cmp(&self.index))
    }
}

impl PartialOrd for Entry {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Entry {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}

impl Eq for Entry {}

/// Entries, the greatest first.
#[derive(Debug)]
pub(super) struct Queue {
    /// The highest bound there was.
    highest: f32,
    /// The buckets up to this one are empty, and what belongs there is in `top`.
    reached: usize,
    buckets: Vec<Vec<Entry>>,
    top: BinaryHeap<Entry>,
}

impl Queue {
    /// A queue of `entries`.
    pub(super) fn new(entries: Vec<Entry>) -> Self {
        let highest = entries.iter().fold(0.0, |highest: f32, entry| highest.max(entry.bound));
        let mut this = Self { highest, reached: 0, buckets: vec![Vec::new(); BUCKETS], top: BinaryHeap::new() };
        let mut sizes = vec![0; BUCKETS];
        entries.iter().for_each(|entry| sizes[this.bucket(entry.bound)] += 1);
        this.buckets.iter_mut().zip(sizes).for_each(|(bucket, size)| bucket.reserve_exact(size));
        entries.into_iter().for_each(|entry| this.push(entry));
        this
    }

    fn bucket(&self, bound: f32) -> usize {
        // Of numbers that are not negative, the bits are in order.
        let below = (self.highest.to_bits() >> WITHIN) - (bound.to_bits() >> WITHIN);
        (below as usize).min(BUCKETS - 1)
    }

    /// The greatest entry.
    pub(super) fn peek(&mut self) -> Option<Entry> {
        while self.top.is_empty() && self.reached + 1 < BUCKETS {
            self.reached += 1;
            self.top = std::mem::take(&mut self.buckets[self.reached]).into();
        }
        self.top.peek().copied()
    }

    /// Removes the greatest entry, which must have been looked at.
    pub(super) fn pop(&mut self) -> Option<Entry> {
        self.top.pop()
    }

    /// Adds an entry whose bound is no higher than the highest was when the queue was made.
    pub(super) fn push(&mut self, entry: Entry) {
        let bucket = self.bucket(entry.bound);
        if bucket <= self.reached {
            self.top.push(entry);
        } else {
            self.buckets[bucket].push(entry);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_greatest_comes_first_wherever_it_is() {
        let mut state = 1_u64;
        let mut random = || {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (state >> 40) as f32 / (1 << 24) as f32
        };
        let mut entries: Vec<Entry> = (0..3000)
            .map(|index| {
                let bound = match index % 4 {
                    0 => 0.0,
                    1 => 1e-30 * random(),
                    2 => (random() * 10.0).floor(),
                    _ => 1e3 * random() * random(),
                };
                Entry { bound, index }
            })
            .collect();
        let mut queue = Queue::new(entries.clone());
        entries.sort_unstable();
        while let Some(expected) = entries.pop() {
            assert_eq!(queue.peek().map(|found| (found.bound, found.index)), Some((expected.bound, expected.index)));
            queue.pop();
            // One in two comes back, mostly lower.
            if random() < 0.5 {
                let entry = Entry { bound: expected.bound * (random() * 1.1).min(1.0), ..expected };
                queue.push(entry);
                entries.insert(entries.partition_point(|other| *other < entry), entry);
            }
        }
        assert_eq!(queue.peek(), None);
    }
}
