//! The tail of a prefix: its last bytes, behind the checkpoint, which are parsed again with each sample.
//!
//! They are undecided because a match there might run on into the sample. But matches at a position of the tail that end
//! in the tail do not depend on the sample: they are found once after an append, by zlib's walk. Whether one is longer
//! is a question for the index, as at any other position: a string longer than what is left of the tail occurs in the
//! prefix only before it.
//!
//! Takes one walk a byte of the tail, of which there are rarely more than a few.

use super::format::{MAX_DISTANCE, MIN_MATCH};
use super::parse::{Match, Parser};
use super::window::{Window, common_prefix, walk};

/// Longest tail that is worth it.
const MAX_TAIL: usize = 64;

/// Matches in the tail of a prefix.
#[derive(Default)]
pub struct Tail {
    from: usize,
    /// By position; `None` where it takes the walk.
    within: Vec<Option<Match>>,
}

impl Tail {
    /// Follows an append.
    pub fn update(&mut self, window: &Window, parser: &Parser) {
        self.from = parser.position.min(window.len());
        self.within.clear();
        if window.len() - self.from <= MAX_TAIL {
            self.within.extend((self.from..window.len()).map(|position| within(window, position)));
        }
    }

    /// Bytes of the tail; none if it is too long.
    pub fn len(&self) -> usize {
        self.within.len()
    }

    /// The nearest of the longest matches at a position of the prefix that the prefix's end does not cut short, or cuts
    /// short where it ends.
    pub fn within(&self, position: usize) -> Option<Match> {
        *self.within.get(position.checked_sub(self.from)?)?
    }
}

/// The nearest of the longest matches at a position up to the window's end.
fn within(window: &Window, position: usize) -> Option<Match> {
    let max = window.len() - position;
    if max < MIN_MATCH {
        return Some(Match::NONE);
    }
    // Whether a string at the largest distance can be matched depends on where zlib's buffer stands then.
    if position - window.previous(position) == MAX_DISTANCE {
        return None;
    }
    let text = window.text();
    let common = |at: usize, _: usize| common_prefix(&text[at..at + max], &text[position..]);
    Some(walk(position, Match::NONE.length.into(), max, position, |at| window.previous(at), common))
}
