//! The tail of a prefix: its last bytes, behind the checkpoint, which are parsed again with each sample.
//!
//! They are undecided because a match there might run on into the sample. But what of a match lies in the tail does not
//! depend on the sample: it is found once after an append, by zlib's walk. Whether there is a longer match is a question
//! for the index, as at any other position: it knows strings wholly in the prefix, so that one longer than what is left of
//! the prefix can only be from before. (The walk stays for samples that repeat the prefix's end, where a match may start
//! close before the position and itself run into the sample.)
//!
//! Takes one walk a byte of the tail, of which there are rarely more than a few.

use super::format::{MAX_DISTANCE, MIN_MATCH};
use super::parse::{Match, Parser};
use super::window::Window;

/// Longest tail that is worth it.
const MAX_TAIL: usize = 64;

/// Matches in the tail of a prefix.
#[derive(Default)]
pub(super) struct Tail {
    from: usize,
    /// The matches at its positions, as if the text ended with the prefix; `None` where it takes the walk.
    within: Vec<Option<Match>>,
}

impl Tail {
    /// Follows an append.
    pub(super) fn update(&mut self, window: &Window, parser: &Parser) {
        self.from = parser.position.min(window.len());
        self.within.clear();
        if window.len() - self.from <= MAX_TAIL {
            self.within.extend((self.from..window.len()).map(|position| within(window, position)));
        }
    }

    /// Bytes of the tail; none if it is too long.
    pub(super) fn len(&self) -> usize {
        self.within.len()
    }

    /// The longest match at a position, of several the nearest, as if the text ended with the prefix; `None` where it
    /// takes the walk.
    pub(super) fn within(&self, position: usize) -> Option<Match> {
        *self.within.get(position.checked_sub(self.from)?)?
    }
}

/// The longest match at a position, of several the nearest, as if the text ended with the window.
fn within(window: &Window, position: usize) -> Option<Match> {
    let max = window.len() - position;
    if max < MIN_MATCH {
        return Some(Match::NONE);
    }
    // Whether a string at the largest distance can be matched depends on where zlib's buffer stands then.
    if position - window.previous(position) == MAX_DISTANCE {
        return None;
    }
    // Elsewhere it does not matter how much is buffered: all of it, say.
    Some(window.walk(position, Match::NONE.length.into(), max, position))
}
