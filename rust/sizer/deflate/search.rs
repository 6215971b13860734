//! The search for a sample's matches behind a prefix.
//!
//! The matches at a position come from three places, nearest first: the sample's own earlier text, positions in the
//! prefix from which a match runs on into the sample, and matches wholly in the prefix. zlib takes the longest, and of
//! several the nearest: so each place is asked only for more than the places before it have. Most positions need a
//! look at their own chain and one or two questions to the index.
//!
//! Some positions are searched zlib's way instead, along the chain of all positions with the same hash, through the
//! sample and on through the prefix. These are the last bytes of the prefix behind the checkpoint, which are parsed again
//! with each sample; and the positions where a rule of zlib's could matter that the faster search does not model: the
//! limit on the positions a search looks at (in code, where runs of spaces crowd a chain, many), and the largest
//! distance, 32,506, allowed only for the first of a chain and only if the window has not just slid.

use super::crowd::Crowd;
use super::format::{MAX_DISTANCE, MAX_MATCH};
use super::index::Index;
use super::memory::Recall;
use super::parse::{Finder, Match};
use super::sample::{Crossings, Sample};
use super::window::{Window, common_prefix, hash, walk};

/// Longest sample that this search takes: no distance within it is too large.
pub const MAX_SAMPLE: usize = MAX_DISTANCE - 1;

/// Searches a sample behind a prefix.
pub struct SampleFinder<'a> {
    pub window: &'a Window,
    pub index: &'a Index,
    pub crowd: &'a Crowd,
    pub sample: &'a Sample,
    /// What earlier probes found, if that is kept.
    pub recall: Option<Recall<'a>>,
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
            return Some(self.walk(position, longer_than, buffered));
        };
        if self.crowded && !self.crowd.never_binds_at(self.hash(position), self.sample.longest_chain()) {
            return Some(self.walk(position, longer_than, buffered));
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
        let (window, sample) = (self.window, self.sample.padded());
        let beaten = best.length.into();
        let search = || self.index.longest(window, sample, start, beaten, max, oldest);
        let found = match &mut self.recall {
            Some(recall) if beaten < max => recall.longest(window, sample, start, beaten, oldest, search),
            _ => search(),
        };
        if let Some((length, at)) = found {
            if position - at == MAX_DISTANCE {
                return Some(self.walk(position, longer_than, buffered));
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
        let Some(recall) = &mut self.recall else {
            return self.sample.longest(start, longer_than, 0);
        };
        let own = recall.own(start);
        if own.length == 0 {
            *own = self.sample.longest(start, Match::NONE.length.into(), 0);
        }
        *own
    }

    fn hash(&self, position: usize) -> usize {
        hash(self.byte(position), self.byte(position + 1), self.byte(position + 2))
    }

    /// The search at any position: zlib's walk.
    #[cold]
    fn walk(&self, position: usize, longer_than: usize, buffered: usize) -> Match {
        let (window, end) = (self.window, self.window.len());
        let max = (end + self.sample.len() - position).min(MAX_MATCH);
        let hash = self.hash(position);
        let next = |p: usize| {
            if let Some(start) = p.checked_sub(end)
                && let Some(at) = self.sample.previous(start, hash)
            {
                return end + at;
            }
            if p + 2 < end {
                return window.previous(p);
            }
            // The last two positions of the prefix are not on their chains: their hashes depend on the sample.
            let last_two = [end.wrapping_sub(1), end.wrapping_sub(2)];
            let found = last_two.into_iter().find(|&q| 0 < q && q < end.min(p) && self.hash(q) == hash);
            found.unwrap_or_else(|| window.head(hash))
        };
        let common = |at: usize, beaten: usize| {
            if self.byte(at + beaten) == self.byte(position + beaten) { self.common(at, position, max) } else { 0 }
        };
        walk(position, longer_than, max, buffered, next, common)
    }

    /// Length of the common prefix of the texts at two positions, at most `max`.
    fn common(&self, a: usize, b: usize, max: usize) -> usize {
        let mut length = 0;
        while length < max {
            let (a, b) = (self.text_from(a + length), self.text_from(b + length));
            let comparable = a.len().min(b.len()).min(max - length);
            let n = common_prefix(&a[..comparable], &b[..comparable]);
            length += n;
            if n < comparable {
                break;
            }
        }
        length
    }

    /// The text from a position to the end of the prefix, or of the sample behind it.
    fn text_from(&self, position: usize) -> &[u8] {
        match position.checked_sub(self.window.len()) {
            Some(start) => &self.sample.bytes()[start..],
            None => &self.window.text()[position..],
        }
    }
}
