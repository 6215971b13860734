//! What a part of a pool answers when ZIP selects from the whole.
//!
//! Memory besides the samples: for each sample its state (16 bytes, or 4 in the reference preset), its size alone (8) and
//! two flags; a sizer of 1.4 MB, and 0.3 MB a thread.

use super::rules::{Paper, Reference, Rules};
use super::stock::{Samples, Shape, Stock};
use super::weigh::Weigh;
use crate::error::Result;
use crate::select::parts::{Here, Op, Reader, State, Writer, garbled};
use crate::sizer::DeflateSizer;
use crate::sizer::set::Set;

/// Bytes of known texts that are told at once.
const TEXT_AT_ONCE: usize = 1 << 20;

/// How a preset is told.
pub(super) const PAPER: u64 = 0;
pub(super) const REFERENCE: u64 = 1;

/// Compressed lengths of samples alone.
pub(crate) fn score_part(here: &Here<'_>, mut content: Reader<'_>) -> Result<Writer> {
    let framing = match content.number()? {
        PAPER => Paper::FRAMING,
        REFERENCE => Reference::FRAMING,
        _ => return Err(garbled()),
    };
    let (from, to): (usize, usize) = (content.small()?, content.small()?);
    content.end()?;
    if from > to || to > here.part.pool.len() {
        return Err(garbled());
    }
    let all: Vec<usize> = (from..to).collect();
    let sizes = samples(here).probe(&Set::<DeflateSizer>::new(framing), &all, here.workers, here.monitor)?;
    let mut answer = Writer::new();
    answer.list(sizes.into_iter());
    Ok(answer)
}

/// Begins with compressed lengths of the samples alone.
pub(crate) fn begin_part(here: &Here<'_>, mut content: Reader<'_>) -> Result<(Box<dyn State>, Writer)> {
    match content.number()? {
        PAPER => begin::<Paper>(here, content),
        REFERENCE => begin::<Reference>(here, content),
        _ => Err(garbled()),
    }
}

fn begin<R: Rules + 'static>(here: &Here<'_>, mut content: Reader<'_>) -> Result<(Box<dyn State>, Writer)> {
    let shape = shape(&mut content)?;
    let alone: Vec<u64> = content.list()?;
    content.end()?;
    let pool = &here.part.pool;
    if alone.len() != pool.len() || alone.contains(&0) {
        return Err(garbled());
    }
    let mut stock = Stock::<R>::new(&samples(here), alone, shape);
    // What is taken before anything is picked is known.
    (0..pool.len()).filter(|&at| here.begun.taken[at]).for_each(|at| stock.remove(at));
    let mut answer = Writer::new();
    pool.iter().for_each(|sample| answer.number(sample.len() as u64));
    if R::GLOBAL {
        stock.states.iter().for_each(|&state| R::write(state, &mut answer));
    }
    Ok((Box::new(Rounds { stock }), answer))
}

fn samples<'a>(here: &Here<'a>) -> Samples<'a> {
    Samples { pool: &here.part.pool, weigh: Weigh(here.part.weights) }
}

pub(super) fn write_shape(shape: Shape, content: &mut Writer) {
    content.number(shape.overhead);
    content.number(shape.base);
}

fn shape(content: &mut Reader<'_>) -> Result<Shape> {
    // Longer streams than this are not believed, which leaves room for arithmetic.
    let short = |number: u64| if number < 1 << 56 { Ok(number) } else { Err(garbled()) };
    Ok(Shape { overhead: short(content.number()?)?, base: short(content.number()?)? })
}

/// A selection under way.
struct Rounds<R: Rules> {
    stock: Stock<R>,
}

impl<R: Rules> State for Rounds<R> {
    fn answer(&mut self, here: &mut Here<'_>, op: Op, content: Reader<'_>) -> Result<Writer> {
        match op {
            Op::Fits => {
                content.end()?;
                let mut answer = Writer::new();
                answer.flag(self.stock.any_fits(&here.ledger()));
                Ok(answer)
            }
            Op::Known => Self::known(here, content),
            Op::Advance => self.advance(here, content),
            Op::Drop => self.drop(here, &content),
            Op::Reopen => self.reopen(here, &content),
            Op::Lowest => self.lowest(content),
            Op::Size => self.size(here, content),
            Op::Fetch => self.fetch(here, content),
            _ => Err(garbled()),
        }
    }
}

impl<R: Rules> Rounds<R> {
    /// Texts of samples that are known, from some position on; and where to go on.
    fn known(here: &Here<'_>, mut content: Reader<'_>) -> Result<Writer> {
        let from: usize = content.small()?;
        content.end()?;
        let pool = &here.part.pool;
        let mut known = vec![false; pool.len()];
        here.part.known.iter().for_each(|&at| known[at as usize] = true);
        let (mut texts, mut next) = (Writer::new(), from);
        while next < pool.len() && texts.len() < TEXT_AT_ONCE {
            if known[next] {
                texts.bytes(pool.sample(next));
            }
            next += 1;
        }
        let mut answer = Writer::new();
        answer.number(next as u64);
        answer.bytes(&texts.into_bytes());
        Ok(answer)
    }

    /// Takes note of a round: candidates and block here, picks anywhere.
    fn advance(&mut self, here: &mut Here<'_>, mut content: Reader<'_>) -> Result<Writer> {
        let shape = shape(&mut content)?;
        let candidates = here.positions(&mut content)?;
        let sizes: Vec<u64> = content.list()?;
        let (block, picks) = (here.positions(&mut content)?, here.positions(&mut content)?);
        let mut costs = Vec::new();
        while !content.is_empty() {
            costs.push((content.number()?, content.small()?));
        }
        if sizes.len() != candidates.len() || sizes.contains(&0) {
            return Err(garbled());
        }
        let mut answer = Writer::new();
        let has_gone = candidates.iter().chain(&block).chain(&picks).any(|&at| self.stock.is_gone(at));
        answer.flag(has_gone);
        if has_gone {
            return Ok(answer);
        }
        here.take(&picks, &costs)?;
        self.stock.set_states(&samples(here), shape, &candidates, &sizes);
        if R::GLOBAL {
            candidates.iter().for_each(|&at| R::write(self.stock.states[at], &mut answer));
        }
        block.iter().chain(&picks).for_each(|&at| self.stock.remove(at));
        Ok(answer)
    }

    /// Lets go of what fits no more.
    fn drop(&mut self, here: &Here<'_>, content: &Reader<'_>) -> Result<Writer> {
        content.end()?;
        let unfit = self.stock.drop_unfit(&here.ledger());
        let mut answer = Writer::new();
        answer.number(self.stock.left() as u64);
        answer.flag(self.stock.has_unfit());
        if R::GLOBAL {
            answer.ascending(unfit.into_iter().map(|at| at as u64));
        }
        Ok(answer)
    }

    /// Brings back what did not fit.
    fn reopen(&mut self, here: &mut Here<'_>, content: &Reader<'_>) -> Result<Writer> {
        content.end()?;
        here.reopen()?;
        let back = self.stock.bring_back();
        let mut answer = Writer::new();
        if R::GLOBAL {
            answer.list(back.iter().map(|&at| at as u64));
            back.iter().for_each(|&at| R::write(self.stock.states[at], &mut answer));
        }
        Ok(answer)
    }

    /// The samples of lowest state, of those that are left.
    fn lowest(&self, mut content: Reader<'_>) -> Result<Writer> {
        let count: usize = content.small()?;
        content.end()?;
        if R::GLOBAL {
            return Err(garbled());
        }
        let lowest = self.stock.lowest(count.min(self.stock.left()));
        let mut answer = Writer::new();
        answer.list(lowest.iter().map(|&at| at as u64));
        lowest.iter().for_each(|&at| R::write(self.stock.states[at], &mut answer));
        Ok(answer)
    }

    /// Sizes of everything selected with each of some samples added, and their states.
    fn size(&self, here: &Here<'_>, mut content: Reader<'_>) -> Result<Writer> {
        let shape = shape(&mut content)?;
        let prefix = if content.flag()? { Some(content.bytes()?) } else { None };
        let candidates = here.positions(&mut content)?;
        content.end()?;
        let sizes = match prefix {
            None => candidates.iter().map(|&at| self.stock.alone[at]).collect(),
            Some(prefix) => {
                let sizer = DeflateSizer::from_bytes(prefix).map_err(|_| garbled())?;
                let set = Set::restored(sizer, R::FRAMING);
                samples(here).probe(&set, &candidates, here.workers, here.monitor)?
            }
        };
        let states = Stock::<R>::states(&samples(here), shape, &candidates, &sizes);
        let mut answer = Writer::new();
        for (size, state) in sizes.into_iter().zip(states) {
            answer.number(size);
            R::write(state, &mut answer);
        }
        Ok(answer)
    }

    /// What stage 3 has to know of samples.
    fn fetch(&self, here: &Here<'_>, mut content: Reader<'_>) -> Result<Writer> {
        let positions = here.positions(&mut content)?;
        content.end()?;
        let (mut answer, ledger) = (Writer::new(), here.ledger());
        for at in positions {
            answer.number(ledger.cost(at));
            answer.number(ledger.group(at) as u64);
            answer.number(self.stock.alone[at]);
            answer.flag(here.part.weights.is_some());
            here.part.weights.into_iter().for_each(|weights| answer.real(weights[at]));
            answer.bytes(here.part.pool.sample(at));
        }
        Ok(answer)
    }
}
