//! Where the samples are that ZIP's rounds select from: in a pool that is here, or in partitions.

use std::borrow::Cow;
use std::ops::Range;

use super::record::Round;
use super::rounds::start::ratios;
use super::rules::Rules;
use super::stock::{Samples, Shape, Stock};
use super::weigh::Weigh;
use crate::error::Result;
use crate::pool::Pool;
use crate::run::journal::misfit;
use crate::run::monitor::Monitor;
use crate::select::controls::{Controls, Known};
use crate::select::ledger::Ledger;
use crate::sizer::Sizer;
use crate::sizer::set::Set;
use crate::sizer::workers::Workers;

/// A sample of a block: what stage 3 has to know of it.
pub(super) struct Open<'a> {
    pub index: usize,
    pub sample: Cow<'a, [u8]>,
    /// Its compressed length alone.
    pub alone: u64,
    pub weight: Option<f64>,
    pub cost: u64,
    pub group: usize,
}

/// The samples of a pool and their states.
///
/// A round asks for what is left, the candidates, their sizes and the block, and then is noted.
pub(super) trait Field<'a, S: Sizer, R: Rules> {
    /// How many samples there are.
    fn len(&self) -> usize;

    /// Compressed lengths of some of the samples alone; asked for one range after the other.
    fn score(&mut self, range: Range<usize>) -> Result<Vec<u64>>;

    /// Begins with these compressed lengths of all samples, and states that are those of an empty set of this shape;
    /// returns R of each sample alone.
    fn begin(&mut self, alone: Vec<u64>, shape: Shape) -> Result<Vec<f64>>;

    /// Adds the samples that are known to a set, and lets go of them; returns how many they are.
    fn know(&mut self, set: &mut Set<S>) -> Result<usize>;

    /// How many samples are left, and whether some have gone because they do not fit.
    fn left(&mut self) -> Result<(usize, bool)>;

    /// Whether some sample that is left fits.
    fn any_fits(&mut self) -> Result<bool>;

    /// To be called when nothing fits any more and the accounts have been reopened: brings back what may fit now.
    fn reopen(&mut self) -> Result<()>;

    /// The `k` samples of lowest state, in order; so many are left.
    fn lowest(&mut self, k: usize) -> Result<Vec<usize>>;

    /// Sizes of `set` with each of some samples added, and their states; `shape` is that of the set.
    fn size(&mut self, set: &Set<S>, shape: Shape, candidates: &[usize]) -> Result<(Vec<u64>, Vec<R::State>)>;

    /// Samples, to be picked from.
    fn fetch(&mut self, block: &[usize]) -> Result<Vec<Open<'a>>>;

    /// Takes note of a round that began with everything selected of this `shape`; `costs`: what each pick costs, and its
    /// group.
    ///
    /// # Errors
    /// [`crate::Error::Checkpoint`] if a candidate has gone.
    fn note(&mut self, round: &Round, shape: Shape, costs: &[(u64, usize)]) -> Result<()>;
}

/// A pool that is here.
pub(super) struct Local<'a, S: Sizer, R: Rules> {
    samples: Samples<'a>,
    known: Known<'a>,
    ledger: Ledger<'a>,
    stock: Stock<R>,
    workers: &'a Workers<S>,
    monitor: &'a Monitor,
}

impl<'a, S: Sizer, R: Rules> Local<'a, S, R> {
    /// # Errors
    /// [`crate::Error::Parameter`] if the controls are not of this pool, or can't be met.
    pub(super) fn new(
        pool: &'a Pool<'a>,
        controls: &Controls<'a>,
        workers: &'a Workers<S>,
        monitor: &'a Monitor,
    ) -> Result<Self> {
        let samples = Samples { pool, weigh: Weigh(controls.weights) };
        let stock = Stock::new(&samples, Vec::new(), Shape { overhead: 0, base: 0 });
        Ok(Self { samples, known: controls.known, ledger: Ledger::new(pool, controls)?, stock, workers, monitor })
    }
}

impl<'a, S: Sizer, R: Rules> Field<'a, S, R> for Local<'a, S, R> {
    fn len(&self) -> usize {
        self.samples.pool.len()
    }

    fn score(&mut self, range: Range<usize>) -> Result<Vec<u64>> {
        let all: Vec<usize> = range.collect();
        self.samples.probe(&Set::new(R::FRAMING), &all, self.workers, self.monitor)
    }

    fn begin(&mut self, alone: Vec<u64>, shape: Shape) -> Result<Vec<f64>> {
        let ratios = ratios(shape.overhead, self.samples.pool.iter().map(<[u8]>::len), &alone);
        self.stock = Stock::new(&self.samples, alone, shape);
        Ok(ratios)
    }

    fn know(&mut self, set: &mut Set<S>) -> Result<usize> {
        let left = self.stock.left();
        if let Known::Indices(_) = self.known {
            let pool = self.samples.pool;
            let known = self.known.mask(pool)?;
            let indices = || (0..pool.len()).filter(|&index| known[index]);
            set.extend(indices().map(|index| pool.sample(index)), self.monitor)?;
            indices().for_each(|index| self.stock.remove(index));
        }
        Ok(left - self.stock.left())
    }

    fn left(&mut self) -> Result<(usize, bool)> {
        self.stock.drop_unfit(&self.ledger);
        Ok((self.stock.left(), self.stock.has_unfit()))
    }

    fn any_fits(&mut self) -> Result<bool> {
        Ok(self.stock.any_fits(&self.ledger))
    }

    fn reopen(&mut self) -> Result<()> {
        self.ledger.reopen();
        self.stock.bring_back();
        Ok(())
    }

    fn lowest(&mut self, k: usize) -> Result<Vec<usize>> {
        Ok(self.stock.lowest(k))
    }

    fn size(&mut self, set: &Set<S>, shape: Shape, candidates: &[usize]) -> Result<(Vec<u64>, Vec<R::State>)> {
        let sizes = if set.is_empty() {
            self.monitor.steps(candidates.len());
            candidates.iter().map(|&index| self.stock.alone[index]).collect()
        } else {
            self.samples.probe(set, candidates, self.workers, self.monitor)?
        };
        let states = Stock::<R>::states(&self.samples, shape, candidates, &sizes);
        Ok((sizes, states))
    }

    fn fetch(&mut self, block: &[usize]) -> Result<Vec<Open<'a>>> {
        let Self { samples, ledger, stock, .. } = self;
        let open = |&index: &usize| Open {
            index,
            sample: Cow::Borrowed(samples.pool.sample(index)),
            alone: stock.alone[index],
            weight: samples.weigh.of(index),
            cost: ledger.cost(index),
            group: ledger.group(index),
        };
        Ok(block.iter().map(open).collect())
    }

    fn note(&mut self, round: &Round, shape: Shape, _: &[(u64, usize)]) -> Result<()> {
        let Self { samples, ledger, stock, .. } = self;
        if round.candidates.iter().any(|&index| stock.is_gone(index)) {
            return Err(misfit());
        }
        stock.set_states(samples, shape, &round.candidates, &round.sizes);
        if R::BURNS {
            round.block.iter().for_each(|&index| stock.remove(index));
        }
        for &index in &round.picks {
            ledger.take(index);
            stock.remove(index);
        }
        Ok(())
    }
}
