//! A part of a pool that answers requests.

use std::sync::{Mutex, PoisonError};

use numpy::{PyArray1, PyArrayMethods, PyReadonlyArray1};
use pyo3::prelude::*;
use pyo3::types::PyBytes;

use super::arguments::{ThreadCount, bytes_of};
use super::watch::watched;
use crate::pool::Pool;
use crate::select::parts::{self, Part};

/// A part of a pool, which answers a coordinator's requests. See `_core.pyi`.
#[pyclass(frozen, module = "entropylaw._core")]
pub(super) struct Partition {
    data: Py<PyArray1<u8>>,
    starts: Py<PyArray1<i64>>,
    ends: Py<PyArray1<i64>>,
    /// Bytes of all samples.
    bytes: usize,
    first: usize,
    costs: Option<Py<PyArray1<u32>>>,
    groups: Option<Py<PyArray1<u32>>>,
    weights: Option<Py<PyArray1<f64>>>,
    known: Option<Py<PyArray1<i64>>>,
    partition: Mutex<parts::Partition>,
}

#[pymethods]
impl Partition {
    #[new]
    #[pyo3(signature = (
        data, starts, ends, *, first, costs=None, groups=None, weights=None, known=None, threads=None
    ))]
    #[allow(clippy::too_many_arguments)] // Named in Python.
    fn new(
        py: Python<'_>,
        data: Py<PyArray1<u8>>,
        starts: Py<PyArray1<i64>>,
        ends: Py<PyArray1<i64>>,
        first: usize,
        costs: Option<Py<PyArray1<u32>>>,
        groups: Option<Py<PyArray1<u32>>>,
        weights: Option<Py<PyArray1<f64>>>,
        known: Option<Py<PyArray1<i64>>>,
        threads: Option<ThreadCount>,
    ) -> PyResult<Self> {
        let bytes = {
            let (data, starts, ends) = (data.bind(py).readonly(), starts.bind(py).readonly(), ends.bind(py).readonly());
            Pool::part(data.as_slice()?, starts.as_slice()?, ends.as_slice()?)?.bytes()
        };
        let partition = Mutex::new(parts::Partition::new(threads.map(ThreadCount::get))?);
        Ok(Self { data, starts, ends, bytes, first, costs, groups, weights, known, partition })
    }

    /// Answers a request.
    fn answer<'py>(&self, py: Python<'py>, request: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyBytes>> {
        fn vector<'py, T: numpy::Element>(
            py: Python<'py>,
            array: &Option<Py<PyArray1<T>>>,
        ) -> Option<PyReadonlyArray1<'py, T>> {
            array.as_ref().map(|array| array.bind(py).readonly())
        }
        fn slice<'a, T: numpy::Element>(array: &'a Option<PyReadonlyArray1<'_, T>>) -> PyResult<Option<&'a [T]>> {
            Ok(array.as_ref().map(|array| array.as_slice()).transpose()?)
        }
        let request = bytes_of("the request", request)?;
        let (data, starts, ends) =
            (self.data.bind(py).readonly(), self.starts.bind(py).readonly(), self.ends.bind(py).readonly());
        let (costs, groups) = (vector(py, &self.costs), vector(py, &self.groups));
        let (weights, known) = (vector(py, &self.weights), vector(py, &self.known));
        let part = Part {
            pool: Pool::again(data.as_slice()?, starts.as_slice()?, ends.as_slice()?, self.bytes),
            first: self.first,
            costs: slice(&costs)?,
            groups: slice(&groups)?,
            weights: slice(&weights)?,
            known: slice(&known)?.unwrap_or_default(),
        };
        let reply = watched(py, None, |monitor| {
            let mut partition = self.partition.lock().unwrap_or_else(PoisonError::into_inner);
            partition.answer(&part, &request, monitor)
        })?;
        Ok(PyBytes::new(py, &reply))
    }
}

/// The part of a request that a partition's later answers depend on. See `_core.pyi`.
#[pyfunction]
pub(super) fn request_changes<'py>(
    py: Python<'py>,
    request: &Bound<'py, PyAny>,
) -> PyResult<Option<Bound<'py, PyBytes>>> {
    let changes = parts::changes(&bytes_of("the request", request)?)?;
    Ok(changes.map(|changes| PyBytes::new(py, &changes)))
}
