//! The search for a sample's matches behind a prefix.
//!
//! The matches at a position come from three places, nearest first: the sample's own earlier text, positions in the
//! prefix from which a match runs on into the sample, and matches wholly in the prefix. zlib takes the longest, and of
//! several the nearest: so each place is asked only for more than the places before it have. Most positions need a
//! look at their own chain and one or two questions to the index.
//!
//! Some positions are searched zlib's way instead, along the chain of all positions with the same hash, through the
//! sample and on through the prefix: where a rule of zlib's could matter that the faster search does not model. That is
//! the limit on the positions a search looks at (in code, where runs of spaces crowd a chain, many), and the largest
//! distance, 32,506, allowed only for the first of a chain and only if the window has not just slid.
//!
//! The last bytes of the prefix, behind the checkpoint, are parsed again with each sample; what is known of them
//! beforehand is in [`tail`](super::tail).

use super::crowd::Crowd;
use super::format::{MAX_DISTANCE, MAX_MATCH, MIN_MATCH};
use super::index::Index;
use super::parse::{Finder, Match};
use super::recent::Question;
use super::sample::{Crossings, Sample};
use super::tail::Tail;
use super::window::{Window, common_prefix, hash, walk};

/// Longest sample that this search takes: no distance within it is too large.
pub(super) const MAX_SAMPLE: usize = MAX_DISTANCE - 1;

/// Searches a sample behind a prefix; if `TRACED`, it says after each search why its outcome stands.
pub(super) struct SampleFinder<'a, const TRACED: bool> {
    pub window: &'a Window,
    index: &'a Index,
    crowd: &'a Crowd,
    tail: &'a Tail,
    sample: &'a Sample,
    crossings: &'a mut Crossings,
    /// Whether some chain might be long enough for a limit to bind.
    crowded: bool,
    /// Of the last search, if that is traced.
    pub reason: Reason,
    /// What is known of the next search, if that is traced.
    pub known: Option<Known>,
}

pub(super) type TracedFinder<'a> = SampleFinder<'a, true>;

/// What an earlier search at a position of the sample tells of the next one: no crossing match comes into question.
#[derive(Clone, Copy)]
pub(super) struct Known {
    /// What there is if the prefix has no longer match than `beaten`.
    pub best: Match,
    /// Length of which the sample has no longer match.
    pub beaten: usize,
}

/// Why the outcome of a search will stand behind the next append.
#[derive(Clone, Copy)]
pub(super) struct Reason {
    /// The string that the append must not have.
    pub question: Question,
    /// Whether the match moves away with the append: it is in the prefix.
    pub moves: bool,
}

impl Reason {
    /// There is nothing that an append could change.
    pub(super) const NONE: Reason = Reason { question: Question::NEVER, moves: false };
    /// It will not.
    const UNSETTLED: Reason = Reason { question: Question::ALWAYS, moves: false };
}

impl<const TRACED: bool> Finder for SampleFinder<'_, TRACED> {
    #[inline]
    fn byte(&self, position: usize) -> u8 {
        match position.checked_sub(self.window.len()) {
            Some(start) => self.sample.bytes()[start],
            None => self.window.text()[position],
        }
    }

    #[inline(always)]
    fn longest(&mut self, position: usize, longer_than: usize, buffered: usize) -> Option<Match> {
        if TRACED {
            self.reason = Reason::UNSETTLED;
        }
        let Some(start) = position.checked_sub(self.window.len()) else {
            return Some(self.in_tail(position, longer_than, buffered));
        };
        let mut crosses = false;
        let Known { mut best, beaten } = if TRACED && let Some(known) = self.known.take() {
            known
        } else {
            if self.crowded && self.binds(position) {
                return Some(self.walk(position, longer_than, buffered));
            }
            if self.window.len() == 0 {
                return Some(self.sample.longest(start, longer_than, 1));
            }
            let mut best = self.sample.longest(start, longer_than, 0);
            if let Some(crossing) = self.crossings.at(start)
                && crossing.length > best.length
            {
                best = crossing;
                crosses = true;
            }
            Known { best, beaten: best.length.into() }
        };
        let max = (self.sample.len() - start).min(MAX_MATCH);
        let oldest = position.saturating_sub(MAX_DISTANCE).max(1);
        let (window, sample) = (self.window, self.sample.padded());
        let found = self.index.longest(window, sample, start, beaten, max, oldest);
        if let Some((length, at)) = found {
            if position - at == MAX_DISTANCE {
                return Some(self.walk(position, longer_than, buffered));
            }
            best = Match { length: length as u16, distance: (position - at) as u16 };
            // A match that the prefix's end cuts short may be longer next time, without a new string of its length.
            if TRACED && at + length < window.len() {
                self.reason = Reason { question: Question::of(&sample[start..], length), moves: true };
            }
        } else if TRACED && !crosses {
            let longer = if beaten < max { Question::of(&sample[start..], beaten + 1) } else { Question::NEVER };
            self.reason = Reason { question: longer, moves: false };
        }
        Some(best)
    }
}

impl<'a, const TRACED: bool> SampleFinder<'a, TRACED> {
    /// Searches `sample` behind the text in `window`, which `index`, `crowd` and `tail` know to its end.
    pub(super) fn new(
        window: &'a Window,
        index: &'a Index,
        crowd: &'a Crowd,
        tail: &'a Tail,
        sample: &'a Sample,
        crossings: &'a mut Crossings,
    ) -> Self {
        crossings.find(window.text(), tail.len(), sample);
        let crowded = !crowd.never_binds(sample.longest_chain());
        Self { window, index, crowd, tail, sample, crossings, crowded, reason: Reason::NONE, known: None }
    }

    /// Whether an earlier outcome at a position of the sample, in ascending order, may be another one now whatever was
    /// appended.
    #[inline(always)]
    pub(super) fn unsettled(&mut self, start: usize) -> bool {
        self.crossings.at(start).is_some()
            || self.crowded && self.sample.len() - start >= MIN_MATCH && self.binds(self.window.len() + start)
    }

    /// Whether zlib's limit on the length of a search might bind at a position.
    fn binds(&self, position: usize) -> bool {
        !self.crowd.never_binds_at(self.hash(position), self.sample.longest_chain())
    }

    fn hash(&self, position: usize) -> usize {
        hash(self.byte(position), self.byte(position + 1), self.byte(position + 2))
    }

    /// The search at a position of the prefix's tail.
    fn in_tail(&self, position: usize, longer_than: usize, buffered: usize) -> Match {
        let left = self.window.len() - position;
        let binds = self.crowded && left + self.sample.len() >= MIN_MATCH && self.binds(position);
        if !binds
            && let Some(within) = self.tail.within(position)
            && let Some(seam) = self.crossings.seam(self.tail.len() - left)
        {
            let max = (left + self.sample.len()).min(MAX_MATCH);
            let oldest = position.saturating_sub(MAX_DISTANCE).max(1);
            let beaten = longer_than.max(left);
            match self.index.longest(self.window, seam, 0, beaten, max, oldest) {
                Some((_, at)) if position - at == MAX_DISTANCE => {}
                Some((length, at)) => return Match { length: length as u16, distance: (position - at) as u16 },
                None if usize::from(within.length) > longer_than => return within,
                None => return Match { length: longer_than as u16, distance: 0 },
            }
        }
        self.walk(position, longer_than, buffered)
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
