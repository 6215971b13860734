//! The methods that take samples in an order which is known from the start.

use std::time::Instant;

use numpy::PyReadonlyArray1;
use pyo3::prelude::*;

use crate::error::Error;
use crate::pool::Pool;
use crate::py::select::{Call, Picks};
use crate::py::select_parts::{PartedCall, Parts};
use crate::select::ordered::{self, By, Drawn, Order};

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

/// From partitions, in random order. Options: `seed`.
pub(super) fn random_parts(call: &PartedCall<'_, '_>) -> PyResult<Picks> {
    let seed = call.options.read(|options| options.get("seed"))?;
    take_parts(call, By::Chance { seed })
}

/// From partitions, those of highest weight first. No options.
pub(super) fn top_parts(call: &PartedCall<'_, '_>) -> PyResult<Picks> {
    call.options.read(|_| Ok(()))?;
    take_parts(call, By::Weight)
}

/// From partitions, by importance for a target. Options: `target`, `ranking`, `seed`.
pub(super) fn dsir_parts(call: &PartedCall<'_, '_>) -> PyResult<Picks> {
    type Samples<'py> = (PyReadonlyArray1<'py, u8>, PyReadonlyArray1<'py, i64>);
    let ((data, offsets), ranking, seed) = call.options.read(|options| {
        Ok((options.get::<Samples<'_>>("target")?, options.get::<String>("ranking")?, options.get("seed")?))
    })?;
    let drawn = match ranking.as_str() {
        "sampled" => Drawn::Sampled { seed },
        "sum" => Drawn::Sum,
        "mean" => Drawn::Mean,
        other => return Err(Error::Parameter(format!("there is no ranking {other:?}: sampled, sum or mean")).into()),
    };
    take_parts(call, By::Dsir { target: Pool::new(data.as_slice()?, offsets.as_slice()?)?, drawn })
}

fn take_parts(call: &PartedCall<'_, '_>, by: By<'_>) -> PyResult<Picks> {
    let start = Instant::now();
    let (picks, traffic) = call.run(|parts, _| {
        let Parts { ask, count, plan, threads, monitor } = parts;
        ordered::select_parts(ask, count, by, plan, threads, monitor)
    })?;
    let py = call.py;
    let told = Picks::new(py, picks.indices);
    let told = if let Some(scores) = picks.scores { told.trace(py, "gains", scores)? } else { told };
    told.seconds(py, "score", picks.score)?
        .seconds(py, "pick", start.elapsed().saturating_sub(picks.score))?
        .traffic(py, traffic)
}
