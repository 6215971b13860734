"""How closely performance follows R, the loss, and both."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from entropylaw.law.intervals import needs_scipy
from entropylaw.law.models import Array

_RESAMPLES = 2000
_SEED = 0


@dataclass(frozen=True)
class Correlation:
    """Pearson's r and Spearman's rho within groups, with 95 % percentile bootstrap intervals; not weighted.

    Attributes
    ----------
    pearson : float
        Pearson's coefficient.
    pearson_low : float
        Lower end of its interval.
    pearson_high : float
        Upper end of its interval.
    spearman : float
        Spearman's coefficient.
    spearman_low : float
        Lower end of its interval.
    spearman_high : float
        Upper end of its interval.
    """

    pearson: float
    pearson_low: float
    pearson_high: float
    spearman: float
    spearman_low: float
    spearman_high: float


def correlation(x: Array, y: Array, groups: Sequence[str]) -> Correlation:
    """Correlates two quantities within groups: of each group only the differences from its mean count.

    The bootstrap draws whole observations, each group from itself, with a fixed seed.
    """
    try:
        from scipy.stats import rankdata
    except ImportError:
        raise needs_scipy() from None
    labels = np.array(groups)
    members = [np.flatnonzero(labels == group) for group in dict.fromkeys(groups)]
    rng = np.random.default_rng(_SEED)
    everything = np.concatenate(members)[None, :]
    draws = np.hstack([rng.choice(of, (_RESAMPLES, len(of))) for of in members])
    sizes = [len(of) for of in members]
    values: list[float] = []
    for ranked in (False, True):
        estimates = []
        for index in (everything, draws):
            a, b = _centred(x[index], sizes), _centred(y[index], sizes)
            if ranked:
                a, b = (rankdata(np.round(part, 12), axis=1) for part in (a, b))
            estimates.append(_pearson(a, b))
        whole, resampled = estimates
        # A draw of equal observations has no correlation.
        resampled = resampled[np.isfinite(resampled)]
        low, high = np.quantile(resampled, [0.025, 0.975]) if len(resampled) else (-1.0, 1.0)
        values += [float(whole[0]), float(low), float(high)]
    return Correlation(*values)


def _centred(values: Array, sizes: list[int]) -> Array:
    parts = np.split(values, np.cumsum(sizes)[:-1], axis=1)
    return np.hstack([part - part.mean(axis=1, keepdims=True) for part in parts])


def _pearson(a: Array, b: Array) -> Array:
    a = a - a.mean(axis=1, keepdims=True)
    b = b - b.mean(axis=1, keepdims=True)
    with np.errstate(invalid="ignore", divide="ignore"):
        product = (a * b).sum(axis=1) / np.sqrt((a * a).sum(axis=1) * (b * b).sum(axis=1))
    # Rounding must not make a correlation of nothing, nor one above 1.
    product[((a * a).sum(axis=1) < 1e-20) | ((b * b).sum(axis=1) < 1e-20)] = np.nan
    return np.asarray(np.clip(product, -1.0, 1.0))
