//! `entropylaw._core.LineReader`: samples from JSON Lines.

use std::sync::Arc;

use numpy::{IntoPyArray, PyArray1, PyReadonlyArray1};
use pyo3::prelude::*;
use pyo3::pybacked::PyBackedBytes;

use super::arguments::ThreadCount;
use crate::error::{Error, Result};
use crate::read::{self, Batch, Field, Printable, Spec, Text};
use crate::select::threads::{Kept, Threads};

/// Reads records of one schema. See `_core.pyi`.
#[pyclass(frozen, module = "entropylaw._core")]
pub struct LineReader {
    spec: Spec,
    threads: Option<usize>,
    kept: Kept<Threads>,
}

#[pymethods]
impl LineReader {
    #[new]
    #[pyo3(signature = (*, schema=None, field=None, printable=None, group_by, numbers, threads=None))]
    fn new(
        schema: Option<&str>,
        field: Option<&str>,
        printable: Option<&[u8]>,
        group_by: &str,
        numbers: Vec<String>,
        threads: Option<ThreadCount>,
    ) -> PyResult<Self> {
        let text = match (schema, field, printable) {
            (Some(name), _, _) => Text::of_schema(name)
                .ok_or_else(|| Error::Parameter(format!("the schema {name:?} is not known to the line reader")))?,
            (None, Some(field), _) => Text::Field(Field::new(field)),
            (None, None, Some(bits)) => Text::Repr(Printable::new(bits)),
            (None, None, None) => Text::Json,
        };
        let threads = threads.map(ThreadCount::get);
        let reader = Self { spec: Spec::new(text, group_by, &numbers), threads, kept: Kept::new() };
        reader.threads()?;
        Ok(reader)
    }

    fn lines(&self, py: Python<'_>, buffer: PyBackedBytes) -> PyResult<Lines> {
        let threads = self.threads()?;
        let batch = py.detach(|| threads.install(|| read::lines(&buffer, &self.spec)))?;
        Ok(Lines::new(py, batch))
    }

    fn spans(
        &self,
        py: Python<'_>,
        buffer: PyBackedBytes,
        starts: PyReadonlyArray1<'_, i64>,
        ends: PyReadonlyArray1<'_, i64>,
    ) -> PyResult<Lines> {
        let (starts, ends) = (starts.as_slice()?, ends.as_slice()?);
        if starts.len() != ends.len() {
            return Err(Error::Offsets(format!("there are {} starts and {} ends", starts.len(), ends.len())).into());
        }
        let spans: Vec<_> = starts.iter().zip(ends).map(|(&start, &end)| (start as usize, end as usize)).collect();
        if spans.iter().any(|&(start, end)| start > end || end > buffer.len()) {
            return Err(Error::Offsets("a span is outside the buffer".into()).into());
        }
        let threads = self.threads()?;
        let batch = py.detach(|| threads.install(|| read::spans(&buffer, &spans, &self.spec)))?;
        Ok(Lines::new(py, batch))
    }
}

impl LineReader {
    fn threads(&self) -> Result<Arc<Threads>> {
        self.kept.get(self.threads, Threads::start)
    }
}

/// What a [`LineReader`] has read.
#[pyclass(frozen, get_all, module = "entropylaw._core")]
pub struct Lines {
    data: Py<PyArray1<u8>>,
    lengths: Py<PyArray1<i64>>,
    starts: Py<PyArray1<i64>>,
    sizes: Py<PyArray1<u32>>,
    lines: Py<PyArray1<u32>>,
    groups: Py<PyArray1<u32>>,
    group_names: Vec<String>,
    numbers: Vec<Py<PyArray1<f64>>>,
}

impl Lines {
    fn new(py: Python<'_>, batch: Batch) -> Self {
        Self {
            data: batch.data.into_pyarray(py).unbind(),
            lengths: batch.lengths.into_pyarray(py).unbind(),
            starts: batch.starts.into_pyarray(py).unbind(),
            sizes: batch.sizes.into_pyarray(py).unbind(),
            lines: batch.lines.into_pyarray(py).unbind(),
            groups: batch.groups.into_pyarray(py).unbind(),
            group_names: batch.group_names,
            numbers: batch.numbers.into_iter().map(|column| column.into_pyarray(py).unbind()).collect(),
        }
    }
}
