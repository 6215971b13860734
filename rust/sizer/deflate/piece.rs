//! A piece of a stream, parsed on its own, and how it joins the pieces before it.
//!
//! The parse of a stream goes on from piece to piece, but pieces parsed side by side cannot wait for each other: each
//! begins as if a match had just ended there, with the history before it linked, and goes a little beyond its end. That
//! the two parses of a text soon agree is likely, for they make their choices by the same text; that they never part
//! again, once they have agreed, is certain:
//!
//! > Let two parses of a stream both be *free* at a position: a match ends there, or the byte before it was emitted as a
//! > literal and nothing is in hand for the byte at it. If at that position, and at the next one, zlib's buffer cannot
//! > slide, both emit the same from there on.
//!
//! Proof. What a step of the parse does follows from the position, the match in hand, whether a literal is pending, how
//! much is in zlib's buffer, and what the search finds; where the buffer cannot slide, the position alone tells how
//! much is in it. The search depends on 32,506 bytes before the position, all of whose positions are on zlib's chains
//! (zlib puts every position on its chain, inside of matches too, before any later one is searched), and on the text
//! ahead; a parse that begins with the 32 KiB before it linked finds what one from the stream's start finds. So let both
//! be free at `p`. If a match ends at `p` in both, they are in the same state. If in both the byte before `p` was emitted
//! with nothing in hand, both have looked at `p`, found nothing and go on from `p + 1` with the byte at `p` pending: again
//! the same. If a match ends at `p` in the first only, it looks at `p` next, with nothing in hand as the second had, and
//! finds what that found: nothing; it emits nothing, and is then where the second is.
//!
//! Where parses do not agree (in a run of one byte matches are of 258 bytes from wherever they begin), the one from
//! before goes on alone, and the other is dropped as far as it went. So a text costs at most what it costs one thread,
//! and what the pieces cost all.

use super::format::{MAX_DISTANCE, MAX_MATCH, MIN_LOOKAHEAD, WINDOW};
use super::linked::{LinkedText, PADDING};
use super::parse::{Emitted, Parser, SLIDE, Stretch};
use super::token::Token;

/// Bytes behind the end of a parse that its searches may look at.
pub(super) const AHEAD: usize = 2 * MAX_MATCH + MIN_LOOKAHEAD;

/// Bytes before a parse that are held: all that its searches may come to, one that they may not, and the byte that may
/// be pending.
pub(super) const BEHIND: usize = WINDOW + 1;

/// What is held of a stream's text.
#[derive(Clone, Copy)]
pub(super) struct Held<'a> {
    /// The text, and [`PADDING`] bytes of any value.
    pub text: &'a [u8],
    /// Absolute position of the text's first byte.
    pub origin: u64,
    /// Whether the stream ends with the text.
    pub last: bool,
}

impl Held<'_> {
    /// Where the text ends.
    pub(super) fn end(&self) -> usize {
        self.text.len() - PADDING
    }

    /// A parser that is free at a position, as if a match had ended there.
    fn parser_at(&self, position: usize) -> Parser {
        let absolute = self.origin + position as u64;
        let slid = absolute.saturating_sub(MAX_DISTANCE as u64 + 1) / WINDOW as u64;
        let buffered = (absolute - slid * WINDOW as u64) as usize;
        debug_assert!(buffered <= SLIDE);
        Parser { position, buffered, ..Parser::START }
    }

    /// Whether zlib's buffer cannot slide at a position, nor at the next.
    fn is_level(&self, position: usize) -> bool {
        let edge = MAX_DISTANCE as u64;
        let within = (self.origin + position as u64) % WINDOW as u64;
        within != edge && within + 1 != edge
    }
}

/// A place between two tokens.
#[derive(Clone, Copy)]
struct Seam {
    /// So many tokens are before it.
    tokens: usize,
    /// Where those before it end in the text.
    position: usize,
}

impl Seam {
    /// Goes on by a token; false if there is none.
    fn step(&mut self, tokens: &[Token]) -> bool {
        let Some(token) = tokens.get(self.tokens) else { return false };
        self.tokens += 1;
        self.position += token.bytes();
        true
    }
}

/// The parse of a stretch of a stream: its tokens, and the parser that goes on from there.
pub(super) struct Parsed {
    pub tokens: Vec<Token>,
    pub parser: Parser,
    /// Where the tokens begin in the text.
    begins: usize,
    /// Where another piece may join: not before the first place between tokens from its beginning on.
    seam: Seam,
}

impl Parsed {
    /// Nothing yet: the parse is where the parser is.
    pub(super) fn new(parser: Parser) -> Parsed {
        let position = parser.position - usize::from(parser.pending);
        Parsed { tokens: Vec::new(), parser, begins: position, seam: Seam { tokens: 0, position } }
    }

    /// The same without what comes before a position.
    pub(super) fn apart(held: Held<'_>, position: usize) -> Parsed {
        Parsed::new(held.parser_at(position))
    }

    /// Parses on, up to a position.
    pub(super) fn go_on(&mut self, held: Held<'_>, until: usize) {
        let Parsed { tokens, parser, .. } = self;
        if parser.position >= until {
            return;
        }
        let start = parser.position.saturating_sub(BEHIND);
        let end = held.end().min(until + AHEAD);
        let mut finder = LinkedText::new(&held.text[start..end + PADDING]);
        let last = held.last && end == held.end();
        let stretch = Stretch { origin: held.origin + start as u64, end: end - start, last };
        parser.position -= start;
        while parser.position < until - start {
            match parser.visit(&mut finder, stretch).expect("all that it takes is held") {
                Emitted::Nothing => {}
                Emitted::Literal(byte) => tokens.push(Token::literal(byte, parser)),
                Emitted::Copy(copied) => tokens.push(Token::copy(copied)),
            }
        }
        parser.position += start;
        finder.end();
    }

    /// The next piece is to join at a position, or behind.
    pub(super) fn join_at(&mut self, position: usize) {
        while self.seam.position < position && self.seam.step(&self.tokens) {}
    }

    /// Goes on as the next piece does from where they agree, or else alone to where that one's next is to join; in steps
    /// of some bytes and more, as long as nobody says no.
    #[must_use]
    pub(super) fn join(
        &mut self,
        next: Parsed,
        held: Held<'_>,
        until: usize,
        step: usize,
        go_on: impl Fn() -> bool,
    ) -> bool {
        let mut theirs = Seam { tokens: 0, position: next.begins };
        let mut step = step;
        while !self.agrees(&next, &mut theirs, held) {
            if self.parser.position >= until {
                self.join_at(until);
                return true;
            }
            if !go_on() {
                return false;
            }
            self.go_on(held, until.min(self.parser.position + step));
            step *= 2;
        }
        let Parsed { tokens, parser, seam, .. } = next;
        self.tokens.truncate(self.seam.tokens);
        if let Some(more) = seam.tokens.checked_sub(theirs.tokens) {
            self.seam = Seam { tokens: self.seam.tokens + more, position: seam.position };
        }
        self.tokens.extend_from_slice(&tokens[theirs.tokens..]);
        self.parser = parser;
        true
    }

    /// Whether this parse and the next piece's agree somewhere behind both seams, which go there, or else as far as one
    /// of them is.
    fn agrees(&mut self, next: &Parsed, theirs: &mut Seam, held: Held<'_>) -> bool {
        let is_free = |tokens: &[Token], seam: Seam| seam.tokens.checked_sub(1).map(|last| tokens[last].is_free());
        loop {
            let ours = self.seam;
            if ours.position == theirs.position
                && held.is_level(ours.position)
                && is_free(&self.tokens, ours) == Some(true)
                && is_free(&next.tokens, *theirs) != Some(false)
            {
                return true;
            }
            let behind = ours.position <= theirs.position;
            if !if behind { self.seam.step(&self.tokens) } else { theirs.step(&next.tokens) } {
                return false;
            }
        }
    }

    /// The literal that is pending at the end of the stream.
    pub(super) fn pending(&self, held: Held<'_>) -> Option<Token> {
        self.parser.pending.then(|| Token::literal(held.text[self.parser.position - 1], &self.parser))
    }
}

#[cfg(test)]
mod tests {
    use super::super::support::{KINDS, Rng, case, prose};
    use super::*;

    /// Where a parse is free, and the tokens before.
    fn free(parsed: &Parsed) -> Vec<Seam> {
        let mut seam = Seam { tokens: 0, position: parsed.begins };
        let mut found = vec![seam];
        while seam.step(&parsed.tokens) {
            if parsed.tokens[seam.tokens - 1].is_free() {
                found.push(seam);
            }
        }
        found
    }

    /// Parses that are both free at a level position emit the same from there on: not only from the first of them.
    #[test]
    fn parses_that_agree_never_part() {
        let mut agreed = 0;
        for seed in 0..4 * KINDS {
            let mut rng = Rng(seed as u64);
            let mut text = case(&mut rng, seed % KINDS, 50_000).whole();
            if text.len() < 1_000 {
                text.extend(prose(&mut rng, 110_000));
            }
            let held = Held { text: &[&text[..], &[0; PADDING]].concat(), origin: 0, last: true };
            let mut whole = Parsed::new(Parser::START);
            whole.go_on(held, text.len());
            let (ours, mut at) = (free(&whole), 0);
            let from = rng.range(1, text.len() - 1);
            let mut apart = Parsed::apart(held, from);
            apart.go_on(held, text.len());
            assert_eq!(whole.parser.pending, apart.parser.pending);
            for theirs in free(&apart) {
                at += ours[at..].iter().take_while(|seam| seam.position < theirs.position).count();
                let Some(seam) = ours.get(at).filter(|seam| seam.position == theirs.position) else { continue };
                if held.is_level(seam.position) {
                    let (rest, same) = (&whole.tokens[seam.tokens..], &apart.tokens[theirs.tokens..]);
                    assert!(rest == same, "seed {seed}, apart from {from}, free at {}", seam.position);
                    agreed += 1;
                    if agreed % 50 == 0 {
                        break;
                    }
                }
            }
        }
        assert!(agreed > 500, "{agreed} places");
    }
}
