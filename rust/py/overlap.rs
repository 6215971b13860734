//! Samples that are copies of others, or hold text of benchmarks.

use numpy::{IntoPyArray, PyArray1, PyArray2, PyArrayMethods, PyReadonlyArray1};
use pyo3::prelude::*;

use super::arguments::ThreadCount;
use super::watch::watched;
use crate::measure::{copies, overlap};
use crate::pool::Pool;

/// For each sample, the first one that equals it. See `_core.pyi`.
#[pyfunction]
#[pyo3(signature = (data, starts, ends, *, known_data=None, known_offsets=None, threads=None))]
pub(super) fn first_copies<'py>(
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

/// Matches (sample, text, start, end), whether each text can be found, and the texts of runs and whether the pool has
/// them.
type Found<'py> =
    (Bound<'py, PyArray2<i64>>, Bound<'py, PyArray1<bool>>, Bound<'py, PyArray1<u32>>, Bound<'py, PyArray1<bool>>);

/// Which samples hold text of a benchmark. See `_core.pyi`.
#[pyfunction]
#[pyo3(signature = (data, offsets, texts, text_offsets, groups, *, threads=None, progress=None))]
#[allow(clippy::too_many_arguments)] // Named in Python.
pub(super) fn find_overlap<'py>(
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
    let runs = (found.run_texts.into_pyarray(py), found.seen.into_pyarray(py));
    Ok((matches, found.comparable.into_pyarray(py), runs.0, runs.1))
}
