//! Which samples of a pool hold text of a benchmark: long runs of words that both have.
//!
//! The measure is that of GPT-3 (arXiv 2005.14165, appendix C): runs of 13 words, in lower case and without punctuation. A
//! word is what stands between white space, letters and digits only; of scripts that do not set words apart (Chinese,
//! Japanese, Thai), each character is one. A text of 8 to 12 words is one run. A shorter one says too little to be
//! found inside of others: a sample has to be that text, word for word, and nothing else.
//!
//! A run that is in more than [`MOST_TEXTS`] texts of the benchmark tells none of them from the others, and is passed
//! over: such are templates and instructions. How many samples of the *pool* have it does not matter: the prompts of
//! benchmarks are in instruction pools many times, with many answers.
//!
//! Runs are found by hashes, and then compared word by word, so that nothing is found that is not there.

use rayon::prelude::*;

use super::covered::Covered;
use crate::error::{Error, Result};
use crate::hash::{chain, mix};
use crate::pool::Pool;
use crate::run::monitor::{Monitor, Stage};
use crate::run::threads::Threads;

/// Words of a run.
const WORDS: usize = 13;

/// Words of the shortest text that is looked for inside of samples.
const FEWEST: usize = 8;

/// In so many texts of a benchmark a run may be, at most.
const MOST_TEXTS: usize = 10;

/// A sample that holds text of a benchmark.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Match {
    /// The sample.
    pub sample: u32,
    /// The text of the benchmark: of each group of texts, the first that the sample has a run of.
    pub text: u32,
    /// Where the run is in the sample, in bytes.
    pub start: u64,
    /// Behind its last byte.
    pub end: u64,
}

/// The words of a text, as they are compared.
#[derive(Default)]
pub(super) struct Words {
    /// One after the other.
    letters: String,
    words: Vec<Word>,
}

#[derive(Clone, Copy)]
struct Word {
    hash: u64,
    /// Where it ends in `letters`.
    end: usize,
    /// Where it is in the text.
    from: usize,
    to: usize,
}

/// Whether a character is a word by itself: of scripts without spaces between words.
fn is_word(character: char) -> bool {
    matches!(character, '\u{e00}'..='\u{eff}' | '\u{2e80}'..='\u{a4cf}' | '\u{f900}'..='\u{faff}' | '\u{20000}'..='\u{3ffff}')
}

impl Words {
    /// Reads a text; what is not UTF-8 in it ends words.
    fn read(&mut self, text: &[u8]) {
        self.letters.clear();
        self.words.clear();
        let mut open = None;
        let mut at = 0;
        for chunk in text.utf8_chunks() {
            for (offset, character) in chunk.valid().char_indices() {
                let from = at + offset;
                if character.is_whitespace() {
                    self.close(&mut open);
                } else if character.is_alphanumeric() {
                    if is_word(character) {
                        self.close(&mut open);
                    }
                    self.letters.extend(character.to_lowercase());
                    let to = from + character.len_utf8();
                    open = Some((open.map_or(from, |(start, _)| start), to));
                    if is_word(character) {
                        self.close(&mut open);
                    }
                }
            }
            at += chunk.valid().len() + chunk.invalid().len();
            if !chunk.invalid().is_empty() {
                self.close(&mut open);
            }
        }
        self.close(&mut open);
    }

    /// Ends the word that is open, if one is.
    fn close(&mut self, open: &mut Option<(usize, usize)>) {
        if let Some((from, to)) = open.take() {
            let start = self.words.last().map_or(0, |word| word.end);
            let bytes = &self.letters.as_bytes()[start..];
            let hash = bytes.chunks(8).fold(bytes.len() as u64, |hash, piece| {
                chain(hash, piece.iter().fold(0, |word, &byte| word << 8 | u64::from(byte)))
            });
            self.words.push(Word { hash, end: self.letters.len(), from, to });
        }
    }

    fn word(&self, at: usize) -> &str {
        let start = if at == 0 { 0 } else { self.words[at - 1].end };
        &self.letters[start..self.words[at].end]
    }

    /// The hashes of all runs of so many words, by where they start.
    pub(super) fn runs(&self, length: usize) -> impl Iterator<Item = u64> {
        self.words
            .windows(length)
            .map(|run| run.iter().fold(mix(run.len() as u64), |hash, word| chain(hash, word.hash)))
    }

    /// Whether so many words from `at` on are those of another text from `start` on.
    pub(super) fn has_at(&self, at: usize, other: &Self, start: usize, length: usize) -> bool {
        (0..length).all(|word| self.word(at + word) == other.word(start + word))
    }
}

/// A run of a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Run {
    pub hash: u64,
    pub text: u32,
    /// Its first word.
    pub start: u32,
}

/// What samples are held to.
struct Benchmark {
    texts: Vec<Words>,
    groups: Vec<u32>,
    /// The runs of each length, by hash.
    runs: [Vec<Run>; WORDS + 1],
}

impl Benchmark {
    fn new(texts: &Pool<'_>, groups: &[u32], monitor: &Monitor) -> Result<Self> {
        let read = |index| {
            monitor.check()?;
            let mut words = Words::default();
            words.read(texts.sample(index));
            Ok(words)
        };
        let texts: Vec<Words> = (0..texts.len()).into_par_iter().map(read).collect::<Result<_>>()?;
        let mut runs: [Vec<Run>; WORDS + 1] = Default::default();
        for (text, words) in texts.iter().enumerate() {
            let length = words.words.len().min(WORDS);
            if length > 0 {
                let found = words.runs(length).enumerate();
                runs[length].extend(found.map(|(start, hash)| Run { hash, text: text as u32, start: start as u32 }));
            }
        }
        for (length, runs) in runs.iter_mut().enumerate() {
            runs.par_sort_unstable();
            // Of a text that repeats itself, once.
            runs.dedup_by_key(|run| (run.hash, run.text));
            if length >= FEWEST {
                let common = |same: &&[Run]| same.len() <= MOST_TEXTS;
                *runs = runs.chunk_by(|a, b| a.hash == b.hash).filter(common).flatten().copied().collect();
            }
        }
        Ok(Self { texts, groups: groups.to_vec(), runs })
    }

    /// Texts that a sample can be found to hold a run of.
    fn comparable(&self) -> Vec<bool> {
        let mut found = vec![false; self.texts.len()];
        self.runs.iter().flatten().for_each(|run| found[run.text as usize] = true);
        found
    }

    /// What a sample has: of each group the lowest text, by group; of that, what comes first in the sample.
    fn matches(&self, sample: u32, words: &Words, found: &mut Vec<Match>) {
        let mut best: Vec<(u32, u32, u64, u64)> = Vec::new();
        for (length, runs) in self.runs.iter().enumerate() {
            if runs.is_empty() || length > words.words.len() || (length < FEWEST && length != words.words.len()) {
                continue;
            }
            for (at, hash) in words.runs(length).enumerate() {
                let first = runs.partition_point(|run| run.hash < hash);
                for run in runs[first..].iter().take_while(|run| run.hash == hash) {
                    if words.has_at(at, &self.texts[run.text as usize], run.start as usize, length) {
                        let (from, to) = (words.words[at].from as u64, words.words[at + length - 1].to as u64);
                        best.push((self.groups[run.text as usize], run.text, from, to));
                    }
                }
            }
        }
        best.sort_unstable();
        best.dedup_by_key(|&mut (group, ..)| group);
        found.extend(best.into_iter().map(|(_, text, start, end)| Match { sample, text, start, end }));
    }
}

/// What was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Overlap {
    /// By sample, then by group.
    pub matches: Vec<Match>,
    /// Of each text, whether it has a run to look for.
    pub comparable: Vec<bool>,
    /// The text of each run of 8 words; those of one benchmark are the same, in the same order, whatever the pool.
    pub run_texts: Vec<u32>,
    /// Of each of these runs, whether the pool has it.
    pub seen: Vec<bool>,
}

/// Finds the samples of `pool` that hold text of a benchmark; `groups`: of each text a number, such as of its file.
///
/// # Errors
/// [`Error::Parameter`] unless there is a group for each text, [`Error::Interrupted`] when the monitor says so.
pub fn overlap(
    pool: &Pool<'_>,
    texts: &Pool<'_>,
    groups: &[u32],
    threads: Option<usize>,
    monitor: &Monitor,
) -> Result<Overlap> {
    if groups.len() != texts.len() {
        return Err(Error::Parameter(format!("{} texts need as many groups, not {}", texts.len(), groups.len())));
    }
    if u32::try_from(pool.len().max(texts.len())).is_err() {
        return Err(Error::Limit("samples and texts are numbered with 32 bits: split the pool".into()));
    }
    monitor.enter(Stage::Measure, pool.len());
    Threads::start(threads)?.install(|| {
        let benchmark = Benchmark::new(texts, groups, monitor)?;
        let covered = Covered::new(&benchmark.texts);
        let look = |(mut found, mut words): (Vec<Match>, Words), index: u32| {
            monitor.check()?;
            words.read(pool.sample(index as usize));
            benchmark.matches(index, &words, &mut found);
            covered.see(&words);
            monitor.steps(1);
            Ok((found, words))
        };
        let matches = (0..pool.len() as u32)
            .into_par_iter()
            .try_fold(|| (Vec::new(), Words::default()), look)
            .map(|part| part.map(|(found, _)| found))
            .try_reduce(Vec::new, |mut a, mut b| {
                a.append(&mut b);
                Ok(a)
            })?;
        let (run_texts, seen) = covered.runs();
        Ok(Overlap { matches, comparable: benchmark.comparable(), run_texts, seen })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(text: &str) -> Vec<String> {
        let mut found = Words::default();
        found.read(text.as_bytes());
        (0..found.words.len()).map(|at| found.word(at).to_owned()).collect()
    }

    #[test]
    fn words_are_lower_case_and_without_punctuation() {
        assert_eq!(words(" The cat's  \"mat\" -- 3.5!\n"), ["the", "cats", "mat", "35"]);
        assert_eq!(words("ÉTÉ Straße"), ["été", "straße"]);
        assert_eq!(words("他说hello。ไป"), ["他", "说", "hello", "ไ", "ป"]);
        assert!(words(" ... \n").is_empty());
        let mut broken = Words::default();
        broken.read(b"ab\xffcd e");
        assert_eq!(broken.words.iter().map(|word| (word.from, word.to)).collect::<Vec<_>>(), [(0, 2), (3, 5), (6, 7)]);
    }

    /// Equal hashes do not make runs equal.
    #[test]
    fn runs_are_compared_word_by_word() {
        let (mut a, mut b) = (Words::default(), Words::default());
        a.read(b"ab c");
        b.read(b"a bc ab c");
        assert_eq!(a.letters, b.letters[..3]);
        assert!(!a.has_at(0, &b, 0, 2) && a.has_at(0, &b, 2, 2));
    }
}
