//! The parse of a sample that is about to be appended.
//!
//! What is appended would be parsed by walks along hash chains, position by position. The indexed search finds the same
//! matches in a fraction of the time, so it goes ahead, up to the first match that might be longer if more text followed.
//! There the walks take over; most find that there is nothing left to do.
//!
//! Takes expected time linear in the sample.

use super::cost::Coster;
use super::crowd::Crowd;
use super::format::{MAX_MATCH, MIN_MATCH};
use super::index::Index;
use super::parse::{Finder, Match, Stretch};
use super::sample::{Crossings, Linker, Sample};
use super::search::{MAX_SAMPLE, SampleFinder};
use super::stream::Stream;

/// Working memory.
pub struct Ahead {
    linker: Linker,
    sample: Sample,
    crossings: Crossings,
}

impl Ahead {
    pub fn new() -> Ahead {
        Ahead { linker: Linker::new(), sample: Sample::default(), crossings: Crossings::default() }
    }

    /// Parses `bytes`, which the stream's text does not hold yet, as far as that does not depend on what follows them.
    /// Does nothing if they are too long for the search, or if the window slides before it has all of them.
    pub fn parse(&mut self, stream: &mut Stream, index: &Index, crowd: &Crowd, bytes: &[u8], coster: &mut Coster) {
        let Stream { window, parser } = stream;
        if bytes.len() > MAX_SAMPLE || bytes.len() > window.room() {
            return;
        }
        self.sample.prepare(bytes, &mut self.linker);
        let search = SampleFinder::new(window, index, crowd, &self.sample, &mut self.crossings);
        let end = window.len() + bytes.len();
        let stretch = Stretch { origin: window.origin(), end, last: false };
        parser.run(&mut Growing { search, end }, stretch, end, coster);
    }
}

/// Searches a sample that more text will follow.
struct Growing<'a> {
    search: SampleFinder<'a, false>,
    end: usize,
}

impl Finder for Growing<'_> {
    #[inline]
    fn byte(&self, position: usize) -> u8 {
        self.search.byte(position)
    }

    #[inline]
    fn longest(&mut self, position: usize, longer_than: usize, buffered: usize) -> Option<Match> {
        let max = (self.end - position).min(MAX_MATCH);
        if max < MIN_MATCH {
            return None;
        }
        let found = self.search.longest(position, longer_than, buffered)?;
        // A match that ends where the text does might be longer.
        (max == MAX_MATCH || usize::from(found.length) < max).then_some(found)
    }
}
