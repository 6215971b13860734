//! The deflate sizer against zlib.

mod support;

use entropylaw::sizer::Sizer;
use entropylaw::sizer::deflate::DeflateSizer;
use support::{Case, Rng, oracle};

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

#[test]
fn random_cases_of_every_kind() {
    for seed in 0..1500 {
        let mut rng = Rng(seed);
        let case = support::case(&mut rng, seed as usize % support::KINDS, 60_000);
        check(&case);
    }
}

#[test]
fn empty_prefix_and_candidate() {
    check(&Case { kind: "empty", pieces: vec![], candidate: vec![] });
    check(&Case { kind: "empty", pieces: vec![vec![]], candidate: b"abc".to_vec() });
    check(&Case { kind: "empty", pieces: vec![b"abc".to_vec()], candidate: vec![] });
    for len in 0..600 {
        check(&Case { kind: "one byte", pieces: vec![vec![b'a'; len / 2]], candidate: vec![b'a'; len - len / 2] });
    }
}

#[test]
fn slide_edge() {
    for seed in 0..400 {
        check(&support::slide_edge(&mut Rng(seed)));
    }
}

#[test]
fn prefix_of_65_535_bytes() {
    for seed in 0..60 {
        check(&support::early_slide(&mut Rng(seed)));
    }
}
