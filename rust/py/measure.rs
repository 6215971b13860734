//! Measuring: sizes of pools, groups and samples, duplicates, novelty.

use numpy::{IntoPyArray, PyArray1, PyArray2, PyReadonlyArray1};
use pyo3::prelude::*;

use super::arguments::ThreadCount;
use super::select::DefaultSizer;
use super::watch::watched;
use crate::measure::clusters as clusters_of;
use crate::measure::duplicates;
use crate::measure::novelty as novelty_of;
use crate::measure::ratio as measuring;
use crate::pool::Pool;
use crate::sizer::Sizer;

/// Raw and compressed length of a pool and of its groups. See `_core.pyi`.
#[pyfunction]
#[pyo3(signature = (data, offsets, groups, count, *, order=None, threads=None, progress=None))]
#[allow(clippy::too_many_arguments)] // Named in Python.
pub(super) fn measure<'py>(
    py: Python<'py>,
    data: PyReadonlyArray1<'_, u8>,
    offsets: PyReadonlyArray1<'_, i64>,
    groups: PyReadonlyArray1<'_, u32>,
    count: usize,
    order: Option<PyReadonlyArray1<'_, i64>>,
    threads: Option<ThreadCount>,
    progress: Option<&Bound<'_, PyAny>>,
) -> PyResult<(Bound<'py, PyArray2<i64>>, &'static str)> {
    let pool = Pool::new(data.as_slice()?, offsets.as_slice()?)?;
    let threads = threads.map(ThreadCount::get);
    let groups = groups.as_slice()?;
    let order = order.as_ref().map(|order| order.as_slice()).transpose()?;
    let measures = watched(py, progress, |monitor| {
        measuring::measure::<DefaultSizer>(&pool, groups, count, order, threads, monitor)
    })?;
    let rows: Vec<Vec<i64>> = measures.iter().map(|m| vec![m.raw as i64, m.size as i64]).collect();
    Ok((PyArray2::from_vec2(py, &rows).expect("rows of two"), DefaultSizer::CODEC))
}

/// Compressed length of every sample alone. See `_core.pyi`.
#[pyfunction]
#[pyo3(signature = (data, offsets, *, threads=None, progress=None))]
pub(super) fn measure_each<'py>(
    py: Python<'py>,
    data: PyReadonlyArray1<'_, u8>,
    offsets: PyReadonlyArray1<'_, i64>,
    threads: Option<ThreadCount>,
    progress: Option<&Bound<'_, PyAny>>,
) -> PyResult<Bound<'py, PyArray1<i64>>> {
    let pool = Pool::new(data.as_slice()?, offsets.as_slice()?)?;
    let threads = threads.map(ThreadCount::get);
    let sizes = watched(py, progress, |monitor| measuring::each::<DefaultSizer>(&pool, threads, monitor))?;
    let sizes: Vec<i64> = sizes.into_iter().map(|size| size as i64).collect();
    Ok(sizes.into_pyarray(py))
}

/// The earlier sample that each one repeats, exactly and nearly. See `_core.pyi`.
#[pyfunction]
#[pyo3(signature = (data, offsets, *, threads=None, progress=None))]
#[allow(clippy::type_complexity)] // A pair of arrays.
pub(super) fn find_duplicates<'py>(
    py: Python<'py>,
    data: PyReadonlyArray1<'_, u8>,
    offsets: PyReadonlyArray1<'_, i64>,
    threads: Option<ThreadCount>,
    progress: Option<&Bound<'_, PyAny>>,
) -> PyResult<(Bound<'py, PyArray1<i64>>, Bound<'py, PyArray1<i64>>)> {
    let pool = Pool::new(data.as_slice()?, offsets.as_slice()?)?;
    let threads = threads.map(ThreadCount::get);
    let found = watched(py, progress, |monitor| duplicates::find(&pool, threads, monitor))?;
    Ok((found.exact.into_pyarray(py), found.near.into_pyarray(py)))
}

/// Recurring n-grams of a pool, and those of them that others lack. See `_core.pyi`.
#[pyfunction]
#[pyo3(signature = (data, offsets, before, *, ngram, threads=None, progress=None))]
#[allow(clippy::type_complexity)] // Pools as pairs of arrays.
pub(super) fn novelty(
    py: Python<'_>,
    data: PyReadonlyArray1<'_, u8>,
    offsets: PyReadonlyArray1<'_, i64>,
    before: Vec<(PyReadonlyArray1<'_, u8>, PyReadonlyArray1<'_, i64>)>,
    ngram: usize,
    threads: Option<ThreadCount>,
    progress: Option<&Bound<'_, PyAny>>,
) -> PyResult<(u64, u64, u32)> {
    let pool = Pool::new(data.as_slice()?, offsets.as_slice()?)?;
    let mut others = Vec::new();
    for (data, offsets) in &before {
        others.push(Pool::new(data.as_slice()?, offsets.as_slice()?)?);
    }
    let threads = threads.map(ThreadCount::get);
    let found = watched(py, progress, |monitor| novelty_of::novelty(&pool, &others, ngram, threads, monitor))?;
    Ok((found.recurring, found.lacking, found.shift))
}

/// Groups of samples that are alike, and their names. See `_core.pyi`.
#[pyfunction]
#[pyo3(signature = (data, starts, ends, *, count, threads=None, progress=None))]
pub(super) fn clusters<'py>(
    py: Python<'py>,
    data: PyReadonlyArray1<'_, u8>,
    starts: PyReadonlyArray1<'_, i64>,
    ends: PyReadonlyArray1<'_, i64>,
    count: usize,
    threads: Option<ThreadCount>,
    progress: Option<&Bound<'_, PyAny>>,
) -> PyResult<(Bound<'py, PyArray1<u32>>, Vec<String>)> {
    let pool = Pool::part(data.as_slice()?, starts.as_slice()?, ends.as_slice()?)?;
    let threads = threads.map(ThreadCount::get);
    let found = watched(py, progress, |monitor| clusters_of::find(&pool, count, threads, monitor))?;
    Ok((found.of.into_pyarray(py), found.names))
}
