//! Candidates that are kept while the prefix grows: what they keep of their last parse must still be true.

mod support;

use entropylaw::sizer::Sizer;
use entropylaw::sizer::deflate::DeflateSizer;
use support::{Rng, oracle};

/// What is appended in many pieces is sized like what is appended at once.
#[test]
fn growing_prefix() {
    for (seed, size) in [(1, 26), (2, 4), (3, 64)] {
        let mut rng = Rng(seed);
        let text = [support::copies(&mut rng, 70_000, size), support::prose(&mut rng, 40_000)].concat();
        let candidates: Vec<Vec<u8>> = (0..5)
            .map(|i| {
                let start = rng.range(0, 100_000);
                text[start..start + i * 400].to_vec()
            })
            .collect();
        let mut sizer = DeflateSizer::new();
        let mut scratch = sizer.scratch();
        for _ in 0..2 {
            sizer.clear();
            let mut kept: Vec<_> = candidates.iter().map(|c| sizer.candidate(c)).collect();
            let mut sizes = vec![0; candidates.len()];
            let mut at = 0;
            while at < text.len() {
                let piece = [rng.range(0, 8), rng.range(0, 20_000)][rng.range(0, 1)].min(text.len() - at);
                sizer.append(&text[at..at + piece]);
                at += piece;
                assert_eq!(sizer.prefix_len(), at as u64);
                let expected: Vec<u64> = candidates.iter().map(|c| oracle(&[&text[..at], c].concat())).collect();
                sizer.probe_candidates(&mut kept, &mut sizes, &mut scratch);
                assert_eq!(sizes, expected, "candidates, {at} bytes");
                let samples: Vec<&[u8]> = candidates.iter().map(Vec::as_slice).collect();
                sizer.probe_all(&samples, &mut sizes, &mut scratch);
                assert_eq!(sizes, expected, "samples, {at} bytes");
            }
        }
    }
}

/// A candidate remembers the matches that it found in the prefix. Here they are outdone by appends: by longer ones, by
/// nearer ones of the same length, and by themselves, where they ran into the prefix's end; or they leave the window.
/// Some probes are of the same prefix as the last one, and some appends go unseen.
#[test]
fn candidates_remember_what_is_still_true() {
    for (seed, size) in [(11, 26), (12, 4), (13, 64)] {
        let mut rng = Rng(seed);
        let text = [support::copies(&mut rng, 66_000, size), support::prose(&mut rng, 12_000)].concat();
        let start = rng.range(28_000, 33_000);
        let mut sizer = DeflateSizer::new();
        let mut scratch = sizer.scratch();
        sizer.append(&text[..start]);
        let mut at = start;
        let of_old_text = rng.range(0, 2_000);
        let texts = [&text[of_old_text..of_old_text + 300], &text[at - 50..at + 700], &text[77_000..77_600]];
        let mut kept: Vec<_> = texts.iter().map(|c| sizer.candidate(c)).collect();
        let mut sizes = vec![0; texts.len()];
        for step in 0..100 {
            let piece = [0, 1, 7, 150, 250, 400][rng.range(0, 5)].min(text.len() - at);
            sizer.append(&text[at..at + piece]);
            at += piece;
            if step % 16 == 5 {
                continue;
            }
            let expected: Vec<u64> = texts.iter().map(|c| oracle(&[&text[..at], c].concat())).collect();
            for _ in 0..1 + usize::from(step % 8 == 0) {
                sizer.probe_candidates(&mut kept, &mut sizes, &mut scratch);
                assert_eq!(sizes, expected, "{at} bytes");
            }
        }
    }
}

/// A match that starts in the old text and ends in the new outdoes a remembered one.
#[test]
fn appends_that_complete_a_match() {
    let mut rng = Rng(14);
    let [before, between, phrase] = [4_000, 3_000, 60].map(|len| support::letters(&mut rng, len, 64));
    // Behind a few bytes, since a candidate's first is searched for every time.
    let text = [b"\n\t\n", &phrase[..]].concat();
    for known in [3, 5, 8, 9, 30] {
        for cut in 1..40 {
            let mut sizer = DeflateSizer::new();
            let mut scratch = sizer.scratch();
            let old = [&before[..], &phrase[..known], &between, &phrase[..cut]].concat();
            sizer.append(&old);
            let mut candidate = sizer.candidate(&text);
            sizer.probe_candidate(&mut candidate, &mut scratch);
            sizer.append(&phrase[cut..40]);
            let expected = oracle(&[&old, &phrase[cut..40], &text].concat());
            assert_eq!(sizer.probe_candidate(&mut candidate, &mut scratch), expected, "{known} known, cut at {cut}");
        }
    }
}

/// With every byte appended matches are one further away, until they are too far for their length, or for any: at the
/// very largest distance only if nothing nearer starts alike.
#[test]
fn matches_that_leave_reach() {
    let mut rng = Rng(15);
    let text = support::letters(&mut rng, 40_000, 64);
    for (length, limit, decoys) in [(3, 4_096, false), (4, 32_506, false), (20, 32_506, false), (20, 32_506, true)] {
        let phrases: Vec<Vec<u8>> =
            (0..8).map(|_| support::noise(&mut rng, length).iter().map(|b| b | 128).collect()).collect();
        let joined = |separator: u8| phrases.iter().flat_map(|p| [p, &[separator][..]].concat()).collect::<Vec<u8>>();
        let decoy: Vec<u8> = phrases.iter().flat_map(|p| [&p[..3], b"_"].concat()).filter(|_| decoys).collect();
        let candidate = [b"\n\t\n", &joined(b'\n')[..]].concat();
        let far = joined(b'_');
        // Two bytes short of the limit: the candidate's phrases are three bytes behind its start.
        let between = limit - 5 - far.len() - decoy.len();
        let mut prefix = [&text[..100], &far, &text[100..100 + between], &decoy].concat();
        let mut sizer = DeflateSizer::new();
        sizer.append(&prefix);
        let mut scratch = sizer.scratch();
        let mut kept = sizer.candidate(&candidate);
        for &byte in &text[39_990..] {
            let expected = oracle(&[&prefix[..], &candidate].concat());
            assert_eq!(sizer.probe_candidate(&mut kept, &mut scratch), expected, "{length}, {} bytes", prefix.len());
            sizer.append(&[byte]);
            prefix.push(byte);
        }
    }
}

/// While a candidate is kept, a chain becomes so long that zlib no longer comes to the candidate's match.
#[test]
fn chain_that_grows() {
    let text = support::end_of_chain(&mut Rng(16), 4_400, 0);
    let (text, candidate) = text.split_at(text.len() - 69);
    let mut sizer = DeflateSizer::new();
    let mut scratch = sizer.scratch();
    let mut kept = sizer.candidate(candidate);
    let mut prefix = Vec::new();
    for piece in text.chunks(1_000) {
        sizer.append(piece);
        prefix.extend_from_slice(piece);
        let expected = oracle(&[&prefix[..], candidate].concat());
        assert_eq!(sizer.probe_candidate(&mut kept, &mut scratch), expected, "{} bytes", prefix.len());
    }
}
