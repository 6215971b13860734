//! A prefix as bytes, and back.

mod support;

use entropylaw::sizer::Sizer;
use entropylaw::sizer::deflate::{DeflateSizer, RestoreError};
use support::{Rng, case, oracle};

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
    let mut newer = saved.clone();
    newer[8] = 2;
    let error = DeflateSizer::from_bytes(&newer).err().expect("an unknown version");
    assert_eq!(
        error.to_string(),
        "saved deflate prefix has version 2, this build reads version 1: use the release that wrote it"
    );
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
            let sum = forged[..end].iter().fold(0xcbf2_9ce4_8422_2325, |sum: u64, &byte| {
                (sum ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3)
            });
            forged[end..].copy_from_slice(&sum.to_le_bytes());
            if let Ok(mut sizer) = DeflateSizer::from_bytes(&forged) {
                let mut scratch = sizer.scratch();
                sizer.probe(b"candidate candidate", &mut scratch);
                sizer.append(&support::prose(&mut rng, 300));
                sizer.probe(b"candidate", &mut scratch);
            }
        }
    }
}
