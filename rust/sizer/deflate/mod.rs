//! The exact deflate sizer.
mod block;
mod cost;
mod crowd;
mod format;
mod huffman;
mod index;
mod parse;
mod sample;
mod search;
mod stream;
mod window;

use std::borrow::BorrowMut;

use super::Sizer;
use block::Blocks;
use cost::Coster;
use crowd::Crowd;
use huffman::LANES;
use index::Index;
use parse::{Match, Parser, Stretch};
use sample::{Crossings, Linker, Sample};
use search::{MAX_SAMPLE, SampleFinder, UNKNOWN};
use stream::Stream;

/// Sizes of zlib's level 9.
pub struct DeflateSizer {
    stream: Stream,
    index: Index,
    crowd: Crowd,
    coster: Coster,
}

/// Working memory of one thread.
pub struct Scratch {
    linker: Linker,
    sample: Sample,
    crossings: Crossings,
    /// For what the search declines; made when first needed.
    fork: Option<Stream>,
    coster: Coster,
    /// Parses that wait to be costed together.
    parsed: Vec<Parsed>,
}

/// A candidate: its bytes, and what it holds of itself.
pub struct Candidate {
    bytes: Box<[u8]>,
    /// Prepared when first probed behind a prefix; never if too long.
    prepared: Option<Sample>,
    remembered: Vec<Match>,
}

/// A stream parsed to its end, whose last block is open.
struct Parsed {
    blocks: Blocks,
    buffered: u64,
}

impl Parsed {
    fn new(parser: &Parser) -> Parsed {
        Parsed { blocks: parser.blocks.clone(), buffered: parser.buffered as u64 }
    }
}

impl DeflateSizer {
    /// The parse of the prefix and a prepared sample.
    fn parse(
        &self,
        sample: &Sample,
        remembered: &mut [Match],
        crossings: &mut Crossings,
        fork: &mut Option<Stream>,
        coster: &mut Coster,
    ) -> Parsed {
        let window = &self.stream.window;
        crossings.find(window.text(), sample.bytes());
        let mut finder = SampleFinder {
            window,
            index: &self.index,
            crowd: &self.crowd,
            sample,
            remembered,
            crossings,
            crowded: !self.crowd.never_binds(sample.longest_chain()),
        };
        let stretch = Stretch { origin: window.origin(), end: window.len() + sample.len(), last: true };
        let mut parser = self.stream.parser.clone();
        if parser.run(&mut finder, stretch, coster) {
            parser.end(&finder, stretch);
            Parsed::new(&parser)
        } else {
            self.parse_exhaustively(sample.bytes(), fork, coster)
        }
    }

    /// The parse of the prefix and a sample, zlib's way throughout.
    fn parse_exhaustively(&self, sample: &[u8], fork: &mut Option<Stream>, coster: &mut Coster) -> Parsed {
        let fork = fork.get_or_insert_with(Stream::new);
        fork.copy_from(&self.stream);
        fork.finish(sample, coster);
        Parsed::new(&fork.parser)
    }

    fn parse_sample(&self, sample: &[u8], scratch: &mut Scratch) -> Parsed {
        let Scratch { linker, sample: prepared, crossings, fork, coster, .. } = scratch;
        if sample.len() > MAX_SAMPLE {
            return self.parse_exhaustively(sample, fork, coster);
        }
        prepared.prepare(sample, linker);
        self.parse(prepared, &mut [], crossings, fork, coster)
    }

    fn parse_candidate(&self, candidate: &mut Candidate, scratch: &mut Scratch) -> Parsed {
        let Scratch { linker, crossings, fork, coster, .. } = scratch;
        let Candidate { bytes, prepared, remembered } = candidate;
        if bytes.len() > MAX_SAMPLE {
            return self.parse_exhaustively(bytes, fork, coster);
        }
        let prepared = prepared.get_or_insert_with(|| {
            let mut sample = Sample::default();
            sample.prepare(bytes, linker);
            remembered.resize(bytes.len(), UNKNOWN);
            sample
        });
        self.parse(prepared, remembered, crossings, fork, coster)
    }
}

impl Sizer for DeflateSizer {
    type Candidate = Candidate;
    type Scratch = Scratch;
    const CODEC: &'static str = "zlib 1.3 level 9";

    fn new() -> Self {
        DeflateSizer { stream: Stream::new(), index: Index::new(), crowd: Crowd::new(), coster: Coster::new() }
    }

    fn scratch(&self) -> Scratch {
        Scratch {
            linker: Linker::new(),
            sample: Sample::default(),
            crossings: Crossings::default(),
            fork: None,
            coster: Coster::new(),
            parsed: Vec::new(),
        }
    }

    fn probe(&self, sample: &[u8], scratch: &mut Scratch) -> u64 {
        let mut size = 0;
        self.probe_all(&[sample], std::slice::from_mut(&mut size), scratch);
        size
    }

    fn candidate(&self, sample: &[u8]) -> Candidate {
        Candidate { bytes: sample.into(), prepared: None, remembered: Vec::new() }
    }

    fn probe_candidate(&self, candidate: &mut Candidate, scratch: &mut Scratch) -> u64 {
        let mut size = 0;
        self.probe_candidates(&mut [candidate], std::slice::from_mut(&mut size), scratch);
        size
    }

    fn probe_all(&self, samples: &[&[u8]], sizes: &mut [u64], scratch: &mut Scratch) {
        assert_eq!(samples.len(), sizes.len(), "a size for each sample");
        for (samples, sizes) in samples.chunks(LANES).zip(sizes.chunks_mut(LANES)) {
            for sample in samples {
                let parsed = self.parse_sample(sample, scratch);
                scratch.parsed.push(parsed);
            }
            scratch.cost(sizes);
        }
    }

    fn probe_candidates<C>(&self, candidates: &mut [C], sizes: &mut [u64], scratch: &mut Scratch)
    where
        C: BorrowMut<Candidate>,
    {
        assert_eq!(candidates.len(), sizes.len(), "a size for each candidate");
        for (candidates, sizes) in candidates.chunks_mut(LANES).zip(sizes.chunks_mut(LANES)) {
            for candidate in candidates {
                let parsed = self.parse_candidate(candidate.borrow_mut(), scratch);
                scratch.parsed.push(parsed);
            }
            scratch.cost(sizes);
        }
    }

    fn append(&mut self, sample: &[u8]) {
        let slides = self.stream.append(sample, &mut self.coster);
        for _ in 0..slides {
            self.index.slide();
            self.crowd.slide();
        }
        let window = &mut self.stream.window;
        window.chain_to(window.len());
        self.index.update(window);
        self.crowd.update(window);
    }

    fn clear(&mut self) {
        self.stream.clear();
        self.index.clear();
        self.crowd.clear();
    }

    fn prefix_len(&self) -> u64 {
        self.stream.len()
    }
}

impl Scratch {
    /// Sizes of the streams parsed last, whose open blocks are costed together.
    fn cost(&mut self, sizes: &mut [u64]) {
        let mut blocks = [&cost::Histogram::EMPTY; LANES];
        for (block, parsed) in blocks.iter_mut().zip(&self.parsed) {
            *block = &parsed.blocks.histogram;
        }
        let costs = self.coster.costs(&blocks[..self.parsed.len()]);
        for ((size, parsed), cost) in sizes.iter_mut().zip(&self.parsed).zip(costs) {
            *size = parsed.blocks.total_bytes(cost, parsed.buffered);
        }
        self.parsed.clear();
    }
}
