//! The zlib sizer against one-shot zlib.

#[path = "support/zlib.rs"]
mod zlib;

use entropylaw::sizer::Sizer;
use proptest::prelude::*;
use proptest::test_runner::RngSeed;
use zlib::ZlibSizer;

/// `len(zlib.compress(data, 9))`: the definition that every sizer has to meet.
fn one_shot(data: &[u8]) -> u64 {
    // SAFETY: `compressBound` tells how long the output can get, and `compress2` writes no more than `size` bytes.
    unsafe {
        let mut size = libz_sys::compressBound(data.len() as _);
        let mut output = vec![0; size as usize];
        let code = libz_sys::compress2(output.as_mut_ptr(), &mut size, data.as_ptr(), data.len() as _, 9);
        assert_eq!(code, libz_sys::Z_OK);
        size as u64
    }
}

/// Appends the pieces one by one; checks the size of every prefix, and of every prefix with the candidate.
fn check(pieces: &[Vec<u8>], candidate: &[u8]) {
    let mut sizer = ZlibSizer::new();
    let mut scratch = sizer.scratch();
    let mut prepared = sizer.candidate(candidate);
    let mut all = Vec::new();
    for piece in pieces {
        sizer.append(piece);
        all.extend_from_slice(piece);
        assert_eq!(sizer.prefix_len(), all.len() as u64);
        assert_eq!(sizer.probe(b"", &mut scratch), one_shot(&all));
        let expected = one_shot(&[&all, candidate].concat());
        assert_eq!(sizer.probe(candidate, &mut scratch), expected);
        assert_eq!(sizer.probe_candidate(&mut prepared, &mut scratch), expected);
    }
    sizer.clear();
    assert_eq!(sizer.probe(candidate, &mut scratch), one_shot(candidate));
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, rng_seed: RngSeed::Fixed(1), ..ProptestConfig::default() })]

    #[test]
    fn sizes_are_those_of_one_shot_compression(
        pieces in prop::collection::vec(prop::collection::vec(0u8..8, 0..3000), 0..40),
        candidate in prop::collection::vec(0u8..8, 0..2000),
    ) {
        check(&pieces, &candidate);
    }
}

/// A byte sequence without matches of note, the same on every machine.
fn noise(seed: u64, len: usize) -> Vec<u8> {
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    let mut next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"[(state >> 58) as usize]
    };
    (0..len).map(|_| next()).collect()
}

/// Prefixes that end where zlib's window is about to slide, with a match at distance 32,506 that begins there: what a
/// stream fed in pieces gets wrong in some of these cases (see the module `zlib`).
#[test]
fn a_prefix_that_ends_in_the_slide_zone_is_sized_as_in_one_shot() {
    let mut fed_in_pieces_differs = 0;
    for seed in 0..60 {
        let slides = seed as usize % 3 * 32_768;
        let mut prefix = noise(seed, 65_535 + slides);
        let edge = 65_274 + slides;
        let source = edge - 32_506;
        prefix.copy_within(source..source + 100, edge);
        let candidate = noise(seed + 1_000, 400);
        check(&[prefix.clone()], &candidate);
        let mut held_back_too_little = ZlibSizer::new();
        held_back_too_little.append(&prefix[..edge - 1]);
        held_back_too_little.append(&prefix[edge - 1..]);
        let mut scratch = held_back_too_little.scratch();
        let whole = [&prefix[..], &candidate].concat();
        assert_eq!(held_back_too_little.probe(&candidate, &mut scratch), one_shot(&whole));
        fed_in_pieces_differs += usize::from(fed_in_pieces(&prefix, &candidate) != one_shot(&whole));
    }
    assert!(fed_in_pieces_differs > 0, "the cases do not reach the edge that they are made for");
}

/// The size when zlib is simply fed prefix and candidate one after the other.
fn fed_in_pieces(prefix: &[u8], candidate: &[u8]) -> u64 {
    // SAFETY: the stream is zeroed, as zlib asks for default allocators, and stays where it is; the output has the room
    // that `compressBound` asks for.
    unsafe {
        let mut stream = std::mem::MaybeUninit::<libz_sys::z_stream>::zeroed();
        let z = stream.as_mut_ptr();
        let size = size_of::<libz_sys::z_stream>() as _;
        assert_eq!(libz_sys::deflateInit_(z, 9, libz_sys::zlibVersion(), size), libz_sys::Z_OK);
        let mut output = vec![0; libz_sys::compressBound((prefix.len() + candidate.len()) as _) as usize];
        (*z).next_out = output.as_mut_ptr();
        (*z).avail_out = output.len() as _;
        for (input, flush) in [(prefix, libz_sys::Z_NO_FLUSH), (candidate, libz_sys::Z_FINISH)] {
            (*z).next_in = input.as_ptr().cast_mut();
            (*z).avail_in = input.len() as _;
            libz_sys::deflate(z, flush);
        }
        let written = u64::from((*z).total_out as u32);
        libz_sys::deflateEnd(z);
        written
    }
}
