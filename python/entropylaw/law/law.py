"""``entropylaw.EntropyLaw``."""

import logging
import os
from collections.abc import Mapping, Sequence
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

from entropylaw import parameters
from entropylaw.errors import EntropyLawError
from entropylaw.law.correlations import Correlation, correlation
from entropylaw.law.diagnosis import warnings
from entropylaw.law.fit import Fit, choose
from entropylaw.law.intervals import LEVEL, Prediction, check_level, predict
from entropylaw.law.measurement import Measurement
from entropylaw.law.models import BY_R, BY_R_AND_L, FORMS, Array
from entropylaw.law.observations import Observations, read_runs
from entropylaw.law.persistence import State, read_state, write_state
from entropylaw.storage.options import takes_storage_options
from entropylaw.storage.urls import shown

_log = logging.getLogger("entropylaw")

_GRID = 100
_JOINT = "R + L"


class EntropyLaw:
    """The relation between R of a training set, the loss of its first epoch and performance (arXiv 2407.06645).

    The paper finds that performance falls with R and with the loss, and gives no formula. The forms fitted here are
    ours: an intercept for each backbone and stage, and straight lines in R, log R, L, or in R above a point below which
    the law is flat, chosen by leave-one-out error. Two laws are fitted: one by R alone, for what can be said before
    training, and one by R and L; and what loss R leads one to expect.

    The law is empirical and local: it holds for runs like those it was fitted to, where data are redundant. Below some
    R it vanishes.

    Parameters
    ----------
    form
        ``"auto"``, or the form of both laws: ``"constant"``, ``"R"``, ``"log R"``, ``"hinge"``, ``"L"``, ``"R + L"``,
        ``"log R + L"``, ``"hinge + L"``. The law by R alone leaves L out.
    codec, render, shuffle
        How R was measured, as ``ratio`` names it: ``"zlib"``, ``"zstd"`` or ``"xz"``, also with a level; the
        rendering (of a function, its name); the seed of the order, or None. Kept in the law, so that new data are
        measured alike.

    Examples
    --------
    >>> import entropylaw
    >>> R = [1.9, 2.2, 2.4, 2.7, 3.0, 3.3, 3.5, 3.8, 4.1, 4.4]
    >>> Z = [6.1, 5.9, 5.9, 5.6, 5.5, 5.2, 5.2, 5.0, 4.8, 4.6]
    >>> law = entropylaw.EntropyLaw(form="R").fit(R, None, Z)
    >>> law.predict(5.0).mean.round(1)
    array([4.3])
    """

    def __init__(
        self, form: str = "auto", *, codec: str = "zlib", render: str = "text", shuffle: int | None = None
    ) -> None:
        parameters.text("form", form, "'auto' or the name of a form")
        if form != "auto" and form not in FORMS:
            raise EntropyLawError(f"form is {form!r}; it must be 'auto' or one of {', '.join(map(repr, FORMS))}")
        self.form = form
        self.measurement = Measurement(codec, render, shuffle)
        """How R was measured."""
        self._state: State | None = None

    def fit(
        self,
        R: ArrayLike,
        L: ArrayLike | None,
        Z: ArrayLike,
        *,
        weight: ArrayLike | None = None,
        backbone: Sequence[str] | None = None,
        stage: Sequence[str] | None = None,
        names: Sequence[str] | None = None,
    ) -> Self:
        """Fits the law to training runs.

        Parameters
        ----------
        R
            Compression ratio of each run's training set, all by the same codec and rendering; above 0.
        L
            Mean loss of each run's first epoch (see ``entropylaw.law.read_log``), or None if it was not measured.
        Z
            Performance of each run, higher is better, all by the same benchmark.
        weight
            Relative precision of each Z, for example the number of evaluations that it averages.
        backbone, stage
            What each run trained, and how (``sft``, ``dpo``). The law is fitted within them: they share the slopes,
            and each has a level of its own.
        names
            What each run is called.

        Returns
        -------
        EntropyLaw
            The law itself.

        Raises
        ------
        EntropyLawError
            If there are fewer than 4 runs, a value is not finite, or R, L or Z is the same in all of them.
        """
        return self.fit_observations(
            Observations.of(R, L, Z, weight=weight, backbone=backbone, stage=stage, names=names)
        )

    @takes_storage_options
    def fit_runs(self, path: str | os.PathLike[str], *, storage_options: Mapping[str, Any] | None = None) -> Self:
        """Fits the law to the runs in a CSV file; see ``entropylaw.law.read_runs``."""
        return self.fit_observations(read_runs(path))

    def fit_observations(self, runs: Observations) -> Self:
        """Fits the law to checked observations; see ``fit``."""
        given = (runs.weight, runs.groups)
        only = None if self.form == "auto" else FORMS[self.form]
        alone = None if only is None else FORMS[" + ".join(t for t in only.terms if t != "L") or "constant"]
        if only is not None and only.needs_loss and runs.L is None:
            raise EntropyLawError(f"form {only.name!r} needs the loss of each run; give L, or choose another form")
        by_R = choose((alone,) if alone else BY_R, runs.R, None, runs.Z, *given)
        by_loss, expected = {}, {}
        if runs.L is not None:
            by_loss = choose((only,) if only else BY_R_AND_L, runs.R, runs.L, runs.Z, *given)
            expected = choose(BY_R[:3], runs.R, None, runs.L, np.ones(len(runs)), runs.groups)
        if not by_R or (runs.L is not None and not (by_loss and expected)):
            raise EntropyLawError(
                f"{len(runs)} runs in {len(set(runs.groups))} groups are too few for form {self.form!r}; "
                "give more runs, fewer groups, or a simpler form"
            )
        first = next(iter(by_R.values()))
        second = next(iter(by_loss.values()), None)
        correlations = {"R": correlation(runs.R, runs.Z, runs.groups)}
        if runs.L is not None:
            correlations["L"] = correlation(runs.L, runs.Z, runs.groups)
            if joint := by_loss.get(_JOINT):
                correlations[_JOINT] = correlation(np.array(joint.loo_predictions), runs.Z, runs.groups)
        self._state = State(
            runs=runs,
            by_R=first,
            by_R_and_L=second,
            expected_L=next(iter(expected.values()), None),
            errors={name: fit.loo_rmse for name, fit in (by_R | by_loss).items()},
            correlations=correlations,
            warnings=tuple(warnings(runs, first, second)),
        )
        self.measurement = self.measurement.here
        return self

    @property
    def runs(self) -> Observations:
        """The observations that the law was fitted to."""
        return self._fitted.runs

    @property
    def by_R(self) -> Fit:
        """The law by R alone."""
        return self._fitted.by_R

    @property
    def by_R_and_L(self) -> Fit | None:
        """The law by R and L, whose form may leave one of them out; None if no L was given."""
        return self._fitted.by_R_and_L

    @property
    def expected_L(self) -> Fit | None:
        """What loss R leads one to expect; None if no L was given."""
        return self._fitted.expected_L

    @property
    def errors(self) -> dict[str, float]:
        """Root mean squared leave-one-out error of every form that was tried, in units of Z."""
        return self._fitted.errors

    @property
    def correlations(self) -> dict[str, Correlation]:
        """Of Z with R, with L, and with what ``R + L`` predicts of each run from the others."""
        return self._fitted.correlations

    @property
    def warnings(self) -> tuple[str, ...]:
        """What to know before relying on the law."""
        return self._fitted.warnings

    @property
    def skill(self) -> float:
        """Share of the variance of Z within groups that is predicted leave-one-out; none at 0 or below."""
        best = self.by_R_and_L or self.by_R
        constant = choose((FORMS["constant"],), self.runs.R, None, self.runs.Z, self.runs.weight, self.runs.groups)
        return 1 - (best.loo_rmse / constant["constant"].loo_rmse) ** 2

    def predict(
        self,
        R: ArrayLike,
        L: ArrayLike | None = None,
        *,
        group: str | None = None,
        level: float = LEVEL,
        L_error: float = 0.0,
    ) -> Prediction:
        """Predicts the performance of new runs.

        Parameters
        ----------
        R
            Compression ratios, shape ``(n,)`` or a number.
        L
            First-epoch losses, alike; None predicts by R alone.
        group
            Backbone and stage, ``backbone/stage``; needed if the law has more than one.
        level
            Nominal coverage of the intervals.
        L_error
            Standard error of L, if its epoch is not over.

        Returns
        -------
        Prediction

        Raises
        ------
        EntropyLawError
            If the law is not fitted, has no loss or no such group, or a value is not finite.
        """
        r, loss = _points("R", R), None if L is None else _points("L", L)
        if (r <= 0).any():
            raise EntropyLawError("R must be above 0")
        fit = self.by_R
        if loss is not None:
            if self.by_R_and_L is None:
                raise EntropyLawError("the law was fitted without losses; leave L out, or fit it with them")
            fit = self.by_R_and_L
            if len(r) != len(loss) and 1 not in (len(r), len(loss)):
                raise EntropyLawError(f"R has {len(r)} values, but L has {len(loss)}; give one of each, or one for all")
            r, loss = np.broadcast_arrays(r, loss)
        error = parameters.real("L_error", L_error, 0)
        return self._predict(fit, r, loss, self.group(group), check_level(level), error)

    def predict_L(
        self,
        R: ArrayLike,
        *,
        group: str | None = None,
        level: float = LEVEL,
    ) -> Prediction:
        """The first-epoch loss that R leads one to expect; as ``predict``, in units of L."""
        if self.expected_L is None:
            raise EntropyLawError("the law was fitted without losses; fit it with them")
        return self._predict(self.expected_L, _points("R", R), None, self.group(group), check_level(level), 0.0)

    def curve(
        self,
        R: ArrayLike | None = None,
        L: float | None = None,
        *,
        group: str | None = None,
        level: float = LEVEL,
    ) -> Prediction:
        """The law over a range of R, to be drawn: 100 points over what was observed, unless R is given."""
        grid = np.linspace(self.runs.R.min(), self.runs.R.max(), _GRID) if R is None else R
        return self.predict(grid, L, group=group, level=level)

    def group(self, name: str | None) -> str:
        """The group that ``name`` stands for: the only one if it is None.

        Raises
        ------
        EntropyLawError
            If there are several, or none of that name.
        """
        groups = self.by_R.groups
        if name is not None and not isinstance(name, str):
            parameters.text("group", name, "the name of a group")
        if name is None and len(groups) == 1:
            return groups[0]
        if name not in groups:
            found = "no group was named" if name is None else f"it has no group {name!r}"
            if groups == ("",):
                raise EntropyLawError(
                    f"the law has no groups, and so no group {name!r}; leave it out (group=, --group)"
                )
            raise EntropyLawError(
                f"the law was fitted within groups, and {found}; name one of {', '.join(groups)} (group=, --group)"
            )
        return name

    @takes_storage_options
    def save(
        self, path: str | os.PathLike[str], *, force: bool = False, storage_options: Mapping[str, Any] | None = None
    ) -> None:
        """Writes the law as JSON, whole or not at all.

        Raises
        ------
        EntropyLawError
            If the law is not fitted, or the file exists and ``force`` is not set, or it can't be written.
        """
        path, force = parameters.path("path", path), parameters.flag("force", force)
        write_state(path, self._fitted, self.form, self.measurement, force=force)

    @classmethod
    @takes_storage_options
    def load(cls, path: str | os.PathLike[str], *, storage_options: Mapping[str, Any] | None = None) -> "EntropyLaw":
        """Reads a law that ``save`` wrote; it predicts the same.

        Logs a warning if R was measured by another version of its codec's library than the one installed.

        Raises
        ------
        EntropyLawError
            If the file can't be read, or is no law.
        """
        form, measurement, state = read_state(parameters.path("path", path))
        law = cls(form)
        law.measurement = measurement
        law._state = state
        if warning := measurement.warning:
            _log.warning("%s: %s", shown(path), warning)
        return law

    def summary(self) -> dict[str, Any]:
        """The law in numbers, as JSON can hold it."""
        return self._fitted.summary(self.form, self.measurement) | {"skill": self.skill}

    @property
    def _fitted(self) -> State:
        if self._state is None:
            raise EntropyLawError("the law is not fitted; call fit, or load one")
        return self._state

    def _predict(self, fit: Fit, r: Array, loss: Array | None, group: str, level: float, error: float) -> Prediction:
        mean, wide, narrow = predict(fit, r, loss, [group] * len(r), level=level, L_error=error)
        outside = _outside(r, self.runs.R)
        if loss is not None and self.runs.L is not None:
            outside |= _outside(loss, self.runs.L)
        return Prediction(
            R=r,
            L=loss,
            mean=mean,
            low=mean - wide,
            high=mean + wide,
            mean_low=mean - narrow,
            mean_high=mean + narrow,
            level=level,
            extrapolates=outside,
            form=fit.form,
        )


def _outside(values: Array, observed: Array) -> NDArray[np.bool_]:
    return np.asarray((values < observed.min()) | (values > observed.max()), dtype=np.bool_)


def _points(what: str, values: ArrayLike) -> Array:
    try:
        array = np.atleast_1d(np.asarray(parameters.unmasked(values), dtype=np.float64))
    except (TypeError, ValueError, OverflowError):
        raise EntropyLawError(f"{what} must be a number or a list of numbers") from None
    if array.ndim != 1 or not np.isfinite(array).all():
        raise EntropyLawError(f"{what} must be a finite number or a list of them")
    return array
