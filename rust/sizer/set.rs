//! A growing set of samples, as the bytes that a compressor would see.

use std::borrow::BorrowMut;

use crate::error::Result;
use crate::run::monitor::Monitor;
use crate::sizer::Sizer;

/// How a set of samples is written: `open sample separator sample ... close`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Framing {
    open: &'static [u8],
    separator: &'static [u8],
    close: &'static [u8],
}

impl Framing {
    /// One sample after the other, nothing else.
    pub const CONCATENATION: Self = Self { open: b"", separator: b"", close: b"" };
    /// The samples as the items of a Python list.
    pub const PYTHON_LIST: Self = Self { open: b"[", separator: b", ", close: b"]" };

    /// A set of samples as it is written, in parts.
    pub fn parts<'a>(self, samples: impl IntoIterator<Item = &'a [u8]>) -> impl Iterator<Item = &'a [u8]> {
        let framed = samples.into_iter().enumerate().flat_map(move |(at, sample)| {
            let lead: &[u8] = if at == 0 { self.open } else { self.separator };
            [lead, sample]
        });
        framed.chain([self.close])
    }

    /// Length of a set of so many samples with so many bytes, one at least, as it is written.
    #[must_use]
    pub fn length(self, samples: usize, bytes: usize) -> u64 {
        (self.open.len() + bytes + self.separator.len() * (samples - 1) + self.close.len()) as u64
    }
}

/// Bytes of samples added to a set at once: a fraction of a second's work.
const AT_ONCE: usize = 1 << 18;

/// Raw and compressed length of a set, in bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Measure {
    /// Length of the set as it is written.
    pub raw: u64,
    /// Its compressed length.
    pub size: u64,
}

impl Measure {
    /// R, the compression ratio.
    #[must_use]
    pub fn ratio(self) -> f64 {
        ratio(self.raw, self.size)
    }
}

/// R of `raw` bytes that compress to `size`.
pub(crate) fn ratio(raw: u64, size: u64) -> f64 {
    raw as f64 / size as f64
}

/// A sizer that has read a set of samples as its framing writes it, but for the closing bytes.
#[derive(Clone)]
pub struct Set<S> {
    sizer: S,
    framing: Framing,
    samples: usize,
}

impl<S: Sizer> Set<S> {
    /// The empty set.
    #[must_use]
    pub fn new(framing: Framing) -> Self {
        Self { sizer: S::new(), framing, samples: 0 }
    }

    /// The samples that a sizer has read already, one after the other.
    pub(crate) fn holding(sizer: S) -> Self {
        let samples = usize::from(sizer.prefix_len() > 0);
        Self { sizer, framing: Framing::CONCATENATION, samples }
    }

    /// A set that is not empty, by a sizer that has read it as this framing writes it, but for the closing bytes.
    pub(crate) fn restored(sizer: S, framing: Framing) -> Self {
        Self { sizer, framing, samples: 1 }
    }

    /// The sizer, which has read all but the closing bytes.
    pub(crate) fn sizer(&self) -> &S {
        &self.sizer
    }

    /// What is written before the next sample.
    fn lead(&self) -> &'static [u8] {
        if self.samples == 0 { self.framing.open } else { self.framing.separator }
    }

    /// What the set gains with `sample`, closing bytes included.
    fn framed(&self, sample: &[u8]) -> Vec<u8> {
        [self.lead(), sample, self.framing.close].concat()
    }

    /// Length of the set with `sample` added.
    #[must_use]
    pub fn raw_with(&self, sample: &[u8]) -> u64 {
        self.sizer.prefix_len() + (self.lead().len() + sample.len() + self.framing.close.len()) as u64
    }

    /// Samples in the set.
    #[must_use]
    pub fn len(&self) -> usize {
        self.samples
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.samples == 0
    }

    /// Length of the set.
    #[must_use]
    pub fn raw(&self) -> u64 {
        let lead = if self.samples == 0 { self.framing.open } else { b"" };
        self.sizer.prefix_len() + (lead.len() + self.framing.close.len()) as u64
    }

    /// Working memory for one thread.
    #[must_use]
    pub fn scratch(&self) -> S::Scratch {
        self.sizer.scratch()
    }

    /// Compressed lengths of the set with each of `samples` alone added.
    #[must_use]
    pub fn probe(&self, samples: &[&[u8]], scratch: &mut S::Scratch) -> Vec<u64> {
        let mut sizes = vec![0; samples.len()];
        if self.framing == Framing::CONCATENATION {
            self.sizer.probe_all(samples, &mut sizes, scratch);
        } else {
            let framed: Vec<Vec<u8>> = samples.iter().map(|sample| self.framed(sample)).collect();
            let framed: Vec<&[u8]> = framed.iter().map(Vec::as_slice).collect();
            self.sizer.probe_all(&framed, &mut sizes, scratch);
        }
        sizes
    }

    /// Prepares `sample` for repeated probes, while the set is empty or as long as it is not.
    #[must_use]
    pub fn candidate(&self, sample: &[u8]) -> S::Candidate {
        self.sizer.candidate(&self.framed(sample))
    }

    /// Compressed lengths of the set with each of these prepared candidates alone added.
    pub fn probe_candidates<C>(&self, candidates: &mut [C], scratch: &mut S::Scratch) -> Vec<u64>
    where
        C: BorrowMut<S::Candidate>,
    {
        let mut sizes = vec![0; candidates.len()];
        self.sizer.probe_candidates(candidates, &mut sizes, scratch);
        sizes
    }

    /// Adds a sample.
    pub fn push(&mut self, sample: &[u8]) {
        if self.lead().is_empty() {
            self.sizer.append(sample);
        } else {
            self.sizer.append(&[self.lead(), sample].concat());
        }
        self.samples += 1;
    }

    /// Adds samples, many at once: a sizer gets ready for probes after each append, which nobody makes here.
    ///
    /// # Errors
    /// [`crate::Error::Interrupted`] when the monitor says so.
    pub fn extend<'a>(&mut self, samples: impl IntoIterator<Item = &'a [u8]>, monitor: &Monitor) -> Result<()> {
        let mut framed = Vec::new();
        for sample in samples {
            framed.extend_from_slice(self.lead());
            framed.extend_from_slice(sample);
            self.samples += 1;
            if framed.len() >= AT_ONCE {
                monitor.check()?;
                self.sizer.append(&framed);
                framed.clear();
            }
        }
        self.sizer.append(&framed);
        Ok(())
    }

    /// Empties the set; keeps the memory.
    pub fn clear(&mut self) {
        self.sizer.clear();
        self.samples = 0;
    }

    /// Raw and compressed length of the set.
    pub fn measure(&self, scratch: &mut S::Scratch) -> Measure {
        let lead = if self.samples == 0 { self.framing.open } else { b"" };
        let tail = [lead, self.framing.close].concat();
        Measure { raw: self.raw(), size: self.sizer.probe(&tail, scratch) }
    }
}
