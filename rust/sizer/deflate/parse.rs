//! The lazy parse: which literals and matches zlib's level 9 emits.
//!
//! A match is not taken at once. If the next position has a longer one, the match shrinks to a literal; otherwise it is
//! emitted and its positions are skipped (*lazy evaluation*). The parser is a small state machine of one step per
//! position: what it carries from step to step is a match in hand, a literal not yet emitted, and where the position
//! lies in zlib's buffer. It knows nothing of how matches are found: it asks a [`Finder`], so that the exhaustive walk
//! along hash chains and the indexed search share every rule below.
//!
//! The buffer matters because its movements show in the sizes. zlib holds 64 KiB, slides by 32 KiB when the position
//! passes 65,274, and already at exactly 65,274 if fewer than 262 bytes of the stream lie ahead or if it stops there for
//! more input ([`feed`]); a string at its very start cannot be matched.
//!
//! Time is linear in the text, plus the finder's. Reference: `deflate_slow` and `fill_window` of zlib's `deflate.c`.

use super::block::Blocks;
use super::cost::Coster;
use super::feed;
use super::format::{MAX_DISTANCE, MAX_MATCH, MIN_LOOKAHEAD, MIN_MATCH, TOO_FAR, WINDOW};

/// An earlier occurrence of the text at a position.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Match {
    pub length: u16,
    pub distance: u16,
}

impl Match {
    /// No match: shorter than any real one.
    pub(super) const NONE: Match = Match { length: MIN_MATCH as u16 - 1, distance: 0 };
}

/// Finds matches.
pub(super) trait Finder {
    /// The byte at a position.
    fn byte(&self, position: usize) -> u8;

    /// The longest match at `position`, of several equally long ones the nearest, if it is longer than `longer_than`;
    /// otherwise any match no longer than that. `buffered` bytes before the position are in zlib's buffer.
    ///
    /// `None` if it takes more than this finder has to tell: bytes not yet known, or a rule it does not model.
    fn longest(&mut self, position: usize, longer_than: usize, buffered: usize) -> Option<Match>;
}

/// The stretch of text that may be parsed.
#[derive(Clone, Copy)]
pub(super) struct Stretch {
    /// Absolute position of position 0.
    pub origin: u64,
    /// Where the text ends.
    pub end: usize,
    /// Whether the stream ends there too; otherwise more text may follow.
    pub last: bool,
}

/// What a step of the parse emits.
#[derive(Clone, Copy)]
pub(super) enum Emitted {
    Nothing,
    Literal(u8),
    Copy(Match),
}

/// State of the parse between two positions.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Parser {
    /// Where the parse stands.
    pub position: usize,
    /// How many bytes before the position are in zlib's buffer.
    pub buffered: usize,
    /// The best match at the position before.
    pub in_hand: Match,
    /// Whether the byte before the position is neither emitted nor part of an emitted match.
    pub pending: bool,
    /// What was emitted.
    pub blocks: Blocks,
}

/// Position in the buffer from which zlib slides it.
pub(super) const SLIDE: usize = WINDOW + MAX_DISTANCE;

impl Parser {
    /// The start of a stream.
    pub(super) const START: Parser =
        Parser { position: 0, buffered: 0, in_hand: Match::NONE, pending: false, blocks: Blocks::START };

    /// Parses up to a position, or to the end of the match that covers it, as far as the finder and the stretch allow;
    /// true if it came so far.
    #[inline]
    pub(super) fn run<F: Finder>(
        &mut self,
        finder: &mut F,
        stretch: Stretch,
        until: usize,
        coster: &mut Coster,
    ) -> bool {
        while self.position < until {
            match self.visit(finder, stretch) {
                None => return false,
                Some(Emitted::Nothing) => continue,
                Some(Emitted::Literal(byte)) => self.blocks.literal(byte),
                Some(Emitted::Copy(copied)) => self.blocks.copy(copied.length.into(), copied.distance.into()),
            }
            if self.blocks.full() {
                self.blocks.close(coster);
            }
        }
        true
    }

    /// One step of the parse; what it emits is for the caller to count. `None`, and nothing done, if it takes more than
    /// the finder has to tell.
    #[inline(always)]
    pub(super) fn visit<F: Finder>(&mut self, finder: &mut F, stretch: Stretch) -> Option<Emitted> {
        if !self.slide(stretch) {
            return None;
        }
        let in_hand = usize::from(self.in_hand.length);
        let found = if in_hand < MAX_MATCH && (stretch.end - self.position >= MIN_MATCH || !stretch.last) {
            let found = finder.longest(self.position, in_hand, self.buffered)?;
            if usize::from(found.length) == MIN_MATCH && usize::from(found.distance) > TOO_FAR {
                Match::NONE
            } else {
                found
            }
        } else {
            Match::NONE
        };
        if in_hand >= MIN_MATCH && usize::from(found.length) <= in_hand {
            let copied = std::mem::replace(&mut self.in_hand, Match::NONE);
            self.jump(in_hand - 1, stretch);
            self.pending = false;
            return Some(Emitted::Copy(copied));
        }
        let emitted = if self.pending { Emitted::Literal(finder.byte(self.position - 1)) } else { Emitted::Nothing };
        self.skip(1);
        self.in_hand = found;
        self.pending = true;
        Some(emitted)
    }

    /// Ends the stream, all of which has been parsed: emits what is pending. The open block stays to be closed, even if
    /// the last literal filled it.
    pub(super) fn end<F: Finder>(&mut self, finder: &F) {
        if self.pending {
            self.blocks.literal(finder.byte(self.position - 1));
            self.pending = false;
        }
    }

    /// Slides zlib's buffer if it would at this position; false if that depends on text not yet known.
    #[inline]
    fn slide(&mut self, stretch: Stretch) -> bool {
        if self.buffered < SLIDE {
            return true;
        }
        // Coming from the position before. If from further back, the jump has slid it already where that makes it stop.
        if self.buffered == SLIDE && !self.stops(1, stretch) {
            if stretch.end - self.position >= MIN_LOOKAHEAD {
                return true;
            }
            if !stretch.last {
                return false;
            }
        }
        self.buffered -= WINDOW;
        true
    }

    /// Goes on to the end of an emitted match. If zlib stops there for input, its buffer slides at once, since whether it
    /// stops depends on where the parse comes from.
    #[inline]
    pub(super) fn jump(&mut self, by: usize, stretch: Stretch) {
        self.skip(by);
        if self.buffered == SLIDE && self.stops(by, stretch) {
            self.buffered -= WINDOW;
        }
    }

    /// Goes on without a look at the buffer.
    #[inline]
    pub(super) fn skip(&mut self, by: usize) {
        self.position += by;
        self.buffered += by;
    }

    /// Whether zlib stops for input at this position, having come from the one so many bytes before.
    #[cold]
    fn stops(&self, by: usize, stretch: Stretch) -> bool {
        feed::stops_at(stretch.origin + self.position as u64, by)
    }
}
