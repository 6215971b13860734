//! What is asked of a selection from several partitions, and what they are parts of.

use super::asking::Asking;
use super::message::{Reader, Request, Writer, garbled};
use super::op::Op;
use crate::error::{Error, Result};
use crate::pool::{Pool, check_len};
use crate::select::accounts::Accounts;
use crate::select::controls::{Cost, Limits, Quota};

/// What the budget counts; what each sample costs of it is for its partition to know.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unit {
    /// Samples.
    Samples,
    /// Bytes of samples.
    Bytes,
    /// Something else, such as tokens.
    Tokens,
}

/// What a user asks of a selection, but for what is said of each sample.
#[derive(Debug, Clone, Copy)]
pub struct Plan<'a> {
    /// At most so much, at least 1.
    pub budget: u64,
    /// Of what.
    pub unit: Unit,
    /// By group; empty if there are none.
    pub quotas: &'a [Quota],
    /// So much of the budget goes to each group, as in [`Limits`].
    pub shares: &'a [u64],
    /// What the user has already, from elsewhere; samples of the pool that are known are for their partition to know.
    pub known: Option<Pool<'a>>,
}

impl Plan<'_> {
    /// The limits, with nothing said of any sample.
    pub(crate) fn limits(&self) -> Limits<'_> {
        let cost = if self.unit == Unit::Bytes { Cost::Bytes } else { Cost::Samples };
        Limits { budget: self.budget, cost, groups: &[], quotas: self.quotas, shares: self.shares }
    }

    fn write(&self, whole: &Whole) -> Writer {
        let mut content = Writer::new();
        content.number(whole.samples() as u64);
        content.number(whole.bytes as u64);
        content.number(self.budget);
        content.number(match self.unit {
            Unit::Samples => 0,
            Unit::Bytes => 1,
            Unit::Tokens => 2,
        });
        content.list(self.quotas.iter().flat_map(|quota| [quota.least, quota.most]).collect::<Vec<_>>().into_iter());
        content.list(self.shares.iter().copied());
        content
    }
}

/// A plan, as a partition reads it.
pub(super) struct Told {
    /// Bytes of the whole pool.
    pub bytes: usize,
    pub budget: u64,
    pub unit: Unit,
    pub quotas: Vec<Quota>,
    pub shares: Vec<u64>,
}

impl Told {
    pub(super) fn read(content: &mut Reader<'_>) -> Result<Self> {
        let samples = content.small()?;
        check_len(samples)?;
        let (bytes, budget) = (content.small()?, content.number()?);
        let unit = match content.number()? {
            0 => Unit::Samples,
            1 => Unit::Bytes,
            2 => Unit::Tokens,
            _ => return Err(garbled()),
        };
        let quotas: Vec<u64> = content.list()?;
        let quotas = quotas.chunks(2).map(|pair| match *pair {
            [least, most] => Ok(Quota { least, most }),
            _ => Err(garbled()),
        });
        let told = Self { bytes, budget, unit, quotas: quotas.collect::<Result<_>>()?, shares: content.list()? };
        content.end()?;
        Ok(told)
    }
}

/// The pool that partitions are parts of.
#[derive(Debug)]
pub(crate) struct Whole {
    /// Index of the first sample of each partition; then the number of samples.
    firsts: Vec<usize>,
    /// Bytes of all samples.
    pub(crate) bytes: usize,
    /// Samples that are known.
    pub(crate) known: usize,
}

impl Whole {
    /// Gets to know the partitions, and begins a selection with them.
    pub(crate) fn begin(asking: &mut Asking<'_>, plan: &Plan<'_>) -> Result<Self> {
        if asking.parts() == 0 {
            return Err(Error::Parameter("there are no partitions".into()));
        }
        plan.limits().check()?;
        let mut whole = Self { firsts: vec![0], bytes: 0, known: 0 };
        for (part, reply) in asking.all(Request::new().with(Op::About, &Writer::new()))?.iter().enumerate() {
            let mut content = reply.content(0)?;
            let (first, samples): (usize, usize) = (content.small()?, content.small()?);
            if first != whole.samples() {
                return Err(Error::Parameter(format!(
                    "partition {part} begins with sample {first}, the one before it ends at {}: they must follow each \
                     other",
                    whole.samples()
                )));
            }
            whole.firsts.push(first.checked_add(samples).ok_or_else(garbled)?);
            whole.bytes = whole.bytes.checked_add(content.small()?).ok_or_else(garbled)?;
            whole.known += content.small::<usize>()?;
            content.end()?;
        }
        check_len(whole.samples())?;
        if whole.samples() == 0 {
            return Err(Error::Parameter("the pool is empty".into()));
        }
        if plan.known.is_some() && whole.known > 0 {
            return Err(Error::Parameter("what is known is samples of the pool or others, not both".into()));
        }
        asking.all(Request::new().with(Op::Begin, &plan.write(&whole)))?;
        Ok(whole)
    }

    /// How many samples there are.
    pub(crate) fn samples(&self) -> usize {
        self.firsts[self.firsts.len() - 1]
    }

    /// How many partitions there are.
    pub(crate) fn parts(&self) -> usize {
        self.firsts.len() - 1
    }

    /// The index of the first sample of a partition.
    pub(crate) fn first(&self, part: usize) -> usize {
        self.firsts[part]
    }

    /// The number of samples of a partition.
    pub(crate) fn len(&self, part: usize) -> usize {
        self.firsts[part + 1] - self.firsts[part]
    }

    /// The partition that has sample `index`.
    pub(crate) fn owner(&self, index: usize) -> usize {
        // Empty partitions have the same first sample as the one behind them.
        self.firsts.partition_point(|&first| first <= index) - 1
    }

    /// What `request` makes of the samples that each partition has of `indices`, given by where they are among the
    /// indices; None where it has none.
    pub(crate) fn split(
        &self,
        indices: &[usize],
        request: impl Fn(usize, &[usize]) -> Request,
    ) -> Vec<Option<Request>> {
        let shares = self.shares(indices).into_iter().enumerate();
        shares.map(|(part, share)| (!share.is_empty()).then(|| request(part, &share))).collect()
    }

    /// Of each partition, which of the indices are its, by where they are among them.
    pub(crate) fn shares(&self, indices: &[usize]) -> Vec<Vec<usize>> {
        let mut shares = vec![Vec::new(); self.parts()];
        indices.iter().enumerate().for_each(|(at, &index)| shares[self.owner(index)].push(at));
        shares
    }
}

/// Accounts of limits that have been checked.
pub(crate) fn accounts(plan: &Plan<'_>) -> Accounts {
    Accounts::new(&plan.limits())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn samples_have_owners() {
        let whole = Whole { firsts: vec![0, 0, 3, 3, 3, 5, 5], bytes: 0, known: 0 };
        assert_eq!([0, 2, 3, 4].map(|index| whole.owner(index)), [1, 1, 4, 4]);
        assert_eq!((whole.samples(), whole.parts(), whole.len(4), whole.first(4)), (5, 6, 2, 3));
        assert_eq!(whole.shares(&[4, 0, 3])[..5], [vec![], vec![1], vec![], vec![], vec![0, 2]]);
    }
}
