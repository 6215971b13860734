//! The exact deflate sizer.
mod block;
mod cost;
mod format;
mod huffman;
mod parse;
mod stream;
mod window;

use super::Sizer;
use cost::Coster;
use stream::Stream;

/// Sizes of zlib's level 9.
pub struct DeflateSizer {
    stream: Stream,
    coster: Coster,
}

/// Working memory of one thread.
pub struct Scratch {
    fork: Stream,
    coster: Coster,
}

/// A candidate.
pub struct Candidate {
    bytes: Box<[u8]>,
}

impl Sizer for DeflateSizer {
    type Candidate = Candidate;
    type Scratch = Scratch;
    const CODEC: &'static str = "zlib 1.3 level 9";

    fn new() -> Self {
        DeflateSizer { stream: Stream::new(), coster: Coster::new() }
    }

    fn scratch(&self) -> Scratch {
        Scratch { fork: Stream::new(), coster: Coster::new() }
    }

    fn probe(&self, sample: &[u8], scratch: &mut Scratch) -> u64 {
        scratch.fork.copy_from(&self.stream);
        scratch.fork.finish(sample, &mut scratch.coster)
    }

    fn candidate(&self, sample: &[u8]) -> Candidate {
        Candidate { bytes: sample.into() }
    }

    fn probe_candidate(&self, candidate: &mut Candidate, scratch: &mut Scratch) -> u64 {
        self.probe(&candidate.bytes, scratch)
    }

    fn append(&mut self, sample: &[u8]) {
        self.stream.append(sample, &mut self.coster);
    }

    fn clear(&mut self) {
        self.stream.clear();
    }

    fn prefix_len(&self) -> u64 {
        self.stream.len()
    }
}
