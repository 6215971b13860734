//! Sizes of whole streams, however long, on all threads.
//!
//! A stream is cut into pieces that are parsed side by side and joined in order ([`piece`](super::piece)); where its
//! blocks end is known only then, for it depends on how many symbols there were before. Blocks are costed side by side
//! again, and their bits added up in order ([`token`](super::token)). Several streams share the threads, each cut into
//! pieces or, if it is short, sized as a sample behind nothing.
//!
//! The work goes in rounds, each of so much text as gives every thread several pieces; then its text and tokens are let
//! go, but for the last 32 KiB of a stream that goes on. So memory does not grow with the text: per thread it is 8 MiB of
//! text, twice that of tokens at most, in texts half of it, and 1.2 MB to search with.

use rayon::prelude::*;

use super::huffman::LANES;
use super::linked::PADDING;
use super::parse::Parser;
use super::piece::{AHEAD, BEHIND, Held, Parsed};
use super::search::MAX_SAMPLE;
use super::token::Blocked;
use super::{DeflateSizer, Scratch};
use crate::sizer::Sizer;

/// How the work is cut up. Sizes do not depend on it.
#[derive(Clone, Copy)]
pub struct Cut {
    /// Bytes of a piece.
    piece: usize,
    /// Bytes that a piece goes beyond its end, where it is likely to agree with the next.
    beyond: usize,
    /// Bytes of a round.
    round: usize,
    /// Bytes in a text that is sized as a sample, at most.
    short: usize,
}

impl Cut {
    /// For the threads of the caller's pool.
    fn usual() -> Cut {
        let threads = rayon::current_num_threads();
        let piece = 1 << 19;
        let round = 16 * piece * threads;
        // One thread has no use for pieces.
        Cut { piece: if threads > 1 { piece } else { round }, beyond: 1 << 11, round, short: MAX_SAMPLE }
    }
}

/// A stream whose text comes in part by part.
struct Text {
    /// Its number among the streams.
    number: usize,
    /// What is held of it.
    held: Vec<u8>,
    /// Absolute position of the first byte held.
    origin: u64,
    /// Where the parse is.
    parser: Parser,
    blocked: Blocked,
    /// Whether all of it is held.
    last: bool,
}

/// What holding a text takes beside its bytes, about.
const TEXT_BYTES: usize = size_of::<Text>();

/// A piece of a text: the first one goes on from where the text's parse is, the others begin apart from it.
#[derive(Clone, Copy)]
struct Piece {
    from: usize,
    until: usize,
    is_first: bool,
}

impl Text {
    fn new(number: usize) -> Text {
        Text { number, held: Vec::new(), origin: 0, parser: Parser::START, blocked: Blocked::new(), last: false }
    }

    /// Whether all of it is there, nothing of it parsed, and it is no longer than that.
    fn is_short(&self, short: usize) -> bool {
        self.last && self.origin == 0 && self.parser.position == 0 && self.held.len() <= short
    }

    /// Where the parse may go now.
    fn until(&self) -> usize {
        let end = self.held.len() - PADDING;
        if self.last { end } else { end.saturating_sub(AHEAD) }
    }

    fn held(&self) -> Held<'_> {
        Held { text: &self.held, origin: self.origin, last: self.last }
    }

    /// The pieces up to there; one at least.
    fn pieces(&self, bytes: usize) -> Vec<Piece> {
        let (start, until) = (self.parser.position, self.until());
        let mut pieces = vec![Piece { from: start, until: until.min(start + bytes), is_first: true }];
        let others = (start + bytes..until).step_by(bytes);
        pieces.extend(others.map(|from| Piece { from, until: until.min(from + bytes), is_first: false }));
        pieces
    }

    fn parse(&self, piece: Piece, beyond: usize) -> Parsed {
        let held = self.held();
        let mut parsed =
            if piece.is_first { Parsed::new(self.parser.clone()) } else { Parsed::apart(held, piece.from) };
        parsed.go_on(held, self.until().min(piece.until + beyond));
        parsed.join_at(piece.until);
        parsed
    }

    /// Joins the pieces, and takes note of what they come to. The stream's size, if it ends.
    fn join(&mut self, parsed: Vec<(Piece, Parsed)>, step: usize, go_on: impl Fn() -> bool) -> Option<Option<u64>> {
        let held = Held { text: &self.held, origin: self.origin, last: self.last };
        let mut parsed = parsed.into_iter();
        let (_, mut all) = parsed.next()?;
        for (piece, next) in parsed {
            if !all.join(next, held, piece.until, step, &go_on) {
                return None;
            }
        }
        self.blocked.extend(&all.tokens);
        let size = self.last.then(|| std::mem::replace(&mut self.blocked, Blocked::new()).end(all.pending(held)));
        self.parser = all.parser;
        Some(size)
    }

    /// Lets go of what the parse has no more use for.
    fn forget(&mut self) {
        let past = self.parser.position.saturating_sub(BEHIND);
        self.held.drain(..past);
        self.parser.position -= past;
        self.origin += past as u64;
    }
}

/// The work under way.
struct Rounds<F> {
    cut: Cut,
    /// Is told how many bytes more are parsed, and says whether to go on.
    go_on: F,
    ended: Vec<Text>,
    /// Bytes that came in this round, and what the texts take beside.
    bytes: usize,
    sizes: Vec<u64>,
}

/// Sizes of streams, each given in parts, by the threads of the caller's pool. `go_on` is told how many bytes more are
/// parsed, and says whether to go on: none if it does not.
pub fn sizes<'a, T>(
    texts: impl IntoIterator<Item = T>,
    cut: Option<Cut>,
    go_on: impl Fn(usize) -> bool + Sync,
) -> Option<Vec<u64>>
where
    T: IntoIterator<Item = &'a [u8]>,
{
    let cut = cut.unwrap_or_else(Cut::usual);
    let mut rounds = Rounds { cut, go_on, ended: Vec::new(), bytes: 0, sizes: Vec::new() };
    for (number, parts) in texts.into_iter().enumerate() {
        let mut text = Text::new(number);
        rounds.sizes.push(0);
        for part in parts {
            rounds.read(&mut text, part)?;
        }
        text.last = true;
        rounds.ended.push(text);
        rounds.bytes += TEXT_BYTES;
    }
    rounds.run(None)?;
    Some(rounds.sizes)
}

impl<F: Fn(usize) -> bool + Sync> Rounds<F> {
    /// Takes the next part of a text.
    fn read(&mut self, text: &mut Text, mut part: &[u8]) -> Option<()> {
        while !part.is_empty() {
            if self.bytes >= self.cut.round {
                self.run(Some(text))?;
            }
            let (now, later) = part.split_at(part.len().min(self.cut.round - self.bytes));
            text.held.extend_from_slice(now);
            self.bytes += now.len();
            part = later;
        }
        Some(())
    }

    /// Works on all that came: texts that have ended, and one that goes on.
    fn run(&mut self, open: Option<&mut Text>) -> Option<()> {
        let (short, mut long): (Vec<Text>, Vec<Text>) =
            std::mem::take(&mut self.ended).into_iter().partition(|text| text.is_short(self.cut.short));
        self.size_short(&short)?;
        let mut texts: Vec<&mut Text> = long.iter_mut().chain(open).collect();
        let jobs: Vec<(usize, Piece)> = texts
            .iter_mut()
            .enumerate()
            .flat_map(|(at, text)| {
                text.held.extend([0; PADDING]);
                text.pieces(self.cut.piece).into_iter().map(move |piece| (at, piece))
            })
            .collect();
        let parse = |&(at, piece): &(usize, Piece)| {
            let parsed = texts[at].parse(piece, self.cut.beyond);
            (self.go_on)(piece.until.saturating_sub(piece.from)).then_some((at, piece, parsed))
        };
        let parsed: Vec<_> = jobs.par_iter().with_max_len(1).map(parse).collect::<Option<_>>()?;
        let mut of: Vec<Vec<(Piece, Parsed)>> = texts.iter().map(|_| Vec::new()).collect();
        parsed.into_iter().for_each(|(at, piece, parsed)| of[at].push((piece, parsed)));
        let joined = texts.par_iter_mut().zip(of).map(|(text, pieces)| {
            let size = text.join(pieces, self.cut.beyond, || (self.go_on)(0))?;
            text.held.truncate(text.held.len() - PADDING);
            text.forget();
            Some((text.number, size))
        });
        for (number, size) in joined.collect::<Option<Vec<_>>>()? {
            self.sizes[number] = size.unwrap_or(0);
        }
        self.bytes = 0;
        Some(())
    }

    /// Sizes short texts, as samples behind nothing.
    fn size_short(&mut self, texts: &[Text]) -> Option<()> {
        if texts.is_empty() {
            return Some(());
        }
        let sizer = DeflateSizer::new();
        let size = |scratch: &mut Scratch, texts: &[Text]| {
            let samples: Vec<&[u8]> = texts.iter().map(|text| &text.held[..]).collect();
            let mut sizes = vec![0; samples.len()];
            sizer.probe_all(&samples, &mut sizes, scratch);
            (self.go_on)(samples.iter().map(|sample| sample.len()).sum()).then_some(sizes)
        };
        let sizes = texts.par_chunks(LANES).map_init(|| sizer.scratch(), size).collect::<Option<Vec<_>>>()?;
        for (text, size) in texts.iter().zip(sizes.into_iter().flatten()) {
            self.sizes[text.number] = size;
        }
        Some(())
    }
}
