//! What an append brought: the strings of three to eight bytes that it completed.
//!
//! A candidate that is probed again after every append would ask the same questions of the index as the time before, and
//! most answers are still true: no match that it found is beaten, or even equalled by a nearer one, unless the text
//! appended completes a string as long as that match. This set of strings tells, without looking at the prefix. It may
//! take a string for another one (a set of 1,200 bytes, one in seventy), which costs a question to the index and nothing
//! else.
//!
//! Longer matches are told by their last eight bytes: whatever of the old text a match starts in, it grew only if its
//! end is new.
//!
//! Each state of a prefix has a number of its own, unlike that of any other prefix, so that a candidate knows whether
//! it saw this state, or the one before, or neither.

use std::sync::atomic::{AtomicU64, Ordering};

use super::format::MIN_MATCH;
use super::window::{Window, boxed, load};

/// Longest string told apart.
const MAX_GRAM: usize = 8;
const SET_BITS: u32 = 19;
/// One more than the set has: for the questions that are none.
const SET_WORDS: usize = (1 << (SET_BITS - 6)) + 1;

/// A string that an append is asked for: its place in the set. The upper bit is the asker's.
#[derive(Clone, Copy)]
pub(super) struct Question(u32);

const FLAG_SHIFT: u32 = 31;

impl Question {
    /// For a string that no append has.
    pub(super) const NEVER: Question = Question(1 << SET_BITS);
    /// For a string that every append has.
    pub(super) const ALWAYS: Question = Question(Question::NEVER.0 + 1);

    /// For the first `length` bytes of a text, of which the last eight tell. Eight bytes can be loaded from each.
    #[inline]
    pub(super) fn of(text: &[u8], length: usize) -> Question {
        let gram = length.min(MAX_GRAM);
        Question(place(load(text, length - gram), gram))
    }

    /// Whether this is [`Question::ALWAYS`], the flag aside.
    pub(super) fn is_always(self) -> bool {
        self.0 & !(1 << FLAG_SHIFT) == Question::ALWAYS.0
    }

    pub(super) fn with_flag(self, flag: bool) -> Question {
        Question(self.0 | u32::from(flag) << FLAG_SHIFT)
    }

    /// All bits if the flag is set, otherwise none.
    #[inline(always)]
    pub(super) fn flag_mask(self) -> u16 {
        (self.0 as i32 >> FLAG_SHIFT) as u16
    }
}

/// Longest append whose strings are worth gathering: they fill a third of the set.
pub(super) const MAX_APPEND: usize = 1 << 13;

/// A number that no state of a prefix has.
pub(super) const NEVER: u64 = 0;

fn new_state() -> u64 {
    static LAST: AtomicU64 = AtomicU64::new(NEVER);
    LAST.fetch_add(1, Ordering::Relaxed) + 1
}

/// What of an earlier state of the prefix is still true.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Since {
    /// It is the state of now.
    Same,
    /// All but what [`Recent::may_have`] tells.
    OneAppend,
    /// Nothing is known of it.
    Unknown,
}

/// The strings that the last append completed.
pub(super) struct Recent {
    strings: Box<[u64; SET_WORDS]>,
    state: u64,
    /// The state before the last append; [`NEVER`] if its strings were not gathered.
    before: u64,
}

impl Recent {
    pub(super) fn new() -> Recent {
        Recent { strings: boxed(0), state: new_state(), before: NEVER }
    }

    /// The number of the prefix's state.
    pub(super) fn state(&self) -> u64 {
        self.state
    }

    /// The prefix has become another one.
    pub(super) fn forget(&mut self) {
        (self.state, self.before) = (new_state(), NEVER);
    }

    /// So many bytes were appended, and the window holds them.
    pub(super) fn append(&mut self, window: &Window, bytes: usize) {
        if bytes > MAX_APPEND || bytes > window.len() {
            return self.forget();
        }
        (self.state, self.before) = (new_state(), self.state);
        self.strings.fill(0);
        self.strings[SET_WORDS - 1] = 1 << (Question::ALWAYS.0 % 64);
        let (old, new) = (window.len() - bytes, window.len());
        for start in (old + 1).saturating_sub(MAX_GRAM)..new {
            let eight = window.eight(start);
            let complete = (old + 1).saturating_sub(start).max(MIN_MATCH)..=(new - start).min(MAX_GRAM);
            for length in complete {
                let place = place(eight, length);
                self.strings[place as usize / 64] |= 1 << (place % 64);
            }
        }
    }

    /// What is still true of a state.
    pub(super) fn since(&self, state: u64) -> Since {
        match state {
            NEVER => Since::Unknown,
            state if state == self.state => Since::Same,
            state if state == self.before => Since::OneAppend,
            _ => Since::Unknown,
        }
    }

    /// Whether the last append may have completed the string that is asked for.
    #[inline(always)]
    pub(super) fn may_have(&self, question: Question) -> bool {
        let place = question.0 & !(1 << FLAG_SHIFT);
        self.strings[place as usize / 64] >> (place % 64) & 1 != 0
    }
}

/// Place of a string in the set: the first `length` bytes of a little-endian load.
#[inline(always)]
fn place(eight: u64, length: usize) -> u32 {
    let gram = eight << (64 - 8 * length);
    (gram.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> (64 - SET_BITS)) as u32
}
