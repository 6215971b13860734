"""The law as a JSON file."""

import os
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import PurePath
from typing import Any

import msgspec
import numpy as np

from entropylaw.errors import EntropyLawError
from entropylaw.law.correlations import Correlation
from entropylaw.law.fit import Fit
from entropylaw.law.measurement import Measurement
from entropylaw.law.models import FORMS
from entropylaw.law.observations import Observations
from entropylaw.output import check_writable, write_json
from entropylaw.pool.template import is_template_file
from entropylaw.storage.urls import ending_part, shown
from entropylaw.targets import check_name
from entropylaw.untrusted import Strict, brief, fitted, read_json

_VERSION = 1
_REMEDY = "write one with `entropylaw law fit`"
_LARGEST = 1e100
"""Squares of numbers beyond overflow."""


@dataclass(frozen=True)
class State:
    """A fitted law."""

    runs: Observations
    by_R: Fit
    by_R_and_L: Fit | None
    expected_L: Fit | None
    errors: dict[str, float]
    correlations: dict[str, Correlation]
    warnings: tuple[str, ...]

    def summary(self, form: str, measurement: Measurement) -> dict[str, Any]:
        """Everything but the observations, as JSON can hold it."""
        return {
            "measurement": asdict(measurement),
            "form": form,
            "by_R": asdict(self.by_R),
            "by_R_and_L": self.by_R_and_L and asdict(self.by_R_and_L),
            "expected_L": self.expected_L and asdict(self.expected_L),
            "errors": self.errors,
            "correlations": {name: asdict(value) for name, value in self.correlations.items()},
            "warnings": list(self.warnings),
        }


def check_law(path: str | os.PathLike[str], force: bool) -> None:
    """Finds out before the work whether a law can be written to ``path``, and read from there.

    Raises
    ------
    EntropyLawError
        If the name says that it is something else than JSON; see also ``check_writable``.
    """
    check_name(path)
    if (end := PurePath(ending_part(path)).suffix) and end.lower() != ".json":
        raise EntropyLawError(f"{shown(path)}: laws are not written as {end}; end the name in .json")
    check_writable(path, force)


class _Run(Strict):
    name: str
    R: float
    Z: float
    weight: float
    group: str
    stage: str
    L: float | None = None


class _Measurement(Strict):
    codec: str
    render: str
    shuffle: int | None = None
    version: str | None = None

    def measurement(self) -> Measurement:
        """The measurement, which reads no file of a template: only its text is in a law."""
        if is_template_file(self.render):
            raise EntropyLawError(f"render is {self.render!r}, a file; a law holds the text of a template")
        return Measurement(self.codec, self.render, self.shuffle, self.version)


class _File(Strict):
    entropy_law: int
    entropylaw: str
    measurement: _Measurement
    form: str
    runs: list[_Run]
    by_R: Fit
    by_R_and_L: Fit | None
    expected_L: Fit | None
    errors: dict[str, float]
    correlations: dict[str, Correlation]
    warnings: tuple[str, ...]


def write_state(
    path: str | os.PathLike[str], state: State, form: str, measurement: Measurement, *, force: bool
) -> None:
    """Writes a law; see ``EntropyLaw.save``."""
    from entropylaw import __version__

    check_law(path, force)
    runs = state.runs
    losses = [None] * len(runs) if runs.L is None else runs.L.tolist()
    keys = ("name", "R", "L", "Z", "weight", "group", "stage")
    columns = (runs.names, runs.R.tolist(), losses, runs.Z.tolist(), runs.weight.tolist(), runs.groups, runs.stages)
    rows = [dict(zip(keys, row, strict=True)) for row in zip(*columns, strict=True)]
    head = {"entropy_law": _VERSION, "entropylaw": __version__}
    write_json(path, head | state.summary(form, measurement) | {"runs": rows}, force)


def read_state(path: str | os.PathLike[str]) -> tuple[str, Measurement, State]:
    """The form that was asked for, how R was measured, and the law; see ``EntropyLaw.load``."""
    where = shown(path)
    value = read_json(path, "an entropy law", _REMEDY)
    if not isinstance(value, dict) or "entropy_law" not in value:
        raise EntropyLawError(f"{where}: is not an entropy law: it has no 'entropy_law'; {_REMEDY}")
    if value["entropy_law"] != _VERSION or isinstance(value["entropy_law"], bool):
        found = brief(repr(value["entropy_law"]))
        raise EntropyLawError(f"{where}: has format {found}, this version reads {_VERSION}; fit it anew")
    try:
        return _state(value)
    except EntropyLawError as error:
        raise EntropyLawError(f"{where}: is a damaged law: {error}; fit it anew") from None


def _state(value: dict[str, Any]) -> tuple[str, Measurement, State]:
    file = fitted(value, _File)
    if unknown := _unknown(value, msgspec.to_builtins(file)):
        raise EntropyLawError(f"it has the unknown member {brief(repr(unknown))}")
    if any(abs(number) > _LARGEST for number in _numbers(value)):
        raise EntropyLawError(f"it has a number beyond {_LARGEST:g}")
    if file.form != "auto" and file.form not in FORMS:
        raise EntropyLawError(f"there is no form {brief(repr(file.form))}")
    losses = [run.L for run in file.runs if run.L is not None]
    fitted_with = {file.by_R_and_L is not None, file.expected_L is not None, bool(losses)}
    if len(losses) not in (0, len(file.runs)) or len(fitted_with) > 1:
        raise EntropyLawError("losses are missing")
    runs = Observations(
        tuple(run.name for run in file.runs),
        np.array([run.R for run in file.runs]),
        np.array(losses) if losses else None,
        np.array([run.Z for run in file.runs]),
        np.array([run.weight for run in file.runs]),
        tuple(run.group for run in file.runs),
        tuple(run.stage for run in file.runs),
    )
    # Whether a law can be fitted to them; the weights are as they were, to the bit.
    Observations.of(runs.R, runs.L, runs.Z, weight=runs.weight, backbone=runs.groups, names=runs.names)
    for fit, by_loss in ((file.by_R, False), (file.by_R_and_L, True), (file.expected_L, False)):
        if fit is not None and not _consistent(fit, runs, by_loss):
            raise EntropyLawError(f"form {brief(repr(fit.form))} and its numbers differ")
    parts = (file.by_R, file.by_R_and_L, file.expected_L, file.errors, file.correlations, file.warnings)
    return file.form, file.measurement.measurement(), State(runs, *parts)


def _unknown(value: Any, known: Any) -> str | None:
    """The first member in ``value`` that is not in ``known``; both are JSON."""
    if isinstance(value, dict) and isinstance(known, dict):
        for name, item in value.items():
            if name not in known:
                return str(name)
            if (found := _unknown(item, known[name])) is not None:
                return found
    return None


def _numbers(value: Any) -> Iterator[float]:
    """All numbers in a JSON value."""
    if isinstance(value, dict | list):
        for item in value.values() if isinstance(value, dict) else value:
            yield from _numbers(item)
    elif isinstance(value, int | float):
        yield value


def _consistent(fit: Fit, runs: Observations, by_loss: bool) -> bool:
    form = FORMS.get(fit.form)
    if form is None or form.has_knot != (fit.knot is not None) or set(fit.groups) != set(runs.groups):
        return False
    if len(fit.groups) != len(set(fit.groups)) or (form.needs_loss and not by_loss):
        return False
    parameters = len(fit.groups) + len(form.terms)
    shape = np.shape(fit.covariance) if len(set(map(len, fit.covariance))) == 1 else ()
    sizes = len(fit.coefficients) == parameters and len(fit.loo_predictions) == len(runs)
    return sizes and shape == (parameters + form.has_knot,) * 2 and fit.df > 0 and fit.sigma >= 0
