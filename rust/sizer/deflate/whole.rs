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
#[derive(Clone, Copy, Debug)]
pub struct Cut {
    /// Bytes of a piece, one at least.
    pub piece: usize,
    /// Bytes that a piece goes beyond its end, where it is likely to agree with the next.
    pub beyond: usize,
    /// Bytes of a round, one at least.
    pub round: usize,
    /// Bytes in a text that is sized as a sample, at most.
    pub short: usize,
}

impl Cut {
    /// For the threads of the caller's pool.
    pub fn usual() -> Cut {
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
    /// Where the last piece ended.
    done: usize,
    blocked: Blocked,
    /// Whether all of it is held.
    last: bool,
}

/// What holding a text takes beside its bytes, about.
const TEXT_BYTES: usize = std::mem::size_of::<Text>();

/// A piece of a text: the first one goes on from where the text's parse is, the others begin apart from it.
#[derive(Clone, Copy)]
struct Piece {
    from: usize,
    until: usize,
    is_first: bool,
    /// Bytes that are done when it is.
    bytes: usize,
}

impl Text {
    fn new(number: usize) -> Text {
        let (held, blocked) = (Vec::new(), Blocked::new());
        Text { number, held, origin: 0, parser: Parser::START, done: 0, blocked, last: false }
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

    /// The pieces up to there; one at least. The parse may have gone beyond the last of those before.
    fn pieces(&mut self, bytes: usize) -> Vec<Piece> {
        let (start, until) = (self.parser.position, self.until());
        let starts = std::iter::once(start).chain((start + bytes..until).step_by(bytes));
        let piece = |from: usize| {
            let until = until.min(from + bytes);
            let bytes = until.saturating_sub(self.done);
            self.done += bytes;
            Piece { from, until, is_first: from == start, bytes }
        };
        starts.map(piece).collect()
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
        self.done -= past;
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

/// [`Sizer::sizes`], with the work cut up in a way of one's own.
pub fn sizes<'a, T>(
    texts: impl IntoIterator<Item = T>,
    cut: Cut,
    go_on: impl Fn(usize) -> bool + Sync,
) -> Option<Vec<u64>>
where
    T: IntoIterator<Item = &'a [u8]>,
{
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
            (self.go_on)(piece.bytes).then_some((at, piece, parsed))
        };
        let parsed: Vec<_> = jobs.par_iter().with_max_len(1).map(parse).collect::<Option<_>>()?;
        let mut of: Vec<Vec<(Piece, Parsed)>> = texts.iter().map(|_| Vec::new()).collect();
        parsed.into_iter().for_each(|(at, piece, parsed)| of[at].push((piece, parsed)));
        let joined = texts.par_iter_mut().zip(of).map(|(text, pieces)| {
            let size = text.join(pieces, self.cut.beyond.max(1), || (self.go_on)(0))?;
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

#[cfg(test)]
impl Cut {
    /// The size of a text that starts at an absolute position, without what would come before.
    pub fn size_from(self, origin: u64, bytes: &[u8]) -> u64 {
        let mut rounds = Rounds { cut: self, go_on: |_| true, ended: Vec::new(), bytes: 0, sizes: vec![0] };
        let mut text = Text { origin, ..Text::new(0) };
        rounds.read(&mut text, bytes).expect("nobody says no");
        text.last = true;
        rounds.ended.push(text);
        rounds.run(None).expect("nobody says no");
        rounds.sizes[0]
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::super::support::{KINDS, Rng, case, copies, end_of_chain, letters, noise, oracle, prose};
    use super::*;

    /// Runs a job on so many threads.
    fn on<R: Send>(threads: usize, job: impl FnOnce() -> R + Send) -> R {
        rayon::ThreadPoolBuilder::new().num_threads(threads).build().expect("threads start").install(job)
    }

    /// So small that seams are everywhere, in a text of some length.
    fn tiny(rng: &mut Rng, len: usize) -> Cut {
        let part = |rng: &mut Rng, most| len / rng.range(1, most) + rng.range(1, 5);
        let beyond = [0, 1, 30, 300, 3_000][rng.range(0, 4)];
        Cut { piece: part(rng, 30), beyond, round: part(rng, 6), short: [0, 1_000, MAX_SAMPLE][rng.range(0, 2)] }
    }

    /// The size of a text, given in parts, is zlib's, whatever it is cut into and on any number of threads.
    #[track_caller]
    fn check(text: &[u8], cuts: &[Cut], rng: &mut Rng) {
        let size = oracle(text);
        for (cut, threads) in cuts.iter().zip([2, 1, 3, 8].into_iter().cycle()) {
            let part = 1 + rng.skewed(5_000);
            let found = on(threads, || sizes([text.chunks(part)], *cut, |_| true));
            assert_eq!(found, Some(vec![size]), "{} bytes, {cut:?}, {threads} threads, parts of {part}", text.len());
        }
    }

    fn several(rng: &mut Rng, len: usize) -> Vec<Cut> {
        (0..4).map(|_| tiny(rng, len)).collect()
    }

    #[test]
    fn texts_of_every_kind() {
        for seed in 0..6 * KINDS {
            let mut rng = Rng(seed as u64);
            let text = case(&mut rng, seed % KINDS, 30_000).whole();
            let cuts = several(&mut rng, text.len());
            check(&text, &cuts, &mut rng);
        }
    }

    /// Long enough for the history to be forgotten, and for zlib's buffer to slide; seams lie about where it does.
    #[test]
    fn texts_longer_than_zlibs_buffer() {
        let mut rng = Rng(1);
        let mut texts = vec![prose(&mut rng, 250_000), copies(&mut rng, 250_000, 26), letters(&mut rng, 200_000, 4)];
        let mut edges = letters(&mut rng, 200_000, 64);
        for edge in (65_274..190_000).step_by(32_768) {
            let copied = edges[edge - 32_506..edge - 32_400].to_vec();
            edges[edge..edge + copied.len()].copy_from_slice(&copied);
        }
        texts.push(edges);
        for text in &texts {
            let cuts = [(7_000, 100, 50_000), (32_768, 300, 70_000), (32_506, 1, 1 << 20), (65_537, 2_000, 100_000)]
                .map(|(piece, beyond, round)| Cut { piece, beyond, round, short: 0 });
            check(text, &cuts, &mut rng);
        }
        for shift in 0..5 {
            let cut = Cut { piece: 32_768, beyond: 10, round: 32_504 + shift, short: 0 };
            check(&texts[3], &[cut], &mut rng);
        }
    }

    /// Parses that never agree: matches of 258 bytes lie as they lay at the start.
    #[test]
    fn texts_that_go_on_the_same_for_ever() {
        let mut rng = Rng(2);
        let units: [&[u8]; 6] = [b"a", b"ab", b"abc", b"xyzxyz!", b"\0", &noise(&mut rng, 300)];
        for unit in units {
            let text: Vec<u8> = unit.iter().copied().cycle().take(60_000).collect();
            let cuts = several(&mut rng, text.len());
            check(&text, &cuts, &mut rng);
            check(&text, &[Cut { piece: 3_000, beyond: 10, round: 1 << 20, short: 0 }], &mut rng);
        }
    }

    /// They are parsed twice, once apart and once on from the start, and not more often however many pieces there are.
    #[test]
    fn what_never_agrees_is_parsed_twice() {
        let text = vec![b'a'; 100_000];
        let held = Held { text: &[&text[..], &[0; PADDING]].concat(), origin: 0, last: true };
        let piece = |from: usize| {
            let mut piece = Parsed::apart(held, from);
            piece.go_on(held, text.len().min(from + 1_100));
            piece.join_at(from + 1_000);
            piece
        };
        let mut all = Parsed::new(Parser::START);
        all.go_on(held, 1_100);
        all.join_at(1_000);
        let asked = AtomicUsize::new(0);
        for from in (1_000..text.len()).step_by(1_000) {
            let go_on = || asked.fetch_add(1, Ordering::Relaxed) < usize::MAX;
            assert!(all.join(piece(from), held, text.len().min(from + 1_000), 2_000, go_on));
        }
        assert!(asked.into_inner() < text.len() / 1_000, "a step for each piece at most");
        let mut alone = Parsed::new(Parser::START);
        alone.go_on(held, text.len());
        assert!(all.tokens == alone.tokens && all.parser == alone.parser);
    }

    #[test]
    fn stored_blocks_and_long_chains() {
        let mut rng = Rng(3);
        let mut text = noise(&mut rng, 90_000);
        text.extend(end_of_chain(&mut rng, 4_095, 0));
        text.extend(end_of_chain(&mut rng, 1_023, 35));
        text.extend(noise(&mut rng, 40_000));
        let cuts = several(&mut rng, text.len());
        check(&text, &cuts, &mut rng);
    }

    /// Texts short and long, empty ones among them, sized side by side.
    #[test]
    fn several_texts() {
        let mut rng = Rng(4);
        let texts: Vec<Vec<u8>> = (0..60)
            .map(|at| match at % 6 {
                0 => Vec::new(),
                1 => vec![b'x'; rng.range(0, 4)],
                2 => prose(&mut rng, 40_000),
                _ => case(&mut rng, at % KINDS, 2_000).whole(),
            })
            .collect();
        let expected: Vec<u64> = texts.iter().map(|text| oracle(text)).collect();
        for threads in [1, 2, 3, 8] {
            let cut = tiny(&mut rng, 40_000);
            let read = AtomicUsize::new(0);
            let go_on = |bytes| read.fetch_add(bytes, Ordering::Relaxed) < usize::MAX;
            let found = on(threads, || sizes(texts.iter().map(|text| text.chunks(700)), cut, go_on));
            assert_eq!(found.as_ref(), Some(&expected), "{cut:?}, {threads} threads");
            assert_eq!(read.into_inner(), texts.iter().map(Vec::len).sum::<usize>(), "{cut:?}");
            let usual = on(threads, || DeflateSizer::sizes(texts.iter().map(|text| [&text[..]]), |_| true));
            assert_eq!(usual.as_ref(), Some(&expected), "{threads} threads");
        }
        assert_eq!(on(2, || DeflateSizer::sizes([[&b""[..]]; 0], |_| true)), Some(Vec::new()));
    }

    /// Whenever somebody says no, there is an end.
    #[test]
    fn the_work_can_be_stopped() {
        let mut rng = Rng(5);
        let text = [vec![b'a'; 30_000], prose(&mut rng, 30_000)].concat();
        let cut = Cut { piece: 1_000, beyond: 100, round: 20_000, short: 0 };
        let calls = AtomicUsize::new(0);
        on(2, || sizes([[&text[..]]], cut, |_| calls.fetch_add(1, Ordering::Relaxed) < usize::MAX));
        let calls = calls.into_inner();
        for most in [0, 1, 10, calls - 1] {
            let left = AtomicUsize::new(0);
            let found = on(2, || sizes([[&text[..]]], cut, |_| left.fetch_add(1, Ordering::Relaxed) < most));
            assert_eq!(found, None, "after {most} calls of {calls}");
        }
    }
}
