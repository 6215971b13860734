//! How much of each text of a benchmark is in a pool: the share of its runs of 8 words that some sample has.
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

    /// The share of each text's runs that were seen; not a number for a text of fewer words.
    pub(super) fn shares(&self) -> Vec<f64> {
        let mut counts = vec![(0_u32, 0_u32); self.texts.len()];
        for (run, seen) in self.runs.iter().zip(&self.seen) {
            let (of, all) = &mut counts[run.text as usize];
            *of += u32::from(seen.load(Ordering::Relaxed));
            *all += 1;
        }
        counts.into_iter().map(|(of, all)| f64::from(of) / f64::from(all)).collect()
    }
}
