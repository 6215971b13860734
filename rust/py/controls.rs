//! Controls and checkpoints, as Python gives them, and what finds duplicates and text of benchmarks.

use std::fs::{File, OpenOptions};
use std::io::{self, Read, Write};
use std::path::Path;

use numpy::{
    IntoPyArray, PyArray1, PyArray2, PyArrayMethods, PyReadonlyArray1, PyReadonlyArray2, PyUntypedArrayMethods,
};
use pyo3::prelude::*;

use super::arguments::ThreadCount;
use super::watch::watched;
use crate::error::{Error, Result};
use crate::measure::{copies, overlap};
use crate::pool::Pool;
use crate::run::journal::{self, Journal, Sink};
use crate::select::controls::{self, Cost, Known, Limits, Quota};

/// What a user asks of a selection. See `_core.pyi`.
#[pyclass(frozen, module = "entropylaw")]
pub struct Controls {
    budget: u64,
    costs: Option<Py<PyArray1<u32>>>,
    bytes: bool,
    groups: Option<Py<PyArray1<u32>>>,
    quotas: Option<Py<PyArray2<u64>>>,
    shares: Option<Py<PyArray1<u64>>>,
    weights: Option<Py<PyArray1<f64>>>,
    known_indices: Option<Py<PyArray1<i64>>>,
    known_data: Option<Py<PyArray1<u8>>>,
    known_offsets: Option<Py<PyArray1<i64>>>,
}

#[pymethods]
impl Controls {
    #[new]
    #[pyo3(signature = (
        budget, *, unit="samples", costs=None, groups=None, quotas=None, shares=None, weights=None,
        known_indices=None, known_data=None, known_offsets=None
    ))]
    #[allow(clippy::too_many_arguments)] // Named in Python.
    fn new(
        py: Python<'_>,
        budget: u64,
        unit: &str,
        costs: Option<Py<PyArray1<u32>>>,
        groups: Option<Py<PyArray1<u32>>>,
        quotas: Option<Py<PyArray2<u64>>>,
        shares: Option<Py<PyArray1<u64>>>,
        weights: Option<Py<PyArray1<f64>>>,
        known_indices: Option<Py<PyArray1<i64>>>,
        known_data: Option<Py<PyArray1<u8>>>,
        known_offsets: Option<Py<PyArray1<i64>>>,
    ) -> PyResult<Self> {
        let wrong = |message: &str| Err(Error::Parameter(message.into()).into());
        if !["samples", "bytes", "tokens"].contains(&unit) || (unit == "tokens") != costs.is_some() {
            return wrong("a budget is in samples, bytes, or tokens, and costs go with tokens");
        }
        if groups.is_some() != (quotas.is_some() || shares.is_some()) || known_data.is_some() != known_offsets.is_some()
        {
            return wrong("groups go with quotas or shares, and known data with its offsets");
        }
        if quotas.as_ref().is_some_and(|quotas| quotas.bind(py).shape()[1] != 2) {
            return wrong("quotas have two columns, the least and the most of each group");
        }
        if known_data.is_some() && known_indices.is_some() {
            return wrong("what is known is indices or data, not both");
        }
        let bytes = unit == "bytes";
        Ok(Self { budget, costs, bytes, groups, quotas, shares, weights, known_indices, known_data, known_offsets })
    }
}

/// The arrays of controls, borrowed for a call.
pub struct Borrowed<'py> {
    budget: u64,
    bytes: bool,
    costs: Option<PyReadonlyArray1<'py, u32>>,
    groups: Option<PyReadonlyArray1<'py, u32>>,
    quotas: Vec<Quota>,
    shares: Option<PyReadonlyArray1<'py, u64>>,
    weights: Option<PyReadonlyArray1<'py, f64>>,
    known_indices: Option<PyReadonlyArray1<'py, i64>>,
    known_data: Option<PyReadonlyArray1<'py, u8>>,
    known_offsets: Option<PyReadonlyArray1<'py, i64>>,
}

impl Controls {
    /// Borrows the arrays.
    pub fn borrow<'py>(&self, py: Python<'py>) -> PyResult<Borrowed<'py>> {
        fn vector<'py, T: numpy::Element>(
            py: Python<'py>,
            array: &Option<Py<PyArray1<T>>>,
        ) -> Option<PyReadonlyArray1<'py, T>> {
            array.as_ref().map(|array| array.bind(py).readonly())
        }
        let quotas: Option<PyReadonlyArray2<'py, u64>> = self.quotas.as_ref().map(|array| array.bind(py).readonly());
        let quotas = quotas.as_ref().map_or(Ok(&[][..]), |array| array.as_slice())?;
        Ok(Borrowed {
            budget: self.budget,
            bytes: self.bytes,
            costs: vector(py, &self.costs),
            groups: vector(py, &self.groups),
            quotas: quotas.chunks_exact(2).map(|pair| Quota { least: pair[0], most: pair[1] }).collect(),
            shares: vector(py, &self.shares),
            weights: vector(py, &self.weights),
            known_indices: vector(py, &self.known_indices),
            known_data: vector(py, &self.known_data),
            known_offsets: vector(py, &self.known_offsets),
        })
    }
}

impl Borrowed<'_> {
    /// The controls.
    pub fn controls(&self) -> PyResult<controls::Controls<'_>> {
        fn slice<'a, T: numpy::Element>(array: &'a Option<PyReadonlyArray1<'_, T>>) -> PyResult<Option<&'a [T]>> {
            Ok(array.as_ref().map(|array| array.as_slice()).transpose()?)
        }
        let cost = match slice(&self.costs)? {
            Some(costs) => Cost::Each(costs),
            None if self.bytes => Cost::Bytes,
            None => Cost::Samples,
        };
        let known = match (slice(&self.known_indices)?, slice(&self.known_data)?, slice(&self.known_offsets)?) {
            (Some(indices), ..) => Known::Indices(indices),
            (None, Some(data), Some(offsets)) => Known::Pool(Pool::new(data, offsets)?),
            _ => Known::Nothing,
        };
        let groups = slice(&self.groups)?.unwrap_or_default();
        let shares = slice(&self.shares)?.unwrap_or_default();
        let limits = Limits { budget: self.budget, cost, groups, quotas: &self.quotas, shares };
        Ok(controls::Controls { limits, weights: slice(&self.weights)?, known })
    }
}

/// A journal in a file.
#[derive(Default)]
pub struct JournalFile {
    past: Vec<u8>,
    file: Option<Durable>,
}

struct Durable(File);

impl Sink for Durable {
    fn append(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.0.write_all(bytes)?;
        self.0.sync_data()
    }
}

impl JournalFile {
    /// Opens the journal at `path`, made if there is none; what a crash left of a record at its end is removed.
    pub fn open(path: Option<&Path>) -> Result<Self> {
        let Some(path) = path else { return Ok(Self::default()) };
        let wrong = |error: io::Error| Error::Checkpoint(format!("{}: {error}", path.display()));
        let read = || {
            let mut file = OpenOptions::new().read(true).append(true).create(true).open(path)?;
            let mut past = Vec::new();
            file.read_to_end(&mut past)?;
            let past = after_header(&mut file, past)?;
            Ok((file, past))
        };
        let (file, mut past) = read().map_err(wrong)?;
        let (_, whole) = journal::records(&past)?;
        past.truncate(whole);
        file.set_len((journal::HEADER.len() + whole) as u64).map_err(wrong)?;
        Ok(Self { past, file: Some(Durable(file)) })
    }

    /// The journal.
    ///
    /// # Errors
    /// [`Error::Checkpoint`] if its records do not follow each other.
    pub fn journal(&mut self) -> Result<Journal<'_>> {
        match &mut self.file {
            Some(file) => Journal::new(&self.past, file),
            None => Ok(Journal::default()),
        }
    }
}

/// What follows the header in `bytes`, all that is in `file`. The header is written if the file holds less than that.
fn after_header(file: &mut File, mut bytes: Vec<u8>) -> io::Result<Vec<u8>> {
    if journal::HEADER.starts_with(&bytes) {
        file.set_len(0)?;
        file.write_all(journal::HEADER)?;
        file.sync_data()?;
        return Ok(Vec::new());
    }
    if !bytes.starts_with(journal::HEADER) {
        return Err(io::Error::other("is no journal of entropylaw; name another directory"));
    }
    Ok(bytes.split_off(journal::HEADER.len()))
}

/// For each sample, the first one that equals it. See `_core.pyi`.
#[pyfunction]
#[pyo3(signature = (data, starts, ends, *, known_data=None, known_offsets=None, threads=None))]
pub fn first_copies<'py>(
    py: Python<'py>,
    data: PyReadonlyArray1<'py, u8>,
    starts: PyReadonlyArray1<'py, i64>,
    ends: PyReadonlyArray1<'py, i64>,
    known_data: Option<PyReadonlyArray1<'py, u8>>,
    known_offsets: Option<PyReadonlyArray1<'py, i64>>,
    threads: Option<ThreadCount>,
) -> PyResult<Bound<'py, PyArray1<i64>>> {
    let pool = Pool::part(data.as_slice()?, starts.as_slice()?, ends.as_slice()?)?;
    let known = match (&known_data, &known_offsets) {
        (Some(data), Some(offsets)) => Some(Pool::new(data.as_slice()?, offsets.as_slice()?)?),
        _ => None,
    };
    let threads = threads.map(ThreadCount::get);
    let first = watched(py, None, |monitor| copies::first_copies(&pool, known.as_ref(), threads, monitor))?;
    Ok(first.into_pyarray(py))
}

/// Matches (sample, text, start, end), and whether each text can be found.
type Found<'py> = (Bound<'py, PyArray2<i64>>, Bound<'py, PyArray1<bool>>);

/// Which samples hold text of a benchmark. See `_core.pyi`.
#[pyfunction]
#[pyo3(signature = (data, offsets, texts, text_offsets, groups, *, threads=None, progress=None))]
#[allow(clippy::too_many_arguments)] // Named in Python.
pub fn find_overlap<'py>(
    py: Python<'py>,
    data: PyReadonlyArray1<'_, u8>,
    offsets: PyReadonlyArray1<'_, i64>,
    texts: PyReadonlyArray1<'_, u8>,
    text_offsets: PyReadonlyArray1<'_, i64>,
    groups: PyReadonlyArray1<'_, u32>,
    threads: Option<ThreadCount>,
    progress: Option<&Bound<'_, PyAny>>,
) -> PyResult<Found<'py>> {
    let pool = Pool::new(data.as_slice()?, offsets.as_slice()?)?;
    let texts = Pool::new(texts.as_slice()?, text_offsets.as_slice()?)?;
    let groups = groups.as_slice()?;
    let threads = threads.map(ThreadCount::get);
    let found = watched(py, progress, |monitor| overlap::overlap(&pool, &texts, groups, threads, monitor))?;
    let rows: Vec<i64> = found
        .matches
        .iter()
        .flat_map(|each| [i64::from(each.sample), i64::from(each.text), each.start as i64, each.end as i64])
        .collect();
    let matches = rows.into_pyarray(py).reshape([found.matches.len(), 4])?;
    Ok((matches, found.comparable.into_pyarray(py)))
}
