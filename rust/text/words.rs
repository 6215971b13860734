//! Word n-grams: runs of one to `n` words.
//!
//! A word is a run of ASCII letters, digits, underscores and two-byte characters (the alphabets of Europe and the Near
//! East); any other character but white space is a word by itself: punctuation, and the characters of scripts that
//! do not set words apart. The rule looks at bytes alone, needs no tables, and cuts broken UTF-8 somehow, but always
//! alike.
//!
//! Runs of fewer than five bytes are passed over. Short words and pairs of punctuation marks come together by accident, and
//! shuffled characters consist of them: without this rule, the shuffled code in a pool of code looks like code.

use super::features::{Features, Occurrence};
use crate::hash::{chain, mix};

/// Runs of one to `n` words.
#[derive(Debug, Clone, Copy)]
pub(crate) struct WordGrams {
    n: usize,
}

impl WordGrams {
    /// The longest run.
    pub(crate) const MAX: usize = 8;

    /// Runs of one to `n` words, `n` in `1..=MAX`.
    pub(crate) fn new(n: usize) -> Self {
        assert!((1..=Self::MAX).contains(&n));
        Self { n }
    }
}

/// Bytes of the shortest run that is a feature, the white space in it included.
const SHORTEST: usize = 5;

/// What a byte does to the word before it.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// White space: ends it.
    Space,
    /// A letter or a digit: goes on with it.
    Letter,
    /// Begins a character that is a word by itself.
    Alone,
    /// The second or a later byte of a character: goes on with whatever there is.
    Inner,
}

const KINDS: [Kind; 256] = {
    let mut kinds = [Kind::Alone; 256];
    let mut byte = 0;
    while byte < 256 {
        kinds[byte] = match byte as u8 {
            b' ' | b'\t'..=b'\r' => Kind::Space,
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'_' | 0xc2..=0xdf => Kind::Letter,
            0x80..=0xbf => Kind::Inner,
            _ => Kind::Alone,
        };
        byte += 1;
    }
    kinds
};

/// The word being read.
#[derive(Default)]
struct Word {
    hash: u64,
    /// Up to eight bytes that `hash` does not hold yet.
    pending: u64,
    length: usize,
    /// The four bytes before it.
    context: u32,
}

impl Word {
    /// Adds a byte, which has `recent` before it.
    #[inline]
    fn push(&mut self, byte: u8, recent: u32) {
        if self.length == 0 {
            self.context = recent;
        } else if self.length.is_multiple_of(8) {
            self.hash = chain(self.hash, self.pending);
            self.pending = 0;
        }
        self.pending = self.pending << 8 | u64::from(byte);
        self.length += 1;
    }

    /// The length keeps apart words that differ by leading NUL bytes.
    #[inline]
    fn finish(&self) -> u64 {
        chain(self.hash ^ self.length as u64, self.pending)
    }
}

impl WordGrams {
    /// Calls `visit` with every run and its length in bytes.
    #[inline]
    fn runs(&self, sample: &[u8], mut visit: impl FnMut(Occurrence, usize)) {
        // The runs that end with the word before, shortest first, with the bytes before each and where it starts.
        let mut runs = [(Occurrence { hash: 0, context: 0 }, 0); Self::MAX];
        let mut words = 0;
        let mut emit = |word: &Word, end: usize| {
            if word.length == 0 {
                return;
            }
            let hash = word.finish();
            for length in (1..self.n.min(words + 1)).rev() {
                let (shorter, start) = runs[length - 1];
                runs[length] = (Occurrence { hash: chain(shorter.hash, hash), context: shorter.context }, start);
                visit(runs[length].0, end - start);
            }
            runs[0] = (Occurrence { hash: mix(hash), context: word.context }, end - word.length);
            visit(runs[0].0, word.length);
            words += 1;
        };
        let mut recent = 0;
        let mut word = Word::default();
        // Where the word ends so far.
        let mut end = 0;
        // Whether the word is a character by itself, which only inner bytes go on with.
        let mut alone = false;
        for (at, &byte) in sample.iter().enumerate() {
            let kind = KINDS[usize::from(byte)];
            let goes_on = match kind {
                Kind::Letter => !alone,
                Kind::Inner => word.length > 0,
                Kind::Space | Kind::Alone => false,
            };
            if !goes_on {
                emit(&word, end);
                word = Word::default();
                alone = matches!(kind, Kind::Alone | Kind::Inner);
            }
            if kind != Kind::Space {
                word.push(byte, recent);
                end = at + 1;
            }
            recent = recent << 8 | u32::from(byte);
        }
        emit(&word, end);
    }
}

impl Features for WordGrams {
    fn per_byte(&self) -> usize {
        self.n
    }

    #[inline]
    fn each(&self, sample: &[u8], mut visit: impl FnMut(Occurrence)) {
        self.runs(sample, |occurrence, length| {
            if length >= SHORTEST {
                visit(occurrence);
            }
        });
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use super::*;

    /// The words that the rule finds, told from each other by single-word features.
    fn words(sample: &str) -> Vec<u64> {
        let mut found = Vec::new();
        WordGrams::new(1).runs(sample.as_bytes(), |occurrence, _| found.push(occurrence.hash));
        found
    }

    #[test]
    fn cuts_words_as_documented() {
        for (sample, parts) in [
            ("the cat_1, sat", &["the", "cat_1", ",", "sat"][..]),
            ("  a\t\nb  ", &["a", "b"]),
            ("naïve Straße Привет", &["naïve", "Straße", "Привет"]),
            ("日本語 isn’t", &["日", "本", "語", "isn", "’", "t"]),
            ("x=\"é\"", &["x", "=", "\"", "é", "\""]),
            (
                "a-very-long-word: internationalisation",
                &["a", "-", "very", "-", "long", "-", "word", ":", "internationalisation"],
            ),
            ("", &[]),
        ] {
            let expected: Vec<u64> = parts.iter().flat_map(|part| words(part)).collect();
            assert_eq!(expected.len(), parts.len(), "each part of {parts:?} is one word");
            assert_eq!(words(sample), expected, "{sample:?}");
        }
    }

    #[test]
    fn runs_are_told_apart_and_recognised() {
        let runs = |sample: &[u8]| {
            let mut found = Vec::new();
            WordGrams::new(3).runs(sample, |occurrence, _| found.push(occurrence));
            found
        };
        // Words a b a b a: 5 + 4 + 3 occurrences of a, b, ab, ba, aba, bab.
        let found = runs(b"a b a b a");
        assert_eq!(found.len(), 12);
        let mut counts = HashMap::new();
        for occurrence in &found {
            *counts.entry(occurrence.hash).or_insert(0) += 1;
        }
        let mut counts: Vec<_> = counts.into_values().collect();
        counts.sort_unstable();
        assert_eq!(counts, [1, 2, 2, 2, 2, 3]);
        // The last run is the word `a`, after `a b `; the one before it `b a`.
        assert_eq!(found.last().unwrap().context, u32::from_be_bytes(*b"a b "));
        assert!(runs(b"x y").iter().all(|occurrence| occurrence.hash != 0));
    }

    #[test]
    fn short_runs_are_passed_over() {
        let count = |sample: &str| {
            let mut found = 0;
            WordGrams::new(2).each(sample.as_bytes(), |_| found += 1);
            found
        };
        assert_eq!((count("this"), count("words"), count("a cat"), count("a  is"), count("( ) ;")), (0, 1, 1, 1, 0));
        assert_eq!(count("words do"), 2);
    }

    #[test]
    fn broken_text_is_cut_somehow_but_alike() {
        let sample = [0x80, 0xff, b'a', 0xc3, b' ', 0xbf, 0xe2, 0x80];
        let visit = || {
            let mut found = Vec::new();
            WordGrams::new(2).each(&sample, |occurrence| found.push(occurrence));
            found
        };
        assert_eq!(visit(), visit());
        assert!(visit().len() <= WordGrams::new(2).per_byte() * sample.len());
    }
}
