//! Huffman code lengths, exactly as zlib assigns them.
//!
//! The size of a block's data is the same for every optimal code, but its header lists the length of each symbol's code
//! run-length encoded, and which of several equally frequent symbols gets the shorter code changes the runs. So the
//! lengths must be zlib's own, and those fall out of the order in which a plain binary heap releases equal elements:
//! there is nothing for it but to run the same heap.
//!
//! The heaps of [`LANES`] independent codes are worked in lock step ([`heap`](super::heap)), which is what makes a code
//! cheap.
//!
//! Building a code over `n` used symbols takes `O(n log n)`. References: Huffman 1952; zlib's `trees.c`; RFC 1951,
//! section 3.2.7 for the length limit.

use super::heap::{Heap, NODE_MASK, order, replace_first};

/// Codes built in lock step.
pub(super) const LANES: usize = 8;

/// Room for every alphabet, and a power of two so that masked indices need no bounds check.
const SYMBOLS: usize = 512;
/// Leaves and inner nodes.
const NODES: usize = 1024;
/// Nodes are numbered leaves first; inner nodes start here.
const INNER: usize = 512;
const DEPTH_SHIFT: u32 = 10;
const FREQUENCY_SHIFT: u32 = 15;

/// The code of one lane.
pub(super) struct Code {
    /// Used symbols, ascending; the first `used` entries count.
    symbols: [u16; SYMBOLS],
    used: usize,
    /// Depth of each node below the root: for a leaf the length of its code.
    depth: [u8; NODES],
    /// `children[i]` are the two nodes that inner node `i` joins, in the order in which the heap released them.
    children: [[u16; 2]; SYMBOLS],
}

impl Code {
    fn new() -> Code {
        Code { symbols: [0; SYMBOLS], used: 0, depth: [0; NODES], children: [[0; 2]; SYMBOLS] }
    }

    /// Symbols that have a code, ascending, each with its length.
    pub(super) fn lengths(&self) -> impl Iterator<Item = (usize, u8)> + '_ {
        self.symbols[..self.used].iter().map(|&s| (usize::from(s), self.depth[usize::from(s)]))
    }

    /// Reads the frequencies into an unordered heap.
    fn load(&mut self, frequencies: &[u16], heap: &mut Heap) {
        debug_assert!(frequencies.len() < INNER);
        let elements = heap.unordered();
        self.used = 0;
        for (symbol, &frequency) in frequencies.iter().enumerate() {
            self.symbols[self.used & (SYMBOLS - 1)] = symbol as u16;
            elements[self.used & (SYMBOLS - 1)] = u32::from(frequency) << FREQUENCY_SHIFT | symbol as u32;
            self.used += usize::from(frequency != 0);
        }
        // The format wants two codes at least: zlib lends a frequency of one to the next symbol, or to symbol 0.
        while self.used < 2 {
            let last = if self.used == 0 { None } else { Some(self.symbols[0]) };
            let lent = last.map_or(0, |last| if last < 2 { last + 1 } else { 0 });
            self.symbols[self.used] = lent;
            elements[self.used] = 1 << FREQUENCY_SHIFT | u32::from(lent);
            self.used += 1;
            self.symbols[..self.used].sort_unstable();
        }
        heap.hold(self.used);
    }

    /// Depths of all nodes from the inner nodes' children, the root (the last inner node) downwards; returns the
    /// largest.
    fn assign_depths(&mut self) -> u8 {
        let inner = self.used - 1;
        let mut largest = 0;
        self.depth[INNER + inner - 1] = 0;
        for i in (0..inner).rev() {
            let below = self.depth[(INNER + i) & (NODES - 1)].wrapping_add(1);
            let [a, b] = self.children[i & (SYMBOLS - 1)];
            self.depth[usize::from(a) & (NODES - 1)] = below;
            self.depth[usize::from(b) & (NODES - 1)] = below;
            largest = largest.max(below);
        }
        largest
    }

    /// Shortens codes longer than `max_bits`, lengthening others, the way zlib does: not optimal, but near enough.
    fn limit_depths(&mut self, max_bits: u8) {
        let inner = self.used - 1;
        let nodes = self.children[..inner].iter().flatten();
        let mut excess = nodes.filter(|&&n| self.depth[usize::from(n)] > max_bits).count();
        let mut count = [0u16; 16];
        for (_, bits) in self.lengths() {
            count[usize::from(bits.min(max_bits))] += 1;
        }
        // Each turn moves one leaf down the tree and puts one of the excess beside it; the excess leaf's own brother
        // moves up, which leaves the count of the longest codes one lower. Excess nodes come in pairs.
        let max = usize::from(max_bits);
        while excess > 0 {
            let mut bits = max - 1;
            while count[bits] == 0 {
                bits -= 1;
            }
            count[bits] -= 1;
            count[bits + 1] += 2;
            count[max] -= 1;
            excess = excess.saturating_sub(2);
        }
        // The rarest symbols, in the order in which the heap released them, get the longest codes.
        let mut bits = max;
        for i in 0..inner {
            for node in self.children[i].map(usize::from) {
                if node < INNER {
                    while count[bits] == 0 {
                        bits -= 1;
                    }
                    count[bits] -= 1;
                    self.depth[node] = bits as u8;
                }
            }
        }
    }
}

/// Working memory in which [`LANES`] codes are built.
pub(super) struct Builder {
    codes: Box<[Code; LANES]>,
    heaps: Box<[Heap; LANES]>,
}

impl Builder {
    pub(super) fn new() -> Builder {
        Builder {
            codes: Box::new(std::array::from_fn(|_| Code::new())),
            heaps: Box::new(std::array::from_fn(|_| Heap::new())),
        }
    }

    /// The codes for some frequency tables, at most [`LANES`] of them, of one alphabet.
    ///
    /// Frequencies of one table add up to less than 2^17, which a full block of 16,383 symbols does not approach.
    pub(super) fn build(&mut self, tables: &[&[u16]], max_bits: u8) -> &[Code] {
        match tables.len() {
            1 => self.build_lanes::<1>(tables),
            2 => self.build_lanes::<2>(tables),
            3..=4 => self.build_lanes::<4>(tables),
            5..=LANES => self.build_lanes::<LANES>(tables),
            n => panic!("{n} codes at once, at most {LANES}"),
        }
        let codes = &mut self.codes[..tables.len()];
        for code in &mut *codes {
            if code.assign_depths() > max_bits {
                code.limit_depths(max_bits);
            }
        }
        codes
    }

    fn build_lanes<const N: usize>(&mut self, tables: &[&[u16]]) {
        let codes: &mut [Code; N] = self.codes.first_chunk_mut().expect("N lanes");
        let heaps: &mut [Heap; N] = self.heaps.first_chunk_mut().expect("N lanes");
        let tables = tables.iter().copied().chain(std::iter::repeat(&[][..]));
        for ((code, heap), table) in codes.iter_mut().zip(&mut *heaps).zip(tables) {
            code.load(table, heap);
        }
        let longest = order(heaps);
        // A lane that is done goes on with a heap of one element: whatever it computes is not looked at.
        for joined in 0..longest - 1 {
            let left = longest - joined - 1;
            let first: [u32; N] = std::array::from_fn(|l| heaps[l].first());
            let last = std::array::from_fn(|l| heaps[l].take_last());
            replace_first(heaps, last, left);
            let node = std::array::from_fn(|l| {
                let (a, b) = (first[l], heaps[l].first());
                codes[l].children[joined & (SYMBOLS - 1)] = [(a & NODE_MASK) as u16, (b & NODE_MASK) as u16];
                let depth = |x: u32| x >> DEPTH_SHIFT & 31;
                let frequency = (a >> FREQUENCY_SHIFT) + (b >> FREQUENCY_SHIFT);
                frequency << FREQUENCY_SHIFT
                    | (depth(a).max(depth(b)) + 1) << DEPTH_SHIFT
                    | (INNER + joined) as u32 & NODE_MASK
            });
            replace_first(heaps, node, left);
        }
    }
}
