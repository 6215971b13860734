"""Is a new data version, or a run that has begun, worse than the law leads one to expect?

Two things are a risk. The law expects a drop against the last good version: one that it is sure of (one-sided, at
``level``) and that is larger than the noise between runs. Or the loss is above what R predicts, which the paper reads
as data that are less consistent: they contradict each other, or are harder. Everything else is a note.
"""

import math
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from entropylaw import parameters
from entropylaw.errors import EntropyLawError
from entropylaw.law.fit import Fit, gradient
from entropylaw.law.intervals import LEVEL, Prediction, check_level, predict, student
from entropylaw.law.law import EntropyLaw
from entropylaw.law.logs import LossLog
from entropylaw.law.loss import FirstEpoch

if TYPE_CHECKING:
    from entropylaw.measuring import Ratio

_ROSE = 1.01  # R that is so much larger is said to have risen.
# Stages by the kind of their loss: cross-entropy, preference. What others are called says nothing.
_STAGES = (("sft", "pt", "pretraining", "cpt"), ("dpo", "ipo", "kto", "orpo", "simpo", "cpo", "rm", "rlhf"))


@dataclass(frozen=True)
class Reason:
    """One finding.

    Attributes
    ----------
    code : str
        ``diverged``, ``loss_above_expected``, ``predicted_drop``; of the notes ``R_rose``, ``flat``, ``extrapolates``,
        ``loss_unknown``.
    risk : bool
        Whether it is a risk, or a note.
    message : str
        What was found, in words.
    """

    code: str
    risk: bool
    message: str


@dataclass(frozen=True)
class Verdict:
    """What the law says of a data version.

    Attributes
    ----------
    reasons : tuple[Reason, ...]
        What was found, risks first.
    R : float
        Compression ratio of its data.
    L : float | None
        Its first-epoch loss, projected if the epoch is not over; None if unknown.
    L_error : float
        Standard error of L.
    fraction : float
        Share of the first epoch that L was seen of.
    expected_L : float | None
        What loss R leads one to expect.
    L_limit : float | None
        Loss above which it is a risk.
    Z : float
        Predicted performance.
    Z_low : float
        Lower end of its prediction interval.
    Z_high : float
        Upper end of its prediction interval.
    against : str
        The version that it is compared with.
    change : float
        Expected change of Z against that version.
    change_high : float
        Upper one-sided bound of the expected change.
    tolerance : float
        Drops of Z up to this are no risk.
    level : float
        Level of the intervals and bounds.
    """

    reasons: tuple[Reason, ...]
    R: float
    L: float | None
    L_error: float
    fraction: float
    expected_L: float | None
    L_limit: float | None
    Z: float
    Z_low: float
    Z_high: float
    against: str
    change: float
    change_high: float
    tolerance: float
    level: float

    @property
    def risk(self) -> bool:
        """Whether any reason is a risk."""
        return any(reason.risk for reason in self.reasons)

    def as_dict(self) -> dict[str, Any]:
        """As JSON can hold it."""
        row = {
            key: None if isinstance(value, float) and math.isinf(value) else value
            for key, value in asdict(self).items()
        }
        return {"risk": self.risk, **row}


def check(
    law: EntropyLaw,
    R: "float | Ratio",
    L: float | FirstEpoch | LossLog | None = None,
    *,
    against: str | None = None,
    group: str | None = None,
    tolerance: float | None = None,
    level: float = LEVEL,
) -> Verdict:
    """Judges a data version by its R, and by its first-epoch loss once there is one.

    Parameters
    ----------
    law
        The fitted law.
    R
        Compression ratio of the new data, measured as in the law: a number, or what ``entropylaw.ratio`` returned.
    L
        First-epoch loss: a number, what ``first_epoch`` found, or a log; None before training.
    against
        Name of the last good version among the law's runs; by default the last one of the group.
    group
        Backbone and stage, ``backbone/stage``; needed if the law has more than one, unless ``against`` says it.
    tolerance
        Drops of Z up to this are no risk; by default the law's noise (``sigma``).
    level
        Level of the intervals, and of the one-sided bounds that decide.

    Returns
    -------
    Verdict

    Raises
    ------
    EntropyLawError
        If a value makes no sense, ``against`` is no run of the group, the log is of another kind of loss, or R was
        measured otherwise than the law's.
    """
    R = law.measurement.of(R)
    if check_level(level) <= 0.5:
        raise EntropyLawError(f"level is {level}; a verdict needs one above 0.5, such as 0.95")
    tolerance = None if tolerance is None else parameters.real("tolerance", tolerance)
    if tolerance is not None and tolerance < 0:
        raise EntropyLawError(f"tolerance is {tolerance}; it must be 0 or more, in units of Z")
    last = _against(law, against, group)
    group = law.runs.groups[last]
    epoch, diverged = _loss(law, L, last)
    known = epoch is not None and math.isfinite(epoch.error)
    loss = epoch.mean if epoch is not None and known else None
    error = epoch.error if epoch is not None and known else 0.0
    prediction = law.predict(R, loss, group=group, level=level, L_error=error)
    fit = law.by_R if loss is None else law.by_R_and_L
    assert fit is not None
    change, change_high = _change(law, fit, prediction, last, group, level, error)
    allowed = fit.sigma if tolerance is None else tolerance
    expected = limit = None
    risks: list[tuple[str, str]] = []
    notes: list[tuple[str, str]] = []
    if diverged is not None:
        risks.append(("diverged", f"the loss at step {diverged:g} is not finite: training diverged"))
    if law.expected_L is not None and loss is not None:
        expected, limit = _expected_loss(law.expected_L, R, group, level, error)
        if loss > limit:
            risks.append(
                (
                    "loss_above_expected",
                    f"the loss of epoch 1 is {loss:.4g}, and at R = {R:.4g} at most {limit:.4g} is expected "
                    f"({expected:.4g}): the data are less consistent, or harder",
                )
            )
    elif epoch is not None and not known:
        notes.append(("loss_unknown", f"{epoch.fraction:.1%} of epoch 1 is too little to project its loss"))
    name, R_last, Z_last = law.runs.names[last], float(law.runs.R[last]), float(law.runs.Z[last])
    if change_high < 0 and -change > allowed:
        risks.append(
            (
                "predicted_drop",
                f"Z is expected to fall by {-change:.3g} against {name} (by {-change_high:.3g} at least, "
                f"at {level:.0%}), to {prediction.mean[0]:.4g}; {name} had {Z_last:.4g}",
            )
        )
    if _ROSE * R_last < R:
        notes.append(("R_rose", f"R rose by {R / R_last - 1:.1%}, from {R_last:.4g} ({name}) to {R:.4g}"))
    if not any(term in fit.slopes for term in ("R", "log R")) and (fit.knot is None or fit.knot >= R):
        what = "R says nothing" if loss is None or "L" not in fit.slopes else "beside the loss, R says nothing more"
        notes.append(("flat", f"the law is flat at R = {R:.4g}: {what} about Z here"))
    if prediction.extrapolates[0]:
        notes.append(("extrapolates", "R or L is outside what the law was fitted to: it may not hold"))
    return Verdict(
        reasons=tuple(Reason(c, True, m) for c, m in risks) + tuple(Reason(c, False, m) for c, m in notes),
        R=R,
        L=loss,
        L_error=error,
        fraction=epoch.fraction if epoch is not None else 0.0,
        expected_L=expected,
        L_limit=limit,
        Z=float(prediction.mean[0]),
        Z_low=float(prediction.low[0]),
        Z_high=float(prediction.high[0]),
        against=name,
        change=change,
        change_high=change_high,
        tolerance=allowed,
        level=level,
    )


def _against(law: EntropyLaw, name: str | None, group: str | None) -> int:
    """Position of the run to compare with."""
    runs = law.runs
    if name is None:
        wanted = law.group(group)
        return max(index for index, of in enumerate(runs.groups) if of == wanted)
    if parameters.text("against", name, "the name of a run") not in runs.names:
        raise EntropyLawError(f"the law has no run {name!r} to compare with; it knows {', '.join(runs.names)}")
    index = runs.names.index(name)
    if group is not None and runs.groups[index] != law.group(group):
        raise EntropyLawError(f"run {name!r} is of group {runs.groups[index]!r}, not {group!r}; name one of the group")
    return index


def _loss(law: EntropyLaw, L: float | FirstEpoch | LossLog | None, last: int) -> tuple[FirstEpoch | None, float | None]:
    if L is None or isinstance(L, FirstEpoch):
        return L, None
    if not isinstance(L, LossLog):
        loss = parameters.real("L", L)
        return FirstEpoch(loss, 0.0, loss, 1.0, math.nan), None
    stage = law.runs.stages[last].lower()
    if stage in _STAGES[not L.preference]:
        kinds = ("cross-entropy", "preference")
        raise EntropyLawError(
            f"{L.path}: holds {kinds[L.preference]} losses, the law's stage is {stage!r}: they can't be compared"
        )
    return (L.first_epoch() if L.losses else None), L.diverged


def _change(
    law: EntropyLaw, fit: Fit, new: Prediction, last: int, group: str, level: float, error: float
) -> tuple[float, float]:
    """Expected change against a run, and its upper bound; the noise of single runs is not part of it."""
    runs = law.runs
    here = np.array([new.R[0], runs.R[last]])
    losses = None if new.L is None or runs.L is None else np.array([new.L[0], runs.L[last]])
    mean, design = gradient(fit, here, losses, [group, group])
    difference = design[0] - design[1]
    variance = float(difference @ np.array(fit.covariance) @ difference) + (fit.slopes.get("L", 0.0) * error) ** 2
    change = float(mean[0] - mean[1])
    return change, change + student(level, fit.df) * math.sqrt(max(variance, 0.0))


def _expected_loss(fit: Fit, R: float, group: str, level: float, error: float) -> tuple[float, float]:
    """What loss R leads one to expect, and the one-sided limit of it."""
    # The end of a two-sided interval of level 2p - 1 is the quantile p.
    mean, wide, _ = predict(fit, np.array([R]), None, [group], level=2 * level - 1)
    noise = student(level, fit.df) * error
    return float(mean[0]), float(mean[0] + math.hypot(float(wide[0]), noise))
