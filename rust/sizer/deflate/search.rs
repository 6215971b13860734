//! The search for a sample's matches behind a prefix.
//!
//! The matches at a position come from three places, nearest first: the sample's own earlier text, positions in the
//! prefix from which a match runs on into the sample, and matches wholly in the prefix. zlib takes the longest, and of
//! several the nearest: so each place is asked only for more than the places before it have. Most positions need a
//! look at their own chain and one or two questions to the index.
//!
//! The last bytes of the prefix behind the checkpoint are parsed again with each sample: these few are searched zlib's
//! way, along the prefix's chains.
//!
//! Two of zlib's rules are not modelled: the limit on the positions a search looks at, and the largest distance, 32,506,
//! allowed only for the first of a chain and only if the window has not just slid. Where one could matter, the search
//! declines and the sample is sized the exhaustive way.

use super::crowd::Crowd;
use super::format::{MAX_DISTANCE, MAX_MATCH};
use super::index::Index;
use super::parse::{Finder, Match};
use super::sample::{Crossings, Sample};
use super::window::{Window, common_prefix, hash, walk};

/// Longest sample that this search takes: no distance within it is too large.
pub const MAX_SAMPLE: usize = MAX_DISTANCE - 1;

/// A match not yet searched for.
pub const UNKNOWN: Match = Match { length: 0, distance: 0 };

/// Searches a sample behind a prefix.
pub struct SampleFinder<'a> {
    pub window: &'a Window,
    pub index: &'a Index,
    pub crowd: &'a Crowd,
    pub sample: &'a Sample,
    /// Matches within the sample that earlier probes found, by position; empty if none are kept.
    pub remembered: &'a mut [Match],
    pub crossings: &'a mut Crossings,
    /// Whether some chain might be long enough for a limit to bind.
    pub crowded: bool,
}

impl Finder for SampleFinder<'_> {
    #[inline]
    fn byte(&self, position: usize) -> u8 {
        match position.checked_sub(self.window.len()) {
            Some(start) => self.sample.bytes()[start],
            None => self.window.text()[position],
        }
    }

    #[inline]
    fn longest(&mut self, position: usize, longer_than: usize, buffered: usize) -> Option<Match> {
        let Some(start) = position.checked_sub(self.window.len()) else {
            return Some(self.longest_before(position, longer_than, buffered));
        };
        if self.crowded && !self.crowd.never_binds_at(self.hash(position), self.sample.longest_chain()) {
            return None;
        }
        if self.window.len() == 0 {
            return Some(self.sample.longest(start, longer_than, 1));
        }
        let mut best = Match { length: longer_than as u16, distance: 0 };
        let own = self.own(start, longer_than);
        if own.length > best.length {
            best = own;
        }
        if let Some(crossing) = self.crossings.at(start)
            && crossing.length > best.length
        {
            best = crossing;
        }
        let max = (self.sample.len() - start).min(MAX_MATCH);
        let oldest = position.saturating_sub(MAX_DISTANCE).max(1);
        let found = self.index.longest(self.window, self.sample.padded(), start, best.length.into(), max, oldest);
        if let Some((length, at)) = found {
            if position - at == MAX_DISTANCE {
                return None;
            }
            best = Match { length: length as u16, distance: (position - at) as u16 };
        }
        Some(best)
    }
}

impl SampleFinder<'_> {
    /// The longest match within the sample, if longer than `longer_than`; otherwise anything not longer.
    #[inline]
    fn own(&mut self, start: usize, longer_than: usize) -> Match {
        let Some(remembered) = self.remembered.get_mut(start) else {
            return self.sample.longest(start, longer_than, 0);
        };
        if *remembered == UNKNOWN {
            *remembered = self.sample.longest(start, Match::NONE.length.into(), 0);
        }
        *remembered
    }

    fn hash(&self, position: usize) -> usize {
        hash(self.byte(position), self.byte(position + 1), self.byte(position + 2))
    }

    /// The search at a position of the prefix: zlib's walk.
    #[cold]
    fn longest_before(&self, position: usize, longer_than: usize, buffered: usize) -> Match {
        let window = self.window;
        let end = window.len();
        let max = (end + self.sample.len() - position).min(MAX_MATCH);
        // The last two positions are not on their chains: their hashes depend on the sample.
        let next = |p: usize| {
            if p + 2 < end {
                return window.previous(p);
            }
            let h = self.hash(p);
            if p + 1 == end && p > 1 && self.hash(p - 1) == h { p - 1 } else { window.head(h) }
        };
        let common = |at: usize, _| self.common(at, position, max);
        walk(position, longer_than, max, buffered, next, common)
    }

    /// Length of the common prefix of the texts at two positions in the prefix, at most `max`.
    fn common(&self, a: usize, b: usize, max: usize) -> usize {
        let (text, sample) = (self.window.text(), self.sample.bytes());
        let inside = (text.len() - b).min(max);
        let n = common_prefix(&text[a..a + inside], &text[b..b + inside]);
        if n < inside || n == max {
            return n;
        }
        let across = (b - a).min(max - inside);
        let m = common_prefix(&text[a + inside..a + inside + across], &sample[..across]);
        if m < across || inside + m == max {
            return inside + m;
        }
        let beyond = max - inside - across;
        inside + across + common_prefix(&sample[..beyond], &sample[across..across + beyond])
    }
}
