//! The deflate sizer against zlib, where it is easy to be off by a byte.

mod support;

use entropylaw::sizer::Sizer;
use entropylaw::sizer::deflate::DeflateSizer;
use support::{Case, Rng, case, literals, oracle};

/// Sizes a case in every way there is, and compares with zlib.
#[track_caller]
fn check(case: &Case) {
    let mut sizer = DeflateSizer::new();
    let mut scratch = sizer.scratch();
    for piece in &case.pieces {
        sizer.append(piece);
    }
    let expected = oracle(&case.whole());
    let lengths = || (case.kind, case.pieces.iter().map(Vec::len).collect::<Vec<_>>(), case.candidate.len());
    assert_eq!(sizer.prefix_len(), case.prefix().len() as u64);
    assert_eq!(sizer.probe(&case.candidate, &mut scratch), expected, "probe: {:?}", lengths());
    let mut candidate = sizer.candidate(&case.candidate);
    for _ in 0..2 {
        assert_eq!(sizer.probe_candidate(&mut candidate, &mut scratch), expected, "candidate: {:?}", lengths());
    }
    assert_eq!(sizer.probe(&case.candidate, &mut scratch), expected, "probe again: {:?}", lengths());
}

/// Sizes a text whole, and cut in two in some places.
#[track_caller]
fn check_text(kind: &'static str, text: &[u8], cuts: &[usize]) {
    for &at in cuts.iter().chain(&[0, text.len()]) {
        let (prefix, candidate) = text.split_at(at);
        check(&Case { kind, pieces: vec![prefix.to_vec()], candidate: candidate.to_vec() });
    }
}

#[test]
fn random_cases_of_every_kind() {
    for seed in 0..700 {
        check(&case(&mut Rng(seed), seed as usize % support::KINDS, 60_000));
    }
}

#[test]
fn empty_prefix_and_empty_candidate() {
    check(&Case { kind: "nothing at all", pieces: vec![], candidate: vec![] });
    check(&Case { kind: "no prefix", pieces: vec![vec![]], candidate: b"abc".to_vec() });
    check(&Case { kind: "no candidate", pieces: vec![b"abc".to_vec()], candidate: vec![] });
}

/// The first byte of a stream is never matched: a run of one byte becomes two literals and a match.
#[test]
fn runs_of_one_byte_have_codes_of_one_symbol() {
    for len in 0..600 {
        check_text("one byte", &vec![b'a'; len], &[len / 2, len.saturating_sub(1), len.min(1)]);
    }
}

#[test]
fn match_at_the_largest_distance_where_the_window_slides() {
    for seed in 0..500 {
        check(&support::slide_edge(&mut Rng(seed)));
    }
}

/// Of a stream fed in two parts, about one of seven such sizes differs from that of one call.
#[test]
fn prefix_of_65_535_bytes() {
    for seed in 0..60 {
        check(&support::early_slide(&mut Rng(seed)));
    }
}

#[test]
fn distances_around_the_limits() {
    for seed in 0..600 {
        check(&case(&mut Rng(seed), 13, 0));
    }
}

/// Of a phrase, a part lies near and all of it as far away as can be.
#[test]
fn longer_match_at_the_largest_distance() {
    let mut rng = Rng(15);
    let phrase = support::letters(&mut rng, 20, 64);
    for before in [1, 40_000] {
        let text = support::letters(&mut rng, before + 33_000, 64);
        for far in 32_500..32_509 {
            for near in [11, 13, 40] {
                let mut prefix = [&text[..before], &phrase, &text[before..before + far - 20]].concat();
                let at = prefix.len() - near;
                prefix[at..at + 10].copy_from_slice(&phrase[..10]);
                check(&Case { kind: "near and far", pieces: vec![prefix], candidate: phrase.clone() });
            }
        }
    }
}

#[test]
fn searches_that_zlib_cuts_short() {
    for seed in 0..40 {
        let mut rng = Rng(seed);
        let len = rng.range(6_000, 32_000);
        let text = support::long_chains(&mut rng, len);
        check_text("long chains", &text, &[rng.range(0, len), len / 2]);
        let prefix = support::prose(&mut rng, 20_000);
        check(&Case { kind: "long chains in a candidate", pieces: vec![prefix], candidate: text });
    }
}

/// A search looks at 4,096 positions, or at 1,024 with a match of 32 bytes in hand: not one more, not one less.
#[test]
fn last_position_of_a_search() {
    let mut rng = Rng(9);
    let mut check = |fillers: usize, in_hand: usize| {
        let text = support::end_of_chain(&mut rng, fillers, in_hand);
        check_text("end of a chain", &text, &[text.len() - 80, text.len() - 300]);
    };
    for fillers in 4085..4105 {
        check(fillers, 0);
        check(fillers - 2, 20);
    }
    for fillers in 1010..1030 {
        check(fillers, 34);
    }
    for in_hand in 30..35 {
        (0..5).for_each(|i| check(1500 + i, in_hand));
    }
}

/// The last two positions of a prefix join a chain only with what follows: here, both join the one that is searched to
/// its last position, with a match of 34 bytes in hand.
#[test]
fn last_position_of_a_search_that_passes_the_end_of_the_prefix() {
    let mut rng = Rng(10);
    let mut letters = |len| -> Vec<u8> { (0..len).map(|_| b'b' + rng.range(0, 24) as u8).collect() };
    for fillers in 1017..1025 {
        for _ in 0..4 {
            let shared = [b"!!!".to_vec(), letters(65)].concat();
            let mut prefix = [b"?", &shared[..]].concat();
            (0..fillers).for_each(|_| prefix.extend([b"!!!".to_vec(), letters(2)].concat()));
            prefix.extend([b"=", &shared[..33], b"=!!"].concat());
            let candidate = [b"!!.=", &shared[..]].concat();
            check(&Case { kind: "end of a chain", pieces: vec![prefix], candidate });
        }
    }
}

/// A block is full at 16,383 symbols, unless the last of them is the last literal of all.
#[test]
fn block_boundary() {
    for len in 16_380..16_388 {
        let text = literals(len);
        check_text("literals", &text, &[1, len - 1, len - 2, len - 200, 16_382.min(len), 16_383.min(len)]);
        let with_match = [&text, &text[5..40]].concat();
        check_text("literals and a match", &with_match, &[len - 1, len, len + 1, 300]);
        let with_more = [with_match, literals(400)].concat();
        check_text("literals, a match and more", &with_more, &[len - 1, len, len + 34, len + 36]);
    }
}

/// The candidate's symbols fill more than one block.
#[test]
fn several_blocks_in_a_candidate() {
    let noise = support::noise(&mut Rng(1), 100_000);
    check_text("noise", &noise, &[1000, 50_000, 67_500, 99_000]);
    let noise = support::letters(&mut Rng(2), 32_000, 64);
    check_text("letters", &noise, &[10, 15_000, 17_000]);
}

#[test]
fn stored_fixed_and_own_codes() {
    for seed in 0..3000 {
        check(&case(&mut Rng(seed), 12, 0));
    }
    // A stored block is aligned to a byte, wherever the bits before it end.
    for seed in 0..200 {
        let mut rng = Rng(seed);
        let mut text = support::prose(&mut rng, 60_000);
        let n = rng.range(0, 40_000);
        text.extend(support::noise(&mut rng, n));
        let at = rng.range(59_000, text.len());
        check_text("text, then noise", &text, &[at]);
    }
}

/// Kinds of block are compared in whole bytes, but written in bits: behind a block that ends within a byte, it shows
/// which of two kinds of equally many bytes was taken.
#[test]
fn fixed_and_own_codes_of_equally_many_bytes() {
    let mut sizer = DeflateSizer::new();
    let mut scratch = sizer.scratch();
    for seed in 0..3 {
        // The first block ends soon behind the prefix; for a short second one, the kinds cost nearly the same.
        let text = support::letters(&mut Rng(seed), 17_200, 64);
        let (prefix, rest) = text.split_at(16_500);
        sizer.clear();
        sizer.append(prefix);
        for len in 0..rest.len() {
            let expected = oracle(&text[..prefix.len() + len]);
            assert_eq!(sizer.probe(&rest[..len], &mut scratch), expected, "seed {seed}, {len} bytes");
        }
    }
}

#[test]
fn codes_longer_than_fifteen_bits() {
    for symbols in 2..=20 {
        for seed in 0..6 {
            let text = support::deep_code(&mut Rng(seed), symbols);
            check_text("deep code", &text, &[text.len() / 2]);
        }
    }
}

#[test]
fn length_codes_longer_than_fifteen_bits() {
    for seed in 0..100 {
        let text = support::deep_lengths(&mut Rng(seed));
        check_text("deep lengths", &text, &[text.len() - 10_000, text.len() - 1_000]);
    }
}

#[test]
fn candidates_longer_than_the_window() {
    for len in [32_500, 32_505, 32_506, 32_507, 32_768, 40_000, 65_274, 65_536, 70_000, 150_000] {
        let mut rng = Rng(len as u64);
        let prefix = support::prose(&mut rng, 5_000);
        check(&Case { kind: "long prose", pieces: vec![prefix.clone()], candidate: support::prose(&mut rng, len) });
        check(&Case { kind: "long copies", pieces: vec![prefix], candidate: support::copies(&mut rng, len, 26) });
    }
}

#[test]
fn matches_that_start_in_the_prefix_and_run_into_the_candidate() {
    for seed in 0..3000 {
        check(&case(&mut Rng(seed), 6, 0));
    }
    for len in [1, 2, 3, 10, 257, 258, 259, 300, 520] {
        for period in [1, 2, 3, 7, 100, 257, 258, 259] {
            let text: Vec<u8> = (0..len + 600).map(|i| (i % period) as u8).collect();
            check_text("period", &text, &[len, len + 1, len + 2, len + 258]);
        }
    }
}

/// The last bytes of a prefix occurred before, one or more times, and the candidate goes on as after one of them, as after
/// none, or with the prefix's own end.
#[test]
fn matches_in_the_tail_of_a_prefix() {
    for seed in 0..4_000 {
        let mut rng = Rng(seed);
        let size = [2, 8, 64][rng.range(0, 2)];
        let mut phrase = support::letters(&mut rng, 120, size);
        let mut prefix = support::letters(&mut rng, 40, 64);
        for _ in 0..rng.range(1, 3) {
            let from = rng.range(0, 60);
            let to = rng.range(from, 120);
            prefix.extend_from_slice(&phrase[from..to]);
            let between = rng.range(0, 30);
            prefix.extend(support::letters(&mut rng, between, 64));
        }
        // Some versions of the phrase differ from here on.
        let change = rng.range(0, 119);
        phrase[change] = b'#';
        let left = rng.range(1, 80);
        let tail = phrase[40.max(left) - left..][..left].to_vec();
        prefix.extend_from_slice(&tail);
        let next = 40.max(left);
        let mut candidate = match rng.range(0, 3) {
            0 => phrase[next..].to_vec(),
            1 => prefix[prefix.len() - rng.range(1, left)..].repeat(rng.range(1, 3)),
            2 => support::letters(&mut rng, 20, size),
            _ => support::letters(&mut rng, 2, 64),
        };
        let cut = rng.range(0, candidate.len());
        candidate.truncate(if rng.chance(3) { cut } else { candidate.len() });
        let last = prefix.split_off(prefix.len() - rng.range(0, left.min(6)));
        check(&Case { kind: "tail", pieces: vec![prefix, last], candidate });
    }
}

/// The same at the largest distance, which zlib allows only for the first of a chain.
#[test]
fn matches_in_the_tail_at_the_largest_distance() {
    for seed in 0..800 {
        let mut rng = Rng(seed);
        let phrase = support::letters(&mut rng, 60, 64);
        let (before, left) = ([1, 32_768, 40_000][rng.range(0, 2)], rng.range(3, 20));
        let mut prefix = support::letters(&mut rng, before, 64);
        let start = prefix.len();
        prefix.extend_from_slice(&phrase);
        let gap = rng.range(32_505, 32_507) - phrase.len();
        prefix.extend(support::letters(&mut rng, gap, 64));
        if rng.chance(2) {
            // The chain's first, with less in common.
            let at = start + rng.range(1_000, 30_000);
            let known = rng.range(3, left);
            prefix[at..at + known].copy_from_slice(&phrase[..known]);
        }
        prefix.extend_from_slice(&phrase[..left]);
        let common = if rng.chance(2) { left } else { rng.range(left, 60) };
        let candidate = [&phrase[left..common], b"#"].concat();
        check(&Case { kind: "far tail", pieces: vec![prefix], candidate });
    }
}

/// A long append moves the window on by more than one of its halves.
#[test]
fn appends_that_slide_the_window_more_than_once() {
    for (first, second) in [(65_000, 33_536), (65_536, 32_900), (40_000, 100_000)] {
        let text = support::letters(&mut Rng(first as u64), first + second, 64);
        let pieces = vec![text[..first].to_vec(), text[first..].to_vec()];
        for back in [400, 10_000, 32_000] {
            let candidate = text[text.len() - back..][..300].to_vec();
            check(&Case { kind: "two slides", pieces: pieces.clone(), candidate });
        }
    }
}

/// Many threads may probe one prefix, each with its own working memory.
#[test]
fn shared_prefix() {
    let mut rng = Rng(5);
    let prefix = support::prose(&mut rng, 50_000);
    let samples: Vec<Vec<u8>> = (0..64).map(|i| support::prose(&mut rng, i * 40)).collect();
    let mut sizer = DeflateSizer::new();
    sizer.append(&prefix);
    let sizes = |sizer: &DeflateSizer| -> Vec<u64> {
        let mut scratch = sizer.scratch();
        samples.iter().map(|sample| sizer.probe(sample, &mut scratch)).collect()
    };
    let alone = sizes(&sizer);
    std::thread::scope(|scope| {
        let threads: Vec<_> = (0..4).map(|_| scope.spawn(|| sizes(&sizer))).collect();
        threads.into_iter().for_each(|thread| assert_eq!(thread.join().expect("no panic"), alone));
    });
}
