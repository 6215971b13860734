//! The numbers of the DEFLATE format (RFC 1951) and of zlib's level 9.
//!
//! A match is written as a *length code* (a symbol of the literal/length alphabet) and a *distance code*, each followed
//! by a fixed number of extra bits (RFC 1951, section 3.2.5). The tables here map lengths and distances to codes and
//! codes to extra bits; they are computed at compile time from the rule that generates them.

/// Shortest match the format can express.
pub(super) const MIN_MATCH: usize = 3;
/// Longest match the format can express.
pub(super) const MAX_MATCH: usize = 258;
/// Size of the history window (windowBits 15).
pub(super) const WINDOW: usize = 1 << 15;
/// zlib refills its window, and may slide it, when fewer bytes than this lie ahead.
pub(super) const MIN_LOOKAHEAD: usize = MAX_MATCH + MIN_MATCH + 1;
/// Largest distance zlib uses, smaller than the format's 32,768 so that a refill never overwrites a match in progress.
pub(super) const MAX_DISTANCE: usize = WINDOW - MIN_LOOKAHEAD;
/// Matches of length 3 at a larger distance are dropped: three literals are usually cheaper.
pub(super) const TOO_FAR: usize = 4096;
/// Candidates one search looks at.
pub(super) const MAX_CHAIN: usize = 4096;
/// A match in hand of at least this length cuts the next search to a quarter of [`MAX_CHAIN`].
pub(super) const GOOD_MATCH: usize = 32;
/// Symbols that close a block (memLevel 8).
pub(super) const BLOCK_SYMBOLS: u32 = (1 << 14) - 1;

/// The end-of-block symbol.
pub(super) const END_OF_BLOCK: usize = 256;
/// Size of the literal/length alphabet.
pub(super) const LITERAL_CODES: usize = 286;
/// Size of the distance alphabet.
pub(super) const DISTANCE_CODES: usize = 30;
/// Size of the alphabet in which code lengths are written.
pub(super) const LENGTH_CODES: usize = 19;

/// Longest code of the literal/length and distance alphabets.
pub(super) const MAX_BITS: u8 = 15;
/// Longest code of the code-length alphabet.
pub(super) const MAX_LENGTH_BITS: u8 = 7;

/// The order in which the lengths of the code-length codes are written: likely zeros last, where they are dropped.
pub(super) const LENGTH_CODE_ORDER: [u8; LENGTH_CODES] =
    [16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15];

/// Extra bits of a literal/length symbol: zero for literals and the end of block, then in groups of four codes.
pub(super) const fn literal_extra_bits(symbol: usize) -> u32 {
    match symbol {
        0..=264 | 285.. => 0,
        _ => (symbol as u32 - 261) / 4,
    }
}

/// Extra bits of a distance code: in pairs of codes.
pub(super) const fn distance_extra_bits(code: usize) -> u32 {
    if code < 4 { 0 } else { code as u32 / 2 - 1 }
}

/// Length of a symbol's code in the fixed literal/length code (RFC 1951, section 3.2.6).
pub(super) const fn fixed_literal_bits(symbol: usize) -> u32 {
    match symbol {
        0..=143 => 8,
        144..=255 => 9,
        256..=279 => 7,
        _ => 8,
    }
}

/// Length of every code of the fixed distance code.
pub(super) const FIXED_DISTANCE_BITS: u32 = 5;

/// `LENGTH_SYMBOL[length - 3]` is the literal/length symbol of a match length.
const LENGTH_SYMBOL: [u16; 256] = {
    let mut table = [0; 256];
    let mut symbol = 257;
    let mut length = 0;
    while symbol < 285 {
        let mut left = 1 << literal_extra_bits(symbol);
        while left > 0 {
            table[length] = symbol as u16;
            length += 1;
            left -= 1;
        }
        symbol += 1;
    }
    // Length 258 could be written as symbol 284 with all extra bits set; it has a symbol of its own.
    table[255] = 285;
    table
};

/// Distance codes of `distance - 1`: directly below 256, by its upper bits from there on, where a code spans at least
/// 128 distances.
const DISTANCE_CODE: [u8; 512] = {
    let mut table = [0; 512];
    let mut distance = 0;
    let mut code = 0;
    while code < DISTANCE_CODES {
        let mut left = 1 << distance_extra_bits(code);
        while left > 0 {
            if distance < 256 {
                table[distance] = code as u8;
            } else {
                table[256 + (distance >> 7)] = code as u8;
            }
            distance += 1;
            left -= 1;
        }
        code += 1;
    }
    table
};

/// The literal/length symbol of a match length, 3 to 258.
#[inline]
pub(super) fn length_symbol(length: usize) -> usize {
    usize::from(LENGTH_SYMBOL[(length - MIN_MATCH) & 0xff])
}

/// The distance code of a distance, 1 to 32,768.
#[inline]
pub(super) fn distance_code(distance: usize) -> usize {
    let d = distance - 1;
    usize::from(DISTANCE_CODE[if d < 256 { d } else { 256 + ((d >> 7) & 0xff) }])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_follow_the_tables_of_the_rfc() {
        for (length, symbol) in [(3, 257), (10, 264), (11, 265), (12, 265), (13, 266), (257, 284), (258, 285)] {
            assert_eq!(length_symbol(length), symbol, "length {length}");
        }
        for (distance, code) in [(1, 0), (4, 3), (5, 4), (256, 15), (257, 16), (384, 16), (385, 17), (24577, 29)] {
            assert_eq!(distance_code(distance), code, "distance {distance}");
        }
        assert_eq!(distance_code(WINDOW), 29);
        assert_eq!(literal_extra_bits(284), 5);
        assert_eq!(distance_extra_bits(29), 13);
    }
}
