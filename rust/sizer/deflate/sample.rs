//! What a sample holds of itself: matches between its own parts.
//!
//! Matches inside a sample do not depend on the prefix. They are searched along chains of equal hashes, as in zlib, but
//! all links are made in one pass beforehand: a position's chain is the same whenever it is walked, since it only leads
//! backwards. There are chains of four bytes, which hold every match longer than three and are short, and chains of three
//! bytes, of which a match of three needs only the nearest position.
//!
//! The other matches that depend little on the prefix are those that start in it and run on into the sample
//! ([`Crossings`]). The text following their start is the sample itself, so they are found from the positions in the
//! sample where its own beginning recurs, extended backwards over the prefix's end.
//!
//! Preparing a sample takes linear time, and four bytes of memory per byte.

use memchr::memchr_iter;

use super::format::{MAX_MATCH, MIN_MATCH};
use super::parse::Match;
use super::window::{boxed, common_prefix, hash, hash_on, load};

const BUCKET_BITS: u32 = 14;
const BUCKETS: usize = 1 << BUCKET_BITS;
/// For the shortest samples.
const MIN_BUCKET_BITS: u32 = 8;

/// Bytes behind a sample, so that eight can be loaded at any position.
const PADDING: [u8; 8] = [0; 8];

/// A sample prepared for the search.
#[derive(Default)]
pub(super) struct Sample {
    /// The bytes, and eight zeros.
    bytes: Vec<u8>,
    len: usize,
    /// By position.
    links: Vec<Links>,
    /// At least the number of positions that share a hash.
    longest_chain: usize,
}

/// One more than the position before this one in the same bucket, or zero.
#[derive(Clone, Copy)]
struct Links {
    /// In the buckets of three bytes.
    three: u16,
    /// In the buckets of four.
    four: u16,
}

/// Tables for linking a sample: of each bucket one more than its last position, and for three bytes, in the upper half,
/// how many positions it has. On the heap: a sizer is made and moved where stacks may be small.
pub(super) struct Linker {
    three: Box<[u32; BUCKETS]>,
    four: Box<[u16; BUCKETS]>,
}

impl Linker {
    pub(super) fn new() -> Linker {
        Linker { three: boxed(0), four: boxed(0) }
    }
}

impl Sample {
    /// Holds a sample that will not be searched, re-using memory.
    pub(super) fn hold(&mut self, bytes: &[u8]) {
        self.len = bytes.len();
        self.bytes.clear();
        self.bytes.reserve_exact(bytes.len() + PADDING.len());
        self.bytes.extend_from_slice(bytes);
        self.bytes.extend_from_slice(&PADDING);
    }

    /// Prepares a sample for the search, re-using memory.
    pub(super) fn prepare(&mut self, bytes: &[u8], linker: &mut Linker) {
        debug_assert!(bytes.len() < usize::from(u16::MAX));
        self.hold(bytes);
        let (three, four) = (&mut *linker.three, &mut *linker.four);
        // Fewer buckets for a short sample: emptying them is most of the work. Still several to a position, for few walks
        // that lead nowhere.
        let bits = (bytes.len().next_power_of_two().ilog2() + 3).clamp(MIN_BUCKET_BITS, BUCKET_BITS);
        let used = (1 << bits) - 1;
        let bucket = |n: u32| (n.wrapping_mul(0x9e37_79b1) >> (32 - BUCKET_BITS)) as usize & used;
        three[..=used].fill(0);
        four[..=used].fill(0);
        let mut here = 0;
        let mut most = 0;
        let mut hash = bytes.first_chunk().map_or(0, |&[a, b]| hash(0, a, b));
        let link = |eight: &[u8]| {
            here += 1;
            hash = hash_on(hash, eight[2]);
            // Buckets refine to zlib's hashes, so that their sizes bound the lengths of zlib's chains.
            let last = &mut three[bucket(hash as u32)];
            let three = *last as u16;
            let count = (*last | 0xffff) + 1;
            most = count.max(most);
            *last = count | here;
            // The last four bytes reach into the padding, but no match as long is sought there.
            let four = std::mem::replace(&mut four[bucket(load(eight, 0) as u32)], here as u16);
            Links { three, four }
        };
        let Sample { bytes: text, links, .. } = self;
        links.clear();
        let starts = (bytes.len() + 1).saturating_sub(MIN_MATCH);
        links.extend(text.windows(PADDING.len()).take(starts).map(link));
        let most = most >> 16;
        self.longest_chain = most as usize;
    }

    pub(super) fn len(&self) -> usize {
        self.len
    }

    pub(super) fn bytes(&self) -> &[u8] {
        &self.bytes[..self.len]
    }

    /// The bytes and eight more.
    pub(super) fn padded(&self) -> &[u8] {
        &self.bytes
    }

    pub(super) fn longest_chain(&self) -> usize {
        self.longest_chain
    }

    /// The last position before `start` with this hash of zlib's.
    pub(super) fn previous(&self, start: usize, hash_sought: usize) -> Option<usize> {
        let mut link = self.links[start].three;
        while link > 0 {
            let at = usize::from(link) - 1;
            if hash(self.bytes[at], self.bytes[at + 1], self.bytes[at + 2]) == hash_sought {
                return Some(at);
            }
            link = self.links[at].three;
        }
        None
    }

    /// The nearest of the longest matches at `start` with an earlier part of the sample, not before `oldest`, if longer
    /// than `longer_than`; otherwise a match of no more than that length.
    #[inline(always)]
    pub(super) fn longest(&self, start: usize, longer_than: usize, oldest: usize) -> Match {
        let max = (self.len - start).min(MAX_MATCH);
        let oldest = oldest as u16;
        if longer_than < max {
            // Matches of four bytes and more. A longer match ends with four bytes that have occurred before, too.
            let length = longer_than.max(MIN_MATCH);
            let last_four = if length < max { self.links[start + length - MIN_MATCH].four } else { 0 };
            let links = self.links[start];
            if (links.four > oldest) & (last_four > oldest)
                && let Some(found) = self.longest_of_four(start, length, max, oldest)
            {
                return found;
            }
            // There is none: all others are of three bytes.
            if longer_than < MIN_MATCH
                && links.three > oldest
                && let Some(found) = self.three(start, oldest)
            {
                return found;
            }
        }
        Match { length: longer_than as u16, distance: 0 }
    }

    /// The nearest of the longest matches longer than `length`, three at least, and at most `max`.
    #[inline(always)]
    fn longest_of_four(&self, start: usize, mut length: usize, max: usize, oldest: u16) -> Option<Match> {
        let text = &self.bytes[..];
        let key = |at: usize, length: usize| load(text, at + length - MIN_MATCH) as u32;
        let mut best = None;
        let mut sought = key(start, length);
        let mut link = self.links[start].four;
        while link > oldest {
            let at = usize::from(link) - 1;
            if key(at, length) == sought {
                let found = common(text, at, start, max);
                if found > length {
                    length = found;
                    best = Some(Match { length: length as u16, distance: (start - at) as u16 });
                    if length == max || self.links[start + length - MIN_MATCH].four <= oldest {
                        break;
                    }
                    sought = key(start, length);
                }
            }
            link = self.links[at].four;
        }
        best
    }

    /// The nearest match of three bytes.
    #[inline(always)]
    fn three(&self, start: usize, oldest: u16) -> Option<Match> {
        let three = |at: usize| load(&self.bytes, at) as u32 & 0xff_ffff;
        let sought = three(start);
        let mut link = self.links[start].three;
        while link > oldest {
            let at = usize::from(link) - 1;
            if three(at) == sought {
                return Some(Match { length: MIN_MATCH as u16, distance: (start - at) as u16 });
            }
            link = self.links[at].three;
        }
        None
    }
}

/// Length of the common prefix of a padded text's suffixes at `a` and, further on, `b`, at most `max`, which reaches no
/// further than the padding.
#[inline]
fn common(text: &[u8], a: usize, b: usize, max: usize) -> usize {
    let mut length = 0;
    loop {
        let difference = load(text, a + length) ^ load(text, b + length);
        if difference != 0 {
            return max.min(length + difference.trailing_zeros() as usize / 8);
        }
        length += 8;
        if length >= max {
            return max;
        }
    }
}

/// A match that starts in the prefix and runs into the sample.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Crossing {
    start: u16,
    /// 258 minus the length: longer matches first.
    shortness: u16,
    distance: u16,
}

/// The longest, then nearest, match at each position that starts in the prefix and runs into the sample.
#[derive(Default)]
pub(super) struct Crossings {
    /// By position.
    sorted: Vec<Crossing>,
    next: usize,
    /// The prefix's tail, if it has one, and the sample's first bytes, as far as a match can reach, and eight more.
    seam: Vec<u8>,
    /// Whether the sample repeats the prefix's end, so that a match may start in the tail and run into the sample both.
    overlaps: bool,
}

impl Crossings {
    /// Finds the crossing matches of a sample behind a text with a tail of some length.
    pub(super) fn find(&mut self, before: &[u8], tail: usize, sample: &Sample) {
        self.sorted.clear();
        self.next = 0;
        self.overlaps = false;
        self.seam.clear();
        if tail > 0 {
            self.seam.extend_from_slice(&before[before.len() - tail..]);
            self.seam.extend_from_slice(&sample.padded()[..sample.len().min(MAX_MATCH) + PADDING.len()]);
        }
        let sample = sample.bytes();
        // The byte at position 0 of the prefix is never matched.
        let (Some(&first), Some((_, before)), Some(&last)) = (sample.first(), before.split_first(), before.last())
        else {
            return;
        };
        if before.is_empty() {
            return;
        }
        // Where the sample's start recurs behind the prefix's last byte.
        for distance in memchr_iter(first, &sample[1..]).map(|at| at + 1) {
            if sample[distance - 1] != last {
                continue;
            }
            let backwards = before.iter().rev().zip(sample[..distance].iter().rev()).take(MAX_MATCH - 1);
            let inside = backwards.take_while(|(a, b)| a == b).count();
            self.overlaps |= inside == distance;
            let ahead = (sample.len() - distance).min(MAX_MATCH);
            let beyond = common_prefix(&sample[..ahead], &sample[distance..distance + ahead]);
            for inside in 1..=inside {
                let length = (inside + beyond).min(MAX_MATCH);
                self.sorted.push(Crossing {
                    start: (distance - inside) as u16,
                    shortness: (MAX_MATCH - length) as u16,
                    distance: distance as u16,
                });
            }
        }
        self.sorted.sort_unstable();
    }

    /// The prefix's tail from one of its bytes on, and what follows it; `None` if a match of that byte's that starts in
    /// the prefix might itself run on into the sample.
    #[inline]
    pub(super) fn seam(&self, start: usize) -> Option<&[u8]> {
        if self.overlaps { None } else { Some(&self.seam[start..]) }
    }

    /// The crossing match at a position; positions are asked for in ascending order.
    #[inline]
    pub(super) fn at(&mut self, start: usize) -> Option<Match> {
        while self.sorted.get(self.next).is_some_and(|c| usize::from(c.start) < start) {
            self.next += 1;
        }
        let crossing = self.sorted.get(self.next).filter(|c| usize::from(c.start) == start)?;
        Some(Match { length: MAX_MATCH as u16 - crossing.shortness, distance: crossing.distance })
    }
}
