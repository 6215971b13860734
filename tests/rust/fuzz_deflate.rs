//! A differential fuzzer: the deflate sizer against zlib, on random, adversarial and real texts.
//!
//! `cargo run --release --example fuzz_deflate -- --pairs N --seed S [--data FILE]`: every pair is a prefix and a
//! candidate, sized in all the ways the sizer offers; half of the texts also as a whole, in pieces side by side. With a file, half of the pairs are made of its lines. Ends with a
//! count; after a mismatch, with the options that repeat it and exit code 1.

#[path = "support/mod.rs"]
mod support;

use std::process::ExitCode;
use std::time::Instant;

use entropylaw::sizer::Sizer;
use entropylaw::sizer::deflate::{Candidate, Cut, DeflateSizer, Scratch, sizes};
use support::{Case, KINDS, Rng, case, oracle};

/// Seeds after which the candidates kept from prefix to prefix are dropped, so that a mismatch can be repeated.
const ROUND: u64 = 4;

struct Options {
    pairs: u64,
    seed: u64,
    data: Option<String>,
}

fn options() -> Result<Options, String> {
    let mut options = Options { pairs: 10_000, seed: 0, data: None };
    let mut args = std::env::args().skip(1);
    while let Some(name) = args.next() {
        let value = args.next().ok_or(format!("{name} needs a value"))?;
        let number = || value.parse().map_err(|_| format!("{name} needs a number, not {value:?}"));
        match name.as_str() {
            "--pairs" => options.pairs = number()?,
            "--seed" => options.seed = number()?,
            "--data" => options.data = Some(value),
            _ => return Err(format!("unknown option {name}: --pairs N, --seed S and --data FILE are known")),
        }
    }
    Ok(options)
}

fn main() -> ExitCode {
    let options = match options() {
        Ok(options) => options,
        Err(message) => {
            eprintln!("{message}");
            return ExitCode::from(2);
        }
    };
    let data = options.data.map_or(Vec::new(), |path| match std::fs::read(&path) {
        Ok(bytes) => bytes,
        Err(error) => panic!("cannot read {path}: {error}"),
    });
    let lines: Vec<&[u8]> = data.split(|&b| b == b'\n').filter(|line| !line.is_empty()).collect();

    let start = Instant::now();
    let mut sizer = DeflateSizer::new();
    let mut scratch = sizer.scratch();
    let mut kept = Kept::default();
    let (mut pairs, mut seed, mut mismatches, mut shown) = (0, options.seed, 0, 0);
    while pairs < options.pairs {
        let mut rng = Rng(seed);
        if seed % ROUND == 0 {
            kept = Kept::default();
        }
        let case = if lines.is_empty() || seed % 2 == 0 { synthetic(&mut rng) } else { real(&mut rng, &lines) };
        let found = run(&mut rng, &case, &mut sizer, &mut scratch, &mut kept);
        for message in &found.mismatches {
            println!("mismatch: --pairs {} --seed {}, {}, {message}", ROUND, seed - seed % ROUND, case.kind);
        }
        mismatches += found.mismatches.len();
        pairs += found.pairs;
        seed = seed.wrapping_add(1);
        if pairs / 20_000 > shown {
            shown = pairs / 20_000;
            println!("{pairs} pairs, {mismatches} mismatches, {:.0} s", start.elapsed().as_secs_f64());
        }
    }
    println!("{pairs} pairs, {mismatches} mismatches, seeds {} to {}", options.seed, seed.wrapping_sub(1));
    ExitCode::from(u8::from(mismatches > 0))
}

/// A generated case; mostly short, because a long one costs zlib as much time as many short ones.
fn synthetic(rng: &mut Rng) -> Case {
    let scale = [300, 3_000, 3_000, 20_000, 70_000][rng.range(0, 4)];
    let mut kind = rng.range(0, KINDS - 1);
    if matches!(kind, 7..=9) && !rng.chance(8) {
        kind = [1, 2, 3, 4, 5, 6, 11, 12][rng.range(0, 7)];
    }
    case(rng, kind, scale)
}

/// A few lines as prefix, one as candidate.
fn real(rng: &mut Rng, lines: &[&[u8]]) -> Case {
    let line = |rng: &mut Rng| lines[rng.range(0, lines.len() - 1)].to_vec();
    let pieces = (0..rng.skewed(60)).map(|_| line(rng)).collect();
    Case { kind: "lines", pieces, candidate: line(rng) }
}

/// Candidates kept from one prefix to the next.
#[derive(Default)]
struct Kept {
    texts: Vec<Vec<u8>>,
    candidates: Vec<Candidate>,
}

struct Found {
    pairs: u64,
    mismatches: Vec<String>,
}

/// Sizes a case, and the tail of the prefix in its stead, before and after the last append and after a restore.
fn run(rng: &mut Rng, case: &Case, sizer: &mut DeflateSizer, scratch: &mut Scratch, kept: &mut Kept) -> Found {
    let mut found = Found { pairs: 0, mismatches: Vec::new() };
    sizer.clear();
    let mut prefix = Vec::new();
    kept.texts.push(case.candidate.clone());
    kept.candidates.push(sizer.candidate(&case.candidate));
    let steps = case.pieces.len();
    for (step, piece) in case.pieces.iter().enumerate() {
        sizer.append(piece);
        prefix.extend_from_slice(piece);
        if step + 1 == steps || (step + 3 > steps && prefix.len() < 40_000) {
            if rng.chance(4) {
                *sizer = DeflateSizer::from_bytes(&sizer.to_bytes()).expect("what was just written");
            }
            check(case, &prefix, sizer, scratch, kept, &mut found);
        }
    }
    if steps == 0 {
        check(case, &prefix, sizer, scratch, kept, &mut found);
    }
    if rng.chance(2) {
        check_pieces(rng, case, &mut found);
    }
    found
}

/// Sizes a case as a whole, cut into pieces at random.
fn check_pieces(rng: &mut Rng, case: &Case, found: &mut Found) {
    let whole = case.whole();
    let part = |rng: &mut Rng, most| 1 + whole.len() / rng.range(1, most);
    let cut = Cut { piece: part(rng, 9), beyond: rng.skewed(2_000), round: part(rng, 3), short: 0 };
    let parts = case.pieces.iter().chain([&case.candidate]).map(Vec::as_slice);
    let (size, expected) = (sizes([parts], cut, |_| true).expect("nobody says no")[0], oracle(&whole));
    if size != expected {
        found.mismatches.push(format!("{cut:?}: {size}, zlib {expected}: {} bytes", whole.len()));
    }
}

fn check(case: &Case, prefix: &[u8], sizer: &DeflateSizer, scratch: &mut Scratch, kept: &mut Kept, found: &mut Found) {
    let texts: Vec<&[u8]> = kept.texts.iter().map(Vec::as_slice).collect();
    let expected: Vec<u64> = texts.iter().map(|text| oracle(&[prefix, text].concat())).collect();
    let lengths = |i: usize| {
        let pieces: Vec<usize> = case.pieces.iter().map(Vec::len).collect();
        format!("pieces {pieces:?}, prefix {}, candidate {} of {} bytes", prefix.len(), i, texts[i].len())
    };
    let mut compare = |way: &str, sizes: &[u64]| {
        for (i, (size, expected)) in sizes.iter().zip(&expected).enumerate() {
            if size != expected {
                found.mismatches.push(format!("{way}: {size}, zlib {expected}: {}", lengths(i)));
            }
        }
    };
    let mut sizes = vec![0; texts.len()];
    sizer.probe_all(&texts, &mut sizes, scratch);
    compare("probe_all", &sizes);
    let one: Vec<u64> = texts.iter().map(|text| sizer.probe(text, scratch)).collect();
    compare("probe", &one);
    sizer.probe_candidates(&mut kept.candidates, &mut sizes, scratch);
    compare("probe_candidates", &sizes);
    found.pairs += expected.len() as u64;
}
