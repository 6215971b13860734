//! A stream that is parsed as it grows: the prefix, its checkpoint, and the exhaustive way to size what follows it.
//!
//! The parse of a prefix is taken as far as it cannot depend on what follows: up to the first position at which some
//! comparison runs into the end of the text, rarely more than a few bytes before it and never more than 262. That state
//! is the checkpoint from which every candidate is sized, so that the cost of a candidate does not depend on the length
//! of the prefix. Appending resumes at the same point and never reads anything twice.

use super::cost::Coster;
use super::format::WINDOW;
use super::parse::{Parser, Stretch};
use super::window::{ChainFinder, Window};

/// Text and the parse of it.
pub(super) struct Stream {
    pub window: Window,
    pub parser: Parser,
}

impl Stream {
    pub(super) fn new() -> Stream {
        Stream { window: Window::new(), parser: Parser::START }
    }

    /// Back to the start of a stream; keeps the memory.
    pub(super) fn clear(&mut self) {
        self.window.clear();
        self.parser = Parser::START;
    }

    /// Makes this a copy of another stream.
    pub(super) fn copy_from(&mut self, other: &Stream) {
        self.window.copy_from(&other.window);
        self.parser.clone_from(&other.parser);
    }

    /// Length of the text, in bytes.
    pub(super) fn len(&self) -> u64 {
        self.window.total()
    }

    /// Appends text; returns how often the window slid.
    pub(super) fn append(&mut self, mut bytes: &[u8], coster: &mut Coster) -> usize {
        let mut slides = 0;
        while !bytes.is_empty() {
            if self.window.room() == 0 {
                self.window.slide();
                self.parser.position -= WINDOW;
                slides += 1;
            }
            bytes = self.window.fill(bytes);
            self.parse(false, coster);
        }
        slides
    }

    /// Ends the stream with `bytes`: all is parsed, and the last block is open. The stream is then only fit to be
    /// cleared or overwritten.
    pub(super) fn finish(&mut self, bytes: &[u8], coster: &mut Coster) {
        self.append(bytes, coster);
        self.parse(true, coster);
        self.parser.end(&ChainFinder { window: &mut self.window, last: true });
    }

    fn parse(&mut self, last: bool, coster: &mut Coster) {
        let stretch = Stretch { origin: self.window.origin(), end: self.window.len(), last };
        self.parser.run(&mut ChainFinder { window: &mut self.window, last }, stretch, stretch.end, coster);
    }
}
