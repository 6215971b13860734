"""What to select for, as an option; what a selection is of it, and what a user should know about it."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from entropylaw.errors import EntropyLawError
from entropylaw.explaining import Curve, Fact
from entropylaw.methods.option import option
from entropylaw.pool import Pool, PoolLike

_FEW_SAMPLES = 40
# Measured on an instruction pool of six families. With a family left out, the pool still has 82 to 99 % of what recurs
# in a target of that family, and selecting for it helps. It has 74 % of Python code's, 55 % of German's and 3 % of
# Chinese's; and a pool of code has 61 % of English's.
_FOREIGN = 0.7


def target_option() -> Any:
    """The option of a method that selects for a target."""
    return option(
        None,
        "samples of what to select for; nothing is selected from them",
        doc="what the selection is for, such as a hundred samples of a task; read as the pool is; nothing is selected "
        "from it, and it does not count as known; what of the pool equals it is selected like anything else: "
        "``decontaminate`` if the target is a benchmark",
        data=True,
    )


def required(method: str, target: object) -> None:
    """Raises EntropyLawError unless there is a target."""
    if target is None:
        raise EntropyLawError(f"method {method!r} selects for a target: say what that is: target= (--target)")


def for_core(target: PoolLike | Pool | None) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    """The target's samples, once it is read."""
    assert isinstance(target, Pool)
    return target.data, target.offsets


@dataclass(frozen=True, eq=False)
class TargetCoverage:
    """How much of a target a selection holds. N-grams count by their weight, if nothing else is said.

    Attributes
    ----------
    samples : int
        Samples of the target.
    curve : NDArray[np.float64]
        Share of its n-grams that are in the selection, after each pick; shape ``(len(selection),)``.
    in_pool : float
        Share of its n-grams that are in the pool: no selection holds more.
    recurring : int
        N-grams that are in two samples of the target or more; each counts one.
    recurring_in_pool : int
        Of these, those that are in the pool.
    """

    samples: int
    curve: NDArray[np.float64] = field(repr=False)
    in_pool: float
    recurring: int
    recurring_in_pool: int

    @property
    def coverage(self) -> float:
        """Share of its n-grams that are in the selection."""
        return float(self.curve[-1])

    @property
    def shared(self) -> float:
        """Share of what recurs in the target that is in the pool; 1 if nothing recurs."""
        return self.recurring_in_pool / self.recurring if self.recurring else 1.0

    def summary(self) -> dict[str, Any]:
        """The numbers, for summary and manifest."""
        return {
            "samples": self.samples,
            "coverage": self.coverage,
            "in_pool": self.in_pool,
            "recurring": self.recurring,
            "recurring_in_pool": self.recurring_in_pool,
        }

    def fact(self) -> Fact:
        """How much of it is covered, for summary and report."""
        about = f"of its n-grams, by weight, are in the selection, {self.in_pool:.1%} in the pool"
        return Fact("target", f"{self.coverage:.1%}", about)

    def curve_shown(self) -> Curve:
        """How it came to be covered, for the report."""
        return Curve(
            "Target covered",
            "Share of the target's n-grams, by weight, that are in the selection after each number of picks. The "
            f"pool has {self.in_pool:.1%} of them. Where the curve is flat, more picks add nothing new for the "
            "target: they repeat what it holds, and then what recurs in the pool.",
            "share of the target",
            "target",
            self.curve,
        )

    def warnings(self) -> Iterator[str]:
        """What a user should know about the target."""
        if self.samples < _FEW_SAMPLES:
            yield (
                f"the target has {self.samples} samples, fewer than the {_FEW_SAMPLES} that selecting for a target was "
                "measured with: what is in them by chance weighs as much as what they are examples of; add samples, or "
                "lower target_weight"
            )
        if not self.recurring:
            yield "no n-gram is in two samples of the target: they have nothing in common to select for"
        elif self.shared < _FOREIGN:
            yield (
                f"of the {self.recurring:,} n-grams that are in two samples of the target or more, {self.shared:.0%} "
                "are in the pool: it holds little of this kind; look whether the target is in the pool's language and "
                "rendered alike"
            )
