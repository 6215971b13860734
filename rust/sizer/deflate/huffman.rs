//! Huffman code lengths, exactly as zlib assigns them.
//!
//! The size of a block's data is the same for every optimal code, but its header lists the length of each symbol's code
//! run-length encoded, and which of several equally frequent symbols gets the shorter code changes the runs. So the
//! lengths must be zlib's own, and those fall out of the order in which a plain binary heap releases equal elements:
//! there is nothing for it but to run the same heap.
//!
//! A heap element is one number, `frequency << 15 | depth << 10 | node`: the heap orders by frequency and then by the
//! depth of the subtree, with ties left where they are, which is `a <= (b | 1023)`. Padding with the largest number
//! replaces the bounds checks of a sift, and makes a sift a fixed number of branch-free steps, so that the heaps of
//! [`LANES`] independent codes can be worked in lock step: one heap alone waits for its own loads and mispredicts every
//! other comparison. That, rather than vector instructions (gathers are slower than the loads they replace), is what
//! makes a code cheap.
//!
//! Building a code over `n` used symbols takes `O(n log n)`. References: Huffman 1952; zlib's `trees.c`; RFC 1951,
//! section 3.2.7 for the length limit.

/// Codes built in lock step.
pub const LANES: usize = 4;

/// Room for every alphabet, and a power of two so that masked indices need no bounds check.
const SYMBOLS: usize = 512;
/// Room for the children of every heap position, padding included.
const HEAP: usize = 1024;
/// Nodes are numbered leaves first; inner nodes start here.
const INNER: usize = 512;
const NODE_MASK: u32 = 1023;
const DEPTH_SHIFT: u32 = 10;
const FREQUENCY_SHIFT: u32 = 15;
const PADDING: u32 = u32::MAX;

/// The code of one lane.
pub struct Code {
    /// Used symbols, ascending; the first `used` entries count.
    symbols: [u16; SYMBOLS],
    used: usize,
    /// Depth of each node below the root: for a leaf the length of its code.
    depth: [u8; HEAP],
    /// `children[i]` are the two nodes that inner node `i` joins, in the order in which the heap released them.
    children: [[u16; 2]; SYMBOLS],
    heap: [u32; HEAP],
    heap_len: usize,
}

impl Code {
    fn new() -> Code {
        Code {
            symbols: [0; SYMBOLS],
            used: 0,
            depth: [0; HEAP],
            children: [[0; 2]; SYMBOLS],
            heap: [PADDING; HEAP],
            heap_len: 0,
        }
    }

    /// Symbols that have a code, ascending, each with its length.
    pub fn lengths(&self) -> impl Iterator<Item = (usize, u8)> + '_ {
        self.symbols[..self.used].iter().map(|&s| (usize::from(s), self.depth[usize::from(s)]))
    }

    /// Reads the frequencies into an unordered heap.
    fn load(&mut self, frequencies: &[u16]) {
        debug_assert!(frequencies.len() < INNER);
        self.used = 0;
        for (symbol, &frequency) in frequencies.iter().enumerate() {
            self.symbols[self.used & (SYMBOLS - 1)] = symbol as u16;
            self.heap[(self.used + 1) & (HEAP - 1)] = u32::from(frequency) << FREQUENCY_SHIFT | symbol as u32;
            self.used += usize::from(frequency != 0);
        }
        // The format wants two codes at least: zlib lends a frequency of one to the next symbol, or to symbol 0.
        while self.used < 2 {
            let last = if self.used == 0 { None } else { Some(self.symbols[0]) };
            let lent = last.map_or(0, |last| if last < 2 { last + 1 } else { 0 });
            self.symbols[self.used] = lent;
            self.heap[self.used + 1] = 1 << FREQUENCY_SHIFT | u32::from(lent);
            self.used += 1;
            self.symbols[..self.used].sort_unstable();
        }
        self.heap_len = self.used;
    }

    /// One step of a sift: moves the hole at `at` down if a child goes before `element`. Once it no longer moves,
    /// further steps change nothing, which makes the number of steps irrelevant.
    #[inline(always)]
    fn sift_step(&mut self, at: &mut usize, element: u32) {
        let pair = (2 * *at) & (HEAP - 2);
        let (left, right) = (self.heap[pair], self.heap[pair | 1]);
        let take_right = right <= (left | NODE_MASK);
        let child = if take_right { right } else { left };
        let below = 2 * *at + usize::from(take_right);
        let stays = element <= (child | NODE_MASK);
        self.heap[*at & (HEAP - 1)] = if stays { element } else { child };
        *at = if stays { *at } else { below };
    }

    /// Depths of all nodes from the inner nodes' children, the root (the last inner node) downwards.
    fn assign_depths(&mut self) {
        let inner = self.used - 1;
        self.depth[INNER + inner - 1] = 0;
        for i in (0..inner).rev() {
            let below = self.depth[(INNER + i) & (HEAP - 1)].wrapping_add(1);
            let [a, b] = self.children[i & (SYMBOLS - 1)];
            self.depth[usize::from(a) & (HEAP - 1)] = below;
            self.depth[usize::from(b) & (HEAP - 1)] = below;
        }
    }

    /// Shortens codes longer than `max_bits`, lengthening others, the way zlib does: not optimal, but near enough.
    fn limit_depths(&mut self, max_bits: u8) {
        let inner = self.used - 1;
        let nodes = self.children[..inner].iter().flatten();
        let mut excess = nodes.filter(|&&n| self.depth[usize::from(n)] > max_bits).count();
        if excess == 0 {
            return;
        }
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
pub struct Builder {
    lanes: Box<[Code; LANES]>,
}

impl Builder {
    pub fn new() -> Builder {
        Builder { lanes: Box::new(std::array::from_fn(|_| Code::new())) }
    }

    /// The codes for some frequency tables, at most [`LANES`] of them, of one alphabet.
    ///
    /// Frequencies of one table add up to less than 2^17, which a full block of 16,383 symbols does not approach.
    pub fn build(&mut self, tables: &[&[u16]], max_bits: u8) -> &[Code] {
        match tables.len() {
            1 => self.build_lanes::<1>(tables),
            2 => self.build_lanes::<2>(tables),
            3 => self.build_lanes::<3>(tables),
            LANES => self.build_lanes::<LANES>(tables),
            n => panic!("{n} codes at once, at most {LANES}"),
        }
        let codes = &mut self.lanes[..tables.len()];
        for code in &mut *codes {
            code.assign_depths();
            code.limit_depths(max_bits);
        }
        codes
    }

    fn build_lanes<const N: usize>(&mut self, tables: &[&[u16]]) {
        let lanes: &mut [Code; N] = (&mut self.lanes[..N]).try_into().expect("N lanes");
        for (lane, table) in lanes.iter_mut().zip(tables) {
            lane.load(table);
        }
        let longest = lanes.iter().map(|lane| lane.used).max().expect("at least one lane");
        for lane in &mut *lanes {
            lane.heap[lane.used + 1..2 * longest + 2].fill(PADDING);
        }
        for top in (1..=longest / 2).rev() {
            let elements: [u32; N] = std::array::from_fn(|l| lanes[l].heap[top]);
            sift(lanes, top, (longest / top).ilog2(), elements);
        }
        // A lane that is done goes on with a heap of one element: whatever it computes is not looked at.
        for joined in 0..longest - 1 {
            let levels = (longest - joined - 1).ilog2();
            let first: [u32; N] = std::array::from_fn(|l| lanes[l].heap[1]);
            let last: [u32; N] = std::array::from_fn(|l| {
                let lane = &mut lanes[l];
                let last = lane.heap[lane.heap_len & (HEAP - 1)];
                lane.heap[lane.heap_len & (HEAP - 1)] = PADDING;
                lane.heap_len = lane.heap_len.max(2) - 1;
                last
            });
            sift(lanes, 1, levels, last);
            let node: [u32; N] = std::array::from_fn(|l| {
                let (a, b) = (first[l], lanes[l].heap[1]);
                lanes[l].children[joined & (SYMBOLS - 1)] = [(a & NODE_MASK) as u16, (b & NODE_MASK) as u16];
                let depth = |x: u32| x >> DEPTH_SHIFT & 31;
                let frequency = (a >> FREQUENCY_SHIFT) + (b >> FREQUENCY_SHIFT);
                frequency << FREQUENCY_SHIFT
                    | (depth(a).max(depth(b)) + 1) << DEPTH_SHIFT
                    | (INNER + joined) as u32 & NODE_MASK
            });
            sift(lanes, 1, levels, node);
        }
    }
}

/// Sifts one element of each lane down from position `top`, which has at most `levels` levels below it.
#[inline(always)]
fn sift<const N: usize>(lanes: &mut [Code; N], top: usize, levels: u32, elements: [u32; N]) {
    let mut at = [top; N];
    for l in 0..N {
        lanes[l].heap[top & (HEAP - 1)] = elements[l];
    }
    for _ in 0..levels {
        for l in 0..N {
            lanes[l].sift_step(&mut at[l], elements[l]);
        }
    }
    for l in 0..N {
        lanes[l].heap[at[l] & (HEAP - 1)] = elements[l];
    }
}
