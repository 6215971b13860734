"""Predictions of a fit, with their intervals."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from entropylaw import parameters
from entropylaw.errors import EntropyLawError
from entropylaw.law.fit import Fit, gradient
from entropylaw.law.models import Array

LEVEL = 0.95


@dataclass(frozen=True, eq=False)
class Prediction:
    """What a law says of some points, in units of Z (or of L, if that is predicted). Arrays of shape ``(n,)``.

    Attributes
    ----------
    R : NDArray[np.float64]
        Compression ratio of each point.
    L : NDArray[np.float64] | None
        First-epoch loss of each point; None if R alone was used.
    mean : NDArray[np.float64]
        What is expected.
    low : NDArray[np.float64]
        Lower end of the prediction interval: where a new run of weight 1 falls.
    high : NDArray[np.float64]
        Upper end of the prediction interval.
    mean_low : NDArray[np.float64]
        Lower end of the confidence interval of ``mean``: where the law itself runs.
    mean_high : NDArray[np.float64]
        Upper end of the confidence interval of ``mean``.
    level : float
        Nominal coverage of both intervals.
    extrapolates : NDArray[np.bool_]
        Whether R or L is outside what was observed.
    form : str
        Name of the form that predicts.
    """

    R: Array
    L: Array | None
    mean: Array
    low: Array
    high: Array
    mean_low: Array
    mean_high: Array
    level: float
    extrapolates: NDArray[np.bool_]
    form: str


def predict(
    fit: Fit,
    R: Array,
    L: Array | None,
    groups: Sequence[str],
    *,
    level: float = LEVEL,
    L_error: float = 0.0,
) -> tuple[Array, Array, Array]:
    """Means, and half widths of the prediction intervals and of the confidence intervals of the mean.

    ``L_error`` is the standard error of L, which widens both.
    """
    mean, design = gradient(fit, R, L, groups)
    variance = np.einsum("ij,jk,ik->i", design, np.array(fit.covariance), design)
    variance = np.maximum(variance, 0.0) + (fit.slopes.get("L", 0.0) * L_error) ** 2
    quantile = student((1 + level) / 2, fit.df)
    return mean, quantile * np.sqrt(variance + fit.sigma**2), quantile * np.sqrt(variance)


def student(probability: float, df: float) -> float:
    """Quantile of Student's t distribution."""
    if not 0 < probability < 1:
        raise EntropyLawError(f"the level of an interval must be between 0 and 1, found {2 * probability - 1:g}")
    try:
        from scipy.special import stdtrit
    except ImportError:
        raise needs_scipy() from None
    return float(stdtrit(df, probability))


def needs_scipy() -> EntropyLawError:
    """What to say where SciPy is missing."""
    return EntropyLawError("the entropy law needs SciPy; install it with: pip install 'entropylaw[law]'")


def check_level(level: float) -> float:
    """The level of an interval.

    Raises
    ------
    EntropyLawError
        If it is not between 0 and 1.
    """
    level = parameters.real("level", level)
    if not 0 < level < 1:
        raise EntropyLawError(f"level is {level}; it must be between 0 and 1, such as 0.95")
    return level
