//! Asking partitions, and telling them with the next request what the last round came to.

use super::super::rules::Rules;
use super::Remote;
use crate::error::Result;
use crate::run::journal::misfit;
use crate::select::parts::{Op, Reader, Reply, Request, Writer, garbled};

/// What each partition is to be told of a round.
pub(super) struct Untold {
    pub contents: Vec<Writer>,
    /// Of each, its candidates.
    pub candidates: Vec<Vec<usize>>,
}

/// A reply, without what answers the note of a round.
pub(super) struct Answer {
    reply: Reply,
    skip: usize,
}

impl Answer {
    pub(super) fn content(&self, at: usize) -> Result<Reader<'_>> {
        self.reply.content(self.skip + at)
    }
}

impl<R: Rules> Remote<'_, '_, R> {
    /// Asks each partition for some things, after it is told of the last round; those that there is nothing to ask of
    /// have no answer.
    pub(super) fn each(&mut self, asked: Vec<Vec<(Op, Writer)>>) -> Result<Vec<Option<Answer>>> {
        let untold = self.untold.take();
        let mut requests = Vec::new();
        for (part, operations) in asked.iter().enumerate() {
            let mut request = Request::new();
            if let Some(untold) = &untold {
                request = request.with(Op::Advance, &untold.contents[part]);
            }
            for (op, content) in operations {
                request = request.with(*op, content);
            }
            requests.push((!request.is_empty()).then_some(request));
        }
        let mut answers = Vec::new();
        for (part, (reply, asked)) in self.asking.each(requests)?.into_iter().zip(asked).enumerate() {
            if let (Some(untold), Some(reply)) = (&untold, &reply) {
                self.read_note(reply.content(0)?, &untold.candidates[part])?;
            }
            let skip = usize::from(untold.is_some());
            answers.push(reply.filter(|_| !asked.is_empty()).map(|reply| Answer { reply, skip }));
        }
        Ok(answers)
    }

    /// Asks all partitions the same.
    pub(super) fn all(&mut self, asked: &[(Op, &dyn Fn(usize) -> Writer)]) -> Result<Vec<Answer>> {
        let of = |part: usize| asked.iter().map(|(op, content)| (*op, content(part))).collect();
        let asked = (0..self.whole.parts()).map(of).collect();
        self.each(asked)?.into_iter().map(|answer| answer.ok_or_else(garbled)).collect()
    }

    /// Asks the partitions that have them for samples; returns, of each partition, which it was asked for and the answer.
    pub(super) fn owners(
        &mut self,
        indices: &[usize],
        op: Op,
        begin: impl Fn(&mut Writer),
    ) -> Result<Vec<(Vec<usize>, Option<Answer>)>> {
        let shares = self.whole.shares(indices);
        let asked = shares.iter().enumerate().map(|(part, share)| {
            if share.is_empty() {
                return Vec::new();
            }
            let mut content = Writer::new();
            begin(&mut content);
            content.list(share.iter().map(|&at| (indices[at] - self.whole.first(part)) as u64));
            vec![(op, content)]
        });
        let asked = asked.collect();
        let answers = self.each(asked)?;
        Ok(shares.into_iter().zip(answers).collect())
    }

    /// Reads what answers the note of a round.
    fn read_note(&mut self, mut content: Reader<'_>, candidates: &[usize]) -> Result<()> {
        if content.flag()? {
            return Err(misfit());
        }
        if R::GLOBAL {
            for &index in candidates {
                let state = R::read(&mut content)?;
                // Those that are gone by now stay it.
                if !R::is_gone(self.states[index]) {
                    self.states[index] = state;
                }
            }
        }
        content.end()
    }

    /// The index of a sample that a partition tells of by its position.
    pub(super) fn index(&self, part: usize, content: &mut Reader<'_>) -> Result<usize> {
        Ok(self.whole.first(part) + content.below(self.whole.len(part))?)
    }
}
