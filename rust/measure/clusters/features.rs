//! What samples are told apart by: how they are written, more than what they are about.
//!
//! A sample is a bag of *marks*: words (in lower case; numbers by their number of digits alone), each character of
//! punctuation and each line break, and the pairs of neighbours. Template words, bullet points, code and dialogue show in
//! them. Marks are hashed to one of [`SLOTS`] slots, and count with the logarithm of how often they occur, and the less
//! the more samples have them. All numbers are whole: the same on any platform and in any order.

use crate::hash::{chain, mix};
use crate::real;

/// Slots that marks are hashed to.
pub(super) const SLOTS: usize = 1 << 13;

/// The length of a vector that is not 0, about.
pub(super) const UNIT: f64 = 1024.0;

/// Bytes of a sample that are looked at, from its beginning: formats show soon.
const SEEN: usize = 4096;

/// A mark: a word, a number, a character of punctuation or a line break.
pub(super) fn marks(sample: &[u8]) -> impl Iterator<Item = &[u8]> {
    let mut rest = &sample[..sample.len().min(SEEN)];
    std::iter::from_fn(move || {
        let start = rest.iter().position(|byte| *byte == b'\n' || !byte.is_ascii_whitespace())?;
        rest = &rest[start..];
        let is_word = |byte: &u8| byte.is_ascii_alphabetic() || *byte >= 0x80;
        let length = if is_word(&rest[0]) {
            rest.iter().position(|byte| !is_word(byte))
        } else if rest[0].is_ascii_digit() {
            rest.iter().position(|byte| !byte.is_ascii_digit())
        } else {
            Some(1)
        };
        let mark;
        (mark, rest) = rest.split_at(length.unwrap_or(rest.len()));
        Some(mark)
    })
}

/// A hash of a mark.
fn hash(mark: &[u8]) -> u64 {
    if mark[0].is_ascii_digit() {
        return mix(1 + mark.len().min(5) as u64);
    }
    mark.chunks(8).fold(mark.len() as u64, |state, chunk| {
        let mut word = [0; 8];
        chunk.iter().zip(&mut word).for_each(|(byte, to)| *to = byte.to_ascii_lowercase());
        chain(state, u64::from_le_bytes(word))
    })
}

/// The slots of a sample's marks, each with how often it occurs, in ascending order.
pub(super) fn slots(sample: &[u8], into: &mut Vec<(u16, u32)>) {
    into.clear();
    let slot = |hash: u64| (mix(hash) >> 51) as u16;
    let mut before = 0;
    for mark in marks(sample) {
        let now = hash(mark);
        into.push((slot(now), 1));
        into.push((slot(chain(before, now)), 1));
        before = now;
    }
    into.sort_unstable();
    into.dedup_by(|later, first| {
        let is_same = later.0 == first.0;
        first.1 += u32::from(is_same);
        is_same
    });
}

/// What a slot counts, by how many of `samples` have a mark in it.
pub(super) fn weights(having: &[u32], samples: usize) -> Vec<u32> {
    having.iter().map(|&df| (64.0 * real::ln((samples as f64 + 1.0) / (f64::from(df) + 0.5))) as u32).collect()
}

/// A sample as a vector of length about [`UNIT`]: slots that are not 0, and their values.
pub(super) type Vector = Vec<(u16, i16)>;

/// The vector of a sample.
pub(super) fn vector(sample: &[u8], weights: &[u32], scratch: &mut Vec<(u16, u32)>) -> Vector {
    slots(sample, scratch);
    for (slot, count) in scratch.iter_mut() {
        *count = (count.ilog2() + 1) * weights[usize::from(*slot)];
    }
    let square: u64 = scratch.iter().map(|&(_, value)| u64::from(value) * u64::from(value)).sum();
    let scale = UNIT / (square.max(1) as f64).sqrt();
    let scaled = scratch.iter().map(|&(slot, value)| (slot, (f64::from(value) * scale + 0.5) as i16));
    scaled.filter(|&(_, value)| value > 0).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn marks_are_words_numbers_and_punctuation() {
        let found: Vec<&[u8]> = marks("Is it 42?\n\n- café,\tyes ".as_bytes()).collect();
        let expected = ["Is", "it", "42", "?", "\n", "\n", "-", "café", ",", "yes"];
        assert_eq!(found, expected.map(str::as_bytes));
        assert_eq!(marks(b"").count() + marks(b"  \t").count(), 0);
    }

    #[test]
    fn case_and_the_digits_of_numbers_make_no_difference() {
        let of = |text: &str| {
            let mut found = Vec::new();
            slots(text.as_bytes(), &mut found);
            found
        };
        assert_eq!(of("The 17 cats"), of("the 42 Cats"));
        assert_ne!(of("the 17 cats"), of("the 170 cats"));
        let (count, marks) = (of("a b a b a").iter().map(|&(_, count)| count).sum::<u32>(), 10);
        assert_eq!(count, marks, "five marks and five pairs, the first with nothing");
    }

    #[test]
    fn vectors_have_one_length() {
        let weights = weights(&vec![3; SLOTS], 100);
        let text = "the cat sat on the mat, and then the dog ran off.";
        let vector = vector(text.as_bytes(), &weights, &mut Vec::new());
        let length = vector.iter().map(|&(_, value)| f64::from(value).powi(2)).sum::<f64>().sqrt();
        assert!((length - UNIT).abs() < 8.0, "{length}");
        assert!(super::vector(b"", &weights, &mut Vec::new()).is_empty());
    }
}
