"""The law as a JSON file."""

import os
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
from entropylaw.law.observations import Observations, read_text
from entropylaw.output import check_writable, write_json
from entropylaw.targets import check_name

_VERSION = 1


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
    if (end := PurePath(path).suffix) and end.lower() != ".json":
        raise EntropyLawError(f"{os.fspath(path)}: laws are not written as {end}; end the name in .json")
    check_writable(path, force)


class _Run(msgspec.Struct, forbid_unknown_fields=True):
    name: str
    R: float
    Z: float
    weight: float
    group: str
    stage: str
    L: float | None = None


class _File(msgspec.Struct):
    entropy_law: int
    measurement: Measurement
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
    write_json(path, head | state.summary(form, measurement) | {"runs": rows})


def read_state(path: str | os.PathLike[str]) -> tuple[str, Measurement, State]:
    """The form that was asked for, how R was measured, and the law; see ``EntropyLaw.load``."""
    where = os.fspath(path)
    try:
        file = msgspec.json.decode(read_text(path).encode(), type=_File)
    except msgspec.DecodeError as error:
        raise EntropyLawError(f"{where}: is not an entropy law: {error}; write one with `entropylaw law fit`") from None
    if file.entropy_law != _VERSION:
        raise EntropyLawError(f"{where}: has format {file.entropy_law}, this version reads {_VERSION}; fit it anew")
    losses = [run.L for run in file.runs if run.L is not None]
    if len(losses) not in (0, len(file.runs)) or bool(losses) != (file.expected_L is not None):
        raise EntropyLawError(f"{where}: is a damaged law: losses are missing; fit it anew")
    runs = Observations(
        tuple(run.name for run in file.runs),
        np.array([run.R for run in file.runs]),
        np.array(losses) if losses else None,
        np.array([run.Z for run in file.runs]),
        np.array([run.weight for run in file.runs]),
        tuple(run.group for run in file.runs),
        tuple(run.stage for run in file.runs),
    )
    for fit in (file.by_R, file.by_R_and_L, file.expected_L):
        if fit is not None and not _consistent(fit, runs):
            raise EntropyLawError(f"{where}: is a damaged law: form {fit.form!r} and its numbers differ; fit it anew")
    parts = (file.by_R, file.by_R_and_L, file.expected_L, file.errors, file.correlations, file.warnings)
    return file.form, file.measurement, State(runs, *parts)


def _consistent(fit: Fit, runs: Observations) -> bool:
    form = FORMS.get(fit.form)
    if form is None or form.has_knot != (fit.knot is not None) or set(fit.groups) != set(runs.groups):
        return False
    parameters = len(fit.groups) + len(form.terms)
    shape = np.shape(fit.covariance) if len(set(map(len, fit.covariance))) == 1 else ()
    return len(fit.coefficients) == parameters and shape == (parameters + form.has_knot,) * 2 and fit.df > 0
