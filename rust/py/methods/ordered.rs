//! The methods that take samples in an order which is known from the start.

use std::time::Instant;

use numpy::PyReadonlyArray1;
use pyo3::prelude::*;

use crate::py::select::{Call, Picks};
use crate::select::ordered::{self, Order};

/// In random order. Options: `seed`.
pub(super) fn random(call: &Call<'_, '_>) -> PyResult<Picks> {
    let seed = call.options.read(|options| options.get("seed"))?;
    take(call, Order::Random { seed })
}

/// The highest key first. Options: `keys`, one of each sample.
pub(super) fn top(call: &Call<'_, '_>) -> PyResult<Picks> {
    let keys: PyReadonlyArray1<'_, f64> = call.options.read(|options| options.get("keys"))?;
    take(call, Order::Highest(keys.as_slice()?))
}

fn take(call: &Call<'_, '_>, order: Order<'_>) -> PyResult<Picks> {
    let start = Instant::now();
    let indices =
        call.run(|pool, controls, _, threads, monitor| ordered::select(pool, order, controls, threads, monitor))?;
    Picks::new(call.py, indices).seconds(call.py, "pick", start.elapsed())
}
