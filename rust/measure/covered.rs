//! Which runs of 8 words of a benchmark's texts some sample of a pool has: their share says how much of a text is there.
//!
//! The measure is that of PaLM (arXiv 2204.02311, section 8), which takes a text for known if that is 70 % at least.
//! It is about the pool as a whole: several samples may hold a part of a text each.

use std::sync::atomic::{AtomicBool, Ordering};

use super::overlap::{Run, Words};

/// Words of a run.
const WORDS: usize = 8;

/// The runs of a benchmark's texts, and which of them were seen.
pub(super) struct Covered<'a> {
    texts: &'a [Words],
    /// By hash; of each text, a run that it has several times is here once.
    runs: Vec<Run>,
    seen: Vec<AtomicBool>,
}

impl<'a> Covered<'a> {
    pub(super) fn new(texts: &'a [Words]) -> Self {
        let mut runs = Vec::new();
        for (text, words) in texts.iter().enumerate() {
            let found = words.runs(WORDS).enumerate();
            runs.extend(found.map(|(start, hash)| Run { hash, text: text as u32, start: start as u32 }));
        }
        runs.sort_unstable();
        runs.dedup_by(|b, a| {
            let words = &texts[a.text as usize];
            (a.hash, a.text) == (b.hash, b.text) && words.has_at(a.start as usize, words, b.start as usize, WORDS)
        });
        let seen = runs.iter().map(|_| AtomicBool::new(false)).collect();
        Self { texts, runs, seen }
    }

    /// Notes what a sample has.
    pub(super) fn see(&self, words: &Words) {
        if self.runs.is_empty() {
            return;
        }
        for (at, hash) in words.runs(WORDS).enumerate() {
            let first = self.runs.partition_point(|run| run.hash < hash);
            let same = self.runs[first..].iter().zip(&self.seen[first..]).take_while(|(run, _)| run.hash == hash);
            for (run, seen) in same {
                if !seen.load(Ordering::Relaxed)
                    && words.has_at(at, &self.texts[run.text as usize], run.start as usize, WORDS)
                {
                    seen.store(true, Ordering::Relaxed);
                }
            }
        }
    }

    /// The text of each run, and whether the run was seen, in an order that depends on the texts alone.
    pub(super) fn runs(&self) -> (Vec<u32>, Vec<bool>) {
        let seen = self.seen.iter().map(|seen| seen.load(Ordering::Relaxed));
        (self.runs.iter().map(|run| run.text).collect(), seen.collect())
    }
}
