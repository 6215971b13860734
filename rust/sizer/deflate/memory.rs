//! What a candidate remembers from one probe to the next: the matches found at its positions.
//!
//! Matches within the candidate never change. Those in the prefix do, with each append, but few of them: an answer of
//! the index stands until the text appended contains a string as long ([`recent`](super::recent)), or until the match is
//! out of reach. An answer is kept if it was given or confirmed by the last probe; older ones are forgotten.
//!
//! Takes eight bytes per byte of the candidate.

use super::format::{MAX_DISTANCE, MAX_MATCH};
use super::parse::Match;
use super::recent::{MAX_APPEND, NEVER, Recent, Since};
use super::window::{Window, load};

/// Longest string that an append is asked for.
const MAX_GRAM: usize = 8;

/// What was found at a position.
#[derive(Clone, Copy)]
struct Known {
    /// The longest match with an earlier part of the candidate; of length 0 if not yet searched for.
    own: Match,
    /// Absolute position of the match in the prefix: its lower 16 bits, which are enough, as it was in reach one append
    /// ago.
    at: u16,
    /// From the lowest bit: the match's length or, if there was none, the length than which none was longer (9 bits);
    /// whether there was one; and the probe, counted by the candidate, that last relied on this (0 if none may).
    what: u16,
}

const LENGTH_MASK: u16 = (1 << 9) - 1;
const IS_MATCH: u16 = 1 << 9;
const TURN_SHIFT: u32 = 10;
const LAST_TURN: u16 = u16::MAX >> TURN_SHIFT;
const _: () = assert!(MAX_MATCH <= LENGTH_MASK as usize && MAX_DISTANCE + MAX_APPEND + MAX_MATCH <= u16::MAX as usize);

impl Known {
    const NOTHING: Known = Known { own: Match { length: 0, distance: 0 }, at: 0, what: 0 };
}

/// What a candidate remembers. Empty until first used.
pub struct Memory {
    positions: Vec<Known>,
    /// State of the prefix at the last probe.
    state: u64,
    turn: u16,
}

/// A probe's access to what its candidate remembers.
pub struct Recall<'a> {
    positions: &'a mut [Known],
    recent: &'a Recent,
    since: Since,
    turn: u16,
}

impl Memory {
    pub fn new() -> Memory {
        Memory { positions: Vec::new(), state: NEVER, turn: 1 }
    }

    /// Access for a probe of a candidate of `len` bytes, behind a prefix.
    pub fn recall<'a>(&'a mut self, len: usize, recent: &'a Recent) -> Recall<'a> {
        self.positions.resize(len, Known::NOTHING);
        if self.turn == LAST_TURN {
            self.positions.iter_mut().for_each(|known| known.what = 0);
            self.turn = 1;
        }
        self.turn += 1;
        let since = recent.since(self.state);
        self.state = recent.state();
        Recall { positions: &mut self.positions, recent, since, turn: self.turn }
    }
}

impl Recall<'_> {
    /// What is remembered of the candidate's own match at a position.
    #[inline]
    pub fn own(&mut self, start: usize) -> &mut Match {
        &mut self.positions[start].own
    }

    /// The nearest of the longest matches in the prefix, if longer than `longer_than`, from memory or else from `search`.
    #[inline]
    pub fn longest(
        &mut self,
        window: &Window,
        sample: &[u8],
        start: usize,
        longer_than: usize,
        oldest: usize,
        search: impl FnOnce() -> Option<(usize, usize)>,
    ) -> Option<(usize, usize)> {
        let known = &mut self.positions[start];
        let length = usize::from(known.what & LENGTH_MASK);
        let is_match = known.what & IS_MATCH != 0;
        let position = window.len() + start;
        let distance = (window.origin() as u16).wrapping_add(position as u16).wrapping_sub(known.at);
        let at = position.wrapping_sub(distance.into());
        let usable = self.since != Since::Unknown
            && known.what >> TURN_SHIFT == self.turn - 1
            && if is_match { oldest <= at && at < window.len() } else { length <= longer_than };
        let beaten = || {
            let needed = length + usize::from(!is_match);
            let gram = needed.min(MAX_GRAM);
            self.recent.may_have(load(sample, start + needed - gram), gram)
        };
        if usable && !(self.since == Since::OneAppend && beaten()) {
            known.what += 1 << TURN_SHIFT;
            return (is_match && length > longer_than).then_some((length, at));
        }
        let found = search();
        let (length, at) = found.unwrap_or((longer_than, 0));
        // A match that the prefix's end cuts short may be longer next time, without a new string of its length.
        let cut_short = found.is_some() && at + length == window.len();
        known.at = (window.origin() as u16).wrapping_add(at as u16);
        known.what = length as u16
            | if found.is_some() { IS_MATCH } else { 0 }
            | if cut_short { 0 } else { self.turn << TURN_SHIFT };
        found
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Whether a probe asks the index for the match at the candidate's start.
    fn asks(memory: &mut Memory, recent: &Recent, window: &Window) -> bool {
        let mut asked = false;
        let search = || {
            asked = true;
            Some((5, 40))
        };
        let found = memory.recall(20, recent).longest(window, &[b'x'; 28], 0, 2, 1, search);
        assert_eq!(found, Some((5, 40)));
        asked
    }

    #[test]
    fn answers_that_a_probe_did_not_rely_on_are_forgotten() {
        let mut window = Window::new();
        window.fill(&[b'y'; 100]);
        let (mut memory, recent) = (Memory::new(), Recent::new());
        assert!(asks(&mut memory, &recent, &window));
        let asked = (0..200).filter(|_| asks(&mut memory, &recent, &window)).count();
        assert!(asked <= 4, "once when the count of probes starts again: {asked}");
        for between in 1..200 {
            asks(&mut memory, &recent, &window);
            for _ in 0..between {
                memory.recall(20, &recent);
            }
            assert!(asks(&mut memory, &recent, &window), "{between} probes that did not ask");
        }
    }
}
