//! ZIP.

use pyo3::prelude::*;

use crate::error::{Error, Result};
use crate::py::select::{Call, DefaultSizer, Options, Picks};
use crate::py::select_parts::{PartedCall, Parts};
use crate::select::zip::{self, End, Params, Preset, Round, Selection};
use crate::sizer::Sizer;

/// Options: `preset`, `k1`, `k2`, `k3`.
pub(super) fn select(call: &Call<'_, '_>) -> PyResult<Picks> {
    let params = read(&call.options)?;
    let selection = call.run(|pool, controls, journal, threads, monitor| {
        zip::select::<DefaultSizer>(pool, &params, controls, journal, threads, monitor)
    })?;
    tell(call.py, selection)
}

/// The same from partitions, with the same options.
pub(super) fn select_parts(call: &PartedCall<'_, '_>) -> PyResult<Picks> {
    let params = read(&call.options)?;
    let (selection, traffic) = call.run(|parts, journal| {
        let Parts { ask, count, plan, threads, monitor } = parts;
        zip::select_parts(ask, count, &params, plan, journal, threads, monitor)
    })?;
    tell(call.py, selection)?.traffic(call.py, traffic)
}

fn read(options: &Options<'_>) -> PyResult<Params> {
    options.read(|options| {
        let preset = preset_named(&options.get::<String>("preset")?)?;
        Ok(Params { preset, k1: options.get("k1")?, k2: options.get("k2")?, k3: options.get("k3")? })
    })
}

fn tell(py: Python<'_>, selection: Selection) -> PyResult<Picks> {
    let end = match selection.end {
        End::Budget => "budget",
        End::Exhausted => "exhausted",
        End::TooFewLeft => "too_few_left",
    };
    let rounds = |of: fn(&Round) -> usize| selection.rounds.iter().map(|round| of(round) as i64).collect::<Vec<_>>();
    Picks::new(py, selection.indices)
        .trace(py, "gains", selection.gains)?
        .trace(py, "ratios", selection.ratios)?
        .trace(py, "initial_ratios", selection.initial_ratios)?
        .trace(py, "round_candidates", rounds(|round| round.candidates))?
        .trace(py, "round_block", rounds(|round| round.block))?
        .trace(py, "round_picked", rounds(|round| round.picked))?
        .trace(py, "round_ratio", selection.rounds.iter().map(|round| round.ratio).collect())?
        .fact(py, "pool_ratio", selection.pool_ratio)?
        .fact(py, "end", end)?
        .fact(py, "codec", DefaultSizer::CODEC)?
        .seconds(py, "score", selection.timings.score)?
        .seconds(py, "global", selection.timings.global)?
        .seconds(py, "local", selection.timings.local)
}

fn preset_named(name: &str) -> Result<Preset> {
    match name {
        "paper" => Ok(Preset::Paper),
        "reference" => Ok(Preset::Reference),
        other => Err(Error::Parameter(format!("there is no preset {other:?}: paper or reference"))),
    }
}
