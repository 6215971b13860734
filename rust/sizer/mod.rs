//! Sizers: compressors seen only through the sizes they would produce.
//!
//! Selecting by compression ratio asks one question millions of times: *how large would everything selected so far be,
//! compressed together with this candidate?* A [`Sizer`] answers it without producing the compressed bytes. It has read
//! a **prefix** (what is selected so far, grown by [`Sizer::append`]); [`Sizer::probe`] sizes prefix + candidate and
//! leaves the prefix as it was, so that any number of threads can probe one prefix at the same time.
//!
//! Sizes are those of the whole compressed stream, container and checksum included: `probe(d)` is
//! `len(compress(prefix + d))` of a single one-shot call, to the byte.

pub mod deflate;
pub mod zlib;

/// A compressor that only sizes.
pub trait Sizer: Send + Sync + Sized {
    /// What is worth knowing of a candidate that will be probed more than once, also after appends: its bytes, and
    /// whatever an implementation caches beside them.
    type Candidate: Send + Sync;

    /// Working memory of one thread, made once and re-used for every probe.
    type Scratch: Send;

    /// Codec and version for manifests: two sizers with equal names and versions give equal sizes.
    const CODEC: &'static str;

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

    /// Adds `sample` to the prefix, for good.
    fn append(&mut self, sample: &[u8]);

    /// Empties the prefix; keeps the memory.
    fn clear(&mut self);

    /// Length of the prefix, in bytes.
    fn prefix_len(&self) -> u64;
}
