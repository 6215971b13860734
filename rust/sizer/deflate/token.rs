//! What a parse emits, two bytes a symbol, and the blocks made of it.

use rayon::prelude::*;

use super::block::Blocks;
use super::cost::{Cost, Coster, Histogram};
use super::format::{BLOCK_SYMBOLS, MIN_MATCH, distance_code};
use super::huffman::LANES;
use super::parse::{Match, Parser};

/// Symbols of a full block.
const BLOCK: usize = BLOCK_SYMBOLS as usize;

/// A literal or a match, as far as its cost depends on it.
///
/// A literal is its byte; a match is counted from 256 on by its length, and by the code of its distance in the lower five
/// bits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Token(u16);

/// Of a literal: the parse that emitted it has nothing in hand.
const FREE: u16 = 1 << 15;
const MATCHES: u16 = 1 << 8;
const DISTANCE_BITS: u32 = 5;

impl Token {
    /// A literal that was emitted on the way to a parser's state.
    #[inline(always)]
    pub(super) fn literal(byte: u8, parser: &Parser) -> Token {
        let free = usize::from(parser.in_hand.length) < MIN_MATCH;
        Token(u16::from(byte) | if free { FREE } else { 0 })
    }

    /// A match.
    #[inline(always)]
    pub(super) fn copy(copied: Match) -> Token {
        let length = copied.length - MIN_MATCH as u16;
        Token(MATCHES + (length << DISTANCE_BITS) + distance_code(copied.distance.into()) as u16)
    }

    /// Length of the match.
    #[inline(always)]
    fn length(self) -> Option<usize> {
        let beyond = (self.0 & !FREE).checked_sub(MATCHES)?;
        Some(usize::from(beyond >> DISTANCE_BITS) + MIN_MATCH)
    }

    /// Bytes that it stands for.
    #[inline(always)]
    pub(super) fn bytes(self) -> usize {
        self.length().unwrap_or(1)
    }

    /// Whether nothing that came before matters behind it: it is a match, or a literal after which nothing is in hand.
    #[inline(always)]
    pub(super) fn is_free(self) -> bool {
        self.0 >= MATCHES
    }

    #[inline(always)]
    fn count(self, blocks: &mut Blocks) {
        match self.length() {
            Some(length) => blocks.copy_coded(length, usize::from(self.0 - MATCHES) & ((1 << DISTANCE_BITS) - 1)),
            None => blocks.literal(self.0 as u8),
        }
    }
}

/// The tokens of a stream that are in no block yet, and the bits of the blocks before.
pub(super) struct Blocked {
    open: Vec<Token>,
    bits: u64,
}

impl Blocked {
    /// The start of a stream.
    pub(super) fn new() -> Blocked {
        Blocked { open: Vec::new(), bits: Blocks::START.bits }
    }

    /// Takes the next tokens. Closes the blocks that are full, costed on the threads of the caller's pool.
    pub(super) fn extend(&mut self, tokens: &[Token]) {
        let (first, rest) = tokens.split_at(tokens.len().min(BLOCK - self.open.len()));
        self.open.extend_from_slice(first);
        if self.open.len() == BLOCK {
            let open = std::mem::take(&mut self.open);
            self.close(&open);
            let (full, open) = rest.split_at(rest.len() - rest.len() % BLOCK);
            self.close(full);
            self.open.extend_from_slice(open);
        }
    }

    /// Size, in bytes, of the stream that ends with these tokens, and with a literal if one is still pending: the last
    /// literal of a stream closes no block, even if it fills it.
    pub(super) fn end(mut self, pending: Option<Token>) -> u64 {
        self.open.extend(pending);
        let [(bytes, cost), ..] = costs(&[&self.open[..]], &mut Coster::new());
        Blocks { bits: self.bits, bytes, ..Blocks::START }.total_bytes(cost)
    }

    /// Adds the bits of full blocks.
    fn close(&mut self, tokens: &[Token]) {
        let several = |tokens: &[Token]| {
            let blocks: Vec<&[Token]> = tokens.chunks(BLOCK).collect();
            (costs(&blocks, &mut Coster::new()), blocks.len())
        };
        let closed: Vec<_> = tokens.par_chunks(BLOCK * LANES).map(several).collect();
        for (costs, blocks) in closed {
            for &(bytes, cost) in &costs[..blocks] {
                self.bits = Blocks { bits: self.bits, bytes, ..Blocks::START }.bits_closed(cost);
            }
        }
    }
}

/// Of at most [`LANES`] blocks, the bytes that they stand for, and what they cost.
fn costs(blocks: &[&[Token]], coster: &mut Coster) -> [(u64, Cost); LANES] {
    let counted: Vec<Blocks> = blocks
        .iter()
        .map(|tokens| {
            let mut block = Blocks::START;
            tokens.iter().for_each(|token| token.count(&mut block));
            block
        })
        .collect();
    let histograms: Vec<&Histogram> = counted.iter().map(|block| &block.histogram).collect();
    let costs = coster.costs(&histograms);
    std::array::from_fn(|i| (counted.get(i).map_or(0, |block| block.bytes), costs[i]))
}
