//! `entropylaw.Sizer`: the sizing engine, for people who bring their own loop.

use std::sync::{PoisonError, RwLock};

use numpy::{IntoPyArray, PyArray1};
use pyo3::prelude::*;
use pyo3::pybacked::PyBackedBytes;

use super::{thread_count, watch::watched};
use crate::error::Error;
use crate::select::set::{Framing, Set};
use crate::select::workers::Workers;
use crate::sizer::{Sizer as _, ZlibSizer};

/// A compressor that only sizes. See `_core.pyi`.
#[pyclass(frozen, module = "entropylaw")]
pub struct Sizer {
    set: RwLock<Set<ZlibSizer>>,
}

#[pymethods]
impl Sizer {
    #[new]
    #[pyo3(signature = (codec="zlib"))]
    fn new(codec: &str) -> PyResult<Self> {
        match codec {
            "zlib" => Ok(Self { set: RwLock::new(Set::new(Framing::CONCATENATION)) }),
            other => Err(Error::Parameter(format!("there is no codec {other:?}: zlib")).into()),
        }
    }

    #[getter]
    fn codec(&self) -> &'static str {
        ZlibSizer::CODEC
    }

    fn append(&self, py: Python<'_>, sample: PyBackedBytes) {
        py.detach(|| self.set.write().unwrap_or_else(PoisonError::into_inner).push(&sample));
    }

    #[pyo3(signature = (samples, *, threads=None))]
    fn probe<'py>(
        &self,
        py: Python<'py>,
        samples: Vec<PyBackedBytes>,
        threads: Option<i64>,
    ) -> PyResult<Bound<'py, PyArray1<i64>>> {
        let threads = thread_count(threads)?;
        let sizes = watched(py, None, |monitor| {
            let set = self.set.read().unwrap_or_else(PoisonError::into_inner);
            let workers = Workers::new(threads)?;
            workers.run(|| workers.probe_all(&set, samples.len(), |i| &*samples[i], monitor))
        })?;
        Ok(sizes.into_iter().map(|size| size as i64).collect::<Vec<_>>().into_pyarray(py))
    }

    fn size(&self, py: Python<'_>) -> u64 {
        py.detach(|| {
            let set = self.set.read().unwrap_or_else(PoisonError::into_inner);
            set.measure(&mut set.scratch()).size
        })
    }

    fn __len__(&self) -> usize {
        self.set.read().unwrap_or_else(PoisonError::into_inner).raw_with(b"") as usize
    }

    fn __repr__(&self) -> String {
        format!("Sizer(codec='zlib', prefix={} bytes)", self.__len__())
    }
}
