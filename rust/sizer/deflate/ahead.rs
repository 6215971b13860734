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
use super::tail::Tail;

/// Working memory.
pub(super) struct Ahead {
    linker: Linker,
    sample: Sample,
    crossings: Crossings,
}

impl Ahead {
    pub(super) fn new() -> Ahead {
        Ahead { linker: Linker::new(), sample: Sample::default(), crossings: Crossings::default() }
    }

    /// Parses `bytes`, which the stream's text does not hold yet, as far as that does not depend on what follows them;
    /// the parse may then stand where the window only comes after a slide. Does nothing if they are too long for the
    /// search.
    pub(super) fn parse(
        &mut self,
        stream: &mut Stream,
        index: &Index,
        crowd: &Crowd,
        tail: &Tail,
        bytes: &[u8],
        coster: &mut Coster,
    ) {
        let Stream { window, parser } = stream;
        if bytes.len() > MAX_SAMPLE {
            return;
        }
        self.sample.prepare(bytes, &mut self.linker);
        let search = SampleFinder::new(window, index, crowd, tail, &self.sample, &mut self.crossings);
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

#[cfg(test)]
mod tests {
    use super::super::DeflateSizer;
    use super::*;
    use crate::sizer::Sizer;

    /// Numbers without structure.
    struct Rng(u64);

    impl Rng {
        fn below(&mut self, n: usize) -> usize {
            self.0 = self.0.wrapping_mul(0x5851_f42d_4c95_7f2d).wrapping_add(0x1405_7b7e_f767_814f);
            (self.0 >> 33) as usize % n
        }
    }

    /// After every append the parse stands where zlib's walks alone would have brought it, with the same symbols.
    fn check<'a>(pieces: impl Iterator<Item = &'a [u8]>) {
        let (mut sizer, mut walked, mut coster) = (DeflateSizer::new(), Stream::new(), Coster::new());
        for piece in pieces {
            sizer.append(piece);
            walked.append(piece, &mut coster);
            assert_eq!(sizer.stream.parser, walked.parser, "{} bytes", walked.len());
        }
    }

    /// Pieces of a text, of fewer bytes than `longest`.
    fn pieces<'a>(mut text: &'a [u8], longest: usize, rng: &mut Rng) -> impl Iterator<Item = &'a [u8]> {
        std::iter::from_fn(move || {
            let (piece, rest) = text.split_at(rng.below(longest).min(text.len()));
            let ended = text.is_empty();
            text = rest;
            (!ended).then_some(piece)
        })
    }

    fn letters(rng: &mut Rng, len: usize, of: usize) -> Vec<u8> {
        (0..len).map(|_| b' ' + rng.below(of) as u8).collect()
    }

    /// Text of copies from before, near and far, with a few letters between them.
    fn copies(rng: &mut Rng, len: usize, of: usize) -> Vec<u8> {
        let mut text = letters(rng, 100, of);
        while text.len() < len {
            let fresh = rng.below(6);
            text.append(&mut letters(rng, fresh, of));
            let farthest = [30, 3000, 40_000][rng.below(3)].min(text.len());
            let distance = 1 + rng.below(farthest);
            let longest = [12, 300][usize::from(rng.below(8) == 0)];
            let length = rng.below(longest);
            (0..length).for_each(|_| text.push(text[text.len() - distance]));
        }
        text
    }

    #[test]
    fn appends_are_parsed_as_by_walks() {
        for (seed, of, longest) in [(1, 90, 900), (2, 4, 900), (3, 26, 20), (4, 26, 40_000), (5, 64, 5_000)] {
            let mut rng = Rng(seed);
            let text = copies(&mut rng, 250_000, of);
            check(pieces(&text, longest, &mut rng));
        }
    }

    /// One long match, cut anywhere.
    #[test]
    fn a_match_that_ends_where_the_text_does_is_not_taken_yet() {
        let mut rng = Rng(6);
        let text = letters(&mut rng, 400, 64);
        for cut in 1..400 {
            check([&text[..], &text[..cut], &text[cut..], b"?"].into_iter());
        }
    }

    /// A match at the largest distance, where the window slides, and pieces that end there.
    #[test]
    fn the_window_slides_between_appends() {
        let mut rng = Rng(7);
        let mut text = letters(&mut rng, 70_000, 64);
        text.copy_within(32_768..32_868, 65_274);
        for cut in (65_000..65_560).step_by(7).chain(65_270..65_280) {
            check([&text[..cut - 400], &text[cut - 400..cut], &text[cut..cut + 300], &text[cut + 300..]].into_iter());
        }
    }

    /// Positions that share a hash by the thousand, and long matches among them.
    #[test]
    fn chains_may_be_longer_than_a_search() {
        let mut rng = Rng(8);
        let block = letters(&mut rng, 60, 64);
        let mut text = Vec::new();
        for i in 0..6_000 {
            text.extend(b"xyz");
            let fresh = rng.below(3);
            text.append(&mut letters(&mut rng, fresh, 64));
            if i % 300 == 299 {
                text.extend(&block);
            }
        }
        check(pieces(&text, 2_000, &mut rng));
    }
}
