//! The samples by their bounds, best first: a priority queue for a crowd of which few ever move.
//!
//! Of millions of samples, most keep the key that they came with, far below the top. They wait in a sorted array and
//! cost nothing. Only the ones that have been evaluated again are in a heap, which stays small and so in the cache: a
//! heap of all of them spent a third of a selection from 3.6 million samples on missing it.

use std::cmp::Ordering;
use std::collections::BinaryHeap;

use rayon::prelude::*;

/// A sample and its bound.
#[derive(Debug, Clone, Copy)]
pub struct Entry {
    /// The bound: what the sample was worth when it was computed.
    pub key: f64,
    /// The sample.
    pub index: u32,
    /// Picks made before the key was computed.
    pub picks: u32,
}

impl Ord for Entry {
    /// By key; of equal keys, the lower index is the greater entry.
    fn cmp(&self, other: &Self) -> Ordering {
        self.key.total_cmp(&other.key).then_with(|| other.index.cmp(&self.index))
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
#[derive(Debug, Default)]
pub struct Queue {
    /// As they came, ascending.
    waiting: Vec<Entry>,
    /// Those that have come back.
    returned: BinaryHeap<Entry>,
}

impl Queue {
    /// A queue of `entries`.
    pub fn new(mut entries: Vec<Entry>) -> Self {
        entries.par_sort_unstable();
        Self { waiting: entries, returned: BinaryHeap::new() }
    }

    /// The greatest entry.
    pub fn peek(&self) -> Option<Entry> {
        self.waiting.last().max(self.returned.peek()).copied()
    }

    /// Removes the greatest entry.
    pub fn pop(&mut self) {
        if self.waiting.last() > self.returned.peek() {
            self.waiting.pop();
        } else {
            self.returned.pop();
        }
    }

    /// Takes back entries, which may have other keys than before.
    pub fn extend(&mut self, entries: impl IntoIterator<Item = Entry>) {
        self.returned.extend(entries);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_greatest_comes_first_wherever_it_is() {
        let entry = |key, index| Entry { key, index, picks: 0 };
        let mut queue = Queue::new(vec![entry(1.0, 0), entry(3.0, 1), entry(3.0, 2), entry(0.0, 3)]);
        let mut order = Vec::new();
        while let Some(top) = queue.peek() {
            queue.pop();
            order.push(top.index);
            // Each but the last comes back once, with half its key.
            if top.index != 3 && top.picks == 0 {
                queue.extend([Entry { key: top.key / 2.0, picks: 1, ..top }]);
            }
        }
        assert_eq!(order, [1, 2, 1, 2, 0, 0, 3]);
    }
}
