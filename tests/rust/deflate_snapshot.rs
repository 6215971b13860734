//! A prefix as bytes, and back.

mod support;

use entropylaw::sizer::Sizer;
use entropylaw::sizer::deflate::{DeflateSizer, RestoreError};
use support::{Rng, case, oracle};

/// Where a saved prefix has a number, and how many bytes that takes.
type Field = (usize, usize);
const ORIGIN: Field = (12, 8);
const TEXT_LEN: Field = (20, 4);
const POSITION: Field = (24, 4);
const BUFFERED: Field = (28, 4);
const LENGTH: Field = (32, 2);
const DISTANCE: Field = (34, 2);
const PENDING: Field = (36, 1);
const SYMBOLS: Field = (669, 4);
const BYTES: Field = (673, 8);
const BITS: Field = (681, 8);
const TEXT: usize = 689;

const fn literals(symbol: usize) -> Field {
    (37 + 2 * symbol, 2)
}

const fn distances(code: usize) -> Field {
    (609 + 2 * code, 2)
}

/// A saved prefix to be changed.
#[derive(Clone)]
struct Forged(Vec<u8>);

impl Forged {
    fn of(text: &[u8]) -> Forged {
        Forged(sizer_of(text).to_bytes())
    }

    fn get(&self, (at, len): Field) -> u64 {
        self.0[at..at + len].iter().rev().fold(0, |number, &byte| number << 8 | u64::from(byte))
    }

    fn set(mut self, (at, len): Field, number: u64) -> Forged {
        self.0[at..at + len].copy_from_slice(&number.to_le_bytes()[..len]);
        self
    }

    fn add(self, field: Field, number: i64) -> Forged {
        let sum = self.get(field).wrapping_add_signed(number);
        self.set(field, sum)
    }

    /// Takes the match in hand, if there is one, for a literal.
    fn without_match(self) -> Forged {
        self.set(LENGTH, 2)
    }

    /// Moves the parse, in its buffer too.
    fn at(self, position: u64) -> Forged {
        let by = position as i64 - self.get(POSITION) as i64;
        self.add(POSITION, by).add(BUFFERED, by)
    }

    /// The bytes, with the right checksum.
    fn bytes(mut self) -> Vec<u8> {
        let end = self.0.len() - 8;
        let sum = self.0[..end]
            .iter()
            .fold(0xcbf2_9ce4_8422_2325, |sum: u64, &byte| (sum ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3));
        self.0[end..].copy_from_slice(&sum.to_le_bytes());
        self.0
    }
}

fn sizer_of(text: &[u8]) -> DeflateSizer {
    let mut sizer = DeflateSizer::new();
    sizer.append(text);
    sizer
}

/// Where the parse, a block or the window may be in any state.
#[test]
fn restored_prefix_sizes_and_grows_like_the_saved() {
    for seed in 0..420 {
        let mut rng = Rng(seed);
        let case = case(&mut rng, seed as usize % support::KINDS, 120_000);
        let (prefix, whole) = (case.prefix(), case.whole());
        let saved = sizer_of(&prefix).to_bytes();
        let mut restored = DeflateSizer::from_bytes(&saved).expect("just saved");
        let mut scratch = restored.scratch();
        assert_eq!(restored.to_bytes(), saved, "seed {seed}");
        assert_eq!(restored.prefix_len(), prefix.len() as u64);
        assert_eq!(restored.probe(&case.candidate, &mut scratch), oracle(&whole), "seed {seed}, {}", case.kind);
        restored.append(&case.candidate);
        let more = support::prose(&mut rng, 2_000);
        assert_eq!(restored.probe(&more, &mut scratch), oracle(&[whole, more].concat()), "seed {seed}, {}", case.kind);
    }
}

#[test]
fn saved_prefix_is_small_however_long_it_is() {
    let text = support::prose(&mut Rng(3), 1_000_000);
    assert!(sizer_of(&text).to_bytes().len() < 34 * 1024);
}

#[test]
fn damage_is_an_error() {
    let saved = sizer_of(&support::prose(&mut Rng(4), 3_000)).to_bytes();
    for len in 0..saved.len() {
        assert!(DeflateSizer::from_bytes(&saved[..len]).is_err(), "cut to {len} bytes");
    }
    for i in 0..saved.len() {
        let mut damaged = saved.clone();
        damaged[i] ^= 1 << (i % 8);
        assert!(DeflateSizer::from_bytes(&damaged).is_err(), "byte {i} damaged");
    }
    let overlong = [saved.as_slice(), b"!"].concat();
    assert!(matches!(DeflateSizer::from_bytes(&overlong), Err(RestoreError::Length { .. })));
    assert_eq!(DeflateSizer::from_bytes(b"PK\x03\x04").err(), Some(RestoreError::NotAPrefix));
    for version in [0, 1, 3] {
        let mut other = saved.clone();
        other[8] = version;
        let error = DeflateSizer::from_bytes(&other).err().expect("an unknown version");
        assert_eq!(
            error.to_string(),
            format!(
                "saved deflate prefix has version {version}, this build reads version 2: use the release that wrote it"
            )
        );
    }
}

/// Each rule that a saved prefix keeps is checked: here, all the others hold.
#[test]
fn what_cannot_be_is_an_error() {
    let mut rng = Rng(5);
    let [short, long] = [3_000, 200_000].map(|len| Forged::of(&support::prose(&mut rng, len)).without_match());
    let empty = Forged::of(b"");
    let text_len = short.get(TEXT_LEN);
    let matched = short.clone().at(text_len - 5).add(BYTES, -10).set(PENDING, 1).set(LENGTH, 4).set(DISTANCE, 9);
    let far = long.clone().at((1 << 15) - 5).set(PENDING, 1).set(LENGTH, 4).set(DISTANCE, 32_506);
    for possible in [&short, &long, &empty, &matched, &far] {
        assert_eq!(DeflateSizer::from_bytes(&possible.clone().bytes()).err(), None);
    }
    let one_more = |mut saved: Forged| {
        saved.0.insert(TEXT, b'!');
        saved
    };
    let full = |saved: Forged| {
        let missing = 16_383 - saved.get(SYMBOLS) as i64;
        saved.add(literals(97), missing).set(SYMBOLS, 16_383).set(BYTES, 16_383)
    };
    let edit = |saved: &Forged| saved.clone();
    for (forged, message) in [
        (one_more(edit(&long)).add(TEXT_LEN, 1).at(long.get(POSITION) + 1), "more text than the window holds"),
        (edit(&short).set(PENDING, 2), "a flag is neither 0 nor 1"),
        (edit(&long).add(ORIGIN, 1 << 57), "the text does not fill the window behind the start"),
        (edit(&short).set(ORIGIN, 1 << 15), "the text does not fill the window behind the start"),
        (edit(&short).at(text_len + 1), "the parse is not near the end of the text"),
        (edit(&long).at((1 << 15) - 262), "the parse is not near the end of the text"),
        (
            edit(&long).set(BUFFERED, long.get(BUFFERED) % (1 << 15) + (1 << 16)),
            "the buffer does not start at a multiple of the window size",
        ),
        (edit(&short).add(BUFFERED, -1), "the buffer does not start at a multiple of the window size"),
        (edit(&short).add(BUFFERED, 1 << 15), "the buffer does not start at a multiple of the window size"),
        (edit(&matched).set(LENGTH, 1), "the match in hand cannot be"),
        (edit(&matched).set(LENGTH, 7), "the match in hand cannot be"),
        (edit(&matched).set(DISTANCE, 0), "the match in hand cannot be"),
        (edit(&far).set(DISTANCE, 32_507), "the match in hand cannot be"),
        (edit(&matched).set(PENDING, 0), "the match in hand cannot be"),
        (edit(&matched).set(DISTANCE, text_len - 6), "the match in hand cannot be"),
        (edit(&empty).set(PENDING, 1), "a literal is pending before the start"),
        (edit(&short).add(literals(256), 1), "the counts of the open block do not add up"),
        (edit(&short).add(distances(7), 1), "the counts of the open block do not add up"),
        (edit(&short).add(literals(97), 1), "the counts of the open block do not add up"),
        (full(edit(&long)), "the counts of the open block do not add up"),
        (edit(&short).set(BYTES, short.get(POSITION) + 1), "the sizes of the blocks cannot be"),
        (edit(&short).set(BYTES, short.get(SYMBOLS) - 1), "the sizes of the blocks cannot be"),
        (edit(&short).set(BITS, 15), "the sizes of the blocks cannot be"),
        (edit(&short).set(BITS, 1 << 57), "the sizes of the blocks cannot be"),
    ] {
        assert_eq!(DeflateSizer::from_bytes(&forged.bytes()).err(), Some(RestoreError::Inconsistent(message)));
    }
}

/// Bytes that are damaged but carry the right checksum either restore to something that works, or are an error.
#[test]
fn forged_bytes_never_panic() {
    let mut rng = Rng(6);
    let texts = [support::prose(&mut rng, 500), support::copies(&mut rng, 70_000, 4), vec![b'a'; 40_000]];
    for saved in texts.map(|text| sizer_of(&text).to_bytes()) {
        for _ in 0..3000 {
            let mut forged = saved.clone();
            let end = forged.len() - 8;
            for _ in 0..rng.range(1, 3) {
                let i = if rng.chance(4) { rng.range(8, end - 1) } else { rng.range(12, 40) };
                forged[i] = if rng.chance(2) { forged[i] ^ (1 << rng.range(0, 7)) } else { rng.next() as u8 };
            }
            if let Ok(mut sizer) = DeflateSizer::from_bytes(&Forged(forged).bytes()) {
                let mut scratch = sizer.scratch();
                sizer.probe(b"candidate candidate", &mut scratch);
                sizer.append(&support::prose(&mut rng, 300));
                sizer.probe(b"candidate", &mut scratch);
            }
        }
    }
}
