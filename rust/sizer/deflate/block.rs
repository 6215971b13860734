//! Block accounting: how many bits the stream has, and what closing a block adds to them.
//!
//! A block closes when it has 16,383 symbols, and at the end of the stream. It is then written in the cheapest of three
//! ways (RFC 1951, section 3.2.3): stored, with the fixed codes, or with its own. zlib compares them in whole bytes, and
//! prefers stored over fixed over own codes on a tie.
//!
//! zlib can only store a block that has not left its buffer, which holds 32,506 bytes at least. This needs no care: so
//! many bytes in 16,383 symbols are half matches, and with fixed codes a match saves two bits at least (three bytes from
//! at most 4,096 back take 22 bits, four from anywhere 25), while a literal costs at most one more than stored.

use super::cost::{Cost, Coster, Histogram};
use super::format::{BLOCK_SYMBOLS, distance_code, length_symbol};

/// Bits of the zlib header.
const HEADER_BITS: u64 = 16;
/// Bits of the checksum behind the last block.
const CHECKSUM_BITS: u64 = 32;

/// The open block, and the bits of those before it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Blocks {
    pub histogram: Histogram,
    /// Symbols in the open block, its end aside.
    pub symbols: u32,
    /// Bytes that these symbols stand for.
    pub bytes: u64,
    /// Bits of the zlib header and of all closed blocks.
    pub bits: u64,
}

impl Blocks {
    /// The start of a stream.
    pub(super) const START: Blocks = Blocks { histogram: Histogram::EMPTY, symbols: 0, bytes: 0, bits: HEADER_BITS };

    /// Adds a literal.
    #[inline]
    pub(super) fn literal(&mut self, byte: u8) {
        self.histogram.literals[usize::from(byte)] += 1;
        self.symbols += 1;
        self.bytes += 1;
    }

    /// Adds a match.
    #[inline]
    pub(super) fn copy(&mut self, length: usize, distance: usize) {
        self.copy_coded(length, distance_code(distance));
    }

    /// Adds a match whose distance has this code.
    #[inline]
    pub(super) fn copy_coded(&mut self, length: usize, distance_code: usize) {
        self.histogram.literals[length_symbol(length)] += 1;
        self.histogram.distances[distance_code] += 1;
        self.symbols += 1;
        self.bytes += length as u64;
    }

    /// Whether the open block must be closed now.
    #[inline]
    pub(super) fn full(&self) -> bool {
        self.symbols == BLOCK_SYMBOLS
    }

    /// Closes the open block and opens the next.
    pub(super) fn close(&mut self, coster: &mut Coster) {
        let [cost, ..] = coster.costs(&[&self.histogram]);
        let bits = self.bits_closed(cost);
        *self = Blocks { bits, ..Blocks::START };
    }

    /// Size of the stream, in bytes, if it ends with the open block.
    pub(super) fn total_bytes(&self, cost: Cost) -> u64 {
        (self.bits_closed(cost).next_multiple_of(8) + CHECKSUM_BITS) / 8
    }

    /// Bits of the stream up to the end of the open block, which costs `cost`.
    pub(super) fn bits_closed(&self, cost: Cost) -> u64 {
        const KIND_BITS: u64 = 3;
        const STORED_LENGTH_BITS: u64 = 32;
        let dynamic_bytes = (KIND_BITS + cost.dynamic).div_ceil(8);
        let fixed_bytes = (KIND_BITS + cost.fixed).div_ceil(8);
        if self.bytes + STORED_LENGTH_BITS / 8 <= dynamic_bytes.min(fixed_bytes) {
            (self.bits + KIND_BITS).next_multiple_of(8) + STORED_LENGTH_BITS + 8 * self.bytes
        } else if fixed_bytes <= dynamic_bytes {
            self.bits + KIND_BITS + cost.fixed
        } else {
            self.bits + KIND_BITS + cost.dynamic
        }
    }
}
