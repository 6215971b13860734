//! Controls, as Python gives them.

use numpy::{PyArray1, PyArray2, PyArrayMethods, PyReadonlyArray1, PyReadonlyArray2, PyUntypedArrayMethods};
use pyo3::prelude::*;

use crate::error::Error;
use crate::pool::Pool;
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
