//! ZIP.

use pyo3::prelude::*;

use crate::error::{Error, Result};
use crate::py::select::{Call, DefaultSizer, Picks};
use crate::select::zip::{self, End, Params, Preset, Round};
use crate::sizer::Sizer;

/// Options: `preset`, `k1`, `k2`, `k3`.
pub(super) fn select(call: &Call<'_, '_>) -> PyResult<Picks> {
    let params = call.options.read(|options| {
        let preset = preset_named(&options.get::<String>("preset")?)?;
        Ok(Params { preset, k1: options.get("k1")?, k2: options.get("k2")?, k3: options.get("k3")? })
    })?;
    let selection = call.run(|pool, controls, journal, threads, monitor| {
        zip::select::<DefaultSizer>(pool, &params, controls, journal, threads, monitor)
    })?;
    let py = call.py;
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
