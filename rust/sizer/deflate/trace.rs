//! What a candidate keeps of its last parse, so that the next one only does what the append since then has changed.
//!
//! A candidate that is probed again after every append is parsed almost as before: at most positions the longest match
//! is the same one, further away by the length of the append. So the steps of a parse are kept. Each names a string
//! without which in the text appended ([`recent`](super::recent)) its outcome stands: as long as its match if that is in
//! the prefix, one byte longer if it is not or there is none. The next probe takes over steps as long as they stand,
//! visits the position of the first that does not, goes on from there until it comes to a position where it is in the
//! same state as the last parse was, and takes over again.
//!
//! To take over a step is to test one bit and to count one symbol, without a branch that is hard to foresee. A step does
//! not stand either if its match is out of reach by now, if one of length 3 is too far, if a match runs on from the
//! prefix into the candidate at its position now, or did then, or if zlib's own walk decides there.
//!
//! Takes twelve bytes a step, of which there are never more than bytes in the candidate, and in texts a third as many.

use super::format::{END_OF_BLOCK, MAX_DISTANCE, MIN_MATCH, TOO_FAR, distance_code, length_symbol};
use super::parse::{Emitted, Match, Parser, Stretch};
use super::recent::{MAX_APPEND, NEVER, Question, Recent, Since};
use super::search::{Known, Reason, TracedFinder};

/// A position that the parse visited, and the outcome.
#[derive(Clone, Copy)]
pub(super) struct Step {
    question: Question,
    /// Position in the candidate.
    start: u16,
    /// Length of the match in hand after the step.
    length: u16,
    /// The match's distance if it lies in the candidate; if in the prefix, what to add to the absolute position of the
    /// candidate's start for its distance, modulo 2^16.
    offset: u16,
    /// The symbol emitted; the end of block if there was none.
    symbol: u16,
}

/// Distances are exact modulo 2^16, also behind the next append.
const _: () = assert!(MAX_DISTANCE + MAX_APPEND <= u16::MAX as usize);

/// What a step's outcome depends on of those before it.
#[derive(Clone, Copy, PartialEq, Eq)]
struct State {
    /// Length of the match in hand.
    in_hand: u16,
    pending: bool,
}

impl State {
    fn of(parser: &Parser) -> State {
        State { in_hand: parser.in_hand.length, pending: parser.pending }
    }
}

impl Step {
    /// The step that a parser has just made from `start`.
    fn new(start: usize, origin: u16, emitted: Emitted, parser: &Parser, finder: &TracedFinder) -> Step {
        let (symbol, in_hand) = match emitted {
            Emitted::Nothing => (END_OF_BLOCK, parser.in_hand),
            Emitted::Literal(byte) => (byte.into(), parser.in_hand),
            Emitted::Copy(copied) => (length_symbol(copied.length.into()), Match::NONE),
        };
        let is_match = usize::from(in_hand.length) >= MIN_MATCH;
        let moves = is_match && finder.reason.moves;
        // What is pending at the first byte is a byte of the prefix.
        let question = if start == 0 { Question::ALWAYS } else { finder.reason.question };
        Step {
            question: question.with_flag(moves),
            start: start as u16,
            length: in_hand.length,
            offset: if is_match { in_hand.distance.wrapping_sub(if moves { origin } else { 0 }) } else { 0 },
            symbol: symbol as u16,
        }
    }

    /// Distance of the match in hand after the step, 0 without one, if the candidate starts at an absolute position.
    #[inline(always)]
    fn distance(self, origin: u16) -> u16 {
        (origin & self.question.flag_mask()).wrapping_add(self.offset)
    }

    /// Whether the match in hand can still be reached from that distance.
    #[inline(always)]
    fn reaches(self, distance: u16) -> bool {
        let limit = if usize::from(self.length) == MIN_MATCH { TOO_FAR + 1 } else { MAX_DISTANCE };
        usize::from(distance) < limit
    }

    /// What it tells of a search at its position, while its match can be reached.
    fn known(self, longer_than: u16) -> Known {
        let none = Match { length: longer_than, distance: 0 };
        if self.is_copy() || usize::from(self.length) < MIN_MATCH {
            Known { best: none, beaten: longer_than.into() }
        } else if self.question.flag_mask() == 0 {
            Known { best: Match { length: self.length, distance: self.offset }, beaten: self.length.into() }
        } else {
            // One as long will be found: the same, or a nearer one.
            Known { best: none, beaten: usize::from(self.length) - 1 }
        }
    }

    fn is_copy(self) -> bool {
        usize::from(self.symbol) > END_OF_BLOCK
    }

    fn state_after(self) -> State {
        if self.is_copy() {
            State { in_hand: Match::NONE.length, pending: false }
        } else {
            State { in_hand: self.length, pending: true }
        }
    }
}

/// A candidate's last parse. Empty until first used.
pub(super) struct Trace {
    steps: Vec<Step>,
    /// State before the first step.
    entry: State,
    /// State of the prefix then.
    prefix: u64,
}

impl Trace {
    pub(super) fn new() -> Trace {
        Trace { steps: Vec::new(), entry: State { in_hand: 0, pending: false }, prefix: NEVER }
    }

    /// Forgets the last parse.
    pub(super) fn forget(&mut self) {
        self.prefix = NEVER;
    }

    /// Parses a candidate, from its first byte to its last, and counts the symbols as if no block could be full.
    ///
    /// `spare` is working memory.
    pub(super) fn parse(
        &mut self,
        parser: &mut Parser,
        finder: &mut TracedFinder,
        stretch: Stretch,
        recent: &Recent,
        spare: &mut Vec<Step>,
    ) {
        let bytes = parser.blocks.bytes + (stretch.end - parser.position) as u64 + u64::from(parser.pending);
        let entry = State::of(parser);
        if recent.since(self.prefix) == Since::Unknown {
            self.steps.clear();
        }
        self.prefix = recent.state();
        let mut retrace = Retrace {
            before: std::mem::replace(&mut self.entry, entry),
            steps: &mut self.steps,
            next: 0,
            new: spare,
            kept: None,
            first: finder.window.len(),
            origin: finder.window.total() as u16,
        };
        retrace.new.clear();
        while parser.position < stretch.end {
            retrace.skip_to(parser.position);
            if retrace.is_at(parser) {
                retrace.take_over(parser, finder, stretch, recent);
                if parser.position == stretch.end {
                    break;
                }
            }
            retrace.visit(parser, finder, stretch);
        }
        retrace.end();
        parser.end(finder);
        // Steps that emit nothing were counted as ends of the block, and no bytes of those that were taken over.
        parser.blocks.histogram.literals[END_OF_BLOCK] = 1;
        parser.blocks.bytes = bytes;
    }
}

/// A parse beside the last one.
struct Retrace<'a> {
    /// The last parse's steps; from `next` on they are still to be looked at.
    steps: &'a mut Vec<Step>,
    next: usize,
    /// State in which the last parse came to its step `next`.
    before: State,
    /// So many steps of `steps` come before those in `new`; none is in there if nothing was inserted or left out so far.
    kept: Option<usize>,
    new: &'a mut Vec<Step>,
    /// Position of the candidate's first byte, and lower bits of its absolute position.
    first: usize,
    origin: u16,
}

impl Retrace<'_> {
    /// Leaves out steps before a position.
    fn skip_to(&mut self, position: usize) {
        while let Some(step) = self.steps.get(self.next)
            && self.first + usize::from(step.start) < position
        {
            self.kept.get_or_insert(self.next);
            self.before = step.state_after();
            self.next += 1;
        }
    }

    /// Whether the last parse came to this position in the same state.
    fn is_at(&self, parser: &Parser) -> bool {
        let step = self.steps.get(self.next);
        step.is_some_and(|s| self.first + usize::from(s.start) == parser.position) && self.before == State::of(parser)
    }

    /// Takes over the steps from `next` on that stand.
    fn take_over(&mut self, parser: &mut Parser, finder: &mut TracedFinder, stretch: Stretch, recent: &Recent) {
        let from = self.next;
        let histogram = &mut parser.blocks.histogram;
        let mut symbols = 0;
        let mut distance = parser.in_hand.distance;
        let mut known = false;
        for step in &self.steps[from..] {
            let found = step.distance(self.origin);
            let (doubtful, reached) = (recent.may_have(step.question), step.reaches(found));
            if doubtful | !reached || finder.unsettled(step.start.into()) {
                known = reached && !step.question.is_always() && !finder.unsettled(step.start.into());
                break;
            }
            histogram.literals[usize::from(step.symbol)] += 1;
            histogram.distances[distance_code(distance.max(1).into())] += u16::from(step.is_copy());
            symbols += u32::from(usize::from(step.symbol) != END_OF_BLOCK);
            distance = found;
            self.next += 1;
        }
        parser.blocks.symbols += symbols;
        let taken = &self.steps[from..self.next];
        if let Some(last) = taken.last() {
            self.before = last.state_after();
            let position = |step: &Step| self.first + usize::from(step.start);
            parser.skip(position(last) - parser.position);
            parser.jump(self.steps.get(self.next).map_or(stretch.end, position) - parser.position, stretch);
            parser.pending = self.before.pending;
            parser.in_hand = Match { length: self.before.in_hand, distance };
        }
        finder.known = known.then(|| self.steps[self.next].known(parser.in_hand.length));
        if self.kept.is_some() {
            self.new.extend_from_slice(taken);
        }
    }

    /// Makes a step of the parser's own.
    fn visit(&mut self, parser: &mut Parser, finder: &mut TracedFinder, stretch: Stretch) {
        let start = parser.position - self.first;
        finder.reason = Reason::NONE;
        let emitted = parser.visit(finder, stretch).expect("nothing follows that a search could wait for");
        match emitted {
            Emitted::Nothing => {}
            Emitted::Literal(byte) => parser.blocks.literal(byte),
            Emitted::Copy(copied) => parser.blocks.copy(copied.length.into(), copied.distance.into()),
        }
        finder.known = None;
        let step = Step::new(start, self.origin, emitted, parser, finder);
        let beside = self.steps.get_mut(self.next).filter(|beside| usize::from(beside.start) == start);
        if let Some(beside) = beside {
            self.before = beside.state_after();
            self.next += 1;
            if self.kept.is_none() {
                *beside = step;
                return;
            }
        }
        self.kept.get_or_insert(self.next);
        self.new.push(step);
    }

    /// Puts the steps together.
    fn end(self) {
        self.steps.truncate(self.kept.unwrap_or(self.next));
        self.steps.extend_from_slice(self.new);
    }
}
