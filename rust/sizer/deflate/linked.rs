//! The search of a long text: equal strings are linked before the parse comes to them.
//!
//! A search along zlib's hash chains looks at every earlier position that shares three bytes. Here positions are linked
//! by strings of three, four, five and six bytes, each to the one before. The longest match is found from the top:
//! matches of six bytes and more are on the links of six, few of them and each worth a comparison; if there is none, the
//! first position with five equal bytes is the answer, then the first with four, then with three. And a match longer
//! than `n` has a string of six that ends with byte `n + 1`: where the text had none before, there is no match either.
//!
//! zlib's limit on the length of a search is kept, not avoided. Each position has a rank on its chain of zlib's hashes,
//! so that the difference of two ranks tells how many positions zlib would have looked at to come from one to the other.
//! A position that is out of zlib's reach does not count, and nor does any before it.
//!
//! Links are distances of 16 bits, in a ring that holds the history, and as much ahead as a search may look. Linking
//! takes constant time a byte, a search expected constant time; where strings recur all the time, up to zlib's limit.

use std::cell::RefCell;

use super::format::{GOOD_MATCH, MAX_CHAIN, MAX_DISTANCE, MAX_MATCH, MIN_MATCH, TOO_FAR, WINDOW};
use super::parse::{Finder, Match};
use super::window::{HASHES, boxed, hash, load, slide_positions};

/// Readable bytes behind a text, so that eight can be loaded at any position.
pub(super) const PADDING: usize = 8;

/// Positions that are remembered: a history, and what is linked ahead.
const RING: usize = 2 * WINDOW;
/// Positions linked at once.
const BATCH: usize = 1 << 12;
const BUCKET_BITS: u32 = 15;
const BUCKETS: usize = 1 << BUCKET_BITS;

/// Longest strings that are linked.
const LONG: usize = 6;

/// Steps along the links of a search between two looks at zlib's limit, at least.
const PACE: usize = 64;

/// Of a position, the distances to those before it with the same strings of three to six bytes, or rather the same
/// hashes of these; 0 if none is in reach.
#[derive(Clone, Copy)]
struct Links {
    three: u16,
    four: u16,
    five: u16,
    six: u16,
}

/// The last position of each hash, counted from [`LinkedText::base`]; 0 if there is none.
type Heads<const N: usize> = Box<[u16; N]>;

/// Memory to link a text in: most of a megabyte.
struct Memory {
    /// By a position's lower 16 bits.
    links: Box<[Links; RING]>,
    /// The place on the chain of zlib's hash, counted from anywhere.
    rank: Box<[u16; RING]>,
    three: Heads<HASHES>,
    four: Heads<BUCKETS>,
    five: Heads<BUCKETS>,
    six: Heads<BUCKETS>,
}

impl Memory {
    fn new() -> Memory {
        let none = Links { three: 0, four: 0, five: 0, six: 0 };
        let (links, rank) = (boxed(none), boxed(0));
        Memory { links, rank, three: boxed(0), four: boxed(0), five: boxed(0), six: boxed(0) }
    }

    fn heads(&mut self) -> [&mut [u16]; 4] {
        [&mut self.three[..], &mut self.four[..], &mut self.five[..], &mut self.six[..]]
    }
}

thread_local! {
    /// That of the last text that was linked on this thread, for the next one.
    static SPARE: RefCell<Option<Box<Memory>>> = const { RefCell::new(None) };
}

/// A text and its links.
pub(super) struct LinkedText<'a> {
    /// The text, and [`PADDING`].
    text: &'a [u8],
    /// Where the text ends.
    end: usize,
    memory: Box<Memory>,
    /// Positions below this are linked.
    linked: usize,
    /// Heads count from 32 KiB before this. The next position is up to 32 KiB behind: a head that is 0 is out of reach.
    base: usize,
}

/// Which link to follow.
type Of = fn(Links) -> u16;

impl<'a> LinkedText<'a> {
    /// A text, and [`PADDING`] bytes of any value behind it. Its first byte is never matched: that of a stream is not,
    /// and of others the first byte has to be out of reach.
    pub(super) fn new(text: &'a [u8]) -> Self {
        let mut memory = SPARE.take().unwrap_or_else(|| Box::new(Memory::new()));
        // Links and ranks are written before they are read.
        memory.heads().into_iter().for_each(|heads| heads.fill(0));
        LinkedText { text, end: text.len() - PADDING, memory, linked: 1, base: 0 }
    }

    /// Leaves the memory for the next text.
    pub(super) fn end(self) {
        SPARE.set(Some(self.memory));
    }

    /// Links the next positions.
    #[cold]
    fn link(&mut self, position: usize) {
        let to = (position + MAX_MATCH + BATCH).min((self.end + 1).saturating_sub(MIN_MATCH));
        let bucket = |gram: u64| (gram.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> (64 - BUCKET_BITS)) as usize;
        let memory = &mut *self.memory;
        while self.linked < to {
            if self.linked == self.base + WINDOW {
                memory.heads().into_iter().for_each(slide_positions);
                self.base += WINDOW;
            }
            let now = to.min(self.base + WINDOW);
            let back = |head: &mut u16, here: u16| {
                let distance = here - std::mem::replace(head, here);
                if usize::from(distance) <= MAX_DISTANCE { distance } else { 0 }
            };
            for (eight, at) in self.text[self.linked..now + PADDING - 1].windows(PADDING).zip(self.linked..now) {
                let here = (at + WINDOW - self.base) as u16;
                let eight = load(eight, 0);
                let [a, b, c, ..] = eight.to_le_bytes();
                let links = Links {
                    three: back(&mut memory.three[hash(a, b, c)], here),
                    four: back(&mut memory.four[bucket(eight << 32)], here),
                    five: back(&mut memory.five[bucket(eight << 24)], here),
                    six: back(&mut memory.six[bucket(eight << 16)], here),
                };
                let before = memory.rank[usize::from((at as u16).wrapping_sub(links.three))];
                memory.rank[usize::from(at as u16)] = if links.three == 0 { 0 } else { before.wrapping_add(1) };
                memory.links[usize::from(at as u16)] = links;
            }
            self.linked = now;
        }
    }

    #[inline(always)]
    fn links(&self, position: usize) -> Links {
        self.memory.links[usize::from(position as u16)]
    }

    /// Whether a search at a position that looks at no more than `limit` positions comes so far.
    #[inline(always)]
    fn comes_to(&self, at: usize, position: usize, limit: u16) -> bool {
        let rank = |position: usize| self.memory.rank[usize::from(position as u16)];
        rank(position).wrapping_sub(rank(at)) <= limit
    }

    /// Length of the common prefix of the text from two positions on, at most `max`.
    #[inline(always)]
    fn common(&self, a: usize, b: usize, max: usize) -> usize {
        let mut length = 0;
        loop {
            let difference = load(self.text, a + length) ^ load(self.text, b + length);
            if difference != 0 {
                return max.min(length + difference.trailing_zeros() as usize / 8);
            }
            length += 8;
            if length >= max {
                return max;
            }
        }
    }

    /// The longest match, of several the nearest, that has six bytes and more than `longer_than`.
    #[inline(always)]
    fn long(&self, position: usize, longer_than: usize, max: usize, oldest: usize, limit: u16) -> Option<Match> {
        let mut length = longer_than.max(LONG - 1);
        if length >= max {
            return None;
        }
        // Six bytes that end with the one behind the best match so far; `first` of them link the candidates.
        let first = length + 1 - LONG;
        let mut last = first;
        let mut sought = load(self.text, position + last);
        let mut at = position;
        let mut best = None;
        let mut pace = 0;
        loop {
            let back = usize::from(self.links(at + first).six);
            if back == 0 || at < oldest + back {
                return best;
            }
            at -= back;
            if (load(self.text, at + last) ^ sought) << (64 - 8 * LONG) == 0 {
                let found = self.common(at, position, max);
                if found > length {
                    if !self.comes_to(at, position, limit) {
                        return best;
                    }
                    length = found;
                    best = Some(Match { length: length as u16, distance: (position - at) as u16 });
                    last = length + 1 - LONG;
                    if length == max || self.links(position + last).six == 0 {
                        return best;
                    }
                    sought = load(self.text, position + last);
                }
            }
            pace += 1;
            if pace >= PACE && (load(self.text, at) ^ load(self.text, position)) << (64 - 8 * MIN_MATCH) == 0 {
                // On the same chain of zlib's.
                if !self.comes_to(at, position, limit) {
                    return best;
                }
                pace = 0;
            }
        }
    }

    /// The nearest match of `LENGTH` bytes.
    #[inline(always)]
    fn short<const LENGTH: usize>(&self, position: usize, oldest: usize, limit: u16, of: Of) -> Option<Match> {
        let sought = load(self.text, position);
        let mut at = position;
        loop {
            let back = usize::from(of(self.links(at)));
            if back == 0 || at < oldest + back {
                return None;
            }
            at -= back;
            if (load(self.text, at) ^ sought) << (64 - 8 * LENGTH) == 0 {
                let found = Match { length: LENGTH as u16, distance: (position - at) as u16 };
                return self.comes_to(at, position, limit).then_some(found);
            }
        }
    }
}

impl Finder for LinkedText<'_> {
    #[inline]
    fn byte(&self, position: usize) -> u8 {
        self.text[position]
    }

    #[inline(always)]
    fn longest(&mut self, position: usize, longer_than: usize, buffered: usize) -> Option<Match> {
        if position + MAX_MATCH >= self.linked {
            self.link(position);
        }
        let max = (self.end - position).min(MAX_MATCH);
        let nearest = usize::from(self.links(position).three);
        if nearest == 0 || longer_than >= max {
            return Some(Match::NONE);
        }
        if nearest == MAX_DISTANCE {
            // In reach as the first of its chain, but for the string at the start of zlib's buffer.
            let length = if nearest == buffered { 0 } else { self.common(position - nearest, position, max) };
            let found = Match { length: length as u16, distance: nearest as u16 };
            return Some(if length > longer_than { found } else { Match::NONE });
        }
        let limit = (if longer_than >= GOOD_MATCH { MAX_CHAIN / 4 } else { MAX_CHAIN }) as u16;
        let oldest = (position + 1).saturating_sub(MAX_DISTANCE).max(1);
        if let Some(found) = self.long(position, longer_than, max, oldest, limit) {
            return Some(found);
        }
        if longer_than < 5
            && max >= 5
            && let Some(found) = self.short::<5>(position, oldest, limit, |links| links.five)
        {
            return Some(found);
        }
        if longer_than < 4
            && max >= 4
            && let Some(found) = self.short::<4>(position, oldest, limit, |links| links.four)
        {
            return Some(found);
        }
        if longer_than < 3 {
            // The parse takes no match of three bytes from further back.
            let oldest = oldest.max(position.saturating_sub(TOO_FAR));
            if let Some(found) = self.short::<3>(position, oldest, limit, |links| links.three) {
                return Some(found);
            }
        }
        Some(Match::NONE)
    }
}

#[cfg(test)]
mod tests {
    use super::super::support::{KINDS, Rng, case, letters};
    use super::super::window::{CAPACITY, Window};
    use super::*;

    /// What the parse makes of a match.
    fn taken(found: Match, longer_than: usize) -> Option<Match> {
        let too_far = usize::from(found.length) == MIN_MATCH && usize::from(found.distance) > TOO_FAR;
        (usize::from(found.length) > longer_than && !too_far).then_some(found)
    }

    /// At every position, whatever is in hand, the match is the one that zlib's walk along its chain finds.
    #[track_caller]
    fn check(text: &[u8], rng: &mut Rng) {
        let text = &text[..text.len().min(CAPACITY)];
        let padded = [text, &[0; PADDING]].concat();
        let mut linked = LinkedText::new(&padded);
        let mut window = Window::new();
        assert!(window.fill(text).is_empty());
        for position in 0..text.len().saturating_sub(MIN_MATCH - 1) {
            let longer_than = [2, 3, 4, 5, 6, 7, 31, 32, 40][rng.range(0, 8)];
            let buffered = [position, MAX_DISTANCE][rng.range(0, 1)];
            let max = (text.len() - position).min(MAX_MATCH);
            window.chain_to(position);
            let walked = window.walk(position, longer_than, max, buffered);
            let found = linked.longest(position, longer_than, buffered).expect("it always knows");
            let (walked, found) = (taken(walked, longer_than), taken(found, longer_than));
            assert_eq!(found, walked, "at {position} of {}, longer than {longer_than}", text.len());
        }
    }

    #[test]
    fn matches_are_those_of_walks() {
        for seed in 0..6 * KINDS {
            let mut rng = Rng(seed as u64);
            let text = case(&mut rng, seed % KINDS, 60_000).whole();
            check(&text, &mut rng);
        }
        let mut rng = Rng(1);
        let text = letters(&mut rng, CAPACITY, 3);
        check(&text, &mut rng);
    }
}
