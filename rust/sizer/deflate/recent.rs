//! What an append brought: the strings of three to eight bytes that it completed.
//!
//! A candidate that is probed again after every append asks the same questions of the index as the time before, and most
//! answers are still true: no match that it remembers is beaten, or even equalled by a nearer one, unless the text
//! appended completes a string as long as that match. This set of strings tells, without looking at the prefix. It may
//! take a string for another one, which costs a question to the index and nothing else.
//!
//! Longer matches are told by their last eight bytes: whatever of the old text a match starts in, it grew only if its
//! end is new.
//!
//! Each state of a prefix has a number of its own, unlike that of any other prefix, so that a candidate knows whether
//! it saw this state, or the one before, or neither.

use std::sync::atomic::{AtomicU64, Ordering};

use super::format::MIN_MATCH;
use super::window::{Window, boxed};

/// Longest string told apart.
const MAX_GRAM: usize = 8;
const SET_BITS: u32 = 17;
const SET_WORDS: usize = 1 << (SET_BITS - 6);

/// Longest append whose strings are worth gathering: they fill a third of the set.
pub const MAX_APPEND: usize = 1 << 13;

/// A number that no state of a prefix has.
pub const NEVER: u64 = 0;

fn new_state() -> u64 {
    static LAST: AtomicU64 = AtomicU64::new(NEVER);
    LAST.fetch_add(1, Ordering::Relaxed) + 1
}

/// What of an earlier state of the prefix is still true.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Since {
    /// It is the state of now.
    Same,
    /// All but what [`Recent::may_have`] tells.
    OneAppend,
    /// Nothing is known of it.
    Unknown,
}

/// The strings that the last append completed.
pub struct Recent {
    strings: Box<[u64; SET_WORDS]>,
    state: u64,
    /// The state before the last append; [`NEVER`] if its strings were not gathered.
    before: u64,
}

impl Recent {
    pub fn new() -> Recent {
        Recent { strings: boxed(0), state: new_state(), before: NEVER }
    }

    /// The number of the prefix's state.
    pub fn state(&self) -> u64 {
        self.state
    }

    /// The prefix has become another one.
    pub fn forget(&mut self) {
        (self.state, self.before) = (new_state(), NEVER);
    }

    /// So many bytes were appended, and the window holds them.
    pub fn append(&mut self, window: &Window, bytes: usize) {
        if bytes > MAX_APPEND || bytes > window.len() {
            return self.forget();
        }
        (self.state, self.before) = (new_state(), self.state);
        self.strings.fill(0);
        let (old, new) = (window.len() - bytes, window.len());
        for start in (old + 1).saturating_sub(MAX_GRAM)..new {
            let eight = window.eight(start);
            let complete = (old + 1).saturating_sub(start).max(MIN_MATCH)..=(new - start).min(MAX_GRAM);
            for length in complete {
                let (word, bit) = place(eight, length);
                self.strings[word] |= bit;
            }
        }
    }

    /// What is still true of a state.
    pub fn since(&self, state: u64) -> Since {
        match state {
            NEVER => Since::Unknown,
            state if state == self.state => Since::Same,
            state if state == self.before => Since::OneAppend,
            _ => Since::Unknown,
        }
    }

    /// Whether the last append may have completed the first `length` bytes, at most eight, of a little-endian load.
    #[inline(always)]
    pub fn may_have(&self, eight: u64, length: usize) -> bool {
        let (word, bit) = place(eight, length);
        self.strings[word] & bit != 0
    }
}

/// Word and bit of a string.
#[inline(always)]
fn place(eight: u64, length: usize) -> (usize, u64) {
    let gram = eight << (64 - 8 * length);
    let hash = gram.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> (64 - SET_BITS);
    ((hash >> 6) as usize, 1 << (hash & 63))
}
