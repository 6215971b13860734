//! Sizers: compressors seen only through the sizes they would produce.
//!
//! Selecting by compression ratio asks one question millions of times: *how large would everything selected so far be,
//! compressed together with this candidate?* A [`Sizer`] answers it without producing the compressed bytes. It has read
//! a **prefix** (what is selected so far, grown by [`Sizer::append`]); [`Sizer::probe`] sizes prefix + candidate and
//! leaves the prefix as it was, so that any number of threads can probe one prefix at the same time.
//!
//! Sizes are those of the whole compressed stream, container and checksum included: `probe(d)` is
//! `len(compress(prefix + d))` of a single one-shot call, to the byte.

use std::borrow::BorrowMut;

pub mod deflate;
pub(crate) mod set;
pub mod shared;
pub(crate) mod workers;

pub use deflate::DeflateSizer;

/// A compressor that only sizes.
pub trait Sizer: Send + Sync + Sized {
    /// What is worth knowing of a candidate that will be probed more than once, also after appends: its bytes, and
    /// whatever an implementation caches beside them.
    type Candidate: Send + Sync;

    /// Working memory of one thread, made once and re-used for every probe.
    type Scratch: Send;

    /// Codec and version for manifests: two sizers with equal names and versions give equal sizes.
    const CODEC: &'static str;

    /// Samples that it takes in one go when there are several.
    const AT_ONCE: usize = 1;

    /// A sizer with an empty prefix.
    fn new() -> Self;

    /// Working memory for one thread.
    fn scratch(&self) -> Self::Scratch;

    /// Compressed size, in bytes, of the prefix followed by `sample`.
    fn probe(&self, sample: &[u8], scratch: &mut Self::Scratch) -> u64;

    /// Prepares a candidate for repeated probes of this sizer.
    fn candidate(&self, sample: &[u8]) -> Self::Candidate;

    /// [`Sizer::probe`] of a prepared candidate: the same result, sooner when repeated.
    fn probe_candidate(&self, candidate: &mut Self::Candidate, scratch: &mut Self::Scratch) -> u64;

    /// [`Sizer::probe`] of several samples, each on its own: the same sizes, sooner than one by one.
    ///
    /// # Panics
    ///
    /// If there are not as many `sizes` as `samples`.
    fn probe_all(&self, samples: &[&[u8]], sizes: &mut [u64], scratch: &mut Self::Scratch) {
        assert_eq!(samples.len(), sizes.len(), "a size for each sample");
        for (sample, size) in samples.iter().zip(sizes) {
            *size = self.probe(sample, scratch);
        }
    }

    /// [`Sizer::probe_candidate`] of several candidates, each on its own: the same sizes, sooner than one by one.
    ///
    /// # Panics
    ///
    /// If there are not as many `sizes` as `candidates`.
    fn probe_candidates<C>(&self, candidates: &mut [C], sizes: &mut [u64], scratch: &mut Self::Scratch)
    where
        C: BorrowMut<Self::Candidate>,
    {
        assert_eq!(candidates.len(), sizes.len(), "a size for each candidate");
        for (candidate, size) in candidates.iter_mut().zip(sizes) {
            *size = self.probe_candidate(candidate.borrow_mut(), scratch);
        }
    }

    /// Adds `sample` to the prefix, for good.
    fn append(&mut self, sample: &[u8]);

    /// Empties the prefix; keeps the memory.
    fn clear(&mut self);

    /// Length of the prefix, in bytes.
    fn prefix_len(&self) -> u64;

    /// Compressed sizes of whole texts, each given in parts; on all threads of the rayon pool that it is called in, as
    /// far as an implementation can use them. `go_on` is told how many bytes more are sized, and says whether to go on:
    /// there are no sizes if it does not.
    fn sizes<'a, T>(texts: impl IntoIterator<Item = T>, go_on: impl Fn(usize) -> bool + Sync) -> Option<Vec<u64>>
    where
        T: IntoIterator<Item = &'a [u8]>,
    {
        let mut sizer = Self::new();
        let mut scratch = sizer.scratch();
        let mut size = |text: T| {
            sizer.clear();
            for part in text {
                sizer.append(part);
                if !go_on(part.len()) {
                    return None;
                }
            }
            Some(sizer.probe(b"", &mut scratch))
        };
        texts.into_iter().map(&mut size).collect()
    }
}
