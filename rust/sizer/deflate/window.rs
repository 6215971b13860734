//! The history: the text a match can reach, and zlib's hash chains over it.
//!
//! zlib hashes the three bytes at each position to 15 bits and chains the positions of equal hash, nearest first. Which
//! chain a position is on, and how far down, decides what a search of limited length sees; so the chains here use the
//! same hash. They need a head per hash and, per position of the window, the previous one: 16 bits each, relative to a
//! text buffer of 64 KiB of which at least the latter half stays when it is full and slides down.
//!
//! Position 0 stands for the end of a chain. That costs nothing: the first byte of a stream is never matched, and after
//! a slide position 0 is out of every match's reach.
//!
//! Appending costs constant time per byte (a slide touches every entry once per 32 KiB), whatever came before.

use super::format::{GOOD_MATCH, MAX_CHAIN, MAX_DISTANCE, MAX_MATCH, MIN_MATCH, WINDOW};
use super::parse::{Finder, Match};

/// Bytes the text buffer holds; positions in it fit 16 bits.
pub(super) const CAPACITY: usize = 2 * WINDOW;
/// Readable bytes behind the text, so that eight bytes can be loaded at any position.
const PADDING: usize = 8;
pub(super) const HASHES: usize = 1 << 15;

/// Text and hash chains.
#[derive(Clone)]
pub(super) struct Window {
    text: Box<[u8; CAPACITY + PADDING]>,
    len: usize,
    /// Absolute position of `text[0]`.
    origin: u64,
    /// Last position of each hash.
    head: Box<[u16; HASHES]>,
    /// The position before this one with the same hash, by the position's lower 15 bits.
    previous: Box<[u16; WINDOW]>,
    /// Positions below this are on their chains.
    chained: usize,
}

/// zlib's hash of three bytes.
#[inline]
pub(super) fn hash(a: u8, b: u8, c: u8) -> usize {
    (usize::from(a) << 10 ^ usize::from(b) << 5 ^ usize::from(c)) & (HASHES - 1)
}

/// zlib's hash of the three bytes that end with this one, from that of the three before.
#[inline]
pub(super) fn hash_on(hash: usize, byte: u8) -> usize {
    (hash << 5 ^ usize::from(byte)) & (HASHES - 1)
}

impl Window {
    pub(super) fn new() -> Window {
        Window { text: boxed(0), len: 0, origin: 0, head: boxed(0), previous: boxed(0), chained: 0 }
    }

    /// Forgets the text, keeps the memory.
    pub(super) fn clear(&mut self) {
        self.len = 0;
        self.origin = 0;
        self.chained = 0;
        self.head.fill(0);
    }

    /// Makes this a copy of another window.
    pub(super) fn copy_from(&mut self, other: &Window) {
        self.text[..other.len].copy_from_slice(&other.text[..other.len]);
        self.len = other.len;
        self.origin = other.origin;
        self.head.copy_from_slice(&other.head[..]);
        self.previous.copy_from_slice(&other.previous[..]);
        self.chained = other.chained;
    }

    /// Makes this empty window hold some text, of at most 32 KiB, that starts at an absolute position.
    pub(super) fn restore(&mut self, origin: u64, text: &[u8]) {
        debug_assert!(self.len == 0 && text.len() <= WINDOW);
        self.text[..text.len()].copy_from_slice(text);
        self.len = text.len();
        self.origin = origin;
        self.chain_to(self.len);
    }

    /// Makes the text start at an absolute position, without what would come before.
    #[cfg(test)]
    pub(super) fn start_at(&mut self, origin: u64) {
        self.origin = origin;
    }

    /// The text held.
    pub(super) fn text(&self) -> &[u8] {
        &self.text[..self.len]
    }

    /// Length of the text held: the position behind it.
    pub(super) fn len(&self) -> usize {
        self.len
    }

    /// Absolute position of position 0.
    pub(super) fn origin(&self) -> u64 {
        self.origin
    }

    /// Absolute position of the end.
    pub(super) fn total(&self) -> u64 {
        self.origin + self.len as u64
    }

    /// So many bytes can be appended before a [`Window::slide`].
    pub(super) fn room(&self) -> usize {
        CAPACITY - self.len
    }

    /// Appends as much of `bytes` as there is room for; returns the rest.
    pub(super) fn fill<'a>(&mut self, bytes: &'a [u8]) -> &'a [u8] {
        let (now, later) = bytes.split_at(bytes.len().min(self.room()));
        self.text[self.len..self.len + now.len()].copy_from_slice(now);
        self.len += now.len();
        later
    }

    /// Moves everything down by 32 KiB.
    pub(super) fn slide(&mut self) {
        debug_assert!(self.len >= WINDOW && self.chained >= WINDOW);
        self.text.copy_within(WINDOW..self.len, 0);
        self.len -= WINDOW;
        self.origin += WINDOW as u64;
        self.chained -= WINDOW;
        slide_positions(&mut self.head[..]);
        slide_positions(&mut self.previous[..]);
    }

    /// Puts all positions up to and including `position` on their chains, as far as their three bytes are known.
    #[inline]
    pub(super) fn chain_to(&mut self, position: usize) {
        let end = (position + 1).min((self.len + 1).saturating_sub(MIN_MATCH));
        while self.chained < end {
            let p = self.chained;
            let h = hash(self.text[p], self.text[p + 1], self.text[p + 2]);
            self.previous[p % WINDOW] = self.head[h];
            self.head[h] = p as u16;
            self.chained += 1;
        }
    }

    /// The position before a position on its chain; 0 at the end.
    #[inline]
    pub(super) fn previous(&self, position: usize) -> usize {
        self.previous[position % WINDOW].into()
    }

    /// zlib's [`walk`] along the chain of a position that is on it, for a match within the text.
    pub(super) fn walk(&self, position: usize, longer_than: usize, max: usize, buffered: usize) -> Match {
        let common = |at: usize, beaten: usize| {
            if self.text[at + beaten] == self.text[position + beaten] {
                common_prefix(&self.text[at..at + max], &self.text[position..position + max])
            } else {
                0
            }
        };
        walk(position, longer_than, max, buffered, |at| self.previous(at), common)
    }

    /// The last position on the chain of a hash; 0 if there is none.
    #[inline]
    pub(super) fn head(&self, hash: usize) -> usize {
        self.head[hash].into()
    }

    /// Eight bytes from a position on; behind the text they have any value.
    #[inline(always)]
    pub(super) fn eight(&self, position: usize) -> u64 {
        load(&self.text[..], position)
    }

    /// Length of the common prefix of the text from a position on and a sample from another on, at most `max`, of which
    /// the first eight bytes are known to be common; if the text ends before, any length beyond its end.
    #[inline]
    pub(super) fn common_beyond_eight(&self, at: usize, sample: &[u8], start: usize, max: usize) -> usize {
        let end = max.min(self.len - at);
        let mut length = 8;
        while length < end {
            let difference = self.eight(at + length) ^ load(sample, start + length);
            if difference != 0 {
                return length + difference.trailing_zeros() as usize / 8;
            }
            length += 8;
        }
        length
    }

    /// Length of the common prefix of the text from a position on and some bytes.
    #[inline]
    pub(super) fn common_with(&self, position: usize, bytes: &[u8]) -> usize {
        let max = bytes.len().min(self.len - position);
        common_prefix(&self.text[position..position + max], &bytes[..max])
    }
}

/// What [`Window::slide`] does to stored positions: those that leave become 0, the end of a chain.
pub(super) fn slide_positions(positions: &mut [u16]) {
    for position in positions {
        *position = position.saturating_sub(WINDOW as u16);
    }
}

/// A boxed array, made without passing over the stack.
pub(super) fn boxed<T: Clone, const N: usize>(value: T) -> Box<[T; N]> {
    vec![value; N].into_boxed_slice().try_into().unwrap_or_else(|_| unreachable!("N elements"))
}

/// Length of the common prefix of two slices of equal length.
#[inline]
pub(super) fn common_prefix(a: &[u8], b: &[u8]) -> usize {
    debug_assert_eq!(a.len(), b.len());
    let mut eights_a = a.chunks_exact(8);
    let mut eights_b = b.chunks_exact(8);
    let mut n = 0;
    for (x, y) in eights_a.by_ref().zip(eights_b.by_ref()) {
        let difference = load(x, 0) ^ load(y, 0);
        if difference != 0 {
            return n + difference.trailing_zeros() as usize / 8;
        }
        n += 8;
    }
    let rest = eights_a.remainder().iter().zip(eights_b.remainder());
    n + rest.take_while(|(x, y)| x == y).count()
}

/// Eight bytes from a position on.
#[inline(always)]
pub(super) fn load(bytes: &[u8], at: usize) -> u64 {
    u64::from_le_bytes(bytes[at..at + 8].try_into().expect("eight bytes"))
}

/// The exhaustive search: zlib's own walk along a hash chain, with all its limits.
///
/// It is the reference for every faster search, parses what is appended to a prefix, and takes over where a faster
/// search meets a limit it does not model. A search looks at up to 4,096 positions.
pub(super) struct ChainFinder<'a> {
    pub window: &'a mut Window,
    /// Whether the text ends the stream, so that nothing follows that could lengthen a match.
    pub last: bool,
}

impl Finder for ChainFinder<'_> {
    #[inline]
    fn byte(&self, position: usize) -> u8 {
        self.window.text[position]
    }

    fn longest(&mut self, position: usize, longer_than: usize, buffered: usize) -> Option<Match> {
        let ahead = self.window.len - position;
        if ahead < MIN_MATCH {
            return if self.last { Some(Match::NONE) } else { None };
        }
        self.window.chain_to(position);
        let max = ahead.min(MAX_MATCH);
        let found = self.window.walk(position, longer_than, max, buffered);
        // A match that ends where the text does might be longer, and one already as long might be outdone.
        let decided = self.last || max == MAX_MATCH || usize::from(found.length) < max;
        decided.then_some(found)
    }
}

/// A walk along a hash chain, with zlib's limits.
///
/// `next` is the position before a position on its chain, 0 at the end; `common(at, beaten)` the length of the match
/// with an earlier position, at most `max`, or anything no longer than `beaten`. Returns the match found, or one of
/// length `longer_than` if there is a chain but no longer match, or none if there is no chain.
#[inline(always)]
pub(super) fn walk(
    position: usize,
    longer_than: usize,
    max: usize,
    buffered: usize,
    next: impl Fn(usize) -> usize,
    common: impl Fn(usize, usize) -> usize,
) -> Match {
    let mut at = next(position);
    // The first may be at the largest distance, later ones must be nearer; and zlib takes the string at the start of its
    // buffer for the end of the chain.
    let distance = position - at;
    if at == 0 || distance > MAX_DISTANCE || distance == buffered {
        return Match::NONE;
    }
    let mut best = Match { length: longer_than as u16, distance: 0 };
    if longer_than >= max {
        return best;
    }
    let mut left = if longer_than >= GOOD_MATCH { MAX_CHAIN / 4 } else { MAX_CHAIN };
    loop {
        let length = common(at, best.length.into());
        if length > usize::from(best.length) {
            best = Match { length: length as u16, distance: (position - at) as u16 };
            if length == max {
                return best;
            }
        }
        at = next(at);
        left -= 1;
        if at == 0 || position - at >= MAX_DISTANCE || left == 0 {
            return best;
        }
    }
}
