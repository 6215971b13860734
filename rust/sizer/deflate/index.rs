//! The index of a prefix: where each string of three to eight bytes occurred last.
//!
//! A search along hash chains looks at every earlier position that shares three bytes. This index answers instead: *what
//! is the nearest position with a match longer than `n`?* That is the last occurrence of the `n + 1` bytes sought. The
//! search extends the match found there to its full length `m`, asks for `m + 1` bytes, and so on until the answer is
//! "nowhere". Each answer is the nearest of its length, so that the last one is zlib's choice: the longest match, and of
//! several the nearest. Most searches take one or two questions.
//!
//! There is a hash table for each length of string, 3 to 8. Its buckets are chains of the *last* positions of the
//! distinct strings of that hash, most recent first: a string that recurs moves to the front. So strings that have left
//! the window gather at the ends of the chains, where the first position out of reach ends a walk; nothing is ever
//! deleted. For longer matches the table of eight bytes also links all occurrences of a string: the last eight of the
//! bytes sought are looked up, and the positions where they occur are tried in turn.
//!
//! Each position also knows the longest of its strings that had occurred before. An answer is the last occurrence of what
//! was asked, so that a longer match would be before it. If the match found is longer than what that position had of
//! old, there is none, and the search saves its last question.
//!
//! A question takes expected constant time, appending a byte as well. Positions are 16 bits, as in
//! [`window`](super::window).

use super::format::{MIN_MATCH, WINDOW};
use super::window::{Window, boxed, load, slide_positions};

/// Longest string with a table of its own.
const MAX_GRAM: usize = 8;
const BUCKET_BITS: u32 = 15;
const BUCKETS: usize = 1 << BUCKET_BITS;

/// Position 0 is never matched.
const FIRST: [usize; MAX_GRAM - MIN_MATCH + 1] = [1; MAX_GRAM - MIN_MATCH + 1];

/// Last positions of the strings of one length.
struct Table {
    /// First position of each bucket.
    head: Box<[u16; BUCKETS]>,
    /// The next position of the same bucket, by the position's lower 15 bits.
    next: Box<[u16; WINDOW]>,
}

/// Where each short string of a window occurred last.
pub(super) struct Index {
    /// Tables of strings of 3 to 8 bytes.
    tables: [Table; MAX_GRAM - MIN_MATCH + 1],
    /// The previous occurrence of the eight bytes at a position.
    previous: Box<[u16; WINDOW]>,
    /// Length of the longest string at a position, of at most eight bytes, that had occurred before.
    recurring: Box<[u8; WINDOW]>,
    /// Positions below this are in the table of their length.
    indexed: [usize; MAX_GRAM - MIN_MATCH + 1],
}

/// The first `length` bytes of a little-endian load, shifted to the top.
#[inline(always)]
fn gram(eight: u64, length: usize) -> u64 {
    eight << (64 - 8 * length)
}

#[inline(always)]
fn bucket(gram: u64) -> usize {
    (gram.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> (64 - BUCKET_BITS)) as usize
}

impl Index {
    pub(super) fn new() -> Index {
        Index {
            tables: std::array::from_fn(|_| Table { head: boxed(0), next: boxed(0) }),
            previous: boxed(0),
            recurring: boxed(0),
            indexed: FIRST,
        }
    }

    pub(super) fn clear(&mut self) {
        self.tables.iter_mut().for_each(|table| table.head.fill(0));
        self.indexed = FIRST;
    }

    /// Follows the window's slide.
    pub(super) fn slide(&mut self) {
        for table in &mut self.tables {
            slide_positions(&mut table.head[..]);
            slide_positions(&mut table.next[..]);
        }
        slide_positions(&mut self.previous[..]);
        self.indexed = self.indexed.map(|i| i.saturating_sub(WINDOW).max(1));
    }

    /// Indexes what was appended to the window, as far as it will be in reach.
    pub(super) fn update(&mut self, window: &Window) {
        self.update_table::<3>(window);
        self.update_table::<4>(window);
        self.update_table::<5>(window);
        self.update_table::<6>(window);
        self.update_table::<7>(window);
        self.update_table::<8>(window);
    }

    fn update_table<const K: usize>(&mut self, window: &Window) {
        let table = &mut self.tables[K - MIN_MATCH];
        let indexed = &mut self.indexed[K - MIN_MATCH];
        let end = (window.len() + 1).saturating_sub(K);
        for position in (*indexed).max(end.saturating_sub(WINDOW - 1))..end {
            let sought = gram(window.eight(position), K);
            let head = &mut table.head[bucket(sought)];
            let oldest = (position + 1).saturating_sub(WINDOW).max(1);
            let mut before = None;
            // A string is new if its own beginning is.
            let new = K > MIN_MATCH && usize::from(self.recurring[position % WINDOW]) < K - 1;
            let mut at = if new { 0 } else { usize::from(*head) };
            while at >= oldest && gram(window.eight(at), K) != sought {
                before = Some(at);
                at = table.next[at % WINDOW].into();
            }
            let found = at >= oldest;
            // Move the string to the front of its bucket.
            match before {
                Some(before) if found => {
                    table.next[before % WINDOW] = table.next[at % WINDOW];
                    table.next[position % WINDOW] = *head;
                }
                None if found => table.next[position % WINDOW] = table.next[at % WINDOW],
                _ => table.next[position % WINDOW] = *head,
            }
            *head = position as u16;
            if K == MIN_MATCH {
                self.recurring[position % WINDOW] = 0;
            }
            if found {
                self.recurring[position % WINDOW] = K as u8;
            }
            if K == MAX_GRAM {
                self.previous[position % WINDOW] = if found { at as u16 } else { 0 };
            }
        }
        *indexed = (*indexed).max(end);
    }

    /// Last position, not before `oldest`, of the first `length` of eight bytes, and what follows there differs in.
    #[inline(always)]
    fn last(&self, length: usize, window: &Window, eight: u64, oldest: usize) -> Option<(usize, u64)> {
        let sought = gram(eight, length);
        let table = &self.tables[length - MIN_MATCH];
        let mut at = usize::from(table.head[bucket(sought)]);
        while at >= oldest {
            let difference = window.eight(at) ^ eight;
            if gram(difference, length) == 0 {
                return Some((at, difference));
            }
            at = table.next[at % WINDOW].into();
        }
        None
    }

    /// The nearest of the longest matches of a sample's text from `start` on that are longer than `longer_than` (two at
    /// least) and wholly in the window from `oldest` on: its length and position. A match that reaches the window's end
    /// counts up to there.
    ///
    /// The sample has eight bytes more than its `len`, of any value.
    #[inline(always)]
    pub(super) fn longest(
        &self,
        window: &Window,
        sample: &[u8],
        start: usize,
        longer_than: usize,
        max: usize,
        oldest: usize,
    ) -> Option<(usize, usize)> {
        debug_assert!(oldest > 0 && longer_than + 1 >= MIN_MATCH);
        let eight = load(sample, start);
        let mut length = longer_than;
        let mut best = None;
        while length < max {
            let found = if length < MAX_GRAM {
                self.last(length + 1, window, eight, oldest)
            } else {
                self.last_long(window, sample, start, length + 1, oldest)
            };
            let Some((at, difference)) = found else { break };
            let common = if difference == 0 {
                window.common_beyond_eight(at, sample, start, max)
            } else {
                difference.trailing_zeros() as usize / 8
            };
            length = common.min(max).min(window.len() - at);
            best = Some((length, at));
            if usize::from(self.recurring[at % WINDOW]) < length.min(MAX_GRAM) {
                break;
            }
        }
        best
    }

    /// Last position, not before `oldest`, of more than eight bytes.
    fn last_long(
        &self,
        window: &Window,
        sample: &[u8],
        start: usize,
        length: usize,
        oldest: usize,
    ) -> Option<(usize, u64)> {
        let offset = length - MAX_GRAM;
        let sought = &sample[start..start + offset];
        let mut found = self.last(MAX_GRAM, window, load(sample, start + offset), oldest + offset);
        while let Some((at, _)) = found {
            if window.common_with(at - offset, sought) == offset {
                return Some((at - offset, 0));
            }
            let previous = usize::from(self.previous[at % WINDOW]);
            found = if previous >= oldest + offset { Some((previous, 0)) } else { None };
        }
        None
    }
}
