//! A prefix as bytes: to resume later, or elsewhere.
//!
//! However long a prefix is, what follows it can only see its last 32 KiB, the state of the parse, and the open block's
//! counts. Those are written; hash chains and index are rebuilt from the text. Restoring is exact: every later size is
//! that of the prefix that was saved, in the middle of a block too.
//!
//! The layout is little-endian: magic and version, the fields in the order of [`write`], then a 64-bit FNV-1a checksum
//! of all that. Damaged bytes are caught by the checksum; whatever else is wrong with bytes from elsewhere is caught by
//! checking each invariant that the sizer relies on, so that restoring never panics and nor does what follows.

use super::block::Blocks;
use super::cost::Histogram;
use super::format::{
    BLOCK_SYMBOLS, DISTANCE_CODES, END_OF_BLOCK, LITERAL_CODES, MAX_DISTANCE, MAX_MATCH, MIN_LOOKAHEAD, MIN_MATCH,
    WINDOW,
};
use super::parse::{Match, Parser, SLIDE};
use super::stream::Stream;

const MAGIC: [u8; 8] = *b"EL-ZLIB9";
/// In version 1 the end of a feed was another state, and from 8 GiB on sizes might be wrong.
const VERSION: u32 = 2;
/// Longer streams than this are not believed, which leaves room for arithmetic.
const MAX_TOTAL: u64 = 1 << 56;

/// Why bytes are not a prefix.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RestoreError {
    /// They do not start as a saved prefix does.
    #[error("not a saved deflate prefix")]
    NotAPrefix,
    /// They were written by a version that this one does not know.
    #[error("saved deflate prefix has version {0}, this build reads version {VERSION}: use the release that wrote it")]
    Version(u32),
    /// They are cut off, or followed by something else.
    #[error("saved deflate prefix has {found} bytes, expected {expected}: the file is cut off or overlong")]
    Length {
        /// Bytes given.
        found: usize,
        /// Bytes needed.
        expected: usize,
    },
    /// They have changed since they were written.
    #[error("saved deflate prefix is damaged: the checksum does not match")]
    Checksum,
    /// They say what cannot be.
    #[error("saved deflate prefix is inconsistent: {0}")]
    Inconsistent(&'static str),
}

/// Bytes of everything but the text.
const FIXED: usize = MAGIC.len() + 4 + 8 + 4 + 4 + 4 + 2 + 2 + 1 + 2 * (LITERAL_CODES + DISTANCE_CODES) + 4 + 8 + 8 + 8;
/// Where the text's length is.
const TEXT_LEN: usize = MAGIC.len() + 4 + 8;

/// The bytes of a stream.
pub(super) fn write(stream: &Stream) -> Vec<u8> {
    let Stream { window, parser } = stream;
    let kept = window.len().min(WINDOW);
    let dropped = window.len() - kept;
    let mut out = Vec::with_capacity(FIXED + kept);
    out.extend(MAGIC);
    out.extend(VERSION.to_le_bytes());
    out.extend((window.origin() + dropped as u64).to_le_bytes());
    out.extend((kept as u32).to_le_bytes());
    out.extend(((parser.position - dropped) as u32).to_le_bytes());
    out.extend((parser.buffered as u32).to_le_bytes());
    out.extend(parser.in_hand.length.to_le_bytes());
    out.extend(parser.in_hand.distance.to_le_bytes());
    out.push(parser.pending.into());
    let Blocks { histogram, symbols, bytes, bits } = &parser.blocks;
    for count in histogram.literals.iter().chain(&histogram.distances) {
        out.extend(count.to_le_bytes());
    }
    out.extend(symbols.to_le_bytes());
    out.extend(bytes.to_le_bytes());
    out.extend(bits.to_le_bytes());
    out.extend_from_slice(&window.text()[dropped..]);
    out.extend(checksum(&out).to_le_bytes());
    out
}

/// The stream that [`write`] wrote.
pub(super) fn read(bytes: &[u8]) -> Result<Stream, RestoreError> {
    use RestoreError::{Checksum, Inconsistent, Length, NotAPrefix, Version};

    let mut fields = Fields(bytes);
    if !bytes.starts_with(&MAGIC) {
        return Err(NotAPrefix);
    }
    if bytes.len() < FIXED {
        return Err(Length { found: bytes.len(), expected: FIXED });
    }
    let _: [u8; MAGIC.len()] = fields.take();
    let version = fields.u32();
    if version != VERSION {
        return Err(Version(version));
    }
    let text_len = u32::from_le_bytes(bytes[TEXT_LEN..TEXT_LEN + 4].try_into().expect("four bytes")) as usize;
    if text_len > WINDOW {
        return Err(Inconsistent("more text than the window holds"));
    }
    if bytes.len() != FIXED + text_len {
        return Err(Length { found: bytes.len(), expected: FIXED + text_len });
    }
    let (body, sum) = bytes.split_at(bytes.len() - 8);
    if checksum(body).to_le_bytes() != sum {
        return Err(Checksum);
    }

    let origin = fields.u64();
    let _ = fields.u32();
    let parser = Parser {
        position: fields.u32() as usize,
        buffered: fields.u32() as usize,
        in_hand: Match { length: fields.u16(), distance: fields.u16() },
        pending: match fields.take() {
            [0] => false,
            [1] => true,
            _ => return Err(Inconsistent("a flag is neither 0 nor 1")),
        },
        blocks: Blocks {
            histogram: Histogram {
                literals: std::array::from_fn(|_| fields.u16()),
                distances: std::array::from_fn(|_| fields.u16()),
            },
            symbols: fields.u32(),
            bytes: fields.u64(),
            bits: fields.u64(),
        },
    };
    if origin > MAX_TOTAL || (origin > 0 && text_len < WINDOW) {
        return Err(Inconsistent("the text does not fill the window behind the start"));
    }
    check_parser(&parser, origin, text_len)?;
    check_blocks(&parser.blocks, origin + parser.position as u64)?;

    let mut stream = Stream::new();
    stream.window.restore(origin, &bytes[FIXED - 8..FIXED - 8 + text_len]);
    stream.parser = parser;
    Ok(stream)
}

fn check_parser(parser: &Parser, origin: u64, text_len: usize) -> Result<(), RestoreError> {
    let Parser { position, buffered, in_hand, pending, .. } = *parser;
    let absolute = origin + position as u64;
    if position > text_len || text_len - position >= MIN_LOOKAHEAD {
        return Err(RestoreError::Inconsistent("the parse is not near the end of the text"));
    }
    let slid = absolute.checked_sub(buffered as u64);
    if buffered > SLIDE + MAX_MATCH || !slid.is_some_and(|slid| slid.is_multiple_of(WINDOW as u64)) {
        return Err(RestoreError::Inconsistent("the buffer does not start at a multiple of the window size"));
    }
    let (length, distance) = (usize::from(in_hand.length), usize::from(in_hand.distance));
    let is_match = (MIN_MATCH..=MAX_MATCH).contains(&length)
        && (1..=MAX_DISTANCE).contains(&distance)
        && pending
        && absolute > distance as u64 + 1
        && position - 1 + length <= text_len;
    if !is_match && length != usize::from(Match::NONE.length) {
        return Err(RestoreError::Inconsistent("the match in hand cannot be"));
    }
    if pending && position == 0 {
        return Err(RestoreError::Inconsistent("a literal is pending before the start"));
    }
    Ok(())
}

fn check_blocks(blocks: &Blocks, position: u64) -> Result<(), RestoreError> {
    let Blocks { histogram, symbols, bytes, bits } = blocks;
    let sum = |counts: &[u16]| counts.iter().map(|&c| u32::from(c)).sum::<u32>();
    let (literals, lengths) = histogram.literals.split_at(END_OF_BLOCK);
    if histogram.literals[END_OF_BLOCK] != 1
        || sum(&lengths[1..]) != sum(&histogram.distances)
        || sum(literals) + sum(&lengths[1..]) != *symbols
        || *symbols >= BLOCK_SYMBOLS
    {
        return Err(RestoreError::Inconsistent("the counts of the open block do not add up"));
    }
    if *bytes > position || *bytes < u64::from(*symbols) || *bits < Blocks::START.bits || *bits > MAX_TOTAL {
        return Err(RestoreError::Inconsistent("the sizes of the blocks cannot be"));
    }
    Ok(())
}

/// A reader of fields; the caller has checked that there are enough bytes.
struct Fields<'a>(&'a [u8]);

impl Fields<'_> {
    fn take<const N: usize>(&mut self) -> [u8; N] {
        let (first, rest) = self.0.split_first_chunk().expect("the length was checked");
        self.0 = rest;
        *first
    }

    fn u16(&mut self) -> u16 {
        u16::from_le_bytes(self.take())
    }

    fn u32(&mut self) -> u32 {
        u32::from_le_bytes(self.take())
    }

    fn u64(&mut self) -> u64 {
        u64::from_le_bytes(self.take())
    }
}

/// 64-bit FNV-1a.
fn checksum(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |sum, &byte| (sum ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3))
}
