//! How crowded zlib's hash chains are: the guard of the indexed search.
//!
//! zlib gives up a search after 4,096 positions of a chain, or 1,024 with a good match in hand. The indexed search knows
//! no chains, so it may only stand in where no limit can bind: where fewer positions share a hash than the lower limit.
//! This counts them over the last 32 KiB, in constant time per appended byte.

use super::format::{MAX_CHAIN, MIN_MATCH, WINDOW};
use super::window::{HASHES, Window, boxed, hash};

/// Positions zlib surely looks at.
const CERTAIN: usize = MAX_CHAIN / 4;
/// The last positions of a prefix, whose three bytes are not all known, can be on any chain.
const UNKNOWN: usize = MIN_MATCH - 1;

/// Positions of each hash among the last 32 KiB.
pub(super) struct Crowd {
    count: Box<[u16; HASHES]>,
    /// The positions counted.
    from: usize,
    to: usize,
    largest: usize,
}

impl Crowd {
    pub(super) fn new() -> Crowd {
        Crowd { count: boxed(0), from: 0, to: 0, largest: 0 }
    }

    /// Counts from the start again: also after the window's slide, when some that were counted are gone and cannot be
    /// discounted.
    pub(super) fn clear(&mut self) {
        self.count.fill(0);
        (self.from, self.to, self.largest) = (0, 0, 0);
    }

    /// Counts what was appended to the window.
    pub(super) fn update(&mut self, window: &Window) {
        let to = (window.len() + 1).saturating_sub(MIN_MATCH);
        let from = to.saturating_sub(WINDOW);
        if from >= self.to {
            self.clear();
            (self.from, self.to) = (from, from);
        }
        let text = window.text();
        let hash_at = |p: usize| hash(text[p], text[p + 1], text[p + 2]);
        (self.from..from).for_each(|p| self.count[hash_at(p)] -= 1);
        (self.to..to).for_each(|p| self.count[hash_at(p)] += 1);
        (self.from, self.to) = (from, to);
        self.largest = self.count.iter().copied().max().unwrap_or(0).into();
    }

    /// Whether no chain is long enough for a limit to bind, the sample's own positions (at most `own` a hash) included.
    pub(super) fn never_binds(&self, own: usize) -> bool {
        self.largest + own + UNKNOWN <= CERTAIN
    }

    /// The same of one hash.
    pub(super) fn never_binds_at(&self, hash: usize, own: usize) -> bool {
        usize::from(self.count[hash]) + own + UNKNOWN <= CERTAIN
    }
}
