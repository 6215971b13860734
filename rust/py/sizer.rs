//! `entropylaw.Sizer`: the sizing engine, for people who bring their own loop.

use std::sync::{Arc, Mutex, PoisonError, RwLock};

use numpy::{IntoPyArray, PyArray1};
use pyo3::prelude::*;
use pyo3::pybacked::PyBackedBytes;

use super::select::DefaultSizer;
use super::{thread_count, watch::watched};
use crate::error::{Error, Result};
use crate::select::monitor::Monitor;
use crate::select::set::{Framing, Set};
use crate::select::workers::Workers;
use crate::sizer::Sizer as _;

/// Bytes of candidates below which a probe is over before Ctrl-C could be noticed: it is not watched.
const SHORT: usize = 1 << 18;

type Threads = Workers<DefaultSizer>;

/// A compressor that only sizes. See `_core.pyi`.
#[pyclass(frozen, module = "entropylaw")]
pub struct Sizer {
    set: RwLock<Set<DefaultSizer>>,
    /// The threads of the last probe, and how many were asked for.
    workers: Mutex<Option<(Option<usize>, Arc<Threads>)>>,
}

impl Sizer {
    fn workers(&self, threads: Option<usize>) -> Result<Arc<Threads>> {
        let mut cached = self.workers.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((count, workers)) = &*cached
            && *count == threads
        {
            return Ok(Arc::clone(workers));
        }
        let workers = Arc::new(Threads::new(threads)?);
        *cached = Some((threads, Arc::clone(&workers)));
        Ok(workers)
    }
}

#[pymethods]
impl Sizer {
    #[new]
    #[pyo3(signature = (codec="zlib"))]
    fn new(codec: &str) -> PyResult<Self> {
        if !["zlib", "deflate"].contains(&codec) {
            return Err(Error::Parameter(format!("there is no codec {codec:?}; there is 'zlib'")).into());
        }
        Ok(Self { set: RwLock::new(Set::new(Framing::CONCATENATION)), workers: Mutex::new(None) })
    }

    #[getter]
    fn codec(&self) -> &'static str {
        DefaultSizer::CODEC
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
        let workers = self.workers(thread_count(threads)?)?;
        let job = |monitor: &Monitor| {
            let set = self.set.read().unwrap_or_else(PoisonError::into_inner);
            workers.run(|| workers.probe_all(&set, samples.len(), |i| &*samples[i], monitor))
        };
        let sizes = if samples.iter().map(|sample| sample.len()).sum::<usize>() < SHORT {
            py.detach(|| job(&Monitor::default()))?
        } else {
            watched(py, None, job)?
        };
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
