//! Samples as sets of shingles: runs of five words, without case and punctuation.
//!
//! A word is a run of ASCII letters, digits and characters of two bytes (the alphabets of Europe and the Near East); a
//! longer character is a word by itself, because the scripts that have them do not set words apart. All else parts
//! words. A sample of fewer than five words is one shingle.

use crate::hash::chain;

/// Words in a shingle.
const RUN: usize = 5;

/// Shared shingles of all shingles that make two samples alike: 4 of 5.
const SHARED: usize = 4;
const OF: usize = 5;

/// Takes samples apart.
pub(crate) struct Shingles {
    /// Hashes of the last words, the latest at `words % RUN`.
    last: [u64; RUN],
    words: usize,
}

impl Shingles {
    /// Calls `visit` with the hash of every shingle of `sample`, in order, repeated ones too.
    pub(crate) fn each(sample: &[u8], mut visit: impl FnMut(u64)) {
        let mut shingles = Self { last: [0; RUN], words: 0 };
        let mut word: Option<u64> = None;
        // Whether the word is a character by itself.
        let mut alone = false;
        let mut push = |word: u64| {
            shingles.last[shingles.words % RUN] = word;
            shingles.words += 1;
            if shingles.words >= RUN {
                visit(shingles.hash());
            }
        };
        for &byte in sample {
            match byte {
                b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | 0x80..=0xdf => {
                    if alone && !(0x80..0xc0).contains(&byte) {
                        word.take().map(&mut push);
                        alone = false;
                    }
                    word = Some(chain(word.unwrap_or(0), u64::from(byte.to_ascii_lowercase())));
                }
                0xe0..=0xff => {
                    word.take().map(&mut push);
                    word = Some(chain(0, u64::from(byte)));
                    alone = true;
                }
                _ => {
                    word.take().map(&mut push);
                }
            }
        }
        word.map(&mut push);
        if (1..RUN).contains(&shingles.words) {
            visit(shingles.hash());
        }
    }

    fn hash(&self) -> u64 {
        let length = self.words.min(RUN);
        (self.words - length..self.words).fold(length as u64, |hash, at| chain(hash, self.last[at % RUN]))
    }

    /// The set of shingles: sorted, each once.
    fn set(sample: &[u8]) -> Vec<u64> {
        let mut set = Vec::new();
        Self::each(sample, |shingle| set.push(shingle));
        set.sort_unstable();
        set.dedup();
        set
    }
}

/// Whether two samples share four fifths of their shingles.
pub(crate) fn alike(a: &[u8], b: &[u8]) -> bool {
    let (a, b) = (Shingles::set(a), Shingles::set(b));
    let mut shared = 0;
    let mut others = b.iter().peekable();
    for shingle in &a {
        while others.next_if(|other| *other < shingle).is_some() {}
        shared += usize::from(others.next_if_eq(&shingle).is_some());
    }
    shared > 0 && shared * OF >= (a.len() + b.len() - shared) * SHARED
}

#[cfg(test)]
mod tests {
    use super::*;

    fn count(sample: &str) -> usize {
        Shingles::set(sample.as_bytes()).len()
    }

    #[test]
    fn counts_words_of_any_script() {
        assert_eq!(count("one two three four five six"), 2);
        assert_eq!(count("  one,\n"), 1);
        assert_eq!(count("été où ça là-bas"), 1);
        assert_eq!(count("いろはにほへと"), 3);
        assert_eq!(count("日本language本"), count("日 本 language 本"));
        assert_eq!(count(" ,.;"), 0);
        assert_eq!(count(""), 0);
    }

    /// Samples of one more shingle than they share, of which four fifths of all are exactly shared, or just not.
    #[test]
    fn four_fifths_are_alike_and_less_is_not() {
        let run = |from: usize, shingles: usize| -> Vec<u8> {
            let words: Vec<String> = (from..from + shingles + RUN - 1).map(|at| format!("w{at}")).collect();
            words.join(" ").into_bytes()
        };
        // Of 9 and 9 shingles 8 are shared, of 10 together; of 8 and 8 they are 7 of 9.
        assert!(alike(&run(0, 9), &run(1, 9)));
        assert!(!alike(&run(0, 8), &run(1, 8)));
        // One holds the other: 4 of 5, and 3 of 4.
        assert!(alike(&run(0, 5), &run(0, 4)) && alike(&run(0, 4), &run(0, 5)));
        assert!(!alike(&run(0, 4), &run(0, 3)));
        assert!(!alike(b"", b"") && !alike(b", .", b"!"), "without words nothing is shared");
    }

    #[test]
    fn case_and_punctuation_do_not_count() {
        assert_eq!(Shingles::set(b"The cat, sat; on THE mat."), Shingles::set(b"the cat sat on the mat"));
        assert_ne!(Shingles::set(b"the cat sat on a mat"), Shingles::set(b"the cat sat on the mat"));
    }
}
