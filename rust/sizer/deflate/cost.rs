//! What a block would cost with its own Huffman codes, and with the fixed ones.
//!
//! A block with its own (*dynamic*) codes starts with the lengths of those codes. They are run-length encoded over an
//! alphabet of 19 symbols (a length, "repeat the last length", and two kinds of "repeat zero"), which are Huffman coded
//! in turn (RFC 1951, section 3.2.7). Only the used symbols are looked at: a run of zeros is the gap between two of
//! them, so that a header costs time in proportion to the symbols in use, not to the alphabet.
//!
//! Several blocks, for instance those of several candidates against one prefix, are costed together, because their
//! codes are built in lock step ([`huffman`](super::huffman)).

use super::format::{
    DISTANCE_CODES, END_OF_BLOCK, FIXED_DISTANCE_BITS, LENGTH_CODE_ORDER, LENGTH_CODES, LITERAL_CODES, MAX_BITS,
    MAX_LENGTH_BITS, distance_extra_bits, fixed_literal_bits, literal_extra_bits,
};
use super::huffman::{Builder, Code, LANES};

/// How often each symbol occurs in a block.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Histogram {
    pub literals: [u16; LITERAL_CODES],
    pub distances: [u16; DISTANCE_CODES],
}

impl Histogram {
    /// An empty block: nothing but its end.
    pub(super) const EMPTY: Histogram = {
        let mut literals = [0; LITERAL_CODES];
        literals[END_OF_BLOCK] = 1;
        Histogram { literals, distances: [0; DISTANCE_CODES] }
    };
}

/// Bits of a block's content, from behind the three bits that say which kind it is, to the end-of-block symbol.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Cost {
    /// With the block's own codes, their description included.
    pub dynamic: u64,
    /// With the fixed codes.
    pub fixed: u64,
}

/// Working memory for costing blocks. On the heap: a sizer is made and moved where stacks may be small.
pub(super) struct Coster {
    builder: Box<Builder>,
    /// Frequencies of the code-length alphabet, one table a block.
    lengths: [[u16; LENGTH_CODES]; LANES],
}

impl Coster {
    // Not in the frame of a caller, which may be one of many that call each other.
    #[inline(never)]
    pub(super) fn new() -> Coster {
        Coster { builder: Box::new(Builder::new()), lengths: [[0; LENGTH_CODES]; LANES] }
    }

    /// Costs of at most [`LANES`] blocks; entries beyond them are zero.
    pub(super) fn costs(&mut self, blocks: &[&Histogram]) -> [Cost; LANES] {
        let mut costs = [Cost::default(); LANES];
        let n = blocks.len();
        let mut tables: [&[u16]; LANES] = [&[]; LANES];

        for (table, block) in tables.iter_mut().zip(blocks) {
            *table = &block.literals;
        }
        let codes = self.builder.build(&tables[..n], MAX_BITS);
        for (i, block) in blocks.iter().enumerate() {
            self.lengths[i] = [0; LENGTH_CODES];
            costs[i].dynamic += code_bits(&codes[i], &block.literals, &mut self.lengths[i]);
        }

        for (table, block) in tables.iter_mut().zip(blocks) {
            *table = &block.distances;
        }
        let codes = self.builder.build(&tables[..n], MAX_BITS);
        for (i, block) in blocks.iter().enumerate() {
            costs[i].dynamic += code_bits(&codes[i], &block.distances, &mut self.lengths[i]);
        }

        for (table, lengths) in tables.iter_mut().zip(&self.lengths) {
            *table = lengths;
        }
        let codes = self.builder.build(&tables[..n], MAX_LENGTH_BITS);
        for (i, block) in blocks.iter().enumerate() {
            let (extra, fixed) = constant_bits(block);
            costs[i].dynamic += extra + length_code_bits(&codes[i], &self.lengths[i]);
            costs[i].fixed = extra + fixed;
        }
        costs
    }
}

/// Bits that do not depend on the block's own codes: extra bits, and the symbols in the fixed codes.
fn constant_bits(block: &Histogram) -> (u64, u64) {
    const LITERAL_FIXED: [u16; LITERAL_CODES] = {
        let mut table = [0; LITERAL_CODES];
        let mut i = 0;
        while i < LITERAL_CODES {
            table[i] = fixed_literal_bits(i) as u16;
            i += 1;
        }
        table
    };
    let weigh = |frequencies: &[u16], weights: &[u16]| -> u64 {
        frequencies.iter().zip(weights).map(|(&f, &w)| u32::from(f) * u32::from(w)).sum::<u32>().into()
    };
    const LENGTH_EXTRA: [u16; LITERAL_CODES - END_OF_BLOCK] = {
        let mut table = [0; LITERAL_CODES - END_OF_BLOCK];
        let mut i = 0;
        while i < table.len() {
            table[i] = literal_extra_bits(END_OF_BLOCK + i) as u16;
            i += 1;
        }
        table
    };
    const DISTANCE_EXTRA: [u16; DISTANCE_CODES] = {
        let mut table = [0; DISTANCE_CODES];
        let mut i = 0;
        while i < DISTANCE_CODES {
            table[i] = distance_extra_bits(i) as u16;
            i += 1;
        }
        table
    };
    const DISTANCE_FIXED: [u16; DISTANCE_CODES] = [FIXED_DISTANCE_BITS as u16; DISTANCE_CODES];
    let extra = weigh(&block.literals[END_OF_BLOCK..], &LENGTH_EXTRA) + weigh(&block.distances, &DISTANCE_EXTRA);
    let fixed = weigh(&block.literals, &LITERAL_FIXED) + weigh(&block.distances, &DISTANCE_FIXED);
    (extra, fixed)
}

/// Symbols of the code-length alphabet beyond the lengths themselves.
const REPEAT_LENGTH: usize = 16;
const REPEAT_ZERO: usize = 17;
const REPEAT_ZERO_LONG: usize = 18;

/// Adds one code's lengths to the frequencies of the code-length alphabet; returns their extra bits, and those of all
/// symbols of the block in this code, without the symbols' extra bits.
///
/// A run of one length is written as the length itself and then by repeats of three to six; what is left over is spelled
/// out. Hardly any run is longer than three, but where the short ones end is hard to foresee: so nothing waits for that.
fn code_bits(code: &Code, symbols: &[u16], frequencies: &mut [u16; LENGTH_CODES]) -> u64 {
    let mut data = 0;
    let mut extra = 0;
    let mut next = 0;
    let mut last = 0;
    let mut repeated = 0;
    for (symbol, bits) in code.lengths() {
        // A symbol that was only lent a code has frequency zero here.
        data += u32::from(symbols[symbol]) * u32::from(bits);
        let zeros = symbol - next;
        next = symbol + 1;
        if zeros > 0 {
            extra += zero_run(zeros, frequencies);
        }
        repeated = if (zeros == 0) & (bits == last) { repeated + 1 } else { 0 };
        last = bits;
        if repeated < 3 {
            frequencies[usize::from(bits)] += 1;
        } else {
            match repeated % 6 {
                1 | 2 => frequencies[usize::from(bits)] += 1,
                3 => {
                    frequencies[usize::from(bits)] -= 2;
                    frequencies[REPEAT_LENGTH] += 1;
                    extra += 2;
                }
                _ => {}
            }
        }
    }
    u64::from(data) + extra
}

/// A run of unused symbols: repeats of up to 138 zeros, shorter ones by their own symbol, one or two spelled out.
#[inline]
fn zero_run(zeros: usize, frequencies: &mut [u16; LENGTH_CODES]) -> u64 {
    let (long, rest) = (zeros / 138, zeros % 138);
    frequencies[REPEAT_ZERO_LONG] += long as u16;
    7 * long as u64
        + match rest {
            0..=2 => {
                frequencies[0] += rest as u16;
                0
            }
            3..=10 => {
                frequencies[REPEAT_ZERO] += 1;
                3
            }
            _ => {
                frequencies[REPEAT_ZERO_LONG] += 1;
                7
            }
        }
}

/// Bits of the three counts, of the code-length code's own lengths, of which trailing zeros are dropped, and of the
/// lengths in that code.
fn length_code_bits(code: &Code, frequencies: &[u16; LENGTH_CODES]) -> u64 {
    let mut used = [false; LENGTH_CODES];
    let mut data = 0;
    for (symbol, bits) in code.lengths() {
        used[symbol] = true;
        data += u64::from(frequencies[symbol]) * u64::from(bits);
    }
    let sent = LENGTH_CODE_ORDER.iter().rposition(|&symbol| used[usize::from(symbol)]).map_or(0, |last| last + 1);
    5 + 5 + 4 + 3 * sent.max(4) as u64 + data
}
