//! Asking all partitions at once, over whatever carries bytes to them.

use std::sync::Arc;

use super::message::{Reply, Request, garbled};
use crate::error::Result;
use crate::run::monitor::Monitor;

/// Carries requests to partitions, and their replies back.
pub trait Ask: Send {
    /// Asks each partition its request, all at the same time, and returns their replies in the same order; nothing is asked
    /// of a partition that has none, and its reply is empty. The same bytes for several are one allocation.
    ///
    /// # Errors
    /// Whatever keeps it from doing so.
    fn ask(&mut self, requests: Vec<Option<Arc<Vec<u8>>>>) -> Result<Vec<Vec<u8>>>;
}

/// What went to and fro.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Traffic {
    /// How often partitions were asked, as many at once as there was something to ask of.
    pub round_trips: u64,
    /// Bytes of requests.
    pub sent: u64,
    /// Bytes of replies.
    pub received: u64,
}

/// Asks partitions.
pub(crate) struct Asking<'a> {
    ask: &'a mut dyn Ask,
    parts: usize,
    monitor: &'a Monitor,
    pub(crate) traffic: Traffic,
}

impl<'a> Asking<'a> {
    /// So many partitions.
    pub(crate) fn new(ask: &'a mut dyn Ask, parts: usize, monitor: &'a Monitor) -> Self {
        Self { ask, parts, monitor, traffic: Traffic::default() }
    }

    /// How many partitions there are.
    pub(crate) fn parts(&self) -> usize {
        self.parts
    }

    /// Asks all partitions the same.
    pub(crate) fn all(&mut self, request: Request) -> Result<Vec<Reply>> {
        let request = Arc::new(request.finish());
        let replies = self.send(vec![Some(request); self.parts])?;
        replies.into_iter().map(Reply::new).collect()
    }

    /// Asks each partition its request.
    pub(crate) fn each(&mut self, requests: Vec<Option<Request>>) -> Result<Vec<Option<Reply>>> {
        let requests: Vec<_> = requests.into_iter().map(|request| request.map(|it| Arc::new(it.finish()))).collect();
        let asked: Vec<bool> = requests.iter().map(Option::is_some).collect();
        if !asked.contains(&true) {
            return Ok(asked.iter().map(|_| None).collect());
        }
        let replies = self.send(requests)?;
        replies.into_iter().zip(asked).map(|(reply, asked)| asked.then(|| Reply::new(reply)).transpose()).collect()
    }

    fn send(&mut self, requests: Vec<Option<Arc<Vec<u8>>>>) -> Result<Vec<Vec<u8>>> {
        self.monitor.check()?;
        self.traffic.round_trips += 1;
        self.traffic.sent += requests.iter().flatten().map(|request| request.len() as u64).sum::<u64>();
        let replies = self.ask.ask(requests)?;
        self.traffic.received += replies.iter().map(|reply| reply.len() as u64).sum::<u64>();
        if replies.len() == self.parts { Ok(replies) } else { Err(garbled()) }
    }
}
