//! Selecting from several partitions.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::mpsc::{self, Receiver, Sender};

use numpy::{PyReadonlyArray1, PyReadonlyArray2, PyUntypedArrayMethods};
use pyo3::prelude::*;
use pyo3::pybacked::PyBackedBytes;
use pyo3::types::{PyBytes, PyDict, PyList};

use super::EntropyLawError;
use super::arguments::{ThreadCount, kind_of};
use super::journal::JournalFile;
use super::methods::PARTED;
use super::select::{Options, Picks};
use super::watch::watched_calling;
use crate::error::{Error, Result};
use crate::pool::Pool;
use crate::run::journal::Journal;
use crate::run::monitor::Monitor;
use crate::select::controls::Quota;
use crate::select::parts::{Ask, Plan, Traffic, Unit};

/// Requests to all partitions, and where their replies go.
type Requests = Vec<Option<Arc<Vec<u8>>>>;

/// Selects from several partitions with a method. See `_core.pyi`.
#[pyfunction]
#[pyo3(signature = (
    method, ask, options, *, parts, budget, unit="samples", quotas=None, shares=None, known_data=None,
    known_offsets=None, journal=None, threads=None, progress=None
))]
#[allow(clippy::too_many_arguments)] // Named in Python.
pub(super) fn select_parts<'py>(
    py: Python<'py>,
    method: &str,
    ask: Bound<'py, PyAny>,
    options: Bound<'py, PyDict>,
    parts: usize,
    budget: u64,
    unit: &str,
    quotas: Option<PyReadonlyArray2<'py, u64>>,
    shares: Option<PyReadonlyArray1<'py, u64>>,
    known_data: Option<PyReadonlyArray1<'py, u8>>,
    known_offsets: Option<PyReadonlyArray1<'py, i64>>,
    journal: Option<PathBuf>,
    threads: Option<ThreadCount>,
    progress: Option<Bound<'py, PyAny>>,
) -> PyResult<Picks> {
    let wrong = |message: String| Err(Error::Parameter(message).into());
    let Some((method, select)) = PARTED.iter().find(|(name, _)| *name == method) else {
        let names: Vec<&str> = PARTED.iter().map(|&(name, _)| name).collect();
        return wrong(format!("{method:?} does not select from partitions: {}", names.join(", ")));
    };
    let unit = match unit {
        "samples" => Unit::Samples,
        "bytes" => Unit::Bytes,
        "tokens" => Unit::Tokens,
        other => return wrong(format!("there is no unit {other:?}: samples, bytes or tokens")),
    };
    if quotas.as_ref().is_some_and(|quotas| quotas.shape()[1] != 2) {
        return wrong("quotas have two columns, the least and the most of each group".into());
    }
    let quotas = quotas.as_ref().map_or(Ok(&[][..]), |array| array.as_slice())?;
    let quotas: Vec<Quota> = quotas.chunks_exact(2).map(|pair| Quota { least: pair[0], most: pair[1] }).collect();
    let shares = shares.as_ref().map_or(Ok(&[][..]), |array| array.as_slice())?;
    let known = match (&known_data, &known_offsets) {
        (Some(data), Some(offsets)) => Some(Pool::new(data.as_slice()?, offsets.as_slice()?)?),
        (None, None) => None,
        _ => return wrong("known data go with their offsets".into()),
    };
    select(&PartedCall {
        py,
        options: Options::new(method, options),
        plan: Plan { budget, unit, quotas: &quotas, shares, known },
        ask,
        parts,
        journal,
        threads: threads.map(ThreadCount::get),
        progress,
    })
}

/// A call of [`select_parts`].
pub(super) struct PartedCall<'a, 'py> {
    pub py: Python<'py>,
    pub options: Options<'py>,
    plan: Plan<'a>,
    ask: Bound<'py, PyAny>,
    parts: usize,
    journal: Option<PathBuf>,
    threads: Option<usize>,
    progress: Option<Bound<'py, PyAny>>,
}

/// What a method's coordinator has to work with.
pub(super) struct Parts<'a> {
    pub ask: &'a mut dyn Ask,
    pub count: usize,
    pub plan: &'a Plan<'a>,
    pub threads: Option<usize>,
    pub monitor: &'a Monitor,
}

impl PartedCall<'_, '_> {
    /// Selects, without the interpreter; partitions are asked on the calling thread.
    pub(super) fn run<R: Send>(
        &self,
        select: impl FnOnce(Parts<'_>, &mut Journal<'_>) -> Result<(R, Traffic)> + Send,
    ) -> PyResult<(R, Traffic)> {
        let Self { py, plan, parts, threads, .. } = self;
        let mut file = JournalFile::open(self.journal.as_deref())?;
        let (replies, replied) = mpsc::channel();
        let ask = self.ask.clone().unbind();
        let call = move |requests: Requests| {
            let answers = Python::attach(|py| asked(ask.bind(py), &requests))?;
            // Nobody waits for it only where the job has ended.
            let _ = replies.send(answers);
            Ok(())
        };
        watched_calling(*py, self.progress.as_ref(), call, |monitor, requests| {
            let mut line = Line { requests, replied };
            let parts = Parts { ask: &mut line, count: *parts, plan, threads: *threads, monitor };
            select(parts, &mut file.journal()?)
        })
    }
}

/// Hands requests to the calling thread.
struct Line {
    requests: Sender<Requests>,
    replied: Receiver<Vec<Vec<u8>>>,
}

impl Ask for Line {
    fn ask(&mut self, requests: Requests) -> Result<Vec<Vec<u8>>> {
        // It is gone where asking raised, or a signal's handler.
        self.requests.send(requests).map_err(|_| Error::Interrupted)?;
        self.replied.recv().map_err(|_| Error::Interrupted)
    }
}

/// Calls `ask`.
fn asked(ask: &Bound<'_, PyAny>, requests: &Requests) -> PyResult<Vec<Vec<u8>>> {
    let py = ask.py();
    let mut made: Vec<(&Arc<Vec<u8>>, Bound<'_, PyBytes>)> = Vec::new();
    let items = PyList::empty(py);
    for request in requests {
        let Some(request) = request else {
            items.append(py.None())?;
            continue;
        };
        match made.iter().find(|(of, _)| Arc::ptr_eq(of, request)) {
            Some((_, bytes)) => items.append(bytes)?,
            None => {
                let bytes = PyBytes::new(py, request);
                items.append(&bytes)?;
                made.push((request, bytes));
            }
        }
    }
    let answers = ask.call1((items,))?;
    let answers = answers.extract::<Vec<PyBackedBytes>>().map_err(|_| {
        EntropyLawError::new_err(format!("ask returned {}; it must return a list of bytes", kind_of(&answers)))
    })?;
    Ok(answers.iter().map(|answer| answer.to_vec()).collect())
}

impl Picks {
    /// Adds what went to partitions and back.
    pub(super) fn traffic(self, py: Python<'_>, traffic: Traffic) -> PyResult<Self> {
        self.fact(py, "round_trips", traffic.round_trips)?.fact(py, "bytes_sent", traffic.sent)?.fact(
            py,
            "bytes_received",
            traffic.received,
        )
    }
}
