//! The exact deflate sizer: what zlib's level 9 would need, to the byte, without its output.
//!
//! To size many candidates behind one prefix, zlib would have to be forked: 260 KB of state copied, hash chains of up to
//! 4,096 positions walked, and bits written, for each. A size needs less:
//!
//! - the parse of the prefix is the same for all candidates but for its last few bytes, so it is done once, when the
//!   prefix grows (`stream`; `ahead`, with the index over what was there before; `tail`);
//! - the literals and matches of a candidate are found by an index over the prefix rather than by walking its chains
//!   (`search`, `index`, `sample`); what they are is decided by zlib's lazy parse (`parse`);
//! - the parse of a candidate is mostly the same behind the next append as well (`trace`, `recent`);
//! - a text that nobody probes behind is parsed in pieces side by side (`whole`, `piece`), with the matches found by links
//!   between equal strings (`linked`), and its blocks are made of what the pieces emit (`token`);
//! - a block's size follows from how often each symbol occurs (`block`), by the lengths of the Huffman codes zlib would
//!   build (`huffman`, `cost`), which several candidates' blocks share the work for.
//!
//! Exactness has no exceptions. Where one of zlib's limits could matter that the index does not model, zlib's own walk
//! takes over, for that position.
//!
//! A sizer takes about 1.4 MB whatever the length of its prefix, working memory 0.3 MB a thread (more only for the
//! longest sample probed), and a candidate at most seventeen bytes per byte, in texts half of that. Probing takes expected
//! time linear in the candidate, whatever the prefix; appending amortised constant time per byte. The code has
//! no vector instructions: what could use them waits for memory or branches, not for arithmetic. (Tried, each the same
//! sizes: all of it compiled for AVX2 and BMI, no faster; a filter of the prefix's strings looked up by AVX2 gathers for
//! all positions of a sample at once, a tenth slower, although it spared two questions to the index in five; one filter a
//! length, asked before its table, 3 % faster, and appending a sixth slower; half or twice the buckets, bytes that follow
//! known with each position, tables touched before they are asked, huge pages, a profile-guided build: 2 % faster at most.)
//!
//! References: RFC 1950 and RFC 1951; zlib 1.3's `deflate.c` and `trees.c`, whose decisions this follows.

mod ahead;
mod block;
mod cost;
mod crowd;
mod feed;
mod format;
mod heap;
mod huffman;
mod index;
mod linked;
mod parse;
mod piece;
mod recent;
mod sample;
mod search;
mod snapshot;
mod stream;
mod tail;
mod token;
mod trace;
mod whole;
mod window;

/// The oracle, and texts that are hard to size.
#[cfg(test)]
#[path = "../../../tests/rust/support/mod.rs"]
mod support;

use std::borrow::BorrowMut;

use super::Sizer;
use ahead::Ahead;
use cost::Coster;
use crowd::Crowd;
use format::BLOCK_SYMBOLS;
use huffman::LANES;
use index::Index;
use parse::{Parser, Stretch};
use recent::Recent;
use sample::{Crossings, Linker, Sample};
use search::{MAX_SAMPLE, SampleFinder};
use stream::Stream;
use tail::Tail;
use trace::{Step, Trace};

pub use snapshot::RestoreError;
pub use whole::{Cut, sizes};

/// Sizes of zlib's level 9.
pub struct DeflateSizer {
    stream: Stream,
    index: Index,
    crowd: Crowd,
    tail: Tail,
    recent: Recent,
    coster: Coster,
    ahead: Ahead,
}

/// Working memory of one thread.
pub struct Scratch {
    linker: Linker,
    sample: Sample,
    crossings: Crossings,
    /// Steps of a parse under way.
    steps: Vec<Step>,
    /// For samples too long for the search; made when first needed.
    fork: Option<Stream>,
    coster: Coster,
    /// Streams parsed to their ends, whose last blocks wait to be costed together.
    parsers: Box<[Parser; LANES]>,
}

/// A candidate: its bytes, linked for the search, and the steps of its last parse.
///
/// That is at most seventeen bytes of memory per byte, or one if the candidate is too long for the search.
pub struct Candidate {
    sample: Sample,
    trace: Trace,
}

// Both are made, moved and kept in frames of functions that call each other, on threads whose stacks may be small: what is
// large of them lies on the heap.
const _: () = assert!(size_of::<DeflateSizer>() < 8192 && size_of::<Scratch>() < 8192);

impl DeflateSizer {
    /// The prefix as bytes, some 33 KiB at most however long it is.
    pub fn to_bytes(&self) -> Vec<u8> {
        snapshot::write(&self.stream)
    }

    /// The sizer whose prefix [`DeflateSizer::to_bytes`] wrote.
    ///
    /// # Errors
    ///
    /// If the bytes are not such a prefix, are damaged, or come from a version unknown to this one.
    pub fn from_bytes(bytes: &[u8]) -> Result<DeflateSizer, RestoreError> {
        let mut sizer = DeflateSizer { stream: snapshot::read(bytes)?, ..DeflateSizer::new() };
        sizer.update();
        Ok(sizer)
    }

    /// Brings what is known of the window up to its end.
    fn update(&mut self) {
        let window = &mut self.stream.window;
        window.chain_to(window.len());
        self.index.update(window);
        self.crowd.update(window);
        self.tail.update(window, &self.stream.parser);
    }

    /// Parses the prefix and a prepared sample; the last block is left open.
    fn parse(&self, sample: &Sample, crossings: &mut Crossings, coster: &mut Coster, parser: &mut Parser) {
        let mut finder = self.finder::<false>(sample, crossings);
        parser.clone_from(&self.stream.parser);
        let stretch = self.stretch(sample);
        let parsed = parser.run(&mut finder, stretch, stretch.end, coster);
        debug_assert!(parsed, "nothing follows that a search could wait for");
        parser.end(&finder);
    }

    /// The same, in the steps of the sample's last parse as far as they stand. False if a block would be full.
    fn parse_again(
        &self,
        sample: &Sample,
        trace: &mut Trace,
        steps: &mut Vec<Step>,
        crossings: &mut Crossings,
        coster: &mut Coster,
        parser: &mut Parser,
    ) -> bool {
        let mut finder = self.finder::<true>(sample, crossings);
        parser.clone_from(&self.stream.parser);
        let stretch = self.stretch(sample);
        parser.run(&mut finder, stretch, self.stream.window.len(), coster);
        trace.parse(parser, &mut finder, stretch, &self.recent, steps);
        parser.blocks.symbols < BLOCK_SYMBOLS
    }

    fn finder<'a, const TRACED: bool>(
        &'a self,
        sample: &'a Sample,
        crossings: &'a mut Crossings,
    ) -> SampleFinder<'a, TRACED> {
        SampleFinder::new(&self.stream.window, &self.index, &self.crowd, &self.tail, sample, crossings)
    }

    /// The prefix and a sample, with which the stream ends.
    fn stretch(&self, sample: &Sample) -> Stretch {
        let window = &self.stream.window;
        Stretch { origin: window.origin(), end: window.len() + sample.len(), last: true }
    }

    /// Parses the prefix and a sample, zlib's way throughout.
    fn parse_exhaustively(&self, sample: &[u8], fork: &mut Option<Stream>, coster: &mut Coster, parser: &mut Parser) {
        let fork = fork.get_or_insert_with(Stream::new);
        fork.copy_from(&self.stream);
        fork.finish(sample, coster);
        parser.clone_from(&fork.parser);
    }

    /// Parses the prefix and a sample in a lane.
    fn parse_sample(&self, sample: &[u8], scratch: &mut Scratch, lane: usize) {
        let Scratch { linker, sample: prepared, crossings, fork, coster, parsers, .. } = scratch;
        if sample.len() > MAX_SAMPLE {
            return self.parse_exhaustively(sample, fork, coster, &mut parsers[lane]);
        }
        prepared.prepare(sample, linker);
        self.parse(prepared, crossings, coster, &mut parsers[lane]);
    }

    /// Parses the prefix and a candidate in a lane.
    fn parse_candidate(&self, candidate: &mut Candidate, scratch: &mut Scratch, lane: usize) {
        let Scratch { crossings, steps, fork, coster, parsers, .. } = scratch;
        let (Candidate { sample, trace }, parser) = (candidate, &mut parsers[lane]);
        if sample.len() > MAX_SAMPLE {
            return self.parse_exhaustively(sample.bytes(), fork, coster, parser);
        }
        if self.stream.len() == 0 {
            trace.forget();
        } else if self.parse_again(sample, trace, steps, crossings, coster, parser) {
            return;
        }
        self.parse(sample, crossings, coster, parser);
    }
}

impl Clone for DeflateSizer {
    fn clone(&self) -> Self {
        Self::from_bytes(&self.to_bytes()).expect("a snapshot of this version")
    }
}

impl Sizer for DeflateSizer {
    type Candidate = Candidate;
    type Scratch = Scratch;
    const CODEC: &'static str = "zlib 1.3 level 9";
    const AT_ONCE: usize = LANES;

    fn new() -> Self {
        DeflateSizer {
            stream: Stream::new(),
            index: Index::new(),
            crowd: Crowd::new(),
            tail: Tail::default(),
            recent: Recent::new(),
            coster: Coster::new(),
            ahead: Ahead::new(),
        }
    }

    fn scratch(&self) -> Scratch {
        Scratch {
            linker: Linker::new(),
            sample: Sample::default(),
            crossings: Crossings::default(),
            steps: Vec::new(),
            fork: None,
            coster: Coster::new(),
            parsers: Box::new([const { Parser::START }; LANES]),
        }
    }

    fn probe(&self, sample: &[u8], scratch: &mut Scratch) -> u64 {
        let mut size = 0;
        self.probe_all(&[sample], std::slice::from_mut(&mut size), scratch);
        size
    }

    fn candidate(&self, sample: &[u8]) -> Candidate {
        let mut prepared = Sample::default();
        if sample.len() <= MAX_SAMPLE {
            prepared.prepare(sample, &mut Linker::new());
        } else {
            prepared.hold(sample);
        }
        Candidate { sample: prepared, trace: Trace::new() }
    }

    fn probe_candidate(&self, candidate: &mut Candidate, scratch: &mut Scratch) -> u64 {
        let mut size = 0;
        self.probe_candidates(&mut [candidate], std::slice::from_mut(&mut size), scratch);
        size
    }

    fn probe_all(&self, samples: &[&[u8]], sizes: &mut [u64], scratch: &mut Scratch) {
        assert_eq!(samples.len(), sizes.len(), "a size for each sample");
        for (samples, sizes) in samples.chunks(LANES).zip(sizes.chunks_mut(LANES)) {
            for (lane, sample) in samples.iter().enumerate() {
                self.parse_sample(sample, scratch, lane);
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
            for (lane, candidate) in candidates.iter_mut().enumerate() {
                self.parse_candidate(candidate.borrow_mut(), scratch, lane);
            }
            scratch.cost(sizes);
        }
    }

    fn append(&mut self, sample: &[u8]) {
        self.ahead.parse(&mut self.stream, &self.index, &self.crowd, &self.tail, sample, &mut self.coster);
        let slides = self.stream.append(sample, &mut self.coster);
        for _ in 0..slides {
            self.index.slide();
            self.crowd.clear();
        }
        self.update();
        self.recent.append(&self.stream.window, sample.len());
    }

    fn clear(&mut self) {
        self.stream.clear();
        self.index.clear();
        self.crowd.clear();
        self.tail.update(&self.stream.window, &self.stream.parser);
        self.recent.forget();
    }

    fn prefix_len(&self) -> u64 {
        self.stream.len()
    }

    fn sizes<'a, T>(texts: impl IntoIterator<Item = T>, go_on: impl Fn(usize) -> bool + Sync) -> Option<Vec<u64>>
    where
        T: IntoIterator<Item = &'a [u8]>,
    {
        whole::sizes(texts, Cut::usual(), go_on)
    }
}

impl Scratch {
    /// Sizes of the streams in the first lanes, whose open blocks are costed together.
    fn cost(&mut self, sizes: &mut [u64]) {
        let parsers = &self.parsers[..sizes.len()];
        let mut blocks = [&cost::Histogram::EMPTY; LANES];
        for (block, parser) in blocks.iter_mut().zip(parsers) {
            *block = &parser.blocks.histogram;
        }
        let costs = self.coster.costs(&blocks[..sizes.len()]);
        for ((size, parser), cost) in sizes.iter_mut().zip(parsers).zip(costs) {
            *size = parser.blocks.total_bytes(cost);
        }
    }
}
