//! What samples are told apart by: how they are written, not what they are about.
//!
//! A sample is a bag of *marks*: words (in lower case; numbers by their number of digits alone), each character of
//! punctuation and each line break. Only the [`COMMON`] marks that most samples have are told from each other; all others,
//! which are the words of topics, count as one. The beginning of a sample, its end and what lies between have bags of their
//! own, since templates, questions and answers show there. Words of topics would make many clusters of the prose that
//! most pools have most of, and leave few for the rigid formats beside it. All numbers are whole: the same on any
//! platform and in any order.

use std::cmp::Reverse;

use crate::hash::{chain, mix};

/// Slots that marks are hashed to, to be counted.
pub(super) const SLOTS: usize = 1 << 16;

/// Marks that are told from each other.
const COMMON: usize = 200;

/// Marks at each end of a sample that count apart.
const END: usize = 24;

/// Numbers in a vector: of each part of a sample, how often it has each common mark, and others.
pub(super) const DIMENSIONS: usize = 3 * (COMMON + 1);

/// The length of a vector that is not 0, about.
pub(super) const UNIT: f64 = 4096.0;

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

fn slot(mark: &[u8]) -> u16 {
    (mix(hash(mark)) >> 48) as u16
}

/// The slots of a sample's marks, each once, in ascending order.
pub(super) fn slots(sample: &[u8], into: &mut Vec<u16>) {
    into.clear();
    into.extend(marks(sample).map(slot));
    into.sort_unstable();
    into.dedup();
}

/// The marks that are told from each other.
pub(super) struct Common {
    /// Of each slot, the number of its mark from 1 on, or 0.
    numbers: Vec<u16>,
}

impl Common {
    /// The marks in the slots that most samples have, of `having` samples each.
    pub(super) fn new(having: &[u32]) -> Self {
        let mut order: Vec<usize> = (0..having.len()).filter(|&slot| having[slot] > 0).collect();
        order.sort_by_key(|&slot| Reverse(having[slot]));
        let mut numbers = vec![0; having.len()];
        order.iter().take(COMMON).zip(1..).for_each(|(&slot, number)| numbers[slot] = number);
        Self { numbers }
    }
}

/// A sample as a vector of length about [`UNIT`]: what is not 0, each with its place.
pub(super) type Vector = Vec<(u16, i16)>;

/// What a vector is made in.
#[derive(Default)]
pub(super) struct Scratch {
    numbers: Vec<u16>,
    counts: Vec<u32>,
}

/// The vector of a sample.
pub(super) fn vector(sample: &[u8], common: &Common, scratch: &mut Scratch) -> Vector {
    let Scratch { numbers, counts } = scratch;
    numbers.clear();
    numbers.extend(marks(sample).map(|mark| common.numbers[usize::from(slot(mark))]));
    counts.clear();
    counts.resize(DIMENSIONS, 0);
    let behind = numbers.len().saturating_sub(END).max(END);
    for (at, &number) in numbers.iter().enumerate() {
        let part = usize::from(at >= END) + usize::from(at >= behind);
        counts[part * (COMMON + 1) + usize::from(number)] += 1;
    }
    let square: u64 = counts.iter().map(|&count| u64::from(count) * u64::from(count)).sum();
    let scale = UNIT / (square.max(1) as f64).sqrt();
    let scaled = counts.iter().enumerate().map(|(at, &count)| (at as u16, (f64::from(count) * scale + 0.5) as i16));
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
        assert_eq!(of("a b a b a").len(), 2);
    }

    fn common(texts: &[&str]) -> Common {
        let (mut having, mut found) = (vec![0; SLOTS], Vec::new());
        for text in texts {
            slots(text.as_bytes(), &mut found);
            found.iter().for_each(|&slot| having[usize::from(slot)] += 1);
        }
        Common::new(&having)
    }

    #[test]
    fn the_marks_of_most_samples_are_common() {
        let topics: Vec<String> = (0..COMMON).map(|n| format!("{}{}", "x".repeat(n / 20 + 1), n % 20)).collect();
        let texts: Vec<String> =
            topics.iter().map(|topic| format!("the {topic}, {}", "é".repeat(topic.len()))).collect();
        let common = common(&texts.iter().map(String::as_str).collect::<Vec<_>>());
        let number = |mark: &str| common.numbers[usize::from(slot(mark.as_bytes()))];
        assert!((1..=2).contains(&number("the")) && (1..=2).contains(&number(",")));
        assert_eq!(number("never"), 0);
        assert_eq!(common.numbers.iter().max(), Some(&((2 + 2 + 10 + 11) as u16)), "fewer marks than could be common");
    }

    #[test]
    fn vectors_have_one_length() {
        let common = common(&["the cat , .", "the dog , ."]);
        for words in [1, 5, 100] {
            let text = "the cat sat on the mat, and then the dog ran off.".repeat(words);
            let vector = vector(text.as_bytes(), &common, &mut Scratch::default());
            let length = vector.iter().map(|&(_, value)| f64::from(value).powi(2)).sum::<f64>().sqrt();
            assert!((length - UNIT).abs() < 16.0, "{length}");
        }
        assert!(super::vector(b"", &common, &mut Scratch::default()).is_empty());
    }

    #[test]
    fn both_ends_count_apart() {
        let common = common(&["a"]);
        let parts = |count: usize| {
            let vector = vector("a ".repeat(count).as_bytes(), &common, &mut Scratch::default());
            vector.iter().map(|&(at, _)| usize::from(at) / (COMMON + 1)).collect::<Vec<_>>()
        };
        assert_eq!(parts(END), [0]);
        assert_eq!(parts(END + 1), [0, 2]);
        assert_eq!(parts(2 * END), [0, 2]);
        assert_eq!(parts(2 * END + 1), [0, 1, 2]);
    }
}
