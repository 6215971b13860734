//! What the tests and the fuzzer of the deflate sizer share: the oracle, and texts that are hard to size.
#![allow(dead_code)]
#![allow(unsafe_code)] // zlib's interface is C's.

use std::mem::MaybeUninit;

/// `len(zlib.compress(bytes, 9))`, by zlib itself, in one call over the whole buffer.
///
/// Never by copying a stream that has read the prefix: fed in two parts, zlib can slide its window earlier.
#[allow(clippy::useless_conversion)] // zlib's lengths have 32 bits on Windows
pub(super) fn oracle(bytes: &[u8]) -> u64 {
    // SAFETY: the output buffer has room for what `compressBound` promises, and its length is passed along.
    unsafe {
        let mut len = libz_sys::compressBound(bytes.len() as _);
        let mut out = Vec::<MaybeUninit<u8>>::with_capacity(len as usize);
        let status = libz_sys::compress2(out.as_mut_ptr().cast(), &mut len, bytes.as_ptr(), bytes.len() as _, 9);
        assert_eq!(status, libz_sys::Z_OK);
        len.into()
    }
}

/// The size of a text of which zlib is fed the first `at` bytes, then the others if there are any.
#[allow(clippy::useless_conversion)] // zlib's lengths have 32 bits on Windows
pub(super) fn in_two_parts(text: &[u8], at: usize) -> u64 {
    let mut out = vec![0; 2 * text.len()];
    // SAFETY: a zeroed stream is what zlib asks for; input and output are valid for the lengths given.
    unsafe {
        let mut stream = std::mem::MaybeUninit::<libz_sys::z_stream>::zeroed();
        let size = size_of::<libz_sys::z_stream>() as i32;
        libz_sys::deflateInit_(stream.as_mut_ptr(), 9, libz_sys::zlibVersion(), size);
        let stream = stream.as_mut_ptr();
        (*stream).next_out = out.as_mut_ptr();
        (*stream).avail_out = out.len() as u32;
        let (first, rest) = text.split_at(at.min(text.len()));
        let flush = if rest.is_empty() { libz_sys::Z_FINISH } else { libz_sys::Z_NO_FLUSH };
        for (part, flush) in [(first, flush), (rest, libz_sys::Z_FINISH)] {
            (*stream).next_in = part.as_ptr().cast_mut();
            (*stream).avail_in = part.len() as u32;
            libz_sys::deflate(stream, flush);
        }
        let total = (*stream).total_out;
        libz_sys::deflateEnd(stream);
        total.into()
    }
}

/// A small deterministic generator (SplitMix64), so that a seed means the same case everywhere.
#[derive(Clone)]
pub(super) struct Rng(pub u64);

impl Rng {
    pub(super) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ z >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ z >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ z >> 31
    }

    /// Uniform in `low..=high`.
    pub(super) fn range(&mut self, low: usize, high: usize) -> usize {
        low + (self.next() % (high - low + 1) as u64) as usize
    }

    pub(super) fn chance(&mut self, one_in: usize) -> bool {
        self.range(1, one_in) == 1
    }

    /// Small numbers are likelier: a uniform number of bits.
    pub(super) fn skewed(&mut self, max: usize) -> usize {
        let bits = self.range(0, max.checked_ilog2().unwrap_or(0) as usize);
        self.range(0, (1 << bits).min(max))
    }
}

/// Characters drawn uniformly from the first `size` of an alphabet.
pub(super) fn letters(rng: &mut Rng, len: usize, size: usize) -> Vec<u8> {
    const ALPHABET: &[u8; 64] = b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789+/";
    (0..len).map(|_| ALPHABET[rng.range(0, size - 1)]).collect()
}

pub(super) fn noise(rng: &mut Rng, len: usize) -> Vec<u8> {
    (0..len).map(|_| rng.next() as u8).collect()
}

/// Words of a skewed vocabulary, as much of a language as a compressor sees.
pub(super) fn prose(rng: &mut Rng, len: usize) -> Vec<u8> {
    let mut vocabulary = Rng(7);
    let words: Vec<Vec<u8>> = (0..3000)
        .map(|_| {
            let len = vocabulary.range(1, 9);
            letters(&mut vocabulary, len, 26)
        })
        .collect();
    let mut text = Vec::with_capacity(len + 16);
    while text.len() < len {
        text.extend_from_slice(&words[rng.skewed(words.len() - 1)]);
        text.extend_from_slice([b" ".as_slice(), b" ", b" ", b" ", b", ", b". ", b"\n"][rng.range(0, 6)]);
    }
    text.truncate(len);
    text
}

/// Literals and copies at random lengths and distances: what a decompressor of random tokens would write.
pub(super) fn copies(rng: &mut Rng, len: usize, size: usize) -> Vec<u8> {
    let mut text: Vec<u8> = Vec::with_capacity(len + 300);
    while text.len() < len {
        if text.is_empty() || rng.chance(3) {
            let n = rng.range(1, 8);
            text.extend(letters(rng, n, size));
        } else {
            let distance = 1 + rng.skewed(text.len() - 1);
            let longest = [5, 20, 300][rng.range(0, 2)];
            for _ in 0..rng.range(2, longest) {
                text.push(text[text.len() - distance]);
            }
        }
    }
    text.truncate(len);
    text
}

/// Long chains of one hash: "xyz" and a few random bytes, over and over, with a block planted now and then that an
/// unlimited search would find.
pub(super) fn long_chains(rng: &mut Rng, len: usize) -> Vec<u8> {
    let block: Vec<u8> =
        (0..rng.range(40, 120)).map(|i| if i % 4 == 3 { rng.next() as u8 } else { b"xyz"[i % 4] }).collect();
    let mut text = Vec::with_capacity(len + 200);
    let mut until_block = rng.range(200, 500);
    while text.len() < len {
        text.extend_from_slice(b"xyz");
        let n = rng.range(0, 6);
        text.extend(noise(rng, n));
        until_block -= 1;
        if until_block == 0 {
            text.extend_from_slice(&block);
            until_block = rng.range(200, 500);
        }
    }
    text.truncate(len);
    text
}

/// A match that a search finds only if it looks far enough down the chain: `fillers` positions of the same three bytes
/// lie before it. If `in_hand` is not zero, a match of that length is in hand when the search begins.
pub(super) fn end_of_chain(rng: &mut Rng, fillers: usize, in_hand: usize) -> Vec<u8> {
    let shared = [b"xyz".to_vec(), letters(rng, 40, 20)].concat();
    let longer = letters(rng, 25, 20);
    let mut text = [b"!".as_slice(), &shared, &longer].concat();
    for _ in 0..fillers {
        text.extend_from_slice(b"xyz");
        text.extend((0..2).map(|_| b'0' + rng.range(0, 9) as u8));
    }
    if in_hand > 0 {
        text.extend_from_slice(&[b"?", &shared[..in_hand - 1], b"."].concat());
        text.push(b'?');
    }
    [text, shared, longer].concat()
}

/// Symbols with Fibonacci frequencies, in random order: the deepest Huffman code for their number.
pub(super) fn deep_code(rng: &mut Rng, symbols: usize) -> Vec<u8> {
    let (mut a, mut b) = (1, 1);
    let mut text = Vec::new();
    for symbol in 0..symbols {
        text.extend(std::iter::repeat_n(33 + symbol as u8, a));
        (a, b) = (b, a + b);
    }
    for i in (1..text.len()).rev() {
        text.swap(i, rng.range(0, i));
    }
    text
}

/// A first block of literals alone, and a second of matches alone, whose length codes have Fibonacci frequencies: the
/// only way to a code of more than 15 bits within the 16,383 symbols of a block.
pub(super) fn deep_lengths(rng: &mut Rng) -> Vec<u8> {
    const LENGTHS: [usize; 16] = [35, 31, 27, 23, 19, 17, 15, 13, 11, 10, 9, 8, 7, 6, 5, 4];
    let mut text: Vec<u8> = Vec::new();
    let mut seen = std::collections::HashSet::new();
    while text.len() < 16_383 {
        let next = rng.next() as u8;
        if text.len() < 2 || seen.insert([text[text.len() - 2], text[text.len() - 1], next]) {
            text.push(next);
        }
    }
    // The end of the block, which occurs once, is the sequence's first.
    let (mut a, mut b) = (1, 2);
    let mut lengths = Vec::new();
    for length in LENGTHS {
        lengths.extend(std::iter::repeat_n(length, a));
        (a, b) = (b, a + b);
    }
    for i in (1..lengths.len()).rev() {
        lengths.swap(i, rng.range(0, i));
    }
    // From the end of the first block, which stays in reach and repeats nothing; never so that a match could go on.
    let mut went_on = text[0];
    for length in lengths {
        let from = loop {
            let from = rng.range(10_000, 16_300);
            if text[from] != went_on {
                break from;
            }
        };
        went_on = text[from + length];
        text.extend_from_within(from..from + length);
    }
    text
}

/// A prefix, as the pieces in which it is appended, and a candidate.
#[derive(Clone, Debug)]
pub(super) struct Case {
    pub kind: &'static str,
    pub pieces: Vec<Vec<u8>>,
    pub candidate: Vec<u8>,
}

impl Case {
    pub(super) fn prefix(&self) -> Vec<u8> {
        self.pieces.concat()
    }

    pub(super) fn whole(&self) -> Vec<u8> {
        [self.prefix(), self.candidate.clone()].concat()
    }

    /// Cuts a text in two, and the first part into pieces.
    pub(super) fn cut(rng: &mut Rng, kind: &'static str, text: &[u8], at: usize) -> Case {
        let (mut prefix, candidate) = text.split_at(at.min(text.len()));
        let mut pieces = Vec::new();
        for _ in 0..rng.range(0, 3) {
            let (piece, rest) = prefix.split_at(rng.range(0, prefix.len()));
            pieces.push(piece.to_vec());
            prefix = rest;
        }
        pieces.push(prefix.to_vec());
        Case { kind, pieces, candidate: candidate.to_vec() }
    }
}

/// Kinds of [`case`].
pub(super) const KINDS: usize = 14;

/// A random case of one kind; `scale` bounds the length of what has no length of its own.
pub(super) fn case(rng: &mut Rng, kind: usize, scale: usize) -> Case {
    let len = rng.skewed(scale);
    let at = if rng.chance(8) { 0 } else { len.saturating_sub(rng.skewed(len.max(1))) };
    match kind {
        0 => {
            let text = noise(rng, len);
            Case::cut(rng, "noise", &text, at)
        }
        1 => {
            let size = rng.range(1, 4);
            let text = letters(rng, len, size);
            Case::cut(rng, "tiny alphabet", &text, at)
        }
        2 => {
            let text = prose(rng, len);
            Case::cut(rng, "prose", &text, at)
        }
        3 | 4 => {
            let size = [2, 5, 26, 64][rng.range(0, 3)];
            let text = copies(rng, len, size);
            Case::cut(rng, "copies", &text, at)
        }
        5 => {
            let (period, size) = (rng.range(1, 12), rng.range(1, 8));
            let unit = letters(rng, period, size);
            let mut text: Vec<u8> = unit.iter().copied().cycle().take(len).collect();
            for _ in 0..rng.range(0, 6) {
                if len > 0 {
                    let i = rng.range(0, len - 1);
                    text[i] = b'!';
                }
            }
            Case::cut(rng, "periodic", &text, at)
        }
        6 => {
            // The candidate goes on as the prefix ends, so that matches start in one and run into the other.
            let size = rng.range(1, 26);
            let prefix_len = rng.range(1, 3000);
            let prefix = copies(rng, prefix_len, size);
            let tail = rng.range(1, prefix.len().min(20));
            let mut text = prefix.clone();
            for _ in 0..rng.range(1, 6) {
                text.extend_from_slice(&prefix[prefix.len() - tail..]);
                let n = rng.range(0, 12);
                text.extend(letters(rng, n, size));
                let n = rng.range(0, tail);
                text.extend_from_slice(&prefix[prefix.len() - tail..][..n]);
            }
            Case::cut(rng, "crossing", &text, prefix.len())
        }
        7 => slide_edge(rng),
        8 => early_slide(rng),
        9 => {
            let len = rng.range(6_000, 32_000);
            let text = long_chains(rng, len);
            let at = if rng.chance(2) { 0 } else { rng.range(0, len) };
            Case::cut(rng, "long chains", &text, at)
        }
        10 => {
            // Literals only, as many as a block holds, give or take a few.
            let len = (1 << 14) - 1 + rng.range(0, 8) - 4;
            let text = literals(len);
            let at = rng.range(0, len);
            Case::cut(rng, "full block", &text, at)
        }
        11 => {
            let symbols = rng.range(2, 20);
            let mut text = deep_code(rng, symbols);
            let at = rng.range(0, text.len());
            if rng.chance(2) {
                let n = rng.range(0, 3000);
                text.extend(noise(rng, n));
            }
            Case::cut(rng, "deep code", &text, at)
        }
        12 => {
            // Where storing, fixed codes and own codes cost about the same.
            let (len, size) = (rng.range(0, 120), rng.range(1, 64));
            let text = if rng.chance(2) { noise(rng, len) } else { letters(rng, len, size) };
            let at = if rng.chance(2) { 0 } else { rng.range(0, len) };
            Case::cut(rng, "short", &text, at)
        }
        _ => {
            // Distances around the limits: 4,096 for matches of three bytes, 32,506 for all.
            let near = [4096, 32_506, 32_768][rng.range(0, 2)];
            let distance = near + rng.range(0, 6) - 3;
            let before = rng.skewed(40_000);
            let mut text = letters(rng, before, 64);
            let copied = text.len();
            let n = rng.range(3, 60);
            let what = letters(rng, n, 64);
            text.extend_from_slice(&what);
            let more = distance.saturating_sub(what.len());
            text.extend(letters(rng, more, 64));
            let at = text.len().saturating_sub(rng.range(0, 300));
            text.extend_from_slice(&what[..rng.range(3, what.len())]);
            let n = rng.range(0, 400);
            text.extend(letters(rng, n, 64));
            debug_assert!(copied <= text.len());
            Case::cut(rng, "far", &text, at)
        }
    }
}

/// A match at distance exactly 32,506 that starts about where the window slides.
pub(super) fn slide_edge(rng: &mut Rng) -> Case {
    let edge = 65_274 + 32_768 * rng.range(0, 2);
    let prefix = edge + rng.range(0, 200) - 100;
    let tail = if rng.chance(2) { rng.range(0, 700) } else { rng.range(0, 300) };
    let mut text = letters(rng, prefix + tail + 600, 64);
    let start = edge + rng.range(0, 2) - 1;
    let distance = if rng.chance(6) { 32_505 + rng.range(0, 2) } else { 32_506 };
    let len = rng.range(50, 200);
    text.copy_within(start - distance..start - distance + len, start);
    text.truncate(if rng.chance(2) { start + rng.range(1, 600) } else { prefix + tail });
    Case::cut(rng, "slide edge", &text, prefix)
}

/// A prefix of 65,535 bytes, which a stream that is fed in two parts would slide one step early.
pub(super) fn early_slide(rng: &mut Rng) -> Case {
    let mut text = letters(rng, 65_535 + 400, 64);
    text.copy_within(32_768..32_868, 65_274);
    Case::cut(rng, "early slide", &text, 65_535)
}

/// A text without a match of three bytes: every byte is a literal.
pub(super) fn literals(len: usize) -> Vec<u8> {
    // Pairs of a low and a high byte, such that no pair of neighbours occurs twice.
    let mut text = Vec::with_capacity(len + 2);
    'outer: for step in 0..128u8 {
        for low in 0..128u8 {
            if text.len() >= len {
                break 'outer;
            }
            text.push(low);
            text.push(128 + (low.wrapping_add(step) & 127));
        }
    }
    text.truncate(len);
    text
}
