//! `entropylaw._core.RecordReader`: samples from JSON Lines and from rows of tables; and `ArrayItems`, which finds the
//! records of a JSON array.

use std::collections::BTreeMap;

use std::sync::Arc;

use numpy::{IntoPyArray, PyArray1, PyReadonlyArray1};
use pyo3::prelude::*;
use pyo3::pybacked::PyBackedBytes;

use super::arguments::ThreadCount;
use crate::error::{Error, Result};
use crate::run::threads::{Kept, Threads};
use crate::text::read::{
    self, Batch, Cells, Column, Field, Items, Kind, Member, Printable, Schema, Spec, Template, Text,
};

/// Reads records of one schema. See `_core.pyi`.
#[pyclass(frozen, module = "entropylaw._core")]
pub struct RecordReader {
    spec: Spec,
    threads: Option<usize>,
    kept: Kept<Threads>,
}

/// A member as `schema.py` has it: names, kind, whether it is optional, beside.
type Described = (Vec<String>, String, bool, Vec<String>);

#[pymethods]
impl RecordReader {
    #[new]
    #[allow(clippy::too_many_arguments)] // Named in Python.
    #[pyo3(signature = (*, schema=None, field=None, printable=None, template=None, group_by, numbers, threads=None))]
    fn new(
        schema: Option<[Vec<Described>; 3]>,
        field: Option<&str>,
        printable: Option<&[u8]>,
        template: Option<&str>,
        group_by: &str,
        numbers: Vec<String>,
        threads: Option<ThreadCount>,
    ) -> PyResult<Self> {
        let schema = schema.map(schema_of).transpose()?;
        let text = match (schema, field, printable, template) {
            (Some(schema), None, ..) => Text::Schema(schema),
            (Some(schema), Some(field), ..) => Text::Field(Field::new(field), schema),
            (None, _, Some(bits), _) => Text::Repr(Printable::new(bits)),
            (None, _, None, Some(template)) => {
                let other = || Error::Parameter("the template has parts that are rendered elsewhere".into());
                Text::Template(Template::new(template).ok_or_else(other)?)
            }
            (None, _, None, None) => Text::Json,
        };
        let threads = threads.map(ThreadCount::get);
        let reader = Self { spec: Spec::new(text, group_by, &numbers), threads, kept: Kept::new() };
        reader.threads()?;
        Ok(reader)
    }

    #[staticmethod]
    fn template_keys(template: &str) -> Option<Vec<String>> {
        Template::new(template).map(|template| template.keys)
    }

    fn lines(&self, py: Python<'_>, buffer: PyBackedBytes) -> PyResult<ReadRecords> {
        let threads = self.threads()?;
        let batch = py.detach(|| threads.install(|| read::lines(&buffer, &self.spec)))?;
        Ok(ReadRecords::new(py, batch))
    }

    fn spans(
        &self,
        py: Python<'_>,
        buffer: PyBackedBytes,
        starts: PyReadonlyArray1<'_, i64>,
        ends: PyReadonlyArray1<'_, i64>,
    ) -> PyResult<ReadRecords> {
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
        Ok(ReadRecords::new(py, batch))
    }

    fn rows(&self, py: Python<'_>, columns: Vec<(String, Layout<'_>)>, count: usize) -> PyResult<ReadRecords> {
        let columns = columns_of(&columns)?;
        let threads = self.threads()?;
        let batch = py.detach(|| threads.install(|| read::rows(&columns, count, &self.spec)))?;
        Ok(ReadRecords::new(py, batch))
    }
}

impl RecordReader {
    fn threads(&self) -> Result<Arc<Threads>> {
        self.kept.get(self.threads, Threads::start)
    }
}

fn schema_of([members, message, call]: [Vec<Described>; 3]) -> Result<Schema> {
    let all = |described: Vec<Described>| {
        let member = |(names, kind, optional, beside): Described| {
            let kind = Kind::named(&kind).ok_or_else(|| Error::Parameter(format!("there is no kind {kind:?}")))?;
            Ok(Member::new(names, kind, optional, beside))
        };
        described.into_iter().map(member).collect::<Result<Vec<_>>>()
    };
    let (message, call) = (all(message)?, all(call)?);
    Ok(Schema { members: all(members)?, message, call })
}

/// A column as Python lays it out: what kind it is, and the arrays of that kind. See `_core.pyi`.
#[derive(FromPyObject)]
struct Layout<'py> {
    kind: String,
    valid: Option<PyReadonlyArray1<'py, u8>>,
    ends: Option<PyReadonlyArray1<'py, i64>>,
    data: Option<PyReadonlyArray1<'py, u8>>,
    ints: Option<PyReadonlyArray1<'py, i64>>,
    floats: Option<PyReadonlyArray1<'py, f64>>,
    inside: Vec<(String, Layout<'py>)>,
}

impl Layout<'_> {
    fn column(&self) -> PyResult<Column<'_>> {
        fn slice<'a, T: numpy::Element>(array: Option<&'a PyReadonlyArray1<'_, T>>) -> PyResult<&'a [T]> {
            let array = array.ok_or_else(|| Error::Parameter("a column lacks an array".into()))?;
            Ok(array.as_slice()?)
        }
        let cells = match self.kind.as_str() {
            "null" => Cells::Null,
            "bool" => Cells::Bool(slice(self.data.as_ref())?),
            "int" => Cells::Int(slice(self.ints.as_ref())?),
            "float" => Cells::Float(slice(self.floats.as_ref())?),
            "text" => Cells::Text { ends: slice(self.ends.as_ref())?, data: slice(self.data.as_ref())? },
            "list" => {
                let (_, items) = self.inside.first().ok_or_else(|| Error::Parameter("a list has no items".into()))?;
                Cells::List { ends: slice(self.ends.as_ref())?, items: Box::new(items.column()?) }
            }
            "object" => Cells::Object(columns_of(&self.inside)?),
            kind => return Err(Error::Parameter(format!("there are no columns of kind {kind:?}")).into()),
        };
        let valid = self.valid.as_ref().map(|valid| valid.as_slice()).transpose()?;
        Ok(Column { valid, cells })
    }
}

fn columns_of<'l>(layouts: &'l [(String, Layout<'_>)]) -> PyResult<Vec<(String, Column<'l>)>> {
    layouts.iter().map(|(name, layout)| Ok((name.clone(), layout.column()?))).collect()
}

/// What a [`RecordReader`] has read.
#[pyclass(frozen, get_all, module = "entropylaw._core")]
pub(super) struct ReadRecords {
    data: Py<PyArray1<u8>>,
    lengths: Py<PyArray1<i64>>,
    starts: Py<PyArray1<i64>>,
    sizes: Py<PyArray1<u32>>,
    lines: Py<PyArray1<u32>>,
    groups: Py<PyArray1<u32>>,
    group_names: Vec<String>,
    numbers: Vec<Py<PyArray1<f64>>>,
    unread: BTreeMap<String, (u64, u64)>,
}

impl ReadRecords {
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
            unread: batch.unread,
        }
    }
}

/// Finds the items of a JSON array. See `_core.pyi`.
#[pyclass(module = "entropylaw._core")]
pub(super) struct ArrayItems(Items);

/// Starts and ends.
type Spans<'py> = (Bound<'py, PyArray1<i64>>, Bound<'py, PyArray1<i64>>);

#[pymethods]
impl ArrayItems {
    #[new]
    fn new(start: u64) -> Self {
        Self(Items::new(start))
    }

    fn feed<'py>(&mut self, py: Python<'py>, piece: PyBackedBytes) -> Spans<'py> {
        let mut found = Vec::new();
        py.detach(|| self.0.feed(&piece, &mut found));
        let (starts, ends): (Vec<i64>, Vec<i64>) =
            found.into_iter().map(|(start, end)| (start as i64, end as i64)).unzip();
        (starts.into_pyarray(py), ends.into_pyarray(py))
    }

    #[getter]
    fn cut(&self) -> Option<u64> {
        self.0.cut
    }

    #[getter]
    fn end(&self) -> Option<u64> {
        self.0.end
    }

    #[getter]
    fn odd(&self) -> Option<u64> {
        self.0.odd
    }
}
