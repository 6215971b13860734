//! The feeds in which zlib gets a long text.
//!
//! zlib counts its input in 32 bits, so that a longer buffer reaches it in feeds of 2^32 - 1 bytes, and it sees no
//! further than the end of the current one. It parses a feed while at least 262 bytes of it lie ahead. At the first
//! position with fewer it stops for the next feed, and slides its buffer if that stands at the edge already; then the
//! buffer is filled, and the rest of the old feed is parsed as any other text. So the end of a feed shows at one position
//! only: the one at which zlib stops. Which one that is depends on where the match before it ends.
//!
//! Reference: `fill_window` and `deflate_slow` of zlib's `deflate.c`.

use super::format::MIN_LOOKAHEAD;

/// Bytes of a feed.
const FEED: u64 = u32::MAX as u64;

/// Whether zlib stops for the next feed at an absolute position that it came to from the one so many bytes before.
///
/// If the stream ends with this feed it does not stop, but there its buffer slides all the same: as few bytes of the
/// stream lie ahead.
pub(super) fn stops_at(position: u64, by: usize) -> bool {
    let ahead = |position: u64| FEED - position % FEED;
    let enough = MIN_LOOKAHEAD as u64;
    ahead(position) < enough && ahead(position - by as u64) >= enough
}

#[cfg(test)]
mod tests {
    use super::super::format::{MAX_DISTANCE, MAX_MATCH, WINDOW};
    use super::super::support::{KINDS, Rng, case, in_two_parts, letters, noise, oracle};
    use super::super::window::hash;
    use super::super::{Cut, DeflateSizer};
    use super::*;
    use crate::sizer::Sizer;

    /// Longest jump of a parse: a match is emitted from its second byte.
    const MAX_JUMP: usize = MAX_MATCH - 1;
    /// Numbers of feeds. One of them ends with a window, the last two where the second and the fifth do.
    const FEEDS: [u64; 9] = [1, 2, 3, 5, 17, 300, 32_768, 32_768 + 2, (1 << 23) + 5];

    #[test]
    fn zlib_stops_at_the_first_position_with_fewer_than_262_bytes_ahead() {
        for end in [1, 2, 1 << 20].map(|feeds| feeds * FEED) {
            for (ahead, by, stops) in [
                (262, 1, false),
                (262, MAX_JUMP, false),
                (261, 1, true),
                (261, MAX_JUMP, true),
                (260, 1, false),
                (260, 2, true),
                (5, 256, false),
                (5, 257, true),
                (4, 257, false),
                (0, 257, false),
            ] {
                assert_eq!(stops_at(end - ahead, by), stops, "{ahead} ahead, {by} on");
            }
        }
    }

    /// A text in which the end of a feed lies, of this number, as if all before the text had been free.
    struct Fed {
        text: Vec<u8>,
        feeds: u64,
        /// Where the feed ends in the text.
        end: usize,
        /// The text's size, by zlib itself.
        size: u64,
    }

    /// Where a feed ends, and the edge at which zlib's buffer may slide, in the text's window of this number.
    fn end_and_edge(feeds: u64, window: usize) -> (usize, usize) {
        let end = window * WINDOW;
        (end - feeds as usize % WINDOW, end - MIN_LOOKAHEAD)
    }

    impl Fed {
        fn new(text: Vec<u8>, feeds: u64, end: usize) -> Fed {
            let size = in_two_parts(&text, end);
            Fed { text, feeds, end, size }
        }

        fn sizer(&self) -> DeflateSizer {
            let mut sizer = DeflateSizer::new();
            sizer.stream.window.start_at(self.feeds * FEED - self.end as u64);
            sizer
        }

        /// Whether the end of the feed shows in the size.
        fn shows(&self) -> bool {
            self.size != oracle(&self.text)
        }

        /// Sizes the text, cut anywhere, in every way there is.
        #[track_caller]
        fn check(&self, cuts: &[usize]) {
            let Fed { text, feeds, end, size } = self;
            for &cut in cuts {
                let cut = Cut { piece: cut.max(1), beyond: 100, round: 1 << 20, short: 0 };
                let found = cut.size_from(feeds * FEED - *end as u64, text);
                assert_eq!(found, *size, "whole, {feeds} feeds, ending at {end}, {cut:?}");
            }
            let mut sizer = self.sizer();
            let mut scratch = sizer.scratch();
            let mut at = 0;
            for &cut in cuts.iter().chain(&[text.len()]) {
                sizer.append(&text[at..cut]);
                at = cut;
                let context = || format!("{feeds} feeds, ending at {end}, cut at {cut} of {cuts:?}");
                assert_eq!(sizer.prefix_len(), feeds * FEED - *end as u64 + cut as u64);
                let rest = &text[cut..];
                assert_eq!(sizer.probe(rest, &mut scratch), *size, "probe, {}", context());
                let mut candidate = sizer.candidate(rest);
                for _ in 0..2 {
                    assert_eq!(sizer.probe_candidate(&mut candidate, &mut scratch), *size, "again, {}", context());
                }
                if cut < WINDOW {
                    continue; // A saved prefix has all the text that can be reached.
                }
                let mut copy = sizer.clone();
                assert_eq!(copy.probe(rest, &mut scratch), *size, "copy, {}", context());
                copy.append(rest);
                assert_eq!(copy.probe(b"", &mut scratch), *size, "copy at the end, {}", context());
            }
        }

        /// Sizes what lies behind `cut`, kept as a candidate while the text before it grows by its last `by` bytes.
        #[track_caller]
        fn check_kept(&self, cut: usize, by: usize) {
            let Fed { text, feeds, end, size } = self;
            let (before, kept) = text.split_at(cut);
            let (old, new) = before.split_at(cut - by);
            let mut sizer = self.sizer();
            let mut scratch = sizer.scratch();
            let mut candidate = sizer.candidate(kept);
            sizer.append(old);
            let shorter = in_two_parts(&[old, kept].concat(), *end);
            let context = || format!("{feeds} feeds, ending at {end}, cut at {cut}, grown by {by}");
            assert_eq!(sizer.probe_candidate(&mut candidate, &mut scratch), shorter, "before, {}", context());
            sizer.append(new);
            assert_eq!(sizer.probe_candidate(&mut candidate, &mut scratch), *size, "behind, {}", context());
        }
    }

    /// Bytes that letters are not.
    fn rare(rng: &mut Rng, len: usize) -> Vec<u8> {
        noise(rng, len).iter().map(|byte| byte | 128).collect()
    }

    fn put(text: &mut [u8], at: usize, bytes: &[u8]) {
        text[at..at + bytes.len()].copy_from_slice(bytes);
    }

    /// Puts a phrase at the edge that recurs at the largest distance, and of which nothing else is in reach: where the
    /// buffer has slid, that costs a literal for every byte of it.
    fn plant(text: &mut [u8], edge: usize, rng: &mut Rng) {
        let phrase = rare(rng, 60);
        put(text, edge, &phrase);
        put(text, edge - MAX_DISTANCE, &phrase);
        // zlib looks as far as that only from the start of the phrase: its other strings are somewhere nearer too, though
        // too far for matches of three bytes.
        for (i, three) in phrase.windows(3).enumerate().skip(1) {
            put(text, edge - 20_000 + 4 * i, three);
        }
        let mut hashes = text[edge - MAX_DISTANCE..edge + 3].windows(3).map(|s| hash(s[0], s[1], s[2]));
        let first = hashes.next();
        if hashes.rev().skip(1).any(|nearer| Some(nearer) == first) {
            plant(text, edge, rng);
        }
    }

    /// A text whose parse jumps to the edge, so many bytes, and finds a phrase there.
    fn jump_to(edge: usize, jump: usize, rng: &mut Rng) -> Vec<u8> {
        // Most of it is a run, which takes zlib no time.
        let mut text = vec![b' '; edge - 2_000];
        text.extend(letters(rng, 2_200, 64));
        let copied = rare(rng, if jump > 1 { jump + 1 } else { 0 });
        put(&mut text, edge - copied.len() - 1, &[b"<", &copied[..]].concat());
        put(&mut text, edge - copied.len() - 1_001, &[b">", &copied[..], b">"].concat());
        text.extend(letters(rng, 300, 64));
        plant(&mut text, edge, rng);
        text
    }

    /// Jumps to an edge about as far before a feed's end as matters.
    fn jumps(feeds: u64) -> impl Iterator<Item = usize> {
        let least = feeds as usize % WINDOW;
        [1, 2, least.saturating_sub(1), least, least + 1, MAX_JUMP]
            .into_iter()
            .filter(|jump| (1..=MAX_JUMP).contains(jump))
    }

    /// For every distance of a feed's end from the edge: it shows if the parse jumps to the edge from where zlib does not
    /// stop yet, and not otherwise.
    #[test]
    fn a_feed_that_ends_anywhere_near_the_edge() {
        let mut rng = Rng(21);
        for feeds in 1..=265 {
            let least = feeds as usize;
            let (end, edge) = end_and_edge(feeds, 2);
            for jump in [least - 1, least] {
                let jump = jump.clamp(1, MAX_JUMP);
                let fed = Fed::new(jump_to(edge, jump, &mut rng), feeds, end);
                assert_eq!(fed.shows(), jump >= least, "{feeds} feeds, a jump of {jump}");
                fed.check(&[edge - rng.range(1, 1_500)]);
            }
        }
    }

    /// One append goes past the end of a feed, or begins or ends anywhere near, or a candidate does.
    #[test]
    fn appends_that_go_past_the_end_of_a_feed() {
        let mut rng = Rng(22);
        for feeds in FEEDS {
            for jump in jumps(feeds) {
                let (end, edge) = end_and_edge(feeds, rng.range(2, 4));
                let fed = Fed::new(jump_to(edge, jump, &mut rng), feeds, end);
                assert_eq!(fed.shows(), (1..=jump as u64).contains(&(feeds % WINDOW as u64)));
                fed.check(&[30_000]);
                for cut in [edge - jump - 1, edge - jump, edge - 1, edge, edge + 1, edge + 4, end - 1, end, end + 1] {
                    fed.check(&[edge - 700, cut, cut + 1]);
                }
            }
        }
    }

    /// The steps of its last parse bring a candidate to the edge: as far as they did then, from a match in the candidate
    /// or in the text before it.
    #[test]
    fn candidates_that_come_to_the_edge_as_before() {
        let mut rng = Rng(23);
        for feeds in FEEDS {
            let (end, edge) = end_and_edge(feeds, 2);
            for jump in jumps(feeds) {
                let fed = Fed::new(jump_to(edge, jump, &mut rng), feeds, end);
                for by in [0, 1, 7, 200] {
                    for before in [1, 100, 1_100] {
                        fed.check_kept(edge - jump - before, by);
                    }
                }
            }
        }
    }

    /// Texts that are hard to size, with a phrase at the edge.
    #[test]
    fn random_texts_of_every_kind() {
        let mut shown = 0;
        for seed in 0..3 * KINDS {
            let mut rng = Rng(1_000 + seed as u64);
            let feeds = match rng.range(0, 3) {
                0 => FEEDS[rng.range(0, FEEDS.len() - 1)],
                1 => rng.range(1, 20) as u64,
                2 => rng.range(1, 270) as u64,
                _ => rng.next() % (1 << 23) + 1,
            };
            let (end, edge) = end_and_edge(feeds, rng.range(2, 3));
            let mut text = Vec::new();
            while text.len() < edge + 600 {
                text.extend(case(&mut rng, seed % KINDS, 5_000).whole());
                // Else as good as endless where a case is but a few bytes.
                let n = rng.range(1, 10);
                text.extend(letters(&mut rng, n, 64));
            }
            let drop = rng.range(0, text.len() - edge - 600);
            text.drain(..drop);
            text.truncate(edge + rng.range(300, 600));
            plant(&mut text, edge, &mut rng);
            let fed = Fed::new(text, feeds, end);
            shown += usize::from(fed.shows());
            let mut cuts: Vec<usize> = (0..rng.range(0, 3)).map(|_| edge + rng.range(0, 900) - 600).collect();
            cuts.retain(|&cut| cut < fed.text.len());
            cuts.sort_unstable();
            fed.check(&cuts);
            fed.check_kept(edge - rng.range(1, 2_000), rng.range(0, 300));
        }
        assert!(shown > KINDS / 2, "{shown} texts show where a feed ends");
    }
}
